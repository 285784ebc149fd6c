//! Texts with as many values as rows: keys, version ids, ETags.

use super::TEXT_ROWS;
use crate::{
    body::PageBody,
    bounds::{Bounds, index_bounds, text_bounds},
    chunk::EncodedColumn,
    delta::{put_packed, shared_front},
    page::ColumnWriter,
    thrift::encoding,
};
use parquet::{basic::BoundaryOrder, bloom_filter::Sbbf};
use std::ops::Range;
use stocktake_codec::Layout;
use stocktake_core::{Column, Field, RowChunk, TextColumn};

/// What is known of the texts of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextKind {
    /// They ascend: the keys of a sorted report.
    Ascending,
    /// They repeat much of the text before, in whatever order: the keys of an unsorted report.
    Alike,
    /// They repeat nothing: ETags, version ids.
    Random,
}

/// Buffers that are used again.
#[derive(Debug, Default)]
pub(crate) struct TextScratch {
    starts: Vec<u32>,
    lengths: Vec<i64>,
}

/// Where the texts of a page lie, whichever arrays carry them.
struct Page<'a> {
    body: &'a mut PageBody,
    scratch: &'a mut TextScratch,
    encoding: i32,
    bytes_max: usize,
}

/// A field of texts, and how its pages are made.
#[derive(Debug)]
pub(crate) struct TextField {
    pub(crate) field: Field,
    pub(crate) kind: TextKind,
    pub(crate) encoding: i32,
    pub(crate) page_bytes: usize,
    pub(crate) bloom_filter: Option<Sbbf>,
}

/// Writes the texts of a field.
pub(crate) fn put_texts(
    rows: &RowChunk,
    text: TextField,
    mut writer: ColumnWriter<'_>,
    body: &mut PageBody,
    scratch: &mut TextScratch,
) -> EncodedColumn {
    let TextField { field, kind, encoding, page_bytes, mut bloom_filter } = text;
    if kind == TextKind::Random {
        writer = writer.without_column_index();
    }
    let mut state = State {
        page: Page { body, scratch, encoding, bytes_max: page_bytes },
        kind,
        chunk: TextBounds::default(),
        of_page: TextBounds::default(),
        before: &[],
        filled: 0,
    };
    state.page.begin();
    for segment in rows.segments() {
        match segment.column(field) {
            Some(Column::Text(column)) => state.put_column(column, &mut writer, bloom_filter.as_mut()),
            _ => state.put_absent(segment.len(), &mut writer),
        }
    }
    state.end_page(&mut writer);
    let bounds = text_bounds(state.chunk.get());
    let order = if kind == TextKind::Ascending { BoundaryOrder::ASCENDING } else { BoundaryOrder::UNORDERED };
    writer.finish(bounds, order, bloom_filter)
}

struct State<'a, 'r> {
    page: Page<'a>,
    kind: TextKind,
    chunk: TextBounds<'r>,
    of_page: TextBounds<'r>,
    /// The last text of the page before, in the chunk.
    before: &'r [u8],
    /// Rows of the page that have a text and no level yet.
    filled: usize,
}

impl<'r> State<'_, 'r> {
    fn put_column(
        &mut self,
        column: &'r TextColumn,
        writer: &mut ColumnWriter<'_>,
        mut bloom_filter: Option<&mut Sbbf>,
    ) {
        let mut row = 0;
        while row < column.len() {
            let rows = (TEXT_ROWS - self.page.body.levels.rows() - self.filled).min(column.len() - row);
            let texts = match column.as_offsets() {
                Some((offsets, bytes)) => self.page.put(&offsets[row..=row + rows], bytes),
                None => self.page.put_one(column.value(row).as_bytes()),
            };
            let range = row..row + texts;
            row = range.end;
            if texts > 0 {
                self.filled += texts;
                self.add_bounds(column, range.clone());
                if let Some(filter) = &mut bloom_filter {
                    range.for_each(|row| filter.insert(column.value(row).as_bytes()));
                }
            } else {
                // A report knows no empty text that is not absent.
                self.put_levels();
                self.page.body.levels.push(false);
                row += 1;
            }
            if self.page.is_full(self.filled) {
                self.end_page(writer);
            }
        }
    }

    /// Adds texts to the bounds of the page.
    #[inline]
    fn add_bounds(&mut self, column: &'r TextColumn, rows: Range<usize>) {
        match self.kind {
            // The first and the last are the least and the greatest.
            TextKind::Ascending => {
                self.of_page.texts.append(column.value(rows.start).as_bytes());
                self.of_page.texts.append(column.value(rows.end - 1).as_bytes());
            }
            _ => match column.as_offsets() {
                Some((offsets, bytes)) => {
                    for pair in offsets[rows.start..=rows.end].windows(2) {
                        let [from, to] = [pair[0], pair[1]].map(|offset| offset.cast_unsigned() as usize);
                        self.of_page.add(&bytes[from..to]);
                    }
                }
                None => rows.for_each(|row| self.of_page.add(column.value(row).as_bytes())),
            },
        }
    }

    fn put_levels(&mut self) {
        self.page.body.levels.push_all(true, std::mem::take(&mut self.filled));
    }

    fn put_absent(&mut self, rows: usize, writer: &mut ColumnWriter<'_>) {
        self.put_levels();
        let mut left = rows;
        while left > 0 {
            let here = left.min(TEXT_ROWS - self.page.body.levels.rows());
            self.page.body.levels.push_all(false, here);
            left -= here;
            if self.page.is_full(0) {
                self.end_page(writer);
            }
        }
    }

    fn end_page(&mut self, writer: &mut ColumnWriter<'_>) {
        self.put_levels();
        if self.page.body.levels.rows() == 0 {
            return;
        }
        let of_page = std::mem::take(&mut self.of_page);
        let bounds = match (of_page.get(), self.kind) {
            // Bounds of random texts are not indexed.
            (None, _) | (_, TextKind::Random) => None,
            (Some(bounds), TextKind::Alike) => Some(index_bounds(bounds)),
            (Some((first, last)), TextKind::Ascending) => {
                let least = separator(self.before, first);
                if least.len() < self.before.len() {
                    // Above all of the page before and not above this one's: as good a bound of that one, and shorter.
                    writer.shorten_last(least);
                }
                self.before = last;
                Some(index_bounds((least, last)))
            }
        };
        self.chunk.merge(of_page);
        self.page.write(self.kind, writer, bounds);
        self.page.begin();
    }
}

