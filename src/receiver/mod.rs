//! Opens uplinks: keyring, sessions and frame to a verdict.

mod judge;
mod judged;
mod options;
mod pool;
mod sealed;
mod tally;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use self::judged::Judged;
pub use self::options::ReceiverOptions;
use self::pool::{Heard, Pool};
use self::sealed::Host;
pub(crate) use self::sealed::KeyCache;
pub use self::sealed::{Delivery, SealedReason, Ticket};
use self::tally::Tally;
use crate::classic::SessionId;
use crate::clock::{Clock, Random};
use crate::error::{Error, StoreError};
use crate::format::is_sealed;
use crate::keyring::{Group, Keyring};
use crate::message::Message;
use crate::sealed::Frame;
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

impl Publication {
    /// Of a sealed frame `V`, by which its acknowledgement names it ([`Message::acknowledged`]).
    #[must_use]
    pub fn tag(&self) -> Option<[u8; 16]> {
        let sealed = is_sealed(&self.payload).then(|| Frame::parse(&self.payload).ok());
        sealed.flatten().map(|frame| frame.tag())
    }
}

/// Opens uplinks and mints session IDs. One receiver serves any number of threads.
pub struct Receiver {
    keyring: Arc<Keyring>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    /// One pool a group, in the keyring's order.
    pools: Mutex<Vec<Pool>>,
    sealed: Host,
    tally: Tally,
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
        let options = ReceiverOptions {
            authority,
            ..ReceiverOptions::default()
        };
        Self::with_options(keyring, store, options)
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
        let options = ReceiverOptions {
            authority,
            clock,
            random,
            ..ReceiverOptions::default()
        };
        Self::with_options(keyring, store, options)
    }

    /// A receiver that runs as it is told.
    ///
    /// # Errors
    /// [`Error::Store`] or [`Error::Random`]
    pub fn with_options(
        keyring: Arc<Keyring>,
        store: Arc<dyn Store>,
        options: ReceiverOptions,
    ) -> Result<Self, Error> {
        let ReceiverOptions {
            authority,
            delivery,
            clock,
            random,
        } = options;
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
        let tally = Tally::new(keyring.devices().len());
        let sealed = Host::new(&keyring, &store, authority, delivery, &clock, &random)?;
        Ok(Self {
            keyring,
            store,
            clock,
            random,
            pools: Mutex::new(pools),
            sealed,
            tally,
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
        let mut judged = Judged::default();
        self.judge(payload, topic, retained, &mut judged)?;
        Ok(judged.into_message(&self.keyring))
    }

    /// As [`Self::open`], for bindings, which make objects of their own: with places in the
    /// keyring instead of names, and the data where it was decrypted.
    ///
    /// # Errors
    /// [`Error::Store`]; then `judged` says nothing.
    pub fn judge(
        &self,
        payload: &[u8],
        topic: Option<&str>,
        retained: bool,
        judged: &mut Judged,
    ) -> Result<(), Error> {
        judged.clear();
        (judged.verdict, judged.reason) = if is_sealed(payload) {
            self.sealed.judge(payload, retained, judged)?
        } else {
            self.judge_classic(payload, topic, retained, judged)?
        };
        if judged.data().is_none() {
            judged.plain.clear();
        }
        let device = judged.device.or(judged.claimed);
        if self.tally.add(judged.verdict, device) {
            self.store_counts();
        }
        Ok(())
    }

    /// The application is done with a message that was handed over under
    /// [`Delivery::AtLeastOnce`]: it has stored it, and the frame may be remembered. To say so
    /// again changes nothing.
    ///
    /// # Errors
    /// [`Error::Store`]: say so again.
    pub fn done(&self, ticket: Ticket) -> Result<(), Error> {
        self.sealed.done(ticket)
    }

    /// Takes a message of a session or beacon topic; false if `topic` is none.
    ///
    /// # Errors
    /// [`Error::Store`]
    pub fn hear(&self, payload: &[u8], topic: &str, retained: bool) -> Result<bool, Error> {
        let (now, wall) = (self.clock.monotonic(), self.clock.wall());
        let may_take = !self.clock_is_wrong();
        let beacon = self.sealed.hear(payload, topic, retained, may_take)?;
        if beacon == Some(false) {
            self.false_sessions.fetch_add(1, Ordering::Relaxed);
        }
        let id = SessionId::verify(self.keyring.session_key(), payload);
        let mut known = beacon.is_some();
        let mut pools = self.pools();
        for (group, pool) in self.keyring.groups().iter().zip(pools.iter_mut()) {
            if group.session_topic.as_deref() != Some(topic) {
                continue;
            }
            known = true;
            if id.is_none() {
                self.false_sessions.fetch_add(1, Ordering::Relaxed);
            }
            let heard = pool.hear(id, retained, may_take, now, wall);
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

    /// Mints the session IDs and beacons that are due, and returns what to publish now, in order:
    /// those, welcomes, and what asks devices for a hello.
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
        let mut publications = self.sealed.publications()?;
        self.store_counts();
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
        self.sealed.reconnected();
    }

    /// How long until [`Self::publications`] has something new; None if it never will by itself.
    #[must_use]
    pub fn next_due(&self) -> Option<Duration> {
        let now = self.clock.monotonic();
        self.pools()
            .iter()
            .filter_map(|pool| pool.next_due(now))
            .chain(self.sealed.next_due(now))
            .min()
    }

    /// Where readings come from: their messages go to [`Self::open`].
    #[must_use]
    pub fn reading_filters(&self) -> Vec<String> {
        let groups = self.keyring.groups().iter().map(|group| &group.topic);
        let mut filters: Vec<String> = groups.map(|topic| topic.as_str().to_owned()).collect();
        filters.extend(self.keyring.up_filters().iter().map(ToString::to_string));
        filters.sort_unstable();
        filters.dedup();
        filters
    }

    /// What it listens to besides readings: the session and beacon topics, whose messages go to
    /// [`Self::hear`], and the filters of the hellos, whose messages go to [`Self::open`]. What
    /// [`Self::hear`] does not know goes to [`Self::open`].
    #[must_use]
    pub fn subscriptions(&self) -> Vec<Arc<str>> {
        let mut topics: Vec<Arc<str>> = self
            .keyring
            .groups()
            .iter()
            .filter_map(|group| group.session_topic.clone())
            .collect();
        for fleet in self.keyring.fleets() {
            topics.push(Arc::clone(&fleet.beacon_topic));
        }
        topics.extend(self.keyring.hello_filters());
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
        self.tally.counts()
    }

    /// How many verified bodies of hellos and control frames said nothing that this version knows.
    #[must_use]
    pub fn unreadable_bodies(&self) -> u64 {
        self.sealed.unreadable_bodies()
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
        let ahead = ahead.or_else(|| self.sealed.ahead(now));
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

    /// A store that fails says so where a frame is accepted; the counts wait in memory.
    fn store_counts(&self) {
        let _later = self
            .tally
            .store(&*self.store, &self.keyring, self.clock.wall());
    }

    /// I3
    fn clock_is_wrong(&self) -> bool {
        self.clock.wall() < RELEASED
    }

    fn pools(&self) -> MutexGuard<'_, Vec<Pool>> {
        self.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was counted since the last time. Nobody is left to hear of an error.
impl Drop for Receiver {
    fn drop(&mut self) {
        let _lost = self.tally.store_all(&*self.store, &self.keyring);
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_tally;
