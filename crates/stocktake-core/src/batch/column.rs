//! The column kinds of a batch.
//!
//! Text may lie in offsets over one buffer or in views over several; few-valued text lies in 16-bit codes of which 0 is
//! "absent"; numbers and booleans have an optional mask of absent rows. An absent text reads as `""`: a report knows no
//! empty text that is not absent.

use super::intern::CodeValues;
use arrow_array::{
    Array, ArrayRef, BooleanArray, Int64Array, StringArray, StringViewArray, UInt16Array, cast::AsArray,
};
use arrow_buffer::BooleanBuffer;
use std::{ops::Range, sync::Arc};

/// A column of a batch, by kind.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Column {
    /// Text with as many values as rows.
    Text(TextColumn),
    /// Text with few values.
    Code(CodeColumn),
    /// Booleans.
    Bool(BoolColumn),
    /// Counts, and times in milliseconds.
    Int(IntColumn),
}

impl Column {
    pub(super) fn slice(&self, range: &Range<usize>) -> Self {
        match self {
            Self::Text(TextColumn(Texts::Utf8(array))) => {
                Self::Text(TextColumn(Texts::Utf8(array.slice(range.start, range.len()))))
            }
            Self::Text(TextColumn(Texts::View(array))) => {
                Self::Text(TextColumn(Texts::View(array.slice(range.start, range.len()))))
            }
            Self::Code(column) => Self::Code(CodeColumn {
                codes: column.codes.slice(range.start, range.len()),
                values: Arc::clone(&column.values),
            }),
            Self::Bool(BoolColumn(array)) => Self::Bool(BoolColumn(array.slice(range.start, range.len()))),
            Self::Int(IntColumn(array)) => Self::Int(IntColumn(array.slice(range.start, range.len()))),
        }
    }

    pub(super) fn filter(&self, keep: &BooleanArray) -> Self {
        let filtered = |array: &dyn Array| -> ArrayRef {
            match arrow_select::filter::filter(array, keep) {
                Ok(array) => array,
                Err(error) => unreachable!("a mask of the array's length filters every array: {error}"),
            }
        };
        match self {
            Self::Text(TextColumn(Texts::Utf8(array))) => {
                Self::Text(TextColumn(Texts::Utf8(filtered(array).as_string().clone())))
            }
            Self::Text(TextColumn(Texts::View(array))) => {
                Self::Text(TextColumn(Texts::View(filtered(array).as_string_view().clone())))
            }
            Self::Code(column) => Self::Code(CodeColumn {
                codes: filtered(&column.codes).as_primitive().clone(),
                values: Arc::clone(&column.values),
            }),
            Self::Bool(BoolColumn(array)) => Self::Bool(BoolColumn(filtered(array).as_boolean().clone())),
            Self::Int(IntColumn(array)) => Self::Int(IntColumn(filtered(array).as_primitive().clone())),
        }
    }
}

/// A column of text.
#[derive(Clone, Debug)]
pub struct TextColumn(pub(crate) Texts);

#[derive(Clone, Debug)]
pub(crate) enum Texts {
    Utf8(StringArray),
    View(StringViewArray),
}

impl TextColumn {
    /// Number of rows.
    pub fn len(&self) -> usize {
        match &self.0 {
            Texts::Utf8(array) => array.len(),
            Texts::View(array) => array.len(),
        }
    }

    /// Whether the column has no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The text of a row; empty if absent.
    ///
    /// # Panics
    /// If `row` is out of range.
    #[inline]
    pub fn value(&self, row: usize) -> &str {
        match &self.0 {
            // Constructors make absent values empty, so that the mask need not be asked.
            Texts::Utf8(array) => array.value(row),
            Texts::View(array) => array.value(row),
        }
    }

    /// Start offsets (one more than rows) and bytes of the texts, if they lie in one buffer.
    pub fn as_offsets(&self) -> Option<(&[i32], &[u8])> {
        match &self.0 {
            Texts::Utf8(array) => Some((array.value_offsets(), array.value_data())),
            Texts::View(_) => None,
        }
    }

    /// Number of absent texts.
    pub fn absent(&self) -> usize {
        match &self.0 {
            Texts::Utf8(array) => array.null_count(),
            Texts::View(array) => array.null_count(),
        }
    }

    /// Bytes of the texts of a range of rows.
    pub(super) fn text_bytes(&self, range: &Range<usize>) -> u64 {
        match &self.0 {
            Texts::Utf8(array) => {
                let offsets = array.value_offsets();
                // Offsets ascend within i32.
                u64::from(offsets[range.end].abs_diff(offsets[range.start]))
            }
            // The low 32 bits of a view are its length.
            Texts::View(array) => array.views()[range.clone()].iter().map(|view| (*view & 0xFFFF_FFFF) as u64).sum(),
        }
    }
}

