//! Says what a person wants to know of a report, without reading its data files.
//!
//! Everything comes from the manifest and what stands beside it. Reports of other writers have no receipts: what only
//! receipts tell is unknown then. Whether the data files are there and unharmed is for [`crate::verify`] to say.

mod table;

pub use stocktake_core::SchemaColumn as InspectedField;

use crate::verify::{
    ChecksumState, LocalReport, ManifestLocation, VerifyError, checksum_state, created_at, destination_bucket,
    read_receipts,
};
use serde::Serialize;
use std::path::Path;
use stocktake_core::{Field, FileFormat, Manifest, Partition, Receipt, ReceiptsHeader, ReportKey, Versions};

/// Most bytes of all data files together, as no file system or store has them.
const BYTES_MAX: u64 = i64::MAX.unsigned_abs();

/// What a manifest, its checksum and its receipts say of a report. Displays as a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Inspection {
    /// Key of the manifest.
    pub manifest: String,
    /// Whether manifest.checksum is there and matches: only then is the report complete.
    pub complete: bool,
    /// Name of the source bucket.
    pub source_bucket: String,
    /// Name of the destination bucket; as the manifest spells it if that is no ARN.
    pub destination_bucket: String,
    /// Prefix of the report in the destination bucket, empty for none, if keys tell.
    pub destination_prefix: Option<String>,
    /// Id of the inventory configuration, if keys tell.
    pub configuration_id: Option<String>,
    /// When the scan started, `yyyy-MM-ddTHH:mm:ss.SSSZ`; none if the manifest's number makes no time.
    pub created_at: Option<String>,
    /// Format of the data files.
    pub format: FileFormat,
    /// Columns in file order.
    pub fields: Vec<InspectedField>,
    /// Versions in the report, judged by its columns.
    pub versions: Versions,
    /// Number of data files.
    pub files: u64,
    /// Bytes of all data files.
    pub bytes: u64,
    /// Sizes of data files in bytes.
    pub file_bytes: Option<Spread>,
    /// Rows of all data files, if receipts tell.
    pub rows: Option<u64>,
    /// Rows of data files, if receipts tell.
    pub file_rows: Option<Spread>,
    /// Whether keys ascend over the whole report, if receipts tell.
    pub sorted: Option<bool>,
    /// First key of a sorted report, if receipts tell.
    pub first_key: Option<String>,
    /// Last key of a sorted report, if receipts tell.
    pub last_key: Option<String>,
    /// Entries that the source left out, if receipts tell.
    pub skipped_entries: Option<u64>,
    /// Ranges of keys that the source was listed in, if receipts tell of any.
    pub listed_ranges: Option<u64>,
    /// Requests that were answered for them.
    pub listing_requests: Option<u64>,
    /// Name and version of the program that wrote the report, if receipts tell.
    pub generator: Option<String>,
    /// What is wrong or unusual.
    pub notes: Vec<String>,
}

/// Smallest, mean and largest of some numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Spread {
    /// The smallest.
    pub smallest: u64,
    /// The mean, rounded down.
    pub mean: u64,
    /// The largest.
    pub largest: u64,
}

impl Spread {
    /// The spread of some numbers; none of none.
    fn of(numbers: impl Iterator<Item = u64> + Clone) -> Option<Self> {
        let (smallest, largest) = (numbers.clone().min()?, numbers.clone().max()?);
        let (count, sum) = numbers.fold((0u128, 0u128), |(count, sum), number| (count + 1, sum + u128::from(number)));
        // A mean is no larger than the largest.
        Some(Self { smallest, mean: u64::try_from(sum / count).unwrap_or(largest), largest })
    }
}

/// Inspects the report whose manifest stands at a local path.
///
/// # Errors
/// As [`inspect`].
pub fn inspect_path(manifest: &Path, root: Option<&Path>) -> Result<Inspection, VerifyError> {
    inspect(&LocalReport::find(manifest, root)?.location())
}

