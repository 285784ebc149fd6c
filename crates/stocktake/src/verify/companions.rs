//! What stands beside a manifest: its checksum, the receipts, symlink.txt.

use super::{
    destination_bucket,
    files::told,
    location::ManifestLocation,
    report::{Fault, FaultKind, VerifyError, VerifyReport},
};
use std::collections::BTreeMap;
use stocktake_core::{Manifest, Receipt, ReceiptsHeader, ReportKey, md5_hex, parse_receipts};

/// 32 digits and a newline.
const CHECKSUM_BYTES: usize = 33;

/// How a manifest and its checksum stand to each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ChecksumState {
    Missing,
    Differs { stated: String, md5: String },
    Matches { bytes: usize },
}

/// Compares the checksum with the manifest's text.
pub(crate) fn checksum_state(
    location: &ManifestLocation<'_>,
    manifest: &[u8],
) -> Result<(ReportKey, ChecksumState), VerifyError> {
    let (key, checksum) = location.read_checksum()?;
    let md5 = md5_hex(manifest);
    let state = match checksum {
        None => ChecksumState::Missing,
        Some(text) => match String::from_utf8_lossy(text.trim_ascii()) {
            stated if stated.eq_ignore_ascii_case(&md5) => ChecksumState::Matches { bytes: text.len() },
            // Enough to show what it is; it may be anything of any length.
            stated => ChecksumState::Differs { stated: stated.chars().take(40).collect(), md5 },
        },
    };
    Ok((key, state))
}

pub(super) fn check_checksum(
    location: &ManifestLocation<'_>,
    manifest: &[u8],
    report: &mut VerifyReport,
) -> Result<(), VerifyError> {
    let (key, state) = checksum_state(location, manifest)?;
    match state {
        ChecksumState::Missing => {
            report.add(key, FaultKind::ChecksumMissing, "is not there; the report is not complete");
        }
        ChecksumState::Differs { stated, md5 } => {
            report.add(key, FaultKind::ChecksumDiffers, format!("says {stated:?}, the manifest has MD5 {md5}"));
        }
        ChecksumState::Matches { bytes: CHECKSUM_BYTES } => {}
        ChecksumState::Matches { bytes } => {
            report.notes.push(format!("{key}: has {bytes} bytes instead of {CHECKSUM_BYTES}; some readers refuse it"));
        }
    }
    Ok(())
}

/// Header and receipts of a report.
pub(crate) type Receipts = (ReceiptsHeader, Vec<Receipt>);

/// The receipts beside a manifest, if there are any; a fault if they cannot be read.
pub(crate) fn read_receipts(location: &ManifestLocation<'_>) -> Result<Option<Receipts>, Fault> {
    let Some(key) = location.receipts_key() else { return Ok(None) };
    let fault = |text: String| Fault::new(&key, FaultKind::Receipts, text);
    let text = location.read_beside(&key).map_err(|error| fault(told(&error)))?;
    text.map(|text| parse_receipts(&text)).transpose().map_err(|error| fault(error.to_string()))
}

pub(super) fn check_receipts(location: &ManifestLocation<'_>, manifest: &Manifest, report: &mut VerifyReport) {
    let (header, receipts) = match read_receipts(location) {
        Ok(None) => return,
        Ok(Some(receipts)) => receipts,
        Err(fault) => return report.faults.push(fault),
    };
    let Some(key) = location.receipts_key() else { return };
    let mut fault = |text: String| report.add(&key, FaultKind::Receipts, text);
    for receipt in receipts.iter().filter(|receipt| receipt.report_id != header.report_id) {
        fault(format!("shard {} of lane {} belongs to report {}", receipt.shard, receipt.lane, receipt.report_id));
    }
    let sum = |number: fn(&Receipt) -> u64| receipts.iter().map(number).fold(0, u64::saturating_add);
    let (rows, skipped) = (sum(|receipt| receipt.rows), sum(|receipt| receipt.skipped_entries));
    if header.rows != rows {
        fault(format!("its header says {} rows, its receipts have {rows}", header.rows));
    }
    if header.skipped_entries != skipped {
        fault(format!("its header says {} skipped entries, its receipts have {skipped}", header.skipped_entries));
    }
    compare_files(manifest, &receipts, &mut fault);
    if header.sorted {
        check_order(&receipts, &mut fault);
    }
    report.rows = Some(rows);
}

