//! TOML text to a valid keyring.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use super::fleet::{Fleet, Sealed};
use super::model::{
    Classic, Device, DeviceNames, Group, KeySet, Keyring, NODE_ID, Policy, SessionTimes,
};
use super::own_topics::Taken;
use super::parse_fleet::{Addresses, read_fleet, read_sealed};
use super::reader::{Place, Table, Value};
use crate::classic::{DataMode, Layout, MacOver, Scheme};
use crate::error::{KeyringError, KeyringProblem};
use crate::key::{AesKey, ClassicKeys, Passphrase, SessionKey, StaticIv};
use crate::topic::{TopicFilter, is_topic_name};

type Result<T> = core::result::Result<T, KeyringError>;

impl Keyring {
    /// Reads a keyring from its TOML text.
    ///
    /// # Errors
    /// [`KeyringError`], with line and field.
    pub fn parse(text: &str) -> Result<Self> {
        Ok(read(text)?.0)
    }
}

/// The keyring, and whether it allows that others read it.
pub(super) fn read(text: &str) -> Result<(Keyring, bool)> {
    let mut top = Table::parse(text)?;
    check_version(&mut top)?;
    let allow_wide_permissions = top.bool("allow_wide_permissions")?;
    let session_key = {
        let value = top.required(
            "session_key",
            "`espseal keyring new` makes a keyring with one",
        )?;
        let bytes = value.hex()?;
        value.check(SessionKey::new(&bytes))?
    };
    let mut names = Names::default();
    let mut groups = Vec::new();
    for table in top.tables("classic_group")? {
        groups.push(read_group(table, &mut names)?);
    }
    let mut names = Names::default();
    let mut fleets = Vec::new();
    for table in top.tables("fleet")? {
        fleets.push(read_fleet(table, &mut names, &groups, &fleets)?);
    }
    let mut builder = Builder {
        groups,
        fleets,
        devices: Vec::new(),
        places: Vec::new(),
        names: DeviceNames::default(),
        addresses: Addresses::default(),
        own_topics: Taken::default(),
    };
    for table in top.tables("device")? {
        builder.read_device(table)?;
    }
    top.finish()?;
    let keyring = Keyring {
        path: None,
        session_key,
        groups: builder.groups,
        fleets: builder.fleets,
        devices: builder.devices,
        names: builder.names,
        addresses: builder.addresses,
        wide_permissions: false,
    };
    Ok((keyring, allow_wide_permissions))
}

pub(super) fn check_version(top: &mut Table<'_>) -> Result<()> {
    let version = top.required("version", "write `version = 1` in the first line")?;
    let number = version.integer(0..=u32::MAX, "a whole number: `version = 1`")?;
    match number {
        1 => Ok(()),
        other => Err(version.error(KeyringProblem::UnsupportedVersion {
            found: other.to_string(),
        })),
    }
}

fn read_group(mut table: Table<'_>, names: &mut Names) -> Result<Group> {
    let name = read_name(&mut table, names)?;
    let topic = {
        let value = table.required("topic", "the readings' topic filter, like \"sensors/+\"")?;
        let expected = "a topic filter: `+` and `#` alone on their level, `#` last";
        TopicFilter::parse(value.str()?).ok_or_else(|| value.invalid(expected))?
    };
    let scheme = read_scheme(&mut table)?;
    let session_topic = read_session_topic(&mut table, &scheme)?;
    let command_topic = read_node_topic(&mut table, "command_topic")?;
    let command_session_topic = read_node_topic(&mut table, "command_session_topic")?;
    let policy = match table.value("policy") {
        None => Policy::default(),
        Some(value) => value.word(
            &[("pool", Policy::Pool), ("strict", Policy::Strict)],
            "\"pool\" or \"strict\"",
        )?,
    };
    let times = read_times(&mut table)?;
    let session_memory = match table.value("session_memory") {
        None => 1 << 18,
        Some(value) => value
            .integer(1..=1 << 24, "a number of frames from 1 to 16777216")
            .map(|number| usize::try_from(number).unwrap_or(usize::MAX))?,
    };
    let allow_article_keys = table.bool("allow_article_keys")?;
    let mut article_keys = false;
    let key_sets = match table.value("keys") {
        None => Vec::new(),
        Some(value) => {
            let (keys, printed) = read_keys(value.table()?, allow_article_keys)?;
            article_keys = printed;
            vec![KeySet::new(&keys, None)]
        }
    };
    table.finish()?;
    Ok(Group {
        name,
        topic,
        session_topic,
        command_topic,
        command_session_topic,
        scheme,
        policy,
        times,
        session_memory,
        key_sets,
        nodes: HashMap::default(),
        article_keys,
    })
}

