//! What a device takes: welcomes, commands, control frames (`SEALED.md`, H5, C1, E4).

use std::time::Duration;

use super::device::{SealedDevice, State};
use super::sealing::Answer;
use super::sessions::{Place, Role};
use crate::device::reason::DeviceReason;
use crate::error::Error;
use crate::message::{Message, Reason};
use crate::sealed::{Control, Direction, Frame, Header, Kind, Session, open};
use crate::verdict::Verdict;

/// A device goes no further at once (E4).
const STEPS_MAX: u16 = 3;

/// A frame that verified.
struct Verified {
    header: Header,
    tag: [u8; 16],
    session: Session,
    plaintext: Vec<u8>,
}

impl SealedDevice {
    /// Opens a payload of the `down` topic. An empty one asks for a hello, and is no frame.
    pub(in crate::device) fn open(&self, payload: &[u8]) -> Result<Message, Error> {
        let now = self.clock.monotonic();
        let mut state = self.state();
        state.sessions.expire(now);
        if payload.is_empty() {
            state.hellos.asked_for(now);
        }
        let malformed = |problem| Message::new(Verdict::Malformed, Reason::Malformed(problem));
        let frame = match Frame::parse(payload) {
            Ok(frame) => frame,
            Err(problem) => return Ok(malformed(problem)),
        };
        let message = self.judge(&mut state, &frame, now)?;
        Ok(message)
    }

    fn judge(&self, state: &mut State, frame: &Frame<'_>, now: Duration) -> Result<Message, Error> {
        // O5
        let header = *frame.header();
        if header.direction != Direction::Downlink {
            return Ok(Message::new(
                Verdict::WrongDirection,
                Reason::WrongDirection,
            ));
        }
        if header.address != state.identity.address() {
            return Ok(Message::new(
                Verdict::UnknownDevice,
                DeviceReason::OtherDevice.into(),
            ));
        }
        if header.epoch != state.identity.epoch() {
            return Ok(Message::new(
                Verdict::WrongEpoch,
                DeviceReason::OtherEpoch.into(),
            ));
        }
        // O6 to O8
        let sessions = state.sessions.all();
        let tried = sessions.iter().map(|(_, session)| session);
        let Some(opened) = open(frame, state.identity.downlink(), tried, b"") else {
            let reason = Reason::NotVerified { key_sets: 1 };
            return Ok(Message::new(Verdict::Forged, reason));
        };
        // O9, C1
        let say = |verdict, reason| Message {
            device: Some(self.name().clone()),
            kind: header.kind,
            address: Some(header.address),
            counter: Some(header.counter),
            epoch: Some(header.epoch),
            advanced: verdict == Verdict::Fresh,
            session_bound: header.bound,
            ..Message::new(verdict, reason)
        };
        let (true, Some(&(role, session))) = (header.bound, sessions.get(opened.session)) else {
            return Ok(say(Verdict::StaleSession, DeviceReason::NotBound.into()));
        };
        let verified = Verified {
            header,
            tag: frame.tag(),
            session,
            plaintext: opened.plaintext,
        };
        let (verdict, reason) = match (header.kind, Control::parse(&verified.plaintext)) {
            (Kind::Control, Some(Control::Welcome { floor })) => {
                self.welcome(state, role, &verified, floor, now)?
            }
            (Kind::Control, control) => self.control(state, role, &verified, control)?,
            (Kind::Data | Kind::Hello, _) => command(state, role, &verified),
        };
        let is_data = header.kind == Kind::Data && verdict == Verdict::Fresh;
        Ok(Message {
            data: is_data.then_some(verified.plaintext),
            ..say(verdict, reason)
        })
    }

