//! Why a sealed frame got its verdict.

use core::fmt;

use crate::message::Reason;
use crate::sealed::Address;

/// Why, of a sealed frame; displayed as one sentence that says what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealedReason {
    /// It goes from a host to a device.
    Downlink,
    /// No device of the keyring has this address.
    UnknownAddress {
        /// Whose it claims to be.
        address: Address,
    },
    /// The keyring says that the device is revoked.
    Revoked,
    /// Its epoch is not accepted (E1).
    WrongEpoch {
        /// The epoch that it claims.
        epoch: u16,
        /// The oldest that is accepted.
        oldest: u16,
        /// The newest.
        newest: u16,
    },
    /// It verifies under none of the device's keys and sessions.
    NotVerified,
    /// The store does not know the device's counter, and the frame does not prove that it is new
    /// (W2, W3).
    Unmet,
    /// Its counter lies below the window.
    Below,
    /// It would be replayed, but is the broker's retained copy.
    RetainedCopy,
    /// A classic frame of a device that sends sealed ones.
    Downgraded,
}

impl fmt::Display for SealedReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Downlink => {
                f.write_str("it goes from a host to a device: it was reflected or sent to another topic")
            }
            Self::UnknownAddress { address } => write!(
                f,
                "it claims to be of {address}, an address that the keyring does not list"
            ),
            Self::Revoked => f.write_str("the keyring says that this device is revoked"),
            Self::WrongEpoch {
                epoch,
                oldest,
                newest,
            } => write!(
                f,
                "it claims epoch {epoch}; of this device {oldest} to {newest} are accepted"
            ),
            Self::NotVerified => f.write_str(
                "it does not verify: it was changed on its way, the device has another key, or the session that it is bound to is not ours",
            ),
            Self::Unmet => f.write_str(
                "it is verified, but this store does not know what the device sent before; the device has to say hello under the beacon's session first",
            ),
            Self::Below => f.write_str(
                "it is verified, but its counter lies too far below the newest one: it is old, or was sent again",
            ),
            Self::RetainedCopy => f.write_str("it is the broker's retained copy of an old frame"),
            Self::Downgraded => f.write_str(
                "it is a verified classic frame of a device that sends sealed ones: it was recorded before, or someone knows the classic keys; take `classic` off the device in the keyring",
            ),
        }
    }
}

impl From<SealedReason> for Reason {
    fn from(reason: SealedReason) -> Self {
        Self::Sealed(reason)
    }
}
