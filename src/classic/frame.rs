//! Bytes to fields: parsing needs no key (`CLASSIC.md`, O1 to O3).

use core::fmt;

use xxhash_rust::xxh3::xxh3_128_with_seed;

use super::scheme::Layout;
use crate::malformed::{Malformed, MalformedReason};
use crate::plaintext::Bytes;
use crate::primitives::{BLOCK, HMAC_SHA1};

/// A classic frame has at most this many bytes on the wire.
pub const FRAME_BYTES_MAX: usize = 2048;

/// Where the raw layout has its commas, and the hex layout its field ends.
const MAC_DIGITS: usize = 2 * HMAC_SHA1;
const IV_DIGITS: usize = 2 * BLOCK;

/// A frame, parsed and not yet believed.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    pub(super) layout: Layout,
    /// `enc_iv`, `enc_node` and `enc_data`: whole blocks.
    pub(super) ciphertext: Bytes,
    pub(super) node_blocks: usize,
    pub(super) mac: [u8; HMAC_SHA1],
}

impl Frame {
    /// Reads the exact form of any layout; `port` only where the keyring has it on this topic.
    ///
    /// # Errors
    /// [`Malformed`], with the reason and the offset.
    pub fn parse(bytes: &[u8], port_allowed: bool) -> Result<Self, Malformed> {
        let mut frame = Self::blank();
        frame.read(bytes, || port_allowed)?;
        Ok(frame)
    }

    /// Nothing read yet.
    pub(crate) fn blank() -> Self {
        Self {
            layout: Layout::Hex,
            ciphertext: Bytes::new(),
            node_blocks: 0,
            mac: [0; HMAC_SHA1],
        }
    }

    /// As [`Self::parse`], where the frame is wanted, and where it costs something to know what is
    /// allowed. After an error the frame means nothing.
    pub(crate) fn read(
        &mut self,
        bytes: &[u8],
        port_allowed: impl FnOnce() -> bool,
    ) -> Result<(), Malformed> {
        // O1
        if bytes.len() > FRAME_BYTES_MAX {
            return Err(Malformed::new(MalformedReason::TooLong, FRAME_BYTES_MAX));
        }
        // O2
        if let Some((enc_iv, enc_node, enc_data, mac)) = split_raw(bytes) {
            self.read_raw(enc_iv, enc_node, enc_data, mac)
        } else if split_usual_hex(bytes).is_some_and(|fields| self.read_hex(fields).is_ok()) {
            Ok(())
        } else if let Some(fields) = split_hex(bytes) {
            self.read_hex(fields)
        } else if !bytes.is_empty() && bytes.iter().all(u8::is_ascii_hexdigit) && port_allowed() {
            self.read_port(bytes)
        } else {
            Err(Malformed::new(MalformedReason::Unrecognised, 0))
        }
    }

    /// O3, `raw`.
    fn read_raw(
        &mut self,
        enc_iv: &[u8; BLOCK],
        enc_node: Option<&[u8; BLOCK]>,
        enc_data: &[u8],
        mac_digits: &[u8],
    ) -> Result<(), Malformed> {
        const NODE_END: usize = 2 * BLOCK + 1;
        let separator = Malformed::new(MalformedReason::MissingSeparator, NODE_END);
        let Some(enc_node) = enc_node else {
            return Err(separator);
        };
        if !enc_data.len().is_multiple_of(BLOCK) {
            return Err(separator);
        }
        self.layout = Layout::Raw;
        self.ciphertext.clear();
        self.ciphertext.extend_from_slice(enc_iv);
        self.ciphertext.extend_from_slice(enc_node);
        self.ciphertext.extend_from_slice(enc_data);
        self.node_blocks = 1;
        decode(mac_digits, &mut self.mac, NODE_END + 1 + enc_data.len() + 1)
    }

    /// O3, `hex`: first the lengths, left to right, then the digits.
    fn read_hex(&mut self, fields: [&[u8]; 4]) -> Result<(), Malformed> {
        let [iv, node, data, mac_digits] = fields;
        let node_at = iv.len() + 1;
        let data_at = node_at + node.len() + 1;
        let mac_at = data_at + data.len() + 1;
        for (right, offset) in [
            (iv.len() == IV_DIGITS, 0),
            (node.len() % (2 * BLOCK) == 0, node_at),
            (data.len() % (2 * BLOCK) == 0, data_at),
            (mac_digits.len() == MAC_DIGITS, mac_at),
        ] {
            if !right {
                return Err(Malformed::new(MalformedReason::FieldLength, offset));
            }
        }
        self.layout = Layout::Hex;
        self.node_blocks = node.len() / (2 * BLOCK);
        self.ciphertext = zeros(BLOCK + node.len() / 2 + data.len() / 2);
        let (enc_iv, rest) = self.ciphertext.split_at_mut(BLOCK);
        let (enc_node, enc_data) = rest.split_at_mut(node.len() / 2);
        decode(iv, enc_iv, 0)?;
        decode(node, enc_node, node_at)?;
        decode(data, enc_data, data_at)?;
        decode(mac_digits, &mut self.mac, mac_at)
    }

