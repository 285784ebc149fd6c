//! A destination whose writes wait at a gate until they are let through.

use std::{
    io::{self, Write},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};
use stocktake_core::{Destination, DestinationError, ObjectAttributes, PendingObject, ReportKey, ReportStore};

/// The gate that writes wait at. Clones are the same gate.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<(Mutex<State>, Condvar)>);

#[derive(Debug, Default)]
struct State {
    /// Writes that may pass; none: all may.
    left: Option<u64>,
    /// Writes that wait.
    waiting: u64,
    /// Nobody writes any more.
    over: bool,
}

impl Gate {
    /// A gate that lets nothing through.
    pub fn shut() -> Self {
        let gate = Self::default();
        gate.state().left = Some(0);
        gate
    }

    /// Lets so many writes more through.
    pub fn let_through(&self, writes: u64) {
        let mut state = self.state();
        state.left = state.left.map(|left| left.saturating_add(writes));
        self.0.1.notify_all();
    }

    /// Lets everything through from now on.
    pub fn open(&self) {
        self.state().left = None;
        self.0.1.notify_all();
    }

    /// Says that nobody writes any more: who waits for a write that waits is told.
    pub fn end(&self) {
        self.state().over = true;
        self.0.1.notify_all();
    }

    /// Waits until a write waits at the gate; false if none will.
    pub fn wait_for_a_write(&self) -> bool {
        let mut state = self.state();
        while state.waiting == 0 && !state.over {
            state = self.0.1.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.waiting > 0
    }

    /// Waits until a write waits, lets it through and waits until it has passed; false if none will come.
    pub fn pass_one(&self) -> bool {
        if !self.wait_for_a_write() {
            return false;
        }
        let mut state = self.state();
        state.left = Some(1);
        self.0.1.notify_all();
        while state.left == Some(1) {
            state = self.0.1.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        true
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pass(&self) {
        let mut state = self.state();
        state.waiting += 1;
        self.0.1.notify_all();
        while state.left == Some(0) {
            state = self.0.1.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.left = state.left.map(|left| left - 1);
        state.waiting -= 1;
        self.0.1.notify_all();
    }
}

/// Hands everything on to another destination, each write when the gate lets it through.
#[derive(Debug)]
pub struct BlockingDestination<D> {
    inner: D,
    gate: Gate,
}

impl<D> BlockingDestination<D> {
    /// A destination behind a gate.
    pub fn new(inner: D, gate: Gate) -> Self {
        Self { inner, gate }
    }

    /// The destination behind it.
    pub fn inner(&self) -> &D {
        &self.inner
    }
}

impl<D: Destination> Destination for BlockingDestination<D> {
    fn create(
        &self,
        key: &ReportKey,
        attributes: &ObjectAttributes,
    ) -> Result<Box<dyn PendingObject>, DestinationError> {
        let object = self.inner.create(key, attributes)?;
        Ok(Box::new(Pending { object, gate: self.gate.clone() }))
    }

    fn remove(&self, key: &ReportKey) -> Result<(), DestinationError> {
        self.inner.remove(key)
    }

    hands_on!();
}

struct Pending {
    object: Box<dyn PendingObject>,
    gate: Gate,
}

impl Write for Pending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.gate.pass();
        self.object.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.object.flush()
    }
}

impl PendingObject for Pending {
    fn publish(self: Box<Self>) -> Result<(), DestinationError> {
        self.object.publish()
    }
}
