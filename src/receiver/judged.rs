//! What became of a frame, before anything is copied for the application.

use core::fmt;
use core::ops::Range;
use std::sync::Arc;

use super::Ticket;
use crate::keyring::Keyring;
use crate::message::{Message, Reason};
use crate::plaintext::Bytes;
use crate::sealed::{Address, Kind};
use crate::verdict::Verdict;

/// What [`crate::Receiver::judge`] answers: a [`Message`] that names devices by their places.
#[derive(Clone)]
pub struct Judged {
    /// The answer.
    pub verdict: Verdict,
    /// Which of [`Keyring::devices`] it is of.
    pub device: Option<usize>,
    /// Which of [`Keyring::groups`] has the keys that verified it.
    pub group: Option<usize>,
    /// [`Message::kind`]
    pub kind: Kind,
    /// [`Message::address`]
    pub address: Option<Address>,
    /// [`Message::counter`]
    pub counter: Option<u64>,
    /// [`Message::epoch`]
    pub epoch: Option<u16>,
    /// [`Message::advanced`]
    pub advanced: bool,
    /// [`Message::session_bound`]
    pub session_bound: bool,
    /// [`Message::replay_protected`]
    pub replay_protected: bool,
    /// [`Message::acknowledged`]
    pub acknowledged: Option<[u8; 16]>,
    /// [`Message::mode`]
    pub mode: Option<u8>,
    /// [`Message::ticket`]
    pub ticket: Option<Ticket>,
    /// [`Message::reason`]
    pub reason: Reason,
    /// Which of [`Keyring::devices`] it claims to be of, verified or not.
    pub(super) claimed: Option<usize>,
    /// A verified node ID that the keyring does not list, for people.
    pub unlisted: Option<Arc<str>>,
    /// Where the frame was decrypted; empty unless the verdict is [`Verdict::Fresh`].
    pub(super) plain: Bytes,
    /// Where the reading is in it.
    pub(super) reading: Range<usize>,
}

impl Default for Judged {
    /// Nothing was judged yet.
    fn default() -> Self {
        Self {
            verdict: Verdict::Malformed,
            device: None,
            group: None,
            kind: Kind::Data,
            address: None,
            counter: None,
            epoch: None,
            advanced: false,
            session_bound: false,
            replay_protected: true,
            acknowledged: None,
            mode: None,
            ticket: None,
            reason: Reason::NoKeys,
            claimed: None,
            unlisted: None,
            plain: Bytes::new(),
            reading: 0..0,
        }
    }
}

impl Judged {
    /// For the next frame; the buffer stays.
    pub(super) fn clear(&mut self) {
        let Self {
            verdict: _,
            device,
            group,
            kind,
            address,
            counter,
            epoch,
            advanced,
            session_bound,
            replay_protected,
            acknowledged,
            mode,
            ticket,
            reason: _,
            claimed,
            unlisted,
            plain,
            reading,
        } = self;
        (*device, *group, *claimed, *unlisted) = (None, None, None, None);
        (*address, *counter, *epoch) = (None, None, None);
        (*acknowledged, *mode, *ticket) = (None, None, None);
        (*advanced, *session_bound, *replay_protected) = (false, false, true);
        (*kind, *reading) = (Kind::Data, 0..0);
        plain.clear();
    }

    pub(super) const fn verified(&mut self, group: usize, device: Option<usize>, bound: bool) {
        self.group = Some(group);
        self.device = device;
        self.session_bound = bound;
        self.replay_protected = bound;
    }

    /// [`Message::data`]
    #[must_use]
    pub fn data(&self) -> Option<&[u8]> {
        let reading = self.verdict == Verdict::Fresh && self.kind == Kind::Data;
        reading.then(|| self.plain.get(self.reading.clone()).unwrap_or_default())
    }

    /// The verified node ID of a classic frame; bytes that are not printable ASCII as `\xNN`.
    #[must_use]
    pub fn node_id<'a>(&'a self, keyring: &'a Keyring) -> Option<&'a Arc<str>> {
        let listed = || {
            self.group?;
            let device = keyring.devices().get(self.device?)?;
            device.classic.as_ref()?.node_id.as_ref()
        };
        self.unlisted.as_ref().or_else(listed)
    }

    pub(super) fn into_message(self, keyring: &Keyring) -> Message {
        let device = self.device.and_then(|place| keyring.devices().get(place));
        let group = self.group.and_then(|place| keyring.groups().get(place));
        Message {
            verdict: self.verdict,
            device: device.map(|device| Arc::clone(&device.name)),
            group: group.map(|group| Arc::clone(&group.name)),
            node_id: self.node_id(keyring).cloned(),
            data: self.data().map(<[u8]>::to_vec),
            kind: self.kind,
            address: self.address,
            counter: self.counter,
            epoch: self.epoch,
            advanced: self.advanced,
            session_bound: self.session_bound,
            replay_protected: self.replay_protected,
            acknowledged: self.acknowledged,
            mode: self.mode,
            ticket: self.ticket,
            reason: self.reason,
        }
    }
}

/// A plaintext stays out of logs.
impl fmt::Debug for Judged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Judged")
            .field("verdict", &self.verdict)
            .field("device", &self.device)
            .field("group", &self.group)
            .finish_non_exhaustive()
    }
}
