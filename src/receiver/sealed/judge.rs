//! What a sealed frame is: the verdicts, in their order (`SEALED.md`, O1 to W6).

use core::ops::RangeInclusive;

use super::fleet::Bound;
use super::reason::SealedReason;
use super::take::Verified;
use super::{Host, epochs};
use crate::error::{DeliveryError, Error, StoreError};
use crate::keyring::Sealed;
use crate::message::Reason;
use crate::plaintext::Bytes;
use crate::receiver::Judged;
use crate::sealed::{Control, Direction, Frame, Header, Kind, Session};
use crate::store::DeviceSessions;
use crate::verdict::Verdict;

/// A verdict, and why.
pub(super) type Answer = (Verdict, Reason);

/// Why a frame goes no further.
pub(super) enum Stop {
    Said(Answer),
    Failed(Error),
}

impl From<Answer> for Stop {
    fn from(answer: Answer) -> Self {
        Self::Said(answer)
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<DeliveryError> for Stop {
    fn from(error: DeliveryError) -> Self {
        Self::Failed(error.into())
    }
}

/// Whose a frame claims to be.
struct Claim<'a> {
    device: usize,
    sealed: &'a Sealed,
    header: Header,
    wall: u64,
}

impl Host {
    /// Opens one sealed frame. What is known of it goes into `judged`.
    pub(in crate::receiver) fn judge(
        &self,
        payload: &[u8],
        retained: bool,
        judged: &mut Judged,
    ) -> Result<Answer, Error> {
        let answer = match Frame::parse(payload) {
            Ok(frame) => match self.judge_frame(&frame, judged) {
                Ok(()) => (Verdict::Fresh, Reason::Fresh),
                Err(Stop::Said(answer)) => answer,
                Err(Stop::Failed(error)) => return Err(error),
            },
            Err(malformed) => (Verdict::Malformed, Reason::Malformed(malformed)),
        };
        // W4
        Ok(match answer.0 {
            Verdict::Replayed | Verdict::StaleSession if retained => {
                (Verdict::Duplicate, SealedReason::RetainedCopy.into())
            }
            _ => answer,
        })
    }

    fn judge_frame(&self, frame: &Frame<'_>, judged: &mut Judged) -> Result<(), Stop> {
        let claim = self.claim(*frame.header())?;
        judged.claimed = Some(claim.device);
        if claim.sealed.revoked {
            return Err((Verdict::Revoked, SealedReason::Revoked.into()).into());
        }
        let header = &claim.header;
        let plain = &mut judged.plain;
        // Beacons do not change while a frame that is bound to one is judged.
        let mut state = None;
        // O6, O7
        let bound = match (header.bound, header.kind) {
            (false, _) => {
                let opened = self.open(&claim, frame, plain, [].iter())?;
                opened.map(|_| Bound::No)
            }
            (true, Kind::Control) => self.open_control(&claim, frame, plain)?,
            (true, Kind::Data | Kind::Hello) => {
                let state = state.insert(self.state());
                let Some(beacon) = state.beacons.get_mut(claim.sealed.fleet) else {
                    unreachable!("one beacon a fleet")
                };
                beacon.pool.expire(self.clock.monotonic());
                let opened = self.open(&claim, frame, plain, beacon.sessions())?;
                opened.map(|place| beacon.bound(place, header.address, frame.tag()))
            }
        };
        // O8
        let Some(bound) = bound else {
            self.check_epoch(&claim)?;
            return Err((Verdict::Forged, SealedReason::NotVerified.into()).into());
        };
        judged.device = Some(claim.device);
        judged.kind = header.kind;
        judged.address = Some(header.address);
        judged.counter = Some(header.counter);
        judged.epoch = Some(header.epoch);
        judged.session_bound = header.bound;
        let verified = Verified {
            device: claim.device,
            sealed: claim.sealed,
            header: claim.header,
            tag: frame.tag(),
            bound,
            plain: &judged.plain,
            wall: claim.wall,
        };
        let taken = match self.take(&verified, state) {
            Ok(taken) => taken,
            Err(stop) => {
                // Another receiver on this store may have taken it first, and whoever sealed the
                // command waits here.
                if let Stop::Said((Verdict::Duplicate, _)) = stop
                    && header.kind == Kind::Control
                    && let Some(Control::Ack { tag }) = Control::parse(&judged.plain)
                {
                    judged.acknowledged = Some(tag);
                }
                return Err(stop);
            }
        };
        judged.advanced = taken.advanced;
        judged.acknowledged = taken.acknowledged;
        judged.mode = taken.mode;
        judged.ticket = taken.ticket;
        judged.reading = 0..judged.plain.len();
        Ok(())
    }