    /// H5
    fn welcome(
        &self,
        state: &mut State,
        role: Role,
        verified: &Verified,
        floor: u64,
        now: Duration,
    ) -> Result<(Verdict, Reason), Error> {
        let (counter, tag) = (verified.header.counter, verified.tag);
        let place = match (role, state.sessions.open(role)) {
            (Role::Pending, _) => Place::Above,
            (Role::Current, Some(current)) => current.head.place(counter, tag),
            // An acknowledgement would make the host take the old session for the current one.
            _ => return Ok((Verdict::StaleSession, Reason::Expired)),
        };
        if place == Place::Below {
            return Ok((Verdict::Replayed, DeviceReason::Below.into()));
        }
        // Before anything else is sent, and before it is acknowledged.
        state.identity.lift(floor)?;
        if role == Role::Pending {
            state.sessions.welcomed(now, self.interval);
            state.hellos.welcomed(now, self.interval);
            state.welcomed = true;
        }
        if let Some(current) = state.sessions.open(Role::Current) {
            current.head.raise(counter, tag);
        }
        state.acknowledge(verified);
        Ok(match place {
            Place::Same => (Verdict::Duplicate, Reason::Accepted),
            Place::Above | Place::Below => (Verdict::Fresh, Reason::Fresh),
        })
    }

    /// C1: held to the same head as commands.
    fn control(
        &self,
        state: &mut State,
        role: Role,
        verified: &Verified,
        control: Option<Control>,
    ) -> Result<(Verdict, Reason), Error> {
        if let Some(refusal) = state.refusal(role, verified) {
            if refusal.0 == Verdict::Duplicate && control == Some(Control::QueryMode) {
                state.tell_mode(verified);
            }
            return Ok(refusal);
        }
        match control {
            Some(Control::Ratchet { epoch }) => {
                let ahead = epoch.saturating_sub(state.identity.epoch());
                if ahead > STEPS_MAX {
                    return Ok((Verdict::WrongEpoch, DeviceReason::RatchetTooFar.into()));
                }
                if ahead > 0 {
                    state.identity.ratchet_to(epoch)?;
                    self.forget_provisioned_key(state);
                }
            }
            Some(Control::SetMode { mode }) => state.mode = mode,
            Some(Control::QueryMode) => {}
            // What only a device says, or nobody.
            Some(Control::Ack { .. } | Control::Mode { .. } | Control::Welcome { .. }) | None => {
                state.ignored += 1;
                state.take(role, verified);
                return Ok((Verdict::Fresh, DeviceReason::Ignored.into()));
            }
        }
        state.take(role, verified);
        state.acknowledge(verified);
        if control == Some(Control::QueryMode) {
            state.tell_mode(verified);
        }
        Ok((Verdict::Fresh, Reason::Fresh))
    }
}

fn command(state: &mut State, role: Role, verified: &Verified) -> (Verdict, Reason) {
    if let Some(refusal) = state.refusal(role, verified) {
        return refusal;
    }
    state.take(role, verified);
    state.acknowledge(verified);
    (Verdict::Fresh, Reason::Fresh)
}

impl State {
    /// C1: why it is not taken; None if it may be.
    fn refusal(&mut self, role: Role, verified: &Verified) -> Option<(Verdict, Reason)> {
        let Some(open) = self.sessions.commanded(role) else {
            return Some((Verdict::StaleSession, Reason::Expired));
        };
        match open.head.place(verified.header.counter, verified.tag) {
            Place::Above => None,
            Place::Same => {
                self.acknowledge(verified);
                Some((Verdict::Duplicate, Reason::Accepted))
            }
            Place::Below => Some((Verdict::Replayed, DeviceReason::Below.into())),
        }
    }

    /// Nothing at or below it is taken any more, nor anything of the session before (H5).
    fn take(&mut self, role: Role, verified: &Verified) {
        if role == Role::Current {
            self.sessions.end_previous();
        }
        if let Some(open) = self.sessions.commanded(role) {
            open.head.raise(verified.header.counter, verified.tag);
        }
    }

    fn acknowledge(&mut self, verified: &Verified) {
        self.answer(Answer {
            session: verified.session,
            tag: Some(verified.tag),
        });
    }

    fn tell_mode(&mut self, verified: &Verified) {
        self.answer(Answer {
            session: verified.session,
            tag: None,
        });
    }

    /// A copy that comes before its answer went out gets no second one.
    fn answer(&mut self, answer: Answer) {
        if !self.answers.contains(&answer) {
            self.answers.push_back(answer);
        }
    }
}
