//! Pages of one column chunk: levels and values become a header and a compressed body, and entries of the page index.

use crate::{
    chunk::EncodedColumn,
    column::PAGE_ROWS_MAX,
    compress::Compressor,
    levels::Levels,
    thrift::{Kind, Sizes, encoding, put_header},
};
use parquet::{
    basic::{BoundaryOrder, Encoding, PageType, Type},
    bloom_filter::Sbbf,
    data_type::ByteArray,
    errors::ParquetError,
    file::{
        metadata::{ColumnChunkMetaData, ColumnIndexBuilder, OffsetIndexBuilder, PageEncodingStats},
        page_index::column_index::ColumnIndexMetaData,
        statistics::Statistics,
    },
    schema::types::ColumnDescPtr,
};
use stocktake_codec::Layout;

/// Room before the values of a page for its definition levels, which are known last. A run of a few rows among packed
/// groups costs two bytes and a packed group one and its head: an eighth of the rows and half as much again at most.
const LEVELS_BYTES: usize = 8192;
const _: () = assert!(PAGE_ROWS_MAX / 8 * 3 / 2 <= LEVELS_BYTES);

/// Texts of at most so many bytes are copied as a block of that length, up to twice as long ones as two.
const BLOCK_BYTES: usize = 64;

/// Version of data pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PageVersion {
    /// Levels and values are compressed together.
    V1,
    /// Levels stand uncompressed before the values, which are compressed if that makes them shorter.
    V2,
}

/// Values of a page, behind room for its levels.
#[derive(Debug)]
pub(crate) struct PageBody {
    /// Room for levels, values up to `end`, and room for more.
    bytes: Vec<u8>,
    end: usize,
    /// What is made apart and appended as a whole.
    side: Vec<u8>,
    pub(crate) levels: Levels,
}

impl PageBody {
    pub(crate) fn new() -> Self {
        Self { bytes: vec![0; 2 * LEVELS_BYTES], end: LEVELS_BYTES, side: Vec::new(), levels: Levels::default() }
    }

    fn clear(&mut self) {
        self.end = LEVELS_BYTES;
        self.levels.clear();
    }

    /// Bytes of the values so far.
    #[inline]
    pub(crate) fn value_bytes(&self) -> usize {
        self.end - LEVELS_BYTES
    }

    /// Room for `length` bytes more, with two blocks to spare.
    #[inline]
    fn room(&mut self, length: usize) -> &mut [u8] {
        if self.bytes.len() < self.end + length + 2 * BLOCK_BYTES {
            self.grow(length);
        }
        &mut self.bytes[self.end..]
    }

    #[cold]
    fn grow(&mut self, length: usize) {
        self.bytes.resize((self.end + length + 2 * BLOCK_BYTES).max(2 * self.bytes.len()), 0);
    }

    /// Appends bytes.
    #[inline]
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        self.room(bytes.len())[..bytes.len()].copy_from_slice(bytes);
        self.end += bytes.len();
    }

    /// Appends `text[..length]`, or all of it if it is shorter; what follows in `text` speeds the copy up.
    #[inline]
    pub(crate) fn put_front(&mut self, text: &[u8], length: usize) {
        let room = self.room(length);
        if copy_blocks(text, length, room) {
            self.end += length;
        } else {
            self.put(&text[..length.min(text.len())]);
        }
    }

    /// Appends a text in PLAIN encoding: its length in four bytes, then `text[..length]`, as [`Self::put_front`] does.
    #[inline]
    pub(crate) fn put_plain(&mut self, text: &[u8], length: usize) {
        let stated = u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
        let room = self.room(4 + length);
        if let Some((head, rest)) = room.split_first_chunk_mut::<4>()
            && copy_blocks(text, length, rest)
        {
            *head = stated;
            self.end += 4 + length;
        } else {
            self.put(&stated);
            self.put(&text[..length.min(text.len())]);
        }
    }

    /// Appends numbers in PLAIN encoding, eight bytes each.
    pub(crate) fn put_words(&mut self, numbers: &[i64]) {
        let length = size_of_val(numbers);
        let (words, _) = self.room(length)[..length].as_chunks_mut();
        words.iter_mut().zip(numbers).for_each(|(word, number)| *word = number.to_le_bytes());
        self.end += length;
    }

    /// Puts what a function appends to a vector before the values, which move behind it.
    pub(crate) fn prepend(&mut self, put: impl FnOnce(&mut Vec<u8>)) {
        let value_bytes = self.value_bytes();
        self.put_with(put);
        let end = self.end;
        self.bytes[LEVELS_BYTES..end].rotate_left(value_bytes);
    }

    /// Appends what a function appends to a vector.
    pub(crate) fn put_with(&mut self, put: impl FnOnce(&mut Vec<u8>)) {
        let mut side = std::mem::take(&mut self.side);
        side.clear();
        put(&mut side);
        self.put(&side);
        self.side = side;
    }
}

