//! A lane: one thread reads and cuts chunks (`read`), another appends them in order to data files, here; what is finished is
//! hashed and published (`closing`).

use super::{
    Execution, GenerateError, GenerateErrorKind,
    closing::{self, Closing, Ending, Finished, FinishedShard},
    journal::Journal,
    memory::Budget,
    progress::{Progress, Reading},
    read::{ChunkTicket, LastRow, SkipCount, Ticket, read},
    recover::LaneStart,
    slots::Slots,
    stop::StopOnPanic,
    workers::{ChunkPool, Encoded, Job},
};
use crossbeam_channel::{Receiver, Sender, bounded};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};
use stocktake_core::{
    CancelToken, CommittableShard, Destination, Format, LaneDescriptor, ObjectAttributes, ObjectSource, Partition,
    Receipt, ReportKey, ReportLayout, ReportSpec, RowDigest, ShardAssembler, ShardFacts, ShardWriter,
};

/// What all lanes of a run share.
pub(super) struct Shared<'a, F: Format> {
    pub(super) format: &'a F,
    pub(super) source: &'a dyn ObjectSource,
    pub(super) spec: &'a ReportSpec,
    pub(super) plan_digest: String,
    pub(super) layout: ReportLayout,
    pub(super) destination: &'a dyn Destination,
    pub(super) execution: &'a Execution,
    pub(super) attempt: u32,
    pub(super) slots: Arc<Slots>,
    pub(super) budget: Arc<Budget>,
    pub(super) progress: Arc<Progress>,
    /// Data files of a lane that are hashed at once.
    pub(super) together: usize,
    pub(super) pool: ChunkPool<F::Chunk>,
    /// Cancelled with the user's token, and by the first failure of any lane.
    pub(super) stop: CancelToken,
    /// Data files that this run published and that no journal keeps, to be removed if it fails.
    pub(super) published: Mutex<Vec<ReportKey>>,
    /// Keeps finished data files, so that the run can be continued.
    pub(super) journal: Option<&'a Journal<'a>>,
}

/// Chunks ahead of the assembler beyond one for each thread. Memory bounds chunks already; this keeps a destination that
/// stalls from filling all of it with encoded chunks, so that a run's memory is the same for a few chunks and for many.
const TICKETS_EXTRA: usize = 3;

/// Writes a lane, or the rest of it.
///
/// # Errors
/// The failure that is earliest in the lane's order.
pub(super) fn write<F: Format>(
    shared: &Shared<'_, F>,
    lane: &LaneDescriptor,
    start: LaneStart,
    reading: Reading,
    jobs: &Sender<Job<F::Chunk>>,
) -> Result<Vec<CommittableShard>, GenerateError> {
    if start.ended {
        return Ok(start.shards);
    }
    let entries = AtomicU64::new(start.skipped_entries);
    let skipped = Arc::new(SkipCount { entries, execution: shared.execution.clone() });
    std::thread::scope(|scope| {
        // Within the scope, so that a panic here ends the queue, and with it the reader, before the reader is waited for.
        let stop = StopOnPanic(&shared.stop);
        let closing = Closing::begin(scope, shared, start.shards.clone()).map_err(|error| {
            shared.stop.cancel();
            error.in_lane(lane.index)
        })?;
        let (tickets, queue) = bounded(shared.execution.threads.get() + TICKETS_EXTRA);
        let (observer, begin) = (Arc::clone(&skipped), &start);
        let reader =
            std::thread::Builder::new().name(format!("stocktake-read-{}", lane.index)).spawn_scoped(scope, move || {
                let outcome = read(shared, lane, begin, observer, jobs, &tickets);
                drop(reading);
                // The assembler is gone only when it failed itself; its failure is the earlier one.
                let _ = tickets.send(Ticket::End(outcome));
            });
        let reader = reader.map_err(|error| {
            shared.stop.cancel();
            GenerateError::caused(GenerateErrorKind::Lost, "a reader could not be started", error).in_lane(lane.index)
        })?;
        let mut assembly = Assembly::new(shared, lane, start.shards.len(), &skipped.entries, closing);
        let outcome = assembly.run(&queue);
        if outcome.is_err() {
            shared.stop.cancel();
        }
        // Chunks under way are drained, which frees the memory that the reader may be waiting for.
        for ticket in &queue {
            drop(ticket);
        }
        drop(stop);
        // A reader that panicked sent no end, which the assembly has reported.
        let _ = reader.join();
        assembly.closing.end(outcome).map_err(|error| error.in_lane(lane.index))
    })
}

/// The data files of a lane, in the making.
struct Assembly<'scope, 's, 'a, F: Format> {
    shared: &'s Shared<'a, F>,
    lane: &'s LaneDescriptor,
    skipped: &'s AtomicU64,
    open: Option<OpenShard<F::Assembler>>,
    /// Data files before the one that is open.
    finished: usize,
    closing: Closing<'scope, 's, 'a, F>,
}

struct OpenShard<A> {
    key: ReportKey,
    assembler: A,
    rows: u64,
    first_key: String,
    last_key: String,
    last: LastRow,
    row_digest: Option<RowDigest>,
}

impl<'scope, 's: 'scope, 'a: 's, F: Format> Assembly<'scope, 's, 'a, F> {
    fn new(
        shared: &'s Shared<'a, F>,
        lane: &'s LaneDescriptor,
        finished: usize,
        skipped: &'s AtomicU64,
        closing: Closing<'scope, 's, 'a, F>,
    ) -> Self {
        Self { shared, lane, skipped, open: None, finished, closing }
    }

