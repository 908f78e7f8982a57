//! The keyring: what people decide. Devices, their keys, and how they send.
//!
//! A TOML file, mode 0600, read-only to the receiver; [`KeyringFile`] changes it.

mod device_file;
mod edit;
mod model;
mod parse;
mod place;
mod reader;

pub(crate) use device_file::parse_device;
pub use edit::{KeyringFile, NewAddress, NewGroup};
pub use model::{Classic, Device, Group, KeySet, Keyring, Policy, SessionTimes};

#[cfg(test)]
mod tests;
