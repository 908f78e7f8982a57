//! Fields to a verified reading (`CLASSIC.md`, O4 to O8, P3).

use core::fmt;
use core::ops::Range;

use subtle::{Choice, ConditionallySelectable};

use super::frame::Frame;
use super::keys::PreparedKeys;
use super::node::NodeField;
use super::scheme::{DataMode, Layout, MacOver, Scheme};
use crate::plaintext::{Bytes, Plaintext};
use crate::primitives::{BLOCK, HmacSha1State, aes_cbc_decrypt, mac_eq};

/// What a frame held, after it verified.
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    /// The data, in the buffer that the node field is in too.
    pub(crate) plaintext: Plaintext,
    node: Range<usize>,
    /// The IV, as the sender drew it.
    pub iv: [u8; BLOCK],
    /// Which of the sessions it verified under; 0 in layout `port`.
    pub session: usize,
}

impl Opened {
    /// The node field, its padding stripped; empty in layout `port`.
    #[must_use]
    pub fn node(&self) -> &[u8] {
        let node = self.node.clone();
        self.plaintext.buffer().get(node).unwrap_or_default()
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
    let mut plain = Bytes::new();
    let fit = open_into(&mut plain, frame, keys, [sessions, &[]], scheme)?;
    Some(Opened {
        iv: *plain.first_chunk()?,
        plaintext: Plaintext::new(plain, fit.data),
        node: fit.node,
        session: fit.session,
    })
}

/// Where a frame that verified has what, after it was decrypted.
pub(crate) struct Fit {
    pub(crate) node: Range<usize>,
    pub(crate) data: Range<usize>,
    pub(crate) session: usize,
}

/// As [`open`], into a buffer that is overwritten; under the second sessions if none of the first
/// fits, counted on. Without an answer nothing in it is believed.
pub(crate) fn open_into<S: AsRef<[u8]>>(
    plain: &mut Bytes,
    frame: &Frame,
    keys: &PreparedKeys,
    sessions: [&[S]; 2],
    scheme: &Scheme,
) -> Option<Fit> {
    plain.clear();
    plain.extend_from_slice(&frame.ciphertext);
    match (frame.layout, scheme.layout) {
        (Layout::Port, Layout::Port) => open_port(plain, frame, keys),
        (Layout::Hex | Layout::Raw, Layout::Hex | Layout::Raw) => {
            open_under_sessions(plain, frame, keys, sessions, scheme)
        }
        (Layout::Port, _) | (_, Layout::Port) => None,
    }
}

fn open_under_sessions<S: AsRef<[u8]>>(
    plain: &mut [u8],
    frame: &Frame,
    keys: &PreparedKeys,
    sessions: [&[S]; 2],
    scheme: &Scheme,
) -> Option<Fit> {
    // O4
    let (iv, rest) = decrypt_iv(plain, keys)?;
    let (padded_node, padded_data) = rest.split_at_mut_checked(frame.node_blocks * BLOCK)?;
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
    // O6
    let (length, session) = match scheme.data {
        DataMode::Text => {
            let data = strip(padded_data);
            state.update(match scheme.mac {
                MacOver::Unpadded => data,
                MacOver::Padded => padded_data,
            });
            under_sessions(sessions, |fits, sessions| {
                fits.try_sessions(&state, data.len(), sessions, frame, Choice::from(1));
            })
        }
        DataMode::Binary => under_sessions(sessions, |fits, sessions| {
            for (candidate, exists) in candidates(padded_data) {
                let mut state = state.clone();
                state.update(match scheme.mac {
                    MacOver::Unpadded => candidate,
                    MacOver::Padded => padded_data,
                });
                fits.try_sessions(&state, candidate.len(), sessions, frame, exists);
            }
        }),
    }?;
    let start = BLOCK + padded_node.len();
    Some(Fit {
        node: BLOCK..BLOCK + node.len(),
        data: start..start + length,
        session,
    })
}

/// O6: under the first sessions, and if none fits, under the second. The length of the data that
/// fits, and the place of the session in both (O7).
fn under_sessions<S>(
    [first, second]: [&[S]; 2],
    try_each: impl Fn(&mut Fits, &[S]),
) -> Option<(usize, usize)> {
    let fitting = |sessions| {
        let mut fits = Fits::default();
        try_each(&mut fits, sessions);
        fits.found()
    };
    let in_second = |(length, session)| (length, first.len() + session);
    fitting(first).or_else(|| fitting(second).map(in_second))
}

/// O5, `binary`: the longest comes last, so that it is the one taken. Whether it exists is no
/// reason not to compute it.
fn candidates(padded_data: &[u8]) -> impl Iterator<Item = (&[u8], Choice)> {
    (0..BLOCK).rev().map(|dropped| {
        let kept = padded_data.len().saturating_sub(dropped);
        let (candidate, rest) = padded_data.split_at(kept);
        let zero = rest.iter().fold(0, |sum, byte| sum | byte) == 0;
        let exists = rest.len() == dropped;
        (candidate, Choice::from(u8::from(zero & exists)))
    })
}

/// Which candidate and session fit, chosen in constant time.
#[derive(Default)]
struct Fits {
    /// 0 while none does.
    found: u64,
}

impl Fits {
    /// All are computed, whichever fits.
    fn try_sessions<S: AsRef<[u8]>>(
        &mut self,
        seen: &HmacSha1State<'_>,
        length: usize,
        sessions: &[S],
        frame: &Frame,
        possible: Choice,
    ) {
        seen.finish_each(sessions, |session, mac| {
            self.note(length, session, possible & mac_eq(mac, &frame.mac));
        });
    }

