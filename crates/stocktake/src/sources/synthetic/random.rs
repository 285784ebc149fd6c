//! Randomness by position: every value is a hash of where it stands, so that any row can be made without the ones before.
//!
//! Integers only: the same on every machine.

/// Multiplies to 128 bits and folds the halves: a hash of few instructions.
#[inline]
pub(super) fn mix(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    a.wrapping_mul(b) ^ (product >> 64) as u64
}

/// Maps 64 random bits evenly to `0..bound`.
#[inline]
pub(super) fn below(random: u64, bound: u64) -> u64 {
    ((u128::from(random) * u128::from(bound)) >> 64) as u64
}

/// A seed made fit to be a factor: scattered and odd.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seed(u64);

impl Seed {
    pub(super) fn new(seed: u64) -> Self {
        Self(split_mix(seed) | 1)
    }

    /// Random bits for something that is counted, under a salt of its own.
    pub(super) fn bits(self, salt: u64, number: u64) -> u64 {
        mix(mix(self.0, salt) ^ number, 0xD134_2543_DE82_EF95)
    }
}

/// What a row draws random bits for.
#[derive(Clone, Copy, Debug)]
#[repr(usize)]
pub(super) enum Draw {
    Stratum,
    Name,
    NameHigh,
    Time,
    ETagHigh,
    ETagLow,
    Size,
    Choice,
    VersionIdFirst,
    VersionIdSecond,
    VersionIdThird,
    VersionIdFourth,
    Rare,
}

/// Independent random bits of one key or version.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draws(u64);

impl Draws {
    #[inline]
    pub(super) fn of_key(seed: Seed, key: u64) -> Self {
        Self(mix(key ^ 0xA076_1D64_78BD_642F, seed.0))
    }

    /// The draws of a version of the key; those of version 0 are the key's own.
    #[inline]
    pub(super) fn of_version(self, version: u32) -> Self {
        Self(self.0.wrapping_add(u64::from(version).wrapping_mul(0x9E37_79B9_7F4A_7C15)))
    }

    #[inline]
    pub(super) fn bits(self, draw: Draw) -> u64 {
        let (salt, factor) = SALTS[draw as usize];
        mix(self.0 ^ salt, factor)
    }
}

/// A pair of constants for each draw; the factors are odd.
const SALTS: [(u64, u64); Draw::Rare as usize + 1] = {
    let mut salts = [(0, 0); Draw::Rare as usize + 1];
    let mut state = 0u64;
    let mut at = 0;
    while at < salts.len() {
        salts[at] = (split_mix(state + 1), split_mix(state + 2) | 1);
        state += 2;
        at += 1;
    }
    salts
};

