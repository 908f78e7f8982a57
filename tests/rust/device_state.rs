//! What a device keeps: its provisioning file, and the record of counter, epoch and key
//! (`SEALED.md`, D1, D3, E4). Killed, copied, cut off, forked.
//!
//! A child is this very program again: it runs the test [`child`], with its orders in variables.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a panic fails the test"
)]

mod rig;

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use espseal::clock::{Random, SystemRandom};
use espseal::key::DeviceKey;
use espseal::sealed::Control;
use espseal::{Device, DeviceOptions, Error, Verdict};
use rig::{BEACON, Rig, TestClock, TestRandom, counter, key, provisioned, rig_with};
use tempfile::TempDir;

const CHUNK: u64 = 1024;
const KILLS: u32 = 100;
const FILE: &str = "ESPSEAL_TEST_FILE";
const ORDER: &str = "ESPSEAL_TEST_ORDER";

// ---- The record ----

#[test]
fn after_a_power_loss_it_resumes_at_the_ceiling() {
    let place = Place::new();
    assert_eq!(counters(&place.device(), 3), [1, 2, 3]);
    assert_eq!(counters(&place.device(), 2), [CHUNK + 1, CHUNK + 2]);
    let device = place.device();
    let all = counters(&device, 2 * CHUNK);
    assert_eq!((all[0], *all.last().unwrap()), (2 * CHUNK + 1, 4 * CHUNK));
    drop(device);
    // A device that sealed nothing reserved nothing.
    drop(place.device());
    assert_eq!(counters(&place.device(), 1), [4 * CHUNK + 1]);
}

#[test]
fn a_state_file_of_version_1_is_read_and_written() {
    let place = Place::new();
    let key_2 = key().ratchet_by(2);
    let written = rig::state_file(&provisioned(&key()), 2, &key_2, 5_000_000);
    fs::write(place.state(), &written).unwrap();
    fs::set_permissions(place.state(), fs::Permissions::from_mode(0o600)).unwrap();
    let mut rig = place.rig();
    rig.ratcheted(2);
    assert_eq!(rig.device.epoch(), Some(2));
    rig.clock.pass(10.0);
    assert_eq!(fs::read(place.state()).unwrap(), written);
    let frame = rig.device.seal(b"1").unwrap();
    assert_eq!(rig.uplink(&frame, &[]).header.counter, 5_000_001);
    let after = rig::state_file(&provisioned(&key()), 2, &key_2, 5_000_000 + CHUNK);
    let stored = fs::read(place.state()).unwrap();
    // All but the sequence number and the checksum.
    assert_eq!((&stored[..12], stored[19]), (&after[..12], after[19] + 1));
    assert_eq!(stored[20..86], after[20..86]);
}

#[test]
fn the_floor_of_a_welcome_is_stored_before_the_acknowledgement() {
    let place = Place::new();
    let mut rig = place.rig();
    let session = rig.become_welcomed(1_000_000);
    drop(rig);
    assert!(counters(&place.device(), 1)[0] > 1_000_000);

    // A floor inside what is reserved needs no write; one that cannot be written is not taken.
    let mut rig = place.rig();
    rig.device.reconnected();
    rig.hear_beacon(BEACON);
    let (next, _) = rig.hello(Some(BEACON));
    assert_ne!(next, session);
    let welcome = rig.sealed_control(Control::Welcome { floor: 5_000_000 }, next);
    place.forbid_writing();
    let error = rig.device.open(&welcome).unwrap_err();
    assert_eq!(error.code(), "state_changed");
    assert!(!rig.device.is_welcomed());
    assert_eq!(rig.published(), []);
    place.allow_writing();
    assert_eq!(rig.verdict(&welcome), Verdict::Fresh);
    let acknowledgement = rig.published();
    assert_eq!(counter(&acknowledgement[0].payload), 5_000_000);
}

