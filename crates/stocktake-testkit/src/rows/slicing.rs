//! How rows are spread over batches, which must never show in a report.

use super::Row;
use arbitrary::{Arbitrary, Unstructured};
use std::ops::Range;
use stocktake_core::{BATCH_ROWS_MAX, FieldSet, ObjectBatch, ObjectBatchBuilder, RowError};

/// Lengths of batches in rows, taken in turns; none is 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slicing(Vec<usize>);

impl Slicing {
    /// As few batches as possible.
    pub fn whole() -> Self {
        Self(vec![BATCH_ROWS_MAX])
    }

    /// Batches of these lengths, in turns. Lengths are kept within what a batch can hold.
    pub fn of(lengths: &[usize]) -> Self {
        let lengths: Vec<_> = lengths.iter().map(|length| (*length).clamp(1, BATCH_ROWS_MAX)).collect();
        if lengths.is_empty() { Self::whole() } else { Self(lengths) }
    }

    /// The ranges of batches of so many rows; none is empty.
    pub fn ranges(&self, rows: usize) -> impl Iterator<Item = Range<usize>> {
        let mut start = 0;
        self.0.iter().cycle().map_while(move |length| {
            let end = rows.min(start + length);
            let range = start..end;
            start = end;
            (!range.is_empty()).then_some(range)
        })
    }
}

impl<'a> Arbitrary<'a> for Slicing {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let count = u.int_in_range(0..=5)?;
        let lengths: arbitrary::Result<Vec<usize>> = (0..count).map(|_| u.int_in_range(1..=40)).collect();
        Ok(Self::of(&lengths?))
    }
}

/// Batches of rows, with the columns of `fields`, by one builder.
///
/// # Errors
/// If a report cannot hold a row.
pub fn to_batches(rows: &[Row], fields: FieldSet, slicing: &Slicing) -> Result<Vec<ObjectBatch>, RowError> {
    let mut builder = ObjectBatchBuilder::new(fields);
    let batch = |range: Range<usize>| {
        rows[range].iter().try_for_each(|row| row.push(&mut builder))?;
        Ok(builder.finish())
    };
    slicing.ranges(rows.len()).map(batch).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::{every_field, rows_of};

    #[test]
    fn batches_hold_the_rows_they_were_made_of() {
        let bytes: Vec<u8> = (0..4000u32).map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()[2]).collect();
        let rows = crate::rows::arbitrary_rows(&mut Unstructured::new(&bytes)).unwrap();
        assert!(rows.len() > 20, "{} rows", rows.len());
        for slicing in [Slicing::whole(), Slicing::of(&[1]), Slicing::of(&[3, 7])] {
            let batches = to_batches(&rows, every_field(), &slicing).unwrap();
            assert_eq!(batches.iter().flat_map(rows_of).collect::<Vec<_>>(), rows, "{slicing:?}");
        }
    }
}
