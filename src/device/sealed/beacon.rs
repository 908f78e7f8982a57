//! The beacon's session as a device hears it. A device cannot tell a true one from a false one.

use std::time::Duration;

use crate::device::session_text;
use crate::sealed::Session;

/// H3: a reading is bound to none that is older.
const FOR_READINGS: Duration = Duration::from_secs(60);

#[derive(Default)]
pub(super) struct Beacon(Option<(Session, Duration)>);

impl Beacon {
    /// Takes a payload of the beacon topic; false if it is none.
    pub(super) fn hear(&mut self, payload: &[u8], now: Duration) -> bool {
        let mut session = Session::default();
        let digits = session_text(payload);
        let read = digits.and_then(|digits| base16ct::lower::decode(digits, &mut session).ok());
        if read.is_none() {
            return false;
        }
        // One that is shown again is not younger for it.
        if self.0.is_none_or(|(known, _)| known != session) {
            self.0 = Some((session, now));
        }
        true
    }

    /// Of any age: while none comes there is no host that would answer.
    pub(super) fn newest(&self) -> Option<&Session> {
        self.0.as_ref().map(|(session, _)| session)
    }

    pub(super) fn for_readings(&self, now: Duration) -> Option<&Session> {
        let (session, heard) = self.0.as_ref()?;
        (now.saturating_sub(*heard) <= FOR_READINGS).then_some(session)
    }
}
