//! Rows to CSV: formatting alone, and with DEFLATE at each level that matters.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use stocktake_benches::{nine_column_chunk, nine_fields};
use stocktake_core::{BucketName, ChunkEncoder, CsvOptions, Format};
use stocktake_csv::{CsvChunk, CsvFormat};

/// Half a chunk of the default size: its text and its tables are beyond the caches, as in a run.
const ROWS: usize = 65_536;

fn encode(criterion: &mut Criterion) {
    let chunk = nine_column_chunk(ROWS).expect("rows that a report holds");
    let bucket = BucketName::try_new("example-inventory-source-bucket").expect("a valid name");
    let mut group = criterion.benchmark_group("csv_encode");
    group.throughput(Throughput::Elements(ROWS as u64)).sample_size(10);

    let mut encoder = CsvFormat::new(&bucket, nine_fields(), &CsvOptions::default()).encoder();
    let mut text = Vec::new();
    group.bench_function("text", |bencher| {
        bencher.iter(|| {
            text.clear();
            encoder.write_text(black_box(&chunk), &mut text)
        });
    });
    for level in [1, 2, 3, 4, 6] {
        let mut options = CsvOptions::default();
        options.level = level;
        let mut encoder = CsvFormat::new(&bucket, nine_fields(), &options).encoder();
        let mut encoded = CsvChunk::default();
        group.bench_function(BenchmarkId::new("level", level), |bencher| {
            bencher.iter(|| encoder.encode(black_box(&chunk), &mut encoded));
        });
    }
    group.finish();
}

criterion_group!(benches, encode);
criterion_main!(benches);
