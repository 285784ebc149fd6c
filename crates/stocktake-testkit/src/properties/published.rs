//! A published report in memory, read back by readers that we did not write.

mod arrow;
mod csv;
mod orc;
mod parquet;

use super::fault;
use stocktake::{ReportSummary, destinations::MemoryDestination};
use stocktake_core::{FormatOptions, Manifest, ReportKey, ReportSpec, checksum_text, md5_hex};

/// The rows of each data file, in the manifest's order: a text for each column, empty for an absent value.
///
/// # Errors
/// If the objects are not those of one sound report with this summary.
pub(super) fn files_of(
    destination: &MemoryDestination,
    summary: &ReportSummary,
    spec: &ReportSpec,
) -> Result<Vec<Vec<Vec<String>>>, String> {
    let objects = destination.objects();
    let object = |key: &str| {
        let key = ReportKey::try_new(key).map_err(|error| fault("a key of the report")(&error))?;
        objects.get(&key).ok_or_else(|| format!("{key} is not there"))
    };
    let manifest_text = object(summary.manifest_key.as_str())?;
    let checksum = object(&summary.manifest_key.as_str().replace("manifest.json", "manifest.checksum"))?;
    if **checksum != *checksum_text(manifest_text).as_bytes() {
        return Err("manifest.checksum is of another manifest".to_owned());
    }
    let manifest = Manifest::parse(manifest_text).map_err(|error| fault("the manifest")(&error))?;
    // Beside the data files: manifest, checksum, receipts, symlink.
    if objects.len() != manifest.files.len() + 4 {
        return Err(format!("{} objects for {} data files", objects.len(), manifest.files.len()));
    }
    let mut files = Vec::new();
    for file in &manifest.files {
        let data = object(&file.key)?;
        if (data.len() as u64, &md5_hex(data)) != (file.size, &file.md5_checksum) {
            return Err(format!("{} is not as the manifest says", file.key));
        }
        let rows = match spec.format() {
            FormatOptions::Csv(options) => csv::rows_of(data, spec.fields(), options),
            FormatOptions::Orc(_) => orc::rows_of(data, spec.fields()),
            FormatOptions::Parquet(_) => parquet::rows_of(data, spec.fields()),
            other => Err(format!("no reader for {other:?}")),
        };
        files.push(rows.map_err(|error| fault(&file.key)(&error))?);
    }
    let rows: usize = files.iter().map(Vec::len).sum();
    let bytes: u64 = manifest.files.iter().map(|file| file.size).sum();
    if (rows as u64, files.len() as u64, bytes) != (summary.rows, summary.files, summary.bytes) {
        return Err(format!("{rows} rows in {} files of {bytes} bytes: {summary:?}", files.len()));
    }
    if files.iter().any(Vec::is_empty) {
        return Err("a data file has no row".to_owned());
    }
    Ok(files)
}
