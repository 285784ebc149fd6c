//! Sound reports are sound, and every way to harm one is named.

use super::*;
use crate::destinations::{LocalStore, MemoryDestination};
use std::io::Write;
use std::{fs, num::NonZeroUsize, path::PathBuf, sync::Arc};
use stocktake_core::{
    BucketName, CancelToken, CommittableShard, CompleteReport, ConfigurationId, Destination, DestinationPrefix,
    Existing, ObjectAttributes, Plan, Receipt, ReceiptsHeader, ReportKey, ReportLayout, ReportSpec, ShardWriter,
    checksum_text, receipts_text, symlink_text,
};

/// A published report of three data files, and its parts.
pub(crate) struct Published {
    pub(crate) destination: MemoryDestination,
    pub(crate) layout: ReportLayout,
    pub(crate) keys: Vec<ReportKey>,
}

fn options() -> VerifyOptions {
    VerifyOptions::new(NonZeroUsize::new(2).unwrap())
}

fn put(destination: &MemoryDestination, key: &ReportKey, text: &[u8]) {
    let attributes = ObjectAttributes::new("text/plain").with_existing(Existing::Replace);
    let mut object = destination.create(key, &attributes).unwrap();
    object.write_all(text).unwrap();
    object.publish().unwrap();
}

/// Publishes a report as the engine does: data files, receipts, symlink.txt, manifest, checksum.
pub(crate) fn publish(prefix: &str, shards: u32) -> Published {
    let bucket = |name| BucketName::try_new(name).unwrap();
    let spec = ReportSpec::builder(bucket("src"), ConfigurationId::try_new("daily").unwrap(), bucket("dst"))
        .with_created_at(Timestamp::parse("2026-11-22T01:00:00Z").unwrap())
        .with_destination_prefix(DestinationPrefix::try_new(prefix).unwrap())
        .build()
        .unwrap();
    let plan = Plan::whole("a test");
    let layout = ReportLayout::new(&spec);
    let destination = MemoryDestination::new();
    let receipt = |shard: u32| Receipt {
        report_id: spec.report_id(),
        spec_digest: spec.digest(),
        plan_digest: plan.digest(),
        lane: 0,
        shard,
        last_of_lane: shard + 1 >= shards,
        attempt: 0,
        file: None,
        rows: u64::from(shard) + 10,
        first_key: Some(format!("k{shard}-0")),
        last_key: Some(format!("k{shard}-9")),
        skipped_entries: u64::from(shard),
        row_digest: None,
        partitions: Vec::new(),
    };
    let shard = |number: u32| {
        let key = layout.data(0, number, 0);
        let object = destination.create(&key, &ObjectAttributes::new("application/gzip")).unwrap();
        let mut writer = ShardWriter::new(object);
        writer.write_all(&vec![b'x'; 300_000 * (number as usize + 1)]).unwrap();
        CommittableShard::publish(receipt(number), key, writer).unwrap()
    };
    let mut published: Vec<_> = (0..shards).map(shard).collect();
    if shards == 0 {
        let empty = Receipt { first_key: None, last_key: None, skipped_entries: 0, ..receipt(0) };
        published.push(CommittableShard::empty_lane(empty));
    }
    let report = CompleteReport::check(&spec, &plan, published).unwrap();
    let keys: Vec<_> = report.files().map(|file| file.key.clone()).collect();
    let header = ReceiptsHeader::new(&spec, &plan, &report, "stocktake 0.1.0");
    let manifest = Manifest::new(&spec, &report).to_text();
    put(&destination, &layout.receipts(), receipts_text(&header, report.receipts()).as_bytes());
    put(&destination, &layout.symlink(), symlink_text(&spec.address(), &keys).as_bytes());
    put(&destination, &layout.manifest(), manifest.as_bytes());
    put(&destination, &layout.checksum(), checksum_text(manifest.as_bytes()).as_bytes());
    Published { destination, layout, keys }
}

