//! Rows become a report, and the report's CSV files, read back, are the rows.

use super::{
    expected::expected_rows,
    published::{files_of, key_of},
    setup::{Setup, arbitrary_setup},
};
use crate::{rows::Row, source::MemorySource};
use arbitrary::Unstructured;
use stocktake::{GenerateErrorKind, GenerateOptions, destinations::MemoryDestination, generate};
use stocktake_core::{CsvOptions, Field, FormatOptions, NullVersion};

/// Rows that are generated as CSV come back from a gzip and a CSV reader value for value, and rows that a report cannot
/// hold are refused without a trace.
///
/// # Errors
/// Names the first value that differs.
pub fn csv_round_trip(bytes: &[u8]) -> Result<(), String> {
    let Ok(setup) = arbitrary_setup(&mut Unstructured::new(bytes)) else { return Ok(()) };
    let setup = setup?;
    let FormatOptions::Csv(options) = setup.spec.format() else { return Ok(()) };
    let source = MemorySource::new(setup.rows.clone(), setup.provides);
    let destination = MemoryDestination::new();
    let outcome = generate(&source, &setup.spec, &destination, &GenerateOptions::default());
    match (outcome, expected_rows(&setup)) {
        (Ok(summary), Ok(rows)) => {
            let files = files_of(&destination, &summary, setup.spec.fields())?;
            let records: Vec<_> = files.into_iter().flatten().collect();
            if records.len() != rows.len() {
                return Err(format!("{} rows instead of {}", records.len(), rows.len()));
            }
            rows.iter().zip(&records).try_for_each(|(row, record)| compare(&setup, options, row, record))
        }
        (Err(error), Err(_)) if matches!(error.kind(), GenerateErrorKind::Source(_)) => {
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

fn compare(setup: &Setup, options: &CsvOptions, row: &Row, record: &csv::StringRecord) -> Result<(), String> {
    for (found, field) in record.iter().zip(setup.spec.fields().iter()) {
        let (found, wanted) = match field {
            Field::Bucket => (found.to_owned(), setup.spec.source_bucket().to_string()),
            Field::Key => (key_of(record, options.key_encoding)?, row.key().to_owned()),
            Field::VersionId if row.version_id().is_empty() && options.null_version == NullVersion::Null => {
                (found.to_owned(), "null".to_owned())
            }
            _ => (found.to_owned(), row.text(field)),
        };
        if found != wanted {
            return Err(format!("{field} of key {:?} is {found:?} instead of {wanted:?}", row.key()));
        }
    }
    Ok(())
}
