//! A device's own file: the classic part of a keyring, for one device.

use std::path::Path;
use std::sync::{Arc, Mutex};

use super::Device;
use crate::clock::SystemRandom;
use crate::error::KeyringError;
use crate::keyring::parse_device;

impl Device {
    /// Reads a device file: TOML, `version = 1`, `name`, and a `[classic]` table with `node_id`,
    /// `topic`, `session_topic`, `layout`, `data`, `mac` and `keys` as in a keyring.
    ///
    /// # Errors
    /// [`KeyringError`], with file, line and field.
    pub fn load(path: &Path) -> Result<Self, KeyringError> {
        let parts = parse_device(path)?;
        Ok(Self {
            name: parts.name,
            node_id: parts.address,
            scheme: parts.scheme,
            keys: (&parts.keys).into(),
            topic: Some(parts.topic),
            session_topic: parts.session_topic,
            random: Arc::new(SystemRandom),
            state: Mutex::default(),
        })
    }
}
