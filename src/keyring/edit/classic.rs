//! Adding classic groups and devices.

use toml_edit::{InlineTable, Item, Table, Value};

use super::KeyringFile;
use super::document::{append, hex};
use crate::classic::{DataMode, Layout, MacOver};
use crate::clock::SystemRandom;
use crate::error::{Error, KeyringError};
use crate::key::ClassicKeys;
use crate::keyring::model::Policy;

impl KeyringFile {
    /// Appends a classic group. Without `keys` new ones are drawn.
    ///
    /// # Errors
    /// [`KeyringError`] if the keyring would no longer be valid; the file is left as it was.
    pub fn add_group(&self, group: &NewGroup<'_>) -> Result<(), Error> {
        let drawn;
        let keys = match group.keys {
            Some(keys) => keys,
            None => {
                drawn = ClassicKeys::generate(&SystemRandom)?;
                &drawn
            }
        };
        Ok(self.change(|_, document| {
            append(document, "classic_group", group.table(keys));
            Ok(())
        })?)
    }

    /// Appends a classic device.
    ///
    /// # Errors
    /// [`KeyringError`] if the keyring would no longer be valid; the file is left as it was.
    pub fn add_device(
        &self,
        name: &str,
        group: &str,
        address: NewAddress<'_>,
    ) -> Result<(), KeyringError> {
        self.change(|_, document| {
            let mut classic = InlineTable::new();
            classic.insert("group", group.into());
            match address {
                NewAddress::NodeId(node_id) => classic.insert("node_id", node_id.into()),
                NewAddress::Topic(topic) => classic.insert("topic", topic.into()),
            };
            let mut table = Table::new();
            table.insert("name", name.into());
            table.insert("classic", Item::Value(Value::InlineTable(classic)));
            append(document, "device", table);
            Ok(())
        })
    }
}

/// By what a new device is known.
#[derive(Debug, Clone, Copy)]
pub enum NewAddress<'a> {
    /// The node ID that its frames carry.
    NodeId(&'a str),
    /// The topic that names it, in layout `port`.
    Topic(&'a str),
}

/// A classic group to append. What is None is left to the keyring's default.
#[derive(Debug, Clone, Copy)]
pub struct NewGroup<'a> {
    /// What people call it.
    pub name: &'a str,
    /// Where the readings come from.
    pub topic: &'a str,
    /// Where session IDs are published, if there are any.
    pub session_topic: Option<&'a str>,
    /// Where commands to a node go, with `{node_id}` in it.
    pub command_topic: Option<&'a str>,
    /// Where a node shows the session IDs for its commands, with `{node_id}` in it.
    pub command_session_topic: Option<&'a str>,
    /// How the frames are written.
    pub layout: Layout,
    /// Whether data may end in NUL bytes.
    pub data: DataMode,
    /// What the MAC covers.
    pub mac: MacOver,
    /// What a session ID is good for.
    pub policy: Policy,
    /// How often there is a new session ID, in seconds.
    pub session_interval: Option<u32>,
    /// How long each is good, in seconds.
    pub session_life: Option<u32>,
    /// Its keys; None draws new ones.
    pub keys: Option<&'a ClassicKeys>,
    /// Take frames without a session.
    pub danger_accept_replays: bool,
    /// Take the keys that everyone can read in the article.
    pub allow_article_keys: bool,
}

impl<'a> NewGroup<'a> {
    /// A group with the keyring's defaults, and keys that are drawn.
    #[must_use]
    pub const fn new(name: &'a str, topic: &'a str, session_topic: Option<&'a str>) -> Self {
        Self {
            name,
            topic,
            session_topic,
            command_topic: None,
            command_session_topic: None,
            layout: Layout::Hex,
            data: DataMode::Text,
            mac: MacOver::Unpadded,
            policy: Policy::Pool,
            session_interval: None,
            session_life: None,
            keys: None,
            danger_accept_replays: false,
            allow_article_keys: false,
        }
    }

    fn table(&self, keys: &ClassicKeys) -> Table {
        let mut table = Table::new();
        table.insert("name", self.name.into());
        table.insert("topic", self.topic.into());
        let mut optional = |field, value: Option<Value>| {
            if let Some(value) = value {
                table.insert(field, Item::Value(value));
            }
        };
        let word = |is_default: bool, code: &str| (!is_default).then(|| code.into());
        optional("session_topic", self.session_topic.map(Value::from));
        optional(
            "layout",
            word(self.layout == Layout::Hex, self.layout.code()),
        );
        optional("data", word(self.data == DataMode::Text, self.data.code()));
        optional("mac", word(self.mac == MacOver::Unpadded, self.mac.code()));
        optional(
            "policy",
            word(self.policy == Policy::Pool, self.policy.code()),
        );
        for (field, topic) in [
            ("command_topic", self.command_topic),
            ("command_session_topic", self.command_session_topic),
        ] {
            optional(field, topic.map(Value::from));
        }
        for (field, seconds) in [
            ("session_interval", self.session_interval),
            ("session_life", self.session_life),
        ] {
            optional(field, seconds.map(|seconds| i64::from(seconds).into()));
        }
        for (field, allowed) in [
            ("allow_article_keys", self.allow_article_keys),
            ("danger_accept_replays", self.danger_accept_replays),
        ] {
            optional(field, allowed.then(|| true.into()));
        }
        let mut key_table = Table::new();
        for (field, key) in [
            ("iv_key", keys.iv_key.expose()),
            ("data_key", keys.data_key.expose()),
            ("static_iv", keys.static_iv.expose().as_slice()),
            ("passphrase", keys.passphrase.expose()),
        ] {
            key_table.insert(field, Item::Value(hex(key)));
        }
        table.insert("keys", Item::Table(key_table));
        table
    }
}
