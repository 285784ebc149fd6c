//! Finds records in text: quickly where every field is quoted as S3 quotes it or not at all, else by the `csv` crate.

use memchr::{memchr, memchr3};
use std::ops::Range;

/// What stands at a place of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Record {
    /// A record that ends before this place.
    Row { end: usize },
    /// An empty line that ends before this place.
    Empty { end: usize },
    /// No record as far as the text is there; none at all if that is its end.
    Incomplete,
}

/// Finds one record after another.
#[derive(Debug, Default)]
pub(super) struct Records {
    /// Fields of the record that was found last, in the text.
    fields: Vec<Range<usize>>,
    /// The record that was found last, if its fields do not stand in the text as they are.
    unquoted: Option<csv::ByteRecord>,
}

/// The fields of a record.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fields<'a> {
    /// Places in the text of the record, which begins at a place of the whole text.
    Plain { text: &'a [u8], fields: &'a [Range<usize>] },
    /// Fields that had to be rewritten.
    Rewritten(&'a csv::ByteRecord),
}

impl<'a> Fields<'a> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Plain { fields, .. } => fields.len(),
            Self::Rewritten(record) => record.len(),
        }
    }

    pub(super) fn bytes(&self, column: usize) -> &'a [u8] {
        match self {
            Self::Plain { text, fields } => fields.get(column).map_or(&[], |field| &text[field.clone()]),
            Self::Rewritten(record) => record.get(column).unwrap_or(&[]),
        }
    }
}

enum Quick {
    Row(usize),
    Incomplete,
    /// Not in the plain dialect.
    Odd,
}

impl Records {
    /// Looks for a record at a place; `whole` says that no text comes behind.
    pub(super) fn next(&mut self, text: &[u8], at: usize, whole: bool) -> Record {
        self.unquoted = None;
        match &text[at..] {
            [] => return Record::Incomplete,
            [b'\n', ..] => return Record::Empty { end: at + 1 },
            [b'\r', b'\n', ..] => return Record::Empty { end: at + 2 },
            [b'\r'] if whole => return Record::Empty { end: at + 1 },
            [b'\r'] => return Record::Incomplete,
            _ => {}
        }
        match self.quick(text, at, whole) {
            Quick::Row(end) => Record::Row { end },
            Quick::Incomplete => Record::Incomplete,
            Quick::Odd => self.slow(text, at, whole),
        }
    }

    /// The fields of the record that was found last.
    pub(super) fn row<'a>(&'a self, text: &'a [u8]) -> Fields<'a> {
        match &self.unquoted {
            Some(record) => Fields::Rewritten(record),
            None => Fields::Plain { text, fields: &self.fields },
        }
    }

    fn quick(&mut self, text: &[u8], at: usize, whole: bool) -> Quick {
        self.fields.clear();
        let mut next = at;
        loop {
            let (field, end) = match text.get(next) {
                None if !whole => return Quick::Incomplete,
                // The last field is empty and its line has no end.
                None => (next..next, next),
                Some(b'"') => match memchr(b'"', &text[next + 1..]) {
                    None if !whole => return Quick::Incomplete,
                    None => return Quick::Odd,
                    Some(length) => (next + 1..next + 1 + length, next + 2 + length),
                },
                Some(_) => match memchr3(b',', b'\n', b'"', &text[next..]) {
                    None if !whole => return Quick::Incomplete,
                    None => (next..text.len(), text.len()),
                    Some(length) if text[next + length] == b'"' => return Quick::Odd,
                    Some(length) => {
                        let end = next + length;
                        let carriage = text[end] == b'\n' && text[..end].ends_with(b"\r") && end > next;
                        (next..end - usize::from(carriage), end - usize::from(carriage))
                    }
                },
            };
            // The csv crate takes a carriage return alone for the end of a line.
            if text.get(next) != Some(&b'"') && memchr(b'\r', &text[field.clone()]).is_some() {
                return Quick::Odd;
            }
            self.fields.push(field);
            match &text[end..] {
                [b',', ..] => next = end + 1,
                [b'\n', ..] => return Quick::Row(end + 1),
                [b'\r', b'\n', ..] => return Quick::Row(end + 2),
                [] if whole => return Quick::Row(end),
                [] | [b'\r'] if !whole => return Quick::Incomplete,
                _ => return Quick::Odd,
            }
        }
    }

    #[cold]
    fn slow(&mut self, text: &[u8], at: usize, whole: bool) -> Record {
        let rest = &text[at..];
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(rest.len().min(1 << 16))
            .from_reader(rest);
        let mut record = csv::ByteRecord::new();
        // Reading from memory cannot fail, and records may have any number of fields.
        let found = reader.read_byte_record(&mut record).unwrap_or(false);
        let length = usize::try_from(reader.position().byte()).unwrap_or(usize::MAX).min(rest.len());
        if !found || (length == rest.len() && !whole) {
            return Record::Incomplete;
        }
        self.unquoted = Some(record);
        Record::Row { end: at + length }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Records as they are found when the text comes in pieces of `step` bytes.
    fn found(text: &[u8], step: usize) -> Vec<Vec<Vec<u8>>> {
        let (mut records, mut at, mut there, mut rows) = (Records::default(), 0, step.min(text.len()), Vec::new());
        loop {
            let whole = there == text.len();
            match records.next(&text[..there], at, whole) {
                Record::Incomplete if whole => return rows,
                Record::Incomplete => there = (there + step).min(text.len()),
                Record::Empty { end } => at = end,
                Record::Row { end } => {
                    let row = records.row(&text[..there]);
                    rows.push((0..row.len()).map(|column| row.bytes(column).to_vec()).collect());
                    assert!(end > at);
                    at = end;
                }
            }
        }
    }

    fn by_csv(text: &[u8]) -> Vec<Vec<Vec<u8>>> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text);
        reader.byte_records().map(|row| row.unwrap().iter().map(<[u8]>::to_vec).collect()).collect()
    }

    #[test]
    fn every_dialect_is_read_as_the_csv_crate_reads_it() {
        let texts: [&[u8]; 17] = [
            b"\"a\",\"b\"\n\"c\",\"\"\n",
            b"\"a\",\"b\"\r\n\"c\",\"d\"",
            b"a,b\nc,d\r\ne,",
            b"a,\"b \"\"quoted\"\"\",c\n\"\",\"\"\n",
            b"\"a\nb\",\"c,d\"\n\n\n",
            b"\"a\"x,b\n",
            b"\"open,b\nc,d\n",
            b"a\rb,c\n",
            b",\n,\n",
            b"\r\n\r\na,b",
            b"",
            b"\n",
            b"a\"b,c\n",
            b"\"a\" ,b\nc,d\n",
            b"\"\"\"\",\"\"\n",
            b"\"a\"\r\"b\"\n",
            b"\"a\",\xff\n",
        ];
        for text in texts {
            let wanted = by_csv(text);
            for step in [1, 2, 3, 7, 1000] {
                assert_eq!(found(text, step), wanted, "{:?} in steps of {step}", String::from_utf8_lossy(text));
            }
        }
    }
}
