//! The keys that a sealed frame may be sealed under.

use std::sync::Arc;

use crate::key::DeviceKey;
use crate::keyring::Keyring;
use crate::sealed::{Address, Header};
use crate::store::SealedDevice;

/// Whose keys were tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeysOf {
    /// The device's that the keyring lists under this address.
    Device,
    /// The one that this device had of its fleet before it got its own.
    Former,
    /// What a fleet's key gives for this address, which the keyring does not list.
    Unlisted,
    /// The device's whose address is this one, read from its end.
    Reversed,
    /// Those of all other devices.
    Others,
    /// A fleet's key itself, which no device should hold.
    Fleet,
}

impl KeysOf {
    /// Its word, the same in every language.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Former => "former",
            Self::Unlisted => "unlisted",
            Self::Reversed => "reversed",
            Self::Others => "others",
            Self::Fleet => "fleet",
        }
    }
}

/// Keys to try together.
pub(super) struct KeySource {
    pub(super) of: KeysOf,
    /// The fleet, where the keys come out of its key.
    pub(super) fleet: Option<Arc<str>>,
    pub(super) epochs: Vec<u16>,
    pub(super) keys: Vec<EpochKey>,
}

/// A key, whose it is, and of which epoch.
pub(super) struct EpochKey {
    /// Its place in the keyring's devices.
    pub(super) device: Option<usize>,
    pub(super) epoch: u16,
    pub(super) key: DeviceKey,
}

/// How far the keys of devices that the frame does not name are ratcheted: each step costs.
const STEPS_MAX: u16 = 64;

/// What a keyring offers for a header, the likeliest first.
pub(super) fn sources(
    keyring: &Keyring,
    header: &Header,
    state: Option<&SealedDevice>,
) -> Vec<KeySource> {
    let mut sources = Vec::new();
    let listed = keyring.by_address(header.address);
    let sealed = listed
        .and_then(|device| keyring.devices().get(device))
        .and_then(|device| device.sealed.as_ref());
    if let (Some(device), Some(sealed)) = (listed, sealed) {
        let epochs = epochs(header.epoch, sealed.minimum_epoch, state);
        let of_epoch_0 = keyring.device_key(device, 0);
        let fleet = keyring.fleets().get(sealed.fleet);
        let own = sealed.has_own_key();
        let name = fleet.map(|fleet| Arc::clone(&fleet.name));
        sources.extend(of_epoch_0.map(|key| {
            let fleet = name.clone().filter(|_| !own);
            KeySource::one(KeysOf::Device, fleet, Some(device), &key, &epochs)
        }));
        if let (Some(fleet), true) = (fleet, own) {
            let key = DeviceKey::of_fleet(&fleet.key, header.address);
            let former = KeysOf::Former;
            sources.push(KeySource::one(former, name, Some(device), &key, &epochs));
        }
    } else {
        let epochs = epochs(header.epoch, 0, None);
        for fleet in keyring.fleets() {
            let name = Some(Arc::clone(&fleet.name));
            let key = DeviceKey::of_fleet(&fleet.key, header.address);
            sources.push(KeySource::one(KeysOf::Unlisted, name, None, &key, &epochs));
        }
    }
    let reversed = keyring.by_address(reversed(header.address));
    if let Some(device) = reversed.filter(|device| listed != Some(*device)) {
        let epochs = epochs(header.epoch, 0, None);
        let key = keyring.device_key(device, 0);
        sources.extend(
            key.map(|key| KeySource::one(KeysOf::Reversed, None, Some(device), &key, &epochs)),
        );
    }
    for fleet in keyring.fleets() {
        let name = Some(Arc::clone(&fleet.name));
        // Its bytes, taken for those of a device key.
        if let Ok(key) = DeviceKey::new(fleet.key.expose()) {
            sources.push(KeySource::one(KeysOf::Fleet, name, None, &key, &[0]));
        }
    }
    sources
}

/// The keys of all devices but those whose key was tried: made one after the other, since there
/// may be a hundred thousand.
pub(super) fn others(keyring: &Keyring, header: &Header) -> impl Iterator<Item = EpochKey> {
    let tried = [header.address, reversed(header.address)].map(|known| keyring.by_address(known));
    let devices = keyring.devices().iter().enumerate();
    let sealed = devices.filter_map(|(place, device)| Some((place, device.sealed.as_ref()?)));
    let claimed = header.epoch;
    sealed
        .filter(move |(place, _)| !tried.contains(&Some(*place)))
        .flat_map(move |(place, sealed)| {
            let mut epochs = vec![claimed, 0, sealed.minimum_epoch];
            epochs.sort_unstable();
            epochs.dedup();
            epochs.retain(|epoch| *epoch <= STEPS_MAX);
            let key = keyring.device_key(place, 0);
            key.map(|key| ratcheted(Some(place), &key, &epochs))
                .unwrap_or_default()
        })
}

/// An address, its last byte first.
fn reversed(address: Address) -> Address {
    let mut bytes = *address.as_bytes();
    bytes.reverse();
    Address::new(bytes)
}

impl KeySource {
    fn one(
        of: KeysOf,
        fleet: Option<Arc<str>>,
        device: Option<usize>,
        key: &DeviceKey,
        epochs: &[u16],
    ) -> Self {
        let mut keys = ratcheted(device, key, epochs);
        // In the order in which they are likely, not in which they were made.
        keys.sort_by_key(|made| epochs.iter().position(|epoch| *epoch == made.epoch));
        Self {
            of,
            fleet,
            epochs: epochs.to_vec(),
            keys,
        }
    }
}

/// The epochs to try: the one that is claimed, that with its bytes swapped, those where the
/// device was and may be, and their neighbours.
fn epochs(claimed: u16, minimum: u16, state: Option<&SealedDevice>) -> Vec<u16> {
    let mut epochs = vec![claimed, claimed.swap_bytes(), minimum, 0];
    epochs.extend(state.map(|state| state.epoch));
    let known = epochs.clone();
    for step in 1..=3_u16 {
        for epoch in &known {
            epochs.extend(
                [epoch.checked_add(step), epoch.checked_sub(step)]
                    .into_iter()
                    .flatten(),
            );
        }
    }
    let mut once = Vec::new();
    for epoch in epochs {
        if !once.contains(&epoch) {
            once.push(epoch);
        }
    }
    once
}

/// The keys of some epochs, in ascending order: one walk along the chain.
fn ratcheted(device: Option<usize>, of_epoch_0: &DeviceKey, epochs: &[u16]) -> Vec<EpochKey> {
    let mut ascending = epochs.to_vec();
    ascending.sort_unstable();
    let (mut at, mut key) = (0, of_epoch_0.clone());
    let mut keys = Vec::new();
    for epoch in ascending {
        key = key.ratchet_by(epoch - at);
        at = epoch;
        keys.push(EpochKey {
            device,
            epoch,
            key: key.clone(),
        });
    }
    keys
}
