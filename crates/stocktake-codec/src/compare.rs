//! How far a text equals itself at a distance: the one place where a repetition is proved.

/// Bytes that are compared at once.
const BLOCK: usize = 16;

/// Number of equal bytes at the front of two slices, at most the shorter one's length.
#[inline(always)]
pub(crate) fn equal_front(a: &[u8], b: &[u8]) -> usize {
    let length = a.len().min(b.len());
    let (a, b) = (&a[..length], &b[..length]);
    let (blocks_a, rest_a) = a.as_chunks::<BLOCK>();
    let (blocks_b, rest_b) = b.as_chunks::<BLOCK>();
    for (number, (a, b)) in blocks_a.iter().zip(blocks_b).enumerate() {
        let differ = u128::from_le_bytes(*a) ^ u128::from_le_bytes(*b);
        if differ != 0 {
            return number * BLOCK + differ.trailing_zeros() as usize / 8;
        }
    }
    if let (Some(a), Some(b)) = (a.last_chunk::<BLOCK>(), b.last_chunk::<BLOCK>()) {
        // What it has in common with the block before it is equal.
        let differ = u128::from_le_bytes(*a) ^ u128::from_le_bytes(*b);
        return length - BLOCK + differ.trailing_zeros() as usize / 8;
    }
    let equal = rest_a.iter().zip(rest_b).take_while(|(a, b)| a == b).count();
    length - rest_a.len() + equal
}

/// Number of equal bytes at the back of two slices, at most the shorter one's length.
#[inline(always)]
pub(crate) fn equal_back(a: &[u8], b: &[u8]) -> usize {
    let length = a.len().min(b.len());
    let (mut a, mut b) = (&a[a.len() - length..], &b[b.len() - length..]);
    while let (Some((before_a, last_a)), Some((before_b, last_b))) = (a.split_last_chunk(), b.split_last_chunk()) {
        let differ = u64::from_le_bytes(*last_a) ^ u64::from_le_bytes(*last_b);
        if differ != 0 {
            return length - a.len() + differ.leading_zeros() as usize / 8;
        }
        (a, b) = (before_a, before_b);
    }
    let equal = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    length - a.len() + equal
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
            }
        }
    }
}
