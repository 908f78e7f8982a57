//! What was decrypted, where it was decrypted.

use core::ops::Range;

use smallvec::SmallVec;

/// Of the usual length without an allocation.
pub(crate) type Bytes = SmallVec<[u8; 128]>;

/// A plaintext inside the buffer in which a frame was decrypted: handed on without a copy.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Plaintext {
    buffer: Bytes,
    start: usize,
    end: usize,
}

impl Plaintext {
    /// The whole buffer counts as empty where `range` is not inside it.
    pub(crate) const fn new(buffer: Bytes, range: Range<usize>) -> Self {
        let Range { start, end } = range;
        Self { buffer, start, end }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Everything that was decrypted.
    pub(crate) fn buffer(&self) -> &[u8] {
        &self.buffer
    }
}
