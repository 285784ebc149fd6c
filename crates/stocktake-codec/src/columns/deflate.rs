//! DEFLATE, one stream a block.

use super::{
    finders::{Find, Finders},
    layout::Layout,
    sink::Sink,
};
use crate::{
    bits::Full,
    block::{BlockWriter, Place},
    dispatch::Dispatch,
    symbols::{DISTANCE_MAX, LENGTH_MIN},
    tokens::{Token, push_match},
};
use std::fmt;

/// Text of one DEFLATE block at most, but for a match at its end: codes of its own for each, as in [`BLOCK_BYTES`].
///
/// [`BLOCK_BYTES`]: crate::BLOCK_BYTES
const PIECE_BYTES: usize = 256 << 10;

/// A DEFLATE block with so many matches is full too, which bounds what is kept of them, with those of one more match of
/// [`PIECE_BYTES`], to a quarter of a megabyte.
const TOKENS_MAX: usize = 24 << 10;

/// The shortest text of a full DEFLATE block.
const FULL_BYTES_MIN: usize = LENGTH_MIN * TOKENS_MAX;

/// Compresses blocks of column values as raw DEFLATE (RFC 1951), each a stream of its own with a last block.
///
/// Output is a function of the block and its layout alone: not of the machine, nor of earlier blocks. It suits blocks of
/// up to 256 KiB best, as ORC has them; longer ones may be given.
///
/// Memory: at most 1.25 MiB.
///
/// # Examples
/// ```
/// use stocktake_codec::{DeflateBlocks, Layout};
///
/// let keys = ["logs/2026/11/22/a.gz", "logs/2026/11/22/b.gz", "logs/2026/11/23/a.gz"];
/// let starts = [0, 20, 40];
/// let mut deflated = Vec::new();
/// DeflateBlocks::new().compress(keys.concat().as_bytes(), Layout::Sorted { starts: &starts, length_bytes: 0 }, &mut deflated);
/// assert!(deflated.len() < 40);
/// ```
pub struct DeflateBlocks {
    finders: Finders,
    tokens: Vec<Token>,
    writer: BlockWriter,
    dispatch: Dispatch,
}

impl DeflateBlocks {
    /// A compressor for any number of blocks.
    #[expect(clippy::new_without_default, reason = "tables of that size are no default")]
    pub fn new() -> Self {
        Self {
            finders: Finders::new(),
            tokens: Vec::new(),
            writer: BlockWriter::of_columns(),
            dispatch: Dispatch::Auto,
        }
    }

    /// Uses other code for the same bytes.
    pub fn set_dispatch(&mut self, dispatch: Dispatch) {
        self.dispatch = dispatch;
        self.writer.set_dispatch(dispatch);
    }

    /// Longest output of a block of this length: plain text in parts of 65,535 bytes with six bytes each, where codes would
    /// be longer.
    pub const fn compressed_bytes_max(block_bytes: usize) -> usize {
        block_bytes + 6 * (block_bytes / 65_535) + 14 * (block_bytes / FULL_BYTES_MIN + 1)
    }

    /// Appends the compressed block: at most [`DeflateBlocks::compressed_bytes_max`].
    ///
    /// # Panics
    /// If the block has 4 GiB or more, which starts cannot say.
    pub fn compress(&mut self, block: &[u8], layout: Layout<'_>, out: &mut Vec<u8>) {
        assert!(u32::try_from(block.len()).is_ok(), "a block of 4 GiB");
        self.tokens.clear();
        self.writer.begin();
        let mut sink = Tokens { block, tokens: &mut self.tokens, writer: &mut self.writer, out, piece: 0, settled: 0 };
        let (Ok(()) | Err(Full)) =
            self.dispatch.run(Find { finders: &mut self.finders, block, layout, sink: &mut sink });
        sink.end();
    }

    /// Bytes of memory that it holds.
    pub fn memory_bytes(&self) -> usize {
        self.tokens.capacity() * size_of::<Token>() + self.writer.capacity_bytes() + self.finders.memory_bytes()
    }
}

/// Takes a block apart into tokens, and writes them when there are enough.
struct Tokens<'a> {
    block: &'a [u8],
    tokens: &'a mut Vec<Token>,
    writer: &'a mut BlockWriter,
    out: &'a mut Vec<u8>,
    /// Where the DEFLATE block begins that the tokens are of.
    piece: usize,
    settled: usize,
}

impl Tokens<'_> {
    /// Adds a match in parts, so that no piece becomes long.
    #[cold]
    fn put_long(&mut self, from: usize, length: usize, distance: usize) -> Result<(), Full> {
        let end = from + length;
        let mut from = from;
        while from < end {
            let left = end - from;
            // What is left has to be a match too.
            let part = if left > PIECE_BYTES { PIECE_BYTES - LENGTH_MIN } else { left };
            self.put(from, part, distance)?;
            from += part;
        }
        Ok(())
    }

    /// Ends the last piece.
    fn end(&mut self) {
        self.end_pieces_before(self.block.len());
        self.end_piece(self.block.len(), Place::Last);
    }

    /// Ends pieces that are full before this place.
    fn end_pieces_before(&mut self, at: usize) {
        while at - self.piece > PIECE_BYTES {
            let to = self.settled.max(self.piece + PIECE_BYTES).min(at);
            self.end_piece(to, Place::Inside);
        }
    }

    /// Writes what lies between the last piece and `to`, which is not before what is settled.
    fn end_piece(&mut self, to: usize, place: Place) {
        if self.settled < to {
            self.tokens.push(Token {
                literals: u32::try_from(to - self.settled).unwrap_or(u32::MAX),
                length: 0,
                distance: 0,
            });
            self.settled = to;
        }
        self.writer.write(&self.block[self.piece..to], self.tokens, place, self.out);
        self.tokens.clear();
        self.piece = to;
    }
}

impl Sink for Tokens<'_> {
    const DISTANCE_MAX: usize = DISTANCE_MAX;
    const SINGLE_MAX: Option<usize> = None;

    fn settled(&self) -> usize {
        self.settled
    }

    #[inline(always)]
    fn saves(&self, settled: usize, from: usize, length: usize, distance: usize) -> isize {
        // In bits: literals have about five, and a match about seven and half of its distance's; see also `symbols`.
        let _ = (settled, from);
        if length < LENGTH_MIN || distance > DISTANCE_MAX || distance == 0 {
            return -1;
        }
        5 * length as isize - 7 - distance.ilog2() as isize
    }

    #[inline(always)]
    fn put(&mut self, from: usize, length: usize, distance: usize) -> Result<(), Full> {
        if length > PIECE_BYTES {
            return self.put_long(from, length, distance);
        }
        self.end_pieces_before(from);
        if self.tokens.len() >= TOKENS_MAX {
            self.end_piece(self.settled, Place::Inside);
        }
        push_match(self.tokens, from - self.settled, length, u16::try_from(distance).unwrap_or(u16::MAX));
        self.settled = from + length;
        Ok(())
    }
}

impl fmt::Debug for DeflateBlocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeflateBlocks").finish_non_exhaustive()
    }
}
