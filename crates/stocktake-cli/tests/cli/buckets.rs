//! Buckets as source and destination, served within this process.

use crate::{
    configurations::{DAILY, encrypted},
    support::{AT, Place, Ran, program},
};
use std::{
    collections::BTreeMap,
    process::{Command, Stdio},
    sync::Arc,
};
use stocktake_testkit::s3::{Fault, Request, S3Server, ServerOptions};

fn server(versioned: bool) -> S3Server {
    let mut options = ServerOptions::default();
    options.versioned = versioned;
    let server = S3Server::start(options).unwrap();
    for key in ["photos/a b.jpg", "photos/é", "other"] {
        server.store().put("camera", key, b"12345");
    }
    server
}

fn run(server: &S3Server, args: &[&str]) -> Ran {
    command(server, args).output().unwrap().into()
}

pub(crate) fn command(server: &S3Server, args: &[&str]) -> Command {
    let mut command = program();
    // Nothing of who runs the tests.
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
        command.env_remove(name);
    }
    command.env("AWS_ACCESS_KEY_ID", "id").env("AWS_SECRET_ACCESS_KEY", "secret").env("HOME", "/nowhere");
    command.env("AWS_ENDPOINT_URL", server.url()).args(args).stdin(Stdio::null());
    command
}

fn generate(server: &S3Server, options: &[&str]) -> Ran {
    let common = ["generate", "--destination", "s3://reports/inv", "--at", AT, "--threads", "2"];
    run(server, &[&common[..], options].concat())
}

#[test]
fn a_bucket_is_inventoried_into_a_bucket() {
    let server = server(false);
    let ran = generate(
        &server,
        &["--source", "s3://camera/photos/", "--sse", "aws:kms", "--sse-kms-key-id", "k", "--sse-bucket-key"],
    );
    let summary = ran.summary();
    assert_eq!(
        (&summary["rows"], &summary["manifest"]),
        (&2.into(), &"inv/camera/inventory/2026-11-22T01-00Z/manifest.json".into())
    );
    assert_eq!(summary["manifest_path"], "s3://reports/inv/camera/inventory/2026-11-22T01-00Z/manifest.json");
    let store = server.store();
    assert_eq!(store.objects["reports"].len(), 5);
    for versions in store.objects["reports"].values() {
        let header = |name: &str| versions[0].headers.get(name).map(String::as_str);
        assert_eq!(header("x-amz-server-side-encryption"), Some("aws:kms"));
        assert_eq!(header("x-amz-server-side-encryption-bucket-key-enabled"), Some("true"));
        assert_eq!(header("x-amz-acl"), Some("bucket-owner-full-control"));
    }
    let receipts = store.current("reports", "inv/camera/inventory/2026-11-22T01-00Z/receipts.ndjson").unwrap();
    assert!(String::from_utf8_lossy(&receipts.body).contains("scan"), "{receipts:?}");
    drop(store);
    generate(&server, &["--source", "s3://camera/photos/"]).failed(1, &["a report with this stamp exists"]);
}

#[test]
fn versions_and_single_objects_are_asked_for() {
    let server = server(true);
    server.store().delete("camera", "other");
    let options = ["--source", "s3://camera", "--versions", "all", "--fields", "EncryptionStatus"];
    generate(&server, &options).failed(2, &["does not provide EncryptionStatus", "--enrich head"]);
    let ran = generate(&server, &[&options[..], &["--enrich", "head"]].concat());
    assert_eq!(ran.summary()["rows"], 4);
    generate(&server, &["--source", "synthetic:rows=1", "--enrich", "head"]).failed(2, &["--enrich does not apply"]);
}

#[cfg(unix)]
#[test]
fn a_process_that_a_profile_names_supplies_keys() {
    let server = server(false);
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".aws")).unwrap();
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let sees = Arc::clone(&seen);
    server.faults().choose(move |request, _| {
        sees.lock().unwrap().push(request.header("authorization").unwrap_or_default().to_owned());
        None
    });
    let generate = |printed: &str| {
        let config = format!("[profile p]\nregion = eu-west-1\ncredential_process = echo '{printed}'\n");
        std::fs::write(home.path().join(".aws/config"), config).unwrap();
        let args = ["generate", "--source", "s3://camera", "--destination", "s3://reports/inv", "--at", AT];
        let mut command = command(&server, &[&args[..], &["--aws-profile", "p"]].concat());
        Ran::from(command.env("HOME", home.path()).output().unwrap())
    };
    generate("{}").failed(1, &["credential_process printed is no JSON of keys"]);
    assert!(seen.lock().unwrap().is_empty());
    let ran = generate("{\"Version\":1,\"AccessKeyId\":\"OFPROCESS\",\"SecretAccessKey\":\"s\"}");
    assert_eq!(ran.summary()["rows"], 3);
    let seen = seen.lock().unwrap();
    assert!(seen.len() > 5 && seen.iter().all(|value| value.contains("Credential=OFPROCESS/")), "{seen:?}");
    assert!(seen[0].contains("/eu-west-1/s3/"), "{seen:?}");
}

