//! A destination that blocks in its writes: nothing is lost or comes in another order, and the source is not read ahead of it
//! without bound.
#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected should stop")]

use std::{
    num::{NonZeroU32, NonZeroUsize},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};
use stocktake::{
    BucketName, CancelToken, ConfigurationId, CsvOptions, Execution, FieldSet, FileFormat, FormatOptions,
    GenerateError, GenerateErrorKind, GenerateOptions, LaneDescriptor, ObjectBatchBuilder, ObjectKey, ObjectSource,
    ObjectStream, Observer, OrcOptions, ParquetOptions, Plan, ReadContext, ReportSpec, SourceError, Timestamp,
    destinations::MemoryDestination, generate,
};
use stocktake_testkit::destination::{BlockingDestination, Gate};

const ROWS: u64 = 20_000;

const CHUNK_ROWS: u64 = 100;

const BATCH_ROWS: u64 = 10;

/// Rows that were asked of the source, and rows that were appended to data files.
#[derive(Debug, Default)]
struct Counts {
    read: AtomicU64,
    appended: AtomicU64,
}

impl Observer for Counts {
    fn chunk_appended(&self, rows: u64, _bytes: u64) {
        self.appended.fetch_add(rows, Ordering::SeqCst);
    }
}

fn spec(format: FileFormat) -> ReportSpec {
    let options = match format {
        FileFormat::Orc => FormatOptions::Orc(OrcOptions::default()),
        FileFormat::Parquet => FormatOptions::Parquet(ParquetOptions::default()),
        _ => FormatOptions::Csv(CsvOptions::default()),
    };
    let bucket = |name| BucketName::try_new(name).unwrap();
    ReportSpec::builder(bucket("source"), ConfigurationId::try_new("daily").unwrap(), bucket("reports"))
        .with_created_at(Timestamp::parse("2026-11-22T01:00:00Z").unwrap())
        .with_fields(FieldSet::REQUIRED)
        .with_format(options)
        .with_chunk_rows(CHUNK_ROWS)
        .with_shard_target_bytes(20_000)
        .build()
        .unwrap()
}

/// Rows in small batches, of which each is told of before it is given.
struct Told<F>(F);

impl<F: Fn(u64) + Send + Sync> ObjectSource for Told<F> {
    fn provides(&self) -> FieldSet {
        FieldSet::REQUIRED
    }

    fn plan(&self, _: NonZeroU32) -> Result<Plan, SourceError> {
        Ok(Plan::whole("told"))
    }

    fn open<'a>(
        &'a self,
        _: &LaneDescriptor,
        _: Option<&ObjectKey>,
        _: &ReadContext,
    ) -> Result<Box<dyn ObjectStream + 'a>, SourceError> {
        Ok(Box::new(ToldStream { each: &self.0, next: 0 }))
    }
}

struct ToldStream<'a, F> {
    each: &'a F,
    next: u64,
}

impl<F: Fn(u64) + Send + Sync> ObjectStream for ToldStream<'_, F> {
    fn next_batch(&mut self, batch: &mut ObjectBatchBuilder) -> Result<bool, SourceError> {
        (self.each)(self.next);
        let end = ROWS.min(self.next + BATCH_ROWS);
        for number in self.next..end {
            batch.row(&format!("key {number:06}")).finish()?;
        }
        self.next = end;
        Ok(!batch.is_empty())
    }
}

/// Writes a report; `each` is told before each batch how many rows the source gave.
fn written(
    destination: &BlockingDestination<MemoryDestination>,
    format: FileFormat,
    execution: Execution,
    each: impl Fn(u64) + Send + Sync,
) -> Result<u64, GenerateError> {
    generate(&Told(each), &spec(format), destination, &GenerateOptions::new(execution)).map(|summary| summary.rows)
}

fn threads(count: usize) -> Execution {
    Execution::default().with_threads(NonZeroUsize::new(count).unwrap())
}

