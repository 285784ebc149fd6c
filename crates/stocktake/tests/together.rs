//! Data files that wait for one another to be hashed: the same report, and every fault found where it lies.
#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected should stop")]

use std::{
    io::{self, Read, Write},
    num::{NonZeroU32, NonZeroUsize},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use stocktake::{
    BucketName, ConfigurationId, Destination, DestinationError, DestinationErrorKind, Execution, FieldSet,
    GenerateErrorKind, GenerateOptions, LaneDescriptor, ObjectAttributes, ObjectBatchBuilder, ObjectKey, ObjectSource,
    ObjectStream, PendingObject, Plan, ReadContext, Recovery, ReportKey, ReportSpec, ReportSpecBuilder, ReportStore,
    SourceError, SourceErrorKind, Timestamp,
    destinations::{LocalDestination, MemoryDestination},
    generate,
    sources::SyntheticSource,
};

/// Waits of ten milliseconds, more than anything here takes; nothing is said of how many it takes.
const FAR_TOO_MANY: u32 = 12_000;

/// What happens to a data file, counted from 0 in the order of their creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    /// Another byte is read back.
    ReadsOtherwise,
    CannotBeRead,
    CannotBePublished,
}

/// Keeps objects in memory; one data file meets a fault.
#[derive(Clone)]
struct Faulty {
    inner: MemoryDestination,
    gives_back: bool,
    fault: Fault,
    at: usize,
    files: Arc<AtomicUsize>,
}

impl Faulty {
    fn new(gives_back: bool, fault: Fault, at: usize) -> Self {
        Self { inner: MemoryDestination::new(), gives_back, fault, at, files: Arc::default() }
    }

    fn data_files(&self) -> usize {
        self.inner.objects().keys().filter(|key| key.as_str().contains("/data/")).count()
    }
}

impl Destination for Faulty {
    fn create(
        &self,
        key: &ReportKey,
        attributes: &ObjectAttributes,
    ) -> Result<Box<dyn PendingObject>, DestinationError> {
        let inner = self.inner.create(key, attributes)?;
        let is_data = key.as_str().contains("/data/");
        let is_due = is_data && self.files.fetch_add(1, Ordering::Relaxed) == self.at;
        Ok(Box::new(Object { inner, fault: if is_due { self.fault } else { Fault::None } }))
    }

    fn remove(&self, key: &ReportKey) -> Result<(), DestinationError> {
        self.inner.remove(key)
    }

    fn buffer_bytes(&self) -> usize {
        0
    }

    fn store(&self) -> Option<&dyn ReportStore> {
        self.inner.store()
    }

    fn gives_back(&self) -> bool {
        self.gives_back
    }
}

struct Object {
    inner: Box<dyn PendingObject>,
    fault: Fault,
}

impl Write for Object {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl PendingObject for Object {
    fn publish(self: Box<Self>) -> Result<(), DestinationError> {
        if self.fault == Fault::CannotBePublished {
            return Err(DestinationError::new(DestinationErrorKind::Io, "a file", "on purpose"));
        }
        self.inner.publish()
    }

    fn written(&self) -> io::Result<Option<Box<dyn Read + Send>>> {
        let inner = self.inner.written()?;
        Ok(inner.map(|inner| Box::new(Back { inner, fault: self.fault }) as _))
    }
}

struct Back {
    inner: Box<dyn Read + Send>,
    fault: Fault,
}

impl Read for Back {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.fault == Fault::CannotBeRead {
            return Err(io::Error::other("on purpose"));
        }
        let length = self.inner.read(buffer)?;
        if self.fault == Fault::ReadsOtherwise && length > 0 {
            buffer[length / 2] ^= 1;
        }
        Ok(length)
    }
}

fn spec() -> ReportSpecBuilder {
    let bucket = |name| BucketName::try_new(name).unwrap();
    ReportSpec::builder(bucket("source"), ConfigurationId::try_new("daily").unwrap(), bucket("reports"))
        .with_created_at(Timestamp::parse("2026-11-22T01:00:00Z").unwrap())
        .with_fields(FieldSet::REQUIRED)
        .with_chunk_rows(20)
        .with_shard_target_bytes(1)
}

fn options(threads: usize) -> GenerateOptions {
    GenerateOptions::new(Execution::default().with_threads(NonZeroUsize::new(threads).unwrap()))
}

/// 43 data files.
fn source() -> SyntheticSource {
    "rows=850,seed=3,versions=0".parse().unwrap()
}

#[test]
fn the_report_is_the_same_whether_files_wait_or_not() {
    let spec = spec().build().unwrap();
    let passing = Faulty::new(false, Fault::None, 0);
    let summary = generate(&source(), &spec, &passing, &options(2)).unwrap();
    assert_eq!(summary.files, 43);
    for threads in [1, 2, 5] {
        let together = Faulty::new(true, Fault::None, 0);
        assert_eq!(generate(&source(), &spec, &together, &options(threads)).unwrap(), summary);
        assert!(together.inner.objects() == passing.inner.objects(), "{threads} threads");
        let folder = tempfile::tempdir().unwrap();
        generate(&source(), &spec, &LocalDestination::try_new(folder.path()).unwrap(), &options(threads)).unwrap();
        for (key, bytes) in passing.inner.objects() {
            assert_eq!(std::fs::read(folder.path().join(key.as_str())).unwrap(), &*bytes, "{key}");
        }
    }
}

