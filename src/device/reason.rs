//! Why a sealed device gave a verdict: what a host never says.

use core::fmt;

use crate::message::Reason;

/// Why, in a device's words; displayed as one sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceReason {
    /// It names another address.
    OtherDevice,
    /// It is of an epoch that the device left, or has not reached.
    OtherEpoch,
    /// It is bound to no session (C1).
    NotBound,
    /// Its counter lies below the last one accepted (C1).
    Below,
    /// It asks for an epoch that is more than 3 ahead (E4).
    RatchetTooFar,
    /// Its body says nothing that a device knows.
    Ignored,
}

impl fmt::Display for DeviceReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherDevice => "it is addressed to another device",
            Self::OtherEpoch => "its key is of another epoch than this device's",
            Self::NotBound => {
                "it is verified, but bound to no session, so anyone could have recorded it"
            }
            Self::Below => "it is verified, but a newer one came before it",
            Self::RatchetTooFar => {
                "it is verified, but asks for an epoch that is more than 3 ahead of this device's"
            }
            Self::Ignored => {
                "it is verified, but this version does not know what it asks for; it was ignored"
            }
        })
    }
}

impl From<DeviceReason> for Reason {
    fn from(reason: DeviceReason) -> Self {
        Self::Device(reason)
    }
}
