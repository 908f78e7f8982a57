//! Host to device: commands under sessions that the nodes drew (`CLASSIC.md`, *Commands*).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::classic::{NodeField, seal};
use crate::clock::{Random, SystemRandom};
use crate::device::session_text;
use crate::error::{Error, KeyringError, KeyringProblem, SessionError};
use crate::keyring::Keyring;
use crate::receiver::Publication;
use crate::store::Store;

/// Seals commands. One sender serves any number of threads.
pub struct Sender {
    keyring: Arc<Keyring>,
    store: Arc<dyn Store>,
    random: Arc<dyn Random>,
    /// Command-session topic to device.
    topics: HashMap<Box<str>, usize>,
    /// The session that each device shows, until it is used.
    sessions: Mutex<HashMap<usize, [u8; 32]>>,
}

impl core::fmt::Debug for Sender {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

impl Sender {
    /// A sender for the devices whose group has a `command_topic`.
    #[must_use]
    pub fn new(keyring: Arc<Keyring>, store: Arc<dyn Store>) -> Self {
        let mut topics = HashMap::new();
        for (index, device) in keyring.devices().iter().enumerate() {
            let topic = device.classic.as_ref().and_then(|classic| {
                let group = keyring.groups().get(classic.group)?;
                group.command_session_topic(&classic.address)
            });
            if let Some(topic) = topic {
                topics.insert(topic.into(), index);
            }
        }
        Self {
            keyring,
            store,
            random: Arc::new(SystemRandom),
            topics,
            sessions: Mutex::default(),
        }
    }

    /// The command-session topics: their messages go to [`Self::hear`].
    #[must_use]
    pub fn subscriptions(&self) -> Vec<String> {
        let mut topics: Vec<String> = self.topics.keys().map(ToString::to_string).collect();
        topics.sort_unstable();
        topics
    }

    /// Takes a message of a command-session topic; false if `topic` is none. A payload that is
    /// no session is ignored.
    pub fn hear(&self, payload: &[u8], topic: &str) -> bool {
        let Some(&device) = self.topics.get(topic) else {
            return false;
        };
        if let Some(text) = session_text(payload) {
            self.sessions().insert(device, text);
        }
        true
    }

    /// Whether a command to this device can be sealed now.
    ///
    /// # Errors
    /// `unknown_name`.
    pub fn is_ready(&self, name: &str) -> Result<bool, KeyringError> {
        let index = self.keyring.device_index(name)?;
        Ok(self.sessions().contains_key(&index))
    }

    /// Seals a command, under the session that the device shows, which it uses up.
    ///
    /// # Errors
    /// `unknown_name`; `missing_field` if the device's group has no `command_topic`; `no_session`
    /// until the device shows a session that was not used; [`crate::DataError`]; [`Error::Store`].
    pub fn seal(&self, name: &str, data: &[u8]) -> Result<Publication, Error> {
        let index = self.keyring.device_index(name)?;
        let device = self.keyring.device(name)?;
        let Some(classic) = &device.classic else {
            unreachable!("a device has a format")
        };
        let group = self.keyring.groups().get(classic.group);
        let keys = group.and_then(|group| group.key_sets.get(classic.key_set));
        let (Some(group), Some(keys)) = (group, keys) else {
            unreachable!("a valid keyring has them")
        };
        let (Some(topic), Some(session_topic)) = (
            group.command_topic(&classic.address),
            group.command_session_topic(&classic.address),
        ) else {
            let hint = "the group needs `command_topic` and `command_session_topic`, like \"sensors/{node_id}/command\"";
            let problem = KeyringProblem::MissingField { hint };
            return Err(KeyringError::new(problem)
                .field("classic_group.command_topic")
                .into());
        };
        let no_session = || SessionError::NoSession {
            topic: session_topic.clone(),
        };
        let session = *self.sessions().get(&index).ok_or_else(no_session)?;
        // Sealed first: data that the frame cannot carry must not use the session up.
        let payload = seal(
            &keys.keys,
            &group.scheme,
            NodeField::Command(&classic.address),
            data,
            &session,
            &*self.random,
        )?;
        let mut unused = false;
        self.store.transact(&mut |transaction| {
            unused = transaction.use_command_session(&group.name, &classic.address, &session)?;
            Ok(())
        })?;
        let mut sessions = self.sessions();
        if sessions.get(&index) == Some(&session) {
            sessions.remove(&index);
        }
        if !unused {
            return Err(no_session().into());
        }
        Ok(Publication {
            topic: topic.into(),
            payload,
            qos: 1,
            retain: false,
        })
    }

    fn sessions(&self) -> std::sync::MutexGuard<'_, HashMap<usize, [u8; 32]>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
