//! AES-SIV-CMAC-256 (RFC 5297): S2V and CTR on the `aes` crate. What depends on the key alone is
//! computed once; the `aes-siv` crate, the oracle of the tests, computes it for each message.

use aes::Aes128Enc;
use cbc::cipher::consts::U16;
use cbc::cipher::{
    BlockCipherEncBackend, BlockCipherEncClosure, BlockCipherEncrypt, BlockSizeUser, KeyInit,
};
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroize;

use super::BLOCK;

type Block = aes::Block;

/// An expanded key: 16 bytes for S2V, then 16 for CTR (RFC 5297, 2.6).
#[derive(Clone)]
pub(crate) struct Siv {
    mac: Aes128Enc,
    ctr: Aes128Enc,
    /// The subkeys of CMAC (NIST SP 800-38B, 6.1).
    k1: u128,
    k2: u128,
    /// `CMAC(<zero>)`, with which S2V begins.
    zero: u128,
    empty: Component,
    /// S2V of a frame but for its header, its session and its plaintext.
    frame: u128,
}

/// The CMAC of one component of the associated data, under one key.
#[derive(Clone, Copy)]
pub(crate) struct Component(u128);

/// What the components come to, before the plaintext (RFC 5297, 2.4).
#[derive(Clone, Copy)]
pub(crate) struct Mixed(u128);

/// What CMAC made of the first block of a header, under one key: of a device it is the same for
/// 2^32 frames.
#[derive(Clone, Default)]
pub(crate) struct Prefix {
    block: [u8; BLOCK],
    state: [u8; BLOCK],
}

impl Siv {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        let (mac_key, ctr_key) = key.split_at(BLOCK);
        let (Ok(mac), Ok(ctr)) = (
            Aes128Enc::new_from_slice(mac_key),
            Aes128Enc::new_from_slice(ctr_key),
        ) else {
            unreachable!("both halves have 16 bytes")
        };
        let k1 = dbl(encrypt(&mac, 0));
        let k2 = dbl(k1);
        let zero = encrypt(&mac, k1);
        let empty = Component(encrypt(&mac, PADDING ^ k2));
        Self {
            mac,
            ctr,
            k1,
            k2,
            zero,
            empty,
            frame: dbl(dbl(dbl(zero))) ^ empty.0,
        }
    }

    /// The component of a frame's header. `prefix` is of earlier headers under this key.
    pub(crate) fn header(&self, header: &[u8; 20], prefix: &mut Prefix) -> Component {
        let Some((block, rest)) = header.split_first_chunk::<BLOCK>() else {
            unreachable!("20 bytes are more than 16")
        };
        if prefix.block != *block {
            prefix.state = chain(&self.mac, [0; BLOCK], &[], [*block]);
            prefix.block = *block;
        }
        let last = (left(rest) ^ pad(rest) ^ self.k2).to_be_bytes();
        let state = chain(&self.mac, prefix.state, &[], [last]);
        Component(u128::from_be_bytes(state))
    }

    /// [`Self::mix`] of exactly these and an empty third one.
    pub(crate) const fn mix_frame(&self, header: Component, session: Component) -> Mixed {
        // dbl is linear: what does not depend on the frame was computed before.
        Mixed(self.frame ^ dbl(dbl(header.0) ^ session.0))
    }

    /// All but the last step of S2V (RFC 5297, 2.4).
    pub(crate) fn mix(&self, components: &[Component]) -> Mixed {
        let mixed = components
            .iter()
            .fold(self.zero, |mixed, component| dbl(mixed) ^ component.0);
        Mixed(mixed)
    }

    /// `CMAC(K1, data)` (NIST SP 800-38B, 6.2).
    pub(crate) fn component(&self, data: &[u8]) -> Component {
        if data.is_empty() {
            self.empty
        } else {
            Component(self.cmac(data, 0))
        }
    }

    /// `V = S2V(K1, components, plaintext)` (RFC 5297, 2.4).
    pub(crate) fn tag(&self, components: Mixed, plaintext: &[u8]) -> u128 {
        let mixed = components.0;
        if plaintext.len() >= BLOCK {
            // T = plaintext xorend D
            self.cmac(plaintext, mixed)
        } else {
            // T = dbl(D) xor pad(plaintext), one whole block
            encrypt(
                &self.mac,
                dbl(mixed) ^ left(plaintext) ^ pad(plaintext) ^ self.k1,
            )
        }
    }

    /// `text xor CTR(K2, V with bits 31 and 63 cleared)` (RFC 5297, 2.5), in place.
    pub(crate) fn crypt(&self, tag: u128, text: &mut [u8]) {
        const PARALLEL: usize = 8;
        let mut counter = tag & !(1 << 63 | 1 << 31);
        let (whole, rest) = text.as_chunks_mut::<{ PARALLEL * BLOCK }>();
        for chunk in whole {
            let mut stream = [Block::default(); PARALLEL];
            for block in &mut stream {
                *block = counter.to_be_bytes().into();
                counter = counter.wrapping_add(1);
            }
            self.ctr.encrypt_blocks(&mut stream);
            for (block, key) in chunk.as_chunks_mut::<BLOCK>().0.iter_mut().zip(stream) {
                add(block, key.into());
            }
        }
        if !rest.is_empty() {
            self.ctr.encrypt_with_backend(Stream {
                counter,
                text: rest,
            });
        }
    }

    /// CMAC of `message` with `end` added to its last 16 bytes, or of a shorter one with `end` zero.
    fn cmac(&self, message: &[u8], end: u128) -> u128 {
        let (blocks, rest) = message.as_chunks::<BLOCK>();
        let Some((last, before)) = blocks.split_last() else {
            return encrypt(&self.mac, left(rest) ^ pad(rest) ^ self.k2);
        };
        let last = u128::from_be_bytes(*last);
        let state = if rest.is_empty() {
            let last = last ^ end ^ self.k1;
            chain(&self.mac, [0; BLOCK], before, [last.to_be_bytes()])
        } else {
            // `end` begins in the last whole block and goes on in the rest.
            let bits = 8 * rest.len();
            let rest = left(rest) ^ (end << (128 - bits)) ^ pad(rest) ^ self.k2;
            let last = [last ^ (end >> bits), rest].map(u128::to_be_bytes);
            chain(&self.mac, [0; BLOCK], before, last)
        };
        u128::from_be_bytes(state)
    }
}

