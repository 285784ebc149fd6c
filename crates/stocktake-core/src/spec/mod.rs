//! The specification of a report: everything that may shape its bytes.
//!
//! A built `ReportSpec` is a valid one; what may not shape bytes (threads, memory, progress) is in the engine's
//! `Execution`. Both together keep the promise that bytes are a function of rows and spec.

mod format;

pub use format::{
    CsvOptions, FormatOptions, KeyEncoding, NullVersion, OrcCompression, OrcOptions, ParquetOptions, ParquetProfile,
};

use crate::{
    batch::{CODE_BYTES_MAX, TEXT_BYTES_MAX},
    digest::md5_hex,
    field::{Field, FieldType},
    field_set::{FieldSet, Versions},
    name::{BucketName, ConfigurationId, DestinationPrefix, KEY_BYTES_MAX},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

/// Namespace of report ids.
const REPORT_NAMESPACE: Uuid = Uuid::from_u128(0x9c1f_2f3e_6d35_4c0b_8a51_7d3f_0e64_b2a9);

/// Least raw bytes of a chunk: a row with every few-valued field at its limit fits.
pub const CHUNK_BYTES_MIN: u64 = 1 << 20;

/// Most raw bytes of a chunk: text offsets stay within 31 bits with room to spare.
pub const CHUNK_BYTES_MAX: u64 = 256 << 20;

const ROW_BYTES_MAX: usize = KEY_BYTES_MAX + 2 * TEXT_BYTES_MAX + 13 * (CODE_BYTES_MAX + 2) + 8 * 8;
const _: () = assert!(ROW_BYTES_MAX as u64 <= CHUNK_BYTES_MIN);

/// Memory of a run that no chunk accounts for: program, read-ahead of the source, encoder state of a thread.
const FIXED_MEMORY_BYTES: u64 = 28 << 20;

/// Size of a data file where none is asked for.
const SHARD_BYTES_DEFAULT: u64 = 128 << 20;

/// How often the size doubles from a lane's first data file to the largest ones, and how many there are of each size.
const SHARD_DOUBLINGS: u32 = 4;
const SHARDS_OF_A_SIZE: u32 = 8;

/// Everything that may shape a report's bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "SpecParts", into = "SpecParts")]
pub struct ReportSpec(SpecParts);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SpecParts {
    source_bucket: BucketName,
    configuration_id: ConfigurationId,
    destination_bucket: BucketName,
    destination_prefix: DestinationPrefix,
    created_at: Timestamp,
    format: FormatOptions,
    fields: FieldSet,
    versions: Versions,
    prefix: Option<Box<str>>,
    order: Order,
    unknown_values: UnknownValues,
    chunk_rows: u64,
    chunk_bytes: u64,
    shard_target_bytes: u64,
    // Left out, as what follows the revision, where it is not used, so that the digests of specs stay what they were.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    growing_shards: bool,
    encoder_revision: u32,
    // Left out where it is not used, so that the digests of specs stay what they were.
    #[serde(default, skip_serializing_if = "Envelope::is_none")]
    envelope: Envelope,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    row_digest: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    address: Option<Box<str>>,
}

/// Whether a report's objects are stored inside envelopes, encrypted before they reach the destination.
///
/// It shapes names alone: what a destination stores of the bytes is its own affair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Envelope {
    /// Objects are stored as they are.
    #[default]
    None,
    /// Data files and receipts are encrypted and end in `.enc`; there is no symlink.txt, for nothing could read through it.
    Encrypted,
}

impl Envelope {
    pub(crate) fn is_none(&self) -> bool {
        *self == Self::None
    }
}

/// What is demanded of the order of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Order {
    /// Ascending by unsigned bytes; anything else is refused.
    #[default]
    Sorted,
    /// As the source delivers them; the receipts say so.
    AsDelivered,
}

/// What happens to values that S3 itself does not write in a field with a closed set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum UnknownValues {
    /// They are kept: stores have their own storage classes.
    #[default]
    Keep,
    /// They end the run.
    Refuse,
}

/// A spec that contradicts itself or leaves its bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecError(String);

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SpecError {}

/// Collects the parts of a [`ReportSpec`]; every option has a default.
#[derive(Clone, Debug)]
pub struct ReportSpecBuilder(SpecParts);

