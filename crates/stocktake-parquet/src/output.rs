//! Bytes that grow at their end, with room behind it that is zeroed once and not each time that it is used.

use std::fmt;

/// A vector that is longer than what it holds.
#[derive(Default)]
pub(crate) struct Output {
    bytes: Vec<u8>,
    end: usize,
}

impl Output {
    pub(crate) fn clear(&mut self) {
        self.end = 0;
    }

    /// Makes room for about so many bytes at once, if nothing is held: room that grows is copied, and its pages are touched twice.
    pub(crate) fn expect(&mut self, length: usize) {
        if self.end == 0 && self.bytes.len() < length {
            // Zeroed pages come from the system, and only when they are touched. A little more, as lengths differ a little.
            self.bytes = vec![0; length + length / 8];
        }
    }

    /// Number of bytes that were put.
    pub(crate) fn len(&self) -> usize {
        self.end
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.end]
    }

    pub(crate) fn capacity_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    /// Room behind the end; [`Self::advance`] makes its front part of what is held.
    pub(crate) fn room(&mut self, length: usize) -> &mut [u8] {
        if self.bytes.len() < self.end + length {
            let end = self.end + length;
            // Not twice as much, which a pool of chunks would find too large to keep.
            self.bytes.reserve_exact(end + end / 4 - self.bytes.len());
            self.bytes.resize(end, 0);
        }
        &mut self.bytes[self.end..self.end + length]
    }

    pub(crate) fn advance(&mut self, length: usize) {
        self.end = (self.end + length).min(self.bytes.len());
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Output").field(&self.as_slice()).finish()
    }
}
