//! A store that lives as long as the process.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use super::{
    Acceptance, Accepting, Copy, RECENT_MACS, SESSIONLESS_MACS, Store, Transaction,
    USED_COMMAND_SESSIONS,
};
use crate::classic::SessionId;
use crate::error::StoreError;

/// Keeps everything in memory. Its operations never fail, so no transaction is ever half done.
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

#[derive(Default)]
struct Group {
    newest: Option<u32>,
    sessions: HashMap<SessionId, HashSet<[u8; 20]>>,
    sessionless: Recent<SESSIONLESS_MACS>,
    recent: HashMap<[u8; 20], Remembered>,
    devices: HashMap<Box<[u8]>, Recent<RECENT_MACS>>,
    command_sessions: HashMap<Box<[u8]>, VecDeque<[u8; 32]>>,
}

/// One of the last accepted frames of a device.
struct Remembered {
    fingerprint: [u8; 16],
    address: Box<[u8]>,
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
        let recent = match self.devices.get_mut(address) {
            Some(recent) => recent,
            None => self.devices.entry(address.into()).or_default(),
        };
        if let Some(oldest) = recent.push(copy.mac) {
            self.recent.remove(&oldest);
        }
        let remembered = Remembered {
            fingerprint: copy.fingerprint,
            address: address.into(),
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

    fn add_session(&mut self, group: &str, id: &SessionId) -> Result<(), StoreError> {
        let group = self.group(group);
        group.sessions.entry(*id).or_default();
        group.newest = group.newest.max(Some(id.time()));
        Ok(())
    }

    fn drop_session(&mut self, group: &str, id: &SessionId) -> Result<(), StoreError> {
        self.group(group).sessions.remove(id);
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
                Some(macs) if macs.contains(&mac) => Acceptance::Known,
                Some(macs) if macs.len() >= frame.limit => Acceptance::Full,
                Some(macs) => {
                    macs.insert(mac);
                    Acceptance::New {
                        last: macs.len() == frame.limit,
                    }
                }
            },
        };
        if matches!(acceptance, Acceptance::New { .. }) {
            group.remember(frame.address, frame.copy);
        }
        Ok(acceptance)
    }

    fn recall(&mut self, group: &str, copy: &Copy) -> Result<Option<Vec<u8>>, StoreError> {
        let known = self.group(group).recent.get(&copy.mac);
        Ok(known
            .filter(|known| known.fingerprint == copy.fingerprint)
            .map(|known| known.address.to_vec()))
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
