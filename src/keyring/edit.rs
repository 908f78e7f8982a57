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
            if let Some(session_topic) = group.session_topic {
                table.insert("session_topic", session_topic.into());
            }
            if group.layout != Layout::Hex {
                table.insert("layout", group.layout.code().into());
            }
            if group.data != DataMode::Text {
                table.insert("data", group.data.code().into());
            }
            for (field, allowed) in [
                ("allow_article_keys", group.allow_article_keys),
                ("danger_accept_replays", group.danger_accept_replays),
            ] {
                if allowed {
                    table.insert(field, true.into());
                }
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
    pub fn add_device(
        &self,
        name: &str,
        group: &str,
        address: NewAddress<'_>,
    ) -> Result<(), KeyringError> {
        self.change(|document| {
            let mut classic = InlineTable::new();
            classic.insert("group", group.into());
            match address {
                NewAddress::NodeId(node_id) => classic.insert("node_id", node_id.into()),
                NewAddress::Topic(topic) => classic.insert("topic", topic.into()),
            };
            let mut table = Table::new();
            table.insert("name", name.into());
            table.insert("classic", Item::Value(Value::InlineTable(classic)));
            append(document, "device", table);
        })
    }

    fn change(&self, edit: impl FnOnce(&mut DocumentMut)) -> Result<(), KeyringError> {
        let _lock = self.lock()?;
        let (text, _) = read_file(&self.path)?;
        // Line and field, if it is not valid as it is.
        Keyring::parse(&text).map_err(|error| error.in_file(&self.path))?;
        let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
            let problem = KeyringProblem::Syntax(error.message().to_owned());
            KeyringError::new(problem).in_file(&self.path)
        })?;
        edit(&mut document);
        let changed = Zeroizing::new(document.to_string());
        // The file was valid, so the mistake is in what was to be added: it stands in no line yet.
        Keyring::parse(&changed).map_err(|error| {
            let line = None;
            KeyringError { line, ..error }.in_file(&self.path)
        })?;
        // A link stays a link: the file that it names is replaced.
        let path = fs::canonicalize(&self.path).map_err(|error| write_error(&self.path, &error))?;
        let temporary = write_beside(&path, &changed)?;
        keep_owner_and_mode(&path, temporary.as_file())
            .map_err(|error| write_error(&self.path, &error))?;
        temporary
            .persist(&path)
            .map_err(|error| write_error(&self.path, &error.error))?;
        sync_folder(&path)
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

/// By what a new device is known.
#[derive(Debug, Clone, Copy)]
pub enum NewAddress<'a> {
    /// The node ID that its frames carry.
    NodeId(&'a str),
    /// The topic that names it, in layout `port`.
    Topic(&'a str),
}

/// A classic group to append.
#[derive(Debug, Clone, Copy)]
pub struct NewGroup<'a> {
    /// What people call it.
    pub name: &'a str,
    /// Where the readings come from.
    pub topic: &'a str,
    /// Where session IDs are published, if there are any.
    pub session_topic: Option<&'a str>,
    /// How the frames are written.
    pub layout: Layout,
    /// Whether data may end in NUL bytes.
    pub data: DataMode,
    /// Its keys; None draws new ones.
    pub keys: Option<&'a ClassicKeys>,
    /// Take frames without a session.
    pub danger_accept_replays: bool,
    /// Take the keys that everyone can read in the article.
    pub allow_article_keys: bool,
}

fn append(document: &mut DocumentMut, array: &str, mut table: Table) {
    table.decor_mut().set_prefix("\n");
    let item = document
        .entry(array)
        .or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    // `device = [..]` is the same in other words, but only the long form takes a table.
    if !item.is_array_of_tables() {
        let inline = item.as_array().cloned().unwrap_or_default();
        let tables = inline.iter().filter_map(Value::as_inline_table);
        *item = Item::ArrayOfTables(tables.cloned().map(InlineTable::into_table).collect());
    }
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
