//! How far a run is: what is left to read and to encode, and so what its slots are still needed for.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// Counts lanes that are not read to their end, and chunks that are not encoded.
#[derive(Debug)]
pub(super) struct Progress {
    slots: usize,
    lanes: AtomicUsize,
    chunks: AtomicUsize,
}

impl Progress {
    /// A run of so many lanes in so many slots.
    pub(super) fn new(lanes: usize, slots: usize) -> Arc<Self> {
        Arc::new(Self { slots, lanes: AtomicUsize::new(lanes), chunks: AtomicUsize::new(0) })
    }

    /// A lane, one of those that the run was begun with, until it is read or given up.
    pub(super) fn lane(self: &Arc<Self>) -> Reading {
        Reading(Arc::clone(self))
    }

    /// A chunk that was read, until it is encoded or given up.
    pub(super) fn chunk(self: &Arc<Self>) -> Encoding {
        self.chunks.fetch_add(1, Ordering::Relaxed);
        Encoding(Arc::clone(self))
    }

    /// Slots that neither reading nor encoding will ask for again, beside one for what comes after them. A hint: who relies on it loses
    /// time at most.
    pub(super) fn spare_slots(&self) -> usize {
        match self.lanes.load(Ordering::Acquire) {
            0 => self.slots.saturating_sub(self.chunks.load(Ordering::Relaxed).max(1)),
            _ => 0,
        }
    }
}

/// A lane that is not read to its end.
#[derive(Debug)]
pub(super) struct Reading(Arc<Progress>);

impl Drop for Reading {
    fn drop(&mut self) {
        // Its chunks are counted before.
        self.0.lanes.fetch_sub(1, Ordering::Release);
    }
}

/// A chunk that is not encoded.
#[derive(Debug)]
pub(super) struct Encoding(Arc<Progress>);

impl Drop for Encoding {
    fn drop(&mut self) {
        self.0.chunks.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_spare_once_all_is_read() {
        let progress = Progress::new(2, 3);
        let (one, other) = (progress.lane(), progress.lane());
        let chunks: Vec<_> = (0..5).map(|_| progress.chunk()).collect();
        drop(one);
        assert_eq!(progress.spare_slots(), 0);
        drop(other);
        let spare: Vec<usize> = chunks
            .into_iter()
            .map(|chunk| {
                drop(chunk);
                progress.spare_slots()
            })
            .collect();
        assert_eq!(spare, [0, 0, 1, 2, 2]);
        assert_eq!(Progress::new(0, 1).spare_slots(), 0);
    }
}
