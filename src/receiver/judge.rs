//! What a frame is: the verdicts, in their order (`CLASSIC.md`, O1 to R5).

use std::time::Duration;

use super::pool::{Pool, UnderSession};
use super::{Judged, Receiver, SealedReason};
use crate::classic::{Fit, Frame, Layout, NodeField, is_node_id, open_into};
use crate::error::Error;
use crate::keyring::{Device, Group};
use crate::message::Reason;
use crate::plaintext::Bytes;
use crate::store::{Acceptance, Accepting, Copy};
use crate::verdict::Verdict;

/// A frame that verified, and under what.
struct Verified<'a> {
    group_index: usize,
    group: &'a Group,
    key_set: usize,
    fit: Fit,
}

/// A verdict, and why.
type Answer = (Verdict, Reason);

impl Receiver {
    /// What else is known of the frame goes into `judged`.
    pub(super) fn judge_classic(
        &self,
        payload: &[u8],
        topic: Option<&str>,
        retained: bool,
        judged: &mut Judged,
    ) -> Result<Answer, Error> {
        let port_allowed = || {
            self.groups_of(topic)
                .any(|(_, group)| group.scheme.layout == Layout::Port)
        };
        let mut frame = Frame::blank();
        if let Err(malformed) = frame.read(payload, port_allowed) {
            return Ok((Verdict::Malformed, Reason::Malformed(malformed)));
        }
        let frame = &frame;

        let now = self.clock.monotonic();
        // Until the frame is judged: what it verified under must not change meanwhile, and
        // several locks would cost more than other threads gain.
        let mut pools = self.pools();
        // O4 to O7: every key set is tried, whichever fits.
        let mut verified: Option<Verified<'_>> = None;
        let mut other = Bytes::new();
        let mut key_sets = 0;
        let mut strict = false;
        for (group_index, group) in self.groups_of(topic) {
            let pool = pool_of(&mut pools, group_index);
            pool.expire(now);
            key_sets += group.key_sets.len();
            strict |= group.is_strict();
            for (key_set, keys) in group.key_sets.iter().enumerate() {
                let plain = match verified {
                    None => &mut judged.plain,
                    Some(_) => &mut other,
                };
                let fit = open_into(plain, frame, &keys.keys, pool.texts(), &group.scheme);
                let Some(fit) = fit else { continue };
                let found = Verified {
                    group_index,
                    group,
                    key_set,
                    fit,
                };
                // Two groups with the same keys may share a topic: the one that lists the sender
                // is meant.
                let better = verified.as_ref().is_none_or(|first| {
                    !first.lists_sender(&judged.plain, topic) && found.lists_sender(&other, topic)
                });
                if better {
                    if verified.is_some() {
                        core::mem::swap(&mut judged.plain, &mut other);
                    }
                    verified = Some(found);
                }
            }
        }
        let answer = match verified {
            Some(verified) => {
                let pool = pool_of(&mut pools, verified.group_index);
                self.judge_verified(frame, &verified, topic, pool, now, judged)?
            }
            None => self.judge_unverified(frame, topic, key_sets, judged)?,
        };
        // R3: under `strict` a session is good for one frame, whatever it was.
        if strict {
            for (index, _) in self.groups_of(topic).filter(|(_, group)| group.is_strict()) {
                pool_of(&mut pools, index).retire(None, now, self.clock.wall());
            }
        }
        // R5
        Ok(match answer {
            (Verdict::StaleSession, _) if retained => (Verdict::Duplicate, Reason::RetainedStale),
            _ => answer,
        })
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
        verified: &Verified<'_>,
        topic: Option<&str>,
        pool: &mut Pool,
        now: Duration,
        judged: &mut Judged,
    ) -> Result<Answer, Error> {
        let &Verified { group, key_set, .. } = verified;
        let session = match frame.layout() {
            Layout::Hex | Layout::Raw => pool.session(verified.fit.session),
            Layout::Port => UnderSession::Empty,
        };
        let bound = !matches!(session, UnderSession::Empty);
        // O8
        let Some(address) = verified.sender(&judged.plain, topic) else {
            judged.verified(verified.group_index, None, bound);
            return Ok((Verdict::WrongDirection, Reason::WrongDirection));
        };
        // O9
        let listed = group.device(address);
        let device = listed.and_then(|index| self.keyring.devices().get(index));
        let owner = group.key_sets.get(key_set).and_then(|keys| keys.owner);
        match (device, owner) {
            (Some(device), _) if uses(device, key_set) => {}
            (None, None) => {
                let remedy = how_to_list(group, address);
                judged.unlisted = Some(address.escape_ascii().to_string().into());
                judged.verified(verified.group_index, None, bound);
                return Ok((Verdict::UnknownDevice, Reason::Unlisted { remedy }));
            }
            // The keys of one device in a frame of another, or the group's for one with its own.
            (Some(_), _) | (None, Some(_)) => {
                let key_sets = group.key_sets.len();
                return Ok((Verdict::Forged, Reason::NotVerified { key_sets }));
            }
        }

        let copy = copy_of(frame);
        // R1
        let session = match session {
            UnderSession::Live(id) => Some(id),
            UnderSession::Empty if group.scheme.danger_accept_replays => None,
            UnderSession::Empty => {
                judged.verified(verified.group_index, listed, bound);
                return Ok((Verdict::StaleSession, Reason::NoFreshness));
            }
            UnderSession::Expired => {
                judged.verified(verified.group_index, listed, bound);
                return Ok(match self.recall(group, &copy)? {
                    Some(_) => (Verdict::Duplicate, Reason::Accepted),
                    None => (Verdict::StaleSession, Reason::Expired),
                });
            }
        };
        if let Some(sealed) = device.and_then(|device| device.sealed.as_ref())
            && self.sealed.has_sealed(sealed.address)?
        {
            judged.verified(verified.group_index, listed, bound);
            return Ok((Verdict::Downgraded, SealedReason::Downgraded.into()));
        }
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
        judged.verified(verified.group_index, listed, bound);
        if matches!(
            acceptance,
            Acceptance::Full | Acceptance::New { last: true }
        ) {
            pool.retire(session.as_ref(), now, self.clock.wall());
        }
        Ok(match acceptance {
            Acceptance::Known => (Verdict::Duplicate, Reason::Accepted),
            Acceptance::Full => (Verdict::StaleSession, Reason::SessionFull),
            Acceptance::New { .. } => {
                judged.advanced = true;
                judged.reading = verified.fit.data.clone();
                let reason = match session {
                    Some(_) => Reason::Fresh,
                    None => Reason::FreshUnprotected,
                };
                (Verdict::Fresh, reason)
            }
        })
    }

