//! Changing the sealed side of a keyring: what is written, what stays, what is refused.

use std::fs;
use std::path::PathBuf;

use super::{Keyring, KeyringFile, NewFleet, NewGroup, Part, Policy, SealedAddress};
use crate::classic::MacOver;
use crate::error::KeyringError;
use crate::key::FleetKey;
use crate::sealed::Address;

const START: &str = r#"# Whom to believe.
version = 1
session_key = "c4f1a07b93de5286b0e7449ad15f3c68720b8ed9f6134ca5e8d7920b61fa3c5d" # minted here

[[classic_group]]
name = "greenhouse" # behind the house
topic = "sensors/+"
session_topic = "sensors/session"

# Drawn in spring.
[classic_group.keys]
iv_key = { text = "QzWxEcRvTbYnUmIk" }
data_key = { hex = "8d0c5b7e21f94a36d8b7c01e53af6924" }
static_iv = { text = "pLoKiJuHyGtFrDeS" }
passphrase = { text = "Kd7! wvPq0: zzyx 3 words" }

[[fleet]]
name = "home" # all that was flashed in May
key = { hex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f" }

# Downstairs.

# By the oven.
[[device]]
name = "kitchen" # the old one
classic = { group = "greenhouse", node_id = "11242238" } # until it is flashed

# Under the stairs.
[[device]]
name = "cellar"

[device.classic] # still
group = "greenhouse"
node_id = "11242239"

# Upstairs.

# Below the roof.
[[device]]
name = "attic"
sealed = { fleet = "home", address = "0011223344556677" } # never moved

# The door.
[[device]]
name = "door"

[device.sealed]
fleet = "home"
address = "8899aabbccddeeff" # on its label
minimum_epoch = 3 # since it was lost
# the end
"#;

struct Fixture {
    file: KeyringFile,
    path: PathBuf,
    _folder: tempfile::TempDir,
}

fn start() -> Fixture {
    with(START)
}

fn with(text: &str) -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keyring.toml");
    fs::write(&path, text).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    Fixture {
        file: KeyringFile::open(&path).unwrap(),
        path,
        _folder: folder,
    }
}

impl Fixture {
    fn text(&self) -> String {
        fs::read_to_string(&self.path).unwrap()
    }

    fn keyring(&self) -> Keyring {
        Keyring::load(&self.path, false).unwrap()
    }

    /// The lines that the file lost and won since [`START`].
    fn changes(&self) -> (Vec<String>, Vec<String>) {
        let only = |of: &str, other: &str| {
            let mut others: Vec<&str> = other.lines().collect();
            let lines = of.lines().filter(|line| {
                let found = others.iter().position(|other| other == line);
                found.map(|at| others.remove(at)).is_none()
            });
            lines.map(str::to_owned).collect()
        };
        let text = self.text();
        (only(START, &text), only(&text, START))
    }
}

fn sealed<'k>(keyring: &'k Keyring, name: &str) -> &'k super::Sealed {
    keyring.device(name).unwrap().sealed.as_ref().unwrap()
}

#[test]
fn a_new_fleet_has_what_was_asked_for_and_a_key_of_its_own() {
    let fixture = start();
    let name = |name| NewFleet {
        name,
        ..NewFleet::default()
    };
    fixture.file.add_fleet(&name("barn")).unwrap();
    fixture.file.add_fleet(&name("yard")).unwrap();
    let key = FleetKey::new(&[7; 32]).unwrap();
    fixture
        .file
        .add_fleet(&NewFleet {
            name: "field",
            key: Some(&key),
            beacon_topic: Some("field/beacon"),
            up_topic: Some("field/{address}/up"),
            hello_topic: Some("field/{address}/hello"),
            down_topic: Some("field/{address}/down"),
            beacon_interval: Some(30),
            beacon_life: Some(90),
            danger_first_contact: true,
        })
        .unwrap();
    assert_eq!(fixture.changes().0, [""; 0]);
    let keyring = fixture.keyring();
    let [home, barn, yard, field] = keyring.fleets() else {
        panic!()
    };
    assert!(home.key != barn.key && barn.key != yard.key);
    assert!(!barn.danger_first_contact);
    assert!(field.key == key && field.danger_first_contact);
    assert_eq!(&*field.beacon_topic, "field/beacon");
    let address = Address::new([1; 8]);
    assert_eq!(field.up_topic(address), "field/0101010101010101/up");
    assert_eq!(field.hello_topic(address), "field/0101010101010101/hello");
    assert_eq!(field.down_topic(address), "field/0101010101010101/down");
    assert_eq!(field.times.interval.as_secs(), 30);
    assert_eq!(field.times.life.as_secs(), 90);
}

