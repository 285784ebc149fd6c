//! A report with a journal: begun, or carried on where an earlier run ended.

use super::{
    GenerateError, GenerateErrorKind, GenerateOptions, Recovery, ReportSummary,
    execution::Execution,
    generate::{Lanes, check_memory, plan, write_from},
    journal::{self, Journal, Owner},
    options::Clock,
    publish, recover,
    recover::LaneStart,
};
use std::hash::{BuildHasher, RandomState};
use stocktake_core::{
    CommittableShard, Confirmation, Destination, DestinationErrorKind, Existing, JournalBegin, LaneDescriptor,
    ObjectSource, Plan, Receipt, ReceiptsHeader, ReportLayout, ReportSpec, Timestamp,
};

/// Name and version of this program, as journals have it.
const GENERATOR: &str = concat!("stocktake ", env!("CARGO_PKG_VERSION"));

/// Generates a report with a journal.
pub(super) fn generate(
    source: &dyn ObjectSource,
    spec: &ReportSpec,
    journal: &Journal<'_>,
    options: &GenerateOptions,
) -> Result<ReportSummary, GenerateError> {
    look_around(journal, &options.execution)?;
    let mut begun = journal.read_begin()?;
    if let Some(begin) = &begun
        && journal.is_published(begin)?
    {
        journal.remove()?;
        begun = None;
    }
    let run = match (begun, options.recovery) {
        (Some(begin), Recovery::Resume) => Run::carried_on(source, spec, journal, begin, options)?,
        (Some(_), _) => {
            let text = format!("a run with this stamp was begun and not finished: {}", journal.layout.journal_begin());
            return Err(GenerateError::new(GenerateErrorKind::Unfinished, text));
        }
        (None, Recovery::Resume) => match journal.published()? {
            Some((header, receipts)) if header.report_id == spec.report_id() => {
                return Ok(summary_of(&journal.layout, &header, &receipts));
            }
            _ => Run::begun(source, spec, journal, options)?,
        },
        (None, _) => Run::begun(source, spec, journal, options)?,
    };
    run.finish(source, spec, journal, options).map_err(|error| journal.settle(error))
}

/// A run that is written down in its journal.
struct Run {
    plan: Plan,
    attempt: u32,
    starts: Vec<LaneStart>,
    /// What becomes of objects beside the data files that are there.
    existing: Existing,
    scan_started_at: Option<Timestamp>,
}

impl Run {
    fn begun(
        source: &dyn ObjectSource,
        spec: &ReportSpec,
        journal: &Journal<'_>,
        options: &GenerateOptions,
    ) -> Result<Self, GenerateError> {
        let destination = journal.destination;
        publish::check_existing(spec, destination, options.existing)?;
        let plan = plan(source, options.lanes)?;
        let mut attempt = publish::free_attempt(spec, &plan, destination)?;
        if let Some((header, receipts)) = journal.published()?
            && header.report_id == spec.report_id()
        {
            // An empty report has no data file, and its attempt is taken all the same: by it a report that is replaced is
            // told from the one that takes its place.
            let taken = receipts.iter().map(|receipt| receipt.attempt).max();
            attempt = attempt.max(taken.map_or(0, |taken| taken.saturating_add(1)));
        }
        let scan_started_at = options.clock.as_ref().map(Clock::now);
        let begin = JournalBegin::new(spec, &plan, attempt, GENERATOR).with_run(new_run());
        let begin = begin.with_scan_started_at(scan_started_at);
        journal.begin(&begin)?;
        let starts = vec![LaneStart::default(); plan.lanes().len()];
        Ok(Self { plan, attempt, starts, existing: options.existing, scan_started_at })
    }