impl Drop for Siv {
    fn drop(&mut self) {
        self.k1.zeroize();
        self.k2.zeroize();
        self.zero.zeroize();
        self.empty.0.zeroize();
        self.frame.zeroize();
    }
}

/// Whether two tags are equal, in constant time.
pub(crate) fn tag_eq(a: u128, b: u128) -> Choice {
    a.ct_eq(&b)
}

/// A one bit, then zeros (NIST SP 800-38B, 6.2).
const PADDING: u128 = 1 << 127;

/// Where the padding of an incomplete block begins.
fn pad(rest: &[u8]) -> u128 {
    PADDING >> (8 * rest.len())
}

/// At most 16 bytes as the left end of a block.
fn left(bytes: &[u8]) -> u128 {
    let mut block = [0; BLOCK];
    block
        .iter_mut()
        .zip(bytes)
        .for_each(|(to, from)| *to = *from);
    u128::from_be_bytes(block)
}

/// Multiplication by x in GF(2^128) (RFC 5297, 2.3), without a branch on the secret.
const fn dbl(block: u128) -> u128 {
    (block << 1) ^ ((block >> 127) * 0x87)
}

fn encrypt(cipher: &Aes128Enc, block: u128) -> u128 {
    let state = chain(cipher, [0; BLOCK], &[], [block.to_be_bytes()]);
    u128::from_be_bytes(state)
}

/// `X_i = AES(K, X_(i-1) xor M_i)`, `X_0` given, over `blocks` and then `last`.
fn chain<const N: usize>(
    cipher: &Aes128Enc,
    mut state: [u8; BLOCK],
    blocks: &[[u8; BLOCK]],
    last: [[u8; BLOCK]; N],
) -> [u8; BLOCK] {
    cipher.encrypt_with_backend(Chain {
        blocks,
        last,
        state: &mut state,
    });
    state
}

/// One call into the backend for the whole chain: its state never leaves the vector registers.
struct Chain<'a, const N: usize> {
    blocks: &'a [[u8; BLOCK]],
    last: [[u8; BLOCK]; N],
    state: &'a mut [u8; BLOCK],
}

impl<const N: usize> BlockSizeUser for Chain<'_, N> {
    type BlockSize = U16;
}

impl<const N: usize> BlockCipherEncClosure for Chain<'_, N> {
    #[inline(always)]
    fn call<B: BlockCipherEncBackend<BlockSize = U16>>(self, backend: &B) {
        let mut state = *self.state;
        let mut step = |block: [u8; BLOCK]| {
            add(&mut state, block);
            backend.encrypt_block((<&mut Block>::from(&mut state)).into());
        };
        self.blocks.iter().for_each(|block| step(*block));
        self.last.into_iter().for_each(step);
        *self.state = state;
    }
}

/// Few blocks of CTR, each of which the processor begins before the one before it is done.
struct Stream<'a> {
    counter: u128,
    text: &'a mut [u8],
}

impl BlockSizeUser for Stream<'_> {
    type BlockSize = U16;
}

impl BlockCipherEncClosure for Stream<'_> {
    #[inline(always)]
    fn call<B: BlockCipherEncBackend<BlockSize = U16>>(self, backend: &B) {
        let mut counter = self.counter;
        let mut next = || {
            let mut key = counter.to_be_bytes();
            counter = counter.wrapping_add(1);
            backend.encrypt_block((<&mut Block>::from(&mut key)).into());
            key
        };
        let (blocks, rest) = self.text.as_chunks_mut::<BLOCK>();
        for block in blocks {
            add(block, next());
        }
        if !rest.is_empty() {
            for (byte, key) in rest.iter_mut().zip(next()) {
                *byte ^= key;
            }
        }
    }
}

