//! The operations on sealed devices, as SQL.

use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::super::sealed::{
    Beacons, Contact, CurrentSession, DeviceSessions, Held, Lease, Overlap, PendingSession,
    SealedDevice, SealedTransaction,
};
use super::operations::Operations;
use crate::classic::SessionId;
use crate::error::StoreError;
use crate::sealed::{Address, Session, Window};
use crate::verdict::Verdict;

type Answer<T> = core::result::Result<T, StoreError>;

const CURRENT: u8 = 0;
const PENDING: u8 = 1;
const EXPIRED: u8 = 2;

impl SealedTransaction for Operations<'_> {
    fn sealed_device(&mut self, address: Address) -> Answer<Option<SealedDevice>> {
        self.run(|connection| {
            connection
                .prepare_cached(
                    "SELECT head, bits, open, epoch, overlap_from, overlap_until, last_seen
                     FROM sealed_device WHERE address = ?1",
                )?
                .query_row([key(address)], device)
                .optional()
        })
    }

    fn put_sealed_device(&mut self, address: Address, device: &SealedDevice) -> Answer<()> {
        self.run(|connection| {
            connection
                .prepare_cached(
                    "REPLACE INTO sealed_device (address, head, bits, open, epoch, overlap_from,
                     overlap_until, last_seen) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                )?
                .execute(params![
                    key(address),
                    device.window.head.cast_signed(),
                    device.window.bits.cast_signed(),
                    device.open,
                    device.epoch,
                    device.overlap.map(|overlap| overlap.from),
                    device.overlap.map(|overlap| overlap.until.cast_signed()),
                    device.last_seen.cast_signed(),
                ])
                .map(drop)
        })
    }

    fn device_sessions(&mut self, address: Address) -> Answer<DeviceSessions> {
        self.run(|connection| device_sessions(connection, address))
    }

    fn put_device_sessions(&mut self, address: Address, sessions: &DeviceSessions) -> Answer<()> {
        self.run(|connection| put_device_sessions(connection, address, sessions))
    }

    fn next_downlink(&mut self, address: Address) -> Answer<Option<u64>> {
        let chunks = self.chunks;
        self.run(|connection| {
            let stored = connection
                .prepare_cached("SELECT ceiling FROM sealed_downlink WHERE address = ?1")?
                .query_row([key(address)], |row| row.get::<_, i64>(0))
                .optional()?
                .map_or(0, i64::cast_unsigned);
            let Some(reserved) = chunks.next(address, stored) else {
                return Ok(None);
            };
            if reserved.ceiling != stored {
                connection
                    .prepare_cached(
                        "REPLACE INTO sealed_downlink (address, ceiling) VALUES (?1, ?2)",
                    )?
                    .execute(params![key(address), reserved.ceiling.cast_signed()])?;
            }
            Ok(Some(reserved.counter))
        })
    }

    fn contact(&mut self, wall: u64) -> Answer<Contact> {
        self.run(|connection| {
            if let Some(contact) = contact(connection)? {
                return Ok(contact);
            }
            put_contact(connection, wall, 1)
        })
    }

    fn mark_restored(&mut self, wall: u64) -> Answer<()> {
        let addresses = self.run(|connection| {
            let generation = contact(connection)?.map_or(0, |contact| contact.generation);
            put_contact(connection, wall, generation + 1)?;
            connection.execute("UPDATE sealed_device SET open = 0", [])?;
            connection.execute("DELETE FROM sealed_held", [])?;
            connection
                .prepare("SELECT DISTINCT address FROM sealed_session WHERE state <> ?1")?
                .query_map([EXPIRED], |row| row.get(0))?
                .collect::<Result<Vec<i64>>>()
        })?;
        for address in addresses {
            let address = Address::new(address.to_be_bytes());
            let mut sessions = self.device_sessions(address)?;
            sessions.expire_all();
            self.put_device_sessions(address, &sessions)?;
        }
        Ok(())
    }

    fn beacons(&mut self, fleet: &str) -> Answer<Beacons> {
        self.run(|connection| {
            let known = connection
                .prepare_cached(
                    "SELECT session FROM sealed_beacon
                     WHERE fleet_id = (SELECT id FROM sealed_fleet WHERE name = ?1)",
                )?
                .query_map([fleet], |row| row.get(0).map(SessionId::from_bytes))?
                .collect::<Result<_>>()?;
            let times = times(connection, fleet)?;
            let (newest, bar) = times.unwrap_or_default();
            Ok(Beacons { known, newest, bar })
        })
    }

    fn add_beacon(&mut self, fleet: &str, id: &SessionId) -> Answer<bool> {
        self.run(|connection| {
            if has_beacon(connection, fleet, id)? {
                return Ok(true);
            }
            let bar = times(connection, fleet)?.and_then(|(_, bar)| bar);
            if bar.is_some_and(|bar| id.time() <= bar) {
                return Ok(false);
            }
            let fleet: i64 = connection
                .prepare_cached(
                    "INSERT INTO sealed_fleet (name, newest) VALUES (?1, ?2)
                     ON CONFLICT (name) DO UPDATE
                     SET newest = max(coalesce(newest, 0), excluded.newest)
                     RETURNING id",
                )?
                .query_row(params![fleet, id.time()], |row| row.get(0))?;
            connection
                .prepare_cached("INSERT INTO sealed_beacon (fleet_id, session) VALUES (?1, ?2)")?
                .execute(params![fleet, id.as_bytes()])?;
            Ok(true)
        })
    }

    fn drop_beacon(&mut self, fleet: &str, id: &SessionId) -> Answer<()> {
        self.run(|connection| {
            connection
                .prepare_cached(
                    "DELETE FROM sealed_beacon WHERE session = ?2
                     AND fleet_id = (SELECT id FROM sealed_fleet WHERE name = ?1)",
                )?
                .execute(params![fleet, id.as_bytes()])?;
            connection
                .prepare_cached(
                    "INSERT INTO sealed_fleet (name, bar) VALUES (?1, ?2)
                     ON CONFLICT (name) DO UPDATE SET bar = max(coalesce(bar, 0), excluded.bar)",
                )?
                .execute(params![fleet, id.time()])
                .map(drop)
        })
    }

    fn lease(&mut self, fleet: &str) -> Answer<Option<Lease>> {
        self.run(|connection| {
            connection
                .prepare_cached(
                    "SELECT lease_holder, lease_until FROM sealed_fleet
                     WHERE name = ?1 AND lease_until IS NOT NULL",
                )?
                .query_row([fleet], |row| {
                    Ok(Lease {
                        holder: row.get(0)?,
                        until: row.get::<_, i64>(1)?.cast_unsigned(),
                    })
                })
                .optional()
        })
    }

    fn put_lease(&mut self, fleet: &str, lease: Option<&Lease>) -> Answer<()> {
        self.run(|connection| {
            connection
                .prepare_cached(
                    "INSERT INTO sealed_fleet (name, lease_holder, lease_until)
                     VALUES (?1, ?2, ?3)
                     ON CONFLICT (name) DO UPDATE SET lease_holder = excluded.lease_holder,
                     lease_until = excluded.lease_until",
                )?
                .execute(params![
                    fleet,
                    lease.map(|lease| lease.holder),
                    lease.map(|lease| lease.until.cast_signed()),
                ])
                .map(drop)
        })
    }

    fn held(&mut self) -> Answer<Vec<Held>> {
        self.run(|connection| {
            connection
                .prepare_cached("SELECT address, tag, session FROM sealed_held")?
                .query_map([], |row| {
                    Ok(Held {
                        address: Address::new(row.get::<_, i64>(0)?.to_be_bytes()),
                        tag: row.get(1)?,
                        session: row.get(2).map(SessionId::from_bytes)?,
                    })
                })?
                .collect()
        })
    }

    fn hold(&mut self, held: &Held) -> Answer<()> {
        self.run(|connection| {
            connection
                .prepare_cached(
                    "REPLACE INTO sealed_held (address, tag, session) VALUES (?1, ?2, ?3)",
                )?
                .execute(params![
                    key(held.address),
                    held.tag,
                    held.session.as_bytes()
                ])
                .map(drop)
        })
    }

    fn release(&mut self, held: &Held) -> Answer<()> {
        self.run(|connection| {
            connection
                .prepare_cached("DELETE FROM sealed_held WHERE address = ?1 AND tag = ?2")?
                .execute(params![key(held.address), held.tag])
                .map(drop)
        })
    }

    fn counts(&mut self) -> Answer<[u64; Verdict::COUNT]> {
        self.run(|connection| {
            let mut counts = [0; Verdict::COUNT];
            let mut statement =
                connection.prepare_cached("SELECT frames FROM verdict_count WHERE verdict = ?1")?;
            for (verdict, count) in Verdict::ALL.iter().zip(&mut counts) {
                let frames = statement
                    .query_row([verdict.code()], |row| row.get::<_, i64>(0))
                    .optional()?;
                *count = frames.map_or(0, i64::cast_unsigned);
            }
            Ok(counts)
        })
    }

    fn add_counts(&mut self, counts: &[u64; Verdict::COUNT]) -> Answer<()> {
        self.run(|connection| {
            let mut statement = connection.prepare_cached(
                "INSERT INTO verdict_count (verdict, frames) VALUES (?1, ?2)
                 ON CONFLICT (verdict) DO UPDATE SET frames = frames + excluded.frames",
            )?;
            for (verdict, count) in Verdict::ALL.iter().zip(counts) {
                if *count > 0 {
                    statement.execute(params![verdict.code(), count.cast_signed()])?;
                }
            }
            Ok(())
        })
    }

    fn device_counts(&mut self, address: Address) -> Answer<[u64; Verdict::COUNT]> {
        self.run(|connection| {
            let mut counts = [0; Verdict::COUNT];
            let mut statement = connection
                .prepare_cached("SELECT verdict, frames FROM device_count WHERE address = ?1")?;
            let mut rows = statement.query([key(address)])?;
            while let Some(row) = rows.next()? {
                let (word, frames): (String, i64) = (row.get(0)?, row.get(1)?);
                for (verdict, count) in Verdict::ALL.iter().zip(&mut counts) {
                    if verdict.code() == word {
                        *count = frames.cast_unsigned();
                    }
                }
            }
            Ok(counts)
        })
    }

    fn add_device_counts(
        &mut self,
        address: Address,
        counts: &[u64; Verdict::COUNT],
    ) -> Answer<()> {
        self.run(|connection| {
            let mut statement = connection.prepare_cached(
                "INSERT INTO device_count (address, verdict, frames) VALUES (?1, ?2, ?3)
                 ON CONFLICT (address, verdict) DO UPDATE SET frames = frames + excluded.frames",
            )?;
            for (verdict, count) in Verdict::ALL.iter().zip(counts) {
                if *count > 0 {
                    let frames = count.cast_signed();
                    statement.execute(params![key(address), verdict.code(), frames])?;
                }
            }
            Ok(())
        })
    }
}

