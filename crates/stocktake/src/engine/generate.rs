//! A whole report in one call, and the steps of it for several processes: plan, write lanes, commit.

use super::{
    Execution, GenerateError, GenerateErrorKind, closing,
    intake::Intake,
    journal::Journal,
    lane::{self, Shared},
    memory::Budget,
    options::{Clock, GenerateOptions},
    progress::Progress,
    publish,
    read::{SkipCount, read_context},
    recover::LaneStart,
    resume,
    slots::Slots,
    workers::{self, ChunkPool},
};
use std::{
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicU64},
};
use stocktake_core::{
    CommittableShard, Destination, Format, FormatOptions, LaneDescriptor, ObjectBatchBuilder, ObjectSource, Plan,
    ReportKey, ReportLayout, ReportSpec, Uuid,
};

/// What a published report holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReportSummary {
    /// The report's id.
    pub report_id: Uuid,
    /// Key of manifest.json.
    pub manifest_key: ReportKey,
    /// Rows in all data files.
    pub rows: u64,
    /// Data files.
    pub files: u64,
    /// Bytes of all data files.
    pub bytes: u64,
    /// Entries that the source left out, because its options allow it.
    pub skipped_entries: u64,
    /// Data files that an earlier run wrote and that were kept.
    pub kept_files: u64,
    /// Rows in them; the others were encoded by this run.
    pub kept_rows: u64,
    /// What of the run's journal could not be removed beside the published report, with the reason. It does no harm, and the
    /// next run of the configuration removes it.
    pub leftovers: Vec<String>,
}

/// Generates and publishes a report.
///
/// Blocks until the report is published. Data files become visible as they are finished; the report is published exactly
/// when manifest.checksum exists. A run that fails removes what it created and nothing else; one that keeps a journal
/// ([`Recovery`](super::Recovery)) keeps its finished data files.
///
/// # Errors
/// The failure that is earliest in the report's order. [`GenerateError::leftovers`] names what could not be removed,
/// [`GenerateError::kept`] says what is kept on purpose.
pub fn generate(
    source: &dyn ObjectSource,
    spec: &ReportSpec,
    destination: &dyn Destination,
    options: &GenerateOptions,
) -> Result<ReportSummary, GenerateError> {
    if let Some(journal) = Journal::of_run(source, spec, destination, options.recovery)? {
        check_memory(spec, &options.execution)?;
        return resume::generate(source, spec, &journal, options);
    }
    publish::check_existing(spec, destination, options.existing)?;
    check_memory(spec, &options.execution)?;
    let plan = plan(source, options.lanes)?;
    let attempt = publish::free_attempt(spec, &plan, destination)?;
    let started_at = options.clock.as_ref().map(Clock::now);
    let shards = write_lanes(source, spec, &plan, plan.lanes(), attempt, destination, &options.execution)?;
    let keys = shards
        .iter()
        .filter_map(|shard| shard.receipt().file.as_ref())
        .map(|file| file.key.clone())
        .collect::<Vec<_>>();
    let committed = if options.execution.cancel.is_cancelled() {
        Err(GenerateError::cancelled())
    } else {
        let scan = options.clock.as_ref().zip(started_at).map(|(clock, started_at)| (started_at, clock.now()));
        publish::commit_with(spec, &plan, shards, destination, options.existing, scan)
    };
    committed.map_err(|error| error.with_leftovers(publish::remove(destination, keys)))
}

/// Plans the lanes of a report.
///
/// # Errors
/// If the source cannot be read.
pub fn plan(source: &dyn ObjectSource, lanes: NonZeroU32) -> Result<Plan, GenerateError> {
    Ok(source.plan(lanes)?)
}

/// Writes some lanes of a plan, in this process, and returns what [`commit`](super::commit) takes.
///
/// Several processes may each write lanes of one plan: they send receipts to the one that commits, which confirms them
/// with [`Receipt::confirm`](stocktake_core::Receipt::confirm). A lane that is written again takes another `attempt`.
///
/// # Errors
/// The failure that is earliest in the lanes' order; data files that this call published are removed then.
pub fn write_lanes(
    source: &dyn ObjectSource,
    spec: &ReportSpec,
    plan: &Plan,
    lanes: &[LaneDescriptor],
    attempt: u32,
    destination: &dyn Destination,
    execution: &Execution,
) -> Result<Vec<CommittableShard>, GenerateError> {
    let starts = vec![LaneStart::default(); lanes.len()];
    write_from(source, spec, plan, Lanes { lanes, starts, attempt, journal: None }, destination, execution)
}

