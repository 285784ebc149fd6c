//! What one thread counts of the rows that it reads, column by column.

use super::{
    amount::Amount,
    classes::Classes,
    duplicates::Duplicates,
    prefixes::{Edges, Prefixes},
    report::ObjectFacts,
    tallies::Tallies,
    top::Top,
    values::{VALUE_FIELDS, Values},
};
use stocktake_core::{BoolColumn, Column, Field, FieldSet, IntColumn, ObjectBatch, TextColumn, Timestamp};

/// Longest file extension that is told apart; what is longer is no extension.
const EXTENSION_BYTES_MAX: usize = 12;

/// How a report is counted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counting {
    pub(super) fields: FieldSet,
    pub(super) as_of_ms: Option<i64>,
    pub(super) delimiter: u8,
    pub(super) depth: usize,
    pub(super) sorted: bool,
    pub(super) limit: usize,
}

/// Counts of rows.
#[derive(Clone, Debug)]
pub(super) struct Counts {
    pub(super) rows: u64,
    pub(super) total: Amount,
    pub(super) noncurrent_objects: u64,
    pub(super) delete_markers: u64,
    pub(super) latest_delete_markers: u64,
    pub(super) classes: Classes,
    pub(super) values: Vec<Values>,
    pub(super) prefixes: Prefixes,
    pub(super) extensions: Extensions,
    pub(super) largest: Top<ObjectFacts>,
    pub(super) oldest: Top<ObjectFacts>,
    pub(super) newest: Top<ObjectFacts>,
    pub(super) duplicates: Duplicates,
    /// Of the rows of a batch.
    tallies: Vec<Amount>,
}

impl Counts {
    pub(super) fn new(counting: &Counting) -> Self {
        let Counting { fields, as_of_ms, delimiter, depth, sorted, limit } = *counting;
        Self {
            rows: 0,
            total: Amount::default(),
            noncurrent_objects: 0,
            delete_markers: 0,
            latest_delete_markers: 0,
            classes: Classes::new(as_of_ms),
            values: VALUE_FIELDS.into_iter().filter(|field| fields.contains(*field)).map(Values::new).collect(),
            prefixes: Prefixes::new(delimiter, depth, sorted, limit),
            extensions: Extensions::default(),
            largest: Top::new(limit),
            oldest: Top::new(limit),
            newest: Top::new(limit),
            duplicates: Duplicates::default(),
            tallies: Vec::new(),
        }
    }

    pub(super) fn take(&mut self, batch: &ObjectBatch) {
        self.rows += batch.len() as u64;
        match booleans(batch, Field::IsDeleteMarker) {
            Some(markers) if (0..batch.len()).any(|row| markers.value(row) == Some(true)) => {
                let objects = self.without_markers(batch, markers);
                self.take_objects(&objects);
            }
            _ => self.take_objects(batch),
        }
    }

    /// Counts the delete markers of a batch and returns its objects.
    fn without_markers(&mut self, batch: &ObjectBatch, markers: &BoolColumn) -> ObjectBatch {
        let latest = booleans(batch, Field::IsLatest);
        let keep: Vec<bool> = (0..batch.len()).map(|row| markers.value(row) != Some(true)).collect();
        for row in (0..batch.len()).filter(|row| !keep[*row]) {
            self.delete_markers += 1;
            self.latest_delete_markers += u64::from(latest.is_some_and(|latest| latest.value(row) == Some(true)));
        }
        batch.filter(&keep)
    }

    fn take_objects(&mut self, batch: &ObjectBatch) {
        let (sizes, modified) = (integers(batch, Field::Size), integers(batch, Field::LastModifiedDate));
        let size = |row: usize| sizes.and_then(|sizes| sizes.value(row)).and_then(|size| u64::try_from(size).ok());
        let modified = |row: usize| modified.and_then(|modified| modified.value(row));
        self.weigh(batch, size);
        for values in &mut self.values {
            match batch.column(values.field()) {
                Some(Column::Code(codes)) => values.add_codes(codes, &self.tallies),
                Some(Column::Bool(booleans)) => values.add_booleans(booleans, &self.tallies),
                _ => values.add_absent(&self.tallies),
            }
        }
        let classes = match batch.column(Field::StorageClass) {
            Some(Column::Code(classes)) => Some(classes),
            _ => None,
        };
        self.classes.look_up(classes);
        let codes = classes.map(|classes| classes.codes());
        for (row, tally) in self.tallies.iter().enumerate() {
            self.classes.add(codes.map_or(0, |codes| codes[row]), modified(row), size(row), *tally);
        }
        let keys = batch.keys();
        for (row, tally) in self.tallies.iter().enumerate() {
            let key = keys.value(row);
            self.prefixes.add(key, *tally);
            self.extensions.add(key, *tally);
        }
        if let Some(e_tags) = texts(batch, Field::ETag) {
            for (row, tally) in self.tallies.iter().enumerate() {
                self.duplicates.add(e_tags.value(row), tally.bytes, keys.value(row));
            }
        }
        let versions = texts(batch, Field::VersionId);
        for row in 0..batch.len() {
            let facts = || facts(batch, row);
            // Versions of a key may be millions, of one size and one time.
            let version = || versions.map(|versions| versions.value(row)).unwrap_or_default();
            let tie = |other: &ObjectFacts| version().cmp(other.version_id.as_deref().unwrap_or_default());
            if let Some(size) = size(row) {
                self.largest.offer_told(size.into(), keys.value(row), tie, facts);
            }
            if let Some(modified) = modified(row) {
                self.oldest.offer_told(-i128::from(modified), keys.value(row), tie, facts);
                self.newest.offer_told(modified.into(), keys.value(row), tie, facts);
            }
        }
    }