#[test]
fn a_new_group_says_all_that_a_group_may() {
    let fixture = start();
    fixture
        .file
        .add_group(&NewGroup {
            command_topic: Some("cellar/{node_id}/command"),
            command_session_topic: Some("cellar/{node_id}/session"),
            mac: MacOver::Padded,
            policy: Policy::Strict,
            session_interval: Some(20),
            session_life: Some(60),
            ..NewGroup::new("cellar", "cellar/+", Some("cellar/session"))
        })
        .unwrap();
    assert_eq!(fixture.changes().0, [""; 0]);
    let keyring = fixture.keyring();
    let group = &keyring.groups()[1];
    assert_eq!(group.command_topic(b"7").unwrap(), "cellar/7/command");
    assert_eq!(
        group.command_session_topic(b"7").unwrap(),
        "cellar/7/session"
    );
    assert_eq!(group.scheme.mac, MacOver::Padded);
    assert!(group.is_strict());
    assert_eq!(group.times.interval.as_secs(), 20);
    assert_eq!(group.times.life.as_secs(), 60);
}

#[test]
fn a_new_device_has_an_address_that_no_other_has() {
    let fixture = start();
    let add = |name, address| fixture.file.add_sealed(name, "home", address).unwrap();
    let first = add("shed", SealedAddress::Drawn);
    let second = add("pond", SealedAddress::Drawn);
    assert_ne!(first, second);
    let given = Address::new([9; 8]);
    assert_eq!(add("gate", SealedAddress::Given(given)), given);
    let chips = ["one", "two"].map(|name| add(name, SealedAddress::OfChip(0x00ab_8bfe)));
    for address in chips {
        let [_, a, _, b, _, c, _, d] = *address.as_bytes();
        assert_eq!([a, b, c, d], [0x00, 0xab, 0x8b, 0xfe]);
    }
    assert_ne!(
        chips[0], chips[1],
        "the chip's ID alone would tell who it is"
    );
    let keyring = fixture.keyring();
    for (name, address) in [
        ("shed", first),
        ("pond", second),
        ("gate", given),
        ("two", chips[1]),
    ] {
        assert_eq!(sealed(&keyring, name).address, address);
        assert_eq!(sealed(&keyring, name).minimum_epoch, 0);
    }
    let (lost, won) = fixture.changes();
    assert_eq!(lost, [""; 0]);
    assert!(won.contains(&format!(
        "sealed = {{ fleet = \"home\", address = \"{first}\" }}"
    )));
}

#[test]
fn a_device_that_migrates_keeps_its_name_and_its_classic_side() {
    for (name, index) in [("kitchen", 0), ("cellar", 1)] {
        let fixture = start();
        let address = fixture
            .file
            .add_sealed(name, "home", SealedAddress::Drawn)
            .unwrap();
        let line = format!("sealed = {{ fleet = \"home\", address = \"{address}\" }}");
        assert_eq!(fixture.changes(), (vec![], vec![line]));
        let keyring = fixture.keyring();
        assert_eq!(keyring.devices().len(), 4);
        let device = &keyring.devices()[index];
        assert_eq!(&*device.name, name);
        assert!(device.classic.is_some() && device.sealed.is_some());
        assert_eq!(keyring.by_address(address), Some(index));

        fixture.file.remove(name, Part::Classic).unwrap();
        let keyring = fixture.keyring();
        assert!(keyring.device(name).unwrap().classic.is_none());
        assert_eq!(sealed(&keyring, name).address, address);
        assert!(keyring.groups()[0].device(b"1124223").is_none());
    }
}

