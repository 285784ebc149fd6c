//! The journal of a run: what it was begun with and each finished data file, kept at the destination until the report is
//! published.
//!
//! ```text
//! begin ─► (data file, its entry)* ─► symlink.txt ─► receipts.ndjson ─► manifest.json ─► manifest.checksum ─► entries go, begin last
//! ```
//!
//! An entry follows the data file that it tells of, so that what is journaled is there; a data file without an entry is
//! known by its name. Objects are written once. A journal beside its published report says nothing any more. Inside
//! envelopes the journal is encrypted as the report is. It does not know what becomes of a journal: `recover` and `abandon`
//! do.

use super::{GenerateError, GenerateErrorKind, KeptRun, Recovery, publish};
use std::{
    collections::BTreeSet,
    io::Read,
    sync::{Mutex, PoisonError},
};
use stocktake_core::{
    Destination, DestinationError, DestinationErrorKind, JournalBegin, JournalEntry, Manifest, ObjectAttributes,
    ObjectSource, Order, Receipt, ReceiptsHeader, ReportKey, ReportLayout, ReportRoot, ReportSpec, ReportStore,
    parse_receipts,
};

/// Most bytes of a journal's object or of receipts that are read: those of any report that this program writes, tens of
/// thousands of lanes and data files.
const TEXT_BYTES_MAX: u64 = 256 << 20;

/// Objects that are looked at at the same time: a destination far away answers for each after some time.
const READERS: usize = 8;

/// The journal of one report.
pub(super) struct Journal<'a> {
    pub(super) destination: &'a dyn Destination,
    /// Objects as they are stored, by which data files are confirmed.
    pub(super) store: &'a dyn ReportStore,
    /// Objects as they were written.
    contents: &'a dyn ReportStore,
    pub(super) layout: ReportLayout,
    kept: Mutex<Kept>,
    /// What the journal that is followed was begun with, as it is written; empty before.
    begun: Mutex<Begun>,
}

/// The first object of the journal that is followed.
#[derive(Debug, Default)]
struct Begun {
    run: String,
    text: Vec<u8>,
}

/// Whose a journal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// The run that follows it, or continues it.
    This,
    /// Another run of the same report, begun after this one was abandoned.
    Another,
    /// Nobody's: it is gone.
    Nobody,
}

/// Finished data files that the journal tells of: as many as receipts of shards, which the run holds anyway.
#[derive(Debug, Default)]
struct Kept {
    files: Vec<ReportKey>,
    rows: u64,
}

impl<'a> Journal<'a> {
    /// The journal that a run keeps; none if it keeps none.
    ///
    /// # Errors
    /// If an unfinished run is to be continued and the source or the destination does not allow it.
    pub(super) fn of_run(
        source: &dyn ObjectSource,
        spec: &ReportSpec,
        destination: &'a dyn Destination,
        recovery: Recovery,
    ) -> Result<Option<Self>, GenerateError> {
        if recovery == Recovery::None {
            return Ok(None);
        }
        let obstacle = if !source.reopens() {
            "the source can be read only once"
        } else if spec.order() != Order::Sorted {
            "its keys are in no order"
        } else if let Some(journal) = Self::new(destination, ReportLayout::new(spec)) {
            return Ok(Some(journal));
        } else {
            "the destination cannot be read"
        };
        if recovery == Recovery::Resume {
            let text = format!("the run cannot be continued: {obstacle}");
            return Err(GenerateError::new(GenerateErrorKind::Invalid, text));
        }
        Ok(None)
    }

    /// The journal of a report; none where the destination has no reading side.
    pub(super) fn new(destination: &'a dyn Destination, layout: ReportLayout) -> Option<Self> {
        let (store, contents) = (destination.store()?, destination.contents()?);
        Some(Self { destination, store, contents, layout, kept: Mutex::default(), begun: Mutex::default() })
    }

    /// Writes down that a run begins.
    ///
    /// # Errors
    /// [`DestinationErrorKind::AlreadyExists`] if one has begun already.
    pub(super) fn begin(&self, begin: &JournalBegin) -> Result<(), GenerateError> {
        let text = begin.to_text();
        self.write(&self.layout.journal_begin(), &text)?;
        self.follow(begin, text.into_bytes());
        Ok(())
    }

    fn follow(&self, begin: &JournalBegin, text: Vec<u8>) {
        *self.begun.lock().unwrap_or_else(PoisonError::into_inner) = Begun { run: begin.run.clone(), text };
    }

