//! A source over rows in memory, cut into batches as a test asks.

use crate::rows::{Row, Slicing};
use std::num::NonZeroU32;
use stocktake_core::{
    FieldSet, LaneDescriptor, ObjectBatchBuilder, ObjectKey, ObjectSource, ObjectStream, Plan, ReadContext,
    SourceError, SourceErrorKind,
};

/// Rows in memory, which must be in key order; lanes hold about as many keys each.
#[derive(Clone, Debug)]
pub struct MemorySource {
    rows: Vec<Row>,
    provides: FieldSet,
    slicing: Slicing,
}

impl MemorySource {
    /// A source of these rows, of which it gives the values of the fields that it provides.
    pub fn new(rows: Vec<Row>, provides: FieldSet) -> Self {
        let provides = provides.union(FieldSet::REQUIRED);
        let rows = rows.into_iter().map(|row| row.project(provides)).collect();
        Self { rows, provides, slicing: Slicing::whole() }
    }

    /// The source with other batches.
    #[must_use]
    pub fn with_slicing(mut self, slicing: Slicing) -> Self {
        self.slicing = slicing;
        self
    }

    /// The rows.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }
}

impl ObjectSource for MemorySource {
    fn provides(&self) -> FieldSet {
        self.provides
    }

    fn plan(&self, lanes: NonZeroU32) -> Result<Plan, SourceError> {
        let mut keys: Vec<&str> = self.rows.iter().map(Row::key).collect();
        keys.dedup();
        let lanes = (lanes.get() as usize).min(keys.len()).max(1);
        let key = |lane: usize| {
            ObjectKey::try_new(keys[lane * keys.len() / lanes])
                .map_err(|error| SourceError::malformed(error.to_string()))
        };
        let boundaries = (1..lanes).map(key).collect::<Result<Vec<_>, _>>()?;
        Plan::split("rows in memory", boundaries, vec![None; lanes])
            .map_err(|error| SourceError::new(SourceErrorKind::Order, error.to_string()))
    }

    fn open<'a>(
        &'a self,
        lane: &LaneDescriptor,
        after: Option<&ObjectKey>,
        _context: &ReadContext,
    ) -> Result<Box<dyn ObjectStream + 'a>, SourceError> {
        let first = |key: &ObjectKey| self.rows.partition_point(|row| row.key() < key.as_str());
        let start = lane.start.as_ref().map_or(0, first);
        let end = lane.end.as_ref().map_or(self.rows.len(), first);
        let start = after
            .map_or(start, |after| start.max(self.rows.partition_point(|row| row.key() <= after.as_str())).min(end));
        let rows = &self.rows[start..end];
        Ok(Box::new(MemoryStream { rows, ranges: self.slicing.ranges(rows.len()) }))
    }
}

struct MemoryStream<'a, I> {
    rows: &'a [Row],
    ranges: I,
}

impl<I: Iterator<Item = std::ops::Range<usize>> + Send> ObjectStream for MemoryStream<'_, I> {
    fn next_batch(&mut self, batch: &mut ObjectBatchBuilder) -> Result<bool, SourceError> {
        batch.clear();
        let Some(range) = self.ranges.next() else { return Ok(false) };
        self.rows[range].iter().try_for_each(|row| row.push(batch))?;
        Ok(true)
    }
}