    /// A frame has at most 2048 bytes; of sessions there are few.
    fn note(&mut self, length: usize, session: usize, fits: Choice) {
        let found = 1 << 63 | (length as u64) << 32 | session as u64;
        self.found.conditional_assign(&found, fits);
    }

    fn found(&self) -> Option<(usize, usize)> {
        let length = usize::try_from(self.found << 1 >> 33).ok()?;
        let session = usize::try_from(self.found & u64::from(u32::MAX)).ok()?;
        (self.found != 0).then_some((length, session))
    }
}

/// P3
fn open_port(plain: &mut [u8], frame: &Frame, keys: &PreparedKeys) -> Option<Fit> {
    let mut fits = Choice::from(0);
    let seen = keys.mac.start();
    seen.finish_each(&[&*frame.ciphertext], |_, mac| {
        fits = mac_eq(mac, &frame.mac);
    });
    if !bool::from(fits) {
        return None;
    }
    let (iv, data) = decrypt_iv(plain, keys)?;
    aes_cbc_decrypt(&keys.data_cipher, &iv, data.as_chunks_mut().0);
    let padding = usize::from(*data.last()?);
    let kept = data.len().checked_sub(padding)?;
    let right = (1..=BLOCK).contains(&padding)
        && data
            .iter()
            .skip(kept)
            .all(|&byte| usize::from(byte) == padding);
    right.then_some(Fit {
        node: 0..0,
        data: BLOCK..BLOCK + kept,
        session: 0,
    })
}

/// Decrypts the first block, and splits it off.
pub(super) fn decrypt_iv<'a>(
    plain: &'a mut [u8],
    keys: &PreparedKeys,
) -> Option<([u8; BLOCK], &'a mut [u8])> {
    let (iv, rest) = plain.split_first_chunk_mut()?;
    aes_cbc_decrypt(
        &keys.iv_cipher,
        keys.static_iv.expose(),
        core::slice::from_mut(iv),
    );
    Some((*iv, rest))
}

/// Whole blocks without their trailing NULs.
pub(super) fn strip(padded: &[u8]) -> &[u8] {
    let (blocks, _) = padded.as_chunks::<BLOCK>();
    let mut length = padded.len();
    for block in blocks.iter().rev() {
        let zeros = u128::from_le_bytes(*block).leading_zeros() / u8::BITS;
        length -= zeros as usize;
        if zeros as usize != BLOCK {
            break;
        }
    }
    padded.split_at(length).0
}
