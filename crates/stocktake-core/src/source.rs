//! The source contract: what can be planned, split into lanes and reopened, and what then yields rows in key order.
//!
//! A source knows objects and their metadata. It does not know the report's format, files or destination. A store with
//! one sorted stream needs none of this: the crate `stocktake` has an adapter for it.

use crate::{
    batch::{ObjectBatchBuilder, RowError},
    cancel::CancelToken,
    field_set::{FieldSet, Versions},
    name::{BucketName, ObjectKey},
    partition::Partition,
    plan::{LaneDescriptor, Plan},
};
use std::{
    fmt,
    num::{NonZeroU32, NonZeroUsize},
    sync::Arc,
};

/// What can be planned, split into lanes and reopened.
///
/// Methods may block on I/O; they are called from several threads.
pub trait ObjectSource: Send + Sync {
    /// Fields that rows may have. Version fields in it say that the source has versions.
    fn provides(&self) -> FieldSet;

    /// Splits the key space into at most `lanes` lanes; fewer if the source cannot be split so often.
    ///
    /// # Errors
    /// A source that cannot be read says so here, before anything is written.
    fn plan(&self, lanes: NonZeroU32) -> Result<Plan, SourceError>;

    /// The plan by which a run that was begun is carried on, by a command that asks for so many `lanes`.
    ///
    /// A source whose boundaries are found by looking returns the plan that was begun, if it is one of its own: looked for again,
    /// they may stand elsewhere. Default: [`ObjectSource::plan`] again, which must say the same then.
    ///
    /// # Errors
    /// As [`ObjectSource::plan`].
    fn plan_again(&self, _begun: &Plan, lanes: NonZeroU32) -> Result<Plan, SourceError> {
        self.plan(lanes)
    }

    /// Whether lanes can be opened more than once, and behind a key, so that a run that ended early can be continued.
    /// Default: they can.
    fn reopens(&self) -> bool {
        true
    }

    /// Opens the rows of a lane, or those whose key comes after `after`: exactly the rest of the lane's rows.
    ///
    /// # Errors
    /// A source that cannot be read, or not reopened behind a key, says so.
    fn open<'a>(
        &'a self,
        lane: &LaneDescriptor,
        after: Option<&ObjectKey>,
        context: &ReadContext,
    ) -> Result<Box<dyn ObjectStream + 'a>, SourceError>;
}

/// The rows of a lane, in ascending order of the key's unsigned bytes; versions of one key stand together.
///
/// A stream runs on its own thread and may block there.
pub trait ObjectStream: Send {
    /// Replaces the content of `batch` with the next rows. `Ok(false)`: the end, `batch` is empty.
    ///
    /// A batch that is not the last has at least one row. The builder is the stream's own: it is the same in every call.
    ///
    /// # Errors
    /// Ends the run: nothing is published.
    fn next_batch(&mut self, batch: &mut ObjectBatchBuilder) -> Result<bool, SourceError>;

    /// Ranges that were read to their ends, in key order; asked for once, behind the end. Default: none, for a stream that is read
    /// in one piece.
    fn partitions(&self) -> Vec<Partition> {
        Vec::new()
    }
}

/// What a stream may know of the run that reads it. Nothing here shapes values.
#[derive(Clone)]
#[non_exhaustive]
pub struct ReadContext {
    /// Columns that the report needs; others may be left out.
    pub fields: FieldSet,
    /// The report's source bucket, against which a bucket column in the input is checked.
    pub bucket: BucketName,
    /// Only keys with this prefix are wanted. A source may use it to read less; the engine enforces it.
    pub prefix: Option<Box<str>>,
    /// Versions that are wanted. A source may use it to read less; the engine enforces it.
    pub versions: Versions,
    /// Whether keys out of order are let through.
    pub unsorted: bool,
    /// Busy threads that the run may have in all.
    pub threads: NonZeroUsize,
    /// Asks long work to stop.
    pub cancel: CancelToken,
    slots: Option<Arc<dyn ComputeSlots>>,
    skipped: Option<Arc<dyn SkipObserver>>,
}

impl ReadContext {
    /// A context for reading these fields of a bucket with one thread, all keys, current versions.
    pub fn new(bucket: BucketName, fields: FieldSet) -> Self {
        Self {
            fields,
            bucket,
            prefix: None,
            versions: Versions::Current,
            unsorted: false,
            threads: NonZeroUsize::MIN,
            cancel: CancelToken::new(),
            slots: None,
            skipped: None,
        }
    }

