//! Rows for benchmarks: what a bucket of logs, hashed images, warehouse partitions and uploads looks like.
//!
//! They are deterministic and in key order. They imitate shapes of keys and the randomness of ETags, no bucket in
//! particular: a claim about real reports needs real reports.

use std::fmt::Write;
use stocktake_core::{Field, FieldSet, ObjectBatchBuilder, RowChunk, RowError};

/// The nine columns of a plain report.
pub fn nine_fields() -> FieldSet {
    use Field::*;
    let optional =
        [Size, LastModifiedDate, ETag, StorageClass, IsMultipartUploaded, ReplicationStatus, EncryptionStatus];
    optional.into_iter().fold(FieldSet::REQUIRED, FieldSet::with)
}

/// A chunk of `rows` rows in batches of 8,192, key order over all of them.
///
/// # Errors
/// None for the rows that are made here.
pub fn nine_column_chunk(rows: usize) -> Result<RowChunk, RowError> {
    let mut random = Random(1);
    let mut keys: Vec<String> = (0..rows).map(|_| key(&mut random)).collect();
    keys.sort_unstable();
    let mut builder = ObjectBatchBuilder::new(nine_fields());
    let mut batches = Vec::new();
    for key in &keys {
        let chance = random.below(100);
        let class = if chance < 80 { "STANDARD" } else { ["STANDARD_IA", "INTELLIGENT_TIERING"][chance as usize % 2] };
        let e_tag = format!("{:016x}{:016x}", random.next(), random.next());
        let row = builder
            .row(key)
            .size(u64::from((1 << random.below(30)) | random.below(1 << 20)))
            .int(Field::LastModifiedDate, 1_700_000_000_000 + i64::from(random.below(90_000_000)) * 1000)
            .e_tag(&e_tag)
            .storage_class(class)
            .multipart_uploaded(chance.is_multiple_of(10))
            .encryption_status(if chance.is_multiple_of(5) { "SSE-KMS" } else { "SSE-S3" });
        if chance.is_multiple_of(4) {
            row.replication_status("COMPLETED").finish()?
        } else {
            row.finish()?
        }
        if builder.is_full() {
            batches.push(builder.finish());
        }
    }
    batches.push(builder.finish());
    Ok(RowChunk::new(batches))
}

fn key(random: &mut Random) -> String {
    let mut key = String::new();
    let (month, day) = (random.below(12) + 1, random.below(28) + 1);
    let hash = random.next();
    // Writing to a string does not fail.
    let _ = match random.below(4) {
        0 => write!(key, "logs/2026/{month:02}/{day:02}/host-{:04}/app-{hash:016x}.json.gz", random.below(400)),
        1 => write!(key, "images/{:02x}/{hash:016x}{:016x}.jpg", hash >> 56, random.next()),
        2 => write!(
            key,
            "warehouse/analytics.db/orders/dt=2026-{month:02}-{day:02}/hour={:02}/part-{hash:016x}.snappy.parquet",
            random.below(24)
        ),
        _ => write!(key, "users/{:08}/uploads/Übersicht {:x} (final).pdf", random.below(20_000), hash >> 48),
    };
    key
}

/// A small generator (splitmix64): the same numbers everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u32) -> u32 {
        // The product's upper half is below the bound.
        u32::try_from(((self.next() >> 32) * u64::from(bound)) >> 32).unwrap_or(0)
    }
}
