//! A frame to its plaintext (`SEALED.md`, O5 to O8).

use core::fmt;

use zeroize::Zeroize;

use super::frame::Frame;
use super::keys::{FrameKeys, Session};
use crate::plaintext::Bytes;
use crate::primitives::siv::{Prefix, tag_eq};

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
    let mut prefix = Prefix::default();
    let session = open_into(&mut plain, frame, keys, &mut prefix, sessions, context)?;
    Some(Opened {
        session,
        plaintext: plain.into_vec(),
    })
}

/// As [`open`], into a buffer that is overwritten; answers with the session's place. Without an
/// answer the buffer is empty. `prefix` is of earlier frames under these keys.
pub(crate) fn open_into<'s>(
    plain: &mut Bytes,
    frame: &Frame<'_>,
    keys: &FrameKeys,
    prefix: &mut Prefix,
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
    let header = siv.header(header, prefix);
    let context = (!context.is_empty()).then(|| siv.component(context));
    let verifies = |session: &[u8]| {
        let session = siv.component(session);
        let mixed = match context {
            None => siv.mix_frame(header, session),
            Some(context) => siv.mix(&[header, session, context]),
        };
        bool::from(tag_eq(siv.tag(mixed, plain), tag))
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
