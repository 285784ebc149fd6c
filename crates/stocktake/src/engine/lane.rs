//! A lane: one thread reads and cuts chunks (`read`), another appends them in order to data files, here.

use super::{
    Execution, GenerateError, GenerateErrorKind,
    journal::Journal,
    memory::Budget,
    read::{ChunkTicket, LastRow, SkipCount, Ticket, read},
    recover::LaneStart,
    slots::Slots,
    workers::{ChunkPool, Encoded, Job},
};
use crossbeam_channel::{Receiver, Sender, bounded};
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};
use stocktake_core::{
    CancelToken, CommittableShard, Destination, Format, JournalEntry, LaneDescriptor, ObjectAttributes, ObjectSource,
    Partition, Receipt, ReportKey, ReportLayout, ReportSpec, RowDigest, ShardAssembler, ShardFacts, ShardWriter,
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
        let (tickets, queue) = bounded(shared.execution.threads.get() + TICKETS_EXTRA);
        let (observer, begin) = (Arc::clone(&skipped), &start);
        let reader =
            std::thread::Builder::new().name(format!("stocktake-read-{}", lane.index)).spawn_scoped(scope, move || {
                let outcome = read(shared, lane, begin, observer, jobs, &tickets);
                // The assembler is gone only when it failed itself; its failure is the earlier one.
                let _ = tickets.send(Ticket::End(outcome));
            });
        let reader = reader.map_err(|error| {
            shared.stop.cancel();
            GenerateError::caused(GenerateErrorKind::Lost, "a reader could not be started", error)
        })?;
        let mut assembly = Assembly::new(shared, lane, start.shards.clone(), &skipped.entries);
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
        outcome.map_err(|error| error.in_lane(lane.index)).map(|()| assembly.shards)
    })
}

/// Stops the run when the thread that holds it unwinds.
struct StopOnPanic<'a>(&'a CancelToken);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.cancel();
        }
    }
}

/// The data files of a lane, in the making.
struct Assembly<'s, 'a, F: Format> {
    shared: &'s Shared<'a, F>,
    lane: &'s LaneDescriptor,
    skipped: &'s AtomicU64,
    open: Option<OpenShard<F::Assembler>>,
    shards: Vec<CommittableShard>,
    /// Ranges of the source, once the lane was read to its end.
    partitions: Vec<Partition>,
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

impl<'s, 'a, F: Format> Assembly<'s, 'a, F> {
    fn new(
        shared: &'s Shared<'a, F>,
        lane: &'s LaneDescriptor,
        shards: Vec<CommittableShard>,
        skipped: &'s AtomicU64,
    ) -> Self {
        Self { shared, lane, skipped, open: None, shards, partitions: Vec::new() }
    }

    fn run(&mut self, queue: &Receiver<Ticket<F::Chunk>>) -> Result<(), GenerateError> {
        for ticket in queue {
            match ticket {
                Ticket::Chunk(ticket) => self.append(ticket)?,
                Ticket::End(outcome) => {
                    self.partitions = outcome?;
                    return self.close_lane();
                }
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
        let target_bytes = self.shared.spec.shard_target_bytes();
        let full =
            |open: &OpenShard<F::Assembler>| open.assembler.shard_bytes() >= target_bytes || open.assembler.is_full();
        if ticket.begins_key && self.open.as_ref().is_some_and(full) {
            self.close_shard(false)?;
        }
        let shard = self.shard_number()?;
        let open = match &mut self.open {
            Some(open) => open,
            closed => closed.insert(Self::begin(self.shared, self.lane, shard, ticket.first_key)?),
        };
        let before_bytes = open.assembler.shard_bytes();
        self.shared.slots.run(|| open.assembler.append(&chunk)).map_err(|error| {
            GenerateError::caused(
                GenerateErrorKind::Destination(stocktake_core::DestinationErrorKind::Io),
                "writing the report failed",
                error,
            )
            .in_shard(shard)
            .in_chunk(index)
        })?;
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
        u32::try_from(self.shards.len())
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
        let assembler = shared.format.assembler(ShardWriter::new(object));
        let row_digest = shared.spec.row_digest().then(RowDigest::default);
        let (last_key, last) = (String::new(), LastRow::default());
        Ok(OpenShard { key, assembler, rows: 0, first_key, last_key, last, row_digest })
    }

    /// Closes and publishes the open data file, if there is one, and writes it down in the journal, if there is one.
    fn close_shard(&mut self, last_of_lane: bool) -> Result<(), GenerateError> {
        let shard = self.shard_number()?;
        let Some(open) = self.open.take() else { return Ok(()) };
        let facts = ShardFacts::new(self.shared.spec.report_id(), open.rows, open.first_key, open.last_key);
        let writer = open.assembler.finish(&facts).map_err(|error| {
            GenerateError::caused(
                GenerateErrorKind::Destination(stocktake_core::DestinationErrorKind::Io),
                "writing the report failed",
                error,
            )
            .in_shard(shard)
        })?;
        let mut receipt = self.receipt(shard, facts.rows, Some((facts.first_key, facts.last_key)));
        receipt.row_digest = open.row_digest;
        // Noted before it is published, so that a fault in between cannot leave it behind unnoticed.
        self.shared.published.lock().unwrap_or_else(PoisonError::into_inner).push(open.key.clone());
        let published = CommittableShard::publish(receipt, open.key.clone(), writer).map_err(|error| {
            // What stands under the key, if anything, is not ours.
            self.shared.published.lock().unwrap_or_else(PoisonError::into_inner).retain(|key| *key != open.key);
            GenerateError::from(error).in_shard(shard)
        })?;
        let published = if last_of_lane { self.ending(published) } else { published };
        self.keep(&published, open.last)?;
        self.shared.execution.observer.shard_published(published.receipt());
        self.shards.push(published);
        Ok(())
    }

    /// Writes a published data file down. From then on it stays, whatever becomes of the run.
    fn keep(&self, shard: &CommittableShard, last: LastRow) -> Result<(), GenerateError> {
        let Some(journal) = self.shared.journal else { return Ok(()) };
        let receipt = shard.receipt();
        journal
            .keep(JournalEntry::new(receipt.clone(), last.codes, last.skipped_entries))
            .map_err(|error| error.in_shard(receipt.shard))?;
        if let Some(file) = &receipt.file {
            self.shared.published.lock().unwrap_or_else(PoisonError::into_inner).retain(|key| *key != file.key);
        }
        Ok(())
    }

    fn close_lane(&mut self) -> Result<(), GenerateError> {
        if self.open.is_some() {
            return self.close_shard(true);
        }
        let last = match self.shards.pop() {
            // The rows behind it, which were there when it was closed, are gone from the source since.
            Some(last) => self.ending(last),
            None => {
                let empty = self.ending(CommittableShard::empty_lane(self.receipt(0, 0, None)));
                self.keep(&empty, LastRow::default())?;
                empty
            }
        };
        self.shards.push(last);
        Ok(())
    }

    fn ending(&self, last: CommittableShard) -> CommittableShard {
        last.ending_lane(self.skipped.load(Ordering::Relaxed), self.partitions.clone())
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

fn content_type(spec: &ReportSpec) -> &'static str {
    match spec.format().file_format() {
        stocktake_core::FileFormat::Csv => "application/gzip",
        stocktake_core::FileFormat::Parquet => "application/vnd.apache.parquet",
        _ => "application/octet-stream",
    }
}
