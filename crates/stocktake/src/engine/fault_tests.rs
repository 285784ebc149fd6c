//! Encoders and assemblers that fail or panic: the run fails with a position, ends, and leaves nothing.

use super::{
    Execution, GenerateError, GenerateErrorKind,
    generate::{Lanes, write_with},
    recover::LaneStart,
};
use crate::{destinations::MemoryDestination, sources::RowsSource};
use std::{
    io::Write,
    num::{NonZeroU32, NonZeroUsize},
    sync::atomic::{AtomicU64, Ordering},
};
use stocktake_core::{
    AssembleError, BucketName, ChunkEncoder, ConfigurationId, EncodeError, FieldSet, Format, ObjectBatchBuilder,
    ObjectSource, ReportSpec, RowChunk, ShardAssembler, ShardFacts, ShardWriter, Timestamp,
};

/// What happens, and in which chunk.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    EncoderFails,
    EncoderPanics,
    AssemblerFails,
    AssemblerPanics,
    FinishFails,
    FinishPanics,
}

/// Writes keys one after another, with a fault at the n-th call of its kind.
struct Faulty {
    fault: Fault,
    at: u64,
    calls: AtomicU64,
}

impl Faulty {
    /// Whether this is the call that goes wrong.
    fn is_due(&self, fault: Fault) -> bool {
        self.fault == fault && self.calls.fetch_add(1, Ordering::Relaxed) == self.at
    }
}

impl<'a> Format for &'a Faulty {
    type Chunk = Vec<u8>;
    type Encoder = Encoder<'a>;
    type Assembler = Assembler<'a>;

    fn encoder(&self) -> Encoder<'a> {
        Encoder(self)
    }

    fn assembler(&self, writer: ShardWriter) -> Assembler<'a> {
        Assembler { format: self, writer, bytes: 0 }
    }

    fn chunk_bytes(chunk: &Vec<u8>) -> usize {
        chunk.capacity()
    }
}

struct Encoder<'a>(&'a Faulty);

impl ChunkEncoder for Encoder<'_> {
    type Chunk = Vec<u8>;

    fn encode(&mut self, rows: &RowChunk, into: &mut Vec<u8>) -> Result<(), EncodeError> {
        assert!(!self.0.is_due(Fault::EncoderPanics), "on purpose");
        if self.0.is_due(Fault::EncoderFails) {
            return Err(EncodeError::new(rows.first_key(), "on purpose"));
        }
        into.clear();
        for batch in rows.segments() {
            for row in 0..batch.len() {
                into.extend_from_slice(batch.key(row).as_bytes());
            }
        }
        Ok(())
    }
}

struct Assembler<'a> {
    format: &'a Faulty,
    writer: ShardWriter,
    bytes: u64,
}

impl ShardAssembler for Assembler<'_> {
    type Chunk = Vec<u8>;

    fn append(&mut self, chunk: &Vec<u8>) -> Result<(), AssembleError> {
        assert!(!self.format.is_due(Fault::AssemblerPanics), "on purpose");
        if self.format.is_due(Fault::AssemblerFails) {
            return Err(AssembleError::from(std::io::Error::other("on purpose")));
        }
        self.bytes += chunk.len() as u64;
        Ok(self.writer.write_all(chunk)?)
    }

    fn shard_bytes(&self) -> u64 {
        self.bytes
    }

    fn finish(self, _: &ShardFacts) -> Result<ShardWriter, AssembleError> {
        assert!(!self.format.is_due(Fault::FinishPanics), "on purpose");
        if self.format.is_due(Fault::FinishFails) {
            return Err(AssembleError::from(std::io::Error::other("on purpose")));
        }
        Ok(self.writer)
    }
}

/// Rows, ten a chunk and some chunks a data file.
const ROWS: u64 = 200;

fn written(format: &Faulty, threads: usize) -> (Result<usize, GenerateError>, usize) {
    let mut next = 0;
    let source = RowsSource::new(FieldSet::REQUIRED, move |batch: &mut ObjectBatchBuilder| {
        if next == ROWS {
            return Ok(false);
        }
        batch.row(&format!("key {next:04}")).finish()?;
        next += 1;
        Ok(true)
    });
    let bucket = |name| BucketName::try_new(name).unwrap();
    let spec = ReportSpec::builder(bucket("source"), ConfigurationId::try_new("daily").unwrap(), bucket("reports"))
        .with_created_at(Timestamp::parse("2026-11-22T01:00:00Z").unwrap())
        .with_fields(FieldSet::REQUIRED)
        .with_chunk_rows(10)
        .with_shard_target_bytes(300)
        .build()
        .unwrap();
    let plan = source.plan(NonZeroU32::MIN).unwrap();
    let destination = MemoryDestination::new();
    let execution = Execution::default().with_threads(NonZeroUsize::new(threads).unwrap());
    let starts = plan.lanes().iter().map(|_| LaneStart::default()).collect();
    let lanes = Lanes { lanes: plan.lanes(), starts, attempt: 0, journal: None };
    let outcome = write_with(&format, &source, &spec, &plan, lanes, &destination, &execution);
    (outcome.map(|shards| shards.len()), destination.objects().len())
}

#[test]
fn a_format_that_fails_or_panics_anywhere_leaves_nothing_and_no_hang() {
    let sound = Faulty { fault: Fault::EncoderFails, at: u64::MAX, calls: AtomicU64::new(0) };
    let (files, objects) = written(&sound, 2);
    let (files, chunks) = (files.unwrap() as u64, ROWS / 10);
    assert_eq!(objects as u64, files);
    assert!(files > 3);
    for threads in [1, 3] {
        for (fault, kind, calls) in [
            (Fault::EncoderFails, GenerateErrorKind::Encode, chunks),
            (Fault::EncoderPanics, GenerateErrorKind::Lost, chunks),
            (Fault::AssemblerFails, GenerateErrorKind::Destination(stocktake_core::DestinationErrorKind::Io), chunks),
            (Fault::AssemblerPanics, GenerateErrorKind::Lost, chunks),
            (Fault::FinishFails, GenerateErrorKind::Destination(stocktake_core::DestinationErrorKind::Io), files),
            (Fault::FinishPanics, GenerateErrorKind::Lost, files),
        ] {
            for at in 0..calls {
                let format = Faulty { fault, at, calls: AtomicU64::new(0) };
                let (outcome, objects) = written(&format, threads);
                let error = outcome.unwrap_err();
                assert_eq!(error.kind(), kind, "{fault:?} in call {at} with {threads} threads: {error}");
                assert_eq!(objects, 0, "{fault:?} in call {at} with {threads} threads");
            }
        }
    }
}
