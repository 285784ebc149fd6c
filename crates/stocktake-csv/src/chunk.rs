//! An encoded chunk: a run of DEFLATE that ends on a byte, and what a gzip trailer needs to know of its text.

/// Rows as deflated text, without a place in a file yet.
#[derive(Clone, Debug, Default)]
pub struct CsvChunk {
    /// Blocks of raw DEFLATE, none of them the last, that end on a byte and refer to nothing before them.
    pub(crate) deflated: Vec<u8>,
    /// CRC-32 of the text.
    pub(crate) crc32: u32,
    /// Length of the text.
    pub(crate) text_bytes: u64,
}

impl CsvChunk {
    /// The run of raw DEFLATE.
    pub fn deflated(&self) -> &[u8] {
        &self.deflated
    }

    /// CRC-32 of the text.
    pub fn crc32(&self) -> u32 {
        self.crc32
    }

    /// Length of the text in bytes.
    pub fn text_bytes(&self) -> u64 {
        self.text_bytes
    }

    /// Empties the chunk and keeps its allocation.
    pub(crate) fn clear(&mut self) {
        self.deflated.clear();
        self.crc32 = 0;
        self.text_bytes = 0;
    }

    pub(crate) fn capacity_bytes(&self) -> usize {
        self.deflated.capacity()
    }
}
