//! What a keyring says, after it was found valid.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::fleet::{Fleet, Sealed};
use super::parse_fleet::Addresses;
use crate::classic::{PreparedKeys, Scheme};
use crate::error::{KeyringError, KeyringProblem};
use crate::key::{ClassicKeys, SessionKey};
use crate::topic::TopicFilter;

/// Which device has which name.
pub(super) type DeviceNames = HashMap<Arc<str>, usize, foldhash::fast::RandomState>;

/// The devices and their keys. Immutable.
#[derive(Debug)]
pub struct Keyring {
    pub(super) path: Option<PathBuf>,
    pub(super) session_key: SessionKey,
    pub(super) groups: Vec<Group>,
    pub(super) fleets: Vec<Fleet>,
    pub(super) devices: Vec<Device>,
    pub(super) names: DeviceNames,
    pub(super) addresses: Addresses,
    pub(super) wide_permissions: bool,
}

impl Keyring {
    /// The file that it came from.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The key that mints session IDs.
    #[must_use]
    pub const fn session_key(&self) -> &SessionKey {
        &self.session_key
    }

    /// The classic groups, in the order of the file.
    #[must_use]
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The devices, in the order of the file.
    #[must_use]
    pub fn devices(&self) -> &[Device] {
        &self.devices
    }

    /// The device of this name.
    ///
    /// # Errors
    /// `unknown_name`.
    pub fn device(&self, name: &str) -> Result<&Device, KeyringError> {
        let index = self.device_index(name)?;
        self.devices.get(index).ok_or_else(|| self.unknown(name))
    }

    /// The place of a device in [`Self::devices`].
    ///
    /// # Errors
    /// `unknown_name`.
    pub fn device_index(&self, name: &str) -> Result<usize, KeyringError> {
        self.names
            .get(name)
            .copied()
            .ok_or_else(|| self.unknown(name))
    }

    fn unknown(&self, name: &str) -> KeyringError {
        let name = name.escape_debug().to_string();
        let error = KeyringError::new(KeyringProblem::UnknownName { name });
        match &self.path {
            Some(path) => error.in_file(path),
            None => error,
        }
    }

    /// What is allowed and dangerous, one sentence each.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.wide_permissions {
            warnings.push("others can read this keyring, and with it every key".to_owned());
        }
        for group in &self.groups {
            let name = &group.name;
            if group.article_keys {
                warnings.push(format!(
                    "group `{name}` uses keys printed in the article: anyone can read and forge its frames"
                ));
            }
            if group.scheme.danger_accept_replays {
                warnings.push(format!(
                    "group `{name}` accepts frames without a session: a recorded frame opens again once 1024 others have come"
                ));
            }
        }
        for fleet in self
            .fleets
            .iter()
            .filter(|fleet| fleet.danger_first_contact)
        {
            warnings.push(format!(
                "fleet `{}` believes a device's first frame without a beacon: recorded frames open again when the store is new or lost",
                fleet.name
            ));
        }
        warnings
    }
}

/// One device, known by its name.
#[derive(Debug)]
pub struct Device {
    /// What people call it.
    pub name: Arc<str>,
    /// How it sends classic frames, if it does.
    pub classic: Option<Classic>,
    /// How it sends sealed frames, if it does. A device that migrates has both.
    pub sealed: Option<Sealed>,
}

/// A device's place among the classic senders.
#[derive(Debug)]
pub struct Classic {
    /// Which of [`Keyring::groups`] it is in.
    pub group: usize,
    /// Its node ID; in layout `port`, whose frames carry none, its topic.
    pub address: Box<[u8]>,
    /// The node ID for people: printable ASCII as it is, other bytes as `\xNN`; None in layout `port`.
    pub node_id: Option<Arc<str>>,
    /// Which of [`Group::key_sets`] are its own.
    pub key_set: usize,
}

impl Classic {
    /// The address for people: printable ASCII as it is, other bytes as `\xNN`.
    #[must_use]
    pub fn address_text(&self) -> String {
        self.address.escape_ascii().to_string()
    }
}

/// Classic devices that send alike.
#[derive(Debug)]
pub struct Group {
    /// What people call it.
    pub name: Arc<str>,
    /// Where the readings come from.
    pub topic: TopicFilter,
    /// Where session IDs are published; None where there are none.
    pub session_topic: Option<Arc<str>>,
    pub(super) command_topic: Option<Box<str>>,
    pub(super) command_session_topic: Option<Box<str>>,
    /// How the senders make their frames.
    pub scheme: Scheme,
    /// How long session IDs live, and what ends them.
    pub policy: Policy,
    /// When session IDs come and go.
    pub times: SessionTimes,
    /// How many MACs a session remembers before it retires.
    pub session_memory: usize,
    /// The group's own keys, then those of devices that have their own.
    pub key_sets: Vec<KeySet>,
    pub(super) nodes: HashMap<Box<[u8]>, usize, foldhash::fast::RandomState>,
    pub(super) article_keys: bool,
}

impl Group {
    /// Which of [`Keyring::devices`] has this node ID, or in layout `port` this topic.
    #[must_use]
    pub fn device(&self, address: &[u8]) -> Option<usize> {
        self.nodes.get(address).copied()
    }

    /// Where commands to this node go.
    #[must_use]
    pub fn command_topic(&self, address: &[u8]) -> Option<String> {
        fill_in(self.command_topic.as_deref()?, address)
    }

    /// Where this node shows the sessions that it draws for commands.
    #[must_use]
    pub fn command_session_topic(&self, address: &[u8]) -> Option<String> {
        fill_in(self.command_session_topic.as_deref()?, address)
    }

    /// Whether a session is good for one frame only.
    #[must_use]
    pub const fn is_strict(&self) -> bool {
        matches!(self.policy, Policy::Strict)
    }

    /// How many devices it has.
    #[must_use]
    pub fn device_count(&self) -> usize {
        self.nodes.len()
    }
}

/// Stands for the node ID in a topic that differs for each node.
pub(super) const NODE_ID: &str = "{node_id}";

/// None for a node ID that is no text, or that no topic may hold.
fn fill_in(pattern: &str, address: &[u8]) -> Option<String> {
    let node_id = core::str::from_utf8(address).ok()?;
    (!node_id.contains(['+', '#', '/'])).then(|| pattern.replace(NODE_ID, node_id))
}

/// Keys under which a frame of a group may verify.
#[derive(Debug)]
pub struct KeySet {
    /// The keys, expanded.
    pub keys: PreparedKeys,
    /// The one device that these keys belong to; None for the group's.
    pub owner: Option<usize>,
}

impl KeySet {
    pub(super) fn new(keys: &ClassicKeys, owner: Option<usize>) -> Self {
        Self {
            keys: keys.into(),
            owner,
        }
    }
}

/// What a session ID is good for (`CLASSIC.md`, R3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Policy {
    /// Several live at once; every distinct frame is accepted once within a session's life.
    #[default]
    Pool,
    /// One ID, one message, whatever it was: as the article has it.
    Strict,
}

impl Policy {
    /// Its word in the keyring.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Pool => "pool",
            Self::Strict => "strict",
        }
    }
}

/// When sessions come and go (`CLASSIC.md`, I1; `SEALED.md`, B1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionTimes {
    /// A new one this often.
    pub interval: Duration,
    /// How long each lives.
    pub life: Duration,
}

impl Default for SessionTimes {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(30),
            life: Duration::from_secs(120),
        }
    }
}
