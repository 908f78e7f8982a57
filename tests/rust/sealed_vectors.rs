//! The shared vectors of the sealed frame, without state.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a panic fails the test"
)]

mod records;

use aes_siv::KeyInit;
use aes_siv::siv::Aes128Siv;
use espseal::classic;
use espseal::is_sealed;
use espseal::key::{DeviceKey, FleetKey};
use espseal::sealed::{
    Address, Control, Direction, Frame, FrameKeys, Hello, Kind, Place, Sealing, Session, Window,
    armor, device_session, disarm, open, seal,
};
use records::{Record, read};

#[test]
fn sealed_seal() {
    for record in read("sealed_seal.txt") {
        let name = record.name();
        let key = device_key(&record);
        let session = session(&record);
        let sealing = Sealing {
            kind: kind(&record),
            epoch: record.number("epoch"),
            address: address(&record),
            counter: counter(record.text("counter")),
            session: session.as_ref(),
            context: &record.bytes("context"),
        };
        let keys = FrameKeys::new(&key, direction(&record));
        match seal(&keys, &sealing, &plaintext(&record)) {
            Ok(frame) => {
                assert_eq!("sealed", record.text("expect"), "{name}");
                if record.optional("frame").is_some() {
                    assert_eq!(frame, record.bytes("frame"), "{name}");
                    assert_eq!(armor(&frame), record.text("armor"), "{name}");
                } else {
                    let length: usize = record.number("frame_length");
                    assert_eq!(frame.len(), length, "{name}");
                    assert!(frame.starts_with(&record.bytes("frame_start")), "{name}");
                    assert!(frame.ends_with(&record.bytes("frame_end")), "{name}");
                }
            }
            Err(error) => assert_eq!(error.code(), record.text("expect"), "{name}"),
        }
    }
}

#[test]
fn sealed_open() {
    for record in read("sealed_open.txt") {
        let name = record.name();
        assert_eq!(record.text("expect"), "fresh");
        let keys = FrameKeys::new(&device_key(&record), direction(&record));
        let sessions = [[0x5a; 16]].into_iter().chain(session(&record));
        let sessions: Vec<Session> = sessions.collect();
        let armored = record.text("armor").as_bytes();
        for payload in [&record.bytes("frame"), armored] {
            assert!(is_sealed(payload), "{name}");
            let frame = Frame::parse(payload).unwrap_or_else(|why| panic!("{name}: {why}"));
            let header = frame.header();
            assert_eq!(header.direction, direction(&record), "{name}");
            assert_eq!(header.address, address(&record), "{name}");
            assert_eq!(header.epoch, record.number::<u16>("epoch"), "{name}");
            assert_eq!(header.kind, kind(&record), "{name}");
            assert_eq!(header.counter, counter(record.text("counter")), "{name}");
            let opened = open(&frame, &keys, &sessions, &record.bytes("context"));
            let opened = opened.unwrap_or_else(|| panic!("{name} is refused"));
            assert_eq!(opened.plaintext, plaintext(&record), "{name}");
            assert_eq!(opened.session, usize::from(header.bound), "{name}");
        }
    }
}

#[test]
fn sealed_reject() {
    for record in read("sealed_reject.txt") {
        let name = record.name();
        let mut payload = record.bytes("frame");
        if record.optional("frame_repeat").is_some() {
            let length = payload.len() + record.number::<usize>("frame_repeat");
            payload.resize(length, record.bytes("frame_byte")[0]);
        }
        let bytes = match record.text("form") {
            "binary" => Ok(payload.into()),
            "armor" => disarm(&payload),
            other => panic!("form {other}"),
        };
        let parsed = bytes.as_deref().map_err(|why| *why).and_then(Frame::parse);
        let frame = match parsed {
            Ok(frame) => frame,
            Err(malformed) => {
                assert_eq!("malformed", record.text("expect"), "{name}");
                assert_eq!(malformed.reason.code(), record.text("reason"), "{name}");
                let offset: usize = record.number("offset");
                assert_eq!(malformed.offset, offset, "{name}");
                continue;
            }
        };
        let verdict = if frame.header().direction == direction(&record) {
            let keys = FrameKeys::new(&device_key(&record), direction(&record));
            let sessions = session(&record);
            let opened = open(&frame, &keys, &sessions, &record.bytes("context"));
            opened.map_or("forged", |_| "it opens")
        } else {
            "wrong_direction"
        };
        assert_eq!(verdict, record.text("expect"), "{name}");
    }
}