/// Each file of the manifest has one receipt with its size and MD5, and each receipt's file is in the manifest.
fn compare_files(manifest: &Manifest, receipts: &[Receipt], fault: &mut impl FnMut(String)) {
    let mut by_key = BTreeMap::new();
    for file in receipts.iter().filter_map(|receipt| receipt.file.as_ref()) {
        if by_key.insert(file.key.as_str(), file).is_some() {
            fault(format!("has more than one receipt of {}", file.key));
        }
    }
    let mut unclaimed = by_key.clone();
    for listed in &manifest.files {
        let key = listed.key.as_str();
        unclaimed.remove(key);
        match by_key.get(key) {
            None => fault(format!("has no receipt of {key}")),
            Some(file) if file.size_bytes != listed.size => {
                fault(format!("says {} bytes of {key}, the manifest {}", file.size_bytes, listed.size));
            }
            Some(file) if !file.md5.eq_ignore_ascii_case(&listed.md5_checksum) => {
                fault(format!("says MD5 {} of {key}, the manifest {}", file.md5, listed.md5_checksum));
            }
            Some(_) => {}
        }
    }
    for key in unclaimed.keys() {
        fault(format!("has a receipt of {key}, which the manifest does not list"));
    }
}

fn check_order(receipts: &[Receipt], fault: &mut impl FnMut(String)) {
    let mut before: Option<&str> = None;
    for receipt in receipts {
        let (Some(first), Some(last)) = (receipt.first_key.as_deref(), receipt.last_key.as_deref()) else { continue };
        if first > last || before.is_some_and(|before| before >= first) {
            fault(format!("shard {} of lane {} does not follow in key order", receipt.shard, receipt.lane));
        }
        before = Some(last);
    }
}

pub(super) fn check_symlink(location: &ManifestLocation<'_>, manifest: &Manifest, report: &mut VerifyReport) {
    // Without the bucket's name no line can be compared; that it is missing is a fault of the manifest.
    let Some(bucket) = destination_bucket(manifest) else { return };
    let Some(key) = location.symlink_key(manifest) else { return };
    let mut fault = |text: String| report.add(&key, FaultKind::Symlink, text);
    let text = match location.read_with_files(&key) {
        Ok(None) => return,
        Ok(Some(text)) => text,
        Err(error) => return fault(told(&error)),
    };
    let text = String::from_utf8_lossy(&text);
    let address = address(&text, manifest, bucket);
    // How often a line stands in the file, less how often its data file stands in the manifest.
    let mut lines: BTreeMap<String, i64> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        *lines.entry(line.to_owned()).or_default() += 1;
    }
    for file in &manifest.files {
        *lines.entry(format!("{address}/{}", file.key)).or_default() -= 1;
    }
    for (line, surplus) in lines {
        match surplus {
            0 => {}
            1.. => fault(format!("lists {line} {surplus} times more than the manifest")),
            _ => fault(format!("does not list {line}")),
        }
    }
}

/// What stands before keys in symlink.txt: by its first line, if that is an address of the bucket with whatever scheme engines have for
/// it (`gs://reports`, `abfss://reports@account.dfs.core.windows.net`), else S3's.
fn address(text: &str, manifest: &Manifest, bucket: &str) -> String {
    let line = text.lines().find(|line| !line.is_empty()).unwrap_or_default();
    let before_key = |key: &str| line.strip_suffix(key)?.strip_suffix('/');
    let found = manifest.files.iter().find_map(|file| before_key(&file.key));
    let of_bucket = |address: &&str| {
        let name = address.split_once("://").map(|(_, rest)| rest.split('@').next().unwrap_or_default());
        name == Some(bucket)
    };
    found.filter(of_bucket).map_or_else(|| format!("s3://{bucket}"), ToOwned::to_owned)
}
