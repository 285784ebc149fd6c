//! Runs that are killed or interrupted, and carried on or abandoned by the next.

#![cfg(unix)]

use crate::{
    interrupts::{end, send, spawn, until},
    support::{Place, Ran, files_below, scheme, stocktake},
};
use std::{collections::BTreeMap, fs, path::Path};

/// Small data files, so that there are many.
const SMALL: [&str; 4] = ["--chunk-rows", "1000", "--shard-target", "40KiB"];

/// Stops a run by a signal when it has finished so many data files, or lets it end before.
fn stopped(place: &Place, source: &str, options: &[&str], signal: &str, files: usize) -> Ran {
    let mut child = spawn(&mut place.command(source, options));
    until(&mut child, "a data file", |child| {
        let finished = |file: &&String| file.contains("/data/") && !file.ends_with(".partial");
        let enough = files_below(&place.destination()).iter().filter(finished).count() >= files;
        (enough || child.try_wait().unwrap().is_some()).then_some(())
    });
    send_if_it_runs(signal, &mut child);
    end(child)
}

fn send_if_it_runs(signal: &str, child: &mut std::process::Child) {
    if child.try_wait().unwrap().is_none() {
        send(signal, child);
    }
}

/// Contents of all files below a folder.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    files_below(folder).into_iter().map(|file| (file.clone(), fs::read(folder.join(file)).unwrap())).collect()
}

#[track_caller]
fn same_report(place: &Place, undisturbed: &Place, what: &str) {
    let (found, expected) = (contents(&place.destination()), contents(&undisturbed.destination()));
    assert!(found.keys().eq(expected.keys()), "{what}: {:?} instead of {:?}", found.keys(), expected.keys());
    for (file, bytes) in &found {
        assert!(expected[file] == *bytes, "{what}: {file} differs");
    }
    assert!(!place.destination().join("photos/inventory/journal").exists());
}

#[test]
fn a_run_killed_at_any_moment_is_carried_on_to_the_same_report() {
    let source = "synthetic:rows=60000,seed=4,versions=3";
    for format in ["csv", "parquet", "orc"] {
        let options =
            [&SMALL[..], &["--format", format, "--versions", "all", "--fields", "all", "--bucket", "photos"]].concat();
        let whole = Place::new();
        let files = whole.generate(source, &options).summary()["files"].as_u64().unwrap();
        assert!(files > 8, "{format}: {files}");
        let place = Place::new();
        let again = [&options[..], &["--resume"]].concat();
        let mut killed = 0;
        let last = loop {
            // Two data files further each time.
            let finished = place.destination().join("photos/inventory/data");
            let finished = files_below(&finished).iter().filter(|file| !file.ends_with(".partial")).count();
            let ran = stopped(&place, source, &again, "-KILL", finished + 2);
            if ran.code.is_some() {
                break ran;
            }
            killed += 1;
        };
        assert!(killed >= 3, "{format}: {killed}");
        let summary = last.summary();
        assert_eq!(summary["rows"], 60_000);
        let encoded = summary["rows_encoded"].as_u64().unwrap();
        assert!(encoded < 60_000);
        // The one before may have been killed when it had published the report, just before its end.
        assert!(encoded == 0 || last.err.contains("continues the run of 2026-11-22T01-00Z behind "), "{last:?}");
        same_report(&place, &whole, format);
        // Nothing is left to be done.
        let done = place.generate(source, &again);
        assert_eq!(done.summary()["rows_encoded"], 0, "{done:?}");
        same_report(&place, &whole, format);
    }
}

