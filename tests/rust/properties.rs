//! What holds for every frame: round trips, flipped bits, and whatever else a peer may send.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a panic fails the test"
)]

use std::sync::Arc;

use espseal::classic::{
    DataMode, FRAME_BYTES_MAX, Frame, Layout, MacOver, NodeField, PreparedKeys, Scheme, SessionId,
    danger_seal_with_iv, open, seal,
};
use espseal::clock::SystemRandom;
use espseal::key::{AesKey, ClassicKeys, Passphrase, SessionKey, StaticIv};
use espseal::{Device, Keyring, MemoryStore, Receiver, Sender, Verdict};
use proptest::prelude::*;

// ---- Round trips ----

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn what_was_sealed_opens(
        keys in keys(),
        scheme in scheme(),
        from in node_id(7),
        to in node_id(7),
        direction in 0..3,
        mut data in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..=2000),
            prop::collection::vec(prop_oneof![Just(0), Just(b','), any::<u8>()], 0..=100),
        ],
        sessions in prop::collection::vec("[0-9a-f]{32}", 1..5),
        which in any::<prop::sample::Index>(),
        iv: [u8; 16],
    ) {
        if scheme.data == DataMode::Text && scheme.layout != Layout::Port {
            while data.last() == Some(&0) {
                data.pop();
            }
        }
        let field = match direction {
            0 => NodeField::Reading(&from),
            1 => NodeField::Command(&to),
            _ => NodeField::Peer { from: &from, to: &to },
        };
        let session = which.index(sessions.len());
        let under = sessions[session].as_bytes();
        let sealed = danger_seal_with_iv(&keys, &scheme, field, &data, under, iv);
        let blocks = match scheme.layout {
            Layout::Port => data.len() / 16 + 1,
            Layout::Hex | Layout::Raw => data.len().div_ceil(16),
        };
        let length = match scheme.layout {
            Layout::Hex => 32 + 1 + 32 + 1 + 32 * blocks + 1 + 40,
            Layout::Raw => 16 + 1 + 16 + 1 + 16 * blocks + 1 + 40,
            Layout::Port => 32 + 32 * blocks + 40,
        };
        if length > FRAME_BYTES_MAX {
            prop_assert_eq!(sealed.unwrap_err().code(), "frame_too_long");
            return Ok(());
        }
        let sealed = sealed.unwrap();
        prop_assert_eq!(sealed.len(), length);
        for bytes in [sealed.clone(), recase(&sealed, scheme.layout)] {
            let frame = Frame::parse(&bytes, true).unwrap();
            prop_assert_eq!(frame.layout(), scheme.layout);
            let opened = open(&frame, &keys, &sessions, &scheme).unwrap();
            prop_assert_eq!(opened.data(), &data);
            prop_assert_eq!(&opened.iv, &iv);
            if scheme.layout == Layout::Port {
                prop_assert!(opened.node().is_empty());
            } else {
                prop_assert_eq!(opened.field(), field);
                prop_assert_eq!(&sessions[opened.session], &sessions[session]);
                let others: Vec<_> = sessions.iter().filter(|id| **id != sessions[session]).collect();
                prop_assert_eq!(open(&frame, &keys, &others, &scheme), None);
            }
        }
    }

    #[test]
    fn drawn_ivs_are_those_that_a_classic_sender_draws(data in ".{0,40}", port: bool) {
        let scheme = Scheme { layout: if port { Layout::Port } else { Layout::Raw }, ..Scheme::default() };
        let data = data.trim_end_matches('\0').as_bytes();
        let keys = fixed_keys();
        let sealed = seal(&keys, &scheme, NODE, data, SESSION, &SystemRandom).unwrap();
        let frame = Frame::parse(&sealed, port).unwrap();
        let opened = open(&frame, &keys, &[SESSION], &scheme).unwrap();
        prop_assert_eq!(opened.data(), data);
        let (digits, last) = opened.iv.split_at(15);
        prop_assert!(digits.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')));
        prop_assert_eq!(last[0] == 1, port);
    }

    #[test]
    fn another_key_opens_nothing(one in keys(), other in keys(), scheme in scheme(), data in "[ -~]{0,50}") {
        let sealed = danger_seal_with_iv(&one, &scheme, NODE, data.as_bytes(), SESSION, [b'7'; 16]).unwrap();
        let frame = Frame::parse(&sealed, true).unwrap();
        prop_assert_eq!(open(&frame, &other, &[SESSION], &scheme), None);
    }
}

// ---- Flipped bits ----

