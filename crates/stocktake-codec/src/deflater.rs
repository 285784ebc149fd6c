//! The text of a run, what of it is settled, and the match that may still grow.

use crate::{
    block::{BlockWriter, Place},
    compare::{equal_before, equal_front},
    dispatch::Dispatch,
    lanes::LANES,
    symbols::DISTANCE_MAX,
    tokens::{Token, push_match},
};
use std::fmt;

/// A block with so much text is full: long enough that a header of about 100 bytes does not count, short enough for
/// codes to follow the text and for a core's own cache to hold it.
pub const BLOCK_BYTES: usize = 256 << 10;

/// A block with so many matches is full, which bounds what is kept of them to a quarter of a megabyte.
const TOKENS_MAX: usize = 32 << 10;

/// Room for a row at first. It grows for longer ones.
const ROOM_BYTES: usize = 64 << 10;

/// Deflates one run after another from text and known repetitions.
///
/// Positions count bytes from the beginning of the run. A block ends where the caller asks for it, which should be where
/// [`Deflater::is_full`] says so.
///
/// Memory: 1 MiB while rows have up to 64 KiB; longer rows add six times their length at most.
pub struct Deflater {
    /// Up to 32 KiB before the block, the block, and room.
    text: Vec<u8>,
    /// Position of the text's first byte.
    base: usize,
    /// Where the block begins, as all that follow an index into the text.
    block: usize,
    filled: usize,
    /// End of the last match in `tokens`.
    literals_from: usize,
    /// Without a match, it ends where literals begin.
    open: Match,
    tokens: Vec<Token>,
    writer: BlockWriter,
}

/// The last match, which grows with the text; none if the distance is 0.
#[derive(Clone, Copy, Debug, Default)]
struct Match {
    start: usize,
    end: usize,
    distance: u16,
}

impl Deflater {
    /// A deflater at the beginning of a run.
    #[expect(clippy::new_without_default, reason = "half a megabyte is no default")]
    pub fn new() -> Self {
        Self {
            text: vec![0; DISTANCE_MAX + BLOCK_BYTES + ROOM_BYTES],
            base: 0,
            block: 0,
            filled: 0,
            literals_from: 0,
            open: Match::default(),
            tokens: Vec::new(),
            writer: BlockWriter::new(),
        }
    }

    /// Uses other code for the same bytes.
    #[must_use]
    pub fn with_dispatch(mut self, dispatch: Dispatch) -> Self {
        self.writer.set_dispatch(dispatch);
        self
    }

    /// Begins a run; one that was not ended leaves no trace.
    pub fn begin(&mut self) {
        (self.base, self.block, self.filled, self.literals_from) = (0, 0, 0, 0);
        self.open = Match::default();
        self.tokens.clear();
        self.writer.begin();
    }

    /// At least `bytes` bytes to write text to, what stands in them without meaning; it counts with [`Deflater::push`].
    #[inline(always)]
    pub fn room(&mut self, bytes: usize) -> &mut [u8] {
        if self.text.len() - self.filled < bytes {
            self.grow(bytes);
        }
        &mut self.text[self.filled..]
    }

    #[cold]
    fn grow(&mut self, bytes: usize) {
        self.text.resize(self.filled + bytes + ROOM_BYTES, 0);
    }

    /// Adds the text that was written to the room's first bytes, and returns its position.
    ///
    /// A match that reaches to the end of the text before grows into it.
    ///
    /// # Panics
    /// If the room was shorter.
    #[inline(always)]
    pub fn push(&mut self, bytes: usize) -> usize {
        let start = self.filled;
        assert!(bytes <= self.text.len() - start, "text beyond its room");
        self.filled += bytes;
        if self.open.distance > 0 && self.open.end == start {
            let from = start - usize::from(self.open.distance);
            self.open.end += equal_front(&self.text, start, from, bytes);
        }
        self.base + start
    }

    /// Position up to which literals and matches are settled: [`Deflater::copy`] goes on from there.
    #[inline(always)]
    pub fn settled(&self) -> usize {
        self.base + self.open.end
    }

    /// Says that the text around `at` repeats what stands `distance` before it.
    ///
    /// What is not settled yet becomes a match as far as it is equal, backwards and forwards; what is settled stays. Does
    /// nothing and returns `false` if that gains nothing, or if the distance is 0, beyond 32,768 or before the run.
    #[inline(always)]
    pub fn copy(&mut self, at: usize, distance: usize) -> bool {
        let settled = self.open.end;
        // The open match reaches as far as it is equal.
        if distance == usize::from(self.open.distance) && at <= self.base + settled {
            return false;
        }
        let at = self.index_of(at);
        // A distance of 0 wraps to more than any.
        if distance.wrapping_sub(1) >= DISTANCE_MAX.min(at) {
            return false;
        }
        let back = equal_before(&self.text, at, at - distance, at - settled);
        self.open_match(at, distance, back)
    }

    /// As [`Deflater::copy`], of a place before which so many bytes are known to be equal and not settled.
    #[inline(always)]
    pub(crate) fn copy_behind(&mut self, at: usize, distance: usize, back: usize) -> bool {
        let settled = self.open.end;
        let at = self.index_of(at);
        let repeats = distance == usize::from(self.open.distance) && at == settled;
        if distance.wrapping_sub(1) >= DISTANCE_MAX.min(at) || repeats {
            return false;
        }
        self.open_match(at, distance, back)
    }

