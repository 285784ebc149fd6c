use crate::support::{FORMATS, Stored, gzip, key, threads};
use stocktake::FileFormat;
use stocktake_reader::ReadErrorKind;

fn csv(text: &str) -> Stored {
    Stored::of_files(FileFormat::Csv, "Bucket, Key, Size, LastModifiedDate", &[("b/id/data/1.csv.gz", gzip(&[text]))])
}

#[test]
fn a_row_that_makes_no_sense_is_named_with_its_column() {
    let good = "\"b\",\"k\",\"1\",\"2026-11-22T01:00:00.000Z\"\n";
    for (bad, words) in [
        ("\"b\",\"k\",\"x\",\"\"\n", "row 2, column Size: \"x\" is no whole number"),
        ("\"b\",\"k\",\"-1\",\"\"\n", "row 2, column Size: \"-1\" is no"),
        ("\"b\",\"k\",\"\",\"yesterday\"\n", "row 2, column LastModifiedDate: `yesterday` is no time"),
        ("\"b\",\"k%\",\"\",\"\"\n", "row 2, column Key: has a % without"),
        ("\"b\",\"k%FF\",\"\",\"\"\n", "row 2, column Key: is not UTF-8 from byte 2"),
        ("\"c\",\"k\",\"\",\"\"\n", "row 2, column Bucket: is \"c\", and the report's bucket is \"b\""),
        ("\"b\",\"\",\"\",\"\"\n", "row 2: Key of key \"\": a key has 1 to 1024 bytes"),
        ("\"b\",\"k\",\"\"\n", "row 2: has 3 fields, the manifest's fileSchema has 4"),
        ("\"b\",\"k\",\"\",\"\",\"\"\n", "row 2: has 5 fields"),
        ("\"b\",\"k\",\"1", "row 2: has 3 fields"),
    ] {
        let error = csv(&format!("{good}{bad}")).rows(&threads(1)).unwrap_err();
        assert_eq!(error.kind(), ReadErrorKind::Malformed, "{bad}");
        let text = error.to_string();
        assert!(text.starts_with(&format!("b/id/data/1.csv.gz, {words}")), "{text}");
    }
}

/// Bytes that are cut off, appended or changed, while sizes and MD5 in the manifest are those of the harm, are found by
/// what the format itself has; CSV's checksum finds all of it.
#[test]
fn files_that_were_cut_or_prolonged_are_refused() {
    for format in FORMATS {
        let stored = Stored::synthetic(format, 3000);
        let whole = stored.file(1);
        for length in [0, 1, 10, whole.len() / 2, whole.len() - 9, whole.len() - 1] {
            stored.replace_file(1, &whole[..length]);
            let error = stored.rows(&threads(2)).unwrap_err();
            assert_eq!(error.kind(), ReadErrorKind::Malformed, "{format:?} cut to {length} bytes: {error}");
            assert_eq!(error.file(), Some(stored.manifest().files[1].key.as_str()));
        }
        for tail in [&b"\0"[..], b"garbage", &whole[..20]] {
            stored.replace_file(1, &[&whole, tail].concat());
            assert!(stored.rows(&threads(2)).is_err(), "{format:?}");
        }
        stored.replace_file(1, &whole);
        assert!(stored.rows(&threads(2)).is_ok());
    }
}

#[test]
fn files_that_are_not_as_the_manifest_says_are_refused() {
    for format in FORMATS {
        let stored = Stored::synthetic(format, 3000);
        let (name, whole) = (key(&stored.manifest().files[1].key), stored.file(1));
        let mut changed = whole.clone();
        // A byte that no checksum of the format covers: of gzip's header, of a magic number that is not looked at.
        let at = if format == FileFormat::Csv { 4 } else { 0 };
        changed[at] ^= 1;
        stored.put(&name, &changed);
        let error = stored.rows(&threads(2)).unwrap_err();
        assert_eq!((error.kind(), error.file()), (ReadErrorKind::Differs, Some(name.as_str())), "{format:?}: {error}");
        assert!(error.to_string().contains("has MD5 "), "{error}");
        stored.put(&name, &whole[1..]);
        assert!(stored.rows(&threads(2)).unwrap_err().to_string().contains(" bytes, the manifest says "));
        stocktake::Destination::remove(&stored.destination, &name).unwrap();
        assert!(stored.rows(&threads(2)).unwrap_err().to_string().ends_with("is not there"));
    }
}

#[test]
fn a_file_that_is_listed_twice_is_not_read_twice() {
    let file = gzip(&["\"b\",\"k\",\"1\",\"\"\n"]);
    let files = [("b/id/data/1.csv.gz", file.clone()), ("b/id/data/1.csv.gz", file)];
    let stored = Stored::of_files(FileFormat::Csv, "Bucket, Key, Size, LastModifiedDate", &files);
    let error = stored.open().unwrap_err();
    assert_eq!((error.kind(), error.file()), (ReadErrorKind::Malformed, Some("b/id/data/1.csv.gz")));
    assert!(error.to_string().contains("is listed more than once"), "{error}");
}

#[test]
fn rows_before_a_damaged_file_come_first() {
    for format in FORMATS {
        let stored = Stored::synthetic(format, 3000);
        stocktake::Destination::remove(&stored.destination, &key(&stored.manifest().files[1].key)).unwrap();
        let report = stored.open().unwrap();
        let mut batches = report.read(&threads(3)).unwrap();
        let good =
            batches.by_ref().take_while(Result::is_ok).map(|batch| batch.unwrap().rows.len() as u64).sum::<u64>();
        assert_eq!(good, report.files()[0].receipt.as_ref().unwrap().rows, "{format:?}");
    }
}

#[test]
fn a_file_with_fewer_rows_than_its_receipt_is_refused() {
    for format in FORMATS {
        let (stored, other) = (Stored::synthetic(format, 3000), Stored::synthetic(format, 100));
        stored.replace_file(1, &other.file(0));
        let error = stored.rows(&threads(1)).unwrap_err();
        assert_eq!(error.kind(), ReadErrorKind::Differs);
        assert!(error.to_string().contains("has 100 rows, its receipt says"), "{error}");
    }
}

#[test]
fn a_file_of_another_format_is_refused() {
    for format in FORMATS {
        for other in FORMATS.into_iter().filter(|other| *other != format) {
            let stored = Stored::synthetic(format, 500);
            stored.replace_file(0, &Stored::synthetic(other, 500).file(0));
            assert_eq!(stored.rows(&threads(1)).unwrap_err().kind(), ReadErrorKind::Malformed, "{format:?} {other:?}");
        }
    }
}

#[test]
fn a_quote_that_is_never_closed_does_not_fill_memory() {
    let error = csv(&format!("\"b\",\"{}", "k".repeat(9 << 20))).rows(&threads(1)).unwrap_err();
    assert!(error.to_string().contains("row 1: has more than 4194304 bytes without an end"), "{error}");
}
