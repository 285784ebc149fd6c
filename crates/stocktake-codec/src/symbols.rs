//! What lengths and distances are in DEFLATE: a symbol and extra bits (RFC 1951, section 3.2.5).

/// Shortest match.
pub(crate) const LENGTH_MIN: usize = 3;

/// Longest match.
pub(crate) const LENGTH_MAX: usize = 258;

/// Farthest that a match reaches back.
pub(crate) const DISTANCE_MAX: usize = 32_768;

/// Symbol that ends a block.
pub(crate) const END: usize = 256;

/// Symbols of literals, the end of a block and lengths.
pub(crate) const LITERALS: usize = 286;

/// Symbols of distances.
pub(crate) const DISTANCES: usize = 30;

/// First of the symbols of lengths.
pub(crate) const LENGTHS_FROM: usize = 257;

/// Shortest length of each symbol of lengths.
pub(crate) const LENGTH_BASES: [u16; 29] =
    [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];

/// Number of extra bits of each symbol of lengths.
pub(crate) const LENGTH_EXTRA: [u8; 29] =
    [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];

/// Symbol of each length, counted from the first symbol of lengths.
pub(crate) static LENGTH_SYMBOLS: [u8; LENGTH_MAX + 1] = length_symbols();

const fn length_symbols() -> [u8; LENGTH_MAX + 1] {
    let mut symbols = [0; LENGTH_MAX + 1];
    let mut symbol = 0;
    let mut length = LENGTH_MIN;
    while length <= LENGTH_MAX {
        while (symbol as usize) + 1 < LENGTH_BASES.len() && LENGTH_BASES[symbol as usize + 1] as usize <= length {
            symbol += 1;
        }
        symbols[length] = symbol;
        length += 1;
    }
    symbols
}

/// Symbol of a distance of at least 1, and the number of its extra bits, which are the lowest of the distance less 1.
#[inline(always)]
pub(crate) fn distance_symbol(distance: u32) -> (usize, u32) {
    let less = distance - 1;
    // The first four have symbols of their own.
    let extra = (less | 2).ilog2() - 1;
    // Two symbols for each power of two; the bit below the highest tells them apart.
    ((2 * extra + (less >> extra)) as usize, extra)
}

/// Number of extra bits of a symbol of distances.
pub(crate) fn distance_extra(symbol: usize) -> u64 {
    (symbol as u64 / 2).saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_lies_in_the_range_of_its_symbol() {
        for (length, symbol) in LENGTH_SYMBOLS.iter().enumerate().skip(LENGTH_MIN) {
            let symbol = usize::from(*symbol);
            let (base, extra) = (usize::from(LENGTH_BASES[symbol]), LENGTH_EXTRA[symbol]);
            assert!((base..base + (1 << extra)).contains(&length), "{length}");
        }
        assert_eq!(LENGTH_SYMBOLS[258], 28);
    }

    #[test]
    fn every_distance_lies_in_the_range_of_its_symbol() {
        // The table of the RFC.
        let bases: [u32; DISTANCES] = [
            1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073,
            4097, 6145, 8193, 12289, 16385, 24577,
        ];
        for distance in 1..=32_768 {
            let (symbol, extra) = distance_symbol(distance);
            assert_eq!(symbol, bases.partition_point(|base| *base <= distance) - 1, "{distance}");
            assert_eq!(distance - bases[symbol], (distance - 1) & ((1 << extra) - 1), "{distance}");
            assert_eq!(u64::from(extra), distance_extra(symbol));
        }
    }
}