    /// Makes what is equal around a place the open match, if that gains.
    #[inline(always)]
    fn open_match(&mut self, at: usize, distance: usize, back: usize) -> bool {
        let front = equal_front(&self.text, at, at - distance, self.filled - at);
        if !gains(back + front, distance) {
            return false;
        }
        self.close();
        #[expect(clippy::cast_possible_truncation, reason = "at most 32,768")]
        let distance = distance as u16;
        self.open = Match { start: at - back, end: at + front, distance };
        true
    }

    /// Index of a position that is not settled, or of the nearest one.
    #[inline(always)]
    fn index_of(&self, position: usize) -> usize {
        // Before the text, the difference wraps and counts as its end: nothing is equal there.
        position.wrapping_sub(self.base).min(self.filled).max(self.open.end)
    }

    /// Number of bytes before `at`, not settled, that equal those `distance` before them.
    #[inline(always)]
    pub(crate) fn equal_before(&self, at: usize, distance: usize) -> usize {
        let settled = self.open.end;
        let at = self.index_of(at);
        if distance > DISTANCE_MAX.min(at) || distance == 0 {
            return 0;
        }
        equal_before(&self.text, at, at - distance, at - settled)
    }

    /// The text of the block between two positions; what lies before it is left out.
    #[inline(always)]
    pub(crate) fn between(&self, from: usize, to: usize) -> &[u8] {
        let index = |position: usize| position.saturating_sub(self.base).min(self.filled);
        self.text.get(index(from)..index(to)).unwrap_or_default()
    }

    /// Sixteen bytes from a position of the block on; what lies behind the text has no meaning.
    #[inline(always)]
    pub(crate) fn sixteen(&self, at: usize) -> [u8; LANES] {
        let rest = self.text.get(at.saturating_sub(self.base)..).unwrap_or_default();
        rest.first_chunk().copied().unwrap_or_else(|| {
            let mut lanes = [0; LANES];
            lanes.iter_mut().zip(rest).for_each(|(lane, byte)| *lane = *byte);
            lanes
        })
    }

    /// Whether `N` bytes from `at` equal those `distance` before them.
    #[inline(always)]
    pub(crate) fn begins_alike<const N: usize>(&self, at: usize, distance: usize) -> bool {
        let text = &self.text[..self.filled];
        let front = |at: usize| text.get(at..).and_then(|rest| rest.first_chunk::<N>());
        let at = at.saturating_sub(self.base);
        at.checked_sub(distance).is_some_and(|before| front(before) == front(at))
    }

    /// Position of the text's end.
    #[inline(always)]
    pub fn position(&self) -> usize {
        self.base + self.filled
    }

    /// The text of the block so far: what the next [`Deflater::end_block`] writes.
    pub fn block(&self) -> &[u8] {
        &self.text[self.block..self.filled]
    }

    /// Whether the block should be ended.
    #[inline(always)]
    pub fn is_full(&self) -> bool {
        self.filled - self.block >= BLOCK_BYTES || self.tokens.len() >= TOKENS_MAX
    }

    /// Appends the block; matches may go on reaching back into it.
    pub fn end_block(&mut self, into: &mut Vec<u8>) {
        self.end_block_before(0, into);
    }

    /// As [`Deflater::end_block`], and keeps the first `ahead_bytes` of the room, which are to be pushed yet.
    ///
    /// # Panics
    /// If the room was shorter.
    pub fn end_block_before(&mut self, ahead_bytes: usize, into: &mut Vec<u8>) {
        self.close();
        if self.literals_from < self.filled {
            // Far below 4 GiB: a block and the row that fills it.
            let literals = u32::try_from(self.filled - self.literals_from).unwrap_or(u32::MAX);
            self.tokens.push(Token { literals, length: 0, distance: 0 });
        }
        if self.block < self.filled {
            self.writer.write(&self.text[self.block..self.filled], &self.tokens, Place::Inside, into);
        }
        let kept = self.filled.min(DISTANCE_MAX);
        self.text.copy_within(self.filled - kept..self.filled + ahead_bytes, 0);
        self.base += self.filled - kept;
        (self.block, self.filled, self.literals_from) = (kept, kept, kept);
        self.open = Match { start: kept, end: kept, distance: 0 };
        self.tokens.clear();
    }

    /// Appends what is left of the run and ends it on a byte, as a sync flush does.
    pub fn end(&mut self, into: &mut Vec<u8>) {
        self.end_block(into);
        self.writer.end(into);
        self.begin();
    }

    /// Bytes of memory that it holds.
    pub fn memory_bytes(&self) -> usize {
        self.text.capacity() + self.tokens.capacity() * size_of::<Token>() + self.writer.capacity_bytes()
    }

    /// Turns the open match into tokens.
    #[inline(always)]
    fn close(&mut self) {
        let Match { start, end, distance } = self.open;
        if distance > 0 {
            push_match(&mut self.tokens, start - self.literals_from, end - start, distance);
            self.literals_from = end;
            self.open = Match { start: end, end, distance: 0 };
        }
    }
}

/// Whether a match takes less than its literals would: a far one has up to 13 bits more than a near one.
#[inline(always)]
fn gains(length: usize, distance: usize) -> bool {
    length >= 5 || length == 4 && distance <= 4096 || length == 3 && distance <= 512
}

impl fmt::Debug for Deflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deflater").field("position", &(self.base + self.filled)).finish_non_exhaustive()
    }
}
