//! What SQLite and the operating system say, as one clear error.

use std::io::{self, ErrorKind, Write};
use std::path::Path;

use rusqlite::{Error, ErrorCode};

use crate::error::StoreError;

/// More than what a disk may still take when SQLite says that it is full.
const PROBE: [u8; 16 << 10] = [0; 16 << 10];

/// An error of a store that was open.
pub(super) fn describe(file: &Path, error: &Error) -> StoreError {
    let detail = error.to_string();
    let file = file.to_owned();
    match error {
        Error::SqliteFailure(failure, _) => match failure.code {
            ErrorCode::ReadOnly => StoreError::ReadOnly { file },
            ErrorCode::DiskFull => StoreError::Full { file },
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::FileLockingProtocolFailed => StoreError::Locked { file },
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
                StoreError::Corrupt { file, detail }
            }
            ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::PermissionDenied => {
                match inspect(&file) {
                    Some(problem) => problem,
                    // Its folder is in order, so the file itself is not.
                    None if failure.code == ErrorCode::CannotOpen && file.is_file() => {
                        StoreError::ReadOnly { file }
                    }
                    None => StoreError::Io { file, detail },
                }
            }
            _ => StoreError::Failed(format!("{}: {detail}", file.display())),
        },
        // A row that no espseal wrote.
        Error::FromSqlConversionFailure(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::Utf8Error(..)
        | Error::InvalidColumnType(..) => StoreError::Corrupt { file, detail },
        _ => StoreError::Failed(format!("{}: {detail}", file.display())),
    }
}

/// An error of a file that is just being opened.
pub(super) fn describe_open(file: &Path, error: &Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => StoreError::NotAStore {
            file: file.to_owned(),
            detail: "not an SQLite file".to_owned(),
        },
        _ => describe(file, error),
    }
}

/// An error of the operating system.
pub(super) fn describe_io(file: &Path, error: &io::Error) -> StoreError {
    let file = file.to_owned();
    match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            StoreError::ReadOnly { file }
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::Full { file },
        _ => StoreError::Io {
            file,
            detail: error.to_string(),
        },
    }
}

/// The folder that a store lies in.
pub(super) fn folder(file: &Path) -> &Path {
    file.parent().unwrap_or(file)
}

/// SQLite does not say why the system refused. What becomes of another file in the same folder
/// does: a disk that went read-only, or a quota. None if that one can be written.
fn inspect(file: &Path) -> Option<StoreError> {
    if file.is_dir() {
        return Some(StoreError::Io {
            file: file.to_owned(),
            detail: "is a folder; name a file in it".to_owned(),
        });
    }
    tempfile::tempfile_in(folder(file))
        .and_then(|mut probe| probe.write_all(&PROBE))
        .err()
        .map(|error| describe_io(file, &error))
}
