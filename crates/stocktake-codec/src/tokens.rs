//! A block as literals and matches, and how often each symbol occurs in it.

use crate::symbols::{
    DISTANCES, END, LENGTH_EXTRA, LENGTH_MAX, LENGTH_MIN, LENGTH_SYMBOLS, LENGTHS_FROM, LITERALS, distance_extra,
    distance_symbol,
};

/// Some literals and the match after them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) literals: u32,
    /// 3 to 258, or 0 for no match.
    pub(crate) length: u16,
    /// 1 to 32,768; without meaning if there is no match.
    pub(crate) distance: u16,
}

/// Adds literals and a match of any length from 3, as many tokens as it takes.
#[inline(always)]
pub(crate) fn push_match(tokens: &mut Vec<Token>, literals: usize, length: usize, distance: u16) {
    debug_assert!(length >= LENGTH_MIN && u32::try_from(literals).is_ok());
    #[expect(clippy::cast_possible_truncation, reason = "the text of a block is far below 4 GiB")]
    let literals = literals as u32;
    if length <= LENGTH_MAX {
        tokens.push(Token { literals, length: narrowed(length), distance });
    } else {
        push_long_match(tokens, literals, length, distance);
    }
}

#[cold]
#[inline(never)]
fn push_long_match(tokens: &mut Vec<Token>, mut literals: u32, mut length: usize, distance: u16) {
    while length > LENGTH_MAX {
        // What is left has to be a match too.
        let part = LENGTH_MAX.min(length - LENGTH_MIN);
        tokens.push(Token { literals, length: narrowed(part), distance });
        length -= part;
        literals = 0;
    }
    tokens.push(Token { literals, length: narrowed(length), distance });
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "at most 258")]
fn narrowed(length: usize) -> u16 {
    length as u16
}

/// How often each symbol occurs.
#[derive(Clone, Debug)]
pub(crate) struct Counts {
    pub(crate) literals: [u32; LITERALS],
    pub(crate) distances: [u32; DISTANCES],
}

/// A block of rows with more tokens is not counted in full.
const COUNTED_IN_FULL: usize = 1536;

/// As [`COUNTED_IN_FULL`], of short columns.
const COLUMN_COUNTED_TOKENS: usize = 1024;

/// Of so many tokens of rows, the first [`COUNTED`] have their literals counted. Rows have about five tokens, so that this
/// meets whole rows.
const STRIDE: usize = 128;

/// As [`STRIDE`], of short columns.
const COLUMN_STRIDE: usize = 64;

/// See [`STRIDE`].
const COUNTED: usize = 16;

/// A block of columns with more text is not counted in full.
const COLUMN_COUNTED_IN_FULL: usize = 16 << 10;

/// Of so many bytes, the first [`SAMPLE`] are counted.
const SAMPLE_EVERY: usize = 4096;

/// See [`SAMPLE_EVERY`]: several values.
const SAMPLE: usize = 512;

/// How much rarer a symbol is that was not counted than one that was counted once, in rows.
const UNSEEN_RARER: u32 = 2;

/// As [`UNSEEN_RARER`], in columns.
const COLUMN_UNSEEN_RARER: u32 = 4;

impl Counts {
    /// Counts a block that begins with `text`; its end counts as one symbol.
    ///
    /// Of a long block, only some literals are counted. Then every symbol counts at least one, since it may occur where it
    /// is not counted. Returns whether counts are exact.
    pub(crate) fn of(tokens: &[Token], text: &[u8]) -> (Self, bool) {
        let exact = tokens.len() <= COUNTED_IN_FULL;
        (Self::of_some(tokens, text, exact, STRIDE, |count| count * UNSEEN_RARER + 1), exact)
    }

    /// As [`Counts::of`], of the first tokens of each stride; counts that are not exact are mended.
    fn of_some(tokens: &[Token], text: &[u8], exact: bool, stride: usize, mended: impl Fn(u32) -> u32) -> Self {
        // Equal bytes often follow each other: alternating tables keep an increment from waiting for the one before.
        let mut tables = [[0u32; 256]; 2];
        let mut counts = Self { literals: [0; LITERALS], distances: [0; DISTANCES] };
        let mut rest = text;
        for stride in tokens.chunks(stride) {
            let (counted, skipped) = stride.split_at(if exact { stride.len() } else { COUNTED.min(stride.len()) });
            for token in counted {
                let (literals, length) = (token.literals as usize, usize::from(token.length));
                count_literals(&mut tables, &rest[..literals]);
                if length > 0 {
                    counts.literals[LENGTHS_FROM + usize::from(LENGTH_SYMBOLS[length])] += 1;
                    counts.distances[distance_symbol(u32::from(token.distance)).0] += 1;
                }
                rest = &rest[literals + length..];
            }
            // A stride is part of a block, far below 4 GiB.
            let bytes = skipped.iter().fold(0, |bytes, token| bytes + token.literals + u32::from(token.length));
            rest = &rest[bytes as usize..];
        }
        for (count, (a, b)) in counts.literals.iter_mut().zip(tables[0].iter().zip(&tables[1])) {
            *count = a + b;
        }
        if !exact {
            counts.literals.iter_mut().chain(&mut counts.distances).for_each(|count| *count = mended(*count));
        }
        counts.literals[END] = 1;
        counts.complete();
        counts
    }