#[test]
fn what_cannot_be_reserved_is_not_sealed_and_nothing_in_the_outbox_is_lost() {
    let place = Place::new();
    let rig = place.rig();
    rig.clock.pass(10.0);
    rig.published();
    let left = CHUNK - 1;
    for _ in 0..left - 1 {
        rig.device.seal(b"x").unwrap();
    }
    for reading in [b"1", b"2", b"3"] {
        rig.device.send(reading).unwrap();
    }
    place.forbid_writing();
    // One counter was left.
    assert_eq!(rig.published().len(), 1);
    assert_eq!(
        rig.device.publications().unwrap_err().code(),
        "state_changed"
    );
    place.allow_writing();
    let published = rig.published();
    let readings: Vec<Vec<u8>> = published
        .iter()
        .map(|publication| rig.uplink(&publication.payload, &[]).plaintext)
        .collect();
    assert_eq!(readings, [b"2", b"3"]);
    assert_eq!(counter(&published[0].payload), CHUNK + 1);
}

#[test]
fn epoch_key_and_counter_outlive_the_process() {
    let place = Place::new();
    let mut rig = place.rig();
    let session = rig.become_welcomed(1);
    rig.control(Control::Ratchet { epoch: 2 }, session);
    drop(rig);
    let mut rig = place.rig();
    rig.ratcheted(2);
    assert_eq!(rig.device.epoch(), Some(2));
    let session = rig.become_welcomed(1);
    let command = rig.command(session, b"on");
    assert_eq!(rig.verdict(&command), Verdict::Fresh);
}

#[test]
fn a_ratchet_that_cannot_be_stored_did_not_happen() {
    let place = Place::new();
    let mut rig = place.rig();
    let session = rig.become_welcomed(1);
    let ratchet = rig.sealed_control(Control::Ratchet { epoch: 1 }, session);
    place.forbid_writing();
    assert_eq!(
        rig.device.open(&ratchet).unwrap_err().code(),
        "state_changed"
    );
    assert_eq!(rig.device.epoch(), Some(0));
    assert_eq!(rig.published(), []);
    place.allow_writing();
    assert_eq!(rig.verdict(&ratchet), Verdict::Fresh);
    assert_eq!(rig.device.epoch(), Some(1));
}

#[test]
fn a_ratchet_overwrites_the_old_key_where_it_lay() {
    let place = Place::new();
    let mut rig = place.rig();
    let session = rig.become_welcomed(1);
    // Another name of the old file shows what becomes of its bytes.
    let old = place.folder().join("old");
    fs::hard_link(place.state(), &old).unwrap();
    rig.control(Control::Ratchet { epoch: 1 }, session);
    assert!(fs::read(&old).unwrap().iter().all(|&byte| byte == 0));
    let stored = fs::read(place.state()).unwrap();
    assert!(!holds(&stored, key().expose()));
    assert!(holds(&stored, key().ratchet().expose()));
}

#[test]
fn another_key_replaces_the_record_and_the_counter_goes_on() {
    let place = Place::new();
    let mut rig = place.rig();
    let session = rig.become_welcomed(1);
    rig.control(Control::Ratchet { epoch: 1 }, session);
    let last = rig.counter();
    drop(rig);
    let new = DeviceKey::new(&[0x77; 32]).unwrap();
    let mut given = provisioned(&new);
    given.epoch = 5;
    let rig = rig_with(&given, Some(place.state()), TestRandom::default());
    assert_eq!(rig.device.epoch(), Some(5));
    rig.clock.pass(10.0);
    let frame = rig.device.seal(b"1").unwrap();
    assert!(counter(&frame) > last);
    assert_eq!(rig.uplink(&frame, &[]).plaintext, b"1");
    drop(rig);
    // And stays replaced.
    let rig = rig_with(&given, Some(place.state()), TestRandom::default());
    assert_eq!(rig.device.epoch(), Some(5));
}

// ---- Damage ----

