//! What a frame says under keys that it does not verify under: for its owner's diagnosis alone.

use super::frame::Frame;
use super::keys::PreparedKeys;
use super::open::{decrypt_iv, strip};
use crate::primitives::{BLOCK, aes_cbc_decrypt};

/// The IV and the node field that keys make of a frame. Anyone may have made them.
pub(crate) struct Unverified {
    iv: [u8; BLOCK],
    node: Vec<u8>,
}

impl Unverified {
    pub(crate) fn new(frame: &Frame, keys: &PreparedKeys) -> Self {
        let mut plain = frame.ciphertext.to_vec();
        plain.truncate((1 + frame.node_blocks) * BLOCK);
        let Some((iv, node)) = decrypt_iv(&mut plain, keys) else {
            unreachable!("a frame has an IV")
        };
        aes_cbc_decrypt(&keys.data_cipher, &iv, node.as_chunks_mut().0);
        let node = strip(node).to_vec();
        Self { iv, node }
    }

    /// Whether the IV is as the article's `%8x%8x` draws it: other keys make noise of it.
    pub(crate) fn iv_fits(&self) -> bool {
        let drawn = |byte: &u8| byte.is_ascii_hexdigit() || *byte == b' ';
        self.iv.iter().all(drawn)
    }

    /// The node field, if it is text: other keys make noise of it.
    pub(crate) fn node(&self) -> Option<&[u8]> {
        let is_text = !self.node.is_empty() && self.node.iter().all(u8::is_ascii_graphic);
        is_text.then_some(&*self.node)
    }
}
