//! Writes a report of a synthetic bucket of any size to a destination that counts its bytes and drops them.
//!
//! ```text
//! scale --rows N [--versions V] [--format csv|orc|parquet] [--threads N] [--seed S]
//! ```
//!
//! All but the disk is as in a real run: rows are made, checked, encoded, assembled and hashed. It publishes nothing that
//! lasts. The last line is JSON: `seconds`, `cpu_s`, `rows`, `files`, `bytes` of all data files.
#![expect(clippy::print_stdout, reason = "the measurement is what the program is for")]

use clap::{Parser, ValueEnum};
use rustix::time::ClockId;
use serde_json::json;
use std::{error::Error, num::NonZeroUsize};
use stocktake::{
    BucketName, ConfigurationId, CsvOptions, Execution, FieldSelection, FormatOptions, GenerateOptions, ObjectSource,
    OrcOptions, ParquetOptions, ReportSpec, Timestamp, Versions, generate, sources::SyntheticSource,
};
use stocktake_benches::{Discard, bucket, seconds};

#[derive(Debug, Parser)]
struct Arguments {
    #[arg(long)]
    rows: u64,
    /// Most versions of a key; 0: a bucket without versions.
    #[arg(long, default_value_t = 0)]
    versions: u32,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[arg(long, default_value = "csv")]
    format: FormatChoice,
    #[arg(long, default_value = "2")]
    threads: NonZeroUsize,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FormatChoice {
    Csv,
    Orc,
    Parquet,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let (rows, seed, versions) = (arguments.rows, arguments.seed, arguments.versions);
    let source: SyntheticSource = format!("rows={rows},seed={seed},versions={versions}").parse()?;
    let (versions, selection) =
        if versions == 0 { (Versions::Current, FieldSelection::Default) } else { (Versions::All, FieldSelection::All) };
    let spec = ReportSpec::builder(bucket()?, ConfigurationId::try_new("bench")?, BucketName::try_new("reports")?)
        .with_created_at(Timestamp::parse("2026-11-22T01:00:00Z")?)
        .with_format(match arguments.format {
            FormatChoice::Csv => FormatOptions::Csv(CsvOptions::default()),
            FormatChoice::Orc => FormatOptions::Orc(OrcOptions::default()),
            FormatChoice::Parquet => FormatOptions::Parquet(ParquetOptions::default()),
        })
        .with_versions(versions)
        .with_fields(selection.resolve(source.provides(), versions)?)
        .build()?;
    let options = GenerateOptions::new(Execution::default().with_threads(arguments.threads));
    let before = [seconds(ClockId::Monotonic), seconds(ClockId::ProcessCPUTime)];
    let summary = generate(&source, &spec, &Discard, &options)?;
    let after = [seconds(ClockId::Monotonic), seconds(ClockId::ProcessCPUTime)];
    let measured = json!({
        "seconds": after[0] - before[0], "cpu_s": after[1] - before[1],
        "rows": summary.rows, "files": summary.files, "bytes": summary.bytes,
    });
    println!("{measured}");
    Ok(())
}
