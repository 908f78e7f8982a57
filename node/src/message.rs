//! `Message`: as numbers where speed counts, as an object where it does not.

use std::collections::HashMap;
use std::sync::Arc;

use espseal::{Keyring, Message as CoreMessage, Reason};
use napi::bindgen_prelude::Buffer;
use napi_derive::napi;

/// A message with everything in it.
#[napi(object)]
pub struct Message {
    /// Its place in `verdicts()`.
    pub verdict: u32,
    pub device: Option<String>,
    pub node_id: Option<String>,
    pub group: Option<String>,
    pub data: Option<Buffer>,
    pub replay_protected: bool,
    pub reason: String,
}

impl From<CoreMessage> for Message {
    fn from(message: CoreMessage) -> Self {
        let text = |text: Option<Arc<str>>| text.map(|text| text.to_string());
        Self {
            verdict: place(&message),
            device: text(message.device),
            node_id: text(message.node_id),
            group: text(message.group),
            data: message.data.map(Buffer::from),
            replay_protected: message.replay_protected,
            reason: message.reason.to_string(),
        }
    }
}

/// The reasons of fresh messages: unprotected from replays, and protected.
#[napi]
pub fn fresh_reasons() -> Vec<String> {
    vec![
        Reason::FreshUnprotected.to_string(),
        Reason::Fresh.to_string(),
    ]
}

#[expect(clippy::cast_possible_truncation, reason = "there are eleven verdicts")]
pub(crate) fn place(message: &CoreMessage) -> u32 {
    message.verdict.index() as u32
}

/// The places of the names of a keyring, from 1: JavaScript has the strings already, and a new
/// one for each message would cost more than the cryptography does.
pub(crate) struct Places(HashMap<usize, u32, foldhash::fast::RandomState>);

impl Places {
    pub(crate) fn of<'a>(names: impl Iterator<Item = &'a Arc<str>>) -> Self {
        Self(names.map(address).zip(1..).collect())
    }

    pub(crate) fn devices(keyring: &Keyring) -> Self {
        Self::of(keyring.devices().iter().map(|device| &device.name))
    }

    pub(crate) fn groups(keyring: &Keyring) -> Self {
        Self::of(keyring.groups().iter().map(|group| &group.name))
    }

    /// 0 for none.
    pub(crate) fn place(&self, name: Option<&Arc<str>>) -> u32 {
        let found = name.and_then(|name| self.0.get(&address(name)));
        found.copied().unwrap_or_default()
    }
}

/// The keyring, which lives as long as its receiver, gives each name an address of its own.
fn address(name: &Arc<str>) -> usize {
    name.as_ptr().addr()
}
