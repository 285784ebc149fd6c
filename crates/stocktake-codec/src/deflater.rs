//! The text of a run, and its blocks.

use crate::{
    block::{BlockWriter, Place},
    cursor::{Cursor, Match, State},
    dispatch::Dispatch,
    symbols::DISTANCE_MAX,
    tokens::Token,
};
use std::fmt;

/// A block with so much text is full: long enough that a header of about 100 bytes does not count, short enough for
/// codes to follow the text and for a core's own cache to hold it.
pub const BLOCK_BYTES: usize = 384 << 10;

/// A block with so many matches is full, which bounds what is kept of them to a quarter of a megabyte.
const TOKENS_MAX: usize = 32 << 10;

/// Room for a row at first. It grows for longer ones.
const ROOM_BYTES: usize = 64 << 10;

/// Deflates one run after another from text and known repetitions.
///
/// Positions count bytes from the beginning of the run. A block ends where the caller asks for it, which should be where
/// [`Deflater::is_full`] says so.
///
/// Memory: 1.4 MiB at most while rows have up to 64 KiB; longer rows add six times their length at most.
pub struct Deflater {
    /// Up to 32 KiB before the block, the block, and room.
    text: Vec<u8>,
    /// Where the block begins in the text.
    block: usize,
    state: State,
    tokens: Vec<Token>,
    writer: BlockWriter,
    dispatch: Dispatch,
}

impl Deflater {
    /// A deflater at the beginning of a run.
    #[expect(clippy::new_without_default, reason = "a megabyte is no default")]
    pub fn new() -> Self {
        Self {
            text: vec![0; DISTANCE_MAX + BLOCK_BYTES + ROOM_BYTES],
            block: 0,
            state: State::default(),
            tokens: Vec::new(),
            writer: BlockWriter::new(),
            dispatch: Dispatch::Auto,
        }
    }

    /// Uses other code for the same bytes.
    pub fn set_dispatch(&mut self, dispatch: Dispatch) {
        self.dispatch = dispatch;
        self.writer.set_dispatch(dispatch);
    }

    /// Which code is used.
    pub fn dispatch(&self) -> Dispatch {
        self.dispatch
    }

    /// Begins a run; one that was not ended leaves no trace.
    pub fn begin(&mut self) {
        self.block = 0;
        self.state = State::default();
        self.tokens.clear();
        self.writer.begin();
    }

    /// At least `bytes` bytes to write text to, what stands in them without meaning; it counts with [`Deflater::push`].
    #[inline(always)]
    pub fn room(&mut self, bytes: usize) -> &mut [u8] {
        if self.text.len() - self.state.filled < bytes {
            self.grow(bytes);
        }
        &mut self.text[self.state.filled..]
    }

    #[cold]
    fn grow(&mut self, bytes: usize) {
        self.text.resize(self.state.filled + bytes + ROOM_BYTES, 0);
    }

    /// Adds the text that was written to the room's first bytes, and returns its position.
    ///
    /// A match that reaches to the end of the text before grows into it.
    ///
    /// # Panics
    /// If the room was shorter.
    #[inline]
    pub fn push(&mut self, bytes: usize) -> usize {
        let mut cursor = self.cursor();
        cursor.look_ahead(bytes);
        let start = cursor.push(bytes);
        self.state = cursor.state();
        self.state.base + start
    }

    /// Settles the text; what it has settled is to be given back.
    // Not by a closure, which would not be compiled for the processor that its caller is compiled for.
    #[inline(always)]
    pub(crate) fn cursor(&mut self) -> Cursor<'_> {
        Cursor::new(&self.text, &mut self.tokens, self.state)
    }

    /// Takes back what a cursor has settled.
    #[inline(always)]
    pub(crate) fn set_state(&mut self, state: State) {
        self.state = state;
    }

    /// Position up to which literals and matches are settled: [`Deflater::copy`] goes on from there.
    pub fn settled(&self) -> usize {
        self.state.base + self.state.open.end
    }

    /// Says that the text around `at` repeats what stands `distance` before it.
    ///
    /// What is not settled yet becomes a match as far as it is equal, backwards and forwards; what is settled stays. Does
    /// nothing and returns `false` if that gains nothing, or if the distance is 0, beyond 32,768 or before the run.
    #[inline]
    pub fn copy(&mut self, at: usize, distance: usize) -> bool {
        // What lies before the text is settled.
        let at = at.saturating_sub(self.state.base);
        let mut cursor = self.cursor();
        let copied = cursor.copy(at, distance);
        self.state = cursor.state();
        copied
    }

    /// Position of the text's end.
    pub fn position(&self) -> usize {
        self.state.base + self.state.filled
    }

    /// The text of the block so far: what the next [`Deflater::end_block`] writes.
    pub fn block(&self) -> &[u8] {
        &self.text[self.block..self.state.filled]
    }

    /// Whether the block should be ended.
    #[inline(always)]
    pub fn is_full(&self) -> bool {
        self.fullness().is_reached(self.state.filled, self.tokens.len())
    }

    pub(crate) fn fullness(&self) -> Fullness {
        Fullness { end: self.block + BLOCK_BYTES }
    }

    /// Appends the block, with codes of its own or with those of the block before where they suit it as well; matches may go on
    /// reaching back into it.
    pub fn end_block(&mut self, into: &mut Vec<u8>) {
        self.end_block_before(0, into);
    }

    /// As [`Deflater::end_block`], and keeps the first `ahead_bytes` of the room, which are to be pushed yet.
    ///
    /// # Panics
    /// If the room was shorter.
    pub fn end_block_before(&mut self, ahead_bytes: usize, into: &mut Vec<u8>) {
        let mut cursor = self.cursor();
        cursor.close();
        self.state = cursor.state();
        let State { base, filled, literals_from, .. } = self.state;
        if literals_from < filled {
            // Far below 4 GiB: a block and the row that fills it.
            let literals = u32::try_from(filled - literals_from).unwrap_or(u32::MAX);
            self.tokens.push(Token { literals, length: 0, distance: 0 });
        }
        if self.block < filled {
            self.writer.write(&self.text[self.block..filled], &self.tokens, Place::Inside, into);
        }
        let kept = filled.min(DISTANCE_MAX);
        self.text.copy_within(filled - kept..filled + ahead_bytes, 0);
        self.block = kept;
        let open = Match { start: kept, end: kept, distance: 0 };
        self.state = State { base: base + filled - kept, filled: kept, literals_from: kept, open };
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
}

/// When a block is full.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fullness {
    end: usize,
}

impl Fullness {
    /// Whether a block is full that ends there and has so many tokens.
    #[inline(always)]
    pub(crate) fn is_reached(self, end: usize, tokens: usize) -> bool {
        end >= self.end || tokens >= TOKENS_MAX
    }
}

impl fmt::Debug for Deflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deflater").field("position", &self.position()).finish_non_exhaustive()
    }
}