#[test]
fn a_change_touches_its_own_line_and_no_comment() {
    type Change = fn(&KeyringFile) -> Result<(), KeyringError>;
    let cases: [(Change, &[&str], &[&str]); 7] = [
        (
            |file| file.rename("kitchen", "pantry"),
            &["name = \"kitchen\" # the old one"],
            &["name = \"pantry\" # the old one"],
        ),
        (
            |file| file.revoke("attic", true),
            &["sealed = { fleet = \"home\", address = \"0011223344556677\" } # never moved"],
            &[
                "sealed = { fleet = \"home\", address = \"0011223344556677\", revoked = true } # never moved",
            ],
        ),
        (|file| file.revoke("door", true), &[], &["revoked = true"]),
        (
            |file| {
                file.revoke("door", true)
                    .and_then(|()| file.revoke("door", false))
            },
            &[],
            &[],
        ),
        (
            |file| {
                file.revoke("attic", true)
                    .and_then(|()| file.revoke("attic", false))
            },
            &[],
            &[],
        ),
        (
            |file| file.set_minimum_epoch("door", 5),
            &["minimum_epoch = 3 # since it was lost"],
            &["minimum_epoch = 5 # since it was lost"],
        ),
        (
            |file| {
                let address = SealedAddress::Given(Address::new([0x11; 8]));
                file.set_address("door", address)
                    .map(drop)
                    .map_err(|_| unreachable!())
            },
            &["address = \"8899aabbccddeeff\" # on its label"],
            &["address = \"1111111111111111\" # on its label"],
        ),
    ];
    for (change, lost, won) in cases {
        let fixture = start();
        change(&fixture.file).unwrap();
        let (before, after) = fixture.changes();
        assert_eq!(
            (before.as_slice(), after.as_slice()),
            (&own(lost)[..], &own(won)[..])
        );
        assert!(fixture.text().ends_with("# the end\n"));
    }
}

fn own(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|&line| line.to_owned()).collect()
}

#[test]
fn a_new_key_is_random_and_nothing_before_its_epoch_is_accepted() {
    let fixture = start();
    let before = fixture.keyring();
    assert_eq!(fixture.file.rekey("attic", None).unwrap(), 1);
    assert_eq!(
        fixture.file.rekey("door", Some(2)).unwrap(),
        4,
        "3 was given up already"
    );
    assert_eq!(fixture.file.rekey("door", Some(40)).unwrap(), 41);
    let after = fixture.keyring();
    for name in ["attic", "door"] {
        let index = after.device_index(name).unwrap();
        assert!(sealed(&after, name).has_own_key());
        let epoch = sealed(&after, name).minimum_epoch;
        assert!(after.device_key(index, epoch) != before.device_key(index, epoch));
    }
    assert!(after.device_key(2, 0) != after.device_key(3, 0));
    let error = fixture.file.rekey("door", Some(u16::MAX)).unwrap_err();
    assert!(
        error.to_string().ends_with(
            "device.sealed.minimum_epoch: must be at most 65535, and the device is there: remove it, and add it with a new address"
        ),
        "{error}"
    );
    assert_eq!(sealed(&fixture.keyring(), "door").minimum_epoch, 41);
    let error = fixture.file.set_minimum_epoch("door", 40).unwrap_err();
    assert!(
        error.to_string().contains("must be no lower than it is"),
        "{error}"
    );
    fixture.file.set_minimum_epoch("door", 41).unwrap();
}

