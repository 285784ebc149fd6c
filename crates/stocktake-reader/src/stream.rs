//! The rows of a report, decoded by several threads and handed out in order.
//!
//! Work is handed out part by part, a few parts ahead; each part has a queue of its own, which its thread fills and the
//! taker empties when its turn has come. The queues bound what is decoded ahead.

use crate::{
    error::{ReadError, ReadErrorKind},
    part::{FileBatch, OpenFile, Wanted, Work},
    report::{ReadOptions, Report},
};
use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use std::{collections::VecDeque, fmt, sync::Arc, thread::JoinHandle};
use stocktake_core::ReadContext;

/// Batches of some thousand rows that wait in each part's queue: a row group or stripe of usual size is decoded whole while
/// the one before it is taken.
pub const BATCHES_AHEAD: usize = 16;

/// As [`BATCHES_AHEAD`], for a reading that is part of a run: the run's memory is counted in chunks.
const BATCHES_AHEAD_IN_RUN: usize = 4;

/// Parts beyond one for each thread that are handed out: a thread that is done finds its next one waiting.
const PARTS_EXTRA: usize = 1;

/// What a part's queue holds.
enum Decoded {
    Rows(Box<FileBatch>),
    /// The part was read to its end.
    End,
}

struct Job {
    file: Arc<OpenFile>,
    work: Option<Work>,
    decoded: Sender<Result<Decoded, ReadError>>,
}

struct Pending {
    file: usize,
    /// Whether it is the last part of its file.
    last: bool,
    decoded: Receiver<Result<Decoded, ReadError>>,
}

/// The rows of a report in order: an iterator that ends after its first error.
///
/// Dropped, it stops its threads and waits for them.
pub struct Batches {
    report: Report,
    wanted: Wanted,
    /// Files that were not begun, and the one whose work is handed out.
    files: std::vec::IntoIter<usize>,
    current: Option<(Arc<OpenFile>, VecDeque<Option<Work>>)>,
    pending: VecDeque<Pending>,
    window: usize,
    batches_ahead: usize,
    jobs: Option<Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
    file_rows: u64,
    rows: u64,
    ended: bool,
}

impl Batches {
    pub(crate) fn begin(report: Report, options: &ReadOptions) -> Result<Self, ReadError> {
        let files = options.files.clone().unwrap_or_else(|| (0..report.files().len()).collect());
        let mut wanted = report.wanted(options);
        // Cancelled with the user's token, and when the reading is given up.
        wanted.cancel = options.cancel.child();
        let threads = options.threads.get();
        // The window bounds the queue: there is never more in it.
        let (jobs, queue) = unbounded::<Job>();
        let mut batches = Self {
            report,
            wanted,
            files: files.into_iter(),
            current: None,
            pending: VecDeque::new(),
            window: threads + PARTS_EXTRA,
            batches_ahead: if options.context.is_some() { BATCHES_AHEAD_IN_RUN } else { BATCHES_AHEAD },
            jobs: Some(jobs),
            threads: Vec::new(),
            file_rows: 0,
            rows: 0,
            ended: false,
        };
        for _ in 0..threads {
            let (queue, wanted, context) = (queue.clone(), batches.wanted.clone(), options.context.clone());
            let thread = std::thread::Builder::new()
                .name("stocktake-decode".to_owned())
                .spawn(move || queue.iter().for_each(|job| job.carry_out(&wanted, context.as_ref())));
            batches.threads.push(thread.map_err(|error| {
                ReadError::because(ReadErrorKind::Unreadable, "a reader thread could not be started", error)
            })?);
        }
        Ok(batches)
    }