    /// The broker's retained copy of a frame whose session is long gone stays a duplicate (R2).
    fn judge_unverified(
        &self,
        frame: &Frame,
        topic: Option<&str>,
        key_sets: usize,
        judged: &mut Judged,
    ) -> Result<Answer, Error> {
        let copy = copy_of(frame);
        for (index, group) in self.groups_of(topic) {
            if let Some(address) = self.recall(group, &copy)? {
                judged.group = Some(index);
                judged.device = group.device(&address);
                return Ok((Verdict::Duplicate, Reason::Accepted));
            }
        }
        let reason = match key_sets {
            0 => Reason::NoKeys,
            key_sets => Reason::NotVerified { key_sets },
        };
        Ok((Verdict::Forged, reason))
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

impl Verified<'_> {
    /// Whose reading it is: the node of its field, or in layout `port` its topic; None if it is
    /// no reading (O8).
    fn sender<'a>(&self, plain: &'a [u8], topic: Option<&'a str>) -> Option<&'a [u8]> {
        if self.group.scheme.layout == Layout::Port {
            return Some(topic.unwrap_or_default().as_bytes());
        }
        match NodeField::parse(plain.get(self.fit.node.clone())?) {
            NodeField::Reading(node) => Some(node),
            NodeField::Command(_) | NodeField::Peer { .. } => None,
        }
    }

    fn lists_sender(&self, plain: &[u8], topic: Option<&str>) -> bool {
        let sender = self.sender(plain, topic);
        sender.is_some_and(|address| self.group.device(address).is_some())
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
