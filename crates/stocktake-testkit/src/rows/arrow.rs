//! Rows as an Arrow IPC file, written by the writer of the Arrow project.

use super::{Row, Slicing, Value};
use arrow_array::{
    ArrayRef, BooleanArray, Int32Array, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray,
};
use arrow_ipc::writer::FileWriter;
use arrow_schema::ArrowError;
use std::sync::Arc;
use stocktake_core::{Field, FieldType};

/// An Arrow IPC file with a column for every field but the bucket, and a record batch for each slice of the rows.
///
/// # Errors
/// If Arrow's writer refuses the rows.
pub fn arrow_file(rows: &[Row], slicing: &Slicing) -> Result<Vec<u8>, ArrowError> {
    let mut file = Vec::new();
    let mut writer = FileWriter::try_new(&mut file, &record_batch(&[])?.schema())?;
    for range in slicing.ranges(rows.len()) {
        writer.write(&record_batch(&rows[range])?)?;
    }
    writer.finish()?;
    drop(writer);
    Ok(file)
}

fn record_batch(rows: &[Row]) -> Result<RecordBatch, ArrowError> {
    let column = |field: Field| (field.column_name(), column(field, rows), field != Field::Key);
    RecordBatch::try_from_iter_with_nullable(Field::all().filter(|field| *field != Field::Bucket).map(column))
}

fn column(field: Field, rows: &[Row]) -> ArrayRef {
    let ints = rows.iter().map(|row| match row.value(field) {
        Some(Value::Int(number)) => Some(*number),
        _ => None,
    });
    match field.field_type() {
        FieldType::Boolean => {
            let value = |row: &Row| row.value(field).map(|value| *value == Value::Bool(true));
            Arc::new(rows.iter().map(value).collect::<BooleanArray>())
        }
        FieldType::Int64 => Arc::new(ints.collect::<Int64Array>()),
        FieldType::Int32 => {
            Arc::new(ints.map(|number| number.and_then(|number| i32::try_from(number).ok())).collect::<Int32Array>())
        }
        FieldType::Timestamp => Arc::new(ints.collect::<TimestampMillisecondArray>().with_timezone("UTC")),
        _ => Arc::new(
            rows.iter().map(|row| Some(row.text(field)).filter(|text| !text.is_empty())).collect::<StringArray>(),
        ),
    }
}
