//! The runner: reports when they are due, after failures, interruptions and downtime, never two at once in a bucket.
#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped fails the test, in its helpers too")]

use std::{
    collections::BTreeMap,
    error::Error,
    io::Read,
    num::NonZeroUsize,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicU32, Ordering},
    },
};
use stocktake::{
    BucketName, Clock, Destination, DestinationError, DestinationErrorKind, FieldSet, LaneDescriptor, Manifest,
    ManifestLocation, ObjectAttributes, ObjectKey, ObjectSource, ObjectStream, PendingObject, Plan, ReadContext,
    ReportKey, ReportStore, SourceError, SourceErrorKind, Timestamp, VerifyOptions, destinations::MemoryDestination,
    parse_receipts, sources::SyntheticSource, verify,
};
use stocktake_config::{ConfigurationList, InventoryConfiguration, Rules, RunState, ValidConfiguration};
use stocktake_service::{
    ConfigurationStore, EnvelopeStore, KeyService, LocalKeyService, MemoryStore, Opened, RunEvent, RunLog, RunOutcome,
    RunRecord, RunStatus, Runner, RunnerOptions, StoreError, Stored, Targets,
};

/// A clock that tests move.
#[derive(Clone)]
struct Hands(Arc<AtomicI64>);

impl Hands {
    fn at(text: &str) -> Self {
        Self(Arc::new(AtomicI64::new(Timestamp::parse(text).unwrap().ms())))
    }

    fn set(&self, text: &str) {
        self.0.store(Timestamp::parse(text).unwrap().ms(), Ordering::Relaxed);
    }

    fn clock(&self) -> Clock {
        let ms = Arc::clone(&self.0);
        Clock::new(move || Timestamp::try_from_ms(ms.load(Ordering::Relaxed)).unwrap())
    }
}

/// Synthetic rows to a destination in memory; the next so many runs fail.
struct World {
    destination: MemoryDestination,
    keys: Option<LocalKeyService>,
    failures: AtomicU32,
    /// So many next files symlink.txt cannot be written, when data files are finished.
    refusals: Arc<AtomicU32>,
    /// Lanes that were read.
    reads: Arc<AtomicU32>,
    rows: Mutex<&'static str>,
    hands: Hands,
    /// Runs under way in each bucket, and the most there ever were.
    under_way: Arc<Mutex<BTreeMap<String, (u32, u32)>>>,
    log: Mutex<Vec<String>>,
}

impl World {
    fn new(now: &str) -> Self {
        Self {
            destination: MemoryDestination::new(),
            keys: None,
            failures: AtomicU32::new(0),
            refusals: Arc::default(),
            reads: Arc::default(),
            rows: Mutex::new("rows=50,seed=1"),
            hands: Hands::at(now),
            under_way: Arc::default(),
            log: Mutex::default(),
        }
    }

    fn runner<'a>(&'a self, store: &'a dyn ConfigurationStore) -> Runner<'a> {
        Runner::start(store, self, self.hands.clock(), RunnerOptions::default(), self).unwrap()
    }
}

struct Source {
    rows: SyntheticSource,
    fails: bool,
    reads: Arc<AtomicU32>,
    bucket: String,
    under_way: Arc<Mutex<BTreeMap<String, (u32, u32)>>>,
}

impl Drop for Source {
    fn drop(&mut self) {
        self.under_way.lock().unwrap().get_mut(&self.bucket).unwrap().0 -= 1;
    }
}

impl ObjectSource for Source {
    fn provides(&self) -> FieldSet {
        self.rows.provides()
    }
    fn plan(&self, lanes: std::num::NonZeroU32) -> Result<Plan, SourceError> {
        if self.fails {
            return Err(SourceError::new(SourceErrorKind::Unreadable, "the listing broke off"));
        }
        self.rows.plan(lanes)
    }
    fn open<'a>(
        &'a self,
        lane: &LaneDescriptor,
        after: Option<&ObjectKey>,
        context: &ReadContext,
    ) -> Result<Box<dyn ObjectStream + 'a>, SourceError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.rows.open(lane, after, context)
    }
}

/// A destination that cannot take symlink.txt so many times.
struct Refusing {
    inner: MemoryDestination,
    refusals: Arc<AtomicU32>,
}

