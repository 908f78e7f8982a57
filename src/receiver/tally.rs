//! How many frames got each verdict: in memory, and from time to time in the store.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::error::StoreError;
use crate::keyring::Keyring;
use crate::store::Store;
use crate::verdict::Verdict;

/// Counts go to the store at most so often, in seconds: garbage must not make it write.
const PAUSE: u64 = 10;
/// So many frames with the same verdict are a reason to look at the clock.
const FRAMES: u64 = 256;

pub(super) struct Tally {
    counts: [AtomicU64; Verdict::COUNT],
    /// Of each device of the keyring, what the store does not have yet.
    devices: Box<[OnceLock<Box<New>>]>,
    stored: Mutex<Stored>,
}

type New = [AtomicU32; Verdict::COUNT];

#[derive(Default)]
struct Stored {
    counts: [u64; Verdict::COUNT],
    /// Unix seconds.
    last: Option<u64>,
}

impl Tally {
    pub(super) fn new(devices: usize) -> Self {
        Self {
            counts: Default::default(),
            devices: (0..devices).map(|_| OnceLock::new()).collect(),
            stored: Mutex::default(),
        }
    }

    /// `device` is whose frame it is, or claims to be. True now and then: [`Self::store`] may
    /// have something to do.
    pub(super) fn add(&self, verdict: Verdict, device: Option<usize>) -> bool {
        if let Some(new) = device.and_then(|device| self.devices.get(device)) {
            let count = new.get_or_init(Box::default).get(verdict.index());
            count.map(|count| count.fetch_add(1, Ordering::Relaxed));
        }
        let count = self.counts.get(verdict.index());
        let before = count.map_or(0, |count| count.fetch_add(1, Ordering::Relaxed));
        before % FRAMES == FRAMES - 1
    }

    pub(super) fn counts(&self) -> [u64; Verdict::COUNT] {
        self.counts
            .each_ref()
            .map(|count| count.load(Ordering::Relaxed))
    }

    /// Adds what is new to the store, unless it did so not long ago.
    pub(super) fn store(
        &self,
        store: &dyn Store,
        keyring: &Keyring,
        wall: u64,
    ) -> Result<(), StoreError> {
        let last = self.stored().last;
        // A wall clock that went back is no reason to wait for long.
        if last.is_some_and(|last| wall.abs_diff(last) < PAUSE) {
            return Ok(());
        }
        self.stored().last = Some(wall);
        // Just begun: nothing to tell.
        if last.is_none() {
            return Ok(());
        }
        self.store_all(store, keyring)
    }

    pub(super) fn store_all(&self, store: &dyn Store, keyring: &Keyring) -> Result<(), StoreError> {
        let mut stored = self.stored();
        let counts = self.counts();
        let mut new = counts;
        for (new, stored) in new.iter_mut().zip(stored.counts) {
            *new -= stored;
        }
        if new.iter().all(|new| *new == 0) {
            return Ok(());
        }
        let devices: Vec<_> = self
            .devices
            .iter()
            .zip(keyring.devices())
            .filter_map(|(new, device)| {
                let (new, sealed) = (new.get()?, device.sealed.as_ref()?);
                let counts = new.each_ref().map(|count| count.swap(0, Ordering::Relaxed));
                let any = counts.iter().any(|count| *count > 0);
                any.then_some((new, sealed.address, counts))
            })
            .collect();
        let written = store.transact(&mut |transaction| {
            transaction.add_counts(&new)?;
            devices.iter().try_for_each(|(_, address, counts)| {
                transaction.add_device_counts(*address, &counts.map(u64::from))
            })
        });
        match written {
            Ok(()) => stored.counts = counts,
            Err(_) => {
                for (new, _, counts) in devices {
                    for (new, count) in new.iter().zip(counts) {
                        new.fetch_add(count, Ordering::Relaxed);
                    }
                }
            }
        }
        written
    }

    fn stored(&self) -> std::sync::MutexGuard<'_, Stored> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
