//! Snappy, the raw format: a length, literals and copies. Framing and checksums are left to the caller.
//!
//! Source: <https://github.com/google/snappy/blob/main/format_description.txt>.

use super::{
    finders::{Find, Finders},
    layout::Layout,
    sink::Sink,
};
use crate::{bits::Full, dispatch::Dispatch};
use std::{fmt, hint::select_unpredictable};

/// Shortest copy that takes no more than its bytes.
const COPY_BYTES_MIN: usize = 4;

/// Longest copy.
const COPY_BYTES_MAX: usize = 64;

/// A copy shorter and nearer than these takes two bytes, any other three.
const NEAR_LENGTH: u32 = 12;
const NEAR_DISTANCE: u32 = 2048;

/// Short literals and copies are written with up to so many bytes ahead of what counts.
const AHEAD_BYTES: usize = 72;

/// Longest literal whose tag is one byte.
const SHORT_LITERAL_BYTES: usize = 60;

/// Length of a block in seven bits a byte, and the longest tag before a literal.
const OVERHEAD_BYTES_MAX: usize = 5 + 5;

/// Compresses blocks of column values as Snappy does, in its raw format.
///
/// Output is a function of the block and its layout alone: not of the machine, nor of earlier blocks. Matches reach back
/// 64 KiB, so that blocks, which are Parquet's pages, gain little from being much longer than that.
///
/// Memory: 312 KiB, and as much as the longest block so far that was appended to a vector.
///
/// # Examples
/// ```
/// use stocktake_codec::{Layout, SnappyBlocks};
///
/// let sizes = [4096u64, 4097, 5000, 4096].map(u64::to_le_bytes).concat();
/// let mut compressed = Vec::new();
/// SnappyBlocks::new().compress(&sizes, Layout::Words { head: 0, width: 8 }, &mut compressed);
/// assert_eq!(snap::raw::Decoder::new().decompress_vec(&compressed), Ok(sizes));
/// ```
pub struct SnappyBlocks {
    finders: Finders,
    dispatch: Dispatch,
    out: Vec<u8>,
}

impl SnappyBlocks {
    /// A compressor for any number of blocks.
    #[expect(clippy::new_without_default, reason = "tables of that size are no default")]
    pub fn new() -> Self {
        Self { finders: Finders::new(), dispatch: Dispatch::Auto, out: Vec::new() }
    }

    /// Uses other code for the same bytes.
    pub fn set_dispatch(&mut self, dispatch: Dispatch) {
        self.dispatch = dispatch;
    }

    /// Longest output of a block of this length: the block as a single literal.
    pub const fn compressed_bytes_max(block_bytes: usize) -> usize {
        block_bytes + OVERHEAD_BYTES_MAX
    }

    /// Room that [`SnappyBlocks::compress_into`] asks for: the longest output, and some bytes that are written ahead of it.
    pub const fn room_bytes(block_bytes: usize) -> usize {
        Self::compressed_bytes_max(block_bytes) + AHEAD_BYTES
    }

    /// Appends the compressed block: at most [`SnappyBlocks::compressed_bytes_max`].
    ///
    /// # Panics
    /// If the block has 4 GiB or more, which the format cannot say.
    pub fn compress(&mut self, block: &[u8], layout: Layout<'_>, out: &mut Vec<u8>) {
        let mut own = std::mem::take(&mut self.out);
        if own.len() < Self::room_bytes(block.len()) {
            own.resize(Self::room_bytes(block.len()), 0);
        }
        let written = self.compress_into(block, layout, &mut own);
        out.extend_from_slice(&own[..written]);
        self.out = own;
    }

    /// Writes the compressed block to the front of `out`, and returns its length. What follows it in `out` is written to, too.
    ///
    /// # Panics
    /// If `out` is shorter than [`SnappyBlocks::room_bytes`] says, or the block has 4 GiB or more, which the format cannot say.
    pub fn compress_into(&mut self, block: &[u8], layout: Layout<'_>, out: &mut [u8]) -> usize {
        let room = Self::compressed_bytes_max(block.len());
        let length = u32::try_from(block.len()).expect("blocks are shorter than 4 GiB");
        let mut writer = Writer { block, out: &mut out[..room + AHEAD_BYTES], at: 0, settled: 0 };
        let found = writer
            .put_length(length)
            .and_then(|()| self.dispatch.run(Find { finders: &mut self.finders, block, layout, sink: &mut writer }));
        if found.and_then(|()| writer.put_literals(block.len())).is_err() || writer.at > room {
            (writer.at, writer.settled) = (0, 0);
            match writer.put_length(length).and_then(|()| writer.put_literals(block.len())) {
                Ok(()) => {}
                Err(Full) => unreachable!("there is room for the block as one literal"),
            }
        }
        writer.at
    }

    /// Bytes of memory that it holds.
    pub fn memory_bytes(&self) -> usize {
        self.out.capacity() + self.finders.memory_bytes()
    }
}

/// Writes literals and copies as they come.
struct Writer<'a> {
    block: &'a [u8],
    /// Ends [`AHEAD_BYTES`] after the longest output.
    out: &'a mut [u8],
    at: usize,
    settled: usize,
}