/// Copies `text[..length]` in whole blocks, and bytes beyond it that do not matter; `false` if there are none, or if the
/// text is long.
#[inline]
fn copy_blocks(text: &[u8], length: usize, target: &mut [u8]) -> bool {
    if length <= BLOCK_BYTES
        && let (Some(from), Some(to)) = (text.first_chunk::<BLOCK_BYTES>(), target.first_chunk_mut::<BLOCK_BYTES>())
    {
        *to = *from;
        return true;
    }
    if length <= 2 * BLOCK_BYTES
        && let (Some(from), Some(to)) =
            (text.first_chunk::<{ 2 * BLOCK_BYTES }>(), target.first_chunk_mut::<{ 2 * BLOCK_BYTES }>())
    {
        *to = *from;
        return true;
    }
    false
}

/// Bounds of the values of a page in the column index's plain encoding.
pub(crate) type PageBounds = Option<(Vec<u8>, Vec<u8>)>;

/// Writes the pages of one column chunk.
pub(crate) struct ColumnWriter<'a> {
    out: &'a mut Vec<u8>,
    compressor: &'a mut Compressor,
    scratch: &'a mut Vec<u8>,
    column: ColumnDescPtr,
    version: PageVersion,
    start: usize,
    dictionary: Option<(usize, i32)>,
    data_start: Option<usize>,
    encoding: i32,
    levels_bytes: usize,
    pages: i32,
    values: usize,
    nulls: usize,
    uncompressed_bytes: usize,
    offsets: OffsetIndexBuilder,
    index: Option<ColumnIndexBuilder>,
}

impl<'a> ColumnWriter<'a> {
    /// Begins a column chunk at the end of `out`.
    pub(crate) fn new(
        out: &'a mut Vec<u8>,
        compressor: &'a mut Compressor,
        scratch: &'a mut Vec<u8>,
        column: ColumnDescPtr,
        version: PageVersion,
    ) -> Self {
        let index = ColumnIndexBuilder::new(column.physical_type());
        Self {
            start: out.len(),
            out,
            compressor,
            scratch,
            column,
            version,
            dictionary: None,
            data_start: None,
            encoding: encoding::PLAIN,
            levels_bytes: 0,
            pages: 0,
            values: 0,
            nulls: 0,
            uncompressed_bytes: 0,
            offsets: OffsetIndexBuilder::new(),
            index: Some(index),
        }
    }

    /// Leaves the column index out: its bounds would exclude nothing.
    pub(crate) fn without_column_index(mut self) -> Self {
        self.index = None;
        self
    }

    /// Encoding of a dictionary page and of the ranks that refer to it.
    pub(crate) fn dictionary_encodings(&self) -> (i32, i32) {
        match self.version {
            // As parquet-mr names them in files of version 1.
            PageVersion::V1 => (encoding::PLAIN_DICTIONARY, encoding::PLAIN_DICTIONARY),
            PageVersion::V2 => (encoding::PLAIN, encoding::RLE_DICTIONARY),
        }
    }

