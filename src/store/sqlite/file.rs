//! Makes the file, opens it and prepares a connection.

use std::fs::DirBuilder;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use tempfile::NamedTempFile;

use super::{Durability, problem, schema};
use crate::error::StoreError;

/// How long another process may hold the write lock. Transactions last microseconds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
const SHORTEST_WAIT: Duration = Duration::from_micros(50);
const LONGEST_WAIT: Duration = Duration::from_millis(5);

/// Of a new file, in bytes. A frame changes a few bytes on each of five pages, and whole pages are
/// written: with pages of 4 KiB one in a transaction costs a fifth more. Large batches would
/// rather have those, by less.
pub(super) const PAGE: i64 = 1024;
/// The `-wal` file is moved into the store when it is so long, in bytes, and it stays so long.
/// Most of its pages are the same few: the longer it waits the less it writes.
pub(super) const WAL: i64 = 16 << 20;
/// MACs are random, and so are the pages that they fall on: with few of them in memory a large
/// batch reads and writes each of them again and again. In KiB; negative as SQLite wants it.
const CACHE: i64 = -(16 << 10);
/// More than the statements that there are.
const CACHED_STATEMENTS: usize = 64;

pub(super) fn open(file: &Path, durability: Durability) -> Result<Connection, StoreError> {
    create(file)?;
    let failed = |error| problem::describe_open(file, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(file, flags).map_err(failed)?;
    // Before the first look into it, which may make a `-wal` that is as read-only as the file,
    // and stays so when the file no longer is.
    if connection.is_readonly("main").map_err(failed)? {
        let file = file.to_owned();
        return Err(StoreError::ReadOnly { file });
    }
    guard(&mut connection).map_err(failed)?;
    schema::check(file, &connection)?;
    examine(file, &connection)?;
    // Of a file that has pages already it changes nothing.
    connection
        .pragma_update(None, "page_size", PAGE)
        .map_err(failed)?;
    schema::migrate(file, &mut connection, schema::STEPS)?;
    // After the first tables, not before: so a file that is not empty always says whose it is.
    enter_wal(file, &connection)?;
    configure(&connection, durability).map_err(failed)?;
    Ok(connection)
}

/// What holds before it is known whose file it is.
fn guard(connection: &mut Connection) -> rusqlite::Result<()> {
    connection.busy_handler(Some(patience()))?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    Ok(())
}

/// A damaged page that nobody reads today could make an old frame new tomorrow, so all are read
/// before anything is accepted. It takes about 4 ms for each MB.
fn examine(file: &Path, connection: &Connection) -> Result<(), StoreError> {
    let found = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0));
    let detail: String = found.map_err(|error| problem::describe(file, &error))?;
    if detail == "ok" {
        return Ok(());
    }
    Err(StoreError::Corrupt {
        file: file.to_owned(),
        detail,
    })
}

fn configure(connection: &Connection, durability: Durability) -> rusqlite::Result<()> {
    // Else a statement is planned anew whenever other values are bound: ten times the work.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "cache_size", CACHE)?;
    let page: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    connection.pragma_update(None, "wal_autocheckpoint", WAL / page)?;
    connection.pragma_update(None, "journal_size_limit", WAL)?;
    wait_for_disk(connection, durability)
}

/// What a commit waits for.
pub(super) fn wait_for_disk(
    connection: &Connection,
    durability: Durability,
) -> rusqlite::Result<()> {
    match durability {
        Durability::Process => connection.pragma_update(None, "synchronous", "NORMAL"),
        Durability::Power => {
            // macOS has its own way to reach the disk; elsewhere this changes nothing.
            connection.pragma_update(None, "fullfsync", true)?;
            connection.pragma_update(None, "checkpoint_fullfsync", true)?;
            connection.pragma_update(None, "synchronous", "FULL")
        }
    }
}

/// SQLite's own handler soon waits 100 ms at a time, which starves one process while another
/// is busy.
fn patience() -> impl FnMut(i32) -> bool + Send + 'static {
    let mut since = Instant::now();
    move |tries| {
        if tries == 0 {
            since = Instant::now();
        }
        wait(since)
    }
}

/// Waits a little, the longer the longer it has been; false if it has been too long.
fn wait(since: Instant) -> bool {
    let waited = since.elapsed();
    if waited < BUSY_TIMEOUT {
        std::thread::sleep((waited / 8).clamp(SHORTEST_WAIT, LONGEST_WAIT));
    }
    waited < BUSY_TIMEOUT
}

fn enter_wal(file: &Path, connection: &Connection) -> Result<(), StoreError> {
    let since = Instant::now();
    loop {
        let mode = connection
            .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0));
        match mode {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(_) => {
                return Err(StoreError::Io {
                    file: file.to_owned(),
                    detail: "the file system cannot share memory (a network drive?); put the store on a local disk".to_owned(),
                });
            }
            // Another process is at it. SQLite does not ask the busy handler here.
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && wait(since) => {}
            Err(error) => return Err(problem::describe_open(file, &error)),
        }
    }
}

/// Makes an empty file of mode 0600 if there is none: SQLite gives `-wal` and `-shm` the same mode.
///
/// It is made under another name, and closed before it gets its own: closing a file frees the
/// locks that SQLite holds on it anywhere in this process.
fn create(file: &Path) -> Result<(), StoreError> {
    if file.symlink_metadata().is_ok() {
        return Ok(());
    }
    let failed = |error: io::Error| problem::describe_io(file, &error);
    let folder = problem::folder(file);
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(failed)?;
    let empty = NamedTempFile::new_in(folder).map_err(failed)?;
    match empty.into_temp_path().persist_noclobber(file) {
        Err(error) if error.error.kind() != io::ErrorKind::AlreadyExists => {
            Err(failed(error.error))
        }
        // Another process was quicker, which is as good.
        Ok(()) | Err(_) => Ok(()),
    }
}
