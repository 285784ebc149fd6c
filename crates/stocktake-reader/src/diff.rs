//! What changed between two reports: objects added, removed, changed and moved, by one merge of two sorted streams.
//!
//! Both reports are read side by side, in any two formats, and may be of any size. Runs of rows that stand for the same
//! objects are compared column by column. It does not know how differences are shown, or what is done about them.
//!
//! Rows stand for the same object if they have the same key and, in reports of all versions, the same version id: versions of
//! a key are compared as a set, whatever their order. If one report alone has versions, its current ones that are no delete
//! markers are compared. A column that only one report has is not compared.
//!
//! Memory: what reading two reports takes, and [`DiffOptions::memory_bytes`] for candidates of moves, which go to temporary
//! files beyond it, and for versions of one key that wait for a counterpart.

mod compare;
mod moves;
mod row;
mod side;
mod source;
mod totals;
mod waiting;

pub use moves::MovedObject;
pub use row::DiffRow;
pub use source::{ChangeKinds, ChangesSource};
pub use totals::{DiffTotals, Tally};

use crate::{
    error::{ReadError, ReadErrorKind},
    report::{ReadOptions, Report},
};
use compare::{Comparison, equal_texts};
use moves::{Candidates, Moves};
use row::HeldRow;
use side::{RowFilter, Side};
use std::{cmp::Ordering, collections::VecDeque, num::NonZeroUsize, path::PathBuf};
use stocktake_core::{CancelToken, Column, Field, FieldSet, ObjectKey};
use waiting::Waiting;

/// How two reports are compared.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DiffOptions {
    /// Fields that are compared; those that both reports have count. None: all of them.
    pub fields: Option<FieldSet>,
    /// Whether rows carry all fields of their report, not only those that are compared. Default: yes.
    pub whole_rows: bool,
    /// Only keys that begin with this text. Default: all.
    pub prefix: Option<Box<str>>,
    /// Only keys behind this one. Default: all.
    pub after: Option<ObjectKey>,
    /// Whether removed and added objects of the same ETag and size are paired. Default: yes.
    pub moves: bool,
    /// Whether files are compared with the MD5 that their manifests state. Default: yes.
    pub md5: bool,
    /// Threads that decode, of both reports together; at least one each.
    pub threads: NonZeroUsize,
    /// Private memory for what waits for a counterpart, in bytes. Default: 32 MiB.
    pub memory_bytes: usize,
    /// Folder of temporary files. Default: the system's.
    pub temp_dir: PathBuf,
    /// Asks the comparison to stop.
    pub cancel: CancelToken,
}

impl Default for DiffOptions {
    fn default() -> Self {
        Self {
            fields: None,
            whole_rows: true,
            prefix: None,
            after: None,
            moves: true,
            md5: true,
            threads: NonZeroUsize::MIN,
            memory_bytes: 32 << 20,
            temp_dir: std::env::temp_dir(),
            cancel: CancelToken::new(),
        }
    }
}