/// Lanes to be written, and from where.
pub(super) struct Lanes<'a> {
    pub(super) lanes: &'a [LaneDescriptor],
    /// Where each of them is carried on.
    pub(super) starts: Vec<LaneStart>,
    pub(super) attempt: u32,
    /// Keeps finished data files.
    pub(super) journal: Option<&'a Journal<'a>>,
}

/// Writes lanes from where they are carried on.
pub(super) fn write_from(
    source: &dyn ObjectSource,
    spec: &ReportSpec,
    plan: &Plan,
    lanes: Lanes<'_>,
    destination: &dyn Destination,
    execution: &Execution,
) -> Result<Vec<CommittableShard>, GenerateError> {
    match spec.format() {
        #[cfg(feature = "csv")]
        FormatOptions::Csv(options) => {
            let format = stocktake_csv::CsvFormat::new(spec.source_bucket(), spec.fields(), options);
            write_with(&format, source, spec, plan, lanes, destination, execution)
        }
        #[cfg(feature = "orc")]
        FormatOptions::Orc(options) => {
            let format = crate::orc::OrcFormat::new(spec.source_bucket(), spec.fields(), options);
            write_with(&format, source, spec, plan, lanes, destination, execution)
        }
        #[cfg(feature = "parquet")]
        FormatOptions::Parquet(options) => {
            let format =
                stocktake_parquet::ParquetFormat::new(spec.source_bucket(), spec.fields(), spec.order(), options);
            write_with(&format, source, spec, plan, lanes, destination, execution)
        }
        _ => Err(GenerateError::new(GenerateErrorKind::Invalid, "the format is not built into this program")),
    }
}

/// Reads a whole source and checks what generating would check, without writing anything.
///
/// # Errors
/// As [`generate`], for faults of the source.
pub fn check_source(source: &dyn ObjectSource, spec: &ReportSpec, execution: &Execution) -> Result<u64, GenerateError> {
    let plan = plan(source, NonZeroU32::MIN)?;
    let slots = Arc::new(Slots::new(execution.threads.get()));
    let mut rows = 0;
    for lane in plan.lanes() {
        let skipped = Arc::new(SkipCount { entries: AtomicU64::new(0), execution: execution.clone() });
        let context = read_context(source, spec, execution, &execution.cancel, Arc::clone(&slots), skipped);
        let mut builder = ObjectBatchBuilder::new(context.fields);
        let mut stream = source.open(lane, None, &context)?;
        let mut intake = Intake::new(spec, lane, None, source.provides());
        loop {
            if execution.cancel.is_cancelled() {
                return Err(GenerateError::cancelled());
            }
            builder.clear();
            if !stream.next_batch(&mut builder)? {
                break;
            }
            let batch = builder.finish();
            if !batch.is_empty() {
                rows += intake.accept(batch)?.len() as u64;
            }
        }
    }
    Ok(rows)
}

pub(super) fn check_memory(spec: &ReportSpec, execution: &Execution) -> Result<u64, GenerateError> {
    let checked = spec.chunk_budget_bytes(execution.memory_limit_bytes());
    checked.map_err(|error| GenerateError::caused(GenerateErrorKind::Invalid, "the memory limit cannot be kept", error))
}

/// Chunks that wait for a worker.
const JOBS_WAITING_MAX: usize = 1;

/// Private memory of a lane beyond its chunks: read-ahead of its source. The first lane's is in the fixed part.
const LANE_MEMORY_BYTES: u64 = 6 << 20;

