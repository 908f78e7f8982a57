//! What a receiver answers: the verdict, and what a person needs to know about it.

use core::fmt;
use std::sync::Arc;

use crate::device::DeviceReason;
use crate::malformed::Malformed;
use crate::receiver::{SealedReason, Ticket};
use crate::sealed::{Address, Kind};
use crate::verdict::Verdict;

/// A frame and what the receiver says of it. Nothing that has not verified is in it.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// The answer.
    pub verdict: Verdict,
    /// The device's name in the keyring.
    pub device: Option<Arc<str>>,
    /// The classic group whose keys verified the frame.
    pub group: Option<Arc<str>>,
    /// The verified node ID; bytes that are not printable ASCII as `\xNN`.
    pub node_id: Option<Arc<str>>,
    /// The reading; there exactly when the verdict is [`Verdict::Fresh`] and the kind
    /// [`Kind::Data`].
    pub data: Option<Vec<u8>>,
    /// What the data is for.
    pub kind: Kind,
    /// The address of a sealed frame; None for a classic one, which has a node ID.
    pub address: Option<Address>,
    /// The counter of a sealed frame.
    pub counter: Option<u64>,
    /// How often the key of a sealed frame was ratcheted.
    pub epoch: Option<u16>,
    /// Whether it is newer than everything accepted of its device before, as far as the format
    /// tells: fresh classic frames are taken as they come.
    pub advanced: bool,
    /// Whether it verified under a session, live or expired.
    pub session_bound: bool,
    /// Whether a second copy would be refused.
    pub replay_protected: bool,
    /// `V` of what a device acknowledges with a control frame.
    pub acknowledged: Option<[u8; 16]>,
    /// The mode that a device tells with a control frame.
    pub mode: Option<u8>,
    /// What [`crate::Receiver::done`] takes; there only under [`crate::Delivery::AtLeastOnce`].
    pub ticket: Option<Ticket>,
    /// Why.
    pub reason: Reason,
}

impl Message {
    pub(crate) const fn new(verdict: Verdict, reason: Reason) -> Self {
        Self {
            verdict,
            device: None,
            group: None,
            node_id: None,
            data: None,
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
            reason,
        }
    }
}

/// A plaintext stays out of logs.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("verdict", &self.verdict)
            .field("device", &self.device)
            .field("node_id", &self.node_id)
            .finish_non_exhaustive()
    }
}

/// Why a frame got its verdict; displayed as one sentence that says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It is new.
    Fresh,
    /// It is new, and nothing will tell a later copy from it for ever.
    FreshUnprotected,
    /// It is no frame.
    Malformed(Malformed),
    /// No key set is for this topic.
    NoKeys,
    /// No key set and session fits.
    NotVerified {
        /// How many key sets were tried.
        key_sets: usize,
    },
    /// A command or a peer message where readings are opened, or the reverse.
    WrongDirection,
    /// A verified node that the keyring does not list.
    Unlisted {
        /// What adds it.
        remedy: String,
    },
    /// Its session has expired.
    Expired,
    /// It has no session, and the keyring does not allow that.
    NoFreshness,
    /// The session accepted as many frames as it can remember.
    SessionFull,
    /// It was accepted before.
    Accepted,
    /// It would be stale, but is the broker's retained copy.
    RetainedStale,
    /// Of a sealed frame.
    Sealed(SealedReason),
    /// What only a device says.
    Device(DeviceReason),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fresh => f.write_str("it is verified and new"),
            Self::FreshUnprotected => f.write_str(
                "it is verified, but carries no session: only the last 1024 frames are known again",
            ),
            Self::Malformed(malformed) => write!(f, "it is no frame: {malformed}"),
            Self::NoKeys => f.write_str(
                "no group of the keyring that has keys has a topic filter that matches this topic",
            ),
            Self::NotVerified { key_sets } => write!(
                f,
                "it verifies under none of the {key_sets} key sets of this topic: it was changed on its way, the device has other keys, or its session ID is not ours"
            ),
            Self::WrongDirection => f.write_str(
                "it is verified, but not addressed to this end: it was reflected or sent to another topic",
            ),
            Self::Unlisted { remedy } => write!(
                f,
                "it is verified, but the keyring does not list this node; {remedy}"
            ),
            Self::Expired => f.write_str(
                "it is verified, but its session has expired: it is old, or the device does not hear the session topic",
            ),
            Self::NoFreshness => f.write_str(
                "it is verified, but carries no session, so anyone could have recorded it; `danger_accept_replays = true` in its group takes it all the same",
            ),
            Self::SessionFull => f.write_str(
                "it is verified, but its session has accepted as many frames as it remembers; raise `session_memory` in its group",
            ),
            Self::Accepted => f.write_str("it was accepted before"),
            Self::RetainedStale => {
                f.write_str("it is the broker's retained copy of an old frame")
            }
            Self::Sealed(reason) => reason.fmt(f),
            Self::Device(reason) => reason.fmt(f),
        }
    }
}
