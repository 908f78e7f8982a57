//! What a frame is: the verdicts, in their order (`CLASSIC.md`, O1 to R5).

use std::sync::Arc;
use std::time::Duration;

use super::Receiver;
use super::pool::View;
use crate::classic::{Frame, Layout, NodeField, Opened, SessionId, is_node_id, open};
use crate::error::Error;
use crate::keyring::{Device, Group};
use crate::message::{Message, Reason};
use crate::store::{Acceptance, Accepting, Copy};
use crate::verdict::Verdict;

/// A frame that verified, and under what.
struct Verified<'a> {
    group_index: usize,
    group: &'a Group,
    key_set: usize,
    session: Session,
    opened: Opened,
}

/// What a frame verified under.
enum Session {
    /// A session ID, live or expired.
    Id(SessionId),
    /// The empty one, or none at all.
    None,
}

impl Receiver {
    pub(super) fn judge(
        &self,
        payload: &[u8],
        topic: Option<&str>,
        retained: bool,
    ) -> Result<Message, Error> {
        let all = self.keyring.groups().iter().enumerate();
        let groups: Vec<(usize, &Group)> = all
            .filter(|(_, group)| topic.is_none_or(|topic| group.topic.matches(topic)))
            .collect();
        let port_allowed = groups
            .iter()
            .any(|(_, group)| group.scheme.layout == Layout::Port);
        let frame = match Frame::parse(payload, port_allowed) {
            Ok(frame) => frame,
            Err(malformed) => {
                let reason = Reason::Malformed(malformed);
                return Ok(Message::new(Verdict::Malformed, reason));
            }
        };

        let now = self.clock.monotonic();
        // O4 to O7: every key set is tried, whichever fits.
        let mut verified = None;
        let mut key_sets = 0;
        for &(group_index, group) in &groups {
            let found = self.verify(&frame, group_index, group, topic, now);
            key_sets += group.key_sets.len();
            verified = prefer_listed(verified, found, topic);
        }
        let message = match verified {
            Some(verified) => self.judge_verified(&frame, verified, topic, now)?,
            None => self.judge_unverified(&frame, &groups, key_sets)?,
        };
        // R3: under `strict` a session is good for one frame, whatever it was.
        for (index, _) in groups.iter().filter(|(_, group)| group.is_strict()) {
            if let Some(pool) = self.pools().get_mut(*index) {
                pool.retire(None, now, self.clock.wall());
            }
        }
        // R5
        Ok(match message.verdict {
            Verdict::StaleSession if retained => Message {
                verdict: Verdict::Duplicate,
                reason: Reason::RetainedStale,
                ..message
            },
            _ => message,
        })
    }

    fn verify<'a>(
        &self,
        frame: &Frame,
        group_index: usize,
        group: &'a Group,
        topic: Option<&str>,
        now: Duration,
    ) -> Option<Verified<'a>> {
        let view: Arc<View> = self.pools().get_mut(group_index)?.view(now);
        let mut verified = None;
        for (key_set, keys) in group.key_sets.iter().enumerate() {
            let Some(opened) = open(frame, &keys.keys, &view.texts, &group.scheme) else {
                continue;
            };
            let session = match (frame.layout(), view.ids.get(opened.session)) {
                (Layout::Hex | Layout::Raw, Some(id)) => Session::Id(*id),
                (Layout::Port, _) | (_, None) => Session::None,
            };
            let found = Verified {
                group_index,
                group,
                key_set,
                session,
                opened,
            };
            verified = prefer_listed(verified, Some(found), topic);
        }
        verified
    }

    /// O8, O9, then R1 to R5.
    fn judge_verified(
        &self,
        frame: &Frame,
        verified: Verified<'_>,
        topic: Option<&str>,
        now: Duration,
    ) -> Result<Message, Error> {
        let Verified {
            group_index,
            group,
            key_set,
            session,
            opened,
        } = verified;
        let replay_protected = matches!(session, Session::Id(_));
        let say = |verdict, reason| Message {
            group: Some(Arc::clone(&group.name)),
            replay_protected,
            ..Message::new(verdict, reason)
        };
        // O8
        let Some(address) = sender(group, &opened, topic) else {
            return Ok(say(Verdict::WrongDirection, Reason::WrongDirection));
        };
        // O9
        let listed = group.device(address);
        let device = listed.and_then(|index| self.keyring.devices().get(index));
        let owner = group.key_sets.get(key_set).and_then(|keys| keys.owner);
        let device = match (device, owner) {
            (Some(device), _) if uses(device, key_set) => device,
            (None, None) => {
                let remedy = how_to_list(group, address);
                return Ok(Message {
                    node_id: Some(address.escape_ascii().to_string().into()),
                    ..say(Verdict::UnknownDevice, Reason::Unlisted { remedy })
                });
            }
            // The keys of one device in a frame of another, or the group's for one with its own.
            (Some(_), _) | (None, Some(_)) => {
                let key_sets = group.key_sets.len();
                let reason = Reason::NotVerified { key_sets };
                return Ok(Message::new(Verdict::Forged, reason));
            }
        };
        let known = |verdict, reason| Message {
            device: Some(Arc::clone(&device.name)),
            node_id: device
                .classic
                .as_ref()
                .and_then(|classic| classic.node_id.clone()),
            ..say(verdict, reason)
        };

        let copy = Copy {
            mac: *frame.mac(),
            fingerprint: frame.fingerprint(),
        };
        let mut pools = self.pools();
        let Some(pool) = pools.get_mut(group_index) else {
            unreachable!("one pool a group")
        };
        // R1
        let session = match &session {
            Session::Id(id) if pool.is_live(id) => Some(id),
            Session::None if group.scheme.danger_accept_replays => None,
            Session::None => return Ok(known(Verdict::StaleSession, Reason::NoFreshness)),
            Session::Id(_) => {
                return Ok(match self.recall(group, &copy)? {
                    Some(_) => known(Verdict::Duplicate, Reason::Accepted),
                    None => known(Verdict::StaleSession, Reason::Expired),
                });
            }
        };
        // R2, R4: stored before it is handed over.
        let accepting = Accepting {
            group: &group.name,
            session,
            address,
            copy,
            limit: group.session_memory,
        };
        let mut acceptance = Acceptance::Full;
        self.store.transact(&mut |transaction| {
            acceptance = transaction.accept(&accepting)?;
            Ok(())
        })?;
        Ok(match acceptance {
            Acceptance::Known => known(Verdict::Duplicate, Reason::Accepted),
            Acceptance::Full => {
                pool.retire(session, now, self.clock.wall());
                known(Verdict::StaleSession, Reason::SessionFull)
            }
            Acceptance::New { last } => {
                if last {
                    pool.retire(session, now, self.clock.wall());
                }
                let reason = match session {
                    Some(_) => Reason::Fresh,
                    None => Reason::FreshUnprotected,
                };
                if group.is_strict() {
                    // Under the same lock: no other thread may use this session meanwhile.
                    pool.retire(None, now, self.clock.wall());
                }
                let fresh = known(Verdict::Fresh, reason);
                Message {
                    data: Some(opened.data),
                    ..fresh
                }
            }
        })
    }

    /// The broker's retained copy of a frame whose session is long gone stays a duplicate (R2).
    fn judge_unverified(
        &self,
        frame: &Frame,
        groups: &[(usize, &Group)],
        key_sets: usize,
    ) -> Result<Message, Error> {
        let copy = Copy {
            mac: *frame.mac(),
            fingerprint: frame.fingerprint(),
        };
        for (_, group) in groups {
            if let Some(address) = self.recall(group, &copy)? {
                let listed = group.device(&address);
                let device = listed.and_then(|index| self.keyring.devices().get(index));
                return Ok(Message {
                    device: device.map(|device| Arc::clone(&device.name)),
                    group: Some(Arc::clone(&group.name)),
                    ..Message::new(Verdict::Duplicate, Reason::Accepted)
                });
            }
        }
        let reason = match key_sets {
            0 => Reason::NoKeys,
            key_sets => Reason::NotVerified { key_sets },
        };
        Ok(Message::new(Verdict::Forged, reason))
    }

    fn recall(&self, group: &Group, copy: &Copy) -> Result<Option<Vec<u8>>, Error> {
        let mut address = None;
        self.store.transact(&mut |transaction| {
            address = transaction.recall(&group.name, copy)?;
            Ok(())
        })?;
        Ok(address)
    }
}

