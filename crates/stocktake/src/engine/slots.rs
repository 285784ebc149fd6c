//! Compute slots: a counting semaphore over the busy threads of a run.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use stocktake_core::ComputeSlots;

/// As many slots as a run may have busy threads.
///
/// Who appends what is encoded goes before who encodes more: memory is free again sooner, and still in the processor's caches.
#[derive(Debug)]
pub(super) struct Slots {
    state: Mutex<State>,
    freed: Condvar,
    freed_first: Condvar,
}

#[derive(Debug)]
struct State {
    free: usize,
    /// Those that wait and go before others.
    first: usize,
}

impl Slots {
    pub(super) fn new(slots: usize) -> Self {
        let state = Mutex::new(State { free: slots, first: 0 });
        Self { state, freed: Condvar::new(), freed_first: Condvar::new() }
    }

    /// Runs `work` in a slot; gives the slot back even if `work` panics.
    pub(super) fn run<R>(&self, work: impl FnOnce() -> R) -> R {
        self.acquire();
        self.run_held(work)
    }

    /// Runs `work` in a slot, before others that wait for one.
    pub(super) fn run_first<R>(&self, work: impl FnOnce() -> R) -> R {
        let mut state = self.lock();
        state.first += 1;
        let mut state =
            self.freed_first.wait_while(state, |state| state.free == 0).unwrap_or_else(PoisonError::into_inner);
        state.first -= 1;
        state.free -= 1;
        self.pass_on(state);
        self.run_held(work)
    }

    fn run_held<R>(&self, work: impl FnOnce() -> R) -> R {
        struct Held<'a>(&'a Slots);
        impl Drop for Held<'_> {
            fn drop(&mut self) {
                self.0.release();
            }
        }
        let _held = Held(self);
        work()
    }

    /// Wakes one of those who may take a slot now, if there is one: every change ends here, so that none is forgotten.
    fn pass_on(&self, state: MutexGuard<'_, State>) {
        let (free, first) = (state.free, state.first);
        drop(state);
        match (free, first) {
            (0, _) => {}
            (_, 0) => self.freed.notify_one(),
            _ => self.freed_first.notify_one(),
        }
    }

    /// A count is whole after every statement: a panic elsewhere cannot have spoilt it.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ComputeSlots for Slots {
    fn acquire(&self) {
        let wait = |state: &mut State| state.free == 0 || state.first > 0;
        let mut state = self.freed.wait_while(self.lock(), wait).unwrap_or_else(PoisonError::into_inner);
        state.free -= 1;
        self.pass_on(state);
    }

    fn release(&self) {
        let mut state = self.lock();
        state.free += 1;
        self.pass_on(state);
    }
}