    fn carried_on(
        source: &dyn ObjectSource,
        spec: &ReportSpec,
        journal: &Journal<'_>,
        begin: JournalBegin,
        options: &GenerateOptions,
    ) -> Result<Self, GenerateError> {
        let plan = source.plan_again(&begin.plan, options.lanes)?;
        check_same(&begin, spec, &plan)?;
        let starts = recover::lanes(journal, spec, &plan, plan.lanes(), begin.attempt)?;
        let layout = &journal.layout;
        let beside =
            [layout.symlink(), layout.receipts(), layout.manifest(), layout.checksum(), layout.journal_begin()];
        journal.destination.remove_remains(&beside)?;
        let kept = || starts.iter().flat_map(|start| &start.shards).map(CommittableShard::receipt);
        let files = kept().filter(|receipt| receipt.file.is_some()).count() as u64;
        let rows = kept().map(|receipt| receipt.rows).sum();
        options.execution.observer.run_continued(layout.stamp(), files, rows);
        // The stamp is this run's since it was begun: what stands beside the data files it wrote itself, or was to replace.
        let existing = Existing::Replace;
        Ok(Self { plan, attempt: begin.attempt, starts, existing, scan_started_at: begin.scan_started_at })
    }

    /// Writes what is left of the lanes, and publishes the report.
    fn finish(
        self,
        source: &dyn ObjectSource,
        spec: &ReportSpec,
        journal: &Journal<'_>,
        options: &GenerateOptions,
    ) -> Result<ReportSummary, GenerateError> {
        let Self { plan, attempt, starts, existing, scan_started_at } = self;
        let kept = || starts.iter().flat_map(|start| &start.shards).map(CommittableShard::receipt);
        let kept_files = kept().filter(|receipt| receipt.file.is_some()).count() as u64;
        let kept_rows = kept().map(|receipt| receipt.rows).sum();
        let destination = journal.destination;
        let lanes = Lanes { lanes: plan.lanes(), starts, attempt, journal: Some(journal) };
        let shards = write_from(source, spec, &plan, lanes, destination, &options.execution)?;
        if options.execution.cancel.is_cancelled() {
            return Err(GenerateError::cancelled());
        }
        let text = match journal.owner()? {
            Owner::This => None,
            Owner::Nobody => Some("the run was abandoned while it went on: its journal is gone"),
            Owner::Another => Some("the run was abandoned while it went on, and another was begun in its place"),
        };
        if let Some(text) = text {
            return Err(GenerateError::new(GenerateErrorKind::Incomplete, text));
        }
        // A process that took the run for one that had ended may have taken something away.
        let confirmed = journal.side_by_side(&shards, |shard| {
            shard.receipt().clone().confirm(journal.store, Confirmation::Size).map(drop)
        });
        confirmed.map_err(|error| {
            let text = "the report is not complete: another process may have continued or abandoned this run";
            GenerateError::caused(GenerateErrorKind::Incomplete, text, error)
        })?;
        let scan = options.clock.as_ref().zip(scan_started_at).map(|(clock, started_at)| (started_at, clock.now()));
        let summary = publish::commit_with(spec, &plan, shards, destination, existing, scan)?;
        // Beside its published report a journal says nothing; the next run of the configuration removes it.
        let removed = match journal.owner() {
            Ok(Owner::This) => journal.remove(),
            Ok(Owner::Another | Owner::Nobody) => Ok(()),
            Err(error) => Err(error),
        };
        let leftovers = removed.err().map(|error| error.to_string()).into_iter().collect();
        Ok(ReportSummary { kept_files, kept_rows, leftovers, ..summary })
    }
}

