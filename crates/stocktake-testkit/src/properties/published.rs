//! A published report in memory, read back by readers that we did not write.

use super::fault;
use flate2::bufread::GzDecoder;
use std::io::Read;
use stocktake::{ReportSummary, destinations::MemoryDestination};
use stocktake_core::{Field, FieldSet, KeyEncoding, Manifest, ReportKey, checksum_text, md5_hex};

/// The records of each data file, in the manifest's order: texts in file order, keys still encoded.
///
/// # Errors
/// If the objects are not those of one sound report with this summary.
pub(super) fn files_of(
    destination: &MemoryDestination,
    summary: &ReportSummary,
    fields: FieldSet,
) -> Result<Vec<Vec<csv::StringRecord>>, String> {
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
        files.push(records(data, fields).map_err(|error| fault(&file.key)(&error))?);
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

fn records(data: &[u8], fields: FieldSet) -> Result<Vec<csv::StringRecord>, String> {
    let mut text = Vec::new();
    let mut member = GzDecoder::new(data);
    member.read_to_end(&mut text).map_err(|error| fault("gzip")(&error))?;
    if !member.into_inner().is_empty() {
        return Err("bytes stand behind the gzip member".to_owned());
    }
    if text.last().is_some_and(|last| *last != b'\n') {
        return Err("the last line has no end".to_owned());
    }
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&*text);
    let records: Vec<csv::StringRecord> =
        reader.records().collect::<Result<_, _>>().map_err(|error| fault("csv")(&error))?;
    match records.iter().find(|record| record.len() != fields.len()) {
        Some(record) => Err(format!("{} fields for {fields:?}: {record:?}", record.len())),
        None => Ok(records),
    }
}

/// The key of a record, decoded.
///
/// # Errors
/// If a character stands in it that must be encoded.
pub(super) fn key_of(record: &csv::StringRecord, encoding: KeyEncoding) -> Result<String, String> {
    let text = record.get(Field::Key.index()).unwrap_or("");
    let bad = || format!("key {text:?} is not encoded as it must be");
    let mut key = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        key.push(match byte {
            b'%' => {
                // Two upper-case digits, and never of a character that stands as it is.
                let digits = [bytes.next().ok_or_else(bad)?, bytes.next().ok_or_else(bad)?];
                let digits = std::str::from_utf8(&digits).map_err(|_| bad())?;
                let byte = u8::from_str_radix(digits, 16).map_err(|_| bad())?;
                let needless = is_plain(byte) || (byte == b' ' && encoding == KeyEncoding::Form);
                if needless || digits.bytes().any(|digit| !matches!(digit, b'0'..=b'9' | b'A'..=b'F')) {
                    return Err(bad());
                }
                byte
            }
            b'+' if encoding == KeyEncoding::Form => b' ',
            byte if is_plain(byte) => byte,
            _ => return Err(bad()),
        });
    }
    String::from_utf8(key).map_err(|_| bad())
}

/// `A-Z a-z 0-9 - _ . * /`, as the specification of the format has it.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.*/".contains(&byte)
}
