//! Memory permits: a budget in bytes that chunks take from, in order, and give back when they are hashed.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Bytes that the chunks of a run may need together.
#[derive(Debug)]
pub(super) struct Budget {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    free_bytes: u64,
    /// Turns given out and turns served: permits are granted in the order in which they were asked for, so that a lane
    /// with large chunks is not passed over for ever.
    turns: u64,
    served: u64,
}

impl Budget {
    pub(super) fn new(bytes: u64) -> Arc<Self> {
        Arc::new(Self { state: Mutex::new(State { free_bytes: bytes, turns: 0, served: 0 }), changed: Condvar::new() })
    }

    /// Waits until `bytes` are free and takes them. The caller keeps `bytes` within the whole budget.
    pub(super) fn acquire(self: &Arc<Self>, bytes: u64) -> Permit {
        // Every statement leaves the state whole: a panic elsewhere cannot have spoilt it.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = state.turns;
        state.turns += 1;
        let waiting = |state: &mut State| state.served != turn || state.free_bytes < bytes;
        let mut state = self.changed.wait_while(state, waiting).unwrap_or_else(PoisonError::into_inner);
        state.free_bytes -= bytes;
        state.served += 1;
        self.changed.notify_all();
        Permit { budget: Arc::clone(self), bytes }
    }

    fn give_back(&self, bytes: u64) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).free_bytes += bytes;
        self.changed.notify_all();
    }
}

/// Bytes taken from a budget; given back when dropped.
#[derive(Debug)]
pub(super) struct Permit {
    budget: Arc<Budget>,
    bytes: u64,
}

impl Permit {
    /// Gives back what is held beyond `bytes`.
    pub(super) fn shrink_to(&mut self, bytes: u64) {
        if bytes < self.bytes {
            self.budget.give_back(self.bytes - bytes);
            self.bytes = bytes;
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.budget.give_back(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permits_never_exceed_the_budget() {
        let budget = Budget::new(10);
        let mut first = budget.acquire(8);
        first.shrink_to(3);
        let second = budget.acquire(7);
        let waiter = {
            let budget = Arc::clone(&budget);
            std::thread::spawn(move || drop(budget.acquire(10)))
        };
        drop(first);
        assert!(!waiter.is_finished());
        drop(second);
        waiter.join().unwrap();
        assert_eq!(budget.state.lock().unwrap().free_bytes, 10);
    }
}
