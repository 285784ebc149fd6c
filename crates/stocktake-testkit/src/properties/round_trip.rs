//! Rows become a report, and the report's data files, read back, are the rows.

use super::{
    expected::expected_rows,
    published::files_of,
    setup::{Setup, arbitrary_setup},
};
use crate::{rows::Row, source::MemorySource};
use arbitrary::Unstructured;
use stocktake::{GenerateErrorKind, GenerateOptions, destinations::MemoryDestination, generate};
use stocktake_core::{Field, FileFormat, FormatOptions, NullVersion};

/// Rows that are generated as CSV come back from a gzip and a CSV reader value for value, and rows that a report cannot
/// hold are refused without a trace.
///
/// # Errors
/// Names the first value that differs.
pub fn csv_round_trip(bytes: &[u8]) -> Result<(), String> {
    round_trip(bytes, FileFormat::Csv)
}

/// Rows that are generated as ORC come back from the reader of another project value for value, and rows that a report cannot
/// hold are refused without a trace.
///
/// # Errors
/// Names the first value that differs.
pub fn orc_round_trip(bytes: &[u8]) -> Result<(), String> {
    round_trip(bytes, FileFormat::Orc)
}

/// Rows that are generated as Parquet come back from the Arrow reader of another project value for value, and rows that a
/// report cannot hold are refused without a trace.
///
/// # Errors
/// Names the first value that differs.
pub fn parquet_round_trip(bytes: &[u8]) -> Result<(), String> {
    round_trip(bytes, FileFormat::Parquet)
}

fn round_trip(bytes: &[u8], format: FileFormat) -> Result<(), String> {
    let Ok(setup) = arbitrary_setup(&mut Unstructured::new(bytes), format) else { return Ok(()) };
    let setup = setup?;
    let source = MemorySource::new(setup.rows.clone(), setup.provides);
    let destination = MemoryDestination::new();
    let outcome = generate(&source, &setup.spec, &destination, &GenerateOptions::default());
    match (outcome, expected_rows(&setup)) {
        (Ok(summary), Ok(rows)) => {
            let files = files_of(&destination, &summary, &setup.spec)?;
            let records: Vec<_> = files.into_iter().flatten().collect();
            if records.len() != rows.len() {
                return Err(format!("{} rows instead of {}", records.len(), rows.len()));
            }
            rows.iter().zip(&records).try_for_each(|(row, record)| compare(&setup, row, record))
        }
        (Err(error), Err(_)) if matches!(error.kind(), GenerateErrorKind::Source(_) | GenerateErrorKind::Encode) => {
            let left: Vec<_> = destination.objects().into_keys().collect();
            if left.is_empty() { Ok(()) } else { Err(format!("a refused run left {left:?}")) }
        }
        (Err(error), Err(why)) => Err(format!("refused as {:?}, because {why}: {error}", error.kind())),
        (Ok(_), Err(why)) => Err(format!("taken, although {why}")),
        (Err(error), Ok(_)) => {
            let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            Err(format!("valid rows are refused: {error}: {cause}"))
        }
    }
}

fn compare(setup: &Setup, row: &Row, found: &[String]) -> Result<(), String> {
    for (found, field) in found.iter().zip(setup.spec.fields().iter()) {
        let wanted = match field {
            Field::Bucket => setup.spec.source_bucket().to_string(),
            Field::VersionId if row.version_id().is_empty() && null_is_spelled(setup.spec.format()) => {
                "null".to_owned()
            }
            _ => row.text(field),
        };
        if *found != wanted {
            return Err(format!("{field} of key {:?} is {found:?} instead of {wanted:?}", row.key()));
        }
    }
    Ok(())
}

/// Whether the null version has a text of its own.
fn null_is_spelled(format: &FormatOptions) -> bool {
    matches!(format, FormatOptions::Csv(options) if options.null_version == NullVersion::Null)
}
