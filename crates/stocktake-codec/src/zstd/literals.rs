//! Literals with Huffman codes of their own (RFC 8878, 3.1.1.3.1 and 4.2), in four streams.

use super::bits::{AHEAD_BYTES, Bits};
use crate::{
    dispatch::{Dispatch, Work},
    huffman::code_lengths,
};
use std::fmt;

/// Longest code of a literal (RFC 8878, 4.2.1).
const CODE_BITS_MAX: usize = 11;

/// Symbols that codes can be told of one by one: half a byte each.
const SYMBOLS: usize = 128;

/// Fewer literals are not worth codes of their own.
pub(super) const LITERALS_MIN: usize = 256;

/// Bytes of the head of literals in codes, and of the lengths of their streams.
const HEAD_BYTES: usize = 5;
const JUMP_BYTES: usize = 6;

/// Bytes of which one in [`SAMPLED_OF`] pieces are counted.
const PIECE_BYTES: usize = 64;
const SAMPLED_OF: usize = 8;

/// How often literals are counted before codes are made of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counting {
    /// One piece of eight: of random text.
    Sample,
    Every,
}

/// Writes literals.
#[derive(Clone, Debug, Default)]
pub(super) struct Literals {
    /// Four streams side by side before they stand one after another.
    streams: Vec<u8>,
    pairs: Pairs,
}

impl Literals {
    /// Writes a section of literals in codes to the front of `out`, and returns its length; none if there are too few, if some are
    /// not ASCII, or if they do not become shorter or find no room.
    pub(super) fn put(&mut self, text: &[u8], counting: Counting, dispatch: Dispatch, out: &mut [u8]) -> Option<usize> {
        if text.len() < LITERALS_MIN || !text.is_ascii() {
            return None;
        }
        if counting == Counting::Sample
            && let Ok(found) = self.coded(text, &sampled_counts(text), dispatch, out)
        {
            return found;
        }
        // Also where some symbol is not among those that were counted.
        self.coded(text, &counts(text), dispatch, out).ok().flatten()
    }

    /// Writes literals by codes from these counts. None: they would not be shorter.
    fn coded(
        &mut self,
        text: &[u8],
        counts: &[u32; 256],
        dispatch: Dispatch,
        out: &mut [u8],
    ) -> Result<Option<usize>, Missing> {
        if counts.iter().filter(|count| **count > 0).count() < 2 {
            // One symbol alone has no code; the others are not known yet.
            return Err(Missing);
        }
        let mut lengths = [0; SYMBOLS];
        code_lengths(&counts[..SYMBOLS], CODE_BITS_MAX, &mut lengths);
        let longest = lengths.iter().copied().max().unwrap_or(0);
        let codes = self.pairs.fill(&lengths, longest);
        let part = text.len().div_ceil(4);
        let stream_bytes = part * CODE_BITS_MAX / 8 + 2 * AHEAD_BYTES;
        if self.streams.len() < 4 * stream_bytes {
            self.streams.resize(4 * stream_bytes, 0);
        }
        let mut written = [0; 4];
        for ((text, room), written) in
            text.chunks(part).zip(self.streams.chunks_exact_mut(stream_bytes)).zip(&mut written)
        {
            let stream = Stream { text, pairs: &self.pairs.pairs, codes: &codes, short: longest <= 6, out: room };
            *written = dispatch.run(stream).ok_or(Missing)?;
        }
        let (tree, tree_bytes) = tree_of(&lengths, longest);
        let coded_bytes = tree_bytes + JUMP_BYTES + written.iter().sum::<usize>();
        let section = HEAD_BYTES + coded_bytes;
        if section >= text.len() || section > out.len() {
            return Ok(None);
        }
        let mut at = 0;
        let mut put = |bytes: &[u8]| {
            out[at..at + bytes.len()].copy_from_slice(bytes);
            at += bytes.len();
        };
        // Compressed literals in four streams, both sizes in 18 bits.
        let head = 2 | 3 << 2 | (text.len() as u64) << 4 | (coded_bytes as u64) << 22;
        put(&head.to_le_bytes()[..HEAD_BYTES]);
        put(&tree[..tree_bytes]);
        // Streams have less than 64 KiB: a fourth of a block, shortened.
        written[..3].iter().for_each(|bytes| put(&u16::try_from(*bytes).unwrap_or(u16::MAX).to_le_bytes()));
        for (stream, bytes) in self.streams.chunks_exact(stream_bytes).zip(written) {
            put(&stream[..bytes]);
        }
        Ok(Some(at))
    }
}

/// Writes a section of literals as they are; none if there is no room.
pub(super) fn put_stored(text: &[u8], out: &mut [u8]) -> Option<usize> {
    // The size has 5, 12 or 20 bits.
    let (head, head_bytes) = match text.len() {
        0..32 => (text.len() << 3, 1),
        32..4096 => (1 << 2 | text.len() << 4, 2),
        _ => (3 << 2 | text.len() << 4, 3),
    };
    let section = out.get_mut(..head_bytes + text.len())?;
    section[..head_bytes].copy_from_slice(&head.to_le_bytes()[..head_bytes]);
    section[head_bytes..].copy_from_slice(text);
    Some(section.len())
}

/// A symbol of the text has no code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Missing;

fn counts(text: &[u8]) -> [u32; 256] {
    let mut counts = [[0; 256]; 4];
    // Each of four neighbours has its own counts, so that equal ones do not wait for one another.
    let (whole, rest) = text.as_chunks::<4>();
    for four in whole {
        four.iter().zip(&mut counts).for_each(|(byte, counts)| counts[usize::from(*byte)] += 1);
    }
    rest.iter().for_each(|byte| counts[0][usize::from(*byte)] += 1);
    std::array::from_fn(|symbol| counts.iter().map(|counts| counts[symbol]).sum())
}

