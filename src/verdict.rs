//! What a receiver says of a frame: a closed vocabulary.

use core::fmt;

macro_rules! verdicts {
    ($($(#[$doc:meta])* $variant:ident = $code:literal,)+) => {
        /// The answer to every frame, in the order in which it is decided.
        ///
        /// Until a frame has verified, its header fields are claims. Only [`Verdict::Fresh`]
        /// carries data to the application, and only it changes what a receiver remembers.
        /// Adding a verdict is a breaking change.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Verdict {
            $($(#[$doc])* $variant,)+
        }

        impl Verdict {
            /// Every verdict, in the order in which it is decided.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The verdict's word, the same in every language and in the vectors.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)+
                }
            }
        }
    };
}

verdicts! {
    /// It is no frame.
    Malformed = "malformed",
    /// An uplink where downlinks are expected, or the reverse.
    WrongDirection = "wrong_direction",
    /// No key for the address; for a classic frame, a verified node that the keyring does not list.
    UnknownDevice = "unknown_device",
    /// The address is revoked.
    Revoked = "revoked",
    /// Older than the oldest epoch still accepted, or too far ahead.
    WrongEpoch = "wrong_epoch",
    /// It verifies under no live and no recently expired session: tampered, or a wrong key.
    Forged = "forged",
    /// It verifies, but under an expired session, or it had to be bound to one and is not.
    StaleSession = "stale_session",
    /// A verified classic frame of a device that has already sent a verified sealed one.
    Downgraded = "downgraded",
    /// Verified; its counter lies below the window.
    Replayed = "replayed",
    /// Verified, and accepted before; or an old copy that came as a retained message.
    Duplicate = "duplicate",
    /// Verified and new.
    Fresh = "fresh",
}

impl Verdict {
    /// How many verdicts there are.
    pub const COUNT: usize = Self::ALL.len();

    /// Its place in [`Verdict::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_is_the_place_in_all() {
        for (place, verdict) in Verdict::ALL.iter().enumerate() {
            assert_eq!(verdict.index(), place);
        }
    }
}
