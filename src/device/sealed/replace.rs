//! A file replaced in one step: who reads it sees the old one or the new one, also after a power
//! cut.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Whether the old content is worth overwriting. On flash that levels its wear, and on file
/// systems that copy on write, no program can promise that it is gone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Old {
    Leave,
    Wipe,
}

/// Writes the new content beside the file, syncs it, renames it, and syncs the folder. The
/// caller holds a lock: there is one temporary file, so that a crash leaves no second behind.
pub(super) fn replace(path: &Path, content: &[u8], old: Old) -> io::Result<()> {
    let temporary = temporary(path);
    discard(&temporary)?;
    let mut file = create(&temporary)?;
    let before = match OpenOptions::new().write(true).open(path) {
        Ok(before) => {
            keep_owner(&before, &file)?;
            Some(before)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    sync_folder(path)?;
    if let (Some(before), Old::Wipe) = (before, old) {
        wipe(before)?;
    }
    Ok(())
}

/// Overwrites and removes what a crash left behind.
pub(super) fn discard_leftover(path: &Path) -> io::Result<()> {
    discard(&temporary(path))
}

/// `path` with more letters at its end.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

fn temporary(path: &Path) -> PathBuf {
    with_suffix(path, ".new")
}

fn discard(path: &Path) -> io::Result<()> {
    // Only a file of ours: a link is removed, and what it points to left alone.
    match fs::symlink_metadata(path) {
        Ok(metadata) => {
            if metadata.is_file() {
                wipe(OpenOptions::new().write(true).open(path)?)?;
            }
            fs::remove_file(path)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn wipe(mut file: File) -> io::Result<()> {
    let length = usize::try_from(file.metadata()?.len()).unwrap_or(0);
    file.write_all(&vec![0; length])?;
    file.sync_all()
}

/// A new file, mode 0600.
fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

/// The rename itself must survive a power cut.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// The new file belongs to whom the old one did, also when root runs the device.
#[cfg(unix)]
fn keep_owner(old: &File, new: &File) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let (from, to) = (old.metadata()?, new.metadata()?);
    if (from.uid(), from.gid()) != (to.uid(), to.gid()) {
        fchown(new, Some(from.uid()), Some(from.gid()))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn keep_owner(_: &File, _: &File) -> io::Result<()> {
    Ok(())
}
