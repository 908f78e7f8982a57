//! Session IDs that prove themselves (`CLASSIC.md`, *Session IDs*).

use core::fmt;

use subtle::ConstantTimeEq;

use crate::clock::Random;
use crate::error::RandomError;
use crate::key::SessionKey;
use crate::primitives::hmac_sha256;

/// `time(4) || random(4) || HMAC-SHA256(session_key, "session" || time || random)[0..8]`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId([u8; Self::BYTES]);

impl SessionId {
    /// Size in bytes; the text is twice as long.
    pub const BYTES: usize = 16;

    /// Mints the ID of `time`, in Unix seconds.
    ///
    /// # Errors
    /// [`RandomError`] if there is no randomness.
    pub fn mint(key: &SessionKey, time: u32, random: &dyn Random) -> Result<Self, RandomError> {
        let mut nonce = [0; 4];
        random.fill(&mut nonce)?;
        Ok(Self::derive(key, time.to_be_bytes(), nonce))
    }

    /// Reads the text of an ID: None unless it is 32 lower-case hex digits that `key` made.
    #[must_use]
    pub fn verify(key: &SessionKey, text: &[u8]) -> Option<Self> {
        let mut id = [0; Self::BYTES];
        if text.len() != 2 * Self::BYTES {
            return None;
        }
        base16ct::lower::decode(text, &mut id).ok()?;
        let [t0, t1, t2, t3, r0, r1, r2, r3, ..] = id;
        let made = Self::derive(key, [t0, t1, t2, t3], [r0, r1, r2, r3]);
        bool::from(made.0.ct_eq(&id)).then_some(made)
    }

    /// The ID of bytes that a store kept.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    /// When it was minted, in Unix seconds.
    #[must_use]
    pub const fn time(&self) -> u32 {
        let [t0, t1, t2, t3, ..] = self.0;
        u32::from_be_bytes([t0, t1, t2, t3])
    }

    /// What travels and what enters the MAC: 32 lower-case hex digits.
    #[must_use]
    pub fn text(&self) -> [u8; 2 * Self::BYTES] {
        let mut text = [0; 2 * Self::BYTES];
        match base16ct::lower::encode(&self.0, &mut text) {
            Ok(_) => text,
            Err(_) => unreachable!("32 digits hold 16 bytes"),
        }
    }

    fn derive(key: &SessionKey, time: [u8; 4], random: [u8; 4]) -> Self {
        let proof = hmac_sha256(key.expose(), &[b"session", &time, &random]);
        let mut id = [0; Self::BYTES];
        let parts = time.iter().chain(&random).chain(&proof);
        for (to, from) in id.iter_mut().zip(parts) {
            *to = *from;
        }
        Self(id)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId({self})")
    }
}