    fn run(&mut self, queue: &Receiver<Ticket<F::Chunk>>) -> Result<(), GenerateError> {
        for ticket in queue {
            match ticket {
                Ticket::Chunk(ticket) => self.append(ticket)?,
                Ticket::End(outcome) => return self.close_lane(outcome?),
            }
        }
        Err(GenerateError::new(GenerateErrorKind::Lost, "the reader was lost"))
    }

    fn append(&mut self, ticket: ChunkTicket<F::Chunk>) -> Result<(), GenerateError> {
        let index = ticket.index;
        let lost = || GenerateError::new(GenerateErrorKind::Lost, "the encoder was lost").in_chunk(index);
        let Encoded { chunk, row_digest, permit } = ticket.encoded.recv().map_err(|_| lost())?;
        let chunk = chunk.map_err(|error| {
            GenerateError::caused(GenerateErrorKind::Encode, "a value could not be encoded", error).in_chunk(index)
        })?;
        if self.shared.stop.is_cancelled() {
            return Err(GenerateError::cancelled());
        }
        let target_bytes = self.shared.spec.shard_target_bytes_of(self.shard_number()?);
        let full =
            |open: &OpenShard<F::Assembler>| open.assembler.shard_bytes() >= target_bytes || open.assembler.is_full();
        if ticket.begins_key && self.open.as_ref().is_some_and(full) {
            self.close_shard(None)?;
        }
        let shard = self.shard_number()?;
        let open = match &mut self.open {
            Some(open) => open,
            closed => closed.insert(Self::begin(self.shared, self.lane, shard, ticket.first_key)?),
        };
        let before_bytes = open.assembler.shard_bytes();
        let appended = self.shared.slots.run_first(|| open.assembler.append(&chunk));
        appended.map_err(|error| write_fault(error).in_shard(shard).in_chunk(index))?;
        open.rows += ticket.rows;
        open.row_digest = open.row_digest.zip(row_digest).map(|(sum, of_chunk)| sum + of_chunk);
        open.last_key = ticket.last_key;
        open.last = ticket.last;
        self.shared.execution.observer.chunk_appended(ticket.rows, open.assembler.shard_bytes() - before_bytes);
        let held_bytes = F::chunk_bytes(&chunk);
        self.shared.pool.give_back(chunk, held_bytes);
        drop(permit);
        Ok(())
    }

    fn shard_number(&self) -> Result<u32, GenerateError> {
        u32::try_from(self.finished)
            .map_err(|_| GenerateError::new(GenerateErrorKind::Invalid, "more data files than 32 bits can number"))
    }

    fn begin(
        shared: &Shared<'_, F>,
        lane: &LaneDescriptor,
        shard: u32,
        first_key: String,
    ) -> Result<OpenShard<F::Assembler>, GenerateError> {
        let key = shared.layout.data(lane.index, shard, shared.attempt);
        let attributes = ObjectAttributes::new(content_type(shared.spec));
        let object =
            shared.destination.create(&key, &attributes).map_err(|error| GenerateError::from(error).in_shard(shard))?;
        let writer = if closing::waits(shared) {
            ShardWriter::hashed_later(object).map_err(|error| write_fault(error).in_shard(shard))?
        } else {
            ShardWriter::new(object)
        };
        let assembler = shared.format.assembler(writer);
        let row_digest = shared.spec.row_digest().then(RowDigest::default);
        let (last_key, last) = (String::new(), LastRow::default());
        Ok(OpenShard { key, assembler, rows: 0, first_key, last_key, last, row_digest })
    }

    /// Closes the open data file, if there is one, and hands it on.
    fn close_shard(&mut self, ending: Option<Ending>) -> Result<(), GenerateError> {
        let shard = self.shard_number()?;
        let Some(open) = self.open.take() else { return Ok(()) };
        let facts = ShardFacts::new(self.shared.spec.report_id(), open.rows, open.first_key, open.last_key);
        let writer = open.assembler.finish(&facts).map_err(|error| write_fault(error).in_shard(shard))?;
        let mut receipt = self.receipt(shard, facts.rows, Some((facts.first_key, facts.last_key)));
        receipt.row_digest = open.row_digest;
        self.finished += 1;
        self.closing.take(Finished::Shard(FinishedShard { key: open.key, writer, receipt, last: open.last, ending }))
    }

    fn close_lane(&mut self, partitions: Vec<Partition>) -> Result<(), GenerateError> {
        let ending = Ending { skipped_entries: self.skipped.load(Ordering::Relaxed), partitions };
        if self.open.is_some() {
            return self.close_shard(Some(ending));
        }
        let receipt = self.receipt(0, 0, None);
        self.closing.take(Finished::Nothing { receipt, ending })
    }

    fn receipt(&self, shard: u32, rows: u64, keys: Option<(String, String)>) -> Receipt {
        let (first_key, last_key) = keys.unzip();
        Receipt {
            report_id: self.shared.spec.report_id(),
            spec_digest: self.shared.spec.digest(),
            plan_digest: self.shared.plan_digest.clone(),
            lane: self.lane.index,
            shard,
            last_of_lane: false,
            attempt: self.shared.attempt,
            file: None,
            rows,
            first_key,
            last_key,
            skipped_entries: 0,
            row_digest: None,
            partitions: Vec::new(),
        }
    }
}

/// A fault in writing a data file.
pub(super) fn write_fault(error: impl std::error::Error + Send + Sync + 'static) -> GenerateError {
    let kind = GenerateErrorKind::Destination(stocktake_core::DestinationErrorKind::Io);
    GenerateError::caused(kind, "writing the report failed", error)
}

fn content_type(spec: &ReportSpec) -> &'static str {
    match spec.format().file_format() {
        stocktake_core::FileFormat::Csv => "application/gzip",
        stocktake_core::FileFormat::Parquet => "application/vnd.apache.parquet",
        _ => "application/octet-stream",
    }
}
