//! The operations of a receiver, as SQL.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Result, TransactionState, params};

use super::super::{
    Acceptance, Accepting, Copy, RECENT_MACS, SESSIONLESS_MACS, Transaction, USED_COMMAND_SESSIONS,
};
use super::chunks::Chunks;
use super::problem;
use crate::classic::SessionId;
use crate::error::StoreError;

/// One transaction that is under way.
pub(super) struct Operations<'a> {
    file: &'a Path,
    connection: &'a Connection,
    pub(super) chunks: &'a Chunks,
    failure: Option<Failure>,
}

/// The first operation that failed. After it nothing else is done.
pub(super) struct Failure {
    pub(super) problem: StoreError,
    /// It failed for nothing but another connection that writes or wrote.
    pub(super) outrun: bool,
}

impl<'a> Operations<'a> {
    pub(super) const fn new(
        file: &'a Path,
        connection: &'a Connection,
        chunks: &'a Chunks,
    ) -> Self {
        Self {
            file,
            connection,
            chunks,
            failure: None,
        }
    }

    pub(super) fn into_failure(self) -> Option<Failure> {
        self.failure
    }

    pub(super) fn run<T>(
        &mut self,
        operation: impl FnOnce(&Connection) -> Result<T>,
    ) -> core::result::Result<T, StoreError> {
        if let Some(failure) = &self.failure {
            return Err(failure.problem.clone());
        }
        operation(self.connection).map_err(|error| {
            let problem = problem::describe(self.file, &error);
            // While it only waits for its first look, the state is `None`.
            let outrun = matches!(problem, StoreError::Locked { .. })
                && matches!(
                    self.connection.transaction_state(Some("main")),
                    Ok(TransactionState::Read)
                );
            self.failure = Some(Failure {
                problem: problem.clone(),
                outrun,
            });
            problem
        })
    }
}

impl Transaction for Operations<'_> {
    fn sessions(&mut self, group: &str) -> core::result::Result<Vec<SessionId>, StoreError> {
        self.run(|connection| {
            connection
                .prepare_cached(
                    "SELECT session FROM classic_session
                     WHERE group_id = (SELECT id FROM classic_group WHERE name = ?1)",
                )?
                .query_map([group], |row| row.get(0).map(SessionId::from_bytes))?
                .collect()
        })
    }

    fn newest_session(&mut self, group: &str) -> core::result::Result<Option<u32>, StoreError> {
        self.run(|connection| {
            connection
                .prepare_cached("SELECT newest FROM classic_group WHERE name = ?1")?
                .query_row([group], |row| row.get(0))
                .optional()
                .map(Option::flatten)
        })
    }

    fn session_bar(&mut self, group: &str) -> core::result::Result<Option<u32>, StoreError> {
        self.run(|connection| bar(connection, group))
    }

    fn add_session(
        &mut self,
        group: &str,
        id: &SessionId,
    ) -> core::result::Result<bool, StoreError> {
        let barred = self.session_bar(group)?.is_some_and(|bar| id.time() <= bar);
        self.run(|connection| {
            if has_session(connection, group, id)? {
                return Ok(true);
            }
            if barred {
                return Ok(false);
            }
            let group: i64 = connection
                .prepare_cached(
                    "INSERT INTO classic_group (name, newest) VALUES (?1, ?2)
                     ON CONFLICT (name) DO UPDATE
                     SET newest = max(coalesce(newest, 0), excluded.newest)
                     RETURNING id",
                )?
                .query_row(params![group, id.time()], |row| row.get(0))?;
            connection
                .prepare_cached("INSERT INTO classic_session (group_id, session) VALUES (?1, ?2)")?
                .execute(params![group, id.as_bytes()])?;
            Ok(true)
        })
    }

    fn drop_session(
        &mut self,
        group: &str,
        id: &SessionId,
    ) -> core::result::Result<(), StoreError> {
        self.run(|connection| {
            if has_session(connection, group, id)? {
                connection
                    .prepare_cached(
                        "DELETE FROM classic_session
                         WHERE group_id = (SELECT id FROM classic_group WHERE name = ?1)
                         AND session = ?2",
                    )?
                    .execute(params![group, id.as_bytes()])?;
            }
            if bar(connection, group)? < Some(id.time()) {
                connection
                    .prepare_cached(
                        "INSERT INTO classic_group (name, bar) VALUES (?1, ?2)
                         ON CONFLICT (name) DO UPDATE SET bar = excluded.bar",
                    )?
                    .execute(params![group, id.time()])?;
            }
            Ok(())
        })
    }

    fn accept(&mut self, frame: &Accepting<'_>) -> core::result::Result<Acceptance, StoreError> {
        self.run(|connection| accept(connection, frame))
    }

    fn recall(
        &mut self,
        group: &str,
        copy: &Copy,
    ) -> core::result::Result<Option<Vec<u8>>, StoreError> {
        self.run(|connection| {
            connection
                .prepare_cached(
                    "SELECT address FROM classic_recent
                     JOIN classic_device ON classic_device.id = device_id
                     WHERE classic_recent.group_id = (SELECT id FROM classic_group WHERE name = ?1)
                     AND mac = ?2 AND fingerprint = ?3",
                )?
                .query_row(params![group, copy.mac, copy.fingerprint], |row| row.get(0))
                .optional()
        })
    }

    fn use_command_session(
        &mut self,
        group: &str,
        address: &[u8],
        session: &[u8; 32],
    ) -> core::result::Result<bool, StoreError> {
        self.run(|connection| {
            let used = connection
                .prepare_cached(
                    "SELECT 1 FROM classic_command_session WHERE session = ?3 AND device_id =
                     (SELECT classic_device.id FROM classic_device
                      JOIN classic_group ON classic_group.id = group_id
                      WHERE name = ?1 AND address = ?2)",
                )?
                .exists(params![group, address, session])?;
            if used {
                return Ok(false);
            }
            let group = add_group(connection, group)?;
            let device = add_device(connection, group, address)?;
            let n: i64 = connection
                .prepare_cached(
                    "INSERT INTO classic_command_session (device_id, session, n)
                     SELECT ?1, ?2, coalesce(max(n), 0) + 1
                     FROM classic_command_session WHERE device_id = ?1
                     RETURNING n",
                )?
                .query_row(params![device, session], |row| row.get(0))?;
            connection
                .prepare_cached(
                    "DELETE FROM classic_command_session WHERE device_id = ?1 AND n <= ?2",
                )?
                .execute(params![device, oldest(n, USED_COMMAND_SESSIONS)])?;
            Ok(true)
        })
    }
}