/// One difference.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Difference<'a> {
    /// Only the new report has it.
    Added(DiffRow<'a>),
    /// Only the old report has it.
    Removed(DiffRow<'a>),
    /// Both have it, with different values.
    Changed {
        /// The row of the old report.
        old: DiffRow<'a>,
        /// The row of the new report.
        new: DiffRow<'a>,
        /// Fields that differ.
        fields: FieldSet,
    },
    /// An object that was told as removed, and one that was told as added, are likely the same.
    Moved(&'a MovedObject),
}

/// A difference that is not told yet.
#[derive(Debug)]
enum Event {
    Added(Place),
    Removed(Place),
    Changed(Place, Place, FieldSet),
    Moved(MovedObject),
}

/// Where a row is.
#[derive(Debug)]
enum Place {
    /// In the batch that its side has.
    Batch(usize),
    Held(Box<HeldRow>),
}

impl Place {
    fn row<'a>(&'a self, side: &'a Side) -> DiffRow<'a> {
        match self {
            Self::Batch(row) => DiffRow::in_batch(&side.rows, *row),
            Self::Held(held) => DiffRow::held(held),
        }
    }
}

/// The differences of two reports: first those of each key, in ascending order of keys, then moved objects.
///
/// Within a key, what changed comes before what was removed, and that before what was added. Dropped, it stops its threads.
#[derive(Debug)]
pub struct Differences {
    old: Side,
    new: Side,
    comparison: Comparison,
    /// Whether rows of one key are told apart by version ids.
    versioned: bool,
    /// Fields that a row that waits keeps.
    held_fields: (FieldSet, FieldSet),
    waiting: Waiting,
    pending: VecDeque<Event>,
    told: Option<Event>,
    candidates: Option<Candidates>,
    moves: Option<Moves>,
    totals: DiffTotals,
    ended: bool,
}

/// Fields by which moved objects are found.
const MOVE_FIELDS: FieldSet = FieldSet::EMPTY.with(Field::ETag).with(Field::Size);

impl Differences {
    /// Begins to compare two reports.
    ///
    /// # Errors
    /// If the first row of a file cannot be read, or threads cannot be started.
    pub fn begin(old: &Report, new: &Report, options: &DiffOptions) -> Result<Self, ReadError> {
        let common = old.fields().intersection(new.fields());
        let identity = FieldSet::REQUIRED.with(Field::VersionId);
        let versioned = |report: &Report| report.fields().contains(Field::VersionId);
        let both_versioned = versioned(old) && versioned(new);
        // Of current versions alone, nothing is said by what makes them current.
        let beside = if both_versioned { identity } else { FieldSet::VERSION_FIELDS.union(identity) };
        let compared = options.fields.unwrap_or(common).intersection(common).difference(beside);
        let moves = options.moves && common.intersection(MOVE_FIELDS) == MOVE_FIELDS;
        let needed =
            compared.union(identity).with(Field::Size).union(if moves { MOVE_FIELDS } else { FieldSet::EMPTY });
        let side = |report: &Report, other: &Report| {
            let current_only = versioned(report) && !versioned(other);
            let read = if options.whole_rows { report.fields() } else { needed };
            let read = if current_only { read.union(FieldSet::VERSION_FIELDS) } else { read };
            // Half of the threads each; the comparison itself takes what reading leaves.
            let threads = NonZeroUsize::new(options.threads.get().div_ceil(2)).unwrap_or(NonZeroUsize::MIN);
            let reading = ReadOptions::default()
                .with_fields(read)
                .with_md5(options.md5)
                .with_threads(threads)
                .with_cancel(options.cancel.clone());
            let filter = RowFilter { prefix: options.prefix.clone(), after: options.after.clone(), current_only };
            Side::begin(report, reading, filter)
        };
        let held = |report: &Report| if options.whole_rows { report.fields() } else { needed };
        Ok(Self {
            old: side(old, new)?,
            new: side(new, old)?,
            comparison: Comparison::new(compared),
            versioned: both_versioned,
            held_fields: (held(old), held(new)),
            waiting: Waiting::new(options.memory_bytes),
            pending: VecDeque::new(),
            told: None,
            candidates: moves.then(|| Candidates::new(options.memory_bytes, options.temp_dir.clone())),
            moves: None,
            totals: DiffTotals::new(old, new, compared, moves),
            ended: false,
        })
    }

    /// Numbers so far; of all of both reports once [`Differences::next`] has told that there is no more.
    pub fn totals(&self) -> &DiffTotals {
        &self.totals
    }

    /// The next difference; none at the end.
    ///
    /// # Errors
    /// If a report cannot be read on, is not sorted by key, has more versions of one key without a counterpart than memory
    /// takes, or a temporary file fails. The comparison has ended then.
    #[expect(clippy::should_implement_trait, reason = "rows are borrowed from batches that the next call may replace")]
    pub fn next(&mut self) -> Result<Option<Difference<'_>>, ReadError> {
        if self.pending.is_empty() && !self.ended {
            // Until it has gone well.
            self.ended = true;
            self.ended = !self.advance()?;
        }
        self.told = self.pending.pop_front();
        Ok(self.told.as_ref().map(|event| match event {
            Event::Added(place) => Difference::Added(place.row(&self.new)),
            Event::Removed(place) => Difference::Removed(place.row(&self.old)),
            Event::Changed(old, new, fields) => {
                Difference::Changed { old: old.row(&self.old), new: new.row(&self.new), fields: *fields }
            }
            Event::Moved(moved) => Difference::Moved(moved),
        }))
    }

    /// Compares until there is something to tell; says whether there is. Batches stay as they are meanwhile.
    fn advance(&mut self) -> Result<bool, ReadError> {
        while self.pending.is_empty() {
            if self.moves.is_some() {
                return self.advance_moves();
            }
            match (self.old.fill()?, self.new.fill()?) {
                (false, false) => {
                    self.flush_waiting()?;
                    self.totals.end(self.old.taken, self.new.taken);
                    let candidates = self.candidates.take().map(Candidates::into_moves).transpose()?;
                    self.moves = candidates;
                    if self.moves.is_none() {
                        return Ok(!self.pending.is_empty());
                    }
                }
                (true, false) => self.removed_rows(None)?,
                (false, true) => self.added_rows(None)?,
                (true, true) => match self.old.key().cmp(self.new.key()) {
                    Ordering::Less => self.removed_rows(Some(self.new.key().to_owned()))?,
                    Ordering::Greater => self.added_rows(Some(self.old.key().to_owned()))?,
                    Ordering::Equal => self.same_key()?,
                },
            }
        }
        Ok(true)
    }

    fn advance_moves(&mut self) -> Result<bool, ReadError> {
        let Some(moves) = &mut self.moves else { return Ok(false) };
        let Some(moved) = moves.next()? else { return Ok(false) };
        self.totals.moved(moved.size_bytes);
        self.pending.push_back(Event::Moved(moved));
        Ok(true)
    }

    /// Both sides stand at the same key: rows that stand for the same object are compared as far as they go.
    fn same_key(&mut self) -> Result<(), ReadError> {
        if !self.waiting.is_of(self.old.key()) {
            self.flush_waiting()?;
        }
        let run = self.run();
        if run == 0 {
            // The same key with versions in another order, or of one side alone.
            self.wait_old()?;
            return self.wait_new();
        }
        let marks = self.comparison.rows((&self.old.rows, self.old.at), (&self.new.rows, self.new.at), run);
        if marks.is_empty() {
            self.totals.unchanged(run, self.new.size_bytes(run));
        } else {
            for (row, fields) in marks.iter().enumerate() {
                let size = |side: &Side| DiffRow::in_batch(&side.rows, side.at + row).size_bytes();
                if fields.is_empty() {
                    self.totals.unchanged(1, size(&self.new).unwrap_or(0));
                    continue;
                }
                self.totals.changed(*fields, size(&self.old), size(&self.new));
                let (old, new) = (Place::Batch(self.old.at + row), Place::Batch(self.new.at + row));
                self.pending.push_back(Event::Changed(old, new, *fields));
            }
        }
        self.old.pass(run);
        self.new.pass(run);
        Ok(())
    }

    /// How many of the next rows of both sides stand for the same objects.
    fn run(&self) -> usize {
        let (old, new) = (&self.old, &self.new);
        let rows = old.left().min(new.left());
        let rows = equal_texts((old.rows.keys(), old.at), (new.rows.keys(), new.at), rows);
        if !self.versioned {
            return rows;
        }
        match (old.rows.column(Field::VersionId), new.rows.column(Field::VersionId)) {
            (Some(Column::Text(one)), Some(Column::Text(two))) => {
                let same = equal_texts((one, old.at), (two, new.at), rows);
                // The null version has several spellings.
                if same == 0 && rows > 0 && old.version() == new.version() { 1 } else { same }
            }
            // Of batches without version ids every row is a null version.
            _ => (0..rows)
                .take_while(|row| {
                    let of = |side: &Side| row::version_of(&side.rows, side.at + row).is_empty();
                    of(old) && of(new)
                })
                .count(),
        }
    }

    /// Old rows with keys before `end`, or all of the batch: they have no counterpart, unless one waits.
    fn removed_rows(&mut self, end: Option<String>) -> Result<(), ReadError> {
        if self.waiting.is_of(self.old.key()) {
            return self.wait_old();
        }
        self.flush_waiting()?;
        let range = self.old.at..self.old.rows.len();
        for row in range {
            let before = end.as_deref().is_none_or(|end| self.old.rows.key(row) < end);
            if !before || self.pending.len() >= PENDING_MAX {
                break;
            }
            self.removed(Place::Batch(row))?;
            self.old.pass(1);
        }
        Ok(())
    }

    /// As [`Self::removed_rows`], of the new report.
    fn added_rows(&mut self, end: Option<String>) -> Result<(), ReadError> {
        if self.waiting.is_of(self.new.key()) {
            return self.wait_new();
        }
        self.flush_waiting()?;
        let range = self.new.at..self.new.rows.len();
        for row in range {
            let before = end.as_deref().is_none_or(|end| self.new.rows.key(row) < end);
            if !before || self.pending.len() >= PENDING_MAX {
                break;
            }
            self.added(Place::Batch(row))?;
            self.new.pass(1);
        }
        Ok(())
    }

    /// The next old row finds the new one of its version, or waits for it.
    fn wait_old(&mut self) -> Result<(), ReadError> {
        let version = self.old.version();
        if let Some(new) = self.waiting.take_new(version) {
            let row = DiffRow::in_batch(&self.old.rows, self.old.at);
            let fields = self.comparison.pair(row, DiffRow::held(&new));
            let place = Place::Batch(self.old.at);
            self.paired(
                fields,
                (row.size_bytes(), DiffRow::held(&new).size_bytes()),
                place,
                Place::Held(Box::new(new)),
            );
        } else {
            let held = HeldRow::of(&self.old.rows, self.old.at, self.held_fields.0);
            self.waiting.hold_old(self.old.key(), self.old.version(), held)?;
        }
        self.old.pass(1);
        Ok(())
    }

    /// As [`Self::wait_old`], of the new report.
    fn wait_new(&mut self) -> Result<(), ReadError> {
        let version = self.new.version();
        if let Some(old) = self.waiting.take_old(version) {
            let row = DiffRow::in_batch(&self.new.rows, self.new.at);
            let fields = self.comparison.pair(DiffRow::held(&old), row);
            let place = Place::Batch(self.new.at);
            self.paired(
                fields,
                (DiffRow::held(&old).size_bytes(), row.size_bytes()),
                Place::Held(Box::new(old)),
                place,
            );
        } else {
            let held = HeldRow::of(&self.new.rows, self.new.at, self.held_fields.1);
            self.waiting.hold_new(self.new.key(), self.new.version(), held)?;
        }
        self.new.pass(1);
        Ok(())
    }

    fn paired(&mut self, fields: FieldSet, sizes: (Option<u64>, Option<u64>), old: Place, new: Place) {
        if fields.is_empty() {
            self.totals.unchanged(1, sizes.1.unwrap_or(0));
        } else {
            self.totals.changed(fields, sizes.0, sizes.1);
            self.pending.push_back(Event::Changed(old, new, fields));
        }
    }

    /// Rows that waited for a counterpart of their key have none, once both sides are behind it.
    fn flush_waiting(&mut self) -> Result<(), ReadError> {
        let (old, new) = self.waiting.flush();
        for row in old {
            self.removed(Place::Held(Box::new(row)))?;
        }
        for row in new {
            self.added(Place::Held(Box::new(row)))?;
        }
        Ok(())
    }

    fn removed(&mut self, place: Place) -> Result<(), ReadError> {
        let row = place.row(&self.old);
        self.totals.removed(row.size_bytes());
        if let (Some(candidates), Some((e_tag, size_bytes))) = (&mut self.candidates, movable(row)) {
            candidates.removed(row.key(), e_tag, size_bytes)?;
        }
        self.pending.push_back(Event::Removed(place));
        Ok(())
    }

    fn added(&mut self, place: Place) -> Result<(), ReadError> {
        let row = place.row(&self.new);
        self.totals.added(row.size_bytes());
        if let (Some(candidates), Some((e_tag, size_bytes))) = (&mut self.candidates, movable(row)) {
            candidates.added(row.key(), e_tag, size_bytes)?;
        }
        self.pending.push_back(Event::Added(place));
        Ok(())
    }
}

/// Differences that wait to be told beyond those of one run of rows.
const PENDING_MAX: usize = 1024;

/// ETag and size by which an object is found again under another key; empty objects are all alike.
fn movable(row: DiffRow<'_>) -> Option<(&str, u64)> {
    match (row.value(Field::ETag), row.size_bytes()) {
        (crate::value::Value::Text(e_tag), Some(size_bytes)) if size_bytes > 0 => Some((e_tag, size_bytes)),
        _ => None,
    }
}

/// An error that says that memory does not take what waits.
fn too_many_waiting(key: &str, rows: usize) -> ReadError {
    let text =
        format!("key {key:?} has more than {rows} versions without a counterpart, more than the memory given takes");
    ReadError::new(ReadErrorKind::Unsupported, text)
}
