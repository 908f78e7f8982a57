//! The frame keys in use: each is derived once (`SEALED.md`, *Keys*).

use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;

use crate::key::DeviceKey;
use crate::keyring::Keyring;
use crate::plaintext::Bytes;
use crate::primitives::siv::Prefix;
use crate::sealed::{Direction, Frame, FrameKeys, Session, open_into};

/// Keys of frames that verified: about one for each device that sends, up to these bounds.
const VERIFIED_MIN: usize = 256;
const VERIFIED_MAX: usize = 1 << 17;
/// Keys that frames only claimed: anyone can claim, and must not push out those in use.
const CLAIMED_MAX: usize = 1024;
/// Devices whose ratchet steps are kept.
const CHAINS_MAX: usize = 4096;
/// Of so many steps of a ratchet one key is kept.
const STRIDE: u16 = 32;

/// A device and an epoch, as one number, which costs less to look up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Place(u64);

impl Place {
    const fn new(device: usize, epoch: u16) -> Self {
        // No keyring has 2^48 devices.
        Self((device as u64) << 16 | epoch as u64)
    }
}

type Keys<K, V> = LruCache<K, V, foldhash::fast::RandomState>;

#[derive(Debug)]
pub(crate) struct KeyCache {
    keyring: Arc<Keyring>,
    verified_max: usize,
    caches: Mutex<Caches>,
}

#[derive(Debug)]
struct Caches {
    verified: Keys<Place, Uplink>,
    claimed: Keys<Place, Uplink>,
    chains: Keys<usize, Chain>,
}

/// The uplink key of a device in an epoch.
struct Uplink {
    keys: FrameKeys,
    prefix: Prefix,
}

impl core::fmt::Debug for Uplink {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Uplink { .. }")
    }
}

impl KeyCache {
    pub(crate) fn new(keyring: &Arc<Keyring>) -> Self {
        let devices = keyring.devices().len();
        Self {
            keyring: Arc::clone(keyring),
            verified_max: (2 * devices).clamp(VERIFIED_MIN, VERIFIED_MAX),
            caches: Mutex::new(Caches {
                verified: Keys::unbounded_with_hasher(foldhash::fast::RandomState::default()),
                claimed: Keys::unbounded_with_hasher(foldhash::fast::RandomState::default()),
                chains: Keys::unbounded_with_hasher(foldhash::fast::RandomState::default()),
            }),
        }
    }

    /// Opens a frame under the uplink key of a device in an epoch, if that was used or claimed not
    /// long ago; and whether it was only claimed.
    ///
    /// Other threads wait meanwhile: to share the key would cost more than they gain.
    pub(super) fn open<'s>(
        &self,
        device: usize,
        plain: &mut Bytes,
        frame: &Frame<'_>,
        sessions: impl IntoIterator<Item = &'s Session>,
    ) -> Option<(Option<usize>, bool)> {
        let mut caches = self.caches();
        let place = Place::new(device, frame.header().epoch);
        let Caches {
            verified, claimed, ..
        } = &mut *caches;
        let (uplink, only_claimed) = match verified.get_mut(&place) {
            Some(uplink) => (uplink, false),
            None => (claimed.get_mut(&place)?, true),
        };
        let Uplink { keys, prefix } = uplink;
        let session = open_into(plain, frame, keys, prefix, sessions, b"");
        Some((session, only_claimed))
    }

    /// Derives that key. `oldest` is the oldest epoch of the device that is accepted.
    pub(super) fn derive(&self, device: usize, epoch: u16, oldest: u16) {
        let mut caches = self.caches();
        let key = self.key(&mut caches, device, epoch, oldest);
        let uplink = Uplink {
            keys: FrameKeys::new(&key, Direction::Uplink),
            prefix: Prefix::default(),
        };
        let place = Place::new(device, epoch);
        put(&mut caches.claimed, place, uplink, CLAIMED_MAX);
    }

    /// A frame verified under this key.
    pub(super) fn verified(&self, device: usize, epoch: u16) {
        let mut caches = self.caches();
        let place = Place::new(device, epoch);
        if let Some(keys) = caches.claimed.pop(&place) {
            put(&mut caches.verified, place, keys, self.verified_max);
        }
    }

    /// The downlink key of a device in an epoch.
    pub(crate) fn downlink(&self, device: usize, epoch: u16, oldest: u16) -> FrameKeys {
        let key = self.key(&mut self.caches(), device, epoch, oldest);
        FrameKeys::new(&key, Direction::Downlink)
    }

    fn key(&self, caches: &mut Caches, device: usize, epoch: u16, oldest: u16) -> DeviceKey {
        let start = oldest.min(epoch);
        match caches.chains.get_mut(&device) {
            Some(chain) if chain.start <= start => chain.key(epoch),
            _ => {
                let Some(key) = self.keyring.device_key(device, start) else {
                    unreachable!("the device is sealed")
                };
                let mut chain = Chain {
                    start,
                    keys: vec![key],
                };
                let key = chain.key(epoch);
                put(&mut caches.chains, device, chain, CHAINS_MAX);
                key
            }
        }
    }

    fn caches(&self) -> MutexGuard<'_, Caches> {
        self.caches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn put<K: Hash + Eq, V>(cache: &mut Keys<K, V>, key: K, value: V, most: usize) {
    cache.put(key, value);
    while cache.len() > most {
        cache.pop_lru();
    }
}

