//! The engine from end to end: determinism, rotation, lanes, publication, and what is left when something fails.
//!
//! Data files are read back with `flate2` and a plain split of lines; the interop script reads them with foreign readers.
#![expect(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a test that meets the unexpected should stop"
)]

use flate2::read::GzDecoder;
use std::{
    collections::BTreeMap,
    io::{self, Read, Write},
    num::{NonZeroU32, NonZeroU64, NonZeroUsize},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use stocktake::{
    BucketName, CancelToken, CommittableShard, ConfigurationId, Confirmation, Destination, DestinationError, Execution,
    Existing, Field, FieldSet, GenerateError, GenerateErrorKind, GenerateOptions, LaneDescriptor, Manifest,
    ObjectAttributes, ObjectBatchBuilder, ObjectKey, ObjectSource, ObjectStream, Observer, PendingObject, Plan,
    ReadContext, Receipt, ReportKey, ReportSpec, ReportSpecBuilder, ReportStore, ReportSummary, SourceError,
    SourceErrorKind, Timestamp, Versions, checksum_text, commit, destinations::MemoryDestination, generate, plan,
    sources::RowsSource, write_lanes,
};

fn report_fields() -> FieldSet {
    FieldSet::VERSION_FIELDS.with(Field::Size).with(Field::ETag).with(Field::StorageClass)
}

fn spec() -> ReportSpecBuilder {
    let bucket = |name| BucketName::try_new(name).unwrap();
    ReportSpec::builder(bucket("source"), ConfigurationId::try_new("daily").unwrap(), bucket("reports"))
        .with_created_at(Timestamp::parse("2026-11-22T01:00:00Z").unwrap())
        .with_versions(Versions::All)
        .with_fields(report_fields())
        .with_chunk_rows(100)
        .with_shard_target_bytes(2000)
}

/// Keys with one to four versions each, in batches of `slice` rows, and a fault at a row.
struct Versioned {
    keys: u64,
    slice: usize,
    fault: Option<(u64, Fault)>,
}

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    Error,
    Panic,
    ShortBatch,
}

impl Versioned {
    fn new(keys: u64) -> Self {
        Self { keys, slice: 1000, fault: None }
    }

    fn sorted(&self) -> Vec<(String, u64)> {
        let key = |number: u64| format!("folder-{:02}/object {number:06}", number / 97 % 90);
        let mut keys: Vec<_> = (0..self.keys).map(|number| (key(number), number)).collect();
        keys.sort();
        keys
    }
}

impl ObjectSource for Versioned {
    fn provides(&self) -> FieldSet {
        report_fields().union(FieldSet::REQUIRED)
    }

    fn plan(&self, lanes: NonZeroU32) -> Result<Plan, SourceError> {
        let (keys, lanes) = (self.sorted(), u64::from(lanes.get()).min(self.keys.max(1)));
        let boundary = |lane: u64| ObjectKey::try_new(keys[(lane * self.keys / lanes) as usize].0.as_str()).unwrap();
        let boundaries: Vec<_> = (1..lanes).map(boundary).collect();
        let tokens = vec![None; boundaries.len() + 1];
        Ok(Plan::split("versioned", boundaries, tokens).unwrap())
    }

    fn open<'a>(
        &'a self,
        lane: &LaneDescriptor,
        _after: Option<&ObjectKey>,
        _context: &ReadContext,
    ) -> Result<Box<dyn ObjectStream + 'a>, SourceError> {
        let inside = |key: &str| {
            lane.start.as_ref().is_none_or(|start| start.as_str() <= key)
                && lane.end.as_ref().is_none_or(|end| key < end.as_str())
        };
        let keys = self.sorted().into_iter().filter(|(key, _)| inside(key));
        let rows = keys
            .flat_map(|(key, number)| (0..=number % 4).map(move |version| (key.clone(), number, version)))
            .collect();
        Ok(Box::new(VersionedStream { rows, next: 0, slice: self.slice, fault: self.fault }))
    }
}