#[test]
fn a_state_that_cannot_be_read_says_what_to_do_and_gives_no_counter() {
    let place = Place::new();
    counters(&place.device(), 1);
    let good = fs::read(place.state()).unwrap();
    let mut changed = good.clone();
    changed[80] ^= 1;
    let mut newer = good.clone();
    newer[9] = 9;
    for (content, code, words) in [
        (&b""[..], "state_damaged", "it was erased"),
        (&[0; 118], "state_damaged", "it was erased"),
        (&[0xff; 4096], "state_damaged", "it was erased"),
        (&good[..50], "state_damaged", "it was cut off"),
        (&good[..117], "state_damaged", "it was cut off"),
        (&changed, "state_damaged", "checksum"),
        (b"{}", "not_a_state", "no state of a device"),
        (&newer, "newer_state", "upgrade espseal"),
    ] {
        fs::write(place.state(), content).unwrap();
        let error = place.try_device().unwrap_err();
        assert_eq!(error.code(), code);
        let shown = error.to_string();
        assert!(shown.contains(words), "{shown}");
        assert!(
            shown.starts_with(&place.state().display().to_string()),
            "{shown}"
        );
        // It is left as it was, for whoever wants to look.
        assert_eq!(fs::read(place.state()).unwrap(), content);
    }
    fs::write(place.state(), &good).unwrap();
    assert_eq!(counters(&place.device(), 1), [CHUNK + 1]);
}

#[test]
fn a_state_file_that_is_gone_is_missed() {
    let place = Place::new();
    counters(&place.device(), 1);
    fs::remove_file(place.state()).unwrap();
    let error = place.try_device().unwrap_err();
    assert_eq!(error.code(), "state_missing");
    assert!(
        error.to_string().contains("espseal device rekey"),
        "{error}"
    );
    assert!(!place.state().exists());
    // The operator's word that it is a new device.
    fs::remove_file(place.lock()).unwrap();
    assert_eq!(counters(&place.device(), 1), [1]);
}

#[test]
fn a_kill_before_the_first_record_leaves_a_new_device() {
    let place = Place::new();
    fs::write(place.lock(), b"").unwrap();
    fs::write(place.folder().join("device.json.state.new"), b"half a rec").unwrap();
    assert_eq!(counters(&place.device(), 1), [1]);
    assert!(!place.folder().join("device.json.state.new").exists());
}

#[test]
fn the_state_of_another_device_is_refused() {
    let place = Place::new();
    drop(place.device());
    let mut given = provisioned(&key());
    given.address = espseal::sealed::Address::new([9; 8]);
    let options = DeviceOptions {
        state: Some(place.state()),
        ..DeviceOptions::default()
    };
    let error = Device::sealed(given, options).unwrap_err();
    assert_eq!(error.code(), "other_device");
    assert!(error.to_string().contains("0011223344556677"), "{error}");
}

#[test]
fn a_state_that_was_replaced_while_it_ran_is_not_written_over() {
    for step in ["removed", "older", "other"] {
        let place = Place::new();
        let older = {
            drop(place.device());
            fs::read(place.state()).unwrap()
        };
        let device = place.device();
        counters(&device, 1);
        match step {
            "removed" => fs::remove_file(place.state()).unwrap(),
            "older" => fs::write(place.state(), &older).unwrap(),
            _ => fs::write(place.state(), b"something else").unwrap(),
        }
        // What was reserved is its own.
        counters(&device, CHUNK - 1);
        let error = device.seal(b"1").unwrap_err();
        assert_eq!(error.code(), "state_changed", "{step}");
        assert_eq!(
            device.seal(b"1").unwrap_err().code(),
            "state_changed",
            "{step}"
        );
    }
}