impl ReportSpec {
    /// Begins the spec of a report of `fields` with the time at which the scan starts (`--at`, or now).
    ///
    /// # Examples
    /// ```
    /// use stocktake_core::{BucketName, ConfigurationId, FieldSet, FormatOptions, ReportSpec, Timestamp};
    ///
    /// let bucket = BucketName::try_new("photos")?;
    /// let spec = ReportSpec::builder(bucket.clone(), ConfigurationId::try_new("daily")?, bucket)
    ///     .with_created_at(Timestamp::parse("2026-11-22T01:00:00Z")?)
    ///     .with_format(FormatOptions::Csv(Default::default()))
    ///     .with_fields(FieldSet::REQUIRED)
    ///     .build()?;
    /// assert_eq!(spec.schema_text(), "Bucket, Key");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn builder(source: BucketName, id: ConfigurationId, destination: BucketName) -> ReportSpecBuilder {
        let format = FormatOptions::Csv(CsvOptions::default());
        ReportSpecBuilder(SpecParts {
            source_bucket: source,
            configuration_id: id,
            destination_bucket: destination,
            destination_prefix: DestinationPrefix::default(),
            created_at: Timestamp::MIN,
            fields: FieldSet::REQUIRED,
            versions: Versions::Current,
            prefix: None,
            order: Order::Sorted,
            unknown_values: UnknownValues::Keep,
            envelope: Envelope::None,
            row_digest: false,
            address: None,
            chunk_rows: 131_072,
            chunk_bytes: 0,
            shard_target_bytes: SHARD_BYTES_DEFAULT,
            growing_shards: true,
            encoder_revision: format.encoder_revision(),
            format,
        })
    }

    /// The bucket that the report is of.
    pub fn source_bucket(&self) -> &BucketName {
        &self.0.source_bucket
    }

    /// Id of the inventory configuration.
    pub fn configuration_id(&self) -> &ConfigurationId {
        &self.0.configuration_id
    }

    /// The bucket that the report goes to.
    pub fn destination_bucket(&self) -> &BucketName {
        &self.0.destination_bucket
    }

    /// Prefix of the report in the destination bucket.
    pub fn destination_prefix(&self) -> &DestinationPrefix {
        &self.0.destination_prefix
    }

    /// When the scan started.
    pub fn created_at(&self) -> Timestamp {
        self.0.created_at
    }

    /// Format of the data files.
    pub fn format(&self) -> &FormatOptions {
        &self.0.format
    }

    /// Columns of the report.
    pub fn fields(&self) -> FieldSet {
        self.0.fields
    }

    /// Versions in the report.
    pub fn versions(&self) -> Versions {
        self.0.versions
    }

    /// Only keys with this prefix are in the report.
    pub fn prefix(&self) -> Option<&str> {
        self.0.prefix.as_deref()
    }

    /// What is demanded of the order of keys.
    pub fn order(&self) -> Order {
        self.0.order
    }

    /// What stands before a slash and a key in symlink.txt, where engines find the destination bucket.
    pub fn address(&self) -> String {
        let of_s3 = || format!("s3://{}", self.0.destination_bucket);
        self.0.address.as_deref().map_or_else(of_s3, ToOwned::to_owned)
    }

    /// Whether objects are stored inside envelopes.
    pub fn envelope(&self) -> Envelope {
        self.0.envelope
    }

    /// Whether receipts keep a digest of rows.
    pub fn row_digest(&self) -> bool {
        self.0.row_digest
    }

    /// What happens to values that S3 itself does not write.
    pub fn unknown_values(&self) -> UnknownValues {
        self.0.unknown_values
    }

    /// Most rows of a chunk.
    pub fn chunk_rows(&self) -> u64 {
        self.0.chunk_rows
    }

    /// Most raw bytes of a chunk.
    pub fn chunk_bytes(&self) -> u64 {
        self.0.chunk_bytes
    }

    /// Size in bytes at which a data file is closed at the next change of key: of the largest, if they grow.
    pub fn shard_target_bytes(&self) -> u64 {
        self.0.shard_target_bytes
    }

    /// Size in bytes at which a lane's data file of this number, from 0, is closed at the next change of key.
    ///
    /// Unless a size was asked for, the first of a lane are smaller, so that those who read a small report, or hash it, have
    /// several to work on at once: eight of 8 MiB, eight of 16, eight of 32, eight of 64, and from then on 128 MiB.
    pub fn shard_target_bytes_of(&self, shard: u32) -> u64 {
        if !self.0.growing_shards {
            return self.0.shard_target_bytes;
        }
        let halvings = SHARD_DOUBLINGS.saturating_sub(shard / SHARDS_OF_A_SIZE);
        self.0.shard_target_bytes >> halvings
    }

    /// Revision of the encoder's bytes.
    pub fn encoder_revision(&self) -> u32 {
        self.0.encoder_revision
    }

    /// The manifest's `fileSchema`.
    pub fn schema_text(&self) -> String {
        self.0.format.file_format().schema_text(self.0.fields)
    }

    /// MD5 of the spec's JSON, in hex: tells whether two processes follow the same spec.
    pub fn digest(&self) -> String {
        md5_hex(serde_json::to_string(self).unwrap_or_default().as_bytes())
    }

    /// Id of the report: a UUIDv5 of source bucket, configuration, destination, creation time and spec digest.
    pub fn report_id(&self) -> Uuid {
        let name = format!(
            "{}\n{}\n{}\n{}\n{}\n{}",
            self.0.source_bucket,
            self.0.configuration_id,
            self.0.destination_bucket,
            self.0.destination_prefix.as_str(),
            self.0.created_at.ms(),
            self.digest()
        );
        Uuid::new_v5(&REPORT_NAMESPACE, name.as_bytes())
    }

    /// Private memory that one chunk may need from filling to hashing, in bytes: its rows and its encoding.
    pub fn chunk_memory_bytes(&self) -> u64 {
        self.0.chunk_bytes + self.0.format.encoded_bytes_max(self.0.chunk_bytes, self.0.chunk_rows)
    }

    /// Least private memory in bytes with which a run works: one chunk at a time.
    pub fn memory_floor(&self) -> u64 {
        FIXED_MEMORY_BYTES + self.chunk_memory_bytes()
    }

    /// Memory for chunks in bytes under a limit of the whole run's private memory.
    ///
    /// # Errors
    /// If the limit is below [`ReportSpec::memory_floor`].
    pub fn chunk_budget_bytes(&self, limit_bytes: u64) -> Result<u64, SpecError> {
        if limit_bytes < self.memory_floor() {
            let mib = |bytes: u64| bytes.div_ceil(1 << 20);
            let text = format!(
                "a memory limit of {} MiB is too small; this report needs {} MiB",
                limit_bytes >> 20,
                mib(self.memory_floor())
            );
            return Err(SpecError(text));
        }
        Ok(limit_bytes - FIXED_MEMORY_BYTES)
    }
}

