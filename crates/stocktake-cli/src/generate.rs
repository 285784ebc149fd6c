//! `stocktake generate`: arguments to spec, source and destination; the run; the line that says what was done.

use crate::{
    args::GenerateArgs,
    choices::{CompressionChoice, FormatChoice},
    clouds,
    configuration::Configured,
    cross_check::{CrossChecked, Findings},
    exit::{Failure, Outcome, json_line, put_out, say},
    interrupt::Interrupts,
    listing::{Listed, Listing},
    machine,
    progress::Progress,
    s3, source,
    source_text::{DestinationText, SourceText},
    target::{self, Target},
    unfinished,
};
use serde::Serialize;
use std::sync::Arc;
use stocktake::{
    CsvOptions, Destination, Envelope, Execution, Existing, FieldSet, FormatOptions, GenerateOptions, MissingFields,
    ObjectSource, OrcCompression, OrcOptions, Order, ParquetOptions, Recovery, ReportLayout, ReportSpec, ReportSummary,
    ServerSideEncryption, Uuid, Versions, check_source, destinations::LocalDestination,
};
use stocktake_service::{EnvelopeDestination, LocalKeyService};

/// Generates a report as the arguments ask, and prints what was done.
///
/// # Errors
/// Whatever kept the report from being published.
pub(crate) fn run(args: &GenerateArgs) -> Result<Outcome, Failure> {
    let watch = machine::Stopwatch::start();
    let interrupts = Interrupts::listen()?;
    let configured = Configured::of(args)?;
    let args = configured.as_ref().map_or(args, |configured| &configured.args);
    if args.to.abandon {
        return unfinished::abandon(args, configured.as_ref());
    }
    let task = Task::prepare(args, configured.as_ref())?;
    let progress = Arc::new(Progress::start(args.run.progress));
    let execution = execution(args).with_cancel(interrupts.begin(&progress));
    let generated = task.carry_out(args, &execution, &progress);
    progress.end();
    let summary = generated.map_err(|failure| failure.with_leftovers(task.target.left_behind()))?;

    for leftover in &summary.leftovers {
        say(&format!("left behind, to be removed by the next run: {leftover}"));
    }
    let manifest_path = task.target.place(&summary.manifest_key);
    let cross_check = task.cross_check.as_ref().map(|findings| findings());
    let differs = cross_check.as_ref().is_some_and(CrossChecked::differs);
    if let Some(found) = &cross_check {
        found.say();
    }
    let listing = task.listing.as_ref().map(|listing| listing());
    let done = Done { listing, cross_check, ..Done::new(&summary, manifest_path, watch.seconds()) };
    if let Err(Failure::Failed { message, .. }) = put_out(&json_line(&done)) {
        // The report is published; the exit code says so.
        say(&message);
    }
    Ok(match summary.skipped_entries {
        _ if differs => Outcome::Differences,
        0 => Outcome::Complete,
        _ => Outcome::Skipped,
    })
}

/// What the arguments name, checked and opened; nothing is written yet.
struct Task {
    source: Box<dyn ObjectSource>,
    spec: ReportSpec,
    target: Target,
    encryption: Option<ServerSideEncryption>,
    keys: Option<LocalKeyService>,
    listing: Option<Listing>,
    cross_check: Option<Findings>,
}

