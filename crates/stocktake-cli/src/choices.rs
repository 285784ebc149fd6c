//! Options with a few words for values, and what the words stand for.
//!
//! The words are part of the command line's contract; the types that they stand for are the library's.

use clap::ValueEnum;
use stocktake::{KeyEncoding, NullVersion, Order, ParquetProfile, UnknownValues, Versions};
use stocktake_config::{MissingColumns, policy::KeyPolicyDialect};

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum FormatChoice {
    /// CSV, compressed with gzip
    Csv,
    /// Apache ORC
    Orc,
    /// Apache Parquet
    Parquet,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ProfileChoice {
    /// As S3 writes it: SNAPPY, PLAIN and dictionary encodings; every reader opens it
    Aws,
    /// SNAPPY with DELTA encodings: faster and smaller
    Delta,
    /// ZSTD with DELTA encodings: the smallest
    Compact,
}

impl From<ProfileChoice> for ParquetProfile {
    fn from(choice: ProfileChoice) -> Self {
        match choice {
            ProfileChoice::Aws => Self::Aws,
            ProfileChoice::Delta => Self::Delta,
            ProfileChoice::Compact => Self::Compact,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CompressionChoice {
    /// No compression
    None,
    /// DEFLATE, as S3 writes it
    Zlib,
    /// Snappy
    Snappy,
    /// Zstandard
    Zstd,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum EnrichChoice {
    /// A HEAD request for each object
    Head,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum SseChoice {
    /// By keys of S3 (SSE-S3)
    #[value(name = "AES256")]
    Aes256,
    /// By a key of the key management service (SSE-KMS)
    #[value(name = "aws:kms")]
    Kms,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum AclChoice {
    /// The bucket's owner may do everything with the objects
    BucketOwnerFullControl,
    /// No ACL is named
    None,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum VersionsChoice {
    /// The current version of each key, without keys that end in a delete marker
    Current,
    /// Every version and delete marker, with the columns VersionId, IsLatest and IsDeleteMarker
    All,
}

impl From<VersionsChoice> for Versions {
    fn from(choice: VersionsChoice) -> Self {
        match choice {
            VersionsChoice::Current => Self::Current,
            VersionsChoice::All => Self::All,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum KeyEncodingChoice {
    /// As `%20`, which every reader decodes alike
    Percent,
    /// As `+`, as S3 itself writes it
    Form,
}

impl From<KeyEncodingChoice> for KeyEncoding {
    fn from(choice: KeyEncodingChoice) -> Self {
        match choice {
            KeyEncodingChoice::Percent => Self::Percent,
            KeyEncodingChoice::Form => Self::Form,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum NullVersionChoice {
    /// As an empty field, as S3 itself writes it
    Empty,
    /// As `null`
    Null,
}

impl From<NullVersionChoice> for NullVersion {
    fn from(choice: NullVersionChoice) -> Self {
        match choice {
            NullVersionChoice::Empty => Self::Empty,
            NullVersionChoice::Null => Self::Null,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum UnsortedChoice {
    /// They end the run
    Refuse,
    /// They are taken as they come
    Allow,
    /// They are put in order in a folder for temporary files
    Sort,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DiffOrderChoice {
    /// The comparison ends with the row that is out of order
    Refuse,
    /// Rows are put in order in the folder for temporary files first
    Sort,
}

impl From<UnsortedChoice> for Order {
    fn from(choice: UnsortedChoice) -> Self {
        match choice {
            UnsortedChoice::Refuse | UnsortedChoice::Sort => Self::Sorted,
            UnsortedChoice::Allow => Self::AsDelivered,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum UnknownValuesChoice {
    /// They are kept
    Keep,
    /// They end the run
    Refuse,
}

impl From<UnknownValuesChoice> for UnknownValues {
    fn from(choice: UnknownValuesChoice) -> Self {
        match choice {
            UnknownValuesChoice::Keep => Self::Keep,
            UnknownValuesChoice::Refuse => Self::Refuse,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum BadEntriesChoice {
    /// It ends the run
    Fail,
    /// It is left out and named on standard error; the exit code is 3
    Skip,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ETagChoice {
    /// There is none
    None,
    /// MD5 of the file's content
    Md5,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum SymlinksChoice {
    /// They are left out
    Skip,
    /// What they point to is taken under the link's name
    Follow,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProgressChoice {
    /// If standard error is a terminal
    Auto,
    /// Not at all
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MissingColumnsChoice {
    /// The report is refused
    Refuse,
    /// They are empty in every row
    Empty,
}

impl From<MissingColumnsChoice> for MissingColumns {
    fn from(choice: MissingColumnsChoice) -> Self {
        match choice {
            MissingColumnsChoice::Refuse => Self::Refuse,
            MissingColumnsChoice::Empty => Self::Empty,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormChoice {
    /// The body of the S3 API
    Xml,
    /// The JSON of AWS's command line
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DialectChoice {
    /// `kms:GenerateDataKey*` without a condition
    #[value(name = "2019")]
    Star2019,
    /// `kms:GenerateDataKey` without a condition
    #[value(name = "2020")]
    Unconditional2020,
    /// `kms:GenerateDataKey` for the source's account and bucket alone
    Current,
}

impl From<DialectChoice> for KeyPolicyDialect {
    fn from(choice: DialectChoice) -> Self {
        match choice {
            DialectChoice::Star2019 => Self::Star2019,
            DialectChoice::Unconditional2020 => Self::Unconditional2020,
            DialectChoice::Current => Self::Current,
        }
    }
}
/// How `cat` prints rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TextChoice {
    /// Every field in quotes, keys percent-encoded, no header
    Csv,
    /// A JSON object on each line, as `ndjson:FILE` reads it
    Ndjson,
}

/// An engine that reads reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EngineChoice {
    /// Amazon Athena, through symlink.txt
    Athena,
    /// Trino with the Hive connector
    Trino,
    /// Apache Spark SQL
    Spark,
    /// DuckDB; CSV and Parquet
    Duckdb,
}

/// Whether tables are coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How `diff` prints what changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DiffChoice {
    /// Numbers of objects and bytes, for people
    Table,
    /// The same numbers as one JSON object
    Json,
    /// A JSON object for each difference, the numbers last
    Ndjson,
}

/// Differences that become rows of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ChangeChoice {
    /// Objects that only the new report has
    Added,
    /// Objects that differ, with the values of the new report
    Changed,
    /// Objects that only the old report has
    Removed,
}
