//! How random texts repeat: their lengths do, and by chance the bytes around them.

use super::{
    around::{Around, SIDE},
    places::Places,
    sink::Sink,
};
use crate::{
    bits::Full,
    compare::{equal_after, equal_before},
};
use std::hint::select_unpredictable;

/// Places that the bytes around a length are remembered in: as many as there are pairs of six bits, for each of
/// four lengths.
const PLACES: usize = 1 << 14;

/// Remembers what stood around lengths.
pub(crate) struct Random {
    /// By the byte before a length and the one after it, by two bytes before it, and by two after it.
    places: [Places<PLACES>; 3],
}

impl Random {
    pub(crate) fn new() -> Self {
        Self { places: [Places::new(), Places::new(), Places::new()] }
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.places.iter().map(Places::memory_bytes).sum()
    }

    /// Finds what repeats where random values begin.
    #[inline(always)]
    pub(crate) fn run<S: Sink>(
        &mut self,
        block: &[u8],
        starts: &[u32],
        length_bytes: usize,
        sink: &mut S,
    ) -> Result<(), Full> {
        let Some((first, starts)) = starts.split_first() else { return Ok(()) };
        let mut above = *first as usize;
        if length_bytes == 0 {
            for start in starts.iter().map(|start| *start as usize) {
                if start < above {
                    break;
                }
                meet_whole(block, start, above, sink)?;
                above = start;
            }
            return Ok(());
        }
        self.places.iter_mut().for_each(|places| places.begin(block.len()));
        // Bytes of a length that are looked at, and where in what follows a start the text begins.
        let length_bytes = length_bytes.min(SIDE - 2);
        for start in starts.iter().map(|start| *start as usize) {
            if start < above {
                break;
            }
            self.meet(block, start, above, length_bytes, sink)?;
            above = start;
        }
        Ok(())
    }

    /// Repeats what stands around the beginning of an earlier value: its length, and what is equal beside it by chance.
    #[inline(always)]
    fn meet<S: Sink>(
        &mut self,
        block: &[u8],
        start: usize,
        above: usize,
        length_bytes: usize,
        sink: &mut S,
    ) -> Result<(), Full> {
        let settled = sink.settled();
        let Some(here) = Around::of(block, start).filter(|_| settled <= start) else { return Ok(()) };
        let back_max = start - settled;
        #[expect(clippy::cast_possible_truncation, reason = "twelve bits")]
        let pair = |bytes: u64| (bytes & 0x3f | bytes >> 2 & 0xfc0) as usize;
        let [before, after] = [here.before >> 48, here.after >> (8 * length_bytes)];
        // Pairs of the lower six bits of two bytes, in which digits and letters differ; those of few digits lie together.
        let pairs = [pair(before >> 8 | after << 8), pair(before), pair(after)];
        // Only where lengths are the same too is it worth to meet; most differ in their lowest bits, if they do.
        #[expect(clippy::cast_possible_truncation, reason = "two bits")]
        let length = (here.after as usize & 3) << 12;
        // All of them are equally good but for how near they are.
        let mut nearest = 0;
        for (places, pair) in self.places.iter_mut().zip(pairs) {
            nearest = nearest.max(places.replace(pair | length, start));
        }
        let nearest = select_unpredictable(nearest == 0, above, nearest);
        let (back, front) = here.alike(block, start, nearest, back_max);
        sink.offer(start - back, back + front, start - nearest)?;
        Ok(())
    }
}

/// Repeats a value that equals the one above: random texts do wholly or not at all.
#[inline(always)]
fn meet_whole<S: Sink>(block: &[u8], start: usize, above: usize, sink: &mut S) -> Result<(), Full> {
    let settled = sink.settled();
    if start < settled || eight(block, start).is_none() || eight(block, start) != eight(block, above) {
        return Ok(());
    }
    let front = equal_after(block, start, above);
    let back = equal_before(block, start, above, start - settled);
    sink.offer(start - back, back + front, start - above)?;
    Ok(())
}

#[inline(always)]
fn eight(block: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*block.get(at..)?.first_chunk()?))
}