impl Destination for Refusing {
    fn create(
        &self,
        key: &ReportKey,
        attributes: &ObjectAttributes,
    ) -> Result<Box<dyn PendingObject>, DestinationError> {
        let refuse = |left: u32| left.checked_sub(1).filter(|_| key.as_str().ends_with("symlink.txt"));
        if self.refusals.fetch_update(Ordering::Relaxed, Ordering::Relaxed, refuse).is_ok() {
            return Err(DestinationError::new(DestinationErrorKind::Io, key, "the disk is full"));
        }
        self.inner.create(key, attributes)
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

impl Targets for World {
    fn open(&self, bucket: &BucketName, _: &ValidConfiguration) -> Result<Opened<'_>, Box<dyn Error + Send + Sync>> {
        if bucket.as_str() == "unknown" {
            return Err("there is no source for it".into());
        }
        let fails =
            self.failures.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
        let mut under_way = self.under_way.lock().unwrap();
        let (now, most) = under_way.entry(bucket.to_string()).or_default();
        *now += 1;
        *most = (*most).max(*now);
        let rows = self.rows.lock().unwrap().parse().unwrap();
        let (reads, under_way) = (Arc::clone(&self.reads), Arc::clone(&self.under_way));
        let source = Source { rows, fails, reads, bucket: bucket.to_string(), under_way };
        let destination = Refusing { inner: self.destination.clone(), refusals: Arc::clone(&self.refusals) };
        let opened = Opened::new(Box::new(source), Box::new(destination));
        Ok(match &self.keys {
            Some(keys) => opened.with_keys(keys),
            None => opened,
        })
    }
}

impl RunLog for World {
    fn event(&self, bucket: &str, id: &str, event: &RunEvent<'_>) {
        let told = match event {
            RunEvent::Began(run) => format!("began {} attempt {}", run.due, run.attempt),
            RunEvent::Ended(record) if record.is_success() => format!("succeeded {}", record.due),
            RunEvent::Ended(record) => format!("failed {}", record.due),
            RunEvent::Skipped(skipped) => format!("skipped {} to {}: {}", skipped.first, skipped.last, skipped.count),
            RunEvent::Interrupted(run) => format!("interrupted {}", run.due),
            RunEvent::Gone => "gone".to_owned(),
            other => format!("{other:?}"),
        };
        self.log.lock().unwrap().push(format!("{bucket}/{id} {told}"));
    }
}

fn bucket(name: &str) -> BucketName {
    BucketName::try_new(name).unwrap()
}

fn configuration(id: &str, encryption: &str) -> ValidConfiguration {
    let text = format!(
        r#"{{"Destination":{{"S3BucketDestination":{{"Bucket":"arn:aws:s3:::dst","Format":"CSV"{encryption}}}}},
        "IsEnabled":true,"Id":"{id}","IncludedObjectVersions":"Current","OptionalFields":["Size","ETag"],
        "Schedule":{{"Frequency":"Daily"}}}}"#
    );
    Rules::new().check(InventoryConfiguration::parse(text.as_bytes()).unwrap()).unwrap()
}

fn store_of(world: &World, name: &str, encryption: &str) -> MemoryStore {
    let store = MemoryStore::new();
    store.put(&bucket(name), &configuration("daily", encryption), world.hands.clock().now()).unwrap();
    store
}

