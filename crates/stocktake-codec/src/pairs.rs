//! Codes of two literals at once, for the literals that occur often.

use std::hint::select_unpredictable;

/// Longest code of a literal that has pairs: four pairs and what a flush leaves fit into 63 bits.
const BITS_MAX: u8 = 7;

/// An entry of two literals that have no pair: no code reaches its highest bit.
const NONE: u32 = 1 << 31;

/// Every two bytes.
const PAIRS: usize = 1 << 16;

/// A code for every two bytes, if both have short codes.
pub(crate) struct Pairs {
    /// By the first byte, and 256 times the second: number of bits in the lowest byte, codes above it.
    entries: Box<[u32; PAIRS]>,
    /// The literals that have pairs.
    paired: Vec<u8>,
}

impl Pairs {
    /// Without any pairs.
    pub(crate) fn new() -> Self {
        Self { entries: Box::new([NONE; PAIRS]), paired: Vec::new() }
    }

    /// Takes the codes of single literals over: number of bits in the lowest byte, code above it.
    pub(crate) fn fit(&mut self, literals: &[u32; 256]) {
        for second in &self.paired {
            let row = usize::from(*second) << 8;
            self.paired.iter().for_each(|first| self.entries[row + usize::from(*first)] = NONE);
        }
        self.paired.clear();
        let is_short = |byte: &u8| (1..=u32::from(BITS_MAX)).contains(&(literals[usize::from(*byte)] & 0xff));
        self.paired.extend((0..=255).filter(is_short));
        for second in &self.paired {
            let row = usize::from(*second) << 8;
            let (second_code, second_bits) = split(literals[usize::from(*second)]);
            for first in &self.paired {
                let (code, bits) = split(literals[usize::from(*first)]);
                self.entries[row + usize::from(*first)] = (code | second_code << bits) << 8 | (bits + second_bits);
            }
        }
    }

    /// The codes of eight literals, the first lowest, at most 56 bits, if all have pairs.
    #[inline(always)]
    pub(crate) fn eight(&self, literals: u64) -> Option<[u32; 4]> {
        Self::all(std::array::from_fn(|pair| self.entry(literals, pair)))
    }

    /// The codes of the first literals by twos, of at most seven literals, if all have pairs.
    #[inline(always)]
    pub(crate) fn rest(&self, literals: u64, count: usize) -> Option<[u32; 3]> {
        Self::all(std::array::from_fn(|pair| {
            // How many there are cannot be foreseen: what is too much is left out without a branch.
            select_unpredictable(2 * pair + 2 <= count, self.entry(literals, pair), 0)
        }))
    }

    #[inline(always)]
    fn entry(&self, literals: u64, pair: usize) -> u32 {
        self.entries[(literals >> (16 * pair) & 0xffff) as usize]
    }

    #[inline(always)]
    fn all<const N: usize>(entries: [u32; N]) -> Option<[u32; N]> {
        (entries.iter().fold(0, |all, entry| all | entry) < NONE).then_some(entries)
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        size_of_val(&*self.entries) + self.paired.capacity()
    }
}

fn split(entry: u32) -> (u32, u32) {
    (entry >> 8, entry & 0xff)
}