    /// The run whose journal this is.
    pub(super) fn run(&self) -> String {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner).run.clone()
    }

    /// Writes a published data file down.
    pub(super) fn keep(&self, entry: JournalEntry) -> Result<(), GenerateError> {
        let entry = entry.with_run(self.run());
        let Receipt { lane, shard, attempt, .. } = entry.receipt;
        self.write(&self.layout.journal_entry(lane, shard, attempt), &entry.to_text())?;
        self.note(&entry.receipt);
        Ok(())
    }

    /// Counts a data file that the journal tells of.
    pub(super) fn note(&self, receipt: &Receipt) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.files.extend(receipt.file.as_ref().map(|file| file.key.clone()));
        kept.rows += receipt.rows;
    }

    fn write(&self, key: &ReportKey, text: &str) -> Result<(), GenerateError> {
        let attributes = ObjectAttributes::new("application/json");
        let object = publish::write(self.destination, key, text.as_bytes(), &attributes)?;
        object.publish().map_err(GenerateError::from)
    }

    /// What the run was begun with; none if none was.
    ///
    /// # Errors
    /// If the object cannot be read, or is not one that a run writes; if a run with the same stamp was begun that is inside
    /// envelopes where this one is not, or the other way round.
    pub(super) fn read_begin(&self) -> Result<Option<JournalBegin>, GenerateError> {
        let key = self.layout.journal_begin();
        let Some(text) = read(self.contents, &key)? else {
            for other in self.layout.root().journal_begins(self.layout.stamp()) {
                if other != key && self.store.head(&other)?.is_some() {
                    let text = format!("a run with this stamp was begun with another encryption at rest: {other}");
                    return Err(GenerateError::new(GenerateErrorKind::Unfinished, text));
                }
            }
            return Ok(None);
        };
        let begin = JournalBegin::parse(&text).map_err(|error| {
            // No kind that says it can be continued or abandoned: both need what it noted.
            let what = format!("a run with this stamp was begun, and what it noted cannot be read ({key})");
            GenerateError::caused(GenerateErrorKind::Destination(DestinationErrorKind::Io), what, error)
        })?;
        self.follow(&begin, text);
        Ok(Some(begin))
    }

    /// Whose the journal is now: while this run goes on it may be abandoned, and another be begun in its place.
    pub(super) fn owner(&self) -> Result<Owner, DestinationError> {
        let text = read(self.contents, &self.layout.journal_begin())?;
        let begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(match text {
            None => Owner::Nobody,
            Some(text) if text == begun.text => Owner::This,
            Some(_) => Owner::Another,
        })
    }

    /// Keys of entries, in order.
    pub(super) fn entry_keys(&self) -> Result<Vec<ReportKey>, DestinationError> {
        let begin = self.layout.journal_begin();
        Ok(self.store.list(&self.layout.journal())?.into_iter().filter(|key| *key != begin).collect())
    }

    /// Reads entries and does `work` with each, several at a time; answers are in the order of keys.
    ///
    /// An object that is no entry gives none: what it told of is as if it were not journaled.
    pub(super) fn each_entry<T: Send>(
        &self,
        keys: &[ReportKey],
        work: impl Fn(JournalEntry) -> Result<Option<T>, DestinationError> + Sync,
    ) -> Result<Vec<Option<T>>, DestinationError> {
        let one = |key: &ReportKey| match read(self.contents, key)? {
            Some(text) => JournalEntry::parse(&text).map_or(Ok(None), &work),
            None => Ok(None),
        };
        self.side_by_side(keys, one)
    }

    /// Does `work` with items that a destination far away answers for, several at a time; answers are in their order.
    pub(super) fn side_by_side<I: Sync, T: Send>(
        &self,
        items: &[I],
        work: impl Fn(&I) -> Result<T, DestinationError> + Sync,
    ) -> Result<Vec<T>, DestinationError> {
        let share = items.len().div_ceil(READERS).max(1);
        let work = &work;
        std::thread::scope(|scope| {
            let threads: Vec<_> = items
                .chunks(share)
                .map(|share| {
                    let look = move || share.iter().map(work).collect::<Result<Vec<_>, _>>();
                    let thread = std::thread::Builder::new().name("stocktake-journal".to_owned());
                    (share, thread.spawn_scoped(scope, look))
                })
                .collect();
            let mut all = Vec::with_capacity(items.len());
            for (share, thread) in threads {
                let lost = || {
                    let text = "a thread that looked at the journal was lost";
                    DestinationError::new(DestinationErrorKind::Io, self.layout.journal(), text)
                };
                match thread {
                    Ok(thread) => all.extend(thread.join().map_err(|_| lost())??),
                    // Where no more threads are to be had, this one looks at its share.
                    Err(_) => all.extend(share.iter().map(work).collect::<Result<Vec<_>, _>>()?),
                }
            }
            Ok(all)
        })
    }

    /// Removes the journal, its first object last.
    pub(super) fn remove(&self) -> Result<(), DestinationError> {
        for key in self.entry_keys()? {
            self.destination.remove(&key)?;
        }
        let begin = self.layout.journal_begin();
        self.destination.remove(&begin)?;
        self.destination.remove_remains(&[begin]).map(drop)
    }

    /// The error of a run that failed, with what the run keeps. One that finished no data file keeps nothing, and neither
    /// does one whose journal was taken away while it went on: nobody would find what it wrote since.
    pub(super) fn settle(&self, error: GenerateError) -> GenerateError {
        let Kept { files, rows } = std::mem::take(&mut *self.kept.lock().unwrap_or_else(PoisonError::into_inner));
        // A destination that does not answer has the journal still, for all that is known.
        match self.owner().unwrap_or(Owner::This) {
            Owner::This if !files.is_empty() => {
                let (stamp, files) = (self.layout.stamp().to_owned(), files.len() as u64);
                return error.with_kept(KeptRun { stamp, files, rows });
            }
            // The other run gives its data files the same names, and journals them after they are there: which of them are
            // whose cannot be told, and neither they nor its journal may go.
            Owner::Another => {
                let text = |key: &ReportKey| format!("{key}: stays, for another run with this stamp has begun");
                return error.with_leftovers(files.iter().map(text).collect());
            }
            Owner::This | Owner::Nobody => {}
        }
        let error = error.with_leftovers(self.take_back(files));
        match self.remove() {
            Ok(()) => error,
            Err(left) => error.with_leftovers(vec![left.to_string()]),
        }
    }

    /// Removes data files; returns those that could not be removed, each with the reason. Those of a published report stay:
    /// a run with this stamp that began after this one was abandoned gives its data files the same names.
    fn take_back(&self, mut files: Vec<ReportKey>) -> Vec<String> {
        if files.is_empty() {
            return Vec::new();
        }
        match self.published_files() {
            Ok(published) => {
                files.retain(|key| !published.contains(key.as_str()));
                publish::remove(self.destination, files)
            }
            Err(error) => files.iter().map(|key| format!("{key}: {error}")).collect(),
        }
    }

    /// Keys of the data files of a published report of the same stamp, which another run may share.
    pub(super) fn published_files(&self) -> Result<BTreeSet<String>, DestinationError> {
        if self.store.head(&self.layout.checksum())?.is_none() {
            return Ok(BTreeSet::new());
        }
        let text = read(self.store, &self.layout.manifest())?.unwrap_or_default();
        let manifest = Manifest::parse(&text).map_err(|error| {
            let text = format!("cannot be read: {error}");
            DestinationError::new(DestinationErrorKind::Io, self.layout.manifest(), text)
        })?;
        Ok(manifest.files.into_iter().map(|file| file.key).collect())
    }

    /// Header and receipts of the report of this stamp, if one is published that tells them.
    pub(super) fn published(&self) -> Result<Option<(ReceiptsHeader, Vec<Receipt>)>, DestinationError> {
        if self.store.head(&self.layout.checksum())?.is_none() {
            return Ok(None);
        }
        let text = read(self.contents, &self.layout.receipts())?;
        Ok(text.and_then(|text| parse_receipts(&text).ok()))
    }

    /// Whether the report of a run that was begun is published: nothing but its journal is left of the run then.
    pub(super) fn is_published(&self, begin: &JournalBegin) -> Result<bool, DestinationError> {
        let Some((header, receipts)) = self.published()? else { return Ok(false) };
        // A report that the run was to replace has another attempt.
        let of_run = |receipt: &Receipt| receipt.attempt == begin.attempt;
        Ok(header.report_id == begin.layout.report_id() && receipts.iter().all(of_run))
    }
}

