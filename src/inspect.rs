//! What a frame is made of, and why it does not open: for people, not for receivers.
//!
//! A receiver answers one opaque `forged`. Here the owner of the keys asks, so everything that
//! commonly goes wrong is tried, and said.

use std::borrow::Cow;
use std::sync::Arc;

use crate::classic::{
    DataMode, Frame, Layout, MacOver, NodeField, Opened, PreparedKeys, Scheme, SessionId, open,
};
use crate::error::{Error, StoreError};
use crate::key::ClassicKeys;
use crate::keyring::{Group, Keyring};
use crate::malformed::Malformed;
use crate::store::Store;

/// What [`inspect`] found.
#[derive(Debug)]
pub struct Inspection {
    /// The frame, without the white space around its commas and at its ends.
    pub frame: Vec<u8>,
    /// Its layout and fields, or why it is no frame.
    pub parsed: Result<Parsed, Malformed>,
    /// One finding for each key set that was tried; the article's keys come last.
    pub findings: Vec<Finding>,
}

/// The layout and the fields of a frame.
#[derive(Debug)]
pub struct Parsed {
    /// How it is written.
    pub layout: Layout,
    /// In the order in which they stand.
    pub fields: Vec<Field>,
}

/// One field on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// `enc_iv`, `enc_node`, `enc_data` or `mac`, as in `CLASSIC.md`.
    pub name: &'static str,
    /// Where it starts, in bytes of [`Inspection::frame`].
    pub offset: usize,
    /// How many bytes of the frame it takes.
    pub size: usize,
}

/// What came of one key set.
#[derive(Debug)]
pub struct Finding {
    /// The group whose keys they are; None for the article's.
    pub group: Option<Arc<str>>,
    /// The device whose own keys they are.
    pub owner: Option<Arc<str>>,
    /// What fits, if anything does.
    pub fit: Option<Fit>,
}

/// How a frame verifies.
pub struct Fit {
    /// How the sender made it. Where this is not what the keyring says, that is the mistake.
    pub scheme: Scheme,
    /// Whether the group's senders make their frames so.
    pub as_in_keyring: bool,
    /// What it verified under.
    pub session: FitSession,
    /// The device that the keyring lists for it.
    pub device: Option<Arc<str>>,
    /// What it holds.
    pub opened: Opened,
}

impl core::fmt::Debug for Fit {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Fit")
            .field("session", &self.session)
            .field("device", &self.device)
            .finish_non_exhaustive()
    }
}

/// What an inspected frame verified under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FitSession {
    /// One of those that were given, by its place.
    Given(usize),
    /// One that the store knows.
    Stored(SessionId),
    /// The empty one.
    Empty,
    /// None: layout `port` has none.
    None,
}

/// Takes a frame apart, and tries every key set of the keyring on it, in every way that senders
/// are known to make frames; `topic` leaves those groups whose filter does not match.
///
/// # Errors
/// [`Error::Store`]
pub fn inspect(
    payload: &[u8],
    keyring: Option<&Keyring>,
    sessions: &[Vec<u8>],
    store: Option<&dyn Store>,
    topic: Option<&str>,
) -> Result<Inspection, Error> {
    let frame = tidy(payload).into_owned();
    let parsed = Frame::parse(&frame, true);
    let mut findings = Vec::new();
    if let (Ok(parsed), Some(keyring)) = (&parsed, keyring) {
        let groups = keyring.groups().iter();
        for group in groups.filter(|group| topic.is_none_or(|topic| group.topic.matches(topic))) {
            let candidates = candidates(sessions, store, Some(group))?;
            for keys in &group.key_sets {
                let fit = fit(parsed, &keys.keys, &candidates, Some(group.scheme));
                let device = |opened: &Opened| {
                    let address = match (opened.field(), group.scheme.layout) {
                        (_, Layout::Port) => topic?.as_bytes(),
                        (NodeField::Reading(node) | NodeField::Command(node), _) => node,
                        (NodeField::Peer { from, .. }, _) => from,
                    };
                    let listed = keyring.devices().get(group.device(address)?)?;
                    Some(Arc::clone(&listed.name))
                };
                findings.push(Finding {
                    group: Some(Arc::clone(&group.name)),
                    owner: keys
                        .owner
                        .and_then(|owner| keyring.devices().get(owner))
                        .map(|owner| Arc::clone(&owner.name)),
                    fit: fit.map(|fit| Fit {
                        device: device(&fit.opened),
                        ..fit
                    }),
                });
            }
        }
    }
    if let Ok(parsed) = &parsed {
        let keys = PreparedKeys::from(&ClassicKeys::of_the_article());
        findings.push(Finding {
            group: None,
            owner: None,
            fit: fit(parsed, &keys, &candidates(sessions, None, None)?, None),
        });
    }
    let parsed = parsed.map(|parsed| Parsed {
        layout: parsed.layout(),
        fields: fields(&frame, parsed.layout()),
    });
    Ok(Inspection {
        frame,
        parsed,
        findings,
    })
}

