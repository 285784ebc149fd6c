//! Writes one whole report of an Arrow IPC file, or of NDJSON, measured, so that peers can be put beside it.
//!
//! ```text
//! encode --in FILE.arrow|FILE.ndjson --out DIR --format csv|orc|parquet [--profile aws|delta|compact] [--compression none|zlib|snappy|zstd]
//!        [--level N] [--bloom key,e_tag] [--threads N] [--shard-target-mib N] [--chunk-mib N] [--memory-mib N]
//! ```
//!
//! An Arrow file is mapped, decoded and read through once before the clock starts, so that its rows are tables in memory as they
//! are for a peer. What is measured is all that follows: rows taken over, percent-encoding, interning, encoding,
//! MD5 and publication. Of NDJSON, parsing is measured too. The last line is JSON: `write_s` and `write_cpu_s` in seconds, `rows`, `files`, and `bytes` of all
//! data files. The columns are those of the file; the report is of all versions if it says which version is the latest.
#![expect(clippy::print_stdout, reason = "the measurement is what the program is for")]

use arrow_array::{Array, StringArray};
use clap::{Parser, ValueEnum};
use rustix::time::ClockId;
use serde_json::json;
use std::{
    error::Error,
    fs::File,
    io::{BufRead, BufReader},
    num::{NonZeroU64, NonZeroUsize},
    path::{Path, PathBuf},
};
use stocktake::{
    BucketName, ConfigurationId, CsvOptions, Execution, Field, FieldSet, FormatOptions, GenerateOptions, ObjectSource,
    OrcCompression, OrcOptions, ParquetOptions, ParquetProfile, ReportSpec, Timestamp, Versions, check_source,
    destinations::LocalDestination,
    generate,
    sources::{ArrowFileSource, NdjsonSource},
};
use stocktake_benches::{bucket, seconds};

