//! The sessions of one group: which live, which have expired, who publishes them.
//!
//! Rules I1 to I5 of `CLASSIC.md`. No store and no clock in here: times are arguments.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::classic::SessionId;
use crate::keyring::{Group, Policy, SessionTimes};

/// This many expired sessions are kept to tell `stale_session` from `forged`.
const EXPIRED_KEPT: usize = 8;
/// A follower takes no ID that is further ahead of its wall clock, in seconds.
const AHEAD_MAX: u64 = 30;
/// False IDs are answered at once, but not more often than this.
const REPUBLISH_PAUSE: Duration = Duration::from_millis(100);

/// The sessions of one group, as one receiver sees them.
#[derive(Debug)]
pub(super) struct Pool {
    times: SessionTimes,
    policy: Policy,
    accepts_empty: bool,
    authority: bool,
    live: Vec<Live>,
    expired: VecDeque<SessionId>,
    /// Every ID ever seen and not yet barred: none comes to life again (I4).
    known: HashSet<SessionId>,
    newest: Option<u32>,
    /// A follower whose store knows nothing takes no ID from before this time.
    follows_from: u64,
    /// What the topic should show.
    current: Option<SessionId>,
    next_mint: Duration,
    /// While another authority is heard, until when (I5).
    yields_until: Option<Duration>,
    republish: Option<Duration>,
    last_published: Option<Duration>,
    view: Arc<View>,
}

#[derive(Debug)]
struct Live {
    id: SessionId,
    ends: Duration,
}

/// The sessions that a frame is tried under: the live ones first.
#[derive(Debug, Default)]
pub(super) struct View {
    pub(super) ids: Vec<SessionId>,
    pub(super) texts: Vec<SessionText>,
}

/// A session as it enters the MAC.
#[derive(Debug)]
pub(super) enum SessionText {
    Id([u8; 32]),
    /// Only under `danger_accept_replays`; after every ID.
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
    pub(super) fn new(
        group: &Group,
        authority: bool,
        mut stored: Vec<SessionId>,
        newest: Option<u32>,
        wall: u64,
    ) -> Self {
        stored.sort_unstable();
        let mut pool = Self {
            times: group.times,
            policy: group.policy,
            accepts_empty: group.scheme.danger_accept_replays,
            authority: authority && group.session_topic.is_some(),
            live: Vec::new(),
            known: stored.iter().copied().collect(),
            expired: stored.into(),
            newest,
            follows_from: if newest.is_some() { 0 } else { wall },
            current: None,
            next_mint: Duration::ZERO,
            yields_until: None,
            republish: None,
            last_published: None,
            view: Arc::default(),
        };
        pool.changed();
        pool
    }

    /// The sessions to try a frame under, expired ones among them.
    pub(super) fn view(&mut self, now: Duration) -> Arc<View> {
        self.expire(now);
        Arc::clone(&self.view)
    }

    pub(super) fn is_live(&self, id: &SessionId) -> bool {
        self.live.iter().any(|live| live.id == *id)
    }

    /// Ends one session before its time, or under policy `strict` whatever lives.
    pub(super) fn retire(&mut self, id: Option<&SessionId>, now: Duration) {
        for live in &mut self.live {
            if id.is_none_or(|id| *id == live.id) {
                live.ends = Duration::ZERO;
            }
        }
        self.expire(now);
        if self.current.is_some_and(|current| !self.is_live(&current)) {
            self.next_mint = Duration::ZERO;
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

    pub(super) fn minted(&mut self, id: SessionId, now: Duration) {
        if self.is_strict() {
            self.retire(None, now);
        }
        self.current = Some(id);
        self.next_mint = now + self.times.interval;
        self.republish = Some(now);
        self.begin(id, now);
    }

    /// A payload of the session topic; `id` is None if it does not verify.
    pub(super) fn hear(&mut self, id: Option<SessionId>, now: Duration, wall: u64) -> Heard {
        self.expire(now);
        let heard = id.map_or(Heard::Refused, |id| self.judge(id, now, wall));
        if self.is_authority(now) && (id.is_none() || id != self.current) {
            self.show_again(now);
        }
        heard
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
    pub(super) fn barred(&mut self) -> Vec<SessionId> {
        let Some(newest) = self.newest else {
            return Vec::new();
        };
        let bar = u64::from(newest).saturating_sub(self.times.life.as_secs());
        let (live, expired) = (&self.live, &self.expired);
        let barred: Vec<SessionId> = self
            .known
            .iter()
            .filter(|id| u64::from(id.time()) < bar)
            .filter(|id| !expired.contains(id) && !live.iter().any(|live| live.id == **id))
            .copied()
            .collect();
        for id in &barred {
            self.known.remove(id);
        }
        barred
    }

    /// I3, I5
    fn judge(&mut self, id: SessionId, now: Duration, wall: u64) -> Heard {
        if self.known.contains(&id) {
            return Heard::Known;
        }
        let time = u64::from(id.time());
        let life = self.times.life.as_secs();
        let too_old = self
            .newest
            .is_some_and(|newest| time + life < u64::from(newest));
        if too_old || time > wall + AHEAD_MAX {
            return Heard::Refused;
        }
        if self.is_authority(now) {
            let newer = self
                .current
                .is_some_and(|own| id.time() > own.time() || (id.time() == own.time() && id < own));
            if !newer {
                return Heard::Refused;
            }
        }
        if self.authority {
            self.yields_until = Some(now + self.times.life);
            self.next_mint = now + self.times.life;
        }
        if time < self.follows_from {
            self.known.insert(id);
            self.newest = self.newest.max(Some(id.time()));
            self.expired.push_back(id);
            self.changed();
            return Heard::Late(id);
        }
        self.begin(id, now);
        Heard::New(id)
    }

    fn begin(&mut self, id: SessionId, now: Duration) {
        self.known.insert(id);
        self.newest = self.newest.max(Some(id.time()));
        self.live.push(Live {
            id,
            ends: now + self.times.life,
        });
        self.changed();
    }

    fn is_authority(&self, now: Duration) -> bool {
        self.authority && self.yields_until.is_none_or(|until| now >= until)
    }

    fn expire(&mut self, now: Duration) {
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
        let ids: Vec<SessionId> = self
            .live
            .iter()
            .map(|live| live.id)
            .chain(self.expired.iter().copied())
            .collect();
        let empty = self.accepts_empty.then_some(SessionText::Empty);
        let texts = ids
            .iter()
            .map(|id| SessionText::Id(id.text()))
            .chain(empty)
            .collect();
        self.view = Arc::new(View { ids, texts });
    }
}