/// Without white space at both ends and around commas, if it is text (a pasted frame); the
/// receiver takes the exact form only.
#[must_use]
pub fn tidy(payload: &[u8]) -> Cow<'_, [u8]> {
    let is_text = payload
        .iter()
        .all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace());
    if !is_text || !payload.iter().any(u8::is_ascii_whitespace) {
        return Cow::Borrowed(payload);
    }
    let fields: Vec<&[u8]> = payload
        .split(|&byte| byte == b',')
        .map(<[u8]>::trim_ascii)
        .collect();
    Cow::Owned(fields.join(&b','))
}

type Candidates = Vec<(FitSession, Vec<u8>)>;

fn candidates(
    given: &[Vec<u8>],
    store: Option<&dyn Store>,
    group: Option<&Group>,
) -> Result<Candidates, StoreError> {
    let mut stored = Vec::new();
    if let (Some(store), Some(group)) = (store, group) {
        store.transact(&mut |transaction| {
            stored = transaction.sessions(&group.name)?;
            Ok(())
        })?;
    }
    let given = given.iter().enumerate();
    let given = given.map(|(at, text)| (FitSession::Given(at), text.clone()));
    let stored = stored.into_iter();
    let stored = stored.map(|id| (FitSession::Stored(id), id.text().to_vec()));
    let empty = (FitSession::Empty, Vec::new());
    Ok(given.chain(stored).chain([empty]).collect())
}

/// The keyring's own way first, then the others.
fn fit(
    frame: &Frame,
    keys: &PreparedKeys,
    candidates: &Candidates,
    keyring: Option<Scheme>,
) -> Option<Fit> {
    let layouts = match frame.layout() {
        Layout::Port => &[Layout::Port][..],
        Layout::Hex | Layout::Raw => &[Layout::Hex],
    };
    let others = layouts.iter().flat_map(|&layout| {
        [
            (DataMode::Text, MacOver::Unpadded),
            (DataMode::Binary, MacOver::Unpadded),
            (DataMode::Text, MacOver::Padded),
        ]
        .map(|(data, mac)| Scheme {
            layout,
            data,
            mac,
            danger_accept_replays: true,
        })
    });
    let texts: Vec<&[u8]> = candidates.iter().map(|(_, text)| &**text).collect();
    for scheme in keyring.into_iter().chain(others) {
        let Some(opened) = open(frame, keys, &texts, &scheme) else {
            continue;
        };
        let session = match frame.layout() {
            Layout::Port => FitSession::None,
            Layout::Hex | Layout::Raw => candidates.get(opened.session)?.0,
        };
        let scheme = Scheme {
            layout: frame.layout(),
            ..scheme
        };
        let as_in_keyring = keyring.is_some_and(|keyring| {
            (keyring.data, keyring.mac) == (scheme.data, scheme.mac)
                && (keyring.layout == Layout::Port) == (scheme.layout == Layout::Port)
        });
        return Some(Fit {
            scheme,
            as_in_keyring,
            session,
            device: None,
            opened,
        });
    }
    None
}

/// Where the fields of a frame that was parsed stand.
fn fields(frame: &[u8], layout: Layout) -> Vec<Field> {
    let named = |names: &[&'static str], sizes: &[usize], separator: usize| {
        let mut offset = 0;
        let mut fields = Vec::new();
        for (&name, &size) in names.iter().zip(sizes) {
            fields.push(Field { name, offset, size });
            offset += size + separator;
        }
        fields
    };
    let four = ["enc_iv", "enc_node", "enc_data", "mac"];
    let length = frame.len();
    match layout {
        Layout::Hex => {
            let sizes: Vec<usize> = frame.split(|&byte| byte == b',').map(<[u8]>::len).collect();
            named(&four, &sizes, 1)
        }
        Layout::Raw => named(&four, &[16, 16, length.saturating_sub(75), 40], 1),
        Layout::Port => named(
            &["enc_iv", "enc_data", "mac"],
            &[32, length.saturating_sub(72), 40],
            0,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classic::{danger_seal_with_iv, seal};
    use crate::clock::SystemRandom;

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

    fn first_fit(payload: &[u8], sessions: &[Vec<u8>]) -> Option<Fit> {
        let keyring = Keyring::parse(KEYRING).unwrap();
        let inspection = inspect(payload, Some(&keyring), sessions, None, None).unwrap();
        inspection
            .findings
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
        let [finding] = inspection.findings.as_slice() else {
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
        let fit = inspection.findings[0].fit.as_ref().unwrap();
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
}