/// Whether frames of `device` verify under this key set and no other.
fn uses(device: &Device, key_set: usize) -> bool {
    device
        .classic
        .as_ref()
        .is_some_and(|classic| classic.key_set == key_set)
}

/// Whose reading it is: the node of its field, or in layout `port` its topic; None if it is no
/// reading (O8).
fn sender<'a>(group: &Group, opened: &'a Opened, topic: Option<&'a str>) -> Option<&'a [u8]> {
    match (group.scheme.layout, opened.field()) {
        (Layout::Port, _) => Some(topic.unwrap_or_default().as_bytes()),
        (Layout::Hex | Layout::Raw, NodeField::Reading(node)) => Some(node),
        (Layout::Hex | Layout::Raw, NodeField::Command(_) | NodeField::Peer { .. }) => None,
    }
}

/// Two groups with the same keys may share a topic: the one that lists the sender is meant.
fn prefer_listed<'a>(
    first: Option<Verified<'a>>,
    second: Option<Verified<'a>>,
    topic: Option<&str>,
) -> Option<Verified<'a>> {
    let lists = |verified: &Verified<'_>| {
        let address = sender(verified.group, &verified.opened, topic);
        address.is_some_and(|address| verified.group.device(address).is_some())
    };
    match (first, second) {
        (Some(first), Some(second)) if !lists(&first) && lists(&second) => Some(second),
        (Some(first), _) => Some(first),
        (None, second) => second,
    }
}

/// What a person does to list the sender of a verified frame: the command, where the address can
/// be typed.
fn how_to_list(group: &Group, address: &[u8]) -> String {
    let quote = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    let text = core::str::from_utf8(address).ok();
    let printable = |byte: u8| (0x20..0x7f).contains(&byte);
    let typed = text.filter(|text| !text.is_empty() && text.bytes().all(printable));
    match (group.scheme.layout, typed) {
        (Layout::Port, None) => {
            "`espseal keyring add device` adds the device of its topic".to_owned()
        }
        (Layout::Hex | Layout::Raw, _) if !is_node_id(address) => {
            "its ID cannot be listed, which takes 1 to 15 bytes without NUL".to_owned()
        }
        (Layout::Hex | Layout::Raw, None) => {
            let digits = base16ct::lower::encode_string(address);
            format!(
                "its ID is no text, so write it into the keyring as `node_id = {{ hex = \"{digits}\" }}`"
            )
        }
        (layout, Some(text)) => {
            let flag = match layout {
                Layout::Port => "--topic",
                Layout::Hex | Layout::Raw => "--node-id",
            };
            let (group, text) = (quote(&group.name), quote(text));
            format!("`espseal keyring add device NAME --group {group} {flag} {text}` adds it")
        }
    }
}
