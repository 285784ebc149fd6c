//! Reports read back: `inventory:` as a source, `verify --rows`, `cat`, `ddl`.

use crate::support::{AT, Place, manifest, manifest_path, scheme, stocktake};
use std::{fs, path::Path};

const FORMATS: [&str; 3] = ["csv", "orc", "parquet"];

fn text(path: &Path) -> String {
    path.display().to_string()
}

#[test]
fn a_report_is_converted_there_and_back() {
    let place = Place::new();
    let options = ["--versions", "all", "--fields", "all", "--shard-target", "32KiB", "--chunk-rows", "500"];
    let first = place.generate("synthetic:rows=4000,versions=3", &options);
    let data = |path: &Path| -> Vec<Vec<u8>> {
        let files = manifest(path);
        let files = files["files"].as_array().unwrap();
        files.iter().map(|file| fs::read(place.destination().join(file["key"].as_str().unwrap())).unwrap()).collect()
    };
    let wanted = data(&manifest_path(&first));
    let mut from = manifest_path(&first);
    for format in ["parquet", "orc", "csv"] {
        let source = scheme("inventory:", &from);
        let ran = place.generate(source, &[&["--id", format, "--format", format], &options[..]].concat());
        assert_eq!(ran.summary()["rows"], 4000, "{ran:?}");
        from = manifest_path(&ran);
    }
    assert!(
        from.starts_with(place.destination().join("synthetic/csv")),
        "the bucket is the report's: {}",
        from.display()
    );
    assert!(data(&from) == wanted);
}

#[test]
fn a_report_that_cannot_be_converted_is_named() {
    let place = Place::new();
    let ran = place.generate_ndjson("{\"Key\":\"b\"}\n{\"Key\":\"a\"}\n", &["--unsorted", "allow"]);
    let source = scheme("inventory:", &manifest_path(&ran));
    let ran = place.generate(&source, &["--id", "again"]);
    ran.failed(1, &["csv.gz: row 2: the report is not sorted: key \"a\" comes after \"b\"", "--unsorted allow"]);
    assert_eq!(place.generate(&source, &["--id", "again", "--unsorted", "allow"]).code, Some(0));
    place.generate(&source, &["--bucket", "other"]).failed(1, &["is of the bucket \"photos\", not of \"other\""]);
    place.generate(&source, &["--etag", "md5"]).failed(2, &["--etag does not apply to a report"]);
    place.generate("inventory:none.json", &[]).failed(1, &["none.json"]);
}

#[test]
fn rows_are_proven_and_altered_ones_found() {
    for format in FORMATS {
        let place = Place::new();
        let ran = place.generate("synthetic:rows=2000", &["--format", format, "--row-digest"]);
        let path = manifest_path(&ran);
        let checked = stocktake(["verify", "--rows", &text(&path)]);
        assert_eq!(checked.code, Some(0), "{checked:?}");
        assert!(
            checked.out.starts_with("OK: 1 files, ") && checked.out.contains(" 2000 rows read, row digest "),
            "{checked:?}"
        );

        // Another report's rows in the place of these, with the size, MD5 and checksum of their file.
        let other = Place::new();
        let ran = other.generate("synthetic:rows=2000,seed=2", &["--format", format]);
        let listed = |place: &Place, path: &Path| {
            let file = manifest(path)["files"][0].clone();
            (place.destination().join(file["key"].as_str().unwrap()), file)
        };
        let ((file, old), (foreign, new)) = (listed(&place, &path), listed(&other, &manifest_path(&ran)));
        fs::copy(foreign, file).unwrap();
        let (size, md5) = (
            |file: &serde_json::Value| file["size"].to_string(),
            |file: &serde_json::Value| file["MD5checksum"].as_str().unwrap().to_owned(),
        );
        let exchanged = |text: String| {
            text.replace(&md5(&old), &md5(&new))
                .replace(&format!("\"size\" : {}", size(&old)), &format!("\"size\" : {}", size(&new)))
                .replace(&format!("\"size_bytes\":{}", size(&old)), &format!("\"size_bytes\":{}", size(&new)))
        };
        for beside in ["manifest.json", "receipts.ndjson"] {
            let beside = path.with_file_name(beside);
            fs::write(&beside, exchanged(fs::read_to_string(&beside).unwrap())).unwrap();
        }
        fs::write(path.with_file_name("manifest.checksum"), stocktake::md5_hex(&fs::read(&path).unwrap()) + "\n")
            .unwrap();
        let bytes = stocktake(["verify", &text(&path)]);
        assert_eq!(bytes.code, Some(0), "{format}: bytes are as stated: {bytes:?}");
        let rows = stocktake(["verify", "--rows", &text(&path)]);
        assert_eq!(rows.code, Some(4), "{format}: {rows:?}");
        assert!(rows.out.contains("they were altered"), "{rows:?}");
    }
}