#[test]
fn an_interrupted_run_keeps_its_finished_files_and_says_how_to_go_on() {
    let options = [&SMALL[..], &["--bucket", "photos"]].concat();
    let source = "synthetic:rows=100000";
    let whole = Place::new();
    whole.generate(source, &options).summary();
    let place = Place::new();
    let ran = stopped(&place, source, &options, "-INT", 3);
    assert_eq!(ran.code, Some(130), "{ran:?}");
    assert!(ran.err.contains("kept: ") && ran.err.contains("--resume continues the run"), "{ran:?}");
    assert!(!files_below(&place.destination()).iter().any(|file| file.ends_with(".partial")));

    // Without being asked to, no run goes on with it; another stamp is another report.
    place.generate(source, &options).failed(1, &["was begun and not finished", "--resume", "--abandon"]);
    let other = place.generate(source, &[&options[..], &["--at", "2026-11-23T01:00:00Z"]].concat());
    assert!(other.err.contains("note: the run of 2026-11-22T01-00Z was not finished"), "{other:?}");
    let changed = place.generate(source, &[&options[..], &["--resume", "--fields", "Size"]].concat());
    changed.failed(1, &["it was begun otherwise: fields: ", "--abandon removes what it left"]);
    let changed = place.generate("synthetic:rows=100001", &[&options[..], &["--resume"]].concat());
    changed.failed(1, &["plan.source: \"synthetic:rows=100000,seed=1,versions=0\" then"]);

    // The stamp is that of the run, if none is given.
    let mut command = crate::support::program();
    command.args(["generate", "--source", source, "--resume", "--destination"]).arg(place.destination()).args(&options);
    let resumed = Ran::from(command.output().unwrap());
    assert_eq!(resumed.summary()["manifest"], "photos/inventory/2026-11-22T01-00Z/manifest.json");
    for (file, bytes) in contents(&whole.destination()) {
        assert!(fs::read(place.destination().join(&file)).unwrap() == bytes, "{file}");
    }
}

#[test]
fn an_abandoned_run_leaves_nothing_behind() {
    let place = Place::new();
    let options = [&SMALL[..], &["--bucket", "photos"]].concat();
    let ran = stopped(&place, "synthetic:rows=100000", &options, "-KILL", 3);
    assert_eq!(ran.code, None, "{ran:?}");
    let abandoned = place.generate("synthetic:rows=1", &[&options[..], &["--abandon"]].concat());
    let summary = abandoned.summary();
    assert_eq!((&summary["status"], &summary["runs"]), (&"abandoned".into(), &1.into()));
    assert!(summary["files"].as_u64().unwrap() >= 3);
    assert_eq!(fs::read_dir(place.destination()).unwrap().count(), 0, "{:?}", files_below(&place.destination()));
    let nothing = place.generate("synthetic:rows=1", &[&options[..], &["--abandon"]].concat());
    assert_eq!(nothing.summary()["runs"], 0);
}

#[test]
fn several_unfinished_runs_are_told_apart_by_their_times() {
    let place = Place::new();
    let options = [&SMALL[..], &["--bucket", "photos"]].concat();
    let source = "synthetic:rows=100000";
    for at in ["2026-11-21T01:00:00Z", "2026-11-22T01:00:30Z"] {
        let finished = files_below(&place.destination()).iter().filter(|file| file.contains("/data/")).count();
        stopped(&place, source, &[&options[..], &["--at", at]].concat(), "-INT", finished + 2);
    }
    let resume = |more: &[&str]| {
        let mut command = crate::support::program();
        command.args(["generate", "--source", source, "--resume", "--destination"]).arg(place.destination());
        Ran::from(command.args(&options).args(more).output().unwrap())
    };
    resume(&[]).failed(2, &["--at says which", "2026-11-21T01:00:00.000Z, 2026-11-22T01:00:30.000Z"]);
    let abandon = [&options[..], &["--abandon", "--at", "2026-11-21T01:00:00Z"]].concat();
    assert_eq!(place.generate(source, &abandon).summary()["runs"], 1);
    assert_eq!(resume(&[]).summary()["rows"], 100_000);
}

#[test]
fn files_and_folders_are_carried_on_too() {
    let sources = Place::new();
    let lines: String = (0..20_000).map(|row| format!("{{\"Key\":\"k{row:06}\",\"Size\":{row}}}\n")).collect();
    let plain = sources.write("listing.ndjson", &lines);
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, lines.as_bytes()).unwrap();
    let packed = sources.write("listing.ndjson.gz", packed.finish().unwrap());
    for number in 0..3000 {
        sources.write(&format!("photos/{}/{number:05}.jpg", number / 300), b"");
    }
    let photos = sources.path("photos").display().to_string();
    let all: [(String, &[&str]); 4] = [
        (scheme("ndjson:", &plain), &["--chunk-rows", "500", "--shard-target", "1"]),
        (scheme("ndjson:", &plain), &["--chunk-rows", "500", "--shard-target", "1", "--lanes", "3"]),
        (scheme("ndjson:", &packed), &["--chunk-rows", "500", "--shard-target", "1"]),
        (photos.clone(), &["--chunk-rows", "100", "--shard-target", "1"]),
    ];
    for (source, options) in all {
        let options = [options, &["--bucket", "photos"]].concat();
        let whole = Place::new();
        whole.generate(&source, &options).summary();
        let place = Place::new();
        stopped(&place, &source, &options, "-KILL", 3);
        // It may have ended before it was killed.
        if source == photos && place.destination().join("photos/inventory/journal").exists() {
            let followed = place.generate(&source, &[&options[..], &["--resume", "--symlinks", "follow"]].concat());
            followed.failed(1, &["plan.source: ", "links followed\" now"]);
        }
        let resumed = place.generate(&source, &[&options[..], &["--resume"]].concat());
        resumed.summary();
        same_report(&place, &whole, &source);
    }
}

