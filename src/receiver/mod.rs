//! Opens uplinks: keyring, sessions and frame to a verdict.

mod judge;
mod judged;
mod pool;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use self::judged::Judged;
use self::pool::{Heard, Pool};
use crate::classic::SessionId;
use crate::clock::{Clock, Random, SystemClock, SystemRandom};
use crate::error::{Error, StoreError};
use crate::keyring::{Group, Keyring};
use crate::message::Message;
use crate::store::Store;
use crate::verdict::Verdict;

/// When this library was released, in Unix seconds: a wall clock that says less is wrong (I3).
const RELEASED: u64 = 1_795_219_200;

/// What an adapter has to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// Where to.
    pub topic: Arc<str>,
    /// The payload.
    pub payload: Vec<u8>,
    /// MQTT's quality of service.
    pub qos: u8,
    /// Whether the broker keeps it for those who subscribe later.
    pub retain: bool,
}

/// Opens uplinks and mints session IDs. One receiver serves any number of threads.
pub struct Receiver {
    keyring: Arc<Keyring>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    /// One pool a group, in the keyring's order.
    pools: Mutex<Vec<Pool>>,
    counts: [AtomicU64; Verdict::COUNT],
    false_sessions: AtomicU64,
}

impl core::fmt::Debug for Receiver {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}

impl Receiver {
    /// A receiver on the operating system's clocks and randomness. An `authority` publishes
    /// session IDs; another follows those that it hears.
    ///
    /// # Errors
    /// [`Error::Store`]
    pub fn new(
        keyring: Arc<Keyring>,
        store: Arc<dyn Store>,
        authority: bool,
    ) -> Result<Self, Error> {
        Self::with_clock(
            keyring,
            store,
            authority,
            Arc::new(SystemClock::new()),
            Arc::new(SystemRandom),
        )
    }