#[test]
fn others_may_not_read_the_state() {
    let place = Place::new();
    drop(place.device());
    let mode = fs::metadata(place.state()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    fs::set_permissions(place.state(), fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(place.try_device().unwrap_err().code(), "wide_permissions");
    place.loaded(&place.write(&allowing_wide_permissions()));
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let options = DeviceOptions {
        state: Some("/no/such/folder/device.state".into()),
        ..DeviceOptions::default()
    };
    let error = Device::sealed(provisioned(&key()), options).unwrap_err();
    assert_eq!(error.code(), "io");
    assert!(
        error.to_string().contains("its folder is not there"),
        "{error}"
    );
}

// ---- The provisioning file ----

const PROVISIONED: &str = r#"{
  "version": 1,
  "name": "kitchen",
  "address": "0011223344556677",
  "device_key": "4242424242424242424242424242424242424242424242424242424242424242",
  "epoch": 0,
  "up_topic": "espseal/0011223344556677/up",
  "hello_topic": "espseal/0011223344556677/hello",
  "down_topic": "espseal/0011223344556677/down",
  "beacon_topic": "espseal/house/beacon",
  "mqtt_host": "broker.example",
  "mqtt_port": 1883,
  "mqtt_user": "kitchen",
  "mqtt_password": "swordfish",
  "wifi_ssid": "home",
  "wifi_password": "hunter2"
}
"#;

#[test]
fn what_only_a_board_needs_is_no_mistake() {
    let place = Place::new();
    let of_a_board = PROVISIONED.replacen(
        "\"wifi_ssid\"",
        "\"ip_address\": \"192.168.1.20\", \"ip_gateway\": \"192.168.1.1\",
  \"ip_mask\": \"255.255.255.0\", \"ip_dns\": \"192.168.1.1\", \"interval\": 86400,
  \"transport\": \"ca\", \"tls_ca\": \"MIIB\", \"tls_fingerprint\": \"00\",
  \"tls_public_key\": \"MFkw\", \"ntp_server\": \"pool.ntp.org\", \"wifi_ssid\"",
        1,
    );
    let device = Device::load(&place.write(&of_a_board)).unwrap();
    assert_eq!(device.address(), Some(rig::ADDRESS));
}

#[test]
fn a_provisioning_file_has_its_state_beside_it() {
    let place = Place::new();
    let file = place.write(PROVISIONED);
    let device = Device::load(&file).unwrap();
    assert_eq!(&**device.name(), "kitchen");
    assert_eq!(device.address(), Some(rig::ADDRESS));
    let mqtt = device.mqtt().unwrap();
    assert_eq!(
        (mqtt.host.as_deref(), mqtt.port),
        (Some("broker.example"), Some(1883))
    );
    assert_eq!(mqtt.user.as_deref(), Some("kitchen"));
    assert_eq!(
        mqtt.password.as_deref().map(String::as_str),
        Some("swordfish")
    );
    assert!(!format!("{mqtt:?} {device:?}").contains("swordfish"));
    assert!(place.state().exists() && device.waits());

    // One process, and one device in it, by whatever name the file has.
    let link = place.folder().join("link.json");
    symlink(&file, &link).unwrap();
    for path in [&file, &link] {
        let error = Device::load(path).unwrap_err();
        assert_eq!(error.code(), "in_use");
        assert!(error.to_string().contains("end it"), "{error}");
    }
    drop(device);
    Device::load(&link).unwrap();
}

#[test]
fn after_a_ratchet_the_provisioning_file_holds_no_key() {
    let place = Place::new();
    let file = place.write(PROVISIONED);
    let mut rig = place.loaded(&file);
    let session = rig.become_welcomed(1);
    rig.control(Control::Ratchet { epoch: 1 }, session);
    assert_eq!(rig.device.trouble(), None);
    drop(rig);
    let left = fs::read_to_string(&file).unwrap();
    let field = r#"  "device_key": "4242424242424242424242424242424242424242424242424242424242424242",
"#;
    assert_eq!(left, PROVISIONED.replace(field, ""));
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(Device::load(&file).unwrap().epoch(), Some(1));
    // The original again is the same device, and gives its key up again.
    place.write(PROVISIONED);
    assert_eq!(Device::load(&file).unwrap().epoch(), Some(1));
    assert_eq!(fs::read_to_string(&file).unwrap(), left);
    // Without the state there is no key at all.
    fs::remove_file(place.state()).unwrap();
    assert_eq!(Device::load(&file).unwrap_err().code(), "state_missing");
    fs::remove_file(place.lock()).unwrap();
    assert_eq!(Device::load(&file).unwrap_err().code(), "no_key");
}

#[test]
fn a_provisioning_file_that_cannot_be_rewritten_is_trouble() {
    let place = Place::new();
    let file = place.write(PROVISIONED);
    let mut rig = place.loaded(&file);
    let session = rig.become_welcomed(1);
    // A folder in the way of the temporary file.
    fs::create_dir(place.folder().join("device.json.new")).unwrap();
    rig.control(Control::Ratchet { epoch: 1 }, session);
    let trouble = rig.device.trouble().unwrap();
    assert!(trouble.contains("take `device_key` out of it"), "{trouble}");
    assert_eq!(rig.device.epoch(), Some(1));
}

#[test]
fn each_mistake_has_its_sentence_and_shows_no_secret() {
    for (from, to, expected) in [
        (
            ": 1,",
            ": 2,",
            "version: this version of espseal reads `version = 1`, not 2",
        ),
        (
            "\"name\": \"kitchen\",",
            "",
            "name: is missing; what people call the device",
        ),
        (
            "0011223344556677\",",
            "00112233\",",
            "address: must be a string of 16 hex digits",
        ),
        (
            "\"4242",
            "\"42",
            "device_key: must be a string of 64 hex digits",
        ),
        (
            "\"4242",
            "\"zz42",
            "device_key: must be a string of 64 hex digits",
        ),
        (
            "\"epoch\": 0,",
            "",
            "epoch: is missing; how many ratchet steps `device_key` has made",
        ),
        (
            "\"epoch\": 0",
            "\"epoch\": 65536",
            "epoch: must be a whole number from 0 to 65535",
        ),
        (
            "house/beacon",
            "+/beacon",
            "beacon_topic: must be one topic, without `+` and `#`",
        ),
        (
            "1883",
            "\"1883\"",
            "mqtt_port: must be a whole number from 0 to 65535",
        ),
        (
            "\"swordfish\"",
            "[\"swordfish\"]",
            "mqtt_password: must be a string",
        ),
        (
            "\"wifi_ssid\"",
            "\"interval\": 86401, \"wifi_ssid\"",
            "interval: must be a whole number of seconds from 1 to 86400",
        ),
        (
            "\"wifi_ssid\"",
            "\"tls_ca\": 7, \"wifi_ssid\"",
            "tls_ca: must be a string",
        ),
        (
            "wifi_ssid",
            "wifi_sid",
            "wifi_sid: unknown field; known here: address, allow_wide_permissions, beacon_topic, device_key, down_topic, epoch, hello_topic, interval, ip_address, ip_dns, ip_gateway, ip_mask, mqtt_host, mqtt_password, mqtt_port, mqtt_user, name, ntp_server, tls_ca, tls_fingerprint, tls_public_key, transport, up_topic, version, wifi_password, wifi_ssid",
        ),
    ] {
        assert!(PROVISIONED.contains(from), "{from}");
        let place = Place::new();
        let file = place.write(&PROVISIONED.replacen(from, to, 1));
        let error = Device::load(&file).unwrap_err();
        assert_eq!(error.to_string(), format!("{}: {expected}", file.display()));
        for secret in ["4242", "swordfish", "hunter2"] {
            assert!(!format!("{error:?}").contains(secret), "{error:?}");
        }
        assert!(!place.state().exists());
    }
    let place = Place::new();
    let file = place.write(&PROVISIONED.replace("\"mqtt_user\"", "mqtt_user"));
    let error = Device::load(&file).unwrap_err();
    assert_eq!(error.code(), "syntax");
    let expected = format!(
        "{}:13: not valid JSON: key must be a string",
        file.display()
    );
    assert_eq!(error.to_string(), expected);
}

#[test]
fn others_may_not_read_the_provisioning_file() {
    let place = Place::new();
    let file = place.write(PROVISIONED);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(Device::load(&file).unwrap_err().code(), "wide_permissions");
    fs::write(&file, allowing_wide_permissions()).unwrap();
    Device::load(&file).unwrap();
}

fn allowing_wide_permissions() -> String {
    PROVISIONED.replacen('{', "{\"allow_wide_permissions\": true,", 1)
}

// ---- Processes ----

#[test]
fn a_killed_device_uses_no_counter_twice() {
    let place = Place::new();
    let mut used = BTreeSet::new();
    let mut killed_while_sealing = 0;
    for round in 0..KILLS {
        let mut child = Running::start(&place);
        // Before its first frame, or at any instant after.
        if round % 4 != 0 {
            child.wait_for_a_counter();
        }
        std::thread::sleep(Duration::from_micros(u64::from(random_u16())));
        let counters = child.kill();
        killed_while_sealing += u32::from(!counters.is_empty());
        for counter in counters {
            assert!(
                used.insert(counter),
                "round {round}: {counter} was used twice"
            );
        }
        if round % 10 == 9 {
            // Cut off at any byte it gives no counter at all.
            let good = fs::read(place.state()).unwrap();
            let cut = usize::from(random_u16()) % good.len();
            fs::write(place.state(), &good[..cut]).unwrap();
            assert_eq!(place.try_device().unwrap_err().code(), "state_damaged");
            fs::write(place.state(), &good).unwrap();
        }
    }
    assert!(killed_while_sealing >= KILLS / 2, "{killed_while_sealing}");
    assert!(used.len() > 1000, "{}", used.len());
}

#[test]
fn a_device_that_is_killed_in_a_ratchet_has_the_key_of_its_epoch() {
    let place = Place::new();
    let (mut used, mut epoch) = (BTreeSet::new(), 0);
    for round in 0..KILLS / 4 {
        let mut child = Running::start_with(&place, "ratchet");
        child.wait_for_a_counter();
        std::thread::sleep(Duration::from_micros(u64::from(random_u16())));
        for counter in child.kill() {
            assert!(
                used.insert(counter),
                "round {round}: {counter} was used twice"
            );
        }
        let rig = rig_as_stored(&place.state());
        assert!(rig.epoch >= epoch, "{} after {epoch}", rig.epoch);
        epoch = rig.epoch;
        rig.clock.pass(10.0);
        let frame = rig.device.seal(b"1").unwrap();
        assert_eq!(rig.uplink(&frame, &[]).plaintext, b"1");
        assert!(used.insert(counter(&frame)));
    }
    assert!(epoch > 25, "{epoch}");
}

#[test]
fn two_processes_are_not_one_device() {
    let place = Place::new();
    let mut child = Running::start(&place);
    child.wait_for_a_counter();
    assert_eq!(place.try_device().unwrap_err().code(), "in_use");
    let counters = child.kill();
    // The lock ended with the process.
    let first = crate::counters(&place.device(), 1)[0];
    assert!(counters.iter().all(|&counter| counter < first));
}

/// Seals until it is killed, in a process of its own; nothing without orders.
#[test]
fn child() {
    let Ok(file) = std::env::var(FILE) else {
        return;
    };
    let file = Path::new(&file);
    if std::env::var(ORDER).unwrap() == "ratchet" {
        ratchet_for_ever(file);
    }
    let device = device_at(file).unwrap();
    loop {
        let frame = device.seal(b"21.5").unwrap();
        eprintln!("counter {}", counter(&frame));
    }
}

fn ratchet_for_ever(file: &Path) -> ! {
    let mut rig = rig_as_stored(file);
    let session = rig.become_welcomed(1);
    loop {
        let epoch = rig.epoch + 1;
        assert_eq!(
            rig.control(Control::Ratchet { epoch }, session).verdict,
            Verdict::Fresh
        );
        rig.ratcheted(1);
        for publication in rig.published() {
            eprintln!("counter {}", counter(&publication.payload));
        }
    }
}

/// A device with the key of the epoch that its state says.
fn rig_as_stored(file: &Path) -> Rig {
    let mut rig = rig_with(
        &provisioned(&key()),
        Some(file.to_owned()),
        TestRandom::default(),
    );
    rig.ratcheted(rig.device.epoch().unwrap());
    rig
}

struct Running {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStderr>>,
    counters: Vec<u64>,
}

impl Running {
    fn start(place: &Place) -> Self {
        Self::start_with(place, "seal")
    }

    fn start_with(place: &Place, order: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture", "--test-threads=1"])
            .env(FILE, place.state())
            .env(ORDER, order)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        Self {
            child,
            lines,
            counters: Vec::new(),
        }
    }

    fn wait_for_a_counter(&mut self) {
        let line = self.lines.next().unwrap().unwrap();
        self.counters.push(number(&line).expect(&line));
    }

    fn kill(mut self) -> Vec<u64> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        // The last line may be half a one.
        let rest: Vec<String> = self.lines.map_while(Result::ok).collect();
        for (at, line) in rest.iter().enumerate() {
            match number(line) {
                Some(number) if at + 1 < rest.len() => self.counters.push(number),
                Some(_) => {}
                None => assert_eq!(at + 1, rest.len(), "{line}"),
            }
        }
        self.counters
    }
}

