//! Run-length encoding of integers, version 2: repeats, deltas, packed values, packed values with patches.
//!
//! Values are cut where a repeat begins that is worth a run of its own. What lies between, at most 512 values at a time,
//! is written in the shortest of the other encodings. Each value is looked at a fixed number of times.

use super::{
    pack::pack,
    patch::{self, Patches},
    width::{self, bits},
    write_varint, zigzag,
};

/// Most values of a run.
pub(super) const RUN_MAX: usize = 512;

/// Most and least values of a short repeat; longer ones are deltas of nothing.
const SHORT_MAX: usize = 10;
const SHORT_MIN: usize = 3;

const DIRECT: u8 = 1 << 6;
const DELTA: u8 = 3 << 6;

/// Encodes integers; keeps its buffers.
#[derive(Debug, Default)]
pub(crate) struct IntegerEncoder {
    packed: Vec<u64>,
    patches: Patches,
}

/// Whether a stream's integers have a sign. Those without are not negative as signed ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    Signed,
    Unsigned,
}

/// Integers as they are collected. Narrow ones are looked at several at a time.
pub(crate) trait Integer: Copy + Ord {
    fn wide(self) -> i64;
}

impl Integer for i16 {
    #[inline(always)]
    fn wide(self) -> i64 {
        self.into()
    }
}

impl Integer for i64 {
    #[inline(always)]
    fn wide(self) -> i64 {
        self
    }
}

impl IntegerEncoder {
    /// Appends the encoding of values; returns the least and the largest.
    pub(crate) fn encode<V: Integer>(&mut self, values: &[V], sign: Sign, out: &mut Vec<u8>) -> Option<(i64, i64)> {
        let first = *values.first()?;
        // How wide values are is judged by the first of them: it decides which repeats are cut out, not what is right.
        let sample = Shape::of(&values[..values.len().min(RUN_MAX)]);
        let repeat_min = repeat_min(bits(sample.largest(sign)));
        let (mut least, mut largest) = (first.wide(), first.wide());
        let mut at = 0;
        while at < values.len() {
            let rest = &values[at..];
            let equal = equal_length(rest);
            if equal >= repeat_min || (equal == rest.len() && equal >= SHORT_MIN) {
                let value = rest[0].wide();
                (least, largest) = (least.min(value), largest.max(value));
                encode_repeat(value, equal, sign, out);
                at += equal;
                continue;
            }
            let literals = &rest[..repeat_start(rest, repeat_min)];
            let shape = Shape::of(literals);
            (least, largest) = (least.min(shape.min), largest.max(shape.max));
            self.encode_literals(literals, shape, sign, out);
            at += literals.len();
        }
        Some((least, largest))
    }

    /// Values without a long repeat, at most [`RUN_MAX`].
    fn encode_literals<V: Integer>(&mut self, values: &[V], shape: Shape, sign: Sign, out: &mut Vec<u8>) {
        let direct_width = width::aligned(bits(shape.largest(sign)));
        let direct_bytes = 2 + packed_bytes(values.len(), direct_width);
        if let Some(delta) = Delta::of(values, shape)
            && delta.bytes_max(values.len()) <= direct_bytes
        {
            delta.encode(values, sign, &mut self.packed, out);
            return;
        }
        self.packed.clear();
        if let Some(range) = shape.range()
            && values.len() >= patch::VALUES_MIN
            && bits(range) > patch::BITS_MIN
        {
            let above = |value: &V| value.wide().wrapping_sub(shape.min).cast_unsigned();
            self.packed.extend(values.iter().map(above));
            if self.patches.plan(&self.packed, range, shape.min, direct_bytes) {
                self.patches.encode(&mut self.packed, shape.min, out);
                return;
            }
            self.packed.clear();
        }
        self.packed.extend(values.iter().map(|value| plain(value.wide(), sign)));
        out.extend(header(DIRECT, direct_width, values.len()));
        pack(&self.packed, direct_width, out);
    }
}

