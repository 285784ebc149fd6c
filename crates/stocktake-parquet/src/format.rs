//! The Parquet format: what encoders and assemblers of one report share.

use crate::{assembler::ParquetAssembler, chunk::ParquetChunk, encoder::ParquetEncoder, schema::schema_of};
use parquet::schema::types::SchemaDescriptor;
use std::sync::Arc;
use stocktake_core::{BucketName, FieldSet, Format, FormatOptions, Order, ParquetOptions, ShardWriter};

/// Parquet files of one report.
#[derive(Clone, Debug)]
pub struct ParquetFormat {
    shape: Arc<Shape>,
}

impl ParquetFormat {
    /// The format of a report of these columns, bucket and key included in any case.
    ///
    /// Rows are encoded as they come; with [`Order::Sorted`] the files declare that keys ascend, which the engine sees to.
    pub fn new(bucket: &BucketName, fields: FieldSet, order: Order, options: &ParquetOptions) -> Self {
        let fields = fields.union(FieldSet::REQUIRED);
        let revision = FormatOptions::Parquet(options.clone()).encoder_revision();
        Self {
            shape: Arc::new(Shape {
                bucket: bucket.as_str().to_owned(),
                fields,
                order,
                options: options.clone(),
                schema: Arc::new(schema_of(fields)),
                created_by: format!("stocktake version {revision}.0.0 (build {revision})"),
            }),
        }
    }
}

impl Format for ParquetFormat {
    type Chunk = ParquetChunk;
    type Encoder = ParquetEncoder;
    type Assembler = ParquetAssembler;

    fn encoder(&self) -> ParquetEncoder {
        ParquetEncoder::new(Arc::clone(&self.shape))
    }

    fn assembler(&self, writer: ShardWriter) -> ParquetAssembler {
        ParquetAssembler::new(Arc::clone(&self.shape), writer)
    }

    fn chunk_bytes(chunk: &ParquetChunk) -> usize {
        chunk.capacity_bytes()
    }
}

/// What shapes the files of a report.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) bucket: String,
    pub(crate) fields: FieldSet,
    pub(crate) order: Order,
    pub(crate) options: ParquetOptions,
    pub(crate) schema: Arc<SchemaDescriptor>,
    /// Follows from the encoder revision, as all bytes do; not from the version of the program.
    pub(crate) created_by: String,
}