#[test]
fn reports_come_when_they_are_due_and_are_remembered() {
    let world = World::new("2026-11-25T13:37:00Z");
    let store = store_of(&world, "src", "");
    let runner = world.runner(&store);
    let first = runner.round().unwrap();
    assert_eq!((first.succeeded, first.failed, first.skipped), (1, 0, 0));
    assert_eq!(first.next.unwrap().to_string(), "2026-11-26T01:00:00.000Z");
    assert_eq!(runner.round().unwrap().succeeded, 0);
    let status = store.status(&bucket("src"), "daily").unwrap();
    assert_eq!(status.next_due(world.hands.clock().now()), first.next);
    let last = status.last.unwrap();
    assert_eq!(last.due.to_string(), "2026-11-25T13:00:00.000Z");
    let RunOutcome::Succeeded { manifest, rows, .. } = last.outcome else { panic!() };
    assert_eq!((manifest.as_str(), rows), ("src/daily/2026-11-25T13-00Z/manifest.json", Some(50)));
    // The stamp is the due hour; the receipts say when the scan really was.
    let receipts = ReportKey::try_new("src/daily/2026-11-25T13-00Z/receipts.ndjson").unwrap();
    let header = parse_receipts(&world.destination.get(&receipts).unwrap()).unwrap().0;
    assert_eq!(header.scan_started_at, Some(Timestamp::parse("2026-11-25T13:37:00Z").unwrap()));
    assert!(header.scan_ended_at.is_some());
    // Down for days: the newest due time is served, the others are said to be skipped.
    world.hands.set("2026-11-30T09:00:00Z");
    let late = runner.round().unwrap();
    assert_eq!((late.succeeded, late.skipped), (1, 4));
    let records = store.records(&bucket("src"), "daily", 9).unwrap();
    let told: Vec<_> = records.iter().map(|record| (record.due.folder_stamp(), record.is_success())).collect();
    let due = |stamp: &str, succeeded| (stamp.to_owned(), succeeded);
    assert_eq!(told, [due("2026-11-30T01-00Z", true), due("2026-11-29T01-00Z", false), due("2026-11-25T13-00Z", true)]);
    assert!(matches!(records[1].outcome, RunOutcome::Skipped { count: 4, .. }));
}

#[test]
fn a_run_that_fails_is_tried_again_later_with_its_reason_on_record() {
    let world = World::new("2026-11-25T13:37:00Z");
    let store = store_of(&world, "src", "");
    world.failures.store(2, Ordering::Relaxed);
    let runner = world.runner(&store);
    assert_eq!(runner.round().unwrap().next.unwrap().to_string(), "2026-11-25T13:38:00.000Z");
    let last = store.status(&bucket("src"), "daily").unwrap().last.unwrap();
    assert_eq!(last.outcome, RunOutcome::Failed { reason: "reading the source failed: the listing broke off".into() });
    assert_eq!(runner.round().unwrap().failed, 0);
    world.hands.set("2026-11-25T13:38:00Z");
    assert_eq!(runner.round().unwrap().failed, 1);
    world.hands.set("2026-11-25T13:40:00Z");
    assert_eq!(runner.round().unwrap().succeeded, 1);
    let last = store.status(&bucket("src"), "daily").unwrap().last.unwrap();
    assert_eq!((last.attempt, last.is_success()), (3, true));
    // Without a source a run fails, and the others are not kept from theirs.
    store.put(&bucket("unknown"), &configuration("x", ""), world.hands.clock().now()).unwrap();
    assert_eq!(runner.round().unwrap().failed, 1);
}

#[test]
fn a_report_on_demand_is_made_in_the_next_round() {
    let world = World::new("2026-11-25T13:37:00Z");
    let store = store_of(&world, "src", "");
    let runner = world.runner(&store);
    runner.round().unwrap();
    world.hands.set("2026-11-25T13:45:10Z");
    runner.request(&bucket("src"), "daily").unwrap();
    assert_eq!(runner.round().unwrap().succeeded, 1);
    let last = store.status(&bucket("src"), "daily").unwrap().last.unwrap();
    assert_eq!(last.due.folder_stamp(), "2026-11-25T13-45Z");
    assert!(runner.request(&bucket("src"), "daily").is_err());
    assert!(runner.request(&bucket("src"), "other").unwrap_err().to_string().starts_with("NoSuchConfiguration"));
}

/// A store that ends its process, so to speak, before a change of state.
struct Dying<'a> {
    store: &'a MemoryStore,
    left: AtomicU32,
}