proptest! {
    #![proptest_config(cases(12))]

    #[test]
    fn no_flipped_bit_is_accepted(
        keys in keys(),
        scheme in scheme(),
        data in prop::collection::vec(1_u8.., 0..=70),
        zeros in 0_usize..=16,
    ) {
        let mut data = data;
        if scheme.data == DataMode::Binary || scheme.layout == Layout::Port {
            data.resize(data.len() + zeros, 0);
        }
        let sealed = danger_seal_with_iv(&keys, &scheme, NODE, &data, SESSION, *b" f9dc2766548509e").unwrap();
        let frame = Frame::parse(&sealed, true).unwrap();
        let mac = *frame.mac();
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let Ok(frame) = Frame::parse(&changed, true) else {
                continue;
            };
            let opened = open(&frame, &keys, &[SESSION], &scheme);
            if fold(&changed, scheme.layout) == fold(&sealed, scheme.layout) {
                let opened = opened.unwrap();
                prop_assert_eq!(opened.data(), &data, "only the case, bit {}", bit);
                prop_assert_eq!(frame.mac(), &mac);
            } else {
                prop_assert_eq!(opened, None, "bit {}", bit);
            }
        }
    }

    /// Cut, joined, repeated, swapped: no rearrangement of whole blocks opens either.
    #[test]
    fn no_rearranged_frame_is_accepted(
        scheme in scheme(),
        data in prop::collection::vec(1_u8.., 33..=70),
        from in any::<prop::sample::Index>(),
        to in any::<prop::sample::Index>(),
    ) {
        let keys = fixed_keys();
        let sealed = danger_seal_with_iv(&keys, &scheme, NODE, &data, SESSION, [b'5'; 16]).unwrap();
        let (from, to) = (from.index(sealed.len()), to.index(sealed.len()));
        let mut swapped = sealed.clone();
        swapped.swap(from, to);
        let mut doubled = sealed.clone();
        doubled.insert(to, sealed[from]);
        let mut shorter = sealed.clone();
        shorter.remove(from);
        let (low, high) = (from.min(to), from.max(to));
        let rotated = [&sealed[high..], &sealed[..high]].concat();
        let without = [&sealed[..low], &sealed[high..]].concat();
        let spaced = [&sealed[..], b"\n"].concat();
        let twice = [&sealed[..], &sealed[..]].concat();
        for changed in [swapped, doubled, shorter, rotated, without, spaced, twice] {
            if fold(&changed, scheme.layout) == fold(&sealed, scheme.layout) {
                continue;
            }
            if let Ok(frame) = Frame::parse(&changed, true) {
                prop_assert_eq!(open(&frame, &keys, &[SESSION], &scheme), None);
            }
        }
    }
}

// ---- Whatever comes ----

proptest! {
    #![proptest_config(cases(1500))]

    #[test]
    fn no_bytes_open_and_none_panic(
        bytes in noise(),
        topic in prop_oneof![Just("sensors/1".to_owned()), Just("meters/1".to_owned()), any::<String>()],
        retained: bool,
    ) {
        let everything = everything();
        for topic in [None, Some(&*topic)] {
            let message = everything.receiver.open(&bytes, topic, retained).unwrap();
            prop_assert!(matches!(message.verdict, Verdict::Malformed | Verdict::Forged));
            prop_assert_eq!(message.data, None);
            prop_assert_eq!(message.device, None);
            prop_assert!(!message.reason.to_string().is_empty());
        }
        prop_assert!(matches!(
            everything.device.open(&bytes).unwrap().verdict,
            Verdict::Malformed | Verdict::Forged
        ));
        for port in [false, true] {
            if let Err(malformed) = Frame::parse(&bytes, port) {
                prop_assert!(malformed.offset <= bytes.len());
            }
        }
        prop_assert_eq!(SessionId::verify(everything.receiver.keyring().session_key(), &bytes), None);
        let _ = everything.receiver.hear(&bytes, &topic, retained).unwrap();
        prop_assert!(everything.receiver.hear(&bytes, "session", retained).unwrap());
        let _ = everything.device.hear(&bytes);
        prop_assert!(everything.sender.hear(&bytes, "nodes/1/session"));
        prop_assert!(!everything.sender.hear(&bytes, "nodes/2/session"));
    }

    #[test]
    fn no_session_id_but_a_minted_one_verifies(
        key: [u8; 32],
        time: u32,
        at in 0_usize..32,
        digit in 0_usize..16,
        other: [u8; 32],
    ) {
        let session_key = SessionKey::new(&key).unwrap();
        let id = SessionId::mint(&session_key, time, &SystemRandom).unwrap();
        let text = id.text();
        prop_assert_eq!(SessionId::verify(&session_key, &text), Some(id));
        prop_assert_eq!(id.time(), time);
        prop_assert_eq!(SessionId::from_bytes(*id.as_bytes()), id);
        let mut changed = text;
        changed[at] = b"0123456789abcdef"[digit];
        prop_assert_eq!(SessionId::verify(&session_key, &changed).is_some(), changed == text);
        let mut upper = text;
        upper[at].make_ascii_uppercase();
        prop_assert_eq!(SessionId::verify(&session_key, &upper).is_some(), upper == text);
        for wrong in [&text[1..], &[&text[..], b"0"].concat(), &[b" ", &text[..]].concat()] {
            prop_assert_eq!(SessionId::verify(&session_key, wrong), None);
        }
        if key != other {
            let other = SessionKey::new(&other).unwrap();
            prop_assert_eq!(SessionId::verify(&other, &text), None);
        }
    }

    /// O1 to O3 on their own: what parses has the form of the text, and the rest has not.
    #[test]
    fn a_frame_parses_exactly_if_it_has_the_form(bytes in noise(), port: bool) {
        let parsed = Frame::parse(&bytes, port).map(|frame| frame.layout()).ok();
        prop_assert_eq!(parsed, form(&bytes, port));
    }
}

