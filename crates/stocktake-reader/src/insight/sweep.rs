//! Every part of a report is read once, by the thread that comes to it first.

use super::{
    collect::{Counting, Counts},
    prefixes::{Edges, Prefixes},
};
use crate::{
    error::{ReadError, ReadErrorKind},
    part::{OpenFile, Wanted, Work},
    report::{ReadOptions, Report},
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

/// Counts of all rows.
pub(super) struct Swept {
    pub(super) counts: Counts,
    /// Whether a key came before the one above it.
    pub(super) disorder: bool,
}

/// Reads a report with as many threads as the options say.
///
/// # Errors
/// The first fault of a file in the order of files, as far as it was reached, or a cancellation.
pub(super) fn sweep(report: &Report, options: &ReadOptions, counting: &Counting) -> Result<Swept, ReadError> {
    let options = options.clone().with_fields(counting.fields).with_unknown(false);
    let mut wanted = report.wanted(&options);
    // Cancelled with the user's token, and when a part has a fault.
    wanted.cancel = options.cancel.child();
    let files = if counting.sorted { report.files_by_first_key()? } else { (0..report.files().len()).collect() };
    let shared = Mutex::new(Shared {
        report,
        files: files.into(),
        current: None,
        parts: 0,
        rows: BTreeMap::new(),
        joined: Joined::new(counting),
        fault: None,
    });
    let all = std::thread::scope(|scope| {
        let mut threads = Vec::new();
        for _ in 0..options.threads.get() {
            let thread = std::thread::Builder::new().name("stocktake-insight".to_owned());
            threads.push(thread.spawn_scoped(scope, || work(&shared, &wanted, counting)));
        }
        let mut all: Option<Counts> = None;
        for thread in threads {
            let counts = match thread.map(std::thread::ScopedJoinHandle::join) {
                Ok(Ok(counts)) => counts,
                _ => return Err(ReadError::new(ReadErrorKind::Unreadable, "a reader thread was lost")),
            };
            match &mut all {
                Some(all) => all.merge(counts),
                None => all = Some(counts),
            }
        }
        Ok(all)
    })?;
    let shared = shared.into_inner().unwrap_or_else(PoisonError::into_inner);
    if options.cancel.is_cancelled() {
        return Err(ReadError::cancelled());
    }
    if let Some((_, fault)) = shared.fault {
        return Err(fault);
    }
    compare_rows(report, &shared.rows)?;
    let mut counts = all.unwrap_or_else(|| Counts::new(counting));
    let Joined { edges, mut prefixes, .. } = shared.joined;
    let disorder = edges.disorder;
    prefixes.settle(edges);
    counts.prefixes.merge(prefixes);
    Ok(Swept { counts, disorder })
}

/// Compares the rows of files with their receipts.
fn compare_rows(report: &Report, rows: &BTreeMap<usize, u64>) -> Result<(), ReadError> {
    for (index, file) in report.files().iter().enumerate() {
        let found = rows.get(&index).copied().unwrap_or(0);
        if let Some(receipt) = file.receipt.as_ref().filter(|receipt| receipt.rows != found) {
            let text = format!("has {found} rows, its receipt says {}", receipt.rows);
            return Err(ReadError::differs(text).in_file(&file.key));
        }
    }
    Ok(())
}

/// What threads share.
struct Shared<'a> {
    report: &'a Report,
    files: VecDeque<usize>,
    current: Option<(Arc<OpenFile>, VecDeque<Work>)>,
    /// Parts that were handed out.
    parts: u64,
    /// Rows that were read of each file.
    rows: BTreeMap<usize, u64>,
    joined: Joined,
    /// The fault of the earliest part that has one.
    fault: Option<(u64, ReadError)>,
}

impl Shared<'_> {
    /// The next part and its number.
    fn take(&mut self, wanted: &Wanted) -> Option<(u64, Arc<OpenFile>, Work)> {
        loop {
            if wanted.cancel.is_cancelled() {
                return None;
            }
            if let Some((file, rest)) = &mut self.current
                && let Some(work) = rest.pop_front()
            {
                let number = self.parts;
                self.parts += 1;
                return Some((number, Arc::clone(file), work));
            }
            let index = self.files.pop_front()?;
            match self.report.open_file(index) {
                Ok(file) => {
                    let work = file.work(wanted).into();
                    self.current = Some((Arc::new(file), work));
                }
                Err(error) => {
                    self.fail(self.parts, error);
                    wanted.cancel.cancel();
                }
            }
        }
    }

    fn fail(&mut self, part: u64, error: ReadError) {
        // What was cancelled for a fault is none.
        let is_earlier = self.fault.as_ref().is_none_or(|(known, _)| part < *known);
        if is_earlier && error.kind() != ReadErrorKind::Cancelled {
            self.fault = Some((part, error));
        }
    }
}

fn work(shared: &Mutex<Shared<'_>>, wanted: &Wanted, counting: &Counting) -> Counts {
    let lock = || shared.lock().unwrap_or_else(PoisonError::into_inner);
    let mut counts = Counts::new(counting);
    loop {
        let Some((number, file, work)) = lock().take(wanted) else { break };
        let before = counts.rows;
        let read = read_part(&file, &work, wanted, &mut counts);
        let edges = counts.end_part();
        let mut shared = lock();
        match read {
            Ok(()) => {
                *shared.rows.entry(file.index).or_default() += counts.rows - before;
                shared.joined.add(number, edges);
            }
            Err(error) => {
                shared.fail(number, error);
                wanted.cancel.cancel();
            }
        }
    }
    counts.settle();
    counts
}

fn read_part(file: &OpenFile, work: &Work, wanted: &Wanted, counts: &mut Counts) -> Result<(), ReadError> {
    let Some(mut part) = file.begin(work, wanted)? else { return Ok(()) };
    while let Some(batch) = part.next()? {
        if wanted.cancel.is_cancelled() {
            return Err(ReadError::cancelled());
        }
        counts.take(&batch.rows);
    }
    Ok(())
}

/// The edges of parts, joined in their order: those that wait for one before them are no more than there are threads.
struct Joined {
    next: u64,
    waiting: BTreeMap<u64, Edges>,
    edges: Edges,
    prefixes: Prefixes,
}

impl Joined {
    fn new(counting: &Counting) -> Self {
        let mut prefixes = Prefixes::new(counting.delimiter, counting.depth, counting.sorted, counting.limit);
        Self { next: 0, waiting: BTreeMap::new(), edges: prefixes.end_part(), prefixes }
    }

    fn add(&mut self, number: u64, edges: Edges) {
        self.waiting.insert(number, edges);
        while let Some(edges) = self.waiting.remove(&self.next) {
            self.prefixes.join(&mut self.edges, edges);
            self.next += 1;
        }
    }
}
