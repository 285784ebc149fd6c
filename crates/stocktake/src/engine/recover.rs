//! From a journal to the places where the lanes of a run are carried on.
//!
//! A lane is carried on behind its last data file that, with all before it, is journaled and there as its receipt says. What
//! the run left beyond goes: data files that were published and not journaled, entries of data files that are gone, what
//! was half written. The rest is written again, into the same names, by the same rows, with the same bytes.

use super::{GenerateError, GenerateErrorKind, journal::Journal};
use std::collections::BTreeMap;
use stocktake_core::{
    CommittableShard, Confirmation, Destination, DestinationError, JournalEntry, LaneDescriptor, ObjectBatch,
    ObjectKey, PENDING_SHARDS_MAX, Plan, ReportKey, ReportSpec,
};

/// Lanes whose last data file is read again to compare its MD5: it is the one that a loss of power may have spoilt. Of more
/// lanes than these sizes are compared, as of all other data files.
const LANES_READ_MAX: usize = 64;

/// Data files of a lane that a journal can tell of: as many as its names order. It bounds what an entry of a strange name
/// makes the program look for.
const SHARDS_MAX: u32 = 1_000_000;

/// Where a lane is carried on. Default: at its beginning.
#[derive(Clone, Debug, Default)]
pub(super) struct LaneStart {
    /// Data files that are there.
    pub(super) shards: Vec<CommittableShard>,
    /// Key behind which the rest begins.
    pub(super) after: Option<ObjectKey>,
    /// The last row that is there, as far as the rest depends on it.
    pub(super) last_row: Option<ObjectBatch>,
    /// Entries that the source left out before.
    pub(super) skipped_entries: u64,
    /// The lane is complete.
    pub(super) ended: bool,
}

/// Where lanes are carried on, in their order, and nothing of them left beyond.
///
/// # Errors
/// If the destination cannot be read, or what is beyond not removed.
pub(super) fn lanes(
    journal: &Journal<'_>,
    spec: &ReportSpec,
    plan: &Plan,
    lanes: &[LaneDescriptor],
    attempt: u32,
) -> Result<Vec<LaneStart>, GenerateError> {
    let mut names = BTreeMap::new();
    for key in journal.entry_keys()? {
        if let Some((lane, shard, of)) = entry_name(&key).filter(|(.., of)| *of == attempt) {
            names.insert((lane, shard, of), key);
        }
    }
    let expected =
        Expected { run: journal.run(), spec_digest: spec.digest(), plan_digest: plan.digest(), journal, attempt };
    let keys: Vec<ReportKey> = names.values().cloned().collect();
    let found = journal.each_entry(&keys, |entry| expected.confirmed(entry, Confirmation::Size))?;
    let mut found: BTreeMap<(u32, u32), _> =
        names.keys().zip(found).map(|((lane, shard, _), entry)| ((*lane, *shard), entry)).collect();
    let mut starts = Vec::new();
    for lane in lanes {
        let journaled = found.range((lane.index, 0)..=(lane.index, u32::MAX)).next_back().map(|(key, _)| key.1);
        let mut kept: Vec<(JournalEntry, CommittableShard)> = Vec::new();
        for shard in 0.. {
            let follows = |entry: &JournalEntry| {
                let behind = kept.last().is_none_or(|(before, _)| {
                    !before.receipt.last_of_lane && before.receipt.last_key < entry.receipt.first_key
                });
                behind && (entry.receipt.lane, entry.receipt.shard) == (lane.index, shard)
            };
            match found.remove(&(lane.index, shard)).flatten().filter(|(entry, _)| follows(entry)) {
                Some(entry) => kept.push(entry),
                None => break,
            }
        }
        if lanes.len() <= LANES_READ_MAX
            && let Some((entry, _)) = kept.last()
            && expected.confirmed(entry.clone(), Confirmation::Content)?.is_none()
        {
            kept.pop();
        }
        let start = start_of(kept).ok_or_else(|| {
            let text = "the journal has a row that no report can hold";
            GenerateError::new(GenerateErrorKind::Unfinished, text).in_lane(lane.index)
        })?;
        starts.push((lane.index, start, journaled));
    }
    let remains =
        journal.side_by_side(&starts, |(lane, start, journaled)| clear(journal, *lane, attempt, start, *journaled))?;
    journal.destination.remove_remains(&remains.concat())?;
    starts.iter().flat_map(|(_, start, _)| &start.shards).for_each(|shard| journal.note(shard.receipt()));
    Ok(starts.into_iter().map(|(_, start, _)| start).collect())
}