    /// A receiver on clocks and randomness that a test controls.
    ///
    /// # Errors
    /// [`Error::Store`]
    pub fn with_clock(
        keyring: Arc<Keyring>,
        store: Arc<dyn Store>,
        authority: bool,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, Error> {
        let mut pools = Vec::new();
        store.transact(&mut |transaction| {
            pools.clear();
            for group in keyring.groups() {
                pools.push(Pool::new(
                    group,
                    authority,
                    transaction.sessions(&group.name)?,
                    transaction.newest_session(&group.name)?,
                    transaction.session_bar(&group.name)?,
                    clock.wall(),
                ));
            }
            Ok(())
        })?;
        Ok(Self {
            keyring,
            store,
            clock,
            random,
            pools: Mutex::new(pools),
            counts: [const { AtomicU64::new(0) }; Verdict::COUNT],
            false_sessions: AtomicU64::new(0),
        })
    }

    /// Opens one frame. `topic` selects the groups whose filter matches; without it every group
    /// is tried. `retained` is MQTT's flag: it only relabels what is refused anyway (R5).
    ///
    /// Whatever the bytes, the answer is a verdict.
    ///
    /// # Errors
    /// [`Error::Store`]: the frame was not accepted and may be given again.
    pub fn open(
        &self,
        payload: &[u8],
        topic: Option<&str>,
        retained: bool,
    ) -> Result<Message, Error> {
        let judged = self.judge(payload, topic, retained)?;
        Ok(judged.into_message(&self.keyring))
    }

    /// As [`Self::open`], for bindings, which make objects of their own: with places in the
    /// keyring instead of names, and the data where it was decrypted.
    ///
    /// # Errors
    /// [`Error::Store`]
    pub fn judge(
        &self,
        payload: &[u8],
        topic: Option<&str>,
        retained: bool,
    ) -> Result<Judged, Error> {
        let mut judged = Judged::new();
        (judged.verdict, judged.reason) =
            self.judge_classic(payload, topic, retained, &mut judged)?;
        if judged.verdict != Verdict::Fresh {
            judged.plain.clear();
        }
        if let Some(count) = self.counts.get(judged.verdict.index()) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        Ok(judged)
    }

    /// Takes a message of a session topic; false if `topic` is none.
    ///
    /// # Errors
    /// [`Error::Store`]
    pub fn hear(&self, payload: &[u8], topic: &str) -> Result<bool, Error> {
        let (now, wall) = (self.clock.monotonic(), self.clock.wall());
        let id = SessionId::verify(self.keyring.session_key(), payload);
        let mut known = false;
        let mut pools = self.pools();
        for (group, pool) in self.keyring.groups().iter().zip(pools.iter_mut()) {
            if group.session_topic.as_deref() != Some(topic) {
                continue;
            }
            known = true;
            if id.is_none() {
                self.false_sessions.fetch_add(1, Ordering::Relaxed);
            }
            let heard = pool.hear(id, !self.clock_is_wrong(), now, wall);
            if let Heard::New(id) | Heard::Late(id) = heard {
                let barred = pool.barred();
                if self.remember_session(group, &id, &barred)? {
                    pool.forget(&barred);
                    pool.take(heard, now);
                }
            }
        }
        Ok(known)
    }

    /// Mints the session IDs that are due, and returns what to publish now, in order.
    ///
    /// # Errors
    /// [`Error::Store`] or [`Error::Random`]: nothing was minted that would not be stored.
    pub fn publications(&self) -> Result<Vec<Publication>, Error> {
        let (now, wall) = (self.clock.monotonic(), self.clock.wall());
        let mut pools = self.pools();
        for (group, pool) in self.keyring.groups().iter().zip(pools.iter_mut()) {
            let Some(time) = pool.mint_due(now, wall) else {
                continue;
            };
            let id = SessionId::mint(self.keyring.session_key(), time, &*self.random)?;
            let barred = pool.barred();
            if self.remember_session(group, &id, &barred)? {
                pool.forget(&barred);
                pool.minted(id, now, wall);
            } else {
                // Another process on this store is ahead; the next ID will be newer than its.
                pool.outpaced(id);
            }
        }
        // Only now, that nothing can fail any more, is anything taken out.
        let mut publications = Vec::new();
        for (group, pool) in self.keyring.groups().iter().zip(pools.iter_mut()) {
            if let (Some(topic), Some(id)) = (&group.session_topic, pool.take_publication(now)) {
                publications.push(Publication {
                    topic: Arc::clone(topic),
                    payload: id.text().to_vec(),
                    qos: 1,
                    retain: true,
                });
            }
        }
        Ok(publications)
    }

    /// After each (re)connection: the current session IDs are published again.
    pub fn reconnected(&self) {
        let now = self.clock.monotonic();
        self.pools()
            .iter_mut()
            .for_each(|pool| pool.show_again(now));
    }

    /// How long until [`Self::publications`] has something new; None if it never will by itself.
    #[must_use]
    pub fn next_due(&self) -> Option<Duration> {
        let now = self.clock.monotonic();
        self.pools()
            .iter()
            .filter_map(|pool| pool.next_due(now))
            .min()
    }

    /// The session topics: their messages go to [`Self::hear`].
    #[must_use]
    pub fn subscriptions(&self) -> Vec<Arc<str>> {
        let mut topics: Vec<Arc<str>> = self
            .keyring
            .groups()
            .iter()
            .filter_map(|group| group.session_topic.clone())
            .collect();
        topics.sort_unstable();
        topics.dedup();
        topics
    }

    /// The keyring that it believes.
    #[must_use]
    pub const fn keyring(&self) -> &Arc<Keyring> {
        &self.keyring
    }

    /// How many frames got each verdict, in the order of [`Verdict::ALL`].
    #[must_use]
    pub fn counts(&self) -> [u64; Verdict::COUNT] {
        self.counts
            .each_ref()
            .map(|count| count.load(Ordering::Relaxed))
    }

    /// How many payloads of the session topics were no ID of this keyring.
    #[must_use]
    pub fn false_sessions(&self) -> u64 {
        self.false_sessions.load(Ordering::Relaxed)
    }

    /// What keeps it from taking session IDs, in one sentence; None if nothing does.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        if self.clock_is_wrong() {
            return Some("the wall clock lies before this library's release, so no session ID of another receiver is taken; set the clock (`timedatectl`)".to_owned());
        }
        let now = self.clock.monotonic();
        let ahead = self.pools().iter().find_map(|pool| pool.ahead(now));
        ahead.map(|seconds| {
            format!(
                "another receiver publishes session IDs whose time is {seconds} s ahead of the wall clock, so they are not taken; set both clocks (`timedatectl`)"
            )
        })
    }

    /// A session comes, and those that newer ones bar go and stay away; false if it is barred.
    fn remember_session(
        &self,
        group: &Group,
        id: &SessionId,
        barred: &[SessionId],
    ) -> Result<bool, StoreError> {
        let mut added = false;
        self.store.transact(&mut |transaction| {
            added = transaction.add_session(&group.name, id)?;
            barred
                .iter()
                .try_for_each(|old| transaction.drop_session(&group.name, old))
        })?;
        Ok(added)
    }

    /// I3
    fn clock_is_wrong(&self) -> bool {
        self.clock.wall() < RELEASED
    }

    fn pools(&self) -> MutexGuard<'_, Vec<Pool>> {
        self.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
