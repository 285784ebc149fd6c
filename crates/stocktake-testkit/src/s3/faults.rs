//! Faults that the server shows, chosen by a function of the request and its number.

use super::Request;
use std::{
    fmt,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `503 SlowDown`; the request has no effect.
    SlowDown,
    /// `500 InternalError`; the request has no effect.
    InternalError,
    /// `403 AccessDenied`; the request has no effect.
    AccessDenied,
    /// `501 NotImplemented`; the request has no effect.
    NotImplemented,
    /// The connection is closed without a reply, after the request had its effect.
    Reset,
    /// The connection is closed in the middle of the body, after the request had its effect.
    TruncatedBody,
    /// The reply stops in its middle for so many milliseconds.
    Slow(u64),
    /// A page of a listing ends in the middle of its XML, as if it were whole.
    CutXml,
    /// A page of a listing is given from the start of the listing again, whatever was asked.
    RepeatPage,
    /// Two entries of a page have changed places.
    ReorderPage,
    /// A page lacks its first entry, as if that were not in the bucket.
    LeaveOut,
    /// A page says that it is truncated, but not where the next one begins.
    NoToken,
}

type Chooser = Box<dyn Fn(&Request, u64) -> Option<Fault> + Send + Sync>;

/// Chooses the fault of each request.
pub struct Faults {
    chooser: Mutex<Option<Chooser>>,
    seen: AtomicU64,
    shown: AtomicU64,
}

impl Faults {
    pub(crate) fn new() -> Self {
        Self { chooser: Mutex::new(None), seen: AtomicU64::new(0), shown: AtomicU64::new(0) }
    }

    /// From now on this function of a request and its number, from 0, chooses faults.
    pub fn choose(&self, chooser: impl Fn(&Request, u64) -> Option<Fault> + Send + Sync + 'static) {
        self.seen.store(0, Ordering::Relaxed);
        *self.chooser.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(chooser));
    }

    /// From now on there are no faults.
    pub fn clear(&self) {
        *self.chooser.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Faults that were shown so far.
    pub fn shown(&self) -> u64 {
        self.shown.load(Ordering::Relaxed)
    }

    pub(crate) fn of(&self, request: &Request) -> Option<Fault> {
        let number = self.seen.fetch_add(1, Ordering::Relaxed);
        let chooser = self.chooser.lock().unwrap_or_else(PoisonError::into_inner);
        let fault = chooser.as_ref().and_then(|choose| choose(request, number));
        self.shown.fetch_add(u64::from(fault.is_some()), Ordering::Relaxed);
        fault
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faults").finish_non_exhaustive()
    }
}
