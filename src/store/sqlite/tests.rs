//! What only a file can get wrong. Several processes are in `tests/rust/store.rs`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tempfile::TempDir;

use super::super::tests::{NEW, accept, add, copy, frame, newest, recall, session, sessions};
use super::super::{Acceptance, Durability, SqliteStore, Store};
use super::file::{PAGE, WAL};
use super::schema::{APPLICATION_ID, STEPS, migrate};
use crate::error::StoreError;

#[test]
fn an_error_of_the_caller_leaves_the_store_as_it_was() {
    let place = Place::new();
    let store = place.store();
    add(&store, "farm", 1);
    let answer = store.transact(&mut |transaction| {
        transaction.add_session("farm", &session(2))?;
        let frame = frame("farm", Some(1), b"a", 1);
        assert_eq!(transaction.accept(&frame.accepting(9))?, NEW);
        Err(StoreError::Failed("the caller's own".to_owned()))
    });
    assert_eq!(
        answer,
        Err(StoreError::Failed("the caller's own".to_owned()))
    );
    assert_eq!(sessions(&store, "farm"), [session(1)]);
    assert_eq!(newest(&store, "farm"), Some(1));
    assert_eq!(accept(&store, Some(1), b"a", 1, 9), NEW);
}

#[test]
fn a_panic_of_the_caller_leaves_the_store_as_it_was() {
    let place = Place::new();
    let (store, other) = (place.store(), place.store());
    let panicked = std::panic::catch_unwind(core::panic::AssertUnwindSafe(|| {
        store.transact(&mut |transaction| {
            transaction.add_session("farm", &session(1))?;
            panic!("the caller's own");
        })
    }));
    assert!(panicked.is_err());
    // Nothing of it is kept, and neither is the write lock.
    assert_eq!(sessions(&store, "farm"), []);
    add(&other, "farm", 2);
    add(&store, "farm", 3);
    assert_eq!(sessions(&other, "farm"), [session(2), session(3)]);
}

#[test]
fn an_operation_that_failed_is_not_kept_though_the_caller_says_so() {
    let place = Place::new();
    let store = place.store();
    add(&store, "farm", 1);
    place.limit_pages(&store, 0);
    let answer = store.transact(&mut |transaction| {
        let mut mac = 0;
        let first = loop {
            mac += 1;
            let frame = frame("farm", Some(1), b"a", mac);
            if let Err(error) = transaction.accept(&frame.accepting(99_999)) {
                break error;
            }
        };
        // Whatever comes after it answers the same.
        assert_eq!(transaction.recall("farm", &copy(1)), Err(first.clone()));
        assert_eq!(transaction.sessions("farm"), Err(first));
        Ok(())
    });
    assert_eq!(answer, Err(StoreError::Full { file: place.file() }));
    assert_eq!(recall(&store, "farm", 1), None);
}

#[test]
fn a_full_disk_accepts_nothing_and_loses_nothing() {
    let place = Place::new();
    let store = place.store();
    add(&store, "farm", 1);
    assert_eq!(accept(&store, Some(1), b"a", 0, 99_999), NEW);
    place.limit_pages(&store, 0);
    let mut accepted = vec![0];
    let refused = loop {
        let mac = u32::try_from(accepted.len()).unwrap();
        match try_accept(&store, mac) {
            Ok(answer) => assert_eq!(answer, NEW),
            Err(error) => break (mac, error),
        }
        accepted.push(mac);
    };
    let (mac, error) = refused;
    assert_eq!(error, StoreError::Full { file: place.file() });
    assert_eq!(error.code(), "disk_full");
    assert!(error.to_string().contains("free some space"), "{error}");
    // What needs no room goes on, here and elsewhere.
    assert_eq!(try_accept(&store, 0), Ok(Acceptance::Known));
    assert_eq!(recall(&place.store(), "farm", mac), None);
    place.limit_pages(&store, 1000);
    assert_eq!(try_accept(&store, mac), Ok(NEW));
    for mac in accepted {
        assert_eq!(try_accept(&store, mac), Ok(Acceptance::Known));
    }
}

