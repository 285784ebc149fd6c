use crate::support::{Stored, gzip, key, read, threads};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use stocktake::{Field, FileFormat, ReportStore, Timestamp, destinations::LocalStore};
use stocktake_reader::{ReadErrorKind, ReadOptions, Report, verify_rows};
use stocktake_testkit::rows::{Row, Value};

/// Deliveries of S3 that are shared by checkouts, where they are.
fn deliveries() -> Option<PathBuf> {
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    above.map(|folder| folder.join("shared/fixtures/aws")).find(|folder| folder.is_dir())
}

fn delivery(name: &str) -> Option<Report> {
    let store: Arc<dyn ReportStore> = Arc::new(LocalStore::try_new(deliveries()?).unwrap());
    Some(Report::open(&store, &key(name)).unwrap())
}

fn row(name: &str, version: &str, latest: bool, marker: bool, size: Option<i64>, time: &str) -> Row {
    let mut row = Row::new(format!("inventory-test/{name}"))
        .with(Field::VersionId, Value::Text(version.to_owned()))
        .with(Field::IsLatest, Value::Bool(latest))
        .with(Field::IsDeleteMarker, Value::Bool(marker))
        .with(Field::LastModifiedDate, Value::Int(Timestamp::parse(time).unwrap().ms()))
        .with(Field::BucketKeyStatus, Value::Text("DISABLED".to_owned()));
    if let Some(size) = size {
        let tag = if size == 0 { "d41d8cd98f00b204e9800998ecf8427e" } else { "d8e8fca2dc0f896fd7cb4cb0031ba249" };
        row.set(Field::Size, Value::Int(size));
        row.set(Field::ETag, Value::Text(tag.to_owned()));
        row.set(Field::StorageClass, Value::Text("STANDARD".to_owned()));
        row.set(Field::IsMultipartUploaded, Value::Bool(false));
        row.set(Field::EncryptionStatus, Value::Text("SSE-S3".to_owned()));
    }
    row
}

#[test]
fn deliveries_of_may_2024_hold_the_same_rows_in_every_format() {
    let wanted = [
        row("", "", true, false, Some(0), "2024-05-06T22:37:48Z"),
        row("key1", "", false, false, Some(0), "2024-05-06T22:38:00Z"),
        row("key1", "tpinzcbxOfWpZsmjvVgdHEvSohsY4TA0", true, false, Some(5), "2024-05-06T22:44:22Z"),
        row("key2", "gdN1exfZmD7m713patv8dlQ7fTNwle3v", true, true, None, "2024-05-06T22:46:14Z"),
        row("key2", "zl_C7NLxrkBsMFD5HQUdybrmuV9VpvkN", false, false, Some(5), "2024-05-06T22:45:34Z"),
    ];
    for name in ["csv", "orc", "parquet"] {
        let Some(report) = delivery(&format!("{name}_inventory_manifest.json")) else { return };
        assert_eq!(read(&report, &threads(2)).unwrap(), wanted, "{name}");
        assert_eq!(report.files_by_first_key().unwrap(), [0]);
        let checked = verify_rows(&report, &threads(1), &Default::default()).unwrap();
        assert!(checked.is_sound() && checked.rows == 5 && !checked.digest_kept, "{checked:?}");
    }
}

#[test]
fn the_digest_of_a_delivery_does_not_depend_on_its_format() {
    let digests = ["csv", "orc", "parquet"].map(|name| {
        let report = delivery(&format!("{name}_inventory_manifest.json"))?;
        Some(verify_rows(&report, &threads(1), &Default::default()).unwrap().row_digest)
    });
    assert!(digests.iter().all(|digest| *digest == digests[0]), "{digests:?}");
}

#[test]
fn a_delivery_of_current_versions_is_read() {
    let Some(report) = delivery("csv_inventory_no_version_manifest.json") else { return };
    let rows = read(&report, &threads(1)).unwrap();
    assert_eq!(rows.iter().map(Row::key).collect::<Vec<_>>(), ["inventory-test/", "inventory-test/key1"]);
    assert!(!report.fields().contains(Field::VersionId));
}

