//! One data file: a magic number, row groups one after another, bloom filters, page index and footer.
//!
//! Row groups are written as they are, with their offsets moved; what closes the file is written by the `parquet` crate.

use crate::{
    chunk::{EncodedColumn, ParquetChunk},
    format::Shape,
};
use parquet::{
    errors::ParquetError,
    file::{
        metadata::{
            ColumnChunkMetaData, FileMetaData, KeyValue, ParquetMetaData, ParquetMetaDataBuilder,
            ParquetMetaDataWriter, RowGroupMetaData, SortingColumn,
        },
        page_index::{column_index::ColumnIndexMetaData, offset_index::OffsetIndexMetaData},
        writer::TrackedWrite,
    },
};
use std::{
    io::{self, Write},
    sync::Arc,
};
use stocktake_core::{AssembleError, Field, Order, ShardAssembler, ShardFacts, ShardWriter};

const MAGIC: &[u8; 4] = b"PAR1";

/// Most row groups of a file: their ordinal has 16 bits.
const ROW_GROUPS_MAX: usize = i16::MAX as usize;

/// Metadata of an open file, in bytes, at which it is closed: a page index and footer are made of it once more at the end.
const METADATA_BYTES_MAX: usize = 8 << 20;

/// About what is kept of a column chunk, of a page, and of the bounds of a page.
const COLUMN_METADATA_BYTES: usize = 1536;
const PAGE_METADATA_BYTES: usize = 128;
const BOUNDS_METADATA_BYTES: usize = 512;

/// Version of the file's format: 1, as S3's own files have it; pages of version 2 are allowed in it.
const FORMAT_VERSION: i32 = 1;

/// Writes one Parquet file of any number of row groups.
#[derive(Debug)]
pub struct ParquetAssembler {
    shape: Arc<Shape>,
    writer: ShardWriter,
    row_groups: Vec<RowGroupMetaData>,
    column_indexes: Vec<Vec<ColumnIndexMetaData>>,
    offset_indexes: Vec<Vec<OffsetIndexMetaData>>,
    metadata_bytes: usize,
}

impl ParquetAssembler {
    pub(crate) fn new(shape: Arc<Shape>, writer: ShardWriter) -> Self {
        Self {
            shape,
            writer,
            row_groups: Vec::new(),
            column_indexes: Vec::new(),
            offset_indexes: Vec::new(),
            metadata_bytes: 0,
        }
    }

    fn begin(&mut self) -> Result<(), AssembleError> {
        if self.writer.size_bytes() == 0 {
            self.writer.write_all(MAGIC)?;
        }
        Ok(())
    }

    /// Where the next byte will stand.
    fn position(&self) -> i64 {
        // A file is far below 2^63 bytes.
        i64::try_from(self.writer.size_bytes()).unwrap_or(i64::MAX)
    }

    fn row_group(&mut self, chunk: &ParquetChunk, start: i64) -> Result<RowGroupMetaData, AssembleError> {
        let mut columns = Vec::with_capacity(chunk.columns.len());
        for column in &chunk.columns {
            let mut metadata = moved(column, start).map_err(unwritable)?;
            if let Some(filter) = &column.bloom_filter {
                let at = self.position();
                filter.write(&mut self.writer).map_err(unwritable)?;
                let length = i32::try_from(self.position() - at).unwrap_or(i32::MAX);
                let builder = metadata.into_builder();
                metadata = builder
                    .set_bloom_filter_offset(Some(at))
                    .set_bloom_filter_length(Some(length))
                    .build()
                    .map_err(unwritable)?;
            }
            columns.push(metadata);
        }
        let uncompressed = columns.iter().map(|column| column.uncompressed_size()).sum();
        RowGroupMetaData::builder(Arc::clone(&self.shape.schema))
            .set_num_rows(i64::try_from(chunk.rows).unwrap_or(i64::MAX))
            .set_total_byte_size(uncompressed)
            .set_sorting_columns(self.sorting_columns())
            .set_ordinal(i16::try_from(self.row_groups.len()).unwrap_or(i16::MAX))
            .set_file_offset(start)
            .set_column_metadata(columns)
            .build()
            .map_err(unwritable)
    }

    fn sorting_columns(&self) -> Option<Vec<SortingColumn>> {
        let key = self.shape.fields.iter().position(|field| field == Field::Key)?;
        let column_idx = i32::try_from(key).ok()?;
        (self.shape.order == Order::Sorted)
            .then(|| vec![SortingColumn { column_idx, descending: false, nulls_first: false }])
    }
}

impl ShardAssembler for ParquetAssembler {
    type Chunk = ParquetChunk;

