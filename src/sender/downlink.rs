//! One frame from the host to a device, and the right to send it (`SEALED.md`, B4, C1, C4).

use crate::error::DataError;
use crate::keyring::{Fleet, Sealed};
use crate::receiver::Publication;
use crate::sealed::{FrameKeys, Kind, Sealing, Session, seal};
use crate::store::Lease;

/// A lease ends so many beacons after the last.
const LEASE_BEACONS: u64 = 3;

/// Until when the lease of a beacon minted now is good, in Unix seconds.
pub(crate) const fn lease_end(fleet: &Fleet, wall: u64) -> u64 {
    let interval = fleet.times.interval.as_secs();
    wall.saturating_add(LEASE_BEACONS.saturating_mul(interval))
}

/// Whether a lease is good now. One that ends later than any lease may is of a clock that was
/// ahead, or this one went back.
pub(super) fn is_good(lease: Option<Lease>, fleet: &Fleet, wall: u64) -> bool {
    lease.is_some_and(|lease| wall < lease.until && lease.until <= lease_end(fleet, wall))
}

/// What a downlink says besides its plaintext.
#[derive(Clone, Copy)]
pub(crate) struct Downlink<'a> {
    pub(crate) to: &'a Sealed,
    pub(crate) kind: Kind,
    pub(crate) session: Session,
    pub(crate) epoch: u16,
    pub(crate) counter: u64,
}

impl Downlink<'_> {
    pub(crate) fn publication(
        &self,
        fleet: &Fleet,
        keys: &FrameKeys,
        plaintext: &[u8],
    ) -> Result<Publication, DataError> {
        let sealing = Sealing {
            kind: self.kind,
            epoch: self.epoch,
            address: self.to.address,
            counter: self.counter,
            session: Some(&self.session),
            context: b"",
        };
        let payload = seal(keys, &sealing, plaintext)?;
        Ok(down(fleet, self.to, payload))
    }
}

/// A payload for a device.
pub(crate) fn down(fleet: &Fleet, to: &Sealed, payload: Vec<u8>) -> Publication {
    Publication {
        topic: to.down_topic(fleet).into(),
        payload,
        qos: 1,
        retain: false,
    }
}
