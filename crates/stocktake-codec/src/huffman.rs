//! Huffman codes of limited length from counts (RFC 1951, section 3.2.2). It knows nothing of what symbols mean.

/// Longest code of DEFLATE.
pub(crate) const CODE_BITS_MAX: usize = 15;

/// Most symbols of an alphabet.
const SYMBOLS_MAX: usize = 288;

/// Number of low bits of a sorted entry that hold the symbol.
const SYMBOL_BITS: u32 = 9;

/// Sets the length of each symbol's code: 0 for a symbol that does not occur, at most `limit` for the others.
///
/// At least two symbols have to occur, and at most two to the power of `limit`. Lengths are those of Huffman's code; where
/// they pass the limit they are mended, which costs next to nothing at the limits of DEFLATE.
pub(crate) fn code_lengths(counts: &[u32], limit: usize, lengths: &mut [u8]) {
    debug_assert!(counts.len() <= SYMBOLS_MAX && lengths.len() == counts.len() && limit <= CODE_BITS_MAX);
    let mut sorted = [0u64; SYMBOLS_MAX];
    let mut used = 0;
    for (symbol, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        sorted[used] = u64::from(*count) << SYMBOL_BITS | symbol as u64;
        used += 1;
    }
    debug_assert!(used >= 2, "a code of less than two symbols");
    let sorted = &mut sorted[..used];
    sorted.sort_unstable();

    let mut of_length = lengths_of_tree(sorted);
    limit_lengths(&mut of_length, limit);

    lengths.fill(0);
    let mut symbols = sorted.iter();
    // The rarest symbols take the longest codes.
    for length in (1..=limit).rev() {
        for entry in symbols.by_ref().take(of_length[length] as usize) {
            lengths[(entry & ((1 << SYMBOL_BITS) - 1)) as usize] = u8::try_from(length).unwrap_or(u8::MAX);
        }
    }
}

/// How many codes of each length Huffman's tree of these weights has; lengths beyond the array count as its last one.
fn lengths_of_tree(sorted: &[u64]) -> [u32; SYMBOLS_MAX] {
    let leaves = sorted.len();
    let mut weights = [0u64; SYMBOLS_MAX];
    let mut parents = [0u16; 2 * SYMBOLS_MAX];
    let (mut leaf, mut node) = (0, 0);
    // Inner nodes come into being in the order of their weight, so that two queues take the place of a heap.
    for made in 0..leaves - 1 {
        let mut weight = 0;
        for _ in 0..2 {
            let take_leaf = leaf < leaves && (node == made || sorted[leaf] >> SYMBOL_BITS <= weights[node]);
            let child = if take_leaf { &mut leaf } else { &mut node };
            weight += if take_leaf { sorted[*child] >> SYMBOL_BITS } else { weights[*child] };
            let place = if take_leaf { *child } else { leaves + *child };
            parents[place] = u16::try_from(made).unwrap_or(u16::MAX);
            *child += 1;
        }
        weights[made] = weight;
    }
    let mut of_length = [0; SYMBOLS_MAX];
    let mut depths = [0usize; SYMBOLS_MAX];
    for inner in (0..leaves - 2).rev() {
        depths[inner] = depths[usize::from(parents[leaves + inner])] + 1;
    }
    for parent in &parents[..leaves] {
        of_length[depths[usize::from(*parent)] + 1] += 1;
    }
    of_length
}

/// Makes codes of more than `limit` bits as long as that, and others longer, until all of them fit.
fn limit_lengths(of_length: &mut [u32; SYMBOLS_MAX], limit: usize) {
    let too_long: u32 = of_length[limit + 1..].iter().sum();
    of_length[limit + 1..].fill(0);
    of_length[limit] += too_long;
    let room = 1u64 << limit;
    let mut taken: u64 = (1..=limit).map(|length| u64::from(of_length[length]) << (limit - length)).sum();
    while taken > room {
        // A code one bit longer than the longest below the limit makes room for itself and one of the longest.
        let Some(length) = (1..limit).rev().find(|length| of_length[*length] > 0) else { return };
        of_length[limit] -= 1;
        of_length[length] -= 1;
        of_length[length + 1] += 2;
        taken -= 1;
    }
}

/// The codes that follow from lengths, their first bit lowest.
pub(crate) fn codes(lengths: &[u8], codes: &mut [u16]) {
    let mut of_length = [0u16; CODE_BITS_MAX + 1];
    lengths.iter().for_each(|length| of_length[usize::from(*length)] += 1);
    of_length[0] = 0;
    let mut next = [0u16; CODE_BITS_MAX + 1];
    for length in 1..=CODE_BITS_MAX {
        next[length] = next[length - 1].wrapping_add(of_length[length - 1]) << 1;
    }
    for (code, length) in codes.iter_mut().zip(lengths) {
        *code = 0;
        if *length > 0 {
            let next = &mut next[usize::from(*length)];
            *code = next.reverse_bits() >> (16 - length);
            *next = next.wrapping_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cost(counts: &[u32], lengths: &[u8]) -> u64 {
        counts.iter().zip(lengths).map(|(count, length)| u64::from(*count) * u64::from(*length)).sum()
    }

    fn check(counts: &[u32], limit: usize) -> Vec<u8> {
        let mut lengths = vec![9; counts.len()];
        code_lengths(counts, limit, &mut lengths);
        let kraft: u64 =
            lengths.iter().filter(|length| **length > 0).map(|length| 1 << (limit - usize::from(*length))).sum();
        assert_eq!(kraft, 1 << limit, "{counts:?} {lengths:?}");
        for (count, length) in counts.iter().zip(&lengths) {
            assert_eq!(*count > 0, *length > 0);
        }
        lengths
    }

    #[test]
    fn lengths_of_known_trees() {
        assert_eq!(check(&[1, 1], 15), [1, 1]);
        assert_eq!(check(&[0, 5, 0, 1, 1], 15), [0, 1, 0, 2, 2]);
        assert_eq!(cost(&[5, 9, 12, 13, 16, 45], &check(&[5, 9, 12, 13, 16, 45], 15)), 224);
    }

    #[test]
    fn steep_counts_stay_within_the_limit() {
        let counts: Vec<u32> = (0..32).map(|power| 1 << power).collect();
        for limit in 5..=15 {
            assert!(check(&counts, limit).iter().all(|length| usize::from(*length) <= limit));
        }
        check(&[u32::MAX; 288], 15);
        check(&[1; 288], 9);
    }

    #[test]
    fn codes_of_the_rfc() {
        let mut found = [0; 8];
        codes(&[3, 3, 3, 3, 3, 2, 4, 4], &mut found);
        // The RFC writes the first bit left.
        assert_eq!(found, [0b010, 0b110, 0b001, 0b101, 0b011, 0b00, 0b0111, 0b1111]);
    }

    proptest! {
        #[test]
        fn every_code_is_complete(counts in prop::collection::vec(prop_oneof![Just(0u32), 1..10u32, any::<u32>()], 2..288), limit in 9..16usize) {
            if counts.iter().filter(|count| **count > 0).count() >= 2 {
                check(&counts, limit);
            }
        }
    }
}
