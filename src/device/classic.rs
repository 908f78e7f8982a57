//! A classic device's own end (`CLASSIC.md`).

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{SessionText, session_text};
use crate::classic::{Frame, Layout, NodeField, PreparedKeys, Scheme, open, seal};
use crate::clock::Random;
use crate::error::{Error, KeyringError, SessionError};
use crate::keyring::{Classic, Device as Entry, Keyring, parse_device};
use crate::message::{Message, Reason};
use crate::verdict::Verdict;

/// How many of the command sessions drawn last are open, as far as they are unused: the one that
/// the device shows and the one before. A command that is held back dies with its session.
const DRAWN_KEPT: u64 = 2;
/// How many used ones it keeps, to tell a repeated command from a forged one.
const USED_KEPT: usize = 8;

/// One classic device: its keys, its address, and the session IDs that it has heard and drawn.
pub(super) struct ClassicDevice {
    name: Arc<str>,
    node_id: Box<[u8]>,
    scheme: Scheme,
    keys: PreparedKeys,
    topic: Option<Arc<str>>,
    session_topic: Option<Arc<str>>,
    random: Arc<dyn Random>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    heard: Option<SessionText>,
    /// With its place in the order in which they were drawn.
    drawn: VecDeque<(u64, SessionText)>,
    draws: u64,
    used: VecDeque<(SessionText, [u8; 20])>,
}

impl ClassicDevice {
    /// With its keys out of the keyring.
    pub(super) fn from_keyring(
        keyring: &Keyring,
        device: &Entry,
        classic: &Classic,
        random: Arc<dyn Random>,
    ) -> Self {
        let group = keyring.groups().get(classic.group);
        let keys = group.and_then(|group| group.key_sets.get(classic.key_set));
        let (Some(group), Some(keys)) = (group, keys) else {
            unreachable!("a valid keyring has them")
        };
        let port = group.scheme.layout == Layout::Port;
        let topic = match port {
            true => String::from_utf8(classic.address.to_vec())
                .ok()
                .map(Into::into),
            false => None,
        };
        Self {
            name: Arc::clone(&device.name),
            node_id: classic.address.clone(),
            scheme: group.scheme,
            keys: keys.keys.clone(),
            topic,
            session_topic: group.session_topic.clone(),
            random,
            state: Mutex::default(),
        }
    }

    /// With its keys out of a file of its own.
    pub(super) fn load(path: &Path, random: Arc<dyn Random>) -> Result<Self, KeyringError> {
        let parts = parse_device(path)?;
        Ok(Self {
            name: parts.name,
            node_id: parts.address,
            scheme: parts.scheme,
            keys: (&parts.keys).into(),
            topic: Some(parts.topic),
            session_topic: parts.session_topic,
            random,
            state: Mutex::default(),
        })
    }

    pub(super) const fn name(&self) -> &Arc<str> {
        &self.name
    }

    pub(super) const fn topic(&self) -> Option<&Arc<str>> {
        self.topic.as_ref()
    }

    pub(super) const fn session_topic(&self) -> Option<&Arc<str>> {
        self.session_topic.as_ref()
    }

    pub(super) fn hear(&self, payload: &[u8]) -> bool {
        match session_text(payload) {
            Some(text) => {
                self.state().heard = Some(text);
                true
            }
            None => false,
        }
    }

    pub(super) fn seal(&self, data: &[u8]) -> Result<Vec<u8>, Error> {
        self.seal_field(NodeField::Reading(&self.node_id), data)
    }

    pub(super) fn seal_to(&self, to: &[u8], data: &[u8]) -> Result<Vec<u8>, Error> {
        let from = &self.node_id;
        self.seal_field(NodeField::Peer { from, to }, data)
    }

    pub(super) fn draw_command_session(&self) -> Result<SessionText, Error> {
        let mut id = [0; 16];
        self.random.fill(&mut id)?;
        let mut text = [0; 32];
        if base16ct::lower::encode(&id, &mut text).is_err() {
            unreachable!("32 digits hold 16 bytes")
        }
        let mut state = self.state();
        let draw = state.draws;
        state.draws += 1;
        state.drawn.push_back((draw, text));
        state.drawn.retain(|(before, _)| draw - before < DRAWN_KEPT);
        Ok(text)
    }

    /// Under a session that this device drew, each session once.
    pub(super) fn open(&self, payload: &[u8]) -> Message {
        let frame = match Frame::parse(payload, false) {
            Ok(frame) => frame,
            Err(malformed) => {
                return Message::new(Verdict::Malformed, Reason::Malformed(malformed));
            }
        };
        let mut state = self.state();
        let drawn = state.drawn.len();
        let used = state.used.iter().map(|(text, _)| *text);
        let unused = state.drawn.iter().map(|(_, text)| *text);
        let texts: Vec<SessionText> = unused.chain(used).collect();
        let Some(opened) = open(&frame, &self.keys, &texts, &self.scheme) else {
            let reason = Reason::NotVerified { key_sets: 1 };
            return Message::new(Verdict::Forged, reason);
        };
        let from = match opened.field() {
            NodeField::Command(to) if *to == *self.node_id => None,
            NodeField::Peer { from, to } if *to == *self.node_id => {
                Some(from.escape_ascii().to_string().into())
            }
            NodeField::Reading(_) | NodeField::Command(_) | NodeField::Peer { .. } => {
                return Message::new(Verdict::WrongDirection, Reason::WrongDirection);
            }
        };
        let say = |verdict, reason| Message {
            node_id: from.clone(),
            advanced: verdict == Verdict::Fresh,
            session_bound: true,
            ..Message::new(verdict, reason)
        };
        if let Some(before) = opened.session.checked_sub(drawn) {
            return match state.used.get(before) {
                Some((_, mac)) if mac == frame.mac() => say(Verdict::Duplicate, Reason::Accepted),
                _ => say(Verdict::StaleSession, Reason::Expired),
            };
        }
        if let Some((_, text)) = state.drawn.remove(opened.session) {
            state.used.push_back((text, *frame.mac()));
        }
        if state.used.len() > USED_KEPT {
            state.used.pop_front();
        }
        Message {
            data: Some(opened.data().to_vec()),
            ..say(Verdict::Fresh, Reason::Fresh)
        }
    }

    fn seal_field(&self, field: NodeField<'_>, data: &[u8]) -> Result<Vec<u8>, Error> {
        let heard = self.state().heard;
        let sessionless = self.scheme.layout == Layout::Port || self.scheme.danger_accept_replays;
        let session: &[u8] = match &heard {
            Some(text) => text,
            None if sessionless => b"",
            None => {
                let topic = self.session_topic.as_deref().unwrap_or_default().to_owned();
                return Err(SessionError::NoSession { topic }.into());
            }
        };
        seal(
            &self.keys,
            &self.scheme,
            field,
            data,
            session,
            &*self.random,
        )
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
