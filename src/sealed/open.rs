//! A frame to its plaintext (`SEALED.md`, O5 to O8).

use core::fmt;

use super::frame::Frame;
use super::keys::{FrameKeys, Session};
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
    // O5
    if frame.header().direction != keys.direction {
        return None;
    }
    let (header, tag, ciphertext) = frame.parts();
    let tag = u128::from_be_bytes(tag);
    let siv = &keys.siv;
    // O6
    let mut plaintext = ciphertext.to_vec();
    siv.crypt(tag, &mut plaintext);
    // O7, O8
    let (header, context) = (siv.component(header), siv.component(context));
    let verifies = |session: &[u8]| {
        let expected = siv.tag(&[header, siv.component(session), context], &plaintext);
        bool::from(tag_eq(expected, tag))
    };
    let session = if frame.header().bound {
        sessions.into_iter().position(|session| verifies(session))
    } else {
        verifies(b"").then_some(0)
    };
    match session {
        Some(session) => Some(Opened { session, plaintext }),
        None => {
            zeroize::Zeroize::zeroize(&mut plaintext);
            None
        }
    }
}
