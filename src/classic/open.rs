//! Fields to a verified reading (`CLASSIC.md`, O4 to O8, P3).

use core::fmt;

use smallvec::SmallVec;
use subtle::{Choice, ConditionallySelectable};

use super::frame::Frame;
use super::keys::PreparedKeys;
use super::node::NodeField;
use super::scheme::{DataMode, Layout, MacOver, Scheme};
use crate::primitives::{BLOCK, HmacSha1State, aes_cbc_decrypt, mac_eq};

/// What a frame held, after it verified.
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    node: SmallVec<[u8; BLOCK]>,
    /// The IV, as the sender drew it.
    pub iv: [u8; BLOCK],
    /// The data.
    pub data: Vec<u8>,
    /// Which of the sessions it verified under; 0 in layout `port`.
    pub session: usize,
}

impl Opened {
    /// The node field, its padding stripped; empty in layout `port`.
    #[must_use]
    pub fn node(&self) -> &[u8] {
        &self.node
    }

    /// The node field, read.
    #[must_use]
    pub fn field(&self) -> NodeField<'_> {
        NodeField::parse(&self.node)
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opened { .. }")
    }
}

/// Opens a frame under one key set. `sessions` are the exact bytes that enter the MAC; layout
/// `port` has none. None is the one opaque answer: no session fits, or tampered, or a wrong key.
#[must_use]
pub fn open<S: AsRef<[u8]>>(
    frame: &Frame,
    keys: &PreparedKeys,
    sessions: &[S],
    scheme: &Scheme,
) -> Option<Opened> {
    match (frame.layout, scheme.layout) {
        (Layout::Port, Layout::Port) => open_port(frame, keys),
        (Layout::Hex | Layout::Raw, Layout::Hex | Layout::Raw) => {
            open_under_sessions(frame, keys, sessions, scheme)
        }
        (Layout::Port, _) | (_, Layout::Port) => None,
    }
}

fn open_under_sessions<S: AsRef<[u8]>>(
    frame: &Frame,
    keys: &PreparedKeys,
    sessions: &[S],
    scheme: &Scheme,
) -> Option<Opened> {
    // O4
    let mut blocks = frame.body.clone();
    let (node, data) = blocks.split_at_mut_checked(frame.node_blocks)?;
    let iv = decrypt_iv(frame, keys);
    aes_cbc_decrypt(&keys.data_cipher, &iv, node);
    aes_cbc_decrypt(&keys.data_cipher, &iv, data);
    let (padded_node, padded_data) = (node.as_flattened(), data.as_flattened());

    // O5
    let node = strip(padded_node);
    let text = strip(padded_data);
    let candidates: &mut dyn Iterator<Item = (&[u8], Choice)> = match scheme.data {
        DataMode::Text => &mut core::iter::once((text, Choice::from(1))),
        DataMode::Binary => &mut (0..BLOCK).rev().map(|dropped| {
            let kept = padded_data.len().saturating_sub(dropped);
            let (candidate, rest) = padded_data.split_at(kept);
            let zero = rest.iter().fold(0, |sum, byte| sum | byte) == 0;
            let exists = rest.len() == dropped;
            (candidate, Choice::from(u8::from(zero & exists)))
        }),
    };

    // O6, O7: all are computed; the longest candidate that fits is the last one taken.
    let mut state = keys.mac.start();
    state.update(match scheme.mac {
        MacOver::Unpadded => node,
        MacOver::Padded => padded_node,
    });
    state.update(&iv);
    let mut found = Choice::from(0);
    let mut length = 0_u64;
    let mut session = 0_u64;
    for (candidate, possible) in candidates {
        let mut state = state.clone();
        state.update(match scheme.mac {
            MacOver::Unpadded => candidate,
            MacOver::Padded => padded_data,
        });
        for (index, id) in sessions.iter().enumerate() {
            let fits = possible & mac_fits(&state, id.as_ref(), frame);
            found |= fits;
            length.conditional_assign(&(candidate.len() as u64), fits);
            session.conditional_assign(&(index as u64), fits);
        }
    }
    if !bool::from(found) {
        return None;
    }
    Some(Opened {
        node: SmallVec::from_slice(node),
        iv,
        data: padded_data.get(..usize::try_from(length).ok()?)?.to_vec(),
        session: usize::try_from(session).ok()?,
    })
}

/// P3
fn open_port(frame: &Frame, keys: &PreparedKeys) -> Option<Opened> {
    let mut state = keys.mac.start();
    state.update(&frame.enc_iv);
    if !bool::from(mac_fits(&state, frame.body.as_flattened(), frame)) {
        return None;
    }
    let iv = decrypt_iv(frame, keys);
    let mut data = frame.body.clone();
    aes_cbc_decrypt(&keys.data_cipher, &iv, &mut data);
    let mut data = data.as_flattened().to_vec();
    let padding = usize::from(*data.last()?);
    let kept = data.len().checked_sub(padding)?;
    let right = (1..=BLOCK).contains(&padding)
        && data
            .iter()
            .skip(kept)
            .all(|&byte| usize::from(byte) == padding);
    data.truncate(kept);
    right.then_some(Opened {
        node: SmallVec::new(),
        iv,
        data,
        session: 0,
    })
}

/// `HMAC-SHA1(passphrase, what state has seen || rest)` against the frame's, in constant time.
fn mac_fits(state: &HmacSha1State<'_>, rest: &[u8], frame: &Frame) -> Choice {
    let mut state = state.clone();
    state.update(rest);
    mac_eq(&state.finish(), &frame.mac)
}

fn decrypt_iv(frame: &Frame, keys: &PreparedKeys) -> [u8; BLOCK] {
    let mut iv = [frame.enc_iv];
    aes_cbc_decrypt(&keys.iv_cipher, keys.static_iv.expose(), &mut iv);
    let [iv] = iv;
    iv
}

/// Without its trailing NULs.
fn strip(padded: &[u8]) -> &[u8] {
    let length = padded
        .iter()
        .rposition(|&byte| byte != 0)
        .map_or(0, |last| last + 1);
    padded.split_at(length).0
}
