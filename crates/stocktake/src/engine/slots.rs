//! Compute slots: a counting semaphore over the busy threads of a run.

use std::sync::{Condvar, Mutex, PoisonError};
use stocktake_core::ComputeSlots;

/// As many slots as a run may have busy threads.
#[derive(Debug)]
pub(super) struct Slots {
    free: Mutex<usize>,
    freed: Condvar,
}

impl Slots {
    pub(super) fn new(slots: usize) -> Self {
        Self { free: Mutex::new(slots), freed: Condvar::new() }
    }

    /// Runs `work` in a slot; gives the slot back even if `work` panics.
    pub(super) fn run<R>(&self, work: impl FnOnce() -> R) -> R {
        struct Held<'a>(&'a Slots);
        impl Drop for Held<'_> {
            fn drop(&mut self) {
                self.0.release();
            }
        }
        self.acquire();
        let _held = Held(self);
        work()
    }
}

impl ComputeSlots for Slots {
    fn acquire(&self) {
        // A count is whole after every statement: a panic elsewhere cannot have spoilt it.
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = self.freed.wait_while(free, |free| *free == 0).unwrap_or_else(PoisonError::into_inner);
        *free -= 1;
    }

    fn release(&self) {
        *self.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.freed.notify_one();
    }
}
