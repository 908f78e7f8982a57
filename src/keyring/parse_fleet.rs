//! TOML tables to fleets and sealed devices.

use std::collections::HashMap;
use std::time::Duration;

use super::fleet::{AddressTopic, Fleet, Sealed};
use super::model::{Group, SessionTimes};
use super::own_topics::Taken;
use super::parse::{Names, known_names, read_name, read_topic_name};
use super::reader::{Table, Value};
use crate::error::{KeyringError, KeyringProblem};
use crate::key::{DeviceKey, FleetKey};
use crate::sealed::Address;
use crate::topic::is_topic_name;

type Result<T> = core::result::Result<T, KeyringError>;

/// Which device has which address.
pub(super) type Addresses = HashMap<Address, usize, foldhash::fast::RandomState>;

pub(super) fn read_fleet(
    mut table: Table<'_>,
    names: &mut Names,
    groups: &[Group],
    fleets: &[Fleet],
) -> Result<Fleet> {
    let name = read_name(&mut table, names)?;
    let key = table.required("key", "`espseal fleet new` makes a fleet with one")?;
    let key = read_key(key, FleetKey::new)?;
    let mut topic = |field, default| read_address_topic(&mut table, field, default, fleets);
    let up = topic("up_topic", "espseal/{address}/up")?;
    let hello = topic("hello_topic", "espseal/{address}/hello")?;
    let down = topic("down_topic", "espseal/{address}/down")?;
    // A host would take its own commands for readings.
    if [&up, &hello]
        .iter()
        .any(|other| other.filter == down.filter)
    {
        let expected = "another topic than `up_topic` and `hello_topic`";
        let problem = KeyringProblem::InvalidValue { expected };
        return Err(table.error("down_topic", problem));
    }
    let beacon_topic = match table.value("beacon_topic") {
        Some(value) => {
            let topic = read_topic_name(&value)?;
            check_beacon_topic(&topic, [&up, &hello, &down], groups, fleets)
                .map_err(|expected| value.invalid(expected))?;
            topic
        }
        None => {
            let topic = format!("espseal/{name}/beacon");
            let checked = if is_topic_name(&topic) {
                check_beacon_topic(&topic, [&up, &hello, &down], groups, fleets)
            } else {
                Err("set, since no topic may hold what stands in the fleet's name")
            };
            checked.map_err(|expected| {
                table.error("beacon_topic", KeyringProblem::InvalidValue { expected })
            })?;
            topic.into()
        }
    };
    let times = read_times(&mut table)?;
    let danger_first_contact = table.bool("danger_first_contact")?;
    table.finish()?;
    Ok(Fleet {
        name,
        key,
        beacon_topic,
        times,
        danger_first_contact,
        up,
        hello,
        down,
        device_count: 0,
    })
}

fn read_address_topic(
    table: &mut Table<'_>,
    field: &'static str,
    default: &str,
    fleets: &[Fleet],
) -> Result<AddressTopic> {
    let value = table.value(field);
    let invalid = |expected| match &value {
        Some(value) => value.invalid(expected),
        None => table.error(field, KeyringProblem::InvalidValue { expected }),
    };
    let pattern = value.as_ref().map_or(Ok(default), Value::str)?;
    let form = "one topic in which one level is `{address}`, like `home/{address}/up`";
    let topic = AddressTopic::parse(pattern).ok_or_else(|| invalid(form))?;
    let beacons = fleets.iter().map(|fleet| &*fleet.beacon_topic);
    if beacons
        .into_iter()
        .any(|beacon| topic.filter.matches(beacon))
    {
        return Err(invalid("a topic that no other fleet has for its beacon"));
    }
    Ok(topic)
}

/// What the topic must be instead, if it cannot be a beacon's.
fn check_beacon_topic(
    topic: &str,
    own: [&AddressTopic; 3],
    groups: &[Group],
    fleets: &[Fleet],
) -> core::result::Result<(), &'static str> {
    let others = fleets.iter().flat_map(|f| [&f.up, &f.hello, &f.down]);
    if others.chain(own).any(|used| used.filter.matches(topic)) {
        return Err("a topic on which no device sends or hears anything else");
    }
    if fleets.iter().any(|fleet| &*fleet.beacon_topic == topic) {
        return Err("a topic that no other fleet has for its beacon");
    }
    let mut sessions = groups.iter().filter_map(|g| g.session_topic.as_deref());
    if sessions.any(|session_topic| session_topic == topic) {
        return Err("a topic that no `[[classic_group]]` has for its session IDs");
    }
    Ok(())
}

fn read_times(table: &mut Table<'_>) -> Result<SessionTimes> {
    const HOUR: u32 = 3600;
    let mut seconds = |field, default: u32| match table.value(field) {
        None => Ok((None, default)),
        Some(value) => {
            let number = value.integer(1..=HOUR, "a number of seconds from 1 to 3600")?;
            Ok((Some(value), number))
        }
    };
    let (_, interval) = seconds("beacon_interval", 60)?;
    let (value, life) = seconds("beacon_life", 120)?;
    if life <= interval {
        let expected = "longer than `beacon_interval`, so that there is always a live session";
        return Err(match value {
            Some(value) => value.invalid(expected),
            None => table.error("beacon_life", KeyringProblem::InvalidValue { expected }),
        });
    }
    Ok(SessionTimes {
        interval: Duration::from_secs(interval.into()),
        life: Duration::from_secs(life.into()),
    })
}

/// The value of `sealed` in a device, and where its address stands.
pub(super) fn read_sealed<'a>(
    mut table: Table<'a>,
    groups: &[Group],
    fleets: &mut [Fleet],
    taken: &mut Taken,
) -> Result<(Sealed, Value<'a>)> {
    let fleet_value = table.required("fleet", "name one of the `[[fleet]]`s")?;
    let wanted = fleet_value.str()?;
    let Some(index) = fleets.iter().position(|fleet| &*fleet.name == wanted) else {
        let known = known_names(fleets.iter().map(|fleet| &*fleet.name), "fleet");
        let fleet = wanted.escape_debug().to_string();
        return Err(fleet_value.error(KeyringProblem::NoFleet { fleet, known }));
    };
    if let Some(fleet) = fleets.get_mut(index) {
        fleet.device_count += 1;
    }
    let hint = "the device's address, 16 hex digits";
    let address_value = table.required("address", hint)?;
    let address = Address::parse(address_value.str()?)
        .ok_or_else(|| address_value.invalid("16 hex digits, in quotes"))?;
    let own_key = match table.value("key") {
        Some(value) => Some(read_key(value, DeviceKey::new)?),
        None => None,
    };
    let minimum_epoch = match table.value("minimum_epoch") {
        None => 0,
        Some(value) => {
            let expected = "a whole number from 0 to 65535";
            let number = value.integer(0..=u32::from(u16::MAX), expected)?;
            u16::try_from(number).map_err(|_| value.invalid(expected))?
        }
    };
    let revoked = table.bool("revoked")?;
    let topics = taken.read(&mut table, groups, fleets)?;
    table.finish()?;
    let sealed = Sealed {
        fleet: index,
        address,
        minimum_epoch,
        revoked,
        own_key,
        topics,
    };
    Ok((sealed, address_value))
}

/// `{ hex = "…" }` alone: 32 characters that a person thinks of are no key.
fn read_key<T>(value: Value<'_>, new: fn(&[u8]) -> Result<T>) -> Result<T> {
    let (bytes, place) = value.hex_key()?;
    place.check(new(&bytes))
}
