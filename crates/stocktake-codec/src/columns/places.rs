//! Where something stood last in a block, in a table that need not be cleared for the next block.

use std::hint::select_unpredictable;

/// Places by number, all of them nowhere when a block begins.
///
/// A place is kept with the bytes of all blocks before it added, so that those of earlier blocks are told by being too small:
/// clearing a table takes as long as a page of few bytes does.
pub(crate) type Places<const PLACES: usize> = Table<u32, PLACES>;

/// As [`Places`], each with a mark that tells whether it is of what is looked for.
pub(crate) type MarkedPlaces<const PLACES: usize> = Table<u64, PLACES>;

/// Places in words of some width.
pub(crate) struct Table<W, const PLACES: usize> {
    places: Box<[W; PLACES]>,
    blocks: Blocks,
}

/// Bytes of the blocks so far.
#[derive(Default)]
struct Blocks {
    /// Of those before.
    base: u32,
    /// Of this one.
    block_bytes: u32,
}

impl Blocks {
    /// A block of so many bytes begins; says whether places of earlier ones can be told from its own.
    fn begin(&mut self, block_bytes: usize) -> bool {
        let bytes = u32::try_from(block_bytes).unwrap_or(u32::MAX);
        // Every place of the new block has to fit beyond those of the old one.
        let base = self.base.checked_add(self.block_bytes).filter(|base| base.checked_add(bytes).is_some());
        *self = Self { base: base.unwrap_or(0), block_bytes: bytes };
        base.is_some()
    }
}

impl<W: Copy + Default, const PLACES: usize> Table<W, PLACES> {
    /// A table of nothing.
    pub(crate) fn new() -> Self {
        Self { places: Box::new([W::default(); PLACES]), blocks: Blocks::default() }
    }

    /// Forgets what was seen; a block of so many bytes begins.
    pub(crate) fn begin(&mut self, block_bytes: usize) {
        if !self.blocks.begin(block_bytes) {
            self.places.fill(W::default());
        }
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        size_of_val(&*self.places)
    }
}

impl<const PLACES: usize> Places<PLACES> {
    /// What was put down last under a number; 0 if nothing was.
    #[inline(always)]
    pub(crate) fn at(&self, number: usize) -> usize {
        self.places[number % PLACES].saturating_sub(self.blocks.base) as usize
    }

    /// Puts a place of the block down under a number, and returns what was put down there last; 0 if nothing was.
    #[inline(always)]
    pub(crate) fn replace(&mut self, number: usize, at: usize) -> usize {
        #[expect(clippy::cast_possible_truncation, reason = "blocks are shorter than 4 GiB")]
        let here = self.blocks.base.wrapping_add(at as u32);
        std::mem::replace(&mut self.places[number % PLACES], here).saturating_sub(self.blocks.base) as usize
    }
}

impl<const PLACES: usize> MarkedPlaces<PLACES> {
    /// Puts a place down under the upper bits of a hash, and returns what was put down there last, if its hash was the same
    /// but for the lowest bits, or else something else; without a branch, since nothing tells which it will be.
    #[inline(always)]
    pub(crate) fn replace_or(&mut self, hash: u64, at: usize, other: usize) -> usize {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "places are few, blocks shorter than 4 GiB, and a mark has 32 bits"
        )]
        let (number, here, mark) = (
            (hash >> (64 - PLACES.ilog2())) as usize % PLACES,
            self.blocks.base.wrapping_add(at as u32),
            (hash >> 16) as u32,
        );
        let last = std::mem::replace(&mut self.places[number], u64::from(mark) << 32 | u64::from(here));
        #[expect(clippy::cast_possible_truncation, reason = "two halves")]
        let (place, same) = ((last as u32).saturating_sub(self.blocks.base), (last >> 32) as u32 == mark);
        select_unpredictable(same & (place > 0), place as usize, other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marked_places_are_told_apart_and_forgotten() {
        let mut places = MarkedPlaces::<4>::new();
        // Two hashes with one number.
        let [one, other] = [1 << 62 | 1 << 20, 1 << 62 | 2 << 20];
        for (block, bytes) in [100, 1 << 31, (1 << 31) - 101, 50, 1 << 20].into_iter().enumerate() {
            places.begin(bytes);
            assert_eq!(places.replace_or(one, 7, 3), 3, "block {block}");
            assert_eq!(places.replace_or(one, 9, 3), 7, "block {block}");
            assert_eq!(places.replace_or(other, 11, 3), 3, "block {block}");
            assert_eq!(places.replace_or(one, 12, 3), 3, "block {block}");
            assert_eq!(places.replace_or(one, bytes - 1, 3), 12, "block {block}");
        }
    }

    #[test]
    fn a_block_knows_nothing_of_the_blocks_before() {
        let mut places = Places::<4>::new();
        // The fourth block does not fit beyond the others: the table is cleared.
        for (block, bytes) in [100, 1 << 31, (1 << 31) - 101, 50, 1 << 20].into_iter().enumerate() {
            places.begin(bytes);
            for number in 0..4 {
                assert_eq!((places.at(number), places.replace(number, bytes - 1 - number)), (0, 0), "block {block}");
            }
            for number in 0..4 {
                assert_eq!(places.at(number), bytes - 1 - number, "block {block}");
                assert_eq!(places.replace(number, 0), bytes - 1 - number, "block {block}");
                assert_eq!(places.at(number), 0, "the first byte of a block is nowhere, too");
            }
        }
    }
}
