//! What a report of rows must hold, worked out from the contract alone, without a look at the engine.

use super::setup::Setup;
use crate::rows::{Row, Value};
use std::collections::BTreeSet;
use stocktake_core::{Field, FieldSet, FieldType, FileFormat, UnknownValues, Versions};

/// The rows of the report in order, or why there must be none.
pub(super) fn expected_rows(setup: &Setup) -> Result<Vec<Row>, String> {
    let Setup { spec, provides, .. } = setup;
    let given: Vec<Row> = setup.rows.iter().map(|row| row.clone().project(*provides)).collect();
    if spec.unknown_values() == UnknownValues::Refuse {
        let odd = |row: &Row| spec.fields().iter().any(|field| is_odd(field, row));
        if let Some(row) = given.iter().find(|row| odd(row)) {
            return Err(format!("key {:?} has a value that S3 does not write", row.key()));
        }
    }
    let versions = provides.intersection(FieldSet::VERSION_FIELDS);
    let mut kept = given;
    match spec.versions() {
        Versions::Current => kept.retain(Row::is_current),
        Versions::All if versions.is_empty() => {
            for row in &mut kept {
                row.set(Field::IsLatest, Value::Bool(true));
                row.set(Field::IsDeleteMarker, Value::Bool(false));
            }
        }
        Versions::All => {}
    }
    kept.retain(|row| row.key().starts_with(spec.prefix().unwrap_or("")));
    let by_version = spec.versions() == Versions::All && versions.contains(Field::VersionId);
    let mut seen = BTreeSet::new();
    for row in &kept {
        // `null` is how some sources spell the null version, which has no id.
        let id = if by_version && row.version_id() != "null" { row.version_id() } else { "" };
        if !seen.insert((row.key(), id)) {
            return Err(format!("key {:?} stands twice", row.key()));
        }
    }
    let kept: Vec<Row> = kept.into_iter().map(|row| row.project(spec.fields())).collect();
    if spec.format().file_format() == FileFormat::Orc
        && let Some(row) = kept.iter().find(|row| spec.fields().iter().any(|field| is_unknown_to_orc(field, row)))
    {
        return Err(format!("key {:?} has a time that ORC cannot hold", row.key()));
    }
    Ok(kept)
}

/// Whether a field has a time less than a second before 1970, but not 1970.
fn is_unknown_to_orc(field: Field, row: &Row) -> bool {
    let text = row.text(field);
    field.field_type() == FieldType::Timestamp
        && text.starts_with("1969-12-31T23:59:59.")
        && text != "1969-12-31T23:59:59.000Z"
}

/// Whether a field with a closed set has a value outside of it.
fn is_odd(field: Field, row: &Row) -> bool {
    let (known, text) = (field.info().values, row.text(field));
    field.field_type() == FieldType::Code && !known.is_empty() && !text.is_empty() && !known.contains(&text.as_str())
}
