//! ORC data files, read by orc-rust.

use super::arrow::push_rows;
use crate::properties::fault;
use arrow_schema::{DataType, Schema, TimeUnit};
use bytes::Bytes;
use orc_rust::ArrowReaderBuilder;
use std::sync::Arc;
use stocktake_core::{FieldSet, FileFormat};

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
        push_rows(&batch, fields, &mut rows)?;
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
