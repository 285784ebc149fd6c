//! `inspect --rows` and `--html`: what rows say, as tables, JSON and a page.

use crate::support::{Place, manifest_path, stocktake};
use std::fs;

const LISTING: &str = r#"{"Key":"a/1.jpg","Size":1000,"LastModifiedDate":"2026-11-21T00:00:00Z","ETag":"aa","StorageClass":"STANDARD"}
{"Key":"a/2.jpg","Size":1000,"LastModifiedDate":"2026-11-21T00:00:00Z","ETag":"aa","StorageClass":"STANDARD"}
{"Key":"b/<script>","Size":8000,"LastModifiedDate":"2020-11-21T00:00:00Z","ETag":"bb","StorageClass":"STANDARD"}
"#;

fn report(place: &Place, format: &str) -> String {
    manifest_path(&place.generate_ndjson(LISTING, &["--format", format, "--id", format])).display().to_string()
}

#[test]
fn rows_are_told_in_tables_and_json_alike_in_every_format() {
    let place = Place::new();
    let mut first = None;
    for format in ["csv", "orc", "parquet"] {
        let manifest = report(&place, format);
        let tables = stocktake(["inspect", "--rows", &manifest]);
        assert_eq!(tables.code, Some(0), "{tables:?}");
        assert!(tables.out.starts_with("Manifest "), "{}", tables.out);
        for words in ["3 objects, 9.77 KiB", "In STANDARD, not modified for 90 days", "b/<script>", "█", "STANDARD "]
        {
            assert!(tables.out.contains(words), "{words}: {}", tables.out);
        }
        assert!(!tables.out.contains('\u{1b}'));
        assert!(stocktake(["inspect", "--rows", "--color", "always", &manifest]).out.contains("\u{1b}[1m"));
        let json = stocktake(["inspect", "--rows", "--json", "--threads", "2", &manifest]);
        let mut json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
        assert_eq!((&json["rows"], &json["insight"]["total"]["bytes"]), (&3.into(), &10_000.into()));
        assert_eq!(json["insight"]["duplicates"]["bytes"], 1000);
        assert_eq!(json["insight"]["findings"][0]["kind"], "old_in_standard");
        assert_eq!(json["insight"]["prefixes"][0]["by_objects"][0]["name"], "a/");
        let mut insight = json["insight"].take();
        (insight["manifest"], insight["format"]) = ("".into(), "".into());
        assert_eq!(first.get_or_insert_with(|| insight.clone()), &insight, "{format}");
    }
}

#[test]
fn a_page_takes_the_place_of_one_that_is_there() {
    let place = Place::new();
    let manifest = report(&place, "csv");
    let page = place.write("page.html", "old").display().to_string();
    let ran = stocktake(["inspect", "--html", &page, &manifest]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.starts_with("Manifest ") && !ran.out.contains("What stands out"), "{}", ran.out);
    let text = fs::read_to_string(&page).unwrap();
    assert!(text.starts_with("<!doctype html>") && text.ends_with("</html>\n"));
    assert!(text.contains("b/&lt;script&gt;") && !text.contains("<script") && !text.contains("http://"));
    let nowhere = place.path("no/page.html").display().to_string();
    stocktake(["inspect", "--html", &nowhere, &manifest]).failed(1, &["cannot write", &nowhere]);
}

#[test]
fn options_that_mean_nothing_are_refused_and_faults_are_told() {
    let place = Place::new();
    let manifest = report(&place, "csv");
    for option in [["--depth", "2"], ["--top", "3"], ["--delimiter", "-"]] {
        stocktake(["inspect", option[0], option[1], &manifest]).failed(2, &["are for --rows and --html"]);
    }
    for option in [["--depth", "9"], ["--depth", "0"], ["--top", "1001"], ["--delimiter", "ab"], ["--delimiter", "é"]]
    {
        stocktake(["inspect", "--rows", option[0], option[1], &manifest]).failed(2, &[option[0]]);
    }
    let deep = stocktake(["inspect", "--rows", "--depth", "1", "--top", "1", "--delimiter", ".", &manifest]);
    assert!(deep.out.contains("a/1."), "{}", deep.out);
    let data = place.destination().join("photos/csv/data");
    let file = fs::read_dir(data).unwrap().next().unwrap().unwrap().path();
    fs::write(&file, "x").unwrap();
    stocktake(["inspect", "--rows", &manifest]).failed(1, &["the report cannot be read", "has 1 bytes"]);
    assert_eq!(stocktake(["inspect", &manifest]).code, Some(0));
}
