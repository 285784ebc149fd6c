//! Which key and version a row is, by arithmetic.
//!
//! Keys stand in blocks. Every block has the same version counts in another order, so that a row's block is a division
//! and its key within the block a short search.

use super::random::{Seed, below, mix};

/// Keys of a block; a power of two.
pub(super) const BLOCK_KEYS: usize = 256;

/// Version counts of the keys of one block, in order.
pub(super) type Block = [u32; BLOCK_KEYS];

/// The version counts of all keys.
#[derive(Clone, Debug)]
pub(super) struct VersionCounts {
    seed: Seed,
    /// Counts of a block before they are put in its own order.
    counts: Box<Block>,
    block_rows: u64,
}

impl VersionCounts {
    /// Counts from 1 to `versions_max` (at least 1); the n-th largest of a block falls as n to the power of -2/3.
    pub(super) fn new(versions_max: u32, seed: u64) -> Self {
        let versions_max = versions_max.max(1);
        let mut counts = Box::new([1; BLOCK_KEYS]);
        counts[0] = versions_max;
        for (count, rank) in counts.iter_mut().zip(1u64..).skip(1) {
            let fits = |count: u64| count.pow(3) * rank.pow(2) <= (BLOCK_KEYS * BLOCK_KEYS) as u64;
            while *count < versions_max && fits(u64::from(*count) + 1) {
                *count += 1;
            }
        }
        let block_rows = counts.iter().map(|count| u64::from(*count)).sum();
        Self { seed: Seed::new(seed), counts, block_rows }
    }

    /// Number of keys that so many rows begin.
    pub(super) fn keys(&self, rows: u64) -> u64 {
        let (key, version) = self.locate(rows);
        key + u64::from(version > 0)
    }

    /// Key and version (0 is the latest) of a row.
    pub(super) fn locate(&self, row: u64) -> (u64, u32) {
        let (number, mut rest) = (row / self.block_rows, row % self.block_rows);
        for (key, count) in (number * BLOCK_KEYS as u64..).zip(self.block(number)) {
            if rest < u64::from(count) {
                // Less than a count of 32 bits.
                return (key, u32::try_from(rest).unwrap_or(u32::MAX));
            }
            rest -= u64::from(count);
        }
        unreachable!("the counts of a block add up to its rows")
    }

    /// Row of a key's latest version.
    pub(super) fn first_row(&self, key: u64) -> u64 {
        let (number, at) = (key / BLOCK_KEYS as u64, key % BLOCK_KEYS as u64);
        let before = (0..at).zip(self.block(number)).map(|(_, count)| u64::from(count));
        number * self.block_rows + before.sum::<u64>()
    }

    /// The counts of a block.
    pub(super) fn block(&self, number: u64) -> Block {
        let mut counts = *self.counts;
        if counts[0] > 1 {
            let mut random = self.seed.bits(0x5851_F42D_4C95_7F2D, number);
            for last in (1..BLOCK_KEYS).rev() {
                random = mix(random ^ 0x9E37_79B9_7F4A_7C15, 0xD134_2543_DE82_EF95);
                // Below a length of 256.
                counts.swap(last, usize::try_from(below(random, last as u64 + 1)).unwrap_or(0));
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_keys_are_inverse() {
        for versions_max in [0, 1, 2, 10, 100_000] {
            let counts = VersionCounts::new(versions_max, 7);
            let mut row = 0;
            for key in 0..1000 {
                assert_eq!(counts.first_row(key), row);
                let count = counts.block(key / 256)[(key % 256) as usize];
                assert!((1..=versions_max.max(1)).contains(&count));
                for version in [0, count / 2, count - 1] {
                    assert_eq!(counts.locate(row + u64::from(version)), (key, version));
                }
                row += u64::from(count);
            }
        }
    }

    #[test]
    fn most_keys_have_one_version_and_some_have_all() {
        let counts = VersionCounts::new(10, 1);
        let block = counts.block(3);
        let of = |count| block.iter().filter(|of| **of == count).count();
        assert!(of(1) > 128 && of(10) > 1, "{block:?}");
        let mean = f64::from(block.iter().sum::<u32>()) / 256.0;
        assert!((1.8..2.2).contains(&mean), "{mean}");
        assert_ne!(block, counts.block(4));
    }
}
