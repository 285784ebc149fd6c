//! A report from every kind of source, read back by a CSV reader that is not ours.

use crate::support::{AT, Place, files_below, manifest, manifest_path, program, rows_of, scheme, stocktake};
use arrow_array::{Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use std::{
    fs::{self, File},
    io::Write,
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

#[test]
fn a_directory_becomes_a_report() {
    let place = Place::new();
    let file = place.write("photos/2026/a b+c.txt", "hello");
    File::options().write(true).open(file).unwrap().set_modified(UNIX_EPOCH + Duration::from_millis(1500)).unwrap();
    place.write("photos/é", "");
    place.write("photos/2026.txt", "x");
    let ran = place.generate(place.path("photos"), &["--id", "daily"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
    let rows = place.rows(&ran);
    assert_eq!(rows[1], ["photos", "2026/a%20b%2Bc.txt", "5", "1970-01-01T00:00:01.500Z"]);
    assert_eq!(place.keys(&ran), ["2026.txt", "2026/a%20b%2Bc.txt", "%C3%A9"]);

    let summary = ran.summary();
    assert_eq!(summary["status"], "complete");
    assert_eq!((&summary["rows"], &summary["files"], &summary["skipped"]), (&3.into(), &1.into(), &0.into()));
    assert!(summary["seconds"].as_f64().unwrap() >= 0.0 && summary["report_id"].as_str().unwrap().len() == 36);
    assert_eq!(summary["manifest"], "photos/daily/2026-11-22T01-00Z/manifest.json");
    assert_eq!(manifest_path(&ran), place.destination().join("photos/daily/2026-11-22T01-00Z/manifest.json"));
    let manifest = manifest(&manifest_path(&ran));
    assert_eq!(manifest["sourceBucket"], "photos");
    assert_eq!(manifest["destinationBucket"], "arn:aws:s3:::inventory");
    assert_eq!(manifest["fileSchema"], "Bucket, Key, Size, LastModifiedDate");
    assert_eq!(manifest["creationTimestamp"], "1795309200000");
    assert_eq!(manifest["files"][0]["size"], summary["bytes"]);
}

#[test]
fn names_in_the_destination_are_the_users() {
    let place = Place::new();
    let options = ["--destination-bucket", "dst", "--destination-prefix", "/a/b/", "--bucket", "src", "--id", "weekly"];
    let ran = place.generate("synthetic:rows=3", &options);
    assert_eq!(ran.summary()["manifest"], "a/b/src/weekly/2026-11-22T01-00Z/manifest.json");
    assert_eq!(manifest(&manifest_path(&ran))["destinationBucket"], "arn:aws:s3:::dst");
    let files = files_below(&place.destination());
    assert!(files.contains("a/b/src/weekly/hive/dt=2026-11-22-01-00/symlink.txt"), "{files:?}");
    assert_eq!(files.len(), 5, "{files:?}");
}

#[test]
fn the_stamp_is_in_utc_and_now_by_default() {
    let place = Place::new();
    let run = |at: &[&str]| {
        let base = ["generate", "--source", "synthetic:rows=1", "--destination"];
        let destination = place.destination().display().to_string();
        stocktake(base.iter().copied().chain([destination.as_str()]).chain(at.iter().copied()))
    };
    let ran = run(&["--at", "2026-11-22T03:59:58.123+02:30"]);
    assert_eq!(ran.summary()["manifest"], "synthetic/inventory/2026-11-22T01-29Z/manifest.json");
    let stamp: i64 = manifest(&manifest_path(&run(&[])))["creationTimestamp"].as_str().unwrap().parse().unwrap();
    assert!(stamp > 1_700_000_000_000);
}

#[test]
fn etags_of_a_directory_are_the_md5_of_contents() {
    let place = Place::new();
    place.write("photos/a", "hello");
    let ran = place.generate(place.path("photos"), &["--etag", "md5", "--fields", "ETag,Size"]);
    assert_eq!(place.rows(&ran), [["photos", "a", "5", "5d41402abc4b2a76b9719d911017c592"]]);
}

#[cfg(unix)]
#[test]
fn links_are_left_out_or_followed() {
    let place = Place::new();
    place.write("photos/a", "hello");
    std::os::unix::fs::symlink("a", place.path("photos/link")).unwrap();
    assert_eq!(place.keys(&place.generate(place.path("photos"), &[])), ["a"]);
    assert_eq!(
        place.keys(&place.generate(place.path("photos"), &["--symlinks", "follow", "--replace"])),
        ["a", "link"]
    );
}

/// Each run lists what the run before would have listed, however often a report is made.
#[test]
fn reports_do_not_list_themselves() {
    for (destination, bucket, listed) in [
        // Below the source: left out whole, with what else stands there.
        ("data/inventory", "b", &["a.txt"][..]),
        // The source itself, and a folder above it: only the configuration's own folder is left out.
        ("data", "b", &["a.txt", "inventory/other.txt"]),
        ("", "data", &["a.txt", "inventory/other.txt"]),
    ] {
        let place = Place::new();
        place.write("data/a.txt", "hello");
        place.write("data/inventory/other.txt", "hello");
        let (source, destination) = (place.path("data"), place.path(destination));
        for at in ["2026-11-22T02:00:00Z", "2026-11-22T03:00:00Z"] {
            let mut command = program();
            command.args([
                "generate",
                "--destination-bucket",
                "d",
                "--bucket",
                bucket,
                "--id",
                "own",
                "--at",
                at,
                "--source",
            ]);
            let ran = command.arg(&source).arg("--destination").arg(&destination).output().unwrap().into();
            let keys: Vec<_> =
                rows_of(&destination, &manifest_path(&ran)).into_iter().map(|row| row[1].clone()).collect();
            assert_eq!(keys, listed, "{} at {at}", destination.display());
        }
    }
}

#[test]
fn listings_of_other_programs_are_recognised_and_sorted() {
    let place = Place::new();
    let listing = concat!(
        r#"[{"Path":"b","Size":2,"ModTime":"2026-01-02T03:04:05Z","IsDir":false},"#,
        r#"{"Path":"a/c","Size":1,"ModTime":"2026-01-02T03:04:05Z","IsDir":false}]"#,
    );
    let refused = place.generate_ndjson(listing, &[]);
    refused.failed(1, &["a/c"]);
    let sorted = place.generate_ndjson(listing, &["--unsorted", "sort"]);
    assert_eq!(place.keys(&sorted), ["a/c", "b"]);
    let again = place.generate_stdin(listing.as_bytes(), &["--unsorted", "sort", "--replace"]);
    assert_eq!(place.rows(&again), place.rows(&sorted));
}

#[test]
fn tables_become_reports() {
    let place = Place::new();
    let file = place.write("listing.tsv", "a\tx\t5\nb\ty\t6\n");
    let options = ["--bucket", "photos", "--delimiter", "tab", "--columns", "key,-,size"];
    let ran = place.generate(scheme("csv:", &file), &options);
    assert_eq!(place.rows(&ran), [["photos", "a", "5"], ["photos", "b", "6"]]);
    let wrong = place.generate(scheme("csv:", &file), &["--bucket", "photos", "--replace"]);
    wrong.failed(1, &["no field of a report"]);
}

#[test]
fn ndjson_plain_gzip_and_standard_input_say_the_same() {
    let listing = concat!(
        r#"{"Key":"a b","Size":5,"LastModifiedDate":"2026-01-02T03:04:05Z","ETag":"x","StorageClass":"GLACIER"}"#,
        "\n",
        r#"{"Key":"c","Size":0}"#,
        "\n",
    );
    let place = Place::new();
    let plain = place.generate_ndjson(listing, &["--fields", "Size,LastModifiedDate,ETag,StorageClass"]);
    let rows = place.rows(&plain);
    assert_eq!(rows[0], ["photos", "a%20b", "5", "2026-01-02T03:04:05.000Z", "x", "GLACIER"]);
    assert_eq!(rows[1], ["photos", "c", "0", "", "", ""]);

    let options = ["--fields", "Size,LastModifiedDate,ETag,StorageClass", "--replace"];
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(listing.as_bytes()).unwrap();
    let packed = gzip.finish().unwrap();
    assert_eq!(place.rows(&place.generate_ndjson(&packed, &options)), rows);
    assert_eq!(place.rows(&place.generate_stdin(listing.as_bytes(), &options)), rows);
    assert_eq!(place.rows(&place.generate_stdin(&packed, &options)), rows);
}

#[test]
fn all_versions_of_a_listing() {
    let listing = concat!(
        r#"{"Key":"a","VersionId":"v2","IsLatest":true,"IsDeleteMarker":true}"#,
        "\n",
        r#"{"Key":"a","VersionId":null,"IsLatest":false,"IsDeleteMarker":false,"Size":3}"#,
        "\n",
        r#"{"Key":"b","VersionId":"v1","IsLatest":true,"IsDeleteMarker":false,"Size":4}"#,
        "\n",
    );
    let place = Place::new();
    let options = ["--fields", "Size", "--versions"];
    let all = place.generate_ndjson(listing, &[&options[..], &["all"]].concat());
    let expected = [
        ["photos", "a", "v2", "true", "true", ""],
        ["photos", "a", "", "false", "false", "3"],
        ["photos", "b", "v1", "true", "false", "4"],
    ];
    assert_eq!(place.rows(&all), expected);
    let null =
        place.generate_ndjson(listing, &[&options[..], &["all", "--null-version", "null", "--replace"]].concat());
    assert_eq!(place.rows(&null)[1][2], "null");
    let current = place.generate_ndjson(listing, &[&options[..], &["current", "--replace"]].concat());
    assert_eq!(place.rows(&current), [["photos", "b", "4"]]);
}

#[test]
fn an_arrow_file_becomes_a_report() {
    let place = Place::new();
    let schema = Arc::new(Schema::new(vec![
        Field::new("key", DataType::Utf8, false),
        Field::new("size", DataType::Int64, true),
    ]));
    let keys = Arc::new(StringArray::from(vec!["a", "b/c"]));
    let sizes = Arc::new(Int64Array::from(vec![Some(1), None]));
    let batch = RecordBatch::try_new(Arc::clone(&schema), vec![keys, sizes]).unwrap();
    let path = place.path("listing.arrow");
    let mut writer = arrow_ipc::writer::FileWriter::try_new(File::create(&path).unwrap(), &schema).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    let ran = place.generate(scheme("arrow:", &path), &["--bucket", "photos", "--fields", "Size"]);
    assert_eq!(place.rows(&ran), [["photos", "a", "1"], ["photos", "b/c", ""]]);
}

#[test]
fn a_synthetic_report_has_the_same_bytes_whatever_carries_it_out() {
    let options = ["--shard-target", "64KiB", "--lanes", "3", "--chunk-rows", "1000", "--destination-bucket", "d"];
    let run = |execution: &[&str]| {
        let place = Place::new();
        let mut args = vec!["generate", "--source", "synthetic:rows=20000,seed=7", "--at", AT, "--destination"];
        let destination = place.destination().display().to_string();
        args.push(&destination);
        let ran = stocktake(args.iter().chain(&options).chain(execution));
        let summary = ran.summary();
        assert_eq!(summary["rows"], 20_000);
        assert!(summary["files"].as_u64().unwrap() > 3, "{summary}");
        let keys = place.keys(&ran);
        assert_eq!(keys.len(), 20_000);
        assert_eq!(stocktake(["verify".into(), manifest_path(&ran)]).code, Some(0));
        (summary["report_id"].to_string(), fs::read(manifest_path(&ran)).unwrap())
    };
    assert_eq!(run(&["--threads", "1"]), run(&["--threads", "3", "--memory", "300MiB"]));
}

#[test]
fn spaces_may_be_plus_signs() {
    let place = Place::new();
    let ran = place.generate_ndjson("{\"Key\":\"a b+c\"}\n", &["--key-encoding", "form"]);
    assert_eq!(place.keys(&ran), ["a+b%2Bc"]);
}

#[test]
fn a_prefix_filters_keys() {
    let place = Place::new();
    for name in ["a/1", "a/2", "ab", "b/1"] {
        place.write(&format!("photos/{name}"), "x");
    }
    assert_eq!(place.keys(&place.generate(place.path("photos"), &["--prefix", "a/"])), ["a/1", "a/2"]);
}

#[test]
fn an_empty_source_is_a_report_without_files() {
    let place = Place::new();
    fs::create_dir(place.path("photos")).unwrap();
    let ran = place.generate(place.path("photos"), &[]);
    assert_eq!((ran.summary()["rows"].as_u64(), ran.summary()["files"].as_u64()), (Some(0), Some(0)));
    let verified = stocktake(["verify".into(), manifest_path(&ran)]);
    assert_eq!((verified.code, verified.out.as_str()), (Some(0), "OK: 0 files, 0 bytes, 0 rows\n"), "{verified:?}");
}

#[test]
fn a_source_is_checked_before_it_is_written() {
    let place = Place::new();
    let ran = place.generate("synthetic:rows=5000", &["--check-order"]);
    assert_eq!(ran.summary()["rows"], 5000);
    assert_eq!(ran.err, "stocktake: the source is in order: 5000 rows\n");
}