#[test]
fn a_fault_names_its_data_file_and_leaves_nothing_or_what_a_journal_names() {
    let spec = spec().build().unwrap();
    let whole = Faulty::new(false, Fault::None, 0);
    generate(&source(), &spec, &whole, &options(1)).unwrap();
    for fault in [Fault::ReadsOtherwise, Fault::CannotBeRead, Fault::CannotBePublished] {
        for at in [0, 1, 7, 8, 9, 20, 41, 42] {
            for threads in [1, 3] {
                let failing = Faulty::new(true, fault, at);
                let error = generate(&source(), &spec, &failing, &options(threads)).unwrap_err();
                let text = error.to_string();
                assert!(matches!(error.kind(), GenerateErrorKind::Destination(_)), "{fault:?} at {at}: {text}");
                assert!(text.contains(&format!("data file {at}")), "{fault:?} at {at}: {text}");
                assert!(failing.inner.objects().is_empty(), "{fault:?} at {at}");

                // Those before it are kept where they can be found again, and the run is carried on behind them.
                let failing = Faulty::new(true, fault, at);
                generate(&source(), &spec, &failing, &options(threads).with_recovery(Recovery::Begin)).unwrap_err();
                assert_eq!(failing.data_files(), at, "{fault:?} at {at}");
                let resumed = options(threads).with_recovery(Recovery::Resume);
                let summary = generate(&source(), &spec, &failing.inner, &resumed).unwrap();
                assert_eq!(summary.kept_files, at as u64, "{fault:?} at {at}");
                assert!(failing.inner.objects() == whole.inner.objects(), "{fault:?} at {at}");
            }
        }
    }
}

/// Gives ten rows a batch, and asks before each whether it is to go on.
struct Halting<F>(F);

impl<F: Fn(u64) -> Result<(), SourceError> + Send + Sync> ObjectSource for Halting<F> {
    fn provides(&self) -> FieldSet {
        FieldSet::REQUIRED
    }

    fn plan(&self, _: NonZeroU32) -> Result<Plan, SourceError> {
        Ok(Plan::whole("halting"))
    }

    fn open<'a>(
        &'a self,
        _: &LaneDescriptor,
        _: Option<&ObjectKey>,
        _: &ReadContext,
    ) -> Result<Box<dyn ObjectStream + 'a>, SourceError> {
        Ok(Box::new(HaltingStream { goes_on: &self.0, next: 0 }))
    }
}

struct HaltingStream<'a, F> {
    goes_on: &'a F,
    next: u64,
}

impl<F: Fn(u64) -> Result<(), SourceError> + Send + Sync> ObjectStream for HaltingStream<'_, F> {
    fn next_batch(&mut self, batch: &mut ObjectBatchBuilder) -> Result<bool, SourceError> {
        (self.goes_on)(self.next)?;
        if self.next == 100 {
            return Ok(false);
        }
        for row in self.next..self.next + 10 {
            batch.row(&format!("key {row:04}")).finish()?;
        }
        self.next += 10;
        Ok(true)
    }
}

fn unreadable() -> SourceError {
    SourceError::new(SourceErrorKind::Unreadable, "on purpose")
}

#[test]
fn a_source_that_fails_keeps_the_files_that_wait_if_there_is_a_journal() {
    // Two data files are finished, a third is open; they are too few to be hashed before the source fails.
    let source = Halting(|row| if row == 70 { Err(unreadable()) } else { Ok(()) });
    let spec = spec().build().unwrap();
    for (recovery, kept) in [(Recovery::None, 0), (Recovery::Begin, 2)] {
        let destination = Faulty::new(true, Fault::None, 0);
        let error = generate(&source, &spec, &destination, &options(1).with_recovery(recovery)).unwrap_err();
        assert_eq!(error.kind(), GenerateErrorKind::Source(SourceErrorKind::Unreadable));
        assert_eq!(destination.data_files(), kept, "{recovery:?}");
    }
}

#[test]
fn a_slow_source_does_not_keep_finished_files_from_being_published() {
    let destination = Faulty::new(true, Fault::None, 0);
    // It gives no more rows before a data file is published, of which there are too few to fill a turn.
    let source = Halting(|row| {
        let mut waits = 0..FAR_TOO_MANY;
        while row == 90 && destination.data_files() == 0 {
            waits.next().ok_or_else(unreadable)?;
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    });
    let summary = generate(&source, &spec().build().unwrap(), &destination, &options(2)).unwrap();
    assert_eq!(summary.rows, 100);
}
