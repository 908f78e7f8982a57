//! The sessions that a device drew (`SEALED.md`, H1, H5, C1). They live in RAM.

use std::collections::VecDeque;
use std::time::Duration;

use crate::sealed::Session;

/// The old session ends so long after the new one was drawn (H5), welcomed or not: else whoever
/// holds back a command and the hello could deliver the command at any time.
const OVERLAP: Duration = Duration::from_secs(60);
/// This many are kept to tell `stale_session` from `forged`.
const EXPIRED_KEPT: usize = 8;

/// A session that was drawn and not welcomed.
#[derive(Clone, Copy)]
pub(super) struct Drawn {
    pub(super) session: Session,
    /// Without a beacon it may have been drawn before: commands under it could be old (H1).
    pub(super) with_beacon: bool,
}

/// A session that was welcomed.
pub(super) struct Open {
    drawn: Drawn,
    ends: Duration,
    pub(super) head: Head,
}

/// The highest counter accepted under a session, of welcomes, too, and the tag of its frame: there
/// is no window (C1).
#[derive(Clone, Copy, Default)]
pub(super) struct Head(Option<(u64, [u8; 16])>);

/// Where a frame lies, seen from the head.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Above,
    Same,
    Below,
}

impl Head {
    pub(super) fn place(self, counter: u64, tag: [u8; 16]) -> Place {
        match self.0 {
            None => Place::Above,
            Some((head, _)) if counter > head => Place::Above,
            Some(head) if head == (counter, tag) => Place::Same,
            Some(_) => Place::Below,
        }
    }

    pub(super) const fn raise(&mut self, counter: u64, tag: [u8; 16]) {
        self.0 = Some((counter, tag));
    }
}

/// What a session that a frame verified under is to the device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Role {
    Current,
    Previous,
    Pending,
    Expired,
}

#[derive(Default)]
pub(super) struct Sessions {
    pending: Option<Drawn>,
    current: Option<Open>,
    previous: Option<Open>,
    expired: VecDeque<Session>,
}

impl Sessions {
    pub(super) const fn pending(&self) -> Option<&Drawn> {
        self.pending.as_ref()
    }

    /// Whether commands can come: under a session that was drawn with a beacon.
    pub(super) fn has_beacon(&self) -> bool {
        let current = self.current.as_ref().map(|open| &open.drawn);
        let newest = self.pending.as_ref().or(current);
        newest.is_none_or(|drawn| drawn.with_beacon)
    }

    /// A new session waits for its welcome, in place of one that did.
    pub(super) fn draw(&mut self, drawn: Drawn, now: Duration) {
        if let Some(before) = self.pending.replace(drawn) {
            self.keep_expired(before.session);
        }
        if let Some(current) = &mut self.current {
            current.ends = current.ends.min(now + OVERLAP);
        }
    }

    /// What a frame may be bound to, each with its role.
    pub(super) fn all(&self) -> Vec<(Role, Session)> {
        let open = |open: &Option<Open>| open.as_ref().map(|open| open.drawn.session);
        let pending = self.pending.map(|drawn| (Role::Pending, drawn.session));
        let current = open(&self.current).map(|session| (Role::Current, session));
        let previous = open(&self.previous).map(|session| (Role::Previous, session));
        let expired = self.expired.iter().map(|session| (Role::Expired, *session));
        let known = [current, previous, pending].into_iter().flatten();
        known.chain(expired).collect()
    }

    /// The session of a command: None where none may come.
    pub(super) fn commanded(&mut self, role: Role) -> Option<&mut Open> {
        let open = self.open(role)?;
        open.drawn.with_beacon.then_some(open)
    }

    pub(super) const fn open(&mut self, role: Role) -> Option<&mut Open> {
        match role {
            Role::Current => self.current.as_mut(),
            Role::Previous => self.previous.as_mut(),
            Role::Pending | Role::Expired => None,
        }
    }

    /// H5: the pending session becomes the current one; the old one stays for a while.
    pub(super) fn welcomed(&mut self, now: Duration, interval: Duration) -> Option<&mut Open> {
        let drawn = self.pending.take()?;
        let new = Open {
            drawn,
            // Should nobody ask for the hello that is due before that.
            ends: now.saturating_add(interval).saturating_add(OVERLAP),
            head: Head::default(),
        };
        self.end_previous();
        self.previous = self.current.replace(new);
        self.current.as_mut()
    }

    /// H5: the first command under the new session.
    pub(super) fn end_previous(&mut self) {
        if let Some(old) = self.previous.take() {
            self.keep_expired(old.drawn.session);
        }
    }

    pub(super) fn expire(&mut self, now: Duration) {
        let over = |open: &Open| now >= open.ends;
        if self.previous.as_ref().is_some_and(over) {
            self.end_previous();
        }
        if self.current.as_ref().is_some_and(over)
            && let Some(old) = self.current.take()
        {
            self.keep_expired(old.drawn.session);
        }
    }

    fn keep_expired(&mut self, session: Session) {
        self.expired.push_back(session);
        if self.expired.len() > EXPIRED_KEPT {
            self.expired.pop_front();
        }
    }
}