#[test]
fn garbage_writes_nothing_and_waits_for_no_one() {
    let place = Place::new();
    let store = place.store();
    add(&store, "farm", 1);
    assert_eq!(
        accept(&store, Some(1), b"a", 1, 1),
        Acceptance::New { last: true }
    );
    let drop_older =
        |id| store.transact(&mut |transaction| transaction.drop_session("farm", &session(id)));
    assert_eq!(drop_older(7), Ok(()));
    let writer = place.raw();
    writer.execute_batch("BEGIN IMMEDIATE").unwrap();
    let before = place.bytes();
    let start = Instant::now();
    for mac in 2..200 {
        assert_eq!(recall(&store, "farm", mac), None);
        assert_eq!(recall(&store, "elsewhere", mac), None);
        assert_eq!(accept(&store, Some(1), b"a", mac, 1), Acceptance::Full);
        assert_eq!(accept(&store, Some(9), b"a", mac, 1), Acceptance::Full);
        assert_eq!(accept(&store, Some(1), b"a", 1, 1), Acceptance::Known);
    }
    // Neither do what is known, and what is gone.
    add(&store, "farm", 1);
    assert_eq!(drop_older(5), Ok(()));
    assert_eq!(sessions(&store, "farm"), [session(1)]);
    assert_eq!(newest(&store, "farm"), Some(1));
    assert!(start.elapsed() < Duration::from_secs(4));
    assert!(place.bytes() == before, "something was written");
}

#[test]
fn who_reads_before_another_writes_reads_again() {
    let place = Place::new();
    let (store, other) = (place.store(), place.store());
    add(&store, "farm", 1);
    let (mut runs, mut answer) = (0, NEW);
    store
        .transact(&mut |transaction| {
            runs += 1;
            assert_eq!(transaction.sessions("farm")?, [session(1)]);
            if runs == 1 {
                assert_eq!(accept(&other, Some(1), b"a", 1, 9), NEW);
            }
            answer = transaction.accept(&frame("farm", Some(1), b"a", 1).accepting(9))?;
            // A frame of its own makes it write after what it read.
            let own = frame("farm", Some(1), b"a", 2);
            assert_eq!(transaction.accept(&own.accepting(9)).is_ok(), runs == 2);
            Ok(())
        })
        .unwrap();
    assert_eq!((runs, answer), (2, Acceptance::Known));
    assert_eq!(recall(&other, "farm", 2).as_deref(), Some(&b"a"[..]));
}

#[test]
fn a_writer_waits_for_its_turn() {
    let place = Place::new();
    let store = place.store();
    add(&store, "farm", 1);
    let writer = place.raw();
    writer.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (started, starts) = mpsc::channel();
    let waiting = thread::spawn(move || {
        started.send(()).unwrap();
        accept(&store, Some(1), b"a", 1, 9)
    });
    starts.recv().unwrap();
    thread::sleep(Duration::from_millis(200));
    assert!(!waiting.is_finished());
    writer.execute_batch("COMMIT").unwrap();
    assert_eq!(waiting.join().unwrap(), NEW);
}

#[test]
fn a_lock_that_is_not_let_go_is_named() {
    let place = Place::new();
    let store = place.store();
    add(&store, "farm", 1);
    let writer = place.raw();
    writer.execute_batch("BEGIN IMMEDIATE").unwrap();
    let start = Instant::now();
    let error = try_accept(&store, 1).unwrap_err();
    let waited = start.elapsed();
    assert_eq!(error, StoreError::Locked { file: place.file() });
    assert_eq!(error.code(), "locked");
    assert!(waited >= Duration::from_secs(5), "{waited:?}");
    writer.execute_batch("ROLLBACK").unwrap();
    assert_eq!(try_accept(&store, 1), Ok(NEW));
}

#[test]
fn a_file_that_another_keeps_for_itself_is_locked() {
    let place = Place::new();
    add(&place.store(), "farm", 1);
    let owner = place.raw();
    owner
        .execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; COMMIT")
        .unwrap();
    let error = place.open().unwrap_err();
    assert_eq!(error, StoreError::Locked { file: place.file() });
    drop(owner);
    assert_eq!(sessions(&place.store(), "farm"), [session(1)]);
}

