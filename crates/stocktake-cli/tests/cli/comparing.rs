//! What changed between two reports: as numbers, as lines, and as a report of its own.

use crate::support::{Place, manifest_path, scheme, stocktake};
use serde_json::{Value, json};
use std::path::PathBuf;

const OLD: &str = r#"{"Key":"a","Size":1,"ETag":"e1","StorageClass":"STANDARD"}
{"Key":"b","Size":2,"ETag":"e2","StorageClass":"STANDARD"}
{"Key":"c/x","Size":3,"ETag":"e3","StorageClass":"GLACIER"}
{"Key":"d","Size":0,"ETag":"e0"}
"#;

const NEW: &str = r#"{"Key":"a","Size":1,"ETag":"e1","StorageClass":"STANDARD"}
{"Key":"b","Size":20,"ETag":"e2b","StorageClass":"STANDARD"}
{"Key":"c/\u0001","Size":3,"ETag":"e3","StorageClass":"GLACIER"}
{"Key":"e","Size":0,"ETag":"e0"}
"#;

/// The same listing in two formats, with changes.
fn pair(place: &Place, old: &str, new: &str, options: &[&str]) -> (PathBuf, PathBuf) {
    let report = |listing: &str, id: &str, format: &str| {
        let ran = place.generate_ndjson(listing, &[&["--id", id, "--format", format], options].concat());
        manifest_path(&ran)
    };
    (report(old, "old", "orc"), report(new, "new", "parquet"))
}

