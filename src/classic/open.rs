//! Fields to a verified reading (`CLASSIC.md`, O4 to O8, P3).

use core::fmt;

use subtle::{Choice, ConditionallySelectable};

use super::frame::Frame;
use super::keys::PreparedKeys;
use super::node::NodeField;
use super::scheme::{DataMode, Layout, MacOver, Scheme};
use crate::plaintext::{Bytes, Plaintext};
use crate::primitives::{BLOCK, aes_cbc_decrypt, mac_eq};

/// What a frame held, after it verified.
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    /// The data, in a buffer that begins with the node field.
    pub(crate) plaintext: Plaintext,
    node: usize,
    /// The IV, as the sender drew it.
    pub iv: [u8; BLOCK],
    /// Which of the sessions it verified under; 0 in layout `port`.
    pub session: usize,
}

impl Opened {
    /// The node field, its padding stripped; empty in layout `port`.
    #[must_use]
    pub fn node(&self) -> &[u8] {
        self.plaintext.buffer().get(..self.node).unwrap_or_default()
    }

    /// The node field, read.
    #[must_use]
    pub fn field(&self) -> NodeField<'_> {
        NodeField::parse(self.node())
    }

    /// The data.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        self.plaintext.as_bytes()
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
    let mut plain = Bytes::from_slice(&frame.body);
    let node_bytes = frame.node_blocks * BLOCK;
    let (padded_node, padded_data) = plain.split_at_mut_checked(node_bytes)?;
    let iv = decrypt_iv(frame, keys);
    aes_cbc_decrypt(&keys.data_cipher, &iv, padded_node.as_chunks_mut().0);
    aes_cbc_decrypt(&keys.data_cipher, &iv, padded_data.as_chunks_mut().0);
    let (padded_node, padded_data) = (&*padded_node, &*padded_data);

    // O5
    let node = strip(padded_node);
    let mut state = keys.mac.start();
    state.update(match scheme.mac {
        MacOver::Unpadded => node,
        MacOver::Padded => padded_node,
    });
    state.update(&iv);
    let mut fits = Fits {
        any: Choice::from(0),
        length: 0,
        session: 0,
    };
    let mut try_candidate = |candidate: &[u8], possible: Choice| {
        let mut state = state.clone();
        state.update(match scheme.mac {
            MacOver::Unpadded => candidate,
            MacOver::Padded => padded_data,
        });
        state.finish_each(sessions, |session, mac| {
            fits.note(candidate.len(), session, possible & mac_eq(mac, &frame.mac));
        });
    };
    // O6: all are computed; the longest candidate that fits is the last one taken.
    match scheme.data {
        DataMode::Text => try_candidate(strip(padded_data), Choice::from(1)),
        DataMode::Binary => {
            for dropped in (0..BLOCK).rev() {
                let kept = padded_data.len().saturating_sub(dropped);
                let (candidate, rest) = padded_data.split_at(kept);
                let zero = rest.iter().fold(0, |sum, byte| sum | byte) == 0;
                let exists = rest.len() == dropped;
                try_candidate(candidate, Choice::from(u8::from(zero & exists)));
            }
        }
    }
    // O7
    let (length, session) = fits.found()?;
    let node = node.len();
    Some(Opened {
        plaintext: Plaintext::new(plain, node_bytes..node_bytes + length),
        node,
        iv,
        session,
    })
}

/// Which candidate and session fit, chosen in constant time.
struct Fits {
    any: Choice,
    length: u64,
    session: u64,
}

impl Fits {
    fn note(&mut self, length: usize, session: usize, fits: Choice) {
        self.any |= fits;
        self.length.conditional_assign(&(length as u64), fits);
        self.session.conditional_assign(&(session as u64), fits);
    }

    fn found(&self) -> Option<(usize, usize)> {
        if !bool::from(self.any) {
            return None;
        }
        let session = usize::try_from(self.session).ok()?;
        Some((usize::try_from(self.length).ok()?, session))
    }
}

/// P3
fn open_port(frame: &Frame, keys: &PreparedKeys) -> Option<Opened> {
    let mut state = keys.mac.start();
    state.update(&frame.enc_iv);
    let mut fits = Choice::from(0);
    state.finish_each(&[&*frame.body], |_, mac| fits = mac_eq(mac, &frame.mac));
    if !bool::from(fits) {
        return None;
    }
    let iv = decrypt_iv(frame, keys);
    let mut data = Bytes::from_slice(&frame.body);
    aes_cbc_decrypt(&keys.data_cipher, &iv, data.as_chunks_mut().0);
    let padding = usize::from(*data.last()?);
    let kept = data.len().checked_sub(padding)?;
    let right = (1..=BLOCK).contains(&padding)
        && data
            .iter()
            .skip(kept)
            .all(|&byte| usize::from(byte) == padding);
    right.then_some(Opened {
        plaintext: Plaintext::new(data, 0..kept),
        node: 0,
        iv,
        session: 0,
    })
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
