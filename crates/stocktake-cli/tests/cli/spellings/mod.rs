//! Reports as S3 and others spell them, made by hand: every verb that reads takes every spelling.
//!
//! `docs/spellings.md` says of each spelling which test this is.

mod columnar;
mod columns;
mod delivery;

use crate::support::{Place, manifest_path, scheme, stocktake};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
};
use stocktake::md5_hex;
use stocktake_testkit::foreign::{Cells, gzip_members, orc_file, parquet_file};

/// Where the data files of a report lie, without a destination prefix.
const DATA: &str = "photos/daily/data";

/// The folder of the manifest.
const STAMP: &str = "photos/daily/2026-11-22T01-00Z";

/// A report below a folder, put together as it is to be written.
struct Delivery {
    place: Place,
    prefix: &'static str,
    format: &'static str,
    schema: String,
    files: Vec<(String, Vec<u8>)>,
    sorted: bool,
}

impl Delivery {
    fn new(format: &'static str, schema: impl Into<String>, file: Vec<u8>) -> Self {
        let ending = if format == "CSV" { "csv.gz" } else { &*format.to_lowercase() };
        let key = format!("{DATA}/3f0a5c61-9d1f-4b2e-8a77-5c2f0b6e9d10.{ending}");
        let files = vec![(key, file)];
        Self { place: Place::new(), prefix: "", format, schema: schema.into(), files, sorted: true }
    }

    fn csv(schema: &str, members: &[&str]) -> Self {
        Self::new("CSV", schema, gzip_members(members).unwrap())
    }

    fn without_files(mut self) -> Self {
        self.files.clear();
        self
    }

    fn with_prefix(mut self, prefix: &'static str) -> Self {
        self.prefix = prefix;
        self
    }

    /// The manifest as S3 writes it: a space on both sides of each colon, brackets inline.
    fn manifest(&self) -> String {
        let files = self.files.iter().map(|(key, bytes)| {
            let (key, size, md5) = (format!("{}{key}", self.prefix), bytes.len(), md5_hex(bytes));
            format!("{{\n    \"key\" : \"{key}\",\n    \"size\" : {size},\n    \"MD5checksum\" : \"{md5}\"\n  }}")
        });
        let files = files.collect::<Vec<_>>().join(", ");
        let (format, schema) = (self.format, Value::from(self.schema.as_str()));
        format!(
            "{{\n  \"sourceBucket\" : \"photos\",\n  \"destinationBucket\" : \"arn:aws:s3:::reports\",\n  \"version\" : \"2016-11-30\",\n  \
             \"creationTimestamp\" : \"1795309200000\",\n  \"fileFormat\" : \"{format}\",\n  \"fileSchema\" : {schema},\n  \
             \"files\" : [ {files} ]\n}}"
        )
    }

    fn manifest_path(&self) -> PathBuf {
        self.place.destination().join(format!("{}{STAMP}/manifest.json", self.prefix))
    }

    /// Writes files, symlink.txt, manifest and checksum.
    fn write(&self) -> PathBuf {
        self.write_as(&self.manifest(), |md5| format!("{md5}\n"))
    }

    fn write_as(&self, manifest: &str, checksum: impl Fn(&str) -> String) -> PathBuf {
        let prefix = self.prefix;
        for (key, bytes) in &self.files {
            self.place.write(&format!("inventory/{prefix}{key}"), bytes);
        }
        // As S3 has it, no line end behind the last one.
        let lines: Vec<_> = self.files.iter().map(|(key, _)| format!("s3://reports/{prefix}{key}")).collect();
        self.place
            .write(&format!("inventory/{prefix}photos/daily/hive/dt=2026-11-22-01-00/symlink.txt"), lines.join("\n"));
        self.place.write(&format!("inventory/{prefix}{STAMP}/manifest.json"), manifest);
        self.place
            .write(&format!("inventory/{prefix}{STAMP}/manifest.checksum"), checksum(&md5_hex(manifest.as_bytes())));
        self.manifest_path()
    }

    /// Writes the report and checks that every verb reads these rows.
    #[track_caller]
    fn reads(&self, rows: &[Value]) {
        self.write();
        self.reads_where_it_is(rows);
    }

