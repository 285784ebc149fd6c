//! Input that cannot become a report: one message with its place, exit code 1, and nothing left behind.

use crate::support::{Place, files_below, scheme, stocktake};
use std::fs;

#[test]
fn lines_that_are_no_rows() {
    let long = format!("{{\"Key\":\"a\"}}\n{{\"Key\":\"{}\"}}\n", "k".repeat(1025));
    let cases: [(&str, &[u8], &[&str]); 11] = [
        ("malformed JSON", b"{\"Key\":\"a\"}\n{\"Key\":\"b\",}\n", &["line 2", "column 12"]),
        ("a line that ends early", b"{\"Key\":\"a\"}\n{\"Key\":\"b\"", &["line 2"]),
        ("no key", b"{\"Key\":\"a\"}\n\n{\"Size\":1}\n", &["line 3", "ey"]),
        ("an empty key", b"{\"Key\":\"\"}\n", &["line 1"]),
        ("a long key", long.as_bytes(), &["line 2", "1025"]),
        ("not UTF-8", b"{\"Key\":\"a\"}\n{\"Key\":\"\xff\"}\n", &["line 2", "UTF-8"]),
        ("a negative size", b"{\"Key\":\"a\",\"Size\":-1}\n", &["line 1", "Size"]),
        ("a size that is no number", b"{\"Key\":\"a\",\"Size\":\"x\"}\n", &["line 1", "Size"]),
        ("an unknown member", b"{\"Key\":\"a\",\"Sise\":1}\n", &["line 1", "Sise"]),
        (
            "a time that is none",
            b"{\"Key\":\"a\",\"LastModifiedDate\":\"soon\"}\n",
            &["line 1", "column 31", "LastModifiedDate"],
        ),
        ("another bucket", b"{\"Bucket\":\"other\",\"Key\":\"a\"}\n", &["other"]),
    ];
    for (what, listing, words) in cases {
        for stdin in [false, true] {
            let place = Place::new();
            let ran = if stdin { place.generate_stdin(listing, &[]) } else { place.generate_ndjson(listing, &[]) };
            // Shown if the check fails.
            println!("{what}: {}", ran.err.trim_end());
            ran.failed(1, &[&["stocktake: reading the source failed: "], words].concat());
            place.is_untouched();
        }
    }
}

#[test]
fn keys_out_of_order() {
    let listing = "{\"Key\":\"b\"}\n{\"Key\":\"a\"}\n{\"Key\":\"c\"}\n";
    for options in [&[][..], &["--check-order"]] {
        let place = Place::new();
        let ran = place.generate_ndjson(listing, options);
        ran.failed(1, &["reading the source failed: ", "\"a\"", "\"b\""]);
        place.is_untouched();
    }
    let place = Place::new();
    let ran = place.generate_ndjson(listing, &["--unsorted", "allow"]);
    assert_eq!(place.keys(&ran), ["b", "a", "c"]);
}

#[test]
fn the_same_version_twice() {
    let place = Place::new();
    let row = "{\"Key\":\"a\",\"VersionId\":\"v\",\"IsLatest\":true}\n";
    place.generate_ndjson(row.repeat(2), &["--versions", "all"]).failed(1, &["reading the source failed: ", "\"a\""]);
    place.is_untouched();
    place.generate_ndjson("{\"Key\":\"a\"}\n".repeat(2), &[]).failed(1, &["reading the source failed: ", "\"a\""]);
    place.is_untouched();
}

#[test]
fn values_that_s3_does_not_write() {
    let place = Place::new();
    let listing = "{\"Key\":\"a\",\"StorageClass\":\"COLD\"}\n";
    place.generate_ndjson(listing, &["--unknown-values", "refuse"]).failed(1, &["COLD"]);
    place.is_untouched();
    let kept = place.generate_ndjson(listing, &["--fields", "StorageClass"]);
    assert_eq!(place.rows(&kept), [["photos", "a", "COLD"]]);
}

#[test]
fn sources_that_are_not_there_or_cannot_be_read() {
    let place = Place::new();
    place.write("file", "x");
    fs::create_dir(place.path("folder")).unwrap();
    let path = |name: &str| place.path(name).display().to_string();
    let mut cases = vec![
        (path("absent"), "No such file or directory"),
        (path("file"), "Not a directory"),
        (format!("ndjson:{}", path("absent")), "No such file or directory"),
        (format!("ndjson:{}", path("folder")), "directory"),
        (format!("arrow:{}", path("absent")), "No such file or directory"),
        (format!("arrow:{}", path("file")), path("file").leak()),
    ];
    if cfg!(target_os = "linux") {
        // Nothing is mapped at the address 0: the kernel refuses the read, whoever the user is.
        cases.push(("ndjson:/proc/self/mem".to_owned(), "/proc/self/mem"));
    }
    for (source, words) in cases {
        let ran = place.generate(&source, &["--bucket", "b"]);
        ran.failed(1, &["stocktake: reading the source failed: ", words]);
        place.is_untouched();
    }
}

#[cfg(unix)]
#[test]
fn entries_of_a_directory_that_no_report_can_hold() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    let place = Place::new();
    place.write("photos/a", "x");
    place.write("photos/c", "x");
    fs::write(place.path("photos").join(OsStr::from_bytes(b"b\xff\n")), "x").unwrap();
    place.generate(place.path("photos"), &[]).failed(1, &["b\\xff\\n"]);
    place.is_untouched();

    let ran = place.generate(place.path("photos"), &["--on-bad-entry", "skip"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.err.starts_with("skipped b\\xff\\n: ") && ran.err.lines().count() == 1, "{ran:?}");
    assert_eq!(ran.summary()["skipped"], 1);
    assert_eq!(ran.summary()["status"], "complete");
    assert_eq!(place.keys(&ran), ["a", "c"]);
    assert_eq!(stocktake(["verify".into(), crate::support::manifest_path(&ran)]).code, Some(0));
}

#[test]
fn damage_in_the_middle_of_a_long_listing() {
    let place = Place::new();
    let mut listing: String = (0..200_000).map(|row| format!("{{\"Key\":\"k{row:09}\",\"Size\":{row}}}\n")).collect();
    listing += "{\"Key\":\"k0\"";
    let file = place.write("listing.ndjson", listing);
    let options = ["--bucket", "b", "--chunk-rows", "1000", "--shard-target", "4KiB"];
    let ran = place.generate(scheme("ndjson:", &file), &options);
    ran.failed(1, &["line 200001", "kept: ", "--resume continues the run, --abandon removes them"]);
    place.generate(scheme("ndjson:", &file), &["--bucket", "b", "--abandon"]).summary();
    assert!(files_below(&place.destination()).is_empty(), "{:?}", files_below(&place.destination()));
}