impl Writer<'_> {
    /// Writes the block's length, seven bits a byte.
    fn put_length(&mut self, mut length: u32) -> Result<(), Full> {
        while length >= 128 {
            self.put_bytes(&[low_byte(length | 128)])?;
            length >>= 7;
        }
        self.put_bytes(&[low_byte(length)])
    }

    fn put_bytes(&mut self, bytes: &[u8]) -> Result<(), Full> {
        self.out.get_mut(self.at..self.at + bytes.len()).ok_or(Full)?.copy_from_slice(bytes);
        self.at += bytes.len();
        Ok(())
    }

    /// Writes what is not settled yet as a literal of any length.
    #[inline(never)]
    fn put_literals(&mut self, to: usize) -> Result<(), Full> {
        let literals = &self.block[self.settled..to];
        self.settled = to;
        let Some(less) = literals.len().checked_sub(1) else { return Ok(()) };
        let less = u32::try_from(less).unwrap_or(u32::MAX);
        let [a, b, c, d] = less.to_le_bytes();
        match less {
            0..60 => self.put_bytes(&[a << 2])?,
            60..0x100 => self.put_bytes(&[60 << 2, a])?,
            0x100..0x1_0000 => self.put_bytes(&[61 << 2, a, b])?,
            0x1_0000..0x100_0000 => self.put_bytes(&[62 << 2, a, b, c])?,
            _ => self.put_bytes(&[63 << 2, a, b, c, d])?,
        }
        self.put_bytes(literals)
    }

    /// Writes literals and a match, whose copy is given, if both are short and stand before others; says whether it did.
    #[inline(always)]
    fn put_short(&mut self, from: usize, length: usize, (copy, bytes): (u32, usize)) -> bool {
        let literals = from - self.settled;
        if (literals <= SHORT_LITERAL_BYTES) & (length <= COPY_BYTES_MAX)
            && let Some(text) = self.block.get(self.settled..).and_then(|rest| rest.first_chunk::<64>())
            && let Some(out) = self.out.get_mut(self.at..).and_then(|rest| rest.first_chunk_mut::<AHEAD_BYTES>())
        {
            // As many bytes are copied as there may be, which takes no branch; what is too much is written over.
            let tag = usize::from(literals > 0);
            let [less, ..] = literals.wrapping_sub(1).to_le_bytes();
            out[0] = less << 2;
            out[tag..tag + 64].copy_from_slice(text);
            out[tag + literals..tag + literals + 4].copy_from_slice(&copy.to_le_bytes());
            self.at += tag + literals + bytes;
            self.settled = from + length;
            return true;
        }
        false
    }

    /// Writes literals and a match of any length.
    #[inline(never)]
    fn put_long(&mut self, from: usize, mut length: usize, distance: usize) -> Result<(), Full> {
        self.put_literals(from)?;
        self.settled = from + length;
        while length > COPY_BYTES_MAX {
            // What is left has at least four bytes.
            let part = COPY_BYTES_MAX.min(length - COPY_BYTES_MIN);
            self.put_copy(part, distance)?;
            length -= part;
        }
        self.put_copy(length, distance)
    }

    /// Writes one copy.
    #[inline(always)]
    fn put_copy(&mut self, length: usize, distance: usize) -> Result<(), Full> {
        let out = self.out.get_mut(self.at..).and_then(|rest| rest.first_chunk_mut()).ok_or(Full)?;
        let (copy, bytes) = copy_tag(length, distance);
        *out = copy.to_le_bytes();
        self.at += bytes;
        Ok(())
    }
}

impl Sink for Writer<'_> {
    const DISTANCE_MAX: usize = 65_535;
    const SINGLE_MAX: Option<usize> = Some(COPY_BYTES_MAX);

    fn settled(&self) -> usize {
        self.settled
    }

    #[inline(always)]
    fn saves(&self, settled: usize, from: usize, length: usize, distance: usize) -> isize {
        if length < COPY_BYTES_MIN || distance == 0 || distance > Self::DISTANCE_MAX {
            return -1;
        }
        // After literals, it splits them, which takes a tag.
        let copies =
            if length > COPY_BYTES_MAX { 3 * length.div_ceil(COPY_BYTES_MAX) } else { copy_tag(length, distance).1 };
        length.cast_signed() - copies.cast_signed() - isize::from(from > settled)
    }

    #[inline(always)]
    fn put(&mut self, from: usize, length: usize, distance: usize) -> Result<(), Full> {
        if !self.put_short(from, length, copy_tag(length, distance)) {
            self.put_long(from, length, distance)?;
        }
        Ok(())
    }

    #[inline(always)]
    fn offer(&mut self, from: usize, length: usize, distance: usize) -> Result<bool, Full> {
        let copy = copy_tag(length, distance);
        // Without branches, since short matches cannot be foreseen. What takes more than one copy gains in any case.
        let bytes = copy.1 + usize::from(from > self.settled);
        let gains = (length >= COPY_BYTES_MIN) & (distance.wrapping_sub(1) < Self::DISTANCE_MAX) & (length > bytes);
        if gains && !self.put_short(from, length, copy) {
            self.put_long(from, length, distance)?;
        }
        Ok(gains)
    }
}

/// The bytes of a copy, and their number: a short one of nearby bytes takes two.
#[inline(always)]
fn copy_tag(length: usize, distance: usize) -> (u32, usize) {
    #[expect(clippy::cast_possible_truncation, reason = "at most 64, and below 65,536")]
    let (length, distance) = (length as u32, distance as u32);
    let short = 1 | length.wrapping_sub(4) << 2 | (distance >> 8) << 5 | (distance & 0xff) << 8;
    let long = 2 | length.wrapping_sub(1) << 2 | distance << 8;
    let near = (length < NEAR_LENGTH) & (distance < NEAR_DISTANCE);
    (select_unpredictable(near, short, long), 3 - usize::from(near))
}

#[inline(always)]
fn low_byte(value: u32) -> u8 {
    let [low, ..] = value.to_le_bytes();
    low
}

impl fmt::Debug for SnappyBlocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SnappyBlocks").finish_non_exhaustive()
    }
}
