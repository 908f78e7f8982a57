//! A store that lives as long as the process.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

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

#[derive(Default)]
struct Memory {
    /// Few: found by comparing names.
    groups: Vec<(Box<str>, Group)>,
}

/// Keyed by MACs that verified: a hash that is fast is good enough.
type MacMap<V> = HashMap<[u8; 20], V, foldhash::fast::RandomState>;
type MacSet = HashSet<[u8; 20], foldhash::fast::RandomState>;

#[derive(Default)]
struct Group {
    newest: Option<u32>,
    bar: Option<u32>,
    sessions: HashMap<SessionId, MacSet, foldhash::fast::RandomState>,
    sessionless: Recent<SESSIONLESS_MACS>,
    recent: MacMap<Remembered>,
    /// The place of each address in `devices`.
    places: HashMap<Box<[u8]>, usize, foldhash::fast::RandomState>,
    devices: Vec<Device>,
    command_sessions: HashMap<Box<[u8]>, VecDeque<[u8; 32]>>,
}

struct Device {
    address: Box<[u8]>,
    recent: Recent<RECENT_MACS>,
}

/// One of the last accepted frames of a device.
struct Remembered {
    fingerprint: [u8; 16],
    device: usize,
}

/// The last `N` MACs, in the order in which they came.
#[derive(Default)]
struct Recent<const N: usize>(VecDeque<[u8; 20]>);

impl<const N: usize> Recent<N> {
    /// Adds one and returns the one that it pushed out.
    fn push(&mut self, mac: [u8; 20]) -> Option<[u8; 20]> {
        self.0.push_back(mac);
        if self.0.len() > N {
            self.0.pop_front()
        } else {
            None
        }
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
    fn remember(&mut self, address: &[u8], copy: Copy) {
        let device = match self.places.get(address) {
            Some(place) => *place,
            None => {
                self.places.insert(address.into(), self.devices.len());
                self.devices.push(Device {
                    address: address.into(),
                    recent: Recent::default(),
                });
                self.devices.len() - 1
            }
        };
        let Some(entry) = self.devices.get_mut(device) else {
            unreachable!("its place was found or just made")
        };
        if let Some(oldest) = entry.recent.push(copy.mac) {
            self.recent.remove(&oldest);
        }
        let fingerprint = copy.fingerprint;
        let remembered = Remembered {
            fingerprint,
            device,
        };
        self.recent.insert(copy.mac, remembered);
    }
}

impl Transaction for Memory {
    fn sessions(&mut self, group: &str) -> Result<Vec<SessionId>, StoreError> {
        Ok(self.group(group).sessions.keys().copied().collect())
    }

    fn newest_session(&mut self, group: &str) -> Result<Option<u32>, StoreError> {
        Ok(self.group(group).newest)
    }

    fn session_bar(&mut self, group: &str) -> Result<Option<u32>, StoreError> {
        Ok(self.group(group).bar)
    }

    fn add_session(&mut self, group: &str, id: &SessionId) -> Result<bool, StoreError> {
        let group = self.group(group);
        if !group.sessions.contains_key(id) {
            if group.bar.is_some_and(|bar| id.time() <= bar) {
                return Ok(false);
            }
            group.sessions.insert(*id, MacSet::default());
            group.newest = group.newest.max(Some(id.time()));
        }
        Ok(true)
    }

    fn drop_session(&mut self, group: &str, id: &SessionId) -> Result<(), StoreError> {
        let group = self.group(group);
        group.sessions.remove(id);
        group.bar = group.bar.max(Some(id.time()));
        Ok(())
    }

    fn accept(&mut self, frame: &Accepting<'_>) -> Result<Acceptance, StoreError> {
        let mac = frame.copy.mac;
        let group = self.group(frame.group);
        if group.recent.contains_key(&mac) {
            return Ok(Acceptance::Known);
        }
        let acceptance = match frame.session {
            None if group.sessionless.0.contains(&mac) => Acceptance::Known,
            None => {
                group.sessionless.push(mac);
                Acceptance::New { last: false }
            }
            Some(session) => match group.sessions.get_mut(session) {
                None => Acceptance::Full,
                Some(macs) if macs.len() >= frame.limit && !macs.contains(&mac) => Acceptance::Full,
                Some(macs) => match macs.insert(mac) {
                    true => Acceptance::New {
                        last: macs.len() == frame.limit,
                    },
                    false => Acceptance::Known,
                },
            },
        };
        if matches!(acceptance, Acceptance::New { .. }) {
            group.remember(frame.address, frame.copy);
        }
        Ok(acceptance)
    }

    fn recall(&mut self, group: &str, copy: &Copy) -> Result<Option<Vec<u8>>, StoreError> {
        let group = self.group(group);
        let known = group.recent.get(&copy.mac);
        Ok(known
            .filter(|known| known.fingerprint == copy.fingerprint)
            .and_then(|known| group.devices.get(known.device))
            .map(|device| device.address.to_vec()))
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