#[test]
fn encrypted_reports_keep_their_finished_files_and_their_data_key() {
    let place = Place::new();
    let keys = place.write("keys.txt", format!("main {}", "11".repeat(32)));
    fs::set_permissions(&keys, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let keys = keys.to_str().unwrap().to_owned();
    let options = [&SMALL[..], &["--bucket", "photos", "--key-file", &keys]].concat();
    let source = "synthetic:rows=100000";
    stopped(&place, source, &options, "-KILL", 4);
    let all = contents(&place.destination());
    let journal: Vec<_> = all.iter().filter(|(file, _)| file.contains("/journal/")).collect();
    assert!(journal.len() >= 4 && journal.iter().all(|(file, _)| file.contains(".enc")), "{:?}", all.keys());
    assert!(journal.iter().all(|(_, bytes)| !String::from_utf8_lossy(bytes).contains("last_key")));
    let kept: BTreeMap<_, _> =
        all.into_iter().filter(|(file, _)| file.contains("/data/") && !file.ends_with(".partial")).collect();
    let without = [&SMALL[..], &["--bucket", "photos", "--resume"]].concat();
    let mut command = crate::support::program();
    command.args(["generate", "--source", source, "--destination"]).arg(place.destination()).args(&without);
    Ran::from(command.output().unwrap()).failed(1, &["cannot be read; if it is encrypted, --key-file has its key"]);

    place.generate(source, &without).failed(1, &["was begun with another encryption at rest"]);

    let resumed = place.generate(source, &[&options[..], &["--resume"]].concat());
    let summary = resumed.summary();
    assert_eq!(summary["rows"], 100_000);
    assert!(summary["rows_encoded"].as_u64().unwrap() < 100_000);
    let after = contents(&place.destination());
    // One that was published and not yet written down is written again, under another key.
    let same = kept.iter().filter(|(file, bytes)| after.get(*file) == Some(bytes)).count();
    assert!(same >= kept.len() - 1, "{same} of {}", kept.len());
    let wrapped = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        text.split("wrapped_key\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    let salt = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        text.split("salt\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    let sealed: Vec<_> = after.iter().filter(|(file, _)| file.ends_with(".enc")).map(|(_, bytes)| bytes).collect();
    let data_keys: std::collections::BTreeSet<_> = sealed.iter().map(|bytes| wrapped(bytes)).collect();
    let salts: std::collections::BTreeSet<_> = sealed.iter().map(|bytes| salt(bytes)).collect();
    assert_eq!((data_keys.len(), salts.len()), (1, sealed.len()));
    let manifest = crate::support::manifest_path(&resumed);
    assert_eq!(stocktake(["verify", manifest.to_str().unwrap()]).code, Some(0));
}

#[test]
fn what_cannot_be_continued_says_so() {
    let place = Place::new();
    place.generate_stdin(b"{\"Key\":\"a\"}\n", &["--resume"]).failed(2, &["--resume does not apply to standard input"]);
    place.generate("synthetic:rows=1", &["--resume", "--replace"]).failed(2, &["--resume", "--replace"]);
    place.generate("synthetic:rows=1", &["--resume", "--abandon"]).failed(2, &["--abandon"]);
    place.is_untouched();
    let unsorted = place.generate_ndjson(b"{\"Key\":\"a\"}\n", &["--unsorted", "allow", "--resume"]);
    unsorted.failed(2, &["the run cannot be continued: its keys are in no order"]);
    // Where there is nothing to continue, a run begins.
    let ran = place.generate("synthetic:rows=10", &["--resume"]);
    assert_eq!((&ran.summary()["rows"], &ran.summary()["rows_encoded"]), (&10.into(), &10.into()));
}