/// An address as a row's number.
fn key(address: Address) -> i64 {
    i64::from_be_bytes(*address.as_bytes())
}

fn device(row: &Row<'_>) -> Result<SealedDevice> {
    let number = |at| row.get::<_, i64>(at).map(i64::cast_unsigned);
    let until = row.get::<_, Option<i64>>(5)?.map(i64::cast_unsigned);
    Ok(SealedDevice {
        window: Window {
            head: number(0)?,
            bits: number(1)?,
        },
        open: row.get(2)?,
        epoch: row.get(3)?,
        overlap: row
            .get::<_, Option<u16>>(4)?
            .zip(until)
            .map(|(from, until)| Overlap { from, until }),
        last_seen: number(6)?,
    })
}

fn device_sessions(connection: &Connection, address: Address) -> Result<DeviceSessions> {
    let mut sessions = DeviceSessions::default();
    let mut statement = connection.prepare_cached(
        "SELECT state, session, acknowledged, welcomes FROM sealed_session
         WHERE address = ?1 ORDER BY n",
    )?;
    let mut rows = statement.query([key(address)])?;
    while let Some(row) = rows.next()? {
        let session: Session = row.get(1)?;
        match row.get(0)? {
            CURRENT => {
                let acknowledged = row.get::<_, i64>(2)?.cast_unsigned();
                sessions.current = Some(CurrentSession {
                    session,
                    acknowledged,
                });
            }
            PENDING => {
                let welcomes: Vec<u8> = row.get(3)?;
                sessions.pending.push(PendingSession {
                    session,
                    welcomes: welcomes.as_chunks().0.to_vec(),
                });
            }
            _ => sessions.expired.push(session),
        }
    }
    Ok(sessions)
}

