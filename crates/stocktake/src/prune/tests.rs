//! Old reports go whole, and nothing else does.

use super::*;
use crate::{
    GenerateOptions, ManifestLocation, VerifyOptions, destinations::MemoryDestination, generate,
    sources::SyntheticSource, verify,
};
use std::{collections::BTreeSet, io::Write, sync::Mutex};
use stocktake_core::{
    CancelToken, Destination, DestinationError, DestinationErrorKind, Existing, ObjectAttributes, PendingObject,
    ReportKey, ReportSpec, ReportStore,
};

const FOLDER: &str = "p/photos/daily";

fn stamp(day: u32) -> String {
    format!("2026-11-{day:02}T01-00Z")
}

fn key(text: &str) -> ReportKey {
    ReportKey::try_new(text).unwrap()
}

/// A destination with a report of each of these days, of some data files.
fn reports(days: impl IntoIterator<Item = u32>) -> MemoryDestination {
    let destination = MemoryDestination::new();
    let bucket = |name| BucketName::try_new(name).unwrap();
    let source: SyntheticSource = "rows=3000,seed=1".parse().unwrap();
    for day in days {
        let spec = ReportSpec::builder(bucket("photos"), ConfigurationId::try_new("daily").unwrap(), bucket("reports"))
            .with_destination_prefix(DestinationPrefix::try_new("p").unwrap())
            .with_created_at(Timestamp::parse(&format!("2026-11-{day:02}T01:00:00Z")).unwrap())
            .with_chunk_rows(500)
            .with_shard_target_bytes(20_000)
            .build()
            .unwrap();
        let made = generate(&source, &spec, &destination, &GenerateOptions::default()).unwrap();
        assert!(made.files > 1);
    }
    destination
}

fn put(destination: &MemoryDestination, name: &str, text: &str) {
    let attributes = ObjectAttributes::new("text/plain").with_existing(Existing::Replace);
    let mut object = destination.create(&key(name), &attributes).unwrap();
    object.write_all(text.as_bytes()).unwrap();
    object.publish().unwrap();
}

fn keep(count: usize) -> PruneOptions {
    PruneOptions::new(NonZeroUsize::new(count).unwrap())
}

fn plan(destination: &MemoryDestination, options: &PruneOptions) -> PrunePlan {
    plan_prune(destination, options).unwrap()
}

fn carry_out(destination: &MemoryDestination, options: &PruneOptions) -> Pruned {
    plan(destination, options).carry_out(destination, &CancelToken::new()).unwrap()
}

fn all(destination: &MemoryDestination) -> BTreeSet<String> {
    destination.list("").unwrap().iter().map(ToString::to_string).collect()
}

fn complete(destination: &MemoryDestination) -> Vec<String> {
    let keys = all(destination).into_iter().filter(|key| key.ends_with("/manifest.checksum"));
    keys.map(|key| key.rsplit('/').nth(1).unwrap().to_owned()).collect()
}

/// Every report that has a checksum is whole.
fn check_complete(destination: &MemoryDestination) {
    for stamp in complete(destination) {
        let location = ManifestLocation::new(destination, key(&format!("{FOLDER}/{stamp}/manifest.json")));
        let found = verify(&location, &VerifyOptions::new(NonZeroUsize::MIN)).unwrap();
        assert!(found.is_sound(), "{stamp}: {:?}", found.faults);
    }
}

fn fates(plan: &PrunePlan) -> Vec<(String, ReportFate)> {
    let reports = plan.configurations.iter().flat_map(|configuration| &configuration.reports);
    reports.map(|report| (report.stamp.clone(), report.fate)).collect()
}

#[test]
fn the_newest_stay_and_the_others_go_whole() {
    let destination = reports(1..=5);
    let before = all(&destination);
    let options = keep(2);
    let planned = plan(&destination, &options);
    assert_eq!(all(&destination), before);
    assert_eq!(planned.configurations[0].folder, FOLDER);
    assert_eq!(carry_out(&destination, &options).reports, 3);
    assert_eq!(complete(&destination), [stamp(4), stamp(5)]);
    assert_eq!(all(&destination), all(&reports(4..=5)));
    check_complete(&destination);
    assert!(plan(&destination, &options).is_empty());
}