#[test]
fn sealed_detect() {
    for record in read("sealed_detect.txt") {
        let payload = record.bytes("frame");
        let format = if is_sealed(&payload) {
            match payload[0] {
                0xf5 => "sealed",
                _ => "armored",
            }
        } else {
            match classic::Frame::parse(&payload, record.flag("port_allowed")) {
                Ok(frame) => frame.layout().code(),
                Err(why) if why.reason.code() == "unrecognised" => {
                    assert_eq!(why.offset, 0, "{}", record.name());
                    "malformed"
                }
                // What its format allows is another question.
                Err(_) => {
                    let told = record.text("expect");
                    assert!(matches!(told, "raw" | "hex" | "port"), "{}", record.name());
                    told
                }
            }
        };
        assert_eq!(format, record.text("expect"), "{}", record.name());
    }
}

#[test]
fn sealed_keys() {
    for record in read("sealed_keys.txt") {
        let name = record.name();
        if record.text("expect") == "epoch_exhausted" {
            let epoch: u16 = record.number("epoch");
            assert_eq!(epoch.checked_add(record.number("steps")), None, "{name}");
            continue;
        }
        assert_eq!(record.text("expect"), "derived", "{name}");
        match record.text("derive") {
            "device_key" => {
                let fleet = FleetKey::new(&record.bytes("fleet_key")).unwrap();
                let key = DeviceKey::of_fleet(&fleet, address(&record));
                assert_eq!(key.expose(), &*record.bytes("device_key"), "{name}");
            }
            "ratchet" => {
                let key = device_key(&record).ratchet_by(record.number("steps"));
                assert_eq!(key.expose(), &*record.bytes("ratcheted"), "{name}");
            }
            "frame_keys" => assert_frame_keys(&record),
            "session" => {
                let drawn = device_session(
                    &device_key(&record),
                    counter(record.text("counter")),
                    &sixteen(&record, "beacon"),
                    &sixteen(&record, "random"),
                );
                assert_eq!(drawn, sixteen(&record, "session"), "{name}");
            }
            other => panic!("derive {other}"),
        }
    }
}

/// They are not shown: what they seal is compared with what another implementation seals.
fn assert_frame_keys(record: &Record) {
    let key = device_key(record);
    for (direction, field) in [
        (Direction::Uplink, "uplink_key"),
        (Direction::Downlink, "downlink_key"),
    ] {
        let sealing = Sealing {
            kind: Kind::Data,
            epoch: 0,
            address: Address::new([7; 8]),
            counter: 1,
            session: None,
            context: b"",
        };
        let frame = seal(&FrameKeys::new(&key, direction), &sealing, b"data").unwrap();
        let (header, sealed) = frame.split_at(20);
        let mut oracle = Aes128Siv::new_from_slice(&record.bytes(field)).unwrap();
        let expected = oracle.encrypt([header, b"", b""], b"data").unwrap();
        assert_eq!(sealed, expected, "{}", record.name());
    }
}

