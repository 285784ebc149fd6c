//! Verifies a published report: everything that its manifest promises, and what stands beside the manifest.
//!
//! Verification names every fault, not only the first. It looks at bytes, sizes and digests; what the rows say is a
//! reader's business. It works on reports of any writer: checksum and data files are demanded, receipts.ndjson and
//! symlink.txt are checked where they are found.

mod companions;
mod files;
mod location;
mod report;

pub(crate) use companions::{ChecksumState, checksum_state, read_receipts};
pub use location::{LocalReport, ManifestLocation};
pub use report::{Fault, FaultKind, VerifyError, VerifyOptions, VerifyReport};

use std::path::Path;
use stocktake_core::{MANIFEST_VERSION, Manifest, Timestamp};

/// Verifies the report whose manifest stands at a local path.
///
/// `root` is the folder that stands for the destination bucket; without it, it is looked for above the manifest, as
/// [`LocalReport::find`] says.
///
/// # Errors
/// As [`verify`].
pub fn verify_path(manifest: &Path, root: Option<&Path>, options: &VerifyOptions) -> Result<VerifyReport, VerifyError> {
    verify(&LocalReport::find(manifest, root)?.location(), options)
}

/// Verifies the report of a manifest.
///
/// Faults stand in this order: those of checksum and manifest, those of data files in the manifest's order, those of
/// receipts, those of symlink.txt. Memory: the manifest and its companions, and 256 KiB for each thread.
///
/// # Errors
/// Only if the report cannot be looked at: the manifest is absent or unreadable, or the run is cancelled. A manifest
/// that is read and makes no sense is a fault of the report.
pub fn verify(location: &ManifestLocation<'_>, options: &VerifyOptions) -> Result<VerifyReport, VerifyError> {
    let mut report = VerifyReport::default();
    let text = location.read_manifest()?;
    companions::check_checksum(location, &text, &mut report)?;
    let manifest = match Manifest::parse(&text) {
        Ok(manifest) => manifest,
        Err(error) => {
            report.add(location.manifest(), FaultKind::Manifest, format!("the manifest cannot be read: {error}"));
            return Ok(report);
        }
    };
    check_manifest(location, &manifest, &mut report);
    report.files = manifest.files.len() as u64;
    // Sizes are whatever the manifest says, so the sum may leave its bounds.
    report.bytes = manifest.files.iter().fold(0, |sum: u64, file| sum.saturating_add(file.size));
    report.faults.append(&mut files::check_files(location.files(), &manifest, options)?);
    companions::check_receipts(location, &manifest, &mut report);
    companions::check_symlink(location, &manifest, &mut report);
    Ok(report)
}

/// Checks the members that have a rule of their own. (An unknown format does not parse.)
fn check_manifest(location: &ManifestLocation<'_>, manifest: &Manifest, report: &mut VerifyReport) {
    let mut fault = |detail: String| report.add(location.manifest(), FaultKind::Manifest, detail);
    if manifest.version != MANIFEST_VERSION {
        fault(format!("version is {:?} instead of {MANIFEST_VERSION:?}", manifest.version));
    }
    if created_at(manifest).is_none() {
        fault(format!("creationTimestamp {:?} is no count of milliseconds since 1970", manifest.creation_timestamp));
    }
    if destination_bucket(manifest).is_none() {
        fault(format!("destinationBucket {:?} is no name of a bucket after `:::`", manifest.destination_bucket));
    }
}

/// When the scan started.
pub(crate) fn created_at(manifest: &Manifest) -> Option<Timestamp> {
    manifest.creation_timestamp.parse().ok().and_then(|ms| Timestamp::try_from_ms(ms).ok())
}

/// Name of the destination bucket without the form of an ARN.
pub(crate) fn destination_bucket(manifest: &Manifest) -> Option<&str> {
    manifest.destination_bucket.split_once(":::").map(|(_, name)| name).filter(|name| !name.is_empty())
}

#[cfg(test)]
pub(crate) mod tests;
