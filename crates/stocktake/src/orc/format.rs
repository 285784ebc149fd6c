//! The ORC format: what encoders and assemblers of one report share.

use super::{OrcAssembler, OrcEncoder};
use std::sync::Arc;
use stocktake_core::{
    BucketName, Field, FieldSet, FieldType, Format, FormatOptions, OrcCompression, OrcOptions, ShardWriter,
};
use stocktake_orc::{ColumnHint, ColumnType, Compression, EncodedStripe, OrcSchema, WriterOptions};

/// ORC files of one report.
#[derive(Clone, Debug)]
pub struct OrcFormat {
    shape: Arc<Shape>,
}

impl OrcFormat {
    /// The format of a report of these columns, bucket and key included in any case.
    pub fn new(bucket: &BucketName, fields: FieldSet, options: &OrcOptions) -> Self {
        let fields = fields.union(FieldSet::REQUIRED);
        let columns = fields.iter().map(|field| (field.column_name().to_owned(), column_type(field)));
        let schema = match OrcSchema::try_new(columns.collect()) {
            Ok(schema) => schema,
            Err(error) => unreachable!("fields have names, and each its own: {error}"),
        };
        let options = writer_options(fields, options);
        Self { shape: Arc::new(Shape { bucket: bucket.as_str().to_owned(), fields, schema, options }) }
    }

    /// The schema of the files, as a manifest has it.
    pub fn schema_text(&self) -> String {
        self.shape.schema.to_string()
    }
}

impl Format for OrcFormat {
    type Chunk = EncodedStripe;
    type Encoder = OrcEncoder;
    type Assembler = OrcAssembler;

    fn encoder(&self) -> OrcEncoder {
        OrcEncoder::new(Arc::clone(&self.shape))
    }

    fn assembler(&self, writer: ShardWriter) -> OrcAssembler {
        OrcAssembler::new(&self.shape, writer)
    }

    fn chunk_bytes(chunk: &EncodedStripe) -> usize {
        chunk.capacity_bytes()
    }
}

/// What shapes the files of a report.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) bucket: String,
    pub(super) fields: FieldSet,
    pub(super) schema: OrcSchema,
    pub(super) options: WriterOptions,
}

fn column_type(field: Field) -> ColumnType {
    match field.field_type() {
        FieldType::Text | FieldType::Code => ColumnType::String,
        FieldType::Boolean => ColumnType::Boolean,
        FieldType::Int64 => ColumnType::BigInt,
        FieldType::Int32 => ColumnType::Int,
        FieldType::Timestamp => ColumnType::Timestamp,
        other => unreachable!("a field has one of the types above: {other:?}"),
    }
}

fn writer_options(fields: FieldSet, options: &OrcOptions) -> WriterOptions {
    let compression = match options.compression {
        OrcCompression::None => Compression::None,
        OrcCompression::Zlib { level } => Compression::Zlib { level },
        OrcCompression::Snappy => Compression::Snappy,
        OrcCompression::Zstd { level } => Compression::Zstd { level },
        other => unreachable!("compression is one of the above: {other:?}"),
    };
    // Follows from the encoder revision, as all bytes do; not from the version of the program.
    let revision = FormatOptions::Orc(options.clone()).encoder_revision();
    let mut writer =
        WriterOptions::default().with_compression(compression).with_software_version(format!("stocktake {revision}"));
    for field in fields.iter() {
        let hint = match field {
            Field::Key => ColumnHint::SortedText,
            Field::VersionId | Field::ETag => ColumnHint::RandomText,
            _ => continue,
        };
        writer = writer.with_hint(field.column_name(), hint);
        if options.bloom_filters.contains(field) {
            writer = writer.with_bloom_filter(field.column_name());
        }
    }
    writer
}