const fn split_mix(counter: u64) -> u64 {
    let mut z = counter.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A size of nearly log-normal distribution with this mean of log2, in 256ths, and a deviation of 2.6 octaves.
///
/// The sum of four even draws stands for a normal one: sizes stay within 9 octaves of the mean. A few are 0.
#[inline]
pub(super) fn log_normal(random: u64, mean_octaves_256: i64) -> u64 {
    let part = |at: u32| (random >> (16 * at) & 0xFFFF) as i64;
    let sum = part(0) + part(1) + part(2) + part(3) - 2 * 0xFFFF;
    // The sum has a deviation of 37,837; 1,153 / 65,536 of it are 2.6 octaves in 256ths.
    let octaves_256 = (mean_octaves_256 + ((sum * 1153) >> 16)).max(0) as u64;
    let size = OCTAVE[(octaves_256 & 0xFF) as usize] << (octaves_256 >> 8) >> OCTAVE_BITS;
    let size = if random >> 7 & 0x1FF == 0 { 0 } else { size };
    // The steps of the table are wider than those of a size: fill them.
    size + ((size * (random & 0xFFFF)) >> 24)
}

const OCTAVE_BITS: u32 = 24;

/// 2^(i/256), with 24 bits behind the point.
static OCTAVE: [u64; 256] = {
    /// 2^(1/256), with 62 bits behind the point.
    const STEP: u128 = 4_624_189_567_668_517_720;
    let mut table = [0; 256];
    let mut value = 1u128 << 62;
    let mut at = 0;
    while at < 256 {
        table[at] = (value >> (62 - OCTAVE_BITS) & 0xFFFF_FFFF) as u64;
        value = (value * STEP) >> 62;
        at += 1;
    }
    table
};

/// The 16 lower-case hexadecimal digits of a word, most significant first.
#[inline]
pub(super) fn hex(word: u64) -> [u8; 16] {
    pair(digits(spread(word >> 32)).to_be_bytes(), digits(spread(word & 0xFFFF_FFFF)).to_be_bytes())
}

/// The 16 digits of a word in an order of its own, for random words: cheaper.
#[inline]
pub(super) fn hex_shuffled(word: u64) -> [u8; 16] {
    pair(digits(word >> 4 & NIBBLES).to_le_bytes(), digits(word & NIBBLES).to_le_bytes())
}

/// The low half of each byte.
const NIBBLES: u64 = 0x0F0F_0F0F_0F0F_0F0F;

/// Moves eight nibbles apart, one to each byte: first half-words, then bytes, then nibbles.
#[inline]
fn spread(bits: u64) -> u64 {
    let bits = (bits | bits << 16) & 0x0000_FFFF_0000_FFFF;
    let bits = (bits | bits << 8) & 0x00FF_00FF_00FF_00FF;
    (bits | bits << 4) & NIBBLES
}

/// Makes a digit of each byte from 0 to 15, eight at once: compilers do not find the vector form of the plain loop.
#[inline]
fn digits(nibbles: u64) -> u64 {
    let letters = (nibbles + 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101;
    nibbles + 0x3030_3030_3030_3030 + letters * 0x27
}

#[inline]
fn pair(first: [u8; 8], second: [u8; 8]) -> [u8; 16] {
    let mut text = [0; 16];
    text[..8].copy_from_slice(&first);
    text[8..].copy_from_slice(&second);
    text
}

/// The last `N` (at most 8) decimal digits of a number below 100,000,000, with leading zeros.
///
/// Halves, quarters and digits are divided apart two, four and eight at a time.
#[inline]
pub(super) fn decimal<const N: usize>(number: u64) -> [u8; N] {
    const { assert!(N <= 8) };
    let halves = (number / 10_000) | ((number % 10_000) << 32);
    // 10,486 / 2^20 is 1/100 and 103 / 2^10 is 1/10, exact enough for four and two digits.
    let hundreds = (halves * 10_486) >> 20 & 0x0000_007F_0000_007F;
    let pairs = hundreds | (halves - 100 * hundreds) << 16;
    let tens = (pairs * 103) >> 10 & 0x000F_000F_000F_000F;
    let digits = (tens | (pairs - 10 * tens) << 8) + 0x3030_3030_3030_3030;
    let mut text = [0; N];
    text.copy_from_slice(&digits.to_le_bytes()[8 - N..]);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_and_decimal_digits_are_right() {
        assert_eq!(&hex(0x0123_4567_89AB_CDEF), b"0123456789abcdef");
        assert_eq!(&hex_shuffled(0x0123_4567_89AB_CDEF), b"eca86420fdb97531");
        assert_eq!((decimal::<5>(42), decimal::<2>(1234)), (*b"00042", *b"34"));
        for number in (0..10_000).chain((0..100_000_000).step_by(9973)) {
            assert_eq!(str::from_utf8(&decimal::<8>(number)).unwrap(), format!("{number:08}"));
        }
    }

    #[test]
    fn sizes_are_spread_around_their_mean() {
        let size = |key| log_normal(Draws::of_key(Seed::new(1), key).bits(Draw::Size), 16 * 256);
        let mut sizes: Vec<u64> = (0..10_000).map(size).collect();
        sizes.sort_unstable();
        let octaves = |at: usize| sizes[at].ilog2();
        assert_eq!((octaves(1600), octaves(5000), octaves(8400)), (13, 16, 18));
        assert!(sizes[10] == 0 && sizes[100] > 0);
        sizes.dedup();
        assert!(sizes.len() > 9_500);
    }

    #[test]
    fn octaves_double() {
        for at in 0..128 {
            let square = OCTAVE[at] as f64 / f64::from(1 << OCTAVE_BITS);
            let double = OCTAVE[2 * at] as f64 / f64::from(1 << OCTAVE_BITS);
            assert!((square * square - double).abs() < 1e-6);
        }
    }

    #[test]
    fn draws_do_not_repeat() {
        let mut all: Vec<u64> = (0..20_000)
            .flat_map(|key| {
                let draws = Draws::of_key(Seed::new(1), key);
                [Draw::Stratum, Draw::Name, Draw::Size, Draw::Rare].map(|draw| draws.bits(draw))
            })
            .collect();
        let ones: u32 = all.iter().map(|bits| bits.count_ones()).sum();
        assert!((31.9..32.1).contains(&(f64::from(ones) / all.len() as f64)));
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 80_000);
    }
}
