//! Re-reads every row of a report and compares what is there with what its receipts say.
//!
//! Bytes are another matter (`stocktake verify` compares them with the manifest): a report whose rows were altered by
//! someone who computed sizes, MD5 and checksum anew has sound bytes and fails here.

mod part;

use crate::{
    error::{ReadError, ReadErrorKind},
    part::{OpenFile, Wanted, Work},
    report::{DataFile, ReadOptions, Report},
};
use part::Findings;
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt,
    sync::{Arc, Mutex, PoisonError},
};
use stocktake_core::{Field, RowDigest};

/// What a verification of rows found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RowsReport {
    /// Data files that were read.
    pub files: u64,
    /// Rows that were read.
    pub rows: u64,
    /// Digest of all rows, of the columns that the report has.
    pub row_digest: RowDigest,
    /// Whether the receipts of all files keep a digest to compare with.
    pub digest_kept: bool,
    /// Everything that is wrong, in the manifest's order.
    pub faults: Vec<RowFault>,
    /// What is unusual and breaks no promise.
    pub notes: Vec<String>,
}

/// Something that is wrong with a report's rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RowFault {
    /// Key of the data file, or of the manifest for what is wrong with all of them together.
    pub key: String,
    /// What kind of fault it is.
    pub kind: RowFaultKind,
    /// The fault in words, without the key.
    pub detail: String,
}

/// Kinds of faults of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RowFaultKind {
    /// A data file cannot be read to its end.
    Unreadable,
    /// A number of rows is not as stated.
    Rows,
    /// A digest of rows is not as stated: rows were altered.
    Digest,
    /// Keys do not ascend.
    Order,
    /// A key, or a key and version, stands twice.
    Duplicate,
    /// The first or last key of a file is not as stated.
    Range,
    /// Files hold overlapping ranges of keys.
    Overlap,
}

impl fmt::Display for RowFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.detail)
    }
}

impl RowsReport {
    /// Whether every row is as it should be.
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }

    fn add(&mut self, key: impl fmt::Display, kind: RowFaultKind, detail: impl Into<String>) {
        self.faults.push(RowFault { key: key.to_string(), kind, detail: detail.into() });
    }
}

/// Reads every data file with the threads of `options`, and compares rows, digests, order and key ranges with the receipts.
///
/// Files whose keys are in `skipped` are passed over; what all files together should have is not compared then. Of `options`,
/// threads, MD5 and cancellation count. Of a report without receipts there is less to compare: files are read to their ends,
/// and keys that do not ascend are a note.
///
/// # Errors
/// Only if the verification is cancelled or its threads cannot be started.
pub fn verify_rows(
    report: &Report,
    options: &ReadOptions,
    skipped: &BTreeSet<String>,
) -> Result<RowsReport, ReadError> {
    let wanted = Wanted { unknown: false, fields: report.fields(), ..report.wanted(options) };
    let files = (0..report.files().len()).filter(|index| !skipped.contains(report.files()[*index].key.as_str()));
    let queue =
        Mutex::new(Queue { report, wanted: &wanted, files: files.collect(), current: None, found: BTreeMap::new() });
    let versioned = report.fields().contains(Field::VersionId);
    std::thread::scope(|scope| {
        let mut threads = Vec::new();
        for _ in 0..options.threads.get() {
            let thread = std::thread::Builder::new().name("stocktake-verify".to_owned());
            threads.push(thread.spawn_scoped(scope, || work(&queue, &wanted, versioned)));
        }
        for thread in threads {
            let joined = thread.map(std::thread::ScopedJoinHandle::join);
            if !matches!(joined, Ok(Ok(()))) {
                return Err(ReadError::new(ReadErrorKind::Unreadable, "a reader thread was lost"));
            }
        }
        Ok(())
    })?;
    if options.cancel.is_cancelled() {
        return Err(ReadError::cancelled());
    }
    let found = queue.into_inner().unwrap_or_else(PoisonError::into_inner).found;
    Ok(compare(report, found, skipped.is_empty()))
}

/// Parts of a file, numbered from 1.
type Parts = VecDeque<(usize, Work)>;

/// Work that no thread has taken yet, and what was found.
struct Queue<'a> {
    report: &'a Report,
    wanted: &'a Wanted,
    files: VecDeque<usize>,
    current: Option<(Arc<OpenFile>, Parts)>,
    /// By file and part.
    found: BTreeMap<(usize, usize), Result<Findings, ReadError>>,
}

impl Queue<'_> {
    fn take(&mut self) -> Option<(Arc<OpenFile>, usize, Work)> {
        loop {
            if self.wanted.cancel.is_cancelled() {
                return None;
            }
            if let Some((file, rest)) = &mut self.current
                && let Some((part, work)) = rest.pop_front()
            {
                return Some((Arc::clone(file), part, work));
            }
            let index = self.files.pop_front()?;
            match self.report.open_file(index) {
                Ok(file) => {
                    // A file without parts is found to have no rows.
                    self.found.insert((index, 0), Ok(Findings::default()));
                    let work = file.work(self.wanted).into_iter().enumerate();
                    self.current = Some((Arc::new(file), work.map(|(part, work)| (part + 1, work)).collect()));
                }
                Err(error) => {
                    self.found.insert((index, 0), Err(error));
                }
            }
        }
    }
}

