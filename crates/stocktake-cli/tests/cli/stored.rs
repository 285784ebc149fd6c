//! Reports in a bucket, read where they are: every verb that reads, over answers that fail, and objects that change meanwhile.

use crate::{
    buckets::command,
    support::{AT, Ran},
};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use stocktake_testkit::s3::{Fault, S3Server, ServerOptions};

const FOLDER: &str = "inv/synthetic/daily/2026-11-22T01-00Z";
const MANIFEST: &str = "s3://reports/inv/synthetic/daily/2026-11-22T01-00Z/manifest.json";

fn run(server: &S3Server, args: &[&str]) -> Ran {
    command(server, args).output().unwrap().into()
}

/// A server with a report of so many rows in several data files, and whether each request but for a few in a hundred fails.
fn stored(format: &str, rows: u32) -> S3Server {
    let server = S3Server::start(ServerOptions::default()).unwrap();
    let source = format!("synthetic:rows={rows},seed=3");
    let report = ["--destination", "s3://reports/inv", "--id", "daily", "--at", AT, "--format", format];
    let files = ["--fields", "all", "--chunk-rows", "4000", "--shard-target", "200kB", "--row-digest"];
    run(&server, &[&["generate", "--source", &source], &report[..], &files].concat()).summary();
    server
}

/// Checks a run that failed on its way: rows of before the fault were printed.
#[track_caller]
fn ends_with(ran: &Ran, words: &[&str]) {
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    for word in words {
        assert!(ran.err.contains(word), "{word:?} is not in {}", ran.err);
    }
}

fn failing(server: &S3Server) {
    server.faults().choose(|_, number| {
        let faults = [Fault::Reset, Fault::InternalError, Fault::TruncatedBody, Fault::SlowDown];
        (number % 7 == 3).then(|| faults[usize::try_from(number / 7 % 4).unwrap()])
    });
}

#[test]
fn every_verb_reads_a_report_in_its_bucket() {
    for format in ["csv", "orc", "parquet"] {
        let server = stored(format, 12_000);
        failing(&server);
        let verified = run(&server, &["verify", "--rows", "--threads", "2", MANIFEST]);
        assert!(verified.out.contains("12000 rows read, row digest "), "{verified:?}");
        let printed = run(&server, &["cat", "--columns", "Key,Size", "--format", "ndjson", MANIFEST]);
        assert_eq!(printed.out.lines().count(), 12_000, "{}", printed.err);
        let inspected = run(&server, &["inspect", "--json", "--rows", MANIFEST]).summary();
        assert_eq!((&inspected["rows"], &inspected["complete"]), (&12_000.into(), &true.into()));
        let same = run(&server, &["diff", MANIFEST, MANIFEST]);
        assert_eq!(same.code, Some(0), "{same:?}");
        for (engine, address) in [("athena", "s3://reports/"), ("spark", "s3a://reports/"), ("duckdb", "s3://reports/")]
        {
            let statements = run(&server, &["ddl", "--for", engine, MANIFEST]);
            // Some engines cannot read some formats, and say so.
            assert!(statements.out.contains(address) || statements.code == Some(1), "{engine} {statements:?}");
        }
        assert!(server.faults().shown() > 5, "{}", server.faults().shown());
    }
}

#[test]
fn a_report_in_a_bucket_is_the_source_of_another() {
    let server = stored("parquet", 12_000);
    failing(&server);
    let source = format!("inventory:{MANIFEST}");
    let to = ["--destination", "s3://reports/inv", "--id", "converted", "--at", AT];
    let summary = run(&server, &[&["generate", "--source", &source], &to[..]].concat()).summary();
    assert_eq!(summary["rows"], 12_000);
    let compared = run(&server, &["diff", MANIFEST, &MANIFEST.replace("/daily/", "/converted/"), "--format", "json"]);
    assert_eq!(compared.code, Some(0), "{compared:?}");
    let since = ["--since", MANIFEST, "--destination", "s3://reports/inv", "--id", "changes", "--at", AT];
    let changes = run(&server, &[&["generate", "--source", &source], &since[..]].concat()).summary();
    assert_eq!(changes["rows"], 0);
}

#[test]
fn an_object_that_is_changed_while_it_is_read_is_an_error() {
    for format in ["csv", "orc", "parquet"] {
        let server = Arc::new(stored(format, 12_000));
        let data = |key: &&String| key.contains("/data/");
        let key = server.store().objects["reports"].keys().find(data).unwrap().clone();
        let body = server.store().current("reports", &key).unwrap().body.to_vec();
        // Another object of the same size takes its place between the look at it and the first read.
        let (of_key, of_server, changed) = (key.clone(), Arc::downgrade(&server), AtomicBool::new(false));
        server.faults().choose(move |request, _| {
            if request.method == "GET" && request.path.ends_with(&of_key) && !changed.swap(true, Ordering::Relaxed) {
                let mut other = body.clone();
                other[body.len() / 2] ^= 1;
                of_server.upgrade().unwrap().store().put("reports", &of_key, &other);
            }
            None
        });
        let ran = run(&server, &["cat", "--columns", "Key", "--threads", "1", MANIFEST]);
        ends_with(&ran, &[&key, "was changed since it was first looked at"]);
    }
}

#[test]
fn what_is_wrong_with_a_stored_report_is_named() {
    let server = stored("csv", 12_000);
    run(&server, &["verify", "s3://reports/inv/nothing/manifest.json"])
        .failed(1, &["the report in s3://reports cannot be read", "inv/nothing/manifest.json"]);
    run(&server, &["cat", "s3://reports/"]).failed(2, &["the key of the manifest is missing"]);
    run(&server, &["verify", "gopher://reports/manifest.json"]).failed(2, &["of services this version knows"]);
    run(&server, &["verify", "--root", "/tmp", MANIFEST]).failed(2, &["does not apply to a manifest in a bucket"]);
    let file = server.store().objects["reports"].keys().find(|key| key.ends_with(".csv.gz")).unwrap().clone();
    let bytes = server.store().current("reports", &file).unwrap().body.to_vec();
    server.store().put("reports", &file, &bytes[..bytes.len() - 1]);
    let ran = run(&server, &["verify", MANIFEST]);
    assert_eq!((ran.code, ran.out.contains(&format!("{file}: has "))), (Some(4), true), "{ran:?}");
    server.store().put("reports", &file, &bytes);
    // What is refused is not tried again, and names store and byte.
    let (of_file, checksum) = (format!("/reports/{file}"), format!("{FOLDER}/manifest.checksum"));
    server
        .faults()
        .choose(move |request, _| (request.path == of_file && request.method == "GET").then_some(Fault::AccessDenied));
    ends_with(&run(&server, &["cat", MANIFEST]), &[&file, "s3://reports, byte 0: GetObject: 403 AccessDenied"]);
    server.faults().clear();
    server.store().delete("reports", &checksum);
    run(&server, &["cat", MANIFEST]).failed(1, &[&checksum, "is not there; the report is not complete"]);
}