    /// O5, but for what depends on the store.
    fn claim(&self, header: Header) -> Result<Claim<'_>, Answer> {
        if header.direction == Direction::Downlink {
            return Err((Verdict::WrongDirection, SealedReason::Downlink.into()));
        }
        let address = header.address;
        let listed = self.keyring.by_address(address).and_then(|device| {
            let listed = self.keyring.devices().get(device)?;
            Some((device, listed.sealed.as_ref()?))
        });
        let (device, sealed) = listed.ok_or_else(|| {
            let reason = SealedReason::UnknownAddress { address };
            (Verdict::UnknownDevice, reason.into())
        })?;
        Ok(Claim {
            device,
            sealed,
            header,
            wall: self.clock.wall(),
        })
    }

    /// Under the device's key: which of the sessions it verifies under.
    fn open<'s>(
        &self,
        claim: &Claim<'_>,
        frame: &Frame<'_>,
        plain: &mut Bytes,
        sessions: impl Iterator<Item = &'s Session> + Clone,
    ) -> Result<Option<usize>, Stop> {
        let epoch = claim.header.epoch;
        let mut open = || self.keys.open(claim.device, plain, frame, sessions.clone());
        let (place, only_claimed) = match open() {
            Some(opened) => opened,
            None => {
                let accepted = self.check_epoch(claim)?;
                self.keys.derive(claim.device, epoch, *accepted.start());
                open().unwrap_or((None, true))
            }
        };
        if place.is_some() && only_claimed {
            self.keys.verified(claim.device, epoch);
        }
        Ok(place)
    }

    /// Under the sessions that the device drew (B3).
    fn open_control(
        &self,
        claim: &Claim<'_>,
        frame: &Frame<'_>,
        plain: &mut Bytes,
    ) -> Result<Option<Bound>, Stop> {
        let mut sessions = DeviceSessions::default();
        self.store.transact(&mut |transaction| {
            sessions = transaction.device_sessions(claim.header.address)?;
            Ok(())
        })?;
        let current = sessions.current.iter().map(|current| &current.session);
        let pending = sessions.pending.iter().map(|pending| &pending.session);
        let live = current.chain(pending);
        let all = live.clone().chain(&sessions.expired);
        let place = self.open(claim, frame, plain, all)?;
        Ok(place.map(|place| match live.clone().nth(place) {
            Some(session) => Bound::Device(*session),
            None => Bound::Expired,
        }))
    }

    /// E1
    fn check_epoch(&self, claim: &Claim<'_>) -> Result<RangeInclusive<u16>, Stop> {
        let sealed = claim.sealed;
        let deliveries = self.deliveries();
        let mut known = None;
        self.store.transact(&mut |transaction| {
            known = transaction.sealed_device(sealed.address)?;
            Ok(())
        })?;
        if let Some(deliveries) = deliveries {
            known = deliveries.known(sealed.address, known);
        }
        let accepted = epochs::accepted(known.as_ref(), sealed.minimum_epoch, claim.wall);
        if accepted.contains(&claim.header.epoch) {
            return Ok(accepted);
        }
        Err(wrong_epoch(claim.header.epoch, &accepted).into())
    }
}

pub(super) fn wrong_epoch(epoch: u16, accepted: &RangeInclusive<u16>) -> Answer {
    let reason = SealedReason::WrongEpoch {
        epoch,
        oldest: *accepted.start(),
        newest: *accepted.end(),
    };
    (Verdict::WrongEpoch, reason.into())
}
