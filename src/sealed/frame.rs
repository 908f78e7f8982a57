//! Bytes to fields: parsing needs no key (`SEALED.md`, O1 to O4).

use core::fmt;
use std::borrow::Cow;

use super::address::Address;
use super::armor::disarm;
use crate::malformed::{Malformed, MalformedReason};

/// A binary frame has at most this many bytes.
pub const FRAME_BYTES_MAX: usize = 16_384;
/// How many bytes a frame has besides its plaintext.
pub const OVERHEAD_BYTES: usize = Header::BYTES + TAG_BYTES;
/// The SIV tag.
pub(super) const TAG_BYTES: usize = 16;
/// The first byte: magic and version 1.
pub(crate) const MAGIC: u8 = 0xf5;
/// How the armor of every frame of version 1 starts.
pub(crate) const ARMOR_START: &[u8] = b"9Q";

const DOWNLINK: u8 = 0b0001;
const BOUND: u8 = 0b0010;
const KIND_SHIFT: u32 = 2;
const RESERVED: u8 = 0b1111_0000;

/// Which way a frame goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Device to host.
    Uplink,
    /// Host to device.
    Downlink,
}

impl Direction {
    /// Its word, the same in every language.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Uplink => "uplink",
            Self::Downlink => "downlink",
        }
    }
}

/// What a frame is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Kind {
    /// A reading, or a command.
    #[default]
    Data,
    /// A device shows the session that it drew.
    Hello,
    /// Between the two ends: acknowledgements, the ratchet, the mode.
    Control,
}

impl Kind {
    /// Its word, the same in every language.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Hello => "hello",
            Self::Control => "control",
        }
    }
}

/// The first 20 bytes; claims until the tag has verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Which way it goes.
    pub direction: Direction,
    /// Whether it is bound to a session.
    pub bound: bool,
    /// What it is for.
    pub kind: Kind,
    /// How many ratchet steps the device key has made.
    pub epoch: u16,
    /// Whose it is.
    pub address: Address,
    /// From 1, strictly increasing for each device and direction, across epochs.
    pub counter: u64,
}

impl Header {
    /// Its length.
    pub const BYTES: usize = 20;

    pub(super) fn to_bytes(self) -> [u8; Self::BYTES] {
        let direction = match self.direction {
            Direction::Uplink => 0,
            Direction::Downlink => DOWNLINK,
        };
        let bound = if self.bound { BOUND } else { 0 };
        let kind: u8 = match self.kind {
            Kind::Data => 0,
            Kind::Hello => 1,
            Kind::Control => 2,
        };
        let [e0, e1] = self.epoch.to_be_bytes();
        let [a0, a1, a2, a3, a4, a5, a6, a7] = *self.address.as_bytes();
        let [c0, c1, c2, c3, c4, c5, c6, c7] = self.counter.to_be_bytes();
        let flags = direction | bound | kind << KIND_SHIFT;
        [
            MAGIC, flags, e0, e1, a0, a1, a2, a3, a4, a5, a6, a7, c0, c1, c2, c3, c4, c5, c6, c7,
        ]
    }

    /// O3, O4
    pub(crate) fn parse(bytes: &[u8; Self::BYTES]) -> Result<Self, Malformed> {
        let [
            _,
            flags,
            e0,
            e1,
            a0,
            a1,
            a2,
            a3,
            a4,
            a5,
            a6,
            a7,
            c0,
            c1,
            c2,
            c3,
            c4,
            c5,
            c6,
            c7,
        ] = *bytes;
        let wrong_flags = |reason| Err(Malformed::new(reason, 1));
        if flags & RESERVED != 0 {
            return wrong_flags(MalformedReason::ReservedBits);
        }
        let kind = match flags >> KIND_SHIFT {
            0 => Kind::Data,
            1 => Kind::Hello,
            2 => Kind::Control,
            _ => return wrong_flags(MalformedReason::Kind),
        };
        let direction = match flags & DOWNLINK {
            0 => Direction::Uplink,
            _ => Direction::Downlink,
        };
        let header = Self {
            direction,
            bound: flags & BOUND != 0,
            kind,
            epoch: u16::from_be_bytes([e0, e1]),
            address: Address::new([a0, a1, a2, a3, a4, a5, a6, a7]),
            counter: u64::from_be_bytes([c0, c1, c2, c3, c4, c5, c6, c7]),
        };
        match header.problem() {
            Some(problem) => Err(problem),
            None => Ok(header),
        }
    }

    /// What no frame says, whichever end would send it.
    pub(super) const fn problem(&self) -> Option<Malformed> {
        if matches!(
            (self.kind, self.direction),
            (Kind::Hello, Direction::Downlink)
        ) {
            Some(Malformed::new(MalformedReason::DownlinkHello, 1))
        } else if matches!(self.kind, Kind::Control) && !self.bound {
            Some(Malformed::new(MalformedReason::UnboundControl, 1))
        } else if self.counter == 0 {
            Some(Malformed::new(MalformedReason::CounterZero, 12))
        } else {
            None
        }
    }
}

/// A frame, parsed and not yet believed.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame<'a> {
    header: Header,
    /// The binary frame; at least [`OVERHEAD_BYTES`].
    bytes: Cow<'a, [u8]>,
}

impl<'a> Frame<'a> {
    /// Reads the binary form, or the armor.
    ///
    /// # Errors
    /// [`Malformed`], with the reason and the offset.
    pub fn parse(payload: &'a [u8]) -> Result<Self, Malformed> {
        // O1
        let bytes = if payload.starts_with(ARMOR_START) {
            disarm(payload)?
        } else {
            Cow::Borrowed(payload)
        };
        // O2
        if bytes.len() > FRAME_BYTES_MAX {
            return Err(Malformed::new(MalformedReason::TooLong, FRAME_BYTES_MAX));
        }
        let Some((header, true)) = bytes
            .first_chunk()
            .map(|header| (header, bytes.len() >= OVERHEAD_BYTES))
        else {
            return Err(Malformed::new(MalformedReason::TooShort, bytes.len()));
        };
        if bytes.first() != Some(&MAGIC) {
            return Err(Malformed::new(MalformedReason::Version, 0));
        }
        let header = Header::parse(header)?;
        Ok(Self { header, bytes })
    }

    /// What it claims.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The tag `V`, by which an acknowledgement names it.
    #[must_use]
    pub fn tag(&self) -> [u8; TAG_BYTES] {
        self.parts().1
    }

    /// The header's bytes, `V` and `C`.
    pub(super) fn parts(&self) -> (&[u8; Header::BYTES], [u8; TAG_BYTES], &[u8]) {
        let parts = self
            .bytes
            .split_first_chunk()
            .and_then(|(header, rest)| Some((header, rest.split_first_chunk()?)));
        match parts {
            Some((header, (tag, ciphertext))) => (header, *tag, ciphertext),
            None => unreachable!("no shorter frame is made"),
        }
    }
}

impl fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame {{ header: {:?}, .. }}", self.header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_header_round_trips() {
        for flags in 0..=u8::MAX {
            let mut bytes = [0x5a; Header::BYTES];
            bytes[0] = MAGIC;
            bytes[1] = flags;
            if let Ok(header) = Header::parse(&bytes) {
                assert_eq!(header.to_bytes(), bytes);
            } else {
                let downlink_hello = flags & 0b1101 == 0b0101;
                let unbound_control = flags & 0b1110 == 0b1000;
                assert!(
                    flags > 0b1011 || downlink_hello || unbound_control,
                    "{flags:#b}"
                );
            }
        }
    }
}
