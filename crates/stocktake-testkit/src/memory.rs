//! A source over rows in memory, cut, split and broken as a test asks.

use crate::rows::Row;
use std::{num::NonZeroU32, sync::Arc};
use stocktake_core::{
    BATCH_ROWS_MAX, FieldSet, LaneDescriptor, ObjectBatchBuilder, ObjectKey, ObjectSource, ObjectStream, Plan,
    ReadContext, SourceError, SourceErrorKind,
};

/// Rows of a test as a source.
///
/// A clone shares the rows.
#[derive(Clone, Debug)]
pub struct MemorySource {
    rows: Arc<[Row]>,
    provides: FieldSet,
    cuts: Vec<usize>,
    boundaries: Option<Vec<ObjectKey>>,
    fail_at_row: Option<usize>,
    panic_at_row: Option<usize>,
}

impl MemorySource {
    /// A source of rows, in the order in which it yields them.
    ///
    /// It provides what a row has; the version fields together.
    pub fn new(rows: impl Into<Arc<[Row]>>) -> Self {
        let rows = rows.into();
        let seen = rows.iter().fold(FieldSet::REQUIRED, |seen, row| seen.union(row.fields()));
        let versioned = !seen.intersection(FieldSet::VERSION_FIELDS).is_empty();
        let provides = if versioned { seen.union(FieldSet::VERSION_FIELDS) } else { seen };
        Self { rows, provides, cuts: Vec::new(), boundaries: None, fail_at_row: None, panic_at_row: None }
    }

    /// Begins a batch at each of these rows, counted from 0 over all lanes.
    #[must_use]
    pub fn with_cuts(mut self, cuts: Vec<usize>) -> Self {
        self.cuts = cuts;
        self
    }

    /// Begins a batch at every so many rows.
    #[must_use]
    pub fn with_batch_rows(self, rows: usize) -> Self {
        let cuts = (0..self.rows.len()).step_by(rows.max(1)).collect();
        self.with_cuts(cuts)
    }

    /// Splits lanes at these keys, which ascend, or at the first of them if fewer lanes are asked for.
    ///
    /// Without it lanes have about as many rows each.
    #[must_use]
    pub fn with_boundaries(mut self, boundaries: Vec<ObjectKey>) -> Self {
        self.boundaries = Some(boundaries);
        self
    }

    /// Fails as unreadable where the row, counted from 0 over all lanes, would be yielded; those before it are.
    #[must_use]
    pub fn fail_at_row(mut self, row: usize) -> Self {
        self.fail_at_row = Some(row);
        self
    }

    /// Panics where the row, counted from 0 over all lanes, would be yielded; those before it are.
    #[must_use]
    pub fn panic_at_row(mut self, row: usize) -> Self {
        self.panic_at_row = Some(row);
        self
    }

    /// The rows.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    fn even_boundaries(&self, lanes: usize) -> Vec<ObjectKey> {
        let rows = &self.rows;
        let mut keys: Vec<&str> = (1..lanes.min(rows.len()))
            .map(|lane| rows[lane * rows.len() / lanes].key.as_str())
            .filter(|key| *key > rows[0].key.as_str())
            .collect();
        keys.dedup();
        keys.into_iter().filter_map(|key| ObjectKey::try_new(key).ok()).collect()
    }
}

impl ObjectSource for MemorySource {
    fn provides(&self) -> FieldSet {
        self.provides
    }

    fn plan(&self, lanes: NonZeroU32) -> Result<Plan, SourceError> {
        let lanes = usize::try_from(lanes.get()).unwrap_or(usize::MAX);
        let mut boundaries = self.boundaries.clone().unwrap_or_else(|| self.even_boundaries(lanes));
        boundaries.truncate(lanes - 1);
        let tokens = vec![None; boundaries.len() + 1];
        Plan::split("memory", boundaries, tokens)
            .map_err(|error| SourceError::new(SourceErrorKind::Order, error.to_string()))
    }

    fn open<'a>(
        &'a self,
        lane: &LaneDescriptor,
        after: Option<&ObjectKey>,
        context: &ReadContext,
    ) -> Result<Box<dyn ObjectStream + 'a>, SourceError> {
        let inside = |row: &Row| {
            lane.start.as_ref().is_none_or(|start| row.key.as_str() >= start.as_str())
                && lane.end.as_ref().is_none_or(|end| row.key.as_str() < end.as_str())
                && after.is_none_or(|after| row.key.as_str() > after.as_str())
        };
        // Filtered, not bisected: rows of a test may be out of order on purpose.
        let rows = (0..self.rows.len()).filter(|row| inside(&self.rows[*row])).collect();
        Ok(Box::new(MemoryStream { source: self, rows, next: 0, context: context.clone() }))
    }
}

struct MemoryStream<'a> {
    source: &'a MemorySource,
    /// Places of the lane's rows among all.
    rows: Vec<usize>,
    next: usize,
    context: ReadContext,
}

impl ObjectStream for MemoryStream<'_> {
    fn next_batch(&mut self, batch: &mut ObjectBatchBuilder) -> Result<bool, SourceError> {
        if self.context.cancel.is_cancelled() {
            return Err(SourceError::cancelled());
        }
        batch.clear();
        let source = self.source;
        while let Some(row) = self.rows.get(self.next).copied() {
            let stops = source.fail_at_row == Some(row) || source.panic_at_row == Some(row);
            if !batch.is_empty() && (stops || source.cuts.contains(&row) || batch.len() == BATCH_ROWS_MAX) {
                break;
            }
            if source.fail_at_row == Some(row) {
                return Err(SourceError::new(SourceErrorKind::Unreadable, "fails on purpose").at(format!("row {row}")));
            }
            assert!(source.panic_at_row != Some(row), "row {row} panics on purpose");
            source.rows[row].add_to(batch);
            self.next += 1;
        }
        Ok(!batch.is_empty())
    }
}
