//! A source of one sorted stream: what a store implements that needs neither lanes nor reopening.

use std::{num::NonZeroU32, sync::Mutex, sync::PoisonError};
use stocktake_core::{
    FieldSet, LaneDescriptor, ObjectBatchBuilder, ObjectKey, ObjectSource, ObjectStream, Plan, ReadContext,
    SourceError, SourceErrorKind,
};

/// Objects in ascending order of their key's bytes, one after another.
pub trait SortedRows: Send {
    /// Adds the next object to the batch with [`ObjectBatchBuilder::row`]; `Ok(false)` at the end.
    ///
    /// It runs on a thread of its own and may block.
    ///
    /// # Errors
    /// Ends the run: nothing is published.
    fn next_row(&mut self, batch: &mut ObjectBatchBuilder) -> Result<bool, SourceError>;
}

impl<F: FnMut(&mut ObjectBatchBuilder) -> Result<bool, SourceError> + Send> SortedRows for F {
    fn next_row(&mut self, batch: &mut ObjectBatchBuilder) -> Result<bool, SourceError> {
        self(batch)
    }
}

/// Makes a source of sorted rows: one lane, read once.
#[derive(Debug)]
pub struct RowsSource<R> {
    provides: FieldSet,
    rows: Mutex<Option<R>>,
}

impl<R: SortedRows> RowsSource<R> {
    /// A source whose rows set these fields; bucket and key are always there.
    pub fn new(provides: FieldSet, rows: R) -> Self {
        Self { provides: provides.union(FieldSet::REQUIRED), rows: Mutex::new(Some(rows)) }
    }
}

impl<R: SortedRows> ObjectSource for RowsSource<R> {
    fn provides(&self) -> FieldSet {
        self.provides
    }

    fn plan(&self, _lanes: NonZeroU32) -> Result<Plan, SourceError> {
        Ok(Plan::whole("rows"))
    }

    fn reopens(&self) -> bool {
        false
    }

    fn open<'a>(
        &'a self,
        _lane: &LaneDescriptor,
        after: Option<&ObjectKey>,
        _context: &ReadContext,
    ) -> Result<Box<dyn ObjectStream + 'a>, SourceError> {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (rows, after) {
            (Some(rows), None) => Ok(Box::new(RowsStream { rows, ended: false })),
            _ => Err(SourceError::new(SourceErrorKind::Unsupported, "this source can be read once, from its start")),
        }
    }
}

struct RowsStream<R> {
    rows: R,
    ended: bool,
}

impl<R: SortedRows> ObjectStream for RowsStream<R> {
    fn next_batch(&mut self, batch: &mut ObjectBatchBuilder) -> Result<bool, SourceError> {
        while !self.ended && !batch.is_full() {
            self.ended = !self.rows.next_row(batch)?;
        }
        Ok(!batch.is_empty())
    }
}
