//! The plaintexts of hello and control frames (`SEALED.md`, *Hello and control*).

use super::frame::TAG_BYTES;
use super::keys::Session;

/// What a device says of itself when it wants a welcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello<'a> {
    /// The session that it drew.
    pub session: Session,
    /// The version of its firmware.
    pub firmware: &'a str,
}

impl<'a> Hello<'a> {
    /// None if it does not parse: such a body is counted and ignored.
    #[must_use]
    pub fn parse(body: &'a [u8]) -> Option<Self> {
        let (session, firmware) = body.split_first_chunk()?;
        let firmware = core::str::from_utf8(firmware).ok()?;
        Some(Self {
            session: *session,
            firmware,
        })
    }

    /// The plaintext of its frame.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [&self.session, self.firmware.as_bytes()].concat()
    }
}

/// What the two ends say to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// Host to device: go on to this epoch; nothing happens if it is there already.
    Ratchet {
        /// The epoch to reach.
        epoch: u16,
    },
    /// The frame of this tag arrived.
    Ack {
        /// `V` of what is acknowledged.
        tag: [u8; TAG_BYTES],
    },
    /// Host to device: its session is known, and its counter has to be this or more.
    Welcome {
        /// The least counter.
        floor: u64,
    },
    /// Host to device: which mode is it in?
    QueryMode,
    /// Host to device: go into this mode.
    SetMode {
        /// Which one.
        mode: u8,
    },
    /// Device to host: the mode that it is in.
    Mode {
        /// Which one.
        mode: u8,
    },
}

impl Control {
    /// Its word, the same in every language.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Ratchet { .. } => "ratchet",
            Self::Ack { .. } => "ack",
            Self::Welcome { .. } => "welcome",
            Self::QueryMode => "query mode",
            Self::SetMode { .. } => "set mode",
            Self::Mode { .. } => "mode",
        }
    }

    /// None if it does not parse: such a body is counted and ignored.
    #[must_use]
    pub fn parse(body: &[u8]) -> Option<Self> {
        let (opcode, rest) = body.split_first()?;
        Some(match (opcode, rest) {
            (1, &[high, low]) => Self::Ratchet {
                epoch: u16::from_be_bytes([high, low]),
            },
            (2, tag) => Self::Ack {
                tag: tag.try_into().ok()?,
            },
            (3, floor) => Self::Welcome {
                floor: u64::from_be_bytes(floor.try_into().ok()?),
            },
            (4, []) => Self::QueryMode,
            (5, &[mode]) => Self::SetMode { mode },
            (6, &[mode]) => Self::Mode { mode },
            _ => return None,
        })
    }

    /// The plaintext of its frame: opcode, body.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Ratchet { epoch } => [&[1][..], &epoch.to_be_bytes()].concat(),
            Self::Ack { tag } => [&[2][..], tag].concat(),
            Self::Welcome { floor } => [&[3][..], &floor.to_be_bytes()].concat(),
            Self::QueryMode => vec![4],
            Self::SetMode { mode } => vec![5, *mode],
            Self::Mode { mode } => vec![6, *mode],
        }
    }
}