struct VersionedStream {
    rows: Vec<(String, u64, u64)>,
    next: usize,
    slice: usize,
    fault: Option<(u64, Fault)>,
}

impl ObjectStream for VersionedStream {
    fn next_batch(&mut self, batch: &mut ObjectBatchBuilder) -> Result<bool, SourceError> {
        while batch.len() < self.slice && self.next < self.rows.len() {
            let (key, number, version) = &self.rows[self.next];
            match self.fault {
                Some((row, Fault::Error)) if row == self.next as u64 => {
                    return Err(SourceError::malformed("on purpose").at("line 7"));
                }
                Some((row, Fault::Panic)) if row == self.next as u64 => panic!("on purpose"),
                Some((row, Fault::ShortBatch)) if row == self.next as u64 && !batch.is_empty() => break,
                _ => {}
            }
            batch
                .row(key)
                .version(&format!("v{version}"), *version == 0, number % 11 == 0)
                .size(number * 31 + version)
                .e_tag(&format!("{:016x}", number.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
                .storage_class(["STANDARD", "GLACIER", "OWN"][(number % 3) as usize])
                .finish()?;
            self.next += 1;
        }
        Ok(!batch.is_empty())
    }
}

fn options(threads: usize) -> GenerateOptions {
    GenerateOptions::new(Execution::default().with_threads(NonZeroUsize::new(threads).unwrap()))
}

fn report(
    source: &dyn ObjectSource,
    spec: &ReportSpec,
    options: &GenerateOptions,
) -> (ReportSummary, MemoryDestination) {
    let destination = MemoryDestination::new();
    let summary = generate(source, spec, &destination, options).unwrap();
    (summary, destination)
}

/// The rows of each data file, in manifest order; checks manifest, checksum and symlink on the way.
fn files(destination: &MemoryDestination, summary: &ReportSummary) -> Vec<Vec<String>> {
    let objects = destination.objects();
    let manifest_text = &objects[&summary.manifest_key];
    let manifest = Manifest::parse(manifest_text).unwrap();
    let beside = |name: &str| ReportKey::try_new(summary.manifest_key.as_str().replace("manifest.json", name)).unwrap();
    assert_eq!(&*objects[&beside("manifest.checksum")], checksum_text(manifest_text).as_bytes());
    assert!(objects.contains_key(&beside("receipts.ndjson")));
    assert_eq!(objects.len(), manifest.files.len() + 4);
    let symlink =
        objects.iter().find(|(key, _)| key.as_str().ends_with("/hive/dt=2026-11-22-01-00/symlink.txt")).unwrap().1;
    let lines: Vec<_> = manifest.files.iter().map(|file| format!("s3://reports/{}", file.key)).collect();
    assert_eq!(std::str::from_utf8(symlink).unwrap(), lines.join("\n"));
    let rows = |file: &stocktake::ManifestFile| {
        let data = &objects[&ReportKey::try_new(file.key.as_str()).unwrap()];
        assert_eq!((data.len() as u64, &stocktake::md5_hex(data)), (file.size, &file.md5_checksum));
        let mut text = String::new();
        GzDecoder::new(&**data).read_to_string(&mut text).unwrap();
        text.lines().map(str::to_owned).collect()
    };
    manifest.files.iter().map(rows).collect()
}

fn key_of(row: &str) -> &str {
    row.split("\",\"").nth(1).unwrap()
}

#[test]
fn bytes_depend_on_rows_and_spec_alone() {
    let spec = spec().build().unwrap();
    let expected = report(&Versioned::new(3000), &spec, &options(1)).1.objects();
    assert!(expected.len() > 8, "several data files");
    for threads in [2, 8] {
        assert!(report(&Versioned::new(3000), &spec, &options(threads)).1.objects() == expected, "{threads} threads");
    }
    for slice in [1, 7, 999] {
        let source = Versioned { slice, ..Versioned::new(3000) };
        assert!(report(&source, &spec, &options(2)).1.objects() == expected, "batches of {slice} rows");
    }
    for memory_bytes in [spec.memory_floor(), spec.memory_floor() * 3] {
        let mut options = options(4);
        options.execution.memory_bytes = NonZeroU64::new(memory_bytes);
        assert!(
            report(&Versioned::new(3000), &spec, &options).1.objects() == expected,
            "{memory_bytes} bytes of memory"
        );
    }
}

#[test]
fn data_files_end_at_a_change_of_key_and_rows_are_complete() {
    for (chunk_rows, target_bytes) in [(1, 1), (3, 500), (100, 2000), (100_000, 1 << 30)] {
        let spec = spec().with_chunk_rows(chunk_rows).with_shard_target_bytes(target_bytes).build().unwrap();
        let (summary, destination) = report(&Versioned::new(400), &spec, &options(2));
        let files = files(&destination, &summary);
        for pair in files.windows(2) {
            assert_ne!(
                key_of(pair[0].last().unwrap()),
                key_of(pair[1].first().unwrap()),
                "versions of a key stand in one file"
            );
        }
        let rows: Vec<_> = files.concat();
        assert_eq!((rows.len() as u64, files.len() as u64), (summary.rows, summary.files));
        assert_eq!(rows.len(), 400 / 4 * 10);
        assert!(rows.iter().map(|row| key_of(row)).is_sorted());
    }
}

#[test]
fn an_empty_source_gives_an_empty_report() {
    let spec = spec().build().unwrap();
    let (summary, destination) = report(&Versioned::new(0), &spec, &options(2));
    assert_eq!((summary.rows, summary.files, summary.bytes), (0, 0, 0));
    assert!(files(&destination, &summary).is_empty());
    let manifest = destination.get(&summary.manifest_key).unwrap();
    assert!(std::str::from_utf8(&manifest).unwrap().contains("\"files\" : [ ]"));
}

#[test]
fn lanes_hold_the_same_rows_in_the_same_order() {
    let spec = spec().build().unwrap();
    let whole = report(&Versioned::new(1000), &spec, &options(1));
    let expected = files(&whole.1, &whole.0).concat();
    for lanes in 2..6 {
        let options = options(3).with_lanes(NonZeroU32::new(lanes).unwrap());
        let (summary, destination) = report(&Versioned::new(1000), &spec, &options);
        assert_eq!(files(&destination, &summary).concat(), expected, "{lanes} lanes");
        let again = report(&Versioned::new(1000), &spec, &options);
        assert!(again.1.objects() == destination.objects(), "lanes are deterministic too");
    }
}

#[test]
fn processes_write_lanes_and_one_commits() {
    let (spec, source, destination) = (spec().build().unwrap(), Versioned::new(1000), MemoryDestination::new());
    let execution = Execution::default();
    let plan = plan(&source, NonZeroU32::new(3).unwrap()).unwrap();
    let plan: Plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
    let mut lines = Vec::new();
    for lane in plan.lanes().iter().rev() {
        let shards =
            write_lanes(&source, &spec, &plan, std::slice::from_ref(lane), 0, &destination, &execution).unwrap();
        lines.extend(shards.into_iter().map(|shard| serde_json::to_string(&shard.into_receipt()).unwrap()));
    }
    let confirmed = |lines: &[String]| -> Vec<CommittableShard> {
        let receipts = lines.iter().map(|line| serde_json::from_str::<Receipt>(line).unwrap());
        receipts.map(|receipt| receipt.confirm(&destination, Confirmation::Content).unwrap()).collect()
    };
    let incomplete = commit(&spec, &plan, confirmed(&lines[1..]), &destination, Existing::Refuse).unwrap_err();
    assert_eq!(incomplete.kind(), GenerateErrorKind::Incomplete);
    let summary = commit(&spec, &plan, confirmed(&lines), &destination, Existing::Refuse).unwrap();
    let alone = report(&source, &spec, &options(1).with_lanes(NonZeroU32::new(3).unwrap()));
    assert!(destination.objects() == alone.1.objects());
    assert_eq!(summary, alone.0);
}

#[test]
fn an_altered_data_file_is_not_confirmed() {
    let (spec, source, destination) = (spec().build().unwrap(), Versioned::new(10), MemoryDestination::new());
    let plan = plan(&source, NonZeroU32::MIN).unwrap();
    let shards = write_lanes(&source, &spec, &plan, plan.lanes(), 0, &destination, &Execution::default()).unwrap();
    let receipt = shards[0].receipt().clone();
    let key = receipt.file.clone().unwrap().key;
    let mut bytes = destination.get(&key).unwrap().to_vec();
    bytes[20] ^= 1;
    let put = |bytes: &[u8]| {
        let attributes = ObjectAttributes::new("x").with_existing(Existing::Replace);
        let mut object = destination.create(&key, &attributes).unwrap();
        object.write_all(bytes).unwrap();
        object.publish().unwrap();
    };
    put(&bytes);
    assert!(receipt.clone().confirm(&destination, Confirmation::Size).is_ok());
    assert!(receipt.clone().confirm(&destination, Confirmation::Content).is_err());
    put(&bytes[1..]);
    assert!(receipt.clone().confirm(&destination, Confirmation::Size).is_err());
    destination.remove(&key).unwrap();
    assert!(receipt.confirm(&destination, Confirmation::Size).is_err());
}

#[test]
fn a_report_with_the_same_stamp_is_refused_or_replaced() {
    let (spec, destination) = (spec().build().unwrap(), MemoryDestination::new());
    generate(&Versioned::new(10), &spec, &destination, &options(1)).unwrap();
    let before = destination.objects();
    let error = generate(&Versioned::new(20), &spec, &destination, &options(1)).unwrap_err();
    assert_eq!(error.kind(), GenerateErrorKind::ReportExists);
    assert!(destination.objects() == before, "a refused run changes nothing");
    let summary =
        generate(&Versioned::new(20), &spec, &destination, &options(1).with_existing(Existing::Replace)).unwrap();
    assert_eq!(summary.rows, 50);
    for (key, bytes) in before.iter().filter(|(key, _)| key.as_str().contains("/data/")) {
        assert_eq!(destination.get(key).as_ref(), Some(bytes), "data file names are never used again");
    }
}

/// Lets operations through until one is to fail; counts bytes over all objects.
struct Failing {
    inner: MemoryDestination,
    bytes_left: Arc<AtomicU64>,
    publications_left: Arc<AtomicU64>,
}

impl Failing {
    fn new(bytes: u64, publications: u64) -> Self {
        let (bytes_left, publications_left) = (Arc::new(AtomicU64::new(bytes)), Arc::new(AtomicU64::new(publications)));
        Self { inner: MemoryDestination::new(), bytes_left, publications_left }
    }
}

struct FailingObject {
    inner: Box<dyn PendingObject>,
    bytes_left: Arc<AtomicU64>,
    publications_left: Arc<AtomicU64>,
}

impl Destination for Failing {
    fn create(
        &self,
        key: &ReportKey,
        attributes: &ObjectAttributes,
    ) -> Result<Box<dyn PendingObject>, DestinationError> {
        let inner = self.inner.create(key, attributes)?;
        let (bytes_left, publications_left) = (Arc::clone(&self.bytes_left), Arc::clone(&self.publications_left));
        Ok(Box::new(FailingObject { inner, bytes_left, publications_left }))
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
}

impl Write for FailingObject {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Short writes on the way to the fault: what was accepted counts, nothing else.
        let left = self.bytes_left.load(Ordering::Relaxed);
        let length = bytes.len().min(57).min(usize::try_from(left).unwrap());
        if length == 0 && !bytes.is_empty() {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        self.bytes_left.fetch_sub(length as u64, Ordering::Relaxed);
        self.inner.write(&bytes[..length])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl PendingObject for FailingObject {
    fn publish(self: Box<Self>) -> Result<(), DestinationError> {
        if self.publications_left.fetch_sub(1, Ordering::Relaxed) == 0 {
            return Err(DestinationError::io("object", "could not be published", io::ErrorKind::StorageFull.into()));
        }
        self.inner.publish()
    }
}

#[test]
fn a_full_destination_leaves_nothing_wherever_it_fails() {
    /// Few rows and files, so that every byte can be the last one.
    const KEYS: u64 = 40;
    let spec = spec().with_chunk_rows(20).with_shard_target_bytes(400).build().unwrap();
    let complete = Failing::new(u64::MAX, u64::MAX);
    let summary = generate(&Versioned::new(KEYS), &spec, &complete, &options(2)).unwrap();
    let total_bytes: u64 = complete.inner.objects().values().map(|bytes| bytes.len() as u64).sum();
    let objects = complete.inner.objects().len() as u64;
    assert!(summary.files > 1);
    for bytes in 0..total_bytes {
        let failing = Failing::new(bytes, u64::MAX);
        let error = generate(&Versioned::new(KEYS), &spec, &failing, &options(2)).unwrap_err();
        assert!(matches!(error.kind(), GenerateErrorKind::Destination(_)), "{error}");
        assert_eq!(failing.inner.objects().len(), 0, "failing after {bytes} bytes: {:?}", error.leftovers());
    }
    for publications in 0..objects {
        let failing = Failing::new(u64::MAX, publications);
        generate(&Versioned::new(KEYS), &spec, &failing, &options(2)).unwrap_err();
        assert_eq!(failing.inner.objects().len(), 0, "failing at publication {publications}");
    }
}

#[test]
fn a_source_that_fails_or_panics_leaves_nothing() {
    let spec = spec().build().unwrap();
    for lanes in [1, 3] {
        // In every row of the first chunks, and in a later one.
        for row in (0..=110).chain([350]) {
            let options = options(2).with_lanes(NonZeroU32::new(lanes).unwrap());
            let fails = |fault| -> GenerateError {
                let destination = MemoryDestination::new();
                let source = Versioned { fault: Some((row, fault)), ..Versioned::new(600) };
                let error = generate(&source, &spec, &destination, &options).unwrap_err();
                assert_eq!(destination.objects().len(), 0);
                error
            };
            let error = fails(Fault::Error);
            assert_eq!(error.kind(), GenerateErrorKind::Source(SourceErrorKind::Malformed));
            assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "line 7: on purpose");
            assert_eq!(fails(Fault::Panic).kind(), GenerateErrorKind::Lost);
        }
    }
    let source = Versioned { fault: Some((50, Fault::ShortBatch)), ..Versioned::new(600) };
    let whole = report(&Versioned::new(600), &spec, &options(2));
    assert!(report(&source, &spec, &options(2)).1.objects() == whole.1.objects());
}

struct CancelAfter {
    chunks: AtomicU64,
    cancel: CancelToken,
}

impl Observer for CancelAfter {
    fn chunk_appended(&self, rows: u64, _bytes: u64) {
        assert!(rows > 0);
        if self.chunks.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.cancel.cancel();
        }
    }
}

#[test]
fn a_cancelled_run_leaves_nothing() {
    let spec = spec().build().unwrap();
    for chunks in [1, 5, 14] {
        let cancel = CancelToken::new();
        let observer = Arc::new(CancelAfter { chunks: AtomicU64::new(chunks), cancel: cancel.clone() });
        let execution = Execution::default().with_cancel(cancel).with_observer(observer);
        let destination = MemoryDestination::new();
        let error = generate(&Versioned::new(600), &spec, &destination, &GenerateOptions::new(execution)).unwrap_err();
        assert_eq!(error.kind(), GenerateErrorKind::Cancelled);
        assert_eq!(destination.objects().len(), 0);
    }
}

#[test]
fn a_memory_limit_below_the_floor_is_refused() {
    let spec = spec().build().unwrap();
    let mut options = options(1);
    options.execution.memory_bytes = NonZeroU64::new(spec.memory_floor() - 1);
    let error = generate(&Versioned::new(1), &spec, &MemoryDestination::new(), &options).unwrap_err();
    assert_eq!(error.kind(), GenerateErrorKind::Invalid);
}

#[test]
fn a_stream_of_rows_is_a_source() {
    let objects: BTreeMap<String, u64> = (0..20_000).map(|number| (format!("k{number:05}"), number)).collect();
    let mut rows = objects.into_iter();
    let source = RowsSource::new(FieldSet::REQUIRED.with(Field::Size), move |batch: &mut ObjectBatchBuilder| {
        let Some((key, size)) = rows.next() else { return Ok(false) };
        batch.row(&key).size(size).finish()?;
        Ok(true)
    });
    let fields = FieldSet::REQUIRED.with(Field::Size);
    let spec = spec().with_versions(Versions::Current).with_fields(fields).build().unwrap();
    let (summary, destination) = report(&source, &spec, &options(2));
    let rows = files(&destination, &summary).concat();
    assert_eq!(rows.len(), 20_000);
    assert_eq!(rows[77], "\"source\",\"k00077\",\"77\"");
    let error = generate(&source, &spec, &MemoryDestination::new(), &options(1)).unwrap_err();
    assert_eq!(error.kind(), GenerateErrorKind::Source(SourceErrorKind::Unsupported));
}

struct PanicsAtChunk;

impl Observer for PanicsAtChunk {
    fn chunk_appended(&self, _rows: u64, _bytes: u64) {
        panic!("on purpose");
    }
}

#[test]
fn a_panic_beside_the_assembler_is_an_error_and_no_hang() {
    let spec = spec().with_chunk_rows(10).build().unwrap();
    for lanes in [1, 3] {
        let execution = Execution::default().with_observer(Arc::new(PanicsAtChunk));
        let options = GenerateOptions::new(execution).with_lanes(NonZeroU32::new(lanes).unwrap());
        let destination = MemoryDestination::new();
        let error = generate(&Versioned::new(3000), &spec, &destination, &options).unwrap_err();
        assert_eq!(error.kind(), GenerateErrorKind::Lost);
        assert_eq!(destination.objects().len(), 0);
    }
}

#[test]
fn a_replacement_that_finds_no_room_leaves_the_old_report_whole() {
    let spec = spec().build().unwrap();
    let first = Failing::new(u64::MAX, u64::MAX);
    generate(&Versioned::new(150), &spec, &first, &options(1)).unwrap();
    let old = first.inner.objects();
    let data_bytes: u64 =
        old.iter().filter(|(key, _)| key.as_str().contains("/data/")).map(|(_, bytes)| bytes.len() as u64).sum();
    for room in [0, data_bytes / 2, data_bytes, data_bytes + 50, data_bytes + 700] {
        first.bytes_left.store(room, Ordering::Relaxed);
        generate(&Versioned::new(150), &spec, &first, &options(1).with_existing(Existing::Replace)).unwrap_err();
        assert!(first.inner.objects() == old, "with room for {room} bytes");
    }
}

#[test]
fn what_a_killed_run_left_is_passed_by() {
    let (spec, destination) = (spec().build().unwrap(), MemoryDestination::new());
    let source = Versioned::new(500);
    let plan = plan(&source, NonZeroU32::MIN).unwrap();
    let left = write_lanes(&source, &spec, &plan, plan.lanes(), 0, &destination, &Execution::default()).unwrap();
    let summary = generate(&source, &spec, &destination, &options(1)).unwrap();
    assert_eq!(summary.files as usize, left.len());
    assert_eq!(destination.objects().len(), 2 * left.len() + 4);
}
