//! What is known is said, what is not is unknown, and what is wrong is noted.

use super::*;
use crate::verify::tests::{Published, publish};
use stocktake_core::Destination;

fn inspection(published: &Published) -> Inspection {
    inspect(&ManifestLocation::new(&published.destination, published.layout.manifest())).unwrap()
}

#[test]
fn everything_is_said_in_a_table() {
    let published = publish("p/q", 3);
    let expected = "\
Manifest            p/q/src/daily/2026-11-22T01-00Z/manifest.json
Complete            yes
Source bucket       src
Destination bucket  dst
Destination prefix  p/q
Configuration       daily
Created             2026-11-22T01:00:00.000Z
Format              CSV, gzip
Versions            current
Fields              2
                    Bucket, Key
Files               3
Bytes               1,800,000 (300,000 to 900,000 in a file, 600,000 on average)
Rows                33 (10 to 12 in a file, 11 on average)
Sorted by key       yes
First key           k0-0
Last key            k2-9
Skipped entries     3
Written by          stocktake 0.1.0
";
    assert_eq!(inspection(&published).to_string(), expected);
}

#[test]
fn an_empty_report_has_no_spread_and_no_keys() {
    let inspection = inspection(&publish("", 0));
    assert!(inspection.complete);
    assert_eq!((inspection.files, inspection.file_bytes, inspection.file_rows), (0, None, None));
    assert_eq!((inspection.rows, inspection.first_key.as_deref()), (Some(0), None));
    assert_eq!(inspection.configuration_id.as_deref(), Some("daily"));
    assert!(inspection.to_string().contains("Destination prefix  none\n"));
    assert!(inspection.to_string().ends_with(
        "Rows                0\nSorted by key       yes\nSkipped entries     0\nWritten by          stocktake 0.1.0\n"
    ));
}

#[test]
fn without_receipts_rows_are_unknown() {
    let published = publish("", 2);
    published.destination.remove(&published.layout.receipts()).unwrap();
    published.destination.remove(&published.layout.checksum()).unwrap();
    let inspection = inspection(&published);
    assert!(!inspection.complete);
    assert_eq!((inspection.rows, inspection.sorted, &inspection.generator), (None, None, &None));
    assert_eq!(inspection.notes, ["src/daily/2026-11-22T01-00Z/manifest.checksum is not there"]);
    assert!(inspection.to_string().contains("Rows                unknown\n"));
}

#[test]
fn what_is_wrong_is_noted() {
    let published = publish("", 2);
    let time = inspection(&published).created_at;
    assert!(time.is_some());
    published.put(&published.layout.checksum(), "x");
    published.put(&published.layout.receipts(), "{}");
    let notes = inspection(&published).notes;
    assert!(notes[0].ends_with("manifest.checksum does not match the manifest"), "{notes:?}");
    assert!(notes[1].contains("receipts.ndjson cannot be read: line 1, column "), "{notes:?}");
    published.edit_manifest(|text| text.replace("\"Bucket, Key\"", "\"\"").replace("1795309200000", "x"));
    let strange = inspection(&published);
    assert!(strange.complete && strange.fields.is_empty() && strange.created_at.is_none());
    assert_eq!(strange.notes[0], "fileSchema is none of CSV: ");
    published.edit_manifest(|_| "{".to_owned());
    let error = inspect(&ManifestLocation::new(&published.destination, published.layout.manifest())).unwrap_err();
    assert!(error.to_string().ends_with("manifest.json is no manifest"), "{error}");
}

#[test]
fn it_goes_to_json_and_is_found_at_a_path() {
    let folder = tempfile::tempdir().unwrap();
    let published = publish("", 1);
    let found = inspect_path(&published.unpack(folder.path()), None).unwrap();
    assert_eq!(found, inspection(&published));
    let json = serde_json::to_value(&found).unwrap();
    assert_eq!(json["fields"][1]["field"], "Key");
    assert_eq!(json["format"], "CSV");
    assert_eq!(json["file_bytes"]["largest"], 300_000);
}

#[test]
fn a_manifest_that_lists_what_cannot_be_is_refused() {
    for (from, to, words) in [
        ("src/daily/data/", "../data/", "without a key of one"),
        ("src/daily/data/", "/src/daily/data/", "without a key of one"),
        ("src/daily/data/", "src/../data/", "without a key of one"),
        (
            ": 300000,",
            ": 18446744073709551615,",
            "it lists more than 9223372036854775807 bytes up to \"src/daily/data/",
        ),
        (": 300000,", ": 9223372036854775000,", "which has 600000"),
    ] {
        let published = publish("", 2);
        published.edit_manifest(|text| text.replace(from, to));
        let error = inspect(&ManifestLocation::new(&published.destination, published.layout.manifest())).unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(error.to_string().ends_with("manifest.json is no manifest of a report"), "{error}");
        assert!(cause.contains(words), "{cause}");
    }
}

#[test]
fn a_spread_does_not_overflow() {
    let spread = Spread::of([u64::MAX, u64::MAX - 2].into_iter()).unwrap();
    assert_eq!(spread, Spread { smallest: u64::MAX - 2, mean: u64::MAX - 1, largest: u64::MAX });
}
