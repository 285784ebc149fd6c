//! How far a text equals itself at a distance: the one place where a repetition is proved.

use crate::lanes::{self, LANES};

/// Number of equal bytes at the front of two slices, at most the shorter one's length.
#[inline(always)]
pub(crate) fn equal_front(a: &[u8], b: &[u8]) -> usize {
    let length = a.len().min(b.len());
    let (a, b) = (&a[..length], &b[..length]);
    let mut equal = 0;
    while length - equal >= LANES {
        if let (Some(a), Some(b)) = (a[equal..].first_chunk(), b[equal..].first_chunk())
            && let Some(more) = lanes::equal_front(a, b)
        {
            return equal + more;
        }
        equal += LANES;
    }
    equal + a[equal..].iter().zip(&b[equal..]).take_while(|(a, b)| a == b).count()
}

/// Number of equal bytes at the back of two slices, at most the shorter one's length.
#[inline(always)]
pub(crate) fn equal_back(a: &[u8], b: &[u8]) -> usize {
    let length = a.len().min(b.len());
    let (a, b) = (&a[a.len() - length..], &b[b.len() - length..]);
    let mut rest = length;
    while rest >= LANES {
        if let (Some(a), Some(b)) = (a[..rest].last_chunk(), b[..rest].last_chunk())
            && let Some(more) = lanes::equal_back(a, b)
        {
            return length - rest + more;
        }
        rest -= LANES;
    }
    length - rest + a[..rest].iter().rev().zip(b[..rest].iter().rev()).take_while(|(a, b)| a == b).count()
}

/// Number of equal bytes from two places of a text on, the second of them before the first.
#[inline(always)]
pub(crate) fn equal_after(text: &[u8], at: usize, before: usize) -> usize {
    let (chunks_a, chunks_b) = (text[at..].as_chunks::<CHUNK>().0, text[before..].as_chunks::<CHUNK>().0);
    for (number, (a, b)) in chunks_a.iter().zip(chunks_b).enumerate() {
        if a != b {
            let ([low_a, high_a], [low_b, high_b]) = (halves(a), halves(b));
            let differ = if low_a == low_b { high_a ^ high_b } else { low_a ^ low_b };
            let half = if low_a == low_b { CHUNK / 2 } else { 0 };
            return CHUNK * number + half + differ.trailing_zeros() as usize / 8;
        }
    }
    let equal = CHUNK * chunks_a.len();
    equal_to_end(text, at + equal, before + equal) + equal
}

/// Bytes that are compared at once.
const CHUNK: usize = 32;

#[inline(always)]
fn halves(chunk: &[u8; CHUNK]) -> [u128; 2] {
    let half = |from: usize| chunk[from..].first_chunk().map_or(0, |half| u128::from_le_bytes(*half));
    [half(0), half(CHUNK / 2)]
}

/// Number of equal bytes where less than sixteen are left.
#[cold]
#[inline(never)]
fn equal_to_end(text: &[u8], at: usize, before: usize) -> usize {
    text[at..].iter().zip(&text[before..]).take_while(|(a, b)| a == b).count()
}

/// Number of equal bytes where less than sixteen stand before.
#[cold]
#[inline(never)]
fn equal_to_begin(text: &[u8], at: usize, before: usize, bytes_max: usize) -> usize {
    let pairs = text[..at].iter().rev().zip(text[..before].iter().rev());
    pairs.take(bytes_max).take_while(|(a, b)| a == b).count()
}

/// Number of equal bytes before two places of a text, the second of them before the first; at most so many.
#[inline(always)]
pub(crate) fn equal_before(text: &[u8], at: usize, before: usize, bytes_max: usize) -> usize {
    let mut equal = 0;
    while equal < bytes_max {
        // More is compared than counts, which takes less than to compare the rest byte by byte.
        let (Some(a), Some(b)) = (text[..at - equal].last_chunk(), text[..before - equal].last_chunk()) else {
            return equal + equal_to_begin(text, at - equal, before - equal, bytes_max - equal);
        };
        if let Some(more) = lanes::equal_back(a, b) {
            return (equal + more).min(bytes_max);
        }
        equal += LANES;
    }
    bytes_max
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_and_every_first_difference() {
        for length in 0..70 {
            let text: Vec<u8> = (0u8..).take(length).collect();
            assert_eq!((equal_front(&text, &text), equal_back(&text, &text)), (length, length));
            for place in 0..length {
                let mut other = text.clone();
                other[place] ^= 0x80;
                assert_eq!(equal_front(&text, &other), place);
                assert_eq!(equal_back(&text, &other), length - place - 1);
                assert_eq!(equal_front(&text, &other[..place]), place);
                assert_eq!(equal_back(&text, &other[place + 1..]), length - place - 1);
                let both = [&text[..], &other[..]].concat();
                assert!(equal_after(&both, length, 0) == place);
                for most in 0..=length {
                    assert_eq!(equal_before(&both, 2 * length, length, most), most.min(length - place - 1));
                }
            }
        }
    }
}