/// What `accept` has to know, in one look.
struct Known {
    group: i64,
    session: Option<i64>,
    accepted: i64,
    device: Option<i64>,
    /// The number of the device's newest accepted frame.
    recent: i64,
    /// The number of the group's newest frame without a session.
    sessionless: i64,
    mac: bool,
}

const KNOWN: &str = "
SELECT g.id, s.id, coalesce(s.accepted, 0), d.id,
    coalesce((SELECT max(n) FROM classic_recent WHERE device_id = d.id), 0),
    CASE WHEN ?2 IS NULL
        THEN coalesce((SELECT max(n) FROM classic_sessionless WHERE group_id = g.id), 0)
        ELSE 0
    END,
    EXISTS (SELECT 1 FROM classic_recent WHERE group_id = g.id AND mac = ?4)
    OR CASE WHEN ?2 IS NULL
        THEN EXISTS (SELECT 1 FROM classic_sessionless WHERE group_id = g.id AND mac = ?4)
        ELSE EXISTS (SELECT 1 FROM classic_accepted WHERE session_id = s.id AND mac = ?4)
    END
FROM classic_group AS g
LEFT JOIN classic_session AS s ON s.group_id = g.id AND s.session = ?2
LEFT JOIN classic_device AS d ON d.group_id = g.id AND d.address = ?3
WHERE g.name = ?1";

fn accept(connection: &Connection, frame: &Accepting<'_>) -> Result<Acceptance> {
    let mac = &frame.copy.mac;
    let session = frame.session.map(SessionId::as_bytes);
    let known = connection
        .prepare_cached(KNOWN)?
        .query_row(params![frame.group, session, frame.address, mac], |row| {
            Ok(Known {
                group: row.get(0)?,
                session: row.get(1)?,
                accepted: row.get(2)?,
                device: row.get(3)?,
                recent: row.get(4)?,
                sessionless: row.get(5)?,
                mac: row.get(6)?,
            })
        })
        .optional()?;
    let known = match known {
        Some(known) if known.mac => return Ok(Acceptance::Known),
        Some(known) => known,
        None if session.is_some() => return Ok(Acceptance::Full),
        None => Known {
            group: add_group(connection, frame.group)?,
            session: None,
            accepted: 0,
            device: None,
            recent: 0,
            sessionless: 0,
            mac: false,
        },
    };
    let last = match (session, known.session) {
        (None, _) => {
            remember_sessionless(connection, known.group, known.sessionless + 1, mac)?;
            false
        }
        (Some(_), None) => return Ok(Acceptance::Full),
        (Some(_), Some(session)) => {
            let limit = i64::try_from(frame.limit).unwrap_or(i64::MAX);
            if known.accepted >= limit {
                return Ok(Acceptance::Full);
            }
            remember_accepted(connection, session, known.accepted + 1, mac)?;
            known.accepted + 1 == limit
        }
    };
    let device = match known.device {
        Some(device) => device,
        None => add_device(connection, known.group, frame.address)?,
    };
    remember_recent(
        connection,
        known.group,
        device,
        known.recent + 1,
        &frame.copy,
    )?;
    Ok(Acceptance::New { last })
}