impl Task {
    fn prepare(args: &GenerateArgs, configured: Option<&Configured>) -> Result<Self, Failure> {
        let created_at = match args.to.at {
            Some(time) => time,
            None => machine::now()?,
        };
        source::check_options(&args.from)?;
        if args.to.resume && args.from.source.is_stdin() {
            return Err(Failure::usage("--resume does not apply to standard input, which can be read only once"));
        }
        let format = format(args)?;
        let bucket = source::bucket(&args.from, &args.s3)?;
        let (destination_bucket, destination_prefix) = target::bucket_and_prefix(&args.to)?;
        // Before the source is opened: standard input may be waited for.
        let local = match &args.to.destination {
            DestinationText::Directory(path) => {
                check_unencrypted(args, "a directory as destination")?;
                let local = LocalDestination::try_new(path);
                Some(local.map_err(|error| Failure::failed("the destination cannot be used", &error))?)
            }
            DestinationText::S3(_) | DestinationText::Cloud(_) => None,
        };
        let cloud = match &args.to.destination {
            DestinationText::Cloud(text) => {
                check_unencrypted(args, &text.address())?;
                Some(clouds::target(text, execution(args).threads)?)
            }
            DestinationText::S3(_) | DestinationText::Directory(_) => None,
        };
        let keys = args.configuration.key_file.as_ref().map(LocalKeyService::open).transpose();
        let keys = keys.map_err(|error| Failure::of(&error))?;
        let (source, listing, cross_check) = match &args.from.source {
            SourceText::S3(text) if args.from.cross_check => {
                let (source, listing, findings) = s3::cross_checked(args, text)?;
                (source, Some(listing), Some(findings))
            }
            SourceText::S3(text) => {
                let (source, listing) = s3::source(args, text)?;
                (source, Some(listing), None)
            }
            _ => (source::open(args, &bucket)?, None, None),
        };
        let (builder, encryption) = match configured {
            Some(configured) => configured.request(&*source, bucket, created_at)?,
            None => {
                let versions = Versions::from(args.content.versions);
                let fields = args.content.fields.resolve(source.provides(), versions);
                let builder = ReportSpec::builder(bucket, args.to.id.clone(), destination_bucket)
                    .with_destination_prefix(destination_prefix)
                    .with_created_at(created_at)
                    .with_fields(fields.map_err(|error| missing_fields(args, error))?)
                    .with_versions(versions)
                    .with_prefix(&args.from.prefix);
                (builder, None)
            }
        };
        let what = match &args.to.destination {
            DestinationText::Directory(_) => Some("a directory"),
            DestinationText::Cloud(_) => Some("this destination"),
            DestinationText::S3(_) => None,
        };
        if let (Some(encryption), None, Some(what)) = (&encryption, &keys, what) {
            let text =
                format!("{encryption} is asked for, which {what} cannot do; --key-file encrypts the report itself");
            return Err(Failure::message(text));
        }
        let builder = builder
            .with_address(cloud.as_ref().map(|(_, address)| address.as_str()))
            .with_format(format)
            .with_order(args.from.unsorted.map_or(Order::Sorted, Order::from))
            .with_unknown_values(args.content.unknown_values.into())
            .with_chunk_rows(args.files.chunk_rows)
            .with_row_digest(args.content.row_digest)
            .with_envelope(if keys.is_some() { Envelope::Encrypted } else { Envelope::None });
        let builder = match args.files.shard_target {
            Some(bytes) => builder.with_shard_target_bytes(bytes.get()),
            None => builder,
        };
        let spec = builder.clone().build().map_err(|error| Failure::usage(error.to_string()))?;
        // The engine asks too, but only after it has looked for a report with the same stamp.
        spec.chunk_budget_bytes(execution(args).memory_limit_bytes())
            .map_err(|error| Failure::usage(error.to_string()))?;
        let target = match (local, cloud) {
            (Some(local), _) => Target::of_directory(local),
            (None, Some((target, _))) => target,
            (None, None) => {
                // Inside envelopes objects are encrypted before the bucket sees them.
                open_bucket(args, configured, encryption.clone().filter(|_| keys.is_none()))?
            }
        };
        let unfinished = if args.to.resume && args.to.at.is_none() {
            let root = ReportLayout::new(&spec).root().clone();
            unfinished::created_at(&target, keys.as_ref(), &root)?
        } else {
            None
        };
        let spec = match unfinished {
            Some(created_at) => builder.with_created_at(created_at).build(),
            None => Ok(spec),
        };
        let spec = spec.map_err(|error| Failure::usage(error.to_string()))?;
        Ok(Self { source, spec, target, encryption, keys, listing, cross_check })
    }

    fn carry_out(
        &self,
        args: &GenerateArgs,
        execution: &Execution,
        progress: &Arc<Progress>,
    ) -> Result<ReportSummary, Failure> {
        if args.from.check_order {
            if !self.source.reopens() {
                return Err(Failure::usage("--check-order does not apply to a source that can be read only once"));
            }
            progress.prepare("checking the source: ");
            // Without an observer: what is skipped is named once, when the report is written.
            let rows = check_source(&*self.source, &self.spec, execution)?;
            progress.say(&format!("stocktake: the source is in order: {rows} rows"));
        }
        progress.begin();
        let observer = Arc::clone(progress);
        let options = GenerateOptions::new(execution.clone().with_observer(observer))
            .with_lanes(args.files.lanes)
            .with_existing(if args.to.replace { Existing::Replace } else { Existing::Refuse })
            .with_recovery(if args.to.resume { Recovery::Resume } else { Recovery::Begin });
        // What a listing says holds for some time between its beginning and its end; files and dumps say their own.
        let options = match &args.from.source {
            SourceText::S3(_) => options.with_clock(machine::clock()),
            _ => options,
        };
        let sealed;
        let destination: &dyn Destination = match &self.keys {
            Some(keys) => {
                let fresh = EnvelopeDestination::try_new(self.target.destination(), keys, self.encryption.as_ref())
                    .map_err(|error| Failure::of(&error))?;
                sealed = if args.to.resume {
                    let begun = fresh.continuing(&ReportLayout::new(&self.spec).journal_begin());
                    begun
                        .map_err(|error| Failure::failed("the journal of the unfinished run cannot be read", &error))?
                } else {
                    fresh
                };
                &sealed
            }
            None => self.target.destination(),
        };
        Ok(stocktake::generate(&*self.source, &self.spec, destination, &options)?)
    }
}

