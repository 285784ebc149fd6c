//! Rows, files in memory, and what a reader says of them.

use bytes::Bytes;
use parquet::{
    arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder},
    file::{
        metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader},
        reader::{FileReader, SerializedFileReader},
        serialized_reader::ReadOptionsBuilder,
    },
};
use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};
use stocktake_core::{
    AssembleError, BucketName, ChunkEncoder, DestinationError, Field, FieldSet, Format, Order, ParquetOptions,
    ParquetProfile, PendingObject, RowChunk, ShardAssembler, ShardFacts, ShardWriter, Uuid,
};
use stocktake_parquet::{ParquetChunk, ParquetFormat};
use stocktake_testkit::rows::{Row, Slicing, Value, to_batches};

pub(crate) const BUCKET: &str = "example-inventory-source-bucket";

pub(crate) const PROFILES: [ParquetProfile; 3] = [ParquetProfile::Aws, ParquetProfile::Delta, ParquetProfile::Compact];

pub(crate) fn options(profile: ParquetProfile) -> ParquetOptions {
    let mut options = ParquetOptions::default();
    options.profile = profile;
    options
}

pub(crate) fn format(fields: FieldSet, options: &ParquetOptions) -> ParquetFormat {
    ParquetFormat::new(&BucketName::try_new(BUCKET).unwrap(), fields, Order::Sorted, options)
}

/// Every field, settled or not.
pub(crate) fn all_fields() -> FieldSet {
    Field::all().collect()
}

pub(crate) fn chunk_of(rows: &[Row]) -> RowChunk {
    RowChunk::new(to_batches(rows, all_fields(), &Slicing::whole()).unwrap())
}

/// A data file of row groups of `chunk_rows` rows.
pub(crate) fn file_of(format: &ParquetFormat, rows: &[Row], chunk_rows: usize) -> Bytes {
    let mut encoder = format.encoder();
    let chunks = rows.chunks(chunk_rows).map(|rows| {
        let mut chunk = ParquetChunk::default();
        encoder.encode(&chunk_of(rows), &mut chunk).unwrap();
        chunk
    });
    let facts = ShardFacts::new(
        Uuid::from_u128(7),
        rows.len() as u64,
        rows.first().map_or_else(String::new, |row| row.key().to_owned()),
        rows.last().map_or_else(String::new, |row| row.key().to_owned()),
    );
    assemble(format, chunks.collect::<Vec<_>>().iter(), &facts).unwrap()
}

pub(crate) fn assemble<'a>(
    format: &ParquetFormat,
    chunks: impl Iterator<Item = &'a ParquetChunk>,
    facts: &ShardFacts,
) -> Result<Bytes, AssembleError> {
    let object = MemoryObject::default();
    let mut assembler = format.assembler(ShardWriter::new(Box::new(object.clone())));
    for chunk in chunks {
        assembler.append(chunk)?;
    }
    let writer = assembler.finish(facts)?;
    let file = Bytes::from(object.0.lock().unwrap().clone());
    assert_eq!(writer.size_bytes(), file.len() as u64);
    Ok(file)
}

/// Footer and page index.
pub(crate) fn metadata_of(file: &Bytes) -> ParquetMetaData {
    let policy = PageIndexPolicy::Required;
    ParquetMetaDataReader::new().with_page_index_policy(policy).parse_and_finish(file).unwrap()
}

pub(crate) fn reader_of(file: &Bytes) -> impl FileReader + use<> {
    let options = ReadOptionsBuilder::new().with_page_index().build();
    SerializedFileReader::new_with_options(file.clone(), options).unwrap()
}

/// The rows of a file as texts, empty for absent values; times in milliseconds.
pub(crate) fn texts_of(file: &Bytes) -> Vec<Vec<String>> {
    let builder =
        ParquetRecordBatchReaderBuilder::try_new_with_options(file.clone(), ArrowReaderOptions::new()).unwrap();
    let mut rows = Vec::new();
    for batch in builder.build().unwrap() {
        let batch = batch.unwrap();
        for row in 0..batch.num_rows() {
            rows.push(batch.columns().iter().map(|column| text_of(column, row)).collect());
        }
    }
    rows
}

