//! Rows as plain values, files in memory, decoders.

use flate2::bufread::{GzDecoder, MultiGzDecoder};
use std::{
    io::{self, Read, Write},
    sync::{Arc, Mutex},
};
use stocktake_core::{
    BucketName, ChunkEncoder, CsvOptions, DestinationError, Field, FieldSet, FieldType, Format, ObjectBatch,
    ObjectBatchBuilder, PendingObject, RowChunk, ShardAssembler, ShardFacts, ShardWriter, Timestamp, Uuid,
};
use stocktake_csv::{CsvChunk, CsvFormat};

pub(crate) const BUCKET: &str = "example-inventory-source-bucket";

/// A value of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Text(String),
    Bool(bool),
    Int(i64),
}

/// A row: its key and the values that are not absent.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) key: String,
    pub(crate) values: Vec<(Field, Value)>,
}

impl Row {
    pub(crate) fn new(key: impl Into<String>) -> Self {
        Self { key: key.into(), values: Vec::new() }
    }

    pub(crate) fn with(mut self, field: Field, value: Value) -> Self {
        self.values.push((field, value));
        self
    }

    pub(crate) fn text(self, field: Field, text: &str) -> Self {
        self.with(field, Value::Text(text.to_owned()))
    }

    pub(crate) fn int(self, field: Field, number: i64) -> Self {
        self.with(field, Value::Int(number))
    }

    pub(crate) fn bool(self, field: Field, value: bool) -> Self {
        self.with(field, Value::Bool(value))
    }

    /// A row from the texts of its fields after bucket and key; empty ones are absent.
    pub(crate) fn from_texts<'a>(key: &str, fields: FieldSet, texts: impl IntoIterator<Item = &'a str>) -> Self {
        let fields = fields.difference(FieldSet::REQUIRED).iter();
        let present = fields.zip(texts).filter(|(_, text)| !text.is_empty());
        present.fold(Self::new(key), |row, (field, text)| match field.field_type() {
            FieldType::Boolean => row.bool(field, text.parse().unwrap()),
            FieldType::Timestamp => row.int(field, Timestamp::parse(text).unwrap().ms()),
            FieldType::Int64 | FieldType::Int32 => row.int(field, text.parse().unwrap()),
            _ => row.text(field, text),
        })
    }

    /// The text of a field as a reader is to find it.
    pub(crate) fn expected(&self, field: Field) -> String {
        let value = self.values.iter().find(|(of, _)| *of == field).map(|(_, value)| value);
        match value {
            _ if field == Field::Bucket => BUCKET.to_owned(),
            _ if field == Field::Key => self.key.clone(),
            None => String::new(),
            Some(Value::Text(text)) => text.clone(),
            Some(Value::Bool(value)) => value.to_string(),
            Some(Value::Int(number)) if field.field_type() == FieldType::Timestamp => {
                Timestamp::try_from_ms(*number).unwrap().to_string()
            }
            Some(Value::Int(number)) => number.to_string(),
        }
    }
}

/// Every field, settled or not.
pub(crate) fn all_fields() -> FieldSet {
    Field::all().collect()
}

/// The nine columns of a plain report.
pub(crate) fn nine_fields() -> FieldSet {
    use Field::*;
    let optional =
        [Size, LastModifiedDate, ETag, StorageClass, IsMultipartUploaded, ReplicationStatus, EncryptionStatus];
    optional.into_iter().fold(FieldSet::REQUIRED, FieldSet::with)
}

pub(crate) fn format(fields: FieldSet, options: &CsvOptions) -> CsvFormat {
    CsvFormat::new(&BucketName::try_new(BUCKET).unwrap(), fields, options)
}

/// Fills the builder with rows and takes the batch.
pub(crate) fn batch(builder: &mut ObjectBatchBuilder, rows: &[Row]) -> ObjectBatch {
    for row in rows {
        let begun = builder.row(&row.key);
        let set = row.values.iter().fold(begun, |builder, (field, value)| match value {
            Value::Text(text) => builder.text(*field, text),
            Value::Bool(value) => builder.boolean(*field, *value),
            Value::Int(number) => builder.int(*field, *number),
        });
        set.finish().unwrap();
    }
    builder.finish()
}

pub(crate) fn chunk_of(rows: &[Row]) -> RowChunk {
    batch(&mut ObjectBatchBuilder::new(all_fields()), rows).into()
}

