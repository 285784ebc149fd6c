//! Where something stood last in a block, in a table that need not be cleared for the next block.

/// Places by number, all of them nowhere when a block begins.
///
/// A place is kept with the bytes of all blocks before it added, so that those of earlier blocks are told by being too small:
/// clearing a table takes as long as a page of few bytes does.
pub(crate) struct Places<const PLACES: usize> {
    places: Box<[u32; PLACES]>,
    /// Bytes of the blocks before.
    base: u32,
    /// Bytes of this block.
    block_bytes: u32,
}

impl<const PLACES: usize> Places<PLACES> {
    /// A table of nothing.
    pub(crate) fn new() -> Self {
        Self { places: Box::new([0; PLACES]), base: 0, block_bytes: 0 }
    }

    /// Forgets what was seen; a block of so many bytes begins.
    pub(crate) fn begin(&mut self, block_bytes: usize) {
        let bytes = u32::try_from(block_bytes).unwrap_or(u32::MAX);
        // Every place of the new block has to fit beyond those of the old one.
        match self.base.checked_add(self.block_bytes).filter(|base| base.checked_add(bytes).is_some()) {
            Some(base) => self.base = base,
            None => {
                self.places.fill(0);
                self.base = 0;
            }
        }
        self.block_bytes = bytes;
    }

    /// What was put down last under a number; 0 if nothing was.
    #[inline(always)]
    pub(crate) fn at(&self, number: usize) -> usize {
        self.places[number % PLACES].saturating_sub(self.base) as usize
    }

    /// Puts a place of the block down under a number, and returns what was put down there last; 0 if nothing was.
    #[inline(always)]
    pub(crate) fn replace(&mut self, number: usize, at: usize) -> usize {
        #[expect(clippy::cast_possible_truncation, reason = "blocks are shorter than 4 GiB")]
        let here = self.base.wrapping_add(at as u32);
        std::mem::replace(&mut self.places[number % PLACES], here).saturating_sub(self.base) as usize
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        size_of_val(&*self.places)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