#[test]
fn a_harmed_file_is_told_once() {
    let place = Place::new();
    let ran = place.generate("synthetic:rows=2000", &[]);
    let path = manifest_path(&ran);
    let file = place.destination().join(manifest(&path)["files"][0]["key"].as_str().unwrap());
    fs::write(&file, &fs::read(&file).unwrap()[1..]).unwrap();
    let ran = stocktake(["verify", "--rows", &text(&path)]);
    assert_eq!((ran.code, ran.out.lines().count()), (Some(4), 1), "{ran:?}");
    let ran = stocktake(["cat", &text(&path)]);
    ran.failed(1, &["the report cannot be read", "bytes, the manifest says"]);
}

#[test]
fn rows_are_printed_and_read_again() {
    let place = Place::new();
    let listing = "{\"Key\":\"a b\",\"Size\":1,\"IsMultipartUploaded\":true}\n{\"Key\":\"c\",\"LastModifiedDate\":\"2026-11-22T01:00:00.000Z\"}\n";
    for format in FORMATS {
        let ran = place.generate_ndjson(listing, &["--format", format, "--id", format]);
        let path = text(&manifest_path(&ran));
        let csv = stocktake(["cat", "--header", "--columns", "Key,size,last_modified_date", &path]);
        let wanted =
            "\"Key\",\"Size\",\"LastModifiedDate\"\n\"a%20b\",\"1\",\"\"\n\"c\",\"\",\"2026-11-22T01:00:00.000Z\"\n";
        assert_eq!((csv.code, csv.out.as_str()), (Some(0), wanted), "{csv:?}");
        let lines = stocktake(["cat", "--format", "ndjson", &path]);
        let again = place.generate_ndjson(&lines.out, &["--id", "again", "--replace", "--at", AT]);
        assert_eq!(again.summary()["rows"], 2);
        assert_eq!(lines.out, listing.replace("{\"Key\"", "{\"Bucket\":\"photos\",\"Key\""));
        stocktake(["cat", "--columns", "Shape", &path]).failed(2, &["the report has no column \"Shape\""]);
        stocktake(["cat", "--format", "ndjson", "--header", &path]).failed(2, &["--header is for --format csv"]);
    }
}

#[test]
fn statements_are_printed_for_each_engine() {
    let place = Place::new();
    for format in FORMATS {
        let ran = place
            .generate("synthetic:rows=20", &["--format", format, "--id", format, "--destination-bucket", "reports"]);
        let path = text(&manifest_path(&ran));
        let of = |engine: &str| stocktake(["ddl", "--for", engine, "--table", "t", &path]);
        assert!(of("athena").out.contains(&format!("LOCATION 's3://reports/synthetic/{format}/hive/'")));
        assert!(of("trino").out.contains("CREATE OR REPLACE VIEW t AS"));
        assert!(of("spark").out.contains("s3a://reports/synthetic/"));
        let duckdb = of("duckdb");
        if format == "orc" {
            duckdb.failed(1, &["DuckDB has no reader of ORC"]);
        } else {
            assert!(
                duckdb.out.contains(&format!("{}/synthetic/{format}/data/", place.destination().display())),
                "{duckdb:?}"
            );
        }
    }
}

#[test]
fn a_damaged_file_is_an_error_in_one_line_whatever_its_decoder_does() {
    let place = Place::new();
    let report = manifest_path(&place.generate("synthetic:rows=50", &["--format", "orc"]));
    let sound = manifest(&report);
    let name = place.destination().join(sound["files"][0]["key"].as_str().unwrap());
    let (whole, stated) = (fs::read(&name).unwrap(), sound["files"][0]["MD5checksum"].as_str().unwrap().to_owned());
    let manifest_text = fs::read_to_string(&report).unwrap();
    let mut gave_up = 0;
    for before_end in 11..36 {
        let mut bytes = whole.clone();
        let at = bytes.len() - before_end;
        bytes[at] ^= 0x40;
        fs::write(&name, &bytes).unwrap();
        let altered = manifest_text.replace(&stated, &stocktake::md5_hex(&bytes));
        fs::write(report.with_extension("checksum"), format!("{}\n", stocktake::md5_hex(altered.as_bytes()))).unwrap();
        fs::write(&report, altered).unwrap();
        let ran = stocktake([Path::new("cat"), &report]);
        assert!(ran.err.lines().count() <= 1, "{before_end}: {}", ran.err);
        gave_up += usize::from(ran.code == Some(1) && ran.err.contains(".orc: is damaged: "));
    }
    // What of it makes the decoder panic is for it to choose; in the footer much of it does.
    assert!(gave_up > 0);
}

#[test]
fn an_input_that_can_be_read_once_is_not_checked_before() {
    let place = Place::new();
    let pipe = place.path("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let written = pipe.clone();
    // Opened when the program opens the other end; nobody waits for a program that does not.
    std::thread::spawn(move || fs::write(written, b"{\"Key\":\"a\"}\n".repeat(10)));
    let ran = place.generate(scheme("ndjson:", &pipe), &["--bucket", "photos", "--check-order"]);
    ran.failed(2, &["--check-order does not apply to a source that can be read only once"]);
}
