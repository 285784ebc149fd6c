//! ORC data files, read by orc-rust.

use crate::properties::fault;
use arrow_array::{
    Array, ArrayRef, cast::AsArray, types::Int32Type, types::Int64Type, types::TimestampMillisecondType,
};
use arrow_schema::{DataType, Schema, TimeUnit};
use bytes::Bytes;
use orc_rust::ArrowReaderBuilder;
use std::sync::Arc;
use stocktake_core::{FieldSet, FieldType, FileFormat, Timestamp};

/// The texts of a data file's rows.
pub(super) fn rows_of(data: &[u8], fields: FieldSet) -> Result<Vec<Vec<String>>, String> {
    let data = Bytes::copy_from_slice(data);
    let builder = ArrowReaderBuilder::try_new(data).map_err(|error| fault("the footer")(&error))?;
    let schema = builder.schema();
    let columns = schema_text(&schema);
    if columns != FileFormat::Orc.schema_text(fields) {
        return Err(format!("the schema is {columns}"));
    }
    // Nanoseconds, which the reader makes of times unless told otherwise, do not reach all years of reports.
    let millis = schema.fields().iter().map(|field| match field.data_type() {
        DataType::Timestamp(_, zone) => {
            let millis = DataType::Timestamp(TimeUnit::Millisecond, zone.clone());
            field.as_ref().clone().with_data_type(millis)
        }
        _ => field.as_ref().clone(),
    });
    let builder = builder.with_schema(Arc::new(Schema::new(millis.collect::<Vec<_>>())));
    let mut rows = Vec::new();
    for batch in builder.build() {
        let batch = batch.map_err(|error| fault("orc")(&error))?;
        for row in 0..batch.num_rows() {
            let texts = fields.iter().zip(batch.columns()).map(|(field, column)| text(field.field_type(), column, row));
            rows.push(texts.collect::<Result<Vec<_>, _>>()?);
        }
    }
    Ok(rows)
}

fn schema_text(schema: &Schema) -> String {
    let columns = schema.fields().iter().map(|field| {
        let orc_type = match field.data_type() {
            DataType::Utf8 => "string",
            DataType::Boolean => "boolean",
            DataType::Int64 => "bigint",
            DataType::Int32 => "int",
            DataType::Timestamp(_, None) => "timestamp",
            _ => "another type",
        };
        format!("{}:{orc_type}", field.name())
    });
    format!("struct<{}>", columns.collect::<Vec<_>>().join(","))
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
