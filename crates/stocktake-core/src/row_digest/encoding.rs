//! The canonical encoding of rows, written column by column for some rows at a time.
//!
//! Each row has a slot as wide as the widest row of its batch can be. What kind of column it is then is asked once for all
//! rows of a block, and short texts are copied in pieces of a fixed length, of which the end is overwritten by what follows.

use crate::{
    batch::{BoolColumn, CodeColumn, CodeValues, Column, IntColumn, ObjectBatch},
    field::Field,
    field_set::FieldSet,
};
use std::ops::Range;

/// How some reports spell the null version.
const NULL_VERSION: &str = "null";

/// Rows that are encoded together: their slots stay in the nearest cache.
const BLOCK_ROWS: usize = 64;

/// Bytes of all slots together, unless a single row is wider.
const BLOCK_BYTES: usize = 32 << 10;

/// Bytes before a text: its field's number and its length.
const PREFIX_BYTES: usize = 5;

/// Texts up to this length are copied by one copy of this length. Keys and ETags mostly are as short.
const COPY_BYTES: usize = 64;

/// Bytes that are written for such a text, whatever its length.
const SHORT_BYTES: usize = PREFIX_BYTES + COPY_BYTES;

/// Bytes of a few-valued text that is kept encoded.
const ENTRY_BYTES: usize = 32;

/// Most values of a few-valued field that are encoded once a batch, ahead of its rows.
const ENTRIES_MAX: usize = 64;

/// Encoded rows of a block, one after another in slots of one width.
#[derive(Clone, Debug, Default)]
pub(super) struct Slots {
    bytes: Vec<u8>,
}

impl Slots {
    /// Hands the encoding of every row of a batch, over these fields, to `each`.
    ///
    /// Holds at most 32 KiB, or the widest row if that is more.
    #[inline(always)]
    pub(super) fn encode(&mut self, batch: &ObjectBatch, fields: FieldSet, mut each: impl FnMut(&[u8])) {
        let cells: Vec<Cells<'_>> =
            fields.iter().filter_map(|field| Some(Cells::of(field, batch.column(field)?))).collect();
        // What a copy of fixed length writes behind a row stays in the row's slot.
        let width = cells.iter().map(Cells::bytes_max).sum::<usize>() + COPY_BYTES;
        let block_rows = (BLOCK_BYTES / width).clamp(1, BLOCK_ROWS);
        if self.bytes.len() < block_rows * width {
            self.bytes.resize(block_rows * width, 0);
        }
        let mut ends = [0; BLOCK_ROWS];
        for first in (0..batch.len()).step_by(block_rows) {
            let rows = first..batch.len().min(first + block_rows);
            let ends = &mut ends[..rows.len()];
            ends.iter_mut().enumerate().for_each(|(slot, end)| *end = slot * width);
            let mut same = Same::default();
            for cells in &cells {
                match cells.same(rows.clone()) {
                    Some(entry) => {
                        if !same.has_room() {
                            same.put(&mut self.bytes, ends);
                        }
                        same.push(&entry);
                    }
                    None => {
                        same.put(&mut self.bytes, ends);
                        cells.put(rows.clone(), &mut self.bytes, ends);
                    }
                }
            }
            same.put(&mut self.bytes, ends);
            for (slot, end) in ends.iter().enumerate() {
                each(&self.bytes[slot * width..*end]);
            }
        }
        if width > BLOCK_BYTES {
            self.bytes = Vec::new();
        }
    }
}

/// A value in its encoding, and the length of that.
type Entry = ([u8; ENTRY_BYTES], usize);

/// What neighbouring fields say in every row of a block, written at once: most few-valued fields hardly ever change.
struct Same {
    bytes: [u8; 2 * COPY_BYTES],
    length: usize,
}

impl Default for Same {
    fn default() -> Self {
        Self { bytes: [0; 2 * COPY_BYTES], length: 0 }
    }
}

impl Same {
    fn has_room(&self) -> bool {
        self.length + ENTRY_BYTES <= self.bytes.len()
    }

    #[inline(always)]
    fn push(&mut self, (bytes, length): &Entry) {
        self.bytes[self.length..self.length + ENTRY_BYTES].copy_from_slice(bytes);
        self.length += length;
    }

