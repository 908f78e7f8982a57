//! The device itself: what it was given, what it knows, and what it says of itself.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::beacon::Beacon;
use super::hellos::Hellos;
use super::identity::{Birth, Identity};
use super::replace::{Old, replace};
use super::sealing::Answer;
use super::sessions::Sessions;
use crate::clock::{Clock, Random};
use crate::device::options::DeviceOptions;
use crate::device::provisioned::{Mqtt, Provisioned, without_key};
use crate::error::StateError;
use crate::sealed::Address;

pub(in crate::device) struct SealedDevice {
    pub(super) topics: Topics,
    name: Arc<str>,
    address: Address,
    mqtt: Mqtt,
    pub(super) firmware: String,
    pub(super) interval: Duration,
    pub(super) hold: Duration,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn Random>,
    /// The file that it was provisioned with.
    provisioning: Option<PathBuf>,
    waits: bool,
    state: Mutex<State>,
}

pub(super) struct Topics {
    pub(super) up: Arc<str>,
    pub(super) hello: Arc<str>,
    pub(super) down: Arc<str>,
    pub(super) beacon: Arc<str>,
}

/// What changes while it runs.
pub(super) struct State {
    pub(super) identity: Identity,
    pub(super) beacon: Beacon,
    pub(super) hellos: Hellos,
    pub(super) sessions: Sessions,
    /// Since it booted.
    pub(super) welcomed: bool,
    /// Readings wait for the welcome until then.
    pub(super) hold_until: Duration,
    pub(super) connected: bool,
    pub(super) answers: VecDeque<Answer>,
    pub(super) outbox: VecDeque<Vec<u8>>,
    pub(super) mode: u8,
    pub(super) ignored: u64,
    trouble: Option<String>,
}

impl SealedDevice {
    pub(in crate::device) fn new(
        provisioned: Provisioned,
        options: DeviceOptions,
        provisioning: Option<&Path>,
    ) -> Result<Self, StateError> {
        let given = provisioned.given;
        let birth = Birth {
            address: given.address,
            key: given.key.as_ref(),
            epoch: given.epoch,
            allow_wide_permissions: provisioned.allow_wide_permissions,
        };
        let identity = Identity::open(&birth, options.state.as_deref())?;
        let now = options.clock.monotonic();
        let device = Self {
            topics: Topics {
                up: given.up_topic.into(),
                hello: given.hello_topic.into(),
                down: given.down_topic.into(),
                beacon: given.beacon_topic,
            },
            name: given.name,
            address: given.address,
            mqtt: provisioned.mqtt,
            firmware: options.firmware,
            interval: options.hello_interval,
            hold: options.hold,
            clock: options.clock,
            random: options.random,
            provisioning: provisioning.map(Path::to_owned),
            waits: identity.has_file(),
            state: Mutex::new(State {
                identity,
                beacon: Beacon::default(),
                hellos: Hellos::new(now),
                sessions: Sessions::default(),
                welcomed: false,
                hold_until: now.saturating_add(options.hold),
                connected: false,
                answers: VecDeque::new(),
                outbox: VecDeque::new(),
                mode: 0,
                ignored: 0,
                trouble: None,
            }),
        };
        // A crash may have come between the ratchet and this.
        let mut state = device.state();
        if given.key.is_some() && state.identity.epoch() > given.epoch {
            device.forget_provisioned_key(&mut state);
        }
        drop(state);
        Ok(device)
    }

    /// After a ratchet the key in the provisioning file would give the old keys away.
    pub(super) fn forget_provisioned_key(&self, state: &mut State) {
        let Some(path) = &self.provisioning else {
            return;
        };
        let why = match without_key(path) {
            Ok(None) => return,
            Ok(Some(text)) => match replace(path, text.as_bytes(), Old::Wipe) {
                Ok(()) => return,
                Err(error) => error.to_string(),
            },
            Err(error) => error.problem.to_string(),
        };
        state.trouble = Some(format!(
            "{}: the device has a newer key, and this file still holds the one that it is computed from, which opens what was sent before: take `device_key` out of it (this device could not: {why})",
            path.display()
        ));
    }

    /// Takes the retained session off the beacon topic.
    pub(in crate::device) fn hear(&self, payload: &[u8]) -> bool {
        let now = self.clock.monotonic();
        let mut state = self.state();
        let heard = state.beacon.hear(payload, now);
        if heard {
            let wanted = !state.sessions.has_beacon();
            state.hellos.beacon_heard(now, wanted);
        }
        heard
    }

    /// H2: a hello after each connect; readings wait for the first welcome from the first one on.
    pub(in crate::device) fn reconnected(&self) {
        let now = self.clock.monotonic();
        let mut state = self.state();
        // An older one was followed by others: the newest comes with the subscription.
        let known = state.beacon.for_readings(now).is_some();
        state.hellos.connected(now, known);
        if !state.connected {
            state.connected = true;
            state.hold_until = now.saturating_add(self.hold);
        }
    }

    pub(in crate::device) const fn name(&self) -> &Arc<str> {
        &self.name
    }

    pub(in crate::device) const fn address(&self) -> Address {
        self.address
    }

    pub(in crate::device) const fn up_topic(&self) -> &Arc<str> {
        &self.topics.up
    }

    pub(in crate::device) const fn hello_topic(&self) -> &Arc<str> {
        &self.topics.hello
    }

    pub(in crate::device) const fn down_topic(&self) -> &Arc<str> {
        &self.topics.down
    }

    pub(in crate::device) const fn beacon_topic(&self) -> &Arc<str> {
        &self.topics.beacon
    }

    pub(in crate::device) const fn mqtt(&self) -> &Mqtt {
        &self.mqtt
    }

    /// Whether its calls may wait for a disk.
    pub(in crate::device) const fn waits(&self) -> bool {
        self.waits
    }

    pub(in crate::device) fn epoch(&self) -> u16 {
        self.state().identity.epoch()
    }

    pub(in crate::device) fn is_welcomed(&self) -> bool {
        self.state().welcomed
    }

    pub(in crate::device) fn mode(&self) -> u8 {
        self.state().mode
    }

    pub(in crate::device) fn set_mode(&self, mode: u8) {
        self.state().mode = mode;
    }

    pub(in crate::device) fn ignored(&self) -> u64 {
        self.state().ignored
    }

    pub(in crate::device) fn trouble(&self) -> Option<String> {
        self.state().trouble.clone()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