    fn append(&mut self, chunk: &ParquetChunk) -> Result<(), AssembleError> {
        if chunk.rows == 0 {
            return Ok(());
        }
        if self.row_groups.len() >= ROW_GROUPS_MAX {
            return Err(AssembleError::limit(format!(
                "a Parquet file has at most {ROW_GROUPS_MAX} row groups: chunks of more rows, or a smaller target size, keep below"
            )));
        }
        self.begin()?;
        let start = self.position();
        self.writer.write_all(chunk.bytes.as_slice())?;
        let row_group = self.row_group(chunk, start)?;
        self.row_groups.push(row_group);
        self.column_indexes.push(chunk.columns.iter().map(|column| column.column_index.clone()).collect());
        let offsets = chunk.columns.iter().map(|column| {
            let mut index = column.offset_index.clone();
            index.page_locations.iter_mut().for_each(|page| page.offset += start);
            index
        });
        self.offset_indexes.push(offsets.collect());
        let kept = chunk.columns.iter().map(|column| {
            let indexed = !matches!(column.column_index, ColumnIndexMetaData::NONE);
            let page_bytes = PAGE_METADATA_BYTES + if indexed { BOUNDS_METADATA_BYTES } else { 0 };
            COLUMN_METADATA_BYTES + column.offset_index.page_locations.len() * page_bytes
        });
        self.metadata_bytes += kept.sum::<usize>();
        Ok(())
    }

    fn shard_bytes(&self) -> u64 {
        self.writer.size_bytes()
    }

    fn is_full(&self) -> bool {
        self.metadata_bytes >= METADATA_BYTES_MAX || self.row_groups.len() >= ROW_GROUPS_MAX
    }

    fn finish(mut self, facts: &ShardFacts) -> Result<ShardWriter, AssembleError> {
        self.begin()?;
        let rows = i64::try_from(facts.rows).unwrap_or(i64::MAX);
        let facts = [
            ("stocktake.report_id", facts.report_id.to_string()),
            ("stocktake.rows", facts.rows.to_string()),
            ("stocktake.first_key", facts.first_key.clone()),
            ("stocktake.last_key", facts.last_key.clone()),
        ];
        let facts = facts.map(|(name, value)| KeyValue::new(name.to_owned(), value));
        let created_by = Some(self.shape.created_by.clone());
        let schema = Arc::clone(&self.shape.schema);
        let file = FileMetaData::new(FORMAT_VERSION, rows, created_by, Some(facts.into()), schema, None);
        let mut metadata = ParquetMetaDataBuilder::new(file).set_row_groups(self.row_groups);
        if !self.column_indexes.is_empty() {
            metadata = metadata.set_column_index(Some(self.column_indexes)).set_offset_index(Some(self.offset_indexes));
        }
        let tail = tail_bytes(self.writer.size_bytes(), &metadata.build())?;
        self.writer.write_all(&tail)?;
        Ok(self.writer)
    }
}

/// A column chunk's metadata with offsets from the start of the file.
fn moved(column: &EncodedColumn, start: i64) -> Result<ColumnChunkMetaData, ParquetError> {
    let metadata = &column.metadata;
    metadata
        .clone()
        .into_builder()
        .set_dictionary_page_offset(metadata.dictionary_page_offset().map(|offset| offset + start))
        .set_data_page_offset(metadata.data_page_offset() + start)
        .build()
}

/// Page index and footer of a file whose data end at `position`.
fn tail_bytes(position: u64, metadata: &ParquetMetaData) -> Result<Vec<u8>, AssembleError> {
    let mut tail = Tail { skip: position, bytes: Vec::new() };
    let mut writer = TrackedWrite::new(&mut tail);
    // The metadata writer states positions by counting what went through it, and it counts from 0.
    let zeros = [0; 64 << 10];
    let mut left = position;
    while left > 0 {
        let part = left.min(zeros.len() as u64);
        writer.write_all(&zeros[..usize::try_from(part).unwrap_or(zeros.len())])?;
        left -= part;
    }
    ParquetMetaDataWriter::new_with_tracked(writer, metadata).finish().map_err(unwritable)?;
    Ok(tail.bytes)
}

/// Keeps what is written beyond the first `skip` bytes.
struct Tail {
    skip: u64,
    bytes: Vec<u8>,
}

impl Write for Tail {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(bytes.len());
        self.skip -= skipped as u64;
        self.bytes.extend_from_slice(&bytes[skipped..]);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn unwritable(error: ParquetError) -> AssembleError {
    AssembleError::from(io::Error::other(error))
}