impl ConfigurationStore for Dying<'_> {
    fn put(&self, bucket: &BucketName, configuration: &ValidConfiguration, now: Timestamp) -> Result<(), StoreError> {
        self.store.put(bucket, configuration, now)
    }
    fn get(&self, bucket: &BucketName, id: &str) -> Result<InventoryConfiguration, StoreError> {
        self.store.get(bucket, id)
    }
    fn list(&self, bucket: &BucketName, token: Option<&str>) -> Result<ConfigurationList, StoreError> {
        self.store.list(bucket, token)
    }
    fn delete(&self, bucket: &BucketName, id: &str) -> Result<(), StoreError> {
        self.store.delete(bucket, id)
    }
    fn status(&self, bucket: &BucketName, id: &str) -> Result<RunStatus, StoreError> {
        self.store.status(bucket, id)
    }
    fn records(&self, bucket: &BucketName, id: &str, most: usize) -> Result<Vec<RunRecord>, StoreError> {
        self.store.records(bucket, id, most)
    }
    fn record(&self, bucket: &BucketName, id: &str, due: Timestamp) -> Result<Option<RunRecord>, StoreError> {
        self.store.record(bucket, id, due)
    }
    fn visit(&self, visit: &mut dyn FnMut(&str, &str, &Stored)) -> Result<(), StoreError> {
        self.store.visit(visit)
    }
    fn advance(
        &self,
        bucket: &BucketName,
        id: &str,
        from: &RunState,
        to: &RunState,
        records: &[RunRecord],
    ) -> Result<bool, StoreError> {
        if self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err() {
            return Err(StoreError::failed("the process ends here", "killed"));
        }
        self.store.advance(bucket, id, from, to, records)
    }
}

#[test]
fn a_process_that_ends_after_publication_is_not_followed_by_a_second_report() {
    for encryption in ["", r#","Encryption":{"SSES3":{}}"#] {
        let mut world = World::new("2026-11-25T13:37:00Z");
        world.keys = Some(LocalKeyService::parse(&format!("main {}", "11".repeat(32))).unwrap());
        let store = store_of(&world, "src", encryption);
        let dying = Dying { store: &store, left: AtomicU32::new(1) };
        assert!(world.runner(&dying).round().is_err());
        let objects = world.destination.objects().len();
        assert!(store.status(&bucket("src"), "daily").unwrap().stored.state.is_running());
        // The next process finds the run under way, and its report.
        let runner = world.runner(&store);
        let last = store.status(&bucket("src"), "daily").unwrap().last.unwrap();
        assert!(matches!(last.outcome, RunOutcome::Succeeded { rows: None, .. }), "{last:?}");
        assert_eq!(runner.round().unwrap().succeeded, 0);
        assert_eq!(world.destination.objects().len(), objects);
        let log = world.log.lock().unwrap();
        assert!(log.iter().any(|line| line == "src/daily interrupted 2026-11-25T13:00:00.000Z"), "{log:?}");
    }
}

#[test]
fn a_process_that_ends_before_publication_is_followed_by_another_attempt() {
    let world = World::new("2026-11-25T13:37:00Z");
    let store = store_of(&world, "src", "");
    let dying = Dying { store: &store, left: AtomicU32::new(1) };
    world.failures.store(1, Ordering::Relaxed);
    assert!(world.runner(&dying).round().is_err());
    let runner = world.runner(&store);
    let last = store.status(&bucket("src"), "daily").unwrap().last.unwrap();
    assert_eq!(last.outcome, RunOutcome::Failed { reason: "the process ended during the run".into() });
    assert_eq!(runner.round().unwrap().succeeded, 0);
    world.hands.set("2026-11-25T13:38:00Z");
    assert_eq!(runner.round().unwrap().succeeded, 1);
    let last = store.status(&bucket("src"), "daily").unwrap().last.unwrap();
    assert_eq!((last.attempt, last.is_success()), (2, true));
}

#[test]
fn another_report_with_the_stamp_is_not_taken_for_one_s_own() {
    let world = World::new("2026-11-25T13:37:00Z");
    let store = store_of(&world, "src", "");
    world.runner(&store).round().unwrap();
    // The same id is made anew within the hour, with other columns.
    store.delete(&bucket("src"), "daily").unwrap();
    let text = configuration("daily", "").into_document().to_json().replace("\"ETag\"", "\"StorageClass\"");
    let other = Rules::new().check(InventoryConfiguration::parse(text.as_bytes()).unwrap()).unwrap();
    store.put(&bucket("src"), &other, world.hands.clock().now()).unwrap();
    assert_eq!(world.runner(&store).round().unwrap().failed, 1);
    let last = store.status(&bucket("src"), "daily").unwrap().last.unwrap();
    assert!(
        matches!(last.outcome, RunOutcome::Failed { reason } if reason.contains("a report with this stamp exists"))
    );
}