impl Published {
    pub(crate) fn text(&self, key: &ReportKey) -> String {
        String::from_utf8(self.destination.get(key).unwrap().to_vec()).unwrap()
    }

    pub(crate) fn put(&self, key: &ReportKey, text: &str) {
        put(&self.destination, key, text.as_bytes());
    }

    /// Changes the manifest, and the checksum with it.
    pub(crate) fn edit_manifest(&self, edit: impl FnOnce(String) -> String) {
        let text = edit(self.text(&self.layout.manifest()));
        self.put(&self.layout.manifest(), &text);
        self.put(&self.layout.checksum(), &checksum_text(text.as_bytes()));
    }

    fn verify(&self) -> VerifyReport {
        verify(&ManifestLocation::new(&self.destination, self.layout.manifest()), &options()).unwrap()
    }

    /// Writes the objects below a folder.
    pub(crate) fn unpack(&self, root: &Path) -> PathBuf {
        for (key, bytes) in self.destination.objects() {
            let path = root.join(key.as_str());
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        root.join(self.layout.manifest().as_str())
    }
}

/// Kinds and texts of faults, in order, with the name of the object.
fn faults(report: &VerifyReport) -> Vec<(FaultKind, String)> {
    let name = |key: &str| key.rsplit('/').next().unwrap().to_owned();
    report.faults.iter().map(|fault| (fault.kind, format!("{}: {}", name(&fault.key), fault.detail))).collect()
}

fn only_fault(published: &Published, kind: FaultKind, text: &str) {
    let report = published.verify();
    let [(found, detail)] = &faults(&report)[..] else { panic!("{:?}", report.faults) };
    assert_eq!(*found, kind);
    assert!(detail.contains(text), "{detail}");
}

#[test]
fn a_sound_report_is_sound() {
    for prefix in ["", "a/b"] {
        let report = publish(prefix, 3).verify();
        assert_eq!(
            report,
            VerifyReport { files: 3, bytes: 1_800_000, rows: Some(33), faults: Vec::new(), notes: Vec::new() }
        );
        assert!(report.is_sound());
    }
}

#[test]
fn an_empty_report_is_sound() {
    let report = publish("", 0).verify();
    assert_eq!((report.is_sound(), report.files, report.rows), (true, 0, Some(0)), "{:?}", report.faults);
}

#[test]
fn every_fault_is_named_in_the_order_of_the_manifest() {
    let published = publish("", 3);
    let [first, second, third] = &published.keys[..] else { panic!() };
    published.destination.remove(first).unwrap();
    published.put(second, "short");
    published.put(third, &"y".repeat(900_000));
    published.put(&published.layout.checksum(), "0123");
    let report = published.verify();
    let kinds: Vec<_> = report.faults.iter().map(|fault| fault.kind).collect();
    assert_eq!(kinds, [FaultKind::ChecksumDiffers, FaultKind::Missing, FaultKind::Size, FaultKind::Md5]);
    assert_eq!(report.faults[1].to_string(), format!("{first}: is not there"));
    assert_eq!(report.faults[2].detail, "has 5 bytes, the manifest says 600000");
    assert!(report.faults[0].detail.starts_with("says \"0123\", the manifest has MD5 "));
    let one = VerifyOptions::new(NonZeroUsize::MIN);
    let location = ManifestLocation::new(&published.destination, published.layout.manifest());
    assert_eq!(verify(&location, &one).unwrap(), report);
}

#[test]
fn the_checksum_is_demanded_and_its_white_space_is_not() {
    let published = publish("", 1);
    let checksum = published.text(&published.layout.checksum());
    published.put(&published.layout.checksum(), checksum.trim());
    let report = published.verify();
    assert!(report.is_sound());
    assert!(report.notes[0].contains("manifest.checksum: has 32 bytes instead of 33"), "{:?}", report.notes);
    published.destination.remove(&published.layout.checksum()).unwrap();
    only_fault(&published, FaultKind::ChecksumMissing, "the report is not complete");
}

#[test]
fn members_of_the_manifest_are_checked() {
    for (from, to, said) in [
        ("2016-11-30", "2017-01-01", "version is \"2017-01-01\""),
        ("\"1795309200000\"", "\"soon\"", "creationTimestamp \"soon\""),
        ("arn:aws:s3:::dst", "dst", "destinationBucket \"dst\""),
    ] {
        let published = publish("", 1);
        published.edit_manifest(|text| {
            assert!(text.contains(from), "{text}");
            text.replace(from, to)
        });
        only_fault(&published, FaultKind::Manifest, said);
    }
    for (from, to, said) in
        [("\"CSV\"", "\"TSV\"", "line 6 column"), ("]", "", "line "), ("\"files\"", "\"f\"", "`files`")]
    {
        let published = publish("", 1);
        published.edit_manifest(|text| text.replace(from, to));
        only_fault(&published, FaultKind::Manifest, said);
    }
}

#[test]
fn keys_that_repeat_or_climb_are_faults() {
    let published = publish("", 2);
    published.edit_manifest(|text| text.replace(published.keys[1].as_str(), published.keys[0].as_str()));
    let found = faults(&published.verify());
    let kinds: Vec<_> = found.iter().map(|fault| fault.0).collect();
    // The receipts and symlink.txt still have the second file, and the first one's size is not the second one's.
    assert_eq!(kinds[0], FaultKind::Duplicate);
    assert!(found[0].1.ends_with("is listed more than once, first as file 1"));
    assert!(kinds.contains(&FaultKind::Receipts) && kinds.contains(&FaultKind::Symlink));

    let published = publish("", 1);
    published.edit_manifest(|text| text.replace("src/daily/data/", "../"));
    let report = published.verify();
    assert_eq!(report.faults[0].kind, FaultKind::Manifest);
    assert!(report.faults[0].detail.contains("is not valid"));
}

#[test]
fn sizes_beyond_all_bounds_are_only_faults() {
    let published = publish("", 2);
    published.edit_manifest(|text| text.replace(": 300000", &format!(": {}", u64::MAX)));
    let report = published.verify();
    assert_eq!(report.bytes, u64::MAX);
    assert_eq!(report.faults[0].kind, FaultKind::Size);
}

#[test]
fn receipts_are_compared_with_the_manifest_and_with_themselves() {
    for (from, to, said) in [
        ("\"rows\":33,", "\"rows\":34,", "its header says 34 rows, its receipts have 33"),
        ("\"skipped_entries\":3,", "\"skipped_entries\":4,", "its header says 4 skipped entries"),
        ("\"size_bytes\":600000", "\"size_bytes\":1", "says 1 bytes of "),
        ("k1-0", "k0-5", "shard 1 of lane 0 does not follow in key order"),
        ("\"lane\":", "\"Lane\":", "line 2, column "),
        ("\"kind\"", "\"Kind\"", "line 1, column "),
    ] {
        let published = publish("", 3);
        let text = published.text(&published.layout.receipts());
        assert!(text.contains(from), "{text}");
        published.put(&published.layout.receipts(), &text.replace(from, to));
        only_fault(&published, FaultKind::Receipts, said);
    }
    let without = |number: usize, twice: bool| {
        let published = publish("", 3);
        let text = published.text(&published.layout.receipts());
        let mut lines: Vec<_> = text.lines().collect();
        if twice {
            lines.insert(number, lines[number]);
        } else {
            lines.remove(number);
        }
        published.put(&published.layout.receipts(), &lines.join("\n"));
        let kinds = faults(&published.verify());
        assert!(kinds.iter().all(|fault| fault.0 == FaultKind::Receipts));
        kinds.into_iter().map(|fault| fault.1).collect::<Vec<_>>().join("\n")
    };
    assert!(without(2, false).contains("has no receipt of "));
    assert!(without(2, true).contains("has more than one receipt of "));
}

#[test]
fn a_report_without_receipts_and_symlink_is_sound_with_unknown_rows() {
    let published = publish("", 2);
    published.destination.remove(&published.layout.receipts()).unwrap();
    published.destination.remove(&published.layout.symlink()).unwrap();
    let report = published.verify();
    assert_eq!((report.is_sound(), report.rows), (true, None));
}

#[test]
fn symlink_lists_exactly_the_files() {
    let published = publish("p", 2);
    let key = published.layout.symlink();
    let text = published.text(&key);
    published.put(&key, text.lines().next().unwrap());
    only_fault(&published, FaultKind::Symlink, &format!("does not list s3://dst/{}", published.keys[1]));
    published.put(&key, &format!("{text}\ns3://dst/other"));
    only_fault(&published, FaultKind::Symlink, "lists s3://dst/other 1 times more");
    // Engines have other schemes for buckets of other clouds, but no other bucket.
    for address in ["gs://dst", "abfss://dst@account.dfs.core.windows.net"] {
        published.put(&key, &text.replace("s3://dst", address));
        assert!(published.verify().is_sound(), "{address}");
    }
    published.put(&key, &text.replace("s3://dst", "gs://another"));
    assert_eq!(published.verify().faults.len(), 4);
    let backwards: Vec<_> = text.lines().rev().collect();
    published.put(&key, &(backwards.join("\n") + "\n"));
    assert!(published.verify().is_sound());
}

#[test]
fn what_cannot_be_looked_at_is_an_error() {
    let published = publish("", 1);
    let absent = ManifestLocation::new(&published.destination, published.layout.symlink());
    assert!(verify(&absent, &options()).is_ok_and(|report| report.faults[1].kind == FaultKind::Manifest));
    let absent = ManifestLocation::new(&published.destination, ReportKey::try_new("x.json").unwrap());
    assert_eq!(verify(&absent, &options()).unwrap_err().to_string(), "there is no manifest x.json");
    let cancel = CancelToken::new();
    cancel.cancel();
    let location = ManifestLocation::new(&published.destination, published.layout.manifest());
    assert_eq!(verify(&location, &options().with_cancel(cancel)).unwrap_err().to_string(), "cancelled");
}

#[test]
fn the_root_of_a_local_report_is_found() {
    for prefix in ["", "a/b"] {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap().join("bucket");
        let published = publish(prefix, 3);
        let manifest = published.unpack(&root);
        let report = LocalReport::find(&manifest, None).unwrap();
        assert_eq!(report.root(), root);
        assert_eq!(report.location().manifest(), &published.layout.manifest());
        assert!(verify_path(&manifest, None, &options()).unwrap().is_sound());

        // One data file is enough to know the root by.
        fs::remove_file(root.join(published.keys[0].as_str())).unwrap();
        fs::remove_file(root.join(published.keys[2].as_str())).unwrap();
        let kinds: Vec<_> =
            verify_path(&manifest, None, &options()).unwrap().faults.iter().map(|fault| fault.kind).collect();
        assert_eq!(kinds, [FaultKind::Missing; 2]);

        // Without any, the layout tells it.
        fs::remove_file(root.join(published.keys[1].as_str())).unwrap();
        assert_eq!(LocalReport::find(&manifest, None).unwrap().root(), root);
        assert_eq!(verify_path(&manifest, None, &options()).unwrap().faults.len(), 3);
    }
    let folder = tempfile::tempdir().unwrap();
    let manifest = publish("", 0).unpack(folder.path());
    let report = LocalReport::find(&manifest, None).unwrap();
    assert_eq!(report.root(), fs::canonicalize(folder.path()).unwrap());
    assert_eq!(verify_path(&manifest, None, &options()).unwrap().rows, Some(0));
}

#[test]
fn a_manifest_elsewhere_is_verified_against_a_given_root() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = publish("p", 2).unpack(&folder.path().join("bucket"));
    let copy = folder.path().join("copy/manifest.json");
    fs::create_dir(copy.parent().unwrap()).unwrap();
    for name in ["manifest.json", "manifest.checksum"] {
        fs::copy(manifest.with_file_name(name), copy.with_file_name(name)).unwrap();
    }
    assert_eq!(verify_path(&copy, None, &options()).unwrap().faults.len(), 2);
    let report = verify_path(&copy, Some(&folder.path().join("bucket")), &options()).unwrap();
    assert!(report.is_sound(), "{:?}", report.faults);
    // The data files' keys tell where symlink.txt is.
    fs::write(folder.path().join("bucket/p/src/daily/hive/dt=2026-11-22-01-00/symlink.txt"), "").unwrap();
    let report = verify_path(&copy, Some(&folder.path().join("bucket")), &options()).unwrap();
    assert_eq!(report.faults.iter().map(|fault| fault.kind).collect::<Vec<_>>(), [FaultKind::Symlink; 2]);
    let error = verify_path(&copy, Some(&copy), &options()).unwrap_err();
    assert!(error.to_string().ends_with("copy/manifest.json is not a folder"), "{error}");
    assert!(verify_path(folder.path(), None, &options()).is_err());
}

