//! Remembers a frame that verified, if it is new (`SEALED.md`, *Window*, E2, H4, H5).

use std::sync::MutexGuard;

use super::contact::{self, New};
use super::delivery::{Accepted, Deliveries, Ticket, UNDONE_MAX};
use super::fleet::Bound;
use super::judge::{Answer, Stop, wrong_epoch};
use super::{Host, State, epochs};
use crate::error::{DeliveryError, StoreError};
use crate::keyring::Sealed;
use crate::sealed::{Address, Control, Header, Hello, Kind, Session};
use crate::store::{Held, SealedDevice, Transaction};
use crate::verdict::Verdict;

/// A frame that verified.
pub(super) struct Verified<'a> {
    pub(super) device: usize,
    pub(super) sealed: &'a Sealed,
    pub(super) header: Header,
    pub(super) tag: [u8; 16],
    pub(super) bound: Bound,
    pub(super) plain: &'a [u8],
    pub(super) wall: u64,
}

/// What a new frame brings, besides what its header says.
#[derive(Default)]
pub(super) struct Taken {
    pub(super) advanced: bool,
    pub(super) acknowledged: Option<[u8; 16]>,
    pub(super) mode: Option<u8>,
    pub(super) ticket: Option<Ticket>,
}

/// What the store made of a frame.
pub(super) struct Outcome {
    pub(super) new: Result<New, Answer>,
    /// What is known of the device now.
    pub(super) known: Option<SealedDevice>,
    /// The hello is to be answered under this session.
    pub(super) welcome: Option<Session>,
}

impl Host {
    pub(super) fn take(
        &self,
        verified: &Verified<'_>,
        mut state: Option<MutexGuard<'_, State>>,
    ) -> Result<Taken, Stop> {
        let header = &verified.header;
        // H4: before it is known whether the hello is new, since two threads may have it.
        let mut beacon = state
            .as_mut()
            .and_then(|state| state.beacons.get_mut(verified.sealed.fleet));
        let hello = match (header.kind, verified.bound.live(), beacon.as_mut()) {
            (Kind::Hello, Some(session), Some(beacon)) => {
                beacon.handle(&session, verified.tag).then_some(session)
            }
            _ => None,
        };
        let mut deliveries = self.deliveries();
        let mut outcome = None;
        let stored = self.store.transact(&mut |transaction| {
            let deliveries = deliveries.as_deref();
            outcome = Some(self.remember(transaction, verified, hello.is_some(), deliveries)?);
            Ok(())
        });
        let Some(outcome) = outcome.filter(|_| stored.is_ok()) else {
            if let (Some(session), Some(beacon)) = (hello, beacon) {
                beacon.unhandle(&session, &verified.tag);
            }
            stored?;
            unreachable!("a transaction that succeeds runs its work")
        };
        let mut taken = Taken::default();
        if let (Ok(new), Some(deliveries)) = (&outcome.new, deliveries.as_deref_mut()) {
            let done = header.kind != Kind::Data;
            if !done && deliveries.is_full(header.address) {
                let limit = UNDONE_MAX;
                return Err(DeliveryError::Undone { limit }.into());
            }
            if !(done && deliveries.is_idle(header.address)) {
                let ticket = deliveries.add(header.address, verified.accepted(new), done);
                taken.ticket = (!done).then_some(ticket);
            }
        }
        drop(deliveries);
        if verified.concerns_the_host(&outcome) {
            let mut state = state.unwrap_or_else(|| self.state());
            self.answer(&mut state, verified, &outcome);
        }
        taken.advanced = outcome.new?.advanced;
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
        Ok(taken)
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
        let frame = verified.accepted(&new);
        let after = frame.apply(known);
        match (deliveries, header.kind) {
            // Nobody takes it: nothing may be written.
            (Some(deliveries), Kind::Data) if deliveries.is_full(address) => {}
            (Some(_), Kind::Data) => {
                if let Some(held) = frame.held {
                    transaction.hold(&held)?;
                }
            }
            (Some(deliveries), _) if !deliveries.is_idle(address) => {}
            // Whatever was accepted before is in the store.
            _ => transaction.put_sealed_device(address, &after)?,
        }
        Ok(Outcome {
            new: Ok(new),
            known: Some(after),
            welcome: verified.note_sessions(transaction)?,
        })
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

    /// H4, H5: the session of a hello waits for its acknowledgement; the session of that becomes
    /// the current one. Answers with the session of a hello.
    fn note_sessions(
        &self,
        transaction: &mut dyn Transaction,
    ) -> Result<Option<Session>, StoreError> {
        let address = self.header.address;
        match (self.header.kind, self.bound) {
            (Kind::Hello, _) => {
                let hello = Hello::parse(self.plain).map(|hello| hello.session);
                if let Some(session) = hello {
                    draw(transaction, address, session)?;
                }
                Ok(hello)
            }
            (Kind::Control, Bound::Device(session)) => {
                if let Some(Control::Ack { tag }) = Control::parse(self.plain) {
                    let mut sessions = transaction.device_sessions(address)?;
                    if sessions.acknowledged(session, tag, self.header.counter) {
                        transaction.put_device_sessions(address, &sessions)?;
                    }
                }
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    /// Whether the host may have to say or to note something: hardly ever of a reading.
    fn concerns_the_host(&self, outcome: &Outcome) -> bool {
        match (&outcome.new, self.header.kind) {
            (Ok(new), Kind::Data) => new.opened || matches!(self.bound, Bound::Held(_)),
            (Err((Verdict::Duplicate | Verdict::Replayed, _)), Kind::Data | Kind::Control) => false,
            _ => true,
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
