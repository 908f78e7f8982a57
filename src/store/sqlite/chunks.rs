//! Downlink counters that this process reserved and has not used (C4).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::super::sealed::DOWNLINK_CHUNK;
use crate::sealed::Address;

/// Whatever is lost of this only skips counters.
#[derive(Default)]
pub(super) struct Chunks(Mutex<HashMap<Address, Chunk>>);

#[derive(Clone, Copy)]
struct Chunk {
    /// The counter used last.
    last: u64,
    /// The last that may be used.
    ceiling: u64,
    /// A forked process has a copy of this, and would use the same counters.
    process: u32,
}

/// A counter, and what the stored ceiling has to become before it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reserved {
    pub(super) counter: u64,
    pub(super) ceiling: u64,
}

impl Chunks {
    /// The next counter, where the store has reserved up to `stored`; None after 2^64-1.
    pub(super) fn next(&self, address: Address, stored: u64) -> Option<Reserved> {
        let mut chunks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let process = std::process::id();
        // A ceiling that is another one was reserved by another process, or its own reservation
        // did not become durable: either way this chunk is not to be used any more.
        let own = chunks.get(&address).copied().filter(|chunk| {
            chunk.ceiling == stored && chunk.last < chunk.ceiling && chunk.process == process
        });
        let chunk = match own {
            Some(chunk) => Chunk {
                last: chunk.last + 1,
                ..chunk
            },
            None => Chunk {
                last: stored.checked_add(1)?,
                ceiling: stored.saturating_add(DOWNLINK_CHUNK),
                process,
            },
        };
        chunks.insert(address, chunk);
        Some(Reserved {
            counter: chunk.last,
            ceiling: chunk.ceiling,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: Address = Address::new([7; 8]);

    fn reserved(counter: u64, ceiling: u64) -> Option<Reserved> {
        Some(Reserved { counter, ceiling })
    }

    #[test]
    fn a_chunk_is_used_up_and_another_begins() {
        let chunks = Chunks::default();
        for counter in 1..=DOWNLINK_CHUNK {
            let stored = if counter == 1 { 0 } else { DOWNLINK_CHUNK };
            assert_eq!(
                chunks.next(ADDRESS, stored),
                reserved(counter, DOWNLINK_CHUNK)
            );
        }
        assert_eq!(
            chunks.next(ADDRESS, DOWNLINK_CHUNK),
            reserved(DOWNLINK_CHUNK + 1, 2 * DOWNLINK_CHUNK)
        );
    }

    #[test]
    fn a_ceiling_that_moved_or_did_not_become_durable_ends_the_chunk() {
        let chunks = Chunks::default();
        assert_eq!(chunks.next(ADDRESS, 0), reserved(1, 1024));
        assert_eq!(chunks.next(ADDRESS, 5000), reserved(5001, 6024));
        // The reservation of 5001 failed: nothing was sent, and nothing will be with what follows it.
        assert_eq!(chunks.next(ADDRESS, 5000), reserved(5001, 6024));
        assert_eq!(chunks.next(ADDRESS, 6024), reserved(5002, 6024));
    }

    #[test]
    fn the_last_counter_is_used_once() {
        let chunks = Chunks::default();
        let stored = u64::MAX - 1;
        assert_eq!(chunks.next(ADDRESS, stored), reserved(u64::MAX, u64::MAX));
        assert_eq!(chunks.next(ADDRESS, u64::MAX), None);
    }
}
