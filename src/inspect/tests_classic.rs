use super::classic::fields;
use super::*;
use crate::classic::{DataMode, MacOver, NodeField, Scheme, SessionId, danger_seal_with_iv, seal};
use crate::clock::SystemRandom;
use crate::store::Store as _;

const KEYRING: &str = r#"
version = 1
session_key = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
[[classic_group]]
name = "house"
topic = "sensors/+"
session_topic = "sensors/session"
[classic_group.keys]
iv_key = { text = "test-only-iv-key" }
data_key = { text = "test-only-data-k" }
static_iv = { text = "test-only-static" }
passphrase = { text = "test only passphrase" }
[[device]]
name = "kitchen"
classic = { group = "house", node_id = "1234567" }
"#;
const SESSION: &[u8] = b"0123456789abcdef0123456789abcdef";

fn sealed(scheme: Scheme, session: &[u8], data: &[u8]) -> Vec<u8> {
    let keyring = Keyring::parse(KEYRING).unwrap();
    let keys = &keyring.groups()[0].key_sets[0].keys;
    let field = NodeField::Reading(b"1234567");
    seal(keys, &scheme, field, data, session, &SystemRandom).unwrap()
}

fn findings(inspection: Inspection) -> Vec<Finding> {
    match inspection.parsed.unwrap() {
        Parsed::Classic { findings, .. } => findings,
        Parsed::Sealed(_) => panic!("it is classic"),
    }
}

fn first_fit(payload: &[u8], sessions: &[Vec<u8>]) -> Option<Fit> {
    let keyring = Keyring::parse(KEYRING).unwrap();
    let inspection = inspect(payload, Some(&keyring), sessions, None, None).unwrap();
    findings(inspection)
        .into_iter()
        .find_map(|finding| finding.fit)
}

#[test]
fn a_good_frame_names_its_device() {
    let frame = sealed(Scheme::default(), SESSION, b"21.5");
    let fit = first_fit(&frame, &[SESSION.to_vec()]).unwrap();
    assert_eq!(fit.device.as_deref(), Some("kitchen"));
    assert_eq!(fit.session, FitSession::Given(0));
    assert!(fit.as_in_keyring);
    assert_eq!(fit.opened.data(), b"21.5");
}

#[test]
fn each_common_mistake_is_told() {
    let open = Scheme {
        danger_accept_replays: true,
        ..Scheme::default()
    };
    let padded = Scheme {
        mac: MacOver::Padded,
        ..open
    };
    let binary = Scheme {
        data: DataMode::Binary,
        ..open
    };
    let fit = first_fit(&sealed(padded, SESSION, b"1"), &[SESSION.to_vec()]).unwrap();
    assert_eq!(
        (fit.scheme.mac, fit.as_in_keyring),
        (MacOver::Padded, false)
    );
    let fit = first_fit(&sealed(binary, SESSION, b"1\0"), &[SESSION.to_vec()]).unwrap();
    assert_eq!(
        (fit.scheme.data, fit.as_in_keyring),
        (DataMode::Binary, false)
    );
    let fit = first_fit(&sealed(open, b"", b"1"), &[SESSION.to_vec()]).unwrap();
    assert_eq!(fit.session, FitSession::Empty);
    assert!(first_fit(&sealed(open, SESSION, b"1"), &[]).is_none());
}

#[test]
fn the_articles_own_sample_is_known() {
    let sample = b"1d54dd1af0f75a91a00d4dcd8f4ad28d,d1a0b14d187c5adfc948dfd77c2b2ee5,564633a4a053153bcbd6ed25370346d5,c66697df7e7d467112757c841bfb6bce051d6289";
    let inspection = inspect(sample, None, &[], None, None).unwrap();
    let findings = findings(inspection);
    let [finding] = findings.as_slice() else {
        panic!("the article's keys only")
    };
    let fit = finding.fit.as_ref().unwrap();
    assert_eq!(
        (fit.opened.node(), fit.opened.data()),
        (&b"11242238"[..], &b"5"[..])
    );
}

