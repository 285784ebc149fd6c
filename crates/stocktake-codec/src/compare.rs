//! How far a text equals itself at a distance: the one place where a repetition is proved.

use crate::lanes::{self, LANES};

/// Numbers of equal bytes before and from two places of a text on, the second of them before the first; at most so many.
///
/// As [`equal_before`] and [`equal_front`] in one look.
#[inline(always)]
pub(crate) fn equal_around(text: &[u8], at: usize, before: usize, back_max: usize, front_max: usize) -> (usize, usize) {
    // Where less than sixteen bytes stand before, the range begins behind its end.
    let Some(both) = text.get(before.wrapping_sub(LANES)..at.wrapping_add(LANES)) else {
        return equal_around_edge(text, at, before, back_max, front_max);
    };
    let (Some(b), Some(a)) = (both.first_chunk::<CHUNK>(), both.last_chunk::<CHUNK>()) else {
        return equal_around_edge(text, at, before, back_max, front_max);
    };
    let (back, front) = lanes::equal_around(a, b);
    let back = if back < LANES || back_max <= LANES {
        back.min(back_max)
    } else {
        equal_before_far(text, at, before, back_max)
    };
    let front = if front < LANES || front_max <= LANES {
        front.min(front_max)
    } else {
        equal_front_on(text, at, before, front_max)
    };
    (back, front)
}

/// Number of equal bytes from two places of a text on, of which the first sixteen are known to be; at most so many.
#[inline(always)]
fn equal_front_on(text: &[u8], at: usize, before: usize, bytes_max: usize) -> usize {
    let mut equal = LANES;
    let (a, b) = (text[at + equal..].as_chunks::<LONG_CHUNK>().0, text[before + equal..].as_chunks::<LONG_CHUNK>().0);
    for (a, b) in a.iter().zip(b) {
        let (halves_a, halves_b) = (a.as_chunks::<CHUNK>().0, b.as_chunks::<CHUNK>().0);
        if halves_a.iter().zip(halves_b).any(|(a, b)| a != b) {
            break;
        }
        equal += LONG_CHUNK;
        if equal >= bytes_max {
            return bytes_max;
        }
    }
    let (a, b) = (text[at + equal..].as_chunks::<CHUNK>().0, text[before + equal..].as_chunks::<CHUNK>().0);
    for (a, b) in a.iter().zip(b) {
        if a != b {
            return (equal + lanes::first_difference(a, b)).min(bytes_max);
        }
        equal += CHUNK;
        if equal >= bytes_max {
            return bytes_max;
        }
    }
    (equal + equal_to_end(text, at + equal, before + equal)).min(bytes_max)
}

/// As [`equal_around`], where less than sixteen bytes stand before or follow.
#[cold]
#[inline(never)]
fn equal_around_edge(text: &[u8], at: usize, before: usize, back_max: usize, front_max: usize) -> (usize, usize) {
    (equal_before(text, at, before, back_max), equal_front(text, at, before, front_max))
}

/// Number of equal bytes from two places of a text on, the second of them before the first; at most so many.
///
/// What follows in the text is compared too, without counting, which takes less than to compare the rest byte by byte.
#[inline(always)]
pub(crate) fn equal_front(text: &[u8], at: usize, before: usize, bytes_max: usize) -> usize {
    if let (Some(a), Some(b)) = (text[at..].first_chunk(), text[before..].first_chunk())
        && let Some(equal) = lanes::equal_front(a, b)
    {
        return equal.min(bytes_max);
    }
    equal_front_far(text, at, before, bytes_max)
}

/// As [`equal_front`], which only looks at the first sixteen bytes: most stretches are short.
#[inline(never)]
fn equal_front_far(text: &[u8], at: usize, before: usize, bytes_max: usize) -> usize {
    let (a, b) = (text[at..].as_chunks().0, text[before..].as_chunks().0);
    let mut equal = 0;
    for (a, b) in a.iter().zip(b) {
        if let Some(more) = lanes::equal_front(a, b) {
            return (equal + more).min(bytes_max);
        }
        equal += LANES;
        if equal >= bytes_max {
            return bytes_max;
        }
    }
    (equal + equal_to_end(text, at + equal, before + equal)).min(bytes_max)
}

/// Number of equal bytes from two places of a text on, the second of them before the first.
#[inline(always)]
pub(crate) fn equal_after(text: &[u8], at: usize, before: usize) -> usize {
    let (chunks_a, chunks_b) = (text[at..].as_chunks::<CHUNK>().0, text[before..].as_chunks::<CHUNK>().0);
    let mut equal = 0;
    for (a, b) in chunks_a.iter().zip(chunks_b) {
        if a != b {
            return equal + lanes::first_difference(a, b);
        }
        equal += CHUNK;
    }
    equal_to_end(text, at + equal, before + equal) + equal
}

/// Bytes that are compared at once.
const CHUNK: usize = 2 * LANES;

/// As [`CHUNK`], where much is equal.
const LONG_CHUNK: usize = 2 * CHUNK;

/// Number of equal bytes where few are left.
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
    if bytes_max == 0 {
        return 0;
    }
    // More is compared than counts, which takes less than to compare the rest byte by byte.
    if let (Some(a), Some(b)) = (text[..at].last_chunk(), text[..before].last_chunk())
        && let Some(equal) = lanes::equal_back(a, b)
    {
        return equal.min(bytes_max);
    }
    equal_before_far(text, at, before, bytes_max)
}

/// As [`equal_before`], which only looks at the last sixteen bytes: most stretches are short.
#[inline(never)]
fn equal_before_far(text: &[u8], at: usize, before: usize, bytes_max: usize) -> usize {
    let (a, b) = (text[..at].as_rchunks().1, text[..before].as_rchunks().1);
    let mut equal = 0;
    for (a, b) in a.iter().rev().zip(b.iter().rev()) {
        if let Some(more) = lanes::equal_back(a, b) {
            return (equal + more).min(bytes_max);
        }
        equal += LANES;
        if equal >= bytes_max {
            return bytes_max;
        }
    }
    equal + equal_to_begin(text, at - equal, before - equal, bytes_max - equal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_and_every_first_difference() {
        for length in 0..70 {
            let text: Vec<u8> = (0u8..).take(length).collect();
            for place in 0..length {
                let mut other = text.clone();
                other[place] ^= 0x80;
                let both = [&text[..], &other[..]].concat();
                assert!(equal_after(&both, length, 0) == place);
                // Wherever the text ends behind what counts.
                for end in [2 * length, both.len() + 40] {
                    let mut longer = both.clone();
                    longer.resize(end.max(both.len()), 0xee);
                    for most in 0..=length {
                        assert_eq!(equal_around(&longer, length, 0, 0, most), (0, most.min(place)));
                        assert_eq!(equal_front(&longer, length, 0, most), most.min(place));
                    }
                }
                for most in 0..=length {
                    let back = most.min(length - place - 1);
                    assert_eq!(equal_around(&both, 2 * length, length, most, 9), (back, 0));
                    assert_eq!(equal_before(&both, 2 * length, length, most), most.min(length - place - 1));
                }
            }
        }
    }
}
