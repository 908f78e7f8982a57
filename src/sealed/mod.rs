//! The sealed frame: a key for each device, AES-SIV, a counter ([`spec`]).
//!
//! Stateless: keys, session, counter and frame are arguments. [`crate::Receiver`],
//! [`crate::Sender`] and [`crate::Device`] add the keyring and what has to be remembered.

mod address;
mod armor;
mod control;
mod frame;
mod keys;
mod open;
mod seal;
mod window;

pub use address::Address;
pub use armor::{armor, disarm};
pub use control::{Control, Hello};
pub(crate) use frame::{ARMOR_START, MAGIC};
pub use frame::{Direction, FRAME_BYTES_MAX, Frame, Header, Kind, OVERHEAD_BYTES};
pub use keys::{FrameKeys, Session, device_session};
pub(crate) use open::open_into;
pub use open::{Opened, open};
pub use seal::{Sealing, seal};
pub use window::{Place, Window};

#[doc = include_str!("../SEALED.md")]
pub mod spec {}
