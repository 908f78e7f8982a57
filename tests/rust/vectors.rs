//! The shared vectors, made by an implementation that shares no code with this one.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a panic fails the test"
)]

mod records;

use espseal::classic::{
    DataMode, Frame, Layout, MacOver, NodeField, PreparedKeys, Scheme, SessionId,
    danger_seal_with_iv, open,
};
use espseal::key::{AesKey, ClassicKeys, Passphrase, SessionKey, StaticIv};
use records::{Record, read};

#[test]
fn classic_seal() {
    for record in read("classic_seal.txt") {
        let node = record.bytes("node_id");
        let field = match record.optional("direction").unwrap_or("reading") {
            "reading" => NodeField::Reading(&node),
            "command" => NodeField::Command(node.strip_prefix(b">").unwrap_or(&node)),
            _ => {
                let at = node.iter().position(|&byte| byte == b'>').unwrap();
                let (from, to) = (&node[..at], &node[at + 1..]);
                NodeField::Peer { from, to }
            }
        };
        let sealed = danger_seal_with_iv(
            &keys(&record),
            &scheme(&record),
            field,
            &record.bytes("data"),
            &record.bytes("session"),
            record.bytes("iv").try_into().unwrap(),
        );
        match sealed {
            Ok(frame) => {
                assert_eq!(record.text("expect"), "sealed", "{}", record.name());
                assert_eq!(frame, record.bytes("frame"), "{}", record.name());
            }
            Err(error) => assert_eq!(error.code(), record.text("expect"), "{}", record.name()),
        }
    }
}

#[test]
fn classic_open() {
    for record in read("classic_open.txt") {
        assert_eq!(record.text("expect"), "fresh");
        let frame = Frame::parse(&record.bytes("frame"), true).unwrap();
        assert_eq!(
            frame.layout().code(),
            record.text("layout"),
            "{}",
            record.name()
        );
        let sessions = [b"another session".to_vec(), record.bytes("session")];
        let opened = open(&frame, &keys(&record), &sessions, &scheme(&record));
        let opened = opened.unwrap_or_else(|| panic!("{} is refused", record.name()));
        assert_eq!(opened.node(), record.bytes("node_id"), "{}", record.name());
        assert_eq!(opened.iv.to_vec(), record.bytes("iv"), "{}", record.name());
        assert_eq!(opened.data(), record.bytes("data"), "{}", record.name());
        let session = usize::from(frame.layout() != Layout::Port);
        assert_eq!(opened.session, session, "{}", record.name());
    }
}

#[test]
fn classic_reject() {
    for record in read("classic_reject.txt") {
        let name = record.name();
        let scheme = scheme(&record);
        let frame = match Frame::parse(&record.bytes("frame"), scheme.layout == Layout::Port) {
            Ok(frame) => frame,
            Err(malformed) => {
                assert_eq!("malformed", record.text("expect"), "{name}");
                assert_eq!(malformed.reason.code(), record.text("reason"), "{name}");
                assert_eq!(
                    malformed.offset.to_string(),
                    record.text("offset"),
                    "{name}"
                );
                continue;
            }
        };
        match open(&frame, &keys(&record), &[record.bytes("session")], &scheme) {
            None => assert_eq!("forged", record.text("expect"), "{name}"),
            Some(opened) => {
                assert_eq!("wrong_direction", record.text("expect"), "{name}");
                let meant = record
                    .optional("expected_node_id")
                    .map(|_| record.bytes("expected_node_id"));
                let right = match (
                    record.optional("direction").unwrap_or("reading"),
                    opened.field(),
                ) {
                    ("reading", NodeField::Reading(_)) => true,
                    ("command", NodeField::Command(to)) | ("peer", NodeField::Peer { to, .. }) => {
                        Some(to) == meant.as_deref()
                    }
                    _ => false,
                };
                assert!(!right, "{name} goes in the right direction");
            }
        }
    }
}

#[test]
fn session_ids() {
    for record in read("session.txt") {
        let key = SessionKey::new(&record.bytes("session_key")).unwrap();
        let id = SessionId::verify(&key, record.text("id").as_bytes());
        match record.text("expect") {
            "valid" => {
                let id = id.unwrap_or_else(|| panic!("{} is refused", record.name()));
                assert_eq!(
                    id.time().to_string(),
                    record.text("time"),
                    "{}",
                    record.name()
                );
                assert_eq!(id.to_string(), record.text("id"));
                assert_eq!(id.text().to_vec(), record.text("id").as_bytes());
            }
            expect => {
                assert_eq!(expect, "invalid");
                assert_eq!(id, None, "{}", record.name());
            }
        }
    }
}

fn keys(record: &Record) -> PreparedKeys {
    PreparedKeys::from(&ClassicKeys {
        iv_key: AesKey::new(&record.bytes("iv_key")).unwrap(),
        data_key: AesKey::new(&record.bytes("data_key")).unwrap(),
        static_iv: StaticIv::new(&record.bytes("static_iv")).unwrap(),
        passphrase: Passphrase::new(&record.bytes("passphrase")).unwrap(),
    })
}

fn scheme(record: &Record) -> Scheme {
    Scheme {
        layout: match record.text("layout") {
            "hex" => Layout::Hex,
            "raw" => Layout::Raw,
            "port" => Layout::Port,
            other => panic!("layout {other}"),
        },
        data: match record.text("data_mode") {
            "text" => DataMode::Text,
            "binary" => DataMode::Binary,
            other => panic!("data_mode {other}"),
        },
        mac: match record.text("mac_over") {
            "unpadded" => MacOver::Unpadded,
            "padded" => MacOver::Padded,
            other => panic!("mac_over {other}"),
        },
        danger_accept_replays: record.flag("danger_accept_replays"),
    }
}