#[test]
fn csv_is_read_in_several_members_and_both_spellings_of_a_space() {
    let file = gzip(&[
        "\"b\",\"a+b%2B\",\"1\",\"x\"\n\"b\",\"a%20c\",\"2\",\"\"\n",
        "",
        "\"b\",\"d\",\"\",\"quote \"\"x\"\"\"\n\n\n",
    ]);
    let stored = Stored::of_files(FileFormat::Csv, "Bucket,Key,  Size, Colour", &[("b/id/data/1.csv.gz", file)]);
    let rows = stored.rows(&threads(1)).unwrap();
    let wanted = [
        Row::new("a b+").with(Field::Size, Value::Int(1)),
        Row::new("a c").with(Field::Size, Value::Int(2)),
        Row::new("d"),
    ];
    assert_eq!(rows, wanted);
    let report = stored.open().unwrap();
    let batches: Vec<_> = report.read(&threads(1).with_unknown(true)).unwrap().collect::<Result<_, _>>().unwrap();
    let unknown = &batches[0].unknown[0];
    assert_eq!([0, 1, 2].map(|row| unknown.value(row)), ["x", "", "quote \"x\""]);
}

#[test]
fn spellings_of_other_years_are_read() {
    let file = gzip(&["b,k,TRUE,null,False\r\n"]);
    let schema = "Bucket, Key, MultipartUploaded, VersionId, IsLatest";
    let stored = Stored::of_files(FileFormat::Csv, schema, &[("b/id/data/1.csv.gz", file)]);
    let wanted =
        Row::new("k").with(Field::IsMultipartUploaded, Value::Bool(true)).with(Field::IsLatest, Value::Bool(false));
    assert_eq!(stored.rows(&threads(1)).unwrap(), [wanted]);
}

#[test]
fn the_documented_parquet_schema_is_read() {
    let stored = Stored::synthetic(FileFormat::Parquet, 500);
    let wanted = stored.rows(&threads(1)).unwrap();
    let mut manifest = stored.manifest();
    let documented =
        manifest.file_schema.replace("(STRING)", "(UTF8)").replace("(TIMESTAMP(MILLIS,true))", "(TIMESTAMP_MILLIS)");
    manifest.file_schema = documented.replace("  ", " ").replace(";}", "; }");
    assert_ne!(manifest.file_schema, stored.manifest().file_schema);
    stored.put_manifest(manifest.to_text().as_bytes());
    assert_eq!(stored.rows(&threads(1)).unwrap(), wanted);
}

#[test]
fn files_listed_out_of_order_are_sorted_by_their_first_keys() {
    let files = [
        ("b/id/data/2.csv.gz", gzip(&["\"b\",\"m\"\n"])),
        ("b/id/data/1.csv.gz", gzip(&["\"b\",\"a\"\n\"b\",\"b\"\n"])),
    ];
    let report = Stored::of_files(FileFormat::Csv, "Bucket, Key", &files).open().unwrap();
    assert_eq!(report.files_by_first_key().unwrap(), [1, 0]);
    let checked = verify_rows(&report, &threads(1), &Default::default()).unwrap();
    assert!(checked.is_sound() && checked.notes.len() == 1, "{checked:?}");
}

#[test]
fn encrypted_data_files_are_refused() {
    let stored = Stored::of_files(FileFormat::Csv, "Bucket, Key", &[("b/id/data/1.csv.gz.enc", vec![1])]);
    let error = stored.open().unwrap_err();
    assert_eq!(error.kind(), ReadErrorKind::Unsupported);
    assert!(error.to_string().contains("1.csv.gz.enc: is encrypted"), "{error}");
}

#[test]
fn what_makes_no_report_is_refused() {
    let file = || vec![("b/id/data/1.csv.gz", gzip(&["\"b\",\"k\"\n"]))];
    for schema in ["Bucket, Size", "Bucket, Key, Key", "struct<key:string>", ""] {
        assert!(Stored::of_files(FileFormat::Csv, schema, &file()).open().is_err(), "{schema}");
    }
    let stored = Stored::of_files(FileFormat::Csv, "Bucket, Key", &file());
    stored.put(&key("b/id/2026-11-22T01-00Z/manifest.checksum"), b"00\n");
    assert_eq!(stored.open().unwrap_err().kind(), ReadErrorKind::Differs);
    stored.put_manifest(b"{}");
    assert_eq!(stored.open().unwrap_err().kind(), ReadErrorKind::Malformed);
    let report = Stored::of_files(FileFormat::Csv, "Bucket, Key", &file());
    assert!(report.rows(&ReadOptions::default()).is_ok());
}
