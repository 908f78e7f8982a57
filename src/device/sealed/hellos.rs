//! When a device says hello (`SEALED.md`, H1 and H2). No clock in here: times are arguments.

use std::time::Duration;

/// How long the first hello waits for the beacon, which is retained and comes with the subscription.
const FOR_BEACON: Duration = Duration::from_secs(1);
/// From one hello to the next, doubled each time.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// An empty message asks for one this often at most.
const ASKED_PAUSE: Duration = Duration::from_secs(60);

pub(super) struct Hellos {
    due: Duration,
    pause: Duration,
    /// Whether it goes as soon as the beacon is heard.
    waits: bool,
    /// When one that was asked for is due.
    asked: Option<Duration>,
    /// When the last one that was asked for went.
    answered: Option<Duration>,
}

impl Hellos {
    pub(super) const fn new(now: Duration) -> Self {
        Self {
            due: now.saturating_add(FOR_BEACON),
            pause: FIRST_PAUSE,
            waits: true,
            asked: None,
            answered: None,
        }
    }

    pub(super) fn due(&self) -> Duration {
        self.asked.map_or(self.due, |asked| asked.min(self.due))
    }

    /// After each MQTT connect.
    pub(super) fn connected(&mut self, now: Duration, beacon_known: bool) {
        let wait = if beacon_known {
            Duration::ZERO
        } else {
            FOR_BEACON
        };
        self.due = now + wait;
        self.pause = FIRST_PAUSE;
        self.waits = !beacon_known;
    }

    /// `wanted`: the device has only a session that was drawn without one.
    pub(super) fn beacon_heard(&mut self, now: Duration, wanted: bool) {
        if self.waits || wanted {
            self.due = self.due.min(now);
        }
    }

    /// An empty message came. What comes too early waits, and is not forgotten.
    pub(super) fn asked_for(&mut self, now: Duration) {
        let earliest = self.answered.map(|answered| answered + ASKED_PAUSE);
        let at = earliest.map_or(now, |earliest| earliest.max(now));
        self.asked.get_or_insert(at);
    }

    /// Whatever it was for, it answers who asked.
    pub(super) fn sent(&mut self, now: Duration) {
        if self.asked.take().is_some_and(|asked| asked <= now) {
            self.answered = Some(now);
        }
        self.waits = false;
        self.due = now + self.pause;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }

    /// The next one goes when the session of this one is old.
    pub(super) fn welcomed(&mut self, now: Duration, interval: Duration) {
        self.asked = None;
        self.due = now.saturating_add(interval);
        self.pause = FIRST_PAUSE;
    }
}
