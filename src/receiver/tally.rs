//! How many frames got each verdict: in memory, and from time to time in the store.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::error::StoreError;
use crate::store::Store;
use crate::verdict::Verdict;

/// Counts go to the store at most so often, in seconds: garbage must not make it write.
const PAUSE: u64 = 10;
/// So many frames with the same verdict are a reason to look at the clock.
const FRAMES: u64 = 256;

#[derive(Default)]
pub(super) struct Tally {
    counts: [AtomicU64; Verdict::COUNT],
    stored: Mutex<Stored>,
}

#[derive(Default)]
struct Stored {
    counts: [u64; Verdict::COUNT],
    /// Unix seconds.
    last: Option<u64>,
}

impl Tally {
    /// True now and then: [`Self::store`] may have something to do.
    pub(super) fn add(&self, verdict: Verdict) -> bool {
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
    pub(super) fn store(&self, store: &dyn Store, wall: u64) -> Result<(), StoreError> {
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
        self.store_all(store)
    }

    pub(super) fn store_all(&self, store: &dyn Store) -> Result<(), StoreError> {
        let mut stored = self.stored();
        let counts = self.counts();
        let mut new = counts;
        for (new, stored) in new.iter_mut().zip(stored.counts) {
            *new -= stored;
        }
        if new.iter().any(|new| *new > 0) {
            store.transact(&mut |transaction| transaction.add_counts(&new))?;
            stored.counts = counts;
        }
        Ok(())
    }

    fn stored(&self) -> std::sync::MutexGuard<'_, Stored> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
