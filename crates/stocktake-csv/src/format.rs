//! The CSV format: what encoders and assemblers of one report share.

use crate::{
    assembler::CsvAssembler,
    chunk::CsvChunk,
    encoder::CsvEncoder,
    page::{Full, Page, put_quoted},
};
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
        let prefix = Prefix::new(prefix);
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
    pub(crate) prefix: Prefix,
    pub(crate) fields: FieldSet,
    pub(crate) options: CsvOptions,
}

/// Names of buckets have at most 63 bytes: theirs are copied as one block.
const PREFIX_BYTES: usize = 96;

/// What every row begins with.
#[derive(Debug)]
pub(crate) struct Prefix {
    text: Vec<u8>,
    /// The text, unless it is longer.
    block: [u8; PREFIX_BYTES],
}

impl Prefix {
    fn new(text: Vec<u8>) -> Self {
        let mut block = [0; PREFIX_BYTES];
        block.iter_mut().zip(&text).for_each(|(place, byte)| *place = *byte);
        Self { text, block }
    }

    #[inline(always)]
    pub(crate) fn put(&self, page: &mut Page<'_>) -> Result<(), Full> {
        if self.text.len() <= PREFIX_BYTES {
            return page.put_front(&self.block, self.text.len());
        }
        page.put(&self.text)
    }
}
