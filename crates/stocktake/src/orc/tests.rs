//! What the adapter adds to the writer: types, nulls, the bucket, facts, messages with keys.

use super::*;
use crate::destinations::MemoryDestination;
use arrow_array::Array;
use orc_rust::ArrowReaderBuilder;
use std::io::Read;
use stocktake_core::{
    BucketName, ChunkEncoder, Destination, EncodeError, Field, FieldSet, FileFormat, Format, FormatOptions,
    ObjectAttributes, ObjectBatchBuilder, OrcCompression, OrcOptions, ReportKey, ReportStore, RowChunk, ShardAssembler,
    ShardFacts, ShardWriter, Timestamp, Uuid, md5_hex,
};

fn format(fields: FieldSet) -> OrcFormat {
    OrcFormat::new(&BucketName::try_new("source").unwrap(), fields, &OrcOptions::default())
}

fn file_of(format: &OrcFormat, chunks: &[RowChunk]) -> Vec<u8> {
    let destination = MemoryDestination::new();
    let key = ReportKey::try_new("a.orc").unwrap();
    let object = destination.create(&key, &ObjectAttributes::new("application/octet-stream")).unwrap();
    let mut assembler = format.assembler(ShardWriter::new(object));
    let (mut encoder, mut stripe) = (format.encoder(), EncodedStripe::default());
    for chunk in chunks {
        encoder.encode(chunk, &mut stripe).unwrap();
        assembler.append(&stripe).unwrap();
    }
    let before = assembler.shard_bytes();
    let facts = ShardFacts::new(Uuid::nil(), 7, "first".to_owned(), "last".to_owned());
    let digest = assembler.finish(&facts).unwrap().publish().unwrap();
    assert!(before < digest.size_bytes);
    let mut bytes = Vec::new();
    destination.open_range(&key, 0..digest.size_bytes).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

#[test]
fn types_are_those_of_the_schema_text_and_facts_are_in_the_footer() {
    let fields: FieldSet = Field::all().collect();
    let mut batch = ObjectBatchBuilder::new(fields);
    batch.row("k").finish().unwrap();
    let bytes = file_of(&format(fields), &[batch.finish().into()]);
    let builder = ArrowReaderBuilder::try_new(bytes::Bytes::from(bytes)).unwrap();
    let metadata = builder.file_metadata();
    assert_eq!(metadata.number_of_rows(), 1);
    let fact = |name: &str| String::from_utf8(metadata.user_custom_metadata()[name].clone()).unwrap();
    assert_eq!(fact("stocktake.report_id"), Uuid::nil().to_string());
    assert_eq!((fact("stocktake.rows"), fact("stocktake.first_key")), ("7".to_owned(), "first".to_owned()));
    assert_eq!(fact("stocktake.last_key"), "last");
    let text = format(fields).schema_text();
    assert_eq!(text, FileFormat::Orc.schema_text(fields));
    let reader = builder.build();
    let batch = reader.map(Result::unwrap).next().unwrap();
    let nulls = batch.columns().iter().map(|column| column.null_count()).sum::<usize>();
    assert_eq!(nulls, fields.len() - 2, "bucket and key alone have values");
}

#[test]
fn a_data_file_without_chunks_is_valid() {
    let bytes = file_of(&format(FieldSet::REQUIRED), &[]);
    assert_eq!(ArrowReaderBuilder::try_new(bytes::Bytes::from(bytes)).unwrap().build().count(), 0);
}

#[test]
fn refusals_name_the_key() {
    let fields = FieldSet::REQUIRED.with(Field::LastModifiedDate);
    let mut batch = ObjectBatchBuilder::new(fields);
    batch.row("a").last_modified_ms(0).finish().unwrap();
    let first = batch.finish();
    batch.row("b").last_modified_ms(1).finish().unwrap();
    batch.row("c").last_modified_ms(Timestamp::parse("1969-12-31T23:59:59.500Z").unwrap().ms()).finish().unwrap();
    let rows = RowChunk::new([first, batch.finish()]);
    let error: EncodeError = format(fields).encoder().encode(&rows, &mut EncodedStripe::default()).unwrap_err();
    assert_eq!(error.key(), Some("c"));
    assert!(error.to_string().contains("before 1970"), "{error}");
}

/// Options that no spec lets pass are an error of the first chunk, not a panic.
#[test]
fn levels_beyond_their_bounds_are_an_error() {
    let mut options = OrcOptions::default();
    options.compression = OrcCompression::Zlib { level: 0 };
    let format = OrcFormat::new(&BucketName::try_new("source").unwrap(), FieldSet::REQUIRED, &options);
    let mut batch = ObjectBatchBuilder::new(FieldSet::REQUIRED);
    batch.row("a").finish().unwrap();
    assert!(format.encoder().encode(&batch.finish().into(), &mut EncodedStripe::default()).is_err());
}

/// Revision, and MD5 over the MD5s of a fixed report's file in each compression. Whoever changes the bytes has to raise the
/// revision.
const GOLDEN: (u32, &str) = (1, "3847c629144a3bae5b8d195f03505332");

#[test]
fn the_same_rows_give_the_same_bytes() {
    let fields: FieldSet =
        [Field::Size, Field::LastModifiedDate, Field::ETag, Field::StorageClass].into_iter().collect();
    let mut batch = ObjectBatchBuilder::new(fields);
    let mut chunks = Vec::new();
    for at in 0..30_000u64 {
        let random = at.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut row = batch.row(&format!("logs/{:03}/{at:08}-{:x}.gz", at / 500, random >> 48));
        row = row.last_modified_ms(1_790_000_000_000 + i64::try_from(random >> 40).unwrap() * 1000);
        if at % 11 > 0 {
            row = row.size(random >> (40 + at % 20)).e_tag(&format!("{random:016x}{:016x}", random.rotate_left(17)));
            row = row.storage_class(if at % 1000 < 900 { "STANDARD" } else { "GLACIER" });
        }
        row.finish().unwrap();
        if batch.len() == 13_000 {
            chunks.push(RowChunk::from(batch.finish()));
        }
    }
    chunks.push(batch.finish().into());
    let mut digests = String::new();
    for compression in [
        OrcCompression::None,
        OrcCompression::Snappy,
        OrcCompression::Zlib { level: 1 },
        OrcCompression::Zlib { level: 6 },
        OrcCompression::Zstd { level: 1 },
    ] {
        let mut options = OrcOptions::default();
        options.compression = compression;
        options.bloom_filters = FieldSet::EMPTY.with(Field::ETag);
        let format = OrcFormat::new(&BucketName::try_new("source").unwrap(), fields, &options);
        digests += &md5_hex(&file_of(&format, &chunks));
    }
    let revision = FormatOptions::Orc(OrcOptions::default()).encoder_revision();
    assert_eq!(
        (revision, &*md5_hex(digests.as_bytes())),
        GOLDEN,
        "the encoder's bytes changed (a new zstd or flate2 changes them too): raise the encoder revision"
    );
}