    #[track_caller]
    fn reads_where_it_is(&self, rows: &[Value]) {
        let path = self.manifest_path();
        let options = Options {
            versions: self.schema.to_lowercase().contains("version"),
            sorted: self.sorted,
            layout: true,
            unknown: self.schema.contains("Colour"),
        };
        every_verb_reads(&self.place, &path, &options, rows);
    }
}

/// How a report is converted.
struct Options {
    versions: bool,
    sorted: bool,
    /// Whether files lie as S3 lays them out, by which Athena finds them.
    layout: bool,
    /// Whether there are columns Colour and Weight.
    unknown: bool,
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[track_caller]
fn every_verb_reads(place: &Place, manifest: &Path, options: &Options, rows: &[Value]) {
    let path = manifest.display().to_string();
    let run = |args: &[&str]| {
        let ran = stocktake(args);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{args:?}: {ran:?}");
        ran.out
    };
    let count = rows.len();
    assert!(run(&["verify", &path]).starts_with("OK: "));
    let proven = stocktake(["verify", "--rows", &path]);
    assert!(proven.code == Some(0) && proven.out.contains(&format!(" {count} rows read")), "{proven:?}");
    // A note, for S3 promises no order.
    assert_eq!(proven.err.is_empty(), options.sorted, "{proven:?}");
    assert_eq!(lines(&run(&["cat", "--format", "ndjson", &path])), rows);
    assert_eq!(run(&["cat", &path]).lines().count(), count);
    assert!(run(&["inspect", &path]).contains("Complete            yes"));
    let inspected: Value = serde_json::from_str(&run(&["inspect", "--json", &path])).unwrap();
    let known: Vec<_> =
        inspected["fields"].as_array().unwrap().iter().filter_map(|column| column["field"].as_str()).collect();
    let implied = ["Bucket", "Key", "VersionId", "IsLatest", "IsDeleteMarker"];
    let fields =
        known.into_iter().filter(|name| !options.versions || !implied.contains(name)).collect::<Vec<_>>().join(",");
    let insight = lines(&run(&["inspect", "--rows", "--json", &path]));
    assert_eq!(insight[0]["insight"]["rows"], count);
    for engine in ["athena", "trino", "spark", "duckdb"] {
        let ran = stocktake(["ddl", "--for", engine, &path]);
        let no_reader = ran.err.contains("DuckDB has no reader of ORC");
        let no_folder = !options.layout && ran.err.contains("folder");
        assert!(ran.code == Some(0) && ran.out.contains("CREATE ") || no_reader || no_folder, "{engine}: {ran:?}");
    }
    for (id, format) in [("to-csv", "csv"), ("to-orc", "orc"), ("to-parquet", "parquet")] {
        let versions = if options.versions { "all" } else { "current" };
        let order: &[&str] = if options.sorted { &[] } else { &["--unsorted", "sort"] };
        let asked = ["--id", id, "--format", format, "--fields", &fields, "--versions", versions];
        let converted = place.generate(scheme("inventory:", manifest), &[&asked[..], order].concat());
        assert_eq!(converted.summary()["rows"], count, "{converted:?}");
        assert_eq!(converted.err.contains("left out, for they are no known columns: Colour, Weight"), options.unknown);
        let converted = manifest_path(&converted).display().to_string();
        let again = lines(&run(&["cat", "--format", "ndjson", &converted]));
        if options.sorted {
            assert_eq!(again, rows, "{format}");
            let same = stocktake(["diff", "--format", "json", &path, &converted]);
            assert_eq!((same.code, &lines(&same.out)[0]["unchanged"]["rows"]), (Some(0), &count.into()), "{same:?}");
            assert!(
                same.err.is_empty() || options.unknown && same.err.contains("no known columns: Colour, Weight"),
                "{same:?}"
            );
        } else {
            assert_eq!(again.len(), count);
        }
    }
}

/// The columns of an all-versions report of May 2024, and rows of real deliveries under another bucket's name.
const SCHEMA_2024: &str = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag, StorageClass, IsMultipartUploaded, \
    ReplicationStatus, EncryptionStatus, ObjectLockRetainUntilDate, ObjectLockMode, ObjectLockLegalHoldStatus, \
    IntelligentTieringAccessTier, BucketKeyStatus, ChecksumAlgorithm";

const ROWS_2024: &str = r#""photos","inventory-test/key1","","false","false","0","2024-05-06T22:38:00.000Z","d41d8cd98f00b204e9800998ecf8427e","STANDARD","false","","SSE-S3","","","","","DISABLED",""
"photos","inventory-test/key1","tpinzcbxOfWpZsmjvVgdHEvSohsY4TA0","true","false","5","2024-05-06T22:44:22.000Z","d8e8fca2dc0f896fd7cb4cb0031ba249","STANDARD","false","","SSE-S3","","","","","DISABLED",""
"photos","inventory-test/key2","gdN1exfZmD7m713patv8dlQ7fTNwle3v","true","true","","2024-05-06T22:46:14.000Z","","","","","","","","","","DISABLED",""
"photos","photos/hive/dt%3D2024-05-07-01-00/a+b%2Bc%20d%C3%A9","t4Z7oFATOK2678GfaU8oLcjWDMAS0RgK","true","false","38129","2024-05-07T21:12:55.000Z","f58c1f0e5fb20a9152788f825375884a-2","INTELLIGENT_TIERING","true","COMPLETED","DSSE-KMS","2027-08-13T00:00:00.000Z","COMPLIANCE","On","ARCHIVE_INSTANT_ACCESS","ENABLED","CRC64NVME"
"#;

fn rows_2024() -> Vec<Value> {
    vec![
        json!({"Bucket": "photos", "Key": "inventory-test/key1", "IsLatest": false, "IsDeleteMarker": false, "Size": 0,
            "LastModifiedDate": "2024-05-06T22:38:00.000Z", "ETag": "d41d8cd98f00b204e9800998ecf8427e", "StorageClass": "STANDARD",
            "IsMultipartUploaded": false, "EncryptionStatus": "SSE-S3", "BucketKeyStatus": "DISABLED"}),
        json!({"Bucket": "photos", "Key": "inventory-test/key1", "VersionId": "tpinzcbxOfWpZsmjvVgdHEvSohsY4TA0", "IsLatest": true,
            "IsDeleteMarker": false, "Size": 5, "LastModifiedDate": "2024-05-06T22:44:22.000Z",
            "ETag": "d8e8fca2dc0f896fd7cb4cb0031ba249", "StorageClass": "STANDARD", "IsMultipartUploaded": false,
            "EncryptionStatus": "SSE-S3", "BucketKeyStatus": "DISABLED"}),
        json!({"Bucket": "photos", "Key": "inventory-test/key2", "VersionId": "gdN1exfZmD7m713patv8dlQ7fTNwle3v", "IsLatest": true,
            "IsDeleteMarker": true, "LastModifiedDate": "2024-05-06T22:46:14.000Z", "BucketKeyStatus": "DISABLED"}),
        json!({"Bucket": "photos", "Key": "photos/hive/dt=2024-05-07-01-00/a b+c d\u{e9}", "VersionId": "t4Z7oFATOK2678GfaU8oLcjWDMAS0RgK",
            "IsLatest": true, "IsDeleteMarker": false, "Size": 38129, "LastModifiedDate": "2024-05-07T21:12:55.000Z",
            "ETag": "f58c1f0e5fb20a9152788f825375884a-2", "StorageClass": "INTELLIGENT_TIERING", "IsMultipartUploaded": true,
            "ReplicationStatus": "COMPLETED", "EncryptionStatus": "DSSE-KMS", "ObjectLockRetainUntilDate": "2027-08-13T00:00:00.000Z",
            "ObjectLockMode": "COMPLIANCE", "ObjectLockLegalHoldStatus": "On", "IntelligentTieringAccessTier": "ARCHIVE_INSTANT_ACCESS",
            "BucketKeyStatus": "ENABLED", "ChecksumAlgorithm": "CRC64NVME"}),
    ]
}

const PARQUET_2024: &str = "message s3.inventory {  required binary bucket (STRING);  required binary key (STRING);  \
    optional binary version_id (STRING);  optional boolean is_latest;  optional boolean is_delete_marker;  optional int64 size;  \
    optional int64 last_modified_date (TIMESTAMP(MILLIS,true));  optional binary e_tag (STRING);  optional binary storage_class (STRING);  \
    optional boolean is_multipart_uploaded;  optional binary replication_status (STRING);  optional binary encryption_status (STRING);  \
    optional int64 object_lock_retain_until_date (TIMESTAMP(MILLIS,true));  optional binary object_lock_mode (STRING);  \
    optional binary object_lock_legal_hold_status (STRING);  optional binary intelligent_tiering_access_tier (STRING);  \
    optional binary bucket_key_status (STRING);  optional binary checksum_algorithm (STRING);}";

/// The rows of [`rows_2024`] by column.
fn columns_2024() -> Vec<(&'static str, Cells<'static>)> {
    let text = |texts: [&'static str; 4]| {
        Cells::Text(texts.into_iter().map(|text| Some(text).filter(|text| !text.is_empty())).collect())
    };
    let boolean = |values: &[Option<bool>]| Cells::Boolean(values.to_vec());
    vec![
        ("bucket", text(["photos"; 4])),
        (
            "key",
            text([
                "inventory-test/key1",
                "inventory-test/key1",
                "inventory-test/key2",
                "photos/hive/dt=2024-05-07-01-00/a b+c d\u{e9}",
            ]),
        ),
        (
            "version_id",
            text([
                "",
                "tpinzcbxOfWpZsmjvVgdHEvSohsY4TA0",
                "gdN1exfZmD7m713patv8dlQ7fTNwle3v",
                "t4Z7oFATOK2678GfaU8oLcjWDMAS0RgK",
            ]),
        ),
        ("is_latest", boolean(&[Some(false), Some(true), Some(true), Some(true)])),
        ("is_delete_marker", boolean(&[Some(false), Some(false), Some(true), Some(false)])),
        ("size", Cells::Number(vec![Some(0), Some(5), None, Some(38129)])),
        (
            "last_modified_date",
            Cells::Time(vec![
                Some(1_715_035_080_000),
                Some(1_715_035_462_000),
                Some(1_715_035_574_000),
                Some(1_715_116_375_000),
            ]),
        ),
        (
            "e_tag",
            text([
                "d41d8cd98f00b204e9800998ecf8427e",
                "d8e8fca2dc0f896fd7cb4cb0031ba249",
                "",
                "f58c1f0e5fb20a9152788f825375884a-2",
            ]),
        ),
        ("storage_class", text(["STANDARD", "STANDARD", "", "INTELLIGENT_TIERING"])),
        ("is_multipart_uploaded", boolean(&[Some(false), Some(false), None, Some(true)])),
        ("replication_status", text(["", "", "", "COMPLETED"])),
        ("encryption_status", text(["SSE-S3", "SSE-S3", "", "DSSE-KMS"])),
        ("object_lock_retain_until_date", Cells::Time(vec![None, None, None, Some(1_818_115_200_000)])),
        ("object_lock_mode", text(["", "", "", "COMPLIANCE"])),
        ("object_lock_legal_hold_status", text(["", "", "", "On"])),
        ("intelligent_tiering_access_tier", text(["", "", "", "ARCHIVE_INSTANT_ACCESS"])),
        ("bucket_key_status", text(["DISABLED", "DISABLED", "DISABLED", "ENABLED"])),
        ("checksum_algorithm", text(["", "", "", "CRC64NVME"])),
    ]
}

const ORC_2024: &str = "struct<bucket:string,key:string,version_id:string,is_latest:boolean,is_delete_marker:boolean,size:bigint,\
    last_modified_date:timestamp,e_tag:string,storage_class:string,is_multipart_uploaded:boolean,replication_status:string,\
    encryption_status:string,object_lock_retain_until_date:timestamp,object_lock_mode:string,object_lock_legal_hold_status:string,\
    intelligent_tiering_access_tier:string,bucket_key_status:string,checksum_algorithm:string>";
