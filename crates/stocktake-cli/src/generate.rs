//! `stocktake generate`: arguments to spec, source and destination; the run; the line that says what was done.

use crate::{
    args::GenerateArgs,
    choices::FormatChoice,
    exit::{Failure, Outcome, json_line, put_out, say},
    interrupt::Interrupts,
    machine,
    progress::Progress,
    source, target,
};
use serde::Serialize;
use std::{path::PathBuf, sync::Arc};
use stocktake::{
    CsvOptions, Execution, Existing, FormatOptions, GenerateError, GenerateOptions, ObjectSource, Order, ReportSpec,
    ReportSummary, Uuid, Versions, check_source, destinations::LocalDestination,
};

/// Generates a report as the arguments ask, and prints what was done.
///
/// # Errors
/// Whatever kept the report from being published.
pub(crate) fn run(args: &GenerateArgs) -> Result<Outcome, Failure> {
    let watch = machine::Stopwatch::start();
    let interrupts = Interrupts::listen()?;
    let task = Task::prepare(args)?;
    let progress = Arc::new(Progress::start(args.run.progress));
    let execution = execution(args).with_cancel(interrupts.begin(&progress));
    let generated = task.carry_out(args, &execution, &progress);
    progress.end();
    let summary = generated?;

    let manifest_path = task.destination.root().join(summary.manifest_key.as_str());
    let done = Done::new(&summary, manifest_path, watch.seconds());
    if let Err(Failure::Failed { message, .. }) = put_out(&json_line(&done)) {
        // The report is published; the exit code says so.
        say(&message);
    }
    Ok(if summary.skipped_entries == 0 { Outcome::Complete } else { Outcome::Skipped })
}

/// What the arguments name, checked and opened; nothing is written yet.
struct Task {
    source: Box<dyn ObjectSource>,
    spec: ReportSpec,
    destination: LocalDestination,
}

impl Task {
    fn prepare(args: &GenerateArgs) -> Result<Self, Failure> {
        let created_at = match args.to.at {
            Some(time) => time,
            None => machine::now()?,
        };
        source::check_options(&args.from)?;
        let bucket = source::bucket(&args.from)?;
        let destination_bucket = match &args.to.destination_bucket {
            Some(bucket) => bucket.clone(),
            None => target::bucket_of(&args.to.destination, "--destination-bucket")?,
        };
        // Before the source is opened: standard input may be waited for.
        let destination = LocalDestination::try_new(&args.to.destination)
            .map_err(|error| Failure::failed("the destination cannot be used", &error))?;
        let source = source::open(args, &bucket)?;
        let versions = Versions::from(args.content.versions);
        let fields = args.content.fields.resolve(source.provides(), versions);
        let spec = ReportSpec::builder(bucket, args.to.id.clone(), destination_bucket)
            .with_destination_prefix(args.to.destination_prefix.clone())
            .with_created_at(created_at)
            .with_format(format(args))
            .with_fields(fields.map_err(|error| Failure::usage(format!("--fields: {error}")))?)
            .with_versions(versions)
            .with_prefix(&args.from.prefix)
            .with_order(args.from.unsorted.map_or(Order::Sorted, Order::from))
            .with_unknown_values(args.content.unknown_values.into())
            .with_chunk_rows(args.files.chunk_rows)
            .with_shard_target_bytes(args.files.shard_target.get())
            .build()
            .map_err(|error| Failure::usage(error.to_string()))?;
        // The engine asks too, but only after it has looked for a report with the same stamp.
        spec.chunk_budget_bytes(execution(args).memory_limit_bytes())
            .map_err(|error| Failure::usage(error.to_string()))?;
        Ok(Self { source, spec, destination })
    }

    fn carry_out(
        &self,
        args: &GenerateArgs,
        execution: &Execution,
        progress: &Arc<Progress>,
    ) -> Result<ReportSummary, GenerateError> {
        if args.from.check_order {
            progress.prepare("checking the source: ");
            // Without an observer: what is skipped is named once, when the report is written.
            let rows = check_source(&*self.source, &self.spec, execution)?;
            progress.say(&format!("stocktake: the source is in order: {rows} rows"));
        }
        progress.begin();
        let observer = Arc::clone(progress);
        let options = GenerateOptions::new(execution.clone().with_observer(observer))
            .with_lanes(args.files.lanes)
            .with_existing(if args.to.replace { Existing::Replace } else { Existing::Refuse });
        stocktake::generate(&*self.source, &self.spec, &self.destination, &options)
    }
}

fn format(args: &GenerateArgs) -> FormatOptions {
    match args.files.format {
        FormatChoice::Csv => {
            let mut options = CsvOptions::default();
            options.key_encoding = args.files.key_encoding.into();
            options.null_version = args.files.null_version.into();
            options.level = args.files.compression_level;
            FormatOptions::Csv(options)
        }
    }
}

fn execution(args: &GenerateArgs) -> Execution {
    let execution = Execution::default().with_threads(args.run.threads.unwrap_or_else(machine::threads));
    match args.run.memory {
        Some(bytes) => execution.with_memory_bytes(bytes),
        None => execution,
    }
}

/// The last line on standard output.
#[derive(Debug, Serialize)]
struct Done {
    status: &'static str,
    rows: u64,
    files: u64,
    bytes: u64,
    seconds: f64,
    manifest: String,
    manifest_path: String,
    skipped: u64,
    report_id: Uuid,
}

impl Done {
    fn new(summary: &ReportSummary, manifest_path: PathBuf, seconds: f64) -> Self {
        Self {
            status: "complete",
            rows: summary.rows,
            files: summary.files,
            bytes: summary.bytes,
            seconds,
            manifest: summary.manifest_key.to_string(),
            // A path that is not UTF-8 has no form in JSON; the key is exact.
            manifest_path: manifest_path.to_string_lossy().into_owned(),
            skipped: summary.skipped_entries,
            report_id: summary.report_id,
        }
    }
}
