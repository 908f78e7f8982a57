//! A store of an older version. `data/state_v1.sqlite3` was written by one that knew classic
//! frames only: two groups, three devices, thirty frames.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a panic fails the test"
)]

use std::path::{Path, PathBuf};

use espseal::classic::SessionId;
use espseal::sealed::{Address, Window};
use espseal::store::{Acceptance, Accepting, Copy, SealedDevice};
use espseal::{Durability, SqliteStore, Store};
use rusqlite::types::Value;
use rusqlite::{Connection, Row};
use tempfile::TempDir;

const CLASSIC: &[&str] = &[
    "classic_accepted",
    "classic_command_session",
    "classic_device",
    "classic_group",
    "classic_recent",
    "classic_session",
    "classic_sessionless",
];

#[test]
fn a_store_of_version_1_keeps_what_it_knew_and_learns_sealed_devices() {
    let old = Old::copied();
    let before = old.rows();
    assert_eq!(old.version(), 1);
    assert_eq!(before.iter().map(Vec::len).sum::<usize>(), 69);

    let store = old.open();
    assert_eq!(old.version(), 2);
    assert_eq!(old.rows(), before);
    // Every frame that was accepted is known again, and no other.
    for [session, mac, address] in old.accepted() {
        let session = SessionId::from_bytes(session.try_into().unwrap());
        let copy = Copy {
            mac: mac.try_into().unwrap(),
            fingerprint: [0; 16],
        };
        let accepting = Accepting {
            group: "farm",
            session: Some(&session),
            address: &address,
            copy,
            limit: 1000,
        };
        assert_eq!(accept(&store, &accepting), Acceptance::Known);
        let mut other = accepting;
        other.copy.mac[0] ^= 1;
        assert_eq!(accept(&store, &other), Acceptance::New { last: false });
    }

    let address = Address::new([1; 8]);
    let device = SealedDevice {
        window: Window::closed(5),
        open: true,
        epoch: 1,
        overlap: None,
        last_seen: 7,
    };
    let mut known = None;
    store
        .transact(&mut |transaction| {
            known = transaction.sealed_device(address)?;
            transaction.put_sealed_device(address, &device)
        })
        .unwrap();
    assert_eq!(known, None);
    drop(store);
    old.open()
        .transact(&mut |transaction| {
            known = transaction.sealed_device(address)?;
            Ok(())
        })
        .unwrap();
    assert_eq!(known, Some(device));
}

/// However it came to be, the tables are the same.
#[test]
fn an_older_store_becomes_what_a_new_one_is() {
    let (old, new) = (Old::copied(), Old::none());
    drop((old.open(), new.open()));
    assert_eq!(old.tables(), new.tables());
    assert!(old.tables().len() > 10);
}

struct Old {
    _folder: TempDir,
    file: PathBuf,
}

impl Old {
    fn none() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("state.sqlite3");
        Self {
            _folder: folder,
            file,
        }
    }

    fn copied() -> Self {
        let old = Self::none();
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rust/data");
        std::fs::copy(data.join("state_v1.sqlite3"), &old.file).unwrap();
        old
    }

    fn open(&self) -> SqliteStore {
        SqliteStore::open(&self.file, Durability::Process).unwrap()
    }

    fn read<T>(&self, sql: &str, read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>) -> Vec<T> {
        let connection = Connection::open(&self.file).unwrap();
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], read).unwrap();
        rows.collect::<rusqlite::Result<_>>().unwrap()
    }

    fn version(&self) -> i64 {
        self.read("PRAGMA user_version", |row| row.get(0))[0]
    }

    fn tables(&self) -> Vec<(String, String)> {
        let sql = "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name";
        self.read(sql, |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// Every row of every table that it had.
    fn rows(&self) -> Vec<Vec<Vec<Value>>> {
        let rows = |table: &&str| {
            self.read(&format!("SELECT * FROM {table} ORDER BY 1, 2"), |row| {
                let columns = row.as_ref().column_count();
                (0..columns).map(|column| row.get(column)).collect()
            })
        };
        CLASSIC.iter().map(rows).collect()
    }

    /// Session, MAC and the address of a device of the group `farm`.
    fn accepted(&self) -> Vec<[Vec<u8>; 3]> {
        let sql = "SELECT session, mac, address FROM classic_accepted
             JOIN classic_session ON classic_session.id = session_id
             JOIN classic_device ON classic_device.group_id = classic_session.group_id
             GROUP BY session, mac";
        self.read(sql, |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?]))
    }
}

fn accept(store: &dyn Store, accepting: &Accepting<'_>) -> Acceptance {
    let mut answer = Acceptance::Full;
    store
        .transact(&mut |transaction| {
            answer = transaction.accept(accepting)?;
            Ok(())
        })
        .unwrap();
    answer
}