#[test]
fn a_second_listing_tells_what_the_first_left_out() {
    let server = server(false);
    // The first listing asks for owners, which the second has no use for; a third request looks whether there is a key.
    let is_first = |request: &Request| request.parameter("fetch-owner").is_some();
    let is_second = move |request: &Request| {
        request.parameter("list-type").is_some() && request.parameter("max-keys").is_none() && !is_first(request)
    };
    let check = |code, found: [u64; 6]| {
        let options = ["--source", "s3://camera", "--fields", "Size,ObjectOwner", "--cross-check", "--requests", "1"];
        let ran = generate(&server, &[&options[..], &["--replace"]].concat());
        assert_eq!(ran.code, Some(code), "{ran:?}");
        let summary: serde_json::Value = serde_json::from_str(ran.out.lines().last().unwrap()).unwrap();
        let of = |name| summary["cross_check"][name].as_u64().unwrap();
        let names = ["same", "missing", "differing", "new", "changed", "gone"];
        assert_eq!(names.map(of), found, "{ran:?}");
        ran
    };
    check(0, [3, 0, 0, 0, 0, 0]);
    server.faults().choose(move |request, _| is_first(request).then_some(Fault::LeaveOut));
    let ran = check(4, [2, 1, 0, 0, 0, 0]);
    assert!(ran.err.contains("a second listing differs: missing: \"other\""), "{ran:?}");
    server.faults().choose(move |request, _| is_second(request).then_some(Fault::LeaveOut));
    check(0, [2, 0, 0, 0, 0, 1]);
    // It came after the scan had begun, by its time.
    server.store().put("camera", "a", b"1").modified_ms = 4_000_000_000_000;
    server.faults().choose(move |request, _| is_first(request).then_some(Fault::LeaveOut));
    check(0, [3, 0, 0, 1, 0, 0]);
    generate(&server, &["--source", "synthetic:rows=1", "--cross-check"]).failed(2, &["--cross-check does not apply"]);
}

#[test]
fn a_refused_bucket_leaves_nothing_and_says_why() {
    let server = server(false);
    server.faults().choose(|request, _| (request.method == "PUT").then_some(Fault::AccessDenied));
    generate(&server, &["--source", "s3://camera"]).failed(1, &["PutObject: 403 AccessDenied"]);
    assert!(!server.store().objects.contains_key("reports"));
    let check = run(&server, &["check-destination", "--destination", "s3://reports/inv"]);
    assert_eq!(check.code, Some(4));
    assert!(
        check.out.contains("failed  PutObject: PutObject: 403 AccessDenied") && check.out.contains("s3:PutObject;")
    );
    server.faults().clear();
    let check = run(&server, &["check-destination", "--destination", "s3://reports/inv", "--sse", "AES256"]);
    assert_eq!((check.code, check.out.lines().count()), (Some(0), 10), "{check:?}");
    assert!(server.store().objects["reports"].is_empty());
}

#[test]
fn what_contradicts_itself_is_wrong_usage() {
    let server = server(false);
    for (options, words) in [
        (&["--sse", "aws:kms"][..], "needs --sse-kms-key-id"),
        (&["--sse", "AES256", "--sse-kms-key-id", "k"], "is for --sse aws:kms"),
        (&["--destination-prefix", "other"], "at once"),
        (&["--destination-bucket", "other"], "at once"),
    ] {
        let options = [&["--source", "s3://camera"], options].concat();
        generate(&server, &options).failed(2, &[words]);
    }
    assert!(server.log().is_empty(), "{:?}", server.log());
}

#[test]
fn a_configuration_encrypts_in_the_bucket() {
    let server = server(false);
    server.store().put("camera", "a/x", b"1");
    let place = Place::new();
    let file = place.write("daily.json", encrypted());
    let config = file.to_string_lossy();
    let common = ["generate", "--source", "s3://camera", "--config", &config, "--at", AT];
    let ran = run(&server, &[&common[..], &["--destination", "s3://reports"]].concat());
    assert_eq!(ran.summary()["rows"], 1);
    let store = server.store();
    assert!(store.objects["reports"].keys().all(|key| key.starts_with("camera/daily/")));
    for versions in store.objects["reports"].values() {
        assert_eq!(versions[0].headers["x-amz-server-side-encryption-aws-kms-key-id"], "main");
    }
    drop(store);
    run(&server, &[&common[..], &["--destination", "s3://other"]].concat()).failed(2, &["other and reports at once"]);
}

#[test]
fn a_policy_is_merged_into_the_buckets_own() {
    let server = server(false);
    let place = Place::new();
    let file = place.write("daily.json", DAILY);
    let config = file.to_string_lossy();
    let args =
        ["policy", "destination", "--apply", "--bucket", "camera", "--account", "111122223333", "--config", &config];
    server.store().policies.insert(
        "reports".into(),
        r#"{"Version":"2012-10-17","Statement":[{"Sid":"Own","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}]}"#.into(),
    );
    let applied = run(&server, &args);
    assert_eq!(applied.code, Some(0), "{applied:?}");
    let policy = server.store().policies["reports"].clone();
    assert!(policy.contains("\"Own\"") && policy.contains("arn:aws:s3:::camera"), "{policy}");
    assert_eq!(applied.out.trim_end(), policy);
    run(&server, &args);
    assert_eq!(server.store().policies["reports"], policy);
    assert_eq!(server.log().iter().filter(|line| line.starts_with("PUT")).count(), 1, "{:?}", server.log());
    server.faults().choose(|_, _| Some(Fault::AccessDenied));
    run(&server, &args).failed(1, &["cannot be read: GetBucketPolicy: 403"]);
}

