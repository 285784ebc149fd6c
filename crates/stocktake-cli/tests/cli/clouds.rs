//! Google's buckets and Azure's containers: a report's whole life in each, and what is refused.

use crate::support::{AT, Ran, program};
use std::process::Stdio;
use stocktake_testkit::{cloud::CloudServer, s3::Fault};

const FOLDER: &str = "inv/synthetic/daily";

fn run(server: &CloudServer, args: &[&str]) -> Ran {
    let mut command = program();
    // Nothing of who runs the tests.
    let of_clouds = ["GOOGLE_", "AZURE_", "STORAGE_EMULATOR_HOST", "SERVICE_ACCOUNT", "AZURITE_"];
    for (name, _) in std::env::vars().filter(|(name, _)| of_clouds.iter().any(|prefix| name.starts_with(prefix))) {
        command.env_remove(name);
    }
    command.env("HOME", "/nowhere").envs(server.google()).envs(server.azure());
    command.args(args).stdin(Stdio::null()).output().unwrap().into()
}

fn generate(server: &CloudServer, bucket: &str, at: &str, options: &[&str]) -> Ran {
    let destination = format!("{bucket}/inv");
    let source = ["generate", "--source", "synthetic:rows=9000,seed=3", "--destination", &destination];
    run(server, &[&source[..], &["--id", "daily", "--at", at], options].concat())
}

#[test]
fn a_report_lives_and_ends_in_a_cloud() {
    for bucket in ["gs://reports", "az://reports"] {
        let server = CloudServer::start().unwrap();
        let checked = run(&server, &["check-destination", "--destination", &format!("{bucket}/inv")]);
        assert_eq!((checked.code, checked.out.matches("ok      ").count()), (Some(0), 7), "{checked:?}");
        assert!(server.store().objects.is_empty());
        server.faults().choose(|_, number| (number % 11 == 5).then_some(Fault::Reset));
        let files = ["--format", "parquet", "--chunk-rows", "3000", "--shard-target", "100kB", "--row-digest"];
        let summary = generate(&server, bucket, AT, &files).summary();
        let manifest = format!("{bucket}/{FOLDER}/2026-11-22T01-00Z/manifest.json");
        assert_eq!(summary["manifest_path"], manifest.as_str());
        let verified = run(&server, &["verify", "--rows", &manifest]);
        assert!(verified.out.contains("9000 rows read, row digest "), "{verified:?}");
        assert_eq!(run(&server, &["cat", &manifest]).out.lines().count(), 9000);
        assert_eq!(run(&server, &["inspect", "--rows", "--json", &manifest]).summary()["rows"], 9000);
        assert_eq!(run(&server, &["diff", &manifest, &manifest]).code, Some(0));
        let spark = run(&server, &["ddl", "--for", "spark", &manifest]);
        let hadoop = if bucket == "gs://reports" { "gs://reports/" } else { "abfss://reports@testaccount.dfs." };
        assert!(spark.out.contains(hadoop), "{spark:?}");
        run(&server, &["ddl", "--for", "athena", &manifest]).failed(2, &["Athena reads S3 alone"]);
        generate(&server, bucket, AT, &files).failed(1, &["a report with this stamp exists"]);

        let (source, destination) = (format!("inventory:{manifest}"), format!("{bucket}/inv"));
        let later = ["--id", "daily", "--at", "2026-11-23T01:00:00Z"];
        let convert = ["generate", "--source", &source, "--destination", &destination];
        assert_eq!(run(&server, &[&convert[..], &later].concat()).summary()["rows"], 9000);
        let prune = ["prune", &destination, "--keep", "1", "--json"];
        assert_eq!(run(&server, &prune).summary()["removed"], serde_json::Value::Null);
        assert!(server.store().object("reports", &manifest[bucket.len() + 1..]).is_some());
        assert_eq!(run(&server, &[&prune[..], &["--yes"]].concat()).summary()["removed"]["reports"], 1);
        let left = server.store().objects.keys().map(|(_, key)| key.clone()).collect::<Vec<_>>();
        assert!(!left.is_empty() && left.iter().all(|key| !key.contains("2026-11-22")), "{left:?}");
        assert!(server.faults().shown() > 10);
    }
}

#[test]
fn a_run_that_ends_early_is_carried_on_or_abandoned() {
    for bucket in ["gs://reports", "az://reports"] {
        let files = ["--chunk-rows", "1000", "--shard-target", "40kB"];
        let whole = CloudServer::start().unwrap();
        generate(&whole, bucket, AT, &files).summary();
        for ending in ["--resume", "--abandon"] {
            let server = CloudServer::start().unwrap();
            let half = whole.log().len() as u64 / 2;
            server.faults().choose(move |_, number| (number > half).then_some(Fault::AccessDenied));
            let cut = generate(&server, bucket, AT, &files);
            assert!(cut.code == Some(1) && cut.err.contains(": 403"), "{cut:?}");
            server.faults().clear();
            assert!(!server.store().objects.is_empty());
            let ended = generate(&server, bucket, AT, &[&files[..], &[ending]].concat());
            assert_eq!(ended.code, Some(0), "{ended:?}");
            let bodies = |server: &CloudServer| {
                let store = server.store();
                store.objects.iter().map(|(place, object)| (place.clone(), object.body.clone())).collect::<Vec<_>>()
            };
            match ending {
                "--resume" => assert!(bodies(&server) == bodies(&whole)),
                _ => assert!(bodies(&server).is_empty()),
            }
        }
    }
}

#[test]
fn what_a_cloud_cannot_do_is_refused() {
    let server = CloudServer::start().unwrap();
    for bucket in ["gs://reports", "az://reports"] {
        generate(&server, bucket, AT, &["--sse", "AES256"]).failed(2, &["--sse does not apply to", bucket]);
        run(&server, &["check-destination", "--destination", bucket, "--sse", "AES256"])
            .failed(2, &["do not apply to", bucket]);
        run(&server, &["generate", "--source", bucket, "--destination", bucket])
            .failed(2, &["a listing of such a bucket"]);
        run(&server, &["verify", &format!("{bucket}/inv/manifest.json")])
            .failed(1, &[&format!("the report in {bucket} cannot be read"), "inv/manifest.json"]);
    }
    generate(&server, "az://", AT, &[]).failed(2, &["bucket name"]);
    let unnamed = program().args(["verify", "az://reports/manifest.json"]).env_clear().output().unwrap();
    Ran::from(unnamed).failed(1, &["az://reports cannot be reached", "AZURE_STORAGE_ACCOUNT_NAME"]);
    assert!(server.store().objects.is_empty());
}
