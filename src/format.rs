//! Which format a payload has (`SEALED.md`, *Telling formats apart*).

use crate::classic::has_raw_shape;
use crate::sealed::{ARMOR_START, MAGIC};

/// Whether a payload is a sealed frame, binary or armored, rather than a classic one or nothing.
/// One raw classic frame in 256 begins with 0xF5, so that its shape is asked first.
#[must_use]
pub fn is_sealed(payload: &[u8]) -> bool {
    let claims = payload.first() == Some(&MAGIC) || payload.starts_with(ARMOR_START);
    claims && !has_raw_shape(payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raw_frame_that_begins_like_a_sealed_one_is_raw() {
        let mut raw = vec![0; 17 + 17 + 16];
        raw[16] = b',';
        raw[33] = b',';
        raw.push(b',');
        raw.extend([b'0'; 40]);
        for start in [&[MAGIC, 0x00], ARMOR_START] {
            raw[..2].copy_from_slice(start);
            assert!(!is_sealed(&raw));
            raw.push(0);
            assert!(is_sealed(&raw));
            raw.pop();
        }
        assert!(!is_sealed(b"") && !is_sealed(b"9q") && !is_sealed(b"\xf4"));
    }
}