#[test]
fn keys_are_needed_unless_nothing_is_signed() {
    let server = server(false);
    let mut command = program();
    command.env_clear().env("HOME", "/nowhere").args(["generate", "--source", "s3://camera", "--bucket", "camera"]);
    command.args(["--endpoint-url", &server.url(), "--destination", "s3://reports", "--at", AT]).stdin(Stdio::null());
    // Nobody is asked whether this is a machine with a role, or asked in vain.
    let ran: Ran = command.env("AWS_EC2_METADATA_DISABLED", "true").output().unwrap().into();
    ran.failed(1, &["there are no access keys", "--no-sign-request"]);
    command.env("AWS_EC2_METADATA_DISABLED", "false").env("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1");
    let ran: Ran = command.output().unwrap().into();
    ran.failed(
        1,
        &["there are no access keys", "the machine gives no keys at http://127.0.0.1:1", "--no-sign-request"],
    );
    let ran: Ran = command.arg("--no-sign-request").output().unwrap().into();
    assert_eq!(ran.summary()["rows"], 3);
}

#[test]
fn old_reports_of_a_bucket_are_pruned() {
    let server = server(false);
    for day in 1..=3 {
        let at = format!("2026-11-0{day}T01:00:00Z");
        let common =
            ["generate", "--destination", "s3://reports/inv", "--threads", "2", "--source", "s3://camera/photos/"];
        assert_eq!(run(&server, &[&common[..], &["--at", &at]].concat()).code, Some(0));
    }
    server.store().put("reports", "inv/camera/inventory/data/notes.txt", b"x");
    let objects = || server.store().objects["reports"].keys().cloned().collect::<Vec<_>>();
    let before = objects().len();
    let shown = run(&server, &["prune", "s3://reports/inv", "--keep", "2"]);
    assert!(shown.out.contains("1 reports would go") && objects().len() == before, "{shown:?}");
    let done = run(&server, &["prune", "s3://reports/inv", "--keep", "1", "--yes"]);
    assert!(done.out.contains("2 reports removed"), "{done:?}");
    let left = objects();
    assert_eq!(left.len(), 6, "{left:?}");
    assert!(left.iter().any(|key| key.ends_with("notes.txt")));
    assert!(left.iter().any(|key| key.ends_with("2026-11-03T01-00Z/manifest.checksum")));
    run(&server, &["prune", "s3://reports/inv", "--keep", "1", "--destination-prefix", "x"]).failed(2, &["at once"]);
}

/// The objects of the destination bucket.
fn delivered(server: &S3Server) -> BTreeMap<String, Arc<[u8]>> {
    let store = server.store();
    let objects = store.objects.get("reports").into_iter().flatten();
    objects.filter_map(|(key, _)| Some((key.clone(), Arc::clone(&store.current("reports", key)?.body)))).collect()
}

#[cfg(unix)]
#[test]
fn a_run_killed_within_an_upload_leaves_none_when_it_is_carried_on_or_abandoned() {
    use crate::interrupts::{end, send, spawn, until};
    // Rows that take much room, so that data files have several parts.
    let large = ["--format", "orc", "--compression", "none", "--chunk-rows", "20000", "--shard-target", "9MiB"];
    let options = [&["generate", "--source", "synthetic:rows=250000", "--destination", "s3://reports/inv"], &large[..]];
    let options = [&options.concat(), &["--at", AT, "--threads", "2"][..]].concat();
    let whole = server(false);
    let files = run(&whole, &options).summary()["files"].as_u64().unwrap();
    assert!(files >= 3, "{files}");
    for more in ["--resume", "--abandon"] {
        let server = server(false);
        let mut child = spawn(&mut command(&server, &options));
        until(&mut child, "an upload behind a finished data file", |child| {
            let finished = delivered(&server).keys().any(|key| key.contains("/data/"));
            (finished && !server.store().uploads.is_empty() || child.try_wait().unwrap().is_some()).then_some(())
        });
        send("-KILL", &child);
        assert_eq!(end(child).code, None);
        assert_eq!(server.store().uploads.len(), 1);
        let ran = run(&server, &[&options[..], &[more]].concat());
        let summary = ran.summary();
        assert!(server.store().uploads.is_empty());
        if more == "--resume" {
            assert!(summary["rows_encoded"].as_u64().unwrap() < 250_000, "{summary}");
            assert!(delivered(&server) == delivered(&whole));
        } else {
            assert_eq!((&summary["runs"], &summary["remains"]), (&1.into(), &1.into()));
            assert!(delivered(&server).is_empty());
        }
    }
}
