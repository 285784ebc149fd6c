//! Which rows of a column have a value, as bits of the whole stripe.

use crate::{
    dictionary::{NO_RANK, NullCodes, RankedSlice, Ranks},
    rle::bits::Bitmap,
    slice::{Codes, ColumnSlice, Nulls, Texts, Values},
    stream::Offset,
};
use std::ops::Range;

/// Slices of a column, of either kind.
pub(crate) trait Slice {
    fn rows(&self) -> usize;

    /// Whether a row may be null, found without looking at rows.
    fn may_be_null(&self) -> bool;

    /// Appends a bit a row: whether it has a value.
    fn push_present(&self, into: &mut Bitmap);
}

/// Finds the rows that have a value; returns the number of nulls. Without any, the bits are left out.
pub(crate) fn find<S: Slice>(slices: &[S], into: &mut Bitmap) -> usize {
    into.clear();
    if !slices.iter().any(Slice::may_be_null) {
        return 0;
    }
    slices.iter().for_each(|slice| slice.push_present(into));
    into.len() - into.count(0..into.len())
}

/// Calls `visit` for each run of rows of a range that have values, within one slice: the slice, the rows in it, and the
/// number of the first in the stripe.
pub(crate) fn for_each_run<S: Slice, E>(
    slices: &[S],
    present: Option<&Bitmap>,
    range: Range<usize>,
    mut visit: impl FnMut(&S, Range<usize>, usize) -> Result<(), E>,
) -> Result<(), E> {
    let mut start = 0;
    for slice in slices {
        let end = start + slice.rows();
        let part = range.start.max(start)..range.end.min(end);
        if part.start < part.end {
            match present {
                None => visit(slice, part.start - start..part.end - start, part.start)?,
                Some(present) => {
                    for run in present.runs(part) {
                        visit(slice, run.start - start..run.end - start, run.start)?;
                    }
                }
            }
        }
        if end >= range.end {
            break;
        }
        start = end;
    }
    Ok(())
}

impl Slice for ColumnSlice<'_> {
    fn rows(&self) -> usize {
        self.rows
    }

    fn may_be_null(&self) -> bool {
        !matches!(self.nulls, Nulls::None) && self.rows > 0
    }

    fn push_present(&self, into: &mut Bitmap) {
        match (self.nulls, &self.values) {
            (Nulls::None, _) => into.push_run(true, self.rows),
            (Nulls::All, _) => into.push_run(false, self.rows),
            (Nulls::Mask(mask), _) => into.push_buffer(mask.inner()),
            (Nulls::Empty, Values::Texts(texts) | Values::Binaries(texts)) => push_filled(texts, self.rows, into),
            (Nulls::Empty, _) => into.push_run(true, self.rows),
        }
    }
}

fn push_filled(texts: &Texts<'_>, rows: usize, into: &mut Bitmap) {
    fn differing<O: Offset>(offsets: &[O], into: &mut Bitmap) {
        into.push_all(offsets.windows(2).map(|pair| pair[0].at() != pair[1].at()));
    }
    match texts {
        Texts::Offsets(offsets, _) => differing(offsets, into),
        Texts::LargeOffsets(offsets, _) => differing(offsets, into),
        texts => into.push_all((0..rows).map(|row| texts.length(row) > 0)),
    }
}

impl Slice for RankedSlice<'_> {
    fn rows(&self) -> usize {
        self.rows
    }

    fn may_be_null(&self) -> bool {
        let may = match (self.ranks, self.nulls) {
            (Ranks::Nulls, _) | (_, NullCodes::Zero) => true,
            (Ranks::Codes(_, ranks), NullCodes::NoRank(mask)) => mask.is_some() || ranks.contains(&NO_RANK),
            _ => false,
        };
        may && self.rows > 0
    }

    fn push_present(&self, into: &mut Bitmap) {
        match (self.ranks, self.nulls) {
            (Ranks::Nulls, _) => into.push_run(false, self.rows),
            (Ranks::Constant(_), _) | (_, NullCodes::None) => into.push_run(true, self.rows),
            (Ranks::Codes(Codes::U16(codes), _), NullCodes::Zero) => into.push_each(codes, |code| *code != 0),
            (Ranks::Codes(Codes::U32(codes), _), NullCodes::Zero) => into.push_each(codes, |code| *code != 0),
            (Ranks::Codes(Codes::I32(codes), _), NullCodes::Zero) => into.push_each(codes, |code| *code != 0),
            (Ranks::Codes(codes, ranks), NullCodes::NoRank(mask)) => into.push_all((0..self.rows).map(|row| {
                let code = match codes {
                    Codes::U16(codes) => Some(usize::from(codes[row])),
                    Codes::U32(codes) => Some(codes[row] as usize),
                    Codes::I32(codes) => usize::try_from(codes[row]).ok(),
                };
                let rank = code.and_then(|code| ranks.get(code));
                mask.is_none_or(|mask| mask.is_valid(row)) && rank.is_some_and(|rank| *rank != NO_RANK)
            })),
        }
    }
}
