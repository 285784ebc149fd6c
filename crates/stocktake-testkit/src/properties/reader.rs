//! The reader over sound, damaged and arbitrary files: rows, or an error; never a panic, never other rows in silence.

use super::{
    expected::expected_rows,
    fault,
    setup::{Setup, arbitrary_setup},
};
use crate::{
    rows::{Row, Value, rows_of},
    source::MemorySource,
};
use arbitrary::Unstructured;
use std::{collections::BTreeSet, io::Write, sync::Arc};
use stocktake::{GenerateOptions, destinations::MemoryDestination, generate};
use stocktake_core::{
    Destination, Existing, Field, FieldSet, FileFormat, Manifest, ObjectAttributes, ReportKey, ReportStore,
    checksum_text, md5_hex,
};
use stocktake_reader::{ReadError, ReadErrorKind, ReadOptions, Report, verify_rows};

/// Rows of an arbitrary file that are read: a few bytes can stand for any number.
const ROWS_MAX: u64 = 100_000;

/// Manifest of arbitrary files.
const MANIFEST: &str = "b/id/2026-11-22T01-00Z/manifest.json";

/// A CSV data file of any bytes is read or refused; a changed one is refused unless its rows are the same.
///
/// # Errors
/// If reading panics, a sound file has other rows, or a damaged one has other rows and is not refused.
pub fn csv_reader_survives(bytes: &[u8]) -> Result<(), String> {
    reads_or_refuses(bytes, FileFormat::Csv)
}

/// As [`csv_reader_survives`], of an ORC data file.
///
/// # Errors
/// As [`csv_reader_survives`].
pub fn orc_reader_survives(bytes: &[u8]) -> Result<(), String> {
    reads_or_refuses(bytes, FileFormat::Orc)
}

/// As [`csv_reader_survives`], of a Parquet data file.
///
/// # Errors
/// As [`csv_reader_survives`].
pub fn parquet_reader_survives(bytes: &[u8]) -> Result<(), String> {
    reads_or_refuses(bytes, FileFormat::Parquet)
}

/// A file of any bytes is read or refused. A report is read as it was written; with bytes of a file changed it is refused by its
/// MD5, and when that is computed anew, by the file itself or by the digest of its rows, unless the rows are the same.
///
/// The first byte says which: below 64 the rest is a file, from there on it makes a report.
fn reads_or_refuses(bytes: &[u8], format: FileFormat) -> Result<(), String> {
    let Some((kind, rest)) = bytes.split_first() else { return Ok(()) };
    if *kind < 64 {
        return arbitrary_file(rest, format);
    }
    let mut u = Unstructured::new(rest);
    let Ok(damage) = damage(&mut u) else { return Ok(()) };
    let Ok(setup) = arbitrary_setup(&mut u, format) else { return Ok(()) };
    damaged_report(&setup?, &damage)
}

/// A file of these bytes: in a CSV report also inside of gzip, where a fuzzer would hardly find it.
fn arbitrary_file(bytes: &[u8], format: FileFormat) -> Result<(), String> {
    let fields = FieldSet::REQUIRED.union(FieldSet::VERSION_FIELDS).with(Field::Size);
    let fields = fields.with(Field::LastModifiedDate).with(Field::StorageClass);
    let mut files = vec![bytes.to_vec()];
    if format == FileFormat::Csv {
        let mut member = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        member.write_all(bytes).map_err(|error| fault("gzip")(&error))?;
        files.push(member.finish().map_err(|error| fault("gzip")(&error))?);
    }
    for file in files {
        let destination = MemoryDestination::new();
        put(&destination, "b/id/data/x", &file)?;
        let manifest = format!(
            r#"{{"sourceBucket":"b","destinationBucket":"arn:aws:s3:::d","version":"2016-11-30","creationTimestamp":"0",
            "fileFormat":"{}","fileSchema":{:?},"files":[{{"key":"b/id/data/x","size":{},"MD5checksum":"{}"}}]}}"#,
            format.name(),
            format.schema_text(fields),
            file.len(),
            md5_hex(&file)
        );
        put_manifest(&destination, MANIFEST, &manifest)?;
        let report = open(&destination, MANIFEST).map_err(|error| fault("the manifest is refused")(&error))?;
        let mut rows = 0;
        for batch in report.read(&ReadOptions::default()).map_err(|error| fault("threads")(&error))? {
            match batch {
                Ok(batch) => rows += batch.rows.len() as u64,
                Err(error) => refused(&error)?,
            }
            if rows > ROWS_MAX {
                break;
            }
        }
    }
    Ok(())
}

