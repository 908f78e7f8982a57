//! The host's side of the sealed frame: keyring, store and frame to a verdict, and what the host
//! has to say to devices.
//!
//! `judge` is the way of a frame until it has verified: it asks `keys` and `epochs` for a key and
//! `fleet` for the sessions of the beacon. `take` asks `contact` whether it is new, and remembers
//! it; `delivery` keeps what the application is not done with. `answer` finds out what the host
//! has to say, and `outgoing` and `publish` say it.

mod answer;
mod contact;
mod delivery;
mod epochs;
mod fleet;
mod judge;
mod keys;
mod outgoing;
mod publish;
mod reason;
mod take;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::delivery::Deliveries;
pub use self::delivery::Ticket;
use self::fleet::Beacon;
pub(crate) use self::keys::KeyCache;
use self::outgoing::Outgoing;
pub use self::reason::SealedReason;
use crate::clock::{Clock, Random};
use crate::error::Error;
use crate::keyring::Keyring;
use crate::sealed::Address;
use crate::store::Store;

/// What becomes of a reading when the process dies (`SEALED.md`, W6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delivery {
    /// It is remembered, then handed over: none is accepted twice, one may be lost.
    #[default]
    AtMostOnce,
    /// It is handed over, and remembered when the application says that it is done: none is lost,
    /// one may come twice.
    AtLeastOnce,
}

/// The host of the keyring's fleets.
pub(super) struct Host {
    keyring: Arc<Keyring>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    keys: KeyCache,
    /// By which this receiver knows its own leases.
    holder: [u8; 16],
    state: Mutex<State>,
    /// There under [`Delivery::AtLeastOnce`]. Locked after the state.
    deliveries: Option<Mutex<Deliveries>>,
    unreadable: AtomicU64,
}

#[derive(Debug)]
struct State {
    /// One a fleet, in the keyring's order.
    beacons: Vec<Beacon>,
    outgoing: Outgoing,
}

impl Host {
    pub(super) fn new(
        keyring: &Arc<Keyring>,
        store: &Arc<dyn Store>,
        authority: bool,
        delivery: Delivery,
        clock: &Arc<dyn Clock>,
        random: &Arc<dyn Random>,
    ) -> Result<Self, Error> {
        let mut holder = [0; 16];
        if !keyring.fleets().is_empty() {
            random.fill(&mut holder)?;
        }
        let mut beacons = Vec::new();
        store.transact(&mut |transaction| {
            beacons.clear();
            if keyring.fleets().is_empty() {
                return Ok(());
            }
            let wall = clock.wall();
            let contact = transaction.contact(wall)?;
            let held = transaction.held()?;
            for (index, fleet) in keyring.fleets().iter().enumerate() {
                let own = |address: Address| {
                    let device = keyring.devices().get(keyring.by_address(address)?)?;
                    Some(device.sealed.as_ref()?.fleet == index)
                };
                let held = held.iter().filter(|held| own(held.address) == Some(true));
                let held = held.copied().collect();
                let stored = transaction.beacons(&fleet.name)?;
                let beacon = Beacon::new(fleet, authority, stored, contact, held, wall);
                beacons.push(beacon);
            }
            Ok(())
        })?;
        Ok(Self {
            keyring: Arc::clone(keyring),
            store: Arc::clone(store),
            clock: Arc::clone(clock),
            random: Arc::clone(random),
            keys: KeyCache::new(keyring),
            holder,
            state: Mutex::new(State {
                beacons,
                outgoing: Outgoing::default(),
            }),
            deliveries: match delivery {
                Delivery::AtMostOnce => None,
                Delivery::AtLeastOnce => Some(Mutex::default()),
            },
            unreadable: AtomicU64::new(0),
        })
    }

    /// W6: the application is done with a message.
    pub(super) fn done(&self, ticket: Ticket) -> Result<(), Error> {
        let Some(mut deliveries) = self.deliveries() else {
            return Ok(());
        };
        deliveries.done(ticket);
        let settled = deliveries.settled(ticket.address);
        if settled.is_empty() {
            return Ok(());
        }
        self.store.transact(&mut |transaction| {
            let mut known = transaction.sealed_device(ticket.address)?;
            for accepted in &settled {
                known = Some(accepted.apply(known));
                if let Some(held) = &accepted.held {
                    transaction.release(held)?;
                }
            }
            known.map_or(Ok(()), |known| {
                transaction.put_sealed_device(ticket.address, &known)
            })
        })?;
        deliveries.stored(ticket.address, settled.len());
        Ok(())
    }

    /// Whether a device has sent a fresh sealed frame.
    pub(super) fn has_sealed(&self, address: Address) -> Result<bool, Error> {
        if self
            .deliveries()
            .is_some_and(|deliveries| !deliveries.is_idle(address))
        {
            return Ok(true);
        }
        let mut known = None;
        self.store.transact(&mut |transaction| {
            known = transaction.sealed_device(address)?;
            Ok(())
        })?;
        Ok(known.is_some())
    }

    /// How many verified bodies of hellos and control frames said nothing.
    pub(super) fn unreadable_bodies(&self) -> u64 {
        self.unreadable.load(Ordering::Relaxed)
    }

    fn unreadable(&self) {
        self.unreadable.fetch_add(1, Ordering::Relaxed);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn deliveries(&self) -> Option<MutexGuard<'_, Deliveries>> {
        let deliveries = self.deliveries.as_ref()?;
        Some(deliveries.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
