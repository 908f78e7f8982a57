//! A frame to its plaintext (`SEALED.md`, O5 to O8).

use core::fmt;

use zeroize::Zeroize;

use super::frame::Frame;
use super::keys::{FrameKeys, Session};
use crate::plaintext::Bytes;
use crate::primitives::siv::tag_eq;

/// What a frame held, and under which session it verified.
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    /// Its place among those that were tried; 0 for an unbound frame.
    pub session: usize,
    /// The plaintext.
    pub plaintext: Vec<u8>,
}

/// A plaintext stays out of logs.
impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened")
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}

/// Opens a frame under the first of `sessions` that it verifies under; an unbound frame under
/// none of them, and one of the other direction under no key. None is `forged`.
#[must_use]
pub fn open<'s>(
    frame: &Frame<'_>,
    keys: &FrameKeys,
    sessions: impl IntoIterator<Item = &'s Session>,
    context: &[u8],
) -> Option<Opened> {
    let mut plain = Bytes::new();
    let session = open_into(&mut plain, frame, keys, sessions, context)?;
    Some(Opened {
        session,
        plaintext: plain.into_vec(),
    })
}

/// As [`open`], into a buffer that is overwritten; answers with the session's place. Without an
/// answer the buffer is empty.
pub(crate) fn open_into<'s>(
    plain: &mut Bytes,
    frame: &Frame<'_>,
    keys: &FrameKeys,
    sessions: impl IntoIterator<Item = &'s Session>,
    context: &[u8],
) -> Option<usize> {
    plain.clear();
    // O5
    if frame.header().direction != keys.direction {
        return None;
    }
    let (header, tag, ciphertext) = frame.parts();
    let tag = u128::from_be_bytes(tag);
    let siv = &keys.siv;
    // O6
    plain.extend_from_slice(ciphertext);
    siv.crypt(tag, plain);
    // O7, O8
    let (header, context) = (siv.component(header), siv.component(context));
    let verifies = |session: &[u8]| {
        let expected = siv.tag(&[header, siv.component(session), context], plain);
        bool::from(tag_eq(expected, tag))
    };
    let session = if frame.header().bound {
        sessions.into_iter().position(|session| verifies(session))
    } else {
        verifies(b"").then_some(0)
    };
    if session.is_none() {
        plain.zeroize();
        plain.clear();
    }
    session
}
