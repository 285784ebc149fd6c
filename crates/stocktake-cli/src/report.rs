//! From the path of a manifest to a report that can be read.

use crate::exit::Failure;
use std::{path::Path, sync::Arc};
use stocktake::{LocalReport, ReportStore};
use stocktake_reader::Report;

/// Opens the report of a manifest; data files are looked for as `verify` does.
///
/// # Errors
/// If there is no manifest, or it makes no report that can be read.
pub(crate) fn open(manifest: &Path, root: Option<&Path>) -> Result<Report, Failure> {
    let found = LocalReport::find(manifest, root).map_err(|error| Failure::of(&error))?;
    open_found(&found)
}

/// Opens a report that was found.
///
/// # Errors
/// If it cannot be read.
pub(crate) fn open_found(found: &LocalReport) -> Result<Report, Failure> {
    let store: Arc<dyn ReportStore> = Arc::new(found.store().clone());
    let files: Arc<dyn ReportStore> = Arc::new(found.files().clone());
    Report::open_with_files(&store, found.manifest(), &files)
        .map_err(|error| Failure::failed("the report cannot be read", &error))
}
