use super::*;
use crate::classic::SessionId;
use crate::clock::SystemRandom;
use crate::key::{DeviceKey, FleetKey};
use crate::malformed::MalformedReason;
use crate::primitives::hkdf_expand;
use crate::primitives::siv::Siv;
use crate::sealed::{
    Address, Direction, FrameKeys, Hello, Kind, Sealing, Session, Window, armor, seal,
};
use crate::store::{CurrentSession, MemoryStore, SealedDevice};

const KEYRING: &str = r#"
version = 1
session_key = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
[[fleet]]
name = "farm"
key = { hex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f" }
[[device]]
name = "barn"
sealed = { fleet = "farm", address = "0011223344556677", minimum_epoch = 1 }
[[device]]
name = "gate"
[device.sealed]
fleet = "farm"
address = "8899aabbccddeeff"
key = { hex = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeffe0e1e2e3e4e5e6e7e8e9eaebecedeeef" }
[[device]]
name = "well"
sealed = { fleet = "farm", address = "0102030405060708", revoked = true }
"#;
const BARN: &str = "0011223344556677";
const GATE: &str = "8899aabbccddeeff";
const SESSION: Session = *b"a session of 16.";

fn keyring() -> Keyring {
    Keyring::parse(KEYRING).unwrap()
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

/// The key of a device in epoch 0.
fn key(name: &str) -> DeviceKey {
    let keyring = keyring();
    let device = keyring.device_index(name).unwrap();
    keyring.device_key(device, 0).unwrap()
}

fn fleet_key() -> FleetKey {
    FleetKey::new(&(0..32).collect::<Vec<u8>>()).unwrap()
}

fn sealing(of: &str) -> Sealing<'static> {
    Sealing {
        kind: Kind::Data,
        epoch: 1,
        address: address(of),
        counter: 7,
        session: None,
        context: b"",
    }
}

fn uplink(key: &DeviceKey, sealing: &Sealing<'_>) -> Vec<u8> {
    seal(&FrameKeys::new(key, Direction::Uplink), sealing, b"21.5").unwrap()
}

fn with_store(frame: &[u8], sessions: &[Vec<u8>], store: Option<&dyn Store>) -> SealedInspection {
    let keyring = keyring();
    let inspection = inspect(frame, Some(&keyring), sessions, store, Some("a/topic")).unwrap();
    match inspection.parsed.unwrap() {
        Parsed::Sealed(sealed) => *sealed,
        Parsed::Classic { .. } => panic!("it is sealed"),
    }
}

fn of(frame: &[u8], sessions: &[Session]) -> SealedInspection {
    let sessions: Vec<Vec<u8>> = sessions.iter().map(|session| session.to_vec()).collect();
    with_store(frame, &sessions, None)
}

/// What fits, and whose keys those are.
fn fit(inspection: SealedInspection) -> Option<(KeysOf, SealedFit)> {
    let mut fits = inspection
        .findings
        .into_iter()
        .filter_map(|finding| Some((finding.of, finding.fit?)));
    let fit = fits.next();
    assert!(fits.next().is_none());
    fit
}

fn mistakes(frame: &[u8], sessions: &[Session]) -> Vec<Mistake> {
    let (_, fit) = fit(of(frame, sessions)).expect("it fits in some way");
    assert_eq!(fit.plaintext, b"21.5");
    fit.mistakes
}

// What it is made of.

#[test]
fn claims_and_fields() {
    let frame = uplink(&key("barn").ratchet(), &sealing(BARN));
    for (given, armored) in [
        (frame.clone(), false),
        (armor(&frame).into_bytes(), true),
        (armor(&frame).replace('A', "A\r\n ").into_bytes(), true),
    ] {
        let inspection = inspect(&given, None, &[], None, None).unwrap();
        assert_eq!(inspection.armored, armored);
        assert_eq!(inspection.frame, frame);
        let mut end = 0;
        for field in &inspection.fields {
            assert_eq!(field.offset, end, "{}", field.name);
            end += field.size;
        }
        assert_eq!(end, frame.len());
        let names: Vec<&str> = inspection.fields.iter().map(|field| field.name).collect();
        assert_eq!(names.join(" "), "magic flags epoch address counter V C");
        let Parsed::Sealed(sealed) = inspection.parsed.unwrap() else {
            panic!("it is sealed")
        };
        let header = sealed.header;
        assert_eq!((header.epoch, header.counter), (1, 7));
        assert_eq!(header.address, address(BARN));
        assert!(sealed.listed.is_none() && sealed.findings.is_empty());
    }
}

#[test]
fn the_fields_of_a_malformed_one() {
    let mut frame = uplink(&key("barn"), &sealing(BARN));
    frame[1] = 0x0c;
    for given in [frame.clone(), armor(&frame).into_bytes()] {
        let inspection = inspect(&given, None, &[], None, None).unwrap();
        let malformed = inspection.parsed.unwrap_err();
        assert_eq!(malformed.reason, MalformedReason::Kind);
        assert_eq!((malformed.offset, inspection.fields.len()), (1, 7));
        assert_eq!(inspection.frame, frame);
    }
    let inspection = inspect(&frame[..35], None, &[], None, None).unwrap();
    assert_eq!(
        inspection.parsed.unwrap_err().reason,
        MalformedReason::TooShort
    );
    assert_eq!(inspection.fields, []);
    let inspection = inspect(b"9Q!", None, &[], None, None).unwrap();
    assert_eq!(inspection.parsed.unwrap_err().offset, 2);
    assert_eq!(inspection.frame, b"9Q!");
}

/// Bytes that begin like a sealed frame, of every length.
#[test]
fn garbage_panics_nowhere() {
    let keyring = keyring();
    let store = MemoryStore::default();
    for length in (0..6).chain(33..40).chain([51, 52, 75, 91]) {
        for filling in [0, 0x2c, 0x41] {
            let mut frame = vec![filling; length];
            for start in [&[0xf5_u8][..], &[0xf5, 0], &[0xf5, 2], b"9Q", b"9QAA"] {
                frame.splice(..start.len().min(length), start.iter().copied());
                let found = inspect(&frame, Some(&keyring), &[], Some(&store), Some("t")).unwrap();
                assert!(found.fields.is_empty() || found.fields.len() == 7);
            }
        }
    }
}

// Whose it is.

#[test]
fn a_good_frame() {
    let found = of(&uplink(&key("barn").ratchet(), &sealing(BARN)), &[]);
    let listed = found.listed.as_ref().unwrap();
    assert_eq!((&*listed.name, &*listed.fleet), ("barn", "farm"));
    assert!(!listed.revoked && !listed.own_key && listed.state.is_none());
    assert_eq!(listed.minimum_epoch, 1);
    assert_eq!(listed.topic, format!("espseal/{BARN}/up"));
    let (of, fit) = fit(found).unwrap();
    assert_eq!((of, fit.epoch, fit.mistakes), (KeysOf::Device, 1, vec![]));
    assert_eq!(fit.session, SealedSession::None);
    assert_eq!(fit.device.as_deref(), Some("barn"));
    assert_eq!(fit.plaintext, b"21.5");
}

#[test]
fn where_each_kind_goes() {
    let downlink = FrameKeys::new(&key("barn").ratchet(), Direction::Downlink);
    let session = Some(&SESSION);
    let command = Sealing {
        session,
        ..sealing(BARN)
    };
    let command = seal(&downlink, &command, b"on").unwrap();
    let found = of(&command, &[SESSION]);
    assert_eq!(
        found.listed.as_ref().unwrap().topic,
        format!("espseal/{BARN}/down")
    );
    let (_, fit_) = fit(found).unwrap();
    assert_eq!(
        fit_.session,
        SealedSession::Given {
            place: 0,
            minted: None
        }
    );
    assert!(fit_.mistakes.is_empty());
    let hello = Sealing {
        kind: Kind::Hello,
        ..sealing(BARN)
    };
    let found = of(&uplink(&key("barn").ratchet(), &hello), &[]);
    assert_eq!(
        found.listed.as_ref().unwrap().topic,
        format!("espseal/{BARN}/hello")
    );
    assert!(fit(found).is_some());
}

#[test]
fn own_keys_and_those_before_them() {
    let own = of(&uplink(&key("gate").ratchet(), &sealing(GATE)), &[]);
    assert!(own.listed.as_ref().unwrap().own_key);
    let (of_whom, own) = fit(own).unwrap();
    assert_eq!((of_whom, own.mistakes), (KeysOf::Device, vec![]));
    let former = DeviceKey::of_fleet(&fleet_key(), address(GATE)).ratchet();
    let (of_whom, former) = fit(of(&uplink(&former, &sealing(GATE)), &[])).unwrap();
    assert_eq!(of_whom, KeysOf::Former);
    assert_eq!(former.mistakes, [Mistake::FormerKey]);
}

#[test]
fn a_device_that_the_keyring_does_not_list() {
    let nobody = "00000000000000aa";
    let key = DeviceKey::of_fleet(&fleet_key(), address(nobody)).ratchet();
    let found = of(&uplink(&key, &sealing(nobody)), &[]);
    assert!(found.listed.is_none());
    let finding = found
        .findings
        .into_iter()
        .find(|finding| finding.fit.is_some());
    let finding = finding.unwrap();
    assert_eq!(finding.of, KeysOf::Unlisted);
    assert_eq!(finding.fleet.as_deref(), Some("farm"));
    let fit = finding.fit.unwrap();
    assert_eq!((fit.mistakes, fit.device), (vec![], None));
}

#[test]
fn what_was_tried_in_vain() {
    let stranger = DeviceKey::new(&[9; 32]).unwrap();
    let found = of(&uplink(&stranger, &sealing(GATE)), &[SESSION, SESSION]);
    assert_eq!(found.sessions.given, 2);
    let tried: Vec<_> = found
        .findings
        .iter()
        .map(|finding| (finding.of, finding.devices))
        .collect();
    assert_eq!(
        tried,
        [
            (KeysOf::Device, 1),
            (KeysOf::Former, 1),
            (KeysOf::Fleet, 1),
            (KeysOf::Others, 2)
        ]
    );
    let epochs = &found.findings[0].epochs;
    for epoch in [0, 1, 2, 3, 4, 0x0100, 0x0103, 0x00fd] {
        assert!(epochs.contains(&epoch), "{epoch}");
    }
    assert!(fit(found).is_none());
}

#[test]
fn revoked_devices_are_opened_all_the_same() {
    let found = of(
        &uplink(&key("well").ratchet(), &sealing("0102030405060708")),
        &[],
    );
    assert!(found.listed.as_ref().unwrap().revoked);
    assert!(fit(found).unwrap().1.mistakes.is_empty());
}

// What is wrong with it.

#[test]
fn a_key_of_another_epoch() {
    for (claimed, true_epoch, mistake) in [
        (1, 0, Mistake::OtherEpoch),
        (0, 1, Mistake::OtherEpoch),
        (7, 10, Mistake::OtherEpoch),
        (500, 1, Mistake::OtherEpoch),
        (0x0200, 2, Mistake::EpochOrder),
    ] {
        let key = key("barn").ratchet_by(true_epoch);
        let claims = Sealing {
            epoch: claimed,
            ..sealing(BARN)
        };
        let (of_whom, fit) = fit(of(&uplink(&key, &claims), &[])).unwrap();
        assert_eq!((of_whom, fit.epoch), (KeysOf::Device, true_epoch));
        assert_eq!(fit.mistakes, [mistake]);
    }
}

#[test]
fn keys_of_others() {
    let barn = key("barn").ratchet();
    assert_eq!(
        mistakes(&uplink(&barn, &sealing(GATE)), &[]),
        [Mistake::OtherDevice]
    );
    assert_eq!(
        mistakes(&uplink(&barn, &sealing("7766554433221100")), &[]),
        [Mistake::AddressOrder]
    );
    let (_, other) = fit(of(&uplink(&barn, &sealing(GATE)), &[])).unwrap();
    assert_eq!(other.device.as_deref(), Some("barn"));
    let fleet = DeviceKey::new(fleet_key().expose()).unwrap();
    assert_eq!(
        mistakes(&uplink(&fleet, &sealing(BARN)), &[]),
        [Mistake::FleetKey]
    );
}

#[test]
fn a_counter_from_its_end() {
    let swapped = Sealing {
        counter: 7_u64.swap_bytes(),
        ..sealing(BARN)
    };
    let frame = uplink(&key("barn").ratchet(), &swapped);
    assert_eq!(mistakes(&frame, &[]), [Mistake::CounterOrder]);
    let lifted = Sealing {
        counter: 1_800_000_000 << 24,
        ..sealing(BARN)
    };
    assert_eq!(mistakes(&uplink(&key("barn").ratchet(), &lifted), &[]), []);
}

/// A frame that is reflected: the host's, with another flag.
#[test]
fn changed_flags() {
    let downlink = FrameKeys::new(&key("barn").ratchet(), Direction::Downlink);
    let session = Some(&SESSION);
    let command = Sealing {
        session,
        ..sealing(BARN)
    };
    let mut frame = seal(&downlink, &command, b"21.5").unwrap();
    frame[1] = 2;
    let (_, reflected) = fit(of(&frame, &[SESSION])).unwrap();
    assert_eq!(reflected.mistakes, [Mistake::ChangedFlags]);
    assert_eq!(reflected.direction, Direction::Downlink);
    let mut frame = uplink(&key("barn").ratchet(), &sealing(BARN));
    frame[1] = 4;
    let (_, hello) = fit(of(&frame, &[])).unwrap();
    assert_eq!(
        (hello.kind, hello.mistakes),
        (Kind::Data, vec![Mistake::ChangedFlags])
    );
}

/// What S2V gets, of header and session.
type Components = fn(&[u8], &[u8]) -> Vec<Vec<u8>>;

/// A sender that follows its own idea of the format.
#[derive(Clone)]
struct Maker {
    header: [u8; 20],
    sealed_header: [u8; 20],
    key: [u8; 32],
    session: Vec<u8>,
    components: Components,
}

impl Maker {
    fn new(bound: bool) -> Self {
        let mut header = [0; 20];
        header[0] = 0xf5;
        header[1] = if bound { 2 } else { 0 };
        header[3] = 1;
        header[4..12].copy_from_slice(address(BARN).as_bytes());
        header[19] = 7;
        Self {
            header,
            sealed_header: header,
            key: *hkdf_expand(key("barn").ratchet().expose(), &[b"uplink"]),
            session: if bound { SESSION.to_vec() } else { Vec::new() },
            components: |header, session| vec![header.to_vec(), session.to_vec(), Vec::new()],
        }
    }

    fn parts(&self) -> (u128, Vec<u8>) {
        let siv = Siv::new(&self.key);
        let parts = (self.components)(&self.sealed_header, &self.session);
        let parts: Vec<_> = parts.iter().map(|part| siv.component(part)).collect();
        let tag = siv.tag(siv.mix(&parts), b"21.5");
        let mut text = b"21.5".to_vec();
        siv.crypt(tag, &mut text);
        (tag, text)
    }

    fn frame(&self) -> Vec<u8> {
        let (tag, text) = self.parts();
        [&self.header[..], &tag.to_be_bytes(), &text].concat()
    }
}

#[test]
fn the_maker_without_a_mistake() {
    for bound in [false, true] {
        assert_eq!(mistakes(&Maker::new(bound).frame(), &[SESSION]), []);
    }
}

#[test]
fn mistakes_with_keys() {
    let mut maker = Maker::new(false);
    maker.key = *hkdf_expand(key("barn").ratchet().expose(), &[b"downlink"]);
    assert_eq!(mistakes(&maker.frame(), &[]), [Mistake::OtherDirection]);
    maker = Maker::new(false);
    maker.key.rotate_left(16);
    assert_eq!(mistakes(&maker.frame(), &[]), [Mistake::KeyHalves]);
    maker.key = *key("barn").ratchet().expose();
    assert_eq!(mistakes(&maker.frame(), &[]), [Mistake::NotExpanded]);
    maker.key = *key("barn").expose();
    assert_eq!(
        mistakes(&maker.frame(), &[]),
        [Mistake::OtherEpoch, Mistake::NotExpanded]
    );
}

#[test]
fn mistakes_with_sessions() {
    let bound = Maker::new(true);
    for (session, mistake) in [
        (
            SessionId::from_bytes(SESSION).text().to_vec(),
            Mistake::SessionText,
        ),
        (vec![0; 16], Mistake::SessionZeros),
        (Vec::new(), Mistake::SessionLeftOut),
    ] {
        let maker = Maker {
            session,
            ..bound.clone()
        };
        assert_eq!(mistakes(&maker.frame(), &[SESSION]), [mistake]);
    }
    let mut unsaid = Maker::new(false);
    unsaid.session = SESSION.to_vec();
    assert_eq!(
        mistakes(&unsaid.frame(), &[SESSION]),
        [Mistake::SessionUnsaid]
    );
}

#[test]
fn mistakes_with_the_header_and_the_components() {
    for bound in [false, true] {
        for field in [2..4, 12..20, 4..12] {
            let mut maker = Maker::new(bound);
            maker.sealed_header[field].reverse();
            assert_eq!(mistakes(&maker.frame(), &[SESSION]), [Mistake::HeaderOrder]);
        }
        let others: [Components; 3] = [
            |header, session| vec![header.to_vec(), session.to_vec()],
            |header, session| vec![[header, session].concat()],
            |_, _| Vec::new(),
        ];
        for components in others {
            let maker = Maker {
                components,
                ..Maker::new(bound)
            };
            assert_eq!(mistakes(&maker.frame(), &[SESSION]), [Mistake::Components]);
        }
        let maker = Maker {
            components: |header, session| {
                vec![header.to_vec(), session.to_vec(), b"a/topic".to_vec()]
            },
            ..Maker::new(bound)
        };
        assert_eq!(mistakes(&maker.frame(), &[SESSION]), [Mistake::Context]);
    }
}

#[test]
fn mistakes_with_the_tag() {
    let maker = Maker::new(false);
    let (tag, text) = maker.parts();
    let frame = [&maker.header[..], &text, &tag.to_be_bytes()].concat();
    assert_eq!(mistakes(&frame, &[]), [Mistake::TagLast]);
    // A tag in which there is something to clear.
    let mut maker = (1..=255)
        .map(|counter| {
            let mut maker = Maker::new(false);
            maker.header[19] = counter;
            maker.sealed_header[19] = counter;
            maker
        })
        .find(|maker| maker.parts().0 & (1 << 63 | 1 << 31) == (1 << 63 | 1 << 31))
        .unwrap();
    let (tag, _) = maker.parts();
    maker.key.rotate_left(16);
    let ctr = aes_ecb(&maker.key[..16], tag);
    let text: Vec<u8> = b"21.5"
        .iter()
        .zip(ctr)
        .map(|(byte, key)| byte ^ key)
        .collect();
    let frame = [&maker.header[..], &tag.to_be_bytes(), &text].concat();
    assert_eq!(mistakes(&frame, &[]), [Mistake::WholeCounter]);
}

fn aes_ecb(key: &[u8], block: u128) -> [u8; 16] {
    use cbc::cipher::{BlockCipherEncrypt, KeyInit};
    let mut block = aes::Block::from(block.to_be_bytes());
    aes::Aes128Enc::new_from_slice(key)
        .unwrap()
        .encrypt_block(&mut block);
    block.into()
}

// What the store knows.

#[test]
fn sessions_and_windows_of_the_store() {
    let store = MemoryStore::default();
    let keyring = keyring();
    let beacon = SessionId::mint(keyring.session_key(), 1_800_000_000, &SystemRandom).unwrap();
    let (drawn, later) = ([1; 16], [2; 16]);
    let state = SealedDevice {
        window: Window::closed(100),
        open: true,
        epoch: 9,
        overlap: None,
        last_seen: 5,
    };
    store
        .transact(&mut |transaction| {
            transaction.add_beacon("farm", &beacon)?;
            transaction.put_sealed_device(address(BARN), &state)?;
            let mut sessions = transaction.device_sessions(address(BARN))?;
            sessions.current = Some(CurrentSession {
                session: drawn,
                acknowledged: 1,
            });
            sessions.drawn(later);
            transaction.put_device_sessions(address(BARN), &sessions)
        })
        .unwrap();
    for (session, expected) in [
        (
            *beacon.as_bytes(),
            SealedSession::Beacon {
                minted: 1_800_000_000,
            },
        ),
        (drawn, SealedSession::Device(DeviceSessionAge::Current)),
        (later, SealedSession::Device(DeviceSessionAge::Pending)),
    ] {
        let claims = Sealing {
            session: Some(&session),
            epoch: 11,
            ..sealing(BARN)
        };
        let frame = uplink(&key("barn").ratchet_by(12), &claims);
        let found = with_store(&frame, &[], Some(&store));
        assert_eq!(found.listed.as_ref().unwrap().state, Some(state));
        assert_eq!((found.sessions.beacons, found.sessions.drawn), (1, 2));
        let (_, fit) = fit(found).unwrap();
        assert_eq!((fit.session, fit.epoch), (expected, 12));
    }
    // An ID of the keyring's own tells its age, known here or not.
    let claims = Sealing {
        session: Some(beacon.as_bytes()),
        ..sealing(BARN)
    };
    let frame = uplink(&key("barn").ratchet(), &claims);
    for given in [beacon.text().to_vec(), beacon.text().to_ascii_uppercase()] {
        let (_, fit) = fit(with_store(&frame, &[b"no session".to_vec(), given], None)).unwrap();
        assert_eq!(
            fit.session,
            SealedSession::Given {
                place: 1,
                minted: Some(1_800_000_000)
            }
        );
        assert_eq!(fit.session_life.unwrap().as_secs(), 120);
    }
}

#[test]
fn no_plaintext_and_no_key_in_debug() {
    let hello = Hello {
        session: SESSION,
        firmware: "a secret",
    };
    let claims = Sealing {
        kind: Kind::Hello,
        ..sealing(BARN)
    };
    let keys = FrameKeys::new(&key("barn").ratchet(), Direction::Uplink);
    let frame = seal(&keys, &claims, &hello.to_bytes()).unwrap();
    let shown = format!("{:?}", of(&frame, &[]));
    assert!(shown.contains("barn") && !shown.contains("secret") && !shown.contains("112, 97"));
}