fn put_device_sessions(
    connection: &Connection,
    address: Address,
    sessions: &DeviceSessions,
) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM sealed_session WHERE address = ?1")?
        .execute([key(address)])?;
    let mut statement = connection.prepare_cached(
        "INSERT INTO sealed_session (address, n, state, session, acknowledged, welcomes)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let mut n = 0;
    let mut put = |state, session: &Session, acknowledged, welcomes: Option<&[u8]>| {
        n += 1;
        statement.execute(params![
            key(address),
            n,
            state,
            session,
            acknowledged,
            welcomes
        ])
    };
    if let Some(current) = &sessions.current {
        let acknowledged = Some(current.acknowledged.cast_signed());
        put(CURRENT, &current.session, acknowledged, None)?;
    }
    for pending in &sessions.pending {
        let welcomes = pending.welcomes.as_flattened();
        put(PENDING, &pending.session, None, Some(welcomes))?;
    }
    for session in &sessions.expired {
        put(EXPIRED, session, None, None)?;
    }
    Ok(())
}

fn contact(connection: &Connection) -> Result<Option<Contact>> {
    connection
        .prepare_cached("SELECT since, generation FROM sealed_contact")?
        .query_row([], |row| {
            Ok(Contact {
                since: row.get::<_, i64>(0)?.cast_unsigned(),
                generation: row.get::<_, i64>(1)?.cast_unsigned(),
            })
        })
        .optional()
}

fn put_contact(connection: &Connection, since: u64, generation: u64) -> Result<Contact> {
    connection
        .prepare_cached("REPLACE INTO sealed_contact (one, since, generation) VALUES (1, ?1, ?2)")?
        .execute([since.cast_signed(), generation.cast_signed()])?;
    Ok(Contact { since, generation })
}

/// The time of the newest beacon session, and the bar.
fn times(connection: &Connection, fleet: &str) -> Result<Option<(Option<u32>, Option<u32>)>> {
    connection
        .prepare_cached("SELECT newest, bar FROM sealed_fleet WHERE name = ?1")?
        .query_row([fleet], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}

fn has_beacon(connection: &Connection, fleet: &str, id: &SessionId) -> Result<bool> {
    connection
        .prepare_cached(
            "SELECT 1 FROM sealed_beacon
             WHERE fleet_id = (SELECT id FROM sealed_fleet WHERE name = ?1) AND session = ?2",
        )?
        .exists(params![fleet, id.as_bytes()])
}
