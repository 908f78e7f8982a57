//! One function per primitive; the libraries do the cryptography.

use aes::{Aes128, Aes192, Aes256};
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, InnerIvInit, KeyInit};
use cbc::{Decryptor, Encryptor};
use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

/// AES block, in bytes (FIPS 197).
pub(crate) const BLOCK: usize = 16;
/// HMAC-SHA1 output, in bytes (RFC 2104).
pub(crate) const HMAC_SHA1: usize = 20;

/// An expanded AES key: 16, 24 or 32 bytes (FIPS 197).
#[derive(Clone)]
pub(crate) enum Aes {
    A128(Aes128),
    A192(Aes192),
    A256(Aes256),
}

impl Aes {
    /// None unless `key` is 16, 24 or 32 bytes long.
    pub(crate) fn new(key: &[u8]) -> Option<Self> {
        Some(match key.len() {
            16 => Self::A128(Aes128::new_from_slice(key).ok()?),
            24 => Self::A192(Aes192::new_from_slice(key).ok()?),
            32 => Self::A256(Aes256::new_from_slice(key).ok()?),
            _ => return None,
        })
    }
}

/// `C_i = AES(K, P_i xor C_(i-1)), C_0 = iv` (NIST SP 800-38A, 6.2), in place, over whole blocks.
pub(crate) fn aes_cbc_encrypt(key: &Aes, iv: &[u8; BLOCK], blocks: &mut [[u8; BLOCK]]) {
    fn run<C: cbc::cipher::BlockCipherEncrypt<BlockSize = cbc::cipher::consts::U16>>(
        cipher: &C,
        iv: &[u8; BLOCK],
        blocks: &mut [[u8; BLOCK]],
    ) {
        let mut mode = Encryptor::inner_iv_init(cipher, iv.into());
        for block in blocks {
            mode.encrypt_block(block.into());
        }
    }
    match key {
        Aes::A128(cipher) => run(cipher, iv, blocks),
        Aes::A192(cipher) => run(cipher, iv, blocks),
        Aes::A256(cipher) => run(cipher, iv, blocks),
    }
}

/// `P_i = AES⁻¹(K, C_i) xor C_(i-1), C_0 = iv` (NIST SP 800-38A, 6.2), in place, over whole blocks.
pub(crate) fn aes_cbc_decrypt(key: &Aes, iv: &[u8; BLOCK], blocks: &mut [[u8; BLOCK]]) {
    fn run<C: cbc::cipher::BlockCipherDecrypt<BlockSize = cbc::cipher::consts::U16>>(
        cipher: &C,
        iv: &[u8; BLOCK],
        blocks: &mut [[u8; BLOCK]],
    ) {
        let mut mode = Decryptor::inner_iv_init(cipher, iv.into());
        for block in blocks {
            mode.decrypt_block(block.into());
        }
    }
    match key {
        Aes::A128(cipher) => run(cipher, iv, blocks),
        Aes::A192(cipher) => run(cipher, iv, blocks),
        Aes::A256(cipher) => run(cipher, iv, blocks),
    }
}

/// HMAC-SHA1 with its two pad states computed once (RFC 2104, 4).
#[derive(Clone)]
pub(crate) struct HmacSha1(Hmac<Sha1>);

impl HmacSha1 {
    pub(crate) fn new(key: &[u8]) -> Self {
        match Hmac::new_from_slice(key) {
            Ok(state) => Self(state),
            Err(_) => unreachable!("RFC 2104, 2: a key of any length"),
        }
    }

    pub(crate) fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    /// `HMAC = H(K xor opad || H(K xor ipad || text))` (RFC 2104, 2).
    pub(crate) fn finish(self) -> [u8; HMAC_SHA1] {
        #[cfg(test)]
        MACS.with(|count| count.set(count.get() + 1));
        self.0.finalize().into_bytes().into()
    }
}