    /// Shares compute slots with the other threads of the run.
    #[must_use]
    pub fn with_slots(mut self, slots: Arc<dyn ComputeSlots>) -> Self {
        self.slots = Some(slots);
        self
    }

    /// Tells this observer of entries that are left out.
    #[must_use]
    pub fn with_skip_observer(mut self, observer: Arc<dyn SkipObserver>) -> Self {
        self.skipped = Some(observer);
        self
    }

    /// Runs `work` in one of the run's compute slots, of which there are as many as the run may have busy threads.
    ///
    /// `work` must not wait for another thread of the run, nor for a network.
    pub fn compute<R>(&self, work: impl FnOnce() -> R) -> R {
        struct Slot<'a>(Option<&'a dyn ComputeSlots>);
        impl Drop for Slot<'_> {
            fn drop(&mut self) {
                if let Some(slots) = self.0 {
                    slots.release();
                }
            }
        }
        if let Some(slots) = &self.slots {
            slots.acquire();
        }
        let _slot = Slot(self.slots.as_deref());
        work()
    }

    /// Reports an entry that the source leaves out because its options allow it.
    pub fn skip(&self, entry: &SkippedEntry) {
        if let Some(observer) = &self.skipped {
            observer.skipped(entry);
        }
    }
}

impl fmt::Debug for ReadContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadContext")
            .field("fields", &self.fields)
            .field("bucket", &self.bucket)
            .finish_non_exhaustive()
    }
}

/// A counting semaphore over the busy threads of a run.
pub trait ComputeSlots: Send + Sync {
    /// Waits for a slot and takes it.
    fn acquire(&self);
    /// Gives a slot back.
    fn release(&self);
}

/// Is told of every entry that a source leaves out.
pub trait SkipObserver: Send + Sync {
    /// An entry was left out.
    fn skipped(&self, entry: &SkippedEntry);
}

/// An entry of the source that is not in the report, because the source's options allow it to be left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedEntry {
    /// The entry, as the source names it; bytes that are not UTF-8 are shown escaped.
    pub name: String,
    /// Why it was left out.
    pub reason: String,
}

/// What kind of fault ended the reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceErrorKind {
    /// The source, or a part of it, could not be read.
    Unreadable,
    /// What was read is not what it should be.
    Malformed,
    /// Keys are not in order, or a key and version stand twice.
    Order,
    /// The source cannot do what was asked of it.
    Unsupported,
    /// The run was cancelled.
    Cancelled,
}

/// A fault of a source, with the place where it stands.
#[derive(Debug)]
pub struct SourceError {
    kind: SourceErrorKind,
    position: Option<String>,
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl SourceError {
    /// An error of a kind, with a message in lower case without a full stop.
    pub fn new(kind: SourceErrorKind, message: impl Into<String>) -> Self {
        Self { kind, position: None, message: message.into(), source: None }
    }

    /// Input that is not what it should be.
    pub fn malformed(message: impl Into<String>) -> Self {
        Self::new(SourceErrorKind::Malformed, message)
    }

    /// A file or service that could not be read.
    pub fn unreadable(what: impl Into<String>, error: std::io::Error) -> Self {
        Self { kind: SourceErrorKind::Unreadable, position: None, message: what.into(), source: Some(Box::new(error)) }
    }

    /// The run was cancelled.
    pub fn cancelled() -> Self {
        Self::new(SourceErrorKind::Cancelled, "cancelled")
    }

    /// States where the fault stands: file, line, column, row.
    #[must_use]
    pub fn at(mut self, position: impl Into<String>) -> Self {
        self.position = Some(position.into());
        self
    }

    /// What kind of fault it is.
    pub fn kind(&self) -> SourceErrorKind {
        self.kind
    }

    /// Where the fault stands, if known.
    pub fn position(&self) -> Option<&str> {
        self.position.as_deref()
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(position) = &self.position {
            write!(f, "{position}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for SourceError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|error| error as _)
    }
}

impl From<RowError> for SourceError {
    fn from(error: RowError) -> Self {
        Self::malformed(error.to_string())
    }
}
