//! Parquet data files, read by the Arrow reader of the `parquet` crate.

use crate::properties::fault;
use arrow_array::{
    Array, ArrayRef, cast::AsArray, types::Int32Type, types::Int64Type, types::TimestampMillisecondType,
};
use bytes::Bytes;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::file::metadata::PageIndexPolicy;
use stocktake_core::{FieldSet, FieldType, Timestamp};

/// The texts of a data file's rows.
pub(super) fn rows_of(data: &[u8], fields: FieldSet) -> Result<Vec<Vec<String>>, String> {
    let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Required);
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(Bytes::copy_from_slice(data), options)
        .map_err(|error| fault("the footer")(&error))?;
    let names: Vec<&str> = builder.schema().fields().iter().map(|field| field.name().as_str()).collect();
    let wanted: Vec<&str> = fields.iter().map(|field| field.column_name()).collect();
    if names != wanted {
        return Err(format!("columns {names:?} instead of {wanted:?}"));
    }
    let mut rows = Vec::new();
    for batch in builder.build().map_err(|error| fault("parquet")(&error))? {
        let batch = batch.map_err(|error| fault("parquet")(&error))?;
        for row in 0..batch.num_rows() {
            let texts = fields.iter().zip(batch.columns()).map(|(field, column)| text(field.field_type(), column, row));
            rows.push(texts.collect::<Result<Vec<_>, _>>()?);
        }
    }
    Ok(rows)
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
