//! Formats of data files and their options.
//!
//! Options may shape bytes. What follows from them for memory is here too, because it bounds a run whichever crate encodes.

use super::SpecError;
use crate::{
    field::{Field, FieldType},
    field_set::FieldSet,
    schema::FileFormat,
};
use serde::{Deserialize, Serialize};

/// Format of the data files, with its options.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum FormatOptions {
    /// Gzip-compressed CSV.
    Csv(CsvOptions),
    /// Apache ORC.
    Orc(OrcOptions),
    /// Apache Parquet.
    Parquet(ParquetOptions),
}

impl FormatOptions {
    /// The format without its options.
    pub fn file_format(&self) -> FileFormat {
        match self {
            Self::Csv(_) => FileFormat::Csv,
            Self::Orc(_) => FileFormat::Orc,
            Self::Parquet(_) => FileFormat::Parquet,
        }
    }

    /// Revision of the bytes that the encoder makes of the same rows and options; raised by every change of bytes.
    pub fn encoder_revision(&self) -> u32 {
        match self {
            Self::Csv(_) | Self::Parquet(_) => 5,
            Self::Orc(_) => 1,
        }
    }

    pub(super) fn chunk_bytes_default(&self) -> u64 {
        match self {
            Self::Csv(_) => 4 << 20,
            // A stripe, a row group: large enough that a footer stays small, small enough that one thread keeps three.
            Self::Orc(_) | Self::Parquet(_) => 16 << 20,
        }
    }

    /// Most bytes that a chunk of `raw` bytes and `rows` rows is encoded in.
    pub(super) fn encoded_bytes_max(&self, raw: u64, rows: u64) -> u64 {
        match self {
            // A byte of a key becomes three characters, each of at most nine bits when nothing repeats.
            Self::Csv(_) => raw * 7 / 2,
            // Three texts a row have lengths of up to four bytes; a filter has about two bytes a row. A raw byte stands
            // for at least one row in thirteen few-valued fields, so rows beyond raw bytes cannot be. What cannot be
            // compressed grows by a sixth at most; footers have some hundred bytes a column.
            Self::Orc(_) | Self::Parquet(_) => (raw + 16 * rows.min(raw)) * 7 / 6 + (256 << 10),
        }
    }

    /// Checks the options beside the report's columns.
    pub(super) fn check(&self, columns: FieldSet) -> Result<(), SpecError> {
        let check = |valid: bool, text: &str| if valid { Ok(()) } else { Err(SpecError(text.to_owned())) };
        let bloom = |fields: FieldSet| {
            let text = |field: Field| field != Field::Bucket && field.field_type() == FieldType::Text;
            check(fields.iter().all(text), "bloom filters are for Key, VersionId and ETag")?;
            let absent = fields.difference(columns).iter().next();
            absent.map_or(Ok(()), |field| {
                let text =
                    format!("a bloom filter is asked for {}, which is no column of the report", field.column_name());
                Err(SpecError(text))
            })
        };
        match self {
            Self::Csv(options) => check((1..=9).contains(&options.level), "the compression level is 1 to 9"),
            Self::Orc(options) => {
                let valid = match options.compression {
                    OrcCompression::Zlib { level } => (1..=9).contains(&level),
                    OrcCompression::Zstd { level } => (1..=19).contains(&level),
                    OrcCompression::Snappy | OrcCompression::None => true,
                };
                check(valid, "the compression level is 1 to 9 for ZLIB and 1 to 19 for ZSTD")?;
                bloom(options.bloom_filters)
            }
            Self::Parquet(options) => {
                let levels = if options.profile == ParquetProfile::Compact { 1..=19 } else { 1..=2 };
                let text =
                    "the compression level is 1 or 2 for Parquet with SNAPPY, and 1 to 19 for the profile compact";
                check(levels.contains(&options.level), text)?;
                bloom(options.bloom_filters)
            }
        }
    }
}

/// Options of CSV data files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CsvOptions {
    /// How a space in a key is written.
    pub key_encoding: KeyEncoding,
    /// How the null version is written.
    pub null_version: NullVersion,
    /// Compression level: 1 writes repetitions that are known of rows, without a search; 2 to 9 search for them, the
    /// higher the longer. On rows as buckets have them, 1 is the fastest by far and as small as 6.
    pub level: u8,
}

impl CsvOptions {
    /// Default compression level.
    pub const LEVEL_DEFAULT: u8 = 1;
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self { key_encoding: KeyEncoding::Percent, null_version: NullVersion::Empty, level: Self::LEVEL_DEFAULT }
    }
}

/// How a space in a CSV key is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum KeyEncoding {
    /// `%20`, which percent-decoding and form-decoding readers read alike.
    #[default]
    Percent,
    /// `+`, as S3 itself writes it; a reader that only percent-decodes takes it for a plus.
    Form,
}

/// How the null version is written in CSV.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum NullVersion {
    /// As an empty field, as S3 writes it.
    #[default]
    Empty,
    /// As `null`, which S3 Batch Operations needs in all-versions reports.
    Null,
}

/// Options of ORC data files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct OrcOptions {
    /// How streams are compressed.
    pub compression: OrcCompression,
    /// Fields that have bloom filters in the row index; of Key, VersionId and ETag.
    pub bloom_filters: FieldSet,
}

impl Default for OrcOptions {
    fn default() -> Self {
        Self { compression: OrcCompression::default(), bloom_filters: FieldSet::EMPTY }
    }
}

/// How the streams of an ORC file are compressed, in blocks of 256 KiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum OrcCompression {
    /// Not at all.
    None,
    /// DEFLATE, as S3 has it. Level 1 writes repetitions that are known of the values, without a search; 2 to 9 search.
    Zlib {
        /// 1 to 9.
        level: u8,
    },
    /// Snappy.
    Snappy,
    /// Zstandard.
    Zstd {
        /// 1 to 19.
        level: u8,
    },
}

impl Default for OrcCompression {
    fn default() -> Self {
        Self::Zlib { level: 1 }
    }
}

/// Options of Parquet data files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ParquetOptions {
    /// Encodings and compression.
    pub profile: ParquetProfile,
    /// Compression level. SNAPPY: 1 writes repetitions that are known of the values, 2 searches for more. ZSTD: 1 to 19.
    pub level: u8,
    /// Fields that have bloom filters; of Key, VersionId and ETag.
    pub bloom_filters: FieldSet,
}

impl Default for ParquetOptions {
    fn default() -> Self {
        Self { profile: ParquetProfile::default(), level: 1, bloom_filters: FieldSet::EMPTY }
    }
}

/// Encodings and compression of Parquet data files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ParquetProfile {
    /// What S3 writes and every reader of the last ten years opens: SNAPPY, data page v1, PLAIN and dictionary encodings.
    #[default]
    Aws,
    /// SNAPPY with DELTA encodings: faster and smaller, for readers that know them (pyarrow, DuckDB, polars, Spark do;
    /// fastparquet does not).
    Delta,
    /// ZSTD with DELTA encodings: the smallest, for the same readers.
    Compact,
}
