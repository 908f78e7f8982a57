//! The node field: who speaks to whom.

use crate::error::DataError;

/// The field that a classic frame carries beside its data (`CLASSIC.md`, *Layouts*).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeField<'a> {
    /// A reading of this node.
    Reading(&'a [u8]),
    /// A command of the host to this node.
    Command(&'a [u8]),
    /// A message from one node to another.
    Peer {
        /// Who sends.
        from: &'a [u8],
        /// Who is meant.
        to: &'a [u8],
    },
}

impl<'a> NodeField<'a> {
    /// The whole field has at most this many bytes, so that it is one AES block with room to pad.
    pub const BYTES_MAX: usize = 15;

    /// Reads a field that has verified, its padding stripped.
    #[must_use]
    pub fn parse(field: &'a [u8]) -> Self {
        match field.iter().position(|&byte| byte == b'>') {
            None => Self::Reading(field),
            Some(at) => match field.split_at(at) {
                ([], [_, to @ ..]) => Self::Command(to),
                (from, [_, to @ ..]) => Self::Peer { from, to },
                (_, []) => unreachable!("position() found a byte there"),
            },
        }
    }

    /// Writes the field.
    ///
    /// # Errors
    /// `invalid_node_id` if a node ID is empty or holds a NUL or a `>`, or the field is longer
    /// than [`Self::BYTES_MAX`] bytes (S1).
    pub fn to_bytes(self) -> Result<Vec<u8>, DataError> {
        let (ids, field) = match self {
            Self::Reading(node) => ([node, node], node.to_vec()),
            Self::Command(node) => ([node, node], [b">", node].concat()),
            Self::Peer { from, to } => ([from, to], [from, b">", to].concat()),
        };
        let valid = ids.into_iter().all(is_node_id) && field.len() <= Self::BYTES_MAX;
        if valid {
            Ok(field)
        } else {
            Err(DataError::InvalidNodeId)
        }
    }
}

/// 1 to 15 bytes without NUL and without `>`.
pub(crate) fn is_node_id(id: &[u8]) -> bool {
    (1..=NodeField::BYTES_MAX).contains(&id.len()) && !id.iter().any(|b| matches!(b, 0 | b'>'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        for field in [
            NodeField::Reading(b"11242238"),
            NodeField::Command(b"1234567"),
            NodeField::Peer {
                from: b"7",
                to: b"8",
            },
        ] {
            assert_eq!(NodeField::parse(&field.to_bytes().unwrap()), field);
        }
    }

    #[test]
    fn refused() {
        for field in [
            NodeField::Reading(b""),
            NodeField::Reading(b"1234567890123456"),
            NodeField::Reading(b"a>b"),
            NodeField::Command(b"123456789012345"),
            NodeField::Peer {
                from: b"",
                to: b"8",
            },
            NodeField::Peer {
                from: b"7",
                to: b"\0",
            },
        ] {
            assert_eq!(field.to_bytes(), Err(DataError::InvalidNodeId), "{field:?}");
        }
    }
}
