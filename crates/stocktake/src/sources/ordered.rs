//! Work handed to several threads, results taken back in the order of the work: reading ahead without losing order.
//!
//! The window bounds what is under way, and with it memory. A worker that panics is an error, not a lost result.

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use std::{collections::VecDeque, thread::JoinHandle};
use stocktake_core::{SourceError, SourceErrorKind};

/// A bounded pool whose results come in the order of submission.
///
/// Dropping it waits for the work under way and ends the threads.
pub(crate) struct OrderedPool<J, R> {
    jobs: Option<Sender<(J, Sender<R>)>>,
    pending: VecDeque<Receiver<R>>,
    window: usize,
    threads: Vec<JoinHandle<()>>,
}

impl<J: Send + 'static, R: Send + 'static> OrderedPool<J, R> {
    /// A pool of `threads` threads with at most `window` pieces of work submitted and not taken back.
    ///
    /// `make_worker` makes the state of each thread.
    ///
    /// # Errors
    /// If a thread cannot be started.
    pub(crate) fn try_new<W>(
        name: &str,
        threads: usize,
        window: usize,
        make_worker: impl Fn() -> W,
    ) -> Result<Self, SourceError>
    where
        W: FnMut(J) -> R + Send + 'static,
    {
        // The window bounds the queue: there is never more in it.
        let (jobs, queue) = unbounded::<(J, Sender<R>)>();
        let mut pool = Self { jobs: Some(jobs), pending: VecDeque::new(), window: window.max(1), threads: Vec::new() };
        for _ in 0..threads.max(1) {
            let queue: Receiver<(J, Sender<R>)> = queue.clone();
            let mut worker = make_worker();
            let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
                for (job, reply) in queue {
                    // The taker may be gone, when the run was ended by a fault elsewhere: nobody misses the result.
                    let _ = reply.send(worker(job));
                }
            });
            pool.threads
                .push(thread.map_err(|error| SourceError::unreadable("a reader thread could not be started", error))?);
        }
        Ok(pool)
    }

    /// Whether another piece of work may be submitted.
    pub(crate) fn has_room(&self) -> bool {
        self.pending.len() < self.window
    }

    /// Submits a piece of work; the caller has asked [`OrderedPool::has_room`].
    pub(crate) fn submit(&mut self, job: J) {
        let (reply, result) = bounded(1);
        if let Some(jobs) = &self.jobs {
            // Were all workers gone, the reply is dropped with the job and `take` reports it.
            let _ = jobs.send((job, reply));
        }
        self.pending.push_back(result);
    }

    /// Waits for the oldest result; `None` if nothing is under way.
    ///
    /// # Errors
    /// If the worker that had the work is gone.
    pub(crate) fn take(&mut self) -> Result<Option<R>, SourceError> {
        let Some(result) = self.pending.pop_front() else { return Ok(None) };
        result.recv().map(Some).map_err(|_| SourceError::new(SourceErrorKind::Unreadable, "a reader thread was lost"))
    }
}

impl<J, R> Drop for OrderedPool<J, R> {
    fn drop(&mut self) {
        self.pending.clear();
        self.jobs = None;
        for thread in self.threads.drain(..) {
            // A worker that panicked was reported when its result was taken.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_work() {
        let mut pool = OrderedPool::try_new("test", 3, 5, || |job: u64| job * 2).unwrap();
        let (mut next, mut taken) = (0, 0);
        while taken < 1000 {
            while pool.has_room() && next < 1000 {
                pool.submit(next);
                next += 1;
            }
            assert_eq!(pool.take().unwrap(), Some(taken * 2));
            taken += 1;
        }
        assert_eq!(pool.take().unwrap(), None);
    }

    #[test]
    fn a_lost_worker_is_an_error() {
        let mut pool =
            OrderedPool::try_new("test", 1, 2, || |job: u64| if job == 1 { panic!("on purpose") } else { job })
                .unwrap();
        pool.submit(0);
        pool.submit(1);
        assert_eq!(pool.take().unwrap(), Some(0));
        assert!(pool.take().is_err());
        pool.submit(2);
        assert!(pool.take().is_err());
    }
}
