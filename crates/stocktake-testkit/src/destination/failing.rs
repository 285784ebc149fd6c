//! A destination that fails where it is told to, and remembers what was done in which order.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use stocktake_core::{Destination, DestinationError, ObjectAttributes, PendingObject, ReportKey, ReportStore};

/// Where a [`FailingDestination`] fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// All objects together take this many bytes; from then on each write fails as on a full disk.
    FullAfter {
        /// Bytes that are accepted.
        bytes: u64,
    },
    /// The n-th operation of this kind, counted from 1, fails; those before and after it do not.
    Nth {
        /// Kind of the operation.
        operation: Operation,
        /// Its number, from 1.
        number: u64,
    },
}

/// What is done with an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// An object is begun.
    Create,
    /// An object is published.
    Publish,
    /// A pending object is dropped. It cannot fail.
    Abort,
    /// An object is removed.
    Remove,
}

/// An operation as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What was asked for.
    pub operation: Operation,
    /// The object's key.
    pub key: ReportKey,
    /// Whether it succeeded.
    pub succeeded: bool,
}

/// Hands everything on to another destination, records operations in order and fails at one place.
///
/// A failed publication is recorded as such, and again as the abort that it is.
#[derive(Debug)]
pub struct FailingDestination<D> {
    inner: D,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    fault: Option<Fault>,
    record: Mutex<Record>,
}

#[derive(Debug, Default)]
struct Record {
    events: Vec<Event>,
    /// Operations begun, by kind.
    begun: [u64; 4],
    written_bytes: u64,
}

impl<D> FailingDestination<D> {
    /// A destination that fails at one place.
    pub fn new(inner: D, fault: Fault) -> Self {
        Self::with_fault(inner, Some(fault))
    }

    /// A destination that never fails by itself, and records operations.
    pub fn recording(inner: D) -> Self {
        Self::with_fault(inner, None)
    }

    fn with_fault(inner: D, fault: Option<Fault>) -> Self {
        Self { inner, state: Arc::new(State { fault, record: Mutex::default() }) }
    }

    /// The destination behind it.
    pub fn inner(&self) -> &D {
        &self.inner
    }

    /// Operations so far, in the order in which they ended.
    pub fn events(&self) -> Vec<Event> {
        self.state.record().events.clone()
    }

    /// Keys that were published, in order.
    pub fn published(&self) -> Vec<ReportKey> {
        let published = |event: &Event| event.succeeded && event.operation == Operation::Publish;
        self.events().into_iter().filter(published).map(|event| event.key).collect()
    }

    /// Bytes that all objects accepted so far.
    pub fn written_bytes(&self) -> u64 {
        self.state.record().written_bytes
    }
}

impl State {
    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does an operation unless its turn to fail has come, and records it.
    fn run<T>(
        &self,
        operation: Operation,
        key: &ReportKey,
        work: impl FnOnce() -> Result<T, DestinationError>,
    ) -> Result<T, DestinationError> {
        let number = {
            let mut record = self.record();
            record.begun[operation as usize] += 1;
            record.begun[operation as usize]
        };
        let fails = self.fault == Some(Fault::Nth { operation, number });
        let done = if fails {
            let error = io::Error::other("it was told to fail here");
            Err(DestinationError::io(key, format!("{operation:?} fails on purpose"), error))
        } else {
            work()
        };
        self.note(operation, key, done.is_ok());
        done
    }

    fn note(&self, operation: Operation, key: &ReportKey, succeeded: bool) {
        self.record().events.push(Event { operation, key: key.clone(), succeeded });
    }

    /// How many of these bytes still fit.
    fn room(&self, wanted: usize) -> usize {
        let Some(Fault::FullAfter { bytes }) = self.fault else { return wanted };
        let room = bytes.saturating_sub(self.record().written_bytes);
        wanted.min(usize::try_from(room).unwrap_or(usize::MAX))
    }
}

impl<D: Destination> Destination for FailingDestination<D> {
    fn create(
        &self,
        key: &ReportKey,
        attributes: &ObjectAttributes,
    ) -> Result<Box<dyn PendingObject>, DestinationError> {
        let object = self.state.run(Operation::Create, key, || self.inner.create(key, attributes))?;
        Ok(Box::new(Pending { object: Some(object), key: key.clone(), state: Arc::clone(&self.state) }))
    }

    fn remove(&self, key: &ReportKey) -> Result<(), DestinationError> {
        self.state.run(Operation::Remove, key, || self.inner.remove(key))
    }

    hands_on!();
}

struct Pending {
    /// None once it was published or failed to be.
    object: Option<Box<dyn PendingObject>>,
    key: ReportKey,
    state: Arc<State>,
}

impl Pending {
    fn object(&mut self) -> io::Result<&mut Box<dyn PendingObject>> {
        self.object.as_mut().ok_or_else(|| io::Error::other("the object is published"))
    }
}

impl Write for Pending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.state.room(bytes.len());
        if room == 0 && !bytes.is_empty() {
            return Err(io::Error::new(io::ErrorKind::StorageFull, "the destination is full on purpose"));
        }
        let written = self.object()?.write(&bytes[..room])?;
        self.state.record().written_bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.object()?.flush()
    }
}

impl PendingObject for Pending {
    fn publish(mut self: Box<Self>) -> Result<(), DestinationError> {
        let Self { object, key, state } = &mut *self;
        let published = state.run(Operation::Publish, key, || match object.take() {
            Some(object) => object.publish(),
            None => unreachable!("only publishing and dropping take the object, and either ends it"),
        });
        if published.is_err() {
            // After a failure on purpose the object is still here.
            drop(object.take());
            state.note(Operation::Abort, key, true);
        }
        published
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if let Some(object) = self.object.take() {
            drop(object);
            self.state.note(Operation::Abort, &self.key, true);
        }
    }
}
