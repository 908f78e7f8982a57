//! The sessions of one group: which live, which have expired, who publishes them.
//!
//! Rules I1 to I5 of `CLASSIC.md`. No store and no clock in here: times are arguments.

use core::cmp::Ordering;
use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use crate::classic::SessionId;
use crate::keyring::{Fleet, Group, Policy, SessionTimes};
use crate::store::Beacons;

/// This many expired sessions are kept to tell `stale_session` from `forged`.
const EXPIRED_KEPT: usize = 8;
/// A follower takes no ID that is further ahead of its wall clock, in seconds.
const AHEAD_MAX: u64 = 30;
/// Each ID is minted at a later second than the one before. When sessions end before their time,
/// their times may run ahead of the wall clock so far, in seconds, and then at its pace.
const RUN_AHEAD: u64 = AHEAD_MAX / 2;
/// False IDs are answered at once, but not more often than this.
const REPUBLISH_PAUSE: Duration = Duration::from_millis(100);

/// The sessions of one group, as one receiver sees them.
#[derive(Debug)]
pub(super) struct Pool {
    times: SessionTimes,
    policy: Policy,
    authority: bool,
    live: Vec<Live>,
    expired: VecDeque<SessionId>,
    /// Every ID ever seen and not yet barred: none comes to life again (I4).
    known: HashSet<SessionId>,
    newest: Option<u32>,
    /// The newest time of an ID that was forgotten: none so old comes to life again.
    bar: Option<u32>,
    /// A follower whose store knows nothing takes no ID from before this time.
    follows_from: u64,
    /// What the topic should show.
    current: Option<SessionId>,
    next_mint: Duration,
    /// While another authority is heard, until when (I5).
    yields_until: Option<Duration>,
    /// By how many seconds the other authority's clock is ahead, where that is too much.
    ahead: Option<u64>,
    republish: Option<Duration>,
    last_published: Option<Duration>,
    /// What a frame is tried under: the live ones, then the expired ones, then none.
    texts: Vec<SessionText>,
}

#[derive(Debug)]
struct Live {
    id: SessionId,
    ends: Duration,
}

/// What a frame verified under.
#[derive(Clone, Copy, Debug)]
pub(super) enum UnderSession {
    Live(SessionId),
    Expired,
    /// It has no freshness (R1).
    Empty,
}

/// A session as it enters the MAC.
#[derive(Debug)]
pub(super) enum SessionText {
    Id([u8; 32]),
    /// After every ID. It has no freshness, but the owner of the keys is told so (R1).
    Empty,
}

impl AsRef<[u8]> for SessionText {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Id(text) => text,
            Self::Empty => b"",
        }
    }
}

/// What became of a message on the session topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Known already, or the authority's own.
    Known,
    /// A new ID of another authority: it lives from now on, and belongs into the store.
    New(SessionId),
    /// A new ID that may not live; it belongs into the store all the same.
    Late(SessionId),
    /// Not one that this receiver may take.
    Refused,
}

impl Pool {
    /// The sessions of a classic group.
    pub(super) fn new(
        group: &Group,
        authority: bool,
        stored: Vec<SessionId>,
        newest: Option<u32>,
        bar: Option<u32>,
        wall: u64,
    ) -> Self {
        let known = stored;
        let authority = authority && group.session_topic.is_some();
        let stored = Beacons { known, newest, bar };
        Self::of(group.times, group.policy, authority, stored, wall)
    }

    /// The sessions of a fleet's beacon; none minted before `since` comes to life here.
    pub(super) fn of_fleet(
        fleet: &Fleet,
        authority: bool,
        stored: Beacons,
        since: u64,
        wall: u64,
    ) -> Self {
        let pool = Self::of(fleet.times, Policy::Pool, authority, stored, wall);
        Self {
            follows_from: pool.follows_from.max(since),
            ..pool
        }
    }

    fn of(
        times: SessionTimes,
        policy: Policy,
        authority: bool,
        stored: Beacons,
        wall: u64,
    ) -> Self {
        let Beacons {
            mut known,
            newest,
            bar,
        } = stored;
        known.sort_unstable();
        let mut pool = Self {
            times,
            policy,
            authority,
            live: Vec::new(),
            known: known.iter().copied().collect(),
            expired: known.into(),
            newest,
            bar,
            follows_from: if newest.is_some() { 0 } else { wall },
            current: None,
            next_mint: Duration::ZERO,
            yields_until: None,
            ahead: None,
            republish: None,
            last_published: None,
            texts: Vec::new(),
        };
        pool.changed();
        pool
    }

