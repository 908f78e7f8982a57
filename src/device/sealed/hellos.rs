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
    /// When the last hello that was asked for was or is due.
    asked: Option<Duration>,
}

impl Hellos {
    pub(super) const fn new(now: Duration) -> Self {
        Self {
            due: now.saturating_add(FOR_BEACON),
            pause: FIRST_PAUSE,
            waits: true,
            asked: None,
        }
    }

    pub(super) const fn due(&self) -> Duration {
        self.due
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

    /// An empty message came.
    pub(super) fn asked_for(&mut self, now: Duration) {
        let at = self.asked.map_or(now, |asked| now.max(asked + ASKED_PAUSE));
        if self.asked.is_none_or(|asked| asked <= now) {
            self.asked = Some(at);
            self.due = self.due.min(at);
        }
    }

    pub(super) fn sent(&mut self, now: Duration) {
        self.waits = false;
        self.due = now + self.pause;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }

    /// The next one goes when the session of this one is old.
    pub(super) fn welcomed(&mut self, now: Duration, interval: Duration) {
        self.due = now.saturating_add(interval);
        self.pause = FIRST_PAUSE;
    }
}
