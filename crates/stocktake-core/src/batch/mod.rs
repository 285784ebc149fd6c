//! Batches of objects in columns: what a source yields and what chunks are cut from.
//!
//! Columns live in Arrow arrays, which no public signature outside [`crate::arrow`] names. A batch is immutable and
//! cheap to slice. It does not know the report: bucket, prefix and versions are enforced by the engine.

mod builder;
mod column;
mod intern;

pub(crate) use builder::check_int;
pub use builder::{BATCH_ROWS_MAX, ObjectBatchBuilder, RowBuilder, RowError, TEXT_BYTES_MAX};
pub(crate) use column::Texts;
pub use column::{BoolColumn, CodeColumn, Column, IntColumn, TextColumn};
pub(crate) use intern::Interner;
pub use intern::{CODE_BYTES_MAX, CodeValues};

use crate::{
    field::{Field, FieldType},
    field_set::FieldSet,
};
use arrow_array::BooleanArray;
use std::ops::Range;

/// Rows of object metadata in key order, by column.
///
/// Every batch has keys. A field without a column is absent in every row. Cloning and slicing share the columns.
#[derive(Clone, Debug)]
pub struct ObjectBatch {
    pub(crate) rows: usize,
    pub(crate) columns: [Option<Column>; Field::COUNT],
    pub(crate) origin: Option<RowOrigin>,
}

/// Where the rows of a batch stood in the source, for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowOrigin {
    /// What is counted: `line` or `row`.
    pub unit: &'static str,
    /// Number of the first row's line, from 1.
    pub first: u64,
    /// Rows (by position in the batch, ascending) before which lines were skipped, with the number of lines skipped in
    /// all up to there. Empty when each line is a row.
    pub skipped: Vec<(usize, u64)>,
}

impl RowOrigin {
    /// Number of a row's line.
    pub fn number(&self, row: usize) -> u64 {
        // Looked up by halves: a filter asks for every row, and every row may have a line skipped before it.
        let entries = self.skipped.partition_point(|(at, _)| *at <= row);
        let skipped = self.skipped[..entries].last().map_or(0, |(_, lines)| *lines);
        self.first + row as u64 + skipped
    }

    fn slice(&self, range: &Range<usize>) -> Self {
        let first = self.number(range.start);
        let before = first - self.first - range.start as u64;
        let inside = self.skipped.iter().filter(|(at, _)| range.start < *at && *at < range.end);
        Self { unit: self.unit, first, skipped: inside.map(|(at, lines)| (at - range.start, lines - before)).collect() }
    }
}

impl ObjectBatch {
    /// A batch without rows.
    pub fn empty() -> Self {
        ObjectBatchBuilder::new(FieldSet::EMPTY).finish()
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether the batch has no row.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The keys.
    pub fn keys(&self) -> &TextColumn {
        match &self.columns[Field::Key.index()] {
            Some(Column::Text(keys)) => keys,
            _ => unreachable!("every constructor sets the key column"),
        }
    }

    /// The key of a row.
    ///
    /// # Panics
    /// If `row` is out of range.
    pub fn key(&self, row: usize) -> &str {
        self.keys().value(row)
    }

    /// The column of a field; `None` if the field is absent in every row.
    pub fn column(&self, field: Field) -> Option<&Column> {
        self.columns[field.index()].as_ref()
    }

    /// Fields that have a column.
    pub fn fields(&self) -> FieldSet {
        Field::all().filter(|field| self.columns[field.index()].is_some()).collect()
    }

    /// Where the rows stood in the source, if the source said so.
    pub fn origin(&self) -> Option<&RowOrigin> {
        self.origin.as_ref()
    }

    /// States where the rows stood in the source.
    #[must_use]
    pub fn with_origin(mut self, origin: RowOrigin) -> Self {
        self.origin = Some(origin);
        self
    }

    /// The rows of a range, sharing the columns.
    ///
    /// # Panics
    /// If the range is out of bounds.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Self {
        assert!(range.start <= range.end && range.end <= self.rows, "a range within the batch");
        Self {
            rows: range.len(),
            columns: self.columns.each_ref().map(|column| column.as_ref().map(|column| column.slice(&range))),
            origin: self.origin.as_ref().map(|origin| origin.slice(&range)),
        }
    }

