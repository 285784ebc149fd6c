//! Numbers of a comparison.

use crate::report::Report;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use stocktake_core::{Field, FieldSet};

/// Rows, and the bytes that their sizes sum up to; a row without a size has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Tally {
    /// Number of rows.
    pub rows: u64,
    /// Sum of their sizes.
    pub bytes: u64,
}

impl Tally {
    fn add(&mut self, rows: u64, bytes: u64) {
        self.rows += rows;
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

/// What a comparison found, in numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DiffTotals {
    /// Source bucket of the old report.
    pub old_bucket: String,
    /// Source bucket of the new report.
    pub new_bucket: String,
    /// Rows of the old report that were compared.
    pub old_rows: u64,
    /// Rows of the new report that were compared.
    pub new_rows: u64,
    /// Rows that are the same in all fields that were compared, with sizes as in the new report.
    pub unchanged: Tally,
    /// Rows that only the new report has.
    pub added: Tally,
    /// Rows that only the old report has.
    pub removed: Tally,
    /// Rows that differ, with sizes as in the old report.
    pub changed_old: Tally,
    /// Rows that differ, with sizes as in the new report.
    pub changed_new: Tally,
    /// Pairs of a removed and an added row that are likely the same object; they count as removed and as added too. None:
    /// they were not looked for, or a report lacks ETags or sizes.
    pub moved: Option<Tally>,
    /// How many rows differ in each field.
    pub changed_fields: BTreeMap<Field, u64>,
    /// Fields that were compared.
    pub fields: FieldSet,
    /// Fields that only the old report has.
    pub only_old_fields: FieldSet,
    /// Fields that only the new report has.
    pub only_new_fields: FieldSet,
    /// Columns of either report that are no known field, which are not compared.
    pub unknown_columns: BTreeSet<String>,
}

impl DiffTotals {
    pub(super) fn new(old: &Report, new: &Report, fields: FieldSet, moves: bool) -> Self {
        let none = Tally::default();
        Self {
            old_bucket: old.manifest().source_bucket.clone(),
            new_bucket: new.manifest().source_bucket.clone(),
            old_rows: 0,
            new_rows: 0,
            unchanged: none,
            added: none,
            removed: none,
            changed_old: none,
            changed_new: none,
            moved: moves.then_some(none),
            changed_fields: BTreeMap::new(),
            fields,
            only_old_fields: old.fields().difference(new.fields()),
            only_new_fields: new.fields().difference(old.fields()),
            unknown_columns: old.unknown_columns().chain(new.unknown_columns()).map(str::to_owned).collect(),
        }
    }

    /// Whether nothing differs.
    pub fn is_same(&self) -> bool {
        self.added.rows + self.removed.rows + self.changed_new.rows == 0
    }

    pub(super) fn end(&mut self, old_rows: u64, new_rows: u64) {
        (self.old_rows, self.new_rows) = (old_rows, new_rows);
    }

    pub(super) fn unchanged(&mut self, rows: usize, bytes: u64) {
        self.unchanged.add(rows as u64, bytes);
    }

    pub(super) fn changed(&mut self, fields: FieldSet, old_bytes: Option<u64>, new_bytes: Option<u64>) {
        self.changed_old.add(1, old_bytes.unwrap_or(0));
        self.changed_new.add(1, new_bytes.unwrap_or(0));
        for field in fields.iter() {
            *self.changed_fields.entry(field).or_default() += 1;
        }
    }

    pub(super) fn removed(&mut self, bytes: Option<u64>) {
        self.removed.add(1, bytes.unwrap_or(0));
    }

    pub(super) fn added(&mut self, bytes: Option<u64>) {
        self.added.add(1, bytes.unwrap_or(0));
    }

    pub(super) fn moved(&mut self, bytes: u64) {
        if let Some(moved) = &mut self.moved {
            moved.add(1, bytes);
        }
    }
}
