//! Rows to row groups: column by column, each in the way that its field asks for.

use crate::{
    body::PageBody,
    chunk::{EncodedColumn, ParquetChunk},
    column::{
        PAGE_ROWS_MAX, PageLimits, TextField, TextKind, TextScratch, put_booleans, put_codes, put_constant,
        put_numbers, put_texts,
    },
    compress::Compressor,
    format::Shape,
    output::Output,
    page::{ColumnWriter, PageVersion},
    thrift::encoding,
};
use parquet::bloom_filter::Sbbf;
use std::sync::Arc;
use stocktake_core::{
    ChunkEncoder, Dispatch, EncodeError, Field, FieldType, Order, ParquetOptions, ParquetProfile, RowChunk,
};

/// Share of absent values that a bloom filter takes for present.
const BLOOM_FALSE_POSITIVES: f64 = 0.01;

/// Bytes that room is made for as long as nothing is known: of a row, and of a row and column.
const FIRST_ROW_BYTES: [usize; 2] = [64, 2];

/// Turns rows into row groups.
#[derive(Debug)]
pub struct ParquetEncoder {
    shape: Arc<Shape>,
    compressor: Compressor,
    buffers: Buffers,
    /// Bytes of the last row group, by which the room for the next is guessed.
    last_bytes: usize,
}

/// Buffers that are used again, without influence on bytes.
#[derive(Debug)]
struct Buffers {
    body: PageBody,
    page: Vec<u8>,
    texts: TextScratch,
    numbers: Vec<i64>,
    ranks: Vec<u16>,
}

impl ParquetEncoder {
    pub(crate) fn new(shape: Arc<Shape>) -> Self {
        let compressor = Compressor::new(&shape.options);
        let buffers = Buffers {
            body: PageBody::new(),
            page: Vec::new(),
            texts: TextScratch::default(),
            numbers: Vec::new(),
            ranks: Vec::new(),
        };
        Self { shape, compressor, buffers, last_bytes: 0 }
    }

    fn encode_column(
        &mut self,
        column: usize,
        field: Field,
        rows: &RowChunk,
        out: &mut Output,
    ) -> Result<EncodedColumn, EncodeError> {
        let Self { shape, compressor, buffers, .. } = self;
        let ways = Ways::of(&shape.options);
        let Buffers { body, page, texts, numbers, ranks } = buffers;
        let descriptor = shape.schema.column(column);
        let writer = |version| ColumnWriter::new(out, compressor, page, descriptor, version);
        Ok(match (field, field.field_type()) {
            (Field::Bucket, _) => put_constant(rows.len(), &shape.bucket, writer(ways.version), body),
            (_, FieldType::Text) => {
                let (kind, encoding, version) = match (field, shape.order) {
                    (Field::Key, Order::Sorted) => (TextKind::Ascending, ways.key, ways.key_version),
                    (Field::Key, _) => (TextKind::Alike, ways.key, ways.key_version),
                    _ => (TextKind::Random, ways.text, ways.version),
                };
                let bloom_filter =
                    shape.options.bloom_filters.contains(field).then(|| bloom_filter(field, rows)).flatten();
                let limits = ways.pages;
                let page_bytes = if kind == TextKind::Random { limits.random_bytes } else { limits.alike_bytes };
                let text = TextField { field, kind, encoding, page_bytes, bloom_filter };
                put_texts(rows, text, writer(version), body, texts)
            }
            (_, FieldType::Code) => put_codes(rows, field, ways.pages, writer(ways.version), body, ranks),
            (_, FieldType::Boolean) => put_booleans(rows, field, ways.pages.few_rows, writer(ways.version), body),
            (_, field_type) => {
                let encoding = if field_type == FieldType::Timestamp { ways.time } else { ways.count };
                let limits = (encoding, ways.pages.number_rows);
                put_numbers(rows, field, limits, writer(ways.version), body, numbers)?
            }
        })
    }
}

