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
    pub(super) fn of_key(seed: u64, key: u64) -> Self {
        let hash = mix(key ^ 0xA076_1D64_78BD_642F, seed ^ 0xE703_7ED1_A0B4_28DB);
        Self(mix(hash ^ 0x8EBC_6AF0_9C88_C6E3, 0x5899_65CC_7537_4CC3))
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

/// The 32 lower-case hexadecimal digits of two words.
#[inline]
pub(super) fn hex(high: u64, low: u64) -> [u8; 32] {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&high.to_be_bytes());
    bytes[8..].copy_from_slice(&low.to_be_bytes());
    let digit = |nibble: u8| nibble + if nibble > 9 { b'a' - 10 } else { b'0' };
    let mut text = [0; 32];
    for (pair, byte) in text.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
        *pair = [digit(byte >> 4), digit(byte & 15)];
    }
    text
}

/// Writes a number with leading zeros over all of `text`; digits that do not fit are left out.
#[inline]
pub(super) fn decimal(text: &mut [u8], mut number: u64) {
    for digit in text.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_and_decimal_digits_are_right() {
        let text = hex(0x0123_4567_89AB_CDEF, 0xFEDC_BA98_7654_3210);
        assert_eq!(&text, b"0123456789abcdeffedcba9876543210");
        let mut text = [0; 5];
        decimal(&mut text, 42);
        assert_eq!(&text, b"00042");
    }

    #[test]
    fn sizes_are_spread_around_their_mean() {
        let size = |key| log_normal(Draws::of_key(1, key).bits(Draw::Size), 16 * 256);
        let mut sizes: Vec<u64> = (0..10_000).map(size).collect();
        sizes.sort_unstable();
        let octaves = |at: usize| sizes[at].ilog2();
        assert_eq!((octaves(1600), octaves(5000), octaves(8400)), (13, 15, 18));
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
                let draws = Draws::of_key(1, key);
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
