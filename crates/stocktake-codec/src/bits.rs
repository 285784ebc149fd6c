//! Bits to bytes, the first bit lowest.

/// The output has no room for what was to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// Where the code begins in an entry: below it is its number of bits, and room to add up those of some entries.
pub(crate) const CODE_AT: u32 = 9;

/// A code and its number of bits.
#[inline(always)]
pub(crate) fn entry(code: u32, bits: u32) -> u32 {
    code << CODE_AT | bits
}

/// Number of bits of an entry, or of some that were added up.
#[inline(always)]
pub(crate) fn bits_of(entry: u32) -> u32 {
    entry & ((1 << CODE_AT) - 1)
}

/// Bits on their way into a slice.
#[derive(Debug)]
pub(crate) struct Bits<'a> {
    /// What is left of the slice, and how long it was.
    out: &'a mut [u8],
    out_bytes: usize,
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
        Self { out_bytes: out.len(), out, held: rest.held, count: rest.count }
    }

    /// The same bits, in variables of the function that it is inlined into.
    #[inline(always)]
    pub(crate) fn unpacked(self) -> Self {
        let Self { out, out_bytes, held, count } = self;
        Self { out, out_bytes, held, count }
    }

    /// Adds the lowest `count` bits of a value that has no others. After a flush there is room for 56.
    #[inline(always)]
    pub(crate) fn put(&mut self, value: u64, count: u32) {
        debug_assert!(self.count + count < 64 && value >> count == 0);
        self.held |= value.wrapping_shl(self.count);
        self.count += count;
    }

    /// Adds entries; with the bits held at most 63 together.
    #[inline(always)]
    pub(crate) fn put_entries<const N: usize>(&mut self, entries: [u32; N]) {
        // Put together before they meet the bits held: what comes next waits for one step of these, not for each.
        let (mut codes, mut bits) = (0u64, 0u32);
        for entry in entries.into_iter().rev() {
            // Shifts look at the lowest six bits only, so that what an entry has above them need not be cleared.
            codes = codes.wrapping_shl(entry) | u64::from(entry >> CODE_AT);
            bits = bits.wrapping_add(entry);
        }
        self.held |= codes.wrapping_shl(self.count);
        self.count = self.count.wrapping_add(bits) & 63;
    }

    /// Number of bits that are not handed on yet.
    #[inline(always)]
    pub(crate) fn held(&self) -> u32 {
        self.count
    }

    /// Whether entries fit together with the bits held.
    #[inline(always)]
    pub(crate) fn has_room_for<const N: usize>(&self, entries: [u32; N]) -> bool {
        bits_of(entries.iter().fold(self.count, |bits, entry| bits.wrapping_add(*entry))) < 64
    }

    /// Hands whole bytes on; less than eight bits are kept.
    #[inline(always)]
    pub(crate) fn flush(&mut self) -> Result<(), Full> {
        let out = std::mem::take(&mut self.out);
        *out.first_chunk_mut().ok_or(Full)? = self.held.to_le_bytes();
        // Less than eight bytes, as many as there is room for.
        self.out = &mut out[(self.count >> 3 & 7) as usize..];
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
        let (to, out) = std::mem::take(&mut self.out).split_at_mut_checked(bytes.len()).ok_or(Full)?;
        to.copy_from_slice(bytes);
        self.out = out;
        Ok(())
    }

    /// Number of whole bytes, and what is left over.
    pub(crate) fn finish(mut self) -> Result<(usize, Rest), Full> {
        self.flush()?;
        Ok((self.out_bytes - self.out.len(), Rest { held: self.held, count: self.count }))
    }
}