    /// Rows that were handed out.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Hands out work until the window is full or there is none left.
    fn hand_out(&mut self) {
        while self.pending.len() < self.window {
            if self.current.is_none() {
                let Some(index) = self.files.next() else { return };
                match self.report.open_file(index) {
                    Ok(file) => {
                        let mut work: VecDeque<_> = file.work(&self.wanted).into_iter().map(Some).collect();
                        if work.is_empty() {
                            // A file without row groups or stripes is closed like others.
                            work.push_back(None);
                        }
                        self.current = Some((Arc::new(file), work));
                    }
                    Err(error) => {
                        // It is told when the rows of the files before it were taken.
                        let (decoded, taken) = bounded(1);
                        // The other end is here.
                        let _ = decoded.send(Err(error));
                        self.pending.push_back(Pending { file: index, last: true, decoded: taken });
                        self.files = Vec::new().into_iter();
                        return;
                    }
                }
            }
            let Some((file, rest)) = &mut self.current else { return };
            let Some(work) = rest.pop_front() else {
                self.current = None;
                continue;
            };
            let (decoded, taken) = bounded(self.batches_ahead);
            self.pending.push_back(Pending { file: file.index, last: rest.is_empty(), decoded: taken });
            if let Some(jobs) = &self.jobs {
                // Were all threads gone, the job would be dropped, and the end of its queue without a mark reported.
                let _ = jobs.send(Job { file: Arc::clone(file), work, decoded });
            }
        }
    }

    fn take(&mut self) -> Result<Option<FileBatch>, ReadError> {
        loop {
            if self.wanted.cancel.is_cancelled() {
                return Err(ReadError::cancelled());
            }
            self.hand_out();
            let Some(front) = self.pending.front() else { return Ok(None) };
            let lost = |_| Err(ReadError::new(ReadErrorKind::Unreadable, "a reader thread was lost"));
            match front.decoded.recv().unwrap_or_else(lost)? {
                Decoded::Rows(batch) => {
                    self.file_rows += batch.rows.len() as u64;
                    self.rows += batch.rows.len() as u64;
                    return Ok(Some(*batch));
                }
                Decoded::End => {
                    if let Some(Pending { file, last: true, .. }) = self.pending.pop_front() {
                        self.close_file(file)?;
                    }
                }
            }
        }
    }

    /// Compares a file's rows with its receipt.
    fn close_file(&mut self, index: usize) -> Result<(), ReadError> {
        let rows = std::mem::take(&mut self.file_rows);
        let file = &self.report.files()[index];
        match &file.receipt {
            Some(receipt) if receipt.rows != rows => {
                let text = format!("has {rows} rows, its receipt says {}", receipt.rows);
                Err(ReadError::differs(text).in_file(&file.key))
            }
            _ => Ok(()),
        }
    }
}

impl Iterator for Batches {
    type Item = Result<FileBatch, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.take().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}

impl Job {
    /// Decodes a part into its queue, until its end, its fault, or until nobody takes from it any more.
    fn carry_out(self, wanted: &Wanted, context: Option<&ReadContext>) {
        let step = |step: &mut dyn FnMut() -> Result<Option<FileBatch>, ReadError>| match context {
            Some(context) => context.compute(step),
            None => step(),
        };
        if wanted.cancel.is_cancelled() {
            // As the taker finds out by itself.
            let _ = self.decoded.send(Err(ReadError::cancelled()));
            return;
        }
        let mut part = None;
        let begun = step(&mut || {
            part = self.work.as_ref().map(|work| self.file.begin(work, wanted)).transpose()?.flatten();
            Ok(None)
        });
        if let Err(error) = begun {
            // Who does not take any more misses no fault.
            let _ = self.decoded.send(Err(error));
            return;
        }
        while let Some(reader) = &mut part {
            let decoded = match step(&mut || reader.next()) {
                Ok(Some(batch)) => Ok(Decoded::Rows(Box::new(batch))),
                Ok(None) => break,
                Err(error) => Err(error),
            };
            let failed = decoded.is_err();
            if self.decoded.send(decoded).is_err() || failed {
                return;
            }
        }
        // As above.
        let _ = self.decoded.send(Ok(Decoded::End));
    }
}

impl fmt::Debug for Batches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batches").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl Drop for Batches {
    fn drop(&mut self) {
        // Threads find their queues closed, and then no job that they would still begin.
        self.wanted.cancel.cancel();
        self.pending.clear();
        self.jobs = None;
        for thread in self.threads.drain(..) {
            // A thread that panicked was reported by the end of its queue.
            let _ = thread.join();
        }
    }
}
