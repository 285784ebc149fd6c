//! How a run is carried out: what may never shape bytes.

use std::{
    fmt,
    num::{NonZeroU64, NonZeroUsize},
    sync::Arc,
};
use stocktake_core::{CancelToken, Dispatch, Receipt, SkippedEntry};

/// Threads, memory, cancellation and progress of a run. Nothing here reaches the report's bytes.
#[derive(Clone)]
#[non_exhaustive]
pub struct Execution {
    /// Busy threads of the run in all: encoding, assembling, and sources that compute. Default: 1.
    pub threads: NonZeroUsize,
    /// Limit of the run's private memory in bytes. Default: 64 MiB and 48 MiB a thread.
    pub memory_bytes: Option<NonZeroU64>,
    /// Which of the code that makes the same bytes is used: tests and measurements compare them.
    pub dispatch: Dispatch,
    /// Stops the run; nothing is published then.
    pub cancel: CancelToken,
    /// Is told of progress.
    pub observer: Arc<dyn Observer>,
}

impl Execution {
    /// A run with this many busy threads.
    pub fn with_threads(mut self, threads: NonZeroUsize) -> Self {
        self.threads = threads;
        self
    }

    /// A run with a limit of its private memory in bytes.
    pub fn with_memory_bytes(mut self, bytes: NonZeroU64) -> Self {
        self.memory_bytes = Some(bytes);
        self
    }

    /// A run by code of this kind.
    pub fn with_dispatch(mut self, dispatch: Dispatch) -> Self {
        self.dispatch = dispatch;
        self
    }

    /// A run that this token stops.
    pub fn with_cancel(mut self, cancel: CancelToken) -> Self {
        self.cancel = cancel;
        self
    }

    /// A run that tells this observer of its progress.
    pub fn with_observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = observer;
        self
    }

    /// The limit of private memory in bytes: the one set, or the formula of 64 MiB and 48 MiB a thread.
    pub fn memory_limit_bytes(&self) -> u64 {
        self.memory_bytes.map_or((64 << 20) + (48 << 20) * self.threads.get() as u64, NonZeroU64::get)
    }
}

impl Default for Execution {
    fn default() -> Self {
        Self {
            threads: NonZeroUsize::MIN,
            memory_bytes: None,
            dispatch: Dispatch::Auto,
            cancel: CancelToken::new(),
            observer: Arc::new(Silent),
        }
    }
}

impl fmt::Debug for Execution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Execution")
            .field("threads", &self.threads)
            .field("memory_bytes", &self.memory_bytes)
            .finish_non_exhaustive()
    }
}

/// Is told of a run's progress, from several threads. Calls should return at once.
pub trait Observer: Send + Sync {
    /// A chunk of `rows` rows was appended to a data file in `bytes` bytes.
    fn chunk_appended(&self, _rows: u64, _bytes: u64) {}
    /// A data file was published.
    fn shard_published(&self, _receipt: &Receipt) {}
    /// The source left out an entry.
    fn entry_skipped(&self, _entry: &SkippedEntry) {}
    /// An unfinished run is continued: so many finished data files and rows of it are kept.
    fn run_continued(&self, _stamp: &str, _files: u64, _rows: u64) {}
    /// A run of the same configuration with another stamp was begun and not finished.
    fn unfinished_run(&self, _stamp: &str) {}
}

struct Silent;

impl Observer for Silent {}
