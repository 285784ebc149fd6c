use crate::support::{FORMATS, Stored, all_fields, read, rows_of_source, source, spec, threads};
use stocktake::{
    Field, FieldSet, FileFormat, FormatOptions, OrcCompression, OrcOptions, ParquetOptions, ParquetProfile,
};
use stocktake_reader::ReadOptions;
use stocktake_testkit::rows::Row;

const ROWS: u64 = 9_000;

#[test]
fn rows_come_back_in_order_with_any_number_of_threads() {
    let wanted = rows_of_source(&source(ROWS));
    for format in FORMATS {
        let stored = Stored::synthetic(format, ROWS);
        assert!(stored.manifest().files.len() > 3, "{format:?}");
        for count in [1, 2, 5] {
            let rows = stored.rows(&threads(count)).unwrap();
            assert_eq!(rows.len(), wanted.len());
            assert!(rows == wanted, "{format:?} with {count} threads");
        }
    }
}

#[test]
fn compressions_and_profiles_are_read() {
    let wanted = rows_of_source(&source(1500));
    let mut formats = Vec::new();
    for compression in [OrcCompression::None, OrcCompression::Snappy, OrcCompression::Zstd { level: 1 }] {
        let mut orc = OrcOptions::default();
        orc.compression = compression;
        formats.push(FormatOptions::Orc(orc));
    }
    for profile in [ParquetProfile::Delta, ParquetProfile::Compact] {
        let mut parquet = ParquetOptions::default();
        parquet.profile = profile;
        formats.push(FormatOptions::Parquet(parquet));
    }
    for format in formats {
        let spec = spec(FileFormat::Csv).with_format(format.clone()).build().unwrap();
        assert!(Stored::write(&source(1500), &spec).rows(&threads(2)).unwrap() == wanted, "{format:?}");
    }
}

#[test]
fn only_columns_that_are_asked_for_come() {
    let fields = FieldSet::EMPTY.with(Field::Size).with(Field::StorageClass);
    let wanted: Vec<Row> = rows_of_source(&source(2000)).into_iter().map(|row| row.project(fields)).collect();
    for format in FORMATS {
        let stored = Stored::synthetic(format, 2000);
        assert!(stored.rows(&threads(2).with_fields(fields)).unwrap() == wanted, "{format:?}");
    }
}

#[test]
fn batches_say_where_they_stood() {
    for format in FORMATS {
        let report = Stored::synthetic(format, ROWS).open().unwrap();
        let (mut file, mut next) = (0, 0);
        for batch in report.read(&threads(2)).unwrap() {
            let batch = batch.unwrap();
            if batch.file != file {
                assert_eq!(report.files()[file].receipt.as_ref().unwrap().rows, next);
                (file, next) = (file + 1, 0);
            }
            assert_eq!((batch.file, batch.first_row), (file, next));
            assert_eq!(batch.rows.origin().unwrap().number(0), next + 1);
            next += batch.rows.len() as u64;
        }
        assert_eq!(file + 1, report.files().len());
    }
}

#[test]
fn files_are_read_in_the_order_that_is_asked_for() {
    for format in FORMATS {
        let report = Stored::synthetic(format, ROWS).open().unwrap();
        let all = read(&report, &threads(1)).unwrap();
        let last = report.files().len() - 1;
        let rows = read(&report, &threads(2).with_files(vec![last, 0])).unwrap();
        let (of_last, of_first) =
            (report.files()[last].receipt.clone().unwrap(), report.files()[0].receipt.clone().unwrap());
        assert_eq!(rows.len() as u64, of_last.rows + of_first.rows);
        assert_eq!(
            (rows[0].key(), &rows[rows.len() - 1]),
            (&*of_last.first_key.unwrap(), &all[usize::try_from(of_first.rows).unwrap() - 1])
        );
        assert!(report.read(&threads(1).with_files(vec![last + 1])).unwrap().next().unwrap().is_err());
    }
}

#[test]
fn an_empty_report_has_no_rows() {
    for format in FORMATS {
        let stored = Stored::synthetic(format, 0);
        let report = stored.open().unwrap();
        assert_eq!((report.files().len(), report.fields()), (0, all_fields()));
        assert_eq!(stored.rows(&ReadOptions::default()).unwrap(), []);
        assert_eq!(report.files_by_first_key().unwrap(), Vec::<usize>::new());
    }
}

#[test]
fn a_reading_that_is_given_up_ends_its_threads() {
    for format in FORMATS {
        let report = Stored::synthetic(format, ROWS).open().unwrap();
        let mut batches = report.read(&threads(3)).unwrap();
        assert!(batches.next().unwrap().is_ok());
        drop(batches);
        let options = threads(2);
        let mut batches = report.read(&options).unwrap();
        options.cancel.cancel();
        assert!(batches.by_ref().any(|batch| batch.is_err()));
        assert!(batches.next().is_none());
    }
}
