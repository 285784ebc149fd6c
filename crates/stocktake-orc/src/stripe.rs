//! Stripes: rows encoded anywhere, without knowing where in a file they will lie.
//!
//! A stripe's positions count from its own streams' starts, so that it can be appended at any place of any file with the
//! same schema and options.

use crate::{
    bloom::BloomFilter,
    column::{ColumnEncoder, ColumnPlan, StripeColumn, StripeParts},
    error::OrcError,
    options::WriterOptions,
    proto,
    schema::{ColumnType, OrcSchema},
    statistics::ColumnStatistics,
};
use stocktake_codec::Dispatch;

/// Most bytes of a stripe: readers keep lengths within a stripe in 31 bits.
const STRIPE_BYTES_MAX: usize = i32::MAX as usize;

/// Most rows of a stripe: readers count rows of a stripe in 31 bits too.
const STRIPE_ROWS_MAX: usize = i32::MAX as usize;

/// Turns rows into stripes. Used by one thread at a time; keeps its buffers.
#[derive(Debug)]
pub struct StripeEncoder {
    columns: Vec<ColumnPlan>,
    stride: usize,
    encoder: ColumnEncoder,
}

/// An encoded stripe. A default one is empty; encoders replace its content and keep its allocations.
#[derive(Debug, Default)]
pub struct EncodedStripe {
    parts: StripeParts,
    footer: Vec<u8>,
    rows: u64,
}

impl StripeEncoder {
    /// An encoder of stripes for files with a schema and options.
    ///
    /// # Errors
    /// If options are out of their bounds, or name a column that is not there or that can have no bloom filter.
    pub fn try_new(schema: &OrcSchema, options: &WriterOptions) -> Result<Self, OrcError> {
        options.check(schema)?;
        let columns = (1u32..).zip(schema.columns()).map(|(number, (name, column_type))| {
            let bloom = options.has_bloom(name).then(|| BloomFilter::new(options.row_index_stride, options.bloom_fpp));
            if bloom.is_some() && column_type == ColumnType::Boolean {
                return Err(OrcError::invalid("booleans have no bloom filter").in_column(name));
            }
            let hint = options.hint(name);
            Ok(ColumnPlan { number, name: name.to_owned(), column_type, hint, bloom })
        });
        Ok(Self {
            columns: columns.collect::<Result<_, OrcError>>()?,
            stride: options.row_index_stride,
            encoder: ColumnEncoder::new(options)?,
        })
    }

    /// Uses other code for the same bytes, if there is any; encoders begin with what suits the processor best.
    pub fn set_dispatch(&mut self, dispatch: Dispatch) {
        self.encoder.codec().set_dispatch(dispatch);
    }

    /// Replaces `into` with the encoding of so many rows. A pure function of the rows: neither what was encoded before nor
    /// how columns are cut into slices has an influence.
    ///
    /// Takes memory for the encoded stripe, and while it runs for a row group's values of one column and a block; a
    /// column whose dictionary is made here takes four bytes a row and its different texts' places.
    ///
    /// # Errors
    /// Names the column, and the row where one value is at fault: values of another type than the column's, other numbers of
    /// rows, a value or a size that ORC cannot hold. `into` is empty then.
    pub fn encode(
        &mut self,
        columns: &[StripeColumn<'_>],
        rows: usize,
        into: &mut EncodedStripe,
    ) -> Result<(), OrcError> {
        let mut builder = self.begin(rows, into)?;
        if columns.len() != builder.encoder.columns.len() {
            let of = builder.encoder.columns.len();
            return Err(OrcError::mismatch(format!("{} columns were given, the schema has {of}", columns.len())));
        }
        columns.iter().try_for_each(|column| builder.push(column))?;
        builder.finish()
    }

    /// Begins to replace `into` with the encoding of so many rows, whose columns are given one after another: what a column
    /// borrows is needed only while it is encoded. Takes memory as [`StripeEncoder::encode`] does.
    ///
    /// # Errors
    /// If a stripe cannot have so many rows. `into` is empty then.
    pub fn begin<'e>(&'e mut self, rows: usize, into: &'e mut EncodedStripe) -> Result<StripeBuilder<'e>, OrcError> {
        into.clear();
        if rows > STRIPE_ROWS_MAX {
            return Err(OrcError::limit(format!("a stripe has at most {STRIPE_ROWS_MAX} rows")));
        }
        let mut builder = StripeBuilder { encoder: self, into, rows, columns: 0, refused: false, finished: false };
        builder.begin_root()?;
        Ok(builder)
    }
}

/// A stripe of which columns are missing. Dropped before it is finished, it leaves the [`EncodedStripe`] empty.
#[derive(Debug)]
pub struct StripeBuilder<'e> {
    encoder: &'e mut StripeEncoder,
    into: &'e mut EncodedStripe,
    rows: usize,
    columns: usize,
    refused: bool,
    finished: bool,
}

