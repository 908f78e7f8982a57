//! What a frame is: the verdicts, in their order (`CLASSIC.md`, O1 to R5).

use std::time::Duration;

use super::pool::{Pool, UnderSession};
use super::{Judged, Receiver};
use crate::classic::{Frame, Layout, NodeField, Opened, is_node_id, open};
use crate::error::Error;
use crate::keyring::{Device, Group};
use crate::message::Reason;
use crate::store::{Acceptance, Accepting, Copy};
use crate::verdict::Verdict;

/// A frame that verified, and under what.
struct Verified<'a> {
    group_index: usize,
    group: &'a Group,
    key_set: usize,
    opened: Opened,
}

impl Receiver {
    pub(super) fn judge_classic(
        &self,
        payload: &[u8],
        topic: Option<&str>,
        retained: bool,
    ) -> Result<Judged, Error> {
        let port_allowed = || {
            self.groups_of(topic)
                .any(|(_, group)| group.scheme.layout == Layout::Port)
        };
        let frame = match Frame::parse_with(payload, port_allowed) {
            Ok(frame) => frame,
            Err(malformed) => {
                let reason = Reason::Malformed(malformed);
                return Ok(Judged::new(Verdict::Malformed, reason));
            }
        };

        let now = self.clock.monotonic();
        // Until the frame is judged: what it verified under must not change meanwhile, and
        // several locks would cost more than other threads gain.
        let mut pools = self.pools();
        // O4 to O7: every key set is tried, whichever fits.
        let mut verified = None;
        let mut key_sets = 0;
        let mut strict = false;
        for (group_index, group) in self.groups_of(topic) {
            let pool = pool_of(&mut pools, group_index);
            pool.expire(now);
            key_sets += group.key_sets.len();
            strict |= group.is_strict();
            for (key_set, keys) in group.key_sets.iter().enumerate() {
                let opened = open(&frame, &keys.keys, pool.texts(), &group.scheme);
                let found = opened.map(|opened| Verified {
                    group_index,
                    group,
                    key_set,
                    opened,
                });
                verified = prefer_listed(verified, found, topic);
            }
        }
        let mut judged = match verified {
            Some(verified) => {
                let pool = pool_of(&mut pools, verified.group_index);
                self.judge_verified(&frame, verified, topic, pool, now)?
            }
            None => self.judge_unverified(&frame, topic, key_sets)?,
        };
        // R3: under `strict` a session is good for one frame, whatever it was.
        if strict {
            for (index, _) in self.groups_of(topic).filter(|(_, group)| group.is_strict()) {
                pool_of(&mut pools, index).retire(None, now, self.clock.wall());
            }
        }
        // R5
        if retained && judged.verdict == Verdict::StaleSession {
            judged.verdict = Verdict::Duplicate;
            judged.reason = Reason::RetainedStale;
        }
        Ok(judged)
    }

    /// The groups whose frames may come on this topic, with their places.
    fn groups_of(&self, topic: Option<&str>) -> impl Iterator<Item = (usize, &Group)> {
        let all = self.keyring.groups().iter().enumerate();
        all.filter(move |(_, group)| topic.is_none_or(|topic| group.topic.matches(topic)))
    }

    /// O8, O9, then R1 to R4.
    fn judge_verified(
        &self,
        frame: &Frame,
        verified: Verified<'_>,
        topic: Option<&str>,
        pool: &mut Pool,
        now: Duration,
    ) -> Result<Judged, Error> {
        let Verified {
            group_index,
            group,
            key_set,
            opened,
        } = verified;
        let session = match frame.layout() {
            Layout::Hex | Layout::Raw => pool.session(opened.session),
            Layout::Port => UnderSession::Empty,
        };
        let bound = !matches!(session, UnderSession::Empty);
        let say = |verdict, reason| Judged {
            group: Some(group_index),
            session_bound: bound,
            replay_protected: bound,
            ..Judged::new(verdict, reason)
        };
        // O8
        let Some(address) = sender(group, &opened, topic) else {
            return Ok(say(Verdict::WrongDirection, Reason::WrongDirection));
        };
        // O9
        let listed = group.device(address);
        let device = listed.and_then(|index| self.keyring.devices().get(index));
        let owner = group.key_sets.get(key_set).and_then(|keys| keys.owner);
        match (device, owner) {
            (Some(device), _) if uses(device, key_set) => {}
            (None, None) => {
                let remedy = how_to_list(group, address);
                return Ok(Judged {
                    unlisted: Some(address.escape_ascii().to_string().into()),
                    ..say(Verdict::UnknownDevice, Reason::Unlisted { remedy })
                });
            }
            // The keys of one device in a frame of another, or the group's for one with its own.
            (Some(_), _) | (None, Some(_)) => {
                let key_sets = group.key_sets.len();
                let reason = Reason::NotVerified { key_sets };
                return Ok(Judged::new(Verdict::Forged, reason));
            }
        }
        let known = |verdict, reason| Judged {
            device: listed,
            ..say(verdict, reason)
        };

        let copy = copy_of(frame);
        // R1
        let session = match session {
            UnderSession::Live(id) => Some(id),
            UnderSession::Empty if group.scheme.danger_accept_replays => None,
            UnderSession::Empty => return Ok(known(Verdict::StaleSession, Reason::NoFreshness)),
            UnderSession::Expired => {
                return Ok(match self.recall(group, &copy)? {
                    Some(_) => known(Verdict::Duplicate, Reason::Accepted),
                    None => known(Verdict::StaleSession, Reason::Expired),
                });
            }
        };
        // R2, R4: stored before it is handed over.
        let accepting = Accepting {
            group: &group.name,
            session: session.as_ref(),
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
                pool.retire(session.as_ref(), now, self.clock.wall());
                known(Verdict::StaleSession, Reason::SessionFull)
            }
            Acceptance::New { last } => {
                if last {
                    pool.retire(session.as_ref(), now, self.clock.wall());
                }
                let reason = match session {
                    Some(_) => Reason::Fresh,
                    None => Reason::FreshUnprotected,
                };
                Judged {
                    advanced: true,
                    plaintext: Some(opened.plaintext),
                    ..known(Verdict::Fresh, reason)
                }
            }
        })
    }

    /// The broker's retained copy of a frame whose session is long gone stays a duplicate (R2).
    fn judge_unverified(
        &self,
        frame: &Frame,
        topic: Option<&str>,
        key_sets: usize,
    ) -> Result<Judged, Error> {
        let copy = copy_of(frame);
        for (index, group) in self.groups_of(topic) {
            if let Some(address) = self.recall(group, &copy)? {
                return Ok(Judged {
                    device: group.device(&address),
                    group: Some(index),
                    ..Judged::new(Verdict::Duplicate, Reason::Accepted)
                });
            }
        }
        let reason = match key_sets {
            0 => Reason::NoKeys,
            key_sets => Reason::NotVerified { key_sets },
        };
        Ok(Judged::new(Verdict::Forged, reason))
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

fn pool_of(pools: &mut [Pool], group_index: usize) -> &mut Pool {
    match pools.get_mut(group_index) {
        Some(pool) => pool,
        None => unreachable!("one pool a group"),
    }
}

fn copy_of(frame: &Frame) -> Copy {
    Copy {
        mac: *frame.mac(),
        fingerprint: frame.fingerprint(),
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
