//! A row group that does not know yet where in a file it will stand.

use crate::output::Output;
use parquet::{
    bloom_filter::Sbbf,
    file::{
        metadata::ColumnChunkMetaData,
        page_index::{column_index::ColumnIndexMetaData, offset_index::OffsetIndexMetaData},
    },
};

/// An encoded chunk: one row group, with offsets from its own start.
#[derive(Debug, Default)]
pub struct ParquetChunk {
    /// Pages of all columns, one after another.
    pub(crate) bytes: Output,
    pub(crate) columns: Vec<EncodedColumn>,
    pub(crate) rows: u64,
}

/// What the footer says of one column chunk.
#[derive(Debug)]
pub(crate) struct EncodedColumn {
    pub(crate) metadata: ColumnChunkMetaData,
    pub(crate) offset_index: OffsetIndexMetaData,
    pub(crate) column_index: ColumnIndexMetaData,
    pub(crate) bloom_filter: Option<Sbbf>,
}

impl ParquetChunk {
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.columns.clear();
        self.rows = 0;
    }

    /// Memory that the chunk holds, in bytes.
    pub(crate) fn capacity_bytes(&self) -> usize {
        let filters = self.columns.iter().filter_map(|column| column.bloom_filter.as_ref());
        self.bytes.capacity_bytes() + filters.map(|filter| filter.num_blocks() * 32).sum::<usize>()
    }
}