fn diff(old: &PathBuf, new: &PathBuf, options: &[&str]) -> crate::support::Ran {
    let texts = [old, new].map(|path| path.display().to_string());
    stocktake(["diff", &texts[0], &texts[1]].iter().chain(options))
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn each_difference_is_a_line_and_the_totals_the_last() {
    let place = Place::new();
    let (old, new) = pair(&place, OLD, NEW, &[]);
    let ran = diff(&old, &new, &["--format", "ndjson"]);
    assert_eq!(ran.code, Some(4), "{ran:?}");
    let mut told = lines(&ran.out);
    let totals = told.pop().unwrap();
    let wanted = [
        json!({"change": "changed", "key": "b", "fields": ["Size", "ETag"], "old": {"Size": 2, "ETag": "e2"}, "new": {"Size": 20, "ETag": "e2b"}}),
        json!({"change": "added", "key": "c/\u{1}", "new": {"Size": 3, "ETag": "e3", "StorageClass": "GLACIER"}}),
        json!({"change": "removed", "key": "c/x", "old": {"Size": 3, "ETag": "e3", "StorageClass": "GLACIER"}}),
        json!({"change": "removed", "key": "d", "old": {"Size": 0, "ETag": "e0"}}),
        json!({"change": "added", "key": "e", "new": {"Size": 0, "ETag": "e0"}}),
        // Empty objects are all alike, and none of them moved.
        json!({"change": "moved", "from": "c/x", "to": "c/\u{1}", "e_tag": "e3", "size": 3}),
    ];
    assert_eq!(told, wanted);
    assert_eq!(totals["change"], "totals");
    assert_eq!(totals["unchanged"], json!({"rows": 1, "bytes": 1}));
    assert_eq!((&totals["added"]["rows"], &totals["removed"]["rows"]), (&json!(2), &json!(2)));
    assert_eq!((&totals["changed_old"]["bytes"], &totals["changed_new"]["bytes"]), (&json!(2), &json!(20)));
    assert_eq!(totals["moved"], json!({"rows": 1, "bytes": 3}));
    assert_eq!(totals["changed_fields"], json!({"Size": 1, "ETag": 1}));

    let numbers = lines(&diff(&old, &new, &["--format", "json"]).out);
    assert_eq!(numbers[0]["removed"], json!({"rows": 2, "bytes": 3}));
    let table = diff(&old, &new, &[]);
    assert!(table.out.contains("changed in Size 1, ETag 1") && table.out.contains("(before: 2)"), "{}", table.out);
}

#[test]
fn what_is_compared_can_be_chosen() {
    let place = Place::new();
    let (old, new) = pair(&place, OLD, NEW, &[]);
    assert_eq!(diff(&old, &new, &["--prefix", "a"]).code, Some(0));
    assert_eq!(diff(&old, &new, &["--prefix", "b", "--fields", "StorageClass"]).code, Some(0));
    assert_eq!(diff(&old, &new, &["--prefix", "b", "--ignore", "Size,e_tag"]).code, Some(0));
    assert_eq!(diff(&old, &new, &["--prefix", "b", "--ignore", "Size"]).code, Some(4));
    assert_eq!(diff(&old, &old, &[]).code, Some(0));
    diff(&old, &new, &["--fields", "LastModifiedDate"]).failed(2, &["not in both reports: LastModifiedDate"]);
    diff(&old, &new, &["--fields", "Etag"]).failed(2, &["no column is named \"Etag\""]);
    let none = lines(&diff(&old, &new, &["--format", "json", "--no-moves"]).out);
    assert_eq!(none[0]["moved"], Value::Null);
}

#[test]
fn columns_of_one_report_alone_and_two_buckets_are_said() {
    let place = Place::new();
    let old = manifest_path(&place.generate_ndjson("{\"Key\":\"a\",\"Size\":1}\n", &["--id", "old"]));
    let listing = "{\"Key\":\"a\",\"Size\":1,\"ETag\":\"e\"}\n";
    let file = place.write("other.ndjson", listing);
    let new = manifest_path(&place.generate(scheme("ndjson:", &file), &["--bucket", "films", "--id", "new"]));
    let ran = diff(&old, &new, &[]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.err.contains("of two buckets, photos and films"), "{}", ran.err);
    assert!(ran.err.contains("not compared, for only the new report has them: ETag"), "{}", ran.err);
}

#[test]
fn versions_of_a_key_are_a_set() {
    let place = Place::new();
    let row = |id: &str, latest: bool, size: u64| {
        format!(
            "{{\"Key\":\"k\",\"VersionId\":\"{id}\",\"IsLatest\":{latest},\"IsDeleteMarker\":false,\"Size\":{size}}}\n"
        )
    };
    let old = row("v3", true, 3) + &row("v2", false, 2) + &row("v1", false, 1);
    let new = row("v4", true, 4) + &row("v1", false, 1) + &row("v3", false, 3);
    let (old, new) = pair(&place, &old, &new, &["--versions", "all"]);
    let told = lines(&diff(&old, &new, &["--format", "ndjson"]).out);
    let found: Vec<_> =
        told.iter().map(|told| (told["change"].as_str().unwrap(), told["version_id"].as_str())).collect();
    assert_eq!(found, [("changed", Some("v3")), ("removed", Some("v2")), ("added", Some("v4")), ("totals", None)]);
    assert_eq!(told[0]["fields"], json!(["IsLatest"]));
}

#[test]
fn reports_that_cannot_be_compared_are_named() {
    let place = Place::new();
    let unsorted = place.generate_ndjson("{\"Key\":\"b\"}\n{\"Key\":\"a\"}\n", &["--id", "old", "--unsorted", "allow"]);
    let (old, new) = (manifest_path(&unsorted), manifest_path(&place.generate_ndjson(NEW, &["--id", "new"])));
    let said = ["row 2: the report is not sorted: key \"a\" comes after \"b\"", "sorted by key"];
    diff(&old, &new, &[]).failed(1, &said);
    diff(&new, &place.path("none.json"), &[]).failed(1, &["none.json"]);
    let source = scheme("inventory:", &new);
    let since = old.display().to_string();
    place.generate(&source, &["--id", "changes", "--since", &since]).failed(1, &said);
}

#[test]
fn what_changed_is_a_report_of_its_own() {
    let place = Place::new();
    let (old, new) = pair(&place, OLD, NEW, &[]);
    let (source, since) = (scheme("inventory:", &new), old.display().to_string());
    let ran = place.generate(&source, &["--id", "changes", "--since", &since]);
    assert_eq!(ran.summary()["rows"], 3, "{ran:?}");
    let rows = place.rows(&ran);
    assert_eq!(rows[0], ["photos", "b", "20", "e2b", "STANDARD"]);
    assert_eq!(place.keys(&ran), ["b", "c/%01", "e"]);
    let ran = place.generate(&source, &["--id", "gone", "--since", &since, "--changes", "removed"]);
    assert_eq!(place.keys(&ran), ["c/x", "d"]);
    let ran = place.generate(&source, &["--id", "new-ones", "--since", &since, "--changes", "added", "--prefix", "c/"]);
    assert_eq!(place.keys(&ran), ["c/%01"]);
    place.generate(&source, &["--changes", "added"]).failed(2, &["--since"]);
    place
        .generate("synthetic:rows=1", &["--since", &since])
        .failed(2, &["--since does not apply to a synthetic source"]);
    place.generate(&source, &["--since", &since, "--unsorted", "allow"]).failed(2, &["--since needs sorted reports"]);
}

#[test]
fn reports_in_no_order_are_refused_or_put_in_order_first() {
    let place = Place::new();
    let (old, new) = pair(&place, OLD, NEW, &[]);
    let sorted = lines(&diff(&old, &new, &["--format", "ndjson"]).out);
    let backwards = |listing: &str| listing.lines().rev().map(|line| format!("{line}\n")).collect::<String>();
    let (old, new) = pair(&place, &backwards(OLD), &backwards(NEW), &["--replace", "--unsorted", "allow"]);
    diff(&old, &new, &[]).failed(
        1,
        &[
            ".orc, row 2: the report is not sorted: key \"c/x\" comes after \"d\"",
            "--unsorted sort puts its rows in order first",
        ],
    );
    let folder = place.path("temporary");
    std::fs::create_dir(&folder).unwrap();
    let temp_dir = folder.display().to_string();
    let ran = diff(&old, &new, &["--unsorted", "sort", "--temp-dir", &temp_dir, "--format", "ndjson"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(4), ""), "{ran:?}");
    assert_eq!(lines(&ran.out), sorted);
    assert_eq!(diff(&old, &old, &["--unsorted", "sort", "--temp-dir", &temp_dir]).code, Some(0));
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "nothing is left");
    let nowhere = place.path("nowhere").display().to_string();
    diff(&old, &new, &["--unsorted", "sort", "--temp-dir", &nowhere])
        .failed(1, &["the report cannot be put in order", "nowhere"]);
}
