//! Text to raw DEFLATE: runs that refer to nothing before them and end on a byte.
//!
//! It knows nothing of rows. Bytes depend on the text, the level and where the text is cut into pieces; the encoder cuts
//! at places that follow from the text alone.

use flate2::{Compress, Compression, FlushCompress};
use std::fmt;

/// More than the compressor makes of nothing: what it kept back from earlier pieces, and the mark of a run's end.
///
/// It keeps back at most one block, whose text is bounded by its window of 64 KiB, and a buffer of as many bytes.
const KEPT_BACK_BYTES: usize = 160 << 10;

/// Deflates one run after another.
pub(crate) struct Deflater {
    compress: Compress,
    level: Compression,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Fresh,
    InRun,
    Ended,
}

impl Deflater {
    /// A deflater of a level, of which 1 to 9 are taken.
    pub(crate) fn new(level: u8) -> Self {
        let level = Compression::new(u32::from(level.clamp(1, 9)));
        Self { compress: Compress::new(level, false), level, state: State::Fresh }
    }

    /// Begins a run with an empty window.
    pub(crate) fn begin(&mut self) {
        match self.state {
            State::Fresh => {}
            // A reset forgets text but not that a block is open: only a run that was ended can be followed by it.
            State::Ended => self.compress.reset(),
            State::InRun => self.compress = Compress::new(self.level, false),
        }
        self.state = State::InRun;
    }

    /// Deflates the next piece of the run's text.
    pub(crate) fn push(&mut self, text: &[u8], into: &mut Vec<u8>) -> Result<(), DeflateError> {
        self.deflate(text, FlushCompress::None, into)
    }

    /// Ends the run on a byte.
    pub(crate) fn end(&mut self, into: &mut Vec<u8>) -> Result<(), DeflateError> {
        self.deflate(&[], FlushCompress::Sync, into)?;
        self.state = State::Ended;
        Ok(())
    }

    fn deflate(&mut self, mut text: &[u8], flush: FlushCompress, into: &mut Vec<u8>) -> Result<(), DeflateError> {
        loop {
            // Room for all that can come of it: how full the vector was must not show in the bytes.
            into.reserve(text.len() + text.len() / 4 + KEPT_BACK_BYTES);
            let before = self.compress.total_in();
            self.compress.compress_vec(text, into, flush).map_err(|error| DeflateError(error.to_string()))?;
            // Consumed bytes are at most the text's.
            let taken = usize::try_from(self.compress.total_in() - before).unwrap_or(usize::MAX);
            text = text.get(taken..).ok_or_else(|| DeflateError("more was read than given".to_owned()))?;
            if text.is_empty() && into.len() < into.capacity() {
                return Ok(());
            }
        }
    }
}

impl fmt::Debug for Deflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deflater").field("level", &self.level.level()).finish_non_exhaustive()
    }
}

/// The compressor gave up, which text cannot cause.
#[derive(Debug)]
pub(crate) struct DeflateError(String);

impl fmt::Display for DeflateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "deflate failed: {}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(deflater: &mut Deflater, text: &[u8]) -> Vec<u8> {
        let mut deflated = Vec::new();
        deflater.begin();
        text.chunks(70_000).for_each(|piece| deflater.push(piece, &mut deflated).unwrap());
        deflater.end(&mut deflated).unwrap();
        deflated
    }

    #[test]
    fn a_run_knows_nothing_of_runs_before_it_ended_or_given_up() {
        let text: Vec<u8> = (0..300_000u32).map(|at| at.wrapping_mul(at >> 7).to_le_bytes()[1] | 64).collect();
        for level in 1..=9 {
            let expected = run(&mut Deflater::new(level), &text);
            let mut used = Deflater::new(level);
            run(&mut used, &text[5..]);
            assert_eq!(run(&mut used, &text), expected, "level {level}");
            used.begin();
            used.push(&text[..100_000], &mut Vec::new()).unwrap();
            assert_eq!(run(&mut used, &text), expected, "level {level}");
        }
    }

    #[test]
    fn every_run_ends_on_a_byte_with_the_mark_of_a_sync_flush() {
        for text in [&b"a"[..], b"aaaaaaaaaaaaaaaaaaaaaaaaa", &[0; 70_000]] {
            assert!(run(&mut Deflater::new(1), text).ends_with(&[0, 0, 0xff, 0xff]));
        }
    }
}