fn damaged_report(setup: &Setup, damage: &[(u16, u8)]) -> Result<(), String> {
    let destination = MemoryDestination::new();
    let source = MemorySource::new(setup.rows.clone(), setup.provides);
    // Rows that no report can hold are the business of another property.
    let Ok(summary) = generate(&source, &setup.spec, &destination, &GenerateOptions::default()) else { return Ok(()) };
    let name = summary.manifest_key.as_str();
    let wanted: Vec<Row> = expected_rows(setup)?.into_iter().map(without_null).collect();
    let read_of = |error: &dyn std::fmt::Display| format!("a sound report is refused: {error}");
    let read = rows_in(&destination, name).map_err(|error| read_of(&error))?;
    if read != wanted {
        return Err(format!("{} rows are read, {} were written", read.len(), wanted.len()));
    }
    let sound = verified(&destination, name)?;
    if !sound.is_empty() {
        return Err(format!("a sound report has the fault {}", sound[0]));
    }
    let text = destination.get(&summary.manifest_key).ok_or("the manifest is gone")?;
    let mut manifest = Manifest::parse(&text).map_err(|error| fault("the manifest")(&error))?;
    let Some(file) = manifest.files.first_mut() else { return Ok(()) };
    let key = ReportKey::try_new(file.key.clone()).map_err(|error| fault("a key")(&error))?;
    let mut bytes = destination.get(&key).ok_or("a data file is gone")?.to_vec();
    let whole = bytes.clone();
    harm(&mut bytes, damage);
    if bytes == whole {
        return Ok(());
    }
    put(&destination, &file.key, &bytes)?;
    match rows_in(&destination, name) {
        Ok(_) => return Err("a file with another MD5 or size is read".to_owned()),
        Err(error) => refused(&error)?,
    }
    (file.size, file.md5_checksum) = (bytes.len() as u64, md5_hex(&bytes));
    put_manifest(&destination, name, &manifest.to_text())?;
    if !verified(&destination, name)?.is_empty() {
        return Ok(());
    }
    match rows_in(&destination, name) {
        Ok(rows) if rows == wanted => Ok(()),
        Ok(rows) => Err(format!("{} other rows are found sound", rows.len())),
        Err(error) => Err(format!("a report that is found sound cannot be read: {error}")),
    }
}

/// The null version as the reader of CSV has it, however it was spelled.
pub(super) fn without_null(mut row: Row) -> Row {
    if row.version_id() == "null" {
        row.set(Field::VersionId, Value::Text(String::new()));
    }
    row
}

/// Bytes that are changed, counted from the end for even places, and from the front for odd ones; a value of 255 cuts there.
fn damage(u: &mut Unstructured<'_>) -> arbitrary::Result<Vec<(u16, u8)>> {
    let count = u.int_in_range(1..=4)?;
    (0..count).map(|_| u.arbitrary()).collect()
}

pub(super) fn harm(bytes: &mut Vec<u8>, damage: &[(u16, u8)]) {
    for (at, value) in damage {
        let (at, length) = (usize::from(*at), bytes.len());
        let place = if at % 2 == 0 { length.saturating_sub(1 + at / 2) } else { at / 2 };
        match bytes.get_mut(place) {
            Some(_) if *value == 255 => bytes.truncate(place),
            Some(byte) => *byte = *value,
            None => bytes.push(*value),
        }
    }
}

pub(super) fn open(destination: &MemoryDestination, manifest: &str) -> Result<Report, ReadError> {
    let store: Arc<dyn ReportStore> = Arc::new(destination.clone());
    let key = ReportKey::try_new(manifest).unwrap_or_else(|error| unreachable!("a key of the report: {error}"));
    Report::open(&store, &key)
}

pub(super) fn rows_in(destination: &MemoryDestination, manifest: &str) -> Result<Vec<Row>, ReadError> {
    let threads = ReadOptions::default().threads.saturating_add(1);
    let batches = open(destination, manifest)?.read(&ReadOptions::default().with_threads(threads))?;
    let batches = batches.collect::<Result<Vec<_>, _>>()?;
    Ok(batches.iter().flat_map(|batch| rows_of(&batch.rows)).map(without_null).collect())
}

/// Faults of a report's rows, of which damage may leave none.
pub(super) fn verified(destination: &MemoryDestination, manifest: &str) -> Result<Vec<String>, String> {
    let report = open(destination, manifest).map_err(|error| fault("the report cannot be opened")(&error))?;
    let checked = verify_rows(&report, &ReadOptions::default(), &BTreeSet::new());
    let checked = checked.map_err(|error| fault("verifying fails")(&error))?;
    Ok(checked.faults.iter().map(ToString::to_string).collect())
}

/// An error of a file is as it should be; a thread that was lost panicked.
fn refused(error: &ReadError) -> Result<(), String> {
    match error.kind() {
        ReadErrorKind::Malformed | ReadErrorKind::Differs | ReadErrorKind::Unsupported => Ok(()),
        _ => Err(format!("reading fails: {error}")),
    }
}

fn put(destination: &MemoryDestination, key: &str, bytes: &[u8]) -> Result<(), String> {
    let key = ReportKey::try_new(key).map_err(|error| fault("a key")(&error))?;
    let attributes = ObjectAttributes::new("application/octet-stream").with_existing(Existing::Replace);
    let mut object = destination.create(&key, &attributes).map_err(|error| fault("memory")(&error))?;
    object.write_all(bytes).map_err(|error| fault("memory")(&error))?;
    object.publish().map_err(|error| fault("memory")(&error))
}

fn put_manifest(destination: &MemoryDestination, key: &str, text: &str) -> Result<(), String> {
    put(destination, key, text.as_bytes())?;
    put(destination, &key.replace(".json", ".checksum"), checksum_text(text.as_bytes()).as_bytes())
}
