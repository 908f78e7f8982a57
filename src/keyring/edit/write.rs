//! Files that hold keys: written in one step, durable, for their owner alone.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::Path;

use crate::error::{KeyringError, KeyringProblem};
use crate::keyring::place::write_error;

/// Makes a file, mode 0600, and the folders it lies in; one that is there is left as it is.
pub(super) fn new_file(path: &Path, text: &str) -> Result<(), KeyringError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| write_error(folder, &error))?;
    }
    let temporary = write_beside(path, text)?;
    temporary.persist_noclobber(path).map_err(|error| {
        if error.error.kind() == ErrorKind::AlreadyExists {
            KeyringError::new(KeyringProblem::AlreadyExists).in_file(path)
        } else {
            write_error(path, &error.error)
        }
    })?;
    sync_folder(path)
}

/// Replaces a file; owner and mode stay.
pub(super) fn replace_file(path: &Path, text: &str) -> Result<(), KeyringError> {
    let temporary = write_beside(path, text)?;
    keep_owner_and_mode(path, temporary.as_file()).map_err(|error| write_error(path, &error))?;
    temporary
        .persist(path)
        .map_err(|error| write_error(path, &error.error))?;
    sync_folder(path)
}

/// A synced temporary file in the same folder, mode 0600.
fn write_beside(path: &Path, text: &str) -> Result<tempfile::NamedTempFile, KeyringError> {
    let write = || {
        let mut file = tempfile::NamedTempFile::new_in(folder_of(path))?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        Ok(file)
    };
    write().map_err(|error: std::io::Error| write_error(path, &error))
}

/// The rename itself must survive a power cut.
fn sync_folder(path: &Path) -> Result<(), KeyringError> {
    let folder = folder_of(path);
    if cfg!(unix) {
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| write_error(folder, &error))?;
    }
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// The new file belongs to whom the old one did, also when root makes the change.
#[cfg(unix)]
fn keep_owner_and_mode(old: &Path, new: &File) -> std::io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let (from, to) = (fs::metadata(old)?, new.metadata()?);
    if (from.uid(), from.gid()) != (to.uid(), to.gid()) {
        fchown(new, Some(from.uid()), Some(from.gid()))?;
    }
    new.set_permissions(from.permissions())
}

#[cfg(not(unix))]
fn keep_owner_and_mode(_: &Path, _: &File) -> std::io::Result<()> {
    Ok(())
}