/// What receipts of this run say.
struct Expected<'a> {
    run: String,
    spec_digest: String,
    plan_digest: String,
    journal: &'a Journal<'a>,
    attempt: u32,
}

impl Expected<'_> {
    /// An entry of this run whose data file is there.
    fn confirmed(
        &self,
        entry: JournalEntry,
        confirmation: Confirmation,
    ) -> Result<Option<(JournalEntry, CommittableShard)>, DestinationError> {
        let (receipt, layout) = (&entry.receipt, &self.journal.layout);
        let of_run = entry.run == self.run
            && receipt.report_id == layout.report_id()
            && receipt.spec_digest == self.spec_digest
            && receipt.plan_digest == self.plan_digest
            && receipt.attempt == self.attempt;
        let named = match &receipt.file {
            Some(file) => {
                receipt.last_key.is_some() && file.key == layout.data(receipt.lane, receipt.shard, receipt.attempt)
            }
            None => receipt.rows == 0 && receipt.last_of_lane,
        };
        if !of_run || !named {
            return Ok(None);
        }
        let shard = entry.receipt.clone().confirm_kept(self.journal.store, confirmation)?;
        Ok(shard.map(|shard| (entry, shard)))
    }
}

/// Where a lane with these data files is carried on; none if the last row cannot be had.
fn start_of(kept: Vec<(JournalEntry, CommittableShard)>) -> Option<LaneStart> {
    let Some((last, _)) = kept.last() else { return Some(LaneStart::default()) };
    let ended = last.receipt.last_of_lane;
    let (after, last_row) = match &last.receipt.last_key {
        Some(key) => (Some(ObjectKey::try_new(key.as_str()).ok()?), Some(last.last_row()?)),
        None => (None, None),
    };
    let skipped_entries = last.skipped_entries;
    Some(LaneStart {
        shards: kept.into_iter().map(|(_, shard)| shard).collect(),
        after,
        last_row,
        skipped_entries,
        ended,
    })
}

/// Removes what a lane has beyond the data files that are kept, the furthest first, so that what is left at any moment is
/// a journal like any other. Returns what may be half written. `journaled`: the last data file that has an entry.
fn clear(
    journal: &Journal<'_>,
    lane: u32,
    attempt: u32,
    start: &LaneStart,
    journaled: Option<u32>,
) -> Result<Vec<ReportKey>, DestinationError> {
    let layout = &journal.layout;
    // Data files are numbered within 32 bits.
    let next = u32::try_from(start.shards.len()).unwrap_or(u32::MAX);
    let mut end = journaled.map_or(next, |last| next.max(last.saturating_add(1)));
    if !start.ended {
        // Published and not journaled.
        while journal.store.head(&layout.data(lane, end, attempt))?.is_some() {
            end = end.saturating_add(1);
        }
    }
    for shard in (next..end).rev() {
        journal.destination.remove(&layout.data(lane, shard, attempt))?;
        journal.destination.remove(&layout.journal_entry(lane, shard, attempt))?;
    }
    // The last that is kept may have left its staged file: some file systems publish in two steps.
    let first = next.saturating_sub(1);
    let last = if start.ended { first } else { end.saturating_add(pending_max(journal.destination)) };
    let keys = |shard| [layout.data(lane, shard, attempt), layout.journal_entry(lane, shard, attempt)];
    Ok((first..=last).flat_map(keys).collect())
}

/// Data files beyond the one that comes next of which there may be something half written.
pub(super) fn pending_max(destination: &dyn Destination) -> u32 {
    if destination.gives_back() { PENDING_SHARDS_MAX } else { 0 }
}

/// Lane, data file and attempt of an entry, by its name.
pub(super) fn entry_name(key: &ReportKey) -> Option<(u32, u32, u32)> {
    let name = key.as_str().rsplit('/').next()?;
    let name = name.strip_suffix(stocktake_core::ENVELOPE_SUFFIX).unwrap_or(name);
    let mut numbers = name.split('-').map(|number| number.parse().ok());
    let found = (numbers.next()??, numbers.next()??, numbers.next()??);
    (numbers.next().is_none() && found.1 < SHARDS_MAX).then_some(found)
}
