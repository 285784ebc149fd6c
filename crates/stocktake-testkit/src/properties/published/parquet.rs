//! Parquet data files, read by the Arrow reader of the `parquet` crate.

use super::arrow::push_rows;
use crate::properties::fault;
use bytes::Bytes;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::file::metadata::PageIndexPolicy;
use stocktake_core::FieldSet;

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
        push_rows(&batch, fields, &mut rows)?;
    }
    Ok(rows)
}