/// Writes some lanes of a plan as [`write_lanes`](super::write_lanes) does, with a journal: lanes that an earlier call with
/// the same attempt began are carried on behind their finished data files, in this process or another.
///
/// A call that fails keeps the finished data files of its lanes. Nobody else may be writing these lanes with this attempt;
/// other lanes may be written at the same time. A commit that ended early is made again, with [`Existing::Replace`]. [`commit`](super::commit) removes the journal when the report is published;
/// [`abandon`](super::abandon()) removes what a report that is given up left. Receipts of lanes that are complete come back
/// from a further call, which writes nothing then.
///
/// # Errors
/// [`GenerateErrorKind::Changed`] if the journal was begun with another spec or plan; the failure that is earliest in the
/// lanes' order; a destination without a reading side, a source that cannot be opened behind a key.
pub fn resume_lanes(
    source: &dyn ObjectSource,
    spec: &ReportSpec,
    plan: &Plan,
    lanes: &[LaneDescriptor],
    attempt: u32,
    destination: &dyn Destination,
    execution: &Execution,
) -> Result<Vec<CommittableShard>, GenerateError> {
    check_memory(spec, execution)?;
    let Some(journal) = Journal::of_run(source, spec, destination, Recovery::Resume)? else {
        return Err(GenerateError::new(GenerateErrorKind::Invalid, "the run cannot be continued"));
    };
    let begin = match journal.read_begin()? {
        Some(begin) => begin,
        None => {
            let begin = JournalBegin::new(spec, plan, attempt, GENERATOR).with_run(new_run());
            match journal.begin(&begin) {
                Ok(()) => begin,
                // A process that writes other lanes was faster.
                Err(error) if error.kind() == GenerateErrorKind::Destination(DestinationErrorKind::AlreadyExists) => {
                    journal.read_begin()?.unwrap_or(begin)
                }
                Err(error) => return Err(error),
            }
        }
    };
    check_same(&begin, spec, plan)?;
    let starts = recover::lanes(&journal, spec, plan, lanes, attempt)?;
    write_from(source, spec, plan, Lanes { lanes, starts, attempt, journal: Some(&journal) }, destination, execution)
}

/// A name that no other run has: two hashes of 64 bits with keys of this process, which the system draws at random.
fn new_run() -> String {
    let part = || RandomState::new().hash_one(GENERATOR);
    format!("{:016x}{:016x}", part(), part())
}

/// Refuses a run that would not continue the one that was begun.
fn check_same(begin: &JournalBegin, spec: &ReportSpec, plan: &Plan) -> Result<(), GenerateError> {
    let differences = begin.differences(spec, plan);
    if differences.is_empty() {
        return Ok(());
    }
    let text = format!("the run cannot be continued, for it was begun otherwise: {}", differences.join("; "));
    Err(GenerateError::new(GenerateErrorKind::Changed, text))
}

/// Looks at what earlier runs of the configuration left: journals beside their published reports go, others are told of.
fn look_around(journal: &Journal<'_>, execution: &Execution) -> Result<(), GenerateError> {
    let layout = &journal.layout;
    for stamp in journal::stamps(journal.store, layout.root())?.iter().filter(|stamp| *stamp != layout.stamp()) {
        let begin = journal::begin_of(journal.destination, layout.root(), stamp);
        // What cannot be read now, for want of a key perhaps, is not of this run.
        let begin = begin.ok().flatten();
        let other = begin.as_ref().and_then(|begin| Journal::new(journal.destination, begin.layout.clone()));
        match begin.zip(other) {
            Some((begin, other)) if other.is_published(&begin).unwrap_or(false) => other.remove()?,
            _ => execution.observer.unfinished_run(stamp),
        }
    }
    Ok(())
}

/// What a report that is published already holds.
fn summary_of(layout: &ReportLayout, header: &ReceiptsHeader, receipts: &[Receipt]) -> ReportSummary {
    let files = || receipts.iter().filter_map(|receipt| receipt.file.as_ref());
    ReportSummary {
        report_id: header.report_id,
        manifest_key: layout.manifest(),
        rows: header.rows,
        files: files().count() as u64,
        bytes: files().map(|file| file.size_bytes).sum(),
        skipped_entries: header.skipped_entries,
        kept_files: files().count() as u64,
        kept_rows: header.rows,
        leftovers: Vec::new(),
    }
}