/// Inspects the report of a manifest.
///
/// # Errors
/// If the manifest is absent, unreadable or no manifest, lists what can be no data files, or its checksum cannot be read.
pub fn inspect(location: &ManifestLocation<'_>) -> Result<Inspection, VerifyError> {
    let text = location.read_manifest()?;
    let (checksum_key, checksum) = checksum_state(location, &text)?;
    let manifest = Manifest::parse(&text)
        .map_err(|error| VerifyError::because(format!("{} is no manifest", location.manifest()), error))?;
    check_files(&manifest)
        .map_err(|error| VerifyError::because(format!("{} is no manifest of a report", location.manifest()), error))?;
    let mut inspection = of_manifest(location, &manifest);
    match checksum {
        ChecksumState::Matches { .. } => inspection.complete = true,
        ChecksumState::Missing => inspection.notes.push(format!("{checksum_key} is not there")),
        ChecksumState::Differs { .. } => inspection.notes.push(format!("{checksum_key} does not match the manifest")),
    }
    match read_receipts(location) {
        Ok(None) => {}
        Ok(Some((header, receipts))) => add_receipts(&mut inspection, header, &receipts),
        Err(fault) => inspection.notes.push(format!("{} cannot be read: {}", fault.key, fault.detail)),
    }
    Ok(inspection)
}

/// What a manifest lists must be objects that there can be: what is said of others would be untrue.
fn check_files(manifest: &Manifest) -> Result<(), VerifyError> {
    let mut bytes = 0u64;
    for file in &manifest.files {
        ReportKey::try_foreign(file.key.as_str())
            .map_err(|error| VerifyError::because("it lists a data file without a key of one", error))?;
        bytes = bytes.saturating_add(file.size);
        if bytes > BYTES_MAX {
            let text = format!("it lists more than {BYTES_MAX} bytes up to {:?}, which has {}", file.key, file.size);
            return Err(VerifyError::new(text));
        }
    }
    Ok(())
}

fn of_manifest(location: &ManifestLocation<'_>, manifest: &Manifest) -> Inspection {
    let mut notes = Vec::new();
    let fields = manifest.file_format.parse_schema(&manifest.file_schema).unwrap_or_else(|| {
        notes.push(format!("fileSchema is none of {}: {}", manifest.file_format.name(), manifest.file_schema));
        Vec::new()
    });
    let all_versions = fields.iter().any(|field| field.field == Some(Field::VersionId));
    let (destination_prefix, configuration_id) = match prefix_and_id(location, manifest) {
        Some((prefix, id)) => (Some(prefix), Some(id)),
        None => (None, None),
    };
    let sizes = manifest.files.iter().map(|file| file.size);
    Inspection {
        manifest: location.manifest().to_string(),
        complete: false,
        source_bucket: manifest.source_bucket.clone(),
        destination_bucket: destination_bucket(manifest).unwrap_or(&manifest.destination_bucket).to_owned(),
        destination_prefix,
        configuration_id,
        created_at: created_at(manifest).map(|time| time.to_string()),
        format: manifest.file_format,
        fields,
        versions: if all_versions { Versions::All } else { Versions::Current },
        files: manifest.files.len() as u64,
        bytes: sizes.clone().sum(),
        file_bytes: Spread::of(sizes),
        rows: None,
        file_rows: None,
        sorted: None,
        first_key: None,
        last_key: None,
        skipped_entries: None,
        listed_ranges: None,
        listing_requests: None,
        generator: None,
        notes,
    }
}

/// Prefix and configuration id from `[prefix/]BUCKET/ID`.
fn prefix_and_id(location: &ManifestLocation<'_>, manifest: &Manifest) -> Option<(String, String)> {
    let root = location.report_root(manifest)?;
    let (above, id) = root.rsplit_once('/')?;
    let prefix = above.strip_suffix(&manifest.source_bucket)?;
    // The bucket is a whole segment: nothing stands before it, or a slash.
    let prefix = if prefix.is_empty() { prefix } else { prefix.strip_suffix('/')? };
    Some((prefix.to_owned(), id.to_owned()))
}

fn add_receipts(inspection: &mut Inspection, header: ReceiptsHeader, receipts: &[Receipt]) {
    let with_file = receipts.iter().filter(|receipt| receipt.file.is_some());
    inspection.rows = Some(header.rows);
    inspection.file_rows = Spread::of(with_file.map(|receipt| receipt.rows));
    inspection.sorted = Some(header.sorted);
    if header.sorted {
        inspection.first_key = receipts.iter().find_map(|receipt| receipt.first_key.clone());
        inspection.last_key = receipts.iter().rev().find_map(|receipt| receipt.last_key.clone());
    }
    inspection.skipped_entries = Some(header.skipped_entries);
    let partitions = || receipts.iter().flat_map(|receipt| &receipt.partitions);
    if partitions().next().is_some() {
        let sum = |number: fn(&Partition) -> u64| Some(partitions().map(number).fold(0, u64::saturating_add));
        inspection.listed_ranges = sum(|partition| partition.ranges);
        inspection.listing_requests = sum(|partition| partition.requests);
    }
    inspection.generator = Some(header.generator);
}

#[cfg(test)]
mod tests;