#[test]
fn reports_since_a_time_stay_however_many_they_are() {
    let destination = reports(1..=4);
    let since = Timestamp::parse("2026-11-02T00:00:00Z").unwrap();
    assert_eq!(carry_out(&destination, &keep(1).with_keep_since(Some(since))).reports, 1);
    assert_eq!(complete(&destination), [stamp(2), stamp(3), stamp(4)]);
}

#[test]
fn only_what_was_chosen_is_looked_at() {
    let destination = reports(1..=3);
    let bucket = |name| Some(BucketName::try_new(name).unwrap());
    let id = |name| Some(ConfigurationId::try_new(name).unwrap());
    let prefix = |name| Some(DestinationPrefix::try_new(name).unwrap());
    for options in [
        keep(1).with_bucket(bucket("other")),
        keep(1).with_configuration(id("weekly")),
        keep(1).with_prefix(prefix("")),
        keep(1).with_prefix(prefix("p")).with_bucket(bucket("photo")),
    ] {
        assert!(plan(&destination, &options).is_empty(), "{options:?}");
    }
    let options = keep(1).with_prefix(prefix("p")).with_bucket(bucket("photos")).with_configuration(id("daily"));
    assert_eq!(carry_out(&destination, &options).reports, 2);
}

#[test]
fn foreign_objects_stay() {
    let destination = reports(1..=2);
    let foreign = [
        format!("{FOLDER}/{}/notes.txt", stamp(1)),
        format!("{FOLDER}/data/readme.txt"),
        format!("{FOLDER}/hive/dt=2026-11-01/symlink.txt"),
        format!("{FOLDER}/other/manifest.json"),
        format!("x/photos/daily/data/{}.orc", stocktake_core::Uuid::nil()),
        "p/manifest.json".to_owned(),
    ];
    foreign.iter().for_each(|name| put(&destination, name, "x"));
    carry_out(&destination, &keep(1).with_orphans(true));
    let mut expected = all(&reports([2]));
    expected.extend(foreign);
    assert_eq!(all(&destination), expected);
}

#[test]
fn a_data_file_that_a_kept_manifest_names_stays() {
    let destination = reports(1..=2);
    let manifest = |day| key(&format!("{FOLDER}/{}/manifest.json", stamp(day)));
    // The newer report is made to name the files of the older one.
    let old = String::from_utf8(destination.get(&manifest(1)).unwrap().to_vec()).unwrap();
    put(&destination, manifest(2).as_str(), &old);
    let planned = plan(&destination, &keep(1));
    assert_eq!(planned.configurations[0].reports[1].files, 0);
    assert!(planned.configurations[0].notes[0].contains("are also others' and stay"), "{planned:?}");
    let data = all(&destination).into_iter().filter(|key| key.contains("/data/")).count();
    carry_out(&destination, &keep(1));
    assert_eq!(all(&destination).into_iter().filter(|key| key.contains("/data/")).count(), data);
}

#[test]
fn a_manifest_that_cannot_be_read_keeps_everything() {
    for text in ["{", "{\"sourceBucket\":\"other\"}"] {
        let destination = reports(1..=3);
        put(&destination, &format!("{FOLDER}/{}/manifest.json", stamp(2)), text);
        let planned = plan(&destination, &keep(1).with_orphans(true));
        assert!(planned.is_empty());
        assert!(planned.configurations[0].notes[0].contains("nothing of this configuration goes"), "{planned:?}");
    }
    let destination = reports(1..=3);
    let name = format!("{FOLDER}/{}/manifest.json", stamp(2));
    let text = String::from_utf8(destination.get(&key(&name)).unwrap().to_vec()).unwrap();
    put(&destination, &name, &text.replace("\"photos\"", "\"other\""));
    assert!(plan(&destination, &keep(1)).is_empty());
}

