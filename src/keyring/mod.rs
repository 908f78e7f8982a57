//! The keyring: what people decide. Devices, their keys, and how they send.
//!
//! A TOML file, mode 0600, read-only to the receiver; [`KeyringFile`] changes it.

mod device_file;
mod edit;
mod fleet;
mod model;
mod own_topics;
mod parse;
mod parse_fleet;
mod place;
mod provision;
mod reader;

pub(crate) use device_file::parse_device;
pub use edit::{KeyringFile, NewAddress, NewFleet, NewGroup, Part, SealedAddress, SealedTopics};
pub use fleet::{Fleet, Sealed};
pub use model::{Classic, Device, Group, KeySet, Keyring, Policy, SessionTimes};
pub(crate) use place::read_secret_file;
pub use provision::Provision;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_edit;
#[cfg(test)]
mod tests_fleet;