#[test]
fn a_removed_device_takes_its_own_comments_along_and_no_others() {
    for (name, comments, kept) in [
        (
            "kitchen",
            &["# By the oven."][..],
            "# Downstairs.\n\n# Under the stairs.",
        ),
        ("cellar", &["# Under the stairs."], "flashed\n\n# Upstairs."),
        (
            "attic",
            &["# Below the roof."],
            "\n# Upstairs.\n\n# The door.",
        ),
        ("door", &["# The door."], "# never moved\n# the end\n"),
    ] {
        let fixture = start();
        fixture.file.remove(name, Part::Whole).unwrap();
        let text = fixture.text();
        assert!(fixture.keyring().device(name).is_err());
        assert_eq!(fixture.keyring().devices().len(), 3);
        let (lost, won) = fixture.changes();
        assert_eq!(won, [""; 0]);
        let lost: Vec<&str> = lost.iter().map(String::as_str).collect();
        let lost: Vec<&str> = lost
            .into_iter()
            .filter(|line| line.starts_with('#'))
            .collect();
        assert_eq!(lost, comments);
        assert!(text.contains(kept), "{text}");
    }
    let fixture = start();
    for name in ["kitchen", "door", "attic", "cellar"] {
        fixture.file.remove(name, Part::Whole).unwrap();
    }
    assert!(fixture.keyring().devices().is_empty());
    for kept in [
        "# Downstairs.",
        "# Upstairs.",
        "# the end",
        "# Drawn in spring.",
    ] {
        assert!(fixture.text().contains(kept), "{}", fixture.text());
    }
    fixture
        .file
        .add_sealed("new", "home", SealedAddress::Drawn)
        .unwrap();
}

#[test]
fn devices_in_braces_are_changed_where_they_stand() {
    let start = START.find("# Downstairs.").unwrap();
    let devices = r#"session_key = "c4f1a07b93de5286b0e7449ad15f3c68720b8ed9f6134ca5e8d7920b61fa3c5d"
device = [ # all of them
    { name = "attic", sealed = { fleet = "home", address = "0011223344556677" } }, # up
    { name = "door", sealed.fleet = "home", sealed.address = "8899aabbccddeeff" },
]
"#;
    let key = START
        .lines()
        .find(|line| line.starts_with("session_key"))
        .unwrap();
    let fixture = with(&START[..start].replace(key, devices.trim_end()));
    fixture.file.rename("attic", "roof").unwrap();
    fixture.file.revoke("roof", true).unwrap();
    fixture.file.rekey("door", None).unwrap();
    let text = fixture.text();
    for kept in ["# all of them", "# up"] {
        assert!(text.contains(kept), "{text}");
    }
    let keyring = fixture.keyring();
    assert!(sealed(&keyring, "roof").revoked);
    assert!(sealed(&keyring, "door").has_own_key());
    fixture.file.remove("roof", Part::Whole).unwrap();
    assert_eq!(fixture.keyring().devices().len(), 1);
    fixture
        .file
        .add_sealed("shed", "home", SealedAddress::Drawn)
        .unwrap();
    assert_eq!(fixture.keyring().devices().len(), 2);
}

