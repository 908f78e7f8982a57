//! Fleets and sealed devices in a keyring: what they say, and every mistake in them.

use super::Keyring;
use crate::key::DeviceKey;
use crate::sealed::Address;

const VALID: &str = r#"version = 1
session_key = "c4f1a07b93de5286b0e7449ad15f3c68720b8ed9f6134ca5e8d7920b61fa3c5d"

[[classic_group]]
name = "greenhouse"
topic = "sensors/+"
session_topic = "sensors/session"

[classic_group.keys]
iv_key = { text = "QzWxEcRvTbYnUmIk" }
data_key = { hex = "8d0c5b7e21f94a36d8b7c01e53af6924" }
static_iv = { text = "pLoKiJuHyGtFrDeS" }
passphrase = { text = "Kd7! wvPq0: zzyx 3 words" }

[[fleet]]
name = "home"
key = { hex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f" }

[[fleet]]
name = "barn"
key = { hex = "b6e1c79820f354d1aa97be0423dc6851f00d4e2b973a8c6519f4d07e32b5a8c1" }
beacon_topic = "barn/beacon"
up_topic = "barn/{address}/data"
danger_first_contact = true

[[device]]
name = "kitchen"
sealed = { fleet = "home", address = "0011223344556677" }

[[device]]
name = "cellar"
classic = { group = "greenhouse", node_id = "11242238" }

[device.sealed]
fleet = "barn"
address = "8899AABBCCDDEEFF"
key = { hex = "5e0c9172d8b34fa6c1078de293f5b46a1d39870fc25ae64b80f71c63da94e2b5" }
minimum_epoch = 3
revoked = true
down_topic = "cellar"
"#;

const SECRETS: [&str; 3] = [
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
    "b6e1c79820f354d1aa97be0423dc6851f00d4e2b973a8c6519f4d07e32b5a8c1",
    "5e0c9172d8b34fa6c1078de293f5b46a1d39870fc25ae64b80f71c63da94e2b5",
];

const KITCHEN: Address = Address::new([0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77]);

#[test]
fn fleets_and_devices_are_what_the_file_says() {
    let keyring = Keyring::parse(VALID).unwrap();
    let [home, barn] = keyring.fleets() else {
        panic!()
    };
    assert_eq!((&*home.name, home.device_count()), ("home", 1));
    assert_eq!(&*home.beacon_topic, "espseal/home/beacon");
    assert_eq!(home.up_topic(KITCHEN), "espseal/0011223344556677/up");
    assert_eq!(home.hello_topic(KITCHEN), "espseal/0011223344556677/hello");
    assert_eq!(home.down_topic(KITCHEN), "espseal/0011223344556677/down");
    assert_eq!(home.up_filter().as_str(), "espseal/+/up");
    assert_eq!(home.hello_filter().as_str(), "espseal/+/hello");
    assert_eq!(home.times.interval.as_secs(), 60);
    assert_eq!(home.times.life.as_secs(), 120);
    assert!(!home.danger_first_contact && barn.danger_first_contact);
    assert_eq!(&*barn.beacon_topic, "barn/beacon");
    assert_eq!(barn.up_topic(KITCHEN), "barn/0011223344556677/data");

    let kitchen = &keyring.devices()[0];
    assert!(kitchen.classic.is_none());
    let sealed = kitchen.sealed.as_ref().unwrap();
    assert_eq!((sealed.fleet, sealed.address), (0, KITCHEN));
    assert_eq!((sealed.minimum_epoch, sealed.revoked), (0, false));
    assert!(!sealed.has_own_key());
    let cellar = &keyring.devices()[1];
    assert!(cellar.classic.is_some());
    let sealed = cellar.sealed.as_ref().unwrap();
    assert_eq!(sealed.address.to_string(), "8899aabbccddeeff");
    assert_eq!((sealed.minimum_epoch, sealed.revoked), (3, true));
    assert!(sealed.has_own_key());
    assert_eq!(sealed.down_topic(barn), "cellar");
    assert_eq!(sealed.up_topic(barn), "barn/8899aabbccddeeff/data");
    assert_eq!(sealed.own_up_topic(), None);

    assert_eq!(keyring.by_address(KITCHEN), Some(0));
    assert_eq!(keyring.by_address(sealed.address), Some(1));
    assert_eq!(keyring.by_address(Address::new([7; 8])), None);
    assert_eq!(
        keyring.warnings(),
        [
            "fleet `barn` believes a device's first frame without a beacon: recorded frames open again when the store is new or lost"
        ]
    );
    assert_no_key(&format!("{keyring:?}"));
}

#[test]
fn keys_are_derived_or_a_devices_own_and_ratcheted() {
    let keyring = Keyring::parse(VALID).unwrap();
    let key = |device, epoch| {
        let key = keyring.device_key(device, epoch)?;
        Some(base16ct::lower::encode_string(key.expose()))
    };
    // Computed independently (pyca/cryptography).
    assert_eq!(
        key(0, 0).unwrap(),
        "0d80b578b73cfeb061d477303943b44ab7904446f560e5d58aa48f9ad9062d84"
    );
    assert_eq!(key(1, 0).unwrap(), SECRETS[2]);
    let own = DeviceKey::new(&base16ct::lower::decode_vec(SECRETS[2]).unwrap()).unwrap();
    let third = own.ratchet().ratchet().ratchet();
    assert!(keyring.device_key(1, 3).unwrap() == third);
    assert_eq!(key(2, 0), None);
    let classic = VALID.replacen(
        "sealed = { fleet = \"home\", address = \"0011223344556677\" }",
        "classic = { group = \"greenhouse\", node_id = \"1\" }",
        1,
    );
    assert!(Keyring::parse(&classic).unwrap().device_key(0, 0).is_none());
}

/// What replaces what in [`VALID`], and the whole sentence.
#[test]
fn each_mistake_has_its_sentence_with_line_and_field() {
    const TOPIC: &str =
        "must be one topic in which one level is `{address}`, like `home/{address}/up`";
    const NAMES: &str = "must be set, since no topic may hold what stands in the fleet's name";
    const HEARD: &str = "must be a topic on which no device hears its commands";
    const SENT: &str =
        "must be a topic on which no device sends: a host would take its own commands for readings";
    const HOME: &str = "name = \"home\"";
    let with = |field: &str| format!("{HOME}\n{field}");
    for (from, to, expected) in [
        // Keys
        (
            "1c1d1e1f\" }",
            "1c1d1e\" }",
            "line 17: fleet.key.hex: is 31 bytes long and must be 32",
        ),
        (
            "1c1d1e1f\" }",
            "1c1d1e1\" }",
            "line 17: fleet.key.hex: must be an even number of hex digits",
        ),
        (
            "key = { hex = \"0001",
            "key = { text = \"0001",
            "line 17: fleet.key: must be written { hex = \"…\" }",
        ),
        (
            "key = { hex = \"0001",
            "key = { hint = 1, hex = \"0001",
            "line 17: fleet.key.hint: unknown field; known here: hex",
        ),
        (
            "key = { hex = \"0001",
            "kez = { hex = \"0001",
            "line 15: fleet.key: is missing; `espseal fleet new` makes a fleet with one",
        ),
        (
            "da94e2b5\" }",
            "da94e2b5ff\" }",
            "line 37: device.sealed.key.hex: is 33 bytes long and must be 32",
        ),
        // Fleets
        (
            HOME,
            "name = \"barn\"",
            "line 20: fleet.name: `barn` is already the name in line 16; names must differ",
        ),
        (
            HOME,
            "",
            "line 15: fleet.name: is missing; what people call it",
        ),
        (
            HOME,
            "name = \"home/+\"",
            &format!("line 15: fleet.beacon_topic: {NAMES}"),
        ),
        (
            HOME,
            &with("beacon_topic = \"home/#\""),
            "line 17: fleet.beacon_topic: must be one topic, without `+` and `#`",
        ),
        (
            HOME,
            &with("beacon_topic = \"sensors/session\""),
            "line 17: fleet.beacon_topic: must be a topic that no `[[classic_group]]` has for its session IDs",
        ),
        (
            HOME,
            &with("beacon_topic = \"barn/beacon\""),
            "line 23: fleet.beacon_topic: must be a topic that no other fleet has for its beacon",
        ),
        (
            HOME,
            &with("beacon_topic = \"espseal/all/up\""),
            "line 17: fleet.beacon_topic: must be a topic on which no device sends or hears anything else",
        ),
        (
            HOME,
            &with("beacon_topic = \"barn/all/data\""),
            "line 24: fleet.up_topic: must be a topic that no other fleet has for its beacon",
        ),
        (
            "\"barn/beacon\"",
            "\"espseal/all/hello\"",
            "line 22: fleet.beacon_topic: must be a topic on which no device sends or hears anything else",
        ),
        (
            HOME,
            &with("up_topic = \"home/up\""),
            &format!("line 17: fleet.up_topic: {TOPIC}"),
        ),
        (
            HOME,
            &with("hello_topic = \"home/x{address}\""),
            &format!("line 17: fleet.hello_topic: {TOPIC}"),
        ),
        (
            HOME,
            &with("hello_topic = \"{address}/{address}\""),
            &format!("line 17: fleet.hello_topic: {TOPIC}"),
        ),
        (
            HOME,
            &with("down_topic = \"+/{address}\""),
            &format!("line 17: fleet.down_topic: {TOPIC}"),
        ),
        (
            HOME,
            &with("down_topic = 5"),
            "line 17: fleet.down_topic: must be a string",
        ),
        (
            HOME,
            &with("down_topic = \"espseal/{address}/up\""),
            "line 15: fleet.down_topic: must be another topic than `up_topic` and `hello_topic`",
        ),
        (
            HOME,
            &with("beacon_interval = 0"),
            "line 17: fleet.beacon_interval: must be a number of seconds from 1 to 3600",
        ),
        (
            HOME,
            &with("beacon_interval = 120"),
            "line 15: fleet.beacon_life: must be longer than `beacon_interval`, so that there is always a live session",
        ),
        (
            HOME,
            &with("beacon_life = 60"),
            "line 17: fleet.beacon_life: must be longer than `beacon_interval`, so that there is always a live session",
        ),
        (
            HOME,
            &with("danger_first_contact = 1"),
            "line 17: fleet.danger_first_contact: must be true or false",
        ),
        (
            HOME,
            &with("topic = \"home\""),
            "line 17: fleet.topic: unknown field; known here: beacon_interval, beacon_life, beacon_topic, danger_first_contact, down_topic, hello_topic, key, name, up_topic",
        ),
        // Devices
        (
            "\"0011223344556677\"",
            "\"00112233445566\"",
            "line 28: device.sealed.address: must be 16 hex digits, in quotes",
        ),
        (
            "\"0011223344556677\"",
            "\"001122334455667788\"",
            "line 28: device.sealed.address: must be 16 hex digits, in quotes",
        ),
        (
            "\"0011223344556677\"",
            "\"0x11223344556677\"",
            "line 28: device.sealed.address: must be 16 hex digits, in quotes",
        ),
        (
            "\"0011223344556677\"",
            "11223344556677",
            "line 28: device.sealed.address: must be a string",
        ),
        (
            "\"0011223344556677\"",
            "\"8899aabbccddeeff\"",
            "line 36: device.sealed.address: `8899aabbccddeeff` already belongs to `kitchen` (line 27)",
        ),
        (
            ", address = \"0011223344556677\"",
            "",
            "line 28: device.sealed.address: is missing; the device's address, 16 hex digits",
        ),
        (
            "fleet = \"home\", ",
            "",
            "line 28: device.sealed.fleet: is missing; name one of the `[[fleet]]`s",
        ),
        (
            "fleet = \"home\"",
            "fleet = \"attic\"",
            "line 28: device.sealed.fleet: there is no `[[fleet]]` named `attic`; there is home, barn",
        ),
        (
            "sealed = { fleet = \"home\", address = \"0011223344556677\" }",
            "sealed = \"home\"",
            "line 28: device.sealed: must be a table",
        ),
        (
            "minimum_epoch = 3",
            "minimum_epoch = 65536",
            "line 38: device.sealed.minimum_epoch: must be a whole number from 0 to 65535",
        ),
        (
            "minimum_epoch = 3",
            "minimum_epoch = -1",
            "line 38: device.sealed.minimum_epoch: must be a whole number from 0 to 65535",
        ),
        (
            "revoked = true",
            "revoked = \"yes\"",
            "line 39: device.sealed.revoked: must be true or false",
        ),
        (
            "revoked = true",
            "epoch = 3",
            "line 39: device.sealed.epoch: unknown field; known here: address, down_topic, fleet, hello_topic, key, minimum_epoch, revoked, up_topic",
        ),
        // Topics of its own
        (
            "revoked = true",
            "up_topic = \"barn/+\"",
            "line 39: device.sealed.up_topic: must be one topic, without `+` and `#`",
        ),
        (
            "revoked = true",
            "up_topic = \"espseal/home/beacon\"",
            "line 39: device.sealed.up_topic: must be a topic that no fleet has for its beacon",
        ),
        (
            "down_topic = \"cellar\"",
            "down_topic = \"barn/beacon\"",
            "line 40: device.sealed.down_topic: must be a topic that no fleet has for its beacon",
        ),
        (
            "revoked = true",
            "hello_topic = \"sensors/session\"",
            "line 39: device.sealed.hello_topic: must be a topic that no `[[classic_group]]` has for its session IDs",
        ),
        (
            "revoked = true",
            "hello_topic = \"espseal/x/down\"",
            &format!("line 39: device.sealed.hello_topic: {HEARD}"),
        ),
        (
            "down_topic = \"cellar\"",
            "down_topic = \"barn/x/data\"",
            &format!("line 40: device.sealed.down_topic: {SENT}"),
        ),
        (
            "revoked = true",
            "up_topic = \"cellar\"",
            &format!("line 40: device.sealed.down_topic: {SENT}"),
        ),
        (
            "\"0011223344556677\" }",
            "\"0011223344556677\", down_topic = \"cellar\" }",
            "line 40: device.sealed.down_topic: must be a topic on which no other device hears its commands",
        ),
        (
            "\"0011223344556677\" }",
            "\"0011223344556677\", hello_topic = \"cellar\" }",
            &format!("line 40: device.sealed.down_topic: {SENT}"),
        ),
        (
            "\"0011223344556677\" }\n\n[[device]]\nname = \"cellar\"",
            "\"0011223344556677\", down_topic = \"tx\" }\n\n[[device]]\nname = \"shed\"\nsealed = { fleet = \"home\", address = \"1111111111111111\", up_topic = \"tx\" }\n\n[[device]]\nname = \"cellar\"",
            &format!("line 32: device.sealed.up_topic: {HEARD}"),
        ),
    ] {
        assert!(VALID.contains(from), "{from}");
        let text = VALID.replacen(from, to, 1);
        let error = match Keyring::parse(&text) {
            Ok(_) => panic!("{to} is no mistake"),
            Err(error) => error,
        };
        assert_eq!(error.to_string(), expected);
        assert_no_key(&format!("{error} {error:?}"));
    }
}

#[test]
fn devices_may_send_and_hear_on_topics_of_their_own() {
    let text = VALID.replacen(
        "\"0011223344556677\" }",
        "\"0011223344556677\", up_topic = \"tx\", hello_topic = \"tx\" }\n\n[[device]]\nname = \"shed\"\nsealed = { fleet = \"barn\", address = \"1111111111111111\", up_topic = \"tx\", hello_topic = \"espseal/shed/hello\" }",
        1,
    );
    let keyring = Keyring::parse(&text).unwrap();
    let texts = |filters: Vec<std::sync::Arc<str>>| -> Vec<String> {
        filters.iter().map(ToString::to_string).collect()
    };
    assert_eq!(
        texts(keyring.up_filters()),
        ["barn/+/data", "espseal/+/up", "tx"]
    );
    // What the fleets' filters cover is heard already.
    assert_eq!(texts(keyring.hello_filters()), ["espseal/+/hello", "tx"]);
    assert_eq!(texts(keyring.down_filters()), ["cellar", "espseal/+/down"]);
    let home = &keyring.fleets()[0];
    let kitchen = keyring.devices()[0].sealed.as_ref().unwrap();
    assert_eq!(kitchen.up_topic(home), "tx");
    assert_eq!(kitchen.hello_topic(home), "tx");
    assert_eq!(kitchen.down_topic(home), "espseal/0011223344556677/down");
    let given = keyring.provision("shed").unwrap();
    assert_eq!(
        (&*given.up_topic, &*given.hello_topic),
        ("tx", "espseal/shed/hello")
    );
    assert_eq!(given.down_topic, "espseal/1111111111111111/down");
}

#[test]
fn a_hundred_thousand_devices_are_found_by_name_and_address() {
    const DEVICES: u64 = 100_000;
    let head = &VALID[..VALID.find("[[device]]").unwrap()];
    let of = |n: u64| Address::new(n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    let mut text = head.to_owned();
    for n in 0..DEVICES {
        let address = of(n);
        text += &format!(
            "[[device]]\nname = \"device {n}\"\nsealed = {{ fleet = \"home\", address = \"{address}\", up_topic = \"tx{n}\", down_topic = \"rx{n}\" }}\n"
        );
    }
    let keyring = Keyring::parse(&text).unwrap();
    assert_eq!(keyring.up_filters().len(), 100_002);
    assert_eq!(keyring.fleets()[0].device_count(), 100_000);
    for n in [0, 1, 4711, DEVICES - 1] {
        let index = keyring.by_address(of(n)).unwrap();
        assert_eq!(index, usize::try_from(n).unwrap());
        let name = format!("device {n}");
        assert_eq!(keyring.device_index(&name).unwrap(), index);
        let key = DeviceKey::of_fleet(&keyring.fleets()[0].key, of(n));
        assert!(keyring.device_key(index, 0).unwrap() == key);
    }
    let text = text.replace(
        "address = \"0000000000000000\"",
        "address = \"9e3779b97f4a7c15\"",
    );
    let error = Keyring::parse(&text).unwrap_err();
    assert_eq!(error.problem.code(), "duplicate_address");
    assert_eq!(error.line, Some(head.lines().count() + 6));
}

#[test]
fn a_keyring_cut_or_garbled_anywhere_shows_no_key() {
    for cut in 0..VALID.len() {
        for text in [
            VALID[..cut].to_owned(),
            [&VALID[..cut], "\"", &VALID[cut..]].concat(),
        ] {
            if let Err(error) = Keyring::parse(&text) {
                assert_no_key(&format!("{error} {error:?}"));
            }
        }
    }
}

/// No eight consecutive digits of any key.
fn assert_no_key(shown: &str) {
    for secret in SECRETS {
        for at in 0..=secret.len() - 8 {
            let window = &secret[at..at + 8];
            assert!(!shown.contains(window), "{window} in: {shown}");
        }
    }
}
