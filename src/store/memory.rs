//! A store that lives as long as the process.

use core::hash::{Hash, Hasher};
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use indexmap::IndexMap;
use indexmap::map::Entry;
use smallvec::SmallVec;

use super::sealed_memory::SealedMemory;
use super::{
    Acceptance, Accepting, Copy, RECENT_MACS, SESSIONLESS_MACS, Store, Transaction,
    USED_COMMAND_SESSIONS,
};
use crate::classic::SessionId;
use crate::error::StoreError;

/// Keeps everything in memory. Its operations never fail, so that no transaction is half done
/// unless the caller's own `work` fails: that is not undone here.
#[derive(Default)]
pub struct MemoryStore(Mutex<Memory>);

/// Another store that knows the same: a backup.
impl Clone for MemoryStore {
    fn clone(&self) -> Self {
        let memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Self(Mutex::new(memory.clone()))
    }
}

impl core::fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("MemoryStore { .. }")
    }
}

impl Store for MemoryStore {
    fn transact(
        &self,
        work: &mut dyn FnMut(&mut dyn Transaction) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        work(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[derive(Clone, Default)]
pub(super) struct Memory {
    /// Few: found by comparing names.
    groups: Vec<(Box<str>, Group)>,
    pub(super) sealed: SealedMemory,
}

/// There is room for this many MACs more when a session begins: 64 kB.
const SEEN_AHEAD: usize = 1024;

/// A hash that is fast is good enough: the keys are MACs that verified, and addresses.
type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;
/// New entries lie side by side: what is random is small enough for the processor's caches.
type Ordered<K, V> = IndexMap<K, V, foldhash::fast::RandomState>;

#[derive(Clone, Default)]
struct Group {
    newest: Option<u32>,
    bar: Option<u32>,
    /// Few: those that newer ones bar are dropped.
    sessions: Vec<Session>,
    /// How many sessions there ever were.
    sessions_added: u32,
    /// Every MAC that its session, its group or its device remembers. No two sessions accept the
    /// same one, since the session enters it.
    seen: Ordered<Mac, Seen>,
    /// The last frames without a session.
    sessionless: VecDeque<[u8; 20]>,
    /// The place of each address in `devices`.
    places: Map<SmallVec<[u8; 16]>, u32>,
    devices: Vec<Device>,
    command_sessions: HashMap<Box<[u8]>, VecDeque<[u8; 32]>>,
}

#[derive(Clone)]
struct Session {
    id: SessionId,
    /// Counts from 1.
    number: u32,
    accepted: usize,
}

#[derive(Clone)]
struct Device {
    address: Box<[u8]>,
    recent: Recent,
}

/// The MACs of the last accepted frames, each with its session: 0 for a frame without one.
#[derive(Clone, Default)]
struct Recent {
    ring: [([u8; 20], u32); RECENT_MACS],
    accepted: usize,
}

impl Recent {
    /// Adds one and returns the one that it pushed out.
    fn push(&mut self, mac: [u8; 20], session: u32) -> Option<([u8; 20], u32)> {
        let fallen = self
            .ring
            .get_mut(self.accepted % RECENT_MACS)
            .map(|oldest| core::mem::replace(oldest, (mac, session)));
        self.accepted += 1;
        fallen.filter(|_| self.accepted > RECENT_MACS)
    }

    fn contains(&self, mac: &[u8; 20]) -> bool {
        let macs = self.ring.iter().map(|(mac, _)| mac);
        macs.take(self.accepted).any(|known| known == mac)
    }
}

/// One MAC. Small: there is one for each frame of the last minutes.
#[derive(Clone)]
struct Seen {
    fingerprint: [u8; 16],
    /// Its number; 0 for a frame without one.
    session: u32,
    device: u32,
    /// Whether it is one of the last without a session.
    sessionless: bool,
}

/// MACs are random: eight bytes of each are hash enough.
#[derive(Clone, PartialEq, Eq)]
struct Mac([u8; 20]);

impl Hash for Mac {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        state.write_u64(u64::from_ne_bytes([a, b, c, d, e, f, g, h]));
    }
}

impl Memory {
    fn group(&mut self, name: &str) -> &mut Group {
        let found = self.groups.iter().position(|(known, _)| **known == *name);
        let at = found.unwrap_or_else(|| {
            self.groups.push((name.into(), Group::default()));
            self.groups.len() - 1
        });
        match self.groups.get_mut(at) {
            Some((_, group)) => group,
            None => unreachable!("it was found or just added"),
        }
    }
}

impl Group {
    /// The place of a device in `devices`.
    fn device(&mut self, address: &[u8]) -> u32 {
        if let Some(place) = self.places.get(address) {
            return *place;
        }
        let place = u32::try_from(self.devices.len()).unwrap_or(u32::MAX);
        self.places.insert(address.into(), place);
        self.devices.push(Device {
            address: address.into(),
            recent: Recent::default(),
        });
        place
    }

    /// Among the last of its device; what falls out there is forgotten, unless its session or the
    /// group keeps it.
    fn remember(&mut self, place: u32, mac: [u8; 20], session: u32) {
        let Some(device) = self.devices.get_mut(place as usize) else {
            unreachable!("its place was found or just made")
        };
        if let Some((fallen, session)) = device.recent.push(mac, session)
            && !self.sessions.iter().any(|known| known.number == session)
            && let Entry::Occupied(seen) = self.seen.entry(Mac(fallen))
            && !seen.get().sessionless
        {
            seen.swap_remove();
        }
    }

    /// Among the last without a session: the oldest is forgotten, unless its device keeps it.
    fn remember_sessionless(&mut self, mac: [u8; 20]) {
        self.sessionless.push_back(mac);
        if self.sessionless.len() > SESSIONLESS_MACS
            && let Some(fallen) = self.sessionless.pop_front()
            && let Entry::Occupied(mut seen) = self.seen.entry(Mac(fallen))
        {
            seen.get_mut().sessionless = false;
            if !is_recent(&self.devices, seen.get().device, &fallen) {
                seen.swap_remove();
            }
        }
    }
}

fn is_recent(devices: &[Device], place: u32, mac: &[u8; 20]) -> bool {
    let device = devices.get(place as usize);
    device.is_some_and(|device| device.recent.contains(mac))
}

impl Transaction for Memory {
    fn sessions(&mut self, group: &str) -> Result<Vec<SessionId>, StoreError> {
        let sessions = &self.group(group).sessions;
        Ok(sessions.iter().map(|session| session.id).collect())
    }

    fn newest_session(&mut self, group: &str) -> Result<Option<u32>, StoreError> {
        Ok(self.group(group).newest)
    }

    fn session_bar(&mut self, group: &str) -> Result<Option<u32>, StoreError> {
        Ok(self.group(group).bar)
    }

    fn add_session(&mut self, group: &str, id: &SessionId) -> Result<bool, StoreError> {
        let group = self.group(group);
        if !group.sessions.iter().any(|session| session.id == *id) {
            if group.bar.is_some_and(|bar| id.time() <= bar) {
                return Ok(false);
            }
            group.sessions_added += 1;
            group.sessions.push(Session {
                id: *id,
                number: group.sessions_added,
                accepted: 0,
            });
            group.newest = group.newest.max(Some(id.time()));
            // Not while a frame waits.
            group.seen.reserve(SEEN_AHEAD);
        }
        Ok(true)
    }

    fn drop_session(&mut self, group: &str, id: &SessionId) -> Result<(), StoreError> {
        let group = self.group(group);
        group.bar = group.bar.max(Some(id.time()));
        let known = group.sessions.iter().position(|session| session.id == *id);
        if let Some(known) = known {
            let dropped = group.sessions.swap_remove(known).number;
            let devices = &group.devices;
            group.seen.retain(|mac, seen| {
                seen.session != dropped || is_recent(devices, seen.device, &mac.0)
            });
        }
        Ok(())
    }

    fn accept(&mut self, frame: &Accepting<'_>) -> Result<Acceptance, StoreError> {
        let copy = frame.copy;
        let group = self.group(frame.group);
        let device = group.device(frame.address);
        let Entry::Vacant(unseen) = group.seen.entry(Mac(copy.mac)) else {
            return Ok(Acceptance::Known);
        };
        let (session, last) = match frame.session {
            None => (0, false),
            Some(id) => {
                let known = group.sessions.iter_mut().find(|known| known.id == *id);
                match known.filter(|session| session.accepted < frame.limit) {
                    None => return Ok(Acceptance::Full),
                    Some(session) => {
                        session.accepted += 1;
                        let last = session.accepted == frame.limit;
                        (session.number, last)
                    }
                }
            }
        };
        unseen.insert(Seen {
            fingerprint: copy.fingerprint,
            session,
            device,
            sessionless: frame.session.is_none(),
        });
        if frame.session.is_none() {
            group.remember_sessionless(copy.mac);
        }
        group.remember(device, copy.mac, session);
        Ok(Acceptance::New { last })
    }

    fn recall(&mut self, group: &str, copy: &Copy) -> Result<Option<Vec<u8>>, StoreError> {
        let group = self.group(group);
        let seen = group.seen.get(&Mac(copy.mac));
        let device = seen
            .filter(|seen| seen.fingerprint == copy.fingerprint)
            .and_then(|seen| group.devices.get(seen.device as usize))
            .filter(|device| device.recent.contains(&copy.mac));
        Ok(device.map(|device| device.address.to_vec()))
    }

    fn use_command_session(
        &mut self,
        group: &str,
        address: &[u8],
        session: &[u8; 32],
    ) -> Result<bool, StoreError> {
        let group = self.group(group);
        let used = group.command_sessions.entry(address.into()).or_default();
        if used.contains(session) {
            return Ok(false);
        }
        used.push_back(*session);
        if used.len() > USED_COMMAND_SESSIONS {
            used.pop_front();
        }
        Ok(true)
    }
}
