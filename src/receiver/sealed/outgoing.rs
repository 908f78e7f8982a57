//! What the host has to say to devices (`SEALED.md`, H4 and H6).

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::super::Publication;
use crate::sealed::Session;

/// A device is asked for a hello at most so often.
const ASK_PAUSE: Duration = Duration::from_secs(60);
/// Who never takes what is to be published loses the oldest: the devices say hello again.
const WAITING_MAX: usize = 4096;

#[derive(Debug, Default)]
pub(super) struct Outgoing {
    waiting: VecDeque<Saying>,
    /// Which devices were asked, and when.
    asked: HashMap<usize, Duration>,
    /// Sealed, and not handed out because something after it failed.
    pub(super) ready: Vec<Publication>,
}

#[derive(Clone, Copy)]
pub(super) enum Saying {
    /// An empty message, which asks for a hello.
    Ask { device: usize },
    /// The answer to a hello.
    Welcome {
        device: usize,
        session: Session,
        /// Of the hello: the device reads no older one.
        epoch: u16,
        floor: u64,
    },
}

/// A session stays out of logs.
impl core::fmt::Debug for Saying {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Ask { .. } => "Ask { .. }",
            Self::Welcome { .. } => "Welcome { .. }",
        })
    }
}

impl Outgoing {
    pub(super) fn ask(&mut self, device: usize, now: Duration) {
        let last = self.asked.get(&device);
        if last.is_none_or(|last| now >= *last + ASK_PAUSE) {
            self.asked.insert(device, now);
            self.say(Saying::Ask { device });
        }
    }

    pub(super) fn say(&mut self, saying: Saying) {
        if self.waiting.len() >= WAITING_MAX {
            self.waiting.pop_front();
        }
        self.waiting.push_back(saying);
    }

    pub(super) fn next(&self) -> Option<Saying> {
        self.waiting.front().copied()
    }

    /// [`Self::next`] was said, or is not to be said any more.
    pub(super) fn said(&mut self) {
        self.waiting.pop_front();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.ready.is_empty()
    }
}
