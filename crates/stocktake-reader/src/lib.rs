//! Reads object-storage inventory reports back: those of Amazon S3 itself and those that Stocktake writes.
//!
//! A report is opened by its manifest, through a [`ReportStore`](stocktake_core::ReportStore). Its rows come as
//! [`ObjectBatch`](stocktake_core::ObjectBatch)es of the columns that are asked for, in the order of the manifest, while
//! several threads decode parts of files. Nothing is lost in silence: checksum, sizes, MD5 and numbers of rows are verified
//! as the files stream, and damage is a [`ReadError`] with file, row and column.
//!
//! - [`Report`]: a manifest, its columns and files. [`Report::read`] begins to read; [`Batches`] is what comes.
//! - [`verify_rows`]: re-reads every file and proves rows, digests, order, key ranges and non-overlap.
//! - [`insight`](fn@insight): what the rows say of the bucket: classes, ages, sizes, prefixes, copies; as tables, JSON or a page.
//! - [`Differences`]: what changed between two reports. [`ChangesSource`]: the same as the source of a report of its own.
//! - [`InventorySource`]: a report as the source of another one.
//! - [`RowWriter`]: rows as CSV or NDJSON text. [`ddl()`]: statements by which engines read a report in place.
//!
//! Memory: for each thread the columns of some thousand rows and the windows of a file that they are decoded from, and up to
//! [`BATCHES_AHEAD`] batches that wait; of an ORC file the wanted streams of a stripe are held compressed.
//!
//! ```
//! use std::sync::Arc;
//! use stocktake::{GenerateOptions, ReportSpec, ReportStore, destinations::MemoryDestination, generate};
//! use stocktake_core::{Field, FieldSet};
//! use stocktake_reader::{ReadOptions, Report};
//!
//! # let destination = MemoryDestination::new();
//! # let source: stocktake::sources::SyntheticSource = "rows=1000,seed=1".parse()?;
//! # let bucket = |name| stocktake::BucketName::try_new(name);
//! # let spec = ReportSpec::builder(bucket("photos")?, stocktake::ConfigurationId::try_new("daily")?, bucket("reports")?)
//! #     .with_fields(FieldSet::REQUIRED.with(Field::Size)).build()?;
//! # let manifest = generate(&source, &spec, &destination, &GenerateOptions::default())?.manifest_key;
//! let store: Arc<dyn ReportStore> = Arc::new(destination);
//! let report = Report::open(&store, &manifest)?;
//! let mut keys = 0;
//! for batch in report.read(&ReadOptions::default().with_fields(FieldSet::REQUIRED.with(Field::Size)))? {
//!     let batch = batch?;
//!     keys += (0..batch.rows.len()).filter(|row| !batch.rows.key(*row).is_empty()).count();
//! }
//! assert_eq!(keys, 1000);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What a manifest, rather than a checksum inside the file, vouches for is only as good as the MD5 check: CSV carries a
//! CRC-32, Parquet pages usually do, ORC carries nothing.

#[cfg(any(feature = "parquet", feature = "orc"))]
mod columnar;
#[cfg(any(feature = "parquet", feature = "orc"))]
mod contained;
#[cfg(feature = "csv")]
mod csv;
mod ddl;
mod diff;
mod error;
mod insight;
#[cfg(feature = "orc")]
mod orc;
mod order;
#[cfg(feature = "parquet")]
mod parquet;
mod part;
mod report;
mod source;
mod stored;
mod stream;
mod text;
mod value;
mod verify;
#[cfg(any(feature = "parquet", feature = "orc"))]
mod windows;

pub use ddl::{DdlError, Engine, ddl};
pub use diff::{
    ChangeKinds, ChangesSource, DiffOptions, DiffRow, DiffTotals, Difference, Differences, MovedObject, Tally,
};
pub use error::{ReadError, ReadErrorKind};
pub use insight::{
    Amount, ClassShare, Copies, DEPTH_MAX, Duplication, FieldShares, Finding, FindingKind, Insight, InsightOptions,
    LIST_MAX, ObjectFacts, PrefixRanking, Ranking, Share, TableStyle, insight,
};
pub use part::{FileBatch, UnknownColumn};
pub use report::{DataFile, ReadOptions, Report, ReportColumn};
pub use source::InventorySource;
pub use stream::{BATCHES_AHEAD, Batches};
pub use text::{RowWriter, TextFormat};
pub use value::Value;
pub use verify::{RowFault, RowFaultKind, RowsReport, verify_rows};
