//! Runs that end at any moment, and are carried on or abandoned: nothing is lost, doubled, or left behind.
//!
//! A destination that dies after so many operations stands for a process that is killed: from then on nothing that the run
//! does has any effect, not even its attempts to take something back.
#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected should stop")]

use std::{
    collections::BTreeMap,
    io::{self, Read, Write},
    num::{NonZeroU32, NonZeroUsize},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};
use stocktake::{
    BucketName, CommittableShard, ConfigurationId, Confirmation, CsvOptions, Destination, DestinationError,
    DestinationErrorKind, Execution, Existing, Field, FieldSet, FormatOptions, GenerateError, GenerateErrorKind,
    GenerateOptions, ObjectAttributes, ObjectSource, Observer, OrcOptions, PENDING_SHARDS_MAX, ParquetOptions,
    PendingObject, Recovery, ReportKey, ReportLayout, ReportSpec, ReportSpecBuilder, ReportStore, ReportSummary,
    SourceErrorKind, Timestamp, Versions, abandon, commit,
    destinations::{LocalDestination, MemoryDestination},
    generate, plan, resume_lanes,
    sources::{RowsSource, SyntheticSource},
    unfinished_runs,
};

type Objects = BTreeMap<ReportKey, Arc<[u8]>>;

/// Lets so many operations have their effect, and none after them.
#[derive(Clone)]
struct Dying {
    inner: MemoryDestination,
    left: Arc<AtomicU64>,
    /// Data files wait to be hashed together, or are hashed as they are written: of every second one each.
    gives_back: bool,
}

impl Dying {
    fn new(inner: &MemoryDestination, operations: u64) -> Self {
        let gives_back = operations.is_multiple_of(2);
        Self { inner: inner.clone(), left: Arc::new(AtomicU64::new(operations)), gives_back }
    }

    fn act<T>(&self, work: impl FnOnce() -> Result<T, DestinationError>) -> Result<T, DestinationError> {
        let spend = |left: u64| left.checked_sub(1);
        match self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend) {
            Ok(_) => work(),
            Err(_) => Err(DestinationError::io("any", "the process is dead", io::Error::other("killed"))),
        }
    }
}

struct DyingObject {
    inner: Box<dyn PendingObject>,
    destination: Dying,
}

impl Write for DyingObject {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl PendingObject for DyingObject {
    fn publish(self: Box<Self>) -> Result<(), DestinationError> {
        let Self { inner, destination } = *self;
        destination.act(|| inner.publish())
    }

    fn written(&self) -> io::Result<Option<Box<dyn Read + Send>>> {
        self.inner.written()
    }
}

impl Destination for Dying {
    fn create(
        &self,
        key: &ReportKey,
        attributes: &ObjectAttributes,
    ) -> Result<Box<dyn PendingObject>, DestinationError> {
        let inner = self.inner.create(key, attributes)?;
        Ok(Box::new(DyingObject { inner, destination: self.clone() }))
    }

