//! What a sealed frame is: the verdicts, in their order (`SEALED.md`, O1 to W6).

use core::ops::RangeInclusive;
use std::sync::{Arc, MutexGuard};

use super::contact::{self, New};
use super::delivery::{Accepted, Deliveries, Ticket, UNDONE_MAX};
use super::fleet::Bound;
use super::outgoing::Saying;
use super::reason::SealedReason;
use super::{Host, State, epochs};
use crate::error::{DeliveryError, Error, StoreError};
use crate::keyring::Sealed;
use crate::message::Reason;
use crate::plaintext::Bytes;
use crate::receiver::Judged;
use crate::sealed::{
    Address, Control, Direction, Frame, FrameKeys, Header, Hello, Kind, Session, open_into,
};
use crate::store::{DeviceSessions, Held, SealedDevice, Transaction};
use crate::verdict::Verdict;

/// A verdict, and why.
type Answer = (Verdict, Reason);

/// By how much a welcome lifts a device that may have lost its counter: frames that were withheld
/// above the head have to fall below it (H4).
const WITHHELD: u64 = 1 << 20;

/// A frame that verified.
struct Verified<'a> {
    device: usize,
    sealed: &'a Sealed,
    header: Header,
    tag: [u8; 16],
    bound: Bound,
    plain: &'a [u8],
    wall: u64,
}

/// What a new frame brings, besides what its header says.
#[derive(Default)]
struct Taken {
    advanced: bool,
    acknowledged: Option<[u8; 16]>,
    mode: Option<u8>,
    ticket: Option<Ticket>,
}

/// What the store made of it.
struct Outcome {
    new: Result<New, Answer>,
    /// What is known of the device now.
    known: Option<SealedDevice>,
    /// The hello is to be answered under this session.
    welcome: Option<Session>,
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
            Ok(frame) => self.judge_frame(&frame, judged)?,
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

    /// O5
    fn judge_frame(&self, frame: &Frame<'_>, judged: &mut Judged) -> Result<Answer, Error> {
        let header = *frame.header();
        if header.direction == Direction::Downlink {
            return Ok((Verdict::WrongDirection, SealedReason::Downlink.into()));
        }
        let address = header.address;
        let device = self.keyring.by_address(address);
        let listed = device.and_then(|index| {
            let device = self.keyring.devices().get(index)?;
            Some((index, device.sealed.as_ref()?))
        });
        let Some((device, sealed)) = listed else {
            let reason = SealedReason::UnknownAddress { address };
            return Ok((Verdict::UnknownDevice, reason.into()));
        };
        judged.claimed = Some(device);
        if sealed.revoked {
            return Ok((Verdict::Revoked, SealedReason::Revoked.into()));
        }
        let wall = self.clock.wall();
        let (keys, claimed) = match self.keys.find(device, header.epoch) {
            Some(found) => found,
            None => {
                let accepted = self.accepted_epochs(sealed, wall)?;
                if !accepted.contains(&header.epoch) {
                    return Ok(wrong_epoch(header.epoch, &accepted));
                }
                let oldest = *accepted.start();
                (self.keys.derive(device, header.epoch, oldest), true)
            }
        };
        self.judge_verified(frame, &keys, device, sealed, wall, claimed, judged)
    }

