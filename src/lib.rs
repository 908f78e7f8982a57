#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod classic;
pub mod clock;
mod device;
pub mod error;
mod folders;
mod format;
mod inspect;
pub mod key;
pub mod keyring;
mod malformed;
mod message;
mod plaintext;
mod primitives;
mod receiver;
pub mod sealed;
mod sender;
pub mod store;
mod topic;
mod verdict;

pub use device::{Device, DeviceOptions, DeviceReason, Format, Mqtt};
pub use error::{
    DataError, DeliveryError, Error, FormatError, KeyringError, KeyringProblem, RandomError,
    SessionError, StateError, StoreError,
};
pub use format::is_sealed;
pub use inspect::{
    Claims, DeviceSessionAge, Field, Finding, Fit, FitSession, Inspection, KeysOf, Listed, Mistake,
    Parsed, SealedFinding, SealedFit, SealedInspection, SealedSession, SessionsTried, inspect,
    tidy,
};
pub use key::ClassicKeys;
pub use keyring::{Keyring, KeyringFile};
pub use malformed::{Malformed, MalformedReason};
pub use message::{Message, Reason};
pub use receiver::{
    Delivery, Judged, Publication, Receiver, ReceiverOptions, SealedReason, Ticket,
};
pub use sealed::Kind;
pub use sender::Sender;
pub use store::{Durability, MemoryStore, SqliteStore, Store};
pub use topic::TopicFilter;
pub use verdict::Verdict;
