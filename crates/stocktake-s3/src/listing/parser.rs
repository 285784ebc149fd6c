//! The threads that take a listing's pages apart.
//!
//! They wait for a compute slot, which tasks of the client must not: whoever has the slot may wait for an upload of this very client.
//! And pages are made by a few threads that stay: made by many, they lie scattered over the arenas of an allocator, which grow with the
//! number of keys.

use super::{page::Page, request::ListRequest};
use crate::client::{Answer, S3Client};
use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
};
use stocktake_core::ReadContext;
use tokio::{
    sync::oneshot::{Sender, channel},
    time::{Duration, Instant},
};

/// Most threads: two take apart what a gigabit a second brings.
const THREADS_MAX: usize = 2;

/// A reply, and where its page goes.
type Job = (Answer, Sender<Result<Page, String>>);

/// Replies that wait: one at most for each request under way.
#[derive(Default)]
struct Jobs {
    waiting: VecDeque<Job>,
    ended: bool,
    took: Duration,
}

#[derive(Default)]
struct Queue {
    jobs: Mutex<Jobs>,
    came: Condvar,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nobody waits for a reply that is in the queue then.
    fn end(&self) {
        let mut jobs = self.lock();
        jobs.ended = true;
        jobs.waiting.clear();
        self.came.notify_all();
    }
}

/// Hands replies to the threads.
#[derive(Clone)]
pub(super) struct Replies(Arc<Queue>);

impl Replies {
    /// The page of a reply; none: the threads have ended, and nobody but a listing that failed wants it.
    pub(super) async fn page(&self, answer: Answer) -> Result<Option<Page>, String> {
        let (reply, page) = channel();
        {
            let mut jobs = self.0.lock();
            if jobs.ended {
                return Ok(None);
            }
            jobs.waiting.push_back((answer, reply));
        }
        self.0.came.notify_one();
        page.await.ok().transpose()
    }
}

/// The threads; dropped, they take no more pages apart, and are waited for.
pub(super) struct Parser {
    queue: Arc<Queue>,
    threads: Vec<JoinHandle<()>>,
}

impl Parser {
    /// Starts the threads, no more than the run may have busy.
    ///
    /// # Errors
    /// If one cannot be started.
    pub(super) fn start(
        client: Arc<S3Client>,
        request: Arc<ListRequest>,
        context: ReadContext,
    ) -> std::io::Result<Self> {
        let mut parser = Self { queue: Arc::default(), threads: Vec::new() };
        for _ in 0..context.threads.get().min(THREADS_MAX) {
            let (queue, client) = (Arc::clone(&parser.queue), Arc::clone(&client));
            let (request, context) = (Arc::clone(&request), context.clone());
            let work = move || work(&queue, &client, &request, &context);
            parser.threads.push(std::thread::Builder::new().name("stocktake-list".to_owned()).spawn(work)?);
        }
        Ok(parser)
    }

    pub(super) fn replies(&self) -> Replies {
        Replies(Arc::clone(&self.queue))
    }

    /// Time that pages took so far.
    pub(super) fn took(&self) -> Duration {
        self.queue.lock().took
    }
}

impl Drop for Parser {
    fn drop(&mut self) {
        self.queue.end();
        for thread in self.threads.drain(..) {
            // A thread that panicked has failed the requests whose replies it had.
            let _ = thread.join();
        }
    }
}

fn work(queue: &Queue, client: &S3Client, request: &ListRequest, context: &ReadContext) {
    struct EndAnyhow<'a>(&'a Queue);
    impl Drop for EndAnyhow<'_> {
        fn drop(&mut self) {
            self.0.end();
        }
    }
    let _end = EndAnyhow(queue);
    loop {
        let mut jobs = queue.lock();
        let (answer, reply) = loop {
            if jobs.ended {
                return;
            }
            match jobs.waiting.pop_front() {
                Some(job) => break job,
                None => jobs = queue.came.wait(jobs).unwrap_or_else(PoisonError::into_inner),
            }
        };
        drop(jobs);
        let (page, took) = context.compute(|| {
            let started = Instant::now();
            (request.parse(&answer), started.elapsed())
        });
        client.give_back(answer);
        queue.lock().took += took;
        // A request that was given up does not want its page any more.
        let _ = reply.send(page);
    }
}
