//! Where a device keeps its record: a file, replaced in one step, of one process.
//!
//! Beside it lies a `.lock` file. It is locked while a device runs, and not empty once there was
//! a state: so a state file that is gone is told from one that never was.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::record::{NoRecord, Record};
use super::replace::{Old, discard_leftover, replace, with_suffix};
use crate::error::StateError;

/// A state file that this process has locked.
pub(super) struct StateFile {
    path: PathBuf,
    lock: File,
    /// Who locked it.
    process: u32,
    marked: bool,
    /// The sequence number of the record that was read or written last.
    sequence: u64,
    /// A write that failed may have reached the disk all the same.
    unsure: bool,
}

impl StateFile {
    /// Locks the file and reads its record, if there ever was one.
    pub(super) fn open(
        path: &Path,
        allow_wide_permissions: bool,
    ) -> Result<(Self, Option<Record>), StateError> {
        let lock_path = lock_of(path);
        let io = |error| io_error(path, &error);
        let lock = open_lock(&lock_path).map_err(|error| io_error(&lock_path, &error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let file = path.to_owned();
                return Err(StateError::InUse { file });
            }
            Err(TryLockError::Error(error)) => return Err(io_error(&lock_path, &error)),
        }
        discard_leftover(path).map_err(io)?;
        let marked = lock.metadata().map_err(io)?.len() > 0;
        let mut this = Self {
            path: path.to_owned(),
            lock,
            process: std::process::id(),
            marked,
            sequence: 0,
            unsure: false,
        };
        let Some((sequence, record)) = this.read()? else {
            return if marked {
                let (file, lock) = (path.to_owned(), lock_path);
                Err(StateError::Missing { file, lock })
            } else {
                Ok((this, None))
            };
        };
        if !allow_wide_permissions {
            this.refuse_wide_permissions()?;
        }
        this.sequence = sequence;
        this.mark()?;
        Ok((this, Some(record)))
    }

    /// Replaces the record: when this returns, it is on the disk.
    pub(super) fn store(&mut self, record: &Record, old: Old) -> Result<(), StateError> {
        let before = match self.read() {
            Ok(found) => found.map(|(sequence, _)| sequence),
            Err(StateError::Io { file, detail }) => return Err(StateError::Io { file, detail }),
            // It was sound when this device started.
            Err(_) => None,
        };
        let expected = match before {
            None => self.sequence == 0 && !self.path.exists(),
            Some(found) => {
                found == self.sequence || self.unsure && Some(found) == self.sequence.checked_add(1)
            }
        };
        if !expected {
            let file = self.path.clone();
            return Err(StateError::Changed { file });
        }
        // One write in 1024 counters: a u64 never ends.
        let sequence = before.unwrap_or(0).saturating_add(1);
        self.sequence = before.unwrap_or(0);
        self.unsure = true;
        let bytes = record.to_bytes(sequence);
        replace(&self.path, &bytes, old).map_err(|error| io_error(&self.path, &error))?;
        self.sequence = sequence;
        self.unsure = false;
        self.mark()
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn read(&self) -> Result<Option<(u64, Record)>, StateError> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => zeroize::Zeroizing::new(bytes),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io_error(&self.path, &error)),
        };
        let file = self.path.clone();
        Record::parse(&bytes).map(Some).map_err(|problem| {
            let known = Record::VERSION;
            let lock = lock_of(&file);
            match problem {
                NoRecord::Damaged(detail) => StateError::Damaged { file, lock, detail },
                NoRecord::Foreign => StateError::NotAState { file },
                NoRecord::Newer(found) => StateError::NewerVersion { file, found, known },
            }
        })
    }

    /// From now on a state file that is not there is one that is gone.
    fn mark(&mut self) -> Result<(), StateError> {
        if !self.marked {
            let text = b"locked while the device runs; says that there is a state\n";
            self.lock
                .write_all(text)
                .and_then(|()| self.lock.sync_all())
                .map_err(|error| io_error(&lock_of(&self.path), &error))?;
            self.marked = true;
        }
        Ok(())
    }

    #[cfg(unix)]
    fn refuse_wide_permissions(&self) -> Result<(), StateError> {
        use std::os::unix::fs::PermissionsExt;
        let metadata = fs::metadata(&self.path).map_err(|error| io_error(&self.path, &error))?;
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 == 0 {
            return Ok(());
        }
        let file = self.path.clone();
        Err(StateError::WidePermissions { file, mode })
    }

    /// Elsewhere the folder's access list decides.
    #[cfg(not(unix))]
    fn refuse_wide_permissions(&self) -> Result<(), StateError> {
        Ok(())
    }
}

/// Closing would do, were it not for processes that are being started: until they are, they hold
/// the lock, too. A fork that ends must not take it from its parent.
impl Drop for StateFile {
    fn drop(&mut self) {
        if std::process::id() == self.process {
            // It fails only where closing does the same.
            let _ = self.lock.unlock();
        }
    }
}

fn lock_of(path: &Path) -> PathBuf {
    with_suffix(path, ".lock")
}

fn open_lock(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

fn io_error(path: &Path, error: &std::io::Error) -> StateError {
    let file = path.to_owned();
    let detail = match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            format!("cannot be read or written; let this user write it and its folder ({error})")
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            format!("the disk is full, or this user's quota is; free some space ({error})")
        }
        ErrorKind::NotFound => format!("its folder is not there; make it ({error})"),
        _ => error.to_string(),
    };
    StateError::Io { file, detail }
}
