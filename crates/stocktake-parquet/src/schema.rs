//! The schema of a report: message `s3.inventory`, with converted and logical types both.

use parquet::{
    basic::{ConvertedType, LogicalType, Repetition, TimeUnit, Type as PhysicalType},
    errors::ParquetError,
    schema::types::{SchemaDescriptor, Type},
};
use std::sync::Arc;
use stocktake_core::{Field, FieldSet, FieldType};

/// Physical type of a field's values.
pub(crate) fn physical_type(field_type: FieldType) -> PhysicalType {
    match field_type {
        FieldType::Boolean => PhysicalType::BOOLEAN,
        FieldType::Int64 | FieldType::Timestamp => PhysicalType::INT64,
        FieldType::Int32 => PhysicalType::INT32,
        _ => PhysicalType::BYTE_ARRAY,
    }
}

/// The schema of a report with these columns.
pub(crate) fn schema_of(fields: FieldSet) -> SchemaDescriptor {
    match try_schema(fields) {
        Ok(schema) => schema,
        Err(error) => unreachable!("the table of fields has types that agree with each other: {error}"),
    }
}

fn try_schema(fields: FieldSet) -> Result<SchemaDescriptor, ParquetError> {
    let columns = fields.iter().map(|field| column(field).map(Arc::new)).collect::<Result<Vec<_>, _>>()?;
    let root = Type::group_type_builder("s3.inventory").with_fields(columns).build()?;
    Ok(SchemaDescriptor::new(Arc::new(root)))
}

fn column(field: Field) -> Result<Type, ParquetError> {
    let repetition = if field.info().required { Repetition::REQUIRED } else { Repetition::OPTIONAL };
    let (logical, converted) = match field.field_type() {
        FieldType::Text | FieldType::Code => (Some(LogicalType::String), ConvertedType::UTF8),
        FieldType::Timestamp => {
            let logical = LogicalType::timestamp(true, TimeUnit::MILLIS);
            (Some(logical), ConvertedType::TIMESTAMP_MILLIS)
        }
        _ => (None, ConvertedType::NONE),
    };
    Type::primitive_type_builder(field.column_name(), physical_type(field.field_type()))
        .with_repetition(repetition)
        .with_logical_type(logical)
        .with_converted_type(converted)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::schema::parser::parse_message_type;
    use stocktake_core::FileFormat;

    /// The manifest's text, read by the parser of the `parquet` crate, is the schema.
    #[test]
    fn the_schema_is_what_the_manifest_says() {
        let fields: FieldSet = Field::all().collect();
        let stated = parse_message_type(&FileFormat::Parquet.schema_text(fields)).unwrap();
        assert_eq!(schema_of(fields).root_schema(), &stated);
    }
}
