//! Reads one whole report back, measured.
//!
//! ```text
//! read MANIFEST [--threads N] [--columns default|key,size,..] [--md5] [--what rows|insight|verify-rows|bytes|md5] [--rounds N]
//! ```
//!
//! `md5` is the yardstick of `bytes`: the same digest over the same bytes, which lie in memory already, file by file on
//! as many threads.
//!
//! The first round, which brings files into memory, is not counted. The last line is JSON: `rows`, `bytes`, and the least
//! `wall_s` and the least `cpu_s` of a round, each with what it makes a second.
#![expect(clippy::print_stdout, reason = "the measurement is what the program is for")]

use clap::{Parser, ValueEnum};
use rustix::time::ClockId;
use serde_json::json;
use std::{
    collections::BTreeSet,
    error::Error,
    hint::black_box,
    io::Read,
    num::NonZeroUsize,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use stocktake::{Field, FieldSet, LocalReport, ReportStore, VerifyOptions, md5_hex, verify};
use stocktake_benches::seconds;
use stocktake_reader::{InsightOptions, ReadOptions, Report, insight, verify_rows};

#[derive(Debug, Parser)]
struct Arguments {
    manifest: PathBuf,
    #[arg(long, default_value = "1")]
    threads: NonZeroUsize,
    /// Columns that are decoded; all of the report without it.
    #[arg(long, value_delimiter = ',')]
    columns: Vec<String>,
    #[arg(long)]
    md5: bool,
    #[arg(long, default_value = "rows")]
    what: What,
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum What {
    Rows,
    Insight,
    VerifyRows,
    Bytes,
    Md5,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let found = LocalReport::find(&arguments.manifest, None)?;
    let store: Arc<dyn ReportStore> = Arc::new(found.store().clone());
    let files: Arc<dyn ReportStore> = Arc::new(found.files().clone());
    let report = Report::open_with_files(&store, found.manifest(), &files)?;
    let bytes: u64 = report.files().iter().map(|file| file.size_bytes).sum();
    let held = if matches!(arguments.what, What::Md5) { held(&files, &report)? } else { Vec::new() };
    let mut best: Option<(f64, f64, u64)> = None;
    for round in 0..=arguments.rounds {
        let (wall, cpu) = (seconds(ClockId::Monotonic), seconds(ClockId::ProcessCPUTime));
        let rows = once(&arguments, &found, &report, &held)?;
        let (wall, cpu) = (seconds(ClockId::Monotonic) - wall, seconds(ClockId::ProcessCPUTime) - cpu);
        if round > 0 {
            let least =
                best.map_or((wall, cpu), |(least_wall, least_cpu, _)| (wall.min(least_wall), cpu.min(least_cpu)));
            best = Some((least.0, least.1, rows));
        }
    }
    let Some((wall, cpu, rows)) = best else { return Err("no round was measured".into()) };
    // Numbers of rows and bytes are far below what a double holds exactly.
    let (per, size) = (rows as f64 / 1e6, bytes as f64 / 1e6);
    println!(
        "{}",
        json!({
            "rows": rows, "bytes": bytes, "wall_s": wall, "cpu_s": cpu,
            "million_rows_per_wall_s": per / wall, "million_rows_per_cpu_s": per / cpu,
            "megabytes_per_wall_s": size / wall, "megabytes_per_cpu_s": size / cpu,
        })
    );
    Ok(())
}

/// The bytes of all data files.
fn held(files: &Arc<dyn ReportStore>, report: &Report) -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
    let mut all = Vec::new();
    for file in report.files() {
        let mut bytes = Vec::new();
        files.open_range(&file.key, 0..file.size_bytes)?.read_to_end(&mut bytes)?;
        all.push(bytes);
    }
    Ok(all)
}

/// Hashes files, each as a whole, by as many threads.
fn hash(held: &[Vec<u8>], threads: NonZeroUsize) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..threads.get() {
            scope.spawn(|| {
                while let Some(bytes) = held.get(next.fetch_add(1, Ordering::Relaxed)) {
                    black_box(md5_hex(bytes));
                }
            });
        }
    });
}

fn once(arguments: &Arguments, found: &LocalReport, report: &Report, held: &[Vec<u8>]) -> Result<u64, Box<dyn Error>> {
    let mut options = ReadOptions::default().with_threads(arguments.threads).with_md5(arguments.md5);
    if !arguments.columns.is_empty() {
        let field = |name: &String| Field::from_name(name).ok_or_else(|| format!("{name} is no field"));
        options = options.with_fields(arguments.columns.iter().map(field).collect::<Result<FieldSet, _>>()?);
    }
    Ok(match arguments.what {
        What::Bytes => verify(&found.location(), &VerifyOptions::new(arguments.threads))?.rows.unwrap_or(0),
        What::Md5 => {
            hash(held, arguments.threads);
            0
        }
        What::Insight => insight(report, &InsightOptions::default().with_read(options))?.rows,
        What::VerifyRows => verify_rows(report, &options, &BTreeSet::new())?.rows,
        What::Rows => {
            let mut batches = report.read(&options)?;
            batches.try_for_each(|batch| batch.map(drop))?;
            batches.rows()
        }
    })
}