#[test]
fn sealed_control() {
    for record in read("sealed_control.txt") {
        let name = record.name();
        let body = record.bytes("plaintext");
        let again = match record.text("kind") {
            "hello" => Hello::parse(&body).map(|hello| {
                assert_eq!(hello.session, sixteen(&record, "session"), "{name}");
                let version = record.bytes("version");
                assert_eq!(hello.firmware.as_bytes(), version, "{name}");
                hello.to_bytes()
            }),
            "control" => Control::parse(&body).map(|control| {
                assert_eq!(control, expected_control(&record), "{name}");
                control.to_bytes()
            }),
            other => panic!("kind {other}"),
        };
        match record.text("expect") {
            "parsed" => assert_eq!(again, Some(body), "{name}"),
            "ignored" => assert_eq!(again, None, "{name}"),
            other => panic!("expect {other}"),
        }
    }
}

fn expected_control(record: &Record) -> Control {
    let mode = || record.bytes("mode")[0];
    match record.text("opcode") {
        "ratchet" => Control::Ratchet {
            epoch: record.number("epoch"),
        },
        "ack" => Control::Ack {
            tag: sixteen(record, "tag"),
        },
        "welcome" => Control::Welcome {
            floor: counter(record.text("floor")),
        },
        "query_mode" => Control::QueryMode,
        "set_mode" => Control::SetMode { mode: mode() },
        "mode" => Control::Mode { mode: mode() },
        other => panic!("opcode {other}"),
    }
}

#[test]
fn sealed_window() {
    for record in read("sealed_window.txt") {
        let name = record.name();
        let number = |field| counter(record.text(field));
        let mut window = record.optional("head").map(|head| Window {
            head: counter(head),
            bits: number("bits"),
        });
        let counters = record.text("counters").split(' ').map(counter);
        let expected = record.text("expect").split(' ');
        let advanced = record.text("advanced").split(' ');
        for ((counter, expected), advanced) in counters.zip(expected).zip(advanced) {
            let (verdict, above) = match window {
                None => {
                    let beacon = record.optional("first_contact").unwrap();
                    window = Some(Window::first_contact(counter, beacon.parse().ok()));
                    ("fresh", "1")
                }
                Some(before) => {
                    let answer = match before.place(counter) {
                        Place::Above => ("fresh", "1"),
                        Place::Late => ("fresh", "0"),
                        Place::Taken => ("duplicate", "0"),
                        Place::Below => ("replayed", "0"),
                    };
                    if answer.0 == "fresh" {
                        window = Some(before.with(counter));
                    }
                    answer
                }
            };
            assert_eq!((verdict, above), (expected, advanced), "{name} {counter:x}");
        }
        let after = Window {
            head: number("head_after"),
            bits: number("bits_after"),
        };
        assert_eq!(window, Some(after), "{name}");
    }
}

fn device_key(record: &Record) -> DeviceKey {
    if record.optional("fleet_key").is_some() {
        let fleet = FleetKey::new(&record.bytes("fleet_key")).unwrap();
        return DeviceKey::of_fleet(&fleet, address(record)).ratchet_by(record.number("epoch"));
    }
    DeviceKey::new(&record.bytes("device_key")).unwrap()
}

fn address(record: &Record) -> Address {
    Address::parse(record.text("address")).unwrap()
}

fn session(record: &Record) -> Option<Session> {
    record.bytes("session").try_into().ok()
}

fn sixteen(record: &Record, field: &str) -> [u8; 16] {
    record.bytes(field).try_into().unwrap()
}

fn counter(digits: &str) -> u64 {
    assert_eq!(digits.len(), 16);
    u64::from_str_radix(digits, 16).unwrap()
}

fn direction(record: &Record) -> Direction {
    match record.text("direction") {
        "uplink" => Direction::Uplink,
        "downlink" => Direction::Downlink,
        other => panic!("direction {other}"),
    }
}

fn kind(record: &Record) -> Kind {
    match record.text("kind") {
        "data" => Kind::Data,
        "hello" => Kind::Hello,
        "control" => Kind::Control,
        other => panic!("kind {other}"),
    }
}

fn plaintext(record: &Record) -> Vec<u8> {
    match record.optional("plaintext_byte") {
        Some(_) => vec![record.bytes("plaintext_byte")[0]; record.number("plaintext_repeat")],
        None => record.bytes("plaintext"),
    }
}
