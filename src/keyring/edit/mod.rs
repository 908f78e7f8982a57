//! Changing a keyring file: locked, atomic, its comments kept.

mod classic;
mod device;
mod document;
mod sealed;
mod write;

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};

use toml_edit::DocumentMut;
use zeroize::Zeroizing;

pub use classic::{NewAddress, NewGroup};
pub use device::Part;
pub use sealed::{NewFleet, SealedAddress, SealedTopics};

use super::model::Keyring;
use super::place::{read_file, write_error};
use crate::clock::SystemRandom;
use crate::error::{Error, KeyringError, KeyringProblem};
use crate::key::SessionKey;

/// A keyring file that is changed in place.
///
/// Every change holds a lock, is checked by reading the whole result as a keyring, and
/// replaces the file in one step: a reader sees the old file or the new one.
#[derive(Debug)]
pub struct KeyringFile {
    path: PathBuf,
}

impl KeyringFile {
    /// Writes a new keyring with a new session key, mode 0600, and the folders it lies in.
    ///
    /// # Errors
    /// `already_exists`, `io`, or `random`.
    pub fn create(path: &Path) -> Result<Self, Error> {
        let key = SessionKey::generate(&SystemRandom)?;
        let digits = Zeroizing::new(base16ct::lower::encode_string(key.expose()));
        let text = Zeroizing::new(format!(
            "# The espseal keyring: whom to believe. It holds keys: keep it to yourself (mode 0600).\n\
             version = 1\n\n\
             # Mints the session IDs.\n\
             session_key = \"{}\"\n",
            digits.as_str()
        ));
        write::new_file(path, &text)?;
        Ok(Self {
            path: path.to_owned(),
        })
    }

    /// Opens a keyring that is valid.
    ///
    /// # Errors
    /// As [`Keyring::load`].
    pub fn open(path: &Path) -> Result<Self, KeyringError> {
        Keyring::load(path, false)?;
        Ok(Self {
            path: path.to_owned(),
        })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// One change, of what the file says while the lock is held.
    fn change<T>(
        &self,
        edit: impl FnOnce(&Keyring, &mut DocumentMut) -> Result<T, KeyringError>,
    ) -> Result<T, KeyringError> {
        let _lock = self.lock()?;
        let in_file = |error: KeyringError| error.in_file(&self.path);
        let (text, _) = read_file(&self.path)?;
        // Line and field, if it is not valid as it is.
        let keyring = Keyring::parse(&text).map_err(in_file)?;
        let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
            let problem = KeyringProblem::Syntax(error.message().to_owned());
            KeyringError::new(problem).in_file(&self.path)
        })?;
        let answer = edit(&keyring, &mut document).map_err(in_file)?;
        let changed = Zeroizing::new(document.to_string());
        // The file was valid, so the mistake is in what was to be added: it stands in no line yet.
        Keyring::parse(&changed).map_err(|error| {
            let line = None;
            KeyringError { line, ..error }.in_file(&self.path)
        })?;
        // A link stays a link: the file that it names is replaced.
        let path = fs::canonicalize(&self.path).map_err(|error| write_error(&self.path, &error))?;
        write::replace_file(&path, &changed).map_err(in_file)?;
        Ok(answer)
    }

    /// Held until the file is dropped. A file of its own, since the keyring itself is replaced.
    fn lock(&self) -> Result<File, KeyringError> {
        let mut path = self.path.clone().into_os_string();
        path.push(".lock");
        let path = PathBuf::from(path);
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|error| write_error(&path, &error))?;
        file.lock().map_err(|error| write_error(&path, &error))?;
        Ok(file)
    }
}
