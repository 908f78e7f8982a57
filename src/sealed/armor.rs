//! A binary frame as text (`SEALED.md`, *Text armor*): one frame has one text.

use std::borrow::Cow;

use base64ct::{Base64UrlUnpadded, Encoding};

use super::frame::FRAME_BYTES_MAX;
use crate::malformed::{Malformed, MalformedReason};

/// The text of a frame.
#[must_use]
pub fn armor(frame: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(frame)
}

/// The frame of a text.
///
/// # Errors
/// [`Malformed`], with the reason and the offset in the text; of a text that is too long, in the
/// frame.
pub fn disarm(text: &[u8]) -> Result<Cow<'static, [u8]>, Malformed> {
    const TEXT_MAX: usize = (FRAME_BYTES_MAX * 4).div_ceil(3);
    if text.len() > TEXT_MAX {
        return Err(Malformed::new(MalformedReason::TooLong, FRAME_BYTES_MAX));
    }
    let digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if let Some(offset) = text.iter().position(|byte| !digit(byte)) {
        return Err(Malformed::new(MalformedReason::NotBase64url, offset));
    }
    if text.len() % 4 == 1 {
        return Err(Malformed::new(MalformedReason::ArmorLength, text.len()));
    }
    let decoded = core::str::from_utf8(text)
        .ok()
        .and_then(|text| Base64UrlUnpadded::decode_vec(text).ok());
    // Every character and the length are right: only the trailing bits can be wrong.
    decoded.map(Cow::Owned).ok_or(Malformed::new(
        MalformedReason::TrailingBits,
        text.len().saturating_sub(1),
    ))
}