    /// The live sessions and then the expired ones, in the order of [`Self::texts`].
    pub(super) fn ids(&self) -> impl Iterator<Item = &SessionId> + Clone {
        self.live.iter().map(|live| &live.id).chain(&self.expired)
    }

    /// What to try a frame under, once those are expired whose time is over: what lives, and then
    /// the rest.
    pub(super) fn texts(&self) -> [&[SessionText]; 2] {
        let (live, others) = self.texts.split_at(self.live.len());
        [live, others]
    }

    /// Which session the text at this place is of.
    pub(super) fn session(&self, text: usize) -> UnderSession {
        match (self.live.get(text), text + 1 == self.texts.len()) {
            (Some(live), _) => UnderSession::Live(live.id),
            (None, false) => UnderSession::Expired,
            (None, true) => UnderSession::Empty,
        }
    }

    /// Ends one session before its time, or under policy `strict` whatever lives.
    pub(super) fn retire(&mut self, id: Option<&SessionId>, now: Duration, wall: u64) {
        for live in &mut self.live {
            if id.is_none_or(|id| *id == live.id) {
                live.ends = Duration::ZERO;
            }
        }
        self.expire(now);
        if self.current.is_some_and(|current| !self.is_live(&current)) {
            let ahead = u64::from(self.newest.unwrap_or(0)) >= wall + RUN_AHEAD;
            self.next_mint = if ahead {
                now + Duration::from_secs(1)
            } else {
                now
            };
        }
    }

    pub(super) const fn is_strict(&self) -> bool {
        matches!(self.policy, Policy::Strict)
    }

    /// The time of the ID to mint now (I1); None if none is due.
    pub(super) fn mint_due(&mut self, now: Duration, wall: u64) -> Option<u32> {
        self.expire(now);
        let due = self.is_authority(now) && now >= self.next_mint;
        due.then(|| {
            let wall = u32::try_from(wall).unwrap_or(u32::MAX);
            wall.max(self.newest.map_or(0, |newest| newest.saturating_add(1)))
        })
    }

    pub(super) fn minted(&mut self, id: SessionId, now: Duration, wall: u64) {
        if self.is_strict() {
            self.retire(None, now, wall);
        }
        self.current = Some(id);
        self.next_mint = now + self.times.interval;
        self.republish = Some(now);
        self.begin(id, now);
    }

    /// An ID of this time is barred already: the next one has to be newer.
    pub(super) fn outpaced(&mut self, id: SessionId) {
        self.newest = self.newest.max(Some(id.time()));
        self.bar = self.bar.max(Some(id.time()));
    }

    /// Judges a payload of the session topic; `id` is None if it does not verify. What belongs
    /// into the store is taken with [`Self::take`] once it is there.
    pub(super) fn hear(
        &mut self,
        id: Option<SessionId>,
        retained: bool,
        may_take: bool,
        now: Duration,
        wall: u64,
    ) -> Heard {
        self.expire(now);
        let heard = match id {
            Some(id) if may_take => self.judge(id, retained, now, wall),
            Some(id) if self.known.contains(&id) => Heard::Known,
            Some(_) | None => Heard::Refused,
        };
        if self.is_authority(now) && (id.is_none() || id != self.current) {
            self.show_again(now);
        }
        heard
    }

    /// After what was heard has been stored.
    pub(super) fn take(&mut self, heard: Heard, now: Duration) {
        match heard {
            Heard::New(id) => self.begin(id, now),
            Heard::Late(id) => {
                self.know(id);
                self.expired.push_back(id);
                self.changed();
            }
            Heard::Known | Heard::Refused => {}
        }
    }

    /// After a reconnect, or a false ID: the topic should show the current one.
    pub(super) fn show_again(&mut self, now: Duration) {
        let pause_ends = self
            .last_published
            .map_or(now, |last| last + REPUBLISH_PAUSE);
        self.republish.get_or_insert(pause_ends.max(now));
    }

    /// The ID to publish now, if one is due.
    pub(super) fn take_publication(&mut self, now: Duration) -> Option<SessionId> {
        if !self.is_authority(now) || self.republish.is_none_or(|due| now < due) {
            return None;
        }
        self.republish = None;
        self.last_published = Some(now);
        self.current
    }