fn remember_accepted(
    connection: &Connection,
    session: i64,
    accepted: i64,
    mac: &[u8; 20],
) -> Result<()> {
    connection
        .prepare_cached("INSERT INTO classic_accepted (session_id, mac) VALUES (?1, ?2)")?
        .execute(params![session, mac])?;
    connection
        .prepare_cached("UPDATE classic_session SET accepted = ?2 WHERE id = ?1")?
        .execute(params![session, accepted])
        .map(drop)
}

/// The oldest of those that are kept makes room for the new one, which takes its row.
fn remember_sessionless(connection: &Connection, group: i64, n: i64, mac: &[u8; 20]) -> Result<()> {
    let replaced = connection
        .prepare_cached(
            "UPDATE classic_sessionless SET n = ?3, mac = ?4 WHERE group_id = ?1 AND n = ?2",
        )?
        .execute(params![group, oldest(n, SESSIONLESS_MACS), n, mac])?;
    if replaced == 0 {
        connection
            .prepare_cached(
                "INSERT INTO classic_sessionless (group_id, n, mac) VALUES (?1, ?2, ?3)",
            )?
            .execute(params![group, n, mac])?;
    }
    Ok(())
}

/// As above.
fn remember_recent(
    connection: &Connection,
    group: i64,
    device: i64,
    n: i64,
    copy: &Copy,
) -> Result<()> {
    let Copy { mac, fingerprint } = copy;
    let replaced = connection
        .prepare_cached(
            "UPDATE classic_recent SET n = ?3, mac = ?4, fingerprint = ?5
             WHERE device_id = ?1 AND n = ?2",
        )?
        .execute(params![device, oldest(n, RECENT_MACS), n, mac, fingerprint])?;
    if replaced == 0 {
        connection
            .prepare_cached(
                "INSERT INTO classic_recent (device_id, n, group_id, mac, fingerprint)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![device, n, group, mac, fingerprint])?;
    }
    Ok(())
}

/// The newest number that has fallen out, if `newest` was just added and `kept` are kept.
fn oldest(newest: i64, kept: usize) -> i64 {
    newest - i64::try_from(kept).unwrap_or(i64::MAX)
}

fn bar(connection: &Connection, group: &str) -> Result<Option<u32>> {
    connection
        .prepare_cached("SELECT bar FROM classic_group WHERE name = ?1")?
        .query_row([group], |row| row.get(0))
        .optional()
        .map(Option::flatten)
}

fn has_session(connection: &Connection, group: &str, id: &SessionId) -> Result<bool> {
    connection
        .prepare_cached(
            "SELECT 1 FROM classic_session
             WHERE group_id = (SELECT id FROM classic_group WHERE name = ?1) AND session = ?2",
        )?
        .exists(params![group, id.as_bytes()])
}

fn add_group(connection: &Connection, name: &str) -> Result<i64> {
    let known = connection
        .prepare_cached("SELECT id FROM classic_group WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?;
    match known {
        Some(id) => Ok(id),
        None => connection
            .prepare_cached("INSERT INTO classic_group (name) VALUES (?1)")?
            .insert([name]),
    }
}

fn add_device(connection: &Connection, group: i64, address: &[u8]) -> Result<i64> {
    let known = connection
        .prepare_cached("SELECT id FROM classic_device WHERE group_id = ?1 AND address = ?2")?
        .query_row(params![group, address], |row| row.get(0))
        .optional()?;
    match known {
        Some(id) => Ok(id),
        None => connection
            .prepare_cached("INSERT INTO classic_device (group_id, address) VALUES (?1, ?2)")?
            .insert(params![group, address]),
    }
}
