//! One of the two reports, as a stream of sorted rows with a place in it.

use super::row::version_of;
use crate::{
    error::ReadError,
    order::KeyOrder,
    report::{ReadOptions, Report},
    stream::Batches,
};
use stocktake_core::{Column, Field, ObjectBatch, ObjectKey};

/// What a report that is not sorted can be made into.
const UNSORTED_HINT: &str = "; a comparison needs reports that are sorted by key";

/// Rows of a report that are left to be compared.
#[derive(Debug)]
pub(super) struct Side {
    report: Report,
    batches: Batches,
    order: KeyOrder,
    filter: RowFilter,
    pub(super) rows: ObjectBatch,
    /// The next row of `rows`.
    pub(super) at: usize,
    /// Rows that were compared.
    pub(super) taken: u64,
}

/// Which rows of a report are compared.
#[derive(Clone, Debug, Default)]
pub(super) struct RowFilter {
    /// Only keys that begin with this text.
    pub(super) prefix: Option<Box<str>>,
    /// Only keys behind this one.
    pub(super) after: Option<ObjectKey>,
    /// Only current versions that are no delete markers.
    pub(super) current_only: bool,
}

impl Side {
    /// Begins to read a report in the order of its keys.
    ///
    /// # Errors
    /// If a file cannot be begun to be read, or threads cannot be started.
    pub(super) fn begin(report: &Report, options: ReadOptions, filter: RowFilter) -> Result<Self, ReadError> {
        let mut files = report.files_by_first_key()?;
        files.retain(|index| {
            let receipt = report.files()[*index].receipt.as_ref();
            let range = receipt.and_then(|receipt| receipt.first_key.as_deref().zip(receipt.last_key.as_deref()));
            range.is_none_or(|(first, last)| filter.may_hold(first, last))
        });
        Ok(Self {
            batches: report.read(&options.with_files(files))?,
            report: report.clone(),
            order: KeyOrder::new(UNSORTED_HINT),
            filter,
            rows: ObjectBatch::empty(),
            at: 0,
            taken: 0,
        })
    }

    /// Reads on if no row is left; says whether there is one.
    ///
    /// # Errors
    /// If the report cannot be read on, or its keys do not ascend.
    pub(super) fn fill(&mut self) -> Result<bool, ReadError> {
        while self.at == self.rows.len() {
            let Some(batch) = self.batches.next().transpose()? else { return Ok(false) };
            let file = &self.report.files()[batch.file].key;
            self.order.check(&batch.rows, batch.first_row).map_err(|error| error.in_file(file))?;
            self.rows = self.filter.apply(batch.rows);
            self.at = 0;
        }
        Ok(true)
    }

    /// Rows of the batch that are left.
    pub(super) fn left(&self) -> usize {
        self.rows.len() - self.at
    }

    /// The key of the next row.
    pub(super) fn key(&self) -> &str {
        self.rows.key(self.at)
    }

    /// The version id of the next row; empty for the null version.
    pub(super) fn version(&self) -> &str {
        version_of(&self.rows, self.at)
    }

    /// Passes rows that were compared.
    pub(super) fn pass(&mut self, rows: usize) {
        self.at += rows;
        self.taken += rows as u64;
    }

    /// Sum of the sizes of the next rows; an absent size is none.
    pub(super) fn size_bytes(&self, rows: usize) -> u64 {
        let Some(Column::Int(sizes)) = self.rows.column(Field::Size) else { return 0 };
        let range = self.at..self.at + rows;
        let sum = |sum: u64, size: i64| sum.saturating_add(size.unsigned_abs());
        if sizes.absent() == 0 {
            return sizes.values()[range].iter().copied().fold(0, sum);
        }
        range.filter_map(|row| sizes.value(row)).fold(0, sum)
    }
}

impl RowFilter {
    /// Whether a file with these first and last keys may hold a row that is wanted.
    fn may_hold(&self, first: &str, last: &str) -> bool {
        let behind = self.after.as_ref().is_none_or(|after| last > after.as_str());
        let within = self
            .prefix
            .as_deref()
            .is_none_or(|prefix| last >= prefix && (first <= prefix || first.starts_with(prefix)));
        behind && within
    }

    /// The rows that are wanted of a batch whose keys ascend.
    fn apply(&self, rows: ObjectBatch) -> ObjectBatch {
        let keys = rows.keys();
        let place = |before: &dyn Fn(&str) -> bool| {
            let (mut low, mut high) = (0, keys.len());
            while low < high {
                let middle = low + (high - low) / 2;
                if before(keys.value(middle)) { low = middle + 1 } else { high = middle }
            }
            low
        };
        let mut range = 0..rows.len();
        if let Some(prefix) = self.prefix.as_deref() {
            range.start = place(&|key| key < prefix);
            range.end = place(&|key| key < prefix || key.starts_with(prefix));
        }
        if let Some(after) = &self.after {
            range.start = range.start.max(place(&|key| key <= after.as_str())).min(range.end);
        }
        let kept = if range.len() == rows.len() { rows } else { rows.slice(range) };
        if !self.current_only {
            return kept;
        }
        let is = |field, row| match kept.column(field) {
            Some(Column::Bool(column)) => column.value(row),
            _ => None,
        };
        let current: Vec<bool> = (0..kept.len())
            .map(|row| is(Field::IsLatest, row) != Some(false) && is(Field::IsDeleteMarker, row) != Some(true))
            .collect();
        kept.filter(&current)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stocktake_core::{FieldSet, ObjectBatchBuilder};

    fn batch(keys: &[&str]) -> ObjectBatch {
        let mut builder = ObjectBatchBuilder::new(FieldSet::REQUIRED);
        for key in keys {
            builder.row(key).finish().unwrap();
        }
        builder.finish()
    }

    fn kept(filter: &RowFilter, keys: &[&str]) -> Vec<String> {
        let rows = filter.apply(batch(keys));
        (0..rows.len()).map(|row| rows.key(row).to_owned()).collect()
    }

    #[test]
    fn a_prefix_and_a_key_to_begin_behind_cut_a_batch() {
        let keys = ["a", "b", "b/1", "b/2", "b0", "c"];
        let of = |prefix: Option<&str>, after: Option<&str>| RowFilter {
            prefix: prefix.map(Into::into),
            after: after.map(|key| ObjectKey::try_new(key).unwrap()),
            current_only: false,
        };
        assert_eq!(kept(&of(None, None), &keys), keys);
        assert_eq!(kept(&of(Some("b/"), None), &keys), ["b/1", "b/2"]);
        assert_eq!(kept(&of(Some("b"), Some("b/1")), &keys), ["b/2", "b0"]);
        assert_eq!(kept(&of(None, Some("c")), &keys), [""; 0]);
        assert_eq!(kept(&of(Some("x"), Some("a")), &keys), [""; 0]);
        assert_eq!(kept(&of(Some("a"), Some("b")), &keys), [""; 0]);
    }

    #[test]
    fn files_outside_of_what_is_wanted_are_passed_over() {
        let filter =
            RowFilter { prefix: Some("b/".into()), after: ObjectKey::try_new("b/5").ok(), current_only: false };
        assert!(filter.may_hold("a", "c"));
        assert!(filter.may_hold("b/5", "b/6"));
        assert!(filter.may_hold("b/7", "z"));
        assert!(!filter.may_hold("b/0", "b/5"));
        assert!(!filter.may_hold("a", "b"));
        assert!(!filter.may_hold("b0", "c"));
    }
}
