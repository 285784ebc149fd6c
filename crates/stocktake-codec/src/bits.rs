//! Bits to bytes, the first bit lowest.

/// The output has no room for what was to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// Bits on their way into a slice.
#[derive(Debug)]
pub(crate) struct Bits<'a> {
    out: &'a mut [u8],
    at: usize,
    held: u64,
    count: u32,
}

/// Less than a byte of bits, kept between blocks.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rest {
    held: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    pub(crate) fn new(out: &'a mut [u8], rest: Rest) -> Self {
        Self { out, at: 0, held: rest.held, count: rest.count }
    }

    /// The same bits, in variables of the function that it is inlined into.
    #[inline(always)]
    pub(crate) fn unpacked(self) -> Self {
        let Self { out, at, held, count } = self;
        Self { out, at, held, count }
    }

    /// Adds the lowest `count` bits of a value that has no others. After a flush there is room for 56.
    #[inline(always)]
    pub(crate) fn put(&mut self, value: u64, count: u32) {
        debug_assert!(self.count + count < 64 && value >> count == 0);
        self.held |= value.wrapping_shl(self.count);
        self.count += count;
    }

    /// Adds codes with their number of bits in the lowest byte; after a flush at most 56 bits together.
    #[inline(always)]
    pub(crate) fn put_entries<const N: usize>(&mut self, entries: [u32; N]) {
        let mut count = self.count;
        for entry in entries {
            // Shifts look at the lowest six bits only, so that what a sum has above them need not be cleared.
            self.held |= u64::from(entry >> 8).wrapping_shl(count);
            count = count.wrapping_add(entry);
        }
        self.count = count & 63;
    }

    /// Hands whole bytes on; less than eight bits are kept.
    #[inline(always)]
    pub(crate) fn flush(&mut self) -> Result<(), Full> {
        let room = self.out.get_mut(self.at..).and_then(|rest| rest.first_chunk_mut()).ok_or(Full)?;
        *room = self.held.to_le_bytes();
        self.at += (self.count >> 3) as usize;
        self.held >>= self.count & 56;
        self.count &= 7;
        Ok(())
    }

    /// Fills the byte begun with zeros.
    pub(crate) fn align(&mut self) -> Result<(), Full> {
        self.count = self.count.next_multiple_of(8);
        self.flush()
    }

    /// Copies bytes after the last whole one.
    pub(crate) fn copy(&mut self, bytes: &[u8]) -> Result<(), Full> {
        debug_assert!(self.count == 0);
        self.out.get_mut(self.at..self.at + bytes.len()).ok_or(Full)?.copy_from_slice(bytes);
        self.at += bytes.len();
        Ok(())
    }

    /// Number of whole bytes, and what is left over.
    pub(crate) fn finish(mut self) -> Result<(usize, Rest), Full> {
        self.flush()?;
        Ok((self.at, Rest { held: self.held, count: self.count }))
    }
}