/// The bucket that the report goes to.
///
/// # Errors
/// If it cannot be reached as the arguments say.
pub(crate) fn open_bucket(
    args: &GenerateArgs,
    configured: Option<&Configured>,
    asked: Option<ServerSideEncryption>,
) -> Result<Target, Failure> {
    let DestinationText::S3(text) = &args.to.destination else {
        return Err(Failure::usage("--destination is no bucket"));
    };
    let owner = configured.and_then(Configured::destination_owner);
    s3::target(&args.s3, &args.sse, text, execution(args).threads, asked, owner.as_deref())
}

/// Refuses options of S3's buckets where the destination is another.
fn check_unencrypted(args: &GenerateArgs, destination: &str) -> Result<(), Failure> {
    let given =
        [("--sse", args.sse.sse.is_some()), ("--expected-bucket-owner", args.sse.expected_bucket_owner.is_some())];
    match given.into_iter().find(|(_, given)| *given) {
        Some((name, _)) => Err(Failure::usage(format!("{name} does not apply to {destination}"))),
        None => Ok(()),
    }
}

/// Fields that the source lacks, and how to have them if there is a way.
fn missing_fields(args: &GenerateArgs, error: MissingFields) -> Failure {
    let enrichable = matches!(args.from.source, SourceText::S3(_)) && args.from.enrich.is_none();
    let hint = if enrichable && error.0.difference(s3::enriched_fields()).is_empty() {
        "; a listing lacks them, --enrich head asks for each object by itself"
    } else {
        ""
    };
    Failure::usage(format!("--fields: {error}{hint}"))
}

/// Format and options; an option that the format does not have is refused rather than ignored.
fn format(args: &GenerateArgs) -> Result<FormatOptions, Failure> {
    let files = &args.files;
    let only = |given: bool, text: &str| if given { Err(Failure::usage(text)) } else { Ok(()) };
    if !matches!(files.format, FormatChoice::Parquet) {
        only(files.profile.is_some(), "--profile is for --format parquet")?;
    }
    if !matches!(files.format, FormatChoice::Orc) {
        only(files.compression.is_some(), "--compression is for --format orc")?;
    }
    match files.format {
        FormatChoice::Csv => {
            only(files.bloom.is_some(), "--bloom is for --format parquet and --format orc")?;
            let mut options = CsvOptions::default();
            options.key_encoding = files.key_encoding.into();
            options.null_version = files.null_version.into();
            options.level = files.compression_level.unwrap_or(CsvOptions::LEVEL_DEFAULT);
            Ok(FormatOptions::Csv(options))
        }
        FormatChoice::Orc => {
            let level = files.compression_level;
            let mut options = OrcOptions::default();
            options.compression = match files.compression.unwrap_or(CompressionChoice::Zlib) {
                CompressionChoice::Zlib => OrcCompression::Zlib { level: level.unwrap_or(1) },
                CompressionChoice::Zstd => OrcCompression::Zstd { level: level.unwrap_or(1) },
                other => {
                    only(level.is_some(), "--compression-level is for zlib and zstd")?;
                    if other == CompressionChoice::Snappy { OrcCompression::Snappy } else { OrcCompression::None }
                }
            };
            options.bloom_filters = files.bloom.unwrap_or(FieldSet::EMPTY);
            Ok(FormatOptions::Orc(options))
        }
        FormatChoice::Parquet => {
            let mut options = ParquetOptions::default();
            options.profile = files.profile.map(Into::into).unwrap_or_default();
            options.level = files.compression_level.unwrap_or(1);
            options.bloom_filters = files.bloom.unwrap_or(FieldSet::EMPTY);
            Ok(FormatOptions::Parquet(options))
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
    /// Rows that this run encoded; the others stand in data files of a run that it continued.
    rows_encoded: u64,
    report_id: Uuid,
    /// What the listing of a bucket took.
    #[serde(skip_serializing_if = "Option::is_none")]
    listing: Option<Listed>,
    /// What a second listing told, if one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    cross_check: Option<CrossChecked>,
}

impl Done {
    fn new(summary: &ReportSummary, manifest_path: String, seconds: f64) -> Self {
        Self {
            status: "complete",
            rows: summary.rows,
            files: summary.files,
            bytes: summary.bytes,
            seconds,
            manifest: summary.manifest_key.to_string(),
            manifest_path,
            skipped: summary.skipped_entries,
            rows_encoded: summary.rows - summary.kept_rows,
            report_id: summary.report_id,
            listing: None,
            cross_check: None,
        }
    }
}
