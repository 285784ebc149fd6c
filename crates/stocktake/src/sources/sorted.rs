//! Rows of a source that has them in another order, put in order on disk: runs are sorted in memory, spilled and merged.
//!
//! Memory is bounded whatever the number of rows. It does not know what a row means beyond its key and, where versions of
//! a key have lost their order, what tells their order.

mod record;
mod runs;

use record::Ranking;
use runs::Runs;
use std::{
    num::NonZeroU32,
    path::{Path, PathBuf},
};
use stocktake_core::{
    Field, FieldSet, LaneDescriptor, ObjectBatchBuilder, ObjectKey, ObjectSource, ObjectStream, Plan, ReadContext,
    SourceError, SourceErrorKind,
};

/// Any source, in ascending order of its keys.
///
/// Versions of one key keep the order in which they come. The rows are written once, or more often where they are many,
/// to a folder for temporary files, as large as they are: about a hundred bytes each and their texts. Nothing of it is
/// left, however a run ends. One lane.
///
/// **Memory.** At most 40 MiB, and what the source itself takes.
#[derive(Debug)]
pub struct SortedSource<S> {
    inner: S,
    temp_dir: PathBuf,
}

impl<S: ObjectSource> SortedSource<S> {
    /// Sorts the rows of `inner` in the system's folder for temporary files.
    pub fn new(inner: S) -> Self {
        Self { inner, temp_dir: std::env::temp_dir() }
    }

    /// Sorts in this folder.
    #[must_use]
    pub fn with_temp_dir(mut self, folder: impl AsRef<Path>) -> Self {
        self.temp_dir = folder.as_ref().to_owned();
        self
    }
}

impl<S: ObjectSource> ObjectSource for SortedSource<S> {
    fn provides(&self) -> FieldSet {
        self.inner.provides()
    }

    fn plan(&self, _lanes: NonZeroU32) -> Result<Plan, SourceError> {
        self.inner.plan(NonZeroU32::MIN)
    }

    fn reopens(&self) -> bool {
        self.inner.reopens()
    }

    fn open<'a>(
        &'a self,
        lane: &LaneDescriptor,
        after: Option<&ObjectKey>,
        context: &ReadContext,
    ) -> Result<Box<dyn ObjectStream + 'a>, SourceError> {
        if lane.start.is_some() || lane.end.is_some() {
            return Err(SourceError::new(SourceErrorKind::Unsupported, "a source that is sorted has one lane"));
        }
        let mut reading = context.clone();
        reading.unsorted = true;
        let rows = self.inner.open(lane, None, &reading)?;
        Ok(Box::new(SortedStream::new(rows, Ranking::AsDelivered, after, context, &self.temp_dir)))
    }
}

/// A stream put in order.
pub(super) struct SortedStream<'a> {
    /// The rows as they come; none once they are sorted.
    rows: Option<Box<dyn ObjectStream + 'a>>,
    runs: Runs,
    /// Fields that are read: those of the report, and those that tell the order.
    fields: FieldSet,
    after: Option<ObjectKey>,
    context: ReadContext,
}

impl<'a> SortedStream<'a> {
    /// Versions of one key come latest first, then newest, then by id, as `ListObjectVersions` has them.
    pub(super) fn of_versions(
        rows: Box<dyn ObjectStream + 'a>,
        after: Option<&ObjectKey>,
        context: &ReadContext,
        temp_dir: &Path,
    ) -> Self {
        Self::new(rows, Ranking::Versions, after, context, temp_dir)
    }

    fn new(
        rows: Box<dyn ObjectStream + 'a>,
        ranking: Ranking,
        after: Option<&ObjectKey>,
        context: &ReadContext,
        temp_dir: &Path,
    ) -> Self {
        let fields = match ranking {
            Ranking::AsDelivered => context.fields,
            Ranking::Versions => context.fields.union(FieldSet::VERSION_FIELDS).with(Field::LastModifiedDate),
        };
        let runs = Runs::new(ranking, temp_dir);
        Self { rows: Some(rows), runs, fields, after: after.cloned(), context: context.clone() }
    }

    /// Reads all rows.
    fn sort(&mut self, mut rows: Box<dyn ObjectStream + 'a>) -> Result<(), SourceError> {
        let mut builder = ObjectBatchBuilder::new(self.fields);
        while rows.next_batch(&mut builder)? {
            if self.context.cancel.is_cancelled() {
                return Err(SourceError::cancelled());
            }
            let batch = builder.finish();
            let runs = &mut self.runs;
            self.context.compute(|| runs.add(&batch)).map_err(unwritten)?;
        }
        self.runs.begin_merge().map_err(unwritten)
    }
}

impl ObjectStream for SortedStream<'_> {
    fn next_batch(&mut self, batch: &mut ObjectBatchBuilder) -> Result<bool, SourceError> {
        batch.clear();
        if let Some(rows) = self.rows.take() {
            self.sort(rows)?;
        }
        if self.context.cancel.is_cancelled() {
            return Err(SourceError::cancelled());
        }
        let (runs, after) = (&mut self.runs, self.after.as_ref().map(ObjectKey::as_str));
        self.context.compute(|| {
            while !batch.is_full() {
                let Some(record) = runs.next().map_err(unwritten)? else { break };
                let key = record::key(&record);
                if after.is_some_and(|after| key <= after.as_bytes()) {
                    continue;
                }
                record::append(&record, batch)?;
            }
            Ok(!batch.is_empty())
        })
    }
}

fn unwritten(error: std::io::Error) -> SourceError {
    SourceError::unreadable("rows could not be sorted in the folder for temporary files", error)
}