impl ReportSpecBuilder {
    /// Sets when the scan started; the report's stamp.
    #[must_use]
    pub fn with_created_at(mut self, created_at: Timestamp) -> Self {
        self.0.created_at = created_at;
        self
    }

    /// Sets the format of the data files. Default: CSV.
    #[must_use]
    pub fn with_format(mut self, format: FormatOptions) -> Self {
        self.0.encoder_revision = format.encoder_revision();
        self.0.format = format;
        self
    }

    /// Sets the columns; bucket and key are always there. Default: only these two.
    #[must_use]
    pub fn with_fields(mut self, fields: FieldSet) -> Self {
        self.0.fields = fields.union(FieldSet::REQUIRED);
        self
    }

    /// Sets which versions are in the report. Default: current ones.
    #[must_use]
    pub fn with_versions(mut self, versions: Versions) -> Self {
        self.0.versions = versions;
        self
    }

    /// Sets the prefix of the report in the destination bucket. Default: none.
    #[must_use]
    pub fn with_destination_prefix(mut self, prefix: DestinationPrefix) -> Self {
        self.0.destination_prefix = prefix;
        self
    }

    /// Takes only keys with this prefix into the report. Default: all keys.
    #[must_use]
    pub fn with_prefix(mut self, prefix: &str) -> Self {
        self.0.prefix = (!prefix.is_empty()).then(|| prefix.into());
        self
    }

    /// Sets the address by which engines find the destination bucket, such as `gs://reports`; symlink.txt lists files by it.
    /// Default: `s3://` and the bucket.
    #[must_use]
    pub fn with_address(mut self, address: Option<&str>) -> Self {
        self.0.address = address.map(Into::into);
        self
    }

    /// Sets whether objects are stored inside envelopes. Default: they are not.
    #[must_use]
    pub fn with_envelope(mut self, envelope: Envelope) -> Self {
        self.0.envelope = envelope;
        self
    }

    /// Sets whether receipts keep a digest of rows. Default: they do not.
    #[must_use]
    pub fn with_row_digest(mut self, row_digest: bool) -> Self {
        self.0.row_digest = row_digest;
        self
    }