    /// As [`Counts::of`], for columns: a token may have any number of literals, of which only some are counted too.
    pub(crate) fn of_columns(tokens: &[Token], text: &[u8]) -> (Self, bool) {
        if text.len() <= COLUMN_COUNTED_IN_FULL {
            let exact = tokens.len() <= COLUMN_COUNTED_TOKENS;
            return (Self::of_some(tokens, text, exact, COLUMN_STRIDE, |count| count.max(1)), exact);
        }
        let mut tables = [[0u32; 256]; 2];
        let mut counts = Self { literals: [0; LITERALS], distances: [0; DISTANCES] };
        let mut at = 0;
        for token in tokens {
            let (literals, length) = (token.literals as usize, usize::from(token.length));
            // What is counted depends on where it stands alone.
            let end = at + literals;
            while at < end {
                let place = at % SAMPLE_EVERY;
                if place < SAMPLE {
                    let to = end.min(at - place + SAMPLE);
                    count_literals(&mut tables, &text[at..to]);
                }
                at = end.min(at - place + if place < SAMPLE { SAMPLE } else { SAMPLE_EVERY });
            }
            if length > 0 && at % SAMPLE_EVERY < SAMPLE {
                counts.literals[LENGTHS_FROM + usize::from(LENGTH_SYMBOLS[length])] += 1;
                counts.distances[distance_symbol(u32::from(token.distance)).0] += 1;
            }
            at += length;
        }
        for (count, (a, b)) in counts.literals.iter_mut().zip(tables[0].iter().zip(&tables[1])) {
            *count = a + b;
        }
        for count in counts.literals.iter_mut().chain(&mut counts.distances) {
            // What was not counted is rarer than what was counted once.
            *count = *count * COLUMN_UNSEEN_RARER + 1;
        }
        counts.literals[END] = 1;
        counts.complete();
        (counts, false)
    }

    /// Bits that follow the codes of lengths and distances.
    pub(crate) fn extra_bits(&self) -> u64 {
        let lengths = self.literals[LENGTHS_FROM..].iter().zip(LENGTH_EXTRA);
        let distances = self.distances.iter().enumerate();
        lengths.map(|(count, bits)| u64::from(*count) * u64::from(bits)).sum::<u64>()
            + distances.map(|(symbol, count)| u64::from(*count) * distance_extra(symbol)).sum::<u64>()
    }

    /// Bits of symbols with the best imaginable codes, of fractions of bits.
    pub(crate) fn least_bits(&self) -> u64 {
        let least = |counts: &[u32]| {
            let total = log2(counts.iter().sum());
            let fractions: u64 = counts.iter().map(|count| u64::from(*count) * (total - log2(*count).min(total))).sum();
            fractions >> LOG_BITS
        };
        least(&self.literals) + least(&self.distances) + self.extra_bits()
    }

    /// Sees to two symbols in each alphabet: decoders exist that refuse a code of one.
    fn complete(&mut self) {
        for counts in [&mut self.literals[..], &mut self.distances[..]] {
            let missing = 2usize.saturating_sub(counts.iter().filter(|count| **count > 0).count());
            counts.iter_mut().filter(|count| **count == 0).take(missing).for_each(|count| *count = 1);
        }
    }
}

/// Bits of a logarithm behind the point.
const LOG_BITS: u32 = 16;

/// The binary logarithm of a number, 0 of 0; within a hundredth, and the same on every machine.
fn log2(number: u32) -> u64 {
    let whole = number.checked_ilog2().unwrap_or(0);
    let rest = (u64::from(number) << LOG_BITS >> whole) & ((1 << LOG_BITS) - 1);
    // A parabola through both ends, as high in the middle as the logarithm is.
    let bend = (rest * ((1 << LOG_BITS) - rest)) >> LOG_BITS;
    (u64::from(whole) << LOG_BITS) + rest + ((bend * 22_285) >> LOG_BITS)
}

#[inline(always)]
fn count_literals(tables: &mut [[u32; 256]; 2], literals: &[u8]) {
    let [even, odd] = tables;
    let (pairs, last) = literals.as_chunks::<2>();
    for [a, b] in pairs {
        even[usize::from(*a)] += 1;
        odd[usize::from(*b)] += 1;
    }
    if let [last] = last {
        even[usize::from(*last)] += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_are_within_a_hundredth() {
        for number in (1..5000).chain((1..=u32::MAX).step_by(999_983)) {
            let expected = f64::from(number).log2();
            assert!((log2(number) as f64 / 65_536.0 - expected).abs() < 0.01, "{number}");
        }
        assert_eq!(log2(0), 0);
    }

    #[test]
    fn long_matches_are_split_and_never_leave_less_than_a_match() {
        for length in 3..2000 {
            let mut tokens = Vec::new();
            push_match(&mut tokens, 7, length, 1);
            assert_eq!(tokens.iter().map(|token| usize::from(token.length)).sum::<usize>(), length);
            assert!(tokens.iter().all(|token| (3..=258).contains(&token.length)));
            assert_eq!(tokens.iter().map(|token| token.literals).sum::<u32>(), 7);
            assert!(tokens.len() <= length / 258 + 1);
        }
    }
}