#[test]
fn an_encrypted_report_is_verified_without_a_key_and_read_with_one() {
    let mut world = World::new("2026-11-25T13:37:00Z");
    let plain = store_of(&world, "plain", "");
    world.runner(&plain).round().unwrap();
    let encryption = r#","Encryption":{"SSEKMS":{"KeyId":"main"}}"#;
    let store = store_of(&world, "src", encryption);
    // Without keys the destination is asked, which cannot do it.
    assert_eq!(world.runner(&store).round().unwrap().failed, 1);
    let last = store.status(&bucket("src"), "daily").unwrap().last.unwrap();
    assert!(matches!(last.outcome, RunOutcome::Failed { reason } if reason.contains("SSE-KMS with the key main")));
    world.keys = Some(LocalKeyService::parse(&format!("first {}\nmain {}", "22".repeat(32), "11".repeat(32))).unwrap());
    world.hands.set("2026-11-25T13:38:00Z");
    assert_eq!(world.runner(&store).round().unwrap().succeeded, 1);
    let names: Vec<_> = world.destination.list("src/").unwrap().into_iter().map(String::from).collect();
    assert_eq!(names.len(), 4, "{names:?}");
    assert!(
        names.iter().any(|name| name.ends_with(".csv.gz.enc")) && !names.iter().any(|name| name.contains("symlink"))
    );
    assert!(names.iter().any(|name| name.ends_with("/receipts.ndjson.enc")));
    let manifest_key = ReportKey::try_new("src/daily/2026-11-25T13-00Z/manifest.json").unwrap();
    let location = ManifestLocation::new(&world.destination, manifest_key.clone());
    let verified = verify(&location, &VerifyOptions::new(NonZeroUsize::MIN)).unwrap();
    assert!(verified.is_sound() && verified.files == 1, "{verified:?}");
    // No key of the source stands anywhere in the clear.
    let rows = |store: &dyn ReportStore, manifest: &ReportKey| {
        let manifest = Manifest::parse(&world.destination.get(manifest).unwrap()).unwrap();
        let key = ReportKey::try_new(manifest.files[0].key.as_str()).unwrap();
        let size = store.head(&key).unwrap().unwrap().size_bytes;
        let mut text = String::new();
        let sealed = store.open_range(&key, 0..size).unwrap();
        flate2::read::GzDecoder::new(sealed).read_to_string(&mut text).unwrap();
        text
    };
    let keys: &dyn KeyService = world.keys.as_ref().unwrap();
    let opened = rows(&EnvelopeStore::new(&world.destination, keys), &manifest_key);
    let plain_manifest = ReportKey::try_new("plain/daily/2026-11-25T13-00Z/manifest.json").unwrap();
    assert_eq!(opened.replace("\"src\"", "\"plain\""), rows(&world.destination, &plain_manifest));
    let first_key = opened.split('"').nth(3).unwrap().to_owned();
    for (name, bytes) in world.destination.objects() {
        let clear = bytes.windows(first_key.len()).any(|window| window == first_key.as_bytes());
        assert!(!clear || name.as_str().starts_with("plain/"), "{name} shows {first_key}");
    }
}

#[test]
fn buckets_are_served_side_by_side_and_none_twice_at_once() {
    let world = World::new("2026-11-25T13:37:00Z");
    let store = MemoryStore::new();
    for name in ["a", "b", "c", "d"] {
        for id in ["1", "2", "3"] {
            store.put(&bucket(name), &configuration(id, ""), world.hands.clock().now()).unwrap();
        }
    }
    let mut options = RunnerOptions::default();
    options.buckets_at_once = NonZeroUsize::new(3).unwrap();
    let runner = Runner::start(&store, &world, world.hands.clock(), options, &world).unwrap();
    let round = runner.round().unwrap();
    assert_eq!((round.succeeded, round.next.unwrap().to_string()), (12, "2026-11-26T01:00:00.000Z".to_owned()));
    let under_way = world.under_way.lock().unwrap();
    assert!(under_way.len() == 4 && under_way.values().all(|(now, most)| (*now, *most) == (0, 1)), "{under_way:?}");
}

