//! Changing a keyring file: locked, atomic, its comments kept.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use toml_edit::{ArrayOfTables, DocumentMut, InlineTable, Item, Table, Value};
use zeroize::Zeroizing;

use super::model::Keyring;
use super::place::{read_file, write_error};
use crate::classic::{DataMode, Layout};
use crate::clock::SystemRandom;
use crate::error::{Error, KeyringError, KeyringProblem};
use crate::key::{ClassicKeys, SessionKey};

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
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|error| write_error(folder, &error))?;
        }
        let temporary = write_beside(path, &text)?;
        temporary.persist_noclobber(path).map_err(|error| {
            if error.error.kind() == ErrorKind::AlreadyExists {
                KeyringError::new(KeyringProblem::AlreadyExists).in_file(path)
            } else {
                write_error(path, &error.error)
            }
        })?;
        sync_folder(path)?;
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

    /// Appends a classic group. Without `keys` new ones are drawn.
    ///
    /// # Errors
    /// [`KeyringError`] if the keyring would no longer be valid; the file is left as it was.
    pub fn add_group(&self, group: &NewGroup<'_>) -> Result<(), Error> {
        let drawn;
        let keys = match group.keys {
            Some(keys) => keys,
            None => {
                drawn = ClassicKeys::generate(&SystemRandom)?;
                &drawn
            }
        };
        Ok(self.change(|document| {
            let mut table = Table::new();
            table.insert("name", group.name.into());
            table.insert("topic", group.topic.into());
            table.insert("session_topic", group.session_topic.into());
            if group.layout != Layout::Hex {
                table.insert("layout", group.layout.code().into());
            }
            if group.data != DataMode::Text {
                table.insert("data", group.data.code().into());
            }
            let mut key_table = Table::new();
            for (field, key) in [
                ("iv_key", keys.iv_key.expose()),
                ("data_key", keys.data_key.expose()),
                ("static_iv", keys.static_iv.expose().as_slice()),
                ("passphrase", keys.passphrase.expose()),
            ] {
                let mut form = InlineTable::new();
                form.insert("hex", base16ct::lower::encode_string(key).into());
                key_table.insert(field, Item::Value(Value::InlineTable(form)));
            }
            table.insert("keys", Item::Table(key_table));
            append(document, "classic_group", table);
        })?)
    }

    /// Appends a classic device.
    ///
    /// # Errors
    /// [`KeyringError`] if the keyring would no longer be valid; the file is left as it was.
    pub fn add_device(&self, name: &str, group: &str, node_id: &str) -> Result<(), Error> {
        Ok(self.change(|document| {
            let mut classic = InlineTable::new();
            classic.insert("group", group.into());
            classic.insert("node_id", node_id.into());
            let mut table = Table::new();
            table.insert("name", name.into());
            table.insert("classic", Item::Value(Value::InlineTable(classic)));
            append(document, "device", table);
        })?)
    }

    fn change(&self, edit: impl FnOnce(&mut DocumentMut)) -> Result<(), KeyringError> {
        let _lock = self.lock()?;
        let (text, mode) = read_file(&self.path)?;
        let mut document: DocumentMut = match text.parse() {
            Ok(document) => document,
            // `parse` says it better, with line and field.
            Err(_) => return Keyring::load(&self.path, true).map(drop),
        };
        edit(&mut document);
        let changed = Zeroizing::new(document.to_string());
        // The file was valid, so the mistake is in what was to be added: it stands in no line yet.
        Keyring::parse(&changed).map_err(|error| {
            let line = None;
            KeyringError { line, ..error }.in_file(&self.path)
        })?;
        let temporary = write_beside(&self.path, &changed)?;
        keep_mode(temporary.as_file(), mode).map_err(|error| write_error(&self.path, &error))?;
        temporary
            .persist(&self.path)
            .map_err(|error| write_error(&self.path, &error.error))?;
        sync_folder(&self.path)
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

/// A classic group to append.
#[derive(Debug, Clone, Copy)]
pub struct NewGroup<'a> {
    /// What people call it.
    pub name: &'a str,
    /// Where the readings come from.
    pub topic: &'a str,
    /// Where session IDs are published.
    pub session_topic: &'a str,
    /// How the frames are written.
    pub layout: Layout,
    /// Whether data may end in NUL bytes.
    pub data: DataMode,
    /// Its keys; None draws new ones.
    pub keys: Option<&'a ClassicKeys>,
}

fn append(document: &mut DocumentMut, array: &str, mut table: Table) {
    table.decor_mut().set_prefix("\n");
    let item = document
        .entry(array)
        .or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    if let Some(tables) = item.as_array_of_tables_mut() {
        tables.push(table);
    }
}

/// A synced temporary file in the same folder, mode 0600.
fn write_beside(path: &Path, text: &str) -> Result<tempfile::NamedTempFile, KeyringError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let write = || {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        Ok(file)
    };
    write().map_err(|error: std::io::Error| write_error(path, &error))
}

/// The rename itself must survive a power cut.
fn sync_folder(path: &Path) -> Result<(), KeyringError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if cfg!(unix) {
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| write_error(folder, &error))?;
    }
    Ok(())
}

#[cfg(unix)]
fn keep_mode(file: &File, mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn keep_mode(_: &File, _: u32) -> std::io::Result<()> {
    Ok(())
}