/// The ratchet of one device: whoever claims now this epoch, now that one, costs few steps each.
#[derive(Debug)]
struct Chain {
    start: u16,
    /// Every [`STRIDE`] steps from the start.
    keys: Vec<DeviceKey>,
}

impl Chain {
    fn key(&mut self, epoch: u16) -> DeviceKey {
        let steps = epoch.saturating_sub(self.start);
        let at = usize::from(steps / STRIDE);
        while let (true, Some(last)) = (self.keys.len() <= at, self.keys.last()) {
            let next = last.ratchet_by(STRIDE);
            self.keys.push(next);
        }
        match self.keys.get(at) {
            Some(key) => key.ratchet_by(steps % STRIDE),
            None => unreachable!("the loop went so far"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyring(devices: usize) -> Arc<Keyring> {
        let mut text = format!(
            "version = 1\nsession_key = \"{0}\"\n[[fleet]]\nname = \"house\"\nkey = {{ hex = \"{0}\" }}\n",
            "07".repeat(32)
        );
        for device in 0..devices {
            text += &format!(
                "[[device]]\nname = \"d{device}\"\nsealed = {{ fleet = \"house\", address = \"{device:016x}\" }}\n"
            );
        }
        Arc::new(Keyring::parse(&text).unwrap())
    }

    #[test]
    fn a_chain_is_the_ratchet() {
        let keyring = keyring(1);
        let mut chain = Chain {
            start: 5,
            keys: vec![keyring.device_key(0, 5).unwrap()],
        };
        for epoch in [5, 6, 37, 36, 1029, 38, 1028, 5] {
            assert!(
                chain.key(epoch) == keyring.device_key(0, epoch).unwrap(),
                "{epoch}"
            );
        }
    }

    #[test]
    fn claims_push_out_no_key_in_use_and_everything_is_bounded() {
        let keyring = keyring(2000);
        let cache = KeyCache::new(&keyring);
        cache.derive(0, 0, 0);
        cache.verified(0, 0);
        for device in 0..2000 {
            for epoch in 1..4 {
                cache.derive(device, epoch, 0);
                assert!(cache.caches().claimed.contains(&Place::new(device, epoch)));
            }
        }
        {
            let caches = cache.caches();
            assert_eq!(caches.claimed.len(), CLAIMED_MAX);
            assert!(caches.verified.contains(&Place::new(0, 0)));
            assert_eq!(caches.verified.len(), 1);
            assert_eq!(caches.chains.len(), 2000);
        }
        for device in 0..2000 {
            for epoch in 0..4 {
                cache.derive(device, epoch, 0);
                cache.verified(device, epoch);
            }
        }
        assert_eq!(cache.caches().verified.len(), 4000);
        assert!(cache.caches().claimed.len() <= CLAIMED_MAX);
    }
}
