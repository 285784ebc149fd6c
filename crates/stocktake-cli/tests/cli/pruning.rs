//! `prune`: shown first, then done, and only what is a report's.

use crate::support::{Place, Ran, files_below, stocktake};
use std::{collections::BTreeSet, fs, path::Path};

/// A place with reports of two configurations on some days.
fn reports(days: &[u32]) -> Place {
    let place = Place::new();
    for (id, days) in [("daily", days), ("weekly", &days[..1])] {
        for day in days {
            let at = format!("2026-11-{day:02}T01:00:00Z");
            let ran = place.generate("synthetic:rows=50", &["--id", id, "--at", &at, "--format", "orc"]);
            assert_eq!(ran.code, Some(0), "{ran:?}");
        }
    }
    place
}

fn prune(place: &Place, options: &[&str]) -> Ran {
    let destination = place.destination().display().to_string();
    stocktake([&["prune", &destination], options].concat())
}

fn stamps(files: &BTreeSet<String>) -> Vec<&str> {
    let complete = files.iter().filter_map(|file| file.strip_suffix("/manifest.checksum"));
    complete.map(|folder| folder.strip_prefix("synthetic/").unwrap()).collect()
}

#[test]
fn what_would_go_is_shown_and_goes_with_yes() {
    let place = reports(&[1, 2, 3]);
    let before = files_below(&place.destination());
    let shown = prune(&place, &["--keep", "1"]);
    assert_eq!((shown.code, shown.err.as_str()), (Some(0), ""), "{shown:?}");
    assert!(shown.out.starts_with("synthetic/daily\n  2026-11-03T01-00Z  kept "), "{}", shown.out);
    assert!(
        shown.out.contains("2026-11-01T01-00Z  would go ") && shown.out.ends_with("; --yes removes them\n"),
        "{}",
        shown.out
    );
    assert_eq!(files_below(&place.destination()), before);
    let done = prune(&place, &["--keep", "1", "--yes"]);
    assert!(done.out.contains("2 reports removed, "), "{}", done.out);
    let after = files_below(&place.destination());
    assert_eq!(stamps(&after), ["daily/2026-11-03T01-00Z", "weekly/2026-11-01T01-00Z"]);
    assert_eq!(after.iter().filter(|file| file.contains("/data/")).count(), 2);
    let folders = |name: &str| fs::read_dir(place.destination().join("synthetic/daily").join(name)).unwrap().count();
    assert_eq!((folders("."), folders("hive"), folders("data")), (3, 1, 1));
    for manifest in ["daily/2026-11-03T01-00Z", "weekly/2026-11-01T01-00Z"] {
        let path = place.destination().join("synthetic").join(manifest).join("manifest.json");
        assert_eq!(stocktake(["verify".into(), path]).code, Some(0));
    }
    assert!(prune(&place, &["--keep", "1"]).out.ends_with("nothing would be removed\n"));
}

#[test]
fn it_is_told_as_json_and_chosen_by_name_and_age() {
    let place = reports(&[1, 2, 3]);
    let json = |options: &[&str]| -> serde_json::Value {
        let ran = prune(&place, &[options, &["--json"]].concat());
        assert_eq!((ran.code, ran.out.lines().count()), (Some(0), 1), "{ran:?}");
        serde_json::from_str(&ran.out).unwrap()
    };
    let told = json(&["--keep", "1", "--id", "daily"]);
    assert_eq!(told["configurations"].as_array().unwrap().len(), 1);
    assert_eq!(told["configurations"][0]["reports"][2]["fate"], "removed");
    assert!(told["removed"].is_null());
    // All reports are younger than a hundred years.
    let told = json(&["--keep", "1", "--older-than", "36500", "--yes"]);
    assert_eq!(told["removed"]["reports"], 0);
    assert!(json(&["--keep", "1", "--bucket", "other"])["configurations"].as_array().unwrap().is_empty());
    assert_eq!(
        json(&["--keep", "2", "--bucket", "synthetic", "--destination-prefix", "", "--yes"])["removed"]["reports"],
        1
    );
}

#[test]
fn orphans_are_told_and_go_only_if_asked_for() {
    let place = reports(&[1]);
    let orphan = "synthetic/daily/data/00000000-0000-0000-0000-000000000000.orc";
    let foreign = "synthetic/daily/data/notes.txt";
    for name in [orphan, foreign] {
        fs::write(place.destination().join(name), "12345").unwrap();
    }
    let told = prune(&place, &["--keep", "1", "--yes"]);
    assert!(told.out.contains("data files that no manifest names: 1, 5 bytes, stay"), "{}", told.out);
    assert!(place.destination().join(orphan).exists());
    let told = prune(&place, &["--keep", "1", "--orphans", "--yes"]);
    assert!(told.out.contains("1, 5 bytes, removed"), "{}", told.out);
    assert!(!place.destination().join(orphan).exists() && place.destination().join(foreign).exists());
}

#[test]
fn wrong_usage_removes_nothing() {
    let place = reports(&[1, 2]);
    let before = files_below(&place.destination());
    prune(&place, &["--yes"]).failed(2, &["--keep"]);
    prune(&place, &["--keep", "0", "--yes"]).failed(2, &["--keep"]);
    stocktake(["prune", "https://x/y", "--keep", "1", "--yes"]).failed(2, &["https://x/y"]);
    let absent = place.path("absent").display().to_string();
    stocktake(["prune", &absent, "--keep", "1"]).failed(1, &["is no directory"]);
    assert!(!Path::new(&absent).exists());
    let manifest = place.destination().join("synthetic/daily/2026-11-01T01-00Z/manifest.json");
    let text = fs::read(&manifest).unwrap();
    fs::write(&manifest, "{").unwrap();
    let told = prune(&place, &["--keep", "1", "--yes"]);
    assert!(told.err.contains("is no manifest") && told.err.contains("nothing of this configuration goes"), "{told:?}");
    fs::write(&manifest, text).unwrap();
    assert_eq!(files_below(&place.destination()), before);
}
