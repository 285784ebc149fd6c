//! Wrong usage ends with 2 before anything is read or written; help names everything.

use crate::support::{Place, stocktake};
use std::process::Command;

const FLAGS: &[&str] = &[
    "--source",
    "--destination",
    "--bucket",
    "--id",
    "--destination-bucket",
    "--destination-prefix",
    "--format",
    "--fields",
    "--versions",
    "--prefix",
    "--at",
    "--replace",
    "--threads",
    "--memory",
    "--lanes",
    "--shard-target",
    "--chunk-rows",
    "--key-encoding",
    "--null-version",
    "--compression-level",
    "--unsorted",
    "--check-order",
    "--unknown-values",
    "--on-bad-entry",
    "--etag",
    "--symlinks",
    "--temp-dir",
    "--progress",
];

#[test]
fn help_names_every_flag() {
    for help in ["--help", "-h"] {
        let ran = stocktake(["generate", help]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        for flag in FLAGS {
            assert!(ran.out.contains(&format!("{flag} ")) || ran.out.contains(&format!("{flag}\n")), "{help}: {flag}");
        }
    }
    let long = stocktake(["generate", "--help"]).out;
    assert!(long.contains("Examples:") && long.contains("ndjson:-"), "{long}");
    assert!(stocktake(["--help"]).out.contains("130  interrupted"));
    assert!(stocktake(["verify", "--help"]).out.contains("--root"));
    assert!(stocktake(["inspect", "--help"]).out.contains("--json"));
}

#[test]
fn the_version_is_the_packages() {
    assert_eq!(stocktake(["--version"]).out, concat!("stocktake ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn completions_name_the_verbs() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ran = stocktake(["completions", shell]);
        assert_eq!(ran.code, Some(0));
        assert!(ran.out.contains("generate") && ran.out.contains("check-order"), "{shell}");
    }
}

#[test]
fn nothing_is_wrong_usage() {
    for args in [&[][..], &["generate"], &["verify"], &["inspect"], &["completions"], &["frobnicate"]] {
        assert_eq!(stocktake(args).code, Some(2), "{args:?}");
    }
}

#[test]
fn values_out_of_bounds_are_refused() {
    let cases: &[(&[&str], &str)] = &[
        (&["--bucket", "a/b"], "bucket name \"a/b\" is not valid"),
        (&["--bucket", ".."], "bucket name \"..\" is not valid"),
        (&["--bucket", ""], "bucket"),
        (&["--id", "../x"], "configuration id \"../x\" is not valid"),
        (&["--id", "a/b"], "configuration id \"a/b\" is not valid"),
        (&["--destination-bucket", "a/.."], "bucket name \"a/..\" is not valid"),
        (&["--destination-prefix", "a/../b"], "destination prefix \"a/../b\" is not valid"),
        (&["--fields", "Size,Sise"], "unknown field `Sise`; known: default, all, Size"),
        (&["--fields", "ObjectOwner"], "the source does not provide ObjectOwner"),
        (&["--at", "yesterday"], "`yesterday` is no time"),
        (&["--memory", "much"], "a size is a whole number"),
        (&["--memory", "1MiB"], "a memory limit of 1 MiB is too small; this report needs"),
        (&["--memory", "0"], "the size is zero"),
        (&["--shard-target", "0"], "the size is zero"),
        (&["--shard-target", "99999999999GiB"], "below 16 EiB"),
        (&["--threads", "0"], "1..=1024"),
        (&["--lanes", "0"], "1..=65536"),
        (&["--chunk-rows", "0"], "1..=16777216"),
        (&["--compression-level", "10"], "the compression level is 1 to 9"),
        (&["--compression-level", "20"], "1..=19"),
        (&["--profile", "aws"], "--profile is for --format parquet"),
        (&["--compression", "zlib"], "--compression is for --format orc"),
        (&["--bloom", "key"], "--bloom is for --format parquet and --format orc"),
        (&["--format", "parquet", "--bloom", "size"], "columns are key, version_id and e_tag"),
        (&["--format", "parquet", "--fields", "Size", "--bloom", "e_tag"], "asked for e_tag, which is no column of"),
        (&["--format", "orc", "--fields", "Size", "--bloom", "key,e_tag"], "asked for e_tag, which is no column of"),
        (&["--format", "parquet", "--compression-level", "3"], "1 or 2 for Parquet with SNAPPY"),
        (&["--format", "orc", "--compression", "snappy", "--compression-level", "1"], "for zlib and zstd"),
        (&["--format", "xlsx"], "csv, orc, parquet"),
        (&["--versions", "some"], "current, all"),
        (&["--key-encoding", "x"], "percent, form"),
        (&["--null-version", "x"], "empty, null"),
        (&["--unknown-values", "x"], "keep, refuse"),
        (&["--progress", "x"], "auto, never"),
        (&["--prefix", &"x".repeat(1025)], "a prefix has at most 1,024 bytes"),
        (&["--no-such-flag"], "--no-such-flag"),
    ];
    for (options, words) in cases {
        let place = Place::new();
        let ran = place.generate("synthetic:rows=10", options);
        ran.failed(2, &[words]);
        place.is_untouched();
    }
}

#[test]
fn a_source_that_is_no_source_is_refused() {
    for (source, words) in [
        ("", "empty"),
        ("ndjson:", "the name of the file is missing"),
        ("arrow:", "the name of the file is missing"),
        ("synthetic:", "name=number"),
        ("synthetic:rows=ten", "rows"),
        ("synthetic:rows=1,colour=2", "colour"),
        ("gs://bucket/prefix", "a listing of such a bucket is a source as ndjson:FILE"),
    ] {
        let place = Place::new();
        place.generate(source, &["--bucket", "b"]).failed(2, &[words, "--source"]);
        place.is_untouched();
    }
}

#[test]
fn options_that_mean_nothing_to_the_source_are_refused() {
    let place = Place::new();
    place.write("dir/a", "a");
    let listing = place.write("listing.ndjson", r#"{"Key":"a"}"#);
    let (directory, listing) = (place.path("dir").display().to_string(), format!("ndjson:{}", listing.display()));
    let temp_dir = place.path("").display().to_string();
    let cases: [(&str, &[&str], &str); 9] = [
        (&listing, &["--etag", "md5"], "--etag does not apply to an NDJSON file"),
        (&listing, &["--symlinks", "follow"], "--symlinks does not apply to an NDJSON file"),
        (&listing, &["--on-bad-entry", "skip"], "--on-bad-entry does not apply to an NDJSON file"),
        (&listing, &["--temp-dir", &temp_dir], "--temp-dir does not apply to an NDJSON file"),
        ("ndjson:-", &["--check-order"], "--check-order does not apply to NDJSON on standard input"),
        ("synthetic:rows=1", &["--unsorted", "allow"], "--unsorted does not apply to a synthetic source"),
        ("arrow:x", &["--etag", "none"], "--etag does not apply to an Arrow file"),
        (&directory, &["--unsorted", "allow"], "--unsorted does not apply to a directory"),
        (&directory, &["--fields", "ETag"], "--fields: the source does not provide ETag"),
    ];
    for (source, options, words) in cases {
        place.generate(source, &[&["--bucket", "b"], options].concat()).failed(2, &[words]);
        place.is_untouched();
    }
}

#[test]
fn buckets_that_nothing_names_are_asked_for() {
    let place = Place::new();
    place.write("two words/a", "a");
    let listing = place.write("listing.ndjson", r#"{"Key":"a"}"#);
    place.generate(format!("ndjson:{}", listing.display()), &[]).failed(2, &["--bucket is needed"]);
    place.generate("ndjson:-", &[]).failed(2, &["--bucket is needed"]);
    place.generate(place.path("two words"), &[]).failed(2, &["does not name a bucket", "--bucket"]);
    place.is_untouched();
    let ran = stocktake([
        "generate",
        "--source",
        "synthetic:rows=1",
        "--destination",
        &place.path("my inventory").display().to_string(),
    ]);
    ran.failed(2, &["does not name a bucket", "--destination-bucket"]);
}

#[test]
fn a_relative_destination_names_its_bucket() {
    let place = Place::new();
    std::fs::create_dir(place.destination()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_stocktake"));
    command.current_dir(place.destination()).args(["generate", "--source", "synthetic:rows=3", "--destination", "."]);
    let ran = command.output().unwrap().into();
    let manifest = crate::support::manifest(&crate::support::manifest_path(&ran));
    assert_eq!(manifest["destinationBucket"], "arn:aws:s3:::inventory");
}