#[cfg(test)]
thread_local! {
    /// How many MACs this thread has computed: the work for a frame is counted, never timed.
    pub(crate) static MACS: core::cell::Cell<usize> = const { core::cell::Cell::new(0) };
}

/// `HMAC-SHA256(key, parts[0] || parts[1] || ..)` (RFC 2104, FIPS 180-4).
pub(crate) fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let Ok(mut state) = Hmac::<Sha256>::new_from_slice(key) else {
        unreachable!("RFC 2104, 2: a key of any length")
    };
    for part in parts {
        state.update(part);
    }
    state.finalize().into_bytes().into()
}

/// Whether two MACs are equal, in constant time: compared as integers, not byte by byte.
pub(crate) fn mac_eq(a: &[u8; HMAC_SHA1], b: &[u8; HMAC_SHA1]) -> Choice {
    let word = |mac: &[u8; HMAC_SHA1]| {
        mac.iter().fold([0_u128; 2], |[high, low], &byte| {
            [(high << 8) | (low >> 120), (low << 8) | u128::from(byte)]
        })
    };
    let ([a_high, a_low], [b_high, b_low]) = (word(a), word(b));
    a_high.ct_eq(&b_high) & a_low.ct_eq(&b_low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cbc_round_trip_with_every_key_length() {
        for length in [16, 24, 32] {
            let key = Aes::new(&vec![7; length]).unwrap();
            let mut blocks = [[1; BLOCK], [2; BLOCK], [1; BLOCK]];
            aes_cbc_encrypt(&key, &[9; BLOCK], &mut blocks);
            assert_ne!(blocks[0], blocks[2]);
            aes_cbc_decrypt(&key, &[9; BLOCK], &mut blocks);
            assert_eq!(blocks, [[1; BLOCK], [2; BLOCK], [1; BLOCK]]);
        }
        assert!(Aes::new(&[0; 17]).is_none());
    }

    /// NIST SP 800-38A, F.2.1 (first two blocks).
    #[test]
    fn cbc_known_answer() {
        let key = Aes::new(&hex("2b7e151628aed2a6abf7158809cf4f3c")).unwrap();
        let iv = hex("000102030405060708090a0b0c0d0e0f").try_into().unwrap();
        let mut blocks: [[u8; 16]; 2] = [
            hex("6bc1bee22e409f96e93d7e117393172a").try_into().unwrap(),
            hex("ae2d8a571e03ac9c9eb76fac45af8e51").try_into().unwrap(),
        ];
        aes_cbc_encrypt(&key, &iv, &mut blocks);
        assert_eq!(blocks[0].to_vec(), hex("7649abac8119b246cee98e9b12e9197d"));
        assert_eq!(blocks[1].to_vec(), hex("5086cb9b507219ee95db113a917678b2"));
    }

    /// RFC 2202, 3, cases 1 and 6.
    #[test]
    fn hmac_sha1_known_answers() {
        let mut state = HmacSha1::new(&[0x0b; 20]);
        state.update(b"Hi There");
        assert_eq!(
            state.finish().to_vec(),
            hex("b617318655057264e28bc0b6fb378c8ef146be00")
        );
        let mut state = HmacSha1::new(&[0xaa; 80]);
        state.update(b"Test Using Larger Than Block-Size Key - Hash Key First");
        assert_eq!(
            state.finish().to_vec(),
            hex("aa4ae5e15272d00e95705637ce8a3b55ed402112")
        );
    }

    #[test]
    fn macs_differ_in_any_bit() {
        let mac = [0x5a; HMAC_SHA1];
        assert!(bool::from(mac_eq(&mac, &mac)));
        for bit in 0..HMAC_SHA1 * 8 {
            let mut other = mac;
            other[bit / 8] ^= 1 << (bit % 8);
            assert!(!bool::from(mac_eq(&mac, &other)), "bit {bit}");
        }
    }

    fn hex(text: &str) -> Vec<u8> {
        base16ct::mixed::decode_vec(text).unwrap()
    }
}