impl Page<'_> {
    fn begin(&mut self) {
        self.scratch.starts.clear();
        self.scratch.lengths.clear();
    }

    /// Whether the page ends here; `filled` rows of it have no level yet.
    fn is_full(&self, filled: usize) -> bool {
        self.body.value_bytes() >= self.bytes_max || self.body.levels.rows() + filled >= TEXT_ROWS
    }

    /// Puts the texts between offsets into the page, up to one that fills it or is empty; returns how many they were.
    fn put(&mut self, offsets: &[i32], texts: &[u8]) -> usize {
        // A text has at most 64 KiB, and so has what stands before it in the page.
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let TextScratch { starts, lengths } = &mut *self.scratch;
        match self.encoding {
            encoding::DELTA_LENGTH_BYTE_ARRAY => {
                let put = |_, length| lengths.push(i64::from(number(length)));
                self.body.put_texts::<0>(offsets, texts, self.bytes_max, put)
            }
            _ => self.body.put_texts::<4>(offsets, texts, self.bytes_max, |start, _| starts.push(number(start))),
        }
    }

    /// Puts a text into the page, unless it is empty; returns how many they were.
    fn put_one(&mut self, text: &[u8]) -> usize {
        self.put(&[0, i32::try_from(text.len()).unwrap_or(i32::MAX)], text)
    }

    fn write(&mut self, kind: TextKind, writer: &mut ColumnWriter<'_>, bounds: Option<(Vec<u8>, Vec<u8>)>) {
        let scratch = &mut *self.scratch;
        match self.encoding {
            encoding::DELTA_LENGTH_BYTE_ARRAY => {
                let text_bytes = self.body.value_bytes();
                self.body.prepend(|out| put_packed(out, &scratch.lengths, 32));
                let head = self.body.value_bytes() - text_bytes + writer.begin_data(self.body);
                let starts = [u32::try_from(head).unwrap_or(u32::MAX)];
                let layout = match kind {
                    TextKind::Random => Layout::Random { starts: &starts, length_bytes: 0 },
                    _ => Layout::Unknown,
                };
                writer.put_data(self.body, self.encoding, layout, bounds);
            }
            _ => {
                let head = u32::try_from(writer.begin_data(self.body)).unwrap_or(u32::MAX);
                let starts = &mut scratch.starts;
                starts.iter_mut().for_each(|start| *start += head);
                let layout = match kind {
                    TextKind::Random => Layout::Random { starts, length_bytes: 4 },
                    _ => Layout::Sorted { starts, length_bytes: 4 },
                };
                writer.put_data(self.body, self.encoding, layout, bounds);
            }
        }
    }
}

/// The shortest front of a page's first text that is still above all of the page before: as good a bound as the whole text.
fn separator<'t>(before: &[u8], first: &'t [u8]) -> &'t [u8] {
    let mut end = (shared_front(before, first) + 1).min(first.len());
    while first.get(end).is_some_and(|byte| byte & 0xc0 == 0x80) {
        end += 1;
    }
    if before < &first[..end] { &first[..end] } else { first }
}

/// Least and greatest of texts, compared by their first eight bytes as long as that decides.
#[derive(Clone, Copy, Debug)]
struct TextBounds<'r> {
    texts: Bounds<&'r [u8]>,
    least_front: u64,
    greatest_front: u64,
}

impl Default for TextBounds<'_> {
    fn default() -> Self {
        // The first text is below one and above the other.
        Self { texts: Bounds::default(), least_front: u64::MAX, greatest_front: 0 }
    }
}

impl<'r> TextBounds<'r> {
    #[inline]
    fn add(&mut self, text: &'r [u8]) {
        let front = text.first_chunk().map_or_else(
            || {
                let mut front = [0; 8];
                front[..text.len()].copy_from_slice(text);
                u64::from_be_bytes(front)
            },
            |front| u64::from_be_bytes(*front),
        );
        if front <= self.least_front || front >= self.greatest_front {
            self.add_slowly(text, front);
        }
    }

    #[inline(never)]
    fn add_slowly(&mut self, text: &'r [u8], front: u64) {
        self.texts.add(text);
        self.least_front = self.least_front.min(front);
        self.greatest_front = self.greatest_front.max(front);
    }

    fn merge(&mut self, other: Self) {
        self.texts.merge(other.texts);
    }

    fn get(&self) -> Option<(&'r [u8], &'r [u8])> {
        self.texts.get()
    }
}
