//! Booleans: a bit a value.

use crate::{body::PageBody, bounds::Bounds, chunk::EncodedColumn, page::ColumnWriter, thrift::encoding};
use parquet::basic::BoundaryOrder;
use std::ops::Range;
use stocktake_codec::Layout;
use stocktake_core::{BoolColumn, Column, Field, RowChunk};

/// Writes the booleans of a field.
pub(crate) fn put_booleans(
    rows: &RowChunk,
    field: Field,
    page_rows: usize,
    mut writer: ColumnWriter<'_>,
    body: &mut PageBody,
) -> EncodedColumn {
    let mut chunk = Bounds::default();
    let mut page = Page { body, bounds: Bounds::default(), pending: 0, filled: 0 };
    for segment in rows.segments() {
        let column = match segment.column(field) {
            Some(Column::Bool(column)) => Some(column),
            _ => None,
        };
        let mut row = 0;
        while row < segment.len() {
            let end = segment.len().min(row + page_rows - page.body.levels.rows());
            match column {
                None => page.body.levels.push_all(false, end - row),
                Some(column) if column.absent() == 0 => page.push_all(column, row..end),
                Some(column) => page.push_present(column, row..end),
            }
            row = end;
            if page.body.levels.rows() == page_rows {
                page.end(&mut writer, &mut chunk);
            }
        }
    }
    page.end(&mut writer, &mut chunk);
    writer.finish(plain_bounds(chunk), BoundaryOrder::UNORDERED, None)
}

struct Page<'a> {
    body: &'a mut PageBody,
    bounds: Bounds<bool>,
    pending: u8,
    filled: u32,
}

impl Page<'_> {
    /// Adds rows of which some have no value.
    fn push_present(&mut self, column: &BoolColumn, rows: Range<usize>) {
        let [mut any_true, mut any_false] = [0, 0];
        for row in rows.clone().step_by(8) {
            let count = (rows.end - row).min(8);
            let (values, present) = (column.eight(row), column.eight_present(row) & 0xff >> (8 - count));
            self.body.levels.push_bits(present, count);
            any_true |= values & present;
            any_false |= !values & present;
            // Values of absent rows are written over by the next.
            let (mut bits, mut filled) = (u16::from(self.pending), self.filled);
            for bit in 0..count {
                bits = bits & !(1 << filled) | u16::from(values >> bit & 1) << filled;
                filled += u32::from(present >> bit & 1);
            }
            let [low, high] = (bits & !(u16::MAX << filled)).to_le_bytes();
            self.pending = low;
            self.filled = filled;
            if filled >= 8 {
                self.body.put(&[low]);
                (self.pending, self.filled) = (high, filled - 8);
            }
        }
        if any_true | any_false != 0 {
            self.bounds.add_range(any_false == 0, any_true != 0);
        }
    }

    /// Adds rows that all have a value.
    fn push_all(&mut self, column: &BoolColumn, rows: Range<usize>) {
        self.body.levels.push_all(true, rows.len());
        let (mut any, mut all) = (0, 0xff);
        let mut row = rows.start;
        while row + 8 <= rows.end {
            let eight = column.eight(row);
            any |= eight;
            all &= eight;
            let [low, high] = (u16::from(eight) << self.filled).to_le_bytes();
            self.body.put(&[self.pending | low]);
            self.pending = high;
            row += 8;
        }
        for value in (row..rows.end).map(|row| column.value(row).unwrap_or(false)) {
            any |= u8::from(value);
            all &= 0_u8.wrapping_sub(u8::from(value));
            self.push_bit(value);
        }
        if !rows.is_empty() {
            self.bounds.add_range(all == 0xff, any != 0);
        }
    }

    #[inline]
    fn push_bit(&mut self, value: bool) {
        self.pending |= u8::from(value) << self.filled;
        self.filled += 1;
        if self.filled == 8 {
            self.body.put(&[self.pending]);
            (self.pending, self.filled) = (0, 0);
        }
    }

    fn end(&mut self, writer: &mut ColumnWriter<'_>, chunk: &mut Bounds<bool>) {
        if self.body.levels.rows() == 0 {
            return;
        }
        if self.filled > 0 {
            self.body.put(&[self.pending]);
            (self.pending, self.filled) = (0, 0);
        }
        let bounds = std::mem::take(&mut self.bounds);
        chunk.merge(bounds);
        writer.begin_data(self.body);
        writer.put_data(self.body, encoding::PLAIN, Layout::Unknown, plain_bounds(bounds));
    }
}

fn plain_bounds(bounds: Bounds<bool>) -> Option<(Vec<u8>, Vec<u8>)> {
    bounds.get().map(|(min, max)| (vec![u8::from(min)], vec![u8::from(max)]))
}