/// The forms of `CLASSIC.md`, *Layouts*, written down a second time.
fn form(bytes: &[u8], port: bool) -> Option<Layout> {
    let hex = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_hexdigit);
    let length = bytes.len();
    if length > 2048 {
        return None;
    }
    let raw = length % 16 == 11
        && length > 16 + 40
        && bytes[16] == b','
        && bytes[length - 41] == b','
        && hex(&bytes[length - 40..]);
    if raw {
        let whole = length >= 16 + 1 + 16 + 1 + 1 + 40 && bytes[33] == b',';
        return whole.then_some(Layout::Raw);
    }
    let fields: Vec<&[u8]> = bytes.split(|byte| *byte == b',').collect();
    if let [iv, node, data, mac] = fields[..] {
        let right =
            iv.len() == 32 && node.len() % 32 == 0 && data.len() % 32 == 0 && mac.len() == 40;
        return (right && fields.iter().all(|field| hex(field))).then_some(Layout::Hex);
    }
    let right = port && hex(bytes) && length >= 32 + 32 + 40 && (length - 72).is_multiple_of(32);
    right.then_some(Layout::Port)
}

/// Bytes of every shape that could be taken for a frame.
fn noise() -> impl Strategy<Value = Vec<u8>> {
    let hex = |digits: std::ops::Range<usize>| {
        prop::collection::vec(prop::sample::select(&b"0123456789abcdefABCDEF"[..]), digits)
    };
    let blocks = |count: std::ops::Range<usize>| {
        prop::collection::vec(any::<[u8; 16]>(), count).prop_map(|blocks| blocks.concat())
    };
    let digits_of = |bytes: Vec<u8>| {
        bytes
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect::<String>()
            .into_bytes()
    };
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..300),
        prop::collection::vec(any::<u8>(), 2040..2060),
        prop::collection::vec(0x20_u8..0x7f, 0..200),
        prop::collection::vec(prop::sample::select(&b"0aF,"[..]), 0..200),
        // Printable bytes with commas placed like a frame's
        prop::collection::vec(0x20_u8..0x7f, 32 * 4 + 43).prop_map(|mut bytes| {
            (bytes[32], bytes[65], bytes[130]) = (b',', b',', b',');
            bytes
        }),
        // Raw: the commas by position, anything between
        (blocks(2..6), hex(40..41)).prop_map(|(mut blocks, mac)| {
            blocks.insert(16, b',');
            blocks.insert(33, b',');
            [&blocks[..], b",", &mac[..]].concat()
        }),
        (
            blocks(2..6),
            prop::collection::vec(0x20_u8..0x7f, 40),
            0_usize..34
        )
            .prop_map(|(mut blocks, mac, at)| {
                blocks.insert(16, b',');
                blocks.insert(at, b',');
                [&blocks[..], b",", &mac[..]].concat()
            }),
        // Hex: well-formed, and nearly
        (blocks(1..2), blocks(0..3), blocks(0..4), hex(40..41)).prop_map(
            move |(iv, node, data, mac)| {
                [digits_of(iv), digits_of(node), digits_of(data), mac].join(&b","[..])
            }
        ),
        (hex(30..35), hex(30..35), hex(0..66), hex(38..42))
            .prop_map(|(a, b, c, d)| [a, b, c, d].join(&b","[..])),
        // Port
        (2_usize..6, hex(300..301))
            .prop_map(|(blocks, digits)| digits[..32 * blocks + 40].to_vec()),
        hex(0..200),
        hex(32..33),
    ]
}

// ---- Helpers ----

