//! The order of keys over the batches of several files.

use crate::error::{ReadError, ReadErrorKind};
use stocktake_core::ObjectBatch;

/// Checks that keys ascend; equal ones may follow each other, as versions of a key do.
#[derive(Debug)]
pub(crate) struct KeyOrder {
    last: Option<String>,
    /// What can be done about a report that is not sorted.
    hint: &'static str,
}

impl KeyOrder {
    pub(crate) fn new(hint: &'static str) -> Self {
        Self { last: None, hint }
    }

    /// Checks the next rows, before which their file has `first_row`.
    ///
    /// # Errors
    /// Names the first row whose key comes before that of the row above it.
    pub(crate) fn check(&mut self, rows: &ObjectBatch, first_row: u64) -> Result<(), ReadError> {
        let fault = |row: usize, before: &str| {
            let text = format!("the report is not sorted: key {:?} comes after {before:?}{}", rows.key(row), self.hint);
            Err(ReadError::new(ReadErrorKind::Order, text).at_row(first_row + row as u64 + 1))
        };
        let keys = rows.keys();
        if let Some(last) = self.last.as_deref().filter(|last| !rows.is_empty() && *last > keys.value(0)) {
            return fault(0, last);
        }
        if let Some(row) = (1..rows.len()).find(|row| keys.value(*row - 1) > keys.value(*row)) {
            return fault(row, keys.value(row - 1));
        }
        if !rows.is_empty() {
            let last = self.last.get_or_insert_default();
            last.clear();
            last.push_str(keys.value(rows.len() - 1));
        }
        Ok(())
    }
}
