//! Few-valued texts: a sorted dictionary, and a rank in it for each row.
//!
//! Values that differ in every row take hardly more as a dictionary than as plain texts; but a dictionary is one page, which a
//! reader holds as a whole. One beyond [`DICTIONARY_BYTES_MAX`] or
//! [`DICTIONARY_VALUES_MAX`] is not written: its texts are plain.

use super::PageLimits;
use crate::{
    body::PageBody,
    bounds::{Bounds, index_bounds, text_bounds},
    chunk::EncodedColumn,
    hybrid::{put_hybrid, put_run, width_of},
    page::{ColumnWriter, PageBounds},
    thrift::encoding,
};
use parquet::basic::BoundaryOrder;
use stocktake_codec::Layout;
use stocktake_core::{ChunkDictionary, Field, RowChunk};

/// Most bytes of a dictionary in PLAIN encoding; other writers' limit, too.
const DICTIONARY_BYTES_MAX: usize = 1 << 20;

/// Most values of a dictionary: ranks have 16 bits.
const DICTIONARY_VALUES_MAX: usize = 1 << 16;

/// Writes a text that is the same in every row.
pub(crate) fn put_constant(
    rows: usize,
    text: &str,
    mut writer: ColumnWriter<'_>,
    body: &mut PageBody,
) -> EncodedColumn {
    let (_, encoding) = put_dictionary(&[text], &mut writer);
    let bounds = (text.as_bytes(), text.as_bytes());
    body.levels.push_all(true, rows);
    body.put_with(|out| {
        // A width of one bit, as every reader knows it; ranks are 0.
        out.push(1);
        put_run(out, rows, 0, 1);
    });
    writer.begin_data(body);
    writer.put_data(body, encoding, Layout::Random { starts: &[], length_bytes: 0 }, Some(index_bounds(bounds)));
    writer.finish(text_bounds(Some(bounds)), BoundaryOrder::ASCENDING, None)
}

/// Writes the few-valued texts of a field.
pub(crate) fn put_codes(
    rows: &RowChunk,
    field: Field,
    limits: PageLimits,
    mut writer: ColumnWriter<'_>,
    body: &mut PageBody,
    ranks: &mut Vec<u16>,
) -> EncodedColumn {
    let page_rows = limits.few_rows;
    let dictionary = ChunkDictionary::new(rows, field);
    let values = dictionary.values();
    let bytes = values.iter().map(|value| 4 + value.len()).sum::<usize>();
    if bytes > DICTIONARY_BYTES_MAX || values.len() > DICTIONARY_VALUES_MAX {
        return put_plain(rows, &dictionary, limits, writer, body);
    }
    let (width, encoding) = put_dictionary(values, &mut writer);
    ranks.clear();
    let mut state = State { body, ranks, values, width, encoding };
    if values.len() <= 1 && (values.is_empty() || dictionary.absent() == 0) {
        // One value, or none: one page for all rows, whatever their number.
        state.body.levels.push_all(!values.is_empty(), rows.len());
        state.end_page(&mut writer, if values.is_empty() { 0 } else { rows.len() });
    } else {
        for (segment, batch) in dictionary.segments().zip(rows.segments()) {
            let mut row = 0;
            while row < batch.len() {
                let end = batch.len().min(row + page_rows - state.body.levels.rows());
                match segment {
                    None => state.body.levels.push_all(false, end - row),
                    Some((codes, ranks_by_code)) => {
                        state.push(&codes[row..end], ranks_by_code, dictionary.absent() > 0)
                    }
                }
                row = end;
                if state.body.levels.rows() == page_rows {
                    state.end_page(&mut writer, 0);
                }
            }
        }
        if state.body.levels.rows() > 0 {
            state.end_page(&mut writer, 0);
        }
    }
    writer.finish(bounds_of(values), BoundaryOrder::UNORDERED, None)
}

/// Bounds of a column chunk with these ascending values.
fn bounds_of(values: &[&str]) -> PageBounds {
    text_bounds(values.first().zip(values.last()).map(|(min, max)| (min.as_bytes(), max.as_bytes())))
}