fn work(queue: &Mutex<Queue<'_>>, wanted: &Wanted, versioned: bool) {
    let lock = || queue.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let Some((file, part, work)) = lock().take() else { return };
        let found = Findings::of(&file, &work, wanted, versioned);
        lock().found.insert((file.index, part), found);
    }
}

fn compare(report: &Report, found: BTreeMap<(usize, usize), Result<Findings, ReadError>>, all: bool) -> RowsReport {
    let mut by_file: BTreeMap<usize, Result<Findings, ReadError>> = BTreeMap::new();
    for ((index, _), findings) in found {
        let file = by_file.entry(index).or_insert_with(|| Ok(Findings::default()));
        match (file, findings) {
            (Ok(file), Ok(findings)) => file.join(findings),
            (file @ Ok(_), Err(error)) => *file = Err(error),
            // The first fault of a file is told.
            (Err(_), _) => {}
        }
    }
    let mut told = RowsReport { digest_kept: true, ..RowsReport::default() };
    let sorted = report.header().is_some_and(|header| header.sorted);
    let mut whole = all;
    let mut before: Option<(usize, String)> = None;
    for (index, findings) in by_file {
        let file = &report.files()[index];
        told.files += 1;
        match findings {
            Err(error) => {
                told.add(&file.key, RowFaultKind::Unreadable, error.detail());
                whole = false;
            }
            Ok(findings) => {
                compare_file(&mut told, file, &findings, sorted);
                compare_neighbours(&mut told, report, (index, &findings), before.as_ref(), sorted);
                before = findings.last_key.clone().map(|key| (index, key)).or(before);
                told.rows += findings.rows;
                told.row_digest = told.row_digest + findings.digest;
            }
        }
    }
    if let (Some(header), true) = (report.header(), whole) {
        let key = report.manifest_key();
        if header.rows != told.rows {
            let text = format!("data files have {} rows, receipts.ndjson says {}", told.rows, header.rows);
            told.add(key, RowFaultKind::Rows, text);
        }
        if let Some(stated) = header.row_digest.filter(|stated| *stated != told.row_digest) {
            let text = format!("rows have the digest {}, receipts.ndjson says {stated}", told.row_digest);
            told.add(key, RowFaultKind::Digest, text);
        }
    }
    told
}

/// Compares a file with its receipt.
fn compare_file(told: &mut RowsReport, file: &DataFile, found: &Findings, sorted: bool) {
    if let Some((row, text)) = &found.disorder {
        if sorted {
            told.add(&file.key, RowFaultKind::Order, format!("row {row}: {text}"));
        } else {
            told.notes.push(format!("{}: row {row}: {text}", file.key));
        }
    }
    if let Some((row, text)) = &found.duplicate {
        told.add(&file.key, RowFaultKind::Duplicate, format!("row {row}: {text}"));
    }
    let Some(receipt) = &file.receipt else {
        told.digest_kept = false;
        return;
    };
    if receipt.rows != found.rows {
        let text = format!("has {} rows, its receipt says {}", found.rows, receipt.rows);
        told.add(&file.key, RowFaultKind::Rows, text);
    }
    match receipt.row_digest {
        None => told.digest_kept = false,
        Some(stated) if stated != found.digest => {
            let text = format!("rows have the digest {}, the receipt says {stated}: they were altered", found.digest);
            told.add(&file.key, RowFaultKind::Digest, text);
        }
        Some(_) => {}
    }
    for (what, found, stated) in
        [("first", &found.first_key, &receipt.first_key), ("last", &found.last_key, &receipt.last_key)]
    {
        if found != stated {
            let shown = |key: &Option<String>| key.as_ref().map_or_else(|| "none".to_owned(), |key| format!("{key:?}"));
            let text = format!("the {what} key is {}, its receipt says {}", shown(found), shown(stated));
            told.add(&file.key, RowFaultKind::Range, text);
        }
    }
}

/// Files of a sorted report follow each other without a key in common.
fn compare_neighbours(
    told: &mut RowsReport,
    report: &Report,
    (index, found): (usize, &Findings),
    before: Option<&(usize, String)>,
    sorted: bool,
) {
    let (Some((before, last)), Some(first)) = (before, found.first_key.as_ref()) else { return };
    if last < first {
        return;
    }
    let (file, before) = (&report.files()[index].key, &report.files()[*before].key);
    let text = format!("begins with key {first:?}, which does not come after the last one of {before}, {last:?}");
    if sorted {
        told.add(file, RowFaultKind::Overlap, text);
    } else {
        told.notes.push(format!("{file}: {text}"));
    }
}
