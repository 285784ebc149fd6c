//! How random texts repeat: their lengths do, and by chance the bytes around them.

use super::{places::Places, search::number_of, sink::Sink, values::values};
use crate::{
    bits::Full,
    compare::{equal_after, equal_before},
};

/// Places that the bytes around a length are remembered in: as many as there are pairs of a hexadecimal digit before it and
/// one after it, sixteen times.
const PLACES: usize = 1 << 12;

/// Remembers what stood around lengths.
pub(crate) struct Random {
    places: Places<PLACES>,
}

impl Random {
    pub(crate) fn new() -> Self {
        Self { places: Places::new() }
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.places.memory_bytes()
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
        self.places.begin(block.len());
        let length_bytes = length_bytes.min(block.len());
        let mut above = None;
        for (start, _) in values(block.len(), starts) {
            let Some(above) = above.replace(start) else { continue };
            if start < sink.settled() {
                continue;
            }
            if length_bytes == 0 {
                // Random texts equal the one above wholly or not at all.
                if eight(block, start) == eight(block, above) {
                    meet(block, start, above, 0, sink)?;
                }
                continue;
            }
            let before = self.last_like(block, start, length_bytes);
            if before > 0 && meet(block, start, before, length_bytes, sink)? {
                continue;
            }
            meet(block, start, above, length_bytes, sink)?;
        }
        Ok(())
    }

    /// Where a value began last that had the same length, the same first byte, and the same byte before it; 0 if nowhere.
    #[inline(always)]
    fn last_like(&mut self, block: &[u8], start: usize, length_bytes: usize) -> usize {
        let byte = |at: usize| block.get(at).copied().map_or(0, u32::from);
        let bytes = byte(start.wrapping_sub(1)) | byte(start) << 8 | byte(start + length_bytes) << 16;
        self.places.replace(number_of::<PLACES>(bytes), start)
    }
}

/// Repeats what stands around the beginning of an earlier value, if at least the length and what follows it is equal.
#[inline(always)]
fn meet<S: Sink>(block: &[u8], start: usize, before: usize, length_bytes: usize, sink: &mut S) -> Result<bool, Full> {
    let settled = sink.settled();
    let Some(differ) = eight(block, start).zip(eight(block, before)).map(|(a, b)| a ^ b) else { return Ok(false) };
    let mut front = differ.trailing_zeros() as usize / 8;
    if front < length_bytes.min(8) {
        return Ok(false);
    }
    if front == 8 {
        front = equal_after(block, start, before);
    }
    let back = equal_before(block, start, before, start - settled);
    sink.offer(start - back, back + front, start - before)
}

#[inline(always)]
fn eight(block: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*block.get(at..)?.first_chunk()?))
}
