//! A sealed device's own end (`SEALED.md`).
//!
//! `opening` and `sealing` are what it does. Below them lie what it knows: `identity` (key and
//! counter, in a `record` in a `state_file`), `sessions`, `hellos` (when it says one), `beacon`.

mod beacon;
mod device;
mod hellos;
mod identity;
mod opening;
mod record;
mod replace;
mod sealing;
mod sessions;
mod state_file;

pub(super) use device::SealedDevice;
