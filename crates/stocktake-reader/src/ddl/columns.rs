//! Columns of a report in the words of each engine.

use crate::report::Report;
use stocktake_core::{Field, FieldType, FileFormat};

/// A column with its types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DdlColumn {
    /// Name as ORC and Parquet have it, without what no engine takes unquoted.
    pub(super) name: String,
    pub(super) field: Option<Field>,
    /// Hive's and Spark's.
    pub(super) hive_type: String,
    pub(super) trino_type: String,
    pub(super) duckdb_type: &'static str,
}

/// The columns in file order.
pub(super) fn columns(report: &Report) -> Vec<DdlColumn> {
    let manifest = report.manifest();
    let parsed = manifest.file_format.parse_schema(&manifest.file_schema).unwrap_or_default();
    let column = |column: stocktake_core::SchemaColumn| {
        let name = column.field.map_or(column.name, |field| field.column_name().to_owned());
        let stated = column.column_type.unwrap_or_default();
        let hive_type = match column.field {
            Some(field) => hive_type(field.field_type()).to_owned(),
            None if manifest.file_format == FileFormat::Orc => stated,
            None => hive_type_of(&stated).to_owned(),
        };
        let (trino_type, duckdb_type) = match hive_type.as_str() {
            "string" => ("varchar".to_owned(), "VARCHAR"),
            "boolean" => ("boolean".to_owned(), "BOOLEAN"),
            "bigint" => ("bigint".to_owned(), "BIGINT"),
            "int" => ("integer".to_owned(), "INTEGER"),
            "double" => ("double".to_owned(), "DOUBLE"),
            "timestamp" => ("timestamp(3)".to_owned(), "TIMESTAMP WITH TIME ZONE"),
            other => (other.to_owned(), "VARCHAR"),
        };
        DdlColumn { name: name.replace(['`', '"', '\''], "_"), field: column.field, hive_type, trino_type, duckdb_type }
    };
    parsed.into_iter().map(column).collect()
}

fn hive_type(field_type: FieldType) -> &'static str {
    match field_type {
        FieldType::Boolean => "boolean",
        FieldType::Int64 => "bigint",
        FieldType::Int32 => "int",
        FieldType::Timestamp => "timestamp",
        _ => "string",
    }
}

/// Of the words of a Parquet schema; CSV has none, and texts.
fn hive_type_of(stated: &str) -> &'static str {
    let is = |word: &str| stated.contains(word);
    match stated {
        _ if is("TIMESTAMP") || is("int96") => "timestamp",
        _ if is("boolean") => "boolean",
        _ if is("int64") => "bigint",
        _ if is("int32") => "int",
        _ if is("double") => "double",
        _ if is("float") => "float",
        _ => "string",
    }
}