    /// Sets what is demanded of the order of keys. Default: sorted.
    #[must_use]
    pub fn with_order(mut self, order: Order) -> Self {
        self.0.order = order;
        self
    }

    /// Sets what happens to values that S3 itself does not write. Default: they are kept.
    #[must_use]
    pub fn with_unknown_values(mut self, unknown_values: UnknownValues) -> Self {
        self.0.unknown_values = unknown_values;
        self
    }

    /// Sets the most rows of a chunk. Default: 131,072.
    #[must_use]
    pub fn with_chunk_rows(mut self, rows: u64) -> Self {
        self.0.chunk_rows = rows;
        self
    }

    /// Sets the most raw bytes of a chunk, 1 to 256 MiB. Default: 4 MiB for CSV, 16 MiB for ORC and
    /// Parquet.
    #[must_use]
    pub fn with_chunk_bytes(mut self, bytes: u64) -> Self {
        self.0.chunk_bytes = bytes;
        self
    }

    /// Sets the size in bytes at which every data file is closed at the next change of key. Default: 128 MiB, and less for the
    /// first of a lane ([`ReportSpec::shard_target_bytes_of`]).
    #[must_use]
    pub fn with_shard_target_bytes(mut self, bytes: u64) -> Self {
        self.0.shard_target_bytes = bytes;
        self.0.growing_shards = false;
        self
    }

    /// The spec.
    ///
    /// # Errors
    /// Says which option leaves its bounds or contradicts another.
    pub fn build(mut self) -> Result<ReportSpec, SpecError> {
        if self.0.chunk_bytes == 0 {
            self.0.chunk_bytes = self.0.format.chunk_bytes_default();
        }
        ReportSpec::try_from(self.0)
    }
}

fn is_address(text: &str) -> bool {
    let odd = |c: char| c.is_whitespace() || c.is_control();
    text.split_once("://").is_some_and(|(scheme, rest)| {
        !scheme.is_empty() && !rest.is_empty() && !rest.ends_with('/') && !text.contains(odd)
    })
}

impl TryFrom<SpecParts> for ReportSpec {
    type Error = SpecError;

    fn try_from(parts: SpecParts) -> Result<Self, SpecError> {
        let check = |valid: bool, text: &str| if valid { Ok(()) } else { Err(SpecError(text.to_owned())) };
        let version_fields = parts.fields.intersection(FieldSet::VERSION_FIELDS);
        check(
            parts.fields.intersection(FieldSet::REQUIRED) == FieldSet::REQUIRED,
            "bucket and key are in every report",
        )?;
        check(
            version_fields == if parts.versions == Versions::All { FieldSet::VERSION_FIELDS } else { FieldSet::EMPTY },
            "VersionId, IsLatest and IsDeleteMarker are in all-versions reports and in no other",
        )?;
        check(
            parts.address.as_deref().is_none_or(is_address),
            "an address is `scheme://` and what names the bucket, without a slash behind it, white space or control characters",
        )?;
        check((1..=16 << 20).contains(&parts.chunk_rows), "a chunk has 1 to 16,777,216 rows")?;
        check(
            (CHUNK_BYTES_MIN..=CHUNK_BYTES_MAX).contains(&parts.chunk_bytes),
            "a chunk has 1 to 256 MiB of raw bytes",
        )?;
        check(parts.shard_target_bytes > 0, "the target size of a data file is at least one byte")?;
        check(
            parts.prefix.as_ref().is_none_or(|prefix| prefix.len() <= KEY_BYTES_MAX),
            "a prefix has at most 1,024 bytes",
        )?;
        check(
            parts.encoder_revision == parts.format.encoder_revision(),
            "the spec asks for another encoder revision than this version of the program has",
        )?;
        parts.format.check(parts.fields)?;
        let longest =
            format!("{}/{}/{}/", parts.destination_prefix.as_str(), parts.source_bucket, parts.configuration_id);
        check(longest.len() + 64 <= KEY_BYTES_MAX, "destination prefix and bucket are too long together")?;
        Ok(Self(parts))
    }
}

impl From<ReportSpec> for SpecParts {
    fn from(spec: ReportSpec) -> Self {
        spec.0
    }
}

