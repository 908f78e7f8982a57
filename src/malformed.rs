//! Why bytes are no frame, of either format.

use core::fmt;

/// Why bytes are no frame, and at which offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// What is wrong.
    pub reason: MalformedReason,
    /// Where, in bytes from 0; of an armored frame, in its text.
    pub offset: usize,
}

impl Malformed {
    pub(crate) const fn new(reason: MalformedReason, offset: usize) -> Self {
        Self { reason, offset }
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $text:literal;)+) => {
        /// What is wrong with a malformed frame: a closed list.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum MalformedReason {
            $($(#[$doc])* $variant,)+
        }

        impl MalformedReason {
            /// Its word in the vectors.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)+
                }
            }

            const fn text(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }
    };
}

reasons! {
    /// More bytes than a frame of its format may have.
    TooLong = "too_long", "it is longer than a frame may be";
    /// It has the shape of no format.
    Unrecognised = "unrecognised", "it looks like neither a classic nor a sealed one";
    /// A field of the wrong length.
    FieldLength = "field_length", "a field has the wrong length";
    /// A byte that should be a hex digit.
    NotHex = "not_hex", "this byte should be a hex digit";
    /// No comma after the node ID of a raw frame.
    MissingSeparator = "missing_separator", "a comma should follow the node ID";
    /// A port frame whose length is not 16 + 16m + 20 bytes.
    PortLength = "port_length", "a port frame has 16 + 16m + 20 bytes";
    /// A sealed frame of fewer than 36 bytes.
    TooShort = "too_short", "a sealed frame has at least 36 bytes";
    /// The first byte of a sealed frame is not 0xF5.
    Version = "unsupported_version", "this byte names a version that this library does not know";
    /// A bit of the flags that must be zero.
    ReservedBits = "reserved_bits", "a reserved bit of the flags is set";
    /// Kind 3.
    Kind = "unknown_kind", "there is no frame of this kind";
    /// A hello from the host to a device.
    DownlinkHello = "downlink_hello", "only a device sends a hello";
    /// A control frame that is not bound to a session.
    UnboundControl = "unbound_control", "a control frame must be bound to a session";
    /// Counter 0.
    CounterZero = "counter_zero", "counters start at 1";
    /// A character of the armor that is not of base64url, padding among them.
    NotBase64url = "not_base64url", "this character is not of base64url, without padding";
    /// A length that base64url cannot have.
    ArmorLength = "armor_length", "no base64url text has this length";
    /// The armor's last character holds bits that must be zero.
    TrailingBits = "trailing_bits", "the last character holds bits that must be zero";
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason.text())?;
        match self.reason {
            // Of the whole: no place in it is to blame.
            MalformedReason::Unrecognised => Ok(()),
            _ => write!(f, " (offset {})", self.offset),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_named_where_there_is_one() {
        let unrecognised = Malformed::new(MalformedReason::Unrecognised, 0);
        assert_eq!(
            unrecognised.to_string(),
            "it looks like neither a classic nor a sealed one"
        );
        let not_hex = Malformed::new(MalformedReason::NotHex, 35);
        assert_eq!(
            not_hex.to_string(),
            "this byte should be a hex digit (offset 35)"
        );
    }
}
