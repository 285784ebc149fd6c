//! Record batches that a foreign reader made of a data file.

use crate::properties::fault;
use arrow_array::{
    Array, ArrayRef, RecordBatch, cast::AsArray, types::Int32Type, types::Int64Type, types::TimestampMillisecondType,
};
use stocktake_core::{FieldSet, FieldType, Timestamp};

/// Appends the texts of a batch's rows; absent values are empty.
pub(super) fn push_rows(batch: &RecordBatch, fields: FieldSet, rows: &mut Vec<Vec<String>>) -> Result<(), String> {
    for row in 0..batch.num_rows() {
        let texts = fields.iter().zip(batch.columns()).map(|(field, column)| text(field.field_type(), column, row));
        rows.push(texts.collect::<Result<Vec<_>, _>>()?);
    }
    Ok(())
}

fn text(field_type: FieldType, column: &ArrayRef, row: usize) -> Result<String, String> {
    let wrong = || format!("a column of {field_type:?} is read as {:?}", column.data_type());
    if column.is_null(row) {
        return Ok(String::new());
    }
    Ok(match field_type {
        FieldType::Boolean => column.as_boolean_opt().ok_or_else(wrong)?.value(row).to_string(),
        FieldType::Int64 => column.as_primitive_opt::<Int64Type>().ok_or_else(wrong)?.value(row).to_string(),
        FieldType::Int32 => column.as_primitive_opt::<Int32Type>().ok_or_else(wrong)?.value(row).to_string(),
        FieldType::Timestamp => {
            let ms = column.as_primitive_opt::<TimestampMillisecondType>().ok_or_else(wrong)?.value(row);
            Timestamp::try_from_ms(ms).map_err(|error| fault("a time")(&error))?.to_string()
        }
        _ => match column.as_string_opt::<i32>().ok_or_else(wrong)?.value(row) {
            "" => return Err("an empty text is not absent".to_owned()),
            text => text.to_owned(),
        },
    })
}
