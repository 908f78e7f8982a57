//! One function per primitive; the libraries do the cryptography.

pub(crate) mod siv;

use aes::{Aes128, Aes192, Aes256};
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, InnerIvInit, KeyInit};
use cbc::{Decryptor, Encryptor};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha1::block_api::compress;
use sha1::{Digest, Sha1};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

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

/// HMAC-SHA1 (RFC 2104, FIPS 180-4) on the library's compression function, with both pad states
/// computed once (RFC 2104, 4). The `hmac` crate, the oracle of the tests, takes twice as long
/// for a message as short as ours.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct HmacSha1 {
    inner: [u32; 5],
    outer: [u32; 5],
}

impl HmacSha1 {
    /// `K` is hashed first if it is longer than a block, then zero-padded (RFC 2104, 2).
    pub(crate) fn new(key: &[u8]) -> Self {
        let mut block = Zeroizing::new([0; SHA1_BLOCK]);
        if key.len() > SHA1_BLOCK {
            copy(&mut *block, &Sha1::digest(key));
        } else {
            copy(&mut *block, key);
        }
        let pad = |with: u8| {
            let mut state = SHA1_START;
            let padded = Zeroizing::new(block.map(|byte| byte ^ with));
            compress(&mut state, core::slice::from_ref(&*padded));
            state
        };
        Self {
            inner: pad(0x36),
            outer: pad(0x5c),
        }
    }

    /// A MAC that has seen nothing yet.
    pub(crate) const fn start(&self) -> HmacSha1State<'_> {
        HmacSha1State {
            key: self,
            tail: Tail {
                state: self.inner,
                blocks: [[0; SHA1_BLOCK]; 2],
            },
            used: 0,
            // The pad was a block.
            length: SHA1_BLOCK as u64,
        }
    }
}

/// An HMAC-SHA1, as the words of which it consists.
pub(crate) type MacWords = [u32; 5];

/// A MAC under way.
#[derive(Clone)]
pub(crate) struct HmacSha1State<'a> {
    key: &'a HmacSha1,
    /// What waits to be compressed; zero from `used` on.
    tail: Tail,
    /// Always less than a block.
    used: usize,
    length: u64,
}

/// A state, and the one or two blocks that come into it last.
#[derive(Clone, Copy)]
struct Tail {
    state: MacWords,
    blocks: [[u8; SHA1_BLOCK]; 2],
}

impl HmacSha1State<'_> {
    pub(crate) fn update(&mut self, mut data: &[u8]) {
        self.length += data.len() as u64;
        let [block, _] = &mut self.tail.blocks;
        while let Some((fits, rest)) = data.split_at_checked(SHA1_BLOCK - self.used) {
            copy(block.split_at_mut(self.used).1, fits);
            compress(&mut self.tail.state, core::slice::from_ref(block));
            *block = [0; SHA1_BLOCK];
            self.used = 0;
            data = rest;
        }
        copy(block.split_at_mut(self.used).1, data);
        self.used += data.len();
    }

    /// `HMAC = H(K xor opad || H(K xor ipad || text))` (RFC 2104, 2).
    pub(crate) fn finish(&self) -> [u8; HMAC_SHA1] {
        let mut mac = [0; HMAC_SHA1];
        self.finish_each(&[b""], |_, words| mac = bytes(words));
        mac
    }

    /// The MACs of what was seen and then each of `endings`, several at a time.
    pub(crate) fn finish_each<S: AsRef<[u8]>>(
        &self,
        endings: &[S],
        mut each: impl FnMut(usize, &MacWords),
    ) {
        let mut rest = endings;
        loop {
            let at = endings.len() - rest.len();
            let mut each = |nth: usize, mac: &MacWords| each(at + nth, mac);
            match rest {
                [] => break,
                [a] => self.finish_at_once([a], &mut each),
                [a, b] => self.finish_at_once([a, b], &mut each),
                [a, b, c] => self.finish_at_once([a, b, c], &mut each),
                [a, b, c, d, ..] => self.finish_at_once([a, b, c, d], &mut each),
            }
            rest = rest.get(4..).unwrap_or_default();
        }
    }

    /// Step by step for all of them: what does not wait for each other the processor does side by
    /// side.
    fn finish_at_once<const COUNT: usize, S: AsRef<[u8]>>(
        &self,
        endings: [&S; COUNT],
        each: &mut impl FnMut(usize, &MacWords),
    ) {
        let mut tails = [self.tail; COUNT];
        let mut used = [0; COUNT];
        for ((tail, used), ending) in tails.iter_mut().zip(&mut used).zip(endings) {
            *used = self.pad(tail, ending.as_ref());
        }
        // H(K xor ipad || text)
        for (tail, used) in tails.iter_mut().zip(used) {
            compress(&mut tail.state, tail.blocks.split_at(used).0);
        }
        // H(K xor opad || H(K xor ipad || text)): always one block.
        for tail in &mut tails {
            let [block, _] = &mut tail.blocks;
            *block = PADDED_DIGEST;
            if let Some(digest) = block.first_chunk_mut() {
                *digest = bytes(&tail.state);
            }
        }
        for tail in &mut tails {
            tail.state = self.key.outer;
            compress(&mut tail.state, tail.blocks.split_at(1).0);
        }
        for (at, tail) in tails.iter().enumerate() {
            #[cfg(test)]
            MACS.with(|count| count.set(count.get() + 1));
            each(at, &tail.state);
        }
    }

    /// Writes the ending and the padding (FIPS 180-4, 5.1.1); how many blocks there are then.
    fn pad(&self, tail: &mut Tail, ending: &[u8]) -> usize {
        let end = self.used + ending.len();
        let blocks = match end {
            0..=LENGTH_BEFORE => 1,
            _ if end <= LENGTH_BEFORE_TWO => 2,
            // It takes more than two blocks.
            _ => {
                let mut seen = self.clone();
                seen.update(ending);
                *tail = seen.tail;
                return seen.pad(tail, b"");
            }
        };
        let bytes = tail.blocks.as_flattened_mut();
        copy(bytes.split_at_mut(self.used).1, ending);
        if let Some(after) = bytes.get_mut(end) {
            *after = 0x80;
        }
        let bits = 8 * (self.length + ending.len() as u64);
        if let Some(length) = bytes.split_at_mut(blocks * SHA1_BLOCK).0.last_chunk_mut() {
            *length = bits.to_be_bytes();
        }
        blocks
    }
}

