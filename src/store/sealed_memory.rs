//! Sealed devices in a store that lives as long as the process.

use std::collections::{BTreeSet, HashMap};

use super::memory::Memory;
use super::sealed::{
    Beacons, Contact, DeviceSessions, Held, Lease, SealedDevice, SealedTransaction,
};
use crate::classic::SessionId;
use crate::error::StoreError;
use crate::sealed::Address;
use crate::verdict::Verdict;

/// Keyed by addresses that the keyring lists: a hash that is fast is good enough.
type Addresses<V> = HashMap<Address, V, foldhash::fast::RandomState>;

#[derive(Clone, Default)]
pub(super) struct SealedMemory {
    devices: Vec<SealedDevice>,
    /// The place of each in `devices`.
    places: Addresses<usize>,
    /// Whoever was asked for last is put next.
    last: Option<(Address, usize)>,
    sessions: Addresses<DeviceSessions>,
    downlinks: Addresses<u64>,
    contact: Option<Contact>,
    fleets: HashMap<Box<str>, Fleet>,
    held: BTreeSet<Held>,
    counts: [u64; Verdict::COUNT],
    device_counts: Addresses<[u64; Verdict::COUNT]>,
}

#[derive(Clone, Default)]
struct Fleet {
    beacons: Beacons,
    lease: Option<Lease>,
}

impl SealedMemory {
    fn place(&mut self, address: Address) -> Option<usize> {
        match self.last {
            Some((known, place)) if known == address => Some(place),
            _ => {
                let place = *self.places.get(&address)?;
                self.last = Some((address, place));
                Some(place)
            }
        }
    }

    fn fleet(&mut self, name: &str) -> &mut Fleet {
        self.fleets.entry(name.into()).or_default()
    }
}

impl SealedTransaction for Memory {
    fn sealed_device(&mut self, address: Address) -> Result<Option<SealedDevice>, StoreError> {
        let place = self.sealed.place(address);
        Ok(place.and_then(|place| self.sealed.devices.get(place).copied()))
    }

    fn put_sealed_device(
        &mut self,
        address: Address,
        device: &SealedDevice,
    ) -> Result<(), StoreError> {
        let sealed = &mut self.sealed;
        let place = sealed.place(address);
        if let Some(known) = place.and_then(|place| sealed.devices.get_mut(place)) {
            *known = *device;
        } else {
            sealed.places.insert(address, sealed.devices.len());
            sealed.devices.push(*device);
        }
        Ok(())
    }

    fn device_sessions(&mut self, address: Address) -> Result<DeviceSessions, StoreError> {
        let known = self.sealed.sessions.get(&address);
        Ok(known.cloned().unwrap_or_default())
    }

    fn put_device_sessions(
        &mut self,
        address: Address,
        sessions: &DeviceSessions,
    ) -> Result<(), StoreError> {
        self.sealed.sessions.insert(address, sessions.clone());
        Ok(())
    }

    /// Memory needs no chunks: the counter ends with the process, as the windows do.
    fn next_downlink(&mut self, address: Address) -> Result<Option<u64>, StoreError> {
        let last = self.sealed.downlinks.entry(address).or_default();
        Ok(last.checked_add(1).inspect(|next| *last = *next))
    }

    fn contact(&mut self, wall: u64) -> Result<Contact, StoreError> {
        let first = Contact {
            since: wall,
            generation: 1,
        };
        Ok(*self.sealed.contact.get_or_insert(first))
    }

    fn mark_restored(&mut self, wall: u64) -> Result<(), StoreError> {
        let generation = self.sealed.contact.map_or(0, |contact| contact.generation);
        self.sealed.contact = Some(Contact {
            since: wall,
            generation: generation + 1,
        });
        let devices = self.sealed.devices.iter_mut();
        devices.for_each(|device| device.open = false);
        let sessions = self.sealed.sessions.values_mut();
        sessions.for_each(DeviceSessions::expire_all);
        self.sealed.held.clear();
        Ok(())
    }

    fn beacons(&mut self, fleet: &str) -> Result<Beacons, StoreError> {
        Ok(self.sealed.fleet(fleet).beacons.clone())
    }

    fn add_beacon(&mut self, fleet: &str, id: &SessionId) -> Result<bool, StoreError> {
        let beacons = &mut self.sealed.fleet(fleet).beacons;
        if !beacons.known.contains(id) {
            if beacons.bar.is_some_and(|bar| id.time() <= bar) {
                return Ok(false);
            }
            beacons.known.push(*id);
            beacons.newest = beacons.newest.max(Some(id.time()));
        }
        Ok(true)
    }

    fn drop_beacon(&mut self, fleet: &str, id: &SessionId) -> Result<(), StoreError> {
        let beacons = &mut self.sealed.fleet(fleet).beacons;
        beacons.known.retain(|known| known != id);
        beacons.bar = beacons.bar.max(Some(id.time()));
        Ok(())
    }

    fn lease(&mut self, fleet: &str) -> Result<Option<Lease>, StoreError> {
        Ok(self.sealed.fleet(fleet).lease)
    }

    fn put_lease(&mut self, fleet: &str, lease: Option<&Lease>) -> Result<(), StoreError> {
        self.sealed.fleet(fleet).lease = lease.copied();
        Ok(())
    }

    fn held(&mut self) -> Result<Vec<Held>, StoreError> {
        Ok(self.sealed.held.iter().copied().collect())
    }

    fn hold(&mut self, held: &Held) -> Result<(), StoreError> {
        self.sealed.held.insert(*held);
        Ok(())
    }

    fn release(&mut self, held: &Held) -> Result<(), StoreError> {
        self.sealed.held.remove(held);
        Ok(())
    }

    fn counts(&mut self) -> Result<[u64; Verdict::COUNT], StoreError> {
        Ok(self.sealed.counts)
    }

    fn add_counts(&mut self, counts: &[u64; Verdict::COUNT]) -> Result<(), StoreError> {
        add(&mut self.sealed.counts, counts);
        Ok(())
    }

    fn device_counts(&mut self, address: Address) -> Result<[u64; Verdict::COUNT], StoreError> {
        let counts = self.sealed.device_counts.get(&address);
        Ok(counts.copied().unwrap_or_default())
    }

    fn add_device_counts(
        &mut self,
        address: Address,
        counts: &[u64; Verdict::COUNT],
    ) -> Result<(), StoreError> {
        add(
            self.sealed.device_counts.entry(address).or_default(),
            counts,
        );
        Ok(())
    }
}

fn add(totals: &mut [u64; Verdict::COUNT], counts: &[u64; Verdict::COUNT]) {
    for (total, more) in totals.iter_mut().zip(counts) {
        *total = total.saturating_add(*more);
    }
}
