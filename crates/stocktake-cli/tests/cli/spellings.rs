//! Reports as S3 and others spell them, made by hand: every verb that reads takes every spelling.
//!
//! `docs/spellings.md` says of each spelling which test this is.

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

#[test]
fn csv_as_s3_writes_it() {
    Delivery::csv(SCHEMA_2024, &[ROWS_2024]).reads(&rows_2024());
}

#[test]
fn csv_in_several_gzip_members_and_with_more_newlines() {
    let (first, rest) = ROWS_2024.split_at(100);
    Delivery::csv(SCHEMA_2024, &[first, "", rest, "\n\n\n"]).reads(&rows_2024());
}

#[test]
fn csv_with_fewer_quotes_and_other_line_ends() {
    let bare = ROWS_2024.replace('"', "");
    Delivery::csv(SCHEMA_2024, &[&bare]).reads(&rows_2024());
    Delivery::csv(SCHEMA_2024, &[&bare.replace('\n', "\r\n")]).reads(&rows_2024());
    Delivery::csv(SCHEMA_2024, &[ROWS_2024.trim_end()]).reads(&rows_2024());
    // Some of the fields of a line, and a quote and a comma within.
    let mixed = "\"photos\",k,1,\"quo\"\"te, comma\"\n";
    let row = json!({"Bucket": "photos", "Key": "k", "Size": 1, "ETag": "quo\"te, comma"});
    Delivery::csv("Bucket, Key, Size, ETag", &[mixed]).reads(&[row]);
}

#[test]
fn csv_with_a_schema_spaced_otherwise() {
    let bare = SCHEMA_2024.replace(", ", ",");
    Delivery::csv(&bare, &[ROWS_2024]).reads(&rows_2024());
    Delivery::csv(&format!(" {} ", bare.replace(',', " ,  ")), &[ROWS_2024]).reads(&rows_2024());
}

#[test]
fn columns_in_another_order_and_few_of_them() {
    let row = json!({"Bucket": "photos", "Key": "a", "LastModifiedDate": "2026-11-21T00:00:00.000Z", "ETag": "00"});
    let file = "\"photos\",\"a\",\"2026-11-21T00:00:00.000Z\",\"00\"\n";
    Delivery::csv("Bucket, Key, LastModifiedDate, ETag", &[file]).reads(std::slice::from_ref(&row));
    let file = "\"00\",\"2026-11-21T00:00:00.000Z\",\"a\",\"photos\"\n";
    Delivery::csv("ETag, LastModifiedDate, Key, Bucket", &[file]).reads(std::slice::from_ref(&row));
    let delivery = Delivery::csv("Key", &["\"a\"\n"]);
    let keys = delivery.write().display().to_string();
    assert_eq!(stocktake(["cat", "--format", "ndjson", &keys]).out, "{\"Key\":\"a\"}\n");
    let text = |text| Cells::Text(vec![Some(text)]);
    let time = Cells::Time(vec![Some(1_795_219_200_000)]);
    let columns =
        [("e_tag", text("00")), ("last_modified_date", time.clone()), ("key", text("a")), ("bucket", text("photos"))];
    let schema = "struct<e_tag:string,last_modified_date:timestamp,key:string,bucket:string>";
    Delivery::new("ORC", schema, orc_file(&columns).unwrap()).reads(std::slice::from_ref(&row));
    let schema = "message s3.inventory {  optional binary e_tag (STRING);  optional int64 last_modified_date (TIMESTAMP(MILLIS,true));  \
        required binary key (STRING);  required binary bucket (STRING);}";
    let columns = columns.map(|(_, cells)| cells);
    Delivery::new("Parquet", schema, parquet_file(schema, &columns).unwrap()).reads(&[row]);
}