#[test]
fn a_slow_destination_loses_and_reorders_nothing() {
    for format in [FileFormat::Csv, FileFormat::Orc, FileFormat::Parquet] {
        let undisturbed = BlockingDestination::new(MemoryDestination::new(), Gate::default());
        assert_eq!(written(&undisturbed, format, threads(2), |_| {}).unwrap(), ROWS);
        for count in [1, 3] {
            let gate = Gate::shut();
            let slow = BlockingDestination::new(MemoryDestination::new(), gate.clone());
            let counts = Arc::new(Counts::default());
            thread::scope(|scope| {
                scope.spawn(|| {
                    // One write at a time, and each is seen to wait before.
                    while gate.pass_one() {}
                });
                let rows = written(&slow, format, threads(count).with_observer(counts.clone()), |_| {});
                gate.end();
                assert_eq!(rows.unwrap(), ROWS);
            });
            assert_eq!(counts.appended.load(Ordering::SeqCst), ROWS);
            assert!(slow.inner().objects() == undisturbed.inner().objects(), "{format:?}, {count} threads");
        }
    }
}

/// While a write blocks, what is read of the source is what fits into the chunks that may be under way.
#[test]
fn the_source_is_not_read_ahead_of_a_destination_that_blocks() {
    for count in [1, 3] {
        // Those that wait in order, the one that is appended, the one that is filled, and batches on their way there.
        let most = (count as u64 + 3 + 2) * CHUNK_ROWS + 4 * BATCH_ROWS;
        // As many as are surely read: the chunks that wait for the one that blocks.
        let sure = (count as u64 + 1) * CHUNK_ROWS;
        let gate = Gate::shut();
        let blocking = BlockingDestination::new(MemoryDestination::new(), gate.clone());
        let counts = Arc::new(Counts::default());
        let (of_source, of_run) = (Arc::clone(&counts), threads(count).with_observer(counts.clone()));
        let opener = gate.clone();
        let rows = written(&blocking, FileFormat::Csv, of_run, move |row| {
            of_source.read.store(row, Ordering::SeqCst);
            let ahead = row.saturating_sub(of_source.appended.load(Ordering::SeqCst));
            assert!(ahead <= most, "{ahead} rows are read ahead with {count} threads");
            // A write is let through only when the source is far ahead of it, or at its end.
            if ahead >= sure || row == ROWS {
                opener.let_through(1);
            }
            if row == ROWS {
                opener.open();
            }
        });
        assert_eq!(rows.unwrap(), ROWS);
    }
}

/// A write that blocks cannot be called back: the run ends when it returns, whole or not at all.
#[test]
fn a_run_that_is_cancelled_while_a_write_blocks_ends_with_that_write() {
    for format in [FileFormat::Csv, FileFormat::Orc, FileFormat::Parquet] {
        for passed in [0, 1, 7] {
            let gate = Gate::shut();
            gate.let_through(passed);
            let blocking = BlockingDestination::new(MemoryDestination::new(), gate.clone());
            let counts = Arc::new(Counts::default());
            let cancel = CancelToken::new();
            let execution = threads(2).with_cancel(cancel.clone()).with_observer(counts.clone());
            let error = thread::scope(|scope| {
                let of_source = Arc::clone(&counts);
                let run = scope.spawn(|| {
                    let told = move |row| of_source.read.store(row, Ordering::SeqCst);
                    let rows = written(&blocking, format, execution, told);
                    gate.end();
                    rows
                });
                assert!(gate.wait_for_a_write());
                cancel.cancel();
                gate.open();
                run.join().unwrap().unwrap_err()
            });
            assert_eq!(error.kind(), GenerateErrorKind::Cancelled, "{error}");
            assert_eq!(error.leftovers(), [""; 0]);
            assert_eq!(blocking.inner().objects().len(), 0, "{format:?} behind {passed} writes");
            assert!(counts.read.load(Ordering::SeqCst) < ROWS, "the source is not read to its end");
        }
    }
}
