//! A small object store that offers S3 Inventory by embedding Stocktake.
//!
//! The store keeps its metadata in a sorted map. It implements one trait over it and publishes a report into a directory.

use std::{collections::BTreeMap, num::NonZeroUsize, sync::Arc};
use stocktake::{
    BucketName, ConfigurationId, Execution, Field, FieldSelection, FieldSet, GenerateOptions, ObjectBatchBuilder,
    ObjectSource, ReportSpec, SourceError, Timestamp, Versions,
    destinations::LocalDestination,
    generate,
    sources::{RowsSource, SortedRows},
};

/// What the store knows of an object.
struct Metadata {
    size_bytes: u64,
    modified_ms: i64,
    e_tag: String,
    cold: bool,
}

/// The store: metadata by key. A real one has a database here.
#[derive(Clone)]
struct Store(Arc<BTreeMap<String, Metadata>>);

/// A walk through the store in key order. Rows borrow from the store: nothing is allocated for an object.
struct Walk {
    store: Store,
    after: Option<String>,
}

impl SortedRows for Walk {
    fn next_row(&mut self, batch: &mut ObjectBatchBuilder) -> Result<bool, SourceError> {
        let range = match &self.after {
            Some(key) => (std::ops::Bound::Excluded(key.clone()), std::ops::Bound::Unbounded),
            None => (std::ops::Bound::Unbounded, std::ops::Bound::Unbounded),
        };
        let Some((key, object)) = self.store.0.range(range).next() else { return Ok(false) };
        batch
            .row(key)
            .size(object.size_bytes)
            .last_modified_ms(object.modified_ms)
            .e_tag(&object.e_tag)
            .storage_class(if object.cold { "GLACIER" } else { "STANDARD" })
            .finish()?;
        self.after = Some(key.clone());
        Ok(true)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "target/embed-report".to_owned());
    let store = Store(Arc::new(
        (0..100_000u32)
            .map(|number| {
                let object = Metadata {
                    size_bytes: u64::from(number) * 37,
                    modified_ms: 1_790_000_000_000 + i64::from(number) * 1000,
                    e_tag: format!("{:032x}", u128::from(number) * 0x9E37_79B9_7F4A_7C15),
                    cold: number % 10 == 0,
                };
                (format!("photos/{:02x}/{number:06}.jpg", number % 256), object)
            })
            .collect(),
    ));

    let provides = FieldSet::from_iter([Field::Size, Field::LastModifiedDate, Field::ETag, Field::StorageClass]);
    let source = RowsSource::new(provides, Walk { store, after: None });
    let spec = ReportSpec::builder(
        BucketName::try_new("photos")?,
        ConfigurationId::try_new("daily")?,
        BucketName::try_new("reports")?,
    )
    .with_created_at(Timestamp::parse("2026-11-22T01:00:00Z")?)
    .with_fields(FieldSelection::Default.resolve(source.provides(), Versions::Current)?)
    .build()?;
    let threads = NonZeroUsize::new(2).ok_or("two is not zero")?;
    let options =
        GenerateOptions::new(Execution::default().with_threads(threads)).with_existing(stocktake::Existing::Replace);

    let report = generate(&source, &spec, &LocalDestination::try_new(&folder)?, &options)?;
    println!("{} rows in {} files: {folder}/{}", report.rows, report.files, report.manifest_key);
    Ok(())
}