    /// Writes it behind what the slots hold already, and begins anew.
    #[inline(always)]
    fn put(&mut self, slots: &mut [u8], ends: &mut [usize]) {
        let length = std::mem::take(&mut self.length);
        if length == 0 {
            return;
        }
        for end in ends {
            // What is written too much stays in the slot.
            slots[*end..*end + COPY_BYTES].copy_from_slice(&self.bytes[..COPY_BYTES]);
            if length > COPY_BYTES {
                slots[*end + COPY_BYTES..*end + 2 * COPY_BYTES].copy_from_slice(&self.bytes[COPY_BYTES..]);
            }
            *end += length;
        }
    }
}

/// The values of a field in a batch, as they are written most quickly.
enum Cells<'a> {
    /// Texts one after another, with their offsets.
    Offsets {
        number: u8,
        offsets: &'a [i32],
        texts: &'a [u8],
        null: &'a str,
    },
    /// Texts that lie elsewhere, by row.
    Texts {
        number: u8,
        text: Box<dyn Fn(usize) -> &'a str + 'a>,
        length_max: usize,
    },
    /// Few texts, encoded by code, with the lengths of their encodings.
    Entries {
        codes: &'a [u16],
        entries: Vec<Entry>,
    },
    Bool {
        number: u8,
        values: &'a BoolColumn,
    },
    Int {
        number: u8,
        values: &'a IntColumn,
    },
}

impl<'a> Cells<'a> {
    fn of(field: Field, column: &'a Column) -> Self {
        // There are at most 25 fields.
        let number = u8::try_from(field.index()).unwrap_or(u8::MAX);
        let null = if field == Field::VersionId { NULL_VERSION } else { "" };
        match column {
            Column::Text(column) => match column.as_offsets() {
                Some((offsets, texts)) => Self::Offsets { number, offsets, texts, null },
                None => {
                    let text = move |row| Some(column.value(row)).filter(|text| *text != null).unwrap_or_default();
                    let length_max = (0..column.len()).map(|row| column.value(row).len()).max().unwrap_or(0);
                    Self::Texts { number, text: Box::new(text), length_max }
                }
            },
            Column::Code(column) => Self::of_codes(number, column),
            Column::Bool(values) => Self::Bool { number, values },
            Column::Int(values) => Self::Int { number, values },
        }
    }

    fn of_codes(number: u8, column: &'a CodeColumn) -> Self {
        let values: &'a CodeValues = column.values();
        let codes = column.codes();
        // A table that is larger than the batch would cost more than its rows.
        let entries = values.texts().len() <= ENTRIES_MAX.min(codes.len());
        let entries = entries && values.texts().all(|text| PREFIX_BYTES + text.len() <= ENTRY_BYTES);
        if !entries {
            let text = move |row: usize| values.value(codes[row]);
            let length_max = (0..codes.len()).map(|row| text(row).len()).max().unwrap_or(0);
            return Self::Texts { number, text: Box::new(text), length_max };
        }
        let entry = |text: &str| {
            let mut entry = [0; ENTRY_BYTES];
            let length = if text.is_empty() { 0 } else { PREFIX_BYTES + text.len() };
            if length > 0 {
                entry[..PREFIX_BYTES].copy_from_slice(&prefix(number, text.len()));
                entry[PREFIX_BYTES..length].copy_from_slice(text.as_bytes());
            }
            (entry, length)
        };
        Self::Entries { codes, entries: values.texts().map(entry).collect() }
    }

    /// The most bytes that a row's value takes.
    fn bytes_max(&self) -> usize {
        match self {
            Self::Offsets { offsets, .. } => {
                let lengths = offsets.windows(2).map(|pair| pair[1].abs_diff(pair[0]) as usize);
                PREFIX_BYTES + lengths.max().unwrap_or(0)
            }
            Self::Texts { length_max, .. } => PREFIX_BYTES + length_max,
            Self::Entries { .. } => ENTRY_BYTES,
            Self::Bool { .. } => 2,
            Self::Int { .. } => 9,
        }
    }

