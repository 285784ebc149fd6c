//! Widths of packed integers: which exist, and the five bits that stand for each.

/// Bits that a number needs.
#[inline(always)]
pub(crate) fn bits(value: u64) -> u32 {
    64 - value.leading_zeros()
}

/// The least width of at least so many bits that exists.
pub(crate) fn existing(bits: u32) -> u32 {
    match bits {
        0 => 1,
        1..=24 => bits,
        25..=26 => 26,
        27..=28 => 28,
        29..=30 => 30,
        31..=32 => 32,
        33..=40 => 40,
        41..=48 => 48,
        49..=56 => 56,
        _ => 64,
    }
}

/// The least width of at least so many bits at which values keep to bytes or divide them, which is fast to unpack and
/// shows a compressor where values repeat.
pub(crate) fn aligned(bits: u32) -> u32 {
    match bits {
        0 | 1 => 1,
        2 => 2,
        3..=4 => 4,
        5..=8 => 8,
        _ => bits.div_ceil(8) * 8,
    }
}

/// The five bits that stand for an existing width; of deltas, 0 stands for no width at all.
#[expect(clippy::cast_possible_truncation, reason = "at most 31")]
pub(crate) fn code(width: u32) -> u8 {
    match width {
        0..=1 => 0,
        2..=24 => width as u8 - 1,
        26 => 24,
        28 => 25,
        30 => 26,
        32 => 27,
        40 => 28,
        48 => 29,
        56 => 30,
        _ => 31,
    }
}