    /// O2, `port`: `enc_iv` 16, `enc_data` 16m, tag 20 bytes, m ≥ 1.
    fn read_port(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        let wrong_length = Malformed::new(MalformedReason::PortLength, bytes.len());
        if bytes.len() < IV_DIGITS + 2 * BLOCK + MAC_DIGITS {
            return Err(wrong_length);
        }
        let (ciphertext, tag) = bytes.split_at(bytes.len() - MAC_DIGITS);
        if ciphertext.len() % (2 * BLOCK) != 0 {
            return Err(wrong_length);
        }
        self.layout = Layout::Port;
        self.node_blocks = 0;
        self.ciphertext = zeros(ciphertext.len() / 2);
        decode(ciphertext, &mut self.ciphertext, 0)?;
        decode(tag, &mut self.mac, ciphertext.len())
    }

    /// Which layout it has.
    #[must_use]
    pub const fn layout(&self) -> Layout {
        self.layout
    }

    /// The 20 bytes by which a second copy is known, across layouts.
    #[must_use]
    pub const fn mac(&self) -> &[u8; HMAC_SHA1] {
        &self.mac
    }

    /// What a copy of this very frame has in common with it, in whichever layout and case, besides
    /// its MAC. No secret and no proof: it tells a retained copy (`duplicate`) from a changed one
    /// (`forged`), both of which are refused.
    #[must_use]
    pub(crate) fn fingerprint(&self) -> [u8; 16] {
        xxh3_128_with_seed(&self.ciphertext, self.node_blocks as u64).to_be_bytes()
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame {{ layout: {:?}, .. }}", self.layout)
    }
}

type RawFields<'a> = (&'a [u8; BLOCK], Option<&'a [u8; BLOCK]>, &'a [u8], &'a [u8]);

/// O2, `raw`: length ≡ 11 (mod 16), a comma at byte 16, the last 41 bytes a comma and 40 digits.
/// The node block is None if byte 33 is no comma.
fn split_raw(bytes: &[u8]) -> Option<RawFields<'_>> {
    if bytes.len() % BLOCK != 11 || bytes.get(BLOCK) != Some(&b',') {
        return None;
    }
    let (enc_iv, rest) = bytes.split_first_chunk::<BLOCK>()?;
    let (b',', rest) = rest.split_first()? else {
        return None;
    };
    let (rest, mac) = rest.split_at_checked(rest.len().checked_sub(MAC_DIGITS)?)?;
    let (b',', rest) = rest.split_last()? else {
        return None;
    };
    if !mac.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    match rest.split_first_chunk::<BLOCK>() {
        Some((node, [b',', data @ ..])) => Some((enc_iv, Some(node), data, mac)),
        _ => Some((enc_iv, None, rest, mac)),
    }
}

/// Whether the bytes have the shape of a raw frame, which no other format may claim.
pub(crate) fn has_raw_shape(bytes: &[u8]) -> bool {
    split_raw(bytes).is_some()
}

/// O2, `hex`, where the node field has one block, as each that can be listed has: the commas are
/// looked for where they should be. If that is none, what is wrong with it is found the long way.
fn split_usual_hex(bytes: &[u8]) -> Option<[&[u8]; 4]> {
    let (iv, rest) = bytes.split_first_chunk::<IV_DIGITS>()?;
    let (b',', rest) = rest.split_first()? else {
        return None;
    };
    let (node, rest) = rest.split_first_chunk::<{ 2 * BLOCK }>()?;
    let (b',', rest) = rest.split_first()? else {
        return None;
    };
    let (rest, mac) = rest.split_last_chunk::<MAC_DIGITS>()?;
    let (b',', data) = rest.split_last()? else {
        return None;
    };
    Some([iv, node, data, mac])
}

/// O2, `hex`: three commas.
fn split_hex(bytes: &[u8]) -> Option<[&[u8]; 4]> {
    let mut commas = memchr::memchr_iter(b',', bytes);
    let (first, second, third) = (commas.next()?, commas.next()?, commas.next()?);
    if commas.next().is_some() {
        return None;
    }
    Some([
        bytes.get(..first)?,
        bytes.get(first + 1..second)?,
        bytes.get(second + 1..third)?,
        bytes.get(third + 1..)?,
    ])
}

/// A buffer to decode into, without an allocation for the usual length.
fn zeros(length: usize) -> Bytes {
    let inline = [0; 128];
    match length <= inline.len() {
        true => Bytes::from_buf_and_len(inline, length),
        false => Bytes::from_elem(0, length),
    }
}

/// Hex digits of either case into exactly `to`; on failure says where the first other byte is.
fn decode(digits: &[u8], to: &mut [u8], offset: usize) -> Result<(), Malformed> {
    match const_hex::decode_to_slice(digits, to) {
        Ok(()) => Ok(()),
        Err(_) => {
            let bad = digits.iter().position(|byte| !byte.is_ascii_hexdigit());
            let offset = offset + bad.unwrap_or(0);
            Err(Malformed::new(MalformedReason::NotHex, offset))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The decoder tolerates this prefix; the frame does not.
    #[test]
    fn a_prefix_of_0x_is_no_pair_of_digits() {
        let frame = [&b"0"[..]; 32].concat();
        let frame = [
            &*frame,
            b",",
            &*frame,
            b",",
            &*frame,
            b",",
            &*frame,
            b"00000000",
        ]
        .concat();
        assert!(Frame::parse(&frame, false).is_ok());
        for at in [0, 33, 66, 99] {
            for prefix in [b"0x", b"0X"] {
                let mut changed = frame.clone();
                changed[at..at + 2].copy_from_slice(prefix);
                let malformed = Frame::parse(&changed, false).unwrap_err();
                assert_eq!(malformed.reason, MalformedReason::NotHex);
                assert_eq!(malformed.offset, at + 1);
            }
        }
    }
}