fn text_of(column: &arrow_array::ArrayRef, row: usize) -> String {
    use arrow_array::{Array, cast::AsArray, types};
    if column.is_null(row) {
        return String::new();
    }
    if let Some(texts) = column.as_string_opt::<i32>() {
        texts.value(row).to_owned()
    } else if let Some(booleans) = column.as_boolean_opt() {
        booleans.value(row).to_string()
    } else if let Some(numbers) = column.as_primitive_opt::<types::Int64Type>() {
        numbers.value(row).to_string()
    } else if let Some(numbers) = column.as_primitive_opt::<types::Int32Type>() {
        numbers.value(row).to_string()
    } else {
        column.as_primitive::<types::TimestampMillisecondType>().value(row).to_string()
    }
}

/// The text of a field as [`texts_of`] is to find it.
pub(crate) fn expected(row: &Row, field: Field) -> String {
    match (field, row.value(field)) {
        (Field::Bucket, _) => BUCKET.to_owned(),
        (Field::Key, _) => row.key().to_owned(),
        (_, None) => String::new(),
        (_, Some(Value::Text(text))) => text.clone(),
        (_, Some(Value::Bool(value))) => value.to_string(),
        (_, Some(Value::Int(number))) => number.to_string(),
    }
}

/// Fails unless the file's rows are these.
pub(crate) fn check_rows(file: &Bytes, fields: FieldSet, rows: &[Row]) {
    let found = texts_of(file);
    assert_eq!(found.len(), rows.len());
    for (row, texts) in rows.iter().zip(&found) {
        for (field, text) in fields.iter().zip(texts) {
            assert_eq!(*text, expected(row, field), "{field} of {:?}", row.key());
        }
    }
}

/// Rows as a real bucket has them, with every field, from a small linear generator.
pub(crate) fn realistic_rows(count: usize) -> Vec<Row> {
    let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
    let mut rows: Vec<Row> = (0..count).map(|number| realistic_row(number, &mut numbers)).collect();
    rows.sort_by(|a, b| a.key().cmp(b.key()));
    rows
}

fn realistic_row(number: usize, numbers: &mut Numbers) -> Row {
    let (a, b) = (numbers.next(), numbers.next());
    let key = match a % 3 {
        0 => format!("logs/2026/{:02}/{:02}/host-{:04}/app-{b:012x}.json.gz", a % 12 + 1, b % 28 + 1, a % 40),
        1 => format!("images/{:02x}/{a:012x}{b:012x}.jpg", a % 256),
        _ => format!("users/{:06}/uploads/résumé {number:06} (final)+~.pdf", a % 5000),
    };
    let text = |text: &str| Value::Text(text.to_owned());
    let date = |number: u64| Value::Int(1_735_689_600_000 + (number % 30_000_000) as i64 * 1000);
    let mut row = Row::new(key)
        .with(Field::Size, Value::Int((b % 5_000_000) as i64))
        .with(Field::LastModifiedDate, date(b))
        .with(Field::ETag, Value::Text(format!("{:016x}{:016x}", numbers.next() << 17, numbers.next() << 17 | 1)))
        .with(Field::StorageClass, text(["STANDARD", "STANDARD_IA", "GLACIER_IR"][(a % 7 % 3) as usize]))
        .with(Field::IsMultipartUploaded, Value::Bool(a % 13 == 0))
        .with(Field::EncryptionStatus, text("SSE-S3"))
        .with(Field::IsLatest, Value::Bool(true))
        .with(Field::VersionId, Value::Text(format!("{:022x}", numbers.next())));
    if b % 5 == 0 {
        row.set(Field::ReplicationStatus, text("COMPLETED"));
    }
    if b % 3 == 0 {
        row.set(Field::ObjectLockRetainUntilDate, date(a));
        row.set(Field::ObjectLockEventHoldDuration, Value::Int((b % 36_500) as i64));
    }
    if b % 11 == 0 {
        row.set(Field::ObjectAccessControlList, Value::Text("QUNM".repeat((a % 50) as usize)));
    }
    row
}

/// A small linear generator.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 17
    }
}

/// An object in memory that the test keeps a handle of.
#[derive(Clone, Default)]
struct MemoryObject(Arc<Mutex<Vec<u8>>>);

impl Write for MemoryObject {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Short writes, as a destination may make them.
        let accepted = bytes.len().min(8192);
        self.0.lock().unwrap().extend_from_slice(&bytes[..accepted]);
        Ok(accepted)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl PendingObject for MemoryObject {
    fn publish(self: Box<Self>) -> Result<(), DestinationError> {
        Ok(())
    }
}