/// A column of few-valued text: a 16-bit code a row, 0 for absent.
#[derive(Clone, Debug)]
pub struct CodeColumn {
    pub(crate) codes: UInt16Array,
    pub(crate) values: Arc<CodeValues>,
}

impl CodeColumn {
    /// The codes, one a row.
    pub fn codes(&self) -> &[u16] {
        self.codes.values()
    }

    /// The texts that codes stand for.
    ///
    /// Shared by batches of one stream while no value is added: a pointer comparison says whether codes mean the same.
    pub fn values(&self) -> &Arc<CodeValues> {
        &self.values
    }

    /// The text of a row; empty if absent.
    ///
    /// # Panics
    /// If `row` is out of range.
    pub fn value(&self, row: usize) -> &str {
        self.values.value(self.codes()[row])
    }

    /// What the values of a range count: their length where they differ from the row before; where they repeat it, a
    /// thirty-second of it, or all of it if they are long.
    pub(super) fn counted_bytes(&self, range: &Range<usize>, before: &str) -> u64 {
        let codes = &self.codes()[range.clone()];
        let Some(first) = codes.first() else { return 0 };
        let length = |code: u16| self.values.length(code);
        let repeated = |code: u16| match length(code) {
            length if length > REPEATED_BYTES_MAX => length,
            length => length / REPEATED_PART,
        };
        let mut total = 0;
        if let Ok(values) = u16::try_from(self.values.texts().len())
            && values <= VALUES_COUNTED
        {
            for code in 1..values {
                let (rows, runs) = rows_and_runs(codes, code);
                total += runs * length(code) + (rows - runs) * repeated(code);
            }
        } else {
            for (code, rows) in runs(codes) {
                total += length(code) + (rows as u64 - 1) * repeated(code);
            }
        }
        if self.values.value(*first) == before {
            total -= length(*first) - repeated(*first);
        }
        total
    }
}

/// Up to so many values each is counted by itself, many rows at once; more are counted run by run.
const VALUES_COUNTED: u16 = 17;

/// How many rows have a code, and how many runs of it there are.
fn rows_and_runs(codes: &[u16], code: u16) -> (u64, u64) {
    // Whether a number is 0, as 1 or 0 of the same width: compilers make eight or more rows at once of that.
    let is_zero = |number: u16| (number.wrapping_sub(1) & !number) >> 15;
    let Some(first) = codes.first() else { return (0, 0) };
    let first = u64::from(*first == code);
    let (mut rows, mut runs) = (first, first);
    // Counts of 16 bits, of as many rows as they can count.
    for start in (1..codes.len()).step_by(1 << 15) {
        let end = codes.len().min(start + (1 << 15));
        let (mut rows_here, mut runs_here) = (0_u16, 0_u16);
        for (before, this) in codes[start - 1..end - 1].iter().zip(&codes[start..end]) {
            let is = is_zero(this ^ code);
            rows_here += is;
            runs_here += is & !is_zero(before ^ code);
        }
        rows += u64::from(rows_here);
        runs += u64::from(runs_here);
    }
    (rows, runs)
}

/// Codes and how many times each stands in a row, in order.
fn runs(codes: &[u16]) -> impl Iterator<Item = (u16, usize)> {
    let mut rest = codes;
    std::iter::from_fn(move || {
        let code = *rest.first()?;
        let length = run_length(rest, code);
        rest = &rest[length..];
        Some((code, length))
    })
}

/// How many codes at the beginning are this one, found out in blocks: most runs are either long or very short.
#[inline]
fn run_length(codes: &[u16], code: u16) -> usize {
    const BLOCK: usize = 32;
    if codes.get(1) != Some(&code) {
        return 1;
    }
    let blocks = codes.chunks_exact(BLOCK).take_while(|block| *block == [code; BLOCK]).count();
    let from = blocks * BLOCK;
    from + codes[from..].iter().take_while(|other| **other == code).count()
}

/// A repeated value up to this length is a match for a compressor that sees the last 32 KiB: thirteen of them, a key and
/// two texts at their limits fit. Beyond it may be written out again.
const REPEATED_BYTES_MAX: u64 = 1024;

/// A match of DEFLATE stands for at most 258 bytes and takes up to about eight bytes of a run.
const REPEATED_PART: u64 = 32;

/// A column of booleans.
#[derive(Clone, Debug)]
pub struct BoolColumn(pub(crate) BooleanArray);

impl BoolColumn {
    pub(super) fn constant(value: bool, rows: usize) -> Self {
        let bits = if value { BooleanBuffer::new_set(rows) } else { BooleanBuffer::new_unset(rows) };
        Self(BooleanArray::new(bits, None))
    }

