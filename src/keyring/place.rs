//! Where a keyring lies, and who may read it.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::model::Keyring;
use super::parse::read;
use crate::error::{KeyringError, KeyringProblem};
use crate::folders::{user_folder, variable};

impl Keyring {
    /// `$ESPSEAL_KEYRING`, else `espseal/keyring.toml` below `$XDG_CONFIG_HOME` or `~/.config`.
    ///
    /// # Errors
    /// `io` if neither a home nor one of the variables is known.
    pub fn default_path() -> Result<PathBuf, KeyringError> {
        if let Some(path) = variable("ESPSEAL_KEYRING") {
            return Ok(path.into());
        }
        user_folder("XDG_CONFIG_HOME", ".config")
            .map(|config| config.join("espseal").join("keyring.toml"))
            .ok_or_else(|| {
                let text = "there is no home folder; name the keyring in $ESPSEAL_KEYRING";
                KeyringError::new(KeyringProblem::Io(text.to_owned()))
            })
    }

    /// Reads a keyring file. `allow_wide_permissions` takes one that others can read, as the
    /// field of that name does.
    ///
    /// # Errors
    /// [`KeyringError`], with file, line and field.
    pub fn load(path: &Path, allow_wide_permissions: bool) -> Result<Self, KeyringError> {
        let (mut keyring, wide) =
            read_secret_file(path, allow_wide_permissions, read).map_err(|error| {
                match &error.problem {
                    KeyringProblem::NoFile(_) => {
                        let hint = "; `espseal keyring new` makes one";
                        let problem = KeyringProblem::NoFile(hint);
                        KeyringError { problem, ..error }
                    }
                    _ => error,
                }
            })?;
        keyring.path = Some(path.to_owned());
        keyring.wide_permissions = wide;
        Ok(keyring)
    }
}

/// Reads a file that holds keys; `parse` says what is in it and whether it allows that others
/// read it. Answers with that and whether others can.
pub(crate) fn read_secret_file<T>(
    path: &Path,
    allow_wide_permissions: bool,
    parse: impl FnOnce(&str) -> Result<(T, bool), KeyringError>,
) -> Result<(T, bool), KeyringError> {
    let (text, mode) = read_file(path)?;
    let (content, allowed) = parse(&text).map_err(|error| error.in_file(path))?;
    let wide = mode & 0o077 != 0;
    if wide && !allowed && !allow_wide_permissions {
        let problem = KeyringProblem::WidePermissions { mode };
        return Err(KeyringError::new(problem).in_file(path));
    }
    Ok((content, wide))
}

/// The text, and the permission bits of the very file that was read.
pub(super) fn read_file(path: &Path) -> Result<(Zeroizing<String>, u32), KeyringError> {
    let mut file = File::open(path).map_err(|error| io_error(path, &error))?;
    let metadata = file.metadata().map_err(|error| io_error(path, &error))?;
    // Reserved at once: growing would leave copies of the keys behind in freed memory.
    let size = usize::try_from(metadata.len()).unwrap_or(0);
    let mut text = Zeroizing::new(String::with_capacity(size + 1));
    file.read_to_string(&mut text)
        .map_err(|error| io_error(path, &error))?;
    Ok((text, permission_bits(&metadata)))
}

#[cfg(unix)]
fn permission_bits(metadata: &fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o777
}

/// Elsewhere the folder's access list decides, which this bit pattern cannot show.
#[cfg(not(unix))]
fn permission_bits(_: &fs::Metadata) -> u32 {
    0o600
}

fn io_error(path: &Path, error: &std::io::Error) -> KeyringError {
    let problem = match error.kind() {
        std::io::ErrorKind::NotFound => KeyringProblem::NoFile(""),
        std::io::ErrorKind::PermissionDenied => KeyringProblem::Io(format!(
            "permission denied; run as the owner of the file ({error})"
        )),
        std::io::ErrorKind::InvalidData => KeyringProblem::Io("is not UTF-8 text".to_owned()),
        _ => KeyringProblem::Io(error.to_string()),
    };
    KeyringError::new(problem).in_file(path)
}

pub(super) fn write_error(path: &Path, error: &std::io::Error) -> KeyringError {
    let text = format!("cannot be written: {error}");
    KeyringError::new(KeyringProblem::Io(text)).in_file(path)
}
