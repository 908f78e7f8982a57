//! Where a receiver keeps what it learns.
//!
//! Everything that a receiver must not forget passes through one [`Transaction`]: it becomes
//! durable together or not at all. A batch of frames is one transaction.

mod memory;
mod sealed;
mod sealed_memory;
mod sqlite;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_sealed;

use core::fmt;

pub use memory::MemoryStore;
pub use sealed::{
    Beacons, Contact, CurrentSession, DEVICE_SESSIONS_KEPT, DOWNLINK_CHUNK, DeviceSessions, Held,
    Lease, Overlap, PendingSession, SealedDevice, SealedTransaction,
};
pub use sqlite::{Durability, SqliteStore};

use crate::classic::SessionId;
use crate::clock::Clock;
use crate::error::StoreError;

/// A place for what receivers learn. Several receivers may share one.
pub trait Store: Send + Sync + fmt::Debug {
    /// Runs `work` as one transaction: an error leaves the store as it was.
    ///
    /// `work` may run more than once, since another process may come in between: only what its
    /// last run found counts.
    ///
    /// # Errors
    /// What `work` answers, or why the transaction failed.
    fn transact(
        &self,
        work: &mut dyn FnMut(&mut dyn Transaction) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;

    /// As [`Self::transact`]; what it wrote also survives a power cut, even where the store
    /// promises less for the others.
    ///
    /// # Errors
    /// As [`Self::transact`].
    fn transact_durably(
        &self,
        work: &mut dyn FnMut(&mut dyn Transaction) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.transact(work)
    }
}

impl dyn Store {
    /// Says that the store is a copy of what it was, as a backup is: what was accepted since is
    /// unknown to it. Each device is met anew, above its old counter, once it has heard a beacon
    /// that was minted from now on (`SEALED.md`, W3).
    ///
    /// # Errors
    /// [`StoreError`]: nothing was marked.
    pub fn mark_restored(&self, clock: &dyn Clock) -> Result<(), StoreError> {
        let wall = clock.wall();
        self.transact_durably(&mut |transaction| transaction.mark_restored(wall))
    }
}

/// The operations of a receiver on its store. `group` is a classic group's name, `address` a
/// device's address in it (`CLASSIC.md`, *Receiving*).
pub trait Transaction: SealedTransaction {
    /// Every session ID that is known in `group`, in no order.
    ///
    /// # Errors
    /// [`StoreError`]
    fn sessions(&mut self, group: &str) -> Result<Vec<SessionId>, StoreError>;

    /// The time of the newest ID ever verified in `group`.
    ///
    /// # Errors
    /// [`StoreError`]
    fn newest_session(&mut self, group: &str) -> Result<Option<u32>, StoreError>;

    /// The newest time of a session that was dropped: none so old may live again.
    ///
    /// # Errors
    /// [`StoreError`]
    fn session_bar(&mut self, group: &str) -> Result<Option<u32>, StoreError>;

    /// Adds a session, and raises the newest time to its time; false, and nothing done, if it is
    /// not known and lies at or below the bar: it may have been known and dropped.
    ///
    /// # Errors
    /// [`StoreError`]
    fn add_session(&mut self, group: &str, id: &SessionId) -> Result<bool, StoreError>;

    /// Forgets a session and the MACs accepted under it, and raises the bar to its time.
    ///
    /// # Errors
    /// [`StoreError`]
    fn drop_session(&mut self, group: &str, id: &SessionId) -> Result<(), StoreError>;

    /// R2 and R4: remembers a verified frame, unless it is known or its session is full.
    ///
    /// # Errors
    /// [`StoreError`]
    fn accept(&mut self, frame: &Accepting<'_>) -> Result<Acceptance, StoreError>;

    /// The address of the device among whose last accepted frames this one is (R2).
    ///
    /// # Errors
    /// [`StoreError`]
    fn recall(&mut self, group: &str, copy: &Copy) -> Result<Option<Vec<u8>>, StoreError>;

    /// Notes that the host used this session of a node for a command; false if it did before.
    ///
    /// # Errors
    /// [`StoreError`]
    fn use_command_session(
        &mut self,
        group: &str,
        address: &[u8],
        session: &[u8; 32],
    ) -> Result<bool, StoreError>;
}

/// How many accepted frames of each device outlive their session (R2).
pub const RECENT_MACS: usize = 16;
/// How many frames without a session a group remembers (R1).
pub const SESSIONLESS_MACS: usize = 1024;
/// How many used command sessions of each node are remembered.
pub const USED_COMMAND_SESSIONS: usize = 64;

/// By what a copy of a frame is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copy {
    /// The decoded MAC.
    pub mac: [u8; 20],
    /// What the whole frame has in common with its copies: a frame that was changed has another.
    pub fingerprint: [u8; 16],
}

/// A verified frame that is about to be accepted.
#[derive(Clone, Copy, Debug)]
pub struct Accepting<'a> {
    /// Its group's name.
    pub group: &'a str,
    /// The session that it verified under; None without one.
    pub session: Option<&'a SessionId>,
    /// The device that it is of.
    pub address: &'a [u8],
    /// By what its copies are known.
    pub copy: Copy,
    /// How many MACs the session remembers.
    pub limit: usize,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acceptance {
    /// It is new, and remembered.
    New {
        /// The session is full with it and has to retire.
        last: bool,
    },
    /// It was accepted before.
    Known,
    /// The session's memory is full, or the session is not known.
    Full,
}
