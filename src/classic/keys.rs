//! The four keys, expanded once.

use core::fmt;

use crate::key::ClassicKeys;
use crate::primitives::{Aes, HmacSha1};

/// Key schedules and HMAC pad states of one key set; wiped on drop.
#[derive(Clone)]
pub struct PreparedKeys {
    pub(super) iv_cipher: Aes,
    pub(super) data_cipher: Aes,
    pub(super) static_iv: crate::key::StaticIv,
    pub(super) mac: HmacSha1,
}

impl From<&ClassicKeys> for PreparedKeys {
    fn from(keys: &ClassicKeys) -> Self {
        let expand = |key: &crate::key::AesKey| match Aes::new(key.expose()) {
            Some(cipher) => cipher,
            None => unreachable!("AesKey holds 16, 24 or 32 bytes"),
        };
        Self {
            iv_cipher: expand(&keys.iv_key),
            data_cipher: expand(&keys.data_key),
            static_iv: keys.static_iv.clone(),
            mac: HmacSha1::new(keys.passphrase.expose()),
        }
    }
}

impl fmt::Debug for PreparedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PreparedKeys { .. }")
    }
}
