//! What a sealed device has to be given.

use std::sync::Arc;

use super::model::Keyring;
use crate::error::{KeyringError, KeyringProblem};
use crate::key::DeviceKey;
use crate::sealed::Address;

/// What a device holds: its address, the key of one epoch, its topics. Never the fleet key.
///
/// The key is a type of its own because a device that has ratcheted forgets it
/// (`Option<DeviceKey>`), and everyone else has it.
#[derive(Clone, Debug)]
pub struct Provision<Key = DeviceKey> {
    /// What people call the device.
    pub name: Arc<str>,
    /// Its address.
    pub address: Address,
    /// Its key of the epoch.
    pub key: Key,
    /// How many ratchet steps the key has made: the first epoch that is accepted of the device.
    pub epoch: u16,
    /// Where its readings, acknowledgements and mode go.
    pub up_topic: String,
    /// Where its hellos go.
    pub hello_topic: String,
    /// Where welcomes and commands come from.
    pub down_topic: String,
    /// Where it hears the beacon.
    pub beacon_topic: Arc<str>,
}

impl Keyring {
    /// What a device has to be given.
    ///
    /// # Errors
    /// `unknown_name`, `not_sealed`, or `revoked`.
    pub fn provision(&self, name: &str) -> Result<Provision, KeyringError> {
        self.provision_of(name).map_err(|error| match self.path() {
            Some(path) => error.in_file(path),
            None => error,
        })
    }

    fn provision_of(&self, name: &str) -> Result<Provision, KeyringError> {
        let (index, sealed) = self.sealed(name)?;
        if sealed.revoked {
            let name = name.escape_debug().to_string();
            return Err(KeyringError::new(KeyringProblem::Revoked { name }));
        }
        let Some(provision) = self.provision_at(index) else {
            unreachable!("sealed() found the device, and its fleet was there when it was read")
        };
        Ok(provision)
    }

    /// What one of [`Self::devices`] holds, revoked or not: None unless it is sealed.
    pub(crate) fn provision_at(&self, index: usize) -> Option<Provision> {
        let device = self.devices().get(index)?;
        let sealed = device.sealed.as_ref()?;
        let fleet = self.fleets().get(sealed.fleet)?;
        Some(Provision {
            name: Arc::clone(&device.name),
            address: sealed.address,
            key: self.device_key(index, sealed.minimum_epoch)?,
            epoch: sealed.minimum_epoch,
            up_topic: sealed.up_topic(fleet),
            hello_topic: sealed.hello_topic(fleet),
            down_topic: sealed.down_topic(fleet),
            beacon_topic: Arc::clone(&fleet.beacon_topic),
        })
    }
}

impl<Key> Provision<Key> {
    /// The same with another key, or what stands for it.
    pub(crate) fn map_key<Other>(self, change: impl FnOnce(Key) -> Other) -> Provision<Other> {
        Provision {
            name: self.name,
            address: self.address,
            key: change(self.key),
            epoch: self.epoch,
            up_topic: self.up_topic,
            hello_topic: self.hello_topic,
            down_topic: self.down_topic,
            beacon_topic: self.beacon_topic,
        }
    }
}
