//! What a frame is made of, and why it does not open: for people, not for receivers.
//!
//! A receiver answers one opaque `forged`. Here the owner of the keys asks, so everything that
//! commonly goes wrong is tried, and said.

mod classic;
mod mistake;
mod sealed;
mod sealed_keys;
mod sealed_sessions;
#[cfg(test)]
mod tests_classic;
#[cfg(test)]
mod tests_sealed;

use std::borrow::Cow;

pub use self::classic::{Claims, Finding, Fit, FitSession};
pub use self::mistake::Mistake;
pub use self::sealed::{Listed, SealedFinding, SealedFit, SealedInspection};
pub use self::sealed_keys::KeysOf;
pub use self::sealed_sessions::{DeviceSessionAge, SealedSession, SessionsTried};
use crate::classic::Layout;
use crate::error::Error;
use crate::format::is_sealed;
use crate::keyring::Keyring;
use crate::malformed::Malformed;
use crate::sealed::{ARMOR_START, disarm};
use crate::store::Store;

/// What [`inspect`] found.
#[derive(Debug)]
pub struct Inspection {
    /// The frame: a text without the white space of a paste, the bytes of an armored one. Offsets
    /// count from its start.
    pub frame: Vec<u8>,
    /// Whether it came as armor, which could be undone.
    pub armored: bool,
    /// Its fields, in the order in which they stand; of a malformed one none, unless it claims to
    /// be sealed and is long enough to have them.
    pub fields: Vec<Field>,
    /// What it is, or why it is no frame.
    pub parsed: Result<Parsed, Malformed>,
}

/// A frame of either format, and what came of the keys.
#[derive(Debug)]
pub enum Parsed {
    /// A classic frame.
    Classic {
        /// How it is written.
        layout: Layout,
        /// One finding for each key set that was tried; the article's keys come last.
        findings: Vec<Finding>,
    },
    /// A sealed frame.
    Sealed(Box<SealedInspection>),
}

/// One field on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// As in `CLASSIC.md` (`enc_iv`, `enc_node`, `enc_data`, `mac`) and in `SEALED.md` (`magic`,
    /// `flags`, `epoch`, `address`, `counter`, `V`, `C`).
    pub name: &'static str,
    /// Where it starts, in bytes of [`Inspection::frame`].
    pub offset: usize,
    /// How many bytes of the frame it takes.
    pub size: usize,
}

/// Takes a frame apart, and tries every key of the keyring on it, in every way that senders are
/// known to make frames. `sessions` are tried besides those of the store, as they travel; `topic`
/// leaves those classic groups whose filter does not match.
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
    let frame = tidy(payload);
    let asked = Asked {
        keyring,
        sessions,
        store,
        topic,
    };
    if !is_sealed(&frame) {
        return Ok(classic::inspect(frame.into_owned(), &asked)?);
    }
    let (frame, armored) = match disarmed(&frame) {
        Ok(Some(binary)) => (binary, true),
        Ok(None) => (frame.into_owned(), false),
        Err(malformed) => {
            return Ok(Inspection {
                frame: frame.into_owned(),
                armored: false,
                fields: Vec::new(),
                parsed: Err(malformed),
            });
        }
    };
    let parsed = sealed::inspect(&frame, &asked)?;
    Ok(Inspection {
        fields: sealed::fields(frame.len()),
        parsed: parsed.map(|sealed| Parsed::Sealed(Box::new(sealed))),
        frame,
        armored,
    })
}

/// What is known besides the frame.
struct Asked<'a> {
    keyring: Option<&'a Keyring>,
    sessions: &'a [Vec<u8>],
    store: Option<&'a dyn Store>,
    topic: Option<&'a str>,
}

/// The bytes of an armored frame; None if it is none.
fn disarmed(frame: &[u8]) -> Result<Option<Vec<u8>>, Malformed> {
    frame
        .starts_with(ARMOR_START)
        .then(|| disarm(frame).map(Cow::into_owned))
        .transpose()
}

/// Without white space at both ends and around commas, if it is text (a pasted frame), and
/// without any if it is armor; the receiver takes the exact form only.
#[must_use]
pub fn tidy(payload: &[u8]) -> Cow<'_, [u8]> {
    let is_text = payload
        .iter()
        .all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace());
    if !is_text || !payload.iter().any(u8::is_ascii_whitespace) {
        return Cow::Borrowed(payload);
    }
    if payload.trim_ascii_start().starts_with(ARMOR_START) && !payload.contains(&b',') {
        let kept = payload.iter().filter(|byte| !byte.is_ascii_whitespace());
        return Cow::Owned(kept.copied().collect());
    }
    let fields: Vec<&[u8]> = payload
        .split(|&byte| byte == b',')
        .map(<[u8]>::trim_ascii)
        .collect();
    Cow::Owned(fields.join(&b','))
}
