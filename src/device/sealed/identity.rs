//! Address, key, epoch and counter of a running device (`SEALED.md`, E4, *The device's counter*).

use std::path::Path;

use super::record::{Record, fingerprint};
use super::replace::Old;
use super::state_file::StateFile;
use crate::error::StateError;
use crate::key::DeviceKey;
use crate::sealed::{Address, Direction, FrameKeys};

/// How many counters are reserved with one write (D1).
const CHUNK: u64 = 1024;

pub(super) struct Identity {
    file: Option<StateFile>,
    record: Record,
    /// The last counter that was used, or may have been.
    last: u64,
    /// The process that counts: a fork would count on its own.
    process: u32,
    up: FrameKeys,
    down: FrameKeys,
}

/// What a device was provisioned with. Without a key, the state file holds it.
pub(super) struct Birth<'a> {
    pub(super) address: Address,
    pub(super) key: Option<&'a DeviceKey>,
    pub(super) epoch: u16,
    pub(super) allow_wide_permissions: bool,
}

impl Identity {
    /// Goes on from the state file, or begins. Without a file all is forgotten with the process.
    pub(super) fn open(birth: &Birth<'_>, path: Option<&Path>) -> Result<Self, StateError> {
        let (mut file, stored) = match path {
            Some(path) => {
                let (file, record) = StateFile::open(path, birth.allow_wide_permissions)?;
                (Some(file), record)
            }
            None => (None, None),
        };
        if let (Some(file), Some(record)) = (&file, &stored)
            && record.address != birth.address
        {
            let (file, address) = (file.path().to_owned(), record.address);
            return Err(StateError::OtherDevice { file, address });
        }
        let born = birth.key.map(|key| Record {
            address: birth.address,
            fingerprint: fingerprint(key, birth.address, birth.epoch),
            epoch: birth.epoch,
            key: key.clone(),
            // Under a new key every counter is unused, but the host's window stays where it was.
            ceiling: stored.as_ref().map_or(0, |record| record.ceiling),
        });
        let (record, new) = match (stored, born) {
            (Some(stored), Some(born)) if stored.fingerprint != born.fingerprint => (born, true),
            (Some(stored), _) => (stored, false),
            (None, Some(born)) => (born, true),
            (None, None) => {
                let file = path.unwrap_or(Path::new("")).to_owned();
                return Err(StateError::NoKey { file });
            }
        };
        if let (Some(file), true) = (&mut file, new) {
            file.store(&record, Old::Wipe)?;
        }
        let [up, down] = frame_keys(&record.key);
        Ok(Self {
            file,
            last: record.ceiling,
            record,
            process: std::process::id(),
            up,
            down,
        })
    }

    /// The next counter, reserved on the disk before it is used (D1).
    pub(super) fn take_counter(&mut self) -> Result<u64, StateError> {
        let next = self.next_counter()?;
        if next > self.record.ceiling {
            self.reserve(next)?;
        }
        self.last = next;
        Ok(next)
    }

    /// H5: the counter is `floor` or more from now on.
    pub(super) fn lift(&mut self, floor: u64) -> Result<(), StateError> {
        self.refuse_fork()?;
        let last = floor.saturating_sub(1);
        if last > self.last {
            // Up to the ceiling it is on the disk already: after a power loss it resumes there.
            if last > self.record.ceiling {
                self.reserve(last)?;
            }
            self.last = last;
        }
        Ok(())
    }

    /// E4: epoch, key and ceiling become one record, and the old key is wiped.
    pub(super) fn ratchet_to(&mut self, epoch: u16) -> Result<(), StateError> {
        self.refuse_fork()?;
        let steps = epoch.saturating_sub(self.record.epoch);
        let next = Record {
            epoch,
            key: self.record.key.ratchet_by(steps),
            ..self.record.clone()
        };
        self.store(next, Old::Wipe)?;
        [self.up, self.down] = frame_keys(&self.record.key);
        Ok(())
    }

    pub(super) const fn address(&self) -> Address {
        self.record.address
    }

    pub(super) const fn epoch(&self) -> u16 {
        self.record.epoch
    }

    pub(super) const fn key(&self) -> &DeviceKey {
        &self.record.key
    }

    pub(super) const fn uplink(&self) -> &FrameKeys {
        &self.up
    }

    pub(super) const fn downlink(&self) -> &FrameKeys {
        &self.down
    }

    pub(super) const fn has_file(&self) -> bool {
        self.file.is_some()
    }

    fn next_counter(&self) -> Result<u64, StateError> {
        self.refuse_fork()?;
        let next = self.last.checked_add(1);
        next.ok_or(StateError::CounterExhausted)
    }

    /// Raises the ceiling to a chunk that begins with `from`.
    fn reserve(&mut self, from: u64) -> Result<(), StateError> {
        let next = Record {
            ceiling: from.saturating_add(CHUNK - 1),
            ..self.record.clone()
        };
        self.store(next, Old::Leave)
    }

    fn store(&mut self, next: Record, old: Old) -> Result<(), StateError> {
        if let Some(file) = &mut self.file {
            file.store(&next, old)?;
        }
        self.record = next;
        Ok(())
    }

    fn refuse_fork(&self) -> Result<(), StateError> {
        if std::process::id() == self.process {
            Ok(())
        } else {
            Err(StateError::Forked)
        }
    }
}

fn frame_keys(key: &DeviceKey) -> [FrameKeys; 2] {
    [Direction::Uplink, Direction::Downlink].map(|direction| FrameKeys::new(key, direction))
}