/// A store whose files cannot be read to their end.
struct Breaking(Arc<MemoryDestination>);

impl stocktake_core::ReportStore for Breaking {
    fn head(&self, key: &ReportKey) -> Result<Option<stocktake_core::StoredObject>, stocktake_core::DestinationError> {
        self.0.store().unwrap().head(key)
    }

    fn open_range(
        &self,
        key: &ReportKey,
        range: std::ops::Range<u64>,
    ) -> Result<Box<dyn std::io::Read + Send>, stocktake_core::DestinationError> {
        self.0.store().unwrap().open_range(key, range.start..range.end / 2)
    }

    fn list(&self, prefix: &str) -> Result<Vec<ReportKey>, stocktake_core::DestinationError> {
        self.0.store().unwrap().list(prefix)
    }
}

#[test]
fn a_file_that_ends_early_is_unreadable() {
    let published = publish("", 2);
    published.destination.remove(&published.layout.symlink()).unwrap();
    let breaking = Breaking(Arc::new(published.destination.clone()));
    let location = ManifestLocation::new(&published.destination, published.layout.manifest()).with_files(&breaking);
    let report = verify(&location, &options()).unwrap();
    assert_eq!(report.faults.iter().map(|fault| fault.kind).collect::<Vec<_>>(), [FaultKind::Unreadable; 2]);
    assert!(report.faults[0].detail.starts_with("cannot be read to its end: "), "{}", report.faults[0]);
}

/// Compares with real deliveries where the shared fixtures are beside the checkout.
#[test]
fn real_deliveries_are_sound() {
    // Beside the repository, or beside the folder of its work trees.
    let folders = ["../../../shared/fixtures/aws", "../../../../shared/fixtures/aws"];
    let folders = folders.map(|folder| Path::new(env!("CARGO_MANIFEST_DIR")).join(folder));
    let Some(folder) = folders.into_iter().find(|folder| folder.is_dir()) else { return };
    let store = LocalStore::try_new(&folder).unwrap();
    for name in ["csv_inventory", "csv_inventory_no_version", "orc_inventory", "parquet_inventory"] {
        let path = folder.join(format!("{name}_manifest.json"));
        if !path.is_file() {
            continue;
        }
        let report = verify_path(&path, None, &options()).unwrap();
        assert!(report.is_sound() && report.files == 1 && report.notes.is_empty(), "{name}: {report:?}");
        let key = ReportKey::try_new(format!("{name}_manifest.json")).unwrap();
        assert_eq!(verify(&ManifestLocation::new(&store, key), &options()).unwrap(), report);
    }
}