    /// The boolean of a row, if present.
    ///
    /// # Panics
    /// If `row` is out of range.
    #[inline]
    pub fn value(&self, row: usize) -> Option<bool> {
        self.0.is_valid(row).then(|| self.0.value(row))
    }

    /// The eight booleans from a row on, the first in the lowest bit; past the last row, and in absent rows, they have no meaning.
    #[inline]
    pub fn eight(&self, row: usize) -> u8 {
        eight_bits(self.0.values(), row)
    }

    /// Which of the eight rows from a row on have a boolean, the first in the lowest bit; past the last row it has no meaning.
    #[inline]
    pub fn eight_present(&self, row: usize) -> u8 {
        match self.0.nulls() {
            None => u8::MAX,
            Some(nulls) => eight_bits(nulls.inner(), row),
        }
    }

    /// Number of absent booleans.
    pub fn absent(&self) -> usize {
        self.0.null_count()
    }
}

#[inline]
fn eight_bits(bits: &BooleanBuffer, at: usize) -> u8 {
    let at = bits.offset() + at;
    let byte = |number: usize| bits.values().get(number).copied().map_or(0, u16::from);
    let [low, _] = ((byte(at / 8) | byte(at / 8 + 1) << 8) >> (at % 8)).to_le_bytes();
    low
}

/// A column of 64-bit counts, or of times in milliseconds since 1970-01-01 UTC.
#[derive(Clone, Debug)]
pub struct IntColumn(pub(crate) Int64Array);

impl IntColumn {
    /// The number of a row, if present.
    ///
    /// # Panics
    /// If `row` is out of range.
    #[inline]
    pub fn value(&self, row: usize) -> Option<i64> {
        self.0.is_valid(row).then(|| self.0.value(row))
    }

    /// Which of the eight rows from a row on have a number, the first in the lowest bit; past the last row it has no meaning.
    #[inline]
    pub fn eight_present(&self, row: usize) -> u8 {
        match self.0.nulls() {
            None => u8::MAX,
            Some(nulls) => eight_bits(nulls.inner(), row),
        }
    }

    /// All numbers; what stands in absent rows has no meaning.
    pub fn values(&self) -> &[i64] {
        self.0.values()
    }

    /// Number of absent numbers.
    pub fn absent(&self) -> usize {
        self.0.null_count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::Interner;

    #[test]
    fn what_values_count_is_the_same_for_few_and_many() {
        for values in [1, 2, 5, 15, 16, 17, 40] {
            // Runs of all lengths, absent values among them, of texts short, long and beyond what repetitions share.
            let texts: Vec<String> = (0..2000_usize)
                .map(|row| "v".repeat([0, 9, 70, 1100][row / 7 % 4] + row * row / 50 % values))
                .collect();
            let mut interner = Interner::new();
            let codes: Vec<u16> = texts.iter().map(|text| interner.code(text).0).collect();
            let column = CodeColumn { codes: UInt16Array::from(codes), values: Arc::clone(interner.values()) };
            for range in [0..2000, 1..1, 3..4, 100..1999] {
                let expected: u64 = range
                    .clone()
                    .map(|row| {
                        let (text, length) = (&texts[row], texts[row].len() as u64);
                        let repeats = if row == 0 { text.is_empty() } else { *text == texts[row - 1] };
                        if repeats && length <= REPEATED_BYTES_MAX { length / REPEATED_PART } else { length }
                    })
                    .sum();
                let before = range.start.checked_sub(1).map_or("", |row| &*texts[row]);
                assert_eq!(column.counted_bytes(&range, before), expected, "{values} values, {range:?}");
            }
        }
    }

    #[test]
    fn eight_booleans_are_read_at_once() {
        let values: Vec<bool> = (0..61_u32).map(|row| row * row % 7 < 3).collect();
        let whole = BooleanArray::from(values.clone());
        let present: Vec<bool> = (0..61_u32).map(|row| row * row % 5 < 2).collect();
        let gaps: BooleanArray = present.iter().map(|present| present.then_some(true)).collect();
        for from in [0, 3, 8, 13] {
            let column = BoolColumn(whole.slice(from, values.len() - from));
            let with_gaps = BoolColumn(gaps.slice(from, values.len() - from));
            for row in 0..values.len() - from - 7 {
                let eight = column.eight(row);
                assert!((0..8).all(|bit| (eight >> bit & 1 == 1) == values[from + row + bit]), "{from} {row}");
                let eight = with_gaps.eight_present(row);
                assert!((0..8).all(|bit| (eight >> bit & 1 == 1) == present[from + row + bit]), "{from} {row}");
                assert_eq!(column.eight_present(row), u8::MAX);
            }
            // Past the end there is nothing to panic about.
            let _ = (column.eight(values.len() - from - 1), with_gaps.eight_present(values.len() - from - 1));
        }
    }
}