impl ChunkEncoder for ParquetEncoder {
    type Chunk = ParquetChunk;

    fn set_dispatch(&mut self, dispatch: Dispatch) {
        self.compressor.set_dispatch(dispatch);
    }

    fn encode(&mut self, rows: &RowChunk, into: &mut ParquetChunk) -> Result<(), EncodeError> {
        into.clear();
        if rows.is_empty() {
            return Ok(());
        }
        let [of_row, of_column] = FIRST_ROW_BYTES;
        let first_bytes = rows.len() * (of_row + of_column * self.shape.fields.iter().count());
        let expected_bytes = if self.last_bytes == 0 { first_bytes } else { self.last_bytes };
        into.bytes.expect(expected_bytes);
        for (column, field) in self.shape.fields.iter().enumerate() {
            let encoded = self.encode_column(column, field, rows, &mut into.bytes)?;
            into.columns.push(encoded);
        }
        into.rows = rows.len() as u64;
        self.last_bytes = into.bytes.len();
        Ok(())
    }
}

/// About thirty kilobytes of a key's page and of an ETag's, and less of the others, are what one key costs.
const SMALL_PAGES: PageLimits =
    PageLimits { alike_bytes: 64 << 10, random_bytes: 32 << 10, number_rows: 2048, few_rows: 16_384 };

/// ZSTD describes its codes at the start of each page, and its window is as long as these.
const LARGE_PAGES: PageLimits =
    PageLimits { alike_bytes: 126 << 10, random_bytes: 124 << 10, number_rows: 8192, few_rows: PAGE_ROWS_MAX };

/// Pages of which few are needed, where size matters most.
const LARGEST_PAGES: PageLimits =
    PageLimits { alike_bytes: 512 << 10, random_bytes: 512 << 10, number_rows: PAGE_ROWS_MAX, few_rows: PAGE_ROWS_MAX };

/// Encodings and pages of a profile.
struct Ways {
    version: PageVersion,
    key_version: PageVersion,
    key: i32,
    text: i32,
    count: i32,
    time: i32,
    pages: PageLimits,
}

impl Ways {
    fn of(options: &ParquetOptions) -> Self {
        // Who asks for a search wants small files.
        let pages = if options.level > 1 { LARGEST_PAGES } else { SMALL_PAGES };
        match options.profile {
            ParquetProfile::Delta => Self {
                version: PageVersion::V2,
                key_version: PageVersion::V1,
                key: encoding::PLAIN,
                text: encoding::DELTA_LENGTH_BYTE_ARRAY,
                count: encoding::DELTA_BINARY_PACKED,
                time: encoding::DELTA_BINARY_PACKED,
                pages,
            },
            ParquetProfile::Compact => Self {
                version: PageVersion::V2,
                key_version: PageVersion::V2,
                key: encoding::PLAIN,
                text: encoding::DELTA_LENGTH_BYTE_ARRAY,
                count: encoding::DELTA_BINARY_PACKED,
                time: encoding::DELTA_BINARY_PACKED,
                pages: LARGE_PAGES,
            },
            _ => Self {
                version: PageVersion::V1,
                key_version: PageVersion::V1,
                key: encoding::PLAIN,
                text: encoding::PLAIN,
                count: encoding::PLAIN,
                time: encoding::PLAIN,
                pages,
            },
        }
    }
}

/// A filter for the texts of a field, if it has any.
fn bloom_filter(field: Field, rows: &RowChunk) -> Option<Sbbf> {
    let texts = rows.segments().iter().map(|segment| match segment.column(field) {
        Some(stocktake_core::Column::Text(column)) => column.len() - column.absent(),
        _ => 0,
    });
    let texts = texts.sum::<usize>() as u64;
    // Within the limits of the format for any number of rows that a chunk can have.
    (texts > 0).then(|| Sbbf::new_with_ndv_fpp(texts, BLOOM_FALSE_POSITIVES).ok()).flatten()
}
