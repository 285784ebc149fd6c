//! What a writer may choose: compression, index, filters, and what it is told of the values.

use crate::{error::OrcError, schema::OrcSchema};

/// Options of a file. Every one has a default; [`StripeEncoder`](crate::StripeEncoder) and
/// [`FileAssembler`](crate::FileAssembler) of one file are made with the same.
#[derive(Clone, Debug, PartialEq)]
pub struct WriterOptions {
    pub(crate) compression: Compression,
    pub(crate) block_bytes: usize,
    pub(crate) row_index_stride: usize,
    pub(crate) bloom_columns: Vec<String>,
    pub(crate) bloom_fpp: f64,
    pub(crate) hints: Vec<(String, ColumnHint)>,
    pub(crate) metadata: Vec<(String, Vec<u8>)>,
    pub(crate) software_version: String,
    pub(crate) stripe_rows: usize,
    pub(crate) stripe_bytes: usize,
}

/// How streams and footers are compressed, in independent blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compression {
    /// Not at all.
    None,
    /// Raw DEFLATE.
    Zlib {
        /// 1 to 9.
        level: u8,
    },
    /// Snappy.
    Snappy,
    /// Zstandard.
    Zstd {
        /// 1 to 22.
        level: u8,
    },
}

/// What is known of the values of a column of texts. A hint shapes bytes, never the meaning of a file: one that is wrong
/// makes the file larger or slower to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum ColumnHint {
    /// Nothing. A dictionary is made if at most half of the values in the first row group are different, and kept if that
    /// holds for the stripe.
    #[default]
    Auto,
    /// Texts in ascending order that share fronts and ends with their neighbours.
    SortedText,
    /// Texts without repetition: hashes, random ids.
    RandomText,
    /// Few different values: always a dictionary.
    Dictionary,
}

/// Most bytes of a block: the header of a block has 23 bits for its length.
const BLOCK_BYTES_MAX: usize = (1 << 23) - 1;

/// Least bytes of a block: below, headers weigh more than what compression saves.
const BLOCK_BYTES_MIN: usize = 256;

impl Default for WriterOptions {
    fn default() -> Self {
        Self {
            compression: Compression::Zlib { level: 1 },
            block_bytes: 256 << 10,
            row_index_stride: 10_000,
            bloom_columns: Vec::new(),
            bloom_fpp: 0.01,
            hints: Vec::new(),
            metadata: Vec::new(),
            software_version: concat!("stocktake-orc ", env!("CARGO_PKG_VERSION")).to_owned(),
            stripe_rows: 1 << 20,
            stripe_bytes: 64 << 20,
        }
    }
}

impl WriterOptions {
    /// Sets the compression. Default: ZLIB, level 1.
    #[must_use]
    pub fn with_compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// Sets the most bytes that are compressed together, 256 to 8,388,607. Default: 262,144.
    #[must_use]
    pub fn with_block_bytes(mut self, block_bytes: usize) -> Self {
        self.block_bytes = block_bytes;
        self
    }

    /// Sets the rows of a row group, which have statistics and positions of their own; at least 1. Default: 10,000.
    #[must_use]
    pub fn with_row_index_stride(mut self, rows: usize) -> Self {
        self.row_index_stride = rows;
        self
    }

    /// Gives a column a bloom filter in each row group.
    #[must_use]
    pub fn with_bloom_filter(mut self, column: impl Into<String>) -> Self {
        self.bloom_columns.push(column.into());
        self
    }

    /// Sets the share of values that a bloom filter takes for present though they are not, between 0 and 1. Default: 0.01.
    #[must_use]
    pub fn with_bloom_fpp(mut self, fpp: f64) -> Self {
        self.bloom_fpp = fpp;
        self
    }

    /// Tells what is known of a column's texts.
    #[must_use]
    pub fn with_hint(mut self, column: impl Into<String>, hint: ColumnHint) -> Self {
        self.hints.push((column.into(), hint));
        self
    }

    /// Adds an item of user metadata to the footer.
    #[must_use]
    pub fn with_metadata(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.metadata.push((name.into(), value.into()));
        self
    }

    /// Sets what the footer says of the software. Default: name and version of this crate.
    #[must_use]
    pub fn with_software_version(mut self, version: impl Into<String>) -> Self {
        self.software_version = version.into();
        self
    }

    /// Sets the rows at which [`OrcWriter`](crate::OrcWriter) cuts a stripe, at least 1. Default: 1,048,576.
    #[must_use]
    pub fn with_stripe_rows(mut self, rows: usize) -> Self {
        self.stripe_rows = rows;
        self
    }

    /// Sets the bytes of arrays at which [`OrcWriter`](crate::OrcWriter) cuts a stripe. Default: 64 MiB.
    #[must_use]
    pub fn with_stripe_bytes(mut self, bytes: usize) -> Self {
        self.stripe_bytes = bytes;
        self
    }

    pub(crate) fn hint(&self, column: &str) -> ColumnHint {
        self.hints.iter().rfind(|(of, _)| of == column).map_or(ColumnHint::Auto, |(_, hint)| *hint)
    }

    pub(crate) fn has_bloom(&self, column: &str) -> bool {
        self.bloom_columns.iter().any(|of| of == column)
    }

    /// # Errors
    /// If an option is out of its bounds, or names a column that the schema does not have.
    pub(crate) fn check(&self, schema: &OrcSchema) -> Result<(), OrcError> {
        let check = |valid: bool, text: &str| if valid { Ok(()) } else { Err(OrcError::invalid(text)) };
        let block = BLOCK_BYTES_MIN..=BLOCK_BYTES_MAX;
        check(block.contains(&self.block_bytes), "blocks have 256 to 8,388,607 bytes")?;
        check((1..=1 << 30).contains(&self.row_index_stride), "row groups have 1 to 2^30 rows")?;
        check(self.stripe_rows > 0, "stripes have at least one row")?;
        check(self.bloom_fpp > 0.0 && self.bloom_fpp < 1.0, "the bloom filters' share is between 0 and 1")?;
        match self.compression {
            Compression::Zlib { level } => check((1..=9).contains(&level), "ZLIB has levels 1 to 9")?,
            Compression::Zstd { level } => check((1..=22).contains(&level), "ZSTD has levels 1 to 22")?,
            Compression::None | Compression::Snappy => {}
        }
        let named = self.bloom_columns.iter().chain(self.hints.iter().map(|(name, _)| name));
        for name in named {
            if schema.position(name).is_none() {
                return Err(OrcError::invalid("the schema has no such column").in_column(name));
            }
        }
        Ok(())
    }
}
