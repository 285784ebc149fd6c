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

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        thread,
    };

    #[test]
    fn who_appends_goes_before_who_encodes() {
        let (slots, order) = (Slots::new(1), Mutex::new(Vec::new()));
        let note = |what| order.lock().unwrap().push(what);
        thread::scope(|scope| {
            slots.run(|| {
                scope.spawn(|| slots.run_first(|| note("append")));
                while slots.lock().first == 0 {
                    thread::yield_now();
                }
                scope.spawn(|| slots.run(|| note("encode")));
                note("held");
            });
        });
        assert_eq!(*order.lock().unwrap(), ["held", "append", "encode"]);
    }

    #[test]
    fn every_slot_is_used_and_none_twice() {
        for (free, threads) in [(1, 2), (1, 6), (2, 5), (3, 8)] {
            let (slots, busy, done) = (Slots::new(free), AtomicUsize::new(0), AtomicUsize::new(0));
            let work = || {
                assert!(busy.fetch_add(1, Ordering::SeqCst) < free);
                thread::yield_now();
                busy.fetch_sub(1, Ordering::SeqCst);
                done.fetch_add(1, Ordering::SeqCst);
            };
            thread::scope(|scope| {
                for thread in 0..threads {
                    let (slots, work) = (&slots, &work);
                    scope.spawn(move || {
                        (0..2000).for_each(|turn| match (thread + turn) % 3 {
                            0 => slots.run_first(work),
                            _ => slots.run(work),
                        })
                    });
                }
            });
            assert_eq!(done.into_inner(), threads * 2000);
            let state = slots.lock();
            assert_eq!((state.free, state.first), (free, 0));
        }
    }

    #[test]
    fn a_slot_comes_back_from_who_panics() {
        let slots = Slots::new(1);
        thread::scope(|scope| {
            let lost = scope.spawn(|| slots.run_first(|| panic!("on purpose")));
            assert!(lost.join().is_err());
        });
        slots.run(|| ());
        assert_eq!(slots.lock().free, 1);
    }
}