#[test]
fn csv_of_the_first_years() {
    let schema = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag, StorageClass, MultipartUploaded, ReplicationStatus";
    let file = r#""photos","k","v","TRUE","False","7","2016-11-06T21:32:00.000Z","00","GLACIER","TRUE","FAILED"
"#;
    let row = json!({"Bucket": "photos", "Key": "k", "VersionId": "v", "IsLatest": true, "IsDeleteMarker": false, "Size": 7,
        "LastModifiedDate": "2016-11-06T21:32:00.000Z", "ETag": "00", "StorageClass": "GLACIER", "IsMultipartUploaded": true,
        "ReplicationStatus": "FAILED"});
    let mut delivery = Delivery::csv(schema, &[file]);
    // Data files stood beside the manifest.
    delivery.files[0].0 = format!("{STAMP}/files/3f0a5c61.csv.gz");
    delivery.reads(&[row]);
    let trino = stocktake(["ddl", "--for", "trino", &delivery.manifest_path().display().to_string()]);
    assert!(trino.out.contains(&format!("external_location = 's3://reports/{STAMP}/files/'")), "{}", trino.out);
}

#[test]
fn columns_that_are_not_known() {
    let row = json!({"Bucket": "photos", "Key": "k", "Size": 1});
    let check = |delivery: Delivery, shown: &str| {
        let path = delivery.write().display().to_string();
        let ran = stocktake(["cat", "--header", "--columns", "Key,Colour,Weight", &path]);
        assert_eq!(
            (ran.code, ran.out),
            (Some(0), format!("\"Key\",\"Colour\",\"Weight\"\n{shown}\n")),
            "{:?}",
            ran.err
        );
        let shown = stocktake(["cat", "--format", "ndjson", "--columns", "Key,Colour", &path]);
        assert_eq!(lines(&shown.out), [json!({"Key": "k", "Colour": "re\"d"})]);
        let inspected = stocktake(["inspect", &path]);
        assert!(inspected.out.contains("Colour"), "{inspected:?}");
        delivery.reads_where_it_is(std::slice::from_ref(&row));
    };
    let csv = Delivery::csv("Bucket, Key, Size, Colour, Weight", &["\"photos\",\"k\",\"1\",\"re\"\"d\",\"1.5\"\n"]);
    check(csv, "\"k\",\"re\"\"d\",\"1.5\"");
    let text = |text| Cells::Text(vec![Some(text)]);
    let columns = [
        ("bucket", text("photos")),
        ("key", text("k")),
        ("size", Cells::Number(vec![Some(1)])),
        ("Colour", text("re\"d")),
        ("Weight", Cells::SmallNumber(vec![Some(15)])),
    ];
    let schema = "struct<bucket:string,key:string,size:bigint,Colour:string,Weight:int>";
    check(Delivery::new("ORC", schema, orc_file(&columns).unwrap()), "\"k\",\"re\"\"d\",\"15\"");
    let schema = "message s3.inventory {  required binary bucket (STRING);  required binary key (STRING);  optional int64 size;  \
        optional binary Colour (STRING);  optional int32 Weight;}";
    let columns = columns.map(|(_, cells)| cells);
    check(Delivery::new("Parquet", schema, parquet_file(schema, &columns).unwrap()), "\"k\",\"re\"\"d\",\"15\"");
}