impl StripeBuilder<'_> {
    /// Adds the next column of the schema.
    ///
    /// # Errors
    /// As [`StripeEncoder::encode`], and if the schema has no further column. The stripe cannot be finished then.
    pub fn push(&mut self, column: &StripeColumn<'_>) -> Result<(), OrcError> {
        let StripeEncoder { columns, encoder, .. } = &mut *self.encoder;
        let of = columns.len();
        self.refused = true;
        let Some(plan) = columns.get_mut(self.columns) else {
            return Err(OrcError::mismatch(format!("{} columns were given, the schema has {of}", self.columns + 1)));
        };
        let parts = &mut self.into.parts;
        let encoded = encoder.encode(plan, column, self.rows, parts);
        encoded.map_err(|error| error.in_column(&plan.name))?;
        if parts.data.len() + parts.index.len() > STRIPE_BYTES_MAX {
            return Err(OrcError::limit(format!("a stripe has at most {STRIPE_BYTES_MAX} bytes")));
        }
        self.columns += 1;
        self.refused = false;
        Ok(())
    }

    /// Completes the stripe.
    ///
    /// # Errors
    /// If the schema has further columns, or a column was refused. The stripe is empty then.
    pub fn finish(mut self) -> Result<(), OrcError> {
        let of = self.encoder.columns.len();
        if self.refused {
            return Err(OrcError::mismatch("a column was refused"));
        }
        if self.columns != of {
            return Err(OrcError::mismatch(format!("{} columns were given, the schema has {of}", self.columns)));
        }
        let parts = &mut self.into.parts;
        self.into.rows = self.rows as u64;
        let footer = proto::StripeFooter {
            streams: parts.index_streams.drain(..).chain(parts.data_streams.drain(..)).collect(),
            columns: std::mem::take(&mut parts.encodings),
            writer_timezone: Some("UTC".to_owned()),
        };
        self.encoder.encoder.codec().write_message(&footer, &mut self.into.footer)?;
        self.finished = true;
        Ok(())
    }

    /// The struct of a row has no stream of its own but an index.
    fn begin_root(&mut self) -> Result<(), OrcError> {
        let (rows, stride, parts) = (self.rows, self.encoder.stride, &mut self.into.parts);
        let group = |start| {
            let group = stride.min(rows - start);
            let statistics = ColumnStatistics::of_rows(group as u64).to_proto();
            proto::RowIndexEntry { positions: Vec::new(), statistics: Some(statistics) }
        };
        let index = proto::RowIndex { entry: (0..rows).step_by(stride).map(group).collect() };
        self.encoder.encoder.codec().write_message(&index, &mut parts.index)?;
        parts.index_streams.push(proto::Stream {
            kind: Some(proto::stream::Kind::RowIndex.into()),
            column: Some(0),
            length: Some(parts.index.len() as u64),
        });
        let kind = Some(proto::column_encoding::Kind::Direct.into());
        parts.encodings.push(proto::ColumnEncoding { kind, ..proto::ColumnEncoding::default() });
        parts.statistics.push(ColumnStatistics::of_rows(rows as u64));
        Ok(())
    }
}

impl Drop for StripeBuilder<'_> {
    fn drop(&mut self) {
        if !self.finished {
            self.into.clear();
        }
    }
}

impl EncodedStripe {
    /// Number of rows.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Bytes that the stripe takes in a file, beside its share of the file's footer.
    pub fn bytes(&self) -> usize {
        self.parts.index.len() + self.parts.data.len() + self.footer.len()
    }

    /// Memory that is kept for the stripe's bytes.
    pub fn capacity_bytes(&self) -> usize {
        self.parts.index.capacity() + self.parts.data.capacity() + self.footer.capacity()
    }

    /// Index, data and footer, as they follow one another in a file.
    pub(crate) fn sections(&self) -> [&[u8]; 3] {
        [&self.parts.index, &self.parts.data, &self.footer]
    }

    /// Statistics by column number.
    pub(crate) fn statistics(&self) -> &[ColumnStatistics] {
        &self.parts.statistics
    }

    fn clear(&mut self) {
        self.parts.index.clear();
        self.parts.data.clear();
        self.parts.index_streams.clear();
        self.parts.data_streams.clear();
        self.parts.encodings.clear();
        self.parts.statistics.clear();
        self.footer.clear();
        self.rows = 0;
    }
}