pub(crate) fn text_of(format: &CsvFormat, rows: &[Row]) -> String {
    let mut text = Vec::new();
    format.encoder().write_text(&chunk_of(rows), &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

/// The data file of chunks of `chunk_rows` rows.
pub(crate) fn file_of(format: &CsvFormat, rows: &[Row], chunk_rows: usize) -> Vec<u8> {
    let mut encoder = format.encoder();
    let encoded = rows.chunks(chunk_rows).map(|rows| {
        let mut chunk = CsvChunk::default();
        encoder.encode(&chunk_of(rows), &mut chunk).unwrap();
        chunk
    });
    assemble(format, &encoded.collect::<Vec<_>>())
}

pub(crate) fn assemble(format: &CsvFormat, chunks: &[CsvChunk]) -> Vec<u8> {
    let object = MemoryObject::default();
    let mut assembler = format.assembler(ShardWriter::new(Box::new(object.clone())));
    for chunk in chunks {
        assembler.append(chunk).unwrap();
        assert_eq!(assembler.shard_bytes(), object.0.lock().unwrap().len() as u64);
    }
    let writer = assembler.finish(&ShardFacts::new(Uuid::nil(), 0, String::new(), String::new())).unwrap();
    assert_eq!(writer.size_bytes(), object.0.lock().unwrap().len() as u64);
    let bytes = object.0.lock().unwrap();
    bytes.clone()
}

/// Inflates a data file in two ways and demands that it is one member and nothing else.
pub(crate) fn inflated(file: &[u8]) -> Vec<u8> {
    let (mut single, mut multi) = (Vec::new(), Vec::new());
    let mut decoder = GzDecoder::new(file);
    decoder.read_to_end(&mut single).unwrap();
    assert!(decoder.into_inner().is_empty(), "bytes after the first member");
    MultiGzDecoder::new(file).read_to_end(&mut multi).unwrap();
    assert_eq!(single, multi);
    single
}

/// Decodes a key; `%XX` only, or `+` for a space too. Written from RFC 3986 without a look at the encoder.
pub(crate) fn key_decoded(text: &str, plus_is_space: bool) -> String {
    let mut bytes = text.bytes();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        let digit = |byte: Option<u8>| char::from(byte.unwrap()).to_digit(16).unwrap() as u8;
        out.push(match byte {
            b'%' => digit(bytes.next()) << 4 | digit(bytes.next()),
            b'+' if plus_is_space => b' ',
            byte => byte,
        });
    }
    String::from_utf8(out).unwrap()
}

/// Rows as a real bucket has them, from a small linear generator: dated logs, hashed images, odd uploads.
pub(crate) fn realistic_rows(count: usize) -> Vec<Row> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 17
    };
    let mut rows: Vec<Row> = (0..count)
        .map(|_| {
            let (a, b) = (next(), next());
            let key = match a % 4 {
                0 => format!("logs/2026/{:02}/{:02}/host-{:04}/app-{b:012x}.json.gz", a % 12 + 1, b % 28 + 1, a % 40),
                1 => format!("images/{:02x}/{a:012x}{b:012x}.jpg", a % 256),
                2 => format!("warehouse/db/orders/dt=2026-{:02}-{:02}/part-{b:012x}.parquet", a % 12 + 1, b % 28 + 1),
                _ => format!("users/{:06}/uploads/résumé {b:04x} (final)+~.pdf", a % 5000),
            };
            let row = Row::new(key)
                .int(Field::Size, (b % 5_000_000) as i64)
                .int(Field::LastModifiedDate, 1_735_689_600_000 + (next() % 30_000_000) as i64 * 1000)
                .text(Field::ETag, &format!("{:016x}{:016x}", next() << 17, next() << 17 | 1))
                .text(Field::StorageClass, ["STANDARD", "STANDARD_IA", "GLACIER_IR"][(a % 7 % 3) as usize])
                .bool(Field::IsMultipartUploaded, a % 13 == 0)
                .text(Field::EncryptionStatus, "SSE-S3");
            if b % 5 == 0 { row.text(Field::ReplicationStatus, "COMPLETED") } else { row }
        })
        .collect();
    rows.sort_by(|a, b| a.key.cmp(&b.key));
    rows
}

/// An object in memory that the test keeps a handle of.
#[derive(Clone, Default)]
pub(crate) struct MemoryObject(Arc<Mutex<Vec<u8>>>);

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