    /// Tallies each object of a batch.
    fn weigh(&mut self, batch: &ObjectBatch, size: impl Fn(usize) -> Option<u64>) {
        let latest = booleans(batch, Field::IsLatest);
        self.tallies.clear();
        for row in 0..batch.len() {
            let noncurrent = latest.is_some_and(|latest| latest.value(row) == Some(false));
            let bytes = size(row).unwrap_or(0);
            let tally = Amount::of_object(bytes, if noncurrent { bytes } else { 0 });
            self.noncurrent_objects += u64::from(noncurrent);
            self.total.add(tally);
            self.tallies.push(tally);
        }
    }

    /// Ends a part: the prefixes that may go on in its neighbours.
    pub(super) fn end_part(&mut self) -> Edges {
        self.prefixes.end_part()
    }

    /// Brings everything under names, so that it can be merged.
    pub(super) fn settle(&mut self) {
        self.values.iter_mut().for_each(Values::settle);
        self.extensions.settle();
    }

    /// Takes over what another thread counted; both are settled.
    pub(super) fn merge(&mut self, other: Self) {
        self.rows += other.rows;
        self.total.add(other.total);
        self.noncurrent_objects += other.noncurrent_objects;
        self.delete_markers += other.delete_markers;
        self.latest_delete_markers += other.latest_delete_markers;
        self.classes.merge(other.classes);
        self.values.iter_mut().zip(other.values).for_each(|(own, other)| own.merge(other));
        self.prefixes.merge(other.prefixes);
        self.extensions.by_name.merge(other.extensions.by_name);
        self.largest.merge(other.largest);
        self.oldest.merge(other.oldest);
        self.newest.merge(other.newest);
        self.duplicates.merge(other.duplicates);
    }
}

/// Tallies by file extension.
#[derive(Clone, Debug, Default)]
pub(super) struct Extensions {
    pub(super) by_name: Tallies,
    /// The extension of the rows before, as keys spell it, and what they have: neighbours often share it.
    last: String,
    of_last: Amount,
}

impl Extensions {
    #[inline]
    fn add(&mut self, key: &str, tally: Amount) {
        let extension = extension(key);
        if extension != self.last {
            self.settle();
            self.last.push_str(extension);
        }
        self.of_last.add(tally);
    }

    fn settle(&mut self) {
        if !self.of_last.is_empty() {
            self.last.make_ascii_lowercase();
            self.by_name.add(&self.last, std::mem::take(&mut self.of_last));
        }
        self.last.clear();
    }
}

/// What stands behind the last dot of a key's last name, if it is short and of letters and digits.
fn extension(key: &str) -> &str {
    let bytes = key.as_bytes();
    let tail = &bytes[bytes.len().saturating_sub(EXTENSION_BYTES_MAX + 1)..];
    let Some(length) = tail.iter().rev().position(|byte| !byte.is_ascii_alphanumeric()) else { return "" };
    let dot = bytes.len() - length - 1;
    // A name that begins with its only dot has no extension.
    let is_name = bytes[dot] == b'.' && dot > 0 && bytes[dot - 1] != b'/';
    if is_name { &key[dot + 1..] } else { "" }
}

fn facts(batch: &ObjectBatch, row: usize) -> ObjectFacts {
    let text = |field: Field| {
        let text = match batch.column(field) {
            Some(Column::Text(texts)) => texts.value(row),
            Some(Column::Code(codes)) => codes.value(row),
            _ => "",
        };
        (!text.is_empty()).then(|| text.to_owned())
    };
    let integer = |field| integers(batch, field).and_then(|column| column.value(row));
    let time = |ms| Timestamp::try_from_ms(ms).ok().map(|time| time.to_string());
    ObjectFacts {
        key: batch.key(row).to_owned(),
        version_id: text(Field::VersionId),
        bytes: integer(Field::Size).and_then(|size| u64::try_from(size).ok()),
        last_modified: integer(Field::LastModifiedDate).and_then(time),
        storage_class: text(Field::StorageClass),
    }
}

fn integers(batch: &ObjectBatch, field: Field) -> Option<&IntColumn> {
    match batch.column(field) {
        Some(Column::Int(column)) => Some(column),
        _ => None,
    }
}

fn booleans(batch: &ObjectBatch, field: Field) -> Option<&BoolColumn> {
    match batch.column(field) {
        Some(Column::Bool(column)) => Some(column),
        _ => None,
    }
}

fn texts(batch: &ObjectBatch, field: Field) -> Option<&TextColumn> {
    match batch.column(field) {
        Some(Column::Text(column)) => Some(column),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_are_short_and_of_names() {
        let cases = [
            ("a/b.JPG", "JPG"),
            ("a.tar.gz", "gz"),
            ("a.b/c", ""),
            (".profile", ""),
            ("a/.profile", ""),
            ("a.", ""),
            ("a.äb", ""),
            ("ä.b", "b"),
            ("a.twelveletter", "twelveletter"),
            ("a.thirteenchars", ""),
            ("", ""),
            ("abcdefghijklmnopq", ""),
        ];
        for (key, expected) in cases {
            assert_eq!(extension(key), expected, "{key}");
        }
    }
}