pub(super) fn read_scheme(table: &mut Table<'_>) -> Result<Scheme> {
    let layout = match table.value("layout") {
        None => Layout::Hex,
        Some(value) => value.word(
            &[
                ("hex", Layout::Hex),
                ("raw", Layout::Raw),
                ("port", Layout::Port),
            ],
            "\"hex\", \"raw\" or \"port\"",
        )?,
    };
    let data = match table.value("data") {
        None => DataMode::Text,
        Some(value) => value.word(
            &[("text", DataMode::Text), ("binary", DataMode::Binary)],
            "\"text\" or \"binary\"",
        )?,
    };
    let mac = match table.value("mac") {
        None => MacOver::Unpadded,
        Some(value) => {
            let mac = value.word(
                &[("unpadded", MacOver::Unpadded), ("padded", MacOver::Padded)],
                "\"unpadded\" or \"padded\"",
            )?;
            if mac == MacOver::Padded && data == DataMode::Binary {
                let expected = "\"unpadded\" where `data = \"binary\"`: a padded MAC does not say where the data ends";
                return Err(value.invalid(expected));
            }
            mac
        }
    };
    Ok(Scheme {
        layout,
        data,
        mac,
        danger_accept_replays: table.bool("danger_accept_replays")?,
    })
}

/// Needed by every sender that a session protects.
pub(super) fn read_session_topic(
    table: &mut Table<'_>,
    scheme: &Scheme,
) -> Result<Option<Arc<str>>> {
    let without_sessions = scheme.layout == Layout::Port || scheme.danger_accept_replays;
    match table.value("session_topic") {
        Some(value) => read_topic_name(&value).map(Some),
        None if without_sessions => Ok(None),
        None => {
            let hint = "the topic of the session IDs, like \"sensors/session\"";
            Err(table.error("session_topic", KeyringProblem::MissingField { hint }))
        }
    }
}

/// A topic that differs for each node.
fn read_node_topic(table: &mut Table<'_>, field: &'static str) -> Result<Option<Box<str>>> {
    let Some(value) = table.value(field) else {
        return Ok(None);
    };
    let topic = read_topic_name(&value)?;
    if topic.contains(NODE_ID) {
        Ok(Some((*topic).into()))
    } else {
        Err(value.invalid("a topic with `{node_id}` in it, so that each node has its own"))
    }
}

/// A topic without wildcards.
pub(super) fn read_topic_name(value: &Value<'_>) -> Result<Arc<str>> {
    let topic = value.str()?;
    if is_topic_name(topic) {
        Ok(topic.into())
    } else {
        Err(value.invalid("one topic, without `+` and `#`"))
    }
}

fn read_times(table: &mut Table<'_>) -> Result<SessionTimes> {
    const DAY: u32 = 86_400;
    let default = SessionTimes::default();
    let mut seconds = |field, expected, default| match table.value(field) {
        None => Ok((None, default)),
        Some(value) => {
            let number = value.integer(1..=DAY, expected)?;
            Ok((Some(value), Duration::from_secs(u64::from(number))))
        }
    };
    let expected = "a number of seconds from 1 to 86400";
    let (_, interval) = seconds("session_interval", expected, default.interval)?;
    let (value, life) = seconds("session_life", expected, default.life)?;
    if life <= interval {
        let expected = "longer than `session_interval`, so that a node always has a live session";
        return Err(match value {
            Some(value) => value.invalid(expected),
            None => table.error("session_life", KeyringProblem::InvalidValue { expected }),
        });
    }
    Ok(SessionTimes { interval, life })
}

