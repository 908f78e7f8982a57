//! The classic frame: the article's scheme, made exact ([`spec`]).
//!
//! Stateless: keys, session and frame are arguments. [`crate::Receiver`] adds the keyring,
//! the sessions and the memory of what was accepted.

mod frame;
mod keys;
mod node;
mod open;
mod scheme;
mod seal;
mod session;
mod unverified;

pub(crate) use frame::has_raw_shape;
pub use frame::{FRAME_BYTES_MAX, Frame};
pub use keys::PreparedKeys;
pub use node::NodeField;
pub(crate) use node::is_node_id;
pub(crate) use open::{Fit, open_into};
pub use open::{Opened, open};
pub use scheme::{DataMode, Layout, MacOver, Scheme};
pub use seal::{danger_seal_with_iv, seal};
pub use session::SessionId;
pub(crate) use unverified::Unverified;

#[doc = include_str!("../CLASSIC.md")]
pub mod spec {}
