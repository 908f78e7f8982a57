//! The beacon and what goes to devices (`SEALED.md`, B1 to B4, H4, H6).

use std::sync::Arc;
use std::time::Duration;

use super::super::Publication;
use super::super::pool::Heard;
use super::outgoing::Saying;
use super::{Host, State};
use crate::classic::SessionId;
use crate::error::{Error, StoreError};
use crate::keyring::{Fleet, Sealed};
use crate::sealed::{Control, Kind};
use crate::sender::{Downlink, down, lease_end};
use crate::store::{Contact, Lease};

impl Host {
    /// Takes a message of a beacon topic; None if `topic` is none, else whether it is a session
    /// of this keyring.
    pub(in crate::receiver) fn hear(
        &self,
        payload: &[u8],
        topic: &str,
        retained: bool,
        may_take: bool,
    ) -> Result<Option<bool>, Error> {
        let (now, wall) = (self.clock.monotonic(), self.clock.wall());
        let mut id = None;
        let mut known = false;
        let mut state = self.state();
        let fleets = self.keyring.fleets().iter().zip(&mut state.beacons);
        for (fleet, beacon) in fleets.filter(|(fleet, _)| &*fleet.beacon_topic == topic) {
            if !known {
                id = SessionId::verify(self.keyring.session_key(), payload);
            }
            known = true;
            let authority = beacon.pool.is_authority(now);
            let heard = beacon.pool.hear(id, retained, may_take, now, wall);
            if let Heard::New(id) | Heard::Late(id) = heard {
                let barred = beacon.pool.barred();
                let stored = self.store_beacon(fleet, &id, &barred, None)?;
                if let Some(contact) = stored {
                    beacon.pool.forget(&barred);
                    beacon.heard(heard, contact, now);
                }
            }
            if authority && !beacon.pool.is_authority(now) {
                self.release(fleet)?;
            }
        }
        Ok(known.then_some(id.is_some()))
    }

    /// Mints the beacon sessions that are due, and returns what to publish now, in order.
    pub(in crate::receiver) fn publications(&self) -> Result<Vec<Publication>, Error> {
        let (now, wall) = (self.clock.monotonic(), self.clock.wall());
        let mut state = self.state();
        for (fleet, beacon) in self.keyring.fleets().iter().zip(&mut state.beacons) {
            let Some(time) = beacon.pool.mint_due(now, wall) else {
                continue;
            };
            let id = SessionId::mint(self.keyring.session_key(), time, &*self.random)?;
            let barred = beacon.pool.barred();
            let lease = Lease {
                holder: self.holder,
                until: lease_end(fleet, wall),
            };
            match self.store_beacon(fleet, &id, &barred, Some(&lease))? {
                Some(contact) => {
                    beacon.pool.forget(&barred);
                    beacon.minted(id, contact, now, wall);
                }
                // Another process on this store is ahead; the next one will be newer than its.
                None => beacon.pool.outpaced(id),
            }
        }
        self.seal_outgoing(&mut state, now)?;
        // Only now, that nothing can fail any more, is anything taken out.
        let mut publications = Vec::new();
        for (fleet, beacon) in self.keyring.fleets().iter().zip(&mut state.beacons) {
            if let Some(id) = beacon.pool.take_publication(now) {
                publications.push(Publication {
                    topic: Arc::clone(&fleet.beacon_topic),
                    payload: id.text().to_vec(),
                    qos: 1,
                    retain: true,
                });
            }
        }
        publications.append(&mut state.outgoing.ready);
        Ok(publications)
    }

    pub(in crate::receiver) fn reconnected(&self) {
        let now = self.clock.monotonic();
        let mut state = self.state();
        let pools = state.beacons.iter_mut().map(|beacon| &mut beacon.pool);
        pools.for_each(|pool| pool.show_again(now));
    }

    pub(in crate::receiver) fn next_due(&self, now: Duration) -> Option<Duration> {
        let state = self.state();
        if !state.outgoing.is_empty() {
            return Some(Duration::ZERO);
        }
        let pools = state.beacons.iter().map(|beacon| &beacon.pool);
        pools.filter_map(|pool| pool.next_due(now)).min()
    }