/// The four keys, and whether they are the article's.
pub(super) fn read_keys(
    mut table: Table<'_>,
    allow_article_keys: bool,
) -> Result<(ClassicKeys, bool)> {
    fn key<'a, T>(
        table: &mut Table<'a>,
        field: &'static str,
        new: fn(&[u8]) -> Result<T>,
    ) -> Result<(T, Place<'a>)> {
        let value = table.required(field, "write { hex = \"…\" } or { text = \"…\" }")?;
        let place = value.place();
        let key = place.check(new(&value.key()?))?;
        Ok((key, place))
    }
    let (iv_key, iv_key_place) = key(&mut table, "iv_key", AesKey::new)?;
    let (data_key, data_key_place) = key(&mut table, "data_key", AesKey::new)?;
    let (static_iv, static_iv_place) = key(&mut table, "static_iv", StaticIv::new)?;
    let (passphrase, passphrase_place) = key(&mut table, "passphrase", Passphrase::new)?;
    let keys = ClassicKeys {
        iv_key,
        data_key,
        static_iv,
        passphrase,
    };
    let printed = keys.printed_in_article();
    if let (Some(field), false) = (printed, allow_article_keys) {
        let place = match field {
            "iv_key" => iv_key_place,
            "data_key" => data_key_place,
            "static_iv" => static_iv_place,
            _ => passphrase_place,
        };
        return Err(place.error(KeyringProblem::ArticleKeys));
    }
    table.finish()?;
    Ok((keys, printed.is_some()))
}

/// The groups, and the devices as they are read into them.
struct Builder<'a> {
    groups: Vec<Group>,
    fleets: Vec<Fleet>,
    devices: Vec<Device>,
    /// The name of each device, for those that come after.
    places: Vec<Place<'a>>,
    names: DeviceNames,
    addresses: Addresses,
    own_topics: Taken,
}

impl<'a> Builder<'a> {
    fn read_device(&mut self, mut table: Table<'a>) -> Result<()> {
        let index = self.devices.len();
        let (name, place) = read_device_name(&mut table)?;
        match self.names.entry(name.clone()) {
            Entry::Vacant(vacant) => vacant.insert(index),
            Entry::Occupied(first) => {
                let first = *first.get();
                return Err(place.error(KeyringProblem::DuplicateName {
                    name: name.to_string(),
                    first: self.line(first),
                }));
            }
        };
        let classic = match table.value("classic") {
            Some(value) => Some(self.read_classic(value.table()?, index)?),
            None => None,
        };
        let sealed = match table.value("sealed") {
            Some(value) => Some(self.read_sealed(value.table()?, index)?),
            None => None,
        };
        if classic.is_none() && sealed.is_none() {
            return Err(table.error("sealed", KeyringProblem::NoFormat));
        }
        table.finish()?;
        self.places.push(place);
        self.devices.push(Device {
            name,
            classic,
            sealed,
        });
        Ok(())
    }

    fn read_sealed(&mut self, table: Table<'_>, device: usize) -> Result<Sealed> {
        let (groups, taken) = (&self.groups, &mut self.own_topics);
        let (sealed, value) = read_sealed(table, groups, &mut self.fleets, taken)?;
        match self.addresses.insert(sealed.address, device) {
            None => Ok(sealed),
            Some(first) => Err(value.error(self.duplicate(sealed.address.to_string(), first))),
        }
    }

    fn duplicate(&self, address: String, owner: usize) -> KeyringProblem {
        let device = self.devices.get(owner);
        KeyringProblem::DuplicateAddress {
            address,
            owner: device.map_or_else(String::new, |device| device.name.to_string()),
            first: self.line(owner),
        }
    }

    fn line(&self, device: usize) -> usize {
        self.places.get(device).map_or(0, Place::line)
    }