    /// Writes the dictionary, `values` texts in PLAIN encoding, ascending. Before all data pages.
    pub(crate) fn put_dictionary(&mut self, plain: &[u8], values: usize) {
        let (encoding, _) = self.dictionary_encodings();
        self.scratch.clear();
        self.compressor.compress(plain, Layout::Unknown, self.scratch);
        let before = self.out.len();
        self.put_page(plain.len(), Kind::Dictionary { values, encoding });
        self.dictionary = Some((before, encoding));
    }

    /// Puts the levels before the values of a complete page, if the column is optional; returns where in the block that
    /// is compressed the first value begins.
    pub(crate) fn begin_data(&mut self, body: &mut PageBody) -> usize {
        self.levels_bytes = self.place_levels(body);
        if self.version == PageVersion::V1 { self.levels_bytes } else { 0 }
    }

    /// Writes a data page for which [`Self::begin_data`] was called; values lie as `layout` says.
    pub(crate) fn put_data(&mut self, body: &mut PageBody, encoding: i32, layout: Layout<'_>, bounds: PageBounds) {
        let (rows, nulls) = (body.levels.rows(), body.levels.nulls());
        let levels_bytes = self.levels_bytes;
        let page = &body.bytes[..body.end];
        let values_at = body.end - body.value_bytes();
        let from = values_at - levels_bytes;
        let uncompressed_bytes = body.end - from;
        self.scratch.clear();
        let kind = match self.version {
            PageVersion::V1 => {
                self.compressor.compress(&page[from..], layout, self.scratch);
                Kind::DataV1 { rows, encoding }
            }
            PageVersion::V2 => {
                let (levels, values) = page[from..].split_at(levels_bytes);
                self.scratch.extend_from_slice(levels);
                let mut compressed = self.compressor.shortens(layout);
                if compressed {
                    self.compressor.compress(values, layout, self.scratch);
                    compressed = self.scratch.len() - levels_bytes < values.len();
                }
                if !compressed {
                    self.scratch.truncate(levels_bytes);
                    self.scratch.extend_from_slice(values);
                }
                Kind::DataV2 { rows, nulls, encoding, levels_bytes, compressed }
            }
        };
        let before = self.out.len();
        self.put_page(uncompressed_bytes, kind);
        self.data_start.get_or_insert(before);
        self.encoding = encoding;
        self.pages += 1;
        self.values += rows;
        self.nulls += nulls;
        let page_bytes = i32::try_from(self.out.len() - before).unwrap_or(i32::MAX);
        self.offsets.append_offset_and_size(count(before), page_bytes);
        self.offsets.append_row_count(count(rows));
        if let Some(index) = &mut self.index {
            match bounds {
                Some((min, max)) => index.append(false, min, max, count(nulls)),
                None if nulls == rows => index.append(true, Vec::new(), Vec::new(), count(nulls)),
                // A page without bounds makes the index of the whole column chunk impossible.
                None => self.index = None,
            }
        }
        body.clear();
    }

    /// Puts the levels of an optional column right before the values; returns their length with what leads them.
    fn place_levels(&mut self, body: &mut PageBody) -> usize {
        if self.column.max_def_level() == 0 {
            return 0;
        }
        self.scratch.clear();
        if self.version == PageVersion::V1 {
            self.scratch.extend([0; 4]);
        }
        body.levels.put(self.scratch);
        let length = self.scratch.len();
        if self.version == PageVersion::V1 {
            let stated = u32::try_from(length - 4).unwrap_or(u32::MAX);
            self.scratch[..4].copy_from_slice(&stated.to_le_bytes());
        }
        debug_assert!(length <= LEVELS_BYTES, "pages have at most so many rows that their levels fit");
        body.bytes[LEVELS_BYTES - length..LEVELS_BYTES].copy_from_slice(self.scratch);
        length
    }

    /// Appends a page whose compressed body stands in the scratch buffer.
    fn put_page(&mut self, uncompressed_bytes: usize, kind: Kind) {
        let sizes =
            Sizes { uncompressed_bytes, compressed_bytes: self.scratch.len(), crc32: crc32fast::hash(self.scratch) };
        let before = self.out.len();
        put_header(self.out, sizes, kind);
        self.uncompressed_bytes += self.out.len() - before + uncompressed_bytes;
        self.out.extend_from_slice(self.scratch);
    }

