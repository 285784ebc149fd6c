//! Versions of one key that wait for their counterpart in the other report.
//!
//! Both sides are read in lockstep, so that of two reports that list versions in the same order only those wait that one of
//! them lacks.

use super::{row::HeldRow, too_many_waiting};
use crate::error::ReadError;
use std::collections::BTreeMap;

/// Rows of one key by version id; several with one id in a report that is not as it should be.
type Versions = BTreeMap<Box<str>, Vec<HeldRow>>;

/// Rows of both reports that wait.
#[derive(Debug)]
pub(super) struct Waiting {
    key: String,
    old: Versions,
    new: Versions,
    rows: usize,
    bytes: usize,
    bytes_max: usize,
}

impl Waiting {
    /// Nothing waits; rows may take so much private memory.
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { key: String::new(), old: Versions::new(), new: Versions::new(), rows: 0, bytes: 0, bytes_max }
    }

    /// Whether rows of this key wait.
    pub(super) fn is_of(&self, key: &str) -> bool {
        self.rows > 0 && self.key == key
    }

    /// The old row of a version that waits.
    pub(super) fn take_old(&mut self, version: &str) -> Option<HeldRow> {
        let row = take(&mut self.old, version)?;
        self.forget(&row);
        Some(row)
    }

    /// The new row of a version that waits.
    pub(super) fn take_new(&mut self, version: &str) -> Option<HeldRow> {
        let row = take(&mut self.new, version)?;
        self.forget(&row);
        Some(row)
    }

    /// Lets an old row wait.
    ///
    /// # Errors
    /// If rows of this key take more memory than they may.
    pub(super) fn hold_old(&mut self, key: &str, version: &str, row: HeldRow) -> Result<(), ReadError> {
        self.count(key, &row)?;
        self.old.entry(version.into()).or_default().push(row);
        Ok(())
    }

    /// As [`Self::hold_old`], of a new row.
    ///
    /// # Errors
    /// As [`Self::hold_old`].
    pub(super) fn hold_new(&mut self, key: &str, version: &str, row: HeldRow) -> Result<(), ReadError> {
        self.count(key, &row)?;
        self.new.entry(version.into()).or_default().push(row);
        Ok(())
    }

    /// All that waits, old and new, each in the order of version ids.
    pub(super) fn flush(&mut self) -> (Vec<HeldRow>, Vec<HeldRow>) {
        (self.rows, self.bytes) = (0, 0);
        let all = |versions: &mut Versions| std::mem::take(versions).into_values().flatten().collect();
        (all(&mut self.old), all(&mut self.new))
    }

    fn count(&mut self, key: &str, row: &HeldRow) -> Result<(), ReadError> {
        if self.rows == 0 {
            self.key.clear();
            self.key.push_str(key);
        }
        self.bytes += row.bytes();
        if self.bytes > self.bytes_max {
            return Err(too_many_waiting(key, self.rows));
        }
        self.rows += 1;
        Ok(())
    }

    fn forget(&mut self, row: &HeldRow) {
        self.rows -= 1;
        self.bytes -= row.bytes();
    }
}

fn take(versions: &mut Versions, version: &str) -> Option<HeldRow> {
    let rows = versions.get_mut(version)?;
    let row = rows.pop();
    if rows.is_empty() {
        versions.remove(version);
    }
    row
}
