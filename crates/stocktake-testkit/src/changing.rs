//! A store in which an object changes while it is read.

use std::{
    fmt,
    io::{self, Read},
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};
use stocktake_core::{DestinationError, ReportKey, ReportStore, StoredObject};

type Change = Box<dyn FnOnce() + Send>;

/// Hands everything on to another store; once so many bytes of one object were read, by however many readers, it changes.
#[derive(Debug)]
pub struct ChangingStore<S> {
    inner: S,
    key: ReportKey,
    state: Arc<Mutex<State>>,
}

struct State {
    /// Bytes that are still read before the change.
    left_bytes: u64,
    change: Option<Change>,
}

impl<S> ChangingStore<S> {
    /// A store whose object of this key changes when `after_bytes` of it were read, before the next one is.
    pub fn new(inner: S, key: ReportKey, after_bytes: u64, change: impl FnOnce() + Send + 'static) -> Self {
        let state = State { left_bytes: after_bytes, change: Some(Box::new(change)) };
        Self { inner, key, state: Arc::new(Mutex::new(state)) }
    }

    /// Whether the object has changed.
    pub fn has_changed(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).change.is_none()
    }
}

impl<S: ReportStore> ReportStore for ChangingStore<S> {
    fn head(&self, key: &ReportKey) -> Result<Option<StoredObject>, DestinationError> {
        self.inner.head(key)
    }

    fn open_range(&self, key: &ReportKey, range: Range<u64>) -> Result<Box<dyn Read + Send>, DestinationError> {
        let reader = self.inner.open_range(key, range)?;
        if *key != self.key {
            return Ok(reader);
        }
        Ok(Box::new(Changing { reader, state: Arc::clone(&self.state) }))
    }

    fn list(&self, prefix: &str) -> Result<Vec<ReportKey>, DestinationError> {
        self.inner.list(prefix)
    }
}

struct Changing {
    reader: Box<dyn Read + Send>,
    state: Arc<Mutex<State>>,
}

impl Read for Changing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let most = if state.left_bytes > 0 {
            buffer.len().min(usize::try_from(state.left_bytes).unwrap_or(usize::MAX))
        } else {
            if let Some(change) = state.change.take() {
                change();
            }
            buffer.len()
        };
        let length = self.reader.read(&mut buffer[..most])?;
        state.left_bytes = state.left_bytes.saturating_sub(length as u64);
        Ok(length)
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("left_bytes", &self.left_bytes).finish_non_exhaustive()
    }
}
