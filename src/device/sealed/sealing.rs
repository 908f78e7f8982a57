//! What a device sends: answers, hellos, readings (`SEALED.md`, H1 to H3, C2).

use std::time::Duration;

use super::device::{SealedDevice, State};
use super::sessions::Drawn;
use crate::error::{DataError, Error, SessionError};
use crate::receiver::Publication;
use crate::sealed::{
    Control, FRAME_BYTES_MAX, Hello, Kind, OVERHEAD_BYTES, Sealing, Session, device_session, seal,
};

/// So many readings wait at most.
const OUTBOX: usize = 1024;

/// An answer to the host that is sealed when it is published: under the key of then.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Answer {
    /// The session of what it answers.
    pub(super) session: Session,
    /// `V` of what it acknowledges; None tells the mode.
    pub(super) tag: Option<[u8; 16]>,
}

impl SealedDevice {
    /// Seals a reading now, or says how long it has to wait for the welcome.
    pub(in crate::device) fn seal(&self, data: &[u8]) -> Result<Vec<u8>, Error> {
        check_length(data)?;
        let now = self.clock.monotonic();
        let mut state = self.state();
        match state.holds_for(now) {
            None => state.seal_reading(data, now),
            Some(wait) => Err(SessionError::NotWelcomed { wait }.into()),
        }
    }

    /// Puts a reading into the outbox; [`Self::publications`] seals it as soon as it may go.
    pub(in crate::device) fn send(&self, data: &[u8]) -> Result<(), DataError> {
        check_length(data)?;
        let mut state = self.state();
        if state.outbox.len() >= OUTBOX {
            return Err(DataError::OutboxFull { limit: OUTBOX });
        }
        state.outbox.push_back(data.to_vec());
        Ok(())
    }

    pub(in crate::device) fn publications(&self) -> Result<Vec<Publication>, Error> {
        let now = self.clock.monotonic();
        let mut state = self.state();
        let mut made = Vec::new();
        match self.publish(&mut state, now, &mut made) {
            // What is sealed goes out; what failed is tried again, and says so then.
            Err(error) if made.is_empty() => Err(error),
            Ok(()) | Err(_) => Ok(made),
        }
    }

    pub(in crate::device) fn next_due(&self) -> Option<Duration> {
        let now = self.clock.monotonic();
        let state = self.state();
        let wait = if state.answers.is_empty() {
            state.hellos.due().saturating_sub(now)
        } else {
            Duration::ZERO
        };
        let reading = match state.outbox.is_empty() {
            true => wait,
            false => state.holds_for(now).unwrap_or_default(),
        };
        Some(wait.min(reading))
    }

    fn publish(
        &self,
        state: &mut State,
        now: Duration,
        made: &mut Vec<Publication>,
    ) -> Result<(), Error> {
        let publication = |topic: &std::sync::Arc<str>, payload| Publication {
            topic: std::sync::Arc::clone(topic),
            payload,
            qos: 1,
            retain: false,
        };
        while let Some(answer) = state.answers.front().copied() {
            let frame = state.seal_answer(answer)?;
            made.push(publication(&self.topics.up, frame));
            state.answers.pop_front();
        }
        if now >= state.hellos.due() {
            let frame = self.seal_hello(state, now)?;
            made.push(publication(&self.topics.hello, frame));
            state.hellos.sent(now);
        }
        while state.holds_for(now).is_none() {
            let Some(reading) = state.outbox.pop_front() else {
                break;
            };
            match state.seal_reading(&reading, now) {
                Ok(frame) => made.push(publication(&self.topics.up, frame)),
                Err(error) => {
                    state.outbox.push_front(reading);
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// H1, H2: the session that waits for its welcome, or a new one, with a new counter.
    fn seal_hello(&self, state: &mut State, now: Duration) -> Result<Vec<u8>, Error> {
        let beacon = state.beacon.newest().copied();
        let counter = state.identity.take_counter()?;
        let waiting = state.sessions.pending().copied();
        let drawn = match waiting {
            Some(drawn) if drawn.with_beacon || beacon.is_none() => drawn,
            Some(_) | None => {
                let mut random = [0; 16];
                self.random.fill(&mut random)?;
                let (key, zeros) = (state.identity.key(), Session::default());
                let drawn = Drawn {
                    session: device_session(
                        key,
                        counter,
                        beacon.as_ref().unwrap_or(&zeros),
                        &random,
                    ),
                    with_beacon: beacon.is_some(),
                };
                state.sessions.draw(drawn, now);
                drawn
            }
        };
        let hello = Hello {
            session: drawn.session,
            firmware: &self.firmware,
        };
        state.seal(Kind::Hello, counter, beacon.as_ref(), &hello.to_bytes())
    }
}

impl State {
    /// How long readings have to wait yet (H2).
    fn holds_for(&self, now: Duration) -> Option<Duration> {
        (!self.welcomed && now < self.hold_until).then(|| self.hold_until.saturating_sub(now))
    }

    /// H3
    fn seal_reading(&mut self, data: &[u8], now: Duration) -> Result<Vec<u8>, Error> {
        let session = match self.welcomed {
            true => None,
            false => self.beacon.for_readings(now).copied(),
        };
        let counter = self.identity.take_counter()?;
        self.seal(Kind::Data, counter, session.as_ref(), data)
    }

    fn seal_answer(&mut self, answer: Answer) -> Result<Vec<u8>, Error> {
        let control = match answer.tag {
            Some(tag) => Control::Ack { tag },
            None => Control::Mode { mode: self.mode },
        };
        let counter = self.identity.take_counter()?;
        self.seal(
            Kind::Control,
            counter,
            Some(&answer.session),
            &control.to_bytes(),
        )
    }

    fn seal(
        &self,
        kind: Kind,
        counter: u64,
        session: Option<&Session>,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let sealing = Sealing {
            kind,
            epoch: self.identity.epoch(),
            address: self.identity.address(),
            counter,
            session,
            context: b"",
        };
        Ok(seal(self.identity.uplink(), &sealing, plaintext)?)
    }
}

/// Before it costs a counter, or waits in the outbox.
fn check_length(data: &[u8]) -> Result<(), DataError> {
    if data.len() > FRAME_BYTES_MAX - OVERHEAD_BYTES {
        let limit = FRAME_BYTES_MAX;
        return Err(DataError::FrameTooLong { limit });
    }
    Ok(())
}