    /// The value of some rows, of which there is one at least, if it is the same in all of them and short.
    #[inline(always)]
    fn same(&self, rows: Range<usize>) -> Option<Entry> {
        match self {
            Self::Entries { codes, entries } => {
                let codes = &codes[rows];
                let first = codes[0];
                let same = codes.iter().fold(true, |same, code| same & (*code == first));
                // Codes that were not given out are absent.
                same.then(|| entries.get(usize::from(first)).copied().unwrap_or(([0; ENTRY_BYTES], 0)))
            }
            Self::Bool { number, values } if values.absent() == 0 => {
                let count = rows.len();
                let set = values.0.values().slice(rows.start, count).count_set_bits();
                (set == 0 || set == count).then(|| {
                    let mut entry = [0; ENTRY_BYTES];
                    entry[..2].copy_from_slice(&[*number, u8::from(set > 0)]);
                    (entry, 2)
                })
            }
            _ => None,
        }
    }

    /// Writes the values of some rows behind what their slots hold already.
    #[inline(always)]
    fn put(&self, rows: Range<usize>, slots: &mut [u8], ends: &mut [usize]) {
        match self {
            Self::Offsets { number, offsets, texts, null } => {
                for (pair, end) in offsets[rows.start..=rows.end].windows(2).zip(ends) {
                    // Offsets ascend from 0.
                    let (from, to) = (pair[0] as usize, pair[1] as usize);
                    if to > from && (null.is_empty() || texts[from..to] != *null.as_bytes()) {
                        put_text(*number, texts, from..to, slots, end);
                    }
                }
            }
            Self::Texts { number, text, .. } => {
                for (row, end) in rows.zip(ends) {
                    let text = text(row).as_bytes();
                    if !text.is_empty() {
                        put_text(*number, text, 0..text.len(), slots, end);
                    }
                }
            }
            Self::Entries { codes, entries } => {
                for (code, end) in codes[rows].iter().zip(ends) {
                    // Codes that were not given out are absent.
                    if let Some((entry, length)) = entries.get(usize::from(*code)) {
                        slots[*end..*end + ENTRY_BYTES].copy_from_slice(entry);
                        *end += length;
                    }
                }
            }
            Self::Bool { number, values } if values.absent() == 0 => {
                let bits = values.0.values();
                for (row, end) in rows.zip(ends) {
                    slots[*end..*end + 2].copy_from_slice(&[*number, u8::from(bits.value(row))]);
                    *end += 2;
                }
            }
            Self::Bool { number, values } => {
                for (row, end) in rows.zip(ends) {
                    if let Some(value) = values.value(row) {
                        slots[*end..*end + 2].copy_from_slice(&[*number, u8::from(value)]);
                        *end += 2;
                    }
                }
            }
            Self::Int { number, values } if values.absent() == 0 => {
                for (value, end) in values.values()[rows].iter().zip(ends) {
                    put_int(*number, *value, slots, end);
                }
            }
            Self::Int { number, values } => {
                for (row, end) in rows.zip(ends) {
                    if let Some(value) = values.value(row) {
                        put_int(*number, value, slots, end);
                    }
                }
            }
        }
    }
}

/// The field's number and the length of a text. A value has at most 64 KiB.
#[inline(always)]
fn prefix(number: u8, length: usize) -> [u8; PREFIX_BYTES] {
    let [a, b, c, d] = u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
    [number, a, b, c, d]
}

/// Writes a text that is not empty: a range of some bytes.
#[inline(always)]
fn put_text(number: u8, bytes: &[u8], text: Range<usize>, slots: &mut [u8], end: &mut usize) {
    let (at, length) = (*end, text.len());
    *end = at + PREFIX_BYTES + length;
    let piece = bytes.get(text.start..).and_then(<[u8]>::first_chunk::<COPY_BYTES>);
    let slot = slots.get_mut(at..).and_then(<[u8]>::first_chunk_mut::<SHORT_BYTES>);
    match (piece, slot) {
        (Some(piece), Some(slot)) if length <= COPY_BYTES => {
            // One write for the prefix, of which the text takes the last three bytes again.
            slot[..8].copy_from_slice(&((length as u64) << 8 | u64::from(number)).to_le_bytes());
            slot[PREFIX_BYTES..].copy_from_slice(piece);
        }
        _ => {
            slots[at..at + PREFIX_BYTES].copy_from_slice(&prefix(number, length));
            slots[at + PREFIX_BYTES..*end].copy_from_slice(&bytes[text]);
        }
    }
}

#[inline(always)]
fn put_int(number: u8, value: i64, slots: &mut [u8], end: &mut usize) {
    let slot = &mut slots[*end..*end + 9];
    slot[0] = number;
    slot[1..].copy_from_slice(&value.to_le_bytes());
    *end += 9;
}