    fn read_classic(&mut self, mut table: Table<'_>, device: usize) -> Result<Classic> {
        let group_value = table.required("group", "name one of the `[[classic_group]]`s")?;
        let keys = table.value("keys");
        let allow_article_keys = table.bool("allow_article_keys")?;

        let wanted = group_value.str()?;
        let Some(group_index) = self.groups.iter().position(|g| &*g.name == wanted) else {
            let known = known_names(self.groups.iter().map(|g| &*g.name), "group");
            let group = wanted.escape_debug().to_string();
            return Err(group_value.error(KeyringProblem::NoGroup { group, known }));
        };
        let Some(group) = self.groups.get_mut(group_index) else {
            unreachable!("position() found it")
        };
        // A port frame carries no node ID: its topic names the device.
        let port = group.scheme.layout == Layout::Port;
        let (address_value, address) = if port {
            let value = table.required("topic", "in layout \"port\" the topic names the device")?;
            let topic = read_topic_name(&value)?;
            if !group.topic.matches(&topic) {
                return Err(value.invalid("a topic that the group's filter matches"));
            }
            (value, topic.as_bytes().into())
        } else {
            let hint = "what `print(node.chipid())` says on the device";
            let value = table.required("node_id", hint)?;
            let node_id = read_node_id(&value)?;
            (value, node_id)
        };
        match group.nodes.entry(address.clone()) {
            Entry::Vacant(vacant) => vacant.insert(device),
            Entry::Occupied(first) => {
                let owner = *first.get();
                let problem = self.duplicate(address.escape_ascii().to_string(), owner);
                return Err(address_value.error(problem));
            }
        };
        let key_set = match (keys, group.key_sets.first()) {
            (Some(value), _) => {
                let (keys, printed) = read_keys(value.table()?, allow_article_keys)?;
                group.article_keys |= printed;
                group.key_sets.push(KeySet::new(&keys, Some(device)));
                group.key_sets.len() - 1
            }
            (None, Some(KeySet { owner: None, .. })) => 0,
            (None, _) => {
                let hint = "its group has no `[classic_group.keys]`, so the device needs its own";
                return Err(table.error("keys", KeyringProblem::MissingField { hint }));
            }
        };
        table.finish()?;
        Ok(Classic {
            group: group_index,
            node_id: (!port).then(|| address.escape_ascii().to_string().into()),
            address,
            key_set,
        })
    }
}

pub(super) fn read_node_id(value: &Value<'_>) -> Result<Box<[u8]>> {
    // Text where it is text, as it nearly always is; { hex = "…" } takes any bytes.
    let node_id = value.bytes()?;
    if crate::classic::is_node_id(&node_id) {
        Ok(node_id.into_boxed_slice())
    } else {
        Err(value.invalid("a string of 1 to 15 bytes without NUL and without `>`"))
    }
}

/// What there is instead of a name that is not there.
pub(super) fn known_names<'a>(names: impl Iterator<Item = &'a str>, what: &str) -> String {
    match names.collect::<Vec<_>>().as_slice() {
        [] => format!("the keyring has no {what} yet"),
        names => format!("there is {}", names.join(", ")),
    }
}

/// Names that were read, and where.
#[derive(Default)]
pub(super) struct Names(HashMap<Arc<str>, usize>);

pub(super) fn read_name(table: &mut Table<'_>, names: &mut Names) -> Result<Arc<str>> {
    let value = table.required("name", "what people call it")?;
    let name = checked_name(&value)?;
    match names.0.entry(name.clone()) {
        Entry::Vacant(vacant) => {
            vacant.insert(value.place().line());
            Ok(name)
        }
        Entry::Occupied(first) => Err(value.error(KeyringProblem::DuplicateName {
            name: name.to_string(),
            first: *first.get(),
        })),
    }
}

fn read_device_name<'a>(table: &mut Table<'a>) -> Result<(Arc<str>, Place<'a>)> {
    let value = table.required("name", "what people call it")?;
    Ok((checked_name(&value)?, value.place()))
}

pub(super) fn checked_name(value: &Value<'_>) -> Result<Arc<str>> {
    let name = value.str()?;
    let valid = (1..=64).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if valid {
        Ok(name.into())
    } else {
        Err(value.invalid("a name of 1 to 64 characters, none of them a control character"))
    }
}
