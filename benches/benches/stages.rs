//! The stages of a report, one at a time: rows from the synthetic source, encoding by format and level, the whole way.
#![expect(clippy::unwrap_used, reason = "a bench that fails should stop")]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use std::{hint::black_box, num::NonZeroUsize};
use stocktake::{
    ChunkEncoder, CsvOptions, Execution, Format, GenerateOptions, Order, ParquetOptions, ParquetProfile, RowChunk,
    Versions, generate, sources::SyntheticSource,
};
use stocktake_benches::{Discard, batches, bucket, each_batch, spec};
use stocktake_csv::CsvFormat;
use stocktake_parquet::ParquetFormat;

const ROWS: u64 = 100_000;
const CURRENT: &str = "rows=100000,seed=1,versions=0";
const VERSIONS: &str = "rows=100000,seed=1,versions=4";

fn source(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("source");
    group.throughput(Throughput::Elements(ROWS)).sample_size(20);
    for (name, text) in [("synthetic/current", CURRENT), ("synthetic/versions", VERSIONS)] {
        group
            .bench_function(name, |bencher| bencher.iter(|| each_batch(text, |batch| drop(black_box(batch))).unwrap()));
    }
    group.finish();
}

fn encode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("csv");
    group.throughput(Throughput::Elements(ROWS)).sample_size(10);
    for (name, text, versions) in [("nine", CURRENT, Versions::Current), ("twenty-one", VERSIONS, Versions::All)] {
        let source: SyntheticSource = text.parse().unwrap();
        let spec = spec(&source, versions).unwrap();
        let rows = RowChunk::new(batches(text).unwrap());
        let mut encoder = CsvFormat::new(&bucket().unwrap(), spec.fields(), &CsvOptions::default()).encoder();
        group.bench_function(format!("{name}/text alone"), |bencher| {
            let mut text = Vec::new();
            bencher.iter(|| {
                text.clear();
                encoder.write_text(black_box(&rows), &mut text)
            });
        });
        for level in [1, 3, 6] {
            let mut options = CsvOptions::default();
            options.level = level;
            let format = CsvFormat::new(&bucket().unwrap(), spec.fields(), &options);
            let mut encoder = format.encoder();
            let mut chunk = Default::default();
            group.bench_function(format!("{name}/level {level}"), |bencher| {
                bencher.iter(|| encoder.encode(black_box(&rows), &mut chunk).unwrap());
            });
        }
    }
    group.finish();
}

/// Row groups of 100,000 rows by profile and level, without hashing or writing them.
fn parquet(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("parquet");
    group.throughput(Throughput::Elements(ROWS)).sample_size(10);
    for (name, text, versions) in [("nine", CURRENT, Versions::Current), ("twenty-one", VERSIONS, Versions::All)] {
        let source: SyntheticSource = text.parse().unwrap();
        let spec = spec(&source, versions).unwrap();
        let rows = RowChunk::new(batches(text).unwrap());
        for (profile, level) in [
            (ParquetProfile::Aws, 1),
            (ParquetProfile::Aws, 2),
            (ParquetProfile::Delta, 1),
            (ParquetProfile::Compact, 1),
        ] {
            let mut options = ParquetOptions::default();
            (options.profile, options.level) = (profile, level);
            let format = ParquetFormat::new(&bucket().unwrap(), spec.fields(), Order::Sorted, &options);
            let mut encoder = format.encoder();
            let mut chunk = Default::default();
            group.bench_function(format!("{name}/{profile:?} level {level}").to_lowercase(), |bencher| {
                bencher.iter(|| encoder.encode(black_box(&rows), &mut chunk).unwrap());
            });
        }
    }
    group.finish();
}

fn whole(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("generate");
    group.throughput(Throughput::Elements(10 * ROWS)).sample_size(10);
    let source: SyntheticSource = "rows=1000000,seed=1,versions=0".parse().unwrap();
    let spec = spec(&source, Versions::Current).unwrap();
    for threads in [1, 2] {
        group.bench_function(format!("synthetic to csv/{threads} threads"), |bencher| {
            let execution = Execution::default().with_threads(NonZeroUsize::new(threads).unwrap());
            let options = GenerateOptions::new(execution);
            bencher.iter_batched(
                || (),
                |()| generate(&source, &spec, &Discard, &options).unwrap(),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

criterion_group!(stages, source, encode, parquet, whole);
criterion_main!(stages);