/// How often each byte stands in a part of the text.
fn sampled_counts(text: &[u8]) -> [u32; 256] {
    let mut counts = [0; 256];
    let pieces = text.chunks(PIECE_BYTES).step_by(SAMPLED_OF);
    pieces.flatten().for_each(|byte| counts[usize::from(*byte)] += 1);
    counts
}

/// The lengths of codes as RFC 8878, 4.2.1.1 tells of them: weights in half a byte each up to the last but one symbol.
fn tree_of(lengths: &[u8; SYMBOLS], longest: u8) -> ([u8; 1 + SYMBOLS / 2], usize) {
    let last = lengths.iter().rposition(|length| *length > 0).unwrap_or(0);
    let weight = |symbol: usize| match lengths.get(symbol) {
        Some(length) if symbol < last && *length > 0 => longest + 1 - length,
        _ => 0,
    };
    let mut tree = [0; 1 + SYMBOLS / 2];
    tree[0] = (127 + last).to_le_bytes()[0];
    let bytes = last.div_ceil(2);
    for (byte, pair) in tree[1..=bytes].iter_mut().zip((0..).step_by(2)) {
        *byte = weight(pair) << 4 | weight(pair + 1);
    }
    (tree, 1 + bytes)
}

/// Codes of pairs of bytes: the code in the lower bits, that of the second byte lowest, and its length in the highest byte.
///
/// Of random texts of few symbols only few lines of the table are ever touched.
#[derive(Clone)]
struct Pairs {
    pairs: Box<[u32; PAIRS]>,
    /// Symbols that have pairs.
    symbols: Vec<u8>,
}

const PAIRS: usize = SYMBOLS << 8;

/// Marks a byte without a code, above every code.
const MISSING: u32 = 1 << 23;

/// A byte's code and its length.
#[derive(Clone, Copy)]
struct Code {
    code: u32,
    length: u32,
}

impl Pairs {
    /// RFC 8878, 4.2.1.2: the longest codes come first, from zero.
    fn fill(&mut self, lengths: &[u8; SYMBOLS], longest: u8) -> [Code; 256] {
        for first in &self.symbols {
            for second in &self.symbols {
                self.pairs[pair_of([*first, *second])] = MISSING;
            }
        }
        self.symbols.clear();
        let mut codes = [Code { code: MISSING, length: 0 }; 256];
        let mut next = 0;
        for length in (1..=longest).rev() {
            for ((symbol, code), length) in (0..).zip(&mut codes).zip(lengths).filter(|(_, of)| **of == length) {
                *code = Code { code: next, length: u32::from(*length) };
                next += 1;
                self.symbols.push(symbol);
            }
            next >>= 1;
        }
        for first in &self.symbols {
            let Code { code: upper, length: more } = codes[usize::from(*first)];
            for second in &self.symbols {
                let Code { code, length } = codes[usize::from(*second)];
                self.pairs[pair_of([*first, *second])] = code | upper << length | (length + more) << 24;
            }
        }
        codes
    }
}

/// The place of a pair, of which bytes that are not ASCII share those of others.
#[inline(always)]
fn pair_of(pair: [u8; 2]) -> usize {
    usize::from(u16::from_le_bytes(pair)) % PAIRS
}

impl Default for Pairs {
    fn default() -> Self {
        Self {
            pairs: vec![MISSING; PAIRS].try_into().unwrap_or_else(|_| Box::new([MISSING; PAIRS])),
            symbols: Vec::new(),
        }
    }
}

impl fmt::Debug for Pairs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pairs").finish_non_exhaustive()
    }
}

/// Bits of a text, from its last byte to its first, as they are read backwards.
struct Stream<'a> {
    text: &'a [u8],
    pairs: &'a [u32; PAIRS],
    codes: &'a [Code; 256],
    /// No code has more than six bits.
    short: bool,
    out: &'a mut [u8],
}

impl Work for Stream<'_> {
    /// Bytes that were written; none if a byte has no code.
    type Output = Option<usize>;

    #[inline(always)]
    fn run(self) -> Option<usize> {
        if self.short { self.put::<8>() } else { self.put::<4>() }
    }
}

impl Stream<'_> {
    /// Puts `AT_ONCE` codes, which have up to 48 bits together, between one store and the next.
    #[inline(always)]
    fn put<const AT_ONCE: usize>(self) -> Option<usize> {
        let Self { text, pairs, codes, out, .. } = self;
        let mut bits = Bits { word: 0, count: 0, out, at: 0 };
        let mut seen = 0;
        let (odd, whole) = text.as_rchunks::<AT_ONCE>();
        for part in whole.iter().rev() {
            for pair in part.as_chunks().0.iter().rev() {
                let entry = pairs[pair_of(*pair)];
                seen |= entry;
                bits.put(u64::from(entry & 0xff_ffff), entry >> 24);
            }
            bits.store()?;
        }
        for byte in odd.iter().rev() {
            let Code { code, length } = codes[usize::from(*byte)];
            seen |= code;
            bits.put(u64::from(code), length);
            bits.store()?;
        }
        // A one ends the stream where it is read from.
        bits.put(1, 1);
        bits.store()?;
        (seen & MISSING == 0).then_some(bits.at + usize::from(bits.count > 0))
    }
}
