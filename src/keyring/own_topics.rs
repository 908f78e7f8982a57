//! Topics of a device's own, in the place of those that its fleet's patterns give it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use super::fleet::{AddressTopic, Fleet, Sealed};
use super::model::{Group, Keyring};
use super::parse::read_topic_name;
use super::reader::{Table, Value};
use crate::error::KeyringError;
use crate::topic::TopicFilter;

type Result<T> = core::result::Result<T, KeyringError>;

/// What one device has of them; the fleet gives the others.
#[derive(Debug)]
pub(super) struct OwnTopics {
    pub(super) up: Option<Arc<str>>,
    pub(super) hello: Option<Arc<str>>,
    pub(super) down: Option<Arc<str>>,
}

impl Sealed {
    /// Where it sends its readings, acknowledgements and its mode.
    ///
    /// Arguments: `fleet`, which it is in.
    #[must_use]
    pub fn up_topic(&self, fleet: &Fleet) -> String {
        let own = self.own_up_topic();
        own.map_or_else(|| fleet.up_topic(self.address), |own| own.to_string())
    }

    /// Where it says hello.
    #[must_use]
    pub fn hello_topic(&self, fleet: &Fleet) -> String {
        let own = self.own_hello_topic();
        own.map_or_else(|| fleet.hello_topic(self.address), |own| own.to_string())
    }

    /// Where it hears welcomes, commands and control frames.
    #[must_use]
    pub fn down_topic(&self, fleet: &Fleet) -> String {
        let own = self.own_down_topic();
        own.map_or_else(|| fleet.down_topic(self.address), |own| own.to_string())
    }

    /// Where it sends, if not where its fleet's devices do.
    #[must_use]
    pub fn own_up_topic(&self) -> Option<&Arc<str>> {
        self.topics.as_ref()?.up.as_ref()
    }

    /// Where it says hello, if not where its fleet's devices do.
    #[must_use]
    pub fn own_hello_topic(&self) -> Option<&Arc<str>> {
        self.topics.as_ref()?.hello.as_ref()
    }

    /// Where it hears, if not where its fleet's devices do.
    #[must_use]
    pub fn own_down_topic(&self) -> Option<&Arc<str>> {
        self.topics.as_ref()?.down.as_ref()
    }
}

impl Keyring {
    /// Where the readings of sealed devices arrive: each fleet's filter, and the topics of
    /// devices that have their own. Each once, in order.
    #[must_use]
    pub fn up_filters(&self) -> Vec<Arc<str>> {
        let fleets = self.fleets().iter().map(Fleet::up_filter);
        self.filters(fleets, Sealed::own_up_topic)
    }

    /// Where the hellos arrive, alike.
    #[must_use]
    pub fn hello_filters(&self) -> Vec<Arc<str>> {
        let fleets = self.fleets().iter().map(Fleet::hello_filter);
        self.filters(fleets, Sealed::own_hello_topic)
    }

    /// Where sealed devices hear welcomes and commands, alike: no reading is there.
    #[must_use]
    pub fn down_filters(&self) -> Vec<Arc<str>> {
        let fleets = self.fleets().iter().map(Fleet::down_filter);
        self.filters(fleets, Sealed::own_down_topic)
    }

    fn filters<'k>(
        &'k self,
        fleets: impl Iterator<Item = &'k TopicFilter>,
        own: fn(&Sealed) -> Option<&Arc<str>>,
    ) -> Vec<Arc<str>> {
        let fleets: Vec<_> = fleets.collect();
        let sealed = self
            .devices()
            .iter()
            .filter_map(|each| each.sealed.as_ref());
        let own = sealed.filter_map(own);
        // A frame's address says whose it is: what a fleet's filter covers is heard already.
        let apart = own.filter(|topic| !fleets.iter().any(|filter| filter.matches(topic)));
        let mut filters: Vec<Arc<str>> = apart.cloned().collect();
        filters.extend(fleets.iter().map(|filter| Arc::from(filter.as_str())));
        filters.sort_unstable();
        filters.dedup();
        filters
    }
}

/// The topics that devices of a keyring have as their own, and what each is for.
#[derive(Default)]
pub(super) struct Taken(HashMap<Arc<str>, Use, foldhash::fast::RandomState>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    /// Devices send on it: several may.
    Up,
    /// One device hears on it.
    Down,
}

impl Taken {
    /// The fields of a device; None if there is none of them.
    pub(super) fn read(
        &mut self,
        table: &mut Table<'_>,
        groups: &[Group],
        fleets: &[Fleet],
    ) -> Result<Option<Box<OwnTopics>>> {
        let mut topic = |field, used| match table.value(field) {
            Some(value) => self.take(&value, used, groups, fleets).map(Some),
            None => Ok(None),
        };
        let own = OwnTopics {
            up: topic("up_topic", Use::Up)?,
            hello: topic("hello_topic", Use::Up)?,
            down: topic("down_topic", Use::Down)?,
        };
        let any = [&own.up, &own.hello, &own.down]
            .iter()
            .any(|each| each.is_some());
        Ok(any.then(|| Box::new(own)))
    }

    fn take(
        &mut self,
        value: &Value<'_>,
        used: Use,
        groups: &[Group],
        fleets: &[Fleet],
    ) -> Result<Arc<str>> {
        const HEARD: &str = "a topic on which no device hears its commands";
        const SENT: &str =
            "a topic on which no device sends: a host would take its own commands for readings";
        let topic = read_topic_name(value)?;
        if let Some(expected) = of_a_host(&topic, groups, fleets) {
            return Err(value.invalid(expected));
        }
        let matches = |pattern: &AddressTopic| pattern.filter.matches(&topic);
        let expected = match used {
            Use::Up if fleets.iter().any(|fleet| matches(&fleet.down)) => Some(HEARD),
            Use::Down if fleets.iter().any(|f| matches(&f.up) || matches(&f.hello)) => Some(SENT),
            Use::Up | Use::Down => None,
        };
        if let Some(expected) = expected {
            return Err(value.invalid(expected));
        }
        match self.0.entry(Arc::clone(&topic)) {
            Entry::Vacant(vacant) => {
                vacant.insert(used);
                Ok(topic)
            }
            Entry::Occupied(other) => match (used, other.get()) {
                (Use::Up, Use::Up) => Ok(topic),
                (Use::Up, Use::Down) => Err(value.invalid(HEARD)),
                (Use::Down, Use::Up) => Err(value.invalid(SENT)),
                (Use::Down, Use::Down) => {
                    Err(value.invalid("a topic on which no other device hears its commands"))
                }
            },
        }
    }
}

/// What the topic must be instead, if hosts publish their sessions on it.
fn of_a_host(topic: &str, groups: &[Group], fleets: &[Fleet]) -> Option<&'static str> {
    if fleets.iter().any(|fleet| &*fleet.beacon_topic == topic) {
        return Some("a topic that no fleet has for its beacon");
    }
    let mut sessions = groups.iter().filter_map(|g| g.session_topic.as_deref());
    sessions
        .any(|session_topic| session_topic == topic)
        .then_some("a topic that no `[[classic_group]]` has for its session IDs")
}