/// Byte by byte, which compilers do at once.
#[inline(always)]
fn add(block: &mut [u8; BLOCK], with: [u8; BLOCK]) {
    for (byte, with) in block.iter_mut().zip(with) {
        *byte ^= with;
    }
}

#[cfg(test)]
#[path = "../../tests/rust/records.rs"]
mod records;

#[cfg(test)]
mod tests {
    use aes_siv::aead::KeyInit as _;
    use aes_siv::siv::Aes128Siv;
    use proptest::prelude::*;

    use super::records::read;
    use super::*;

    fn seal(key: &[u8; 32], associated: &[Vec<u8>], plaintext: &[u8]) -> Vec<u8> {
        let siv = Siv::new(key);
        let components: Vec<_> = associated.iter().map(|data| siv.component(data)).collect();
        let tag = siv.tag(siv.mix(&components), plaintext);
        let mut sealed = [&tag.to_be_bytes(), plaintext].concat();
        siv.crypt(tag, &mut sealed[BLOCK..]);
        sealed
    }

    /// RFC 5297, A.1 and A.2.
    #[test]
    fn known_answers() {
        let key = hex("fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
        let associated = [hex("101112131415161718191a1b1c1d1e1f2021222324252627")];
        assert_eq!(
            seal(
                &key.try_into().unwrap(),
                &associated,
                &hex("112233445566778899aabbccddee")
            ),
            hex("85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c")
        );
        let key = hex("7f7e7d7c7b7a79787776757473727170404142434445464748494a4b4c4d4e4f");
        let associated = [
            hex("00112233445566778899aabbccddeeffdeaddadadeaddadaffeeddccbbaa99887766554433221100"),
            hex("102030405060708090a0"),
            hex("09f911029d74e35bd84156c5635688c0"),
        ];
        let plaintext = b"this is some plaintext to encrypt using SIV-AES";
        assert_eq!(
            seal(&key.try_into().unwrap(), &associated, plaintext),
            hex(
                "7bdb6e3b432667eb06f4d14bff2fbd0fcb900f2fddbe404326601965c889bf17dba77ceb094fa663b7a3f748ba8af829ea64ad544a272e9c485b62a3fd5c0d"
            )
        );
    }

    #[test]
    fn shared_vectors() {
        for record in ["aes_siv.txt", "aes_siv_wycheproof.txt"]
            .map(read)
            .iter()
            .flatten()
        {
            let count: usize = record.number("components");
            let components = ["first", "second", "third"].map(|field| record.optional(field));
            let components: Vec<_> = components.iter().flatten().collect();
            assert_eq!(components.len(), count, "{}", record.name());
            let siv = Siv::new(&record.bytes("key").try_into().unwrap());
            let components = components.iter().map(|digits| siv.component(&hex(digits)));
            let components: Vec<_> = components.collect();
            let mut opened = record.bytes("sealed");
            let tag = opened.drain(..BLOCK.min(opened.len())).collect::<Vec<_>>();
            let Ok(tag) = <[u8; BLOCK]>::try_from(tag).map(u128::from_be_bytes) else {
                assert_eq!(record.text("expect"), "invalid", "{}", record.name());
                continue;
            };
            siv.crypt(tag, &mut opened);
            let verifies = bool::from(tag_eq(siv.tag(siv.mix(&components), &opened), tag));
            match record.text("expect") {
                "valid" => {
                    assert!(verifies, "{}", record.name());
                    assert_eq!(opened, record.bytes("plaintext"), "{}", record.name());
                    let mut sealed = opened;
                    let tag = siv.tag(siv.mix(&components), &sealed);
                    siv.crypt(tag, &mut sealed);
                    let sealed = [&tag.to_be_bytes(), &*sealed].concat();
                    assert_eq!(sealed, record.bytes("sealed"), "{}", record.name());
                }
                expect => {
                    assert_eq!(expect, "invalid");
                    assert!(!verifies, "{}", record.name());
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn as_the_oracle(
            key: [u8; 32],
            associated in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..5),
            plaintext in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let oracle = Aes128Siv::new(&key.into()).encrypt(&associated, &plaintext).unwrap();
            prop_assert_eq!(seal(&key, &associated, &plaintext), oracle);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        /// What is computed once for many frames gives what each alone does.
        #[test]
        fn frames_are_mixed_as_their_components(
            key: [u8; 32],
            headers in prop::collection::vec((any::<bool>(), any::<[u8; 16]>(), any::<[u8; 4]>()), 1..6),
            session in prop::collection::vec(any::<u8>(), 0..20),
        ) {
            let siv = Siv::new(&key);
            let mut prefix = Prefix::default();
            let mut before = [0xf5; 16];
            for (other, start, end) in headers {
                if other {
                    before = start;
                }
                let header: [u8; 20] = [&before[..], &end].concat().try_into().unwrap();
                let components = [&header[..], &session, b""].map(|data| siv.component(data));
                let quick = siv.mix_frame(siv.header(&header, &mut prefix), components[1]);
                prop_assert_eq!(quick.0, siv.mix(&components).0);
            }
        }
    }

    fn hex(text: &str) -> Vec<u8> {
        base16ct::lower::decode_vec(text).unwrap()
    }
}