fn number(line: &str) -> Option<u64> {
    line.strip_prefix("counter ")?.parse().ok()
}

fn random_u16() -> u16 {
    let mut bytes = [0; 2];
    SystemRandom.fill(&mut bytes).unwrap();
    u16::from_be_bytes(bytes)
}

// ---- The place ----

/// A folder of its own for one device.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn folder(&self) -> &Path {
        self.0.path()
    }

    fn file(&self) -> PathBuf {
        self.folder().join("device.json")
    }

    fn state(&self) -> PathBuf {
        self.folder().join("device.json.state")
    }

    fn lock(&self) -> PathBuf {
        self.folder().join("device.json.state.lock")
    }

    fn write(&self, text: &str) -> PathBuf {
        fs::write(self.file(), text).unwrap();
        fs::set_permissions(self.file(), fs::Permissions::from_mode(0o600)).unwrap();
        self.file()
    }

    fn rig(&self) -> Rig {
        rig_with(
            &provisioned(&key()),
            Some(self.state()),
            TestRandom::default(),
        )
    }

    /// With the device of a provisioning file.
    fn loaded(&self, file: &Path) -> Rig {
        let spare = rig_with(&provisioned(&key()), None, TestRandom::default());
        let options = DeviceOptions {
            clock: std::sync::Arc::<TestClock>::clone(&spare.clock),
            ..DeviceOptions::default()
        };
        Rig {
            device: Device::load_with(file, options).unwrap(),
            ..spare
        }
    }

    fn device(&self) -> Device {
        self.try_device().unwrap()
    }

    fn try_device(&self) -> Result<Device, Error> {
        device_at(&self.state())
    }

    /// Root may write whatever the permissions say: the file is put out of the way.
    fn forbid_writing(&self) {
        fs::rename(self.state(), self.folder().join("away")).unwrap();
    }

    fn allow_writing(&self) {
        fs::rename(self.folder().join("away"), self.state()).unwrap();
    }
}

/// A device that waits for nothing.
fn device_at(state: &Path) -> Result<Device, Error> {
    let options = DeviceOptions {
        state: Some(state.to_owned()),
        hold: Duration::ZERO,
        ..DeviceOptions::default()
    };
    Device::sealed(provisioned(&key()), options)
}

fn counters(device: &Device, count: u64) -> Vec<u64> {
    let seal = |_| counter(&device.seal(b"21.5").unwrap());
    (0..count).map(seal).collect()
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
