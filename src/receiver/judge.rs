//! What a frame is: the verdicts, in their order (`CLASSIC.md`, O1 to R5).

use std::sync::Arc;
use std::time::Duration;

use super::Receiver;
use super::pool::View;
use crate::classic::{Frame, Layout, NodeField, Opened, SessionId, open};
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
        let groups = || {
            let all = self.keyring.groups().iter().enumerate();
            all.filter(|(_, group)| topic.is_none_or(|topic| group.topic.matches(topic)))
        };
        let port_allowed = groups().any(|(_, group)| group.scheme.layout == Layout::Port);
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
        for (group_index, group) in groups() {
            let found = self.verify(&frame, group_index, group, now);
            key_sets += group.key_sets.len();
            verified = verified.or(found);
        }
        let message = match verified {
            Some(verified) => self.judge_verified(&frame, verified, topic, retained, now)?,
            None => {
                let group_names = groups().map(|(_, group)| group);
                self.judge_unverified(&frame, group_names, key_sets)?
            }
        };
        // R3: under `strict` a session is good for one frame, whatever it was.
        for (index, _) in groups().filter(|(_, group)| group.is_strict()) {
            if let Some(pool) = self.pools().get_mut(index) {
                pool.retire(None, now);
            }
        }
        Ok(message)
    }

    fn verify<'a>(
        &self,
        frame: &Frame,
        group_index: usize,
        group: &'a Group,
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
            verified = verified.or(Some(Verified {
                group_index,
                group,
                key_set,
                session,
                opened,
            }));
        }
        verified
    }

    /// O8, O9, then R1 to R5.
    fn judge_verified(
        &self,
        frame: &Frame,
        verified: Verified<'_>,
        topic: Option<&str>,
        retained: bool,
        now: Duration,
    ) -> Result<Message, Error> {
        let Verified {
            group_index,
            group,
            key_set,
            session,
            opened,
        } = verified;
        let say = |verdict, reason| Message {
            group: Some(Arc::clone(&group.name)),
            ..Message::new(verdict, reason)
        };
        // O8
        let address: &[u8] = match (group.scheme.layout, opened.field()) {
            (Layout::Port, _) => topic.unwrap_or_default().as_bytes(),
            (_, NodeField::Reading(node)) => node,
            (_, NodeField::Command(_) | NodeField::Peer { .. }) => {
                return Ok(say(Verdict::WrongDirection, Reason::WrongDirection));
            }
        };
        // O9
        let listed = group.device(address);
        let device = listed.and_then(|index| self.keyring.devices().get(index));
        let owner = group.key_sets.get(key_set).and_then(|keys| keys.owner);
        let device = match (device, owner) {
            (Some(device), _) if uses(device, key_set) => device,
            (None, None) => {
                let command = add_command(group, address);
                return Ok(Message {
                    node_id: Some(address.escape_ascii().to_string()),
                    ..say(Verdict::UnknownDevice, Reason::Unlisted { command })
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
            node_id: (group.scheme.layout != Layout::Port)
                .then(|| address.escape_ascii().to_string()),
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
                let recalled = self.recall(group, &copy)?.is_some();
                return Ok(match (recalled, retained) {
                    (true, _) => known(Verdict::Duplicate, Reason::Accepted),
                    (false, true) => known(Verdict::Duplicate, Reason::RetainedExpired),
                    (false, false) => known(Verdict::StaleSession, Reason::Expired),
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
                pool.retire(session, now);
                known(Verdict::StaleSession, Reason::SessionFull)
            }
            Acceptance::New { last } => {
                if last {
                    pool.retire(session, now);
                }
                let (replay_protected, reason) = match session {
                    Some(_) => (true, Reason::Fresh),
                    None => (false, Reason::FreshUnprotected),
                };
                let fresh = known(Verdict::Fresh, reason);
                Message {
                    data: Some(opened.data),
                    replay_protected,
                    ..fresh
                }
            }
        })
    }

    /// The broker's retained copy of a frame whose session is long gone stays a duplicate (R2).
    fn judge_unverified<'a>(
        &self,
        frame: &Frame,
        groups: impl Iterator<Item = &'a Group>,
        key_sets: usize,
    ) -> Result<Message, Error> {
        let copy = Copy {
            mac: *frame.mac(),
            fingerprint: frame.fingerprint(),
        };
        for group in groups {
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

/// What a person types to list the sender of a verified frame.
fn add_command(group: &Group, address: &[u8]) -> String {
    let quote = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    let flag = match group.scheme.layout {
        Layout::Port => "--topic",
        Layout::Hex | Layout::Raw => "--node-id",
    };
    format!(
        "espseal keyring add device NAME --group {} {flag} {}",
        quote(&group.name),
        quote(&address.escape_ascii().to_string())
    )
}
