//! Columns: values of one stripe to streams, statistics and the row index.
//!
//! Columns are encoded one after another with the same buffers, row group by row group. What is dispatched by type is a
//! column or a run of values, never a value.

mod booleans;
mod floats;
mod integers;
mod ranks;
mod texts;
mod times;

use crate::{
    bloom::BloomFilter,
    compress::{Codec, ValueKind},
    dictionary::{Dictionary, MadeDictionary, Patience},
    error::OrcError,
    options::{ColumnHint, WriterOptions},
    present::{self, Slice},
    proto,
    proto::{column_encoding::Kind as Encoding, stream::Kind},
    rle::{bits::Bitmap, bytes, integers::IntegerEncoder},
    schema::ColumnType,
    slice::{ColumnSlice, Values},
    statistics::{ColumnStatistics, Typed},
    stream::{PositionKind, StreamWriter},
};
use std::ops::Range;

/// A column of a stripe: slices of values, or ranks of a dictionary.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum StripeColumn<'a> {
    /// Values in slices, as many rows as the stripe has in all.
    Slices(Vec<ColumnSlice<'a>>),
    /// Ranks of sorted texts, for a column of texts.
    Dictionary(Dictionary<'a>),
}

/// What a column is, for all stripes of a file.
#[derive(Clone, Debug)]
pub(crate) struct ColumnPlan {
    /// Number of the column in the file; the struct of a row is number 0.
    pub(crate) number: u32,
    pub(crate) name: String,
    pub(crate) column_type: ColumnType,
    pub(crate) hint: ColumnHint,
    pub(crate) bloom: Option<BloomFilter>,
}

/// Where a stripe's streams are collected.
#[derive(Debug, Default)]
pub(crate) struct StripeParts {
    pub(crate) index: Vec<u8>,
    pub(crate) data: Vec<u8>,
    pub(crate) index_streams: Vec<proto::Stream>,
    pub(crate) data_streams: Vec<proto::Stream>,
    pub(crate) encodings: Vec<proto::ColumnEncoding>,
    pub(crate) statistics: Vec<ColumnStatistics>,
}

/// Encodes the columns of stripes; keeps its buffers.
#[derive(Debug)]
pub(crate) struct ColumnEncoder {
    codec: Codec,
    stride: usize,
    integers: IntegerEncoder,
    present: Bitmap,
    present_stream: StreamWriter,
    data: StreamWriter,
    /// Lengths, or nanoseconds.
    second: StreamWriter,
    /// The second stream's bytes, until the first is complete.
    second_out: Vec<u8>,
    /// A row group's integers, of both streams.
    values: Vec<i64>,
    seconds: Vec<i64>,
    /// A row group's ranks or lengths, if they have few bits.
    narrow: Vec<i16>,
    /// How many rows of a row group have each rank of a small dictionary.
    counts: Vec<u32>,
    /// A row group's bytes of a stream, before it is cut into blocks.
    encoded: Vec<u8>,
    bits: Bitmap,
    packed: Vec<u8>,
    /// Statistics of row groups.
    groups: Vec<ColumnStatistics>,
    blooms: Vec<proto::BloomFilter>,
}

/// How a column was encoded: what its row index needs to know.
struct Encoded {
    encoding: Encoding,
    dictionary_size: Option<u32>,
    /// Kinds of positions in the first stream, and in the second if it has any.
    data: PositionKind,
    second: Option<PositionKind>,
}

impl ColumnEncoder {
    pub(crate) fn new(options: &WriterOptions) -> Result<Self, OrcError> {
        Ok(Self {
            codec: Codec::new(options.compression, options.block_bytes)?,
            stride: options.row_index_stride,
            integers: IntegerEncoder::default(),
            present: Bitmap::default(),
            present_stream: StreamWriter::default(),
            data: StreamWriter::default(),
            second: StreamWriter::default(),
            second_out: Vec::new(),
            values: Vec::new(),
            seconds: Vec::new(),
            narrow: Vec::new(),
            counts: Vec::new(),
            encoded: Vec::new(),
            bits: Bitmap::default(),
            packed: Vec::new(),
            groups: Vec::new(),
            blooms: Vec::new(),
        })
    }

    pub(crate) fn codec(&mut self) -> &mut Codec {
        &mut self.codec
    }

    /// Appends a column of so many rows.
    pub(crate) fn encode(
        &mut self,
        plan: &mut ColumnPlan,
        column: &StripeColumn<'_>,
        rows: usize,
        parts: &mut StripeParts,
    ) -> Result<(), OrcError> {
        match column {
            StripeColumn::Slices(slices) => self.encode_slices(plan, slices, rows, parts),
            StripeColumn::Dictionary(dictionary) => self.encode_dictionary(plan, dictionary, rows, parts),
        }
    }

    fn encode_slices(
        &mut self,
        plan: &mut ColumnPlan,
        slices: &[ColumnSlice<'_>],
        rows: usize,
        parts: &mut StripeParts,
    ) -> Result<(), OrcError> {
        if !slices.iter().all(|slice| slice.fits(plan.column_type)) {
            return Err(OrcError::mismatch("values are of another type than the column"));
        }
        if plan.column_type == ColumnType::String
            && let Some(made) = made_dictionary(plan.hint, slices, self.stride)?
        {
            return self.encode_dictionary(plan, &made.as_dictionary(), rows, parts);
        }
        let nulls = self.begin(plan, slices, true, rows, parts)?;
        let start = parts.data.len();
        let encoded = match plan.column_type {
            ColumnType::Boolean => self.encode_booleans(plan, slices, rows, nulls, parts),
            ColumnType::TinyInt => self.encode_bytes(plan, slices, rows, nulls, parts),
            ColumnType::SmallInt | ColumnType::Int | ColumnType::BigInt | ColumnType::Date => {
                self.encode_integers(plan, slices, rows, nulls, parts)
            }
            ColumnType::Float | ColumnType::Double => self.encode_floats(plan, slices, rows, nulls, parts),
            ColumnType::String | ColumnType::Binary => self.encode_texts(plan, slices, rows, nulls, parts),
            ColumnType::Timestamp | ColumnType::TimestampInstant => self.encode_times(plan, slices, rows, nulls, parts),
        }?;
        self.end(plan, &encoded, nulls, start, parts)
    }

    fn encode_dictionary(
        &mut self,
        plan: &mut ColumnPlan,
        dictionary: &Dictionary<'_>,
        rows: usize,
        parts: &mut StripeParts,
    ) -> Result<(), OrcError> {
        if plan.column_type != ColumnType::String {
            return Err(OrcError::mismatch("values are of another type than the column"));
        }
        let nulls = self.begin(plan, &dictionary.slices, dictionary.nulls, rows, parts)?;
        let start = parts.data.len();
        let encoded = self.encode_ranks(plan, dictionary, rows, nulls, parts)?;
        self.end(plan, &encoded, nulls, start, parts)
    }

    /// Writes the PRESENT stream if a row is null; returns the number of nulls.
    fn begin<S: Slice>(
        &mut self,
        plan: &ColumnPlan,
        slices: &[S],
        may_be_null: bool,
        rows: usize,
        parts: &mut StripeParts,
    ) -> Result<usize, OrcError> {
        let given: usize = slices.iter().map(Slice::rows).sum();
        if given != rows {
            return Err(OrcError::mismatch(format!("{given} rows were given, the stripe has {rows}")));
        }
        self.groups.clear();
        self.blooms.clear();
        let nulls = if may_be_null { present::find(slices, &mut self.present) } else { 0 };
        if nulls > 0 {
            let starts = groups(rows, self.stride).map(|group| group.start);
            let stream = &mut self.present_stream;
            stream.begin(ValueKind::Other, &self.codec, &parts.data);
            self.packed.clear();
            self.present.pack(&mut self.packed);
            write_bits(&self.packed, starts, stream, &mut self.encoded, &mut self.codec, &mut parts.data)?;
            let length = stream.finish(&mut self.codec, &mut parts.data)?;
            parts.data_streams.push(stream_of(plan, Kind::Present, length));
        }
        Ok(nulls)
    }

    /// Writes the row index and notes encoding and statistics.
    fn end(
        &mut self,
        plan: &ColumnPlan,
        encoded: &Encoded,
        nulls: usize,
        start: usize,
        parts: &mut StripeParts,
    ) -> Result<(), OrcError> {
        let mut entries = Vec::with_capacity(self.groups.len());
        let mut statistics = ColumnStatistics::none_of(plan.column_type);
        for (number, group) in self.groups.iter().enumerate() {
            let mut positions = Vec::with_capacity(10);
            if nulls > 0 {
                self.present_stream.positions(number, PositionKind::Bit, &mut positions);
            }
            self.data.positions(number, encoded.data, &mut positions);
            if let Some(kind) = encoded.second {
                self.second.positions(number, kind, &mut positions);
            }
            entries.push(proto::RowIndexEntry { positions, statistics: Some(group.to_proto()) });
            statistics.merge(group);
        }
        let index_start = parts.index.len();
        self.codec.write_message(&proto::RowIndex { entry: entries }, &mut parts.index)?;
        parts.index_streams.push(stream_of(plan, Kind::RowIndex, parts.index.len() - index_start));
        if plan.bloom.is_some() {
            let bloom_start = parts.index.len();
            let filters = proto::BloomFilterIndex { bloom_filter: std::mem::take(&mut self.blooms) };
            self.codec.write_message(&filters, &mut parts.index)?;
            parts.index_streams.push(stream_of(plan, Kind::BloomFilterUtf8, parts.index.len() - bloom_start));
        }
        let present = parts
            .data_streams
            .iter()
            .filter(|stream| stream.column == Some(plan.number) && stream.kind == Some(Kind::Present.into()));
        let present: u64 = present.filter_map(|stream| stream.length).sum();
        statistics.stored_bytes = Some(present + (parts.data.len() - start) as u64);
        parts.statistics.push(statistics);
        parts.encodings.push(proto::ColumnEncoding {
            kind: Some(encoded.encoding.into()),
            dictionary_size: encoded.dictionary_size,
            bloom_encoding: plan.bloom.is_some().then_some(1),
        });
        Ok(())
    }

    /// Ends a row group: its statistics and its filter.
    fn end_group(&mut self, plan: &mut ColumnPlan, group: &Range<usize>, values: usize, typed: Typed) {
        self.groups.push(ColumnStatistics {
            values: values as u64,
            has_null: values < group.len(),
            stored_bytes: None,
            typed,
        });
        if let Some(bloom) = &mut plan.bloom {
            self.blooms.push(bloom.to_proto());
            bloom.clear();
        }
    }

    /// Ends the first stream.
    fn end_data(&mut self, plan: &ColumnPlan, parts: &mut StripeParts) -> Result<(), OrcError> {
        let length = self.data.finish(&mut self.codec, &mut parts.data)?;
        parts.data_streams.push(stream_of(plan, Kind::Data, length));
        Ok(())
    }

    /// Appends the second stream to `parts`.
    fn end_second(&mut self, plan: &ColumnPlan, kind: Kind, parts: &mut StripeParts) -> Result<(), OrcError> {
        let length = self.second.finish(&mut self.codec, &mut self.second_out)?;
        parts.data.extend_from_slice(&self.second_out);
        self.second_out.clear();
        parts.data_streams.push(stream_of(plan, kind, length));
        Ok(())
    }
}

/// The dictionary of a column of texts, if it is to have one that it does not have yet.
fn made_dictionary<'a>(
    hint: ColumnHint,
    slices: &[ColumnSlice<'a>],
    stride: usize,
) -> Result<Option<MadeDictionary<'a>>, OrcError> {
    let coded = slices.iter().any(|slice| matches!(slice.values, Values::Codes(..)));
    let patience = match hint {
        _ if coded => Patience::Endless,
        ColumnHint::Dictionary => Patience::Endless,
        ColumnHint::Auto => Patience::Rows(stride),
        ColumnHint::SortedText | ColumnHint::RandomText => return Ok(None),
    };
    MadeDictionary::of(slices, patience)
}

/// Row groups of a stripe.
fn groups(rows: usize, stride: usize) -> impl Iterator<Item = Range<usize>> {
    (0..rows).step_by(stride).map(move |start| start..(start + stride).min(rows))
}

/// Writes packed bits, of which groups begin at `starts`.
fn write_bits(
    packed: &[u8],
    starts: impl Iterator<Item = usize>,
    stream: &mut StreamWriter,
    encoded: &mut Vec<u8>,
    codec: &mut Codec,
    out: &mut Vec<u8>,
) -> Result<(), OrcError> {
    let mut starts = starts.peekable();
    while let Some(start) = starts.next() {
        // The remainder.
        stream.mark_bits((start % 8).to_le_bytes()[0], out);
        // A byte that two groups share is written with the latter.
        let end = starts.peek().map_or(packed.len(), |next| next / 8);
        encoded.clear();
        bytes::encode(&packed[start / 8..end], encoded);
        stream.push(encoded, codec, out)?;
    }
    Ok(())
}

fn stream_of(plan: &ColumnPlan, kind: Kind, length: usize) -> proto::Stream {
    proto::Stream { kind: Some(kind.into()), column: Some(plan.number), length: Some(length as u64) }
}
