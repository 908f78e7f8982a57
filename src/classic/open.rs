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
    let mut plain = Bytes::new();
    let fit = open_into(&mut plain, frame, keys, sessions, scheme)?;
    Some(Opened {
        plaintext: Plaintext::new(plain, fit.data),
        node: fit.node,
        iv: fit.iv,
        session: fit.session,
    })
}

/// Where a frame that verified has what, after it was decrypted.
pub(crate) struct Fit {
    /// How long the node field is, with which the buffer begins.
    pub(crate) node: usize,
    pub(crate) data: Range<usize>,
    pub(crate) session: usize,
    iv: [u8; BLOCK],
}

/// As [`open`], into a buffer that is overwritten. Without an answer nothing in it is believed.
pub(crate) fn open_into<S: AsRef<[u8]>>(
    plain: &mut Bytes,
    frame: &Frame,
    keys: &PreparedKeys,
    sessions: &[S],
    scheme: &Scheme,
) -> Option<Fit> {
    plain.clear();
    plain.extend_from_slice(&frame.body);
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
    sessions: &[S],
    scheme: &Scheme,
) -> Option<Fit> {
    // O4
    let start = frame.node_blocks * BLOCK;
    let (padded_node, padded_data) = plain.split_at_mut_checked(start)?;
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
    let mut fits = Fits::default();
    let mut try_candidate = |state: &mut HmacSha1State<'_>, candidate: &[u8], possible: Choice| {
        state.update(match scheme.mac {
            MacOver::Unpadded => candidate,
            MacOver::Padded => padded_data,
        });
        state.finish_each(sessions, |session, mac| {
            let fits_here = possible & mac_eq(mac, &frame.mac);
            fits.note(candidate.len(), session, fits_here);
        });
    };
    // O6: all are computed; the longest candidate that fits is the last one taken.
    match scheme.data {
        DataMode::Text => try_candidate(&mut state, strip(padded_data), Choice::from(1)),
        DataMode::Binary => {
            for dropped in (0..BLOCK).rev() {
                let kept = padded_data.len().saturating_sub(dropped);
                let (candidate, rest) = padded_data.split_at(kept);
                let zero = rest.iter().fold(0, |sum, byte| sum | byte) == 0;
                let exists = rest.len() == dropped;
                let possible = Choice::from(u8::from(zero & exists));
                try_candidate(&mut state.clone(), candidate, possible);
            }
        }
    }
    // O7
    let (length, session) = fits.found()?;
    Some(Fit {
        node: node.len(),
        data: start..start + length,
        session,
        iv,
    })
}

/// Which candidate and session fit, chosen in constant time.
#[derive(Default)]
struct Fits {
    /// 0 while none does.
    found: u64,
}

impl Fits {
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
    let mut state = keys.mac.start();
    state.update(&frame.enc_iv);
    let mut fits = Choice::from(0);
    state.finish_each(&[&*frame.body], |_, mac| fits = mac_eq(mac, &frame.mac));
    if !bool::from(fits) {
        return None;
    }
    let iv = decrypt_iv(frame, keys);
    aes_cbc_decrypt(&keys.data_cipher, &iv, plain.as_chunks_mut().0);
    let padding = usize::from(*plain.last()?);
    let kept = plain.len().checked_sub(padding)?;
    let right = (1..=BLOCK).contains(&padding)
        && plain
            .iter()
            .skip(kept)
            .all(|&byte| usize::from(byte) == padding);
    right.then_some(Fit {
        node: 0,
        data: 0..kept,
        session: 0,
        iv,
    })
}

pub(super) fn decrypt_iv(frame: &Frame, keys: &PreparedKeys) -> [u8; BLOCK] {
    let mut iv = [frame.enc_iv];
    aes_cbc_decrypt(&keys.iv_cipher, keys.static_iv.expose(), &mut iv);
    let [iv] = iv;
    iv
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