#[derive(Debug, Parser)]
struct Arguments {
    #[arg(long = "in")]
    input: PathBuf,
    #[arg(long)]
    out: PathBuf,
    #[arg(long, default_value = "csv")]
    format: FormatChoice,
    #[arg(long, default_value = "aws")]
    profile: ProfileChoice,
    #[arg(long, default_value = "zlib")]
    compression: CompressionChoice,
    #[arg(long, default_value_t = 1)]
    level: u8,
    #[arg(long, value_delimiter = ',')]
    bloom: Vec<String>,
    #[arg(long, default_value = "1")]
    threads: NonZeroUsize,
    /// Size at which a data file is closed; the report's default if not given, which makes several files of what peers write in one.
    #[arg(long)]
    shard_target_mib: Option<NonZeroU64>,
    /// Raw bytes of a chunk; the format's default if not given.
    #[arg(long)]
    chunk_mib: Option<NonZeroU64>,
    /// Limit of private memory; the formula if not given.
    #[arg(long)]
    memory_mib: Option<NonZeroU64>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FormatChoice {
    Csv,
    Orc,
    Parquet,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ProfileChoice {
    Aws,
    Delta,
    Compact,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum CompressionChoice {
    None,
    Zlib,
    Snappy,
    Zstd,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    if arguments.input.extension().is_some_and(|extension| extension == "ndjson") {
        let source = NdjsonSource::try_open(&arguments.input)?;
        let spec = spec_of(&arguments, source.provides(), bucket_of_line(&arguments.input)?)?;
        return write(&arguments, &source, &spec);
    }
    let source = ArrowFileSource::try_open(&arguments.input)?.decoded()?;
    let spec = spec_of(&arguments, source.provides(), bucket_of(&arguments.input)?)?;
    // Every page is touched before the clock starts.
    check_source(&source, &spec, &execution_of(&arguments))?;
    write(&arguments, &source, &spec)
}

/// Writes the report, measured.
fn write<S: ObjectSource>(arguments: &Arguments, source: &S, spec: &ReportSpec) -> Result<(), Box<dyn Error>> {
    let destination = LocalDestination::try_new(&arguments.out)?;
    let options = GenerateOptions::new(execution_of(arguments));
    let before = [seconds(ClockId::Monotonic), seconds(ClockId::ProcessCPUTime)];
    let summary = generate(source, spec, &destination, &options)?;
    let after = [seconds(ClockId::Monotonic), seconds(ClockId::ProcessCPUTime)];
    let measured = json!({
        "write_s": after[0] - before[0], "write_cpu_s": after[1] - before[1],
        "rows": summary.rows, "bytes": summary.bytes, "files": summary.files,
    });
    println!("{measured}");
    Ok(())
}

fn execution_of(arguments: &Arguments) -> Execution {
    let execution = Execution::default().with_threads(arguments.threads);
    match arguments.memory_mib {
        Some(mib) => execution.with_memory_bytes(mib.saturating_mul(NonZeroU64::MIN.saturating_add((1 << 20) - 1))),
        None => execution,
    }
}

fn spec_of(arguments: &Arguments, provided: FieldSet, bucket: BucketName) -> Result<ReportSpec, Box<dyn Error>> {
    let fields = provided.union(FieldSet::REQUIRED);
    let versions = if fields.contains(Field::IsLatest) { Versions::All } else { Versions::Current };
    let builder = ReportSpec::builder(bucket, ConfigurationId::try_new("bench")?, BucketName::try_new("reports")?)
        .with_created_at(Timestamp::parse("2026-11-22T01:00:00Z")?)
        .with_format(format(arguments)?)
        .with_versions(versions)
        .with_fields(fields);
    let builder = match arguments.shard_target_mib {
        Some(mib) => builder.with_shard_target_bytes(mib.get() << 20),
        None => builder,
    };
    Ok(match arguments.chunk_mib {
        Some(mib) => builder.with_chunk_bytes(mib.get() << 20).build()?,
        None => builder.build()?,
    })
}

fn format(arguments: &Arguments) -> Result<FormatOptions, String> {
    let bloom_filters = bloom_filters(&arguments.bloom)?;
    let level = arguments.level;
    Ok(match arguments.format {
        FormatChoice::Csv => {
            let mut options = CsvOptions::default();
            options.level = level;
            FormatOptions::Csv(options)
        }
        FormatChoice::Orc => {
            let mut options = OrcOptions::default();
            options.bloom_filters = bloom_filters;
            options.compression = match arguments.compression {
                CompressionChoice::None => OrcCompression::None,
                CompressionChoice::Zlib => OrcCompression::Zlib { level },
                CompressionChoice::Snappy => OrcCompression::Snappy,
                CompressionChoice::Zstd => OrcCompression::Zstd { level },
            };
            FormatOptions::Orc(options)
        }
        FormatChoice::Parquet => {
            let mut options = ParquetOptions::default();
            options.bloom_filters = bloom_filters;
            options.level = level;
            options.profile = match arguments.profile {
                ProfileChoice::Aws => ParquetProfile::Aws,
                ProfileChoice::Delta => ParquetProfile::Delta,
                ProfileChoice::Compact => ParquetProfile::Compact,
            };
            FormatOptions::Parquet(options)
        }
    })
}

fn bloom_filters(columns: &[String]) -> Result<FieldSet, String> {
    let field = |name: &String| Field::all().find(|field| field.column_name() == name);
    columns.iter().map(|name| field(name).ok_or_else(|| format!("no field has a column {name:?}"))).collect()
}

/// The bucket that the file's first row names.
fn bucket_of(path: &Path) -> Result<BucketName, Box<dyn Error>> {
    let reader = arrow_ipc::reader::FileReader::try_new(File::open(path)?, None)?;
    for batch in reader {
        let batch = batch?;
        let column = batch.column_by_name("bucket").and_then(|column| column.as_any().downcast_ref::<StringArray>());
        match column {
            Some(names) if !names.is_empty() => return Ok(BucketName::try_new(names.value(0))?),
            Some(_) => {}
            None => break,
        }
    }
    bucket()
}

/// The bucket that the first line names.
fn bucket_of_line(path: &Path) -> Result<BucketName, Box<dyn Error>> {
    let mut line = String::new();
    BufReader::new(File::open(path)?).read_line(&mut line)?;
    let row: serde_json::Value = serde_json::from_str(&line)?;
    match row["bucket"].as_str() {
        Some(name) => Ok(BucketName::try_new(name)?),
        None => bucket(),
    }
}
