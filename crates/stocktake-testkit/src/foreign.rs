//! Data files by writers that are not ours, column by column: what a test of a spelling reads must not come from the program
//! that reads it.

mod claims;

pub use claims::{Claim, KEYS_ALONE, orc_claims, parquet_claims, parquet_page_claim};

use crate::properties::fault;
use arrow_array::{
    ArrayRef, BooleanArray, Int32Array, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray,
};
use orc_rust::ArrowWriterBuilder;
use parquet::{
    basic::Compression,
    data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int32Type, Int64Type},
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::{parser::parse_message_type, types::Type},
};
use std::{io::Write, sync::Arc};

/// The values of a column, absent ones as none.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cells<'a> {
    /// Texts.
    Text(Vec<Option<&'a str>>),
    /// Booleans.
    Boolean(Vec<Option<bool>>),
    /// Numbers of 64 bits.
    Number(Vec<Option<i64>>),
    /// Numbers of 32 bits.
    SmallNumber(Vec<Option<i32>>),
    /// Times in milliseconds since 1970, without a zone in ORC.
    Time(Vec<Option<i64>>),
    /// As [`Cells::Time`], in ORC of its type that has the zone UTC.
    ZonedTime(Vec<Option<i64>>),
}

/// Texts in gzip, a member for each.
///
/// # Errors
/// None that are known: it writes into memory.
pub fn gzip_members(texts: &[&str]) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    for text in texts {
        let mut member = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        member.write_all(text.as_bytes()).map_err(|error| fault("gzip")(&error))?;
        bytes.extend(member.finish().map_err(|error| fault("gzip")(&error))?);
    }
    Ok(bytes)
}

/// A Parquet file of one row group whose columns are those of the message, compressed by Snappy; of none without a row.
///
/// # Errors
/// If the text is no message, or columns do not fit to it.
pub fn parquet_file(message: &str, columns: &[Cells<'_>]) -> Result<Vec<u8>, String> {
    let schema: Type = parse_message_type(message).map_err(|error| fault("the message")(&error))?;
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut writer = SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::new(properties))
        .map_err(|error| fault("the schema")(&error))?;
    if columns.iter().any(|cells| cells.rows() > 0) {
        let mut group = writer.next_row_group().map_err(|error| fault("a row group")(&error))?;
        for cells in columns {
            let column = group.next_column().map_err(|error| fault("a column")(&error))?;
            let mut column = column.ok_or("there are more columns than the message has")?;
            cells.write(column.untyped()).map_err(|error| fault("a column")(&error))?;
            column.close().map_err(|error| fault("a column")(&error))?;
        }
        group.close().map_err(|error| fault("a row group")(&error))?;
    }
    writer.into_inner().map_err(|error| fault("the footer")(&error))
}

/// An ORC file of one stripe; of none without a row.
///
/// # Errors
/// If columns have different numbers of rows.
pub fn orc_file(columns: &[(&str, Cells<'_>)]) -> Result<Vec<u8>, String> {
    let arrays = columns.iter().map(|(name, cells)| (*name, cells.array(), true));
    let batch = RecordBatch::try_from_iter_with_nullable(arrays).map_err(|error| fault("the columns")(&error))?;
    let mut bytes = Vec::new();
    let writer = ArrowWriterBuilder::new(&mut bytes, batch.schema()).try_build();
    let mut writer = writer.map_err(|error| fault("the schema")(&error))?;
    if batch.num_rows() > 0 {
        writer.write(&batch).map_err(|error| fault("a stripe")(&error))?;
    }
    writer.close().map_err(|error| fault("the footer")(&error))?;
    Ok(bytes)
}

impl Cells<'_> {
    fn rows(&self) -> usize {
        match self {
            Self::Text(cells) => cells.len(),
            Self::Boolean(cells) => cells.len(),
            Self::SmallNumber(cells) => cells.len(),
            Self::Number(cells) | Self::Time(cells) | Self::ZonedTime(cells) => cells.len(),
        }
    }

    fn write(
        &self,
        column: &mut parquet::column::writer::ColumnWriter<'_>,
    ) -> Result<(), parquet::errors::ParquetError> {
        use parquet::column::writer::ColumnWriter;
        match (self, column) {
            (Self::Text(cells), ColumnWriter::ByteArrayColumnWriter(writer)) => {
                let cells: Vec<_> =
                    cells.iter().map(|text| text.map(|text| ByteArray::from(text.as_bytes().to_vec()))).collect();
                put::<ByteArrayType>(&cells, writer)
            }
            (Self::Boolean(cells), ColumnWriter::BoolColumnWriter(writer)) => put::<BoolType>(cells, writer),
            (Self::SmallNumber(cells), ColumnWriter::Int32ColumnWriter(writer)) => put::<Int32Type>(cells, writer),
            (
                Self::Number(cells) | Self::Time(cells) | Self::ZonedTime(cells),
                ColumnWriter::Int64ColumnWriter(writer),
            ) => put::<Int64Type>(cells, writer),
            _ => Err(parquet::errors::ParquetError::General("the message has another type there".to_owned())),
        }
    }

    fn array(&self) -> ArrayRef {
        match self {
            Self::Text(cells) => Arc::new(StringArray::from(cells.clone())),
            Self::Boolean(cells) => Arc::new(BooleanArray::from(cells.clone())),
            Self::Number(cells) => Arc::new(Int64Array::from(cells.clone())),
            Self::SmallNumber(cells) => Arc::new(Int32Array::from(cells.clone())),
            Self::Time(cells) => Arc::new(TimestampMillisecondArray::from(cells.clone())),
            Self::ZonedTime(cells) => Arc::new(TimestampMillisecondArray::from(cells.clone()).with_timezone("UTC")),
        }
    }
}

/// Present values and, where the column may lack some, which rows have one.
fn put<T: DataType>(
    cells: &[Option<T::T>],
    writer: &mut parquet::column::writer::ColumnWriterImpl<'_, T>,
) -> Result<(), parquet::errors::ParquetError> {
    let present: Vec<T::T> = cells.iter().flatten().cloned().collect();
    let levels: Vec<i16> = cells.iter().map(|cell| i16::from(cell.is_some())).collect();
    let optional = writer.get_descriptor().max_def_level() > 0;
    writer.write_batch(&present, optional.then_some(&levels[..]), None).map(drop)
}
