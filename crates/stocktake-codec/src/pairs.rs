//! Codes of two literals at once, for the literals that occur often.

use crate::{
    bits::{CODE_AT, bits_of, entry},
    dispatch::{Dispatch, Work},
};
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
    pub(crate) fn fit(&mut self, literals: &[u32; 256], dispatch: Dispatch) {
        dispatch.run(Fit { pairs: self, literals });
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
        (bits_of(entries[0]) < NONE && bits_of(entries[1]) < NONE).then_some(entries)
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
        let bits = entries.iter().rev().fold(0u32, |bits, entry| bits.wrapping_add(*entry)).wrapping_add(held);
        (bits_of(bits) < 64).then_some(entries)
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        size_of_val(&*self.entries) + self.paired.capacity()
    }
}

/// Pairs to be made of the codes of single literals.
struct Fit<'a> {
    pairs: &'a mut Pairs,
    literals: &'a [u32; 256],
}

impl Work for Fit<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { pairs: Pairs { entries, paired }, literals } = self;
        let mut groups = groups_of(paired);
        for second in &*paired {
            let row = entries[usize::from(*second) << 8..].first_chunk_mut::<256>();
            each_group(row, groups, |_, group| *group = [NONE; GROUP]);
        }
        for bits_max in [BITS_MAX, BITS_MAX - 1] {
            paired.clear();
            let is_short = |byte: &u8| (1..=bits_max).contains(&bits_of(literals[usize::from(*byte)]));
            paired.extend((0..=255).filter(is_short));
            if paired.len() <= PAIRED_MAX {
                break;
            }
        }
        // Literals without pairs have so many bits that no pair with them fits.
        let (mut codes, mut bits) = ([0; 256], [NONE; 256]);
        for first in &*paired {
            let first = usize::from(*first);
            (codes[first], bits[first]) = (literals[first] >> CODE_AT, bits_of(literals[first]));
        }
        groups = groups_of(paired);
        for second in &*paired {
            let second = usize::from(*second);
            let (code, more) = (codes[second], bits[second]);
            let row = entries[second << 8..].first_chunk_mut::<256>();
            each_group(row, groups, |from, group| {
                let firsts = codes[from..].first_chunk::<GROUP>().zip(bits[from..].first_chunk::<GROUP>());
                let Some((codes, bits)) = firsts else { return };
                for (place, (first, bits)) in group.iter_mut().zip(codes.iter().zip(bits)) {
                    *place = entry(first | code.wrapping_shl(*bits), bits + more);
                }
            });
        }
    }
}

/// Entries that are made at once.
const GROUP: usize = 16;

/// A bit for each group of first literals in which one has pairs.
#[inline(always)]
fn groups_of(paired: &[u8]) -> u32 {
    paired.iter().fold(0, |groups, first| groups | 1 << (usize::from(*first) / GROUP))
}

/// Calls a function with those groups of a row, and where they begin.
#[inline(always)]
fn each_group(row: Option<&mut [u32; 256]>, groups: u32, mut make: impl FnMut(usize, &mut [u32; GROUP])) {
    let Some(row) = row else { return };
    for (number, group) in row.as_chunks_mut().0.iter_mut().enumerate() {
        if groups >> number & 1 == 1 {
            make(number * GROUP, group);
        }
    }
}
