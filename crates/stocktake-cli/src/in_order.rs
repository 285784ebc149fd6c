//! A report whose rows are in no order, written once more in order, to a folder that is gone afterwards.

use crate::{exit::Failure, interrupt::Interrupts};
use std::{num::NonZeroUsize, path::Path, sync::Arc};
use stocktake::{
    BucketName, ConfigurationId, Execution, FieldSet, FormatOptions, GenerateOptions, Order, ParquetOptions,
    ParquetProfile, ReportSpec, ReportStore, Versions,
    destinations::{LocalDestination, LocalStore},
    generate,
    sources::SortedSource,
};
use stocktake_reader::{InventorySource, Report};
use tempfile::TempDir;

/// A report in ascending order of its keys, and the folder that it lies in if it had to be written.
pub(crate) struct InOrder {
    pub(crate) report: Report,
    /// Removed when it is dropped, or by an interrupt.
    _folder: Option<TempDir>,
}

impl InOrder {
    /// A report as it is.
    pub(crate) fn as_it_is(report: Report) -> Self {
        Self { report, _folder: None }
    }

    /// The rows of a report in order: the report itself, if its receipts say that it is sorted.
    ///
    /// Memory: 40 MiB for the rows that are sorted at a time, and what writing a report with one thread takes.
    ///
    /// # Errors
    /// If the report cannot be read to its end, or the folder has no room for its rows.
    pub(crate) fn of(report: Report, temp_dir: &Path, interrupts: &Interrupts) -> Result<Self, Failure> {
        if report.header().is_some_and(|header| header.sorted) {
            return Ok(Self::as_it_is(report));
        }
        let unwritten = |error: &dyn std::error::Error| Failure::failed("the report cannot be put in order", error);
        let folder = tempfile::Builder::new().prefix("stocktake-in-order-").tempdir_in(temp_dir);
        let folder = folder.map_err(|error| unwritten(&error))?;
        interrupts.remove_at_exit(folder.path());
        let manifest = written(&report, temp_dir, folder.path())?;
        let store = LocalStore::try_new(folder.path()).map_err(|error| unwritten(&error))?;
        let store: Arc<dyn ReportStore> = Arc::new(store);
        let report = Report::open(&store, &manifest).map_err(|error| unwritten(&error))?;
        Ok(Self { report, _folder: Some(folder) })
    }
}

/// Writes the rows of a report in order to a folder.
fn written(report: &Report, temp_dir: &Path, folder: &Path) -> Result<stocktake::ReportKey, Failure> {
    let fault = |error: &dyn std::error::Error| Failure::failed("the report cannot be put in order", error);
    let fields = report.fields();
    let versioned = !fields.intersection(FieldSet::VERSION_FIELDS).is_empty();
    let mut parquet = ParquetOptions::default();
    // Quick to write and to read.
    parquet.profile = ParquetProfile::Delta;
    let name = |text: &str| BucketName::try_new(text).map_err(|error| fault(&error));
    let id = ConfigurationId::try_new("sorted").map_err(|error| fault(&error))?;
    let spec = ReportSpec::builder(name(&report.manifest().source_bucket)?, id, name("sorted")?)
        .with_format(FormatOptions::Parquet(parquet))
        .with_versions(if versioned { Versions::All } else { Versions::Current })
        .with_fields(fields.union(FieldSet::REQUIRED))
        // Rows that stand twice are the comparison's business.
        .with_order(Order::AsDelivered)
        .build()
        .map_err(|error| fault(&error))?;
    let source = SortedSource::new(InventorySource::new(report.clone())).with_temp_dir(temp_dir);
    let destination = LocalDestination::try_new(folder).map_err(|error| fault(&error))?;
    let options = GenerateOptions::new(Execution::default().with_threads(NonZeroUsize::MIN));
    Ok(generate(&source, &spec, &destination, &options)?.manifest_key)
}
