//! The CSV format: what encoders and assemblers of one report share.

use crate::{assembler::CsvAssembler, chunk::CsvChunk, encoder::CsvEncoder, page::put_quoted};
use std::sync::Arc;
use stocktake_core::{BucketName, CsvOptions, FieldSet, Format, ShardWriter};

/// Gzip-compressed CSV of one report.
#[derive(Clone, Debug)]
pub struct CsvFormat {
    dialect: Arc<Dialect>,
}

impl CsvFormat {
    /// The format of a report of these columns, bucket and key included in any case.
    ///
    /// A compression level beyond 1 to 9, which no [`ReportSpec`](stocktake_core::ReportSpec) lets pass, counts as the
    /// nearest of them.
    pub fn new(bucket: &BucketName, fields: FieldSet, options: &CsvOptions) -> Self {
        let mut prefix = Vec::new();
        put_quoted(bucket.as_str(), &mut prefix);
        prefix.extend_from_slice(b",\"");
        let fields = fields.union(FieldSet::REQUIRED);
        Self { dialect: Arc::new(Dialect { prefix, fields, options: options.clone() }) }
    }
}

impl Format for CsvFormat {
    type Chunk = CsvChunk;
    type Encoder = CsvEncoder;
    type Assembler = CsvAssembler;

    fn encoder(&self) -> CsvEncoder {
        CsvEncoder::new(Arc::clone(&self.dialect))
    }

    fn assembler(&self, writer: ShardWriter) -> CsvAssembler {
        CsvAssembler::new(writer)
    }

    fn chunk_bytes(chunk: &CsvChunk) -> usize {
        chunk.capacity_bytes()
    }
}

/// What shapes the text of a report, and its compression.
#[derive(Debug)]
pub(crate) struct Dialect {
    /// What every row begins with: the bucket's field, a comma, and the quote before the key.
    pub(crate) prefix: Vec<u8>,
    pub(crate) fields: FieldSet,
    pub(crate) options: CsvOptions,
}