/// Words to bytes (FIPS 180-4, 6.1.2).
fn bytes(words: &MacWords) -> [u8; HMAC_SHA1] {
    let mut bytes = [0; HMAC_SHA1];
    for (to, word) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(words) {
        *to = word.to_be_bytes();
    }
    bytes
}

/// Whether two MACs are equal, in constant time: compared as integers, not byte by byte.
pub(crate) fn mac_eq(words: &MacWords, mac: &[u8; HMAC_SHA1]) -> Choice {
    let (chunks, _) = mac.as_chunks::<4>();
    let differs = words.iter().zip(chunks).fold(0, |sum, (word, bytes)| {
        sum | (word ^ u32::from_be_bytes(*bytes))
    });
    differs.ct_eq(&0)
}

/// This much fits before the padding into one block, and into two.
const LENGTH_BEFORE: usize = SHA1_BLOCK - 9;
const LENGTH_BEFORE_TWO: usize = 2 * SHA1_BLOCK - 9;

/// A block that ends in the padding of the outer hash; its digest is still zero.
const PADDED_DIGEST: [u8; SHA1_BLOCK] = {
    let mut block = [0; SHA1_BLOCK];
    block[HMAC_SHA1] = 0x80;
    let [.., high, low] = (8 * (SHA1_BLOCK + HMAC_SHA1)).to_be_bytes();
    [block[SHA1_BLOCK - 2], block[SHA1_BLOCK - 1]] = [high, low];
    block
};

/// SHA-1 block, in bytes, and initial hash value (FIPS 180-4, 1 and 5.3.1).
const SHA1_BLOCK: usize = 64;
const SHA1_START: [u32; 5] = [
    0x6745_2301,
    0xefcd_ab89,
    0x98ba_dcfe,
    0x1032_5476,
    0xc3d2_e1f0,
];

/// As much of `from` as fits, to the start of `to`.
fn copy(to: &mut [u8], from: &[u8]) {
    let length = to.len().min(from.len());
    let (Some(to), Some(from)) = (to.get_mut(..length), from.get(..length)) else {
        unreachable!("neither is shorter")
    };
    // Most are short: a call would cost more than two halves that overlap.
    match length {
        17..=32 => copy_ends::<16>(to, from),
        16 => copy_start::<16>(to, from),
        8..16 => copy_ends::<8>(to, from),
        4..8 => copy_ends::<4>(to, from),
        _ => to.copy_from_slice(from),
    }
}

