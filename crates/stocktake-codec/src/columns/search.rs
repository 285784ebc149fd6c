//! A light search through bytes of which nothing is known.

use super::{places::Places, sink::Sink};
use crate::{
    bits::Full,
    compare::{equal_after, equal_before},
};
use std::ops::Range;

/// Places that four bytes are remembered in.
const PLACES: usize = 1 << 13;

/// After so many places where nothing was found, the search takes longer steps; what it steps over is found backwards.
const MISSES: usize = 16;

/// A number below `PLACES` for four bytes.
#[inline(always)]
pub(crate) fn number_of<const PLACES: usize>(four: u32) -> usize {
    // The product's upper bits depend on every bit.
    (four.wrapping_mul(0x9e37_79b1) >> (32 - PLACES.ilog2())) as usize
}

/// Searches parts of a block.
pub(crate) struct Search {
    places: Places<PLACES>,
}

impl Search {
    pub(crate) fn new() -> Self {
        Self { places: Places::new() }
    }

    /// Forgets what was seen; a block of so many bytes begins.
    pub(crate) fn begin(&mut self, block_bytes: usize) {
        self.places.begin(block_bytes);
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.places.memory_bytes()
    }

    /// Finds what repeats in a part of a block.
    #[inline(never)]
    pub(crate) fn run<S: Sink>(&mut self, block: &[u8], part: Range<usize>, sink: &mut S) -> Result<(), Full> {
        let (mut at, mut misses) = (part.start.max(sink.settled()), 0);
        while at + 4 <= part.end
            && let Some(four) = block.get(at..).and_then(|rest| rest.first_chunk::<4>())
        {
            let before = self.places.replace(number_of::<PLACES>(u32::from_le_bytes(*four)), at);
            if before < at && at - before <= S::DISTANCE_MAX && block[before..before + 4] == *four {
                let length = equal_after(block, at, before);
                let back = equal_before(block, at, before, at - sink.settled());
                if sink.offer(at - back, back + length, at - before)? {
                    at += length;
                    misses = 0;
                    continue;
                }
            }
            misses += 1;
            at += 1 + misses / MISSES;
        }
        Ok(())
    }
}
