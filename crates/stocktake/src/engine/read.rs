//! The reading side of a lane: opens its stream, has batches checked, cuts chunks, and hands each out as a job and a ticket.
//!
//! It knows nothing of data files. What a journal notes of a chunk's last row is taken here, where the rows are.

use super::{
    Execution, GenerateError, GenerateErrorKind,
    chunker::{Chunker, CutChunk},
    intake::Intake,
    lane::Shared,
    recover::LaneStart,
    slots::Slots,
    workers::{Encoded, Job},
};
use crossbeam_channel::{Receiver, Sender, bounded};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use stocktake_core::{
    CancelToken, Field, Format, LaneDescriptor, ObjectBatchBuilder, ObjectKey, ObjectSource, Order, Partition,
    ReadContext, ReportSpec, SkipObserver, SkippedEntry,
};

/// What the assembler gets of a lane, in its order.
pub(super) enum Ticket<C> {
    Chunk(ChunkTicket<C>),
    /// The lane was read to its end, in these ranges, or why not.
    End(Result<Vec<Partition>, GenerateError>),
}

/// A chunk's place in its lane.
pub(super) struct ChunkTicket<C> {
    pub(super) index: u64,
    pub(super) rows: u64,
    pub(super) first_key: String,
    pub(super) last_key: String,
    pub(super) begins_key: bool,
    /// What a journal notes of the last row.
    pub(super) last: LastRow,
    pub(super) encoded: Receiver<Encoded<C>>,
}

/// What a journal notes of the last row of a data file beside its key.
#[derive(Clone, Debug, Default)]
pub(super) struct LastRow {
    pub(super) codes: Vec<(Field, String)>,
    /// Entries of the lane that the source had left out when the row was read.
    pub(super) skipped_entries: u64,
}

/// Reads a lane, cuts it into chunks and hands them out.
pub(super) fn read<F: Format>(
    shared: &Shared<'_, F>,
    lane: &LaneDescriptor,
    start: &LaneStart,
    skipped: Arc<SkipCount>,
    jobs: &Sender<Job<F::Chunk>>,
    tickets: &Sender<Ticket<F::Chunk>>,
) -> Result<Vec<Partition>, GenerateError> {
    let spec = shared.spec;
    let slots = Arc::clone(&shared.slots);
    let observer: Arc<dyn SkipObserver> = Arc::<SkipCount>::clone(&skipped);
    let context = read_context(shared.source, spec, shared.execution, &shared.stop, slots, observer);
    let mut builder = ObjectBatchBuilder::new(context.fields);
    let mut stream = shared.source.open(lane, start.after.as_ref(), &context)?;
    let mut intake = Intake::new(spec, lane, start.after.as_ref().map(ObjectKey::as_str), shared.source.provides());
    let mut chunker = Chunker::behind(spec, start.last_row.clone());
    let mut permit = None;
    let mut index = 0;
    let mut hand_out = |chunk: CutChunk, permit| {
        let (reply, encoded) = bounded(1);
        let last = match (shared.journal, chunk.rows.segments().last()) {
            (Some(_), Some(segment)) => LastRow {
                codes: segment.codes_of(segment.len() - 1).map(|(field, text)| (field, text.to_owned())).collect(),
                skipped_entries: skipped.entries.load(Ordering::Relaxed),
            },
            _ => LastRow::default(),
        };
        let key = |key: Option<&str>| key.unwrap_or_default().to_owned();
        let ticket = ChunkTicket {
            index,
            rows: chunk.rows.len() as u64,
            first_key: key(chunk.rows.first_key()),
            last_key: key(chunk.rows.last_key()),
            begins_key: chunk.begins_key,
            last,
            encoded,
        };
        index += 1;
        let lost = |what| GenerateError::new(GenerateErrorKind::Lost, what);
        jobs.send(Job { rows: chunk.rows, permit, under_way: shared.progress.chunk(), reply })
            .map_err(|_| lost("all encoders were lost"))?;
        tickets.send(Ticket::Chunk(ticket)).map_err(|_| lost("the assembler was lost"))
    };
    loop {
        if shared.stop.is_cancelled() {
            return Err(GenerateError::cancelled());
        }
        builder.clear();
        if !stream.next_batch(&mut builder)? {
            break;
        }
        let batch = builder.finish();
        if batch.is_empty() {
            continue;
        }
        let kept = shared.slots.run(|| intake.accept(batch))?;
        if chunker.is_empty() && !kept.is_empty() && permit.is_none() {
            permit = Some(shared.budget.acquire(spec.chunk_memory_bytes()));
        }
        chunker.push(kept);
        while let Some(chunk) = chunker.full() {
            let held = permit.take().unwrap_or_else(|| shared.budget.acquire(spec.chunk_memory_bytes()));
            hand_out(chunk, held)?;
            permit = Some(shared.budget.acquire(spec.chunk_memory_bytes()));
        }
    }
    if shared.stop.is_cancelled() {
        // A stream that answers a cancellation with its end has not ended.
        return Err(GenerateError::cancelled());
    }
    while let Some(chunk) = chunker.rest() {
        let held = permit.take().unwrap_or_else(|| shared.budget.acquire(spec.chunk_memory_bytes()));
        hand_out(chunk, held)?;
    }
    Ok(stream.partitions())
}

/// What a stream of a report may know of the run.
pub(super) fn read_context(
    source: &dyn ObjectSource,
    spec: &ReportSpec,
    execution: &Execution,
    stop: &CancelToken,
    slots: Arc<Slots>,
    skipped: Arc<dyn SkipObserver>,
) -> ReadContext {
    let fields = Intake::fields_to_read(spec, source.provides());
    let mut context =
        ReadContext::new(spec.source_bucket().clone(), fields).with_slots(slots).with_skip_observer(skipped);
    context.prefix = spec.prefix().map(Into::into);
    context.versions = spec.versions();
    context.unsorted = spec.order() == Order::AsDelivered;
    context.threads = execution.threads;
    context.cancel = stop.clone();
    context
}

/// Counts the entries that a lane's source leaves out, and tells the observer.
pub(super) struct SkipCount {
    pub(super) entries: AtomicU64,
    pub(super) execution: Execution,
}

impl SkipObserver for SkipCount {
    fn skipped(&self, entry: &SkippedEntry) {
        self.entries.fetch_add(1, Ordering::Relaxed);
        self.execution.observer.entry_skipped(entry);
    }
}