/// Appends one value repeated so many times.
pub(crate) fn encode_repeat(value: i64, mut count: usize, sign: Sign, out: &mut Vec<u8>) {
    while count > 0 {
        let run = match count {
            // A rest that is too short for a repeat of its own takes some of this run.
            count if count > RUN_MAX && count < RUN_MAX + SHORT_MIN => RUN_MAX - SHORT_MIN,
            count => count.min(RUN_MAX),
        };
        let plain = plain(value, sign);
        if run < SHORT_MIN {
            let width = width::aligned(bits(plain));
            out.extend(header(DIRECT, width, run));
            pack(&[plain; SHORT_MIN][..run], width, out);
        } else if run <= SHORT_MAX {
            let bytes = bits(plain).div_ceil(8).max(1) as usize;
            // The encoding's number is 0; three bits of bytes and three of values follow.
            out.push(((bytes - 1) << 3 | (run - SHORT_MIN)).to_le_bytes()[0]);
            out.extend_from_slice(&plain.to_be_bytes()[8 - bytes..]);
        } else {
            out.extend(header(DELTA, 0, run));
            write_varint(plain, out);
            out.push(0);
        }
        count -= run;
    }
}

/// The least and the largest of a run.
#[derive(Clone, Copy, Debug)]
struct Shape {
    min: i64,
    max: i64,
}

impl Shape {
    /// Of at least one value.
    fn of<V: Integer>(values: &[V]) -> Self {
        let extremes =
            values.iter().fold((values[0], values[0]), |(min, max), value| (min.min(*value), max.max(*value)));
        Self { min: extremes.0.wide(), max: extremes.1.wide() }
    }

    /// The largest number among the values as they are stored where they stand for themselves, or one as wide.
    fn largest(self, sign: Sign) -> u64 {
        plain(self.min, sign) | plain(self.max, sign)
    }

    /// Difference of the largest and the least, if it is one of 63 bits.
    fn range(self) -> Option<u64> {
        self.max.checked_sub(self.min).map(i64::cast_unsigned)
    }
}

/// A run of deltas: the first in full, others packed without a sign.
#[derive(Clone, Copy, Debug)]
struct Delta {
    /// Zero if all deltas are the first.
    width: u32,
    first: i64,
}

impl Delta {
    /// Deltas, if values ascend or descend from the first on. The first delta's sign is that of all.
    fn of<V: Integer>(values: &[V], shape: Shape) -> Option<Self> {
        if values.len() < 3 || values[0] == values[1] {
            return None;
        }
        let monotone =
            if values[0] < values[1] { values.is_sorted() } else { values.is_sorted_by(|one, next| one >= next) };
        if !monotone {
            return None;
        }
        shape.range()?;
        let (mut largest, mut least) = (0, u64::MAX);
        for pair in values[1..].windows(2) {
            let delta = pair[0].wide().abs_diff(pair[1].wide());
            largest = largest.max(delta);
            least = least.min(delta);
        }
        let first = values[0].wide().abs_diff(values[1].wide());
        // One bit cannot be said: the bits that stand for it say that there is no delta but the first.
        let width = if largest == first && least == first { 0 } else { width::aligned(bits(largest)).max(2) };
        Some(Self { width, first: values[1].wide().wrapping_sub(values[0].wide()) })
    }

    /// Most bytes of the run: first value and first delta as numbers of up to ten bytes.
    fn bytes_max(&self, values: usize) -> usize {
        let first = bits(zigzag(self.first)).div_ceil(7).max(1) as usize;
        2 + 5 + first + if self.width == 0 { 0 } else { packed_bytes(values - 2, self.width) }
    }

    fn encode<V: Integer>(&self, values: &[V], sign: Sign, packed: &mut Vec<u64>, out: &mut Vec<u8>) {
        out.extend(header_code(DELTA, if self.width == 0 { 0 } else { width::code(self.width) }, values.len()));
        write_varint(plain(values[0].wide(), sign), out);
        write_varint(zigzag(self.first), out);
        if self.width > 0 {
            packed.clear();
            packed.extend(values[1..].windows(2).map(|pair| pair[0].wide().abs_diff(pair[1].wide())));
            pack(packed, self.width, out);
        }
    }
}

/// A value as it is stored where it stands for itself.
#[inline(always)]
fn plain(value: i64, sign: Sign) -> u64 {
    match sign {
        Sign::Signed => zigzag(value),
        Sign::Unsigned => value.cast_unsigned(),
    }
}

/// The repeat from which on a run of its own takes fewer bytes: it costs its value, its header and that of the run after
/// it, and saves its values at their width.
fn repeat_min(bits: u32) -> usize {
    (2 + 32 / width::aligned(bits) as usize).max(SHORT_MIN)
}

/// How many of the first values are equal.
fn equal_length<V: Integer>(values: &[V]) -> usize {
    let first = values[0];
    if values.get(1).is_none_or(|second| *second != first) {
        return 1;
    }
    let equal = values.chunks(BLOCK).take_while(|block| block.iter().fold(true, |all, value| all & (*value == first)));
    let start = equal.count() * BLOCK;
    let Some(rest) = values.get(start..) else { return values.len() };
    start + rest.iter().position(|value| *value != first).unwrap_or(rest.len())
}