    fn remove(&self, key: &ReportKey) -> Result<(), DestinationError> {
        self.act(|| self.inner.remove(key))
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

fn builder() -> ReportSpecBuilder {
    let bucket = |name| BucketName::try_new(name).unwrap();
    ReportSpec::builder(bucket("source"), ConfigurationId::try_new("daily").unwrap(), bucket("reports"))
        .with_created_at(Timestamp::parse("2026-11-22T01:00:00Z").unwrap())
        .with_chunk_rows(100)
        .with_shard_target_bytes(6000)
}

fn versioned() -> ReportSpecBuilder {
    let fields = FieldSet::VERSION_FIELDS.with(Field::Size).with(Field::ETag).with(Field::StorageClass);
    builder().with_versions(Versions::All).with_fields(fields)
}

fn source(parameters: &str) -> SyntheticSource {
    parameters.parse().unwrap()
}

fn options(recovery: Recovery, lanes: u32) -> GenerateOptions {
    GenerateOptions::new(Execution::default().with_threads(NonZeroUsize::new(2).unwrap()))
        .with_lanes(NonZeroU32::new(lanes).unwrap())
        .with_recovery(recovery)
}

fn undisturbed(source: &dyn ObjectSource, spec: &ReportSpec, lanes: u32) -> (ReportSummary, Objects) {
    let destination = MemoryDestination::new();
    let summary = generate(source, spec, &destination, &options(Recovery::None, lanes)).unwrap();
    (summary, destination.objects())
}

/// Operations of a whole run.
fn operations(source: &dyn ObjectSource, spec: &ReportSpec, options: &GenerateOptions) -> u64 {
    let dying = Dying::new(&MemoryDestination::new(), u64::MAX);
    generate(source, spec, &dying, options).unwrap();
    u64::MAX - dying.left.load(Ordering::Relaxed)
}

#[track_caller]
fn same(found: &Objects, expected: &Objects, what: &str) {
    let keys = |objects: &Objects| objects.keys().map(|key| key.as_str().to_owned()).collect::<Vec<_>>().join("\n");
    assert!(found.keys().eq(expected.keys()), "{what}:\n{}\ninstead of\n{}", keys(found), keys(expected));
    let differing: Vec<_> = found.iter().filter(|(key, bytes)| expected[*key] != **bytes).map(|(key, _)| key).collect();
    assert!(differing.is_empty(), "{what}: {differing:?}");
}

#[test]
fn a_run_killed_at_any_operation_is_carried_on_to_the_same_report() {
    let (rows, spec) = (source("rows=2500,seed=3,versions=4"), versioned().build().unwrap());
    for lanes in [1, 3] {
        let (summary, expected) = undisturbed(&rows, &spec, lanes);
        assert!(summary.files > 4, "{summary:?}");
        let all = operations(&rows, &spec, &options(Recovery::Begin, lanes));
        assert!(all >= 2 * summary.files + 5);
        for alive in 0..all {
            let destination = MemoryDestination::new();
            let died = generate(&rows, &spec, &Dying::new(&destination, alive), &options(Recovery::Begin, lanes)).err();
            let journal = destination.objects().keys().any(|key| key.as_str().ends_with("/begin"));
            let resumed = generate(&rows, &spec, &destination, &options(Recovery::Resume, lanes)).unwrap();
            let what = format!("{lanes} lanes, killed after {alive} operations");
            same(&destination.objects(), &expected, &what);
            assert_eq!((resumed.rows, resumed.files, resumed.bytes), (summary.rows, summary.files, summary.bytes));
            // Operations count: one to begin, then two for each data file.
            let finished = alive.saturating_sub(1) / 2;
            if died.is_some() && journal && lanes == 1 {
                assert_eq!(resumed.kept_files, finished.min(summary.files), "{what}");
            }
        }
    }
}

#[test]
fn a_run_killed_again_and_again_is_carried_on() {
    let (rows, spec) = (source("rows=2500,seed=3,versions=4"), versioned().build().unwrap());
    for lanes in [1, 3] {
        let (summary, expected) = undisturbed(&rows, &spec, lanes);
        for step in [3, 7] {
            let destination = MemoryDestination::new();
            let mut runs = 0;
            let resumed = loop {
                runs += 1;
                let dying = Dying::new(&destination, step);
                match generate(&rows, &spec, &dying, &options(Recovery::Resume, lanes)) {
                    Ok(summary) => break summary,
                    // Enough to get forward by a data file, or to end a commit, which is five publications.
                    Err(_) if step >= 6 => assert!(runs < 2000),
                    Err(_) if runs < 200 => {}
                    Err(_) => {
                        break generate(&rows, &spec, &destination, &options(Recovery::Resume, lanes)).unwrap();
                    }
                }
            };
            // A report whose last run could not remove its journal: the next one does.
            generate(&rows, &spec, &destination, &options(Recovery::Resume, lanes)).unwrap();
            same(&destination.objects(), &expected, &format!("{lanes} lanes, {step} operations a run"));
            assert_eq!(resumed.rows, summary.rows);
        }
    }
}

#[test]
fn an_abandoned_run_leaves_nothing_and_takes_nothing_else() {
    let (rows, spec) = (source("rows=1500,seed=3,versions=4"), versioned().build().unwrap());
    let earlier = versioned().with_created_at(Timestamp::parse("2026-11-21T01:00:00Z").unwrap()).build().unwrap();
    for lanes in [1, 2] {
        for alive in 0..operations(&rows, &spec, &options(Recovery::Begin, lanes)) {
            let destination = MemoryDestination::new();
            generate(&rows, &earlier, &destination, &options(Recovery::Begin, lanes)).unwrap();
            let before = destination.objects();
            let killed = generate(&rows, &spec, &Dying::new(&destination, alive), &options(Recovery::Begin, lanes));
            let layout = ReportLayout::new(&spec);
            if destination.get(&layout.checksum()).is_some() {
                continue;
            }
            assert!(killed.is_err());
            // Killed while it is being abandoned, too.
            for alive in 0..4 {
                let _ = abandon(&Dying::new(&destination, alive), layout.root(), None);
            }
            abandon(&destination, layout.root(), None).unwrap();
            same(&destination.objects(), &before, &format!("{lanes} lanes, killed after {alive} operations"));
            assert_eq!(unfinished_runs(&destination, layout.root()).unwrap(), []);
        }
    }
}

#[test]
fn chunks_that_raw_bytes_bound_end_where_they_would_have() {
    let every = FieldSet::VERSION_FIELDS.with(Field::ObjectAccessControlList).with(Field::ObjectOwner);
    let fields = every.with(Field::StorageClass).with(Field::ETag).with(Field::EncryptionStatus);
    let rows = source("rows=24000,seed=5,versions=3");
    for format in [
        FormatOptions::Csv(CsvOptions::default()),
        FormatOptions::Orc(OrcOptions::default()),
        FormatOptions::Parquet(ParquetOptions::default()),
    ] {
        let spec = builder()
            .with_format(format)
            .with_versions(Versions::All)
            .with_fields(fields)
            .with_chunk_rows(1 << 20)
            .with_chunk_bytes(1 << 20)
            .with_shard_target_bytes(1)
            .build()
            .unwrap();
        let (summary, expected) = undisturbed(&rows, &spec, 1);
        assert!(summary.files > 3, "{summary:?}");
        for files in [1, summary.files - 2] {
            let destination = MemoryDestination::new();
            let dying = Dying::new(&destination, 1 + 2 * files);
            generate(&rows, &spec, &dying, &options(Recovery::Begin, 1)).unwrap_err();
            let resumed = generate(&rows, &spec, &destination, &options(Recovery::Resume, 1)).unwrap();
            assert_eq!(resumed.kept_files, files);
            same(&destination.objects(), &expected, &format!("{:?}, {files} files kept", spec.format()));
        }
    }
}

#[test]
fn a_failed_run_keeps_finished_files_and_nothing_else() {
    let (rows, spec) = (source("rows=2500,seed=3,versions=4"), versioned().build().unwrap());
    let destination = MemoryDestination::new();
    let cancel = stocktake::CancelToken::new();
    struct CancelAtFile(stocktake::CancelToken, u64, AtomicU64);
    impl Observer for CancelAtFile {
        fn shard_published(&self, _: &stocktake::Receipt) {
            if self.2.fetch_add(1, Ordering::Relaxed) + 1 == self.1 {
                self.0.cancel();
            }
        }
    }
    let mut stopped = options(Recovery::Begin, 1);
    let observer = Arc::new(CancelAtFile(cancel.clone(), 3, AtomicU64::new(0)));
    stopped.execution = stopped.execution.with_cancel(cancel).with_observer(observer);
    let error = generate(&rows, &spec, &destination, &stopped).unwrap_err();
    assert_eq!(error.kind(), GenerateErrorKind::Cancelled);
    let kept = error.kept().unwrap();
    // Those that were finished when it was cancelled are published still, as many as wait for one another at most.
    assert_eq!(kept.stamp, "2026-11-22T01-00Z");
    assert!((3..3 + u64::from(PENDING_SHARDS_MAX)).contains(&kept.files), "{}", kept.files);
    let objects = destination.objects();
    assert_eq!(objects.len() as u64, 2 * kept.files + 1, "{:?}", objects.keys());

    // It is refused where it is not asked for, and another stamp is told of it.
    let again = generate(&rows, &spec, &destination, &options(Recovery::Begin, 1)).unwrap_err();
    assert_eq!(again.kind(), GenerateErrorKind::Unfinished);
    struct Told(Mutex<Vec<String>>);
    impl Observer for Told {
        fn unfinished_run(&self, stamp: &str) {
            self.0.lock().unwrap().push(stamp.to_owned());
        }
        fn run_continued(&self, stamp: &str, files: u64, rows: u64) {
            self.0.lock().unwrap().push(format!("{stamp} {files} {}", rows > 0));
        }
    }
    let told = Arc::new(Told(Mutex::default()));
    let mut other = options(Recovery::Begin, 1);
    other.execution.observer = Arc::<Told>::clone(&told);
    let later = versioned().with_created_at(Timestamp::parse("2026-11-23T01:00:00Z").unwrap()).build().unwrap();
    generate(&rows, &later, &destination, &other).unwrap();
    let mut resumed = options(Recovery::Resume, 1);
    resumed.execution.observer = Arc::<Told>::clone(&told);
    generate(&rows, &spec, &destination, &resumed).unwrap();
    let continued = format!("2026-11-22T01-00Z {} true", kept.files);
    assert_eq!(*told.0.lock().unwrap(), ["2026-11-22T01-00Z", continued.as_str()]);

    // Without a finished file nothing is kept.
    let (one_file, none) = (versioned().with_shard_target_bytes(1 << 30).build().unwrap(), MemoryDestination::new());
    let cancel = stocktake::CancelToken::new();
    struct CancelAtChunk(stocktake::CancelToken);
    impl Observer for CancelAtChunk {
        fn chunk_appended(&self, _: u64, _: u64) {
            self.0.cancel();
        }
    }
    let mut stopped = options(Recovery::Begin, 1);
    let observer = Arc::new(CancelAtChunk(cancel.clone()));
    stopped.execution = stopped.execution.with_cancel(cancel).with_observer(observer);
    let error = generate(&rows, &one_file, &none, &stopped).unwrap_err();
    assert!(error.kept().is_none());
    assert!(none.objects().is_empty(), "{:?}", none.objects().keys());
}

#[test]
fn a_run_that_is_abandoned_while_it_goes_on_publishes_nothing() {
    struct AbandonsAtFile(MemoryDestination, ReportLayout, AtomicU64);
    impl Observer for AbandonsAtFile {
        fn shard_published(&self, _: &stocktake::Receipt) {
            if self.2.fetch_add(1, Ordering::Relaxed) == 1 {
                abandon(&self.0, self.1.root(), None).unwrap();
            }
        }
    }
    let (rows, spec) = (source("rows=2500,seed=3,versions=4"), versioned().build().unwrap());
    let destination = MemoryDestination::new();
    let mut options = options(Recovery::Begin, 1);
    options.execution.observer =
        Arc::new(AbandonsAtFile(destination.clone(), ReportLayout::new(&spec), AtomicU64::new(0)));
    let error = generate(&rows, &spec, &destination, &options).unwrap_err();
    assert_eq!(error.kind(), GenerateErrorKind::Incomplete);
    assert!(error.to_string().contains("abandoned while it went on") && error.kept().is_none(), "{error}");
    assert!(destination.objects().is_empty(), "{:?}", destination.objects().keys());
}

/// Abandons the run when so many of its data files are published, and does something else then.
struct AbandonedAt<F>(MemoryDestination, ReportLayout, AtomicU64, F);

impl<F: Fn() + Send + Sync> Observer for AbandonedAt<F> {
    fn shard_published(&self, _: &stocktake::Receipt) {
        if self.2.fetch_sub(1, Ordering::Relaxed) == 1 {
            abandon(&self.0, self.1.root(), None).unwrap();
            (self.3)();
        }
    }
}

#[test]
fn an_abandoned_run_that_is_cancelled_keeps_nothing() {
    let (rows, spec) = (source("rows=2500,seed=3,versions=4"), versioned().build().unwrap());
    let destination = MemoryDestination::new();
    let mut options = options(Recovery::Begin, 1);
    let cancel = options.execution.cancel.clone();
    let cancelled = move || cancel.cancel();
    options.execution.observer =
        Arc::new(AbandonedAt(destination.clone(), ReportLayout::new(&spec), AtomicU64::new(2), cancelled));
    let error = generate(&rows, &spec, &destination, &options).unwrap_err();
    assert_eq!((error.kind(), error.kept(), error.leftovers().len()), (GenerateErrorKind::Cancelled, None, 0));
    assert!(destination.objects().is_empty(), "{:?}", destination.objects().keys());
}

#[test]
fn an_abandoned_run_that_goes_on_leaves_the_report_of_another_run_alone() {
    let (rows, spec) = (source("rows=2500,seed=3,versions=4"), versioned().build().unwrap());
    let (summary, expected) = undisturbed(&rows, &spec, 1);
    // In the midst of the run, where its next data file is there already, and when all that is left is to publish.
    for file in [2, summary.files] {
        let destination = MemoryDestination::new();
        let mut going_on = options(Recovery::Begin, 1);
        let (other, rows_again, spec_again) = (destination.clone(), rows.clone(), spec.clone());
        let another_run = move || {
            generate(&rows_again, &spec_again, &other, &options(Recovery::Begin, 1)).unwrap();
        };
        let layout = ReportLayout::new(&spec);
        let observer = AbandonedAt(destination.clone(), layout, AtomicU64::new(file), another_run);
        going_on.execution.observer = Arc::new(observer);
        let error = generate(&rows, &spec, &destination, &going_on).unwrap_err();
        assert!(error.kept().is_none() && error.leftovers().is_empty(), "{error}");
        same(&destination.objects(), &expected, "another run published it");
    }
}

#[test]
fn an_abandoned_run_that_goes_on_leaves_the_journal_of_another_run_alone() {
    let (rows, spec) = (source("rows=2500,seed=3,versions=4"), versioned().build().unwrap());
    let (summary, expected) = undisturbed(&rows, &spec, 1);
    let layout = ReportLayout::new(&spec);
    let root = layout.root();
    // Early, so that the other run is behind it, in the midst, and when all that is left is to publish; the other run ends
    // when it has written down its beginning, or some data files.
    for (file, operations) in [(1, 1), (2, 1), (2, 9), (summary.files, 1), (summary.files, 5), (summary.files, 9)] {
        let what = format!("abandoned at file {file}, the other run ended after {operations} operations");
        let destination = MemoryDestination::new();
        let at = Arc::new(Mutex::new(Objects::new()));
        let (other, rows_again, spec_again, left) = (destination.clone(), rows.clone(), spec.clone(), at.clone());
        let another_run = move || {
            let dying = Dying::new(&other, operations);
            generate(&rows_again, &spec_again, &dying, &options(Recovery::Begin, 1)).unwrap_err();
            *left.lock().unwrap() = other.objects();
        };
        let mut going_on = options(Recovery::Begin, 1);
        going_on.execution.observer =
            Arc::new(AbandonedAt(destination.clone(), layout.clone(), AtomicU64::new(file), another_run));
        let error = generate(&rows, &spec, &destination, &going_on).unwrap_err();
        assert!(error.kept().is_none(), "{what}: {error}");
        let objects = destination.objects();
        let left = at.lock().unwrap();
        assert!(left.contains_key(&layout.journal_begin()), "{what}");
        assert!(left.iter().all(|(key, bytes)| objects.get(key) == Some(bytes)), "{what}: objects of the other run");
        // What the older run wrote in the meantime is in the way at most, and never taken for the other's.
        let outcome = resume(&rows, &spec, &destination);
        if let Err(error) = outcome {
            assert_eq!(error.kind(), GenerateErrorKind::Destination(DestinationErrorKind::AlreadyExists), "{what}");
            abandon(&destination, root, None).unwrap();
            assert!(destination.objects().is_empty(), "{what}: {:?}", destination.objects().keys());
            generate(&rows, &spec, &destination, &options(Recovery::Begin, 1)).unwrap();
        }
        same(&destination.objects(), &expected, &what);
    }
}

#[test]
fn a_data_file_that_another_process_took_away_is_missed_before_publication() {
    struct TakesAway(MemoryDestination);
    impl Observer for TakesAway {
        fn shard_published(&self, receipt: &stocktake::Receipt) {
            if receipt.shard == 1 {
                self.0.remove(&receipt.file.as_ref().unwrap().key).unwrap();
            }
        }
    }
    let (rows, spec) = (source("rows=2500,seed=3,versions=4"), versioned().build().unwrap());
    let destination = MemoryDestination::new();
    let mut options = options(Recovery::Begin, 1);
    options.execution.observer = Arc::new(TakesAway(destination.clone()));
    let error = generate(&rows, &spec, &destination, &options).unwrap_err();
    assert_eq!(error.kind(), GenerateErrorKind::Incomplete);
    assert!(destination.get(&ReportLayout::new(&spec).manifest()).is_none());
    assert_eq!(resume(&rows, &spec, &destination).unwrap().kept_files, 1);
    same(&destination.objects(), &undisturbed(&rows, &spec, 1).1, "one was taken away");
}

fn killed(rows: &SyntheticSource, spec: &ReportSpec, alive: u64) -> MemoryDestination {
    let destination = MemoryDestination::new();
    generate(rows, spec, &Dying::new(&destination, alive), &options(Recovery::Begin, 1)).unwrap_err();
    destination
}

fn resume(rows: &dyn ObjectSource, spec: &ReportSpec, on: &MemoryDestination) -> Result<ReportSummary, GenerateError> {
    generate(rows, spec, on, &options(Recovery::Resume, 1))
}

#[test]
fn what_changed_is_named_and_nothing_is_touched() {
    let (rows, spec) = (source("rows=1500,seed=3,versions=4"), versioned().build().unwrap());
    let destination = killed(&rows, &spec, 7);
    let before = destination.objects();
    let changed = [
        (versioned().with_chunk_rows(50).build().unwrap(), "chunk_rows: 100 then, 50 now"),
        (versioned().with_prefix("a").build().unwrap(), "prefix: null then, \"a\" now"),
    ];
    for (other, words) in changed {
        let error = resume(&rows, &other, &destination).unwrap_err();
        assert_eq!(error.kind(), GenerateErrorKind::Changed);
        assert!(error.to_string().contains(words), "{error}");
    }
    let error = resume(&source("rows=1501,seed=3,versions=4"), &spec, &destination).unwrap_err();
    assert!(error.to_string().contains("plan.source: \"synthetic:rows=1500,seed=3,versions=4\" then"), "{error}");
    let error = generate(&rows, &spec, &destination, &options(Recovery::Resume, 2)).unwrap_err();
    assert!(error.to_string().contains("plan.lanes: 1 of them then, 2 now"), "{error}");
    assert!(destination.objects() == before);
    let once = RowsSource::new(rows.provides(), |_: &mut stocktake::ObjectBatchBuilder| Ok(false));
    let error = resume(&once, &spec, &destination).unwrap_err();
    assert!(error.to_string().contains("the source can be read only once"), "{error}");
    assert_ne!(error.kind(), GenerateErrorKind::Source(SourceErrorKind::Unsupported));
    assert!(destination.objects() == before);
}

#[test]
fn data_files_that_are_gone_or_altered_are_written_again() {
    let (rows, spec) = (source("rows=2500,seed=3,versions=4"), versioned().build().unwrap());
    let (summary, expected) = undisturbed(&rows, &spec, 1);
    assert!(summary.files > 5);
    let layout = ReportLayout::new(&spec);
    let put = |destination: &MemoryDestination, key: &ReportKey, bytes: &[u8]| {
        let attributes = ObjectAttributes::new("x").with_existing(Existing::Replace);
        let mut object = destination.create(key, &attributes).unwrap();
        object.write_all(bytes).unwrap();
        object.publish().unwrap();
    };
    // Five data files are journaled.
    let check = |change: &dyn Fn(&MemoryDestination), kept: u64| {
        let destination = killed(&rows, &spec, 11);
        change(&destination);
        let resumed = resume(&rows, &spec, &destination).unwrap();
        assert_eq!(resumed.kept_files, kept);
        same(&destination.objects(), &expected, &format!("{kept} kept"));
    };
    check(&|_| {}, 5);
    check(&|destination| destination.remove(&layout.data(0, 2, 0)).unwrap(), 2);
    check(&|destination| put(destination, &layout.data(0, 1, 0), b"short"), 1);
    check(
        &|destination| {
            let mut bytes = destination.get(&layout.data(0, 4, 0)).unwrap().to_vec();
            bytes[20] ^= 1;
            put(destination, &layout.data(0, 4, 0), &bytes);
        },
        4,
    );
    check(&|destination| destination.remove(&layout.journal_entry(0, 3, 0)).unwrap(), 3);
    check(&|destination| put(destination, &layout.journal_entry(0, 3, 0), b"{\"receipt\":"), 3);
    check(&|destination| put(destination, &layout.journal_entry(0, 0, 0), b""), 0);
    let spoilt = killed(&rows, &spec, 11);
    put(&spoilt, &layout.journal_begin(), b"{");
    let before = spoilt.objects();
    // Neither is said to be unfinished, which would mean that the other helps.
    for error in [resume(&rows, &spec, &spoilt).unwrap_err(), abandon(&spoilt, layout.root(), None).unwrap_err()] {
        assert!(error.to_string().contains("cannot be read"), "{error}");
        assert_eq!(error.kind(), GenerateErrorKind::Destination(DestinationErrorKind::Io));
    }
    assert!(spoilt.objects() == before);
}

#[test]
fn a_report_that_is_replaced_is_told_from_the_one_that_replaces_it() {
    let spec = versioned().build().unwrap();
    for rows in ["rows=0,versions=4", "rows=900,seed=9,versions=4"] {
        let (old, new) = (source(rows), source("rows=1500,seed=3,versions=4"));
        let replace = options(Recovery::Begin, 1).with_existing(Existing::Replace);
        let prepared = || {
            let destination = MemoryDestination::new();
            generate(&old, &spec, &destination, &options(Recovery::Begin, 1)).unwrap();
            destination
        };
        let whole = prepared();
        let summary = generate(&new, &spec, &whole, &replace).unwrap();
        for alive in 1..2 * summary.files + 5 {
            let destination = prepared();
            generate(&new, &spec, &Dying::new(&destination, alive), &replace).unwrap_err();
            let resumed = resume(&new, &spec, &destination).unwrap();
            assert_eq!(resumed.rows, 1500);
            same(&destination.objects(), &whole.objects(), &format!("{rows}, killed after {alive} operations"));
        }
    }
}

#[test]
fn processes_write_lanes_that_others_began() {
    let (rows, spec) = (source("rows=2500,seed=3,versions=4"), versioned().build().unwrap());
    let (summary, expected) = undisturbed(&rows, &spec, 3);
    let destination = MemoryDestination::new();
    let plan = plan(&rows, NonZeroU32::new(3).unwrap()).unwrap();
    let write = |lane: usize, destination: &dyn Destination| {
        let lanes = std::slice::from_ref(&plan.lanes()[lane]);
        resume_lanes(&rows, &spec, &plan, lanes, 0, destination, &Execution::default())
    };
    write(1, &Dying::new(&destination, 4)).unwrap_err();
    write(2, &destination).unwrap();
    write(0, &Dying::new(&destination, 3)).unwrap_err();
    let mut receipts = Vec::new();
    for lane in [1, 0, 2] {
        receipts.extend(write(lane, &destination).unwrap().into_iter().map(CommittableShard::into_receipt));
    }
    let shards = receipts.into_iter().map(|receipt| receipt.confirm(&destination, Confirmation::Content).unwrap());
    let committed = commit(&spec, &plan, shards.collect(), &destination, Existing::Refuse).unwrap();
    assert_eq!(committed, summary);
    same(&destination.objects(), &expected, "three processes");
}

#[test]
fn lanes_of_several_attempts_are_abandoned_together() {
    let (rows, spec) = (source("rows=2500,seed=3,versions=4"), versioned().build().unwrap());
    let destination = MemoryDestination::new();
    let plan = plan(&rows, NonZeroU32::new(3).unwrap()).unwrap();
    let write = |lane: usize, attempt: u32, destination: &dyn Destination| {
        let lanes = std::slice::from_ref(&plan.lanes()[lane]);
        resume_lanes(&rows, &spec, &plan, lanes, attempt, destination, &Execution::default())
    };
    write(1, 2, &Dying::new(&destination, 4)).unwrap_err();
    write(0, 0, &destination).unwrap();
    write(2, 1, &Dying::new(&destination, 3)).unwrap_err();
    write(2, 4, &destination).unwrap();
    abandon(&destination, ReportLayout::new(&spec).root(), None).unwrap();
    assert!(destination.objects().is_empty(), "{:?}", destination.objects().keys());
}

#[test]
fn a_folder_is_left_as_if_nothing_had_happened() {
    let (rows, spec) = (source("rows=2500,seed=3,versions=4"), versioned().build().unwrap());
    let layout = ReportLayout::new(&spec);
    let folder = tempfile::tempdir().unwrap();
    let names = || {
        let mut names: Vec<String> = Vec::new();
        let mut waiting = vec![folder.path().to_owned()];
        while let Some(next) = waiting.pop() {
            for entry in std::fs::read_dir(next).unwrap().map(Result::unwrap) {
                if entry.file_type().unwrap().is_dir() {
                    waiting.push(entry.path());
                }
                names.push(entry.path().strip_prefix(folder.path()).unwrap().display().to_string());
            }
        }
        names.sort();
        names
    };
    // What a killed process leaves: data files and entries, staged files, folders.
    let left = || {
        let killed = killed(&rows, &spec, 8);
        for (key, bytes) in killed.objects() {
            let path = folder.path().join(key.as_str());
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        let files = killed.objects().keys().filter(|key| key.as_str().contains("/data/")).count();
        let staged = layout.data(0, u32::try_from(files).unwrap(), 0);
        let (below, name) = staged.as_str().rsplit_once('/').unwrap();
        std::fs::write(folder.path().join(below).join(format!(".{name}.a1B2c3.partial")), b"half").unwrap();
        // Files after it were finished and not yet hashed.
        for more in 1..=3 {
            let staged = layout.data(0, u32::try_from(files + 5 * more).unwrap(), 0);
            let (below, name) = staged.as_str().rsplit_once('/').unwrap();
            std::fs::write(folder.path().join(below).join(format!(".{name}.e5F6a7.partial")), b"whole").unwrap();
        }
        std::fs::write(folder.path().join(below).join(".of-another.a1B2c3.partial"), b"another's").unwrap();
        // The last data file was published, and was being written down.
        let entry = layout.journal_entry(0, u32::try_from(files - 1).unwrap(), 0);
        assert!(killed.get(&entry).is_none());
        let (below, name) = entry.as_str().rsplit_once('/').unwrap();
        std::fs::write(folder.path().join(below).join(format!(".{name}.d4E5f6.partial")), b"{").unwrap();
    };
    let other = "source/daily/data/.of-another.a1B2c3.partial";
    left();
    assert_eq!(names().iter().filter(|name| name.ends_with(".partial")).count(), 6);
    let destination = LocalDestination::try_new(folder.path()).unwrap();
    assert_eq!(unfinished_runs(&destination, layout.root()).unwrap().len(), 1);
    let abandoned = abandon(&destination, layout.root(), Some("2026-11-22T01-00Z")).unwrap();
    assert_eq!((abandoned.runs, abandoned.remains), (1, 5));
    assert_eq!(names(), ["source", "source/daily", "source/daily/data", other]);
    left();
    generate(&rows, &spec, &LocalDestination::try_new(folder.path()).unwrap(), &options(Recovery::Resume, 1)).unwrap();
    let found = names();
    assert!(found.contains(&other.to_owned()));
    assert!(found.iter().all(|name| name == other || !name.ends_with(".partial")), "{found:?}");
    assert!(!found.iter().any(|name| name.contains("journal")), "{found:?}");
    for (key, bytes) in undisturbed(&rows, &spec, 1).1 {
        assert_eq!(std::fs::read(folder.path().join(key.as_str())).unwrap(), &*bytes, "{key}");
    }
}
