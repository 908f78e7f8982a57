//! What was handed over and is not done (`SEALED.md`, W6, `at_least_once`).
//!
//! Of each device the frames are kept in the order in which they were accepted. The store gets
//! them in that order, each once it and all before it are done: what is not done is new again
//! after a crash, and the stored head has not passed it.

use std::collections::{HashMap, VecDeque};

use super::epochs;
use crate::sealed::{Address, Window};
use crate::store::{Held, SealedDevice};

/// So many messages of one device may be undone.
pub(super) const UNDONE_MAX: usize = 1024;

/// Names a message to [`crate::Receiver::done`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket {
    pub(super) address: Address,
    number: u64,
}

#[derive(Debug, Default)]
pub(super) struct Deliveries {
    devices: HashMap<Address, VecDeque<Delivery>>,
    last: u64,
}

/// A frame that was accepted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Accepted {
    pub(super) counter: u64,
    pub(super) epoch: u16,
    /// When, in Unix seconds.
    pub(super) wall: u64,
    /// The window that opened with it.
    pub(super) opened: Option<Window>,
    /// What tells it again after a restart, if it was bound to a beacon.
    pub(super) held: Option<Held>,
}

#[derive(Debug)]
struct Delivery {
    number: u64,
    accepted: Accepted,
    done: bool,
}

impl Accepted {
    /// What is known of the device once the store has this frame.
    pub(super) fn apply(&self, known: Option<SealedDevice>) -> SealedDevice {
        let window = match (known, self.opened) {
            (Some(device), _) if device.open => device.window.with(self.counter),
            (Some(floor), Some(opened)) => Window::closed(opened.head.max(floor.window.head)),
            (_, Some(opened)) => opened,
            // The store was marked restored meanwhile: it stays a floor.
            (Some(floor), None) => return floor,
            (None, None) => Window::closed(self.counter),
        };
        let mut device = SealedDevice {
            window,
            open: true,
            epoch: known.map_or(self.epoch, |device| device.epoch),
            overlap: known.and_then(|device| device.overlap),
            last_seen: self.wall,
        };
        epochs::reach(&mut device, self.epoch, self.wall);
        device
    }
}

impl Deliveries {
    /// What is known of a device, with what was accepted and is not in the store yet.
    pub(super) fn known(
        &self,
        address: Address,
        stored: Option<SealedDevice>,
    ) -> Option<SealedDevice> {
        let queue = self.devices.get(&address).into_iter().flatten();
        queue.fold(stored, |known, delivery| {
            Some(delivery.accepted.apply(known))
        })
    }

    /// Whether no more may be handed over until something is done.
    pub(super) fn is_full(&self, address: Address) -> bool {
        let queue = self.devices.get(&address);
        queue.is_some_and(|queue| queue.len() >= UNDONE_MAX)
    }

    pub(super) fn is_idle(&self, address: Address) -> bool {
        !self.devices.contains_key(&address)
    }

    /// A frame was accepted; the application has it, unless it is `done` at once.
    pub(super) fn add(&mut self, address: Address, accepted: Accepted, done: bool) -> Ticket {
        self.last += 1;
        let number = self.last;
        let delivery = Delivery {
            number,
            accepted,
            done,
        };
        self.devices.entry(address).or_default().push_back(delivery);
        Ticket { address, number }
    }

    /// The application is done with a message. Of none or one that was done before nothing comes.
    pub(super) fn done(&mut self, ticket: Ticket) {
        let queue = self.devices.get_mut(&ticket.address).into_iter().flatten();
        for delivery in queue.filter(|delivery| delivery.number == ticket.number) {
            delivery.done = true;
        }
    }

    /// What the store may have now, in order.
    pub(super) fn settled(&self, address: Address) -> Vec<Accepted> {
        let queue = self.devices.get(&address).into_iter().flatten();
        queue
            .take_while(|delivery| delivery.done)
            .map(|delivery| delivery.accepted)
            .collect()
    }

    /// The store has so many of them.
    pub(super) fn stored(&mut self, address: Address, count: usize) {
        let Some(queue) = self.devices.get_mut(&address) else {
            return;
        };
        queue.drain(..count.min(queue.len()));
        if queue.is_empty() {
            self.devices.remove(&address);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sealed::Place;

    const ADDRESS: Address = Address::new([1; 8]);

    fn accepted(counter: u64) -> Accepted {
        Accepted {
            counter,
            epoch: 0,
            wall: 0,
            opened: None,
            held: None,
        }
    }

    fn device(head: u64) -> SealedDevice {
        SealedDevice {
            window: Window::closed(head),
            open: true,
            epoch: 0,
            overlap: None,
            last_seen: 0,
        }
    }

    /// Stores what may be stored.
    fn settle(deliveries: &mut Deliveries, stored: &mut SealedDevice) {
        let settled = deliveries.settled(ADDRESS);
        for accepted in &settled {
            *stored = accepted.apply(Some(*stored));
        }
        deliveries.stored(ADDRESS, settled.len());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        /// Whatever is accepted and done in whichever order: what is not done is new to the store
        /// alone, and to the receiver nothing is new twice.
        #[test]
        fn nothing_undone_is_lost(
            steps in prop::collection::vec((0_u64..60, any::<prop::sample::Index>(), any::<bool>()), 1..120)
        ) {
            let mut deliveries = Deliveries::default();
            let mut stored = device(1000);
            let mut undone: Vec<(u64, Ticket)> = Vec::new();
            let mut seen = std::collections::BTreeSet::new();
            for (offset, which, finish) in steps {
                let known = deliveries.known(ADDRESS, Some(stored)).unwrap();
                let counter = known.window.head + 20 - offset.min(40);
                if matches!(known.window.place(counter), Place::Above | Place::Late) {
                    prop_assert!(seen.insert(counter));
                    let ticket = deliveries.add(ADDRESS, accepted(counter), false);
                    undone.push((counter, ticket));
                }
                if finish && !undone.is_empty() {
                    let (_, ticket) = undone.remove(which.index(undone.len()));
                    deliveries.done(ticket);
                    deliveries.done(ticket);
                    settle(&mut deliveries, &mut stored);
                }
                for (counter, _) in &undone {
                    prop_assert!(matches!(stored.window.place(*counter), Place::Above | Place::Late));
                }
            }
            for (_, ticket) in undone {
                deliveries.done(ticket);
            }
            settle(&mut deliveries, &mut stored);
            prop_assert!(deliveries.is_idle(ADDRESS));
            for counter in seen {
                prop_assert!(matches!(stored.window.place(counter), Place::Taken | Place::Below));
            }
        }
    }

    #[test]
    fn no_more_than_so_many_are_undone() {
        let mut deliveries = Deliveries::default();
        for counter in 0..UNDONE_MAX as u64 {
            assert!(!deliveries.is_full(ADDRESS));
            deliveries.add(ADDRESS, accepted(counter), false);
        }
        assert!(deliveries.is_full(ADDRESS));
    }
}
