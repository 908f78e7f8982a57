//! What a store keeps of sealed devices and their fleets (`SEALED.md`).

use core::fmt;

use crate::classic::SessionId;
use crate::error::StoreError;
use crate::sealed::{Address, Session, Window};
use crate::verdict::Verdict;

/// The operations of a receiver and a sender of sealed frames on their store. `fleet` is a fleet's
/// name. Nothing of a device is ever dropped: one that leaves the keyring stays known (W3).
pub trait SealedTransaction {
    /// What is known of a device; None before its first `fresh` frame.
    ///
    /// # Errors
    /// [`StoreError`]
    fn sealed_device(&mut self, address: Address) -> Result<Option<SealedDevice>, StoreError>;

    /// Replaces what is known of a device.
    ///
    /// # Errors
    /// [`StoreError`]
    fn put_sealed_device(
        &mut self,
        address: Address,
        device: &SealedDevice,
    ) -> Result<(), StoreError>;

    /// The sessions that a device drew.
    ///
    /// # Errors
    /// [`StoreError`]
    fn device_sessions(&mut self, address: Address) -> Result<DeviceSessions, StoreError>;

    /// Replaces the sessions that a device drew.
    ///
    /// # Errors
    /// [`StoreError`]
    fn put_device_sessions(
        &mut self,
        address: Address,
        sessions: &DeviceSessions,
    ) -> Result<(), StoreError>;

    /// A downlink counter of this device that no one was given before, whatever died when, once
    /// the transaction is durable ([`super::Store::transact_durably`]) (C4). None after 2^64-1.
    ///
    /// # Errors
    /// [`StoreError`]
    fn next_downlink(&mut self, address: Address) -> Result<Option<u64>, StoreError>;

    /// Since when this store has known everything that was accepted. The first call makes it now.
    ///
    /// # Errors
    /// [`StoreError`]
    fn contact(&mut self, wall: u64) -> Result<Contact, StoreError>;

    /// The store is a copy of what it was: windows become floors, the sessions that devices drew
    /// expire, and only what was minted from now on meets a device (W3, C3).
    ///
    /// # Errors
    /// [`StoreError`]
    fn mark_restored(&mut self, wall: u64) -> Result<(), StoreError>;

    /// The beacon sessions that are known.
    ///
    /// # Errors
    /// [`StoreError`]
    fn beacons(&mut self, fleet: &str) -> Result<Beacons, StoreError>;

    /// Adds a beacon session, as [`super::Transaction::add_session`] does.
    ///
    /// # Errors
    /// [`StoreError`]
    fn add_beacon(&mut self, fleet: &str, id: &SessionId) -> Result<bool, StoreError>;

    /// Forgets a beacon session, as [`super::Transaction::drop_session`] does.
    ///
    /// # Errors
    /// [`StoreError`]
    fn drop_beacon(&mut self, fleet: &str, id: &SessionId) -> Result<(), StoreError>;

    /// Who may command the fleet (B4).
    ///
    /// # Errors
    /// [`StoreError`]
    fn lease(&mut self, fleet: &str) -> Result<Option<Lease>, StoreError>;

    /// Takes, renews or gives back the lease.
    ///
    /// # Errors
    /// [`StoreError`]
    fn put_lease(&mut self, fleet: &str, lease: Option<&Lease>) -> Result<(), StoreError>;

    /// The bound frames that were handed over and are not done (W6).
    ///
    /// # Errors
    /// [`StoreError`]
    fn held(&mut self) -> Result<Vec<Held>, StoreError>;

    /// Remembers one of them.
    ///
    /// # Errors
    /// [`StoreError`]
    fn hold(&mut self, held: &Held) -> Result<(), StoreError>;

    /// Forgets one of them.
    ///
    /// # Errors
    /// [`StoreError`]
    fn release(&mut self, held: &Held) -> Result<(), StoreError>;

    /// How many frames got each verdict, in the order of [`Verdict::ALL`].
    ///
    /// # Errors
    /// [`StoreError`]
    fn counts(&mut self) -> Result<[u64; Verdict::COUNT], StoreError>;

    /// Adds to them.
    ///
    /// # Errors
    /// [`StoreError`]
    fn add_counts(&mut self, counts: &[u64; Verdict::COUNT]) -> Result<(), StoreError>;

    /// How many frames of a device got each verdict, in the order of [`Verdict::ALL`]. Those that
    /// did not verify only claim to be of it.
    ///
    /// # Errors
    /// [`StoreError`]
    fn device_counts(&mut self, address: Address) -> Result<[u64; Verdict::COUNT], StoreError>;

    /// Adds to them.
    ///
    /// # Errors
    /// [`StoreError`]
    fn add_device_counts(
        &mut self,
        address: Address,
        counts: &[u64; Verdict::COUNT],
    ) -> Result<(), StoreError>;
}

/// How many sessions of a device that are not welcomed yet are kept, and how many expired ones.
pub const DEVICE_SESSIONS_KEPT: usize = 8;
/// How many welcomes of a session are kept: it may acknowledge an earlier one.
const WELCOMES_KEPT: usize = 8;
/// How many downlink counters are reserved at once (C4).
pub const DOWNLINK_CHUNK: u64 = 1024;

