//! What the host has to say to a device after its frame (`SEALED.md`, H4, H6).

use super::fleet::Bound;
use super::outgoing::Saying;
use super::take::{Outcome, Verified};
use super::{Host, State};
use crate::verdict::Verdict;

/// By how much a welcome lifts a device that may have lost its counter: frames that were withheld
/// above the head have to fall below it (H4).
const WITHHELD: u64 = 1 << 20;

impl Host {
    pub(super) fn answer(&self, state: &mut State, verified: &Verified<'_>, outcome: &Outcome) {
        let now = self.clock.monotonic();
        let Verified { device, sealed, .. } = *verified;
        let Some(beacon) = state.beacons.get_mut(sealed.fleet) else {
            unreachable!("one beacon a fleet")
        };
        if let Bound::Held(held) = verified.bound {
            beacon.redelivered(&held);
        }
        if !beacon.pool.is_authority(now) {
            return;
        }
        let Some(head) = outcome.known.map(|known| known.window.head) else {
            if matches!(outcome.new, Err((Verdict::StaleSession, _))) {
                state.outgoing.ask(device, now);
            }
            return;
        };
        if let Some(session) = outcome.welcome {
            // A hello above the head is the head now.
            let advanced = outcome.new.as_ref().is_ok_and(|new| new.advanced);
            let floor = match head.checked_add(1) {
                Some(next) if advanced => next,
                Some(_) => head.saturating_add(WITHHELD),
                None => return,
            };
            state.outgoing.say(Saying::Welcome {
                device,
                session,
                epoch: verified.header.epoch,
                floor,
            });
            return;
        }
        let unmet = outcome.known.is_none_or(|known| !known.open);
        let met_by_data = outcome.new.as_ref().is_ok_and(|new| new.opened);
        if met_by_data || unmet && matches!(outcome.new, Err((Verdict::StaleSession, _))) {
            state.outgoing.ask(device, now);
        }
    }
}
