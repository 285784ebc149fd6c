//! Codes of two literals at once, for the literals that occur often.

use crate::bits::{CODE_AT, bits_of, entry};
use std::hint::select_unpredictable;

/// Longest code of a literal that has pairs: literals of longer codes are rare, or there are many of them.
const BITS_MAX: u32 = 8;

/// Most literals that have pairs, unless their codes are shorter still: the pairs of more take longer to make than they save.
const PAIRED_MAX: usize = 96;

/// An entry of two literals that have no pair: more bits than fit.
const NONE: u32 = 64;

/// Every two bytes.
const PAIRS: usize = 1 << 16;

/// A code for every two bytes, if both have short codes.
pub(crate) struct Pairs {
    /// By the first byte, and 256 times the second: entries of both codes.
    entries: Box<[u32; PAIRS]>,
    /// The literals that have pairs.
    paired: Vec<u8>,
}

impl Pairs {
    /// Without any pairs.
    pub(crate) fn new() -> Self {
        Self { entries: Box::new([NONE; PAIRS]), paired: Vec::new() }
    }

    /// Takes the codes of single literals over.
    pub(crate) fn fit(&mut self, literals: &[u32; 256]) {
        for second in &self.paired {
            let row = usize::from(*second) << 8;
            self.paired.iter().for_each(|first| self.entries[row + usize::from(*first)] = NONE);
        }
        for bits_max in [BITS_MAX, BITS_MAX - 1] {
            self.paired.clear();
            let is_short = |byte: &u8| (1..=bits_max).contains(&bits_of(literals[usize::from(*byte)]));
            self.paired.extend((0..=255).filter(is_short));
            if self.paired.len() <= PAIRED_MAX {
                break;
            }
        }
        for second in &self.paired {
            let row = usize::from(*second) << 8;
            let (second_code, second_bits) = split(literals[usize::from(*second)]);
            for first in &self.paired {
                let (code, bits) = split(literals[usize::from(*first)]);
                self.entries[row + usize::from(*first)] = entry(code | second_code << bits, bits + second_bits);
            }
        }
    }

    /// The codes of eight literals by twos, the first lowest, if all have pairs and fit together with the bits held.
    #[inline(always)]
    pub(crate) fn eight(&self, literals: u64, held: u32) -> Option<[u32; 4]> {
        Self::fitting(std::array::from_fn(|pair| self.entry(literals, pair)), held)
    }

    /// The codes of four literals by twos, the first lowest, if both have pairs: at most 32 bits.
    #[inline(always)]
    pub(crate) fn four(&self, literals: u32) -> Option<[u32; 2]> {
        let entries = std::array::from_fn(|pair| self.entry(u64::from(literals), pair));
        (entries[0] != NONE && entries[1] != NONE).then_some(entries)
    }

    /// The codes of the first literals by twos, of at most seven, and of the last one, if they have pairs and fit together
    /// with the bits held.
    #[inline(always)]
    pub(crate) fn rest(&self, literals: u64, count: usize, odd: u32, held: u32) -> Option<[u32; 4]> {
        // How many there are cannot be foreseen: what is too much is left out without a branch.
        let pair = |pair: usize| select_unpredictable(2 * pair + 2 <= count, self.entry(literals, pair), 0);
        Self::fitting([pair(0), pair(1), pair(2), select_unpredictable(count % 2 == 1, odd, 0)], held)
    }

    #[inline(always)]
    fn entry(&self, literals: u64, pair: usize) -> u32 {
        self.entries[(literals >> (16 * pair) & 0xffff) as usize]
    }

    #[inline(always)]
    fn fitting<const N: usize>(entries: [u32; N], held: u32) -> Option<[u32; N]> {
        let bits = entries.iter().fold(held, |bits, entry| bits.wrapping_add(*entry));
        (bits_of(bits) < 64).then_some(entries)
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        size_of_val(&*self.entries) + self.paired.capacity()
    }
}

fn split(entry: u32) -> (u32, u32) {
    (entry >> CODE_AT, bits_of(entry))
}