fn copy_start<const BYTES: usize>(to: &mut [u8], from: &[u8]) {
    if let (Some(to), Some(from)) = (to.first_chunk_mut::<BYTES>(), from.first_chunk()) {
        *to = *from;
    }
}

/// Two that are equally long, and at most twice `BYTES`.
fn copy_ends<const BYTES: usize>(to: &mut [u8], from: &[u8]) {
    copy_start::<BYTES>(to, from);
    if let (Some(to), Some(from)) = (to.last_chunk_mut::<BYTES>(), from.last_chunk()) {
        *to = *from;
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

/// `HKDF-Extract` with `salt`, then `HKDF-Expand` to 32 bytes, both with SHA-256 (RFC 5869, 2).
pub(crate) fn hkdf(salt: &[u8], ikm: &[u8], info: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    expand(&Hkdf::<Sha256>::new(Some(salt), ikm), info)
}

/// `HKDF-Expand(prk, info)` with SHA-256, at most 32 bytes (RFC 5869, 2.3).
pub(crate) fn hkdf_expand<const BYTES: usize>(
    prk: &[u8; 32],
    info: &[&[u8]],
) -> Zeroizing<[u8; BYTES]> {
    match Hkdf::<Sha256>::from_prk(prk) {
        Ok(hkdf) => expand(&hkdf, info),
        Err(_) => unreachable!("RFC 5869, 2.3: a key as long as the hash"),
    }
}

fn expand<const BYTES: usize>(hkdf: &Hkdf<Sha256>, info: &[&[u8]]) -> Zeroizing<[u8; BYTES]> {
    let mut key = Zeroizing::new([0; BYTES]);
    match hkdf.expand_multi_info(info, key.as_mut()) {
        Ok(()) => key,
        Err(_) => unreachable!("RFC 5869, 2.3: at most 255 times the hash"),
    }
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
        let mac = |key: &[u8], text: &[u8]| {
            let key = HmacSha1::new(key);
            let mut state = key.start();
            state.update(text);
            state.finish().to_vec()
        };
        assert_eq!(
            mac(&[0x0b; 20], b"Hi There"),
            hex("b617318655057264e28bc0b6fb378c8ef146be00")
        );
        let text = b"Test Using Larger Than Block-Size Key - Hash Key First";
        assert_eq!(
            mac(&[0xaa; 80], text),
            hex("aa4ae5e15272d00e95705637ce8a3b55ed402112")
        );
    }

    /// Every length around the block, in one piece and in two, against the `hmac` crate.
    #[test]
    fn hmac_sha1_against_the_oracle() {
        let text: Vec<u8> = (0..=255).collect();
        for key_length in [0, 1, 20, 63, 64, 65, 200] {
            let key = HmacSha1::new(&text[..key_length]);
            for length in 0..200 {
                let oracle = Hmac::<Sha1>::new_from_slice(&text[..key_length]).unwrap();
                let oracle: [u8; HMAC_SHA1] = oracle
                    .chain_update(&text[..length])
                    .finalize()
                    .into_bytes()
                    .into();
                for cut in [0, length / 2, length.saturating_sub(1), length] {
                    let mut state = key.start();
                    state.update(&text[..cut]);
                    state.update(&text[cut..length]);
                    assert_eq!(state.finish(), oracle, "{key_length} {length} {cut}");
                }
                // More endings than are computed at once.
                for cut in [0, length / 2, length] {
                    let mut state = key.start();
                    state.update(&text[..cut]);
                    let mut endings = vec![&text[..0]; 20];
                    endings[3] = &text[cut..length];
                    endings[17] = &text[cut..length];
                    let mut found = Vec::new();
                    state.finish_each(&endings, |at, mac| {
                        assert_eq!(at, found.len());
                        found.push(bytes(mac) == oracle);
                    });
                    let fits = |at: usize| cut == length || [3, 17].contains(&at);
                    assert!(found.iter().enumerate().all(|(at, fit)| *fit == fits(at)));
                    assert_eq!(found.len(), endings.len());
                }
            }
        }
    }

    #[test]
    fn macs_differ_in_any_bit() {
        let words = [0x5a5b_5c5d; 5];
        let mac = bytes(&words);
        assert!(bool::from(mac_eq(&words, &mac)));
        for bit in 0..HMAC_SHA1 * 8 {
            let mut other = mac;
            other[bit / 8] ^= 1 << (bit % 8);
            assert!(!bool::from(mac_eq(&words, &other)), "bit {bit}");
        }
    }

    fn hex(text: &str) -> Vec<u8> {
        base16ct::mixed::decode_vec(text).unwrap()
    }
}
