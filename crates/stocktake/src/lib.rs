//! Generates object-storage inventory reports as Amazon S3 Inventory lays them out.
//!
//! A report is a flat list of every object, or object version, of a bucket with its metadata: sharded data files, a
//! `manifest.json` with the MD5 of every file, and a `manifest.checksum` that says that it is complete.
//!
//! A store that embeds this crate walks its metadata in key order and hands rows over; the rest is one call:
//!
//! ```
//! use stocktake::{
//!     BucketName, ConfigurationId, Field, FieldSet, GenerateOptions, ObjectBatchBuilder, ReportSpec, Timestamp,
//!     destinations::MemoryDestination, generate, sources::RowsSource,
//! };
//!
//! let mut objects = [("a.txt", 12, 1_790_000_000_000), ("b/c.txt", 7, 1_790_000_001_000)].into_iter();
//! let fields = FieldSet::REQUIRED.with(Field::Size).with(Field::LastModifiedDate);
//! let source = RowsSource::new(fields, move |batch: &mut ObjectBatchBuilder| {
//!     let Some((key, size, modified_ms)) = objects.next() else { return Ok(false) };
//!     batch.row(key).size(size).last_modified_ms(modified_ms).finish()?;
//!     Ok(true)
//! });
//! let bucket = |name| BucketName::try_new(name);
//! let spec = ReportSpec::builder(bucket("photos")?, ConfigurationId::try_new("daily")?, bucket("reports")?)
//!     .with_created_at(Timestamp::parse("2026-11-22T01:00:00Z")?)
//!     .with_fields(fields)
//!     .build()?;
//! let report = generate(&source, &spec, &MemoryDestination::new(), &GenerateOptions::default())?;
//! assert_eq!((report.rows, report.files), (2, 1));
//! assert_eq!(report.manifest_key.as_str(), "photos/daily/2026-11-22T01-00Z/manifest.json");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! - [`sources`]: a directory, NDJSON, Arrow files, a synthetic bucket, sorted rows of a program. [`ObjectSource`] is what a
//!   store implements that can be split into lanes and reopened.
//! - [`generate`]: plan, lanes, publication in one call. [`plan()`], [`write_lanes`] and [`commit`] are its steps, for several
//!   processes that write one report.
//! - [`Recovery`]: what a run keeps that ends early, so that it is carried on to the same report; [`resume_lanes`] for several
//!   processes, [`unfinished_runs`] and [`abandon`](fn@abandon) for what is given up.
//! - [`destinations`]: a local folder, memory. [`Destination`] is what another one implements.
//! - [`orc`]: ORC data files, over a writer that knows nothing of inventories.
//! - [`verify`](fn@verify) and [`inspect`](fn@inspect): a published report, checked and described. [`plan_prune`]: old ones, taken away.
//!
//! Bytes are a function of rows and [`ReportSpec`] alone; [`Execution`] never reaches them. Private memory stays below 64 MiB
//! and 48 MiB a thread for any number of rows.

pub mod destinations;
mod engine;
mod inspect;
#[cfg(feature = "orc")]
pub mod orc;
mod prune;
pub mod sources;
mod verify;

pub use engine::*;
pub use inspect::{InspectedField, Inspection, Spread, inspect, inspect_path};
pub use prune::{
    PlannedReport, PruneError, PruneOptions, PrunePlan, Pruned, PrunedConfiguration, ReportFate, plan_prune,
};
pub use stocktake_core::*;
pub use verify::{
    Fault, FaultKind, LocalReport, ManifestLocation, VerifyError, VerifyOptions, VerifyReport, verify, verify_path,
};
