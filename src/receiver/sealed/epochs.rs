//! Which epochs of a device are accepted, and when they move (`SEALED.md`, E1 and E2).

use core::ops::RangeInclusive;

use crate::store::{Overlap, SealedDevice};

/// How far ahead of the highest epoch verified a frame may be.
const AHEAD: u16 = 3;
/// The same, where the store knows no epoch.
const AHEAD_UNKNOWN: u16 = 1024;
/// How long the epoch before is still accepted, in seconds.
const OVERLAP: u64 = 24 * 3600;

/// The epochs that are accepted at `wall`; `minimum` is the keyring's.
pub(super) fn accepted(
    known: Option<&SealedDevice>,
    minimum: u16,
    wall: u64,
) -> RangeInclusive<u16> {
    let Some(device) = known else {
        return minimum..=minimum.saturating_add(AHEAD_UNKNOWN);
    };
    let reached = device.epoch.max(minimum);
    let oldest = match device.overlap {
        Some(overlap) if wall < overlap.until => overlap.from.max(minimum),
        _ => reached,
    };
    oldest..=reached.saturating_add(AHEAD)
}

/// After a fresh frame of `epoch`.
pub(super) const fn reach(device: &mut SealedDevice, epoch: u16, wall: u64) {
    let ends = wall.saturating_add(OVERLAP);
    if epoch > device.epoch {
        device.overlap = Some(Overlap {
            from: device.epoch,
            until: ends,
        });
        device.epoch = epoch;
    } else if let Some(overlap) = &mut device.overlap {
        if wall >= overlap.until {
            device.overlap = None;
        } else if overlap.until > ends {
            // The wall clock went back: it must not prolong the overlap.
            overlap.until = ends;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sealed::Window;

    const NOW: u64 = 2_000_000_000;

    fn device(epoch: u16) -> SealedDevice {
        SealedDevice {
            window: Window::closed(1),
            open: true,
            epoch,
            overlap: None,
            last_seen: NOW,
        }
    }

    #[test]
    fn up_to_three_ahead_or_1024_of_an_unknown_device() {
        assert_eq!(accepted(None, 0, NOW), 0..=1024);
        assert_eq!(accepted(None, 65_000, NOW), 65_000..=65_535);
        assert_eq!(accepted(Some(&device(5)), 0, NOW), 5..=8);
        assert_eq!(accepted(Some(&device(65_534)), 0, NOW), 65_534..=65_535);
        // The device got a key of its own, which begins here.
        assert_eq!(accepted(Some(&device(5)), 6, NOW), 6..=9);
    }

    #[test]
    fn the_epoch_before_is_accepted_for_a_day() {
        let mut device = device(5);
        reach(&mut device, 7, NOW);
        assert_eq!(accepted(Some(&device), 0, NOW), 5..=10);
        assert_eq!(accepted(Some(&device), 0, NOW + OVERLAP - 1), 5..=10);
        assert_eq!(accepted(Some(&device), 0, NOW + OVERLAP), 7..=10);
        assert_eq!(accepted(Some(&device), 7, NOW), 7..=10);
        assert_eq!(accepted(Some(&device), 6, NOW), 6..=10);
        // Neither a late frame of it nor another of the new one prolongs that.
        for epoch in [5, 7] {
            reach(&mut device, epoch, NOW + 100);
            assert_eq!(accepted(Some(&device), 0, NOW + OVERLAP), 7..=10);
        }
        reach(&mut device, 7, NOW + OVERLAP);
        assert_eq!(device.overlap, None);
    }

    #[test]
    fn a_clock_that_goes_back_prolongs_the_overlap_by_what_it_went_back_at_most_once() {
        let mut device = device(5);
        reach(&mut device, 6, NOW);
        assert_eq!(accepted(Some(&device), 0, NOW - 3600), 5..=9);
        reach(&mut device, 6, NOW - 3600);
        assert_eq!(accepted(Some(&device), 0, NOW - 3600 + OVERLAP), 6..=9);
    }
}