#[test]
fn a_quarter_with_failures_and_restarts_has_every_report_once() {
    let world = World::new("2026-01-01T00:10:00Z");
    let store = store_of(&world, "src", "");
    let start = world.hands.clock().now().ms();
    for hour in 0..90 * 24i64 {
        world.hands.0.store(start + hour * 3_600_000, Ordering::Relaxed);
        if hour % 37 == 0 {
            world.failures.store(u32::try_from(hour % 5).unwrap(), Ordering::Relaxed);
        }
        // Every round by a process of its own; some of them end in the middle.
        let dying = Dying { store: &store, left: AtomicU32::new(if hour % 29 == 0 { 1 } else { 9 }) };
        let _ = world.runner(&store);
        if let Ok(runner) = Runner::start(&dying, &world, world.hands.clock(), RunnerOptions::default(), &world) {
            let _ = runner.round();
        }
    }
    world.runner(&store).round().unwrap();
    let records = store.records(&bucket("src"), "daily", 400).unwrap();
    let succeeded = records.iter().filter(|record| record.is_success()).count();
    // The first hour, and 01:00 of each of 90 days.
    assert_eq!((records.len(), succeeded), (91, 91));
    let manifests = world.destination.list("src/").unwrap();
    assert_eq!(manifests.iter().filter(|key| key.as_str().ends_with("manifest.checksum")).count(), 91);
}

/// Keys of a report's objects by their places below the configuration's folder.
fn below(world: &World, folder: &str) -> Vec<String> {
    let prefix = format!("src/daily/{folder}");
    world.destination.list(&prefix).unwrap().into_iter().map(|key| key.as_str().to_owned()).collect()
}

#[test]
fn a_run_that_died_is_carried_on_by_the_next_attempt() {
    let world = World::new("2026-11-25T13:37:00Z");
    let store = store_of(&world, "src", "");
    let runner = world.runner(&store);
    world.refusals.store(1, Ordering::Relaxed);
    assert_eq!(runner.round().unwrap().failed, 1);
    assert_eq!((below(&world, "journal/").len(), below(&world, "data/").len()), (2, 1));
    world.hands.set("2026-11-25T13:40:00Z");
    assert_eq!(runner.round().unwrap().succeeded, 1);
    assert_eq!(world.reads.load(Ordering::Relaxed), 1, "the finished data file is kept");
    assert_eq!((below(&world, "journal/").len(), below(&world, "data/").len()), (0, 1));
}

#[test]
fn a_run_whose_source_changed_is_given_up_and_made_anew() {
    let world = World::new("2026-11-25T13:37:00Z");
    let store = store_of(&world, "src", "");
    let runner = world.runner(&store);
    world.refusals.store(1, Ordering::Relaxed);
    assert_eq!(runner.round().unwrap().failed, 1);
    *world.rows.lock().unwrap() = "rows=60,seed=1";
    world.hands.set("2026-11-25T13:40:00Z");
    assert_eq!(runner.round().unwrap().succeeded, 1);
    let last = store.status(&bucket("src"), "daily").unwrap().last.unwrap();
    assert!(matches!(last.outcome, RunOutcome::Succeeded { rows: Some(60), .. }), "{last:?}");
    assert_eq!((below(&world, "journal/").len(), below(&world, "data/").len()), (0, 1));
}

#[test]
fn what_runs_of_earlier_due_times_left_is_removed() {
    let world = World::new("2026-11-25T13:37:00Z");
    let store = store_of(&world, "src", "");
    let runner = world.runner(&store);
    world.refusals.store(1, Ordering::Relaxed);
    assert_eq!(runner.round().unwrap().failed, 1);
    assert_eq!(below(&world, "journal/").len(), 2);
    world.hands.set("2026-11-26T01:00:00Z");
    let round = runner.round().unwrap();
    assert_eq!(round.succeeded, 1);
    assert_eq!((below(&world, "journal/").len(), below(&world, "data/").len()), (0, 1));
    assert_eq!(below(&world, "2026-11-2").len(), 3);
}
