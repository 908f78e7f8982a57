//! What a sealed device has to be given.

use std::sync::Arc;

use super::model::Keyring;
use crate::error::{KeyringError, KeyringProblem};
use crate::key::DeviceKey;
use crate::sealed::Address;

/// What a device holds: its address, the key of one epoch, its topics. Never the fleet key.
#[derive(Debug)]
pub struct Provision {
    /// What people call the device.
    pub name: Arc<str>,
    /// Its address.
    pub address: Address,
    /// Its key of the epoch.
    pub key: DeviceKey,
    /// The first epoch that is accepted of it.
    pub epoch: u16,
    /// Where it sends.
    pub up_topic: String,
    /// Where it says hello.
    pub hello_topic: String,
    /// Where it hears.
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
        let epoch = sealed.minimum_epoch;
        let (Some(device), Some(fleet), Some(key)) = (
            self.devices().get(index),
            self.fleets().get(sealed.fleet),
            self.device_key(index, epoch),
        ) else {
            unreachable!("sealed() found the device, and its fleet was there when it was read")
        };
        Ok(Provision {
            name: device.name.clone(),
            address: sealed.address,
            key,
            epoch,
            up_topic: sealed.up_topic(fleet),
            hello_topic: sealed.hello_topic(fleet),
            down_topic: sealed.down_topic(fleet),
            beacon_topic: fleet.beacon_topic.clone(),
        })
    }
}