const NODE: NodeField<'static> = NodeField::Reading(b"11242238");
const SESSION: &[u8] = b"00112233445566778899aabbccddeeff";

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn keys() -> impl Strategy<Value = PreparedKeys> {
    let aes = || {
        prop_oneof![Just(16_usize), Just(24), Just(32)]
            .prop_flat_map(|length| prop::collection::vec(any::<u8>(), length))
    };
    (
        aes(),
        aes(),
        any::<[u8; 16]>(),
        // Beyond HMAC's block of 64 bytes the key is hashed first.
        prop::collection::vec(any::<u8>(), 1..150),
    )
        .prop_map(|(iv_key, data_key, static_iv, passphrase)| {
            PreparedKeys::from(&ClassicKeys {
                iv_key: AesKey::new(&iv_key).unwrap(),
                data_key: AesKey::new(&data_key).unwrap(),
                static_iv: StaticIv::new(&static_iv).unwrap(),
                passphrase: Passphrase::new(&passphrase).unwrap(),
            })
        })
}

fn fixed_keys() -> PreparedKeys {
    PreparedKeys::from(&ClassicKeys {
        iv_key: AesKey::new(&[1; 16]).unwrap(),
        data_key: AesKey::new(&[2; 24]).unwrap(),
        static_iv: StaticIv::new(&[3; 16]).unwrap(),
        passphrase: Passphrase::new(&[4; 20]).unwrap(),
    })
}

fn scheme() -> impl Strategy<Value = Scheme> {
    use {DataMode as Data, MacOver as Mac};
    let layouts = prop_oneof![Just(Layout::Hex), Just(Layout::Raw), Just(Layout::Port)];
    let modes = prop_oneof![
        Just((Data::Text, Mac::Unpadded)),
        Just((Data::Text, Mac::Padded)),
        Just((Data::Binary, Mac::Unpadded)),
    ];
    (layouts, modes).prop_map(|(layout, (data, mac))| Scheme {
        layout,
        data,
        mac,
        danger_accept_replays: false,
    })
}

fn node_id(longest: usize) -> impl Strategy<Value = Vec<u8>> {
    let byte = any::<u8>().prop_filter("no NUL, no >", |byte| !matches!(byte, 0 | b'>'));
    prop::collection::vec(byte, 1..=longest)
}

/// Hex digits in upper case, ciphertext as it is.
fn fold(frame: &[u8], layout: Layout) -> Vec<u8> {
    let digits = match layout {
        Layout::Hex | Layout::Port => 0,
        Layout::Raw => frame.len().saturating_sub(40),
    };
    let (raw, hex) = frame.split_at(digits);
    [raw, &hex.to_ascii_uppercase()].concat()
}

fn recase(frame: &[u8], layout: Layout) -> Vec<u8> {
    let upper = fold(frame, layout);
    if upper == frame {
        frame.to_ascii_lowercase()
    } else {
        upper
    }
}

/// Every group at once on one receiver, a device and a sender.
struct Everything {
    receiver: Receiver,
    device: Device,
    sender: Sender,
}

fn everything() -> &'static Everything {
    static EVERYTHING: std::sync::LazyLock<Everything> = std::sync::LazyLock::new(|| {
        let mut text = "version = 1\nsession_key = \"".to_owned() + &"5a".repeat(32) + "\"\n";
        for (name, topic, extra) in [
            (
                "text",
                "sensors/+",
                "session_topic = 'session'\ncommand_topic = 'nodes/{node_id}'\ncommand_session_topic = 'nodes/{node_id}/session'",
            ),
            (
                "binary",
                "sensors/+",
                "session_topic = 'session'\ndata = 'binary'",
            ),
            ("padded", "#", "session_topic = 'other'\nmac = 'padded'"),
            ("empty", "#", "danger_accept_replays = true"),
            (
                "strict",
                "sensors/#",
                "session_topic = 'strict'\npolicy = 'strict'",
            ),
            (
                "port",
                "meters/+",
                "layout = 'port'\ndanger_accept_replays = true",
            ),
        ] {
            text += &format!(
                "[[classic_group]]\nname = '{name}'\ntopic = '{topic}'\n{extra}\n\
                 keys.iv_key = {{ text = '{name:-<16}' }}\nkeys.data_key = {{ text = '{name:+<24}' }}\n\
                 keys.static_iv = {{ text = '{name:.<16}' }}\nkeys.passphrase = {{ text = '{name}' }}\n"
            );
        }
        text += "[[device]]\nname = 'node'\nclassic = { group = 'text', node_id = '1' }\n";
        text += "[[device]]\nname = 'meter'\nclassic = { group = 'port', topic = 'meters/1' }\n";
        let keyring = Arc::new(Keyring::parse(&text).unwrap());
        let receiver = Receiver::new(Arc::clone(&keyring), Arc::new(MemoryStore::default()), true);
        let receiver = receiver.unwrap();
        receiver.publications().unwrap();
        let device = Device::from_keyring(&keyring, "node").unwrap();
        device.draw_command_session().unwrap();
        let sender = Sender::new(keyring, Arc::new(MemoryStore::default()));
        Everything {
            receiver,
            device,
            sender,
        }
    });
    &EVERYTHING
}