/// Stamps of the journals of a configuration, in order.
pub(super) fn stamps(store: &dyn ReportStore, root: &ReportRoot) -> Result<Vec<String>, DestinationError> {
    let keys = store.list(&root.journals())?;
    let mut stamps: Vec<String> =
        keys.iter().filter_map(|key| root.journal_of(key)).map(|(stamp, _)| stamp.to_owned()).collect();
    stamps.sort_unstable();
    stamps.dedup();
    Ok(stamps)
}

/// What the journal of a stamp was begun with; none if that cannot be known.
pub(super) fn begin_of(
    destination: &dyn Destination,
    root: &ReportRoot,
    stamp: &str,
) -> Result<Option<JournalBegin>, DestinationError> {
    let (Some(store), Some(contents)) = (destination.store(), destination.contents()) else { return Ok(None) };
    let keys = store.list(&format!("{}{stamp}/", root.journals()))?;
    let Some(key) = keys.iter().find(|key| root.journal_of(key).is_some_and(|(_, begin)| begin)) else {
        return Ok(None);
    };
    let begin = read(contents, key)?.and_then(|text| JournalBegin::parse(&text).ok());
    // Keys are taken from it: one that stands elsewhere is not this journal's.
    Ok(begin.filter(|begin| begin.layout.journal_begin() == *key))
}

/// An object's text; none if it is not there.
pub(super) fn read(store: &dyn ReportStore, key: &ReportKey) -> Result<Option<Vec<u8>>, DestinationError> {
    let Some(stored) = store.head(key)? else { return Ok(None) };
    if stored.size_bytes > TEXT_BYTES_MAX {
        let text = format!("has {} bytes, more than any that is written", stored.size_bytes);
        return Err(DestinationError::new(DestinationErrorKind::Io, key, text));
    }
    let mut text = Vec::new();
    let mut reader = match store.open_range(key, 0..stored.size_bytes) {
        Err(error) if error.kind() == DestinationErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    reader.read_to_end(&mut text).map_err(|error| DestinationError::io(key, "could not be read", error))?;
    Ok(Some(text))
}
