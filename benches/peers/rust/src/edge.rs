//! Rows of which hardly anything is known, written by Stocktake's CSV encoder and by a general compressor, in turns.
//!
//! ```text
//! edge [ROWS [ROUNDS]]
//! ```
//!
//! The compressor (libdeflate, level 1) is given the same text, rendered by the same code, which is measured with it. Ours counts the
//! CRC-32 of the text, and so does the other. Prints the least time of a row over all rounds, bytes of a row, and both as ratios.

use libdeflater::{CompressionLvl, Compressor};
use std::{error::Error, hint::black_box, time::Instant};
use stocktake_core::{
    BucketName, ChunkEncoder, CsvOptions, Field, FieldSet, Format, ObjectBatch, ObjectBatchBuilder, RowChunk,
};
use stocktake_csv::{CsvChunk, CsvEncoder, CsvFormat};

const BATCH_ROWS: usize = 8192;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let rows: usize = arguments.next().map_or(Ok(50_000), |text| text.parse())?;
    let rounds: usize = arguments.next().map_or(Ok(7), |text| text.parse())?;
    println!(
        "| rows | ours, ns a row | libdeflate 1 | ratio of times | ours, bytes a row | libdeflate 1 | ratio of bytes |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    for (name, shape) in [
        ("random keys of 20 bytes", Shape::RandomKeys(20)),
        ("random keys of 100 bytes", Shape::RandomKeys(100)),
        ("random keys of 1,024 bytes", Shape::RandomKeys(1024)),
        ("keys of 20 to 1,024 random bytes, escaped", Shape::EscapedKeys),
        ("nine tenths of all values absent", Shape::Absent),
        ("one row again and again but for its key's digits", Shape::OneRow),
    ] {
        measure(name, &shape, rows, rounds)?;
    }
    Ok(())
}

fn measure(name: &str, shape: &Shape, rows: usize, rounds: usize) -> Result<(), Box<dyn Error>> {
    let fields: FieldSet = [
        Field::Bucket,
        Field::Key,
        Field::Size,
        Field::LastModifiedDate,
        Field::ETag,
        Field::StorageClass,
        Field::ReplicationStatus,
        Field::EncryptionStatus,
    ]
    .into_iter()
    .collect();
    let format =
        CsvFormat::new(&BucketName::try_new("example-inventory-source-bucket")?, fields, &CsvOptions::default());
    let rows: RowChunk = RowChunk::new(shape.batches(rows, fields)?);
    let (mut encoder, mut renderer, mut compressor) = (
        format.encoder(),
        format.encoder(),
        Compressor::new(CompressionLvl::new(1).map_err(|error| format!("{error:?}"))?),
    );
    let (mut chunk, mut text, mut out) = (CsvChunk::default(), Vec::new(), Vec::new());
    let mut least = [f64::MAX; 2];
    let mut bytes = [0; 2];
    for _ in 0..rounds {
        let begin = Instant::now();
        encoder.encode(black_box(&rows), &mut chunk)?;
        least[0] = least[0].min(begin.elapsed().as_secs_f64());
        bytes[0] = chunk.deflated().len();
        let begin = Instant::now();
        bytes[1] = general(&mut renderer, &rows, &mut compressor, &mut text, &mut out)?;
        least[1] = least[1].min(begin.elapsed().as_secs_f64());
    }
    let [ours, other] = least.map(|seconds| seconds * 1e9 / rows.len() as f64);
    let [our_bytes, other_bytes] = bytes.map(|bytes| bytes as f64 / rows.len() as f64);
    println!(
        "| {name} | {ours:.0} | {other:.0} | {:.2} | {our_bytes:.1} | {other_bytes:.1} | {:.3} |",
        other / ours,
        our_bytes / other_bytes
    );
    Ok(())
}

/// The text by a general compressor; returns its bytes.
fn general(
    renderer: &mut CsvEncoder,
    rows: &RowChunk,
    compressor: &mut Compressor,
    text: &mut Vec<u8>,
    out: &mut Vec<u8>,
) -> Result<usize, Box<dyn Error>> {
    text.clear();
    renderer.write_text(black_box(rows), text)?;
    black_box(libdeflater::crc32(text));
    out.resize(compressor.deflate_compress_bound(text.len()), 0);
    Ok(compressor.deflate_compress(text, out).map_err(|error| format!("{error:?}"))?)
}

enum Shape {
    /// Letters and digits, so many.
    RandomKeys(usize),
    /// Bytes of which many are escaped, in keys of any length.
    EscapedKeys,
    Absent,
    OneRow,
}

impl Shape {
    fn batches(&self, rows: usize, fields: FieldSet) -> Result<Vec<ObjectBatch>, Box<dyn Error>> {
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        let mut keys: Vec<String> = (0..rows).map(|row| self.key(row, &mut random)).collect();
        keys.sort();
        let mut batches = Vec::new();
        for keys in keys.chunks(BATCH_ROWS) {
            let mut builder = ObjectBatchBuilder::new(fields);
            for key in keys {
                let present = !matches!(self, Self::Absent) || random.below(10) == 0;
                let (size, e_tag) = match self {
                    Self::OneRow => (4096, "d41d8cd98f00b204e9800998ecf8427e".to_owned()),
                    _ => (random.below(1 << 30), format!("{:016x}{:016x}", random.next(), random.next())),
                };
                let mut row = builder.row(key);
                if present {
                    let second = if matches!(self, Self::OneRow) { 0 } else { random.below(100_000_000) };
                    row = row
                        .size(size)
                        .e_tag(&e_tag)
                        .last_modified_ms(1_700_000_000_000 + 1000 * i64::try_from(second)?)
                        .storage_class("STANDARD")
                        .encryption_status("SSE-S3");
                }
                row.finish()?;
            }
            batches.push(builder.finish());
        }
        Ok(batches)
    }

    fn key(&self, row: usize, random: &mut Random) -> String {
        const PLAIN: &[u8; 64] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
        let plain = |random: &mut Random| char::from(PLAIN[random.next() as usize % 64]);
        match self {
            Self::RandomKeys(length) => (0..*length).map(|_| plain(random)).collect(),
            Self::EscapedKeys => {
                let length = 20 + random.below(1005) as usize;
                (0..length).map(|_| char::from(b' ' + (random.next() % 95) as u8)).collect()
            }
            Self::Absent => format!("data/{:04}/part-{row:08}.bin", row / 100),
            Self::OneRow => format!("data/part-{row:08}"),
        }
    }
}

/// Numbers without a pattern, the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}