    /// O6 to O9, then *Window*.
    #[expect(
        clippy::too_many_arguments,
        reason = "what was found out about the frame"
    )]
    fn judge_verified(
        &self,
        frame: &Frame<'_>,
        keys: &Arc<FrameKeys>,
        device: usize,
        sealed: &Sealed,
        wall: u64,
        claimed: bool,
        judged: &mut Judged,
    ) -> Result<Answer, Error> {
        let header = *frame.header();
        let plain = &mut judged.plain;
        // Beacons do not change while a frame that is bound to one is judged.
        let mut state = None;
        let bound = match (header.bound, header.kind) {
            (false, _) => open_into(plain, frame, keys, [], b"").map(|_| Bound::No),
            (true, Kind::Control) => self.open_control(plain, frame, keys)?,
            (true, Kind::Data | Kind::Hello) => {
                let state = state.insert(self.state());
                let now = self.clock.monotonic();
                let Some(beacon) = state.beacons.get_mut(sealed.fleet) else {
                    unreachable!("one beacon a fleet")
                };
                beacon.pool.expire(now);
                open_into(plain, frame, keys, beacon.sessions(), b"")
                    .map(|place| beacon.bound(place, header.address, frame.tag()))
            }
        };
        // O8
        let Some(bound) = bound else {
            let accepted = self.accepted_epochs(sealed, wall)?;
            if !accepted.contains(&header.epoch) {
                return Ok(wrong_epoch(header.epoch, &accepted));
            }
            return Ok((Verdict::Forged, SealedReason::NotVerified.into()));
        };
        if claimed {
            self.keys.verified(device, header.epoch);
        }
        judged.device = Some(device);
        judged.kind = header.kind;
        judged.address = Some(header.address);
        judged.counter = Some(header.counter);
        judged.epoch = Some(header.epoch);
        judged.session_bound = header.bound;
        let verified = Verified {
            device,
            sealed,
            header,
            tag: frame.tag(),
            bound,
            plain: &judged.plain,
            wall,
        };
        let taken = match self.take(&verified, state)? {
            Ok(taken) => taken,
            Err(answer) => return Ok(answer),
        };
        judged.advanced = taken.advanced;
        judged.acknowledged = taken.acknowledged;
        judged.mode = taken.mode;
        judged.ticket = taken.ticket;
        judged.reading = 0..judged.plain.len();
        Ok((Verdict::Fresh, Reason::Fresh))
    }

    /// Under the sessions that the device drew (B3).
    fn open_control(
        &self,
        plain: &mut Bytes,
        frame: &Frame<'_>,
        keys: &FrameKeys,
    ) -> Result<Option<Bound>, Error> {
        let mut sessions = DeviceSessions::default();
        self.store.transact(&mut |transaction| {
            sessions = transaction.device_sessions(frame.header().address)?;
            Ok(())
        })?;
        let current = sessions.current.iter().map(|current| &current.session);
        let pending = sessions.pending.iter().map(|pending| &pending.session);
        let live: Vec<&Session> = current.chain(pending).collect();
        let all = live.iter().copied().chain(&sessions.expired);
        let place = open_into(plain, frame, keys, all, b"");
        Ok(place.map(|place| match live.get(place) {
            Some(session) => Bound::Device(**session),
            None => Bound::Expired,
        }))
    }

    /// Judges a frame that verified, and remembers it if it is new.
    fn take(
        &self,
        verified: &Verified<'_>,
        mut state: Option<MutexGuard<'_, State>>,
    ) -> Result<Result<Taken, Answer>, Error> {
        let mut taken = Taken::default();
        let header = &verified.header;
        // H4: before it is known whether the hello is new, since two threads may have it.
        let handled = match (header.kind, verified.bound.live(), &mut state) {
            (Kind::Hello, Some(session), Some(state)) => {
                let beacon = state.beacons.get_mut(verified.sealed.fleet);
                beacon.is_some_and(|beacon| beacon.handle(&session, verified.tag))
            }
            _ => false,
        };
        let mut deliveries = self.deliveries();
        if let Some(deliveries) = &deliveries
            && deliveries.is_full(header.address)
        {
            let limit = UNDONE_MAX;
            return Err(DeliveryError::Undone { limit }.into());
        }
        let mut outcome = None;
        let stored = self.store.transact(&mut |transaction| {
            outcome = Some(self.remember(transaction, verified, handled, deliveries.as_deref())?);
            Ok(())
        });
        let outcome = match (stored, outcome) {
            (Ok(()), Some(outcome)) => outcome,
            (failed, _) => {
                if let (true, Some(session), Some(state)) =
                    (handled, verified.bound.live(), &mut state)
                    && let Some(beacon) = state.beacons.get_mut(verified.sealed.fleet)
                {
                    beacon.unhandle(&session, &verified.tag);
                }
                failed?;
                unreachable!("a transaction that succeeds runs its work")
            }
        };
        if let (Ok(new), Some(deliveries)) = (&outcome.new, deliveries.as_deref_mut()) {
            let done = header.kind != Kind::Data;
            if !(done && deliveries.is_idle(header.address)) {
                let ticket = deliveries.add(header.address, verified.accepted(new), done);
                taken.ticket = (!done).then_some(ticket);
            }
        }
        drop(deliveries);
        let state = match (&outcome.new, header.kind) {
            (Ok(new), Kind::Data) if !new.opened && !matches!(verified.bound, Bound::Held(_)) => {
                None
            }
            (Err((Verdict::Duplicate | Verdict::Replayed, _)), Kind::Data | Kind::Control) => None,
            _ => Some(state.unwrap_or_else(|| self.state())),
        };
        if let Some(mut state) = state {
            self.answer(&mut state, verified, &outcome);
        }
        match outcome.new {
            Ok(new) => taken.advanced = new.advanced,
            Err(answer) => return Ok(Err(answer)),
        }
        match header.kind {
            Kind::Data => {}
            Kind::Hello if Hello::parse(verified.plain).is_none() => self.unreadable(),
            Kind::Hello => {}
            Kind::Control => match Control::parse(verified.plain) {
                Some(Control::Ack { tag }) => taken.acknowledged = Some(tag),
                Some(Control::Mode { mode }) => taken.mode = Some(mode),
                _ => self.unreadable(),
            },
        }
        Ok(Ok(taken))
    }

    /// W1 to W3, W6, E1, E2, H4, H5: in one transaction.
    fn remember(
        &self,
        transaction: &mut dyn Transaction,
        verified: &Verified<'_>,
        handled: bool,
        deliveries: Option<&Deliveries>,
    ) -> Result<Outcome, StoreError> {
        let header = &verified.header;
        let address = header.address;
        let stored = transaction.sealed_device(address)?;
        let known = match deliveries {
            Some(deliveries) => deliveries.known(address, stored),
            None => stored,
        };
        let refused = |answer| Outcome {
            new: Err(answer),
            known,
            welcome: None,
        };
        let accepted =
            epochs::accepted(known.as_ref(), verified.sealed.minimum_epoch, verified.wall);
        if !accepted.contains(&header.epoch) {
            return Ok(refused(wrong_epoch(header.epoch, &accepted)));
        }
        let contact = match known {
            Some(device) if device.open => None,
            _ => Some(transaction.contact(verified.wall)?),
        };
        let danger = self
            .keyring
            .fleets()
            .get(verified.sealed.fleet)
            .is_some_and(|fleet| fleet.danger_first_contact);
        let binding = verified.bound.binding(contact);
        let new = match contact::judge(known.as_ref(), header.counter, binding, danger) {
            Ok(new) => new,
            Err(answer) => {
                let again = matches!(answer.0, Verdict::Duplicate | Verdict::Replayed);
                let welcome = match Hello::parse(verified.plain) {
                    Some(hello) if again && handled => {
                        draw(transaction, address, hello.session)?;
                        Some(hello.session)
                    }
                    _ => None,
                };
                return Ok(Outcome {
                    welcome,
                    ..refused(answer)
                });
            }
        };
        let at_once = deliveries
            .is_none_or(|deliveries| header.kind != Kind::Data && deliveries.is_idle(address));
        let frame = verified.accepted(&new);
        if at_once {
            transaction.put_sealed_device(address, &frame.apply(stored))?;
        } else if let (Kind::Data, Some(held)) = (header.kind, frame.held) {
            transaction.hold(&held)?;
        }
        let mut welcome = None;
        match (header.kind, verified.bound) {
            (Kind::Hello, _) => {
                if let Some(hello) = Hello::parse(verified.plain) {
                    draw(transaction, address, hello.session)?;
                    welcome = Some(hello.session);
                }
            }
            (Kind::Control, Bound::Device(session)) => {
                if let Some(Control::Ack { tag }) = Control::parse(verified.plain) {
                    let mut sessions = transaction.device_sessions(address)?;
                    if sessions.acknowledged(session, tag, header.counter) {
                        transaction.put_device_sessions(address, &sessions)?;
                    }
                }
            }
            _ => {}
        }
        Ok(Outcome {
            new: Ok(new),
            known: Some(frame.apply(known)),
            welcome,
        })
    }

    /// H4, H6: what the host has to say to the device now.
    fn answer(&self, state: &mut State, verified: &Verified<'_>, outcome: &Outcome) {
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

    fn accepted_epochs(&self, sealed: &Sealed, wall: u64) -> Result<RangeInclusive<u16>, Error> {
        let deliveries = self.deliveries();
        let mut known = None;
        self.store.transact(&mut |transaction| {
            known = transaction.sealed_device(sealed.address)?;
            Ok(())
        })?;
        if let Some(deliveries) = deliveries {
            known = deliveries.known(sealed.address, known);
        }
        let minimum = sealed.minimum_epoch;
        Ok(epochs::accepted(known.as_ref(), minimum, wall))
    }
}

impl Verified<'_> {
    fn accepted(&self, new: &New) -> Accepted {
        let session = match self.bound {
            Bound::Live(id, _) => Some(id),
            Bound::Held(held) => Some(held.session),
            Bound::No | Bound::Device(_) | Bound::Expired => None,
        };
        Accepted {
            counter: self.header.counter,
            epoch: self.header.epoch,
            wall: self.wall,
            opened: new.opened.then_some(new.window),
            held: session.map(|session| Held {
                address: self.header.address,
                tag: self.tag,
                session,
            }),
        }
    }
}

/// H4: the session waits for its acknowledgement.
fn draw(
    transaction: &mut dyn Transaction,
    address: Address,
    session: Session,
) -> Result<(), StoreError> {
    let mut sessions = transaction.device_sessions(address)?;
    sessions.drawn(session);
    transaction.put_device_sessions(address, &sessions)
}

fn wrong_epoch(epoch: u16, accepted: &RangeInclusive<u16>) -> Answer {
    let reason = SealedReason::WrongEpoch {
        epoch,
        oldest: *accepted.start(),
        newest: *accepted.end(),
    };
    (Verdict::WrongEpoch, reason.into())
}