#[test]
fn stored_sessions_are_tried() {
    let keyring = Keyring::parse(KEYRING).unwrap();
    let store = crate::MemoryStore::default();
    let id = SessionId::mint(keyring.session_key(), 1, &SystemRandom).unwrap();
    store
        .transact(&mut |transaction| transaction.add_session("house", &id).map(drop))
        .unwrap();
    let frame = sealed(Scheme::default(), &id.text(), b"1");
    let inspection = inspect(&frame, Some(&keyring), &[], Some(&store), None).unwrap();
    let findings = findings(inspection);
    let fit = findings[0].fit.as_ref().unwrap();
    assert_eq!(fit.session, FitSession::Stored(id));
}

#[test]
fn pasted_frames_are_tidied() {
    let frame = sealed(Scheme::default(), SESSION, b"21.5");
    let pasted = [b"  ", &*frame, b" \r\n"].concat();
    let pasted = String::from_utf8(pasted).unwrap().replace(',', " ,\t");
    assert_eq!(tidy(pasted.as_bytes()), frame);
    assert!(
        inspect(pasted.as_bytes(), None, &[], None, None)
            .unwrap()
            .parsed
            .is_ok()
    );
}

#[test]
fn fields_cover_the_frame() {
    for layout in [Layout::Hex, Layout::Raw, Layout::Port] {
        let scheme = Scheme {
            layout,
            ..Scheme::default()
        };
        let frame = sealed(scheme, SESSION, b"twenty bytes of data");
        let separators = if layout == Layout::Port { 0 } else { 1 };
        let mut end = 0;
        for field in fields(&frame, layout) {
            assert_eq!(field.offset, end, "{layout:?} {}", field.name);
            end += field.size + separators;
        }
        assert_eq!(end, frame.len() + separators);
    }
    let keyring = Keyring::parse(KEYRING).unwrap();
    let keys = &keyring.groups()[0].key_sets[0].keys;
    let field = NodeField::Reading(b"1234567");
    let iv = *b"7fffffff       1";
    let frame = danger_seal_with_iv(keys, &Scheme::default(), field, b"", SESSION, iv);
    assert_eq!(fields(&frame.unwrap(), Layout::Hex)[2].size, 0);
}

/// The keys of the group, with those of `changed` in their place.
fn other_keys(changed: &[(&str, &str)]) -> Keyring {
    let mut text = KEYRING.to_owned();
    for (name, key) in changed {
        let start = text.find(&format!("{name} = ")).unwrap();
        let end = start + text[start..].find('\n').unwrap();
        text.replace_range(start..end, &format!("{name} = {{ text = \"{key}\" }}"));
    }
    Keyring::parse(&text).unwrap()
}

#[test]
fn which_of_the_keys_fit_is_told() {
    let frame = sealed(Scheme::default(), SESSION, b"21.5");
    let kitchen = Claims {
        node: b"1234567".to_vec(),
        device: Some("kitchen".into()),
    };
    for (changed, iv_fits, claims) in [
        (&[][..], true, Some(&kitchen)),
        (&[("passphrase", "another")], true, Some(&kitchen)),
        (&[("data_key", "another data key")], true, None),
        (&[("iv_key", "another iv key..")], false, None),
        (&[("static_iv", "another staticiv")], false, None),
    ] {
        let keyring = other_keys(changed);
        let inspection = inspect(&frame, Some(&keyring), &[], None, None).unwrap();
        let finding = findings(inspection).swap_remove(0);
        assert!(finding.fit.is_none());
        assert_eq!(finding.iv_fits, iv_fits, "{changed:?}");
        assert_eq!(finding.claims.as_ref(), claims, "{changed:?}");
    }
    // Under the right session it is no claim any more.
    let keyring = Keyring::parse(KEYRING).unwrap();
    let inspection = inspect(&frame, Some(&keyring), &[SESSION.to_vec()], None, None).unwrap();
    let finding = findings(inspection).swap_remove(0);
    assert!(finding.fit.is_some() && finding.iv_fits && finding.claims.is_none());
}

/// One raw frame in 256 begins as a sealed one does.
#[test]
fn a_raw_frame_that_begins_like_a_sealed_one_is_classic() {
    let scheme = Scheme {
        layout: Layout::Raw,
        ..Scheme::default()
    };
    let frame = (0..100_000)
        .map(|_| sealed(scheme, SESSION, b"21.5"))
        .find(|frame| frame.starts_with(&[0xf5]))
        .unwrap();
    let fit = first_fit(&frame, &[SESSION.to_vec()]).unwrap();
    assert_eq!(fit.opened.data(), b"21.5");
}
