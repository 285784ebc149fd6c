//! Encodes fixed rows a stated number of times, so that what counts instructions can tell what one more time costs.
//!
//! ```text
//! instructions WORK TIMES     `benches/instructions.py` runs this under Valgrind
//! instructions                every work once: the works are sound
//! ```
//!
//! It prints how many bytes of memory the encoded chunk holds. It knows nothing of clocks, threads and destinations: those
//! differ between runs.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that fails should stop, and says what it did"
)]

use std::hint::black_box;
use stocktake::{
    ChunkEncoder, CsvOptions, Format, OrcOptions, Order, ParquetOptions, ParquetProfile, RowChunk, Versions,
    orc::OrcFormat, sources::SyntheticSource,
};
use stocktake_benches::{batches, bucket, spec};
use stocktake_csv::CsvFormat;
use stocktake_parquet::ParquetFormat;

/// Rows of a chunk: `benches/instructions.py` divides by it.
const SHAPES: [(&str, &str, Versions); 2] = [
    ("nine", "rows=20000,seed=1,versions=0", Versions::Current),
    ("twenty-one", "rows=20000,seed=1,versions=4", Versions::All),
];

const FORMATS: [&str; 5] = ["csv", "orc", "parquet-aws", "parquet-delta", "parquet-compact"];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let works = FORMATS.iter().flat_map(|format| SHAPES.iter().map(move |shape| (*format, *shape)));
    match &arguments[..] {
        [wanted, times] => {
            let named = |format: &str, shape: &str| *wanted == format!("{format}/{shape}");
            let (format, shape) = works.into_iter().find(|(format, (shape, ..))| named(format, shape)).unwrap();
            run(format, shape, times.parse().unwrap());
        }
        _ => works.for_each(|(format, shape)| run(format, shape, 1)),
    }
}

fn run(format: &str, (shape, text, versions): (&str, &str, Versions), times: u32) {
    let source: SyntheticSource = text.parse().unwrap();
    let (bucket, fields) = (bucket().unwrap(), spec(&source, versions).unwrap().fields());
    let rows = RowChunk::new(batches(text).unwrap());
    let held = match format {
        "csv" => encode(&CsvFormat::new(&bucket, fields, &CsvOptions::default()), &rows, times),
        "orc" => encode(&OrcFormat::new(&bucket, fields, &OrcOptions::default()), &rows, times),
        _ => {
            let mut options = ParquetOptions::default();
            options.profile = match format {
                "parquet-aws" => ParquetProfile::Aws,
                "parquet-delta" => ParquetProfile::Delta,
                _ => ParquetProfile::Compact,
            };
            encode(&ParquetFormat::new(&bucket, fields, Order::Sorted, &options), &rows, times)
        }
    };
    println!("{format}/{shape}: {} rows, {times} times, {held} bytes held", rows.len());
}

/// Encodes the same chunk again and again, as a worker does: with one encoder, into a chunk that is used again.
fn encode<F: Format>(format: &F, rows: &RowChunk, times: u32) -> usize {
    let mut encoder = format.encoder();
    let mut chunk = F::Chunk::default();
    for _ in 0..times {
        encoder.encode(black_box(rows), &mut chunk).unwrap();
    }
    F::chunk_bytes(&chunk)
}
