//! What unfinished runs left, and its removal.
//!
//! A run's objects are known by its journal, and by their names, which follow from the report's id: nothing that another
//! report consists of is ever among them.

use super::{
    GenerateError, GenerateErrorKind,
    journal::{self, Journal},
    publish,
    recover::{self, entry_name},
};
use std::collections::{BTreeMap, BTreeSet};
use stocktake_core::{
    Destination, DestinationError, DestinationErrorKind, JournalBegin, ReportKey, ReportRoot, Timestamp,
};

/// A run that was begun and whose report is not published.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnfinishedRun {
    /// The report's stamp, as its folder is named.
    pub stamp: String,
    /// The report's time; none if the journal's first object cannot be read.
    pub created_at: Option<Timestamp>,
}

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Abandoned {
    /// Runs.
    pub runs: u64,
    /// Finished data files.
    pub files: u64,
    /// Staged files and uploads that were begun.
    pub remains: u64,
}

/// Runs of a configuration that were begun and not finished, in the order of their stamps.
///
/// It cannot be told from outside whether a run goes on.
///
/// # Errors
/// If the destination cannot be read.
pub fn unfinished_runs(destination: &dyn Destination, root: &ReportRoot) -> Result<Vec<UnfinishedRun>, GenerateError> {
    let Some(store) = destination.store() else { return Ok(Vec::new()) };
    let mut runs = Vec::new();
    for stamp in journal::stamps(store, root)? {
        let begin = journal::begin_of(destination, root, &stamp)?;
        let journal = begin.as_ref().and_then(|begin| Journal::new(destination, begin.layout.clone()));
        if let (Some(begin), Some(journal)) = (&begin, journal)
            && journal.is_published(begin)?
        {
            continue;
        }
        runs.push(UnfinishedRun { stamp, created_at: begin.map(|begin| begin.created_at) });
    }
    Ok(runs)
}

/// Removes what unfinished runs of a configuration left, and nothing else: finished data files, staged files and uploads that
/// were begun, what was published of a report without its manifest.checksum, and the journal last. With a stamp, of that run
/// alone. Journals beside their published reports go too.
///
/// The run must not go on.
///
/// # Errors
/// If the destination cannot be read, an object not removed, or the journal's first object is not readable. What is left
/// then is left to another call.
pub fn abandon(
    destination: &dyn Destination,
    root: &ReportRoot,
    stamp: Option<&str>,
) -> Result<Abandoned, GenerateError> {
    let mut abandoned = Abandoned::default();
    let Some(store) = destination.store() else { return Ok(abandoned) };
    let stamps = journal::stamps(store, root)?;
    for stamp in stamps.iter().filter(|found| stamp.is_none_or(|stamp| stamp == *found)) {
        let begin = journal::begin_of(destination, root, stamp)?;
        let Some((begin, journal)) =
            begin.and_then(|begin| Journal::new(destination, begin.layout.clone()).map(|journal| (begin, journal)))
        else {
            let journal = format!("{}{stamp}/", root.journals());
            let text = format!("what the run of {stamp} noted when it began is gone or cannot be read ({journal})");
            return Err(GenerateError::new(GenerateErrorKind::Destination(DestinationErrorKind::Io), text));
        };
        if !journal.is_published(&begin)? {
            remove_run(&journal, &begin, &mut abandoned)?;
            abandoned.runs += 1;
        }
        journal.remove()?;
    }
    if let Some(stamp) = stamp {
        // A run that was killed when it wrote its journal's first object has no journal to be found by.
        abandoned.remains += destination.remove_remains(&root.journal_begins(stamp))?;
    }
    Ok(abandoned)
}

/// Removes all of a run but its journal.
fn remove_run(journal: &Journal<'_>, begin: &JournalBegin, abandoned: &mut Abandoned) -> Result<(), DestinationError> {
    let (destination, layout) = (journal.destination, &journal.layout);
    let there: BTreeSet<ReportKey> = journal.store.list(&layout.root().data())?.into_iter().collect();
    let published = journal.published_files()?;
    // Data files of each lane and attempt, as far as they are journaled. A lane that is not may have been begun.
    let mut journaled = BTreeMap::new();
    for (lane, shard, attempt) in journal.entry_keys()?.iter().filter_map(entry_name) {
        let end = journaled.entry((lane, attempt)).or_insert(0);
        *end = shard.saturating_add(1).max(*end);
    }
    let (mut files, mut remains) = (Vec::new(), Vec::new());
    // Processes that write lanes of one report may each have their attempt; the first one is in the journal.
    let first = journaled.keys().map(|(_, attempt)| *attempt).min().map_or(begin.attempt, |of| of.min(begin.attempt));
    for lane in begin.plan.lanes() {
        // Later attempts are those of lanes that were written again; whatever a journal says, there are not more of them
        // without a name that tells of them.
        let last = first.saturating_add(publish::ATTEMPTS_MAX);
        let mut attempts: BTreeSet<u32> = (first..=last).chain([begin.attempt]).collect();
        attempts.extend(journaled.keys().filter(|(of, _)| *of == lane.index).map(|(_, attempt)| *attempt));
        for attempt in attempts {
            let known = journaled.remove(&(lane.index, attempt));
            let mut shard = 0;
            loop {
                let key = layout.data(lane.index, shard, attempt);
                if there.contains(&key) {
                    if !published.contains(key.as_str()) {
                        files.push(key);
                    }
                } else if known.is_none_or(|end| shard >= end) {
                    break;
                }
                shard = shard.saturating_add(1);
            }
            // From the last that is journaled to the one that was begun: any of them may be half published or written down.
            let last = shard.saturating_add(recover::pending_max(destination));
            for half_done in known.map_or(0, |end| end.saturating_sub(1))..=last {
                remains.push(layout.data(lane.index, half_done, attempt));
                remains.push(layout.journal_entry(lane.index, half_done, attempt));
            }
            let more = journaled.keys().any(|(of, after)| *of == lane.index && *after > attempt);
            if shard == 0 && !more && attempt >= begin.attempt {
                break;
            }
        }
    }
    // The last first: one that is left with all before it gone would not be found by its name.
    for key in files.iter().rev() {
        destination.remove(key)?;
        abandoned.files += 1;
    }
    let beside = [layout.symlink(), layout.receipts(), layout.manifest()];
    if journal.store.head(&layout.checksum())?.is_none() {
        beside.iter().try_for_each(|key| destination.remove(key))?;
    }
    remains.extend(beside);
    remains.push(layout.checksum());
    abandoned.remains += destination.remove_remains(&remains)?;
    Ok(())
}