#[test]
fn what_is_in_the_making_stays() {
    let destination = reports(1..=4);
    // Without their checksums: one older than all that are kept, one newer.
    for day in [1, 4] {
        destination.remove(&key(&format!("{FOLDER}/{}/manifest.checksum", stamp(day)))).unwrap();
    }
    let expected = [
        (stamp(4), ReportFate::Incomplete),
        (stamp(3), ReportFate::Kept),
        (stamp(2), ReportFate::Removed),
        (stamp(1), ReportFate::RestRemoved),
    ];
    assert_eq!(fates(&plan(&destination, &keep(1))), expected);
    put(&destination, &format!("{FOLDER}/journal/{}/begin", stamp(1)), "x");
    assert_eq!(fates(&plan(&destination, &keep(1)))[3].1, ReportFate::Incomplete);
    // Fewer complete reports than are to be kept: nothing is old.
    assert_eq!(fates(&plan(&destination, &keep(9)))[3].1, ReportFate::Incomplete);
}

#[test]
fn orphans_go_only_if_asked_for_and_while_nothing_is_in_the_making() {
    let destination = reports(1..=2);
    let orphan = format!("{FOLDER}/data/{}.csv.gz", stocktake_core::Uuid::nil());
    put(&destination, &orphan, "12345");
    let planned = plan(&destination, &keep(2));
    assert_eq!(
        (&planned.configurations[0].orphans[..], planned.configurations[0].orphan_bytes),
        (&[key(&orphan)][..], 5)
    );
    assert!(planned.is_empty());
    put(&destination, &format!("{FOLDER}/journal/{}/begin", stamp(9)), "x");
    let planned = plan(&destination, &keep(2).with_orphans(true));
    assert!(planned.is_empty() && planned.configurations[0].notes[0].starts_with(&stamp(9)), "{planned:?}");
    destination.remove(&key(&format!("{FOLDER}/journal/{}/begin", stamp(9)))).unwrap();
    assert_eq!(carry_out(&destination, &keep(2).with_orphans(true)), Pruned { reports: 0, objects: 1 });
    assert_eq!(all(&destination), all(&reports(1..=2)));
}

/// Removes so many objects and no more.
struct Failing<'a> {
    destination: &'a MemoryDestination,
    left: Mutex<usize>,
}

impl Destination for Failing<'_> {
    fn create(&self, key: &ReportKey, at: &ObjectAttributes) -> Result<Box<dyn PendingObject>, DestinationError> {
        self.destination.create(key, at)
    }

    fn remove(&self, key: &ReportKey) -> Result<(), DestinationError> {
        let mut left = self.left.lock().unwrap();
        *left = left.checked_sub(1).ok_or_else(|| DestinationError::new(DestinationErrorKind::Io, key, "no"))?;
        self.destination.remove(key)
    }

    fn buffer_bytes(&self) -> usize {
        0
    }
}

#[test]
fn wherever_it_stops_no_report_is_half_there_and_the_next_pruning_ends_it() {
    let objects = plan(&reports(1..=3), &keep(1)).objects().count();
    for left in 0..objects {
        let destination = reports(1..=3);
        let failing = Failing { destination: &destination, left: Mutex::new(left) };
        let error = plan(&destination, &keep(1)).carry_out(&failing, &CancelToken::new()).unwrap_err();
        assert!(error.to_string().contains(&format!("{left} objects were removed; run it again")), "{error}");
        check_complete(&destination);
        // What has a symlink.txt for readers that look at nothing else has its data.
        carry_out(&destination, &keep(1));
        assert_eq!(all(&destination), all(&reports([3])), "after {left} objects");
    }
    let cancel = CancelToken::new();
    cancel.cancel();
    let destination = reports(1..=2);
    assert!(plan(&destination, &keep(1)).carry_out(&destination, &cancel).is_err());
    assert_eq!(all(&destination), all(&reports(1..=2)));
}