/// Longest text that a field of this type can hold, in bytes; `None` for numbers and booleans.
pub fn text_bytes_max(field: Field) -> Option<usize> {
    match (field, field.field_type()) {
        (Field::Key, _) => Some(KEY_BYTES_MAX),
        (Field::Bucket, _) => Some(255),
        (_, FieldType::Text) => Some(TEXT_BYTES_MAX),
        (_, FieldType::Code) => Some(CODE_BYTES_MAX),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builder() -> ReportSpecBuilder {
        let bucket = |name| BucketName::try_new(name).unwrap();
        ReportSpec::builder(bucket("src"), ConfigurationId::try_new("id").unwrap(), bucket("dst"))
            .with_created_at(Timestamp::parse("2026-11-22T01:00:00Z").unwrap())
    }

    #[test]
    fn a_spec_survives_json_and_a_bad_one_does_not() {
        let spec = builder().with_prefix("a/").with_fields(FieldSet::REQUIRED.with(Field::Size)).build().unwrap();
        let json = serde_json::to_string(&spec).unwrap();
        assert_eq!(serde_json::from_str::<ReportSpec>(&json).unwrap(), spec);
        let bad = json.replace("\"chunk_rows\":131072", "\"chunk_rows\":0");
        assert_ne!(bad, json);
        assert!(serde_json::from_str::<ReportSpec>(&bad).is_err());
    }

    #[test]
    fn data_files_grow_unless_a_size_is_asked_for() {
        let targets = |builder: ReportSpecBuilder| {
            let spec = builder.build().unwrap();
            [0, 7, 8, 15, 16, 23, 24, 31, 32, u32::MAX].map(|shard| spec.shard_target_bytes_of(shard) >> 20)
        };
        assert_eq!(targets(builder()), [8, 8, 16, 16, 32, 32, 64, 64, 128, 128]);
        assert_eq!(targets(builder().with_shard_target_bytes(5 << 20)), [5; 10]);
        assert_eq!(targets(builder().with_shard_target_bytes(128 << 20)), [128; 10]);
    }

    #[test]
    fn options_out_of_bounds_are_refused() {
        assert!(builder().with_chunk_rows(0).build().is_err());
        assert!(builder().with_chunk_bytes(1).build().is_err());
        assert!(builder().with_shard_target_bytes(0).build().is_err());
        assert!(builder().with_versions(Versions::All).build().is_err());
        assert!(builder().with_fields(FieldSet::VERSION_FIELDS).build().is_err());
        assert!(
            builder()
                .with_format(FormatOptions::Csv(CsvOptions { level: 0, ..CsvOptions::default() }))
                .build()
                .is_err()
        );
    }

    #[test]
    fn bloom_filters_are_for_columns_of_the_report() {
        let build = |format: FormatOptions, fields: FieldSet| {
            let outcome = builder().with_format(format).with_fields(fields).build();
            outcome.map(|_| ()).map_err(|error| error.to_string())
        };
        let bloom_filters = FieldSet::EMPTY.with(Field::Key).with(Field::ETag);
        let formats = [
            FormatOptions::Orc(OrcOptions { bloom_filters, ..OrcOptions::default() }),
            FormatOptions::Parquet(ParquetOptions { bloom_filters, ..ParquetOptions::default() }),
        ];
        for format in formats {
            assert_eq!(build(format.clone(), FieldSet::REQUIRED.with(Field::ETag)), Ok(()));
            let refused = build(format, FieldSet::REQUIRED.with(Field::Size)).unwrap_err();
            assert!(refused.contains("a bloom filter is asked for e_tag, which is no column"), "{refused}");
        }
        let bloom_filters = FieldSet::EMPTY.with(Field::Size);
        let size = FormatOptions::Orc(OrcOptions { bloom_filters, ..OrcOptions::default() });
        assert!(build(size, FieldSet::REQUIRED.with(Field::Size)).is_err());
    }

    #[test]
    fn the_report_id_depends_on_everything_and_on_nothing_else() {
        let id = builder().build().unwrap().report_id();
        assert_eq!(id, builder().build().unwrap().report_id());
        assert_ne!(id, builder().with_created_at(Timestamp::MAX).build().unwrap().report_id());
        assert_ne!(id, builder().with_prefix("x").build().unwrap().report_id());
    }

    #[test]
    fn two_threads_keep_three_chunks_in_the_memory_formula() {
        let spec = builder().build().unwrap();
        let formula = (64 + 2 * 48) << 20;
        assert!(spec.chunk_budget_bytes(formula).unwrap() >= 3 * spec.chunk_memory_bytes());
        assert!(spec.chunk_budget_bytes(spec.memory_floor() - 1).is_err());
    }
}
