use crate::support::{FORMATS, Stored, gzip, rows_of_source, source, spec, threads};
use std::num::{NonZeroU32, NonZeroUsize};
use stocktake::{
    Execution, Field, FieldSet, FileFormat, GenerateOptions, ObjectKey, ObjectSource, Order, Versions,
    destinations::MemoryDestination, generate,
};
use stocktake_reader::InventorySource;
use stocktake_testkit::rows::Row;

fn source_of(stored: &Stored) -> InventorySource {
    InventorySource::new(stored.open().unwrap())
}

#[test]
fn a_report_converted_is_the_report_that_the_source_would_have_made() {
    for from in FORMATS {
        let stored = Stored::synthetic(from, 5000);
        for to in FORMATS {
            let spec = spec(to).build().unwrap();
            let (converted, direct) = (Stored::write(&source_of(&stored), &spec), Stored::write(&source(5000), &spec));
            for file in 0..direct.manifest().files.len() {
                assert!(converted.file(file) == direct.file(file), "{from:?} to {to:?}, file {file}");
            }
            assert_eq!(converted.manifest(), direct.manifest());
        }
    }
}

#[test]
fn lanes_begin_where_files_do() {
    for format in FORMATS {
        let stored = Stored::synthetic(format, 5000);
        let source = source_of(&stored);
        let plan = source.plan(NonZeroU32::new(3).unwrap()).unwrap();
        assert_eq!(plan.lanes().len(), 3);
        let destination = MemoryDestination::new();
        let options = GenerateOptions::new(Execution::default().with_threads(NonZeroUsize::new(2).unwrap()));
        let spec = spec(FileFormat::Parquet).build().unwrap();
        let options = options.with_lanes(NonZeroU32::new(3).unwrap());
        let summary = generate(&source, &spec, &destination, &options).unwrap();
        let lanes = Stored { destination, manifest: summary.manifest_key };
        assert!(lanes.rows(&threads(1)).unwrap() == stored.rows(&threads(1)).unwrap(), "{format:?}");
    }
}

#[test]
fn fields_versions_and_prefix_are_chosen_anew() {
    let stored = Stored::synthetic(FileFormat::Orc, 3000);
    let fields = FieldSet::REQUIRED.with(Field::Size);
    let all = rows_of_source(&source(3000));
    let prefix = &all[1500].key()[..2];
    let spec = spec(FileFormat::Csv).with_versions(Versions::Current).with_fields(fields).with_prefix(prefix);
    let converted = Stored::write(&source_of(&stored), &spec.build().unwrap());
    let wanted: Vec<Row> = all
        .iter()
        .filter(|row| row.is_current() && row.key().starts_with(prefix))
        .map(|row| row.clone().project(fields))
        .collect();
    assert!(!wanted.is_empty() && wanted.len() < 2000);
    assert!(converted.rows(&threads(1)).unwrap() == wanted);
}

#[test]
fn a_lane_is_reopened_behind_a_key() {
    for format in FORMATS {
        let stored = Stored::synthetic(format, 3000);
        let source = source_of(&stored);
        let all = rows_of_source(&source);
        let after = all[1700].key();
        let plan = source.plan(NonZeroU32::MIN).unwrap();
        let context = {
            let mut context =
                stocktake::ReadContext::new(stocktake::BucketName::try_new("b").unwrap(), source.provides());
            context.versions = Versions::All;
            context
        };
        let mut stream = source.open(&plan.lanes()[0], Some(&ObjectKey::try_new(after).unwrap()), &context).unwrap();
        let mut builder = stocktake::ObjectBatchBuilder::new(source.provides());
        assert!(stream.next_batch(&mut builder).unwrap());
        let wanted = all.iter().find(|row| row.key() > after).unwrap();
        assert_eq!(builder.finish().key(0), wanted.key());
    }
}

fn unsorted() -> Stored {
    let files = [
        ("b/id/data/1.csv.gz", gzip(&["\"b\",\"a\"\n\"b\",\"z\"\n\"b\",\"c\"\n"])),
        ("b/id/data/2.csv.gz", gzip(&["\"b\",\"b\"\n"])),
    ];
    Stored::of_files(FileFormat::Csv, "Bucket, Key", &files)
}

#[test]
fn an_unsorted_report_is_refused_with_its_row_or_taken_as_it_comes() {
    let spec = || spec(FileFormat::Orc).with_versions(Versions::Current).with_fields(FieldSet::REQUIRED);
    let error = generate(
        &source_of(&unsorted()),
        &spec().build().unwrap(),
        &MemoryDestination::new(),
        &GenerateOptions::default(),
    )
    .unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(
        cause.starts_with("b/id/data/1.csv.gz: row 3: the report is not sorted: key \"c\" comes after \"z\""),
        "{cause}"
    );
    let allowed = Stored::write(&source_of(&unsorted()), &spec().with_order(Order::AsDelivered).build().unwrap());
    assert_eq!(allowed.rows(&threads(1)).unwrap().iter().map(Row::key).collect::<Vec<_>>(), ["a", "z", "c", "b"]);
}

#[test]
fn a_report_of_another_bucket_is_refused() {
    let spec = spec(FileFormat::Csv);
    let other = stocktake::ReportSpec::builder(
        stocktake::BucketName::try_new("other").unwrap(),
        stocktake::ConfigurationId::try_new("id").unwrap(),
        stocktake::BucketName::try_new("d").unwrap(),
    );
    let stored = Stored::write(&source(10), &spec.build().unwrap());
    let error =
        generate(&source_of(&stored), &other.build().unwrap(), &MemoryDestination::new(), &GenerateOptions::default());
    assert!(
        std::error::Error::source(&error.unwrap_err())
            .unwrap()
            .to_string()
            .contains("is of the bucket \"b\", not of \"other\"")
    );
}
