//! Rows that S3 itself wrote, rebuilt from their values byte for byte, and texts under `testdata/csv`.

use crate::support::{Row, key_decoded, text_of};
use flate2::bufread::GzDecoder;
use std::{fs, io::Read, path::PathBuf};
use stocktake_core::{BucketName, CsvOptions, Field, FieldSet, KeyEncoding, NullVersion};
use stocktake_csv::CsvFormat;

fn as_s3_writes() -> CsvOptions {
    let mut options = CsvOptions::default();
    options.key_encoding = KeyEncoding::Form;
    options
}

fn format(bucket: &str, fields: FieldSet, options: &CsvOptions) -> CsvFormat {
    CsvFormat::new(&BucketName::try_new(bucket).unwrap(), fields, options)
}

fn testdata(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../testdata/csv").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The fields of reports of May 2024, all versions: up to ChecksumAlgorithm.
fn fields_of_2024() -> FieldSet {
    Field::all().filter(|field| *field <= Field::ChecksumAlgorithm).collect()
}

#[test]
fn rows_quoted_from_real_deliveries() {
    use Field::*;
    let sample = |size, time: &str, e_tag| {
        let row = Row::new("inventory-test/key1").bool(IsDeleteMarker, false).int(Size, size);
        let row = row.int(LastModifiedDate, stocktake_core::Timestamp::parse(time).unwrap().ms());
        row.text(ETag, e_tag)
            .text(StorageClass, "STANDARD")
            .bool(IsMultipartUploaded, false)
            .text(EncryptionStatus, "SSE-S3")
            .text(BucketKeyStatus, "DISABLED")
    };
    let rows = [
        sample(0, "2024-05-06T22:38:00Z", "d41d8cd98f00b204e9800998ecf8427e").bool(IsLatest, false),
        sample(5, "2024-05-06T22:44:22Z", "d8e8fca2dc0f896fd7cb4cb0031ba249")
            .bool(IsLatest, true)
            .text(VersionId, "tpinzcbxOfWpZsmjvVgdHEvSohsY4TA0"),
    ];
    let format_2024 = format("filemanager-inventory-test", fields_of_2024(), &as_s3_writes());
    assert_eq!(text_of(&format_2024, &rows), testdata("all_versions_filemanager.csv"));

    let row = Row::new("dandiarchive/dandiarchive/hive/dt=2024-05-07-01-00/symlink.txt")
        .text(VersionId, "t4Z7oFATOK2678GfaU8oLcjWDMAS0RgK")
        .bool(IsLatest, true)
        .bool(IsDeleteMarker, false)
        .int(Size, 38_129)
        .int(LastModifiedDate, 1_715_116_375_000)
        .text(ETag, "f58c1f0e5fb20a9152788f825375884a")
        .bool(IsMultipartUploaded, false);
    let fields = [Size, LastModifiedDate, ETag, IsMultipartUploaded];
    let fields = fields.into_iter().fold(FieldSet::REQUIRED.union(FieldSet::VERSION_FIELDS), FieldSet::with);
    assert_eq!(
        text_of(&format("dandiarchive", fields, &as_s3_writes()), &[row]),
        testdata("all_versions_dandiarchive.csv")
    );
}

#[test]
fn odd_rows_of_a_current_report_in_both_spellings() {
    use Field::*;
    let rows = [
        Row::new("#1 hit/50% off.txt").int(Size, 0),
        Row::new("-_.*/~!$&'(),:;=?@[]\\^`{|}").int(LastModifiedDate, -1).text(ETag, "odd \"tag\", quoted"),
        Row::new("a b+c\td\ne\"f").int(Size, i64::MAX).text(StorageClass, "STORE \"OWN\""),
        Row::new("emoji 🎉/契約書/résumé").bool(IsMultipartUploaded, true).text(ReplicationStatus, "PENDING"),
        Row::new("plain/key-1_2.json")
            .int(Size, 1234)
            .int(LastModifiedDate, 1_767_225_599_999)
            .text(ETag, "d41d8cd98f00b204e9800998ecf8427e-12")
            .text(StorageClass, "INTELLIGENT_TIERING")
            .bool(IsMultipartUploaded, false)
            .text(EncryptionStatus, "DSSE-KMS"),
    ];
    let fields = crate::support::nine_fields();
    let percent = text_of(&format("photos", fields, &CsvOptions::default()), &rows);
    assert_eq!(percent, testdata("current_percent.csv"));
    assert_eq!(text_of(&format("photos", fields, &as_s3_writes()), &rows), testdata("current_form.csv"));
}

#[test]
fn the_null_version_is_empty_or_null() {
    let fields = FieldSet::REQUIRED.union(FieldSet::VERSION_FIELDS);
    let none = [Row::new("k").bool(Field::IsLatest, true)];
    let some = [none[0].clone(), Row::new("l").text(Field::VersionId, "v")];
    let mut options = CsvOptions::default();
    assert_eq!(text_of(&format("bucket", fields, &options), &none), "\"bucket\",\"k\",\"\",\"true\",\"\"\n");
    options.null_version = NullVersion::Null;
    let format = format("bucket", fields, &options);
    assert_eq!(text_of(&format, &none), "\"bucket\",\"k\",\"null\",\"true\",\"\"\n");
    assert_eq!(text_of(&format, &some), "\"bucket\",\"k\",\"null\",\"true\",\"\"\n\"bucket\",\"l\",\"v\",\"\",\"\"\n");
}

#[test]
fn whole_deliveries_of_s3_are_rebuilt_from_their_values() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures/aws");
    // The deliveries are not ours to hand out: where they are absent, the quoted rows have to do.
    if !folder.exists() {
        return;
    }
    let current = fields_of_2024().difference(FieldSet::VERSION_FIELDS);
    for (name, fields) in [("csv_inventory.csv.gz", fields_of_2024()), ("csv_inventory_no_version.csv.gz", current)] {
        let file = fs::read(folder.join(name)).unwrap();
        let mut text = String::new();
        GzDecoder::new(&*file).read_to_string(&mut text).unwrap();
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
        let records: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
        assert!(records.iter().all(|record| record.len() == fields.len()));
        let rows: Vec<Row> = records
            .iter()
            .map(|record| Row::from_texts(&key_decoded(&record[1], true), fields, record.iter().skip(2)))
            .collect();
        assert!(!rows.is_empty());
        assert_eq!(text_of(&format(&records[0][0], fields, &as_s3_writes()), &rows), text, "{name}");
    }
}
