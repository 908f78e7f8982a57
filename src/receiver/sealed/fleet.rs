//! The beacon of one fleet, as one receiver sees it (`SEALED.md`, B1 to B4).

use std::collections::HashSet;
use std::time::Duration;

use super::super::pool::{Heard, Pool, UnderSession};
use super::contact::Binding;
use crate::classic::SessionId;
use crate::keyring::Fleet;
use crate::sealed::{Address, Session};
use crate::store::{Beacons, Contact, Held};

/// So many hellos under one beacon session are told apart; more are not answered.
const HANDLED_MAX: usize = 1 << 16;

#[derive(Debug)]
pub(super) struct Beacon {
    pub(super) pool: Pool,
    /// Where the sessions that live came from.
    origins: Vec<(SessionId, Origin)>,
    /// The tags of the hellos that were handled, by session (H4).
    handled: Vec<(SessionId, HashSet<[u8; 16]>)>,
    /// Frames whose delivery a crash cut off.
    held: Vec<Held>,
}

/// Where a session came from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    /// Of the store, when it came.
    generation: u64,
    minted: bool,
}

impl Origin {
    /// Whether it was minted since the store has known everything that was accepted (W2).
    fn is_since(self, id: SessionId, contact: Contact) -> bool {
        let timely = self.minted || u64::from(id.time()) >= contact.since;
        self.generation == contact.generation && timely
    }
}

/// What a verified frame is bound to, before the store was asked.
#[derive(Clone, Copy, Debug)]
pub(super) enum Bound {
    No,
    /// A live session of the beacon.
    Live(SessionId, Option<Origin>),
    /// An expired one, when the frame came first.
    Held(Held),
    /// A session that the device drew.
    Device(Session),
    Expired,
}

impl Bound {
    pub(super) fn binding(&self, contact: Option<Contact>) -> Binding {
        match *self {
            Self::No => Binding::None,
            Self::Live(id, origin) => Binding::Beacon {
                id,
                since: origin
                    .zip(contact)
                    .is_some_and(|(origin, contact)| origin.is_since(id, contact)),
            },
            Self::Held(held) => Binding::Beacon {
                id: held.session,
                since: true,
            },
            Self::Device(_) => Binding::Device,
            Self::Expired => Binding::Expired,
        }
    }

    /// What a hello that is handled is bound to (H4).
    pub(super) const fn live(&self) -> Option<SessionId> {
        match self {
            Self::Live(id, _) => Some(*id),
            _ => None,
        }
    }
}

impl Beacon {
    pub(super) fn new(
        fleet: &Fleet,
        authority: bool,
        stored: Beacons,
        contact: Contact,
        held: Vec<Held>,
        wall: u64,
    ) -> Self {
        Self {
            pool: Pool::of_fleet(fleet, authority, stored, contact.since, wall),
            origins: Vec::new(),
            handled: Vec::new(),
            held,
        }
    }

    /// What to try a frame under.
    pub(super) fn sessions(&self) -> impl Iterator<Item = &Session> + Clone {
        let held = self.held.iter().map(|held| &held.session);
        self.pool.ids().chain(held).map(SessionId::as_bytes)
    }

    /// What the frame of this tag is bound to, if it verifies under the session at this place.
    pub(super) fn bound(&self, place: usize, address: Address, tag: [u8; 16]) -> Bound {
        if let UnderSession::Live(id) = self.pool.session(place) {
            let known = self.origins.iter().find(|(known, _)| *known == id);
            let origin = known.map(|(_, origin)| *origin);
            return Bound::Live(id, origin);
        }
        let held = self.held.iter().map(|held| &held.session);
        let session = self.pool.ids().chain(held).nth(place).copied();
        let held = session.map(|session| Held {
            address,
            tag,
            session,
        });
        match held.filter(|held| self.held.contains(held)) {
            Some(held) => Bound::Held(held),
            None => Bound::Expired,
        }
    }

    /// A frame whose delivery a crash cut off came again.
    pub(super) fn redelivered(&mut self, held: &Held) {
        self.held.retain(|known| known != held);
    }

    pub(super) fn minted(&mut self, id: SessionId, contact: Contact, now: Duration, wall: u64) {
        self.pool.minted(id, now, wall);
        self.note(id, contact, true);
    }

    pub(super) fn heard(&mut self, heard: Heard, contact: Contact, now: Duration) {
        self.pool.take(heard, now);
        if let Heard::New(id) = heard {
            self.note(id, contact, false);
        }
    }

    /// Whether a hello is to be handled: the first time that it comes under this session.
    pub(super) fn handle(&mut self, session: &SessionId, tag: [u8; 16]) -> bool {
        let handled = self.handled.iter_mut().find(|(known, _)| known == session);
        match handled {
            Some((_, tags)) => tags.len() < HANDLED_MAX && tags.insert(tag),
            None => {
                self.handled.push((*session, HashSet::from([tag])));
                true
            }
        }
    }

    /// It could not be handled after all.
    pub(super) fn unhandle(&mut self, session: &SessionId, tag: &[u8; 16]) {
        for (_, tags) in self
            .handled
            .iter_mut()
            .filter(|(known, _)| known == session)
        {
            tags.remove(tag);
        }
    }

    fn note(&mut self, id: SessionId, contact: Contact, minted: bool) {
        let pool = &self.pool;
        self.origins.retain(|(known, _)| pool.is_live(known));
        self.handled.retain(|(known, _)| pool.is_live(known));
        let generation = contact.generation;
        self.origins.push((id, Origin { generation, minted }));
    }
}
