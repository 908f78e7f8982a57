//! Fleets, and the sealed side of devices: adding, revoking, new keys.

use toml_edit::{InlineTable, Item, Table, TableLike, Value};

use super::KeyringFile;
use super::document::{append, device, hex, set, unset};
use crate::clock::{Random, SystemRandom};
use crate::error::{Error, KeyringError, KeyringProblem};
use crate::key::{DeviceKey, FleetKey};
use crate::keyring::fleet::Sealed;
use crate::keyring::model::Keyring;
use crate::sealed::Address;

impl KeyringFile {
    /// Appends a fleet. Without a key a new one is drawn.
    ///
    /// # Errors
    /// [`KeyringError`] if the keyring would no longer be valid; the file is left as it was.
    pub fn add_fleet(&self, fleet: &NewFleet<'_>) -> Result<(), Error> {
        let drawn;
        let key = match fleet.key {
            Some(key) => key,
            None => {
                drawn = FleetKey::generate(&SystemRandom)?;
                &drawn
            }
        };
        Ok(self.change(|_, document| {
            append(document, "fleet", fleet.table(key));
            Ok(())
        })?)
    }

    /// Gives a device a place in a fleet: a new device, or one that sends classic frames so far
    /// and migrates. Answers with its address.
    ///
    /// # Errors
    /// `duplicate_name` if the device has a fleet already; [`KeyringError`] if the keyring would
    /// no longer be valid, the file is then left as it was; `random`.
    pub fn add_sealed(
        &self,
        name: &str,
        fleet: &str,
        address: SealedAddress,
    ) -> Result<Address, Error> {
        self.add_sealed_on(name, fleet, address, &SealedTopics::default())
    }

    /// As [`Self::add_sealed`]; the device has topics of its own.
    ///
    /// # Errors
    /// As [`Self::add_sealed`].
    pub fn add_sealed_on(
        &self,
        name: &str,
        fleet: &str,
        address: SealedAddress,
        topics: &SealedTopics<'_>,
    ) -> Result<Address, Error> {
        let address = address.resolve(&SystemRandom)?;
        self.change(|keyring, document| {
            let mut sealed = InlineTable::new();
            sealed.insert("fleet", fleet.into());
            sealed.insert("address", address.to_string().into());
            for (field, topic) in topics.fields() {
                if let Some(topic) = topic {
                    sealed.insert(field, topic.into());
                }
            }
            let sealed = Value::InlineTable(sealed);
            let migrates = keyring.device_index(name).ok().filter(|&index| {
                let device = keyring.devices().get(index);
                device.is_some_and(|device| device.sealed.is_none())
            });
            match migrates {
                Some(index) => set(device(document, index, name)?, "sealed", sealed),
                None => {
                    let mut table = Table::new();
                    table.insert("name", name.into());
                    table.insert("sealed", Item::Value(sealed));
                    append(document, "device", table);
                }
            }
            Ok(())
        })?;
        Ok(address)
    }

    /// Gives a sealed device another address, and with it, unless its key is its own, another
    /// key. What it sent under the old one is of nobody any more.
    ///
    /// # Errors
    /// `unknown_name`, `not_sealed`, `duplicate_address`, or what [`Self::open`] says; `random`.
    pub fn set_address(&self, name: &str, address: SealedAddress) -> Result<Address, Error> {
        let address = address.resolve(&SystemRandom)?;
        self.change_sealed(name, |_, table| {
            set(table, "address", address.to_string());
            Ok(())
        })?;
        Ok(address)
    }

    /// Gives a sealed device topics of its own; where one is None, that of its fleet.
    ///
    /// # Errors
    /// `unknown_name`, `not_sealed`, `invalid_value`, or what [`Self::open`] says.
    pub fn set_topics(&self, name: &str, topics: &SealedTopics<'_>) -> Result<(), KeyringError> {
        self.change_sealed(name, |_, table| {
            for (field, topic) in topics.fields() {
                match topic {
                    Some(topic) => set(table, field, topic),
                    None => unset(table, field),
                }
            }
            Ok(())
        })
    }

    /// Has all frames of a device's address refused, or no longer.
    ///
    /// # Errors
    /// `unknown_name`, `not_sealed`, or what [`Self::open`] says.
    pub fn revoke(&self, name: &str, revoked: bool) -> Result<(), KeyringError> {
        self.change_sealed(name, |_, table| {
            if revoked {
                set(table, "revoked", true);
            } else {
                unset(table, "revoked");
            }
            Ok(())
        })
    }

    /// Draws a new key for a device alone, from the epoch after `reached` (the highest that the
    /// store has seen) or after its `minimum_epoch`. Nothing of the old key is accepted any more,
    /// so the device has to be provisioned anew. Answers with the new `minimum_epoch`.
    ///
    /// # Errors
    /// `unknown_name`, `not_sealed`, `invalid_value` after the last epoch, or what
    /// [`Self::open`] says; `random`.
    pub fn rekey(&self, name: &str, reached: Option<u16>) -> Result<u16, Error> {
        let key = DeviceKey::generate(&SystemRandom)?;
        Ok(self.change_sealed(name, |sealed, table| {
            let last = sealed.minimum_epoch.max(reached.unwrap_or_default());
            let first = last.checked_add(1).ok_or_else(|| {
                wrong_epoch(
                    "at most 65535, and the device is there: remove it, and add it with a new address",
                )
            })?;
            set(table, "key", hex(key.expose()));
            set(table, "minimum_epoch", i64::from(first));
            Ok(first)
        })?)
    }

