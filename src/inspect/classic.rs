//! Classic frames, in every way that senders are known to make them.

use std::sync::Arc;
use std::time::Duration;

use super::{Asked, Field, Inspection, Parsed};
use crate::classic::{
    DataMode, Frame, Layout, MacOver, NodeField, Opened, PreparedKeys, Scheme, SessionId,
    Unverified, open,
};
use crate::error::StoreError;
use crate::key::ClassicKeys;
use crate::keyring::{Group, KeySet, Keyring};
use crate::store::Store;

/// What came of one key set.
#[derive(Debug)]
pub struct Finding {
    /// The group whose keys they are; None for the article's.
    pub group: Option<Arc<str>>,
    /// The device whose own keys they are.
    pub owner: Option<Arc<str>>,
    /// What fits, if anything does.
    pub fit: Option<Fit>,
    /// Whether the IV decrypts to the digits that senders draw: `iv_key` and `static_iv` fit.
    pub iv_fits: bool,
    /// Whom it claims to be of, if that decrypts to text: `data_key` fits, too.
    pub claims: Option<Claims>,
}

/// Whom a frame that does not verify claims to be of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The node field, its padding stripped.
    pub node: Vec<u8>,
    /// The device that the keyring lists for it.
    pub device: Option<Arc<str>>,
}

/// How a frame verifies.
pub struct Fit {
    /// How the sender made it. Where this is not what the keyring says, that is the mistake.
    pub scheme: Scheme,
    /// Whether the group's senders make their frames so.
    pub as_in_keyring: bool,
    /// What it verified under.
    pub session: FitSession,
    /// How long the group's sessions live.
    pub session_life: Option<Duration>,
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

impl FitSession {
    /// Its word, the same in every language.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Given(_) => "given",
            Self::Stored(_) => "stored",
            Self::Empty => "empty",
            Self::None => "none",
        }
    }

    /// When it was minted, in Unix seconds, if that is known.
    #[must_use]
    pub fn minted(self) -> Option<u32> {
        match self {
            Self::Stored(id) => Some(id.time()),
            Self::Given(_) | Self::Empty | Self::None => None,
        }
    }
}

/// As [`super::inspect`]; `frame` is tidy.
pub(super) fn inspect(frame: Vec<u8>, asked: &Asked<'_>) -> Result<Inspection, StoreError> {
    let parsed = match Frame::parse(&frame, true) {
        Ok(parsed) => parsed,
        Err(malformed) => {
            return Ok(Inspection {
                frame,
                armored: false,
                fields: Vec::new(),
                parsed: Err(malformed),
            });
        }
    };
    let mut findings = Vec::new();
    if let Some(keyring) = asked.keyring {
        let groups = keyring.groups().iter();
        for group in
            groups.filter(|group| asked.topic.is_none_or(|topic| group.topic.matches(topic)))
        {
            findings.extend(in_group(&parsed, keyring, group, asked)?);
        }
    }
    let keys = PreparedKeys::from(&ClassicKeys::of_the_article());
    let fit = fit(
        &parsed,
        &keys,
        &candidates(asked.sessions, None, None)?,
        None,
    );
    findings.push(Finding::new(&parsed, &keys, fit, |_| None));
    let layout = parsed.layout();
    Ok(Inspection {
        fields: fields(&frame, layout),
        frame,
        armored: false,
        parsed: Ok(Parsed::Classic { layout, findings }),
    })
}

fn in_group(
    frame: &Frame,
    keyring: &Keyring,
    group: &Group,
    asked: &Asked<'_>,
) -> Result<Vec<Finding>, StoreError> {
    let candidates = candidates(asked.sessions, asked.store, Some(group))?;
    let name = |device: usize| Some(Arc::clone(&keyring.devices().get(device)?.name));
    let device = |field: &[u8]| {
        let address = match (NodeField::parse(field), group.scheme.layout) {
            (_, Layout::Port) => asked.topic?.as_bytes(),
            (NodeField::Reading(node) | NodeField::Command(node), _) => node,
            (NodeField::Peer { from, .. }, _) => from,
        };
        name(group.device(address)?)
    };
    let finding = |keys: &KeySet| {
        let fit = fit(frame, &keys.keys, &candidates, Some(group.scheme));
        let fit = fit.map(|fit| Fit {
            session_life: Some(group.times.life),
            ..fit
        });
        Finding {
            group: Some(Arc::clone(&group.name)),
            owner: keys.owner.and_then(name),
            ..Finding::new(frame, &keys.keys, fit, device)
        }
    };
    Ok(group.key_sets.iter().map(finding).collect())
}

impl Finding {
    fn new(
        frame: &Frame,
        keys: &PreparedKeys,
        fit: Option<Fit>,
        device: impl Fn(&[u8]) -> Option<Arc<str>>,
    ) -> Self {
        let fit = fit.map(|fit| Fit {
            device: device(fit.opened.node()),
            ..fit
        });
        // Layout `port` has no node field, and its MAC comes first: nothing more can be told.
        let told =
            (fit.is_none() && frame.layout() != Layout::Port).then(|| Unverified::new(frame, keys));
        Self {
            group: None,
            owner: None,
            iv_fits: fit.is_some() || told.as_ref().is_some_and(Unverified::iv_fits),
            claims: told.as_ref().and_then(Unverified::node).map(|node| Claims {
                node: node.to_vec(),
                device: device(node),
            }),
            fit,
        }
    }
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
            session_life: None,
            device: None,
            opened,
        });
    }
    None
}

/// Where the fields of a frame that was parsed stand.
pub(super) fn fields(frame: &[u8], layout: Layout) -> Vec<Field> {
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
