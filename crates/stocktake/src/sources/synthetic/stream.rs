//! Rows of a range, batch by batch.

use super::{
    SyntheticSource,
    grants::{Grants, OWNERS},
    keys::{KeyWriter, Section},
    random::{Draw, Draws, below, log_normal},
    values::{Choices, DAY_MS, ETag, VersionId, is_multipart, last_modified_ms, mean_octaves_256},
    versions::{BLOCK_KEYS, Block},
};
use std::ops::Range;
use stocktake_core::{
    Field, ObjectBatchBuilder, ObjectStream, ReadContext, RowBuilder, RowError, RowOrigin, SourceError,
};

/// Rows from one that begins a key to another, or to the end.
pub(super) struct SyntheticStream<'a> {
    rows: Range<u64>,
    maker: RowMaker<'a>,
    context: ReadContext,
}

impl<'a> SyntheticStream<'a> {
    pub(super) fn new(source: &'a SyntheticSource, rows: Range<u64>, context: ReadContext) -> Self {
        let maker = RowMaker::new(source, rows.start, &context);
        Self { rows, maker, context }
    }
}

impl ObjectStream for SyntheticStream<'_> {
    fn next_batch(&mut self, batch: &mut ObjectBatchBuilder) -> Result<bool, SourceError> {
        if self.context.cancel.is_cancelled() {
            return Err(SourceError::cancelled());
        }
        batch.clear();
        if self.rows.is_empty() {
            return Ok(false);
        }
        batch.set_origin(RowOrigin { unit: "row", first: self.rows.start + 1, skipped: Vec::new() });
        let (rows, maker) = (&mut self.rows, &mut self.maker);
        self.context.compute(|| {
            while !batch.is_full() && !rows.is_empty() {
                maker.add_row(batch)?;
                rows.start += 1;
            }
            Ok(true)
        })
    }
}

/// Makes one row after the other.
struct RowMaker<'a> {
    source: &'a SyntheticSource,
    writer: KeyWriter<'a>,
    block: Block,
    /// The key of the row, and its draws.
    key: u64,
    key_draws: Draws,
    /// The row's version (0 is the latest) of so many that the key has.
    version: u32,
    versions: u32,
    /// Most seconds between two versions of a key.
    gap_seconds_max: u64,
    last_modified_ms: i64,
    e_tag: ETag,
    version_id: VersionId,
    grants: Grants,
    /// Whether rows have the fields of a bucket with versions.
    versioned: bool,
    wants_e_tag: bool,
}

impl<'a> RowMaker<'a> {
    fn new(source: &'a SyntheticSource, row: u64, context: &ReadContext) -> Self {
        let (key, _) = source.counts.locate(row);
        Self {
            source,
            writer: KeyWriter::new(&source.keys),
            block: source.counts.block(key / BLOCK_KEYS as u64),
            key,
            key_draws: source.keys.draws(key),
            version: 0,
            versions: 0,
            // Versions of a key span 20 years at most, so that times stay in this era.
            gap_seconds_max: (630_000_000 / u64::from(source.versions_max.max(1))).clamp(1, 3 * 86_400),
            last_modified_ms: 0,
            e_tag: ETag::new(),
            version_id: VersionId::new(),
            grants: Grants::new(source.seed),
            versioned: source.versions_max > 0,
            wants_e_tag: context.fields.contains(Field::ETag),
        }
    }

    #[inline]
    fn add_row(&mut self, batch: &mut ObjectBatchBuilder) -> Result<(), RowError> {
        if self.version == 0 {
            self.begin_key();
        }
        let draws = self.key_draws.of_version(self.version);
        if self.version > 0 {
            let seconds = 1 + below(draws.bits(Draw::Time), self.gap_seconds_max);
            self.last_modified_ms -= 1000 * (seconds & 0xFFFF_FFFF) as i64;
        }
        let row = batch.row(self.writer.as_str()).last_modified_ms(self.last_modified_ms);
        let choices = Choices::new(draws, self.writer.leaf().section, self.last_modified_ms);
        let row = if self.versioned {
            self.with_version_fields(row, draws, choices)
        } else {
            self.with_object_fields(row, draws, choices)
        };
        self.version += 1;
        if self.version == self.versions {
            self.version = 0;
            self.key += 1;
        }
        row.finish()
    }

    #[inline]
    fn begin_key(&mut self) {
        let at = usize::try_from(self.key % BLOCK_KEYS as u64).unwrap_or(0);
        if at == 0 {
            self.block = self.source.counts.block(self.key / BLOCK_KEYS as u64);
        }
        self.versions = self.block[at];
        self.key_draws = self.source.keys.draws(self.key);
        self.writer.write(self.key, self.key_draws);
        self.last_modified_ms = last_modified_ms(self.writer.leaf(), self.key_draws);
    }

    /// Fields that every object has.
    #[inline]
    fn with_object_fields<'b>(&mut self, row: RowBuilder<'b>, draws: Draws, choices: Choices) -> RowBuilder<'b> {
        let size = log_normal(draws.bits(Draw::Size), mean_octaves_256(self.writer.leaf().section));
        let row = row
            .size(size)
            .storage_class(choices.storage_class())
            .multipart_uploaded(is_multipart(size))
            .replication_status(choices.replication_status())
            .encryption_status(choices.encryption_status())
            .text(Field::BucketKeyStatus, choices.bucket_key_status())
            .text(Field::ChecksumAlgorithm, choices.checksum_algorithm());
        if self.wants_e_tag { row.e_tag(self.e_tag.write(draws, size)) } else { row }
    }

    /// Fields of a version or delete marker.
    fn with_version_fields<'b>(&mut self, row: RowBuilder<'b>, draws: Draws, choices: Choices) -> RowBuilder<'b> {
        let rare = draws.bits(Draw::Rare);
        let oldest = self.version + 1 == self.versions;
        let is_marker = !oldest && rare & 0xFF < 21;
        // Some buckets got versions late: what was there before has the null version.
        let id = if oldest && rare >> 8 & 0x3F == 0 { "" } else { self.version_id.write(draws) };
        let other =
            |bits: u64, of_256: u64| if bits & 0xFF < of_256 { 1 + (bits >> 8) as usize % (OWNERS - 1) } else { 0 };
        let row = row.version(id, self.version == 0, is_marker);
        let row = row.text(Field::ObjectOwner, &self.grants.owners[other(rare >> 16 & 0xFFFF, 1)]);
        if is_marker {
            return row.text(Field::BucketKeyStatus, "DISABLED");
        }
        let mut row = self
            .with_object_fields(row, draws, choices)
            .text(Field::ObjectAccessControlList, &self.grants.lists[other(rare >> 32 & 0xFFFF, 8)]);
        let section = self.writer.leaf().section;
        let midnight_ms = self.last_modified_ms - self.last_modified_ms % DAY_MS;
        if section == Section::Backups && rare >> 48 & 1 == 0 {
            row = row
                .int(Field::ObjectLockRetainUntilDate, self.last_modified_ms + 365 * DAY_MS)
                .text(Field::ObjectLockMode, if rare >> 49 & 7 == 0 { "COMPLIANCE" } else { "GOVERNANCE" })
                .text(Field::ObjectLockLegalHoldStatus, if rare >> 52 & 0x3F == 0 { "ON" } else { "OFF" });
        }
        if choices.storage_class() == "INTELLIGENT_TIERING" {
            row = row.text(Field::IntelligentTieringAccessTier, choices.access_tier());
        }
        if section == Section::Logs && self.version == 0 {
            row = row.int(Field::LifecycleExpirationDate, midnight_ms + 401 * DAY_MS);
        }
        row
    }
}
