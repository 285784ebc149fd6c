//! A light search through bytes of which nothing is known.

use super::sink::Sink;
use crate::{
    bits::Full,
    compare::{equal_after, equal_before},
};
use std::ops::Range;

/// Places that four bytes are remembered in.
const PLACES: usize = 1 << 13;

/// After so many places where nothing was found, the search takes longer steps; what it steps over is found backwards.
const MISSES: usize = 16;

/// Where four bytes stood last, in so many places.
pub(crate) struct Places<const PLACES: usize> {
    places: Box<[u32; PLACES]>,
}

impl<const PLACES: usize> Places<PLACES> {
    pub(crate) fn new() -> Self {
        Self { places: Box::new([0; PLACES]) }
    }

    /// Forgets what was seen.
    pub(crate) fn begin(&mut self) {
        self.places.fill(0);
    }

    /// Puts these bytes down here, and returns where they or others that share their place stood last; 0 if nowhere.
    #[inline(always)]
    pub(crate) fn replace(&mut self, four: u32, at: usize) -> usize {
        // The product's upper bits depend on every bit.
        let place = (four.wrapping_mul(0x9e37_79b1) >> (32 - PLACES.ilog2())) as usize;
        #[expect(clippy::cast_possible_truncation, reason = "blocks are shorter than 4 GiB")]
        let here = at as u32;
        std::mem::replace(&mut self.places[place], here) as usize
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        size_of_val(&*self.places)
    }
}

/// Searches parts of a block.
pub(crate) struct Search {
    places: Places<PLACES>,
    /// Whether anything was put down since the beginning.
    is_used: bool,
}

impl Search {
    pub(crate) fn new() -> Self {
        Self { places: Places::new(), is_used: false }
    }

    /// Forgets what was seen.
    pub(crate) fn begin(&mut self) {
        if std::mem::take(&mut self.is_used) {
            self.places.begin();
        }
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.places.memory_bytes()
    }

    /// Finds what repeats in a part of a block.
    #[inline(never)]
    pub(crate) fn run<S: Sink>(&mut self, block: &[u8], part: Range<usize>, sink: &mut S) -> Result<(), Full> {
        self.is_used = true;
        let (mut at, mut misses) = (part.start.max(sink.settled()), 0);
        while at + 4 <= part.end
            && let Some(four) = block.get(at..).and_then(|rest| rest.first_chunk::<4>())
        {
            let before = self.places.replace(u32::from_le_bytes(*four), at);
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
