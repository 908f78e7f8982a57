//! Keys: parsed once, wiped on drop, never shown.

use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::clock::Random;
use crate::error::{KeyringError, KeyringProblem, RandomError};

macro_rules! redacted {
    ($($name:ident),+) => {
        $(impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), " { .. }"))
            }
        })+
    };
}

/// An AES key of 16, 24 or 32 bytes (FIPS 197).
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct AesKey(Vec<u8>);

/// The static IV of a classic frame, 16 bytes.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct StaticIv([u8; 16]);

/// The HMAC key of a classic frame, raw bytes, at least one.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Passphrase(Vec<u8>);

/// The key that mints session IDs, 32 bytes (`CLASSIC.md`, *Session IDs*).
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct SessionKey([u8; 32]);

/// The key of a fleet, 32 bytes: the keys of its devices are derived from it (`SEALED.md`, *Keys*).
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct FleetKey([u8; 32]);

/// The key of one device in one epoch, 32 bytes (`SEALED.md`, *Keys*).
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct DeviceKey([u8; 32]);

redacted!(
    AesKey, StaticIv, Passphrase, SessionKey, FleetKey, DeviceKey
);

impl AesKey {
    /// # Errors
    /// `wrong_key_length` unless `key` is 16, 24 or 32 bytes long.
    pub fn new(key: &[u8]) -> Result<Self, KeyringError> {
        match key.len() {
            16 | 24 | 32 => Ok(Self(key.to_vec())),
            found => Err(wrong_length(found, "16, 24 or 32")),
        }
    }

    /// The raw bytes.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl StaticIv {
    /// # Errors
    /// `wrong_key_length` unless `iv` is 16 bytes long.
    pub fn new(iv: &[u8]) -> Result<Self, KeyringError> {
        iv.try_into()
            .map(Self)
            .map_err(|_| wrong_length(iv.len(), "16"))
    }

    /// The raw bytes.
    #[must_use]
    pub const fn expose(&self) -> &[u8; 16] {
        &self.0
    }
}

impl Passphrase {
    /// # Errors
    /// `wrong_key_length` if it is empty.
    pub fn new(passphrase: &[u8]) -> Result<Self, KeyringError> {
        match passphrase.len() {
            0 => Err(wrong_length(0, "at least 1")),
            _ => Ok(Self(passphrase.to_vec())),
        }
    }

    /// The raw bytes.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

macro_rules! of_32_bytes {
    ($($name:ident),+) => {
        $(impl $name {
            /// # Errors
            /// `wrong_key_length` unless `key` is 32 bytes long.
            pub fn new(key: &[u8]) -> Result<Self, KeyringError> {
                key.try_into()
                    .map(Self)
                    .map_err(|_| wrong_length(key.len(), "32"))
            }

            /// Draws a new key.
            ///
            /// # Errors
            /// [`RandomError`] if there is no randomness.
            pub fn generate(random: &dyn Random) -> Result<Self, RandomError> {
                let mut key = Zeroizing::new([0; 32]);
                random.fill(key.as_mut())?;
                Ok(Self(*key))
            }

            /// The raw bytes.
            #[must_use]
            pub const fn expose(&self) -> &[u8; 32] {
                &self.0
            }
        })+
    };
}

of_32_bytes!(SessionKey, FleetKey, DeviceKey);

/// The four keys of a classic frame (`CLASSIC.md`, *Values*).
#[derive(Clone, PartialEq, Eq)]
pub struct ClassicKeys {
    /// Encrypts the IV.
    pub iv_key: AesKey,
    /// Encrypts node ID and data.
    pub data_key: AesKey,
    /// The IV under which the IV is encrypted.
    pub static_iv: StaticIv,
    /// Keys the HMAC.
    pub passphrase: Passphrase,
}

redacted!(ClassicKeys);

impl ClassicKeys {
    /// Draws four new keys: 16, 16, 16 and 32 bytes.
    ///
    /// # Errors
    /// [`RandomError`] if there is no randomness.
    pub fn generate(random: &dyn Random) -> Result<Self, RandomError> {
        let mut bytes = Zeroizing::new([[0; 16]; 5]);
        for key in bytes.iter_mut() {
            random.fill(key)?;
        }
        let [iv_key, data_key, static_iv, first, second] = &*bytes;
        Ok(Self {
            iv_key: AesKey(iv_key.to_vec()),
            data_key: AesKey(data_key.to_vec()),
            static_iv: StaticIv(*static_iv),
            passphrase: Passphrase([*first, *second].concat()),
        })
    }

    /// The keys that everyone can read in the article.
    #[must_use]
    pub(crate) fn of_the_article() -> Self {
        Self {
            iv_key: AesKey(b"2345678901abcdef".to_vec()),
            data_key: AesKey(b"0123456789abcdef".to_vec()),
            static_iv: StaticIv(*b"abcdef2345678901"),
            passphrase: Passphrase(b"mypassphrase".to_vec()),
        }
    }

    /// Which of the four is printed in the article, if any is.
    #[must_use]
    pub(crate) fn printed_in_article(&self) -> Option<&'static str> {
        let printed = Self::of_the_article();
        [
            ("iv_key", self.iv_key == printed.iv_key),
            ("data_key", self.data_key == printed.data_key),
            ("static_iv", self.static_iv == printed.static_iv),
            ("passphrase", self.passphrase == printed.passphrase),
        ]
        .into_iter()
        .find_map(|(field, same)| same.then_some(field))
    }
}

fn wrong_length(found: usize, expected: &'static str) -> KeyringError {
    KeyringError::new(KeyringProblem::WrongKeyLength { found, expected })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemRandom;

    #[test]
    fn debug_shows_no_key() {
        let keys = ClassicKeys::generate(&SystemRandom).unwrap();
        assert_eq!(format!("{keys:?}"), "ClassicKeys { .. }");
        assert_eq!(format!("{:?}", keys.iv_key), "AesKey { .. }");
        let session = SessionKey::generate(&SystemRandom).unwrap();
        assert_eq!(format!("{session:?}"), "SessionKey { .. }");
    }

    #[test]
    fn generated_keys_differ() {
        let (a, b) = (
            ClassicKeys::generate(&SystemRandom).unwrap(),
            ClassicKeys::generate(&SystemRandom).unwrap(),
        );
        assert!(a != b && a.iv_key != a.data_key);
    }

    #[test]
    fn lengths() {
        assert!(AesKey::new(&[0; 15]).is_err());
        assert!(StaticIv::new(&[0; 17]).is_err());
        assert!(Passphrase::new(b"").is_err());
        let error = SessionKey::new(&[0; 31]).unwrap_err();
        assert_eq!(error.to_string(), "is 31 bytes long and must be 32");
    }
}