/// What a device's frames have taught.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealedDevice {
    /// Which counters were accepted.
    pub window: Window,
    /// Whether the window takes frames; a restored one is a floor until it opens anew (W3).
    pub open: bool,
    /// The highest epoch verified.
    pub epoch: u16,
    /// The epochs before it, while they are still accepted (E1).
    pub overlap: Option<Overlap>,
    /// When its last `fresh` frame came, in Unix seconds.
    pub last_seen: u64,
}

/// Epochs that are accepted for a while after a newer one began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// The epoch before.
    pub from: u16,
    /// Unix seconds.
    pub until: u64,
}

/// The sessions that a device drew (H1 to H5).
#[derive(Clone, Default, PartialEq, Eq)]
pub struct DeviceSessions {
    /// The one that commands are bound to.
    pub current: Option<CurrentSession>,
    /// Those whose welcome is not acknowledged, the oldest first.
    pub pending: Vec<PendingSession>,
    /// Former ones, the oldest first: they tell `stale_session` from `forged`.
    pub expired: Vec<Session>,
}

/// A session that the device acknowledged.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CurrentSession {
    /// The session.
    pub session: Session,
    /// The counter of the acknowledgement: one with a lower counter, which was held back, does
    /// not bring an older session back.
    pub acknowledged: u64,
}

/// A session that the device showed and has not acknowledged.
#[derive(Clone, PartialEq, Eq)]
pub struct PendingSession {
    /// The session.
    pub session: Session,
    /// `V` of the last welcomes bound to it.
    pub welcomes: Vec<[u8; 16]>,
}

impl DeviceSessions {
    /// A hello showed this session (H4). The current one stays what it is.
    pub fn drawn(&mut self, session: Session) {
        if self
            .current
            .is_some_and(|current| current.session == session)
        {
            return;
        }
        self.expired.retain(|known| *known != session);
        let place = self
            .pending
            .iter()
            .position(|known| known.session == session);
        let pending = match place {
            Some(place) => self.pending.remove(place),
            None => PendingSession {
                session,
                welcomes: Vec::new(),
            },
        };
        self.pending.push(pending);
        while self.pending.len() > DEVICE_SESSIONS_KEPT {
            let oldest = self.pending.remove(0);
            self.expire(oldest.session);
        }
    }

    /// A welcome bound to this session goes to the device.
    pub fn welcomed(&mut self, session: Session, tag: [u8; 16]) {
        for pending in self
            .pending
            .iter_mut()
            .filter(|known| known.session == session)
        {
            pending.welcomes.push(tag);
            let surplus = pending.welcomes.len().saturating_sub(WELCOMES_KEPT);
            pending.welcomes.drain(..surplus);
        }
    }

    /// The device acknowledged the frame of this tag under this session: if that was a welcome,
    /// it becomes the current one (H5). Whether that changed anything.
    pub fn acknowledged(&mut self, session: Session, tag: [u8; 16], counter: u64) -> bool {
        let later = self
            .current
            .is_none_or(|current| counter > current.acknowledged);
        let welcome =
            |known: &PendingSession| known.session == session && known.welcomes.contains(&tag);
        if !later || !self.pending.iter().any(welcome) {
            return false;
        }
        self.pending.retain(|known| known.session != session);
        let acknowledged = counter;
        let former = self.current.replace(CurrentSession {
            session,
            acknowledged,
        });
        if let Some(former) = former {
            self.expire(former.session);
        }
        true
    }

    /// No session is good for commands any more, until the device shows another (C3).
    pub fn expire_all(&mut self) {
        let current = self.current.take().map(|current| current.session);
        let pending = core::mem::take(&mut self.pending);
        let pending = pending.into_iter().map(|pending| pending.session);
        for session in pending.chain(current) {
            self.expire(session);
        }
    }

    fn expire(&mut self, session: Session) {
        self.expired.retain(|known| *known != session);
        self.expired.push(session);
        let surplus = self.expired.len().saturating_sub(DEVICE_SESSIONS_KEPT);
        self.expired.drain(..surplus);
    }
}

/// How many, not which.
impl fmt::Debug for DeviceSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceSessions")
            .field("current", &self.current.is_some())
            .field("pending", &self.pending.len())
            .field("expired", &self.expired.len())
            .finish()
    }
}

/// Since when a store has known everything that was accepted (W2, W3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contact {
    /// When it was created or marked restored, in Unix seconds.
    pub since: u64,
    /// How many times that was.
    pub generation: u64,
}

/// The beacon sessions of a fleet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beacons {
    /// Those that are known, in no order.
    pub known: Vec<SessionId>,
    /// The time of the newest ever verified.
    pub newest: Option<u32>,
    /// The newest time of one that was dropped: none so old may live again.
    pub bar: Option<u32>,
}

/// The right to command a fleet (B4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The receiver that renews it.
    pub holder: [u8; 16],
    /// Unix seconds.
    pub until: u64,
}

/// A frame that was bound to a beacon session, handed over and not done. That session is expired
/// when the frame comes again after a restart, and it has to be fresh all the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
pub struct Held {
    /// Whose it is.
    pub address: Address,
    /// `V`.
    pub tag: [u8; 16],
    /// What it is bound to.
    pub session: SessionId,
}
