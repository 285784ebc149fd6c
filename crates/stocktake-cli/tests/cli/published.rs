//! `verify` and `inspect` on reports, whole and harmed.

use crate::support::{Place, Ran, files_below, manifest, manifest_path, stocktake};
use std::{fs, path::PathBuf};

struct Report {
    place: Place,
    manifest: PathBuf,
    data: Vec<PathBuf>,
}

fn report() -> Report {
    let place = Place::new();
    let ran = place.generate("synthetic:rows=5000", &["--shard-target", "32KiB", "--chunk-rows", "500"]);
    let path = manifest_path(&ran);
    let manifest = manifest(&path);
    let keys = manifest["files"].as_array().unwrap().iter().map(|file| file["key"].as_str().unwrap());
    let data: Vec<_> = keys.map(|key| place.destination().join(key)).collect();
    assert!(data.len() > 1);
    Report { place, manifest: path, data }
}

fn verify(report: &Report) -> Ran {
    stocktake(["verify".into(), report.manifest.clone()])
}

#[test]
fn a_whole_report_is_found_so() {
    let report = report();
    let ran = verify(&report);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
    let bytes: u64 = report.data.iter().map(|file| fs::metadata(file).unwrap().len()).sum();
    assert_eq!(ran.out, format!("OK: {} files, {bytes} bytes, 5000 rows\n", report.data.len()));
    let root = report.place.destination().display().to_string();
    let manifest = report.manifest.display().to_string();
    let ran = stocktake(["verify", &manifest, "--root", &root, "--threads", "1"]);
    assert_eq!(ran.code, Some(0));
}

#[test]
fn every_difference_has_a_line() {
    let report = report();
    let mut bytes = fs::read(&report.data[0]).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&report.data[0], bytes).unwrap();
    fs::remove_file(&report.data[1]).unwrap();
    let ran = verify(&report);
    assert_eq!(ran.code, Some(4), "{ran:?}");
    let lines: Vec<_> = ran.out.lines().collect();
    assert_eq!(lines.len(), 2, "{ran:?}");
    assert!(lines[0].contains("has MD5") && lines[1].ends_with("is not there"), "{ran:?}");

    fs::write(&report.manifest, fs::read_to_string(&report.manifest).unwrap() + " ").unwrap();
    let ran = verify(&report);
    assert_eq!((ran.code, ran.out.lines().count()), (Some(4), 3), "{ran:?}");
    assert!(ran.out.contains("manifest.checksum: says"), "{ran:?}");
}

#[test]
fn what_is_no_report_cannot_be_looked_at() {
    let place = Place::new();
    let absent = place.path("manifest.json").display().to_string();
    for verb in ["verify", "inspect"] {
        stocktake([verb, &absent]).failed(1, &["cannot read the manifest", &absent, "No such file"]);
    }
    let text = place.write("manifest.json", "no JSON").display().to_string();
    stocktake(["inspect", &text]).failed(1, &["is no manifest", "line 1"]);
    let report = report();
    let manifest = report.manifest.display().to_string();
    stocktake(["verify", &manifest, "--root", &absent]).failed(1, &["is not a folder"]);
}

#[test]
fn an_inspection_is_a_table_or_json() {
    let report = report();
    let manifest = report.manifest.display().to_string();
    let table = stocktake(["inspect", &manifest]);
    assert_eq!(table.code, Some(0));
    for words in ["Source bucket", "synthetic", "5,000", "2026-11-22T01:00:00.000Z"] {
        assert!(table.out.contains(words), "{words}: {}", table.out);
    }
    let json = stocktake(["inspect", "--json", &manifest]);
    assert_eq!(json.out.lines().count(), 1);
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!((&json["rows"], &json["complete"]), (&5000.into(), &true.into()));
    assert_eq!(json["files"], report.data.len());
    assert!(!files_below(&report.place.destination()).is_empty());
}