#[test]
fn threads_on_two_handles_accept_each_frame_once() {
    let place = Place::new();
    let stores = [Arc::new(place.store()), Arc::new(place.store())];
    add(&*stores[0], "farm", 1);
    let accepted = AtomicUsize::new(0);
    thread::scope(|scope| {
        for thread in 0..4_u32 {
            let store = &stores[usize::from(thread % 2 == 1)];
            let accepted = &accepted;
            scope.spawn(move || {
                for mac in 0..200 {
                    // Each begins elsewhere, and all meet.
                    let mac = (mac + thread * 3) % 200;
                    if accept(&**store, Some(1), &thread.to_be_bytes(), mac, 999) == NEW {
                        accepted.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert_eq!(accepted.into_inner(), 200);
    place.assert_sound();
}

#[test]
fn a_session_is_never_overfilled_by_two() {
    let place = Place::new();
    let stores = [place.store(), place.store()];
    add(&stores[0], "farm", 1);
    let lasts = AtomicUsize::new(0);
    let news = AtomicUsize::new(0);
    thread::scope(|scope| {
        for (offset, store) in (0..).zip(&stores) {
            let (lasts, news) = (&lasts, &news);
            scope.spawn(move || {
                for mac in 0..100 {
                    let answer = accept(store, Some(1), b"a", 2 * mac + offset, 64);
                    if let Acceptance::New { last } = answer {
                        news.fetch_add(1, Ordering::Relaxed);
                        lasts.fetch_add(usize::from(last), Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert_eq!((news.into_inner(), lasts.into_inner()), (64, 1));
}

#[test]
fn many_at_once_make_one_store() {
    for _ in 0..10 {
        let place = Place::new();
        let barrier = Barrier::new(4);
        thread::scope(|scope| {
            for time in 0..4 {
                let (place, barrier) = (&place, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    add(&place.store(), "farm", time);
                });
            }
        });
        assert_eq!(sessions(&place.store(), "farm").len(), 4);
        place.assert_sound();
        // Nothing that was made on the way lies about.
        let names: Vec<_> = fs::read_dir(place.file().parent().unwrap())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(names, ["state.sqlite3"]);
    }
}

#[test]
fn what_it_does_to_the_disk_is_as_it_was_told() {
    for (durability, synchronous) in [(Durability::Process, 1), (Durability::Power, 2)] {
        let place = Place::new();
        let store = SqliteStore::open(&place.file(), durability).unwrap();
        let connection = store.connection();
        let number = |name| -> i64 {
            connection
                .pragma_query_value(None, name, |row| row.get(0))
                .unwrap()
        };
        assert_eq!(number("synchronous"), synchronous);
        assert_eq!(number("foreign_keys"), 1);
        assert_eq!(number("application_id"), i64::from(APPLICATION_ID));
        assert_eq!(number("user_version"), i64::try_from(STEPS.len()).unwrap());
        let mode: String = connection
            .pragma_query_value(None, "journal_mode", |row| row.get(0))
            .unwrap();
        assert_eq!(mode, "wal");
    }
    assert_eq!(Durability::default(), Durability::Process);
}

#[test]
fn a_file_keeps_its_pages_and_its_wal_is_as_long_with_any() {
    for page in [PAGE, 4096] {
        let place = Place::new();
        if page != PAGE {
            let mut older = place.raw();
            older.pragma_update(None, "page_size", page).unwrap();
            migrate(&place.file(), &mut older, STEPS).unwrap();
        }
        let store = place.store();
        add(&store, "farm", 1);
        assert_eq!(try_accept(&store, 1), Ok(NEW));
        let connection = store.connection();
        let number = |name| -> i64 {
            connection
                .pragma_query_value(None, name, |row| row.get(0))
                .unwrap()
        };
        assert_eq!(number("page_size"), page);
        assert_eq!(number("wal_autocheckpoint") * page, WAL);
        assert_eq!(number("journal_size_limit"), WAL);
        drop(connection);
        place.assert_sound();
    }
}

/// Whatever becomes of the transaction.
#[test]
fn what_is_durable_waits_for_the_disk_and_nothing_after_it() {
    for (durability, usual) in [(Durability::Process, 1), (Durability::Power, 2)] {
        let place = Place::new();
        let store = SqliteStore::open(&place.file(), durability).unwrap();
        let synchronous = |connection: &Connection| -> i64 {
            connection
                .pragma_query_value(None, "synchronous", |row| row.get(0))
                .unwrap()
        };
        for fails in [false, true] {
            let mut failed = false;
            let answer = store.transact_durably(&mut |_| {
                failed = fails;
                match fails {
                    true => Err(StoreError::Failed("it does".to_owned())),
                    false => Ok(()),
                }
            });
            assert_eq!((answer.is_err(), failed), (fails, fails));
            assert_eq!(synchronous(&store.connection()), usual);
        }
        let connection = store.connection();
        let during = store.durably(&connection, || Ok(synchronous(&connection)));
        assert_eq!(during, Ok(2));
    }
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("not/there/yet/state.sqlite3");
    let store = SqliteStore::open(&file, Durability::Process).unwrap();
    add(&store, "farm", 1);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for suffix in ["", "-wal", "-shm"] {
        let path = PathBuf::from(format!("{}{suffix}", file.display()));
        assert_eq!(mode(&path), 0o600, "{suffix}");
    }
    assert_eq!(mode(file.parent().unwrap()), 0o700);
}

#[test]
fn every_name_is_a_file_name() {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        ":memory:",
        "file:state?mode=memory",
        "with space %41 ?x=1#y",
        "\u{1f33e}",
    ] {
        let file = folder.path().join(name);
        add(
            &SqliteStore::open(&file, Durability::Process).unwrap(),
            "farm",
            1,
        );
        assert!(file.is_file(), "{name}");
        let store = SqliteStore::open(&file, Durability::Process).unwrap();
        assert_eq!(sessions(&store, "farm"), [session(1)], "{name}");
        assert_eq!(store.file(), file);
        let printed = format!("{store:?}");
        assert!(printed.starts_with("SqliteStore"), "{printed}");
    }
    let error = SqliteStore::open(Path::new(""), Durability::Process).unwrap_err();
    assert_eq!(error.code(), "io");
    let error = SqliteStore::open(folder.path(), Durability::Process).unwrap_err();
    assert_eq!(error.code(), "io");
    assert!(error.to_string().contains("is a folder"), "{error}");
    // A folder above it that is a file.
    let below = folder.path().join(":memory:").join("state.sqlite3");
    let error = SqliteStore::open(&below, Durability::Process).unwrap_err();
    assert_eq!(error.code(), "io");
}

#[test]
fn a_file_that_was_moved_away_accepts_nothing() {
    let place = Place::new();
    let store = place.store();
    add(&store, "farm", 1);
    let elsewhere = place.file().with_extension("moved");
    fs::rename(place.file(), &elsewhere).unwrap();
    let error = try_accept(&store, 1).unwrap_err();
    assert_eq!(error, StoreError::Moved { file: place.file() });
    assert_eq!(error.code(), "moved");
    fs::rename(&elsewhere, place.file()).unwrap();
    assert_eq!(try_accept(&store, 1), Ok(NEW));
    fs::remove_file(place.file()).unwrap();
    assert_eq!(try_accept(&store, 2).unwrap_err().code(), "moved");
}

#[test]
fn a_text_file_is_not_a_store() {
    for text in ["xy", "version = 1\n", &"a line of text\n".repeat(2000)] {
        let place = Place::new();
        fs::write(place.file(), text).unwrap();
        let error = place.open().unwrap_err();
        assert_eq!(error.code(), "not_a_store");
        assert!(error.to_string().contains("nothing was changed"), "{error}");
        assert_eq!(place.bytes(), [text.as_bytes()]);
    }
}

#[test]
fn the_file_of_another_program_is_left_alone() {
    for (id, mode) in [
        (0, "DELETE"),
        (0, "WAL"),
        (0x4d50_4258, "WAL"),
        (0x4d50_4258, "DELETE"),
    ] {
        let place = Place::new();
        let owner = Connection::open(place.file()).unwrap();
        owner
            .pragma_update_and_check(None, "journal_mode", mode, |_| Ok(()))
            .unwrap();
        owner.pragma_update(None, "application_id", id).unwrap();
        owner.execute_batch("CREATE TABLE theirs (x)").unwrap();
        let before = place.bytes();
        let error = place.open().unwrap_err();
        assert_eq!(error.code(), "not_a_store");
        assert!(place.bytes() == before, "{id} {mode}");
        drop(owner);
        let before = place.bytes();
        assert_eq!(place.open().unwrap_err().code(), "not_a_store");
        assert!(place.bytes() == before, "{id} {mode}, closed");
    }
}

#[test]
fn a_newer_store_is_left_alone() {
    let place = Place::new();
    add(&place.store(), "farm", 1);
    let newer = i32::try_from(STEPS.len()).unwrap() + 1;
    place
        .raw()
        .pragma_update(None, "user_version", newer)
        .unwrap();
    let before = place.bytes();
    let error = place.open().unwrap_err();
    let expected = StoreError::NewerSchema {
        file: place.file(),
        found: newer,
        known: newer - 1,
    };
    assert_eq!(error, expected);
    assert_eq!(error.code(), "newer_schema");
    assert!(error.to_string().contains("newer espseal"), "{error}");
    assert!(place.bytes() == before);
    place
        .raw()
        .pragma_update(None, "user_version", newer - 1)
        .unwrap();
    assert_eq!(sessions(&place.store(), "farm"), [session(1)]);
}

#[test]
fn an_empty_file_becomes_a_store() {
    let place = Place::new();
    fs::write(place.file(), "").unwrap();
    add(&place.store(), "farm", 1);
    assert_eq!(sessions(&place.store(), "farm"), [session(1)]);
}

#[test]
fn a_damaged_file_is_refused_until_it_is_replaced() {
    let place = Place::new();
    let store = place.store();
    add(&store, "farm", 1);
    store
        .transact(&mut |transaction| {
            for mac in 0..5000_u32 {
                let address = [u8::try_from(mac % 251).unwrap()];
                let frame = frame("farm", Some(1), &address, mac);
                assert_eq!(transaction.accept(&frame.accepting(99_999))?, NEW);
            }
            Ok(())
        })
        .unwrap();
    drop(store);
    let sound = fs::read(place.file()).unwrap();
    let overwrite = |range: core::ops::Range<usize>, byte: u8| {
        let mut bytes = sound.clone();
        bytes[range].fill(byte);
        bytes
    };
    let page = usize::try_from(PAGE).unwrap();
    let middle = sound.len() / page / 2 * page;
    let damaged = [
        overwrite(middle..middle + page, 0xa5),
        overwrite(middle..middle + page, 0),
        overwrite(middle..sound.len(), 0xff),
        overwrite(page..2 * page, 0),
        sound[..middle].to_vec(),
        sound[..sound.len() - page].to_vec(),
        sound[..5000].to_vec(),
        sound[..60].to_vec(),
    ];
    for (case, bytes) in damaged.iter().enumerate() {
        fs::write(place.file(), bytes).unwrap();
        let error = place.open().unwrap_err();
        assert_eq!(error.code(), "corrupt", "{case}: {error}");
        assert!(error.to_string().contains("state.sqlite3"), "{error}");
        assert!(fs::read(place.file()).unwrap() == *bytes, "{case}");
        fs::write(place.file(), &sound).unwrap();
        assert_eq!(try_accept(&place.store(), 17), Ok(Acceptance::Known));
    }
}

#[test]
fn a_page_that_is_damaged_while_it_is_open_accepts_nothing() {
    let place = Place::new();
    let store = place.store();
    add(&store, "farm", 1);
    assert_eq!(try_accept(&store, 1), Ok(NEW));
    place
        .raw()
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    let sound = fs::read(place.file()).unwrap();
    let mut bytes = sound.clone();
    bytes[usize::try_from(PAGE).unwrap()..].fill(0);
    fs::write(place.file(), &bytes).unwrap();
    // A new handle reads the file; what the old one still has in memory is right.
    store.connection().release_memory().unwrap();
    let error = try_accept(&store, 2).unwrap_err();
    assert_eq!(error.code(), "corrupt", "{error}");
    fs::write(place.file(), &sound).unwrap();
    store.connection().release_memory().unwrap();
    assert_eq!(try_accept(&store, 1), Ok(Acceptance::Known));
    assert_eq!(try_accept(&store, 2), Ok(NEW));
}

#[test]
fn an_older_file_is_brought_up_to_date_step_by_step() {
    const FIRST: &str = "CREATE TABLE a (x) STRICT; INSERT INTO a VALUES (1)";
    const FIRST_TRUE: &str = "CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (1)";
    const SECOND: &str = "CREATE TABLE b (x INTEGER) STRICT; INSERT INTO b SELECT x + 1 FROM a";
    const BROKEN: &str = "DROP TABLE a; INSERT INTO nowhere VALUES (1)";
    let place = Place::new();
    let mut connection = Connection::open(place.file()).unwrap();
    let mut steps = |steps: &[&str]| migrate(&place.file(), &mut connection, steps);
    // A step that fails leaves nothing, not even whose file it is.
    assert_eq!(steps(&[FIRST]).unwrap_err().code(), "store_failed");
    assert_eq!(steps(&[FIRST_TRUE]), Ok(()));
    assert_eq!(
        steps(&[FIRST_TRUE, SECOND, BROKEN]).unwrap_err().code(),
        "store_failed"
    );
    // The second step is done, and is not done again.
    assert_eq!(steps(&[FIRST_TRUE]).unwrap_err().code(), "newer_schema");
    assert_eq!(steps(&[FIRST_TRUE, SECOND]), Ok(()));
    let sum: i64 = connection
        .query_row(
            "SELECT (SELECT sum(x) FROM a) + (SELECT sum(x) FROM b)",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(sum, 3);
}

#[test]
fn two_bring_an_older_file_up_to_date_at_once() {
    const STEPS: &[&str] = &[
        "CREATE TABLE a (x INTEGER) STRICT",
        "INSERT INTO a VALUES (1)",
        "INSERT INTO a VALUES (2)",
    ];
    for _ in 0..10 {
        let place = Place::new();
        let barrier = Barrier::new(3);
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let mut connection = place.raw();
                    barrier.wait();
                    migrate(&place.file(), &mut connection, STEPS).unwrap();
                });
            }
        });
        let sum: i64 = place
            .raw()
            .query_row("SELECT sum(x) FROM a", [], |row| row.get(0))
            .unwrap();
        assert_eq!(sum, 3);
    }
}

/// A folder of its own for one store.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("state.sqlite3")
    }

    fn open(&self) -> Result<SqliteStore, StoreError> {
        SqliteStore::open(&self.file(), Durability::Process)
    }

    fn store(&self) -> SqliteStore {
        self.open().unwrap()
    }

    /// Somebody else on the same file.
    fn raw(&self) -> Connection {
        Connection::open(self.file()).unwrap()
    }

    /// What lies in the folder, but for `-shm`, which is memory. In the order of the names.
    fn bytes(&self) -> Vec<Vec<u8>> {
        let mut paths: Vec<_> = fs::read_dir(self.0.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| !path.display().to_string().ends_with("-shm"))
            .collect();
        paths.sort();
        paths.iter().map(|path| fs::read(path).unwrap()).collect()
    }

    /// Lets the file grow by so many pages and no more.
    fn limit_pages(&self, store: &SqliteStore, more: i64) {
        let connection = store.connection();
        let pages: i64 = connection
            .pragma_query_value(None, "page_count", |row| row.get(0))
            .unwrap();
        connection
            .pragma_update(None, "max_page_count", pages + more)
            .unwrap();
    }

    fn assert_sound(&self) {
        let connection = self.raw();
        let answer: String = connection
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .unwrap();
        assert_eq!(answer, "ok");
        let mut orphans = connection.prepare("PRAGMA foreign_key_check").unwrap();
        assert!(!orphans.exists([]).unwrap());
    }
}

fn try_accept(store: &dyn Store, mac: u32) -> Result<Acceptance, StoreError> {
    let frame = frame("farm", Some(1), b"a", mac);
    let mut answer = Acceptance::Full;
    store.transact(&mut |transaction| {
        answer = transaction.accept(&frame.accepting(99_999))?;
        Ok(())
    })?;
    Ok(answer)
}