    /// Refuses the device's keys of all epochs below this one.
    ///
    /// # Errors
    /// `unknown_name`, `not_sealed`, `invalid_value` if it would be lowered, or what
    /// [`Self::open`] says.
    pub fn set_minimum_epoch(&self, name: &str, epoch: u16) -> Result<(), KeyringError> {
        self.change_sealed(name, |sealed, table| {
            if epoch < sealed.minimum_epoch {
                return Err(wrong_epoch(
                    "no lower than it is: keys that were given up stay so",
                ));
            }
            set(table, "minimum_epoch", i64::from(epoch));
            Ok(())
        })
    }

    fn change_sealed<T>(
        &self,
        name: &str,
        edit: impl FnOnce(&Sealed, &mut dyn TableLike) -> Result<T, KeyringError>,
    ) -> Result<T, KeyringError> {
        self.change(|keyring, document| {
            let (index, sealed) = keyring.sealed(name)?;
            let table = device(document, index, name)?.get_mut("sealed");
            match table.and_then(Item::as_table_like_mut) {
                Some(table) => edit(sealed, table),
                None => Err(not_sealed(name)),
            }
        })
    }
}

impl Keyring {
    /// The place and the sealed side of a device.
    ///
    /// # Errors
    /// `unknown_name`, or `not_sealed`.
    pub(in crate::keyring) fn sealed(&self, name: &str) -> Result<(usize, &Sealed), KeyringError> {
        let index = self.device_index(name)?;
        let device = self.devices().get(index);
        match device.and_then(|device| device.sealed.as_ref()) {
            Some(sealed) => Ok((index, sealed)),
            None => Err(not_sealed(name)),
        }
    }
}

fn not_sealed(name: &str) -> KeyringError {
    let name = name.escape_debug().to_string();
    KeyringError::new(KeyringProblem::NotSealed { name })
}

fn wrong_epoch(expected: &'static str) -> KeyringError {
    KeyringError::new(KeyringProblem::InvalidValue { expected })
        .field("device.sealed.minimum_epoch")
}

/// The address of a device to add.
#[derive(Debug, Clone, Copy)]
pub enum SealedAddress {
    /// 8 random bytes.
    Drawn,
    /// Random bytes, and between them those of the chip's ID: whoever has the chip in the hand
    /// finds its address, and whoever only hears the address learns nothing else from it.
    OfChip(u32),
    /// This one.
    Given(Address),
}

impl SealedAddress {
    fn resolve(self, random: &dyn Random) -> Result<Address, Error> {
        match self {
            Self::Drawn => Ok(Address::generate(random)?),
            Self::Given(address) => Ok(address),
            Self::OfChip(chip) => {
                let mut drawn = [0; 4];
                random.fill(&mut drawn)?;
                let [a, b, c, d] = drawn;
                let [e, f, g, h] = chip.to_be_bytes();
                Ok(Address::new([a, e, b, f, c, g, d, h]))
            }
        }
    }
}

/// Topics of a device's own. What is None is as the fleet has it.
#[derive(Debug, Clone, Copy, Default)]
pub struct SealedTopics<'a> {
    /// Where it sends.
    pub up: Option<&'a str>,
    /// Where it says hello.
    pub hello: Option<&'a str>,
    /// Where it hears.
    pub down: Option<&'a str>,
}

impl<'a> SealedTopics<'a> {
    const fn fields(&self) -> [(&'static str, Option<&'a str>); 3] {
        [
            ("up_topic", self.up),
            ("hello_topic", self.hello),
            ("down_topic", self.down),
        ]
    }
}

/// A fleet to append. What is None is left to the keyring's default.
#[derive(Debug, Clone, Copy, Default)]
pub struct NewFleet<'a> {
    /// What people call it.
    pub name: &'a str,
    /// Its key; None draws a new one.
    pub key: Option<&'a FleetKey>,
    /// Where the beacon's sessions are published.
    pub beacon_topic: Option<&'a str>,
    /// Where a device sends, with `{address}` in it.
    pub up_topic: Option<&'a str>,
    /// Where a device says hello, with `{address}` in it.
    pub hello_topic: Option<&'a str>,
    /// Where a device hears, with `{address}` in it.
    pub down_topic: Option<&'a str>,
    /// How often there is a new beacon session, in seconds.
    pub beacon_interval: Option<u32>,
    /// How long each is good, in seconds.
    pub beacon_life: Option<u32>,
    /// Believe a device's first frame without a beacon.
    pub danger_first_contact: bool,
}

impl NewFleet<'_> {
    fn table(&self, key: &FleetKey) -> Table {
        let mut table = Table::new();
        table.insert("name", self.name.into());
        table.insert("key", Item::Value(hex(key.expose())));
        for (field, topic) in [
            ("beacon_topic", self.beacon_topic),
            ("up_topic", self.up_topic),
            ("hello_topic", self.hello_topic),
            ("down_topic", self.down_topic),
        ] {
            if let Some(topic) = topic {
                table.insert(field, topic.into());
            }
        }
        for (field, seconds) in [
            ("beacon_interval", self.beacon_interval),
            ("beacon_life", self.beacon_life),
        ] {
            if let Some(seconds) = seconds {
                table.insert(field, i64::from(seconds).into());
            }
        }
        if self.danger_first_contact {
            table.insert("danger_first_contact", true.into());
        }
        table
    }
}