/// Writes the texts themselves.
fn put_plain(
    rows: &RowChunk,
    dictionary: &ChunkDictionary<'_>,
    limits: PageLimits,
    mut writer: ColumnWriter<'_>,
    body: &mut PageBody,
) -> EncodedColumn {
    let values = dictionary.values();
    let text = |rank: u32| values.get(rank as usize).map_or(&[][..], |text| text.as_bytes());
    let mut ranks = Bounds::default();
    let mut end_page = |body: &mut PageBody, ranks: &mut Bounds<u32>| {
        if body.levels.rows() > 0 {
            let bounds = std::mem::take(ranks).get().map(|(min, max)| index_bounds((text(min), text(max))));
            writer.begin_data(body);
            writer.put_data(body, encoding::PLAIN, Layout::Unknown, bounds);
        }
    };
    for (segment, batch) in dictionary.segments().zip(rows.segments()) {
        for row in 0..batch.len() {
            let rank = segment.and_then(|(codes, ranks)| ranks.get(usize::from(codes[row])).copied());
            let rank = rank.filter(|rank| *rank != u32::MAX);
            body.levels.push(rank.is_some());
            if let Some(rank) = rank {
                ranks.add(rank);
                body.put_plain(text(rank));
            }
            if body.value_bytes() >= limits.alike_bytes || body.levels.rows() >= limits.few_rows {
                end_page(body, &mut ranks);
            }
        }
    }
    end_page(body, &mut ranks);
    writer.finish(bounds_of(values), BoundaryOrder::UNORDERED, None)
}

/// Writes the dictionary; returns the width of ranks in bits and their encoding.
fn put_dictionary(values: &[&str], writer: &mut ColumnWriter<'_>) -> (u32, i32) {
    let mut plain = Vec::with_capacity(values.iter().map(|value| 4 + value.len()).sum());
    for value in values {
        plain.extend_from_slice(&u32::try_from(value.len()).unwrap_or(u32::MAX).to_le_bytes());
        plain.extend_from_slice(value.as_bytes());
    }
    let (_, encoding) = writer.dictionary_encodings();
    writer.put_dictionary(&plain, values.len());
    let greatest = u16::try_from(values.len().saturating_sub(1)).unwrap_or(u16::MAX);
    (width_of(greatest).max(1), encoding)
}

struct State<'a, 'v> {
    body: &'a mut PageBody,
    /// Ranks of the page's rows that have a value.
    ranks: &'a mut Vec<u16>,
    values: &'a [&'v str],
    width: u32,
    encoding: i32,
}

impl State<'_, '_> {
    fn push(&mut self, codes: &[u16], ranks_by_code: &[u32], some_absent: bool) {
        if some_absent {
            self.body.levels.push_codes(codes);
        } else {
            self.body.levels.push_all(true, codes.len());
        }
        let rank = |code: u16| {
            let rank = ranks_by_code.get(usize::from(code)).copied().unwrap_or(u32::MAX);
            u16::try_from(rank).unwrap_or(u16::MAX)
        };
        // Most fields have few codes, so that the code itself can be the place in a table.
        let table: [u16; 256] = std::array::from_fn(|code| rank(u16::try_from(code).unwrap_or(0)));
        let short = ranks_by_code.len() <= table.len();
        let start = self.ranks.len();
        self.ranks.resize(start + codes.len(), 0);
        let ranks = &mut self.ranks[start..];
        if !some_absent && short {
            ranks.iter_mut().zip(codes).for_each(|(to, code)| *to = table[usize::from(*code & 0xff)]);
            return;
        }
        let mut present = 0;
        for code in codes {
            // Without a branch: the rank of an absent value is written over by the next one.
            if let Some(to) = ranks.get_mut(present) {
                *to = if short { table[usize::from(*code & 0xff)] } else { rank(*code) };
            }
            present += usize::from(*code != 0);
        }
        self.ranks.truncate(start + present);
    }

    /// Ends a page of ranks, or of a run of so many times the only value.
    fn end_page(&mut self, writer: &mut ColumnWriter<'_>, run: usize) {
        let mut bounds = Bounds::default();
        if run > 0 {
            bounds.add(0);
        }
        if !self.ranks.is_empty() {
            // By value, eight or more at a time.
            let (min, max) = self.ranks.iter().fold((u16::MAX, 0), |(min, max), rank| (min.min(*rank), max.max(*rank)));
            bounds.add_range(min, max);
        }
        let (ranks, width) = (&*self.ranks, self.width);
        self.body.put_with(|out| {
            out.push(u8::try_from(width).unwrap_or(32));
            if run > 0 { put_run(out, run, 0, width) } else { put_hybrid(out, ranks, width) }
        });
        let text = |rank: u16| self.values[usize::from(rank)].as_bytes();
        let bounds = bounds.get().map(|(min, max)| index_bounds((text(min), text(max))));
        writer.begin_data(self.body);
        writer.put_data(self.body, self.encoding, Layout::Unknown, bounds);
        self.ranks.clear();
    }
}