    /// How long until [`Self::mint_due`] or [`Self::take_publication`] has something; None for never.
    pub(super) fn next_due(&self, now: Duration) -> Option<Duration> {
        if !self.authority {
            return None;
        }
        let due = match self.yields_until {
            Some(until) if now < until => until,
            _ => self
                .republish
                .map_or(self.next_mint, |at| at.min(self.next_mint)),
        };
        Some(due.saturating_sub(now))
    }

    /// IDs that newer ones bar, and that are of no use any more.
    pub(super) fn barred(&self) -> Vec<SessionId> {
        let Some(newest) = self.newest else {
            return Vec::new();
        };
        let bar = u64::from(newest).saturating_sub(self.times.life.as_secs());
        self.known
            .iter()
            .filter(|id| u64::from(id.time()) < bar)
            .filter(|id| !self.expired.contains(id) && !self.is_live(id))
            .copied()
            .collect()
    }

    /// After they were dropped from the store.
    pub(super) fn forget(&mut self, barred: &[SessionId]) {
        for id in barred {
            self.known.remove(id);
            self.bar = self.bar.max(Some(id.time()));
        }
    }

    /// By how many seconds another authority's clock is ahead, where that is too much to follow.
    pub(super) fn ahead(&self, now: Duration) -> Option<u64> {
        self.ahead.filter(|_| !self.is_authority(now))
    }

    /// I3, I5
    fn judge(&mut self, id: SessionId, retained: bool, now: Duration, wall: u64) -> Heard {
        if self.known.contains(&id) {
            return Heard::Known;
        }
        let time = u64::from(id.time());
        let life = self.times.life.as_secs();
        let too_old = self
            .newest
            .is_some_and(|newest| time + life < u64::from(newest));
        if too_old || self.bar.is_some_and(|bar| id.time() <= bar) {
            return Heard::Refused;
        }
        // I5 comes first: two authorities whose clocks differ would answer each other for ever.
        // A retained ID may be of one that is gone, or this one's own of before a restart.
        if self.is_authority(now) && (retained || !self.is_newer_than_own(id)) {
            return Heard::Refused;
        }
        if self.authority {
            self.yields_until = Some(now + self.times.life);
            self.next_mint = now + self.times.life;
        }
        let ahead = time.saturating_sub(wall);
        self.ahead = (ahead > AHEAD_MAX).then_some(ahead);
        if self.ahead.is_some() {
            if self.authority {
                // Once only: its replay must not keep this authority quiet.
                self.known.insert(id);
            }
            return Heard::Refused;
        }
        if time < self.follows_from {
            Heard::Late(id)
        } else {
            Heard::New(id)
        }
    }

    /// A tie goes to the smaller bytes.
    fn is_newer_than_own(&self, id: SessionId) -> bool {
        self.current
            .is_some_and(|own| match id.time().cmp(&own.time()) {
                Ordering::Greater => true,
                Ordering::Equal => id < own,
                Ordering::Less => false,
            })
    }

    fn know(&mut self, id: SessionId) {
        self.known.insert(id);
        self.newest = self.newest.max(Some(id.time()));
    }

    fn begin(&mut self, id: SessionId, now: Duration) {
        self.know(id);
        self.live.push(Live {
            id,
            ends: now + self.times.life,
        });
        self.changed();
    }

    pub(super) fn is_live(&self, id: &SessionId) -> bool {
        self.live.iter().any(|live| live.id == *id)
    }

    /// Whether it publishes now (I5).
    pub(super) fn is_authority(&self, now: Duration) -> bool {
        self.authority && self.yields_until.is_none_or(|until| now >= until)
    }

    /// Ends the sessions whose time is over.
    pub(super) fn expire(&mut self, now: Duration) {
        if self.live.iter().all(|live| now < live.ends) {
            return;
        }
        let expired = &mut self.expired;
        self.live.retain(|live| {
            let lives = now < live.ends;
            if !lives {
                expired.push_back(live.id);
            }
            lives
        });
        self.changed();
    }

    fn changed(&mut self) {
        let surplus = self.expired.len().saturating_sub(EXPIRED_KEPT);
        self.expired.drain(..surplus);
        let live = self.live.iter().map(|live| &live.id);
        self.texts = live
            .chain(&self.expired)
            .map(|id| SessionText::Id(id.text()))
            .chain([SessionText::Empty])
            .collect();
    }
}