#[test]
fn a_refused_change_leaves_the_file_byte_for_byte() {
    let fixture = start();
    let file = &fixture.file;
    let given = |bytes| SealedAddress::Given(Address::new(bytes));
    let door = [0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff];
    let fleet = |name, beacon_topic| NewFleet {
        name,
        beacon_topic,
        ..NewFleet::default()
    };
    for (code, refused) in [
        ("unknown_name", file.rename("shed", "x").unwrap_err()),
        ("duplicate_name", file.rename("attic", "door").unwrap_err()),
        ("invalid_value", file.rename("attic", "").unwrap_err()),
        ("unknown_name", file.revoke("shed", true).unwrap_err()),
        ("not_sealed", file.revoke("kitchen", true).unwrap_err()),
        (
            "not_sealed",
            file.set_minimum_epoch("cellar", 1).unwrap_err(),
        ),
        (
            "unknown_name",
            file.remove("shed", Part::Whole).unwrap_err(),
        ),
        (
            "not_sealed",
            file.remove("kitchen", Part::Sealed).unwrap_err(),
        ),
        (
            "not_classic",
            file.remove("attic", Part::Classic).unwrap_err(),
        ),
        ("no_format", file.remove("attic", Part::Sealed).unwrap_err()),
        (
            "no_format",
            file.remove("cellar", Part::Classic).unwrap_err(),
        ),
    ] {
        assert_eq!(refused.problem.code(), code, "{refused}");
        assert_eq!(refused.file.as_ref(), Some(&fixture.path), "{refused}");
        assert_eq!(refused.line, None, "{refused}");
    }
    for (code, refused) in [
        ("unknown_name", file.rekey("shed", None).unwrap_err()),
        ("not_sealed", file.rekey("kitchen", None).unwrap_err()),
        (
            "not_sealed",
            file.set_address("kitchen", SealedAddress::Drawn)
                .unwrap_err(),
        ),
        (
            "duplicate_address",
            file.set_address("attic", given(door)).unwrap_err(),
        ),
        (
            "duplicate_name",
            file.add_sealed("attic", "home", SealedAddress::Drawn)
                .unwrap_err(),
        ),
        (
            "no_fleet",
            file.add_sealed("shed", "barn", SealedAddress::Drawn)
                .unwrap_err(),
        ),
        (
            "no_fleet",
            file.add_sealed("kitchen", "barn", SealedAddress::Drawn)
                .unwrap_err(),
        ),
        (
            "duplicate_address",
            file.add_sealed("shed", "home", given(door)).unwrap_err(),
        ),
        (
            "duplicate_name",
            file.add_fleet(&fleet("home", None)).unwrap_err(),
        ),
        (
            "invalid_value",
            file.add_fleet(&fleet("a/#", None)).unwrap_err(),
        ),
        (
            "invalid_value",
            file.add_fleet(&fleet("a", Some("sensors/session")))
                .unwrap_err(),
        ),
    ] {
        assert_eq!(refused.code(), code, "{refused}");
    }
    assert_eq!(fixture.text(), START);
}

#[cfg(unix)]
#[test]
fn every_change_keeps_the_file_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let fixture = start();
    fixture.file.rekey("door", None).unwrap();
    fixture.file.remove("attic", Part::Whole).unwrap();
    let mode = fs::metadata(&fixture.path).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
}

#[test]
fn a_device_is_provisioned_with_its_first_accepted_key_and_no_other() {
    let keyring = start().keyring();
    let door = keyring.provision("door").unwrap();
    assert_eq!((&*door.name, door.epoch), ("door", 3));
    assert_eq!(door.address.to_string(), "8899aabbccddeeff");
    assert!(Some(door.key.clone()) == keyring.device_key(3, 3));
    assert_eq!(door.up_topic, "espseal/8899aabbccddeeff/up");
    assert_eq!(door.hello_topic, "espseal/8899aabbccddeeff/hello");
    assert_eq!(door.down_topic, "espseal/8899aabbccddeeff/down");
    assert_eq!(&*door.beacon_topic, "espseal/home/beacon");
    let digits = base16ct::lower::encode_string(door.key.expose());
    assert!(!format!("{door:?}").contains(&digits[..8]));

    let fixture = start();
    fixture.file.revoke("door", true).unwrap();
    let keyring = fixture.keyring();
    for (name, code) in [
        ("door", "revoked"),
        ("kitchen", "not_sealed"),
        ("x", "unknown_name"),
    ] {
        let error = keyring.provision(name).unwrap_err();
        assert_eq!(error.problem.code(), code);
        assert_eq!(error.file.as_ref(), Some(&fixture.path));
    }
}
