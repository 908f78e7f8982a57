//! A store in an SQLite file, which outlives the process and serves several at once.
//!
//! The file is in WAL mode: beside it lie `-wal` and `-shm` while it is open. It belongs on a
//! local disk, since the processes that share it share memory.

mod chunks;
mod file;
mod operations;
mod problem;
mod schema;
mod sealed;
#[cfg(test)]
mod tests;

use core::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

#[cfg(unix)]
use rusqlite::FileControl;
use rusqlite::{Connection, TransactionState};

use self::chunks::Chunks;
use self::operations::Operations;
use super::{Store, Transaction};
use crate::error::StoreError;
use crate::folders::user_folder;

/// What a transaction that was answered with success survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// The end of the process at any instant, `kill -9` too. A power cut may undo the last
    /// transactions; it never damages the file.
    #[default]
    Process,
    /// A power cut. Every transaction waits for the disk.
    Power,
}

/// Keeps everything in one SQLite file. Any number of processes may open the same file.
pub struct SqliteStore {
    file: PathBuf,
    durability: Durability,
    connection: Mutex<Connection>,
    chunks: Chunks,
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore")
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// Opens the store in the file `path`. A file that is missing is made, readable by its owner
    /// alone, with the folders above it; one of an older version is brought up to date.
    ///
    /// # Errors
    /// [`StoreError`], with the file's name: `read_only`, `disk_full`, `locked`, `corrupt`,
    /// `newer_schema`, `not_a_store` or `io`. A file that is refused is left as it was.
    pub fn open(path: &Path, durability: Durability) -> Result<Self, StoreError> {
        // Absolute, so that the process may change its folder, and so that SQLite sees no URI
        // and no `:memory:` in it.
        let file = std::path::absolute(path).map_err(|error| StoreError::Io {
            file: path.to_owned(),
            detail: error.to_string(),
        })?;
        let connection = file::open(&file, durability)?;
        Ok(Self {
            file,
            durability,
            connection: Mutex::new(connection),
            chunks: Chunks::default(),
        })
    }

    /// `espseal/state.sqlite3` below `$XDG_STATE_HOME` or `~/.local/state`.
    ///
    /// # Errors
    /// `store_failed` if there is no home.
    pub fn default_path() -> Result<PathBuf, StoreError> {
        user_folder("XDG_STATE_HOME", ".local/state")
            .map(|state| state.join("espseal").join("state.sqlite3"))
            .ok_or_else(|| {
                StoreError::Failed("there is no home folder; name the file of the store".to_owned())
            })
    }

    /// Where it lies.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// A panic of a caller's `work` poisons the lock; its transaction was rolled back all the same.
    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing begins while a rollback that failed before does not succeed.
    fn settled(&self) -> Result<MutexGuard<'_, Connection>, StoreError> {
        let connection = self.connection();
        if !connection.is_autocommit() {
            execute(&connection, "ROLLBACK")
                .map_err(|error| problem::describe(&self.file, &error))?;
        }
        Ok(connection)
    }

    fn attempt(
        &self,
        connection: &Connection,
        begin: &str,
        work: &mut dyn FnMut(&mut dyn Transaction) -> Result<(), StoreError>,
    ) -> Attempt {
        if let Err(error) = execute(connection, begin) {
            return Attempt::Done(Err(problem::describe(&self.file, &error)));
        }
        let _rollback = Rollback(connection);
        let mut operations = Operations::new(&self.file, connection, &self.chunks);
        let answer = work(&mut operations);
        Attempt::Done(match operations.into_failure() {
            Some(failure) if failure.outrun => return Attempt::Outrun,
            // Whatever `work` made of it: what is half done does not become durable.
            Some(failure) => Err(failure.problem),
            None => answer.and_then(|()| self.commit(connection)),
        })
    }

    fn commit(&self, connection: &Connection) -> Result<(), StoreError> {
        let failed = |error| problem::describe(&self.file, &error);
        if wrote(connection).map_err(failed)? && has_moved(connection).map_err(failed)? {
            let file = self.file.clone();
            return Err(StoreError::Moved { file });
        }
        execute(connection, "COMMIT").map_err(failed)
    }
}

impl SqliteStore {
    /// A commit in `work` waits for the disk.
    fn durably<T>(
        &self,
        connection: &Connection,
        work: impl FnOnce() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let wait = |durability| {
            file::wait_for_disk(connection, durability)
                .map_err(|error| problem::describe(&self.file, &error))
        };
        wait(Durability::Power)?;
        let answer = work();
        // If it fails the store is only slower than it has to be.
        wait(self.durability).and(answer)
    }

    fn transact_on(
        &self,
        connection: &Connection,
        work: &mut dyn FnMut(&mut dyn Transaction) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        // Most of what arrives is only looked up, and garbage must not hold up those who write:
        // the write lock is taken by the first operation that needs it.
        match self.attempt(connection, "BEGIN DEFERRED", work) {
            Attempt::Done(answer) => answer,
            // What it read is out of date. Under the lock from the start that cannot happen.
            Attempt::Outrun => match self.attempt(connection, "BEGIN IMMEDIATE", work) {
                Attempt::Done(answer) => answer,
                Attempt::Outrun => Err(StoreError::Locked {
                    file: self.file.clone(),
                }),
            },
        }
    }
}

impl Store for SqliteStore {
    fn transact(
        &self,
        work: &mut dyn FnMut(&mut dyn Transaction) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let connection = self.settled()?;
        self.transact_on(&connection, work)
    }

    fn transact_durably(
        &self,
        work: &mut dyn FnMut(&mut dyn Transaction) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let connection = self.settled()?;
        self.durably(&connection, || self.transact_on(&connection, work))
    }
}

enum Attempt {
    Done(Result<(), StoreError>),
    /// Another connection wrote between what `work` read and what it wanted to write.
    Outrun,
}

/// Rolls back when it is dropped, so that a panic of `work` does not keep the locks.
struct Rollback<'a>(&'a Connection);

impl Drop for Rollback<'_> {
    fn drop(&mut self) {
        // After a commit, and some errors, there is nothing left to roll back.
        if !self.0.is_autocommit() {
            // If it fails the transaction stays open: the next one sees that, and reports it.
            let _ = execute(self.0, "ROLLBACK");
        }
    }
}

fn wrote(connection: &Connection) -> rusqlite::Result<bool> {
    Ok(connection.transaction_state(Some("main"))? == TransactionState::Write)
}

/// Whether the file's name now leads elsewhere: what is written is lost when the process ends.
#[cfg(unix)]
fn has_moved(connection: &Connection) -> rusqlite::Result<bool> {
    let mut moved = 0;
    connection.file_control(Some("main"), FileControl::HasMoved(&mut moved))?;
    Ok(moved != 0)
}

/// Elsewhere an open file cannot be moved.
#[cfg(not(unix))]
const fn has_moved(_: &Connection) -> rusqlite::Result<bool> {
    Ok(false)
}

fn execute(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}