    /// By how many seconds another authority's clock is ahead, where that is too much to follow.
    pub(in crate::receiver) fn ahead(&self, now: Duration) -> Option<u64> {
        let state = self.state();
        let mut pools = state.beacons.iter().map(|beacon| &beacon.pool);
        pools.find_map(|pool| pool.ahead(now))
    }

    fn seal_outgoing(&self, state: &mut State, now: Duration) -> Result<(), Error> {
        while let Some(saying) = state.outgoing.next() {
            let (Saying::Ask { device } | Saying::Welcome { device, .. }) = saying;
            let listed = self.keyring.devices().get(device);
            let Some(sealed) = listed.and_then(|device| device.sealed.as_ref()) else {
                unreachable!("it sent a sealed frame")
            };
            let fleet = self.keyring.fleets().get(sealed.fleet);
            let (Some(fleet), Some(beacon)) = (fleet, state.beacons.get(sealed.fleet)) else {
                unreachable!("one beacon a fleet")
            };
            // Who is no authority any more leaves the answer to the other one.
            let publication = match saying {
                _ if !beacon.pool.is_authority(now) => None,
                Saying::Ask { .. } => Some(down(fleet, sealed, Vec::new())),
                Saying::Welcome { .. } => self.welcome(saying, fleet, sealed)?,
            };
            state.outgoing.ready.extend(publication);
            state.outgoing.said();
        }
        Ok(())
    }

    /// None if another host holds the lease, or no counter is left.
    fn welcome(
        &self,
        saying: Saying,
        fleet: &Fleet,
        sealed: &Sealed,
    ) -> Result<Option<Publication>, Error> {
        let Saying::Welcome {
            device,
            session,
            epoch,
            floor,
        } = saying
        else {
            return Ok(None);
        };
        let mut sealed_welcome = Ok(None);
        self.store.transact_durably(&mut |transaction| {
            sealed_welcome = Ok(None);
            let lease = transaction.lease(&fleet.name)?;
            if lease.is_none_or(|lease| lease.holder != self.holder) {
                return Ok(());
            }
            let known = transaction.sealed_device(sealed.address)?;
            // E3: of an epoch that the device reads.
            let epoch = known.map_or(epoch, |known| known.epoch.max(epoch));
            let Some(counter) = transaction.next_downlink(sealed.address)? else {
                return Ok(());
            };
            let downlink = Downlink {
                to: sealed,
                kind: Kind::Control,
                session,
                epoch,
                counter,
            };
            let keys = self.keys.downlink(device, epoch, sealed.minimum_epoch);
            let plaintext = Control::Welcome { floor }.to_bytes();
            let publication = downlink.publication(fleet, &keys, &plaintext);
            if let Some(tag) = publication.as_ref().ok().and_then(Publication::tag) {
                let mut sessions = transaction.device_sessions(sealed.address)?;
                sessions.welcomed(session, tag);
                transaction.put_device_sessions(sealed.address, &sessions)?;
            }
            sealed_welcome = publication.map(Some);
            Ok(())
        })?;
        Ok(sealed_welcome?)
    }

    /// A session comes, and those that newer ones bar go and stay away; None if it is barred.
    fn store_beacon(
        &self,
        fleet: &Fleet,
        id: &SessionId,
        barred: &[SessionId],
        lease: Option<&Lease>,
    ) -> Result<Option<Contact>, StoreError> {
        let wall = self.clock.wall();
        let mut stored = None;
        self.store.transact(&mut |transaction| {
            stored = if transaction.add_beacon(&fleet.name, id)? {
                Some(transaction.contact(wall)?)
            } else {
                None
            };
            if let (Some(_), Some(lease)) = (stored, lease) {
                transaction.put_lease(&fleet.name, Some(lease))?;
            }
            barred
                .iter()
                .try_for_each(|old| transaction.drop_beacon(&fleet.name, old))
        })?;
        Ok(stored)
    }

    /// B4: it yielded.
    fn release(&self, fleet: &Fleet) -> Result<(), StoreError> {
        self.store.transact(&mut |transaction| {
            let lease = transaction.lease(&fleet.name)?;
            if lease.is_some_and(|lease| lease.holder == self.holder) {
                transaction.put_lease(&fleet.name, None)?;
            }
            Ok(())
        })
    }
}
