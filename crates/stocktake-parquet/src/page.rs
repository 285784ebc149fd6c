//! Pages of one column chunk: levels and values become a header and a compressed body, and entries of the page index.

use crate::{
    body::PageBody,
    bounds::INDEX_BOUND_BYTES_MAX,
    chunk::EncodedColumn,
    compress::Compressor,
    output::Output,
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

/// Room for a page's header.
const HEADER_BYTES_MAX: usize = 64;

/// Version of data pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PageVersion {
    /// Levels and values are compressed together.
    V1,
    /// Levels stand uncompressed before the values, which are compressed if that makes them shorter.
    V2,
}

/// Bounds of the values of a page in the column index's plain encoding.
pub(crate) type PageBounds = Option<(Vec<u8>, Vec<u8>)>;

/// Writes the pages of one column chunk.
pub(crate) struct ColumnWriter<'a> {
    out: &'a mut Output,
    compressor: &'a mut Compressor,
    scratch: &'a mut Vec<u8>,
    column: ColumnDescPtr,
    version: PageVersion,
    start: usize,
    dictionary: Option<(usize, i32)>,
    data_start: Option<usize>,
    encoding: i32,
    levels_bytes: usize,
    /// Length of the header of the page before.
    header_bytes: usize,
    pages: i32,
    values: usize,
    nulls: usize,
    uncompressed_bytes: usize,
    offsets: OffsetIndexBuilder,
    index: Option<ColumnIndexBuilder>,
    /// Bounds and nulls of the last page, as long as they are not in the index.
    last: Option<(PageBounds, usize)>,
}

impl<'a> ColumnWriter<'a> {
    /// Begins a column chunk at the end of `out`.
    pub(crate) fn new(
        out: &'a mut Output,
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
            header_bytes: 0,
            pages: 0,
            values: 0,
            nulls: 0,
            uncompressed_bytes: 0,
            offsets: OffsetIndexBuilder::new(),
            index: Some(index),
            last: None,
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
        let before = self.out.len();
        let room = self.out.room(HEADER_BYTES_MAX + self.compressor.room_bytes(plain.len()));
        let body_bytes = self.compressor.compress(plain, Layout::Unknown, &mut room[self.header_bytes..]);
        self.put_page(body_bytes, plain.len(), Kind::Dictionary { values, encoding });
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
        let page = body.with_levels(levels_bytes);
        let before = self.out.len();
        let (kind, body_bytes) = match self.version {
            PageVersion::V1 => {
                let room = self.out.room(HEADER_BYTES_MAX + self.compressor.room_bytes(page.len()));
                let compressed_bytes = self.compressor.compress(page, layout, &mut room[self.header_bytes..]);
                (Kind::DataV1 { rows, encoding }, compressed_bytes)
            }
            PageVersion::V2 => {
                let (levels, values) = page.split_at(levels_bytes);
                let room = self.out.room(HEADER_BYTES_MAX + levels_bytes + self.compressor.room_bytes(values.len()));
                let (room, values_room) = room[self.header_bytes..].split_at_mut(levels_bytes);
                room.copy_from_slice(levels);
                let shortened =
                    self.compressor.shortens(layout).then(|| self.compressor.compress(values, layout, values_room));
                let shortened = shortened.filter(|bytes| *bytes < values.len());
                if shortened.is_none() {
                    values_room[..values.len()].copy_from_slice(values);
                }
                let body_bytes = levels_bytes + shortened.unwrap_or(values.len());
                (Kind::DataV2 { rows, nulls, encoding, levels_bytes, compressed: shortened.is_some() }, body_bytes)
            }
        };
        self.put_page(body_bytes, page.len(), kind);
        self.data_start.get_or_insert(before);
        self.encoding = encoding;
        self.pages += 1;
        self.values += rows;
        self.nulls += nulls;
        let page_bytes = i32::try_from(self.out.len() - before).unwrap_or(i32::MAX);
        self.offsets.append_offset_and_size(count(before), page_bytes);
        self.offsets.append_row_count(count(rows));
        self.index_last();
        self.last =
            self.index.is_some().then_some((bounds, nulls)).filter(|(bounds, _)| bounds.is_some() || nulls == rows);
        if self.last.is_none() {
            // A page without bounds makes the index of the whole column chunk impossible.
            self.index = None;
        }
        body.clear();
    }

    /// States a shorter text as the greatest of the last page, unless it is too long to be stated; it is a bound all the same.
    pub(crate) fn shorten_last(&mut self, greatest: &[u8]) {
        if let Some((Some((_, max)), _)) = &mut self.last
            && greatest.len() <= INDEX_BOUND_BYTES_MAX
        {
            greatest.clone_into(max);
        }
    }

    /// Puts the last page into the index.
    fn index_last(&mut self) {
        let (Some(index), Some((bounds, nulls))) = (&mut self.index, self.last.take()) else { return };
        let absent = bounds.is_none();
        let (min, max) = bounds.unwrap_or_default();
        index.append(absent, min, max, count(nulls));
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
        body.put_levels(self.scratch);
        length
    }

    /// Appends a page whose body stands behind the end of what was written, with room before it for as long a header as that
    /// of the page before: it seldom has to be moved.
    fn put_page(&mut self, body_bytes: usize, uncompressed_bytes: usize, kind: Kind) {
        let at = self.header_bytes;
        let page = self.out.room(HEADER_BYTES_MAX + body_bytes);
        let crc32 = crc32fast::hash(&page[at..at + body_bytes]);
        self.scratch.clear();
        put_header(self.scratch, Sizes { uncompressed_bytes, compressed_bytes: body_bytes, crc32 }, kind);
        let header_bytes = self.scratch.len();
        debug_assert!(header_bytes <= HEADER_BYTES_MAX, "ten numbers of at most five bytes");
        if header_bytes != at {
            page.copy_within(at..at + body_bytes, header_bytes);
        }
        page[..header_bytes].copy_from_slice(self.scratch);
        self.out.advance(header_bytes + body_bytes);
        self.uncompressed_bytes += header_bytes + uncompressed_bytes;
        self.header_bytes = header_bytes;
    }

    /// What the footer says of the column chunk.
    pub(crate) fn finish(
        mut self,
        bounds: PageBounds,
        order: BoundaryOrder,
        bloom_filter: Option<Sbbf>,
    ) -> EncodedColumn {
        self.index_last();
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