    /// What the footer says of the column chunk.
    pub(crate) fn finish(self, bounds: PageBounds, order: BoundaryOrder, bloom_filter: Option<Sbbf>) -> EncodedColumn {
        match self.try_finish(bounds, order, bloom_filter) {
            Ok(encoded) => encoded,
            Err(error) => {
                unreachable!("every page has a plain bound of its type, and every column chunk its sizes: {error}")
            }
        }
    }

    fn try_finish(
        self,
        bounds: PageBounds,
        order: BoundaryOrder,
        bloom_filter: Option<Sbbf>,
    ) -> Result<EncodedColumn, ParquetError> {
        let statistics = statistics_of(self.column.physical_type(), bounds, self.nulls);
        let mut encodings = vec![named(self.encoding), Encoding::RLE];
        let mut stats = vec![PageEncodingStats {
            page_type: if self.version == PageVersion::V1 { PageType::DATA_PAGE } else { PageType::DATA_PAGE_V2 },
            encoding: named(self.encoding),
            count: self.pages,
        }];
        if let Some((_, encoding)) = self.dictionary {
            stats.insert(
                0,
                PageEncodingStats { page_type: PageType::DICTIONARY_PAGE, encoding: named(encoding), count: 1 },
            );
            if encoding != self.encoding {
                encodings.push(named(encoding));
            }
        }
        let metadata = ColumnChunkMetaData::builder(self.column)
            .set_encodings(encodings)
            .set_page_encoding_stats(stats)
            .set_compression(self.compressor.codec())
            .set_num_values(count(self.values))
            .set_total_compressed_size(count(self.out.len() - self.start))
            .set_total_uncompressed_size(count(self.uncompressed_bytes))
            .set_dictionary_page_offset(self.dictionary.map(|(at, _)| count(at)))
            .set_data_page_offset(count(self.data_start.unwrap_or(self.start)))
            .set_statistics(statistics)
            .build()?;
        let column_index = match self.index {
            Some(mut index) => {
                index.set_boundary_order(order);
                index.build()?
            }
            None => ColumnIndexMetaData::NONE,
        };
        Ok(EncodedColumn { metadata, offset_index: self.offsets.build(), column_index, bloom_filter })
    }
}

/// Statistics of a column chunk from bounds in plain encoding.
fn statistics_of(physical: Type, bounds: PageBounds, nulls: usize) -> Statistics {
    let nulls = Some(nulls as u64);
    let (min, max) = bounds.unzip();
    let int64 = |bytes: Vec<u8>| bytes.try_into().ok().map(i64::from_le_bytes);
    let int32 = |bytes: Vec<u8>| bytes.try_into().ok().map(i32::from_le_bytes);
    let boolean = |bytes: Vec<u8>| bytes.first().map(|byte| *byte != 0);
    match physical {
        Type::INT64 => Statistics::int64(min.and_then(int64), max.and_then(int64), None, nulls, false),
        Type::INT32 => Statistics::int32(min.and_then(int32), max.and_then(int32), None, nulls, false),
        Type::BOOLEAN => Statistics::boolean(min.and_then(boolean), max.and_then(boolean), None, nulls, false),
        _ => Statistics::byte_array(min.map(ByteArray::from), max.map(ByteArray::from), None, nulls, false),
    }
}

/// A count or an offset in a chunk, which is far below 2^63.
fn count(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn named(encoding: i32) -> Encoding {
    match encoding {
        encoding::PLAIN_DICTIONARY => Encoding::PLAIN_DICTIONARY,
        encoding::RLE => Encoding::RLE,
        encoding::DELTA_BINARY_PACKED => Encoding::DELTA_BINARY_PACKED,
        encoding::DELTA_LENGTH_BYTE_ARRAY => Encoding::DELTA_LENGTH_BYTE_ARRAY,
        encoding::RLE_DICTIONARY => Encoding::RLE_DICTIONARY,
        _ => Encoding::PLAIN,
    }
}