    /// The rows for which `keep` is true; copies them if any is left out.
    ///
    /// # Panics
    /// If `keep` has another length than the batch.
    #[must_use]
    pub fn filter(&self, keep: &[bool]) -> Self {
        assert_eq!(keep.len(), self.rows, "a choice for every row");
        let kept = keep.iter().filter(|keep| **keep).count();
        if kept == self.rows {
            return self.clone();
        }
        let mask = BooleanArray::from(keep.to_vec());
        let origin = self.origin.as_ref().map(|origin| {
            let mut filtered = RowOrigin { unit: origin.unit, first: origin.first, skipped: Vec::new() };
            let (mut row, mut skipped) = (0, 0);
            for (at, _) in keep.iter().enumerate().filter(|(_, keep)| **keep) {
                let lines = origin.number(at) - origin.first - row as u64;
                if lines != skipped {
                    filtered.skipped.push((row, lines));
                    skipped = lines;
                }
                row += 1;
            }
            filtered
        });
        let columns = self.columns.each_ref().map(|column| column.as_ref().map(|column| column.filter(&mask)));
        Self { rows: kept, columns, origin }
    }

    /// The batch with only the columns of `fields`, and the keys.
    #[must_use]
    pub fn project(mut self, fields: FieldSet) -> Self {
        for field in Field::all().filter(|field| !fields.contains(*field) && *field != Field::Key) {
            self.columns[field.index()] = None;
        }
        self
    }

    /// The batch with the same boolean in every row of a field.
    ///
    /// # Panics
    /// If the field is not boolean.
    #[must_use]
    pub fn with_constant_bool(mut self, field: Field, value: bool) -> Self {
        assert_eq!(field.field_type(), FieldType::Boolean);
        self.columns[field.index()] = Some(Column::Bool(BoolColumn::constant(value, self.rows)));
        self
    }

    /// Raw size in bytes of a range of rows over `fields`, the measure by which chunks are cut.
    ///
    /// A row counts the bytes of its texts, 8 for each number, 1 for each boolean, and for each few-valued field 2 and
    /// the length of its value where it differs from the row before; a value that repeats counts a thirty-second of its
    /// length, or all of it beyond 1,024 bytes, because it is written out again. The size of a row depends on its values and those of
    /// the row before alone, never on the arrays that carry them; `before` is the row before the range's first, in this
    /// batch or the one before it.
    pub fn raw_bytes(&self, fields: FieldSet, range: Range<usize>, before: Option<(&Self, usize)>) -> u64 {
        let rows = range.len() as u64;
        let mut total = 0;
        for field in fields.without(Field::Bucket).iter() {
            total += match (&self.columns[field.index()], field.field_type()) {
                (Some(Column::Text(text)), _) => text.text_bytes(&range),
                (Some(Column::Code(codes)), _) => {
                    let previous = before.map_or("", |(batch, row)| batch.code_text(field, row));
                    2 * rows + codes.counted_bytes(&range, previous)
                }
                (_, FieldType::Code) => {
                    // An absent value has no length, whatever stood in the row before.
                    2 * rows
                }
                (_, FieldType::Boolean) => rows,
                (_, FieldType::Text) => 0,
                (_, FieldType::Int64 | FieldType::Int32 | FieldType::Timestamp) => 8 * rows,
            };
        }
        total
    }

    /// The few-valued values of a row, without absent ones: what the raw size of the row behind it depends on.
    ///
    /// # Panics
    /// If `row` is out of range.
    pub fn codes_of(&self, row: usize) -> impl Iterator<Item = (Field, &str)> {
        let code = move |field| match &self.columns[Field::index(field)] {
            Some(Column::Code(codes)) => Some((field, codes.value(row))),
            _ => None,
        };
        Field::all().filter_map(code).filter(|(_, text)| !text.is_empty())
    }

    fn code_text(&self, field: Field, row: usize) -> &str {
        match &self.columns[field.index()] {
            Some(Column::Code(codes)) => codes.value(row),
            _ => "",
        }
    }
}
