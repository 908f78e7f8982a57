//! Sealed devices: the fleets that they belong to, and their keys.

use std::sync::Arc;

use super::model::{Keyring, SessionTimes};
use super::own_topics::OwnTopics;
use crate::key::{DeviceKey, FleetKey};
use crate::sealed::Address;
use crate::topic::TopicFilter;

/// Sealed devices whose keys come out of one, and that share a beacon.
#[derive(Debug)]
pub struct Fleet {
    /// What people call it.
    pub name: Arc<str>,
    /// The key that the devices' keys are derived from. No device holds it.
    pub key: FleetKey,
    /// Where the beacon's sessions are published.
    pub beacon_topic: Arc<str>,
    /// When beacon sessions come and go (`SEALED.md`, B1).
    pub times: SessionTimes,
    /// Whether a device's first frame is believed without a beacon (`SEALED.md`, W2).
    pub danger_first_contact: bool,
    pub(super) up: AddressTopic,
    pub(super) hello: AddressTopic,
    pub(super) down: AddressTopic,
    pub(super) device_count: usize,
}

impl Fleet {
    /// Where a device of this address sends its readings, acknowledgements and its mode, unless
    /// it has topics of its own: [`Sealed::up_topic`] knows.
    #[must_use]
    pub fn up_topic(&self, address: Address) -> String {
        self.up.of(address)
    }

    /// Where it says hello, alike.
    #[must_use]
    pub fn hello_topic(&self, address: Address) -> String {
        self.hello.of(address)
    }

    /// Where it hears welcomes, commands and control frames, alike.
    #[must_use]
    pub fn down_topic(&self, address: Address) -> String {
        self.down.of(address)
    }

    /// What the fleet's readings arrive on, but those of devices with topics of their own.
    #[must_use]
    pub const fn up_filter(&self) -> &TopicFilter {
        &self.up.filter
    }

    /// What the fleet's hellos arrive on, alike.
    #[must_use]
    pub const fn hello_filter(&self) -> &TopicFilter {
        &self.hello.filter
    }

    /// What the fleet's devices hear, alike.
    #[must_use]
    pub const fn down_filter(&self) -> &TopicFilter {
        &self.down.filter
    }

    /// How many devices it has.
    #[must_use]
    pub const fn device_count(&self) -> usize {
        self.device_count
    }
}

/// A topic that differs for each device.
#[derive(Debug)]
pub(super) struct AddressTopic {
    pattern: Box<str>,
    pub(super) filter: TopicFilter,
}

impl AddressTopic {
    /// Stands for the address, as a level of its own.
    pub(super) const ADDRESS: &str = "{address}";

    /// None unless exactly one level is the address, and none a wildcard.
    pub(super) fn parse(pattern: &str) -> Option<Self> {
        let addresses = pattern.split('/').filter(|level| *level == Self::ADDRESS);
        let one = addresses.count() == 1 && pattern.matches(Self::ADDRESS).count() == 1;
        let filter = TopicFilter::parse(&pattern.replace(Self::ADDRESS, "+"))?;
        (one && !pattern.contains(['+', '#'])).then(|| Self {
            pattern: pattern.into(),
            filter,
        })
    }

    fn of(&self, address: Address) -> String {
        self.pattern.replace(Self::ADDRESS, &address.to_string())
    }
}

/// A device's place among the sealed senders.
#[derive(Debug)]
pub struct Sealed {
    /// Which of [`Keyring::fleets`] it is in.
    pub fleet: usize,
    /// What its frames carry, and the last word on who it is.
    pub address: Address,
    /// Nothing below this epoch is accepted; provisioning starts here.
    pub minimum_epoch: u16,
    /// Whether all its frames are refused.
    pub revoked: bool,
    pub(super) own_key: Option<DeviceKey>,
    pub(super) topics: Option<Box<OwnTopics>>,
}

impl Sealed {
    /// Whether its key is its own, not derived from the fleet's.
    #[must_use]
    pub const fn has_own_key(&self) -> bool {
        self.own_key.is_some()
    }
}

impl Keyring {
    /// The fleets, in the order of the file.
    #[must_use]
    pub fn fleets(&self) -> &[Fleet] {
        &self.fleets
    }

    /// Which of [`Self::devices`] has this address.
    #[must_use]
    pub fn by_address(&self, address: Address) -> Option<usize> {
        self.addresses.get(&address).copied()
    }

    /// The key of one of [`Self::devices`] in an epoch (`SEALED.md`, *Keys*); None unless the
    /// device is sealed. Each step of the ratchet costs two hashes, so callers keep the result.
    #[must_use]
    pub fn device_key(&self, device: usize, epoch: u16) -> Option<DeviceKey> {
        let sealed = self.devices.get(device)?.sealed.as_ref()?;
        let of_epoch_0 = match &sealed.own_key {
            Some(own) => own.clone(),
            None => DeviceKey::of_fleet(&self.fleets.get(sealed.fleet)?.key, sealed.address),
        };
        Some(of_epoch_0.ratchet_by(epoch))
    }
}