pub(super) fn write_with<F: Format>(
    format: &F,
    source: &dyn ObjectSource,
    spec: &ReportSpec,
    plan: &Plan,
    Lanes { lanes, starts, attempt, journal }: Lanes<'_>,
    destination: &dyn Destination,
    execution: &Execution,
) -> Result<Vec<CommittableShard>, GenerateError> {
    if let Some(foreign) = lanes.iter().find(|lane| plan.lanes().get(lane.index as usize) != Some(lane)) {
        return Err(GenerateError::new(
            GenerateErrorKind::Invalid,
            format!("lane {} is not of the plan", foreign.index),
        ));
    }
    let threads = execution.threads.get();
    let budget_bytes = check_memory(spec, execution)?;
    let per_lane = LANE_MEMORY_BYTES + destination.buffer_bytes() as u64;
    // As many lanes at once as threads, and as memory allows beside one chunk.
    let spare_bytes = budget_bytes - spec.chunk_memory_bytes();
    let affordable = usize::try_from(spare_bytes / per_lane).unwrap_or(usize::MAX);
    let at_once = threads.min(lanes.len()).min(affordable + 1).max(1);
    let beside = LANE_MEMORY_BYTES * (at_once as u64 - 1) + destination.buffer_bytes() as u64 * at_once as u64;
    let budget = Budget::new(budget_bytes.saturating_sub(beside).max(spec.chunk_memory_bytes()));

    let shared = Shared {
        format,
        source,
        spec,
        plan_digest: plan.digest(),
        layout: ReportLayout::new(spec),
        destination,
        execution,
        attempt,
        slots: Arc::new(Slots::new(threads)),
        budget,
        progress: Progress::new(lanes.len(), threads),
        together: closing::together(at_once),
        pool: ChunkPool::new(threads + 2, spec.chunk_bytes()),
        stop: execution.cancel.child(),
        published: Mutex::new(Vec::new()),
        journal,
    };
    let outcome = run(&shared, lanes, starts, threads, at_once);
    outcome.map_err(|error| {
        let published = std::mem::take(&mut *shared.published.lock().unwrap_or_else(PoisonError::into_inner));
        error.with_leftovers(publish::remove(destination, published))
    })
}

fn run<F: Format>(
    shared: &Shared<'_, F>,
    lanes: &[LaneDescriptor],
    starts: Vec<LaneStart>,
    threads: usize,
    at_once: usize,
) -> Result<Vec<CommittableShard>, GenerateError> {
    // One chunk waits for a worker beside those that are encoded: more would hold rows without being of use.
    let (jobs, queue) = crossbeam_channel::bounded(JOBS_WAITING_MAX);
    let waiting = Mutex::new(lanes.iter().zip(starts));
    let outcomes = Mutex::new(Vec::new());
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
    let run_lanes = |jobs: crossbeam_channel::Sender<_>| {
        while let Some((lane, start)) = next() {
            let reading = shared.progress.lane();
            let outcome = if shared.stop.is_cancelled() {
                Err(GenerateError::cancelled())
            } else {
                lane::write(shared, lane, start, reading, &jobs)
            };
            outcomes.lock().unwrap_or_else(PoisonError::into_inner).push((lane.index, outcome));
        }
    };
    std::thread::scope(|scope| {
        let lost = |error| GenerateError::caused(GenerateErrorKind::Lost, "a thread could not be started", error);
        let mut handles = Vec::new();
        let mut started = Ok(());
        for _ in 0..threads {
            let queue = queue.clone();
            let digested = shared.spec.row_digest().then(|| shared.spec.fields());
            let work = move || {
                workers::work(shared.format, &queue, &shared.pool, &shared.slots, (shared.execution.dispatch, digested))
            };
            match std::thread::Builder::new().name("stocktake-encode".to_owned()).spawn_scoped(scope, work) {
                Ok(handle) => handles.push(handle),
                Err(error) => started = Err(lost(error)),
            }
        }
        for _ in 0..at_once {
            let jobs = jobs.clone();
            let run_lanes = &run_lanes;
            match std::thread::Builder::new()
                .name("stocktake-lane".to_owned())
                .spawn_scoped(scope, move || run_lanes(jobs))
            {
                Ok(handle) => handles.push(handle),
                Err(error) => started = Err(lost(error)),
            }
        }
        // Workers alone hold the queue now: were all of them lost, jobs and their replies would be dropped, not waited for.
        drop((jobs, queue));
        if started.is_err() {
            shared.stop.cancel();
        }
        for handle in handles {
            // A lost thread shows as a lane without an outcome or as a chunk without a reply.
            let _ = handle.join();
        }
        started
    })?;
    let mut outcomes = outcomes.into_inner().unwrap_or_else(PoisonError::into_inner);
    outcomes.sort_by_key(|(lane, _)| *lane);
    if let Some(missing) = lanes.iter().find(|lane| outcomes.iter().all(|(index, _)| *index != lane.index)) {
        return Err(GenerateError::new(GenerateErrorKind::Lost, "the lane was lost").in_lane(missing.index));
    }
    let mut shards = Vec::new();
    let mut cancelled = None;
    for (_, outcome) in outcomes {
        match outcome {
            Ok(of_lane) => shards.extend(of_lane),
            // Lanes that were stopped because another failed are not the cause.
            Err(error) if error.kind() == GenerateErrorKind::Cancelled => cancelled = Some(error),
            Err(error) => return Err(error),
        }
    }
    match cancelled {
        Some(error) => Err(error),
        None => Ok(shards),
    }
}
