use crate::support::{FORMATS, Stored, gzip, threads};
use stocktake::{FileFormat, sources::NdjsonSource};
use stocktake_reader::{Engine, RowWriter, TextFormat, ddl};

fn text(stored: &Stored, format: TextFormat, names: Option<&[&str]>) -> String {
    let report = stored.open().unwrap();
    let names: Option<Vec<String>> = names.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
    let writer = RowWriter::try_new(&report, format, names.as_deref()).unwrap();
    let mut out = Vec::new();
    for batch in report.read(&writer.options()).unwrap() {
        writer.write(&batch.unwrap(), &mut out);
    }
    String::from_utf8(out).unwrap()
}

/// What the CSV format writes is what `cat` prints, whatever the format of the report.
#[test]
fn csv_is_the_text_of_a_csv_report() {
    let mut files = String::new();
    let stored = Stored::synthetic(FileFormat::Csv, 2000);
    for file in 0..stored.manifest().files.len() {
        std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&*stored.file(file)), &mut files).unwrap();
    }
    for format in FORMATS {
        assert!(text(&Stored::synthetic(format, 2000), TextFormat::Csv, None) == files, "{format:?}");
    }
}

#[test]
fn ndjson_is_read_by_the_ndjson_source() {
    for format in FORMATS {
        let stored = Stored::synthetic(format, 2000);
        let lines = text(&stored, TextFormat::Ndjson, None);
        let source = NdjsonSource::try_from_reader("cat", std::io::Cursor::new(lines.into_bytes())).unwrap();
        let source = source.with_more_fields(crate::support::all_fields());
        assert!(crate::support::rows_of_source(&source) == stored.rows(&threads(1)).unwrap(), "{format:?}");
    }
}

#[test]
fn columns_are_chosen_by_either_name_and_unknown_ones_by_theirs() {
    let file = gzip(&["\"b\",\"a+\"\"b\",\"1\",\"re\"\"d\"\n"]);
    let stored = Stored::of_files(FileFormat::Csv, "Bucket, Key, Size, Colour", &[("b/id/data/1.csv.gz", file)]);
    assert_eq!(text(&stored, TextFormat::Csv, None), "\"b\",\"a%20%22b\",\"1\",\"re\"\"d\"\n");
    assert_eq!(text(&stored, TextFormat::Csv, Some(&["Colour", "size"])), "\"re\"\"d\",\"1\"\n");
    assert_eq!(text(&stored, TextFormat::Ndjson, None), "{\"Bucket\":\"b\",\"Key\":\"a \\\"b\",\"Size\":1}\n");
    assert_eq!(
        text(&stored, TextFormat::Ndjson, Some(&["key", "Colour"])),
        "{\"Key\":\"a \\\"b\",\"Colour\":\"re\\\"d\"}\n"
    );
    let report = stored.open().unwrap();
    let none = RowWriter::try_new(&report, TextFormat::Csv, Some(&["Shape".to_owned()])).unwrap_err();
    assert!(none.to_string().contains("has no column \"Shape\""));
    assert_eq!(
        RowWriter::try_new(&report, TextFormat::Csv, None).unwrap().header(),
        "\"Bucket\",\"Key\",\"Size\",\"Colour\"\n"
    );
}

#[test]
fn statements_name_the_files_of_this_report_only() {
    for format in FORMATS {
        let stored = Stored::synthetic(format, 2000);
        let report = stored.open().unwrap();
        let statement = |engine| ddl(&report, engine, "inventory", "s3://reports/");
        for engine in [Engine::Trino, Engine::Spark, Engine::DuckDb] {
            let Ok(text) = statement(engine) else {
                assert_eq!((engine, format), (Engine::DuckDb, FileFormat::Orc));
                continue;
            };
            for file in report.files() {
                assert!(text.contains(&format!("s3://reports/{}", file.key)), "{engine:?} {text}");
            }
        }
        let athena = statement(Engine::Athena).unwrap();
        assert!(athena.contains("LOCATION 's3://reports/b/id/hive/';"), "{athena}");
        assert!(athena.contains("PARTITION (`dt` = '2026-11-22-01-00');"), "{athena}");
        assert_eq!(athena.contains("`size` bigint"), format != FileFormat::Csv, "{athena}");
        assert!(ddl(&report, Engine::Athena, "a b", "s3://reports").is_err());
    }
}