/// Where the first repeat of so many values starts, or how far it was looked for: at most a run's length.
///
/// A repeat that starts here ends so many values on, so that is looked at first: what differs there rules out all starts
/// before it.
fn repeat_start<V: Integer>(values: &[V], repeat_min: usize) -> usize {
    let window = values.len().min(RUN_MAX);
    let mut start = 0;
    while start < window && start + repeat_min <= values.len() {
        let mut equal_from = start + repeat_min - 1;
        while equal_from > start && values[equal_from - 1] == values[equal_from] {
            equal_from -= 1;
        }
        if equal_from == start {
            return start;
        }
        start = equal_from;
    }
    window
}

/// Values that are compared together.
const BLOCK: usize = 64;

fn packed_bytes(values: usize, width: u32) -> usize {
    (values * width as usize).div_ceil(8)
}

pub(super) fn header(encoding: u8, width: u32, values: usize) -> [u8; 2] {
    header_code(encoding, width::code(width), values)
}

/// Two bits of encoding, five of width, nine of the number of values, which is at least one.
fn header_code(encoding: u8, code: u8, values: usize) -> [u8; 2] {
    let [low, high, ..] = (values - 1).to_le_bytes();
    [encoding | code << 1 | high & 1, low]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(values: &[i64], sign: Sign) -> Vec<u8> {
        let mut out = Vec::new();
        IntegerEncoder::default().encode(values, sign, &mut out);
        out
    }

    /// The examples of the format's specification, but for widths that it packs tighter.
    #[test]
    fn examples_of_the_specification() {
        assert_eq!(encoded(&[10_000; 5], Sign::Unsigned), [0x0a, 0x27, 0x10]);
        assert_eq!(
            encoded(&[23_713, 43_806, 57_005, 48_879], Sign::Unsigned),
            [0x5e, 0x03, 0x5c, 0xa1, 0xab, 0x1e, 0xde, 0xad, 0xbe, 0xef]
        );
        assert_eq!(
            encoded(&[2, 3, 5, 7, 11, 13, 17, 19, 23, 29], Sign::Unsigned),
            [0xc6, 0x09, 0x02, 0x02, 0x22, 0x42, 0x42, 0x46]
        );
        let mut values = vec![2030, 2000, 2020, 1_000_000];
        values.extend((0..16).map(|at| 2040 + at * 10));
        assert_eq!(
            encoded(&values, Sign::Unsigned),
            [
                0x8e, 0x13, 0x2b, 0x21, 0x07, 0xd0, 0x1e, 0x00, 0x14, 0x70, 0x28, 0x32, 0x3c, 0x46, 0x50, 0x5a, 0x64,
                0x6e, 0x78, 0x82, 0x8c, 0x96, 0xa0, 0xaa, 0xb4, 0xbe, 0xfc, 0xe8
            ]
        );
    }

    #[test]
    fn constants_take_few_bytes() {
        assert_eq!(encoded(&[0; 512], Sign::Signed), [0xc1, 0xff, 0, 0]);
        assert_eq!(encoded(&[7; 514], Sign::Unsigned), [0xc1, 0xfc, 7, 0, 0x02, 7]);
        assert_eq!(encoded(&[-1; 2], Sign::Signed), [0x40, 0x01, 0xc0]);
        assert!(encoded(&[0; 10_000], Sign::Unsigned).len() <= 80);
    }

    #[test]
    fn repeats_among_others_are_cut_out_if_that_is_shorter() {
        let mut values = vec![1_000_000_000, 2_000_000_001, 5];
        values.extend([77; 20]);
        values.push(1_234_567_890);
        let out = encoded(&values, Sign::Unsigned);
        assert_eq!(out.len(), (2 + 12) + 4 + (2 + 4));
        // Bits that change every few values stay together.
        let flags: Vec<i64> = (0..512).map(|at| at / 5 % 2).collect();
        assert_eq!(encoded(&flags, Sign::Unsigned).len(), 2 + 64);
    }

    #[test]
    fn arithmetic_progressions_have_no_deltas() {
        let values: Vec<i64> = (0..512).map(|at| 1000 - 3 * at).collect();
        assert_eq!(encoded(&values, Sign::Signed).len(), 2 + 2 + 1);
        let extremes = [i64::MIN, i64::MAX, 0, -1, 1];
        assert_eq!(encoded(&extremes, Sign::Signed).len(), 2 + 40);
    }
}
