//! `Message`: as numbers where speed counts, as an object where it does not.

use std::sync::Arc;

use espseal::{Judged, Keyring, Message as CoreMessage, Reason};
use napi::bindgen_prelude::{BigInt, Buffer};
use napi_derive::napi;

/// A message with everything in it.
#[napi(object, object_from_js = false)]
pub struct Message {
    pub verdict: &'static str,
    pub device: Option<String>,
    pub node_id: Option<String>,
    pub group: Option<String>,
    pub data: Option<Buffer>,
    pub kind: &'static str,
    pub address: Option<String>,
    pub counter: Option<BigInt>,
    pub epoch: Option<u16>,
    pub advanced: bool,
    pub session_bound: bool,
    pub replay_protected: bool,
    pub mode: Option<u8>,
    pub acknowledged: Option<String>,
    /// The number of what is handed over and not done.
    pub undone: Option<u32>,
    pub reason: String,
}

impl From<CoreMessage> for Message {
    fn from(message: CoreMessage) -> Self {
        let text = |text: Option<Arc<str>>| text.map(|text| text.to_string());
        Self {
            verdict: message.verdict.code(),
            device: text(message.device),
            node_id: text(message.node_id),
            group: text(message.group),
            data: message.data.map(Buffer::from),
            kind: message.kind.code(),
            address: message.address.map(|address| address.to_string()),
            counter: message.counter.map(BigInt::from),
            epoch: message.epoch,
            advanced: message.advanced,
            session_bound: message.session_bound,
            replay_protected: message.replay_protected,
            mode: message.mode,
            acknowledged: message.acknowledged.as_ref().map(|tag| hex(tag)),
            undone: None,
            reason: message.reason.to_string(),
        }
    }
}

impl Message {
    pub(crate) fn of_receiver(judged: &Judged, keyring: &Keyring, undone: Option<u32>) -> Self {
        let device = judged.device.and_then(|place| keyring.devices().get(place));
        let group = judged.group.and_then(|place| keyring.groups().get(place));
        Self {
            verdict: judged.verdict.code(),
            device: device.map(|device| device.name.to_string()),
            node_id: judged.node_id(keyring).map(ToString::to_string),
            group: group.map(|group| group.name.to_string()),
            data: judged.data().map(|data| data.to_vec().into()),
            kind: judged.kind.code(),
            address: judged.address.map(|address| address.to_string()),
            counter: judged.counter.map(BigInt::from),
            epoch: judged.epoch,
            advanced: judged.advanced,
            session_bound: judged.session_bound,
            replay_protected: judged.replay_protected,
            mode: judged.mode,
            acknowledged: judged.acknowledged.as_ref().map(|tag| hex(tag)),
            undone,
            reason: judged.reason.to_string(),
        }
    }
}

/// Lower-case hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The reasons of fresh messages: unprotected from replays, and protected.
#[napi]
pub fn fresh_reasons() -> Vec<String> {
    vec![
        Reason::FreshUnprotected.to_string(),
        Reason::Fresh.to_string(),
    ]
}