#[test]
fn columns_of_event_holds_and_tiering() {
    let schema = "Bucket, Key, ObjectLockEventHoldStatus, ObjectLockEventHoldDuration, ObjectLockEventHoldDurationUnit, IntelligentTieringReferenceDate";
    let row = json!({"Bucket": "photos", "Key": "k", "ObjectLockEventHoldStatus": "ON", "ObjectLockEventHoldDuration": 36500,
        "ObjectLockEventHoldDurationUnit": "DAYS", "IntelligentTieringReferenceDate": "2026-10-01T00:00:00.000Z"});
    let csv = Delivery::csv(schema, &["\"photos\",\"k\",\"ON\",\"36500\",\"DAYS\",\"2026-10-01T00:00:00.000Z\"\n"]);
    csv.reads(std::slice::from_ref(&row));
    let text = |text| Cells::Text(vec![Some(text)]);
    let columns = [
        ("bucket", text("photos")),
        ("key", text("k")),
        ("object_lock_event_hold_status", text("ON")),
        ("object_lock_event_hold_duration", Cells::SmallNumber(vec![Some(36500)])),
        ("object_lock_event_hold_duration_unit", text("DAYS")),
        ("intelligent_tiering_reference_date", Cells::Time(vec![Some(1_790_812_800_000)])),
    ];
    let schema = "struct<bucket:string,key:string,object_lock_event_hold_status:string,object_lock_event_hold_duration:int,\
        object_lock_event_hold_duration_unit:string,intelligent_tiering_reference_date:timestamp>";
    Delivery::new("ORC", schema, orc_file(&columns).unwrap()).reads(std::slice::from_ref(&row));
    let schema = "message s3.inventory {  required binary bucket (STRING);  required binary key (STRING);  \
        optional binary object_lock_event_hold_status (STRING);  optional int32 object_lock_event_hold_duration;  \
        optional binary object_lock_event_hold_duration_unit (STRING);  \
        optional int64 intelligent_tiering_reference_date (TIMESTAMP(MILLIS,true));}";
    let columns = columns.map(|(_, cells)| cells);
    Delivery::new("Parquet", schema, parquet_file(schema, &columns).unwrap()).reads(&[row]);
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

#[test]
fn orc_as_s3_writes_it() {
    let file = orc_file(&columns_2024()).unwrap();
    Delivery::new("ORC", ORC_2024, file.clone()).reads(&rows_2024());
    Delivery::new("ORC", ORC_2024.replace(',', ", ").replace(':', ": "), file).reads(&rows_2024());
}

#[test]
fn orc_whose_times_have_a_zone() {
    let zoned = columns_2024().into_iter().map(|(name, cells)| match cells {
        Cells::Time(times) => (name, Cells::ZonedTime(times)),
        cells => (name, cells),
    });
    let schema = ORC_2024.replace(":timestamp", ":timestamp with local time zone");
    Delivery::new("ORC", schema, orc_file(&zoned.collect::<Vec<_>>()).unwrap()).reads(&rows_2024());
}

fn parquet_2024(message: &str) -> Vec<u8> {
    let columns: Vec<_> = columns_2024().into_iter().map(|(_, cells)| cells).collect();
    parquet_file(message, &columns).unwrap()
}

#[test]
fn parquet_as_s3_writes_it() {
    Delivery::new("Parquet", PARQUET_2024, parquet_2024(PARQUET_2024)).reads(&rows_2024());
}

#[test]
fn parquet_as_the_documents_show_it() {
    let documented =
        PARQUET_2024.replace("(STRING)", "(UTF8)").replace("(TIMESTAMP(MILLIS,true))", "(TIMESTAMP_MILLIS)");
    let documented = documented.replace("  ", " ").replace(";}", "; }");
    assert!(
        documented.starts_with("message s3.inventory { required binary bucket (UTF8); ")
            && documented.ends_with("(UTF8); }")
    );
    Delivery::new("Parquet", &*documented, parquet_2024(&documented)).reads(&rows_2024());
    // Either text over a file of the other.
    Delivery::new("Parquet", documented, parquet_2024(PARQUET_2024)).reads(&rows_2024());
    // One column a line, as Java prints it.
    let in_lines = PARQUET_2024.replace("{  ", "{\n  ").replace(";  ", ";\n  ").replace(";}", ";\n}\n");
    Delivery::new("Parquet", in_lines, parquet_2024(PARQUET_2024)).reads(&rows_2024());
}

#[test]
fn parquet_whose_texts_have_no_annotation() {
    let bare = PARQUET_2024.replace(" (STRING)", "");
    Delivery::new("Parquet", &*bare, parquet_2024(&bare)).reads(&rows_2024());
}

#[test]
fn sizes_beyond_32_bits() {
    let sizes = [2_147_483_647, 2_147_483_648, 4_294_967_296, 53_687_091_200_000, i64::MAX];
    let keys = ["a", "b", "c", "d", "e"];
    let rows: Vec<_> =
        keys.iter().zip(sizes).map(|(key, size)| json!({"Bucket": "photos", "Key": key, "Size": size})).collect();
    let csv: String = keys.iter().zip(sizes).map(|(key, size)| format!("\"photos\",\"{key}\",\"{size}\"\n")).collect();
    Delivery::csv("Bucket, Key, Size", &[&csv]).reads(&rows);
    let text = |texts: [&'static str; 5]| Cells::Text(texts.map(Some).to_vec());
    let columns =
        [("bucket", text(["photos"; 5])), ("key", text(keys)), ("size", Cells::Number(sizes.map(Some).to_vec()))];
    Delivery::new("ORC", "struct<bucket:string,key:string,size:bigint>", orc_file(&columns).unwrap()).reads(&rows);
    let schema = "message s3.inventory {  required binary bucket (STRING);  required binary key (STRING);  optional int64 size;}";
    let columns = columns.map(|(_, cells)| cells);
    Delivery::new("Parquet", schema, parquet_file(schema, &columns).unwrap()).reads(&rows);
}

#[test]
fn the_null_version_in_its_spellings() {
    let rows = [
        json!({"Bucket": "photos", "Key": "a", "IsLatest": true}),
        json!({"Bucket": "photos", "Key": "b", "IsLatest": true}),
    ];
    let file = "\"photos\",\"a\",\"\",\"true\"\n\"photos\",\"b\",\"null\",\"true\"\n";
    let csv = Delivery::csv("Bucket, Key, VersionId, IsLatest", &[file]);
    let path = csv.write().display().to_string();
    assert_eq!(lines(&stocktake(["cat", "--format", "ndjson", &path]).out), rows);
    let other =
        Delivery::csv("Bucket, Key, VersionId, IsLatest", &[&file.replace("null", "").replacen("\"\"", "\"null\"", 1)]);
    let other = other.write().display().to_string();
    assert_eq!(stocktake(["diff", &path, &other]).code, Some(0));
}

#[test]
fn manifests_spaced_otherwise_and_with_more_members() {
    let delivery = Delivery::csv(SCHEMA_2024, &[ROWS_2024]);
    let pretty = delivery.manifest();
    let value: Value = serde_json::from_str(&pretty).unwrap();
    let mut more = value.clone();
    more["inventoryId"] = json!({"a": [1, null]});
    more["files"][0]["rows"] = json!(4);
    let dialects = [
        value.to_string(),
        serde_json::to_string_pretty(&value).unwrap(),
        serde_json::to_string_pretty(&value).unwrap().replace("  ", "    ") + "\n",
        pretty.replace('\n', "\r\n") + "\r\n",
        pretty.replace('\n', "\n\t"),
        more.to_string(),
    ];
    for manifest in dialects {
        delivery.write_as(&manifest, |md5| format!("{md5}\n"));
        delivery.reads_where_it_is(&rows_2024());
        fs::remove_dir_all(delivery.place.destination()).unwrap();
    }
}

#[test]
fn checksums_with_and_without_a_line_end() {
    let delivery = Delivery::csv(SCHEMA_2024, &[ROWS_2024]);
    for tail in ["", "\r\n", " \n\n"] {
        let path = delivery.write_as(&delivery.manifest(), |md5| md5.to_uppercase() + tail).display().to_string();
        let ran = stocktake(["verify", &path]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(ran.err.contains(" bytes instead of 33; some readers refuse it"), "{ran:?}");
        let rows = stocktake(["cat", "--format", "ndjson", &path]);
        assert_eq!((rows.code, lines(&rows.out)), (Some(0), rows_2024()));
    }
}

#[test]
fn reports_without_files() {
    for (format, schema) in [("CSV", SCHEMA_2024), ("ORC", ORC_2024), ("Parquet", PARQUET_2024)] {
        let delivery = Delivery::new(format, schema, Vec::new()).without_files();
        delivery.reads(&[]);
        fs::remove_dir_all(delivery.place.destination()).unwrap();
        delivery.write_as(&delivery.manifest().replace("[  ]", "[]"), |md5| format!("{md5}\n"));
        delivery.reads_where_it_is(&[]);
    }
}

#[test]
fn files_without_rows() {
    Delivery::csv(SCHEMA_2024, &[""]).reads(&[]);
    Delivery::csv(SCHEMA_2024, &["\n"]).reads(&[]);
    let columns: Vec<_> = columns_2024()
        .into_iter()
        .map(|(name, cells)| match cells {
            Cells::Text(_) => (name, Cells::Text(Vec::new())),
            Cells::Boolean(_) => (name, Cells::Boolean(Vec::new())),
            Cells::Number(_) => (name, Cells::Number(Vec::new())),
            _ => (name, Cells::Time(Vec::new())),
        })
        .collect();
    Delivery::new("ORC", ORC_2024, orc_file(&columns).unwrap()).reads(&[]);
    let columns: Vec<_> = columns.into_iter().map(|(_, cells)| cells).collect();
    Delivery::new("Parquet", PARQUET_2024, parquet_file(PARQUET_2024, &columns).unwrap()).reads(&[]);
}

#[test]
fn files_in_no_order_and_rows_in_none() {
    let mut delivery = Delivery::csv("Bucket, Key", &["\"photos\",\"m\"\n\"photos\",\"z\"\n"]);
    delivery
        .files
        .push((format!("{DATA}/00000000.csv.gz"), gzip_members(&["\"photos\",\"b\"\n\"photos\",\"a\"\n"]).unwrap()));
    delivery.sorted = false;
    delivery.reads(&["m", "z", "b", "a"].map(|key| json!({"Bucket": "photos", "Key": key})));
}

#[test]
fn destination_prefixes_with_more_slashes_than_needed() {
    for prefix in ["reports/", "a/b c/", "reports//", "a//b/"] {
        Delivery::csv(SCHEMA_2024, &[ROWS_2024]).with_prefix(prefix).reads(&rows_2024());
    }
}

/// Real deliveries, which checkouts share where they are.
#[test]
fn deliveries_of_may_2024() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|above| above.join("shared/fixtures/aws"));
    let Some(folder) = folder.into_iter().find(|folder| folder.is_dir()) else { return };
    let rows = lines(
        &stocktake(["cat".into(), "--format".into(), "ndjson".into(), folder.join("csv_inventory_manifest.json")]).out,
    );
    assert_eq!(rows.len(), 5);
    for (name, versions) in [
        ("csv_inventory", true),
        ("orc_inventory", true),
        ("parquet_inventory", true),
        ("csv_inventory_no_version", false),
    ] {
        let place = Place::new();
        // A copy, for a folder that is only read has no room for what is made of it.
        for file in fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            place.write(&format!("aws/{}", file.file_name().display()), fs::read(file.path()).unwrap());
        }
        let options = Options { versions, sorted: true, layout: false, unknown: false };
        let current: Vec<_> = rows
            .iter()
            .filter(|row| versions || row["IsLatest"] == true && row["IsDeleteMarker"] == false)
            .cloned()
            .map(|mut row| {
                if !versions {
                    row.as_object_mut()
                        .unwrap()
                        .retain(|name, _| !["VersionId", "IsLatest", "IsDeleteMarker"].contains(&&**name));
                }
                row
            })
            .collect();
        every_verb_reads(&place, &place.path(&format!("aws/{name}_manifest.json")), &options, &current);
    }
}
