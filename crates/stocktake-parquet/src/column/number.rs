//! Counts and times: 64-bit integers, and the one field of 32 bits.

use crate::{
    body::PageBody, bounds::Bounds, chunk::EncodedColumn, delta::put_packed, page::ColumnWriter, thrift::encoding,
};
use parquet::basic::BoundaryOrder;
use std::ops::Range;
use stocktake_codec::Layout;
use stocktake_core::{Column, EncodeError, Field, FieldType, IntColumn, ObjectBatch, RowChunk};

/// Writes the numbers of a field.
///
/// # Errors
/// A number beyond the 32 bits of its field, with its key.
pub(crate) fn put_numbers(
    rows: &RowChunk,
    field: Field,
    (encoding, page_rows): (i32, usize),
    mut writer: ColumnWriter<'_>,
    body: &mut PageBody,
    numbers: &mut Vec<i64>,
) -> Result<EncodedColumn, EncodeError> {
    let width = if field.field_type() == FieldType::Int32 { 4 } else { 8 };
    numbers.clear();
    let mut state = State { body, numbers, encoding, width, chunk: Bounds::default() };
    for segment in rows.segments() {
        let column = match segment.column(field) {
            Some(Column::Int(column)) => Some(column),
            _ => None,
        };
        if let Some(column) = column
            && width == 4
        {
            check_width(segment, field, column)?;
        }
        let mut row = 0;
        while row < segment.len() {
            let end = segment.len().min(row + page_rows - state.body.levels.rows());
            match column {
                None => state.body.levels.push_all(false, end - row),
                Some(column) if column.absent() == 0 => {
                    state.body.levels.push_all(true, end - row);
                    state.numbers.extend_from_slice(&column.values()[row..end]);
                }
                Some(column) => state.push_present(column, row..end),
            }
            row = end;
            if state.body.levels.rows() == page_rows {
                state.end_page(&mut writer);
            }
        }
    }
    if state.body.levels.rows() > 0 {
        state.end_page(&mut writer);
    }
    let bounds = state.plain_bounds(state.chunk);
    Ok(writer.finish(bounds, BoundaryOrder::UNORDERED, None))
}

#[cold]
fn too_large(segment: &ObjectBatch, row: usize, field: Field, number: i64) -> EncodeError {
    EncodeError::new(Some(segment.key(row)), format!("{} cannot be {number}: it has 32 bits", field.csv_name()))
}

fn check_width(segment: &ObjectBatch, field: Field, column: &IntColumn) -> Result<(), EncodeError> {
    for row in 0..segment.len() {
        if let Some(number) = column.value(row).filter(|number| i32::try_from(*number).is_err()) {
            return Err(too_large(segment, row, field, number));
        }
    }
    Ok(())
}

struct State<'a> {
    body: &'a mut PageBody,
    /// Numbers of the page's rows that have one.
    numbers: &'a mut Vec<i64>,
    encoding: i32,
    width: usize,
    chunk: Bounds<i64>,
}

impl State<'_> {
    /// Adds rows of which some have no number.
    fn push_present(&mut self, column: &IntColumn, rows: Range<usize>) {
        let values = column.values();
        let mut filled = self.numbers.len();
        // Without a branch a row: what stands in an absent row is written over by the next.
        self.numbers.resize(filled + rows.len() + 1, 0);
        for row in rows.clone().step_by(8) {
            let eight = &values[row..rows.end.min(row + 8)];
            let present = column.eight_present(row);
            self.body.levels.push_bits(present, eight.len());
            for (bit, value) in eight.iter().enumerate() {
                self.numbers[filled] = *value;
                filled += usize::from(present >> bit & 1);
            }
        }
        self.numbers.truncate(filled);
    }

    fn end_page(&mut self, writer: &mut ColumnWriter<'_>) {
        let numbers = &*self.numbers;
        let mut bounds = Bounds::default();
        if let Some(first) = numbers.first() {
            let (min, max) = numbers.iter().fold((*first, *first), |(min, max), one| (min.min(*one), max.max(*one)));
            bounds.add_range(min, max);
        }
        self.chunk.merge(bounds);
        let width = self.width;
        if self.encoding == encoding::DELTA_BINARY_PACKED {
            self.body.put_with(|out| put_packed(out, numbers, if width == 4 { 32 } else { 64 }));
        } else if width == 4 {
            // Checked to have 32 bits.
            self.body
                .put_with(|out| numbers.iter().for_each(|number| out.extend_from_slice(&number.to_le_bytes()[..4])));
        } else {
            self.body.put_words(numbers);
        }
        let packed = self.encoding == encoding::DELTA_BINARY_PACKED;
        let head = writer.begin_data(self.body);
        let layout =
            if packed { Layout::Random { starts: &[], length_bytes: 0 } } else { Layout::Words { head, width } };
        writer.put_data(self.body, self.encoding, layout, self.plain_bounds(bounds));
        self.numbers.clear();
    }

    fn plain_bounds(&self, bounds: Bounds<i64>) -> Option<(Vec<u8>, Vec<u8>)> {
        let plain = |number: i64| number.to_le_bytes()[..self.width].to_vec();
        bounds.get().map(|(min, max)| (plain(min), plain(max)))
    }
}
