//! Renaming and removing devices, whatever they send.

use super::KeyringFile;
use super::document::{device, remove_device, set, unset};
use crate::error::{KeyringError, KeyringProblem};

/// What of a device is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Whole,
    /// Its place in a classic group: it has migrated.
    Classic,
    /// Its place in a fleet.
    Sealed,
}

impl KeyringFile {
    /// Gives a device another name. Its address, keys and state stay.
    ///
    /// # Errors
    /// `unknown_name`, `duplicate_name`, `invalid_value`, or what [`Self::open`] says.
    pub fn rename(&self, name: &str, new: &str) -> Result<(), KeyringError> {
        self.change(|keyring, document| {
            let index = keyring.device_index(name)?;
            set(device(document, index, name)?, "name", new);
            Ok(())
        })
    }

    /// Takes a device, or one of its two sides, out of the keyring.
    ///
    /// # Errors
    /// `unknown_name`; `not_classic` or `not_sealed` if it has no such side, `no_format` if it
    /// has no other; or what [`Self::open`] says.
    pub fn remove(&self, name: &str, part: Part) -> Result<(), KeyringError> {
        self.change(|keyring, document| {
            let index = keyring.device_index(name)?;
            let missing = || {
                let name = name.escape_debug().to_string();
                match part {
                    Part::Classic => KeyringProblem::NotClassic { name },
                    Part::Whole | Part::Sealed => KeyringProblem::NotSealed { name },
                }
            };
            let field = match part {
                Part::Whole => {
                    remove_device(document, index);
                    return Ok(());
                }
                Part::Classic => "classic",
                Part::Sealed => "sealed",
            };
            let table = device(document, index, name)?;
            if !table.contains_key(field) {
                return Err(KeyringError::new(missing()));
            }
            unset(table, field);
            Ok(())
        })
    }
}
