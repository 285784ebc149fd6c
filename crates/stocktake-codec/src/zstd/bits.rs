//! Bits of a stream that is read backwards.

/// Bytes that are written ahead of what counts.
pub(super) const AHEAD_BYTES: usize = 8;

/// Bits from the lowest upwards.
pub(super) struct Bits<'a> {
    pub(super) word: u64,
    pub(super) count: u32,
    pub(super) out: &'a mut [u8],
    pub(super) at: usize,
}

impl Bits<'_> {
    /// Puts some bits, of which there are 64 at most since the last were stored.
    #[inline(always)]
    pub(super) fn put(&mut self, value: u64, bits: u32) {
        self.word |= value << (self.count & 63);
        self.count += bits;
    }

    /// Stores whole bytes; none if there is no room.
    #[inline(always)]
    pub(super) fn store(&mut self) -> Option<()> {
        *self.out.get_mut(self.at..)?.first_chunk_mut::<AHEAD_BYTES>()? = self.word.to_le_bytes();
        self.at += (self.count >> 3) as usize;
        self.word >>= self.count & 56;
        self.count &= 7;
        Some(())
    }
}
