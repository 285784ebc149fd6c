//! The arguments: names, bounds, defaults and help texts.
//!
//! What one argument alone can get wrong is refused here; what two arguments can get wrong together is refused where
//! they meet. Nothing here looks at the file system.

use crate::{
    choices::{
        AclChoice, BadEntriesChoice, ChangeChoice, ColorChoice, CompressionChoice, DiffChoice, DiffOrderChoice,
        ETagChoice, EngineChoice, EnrichChoice, FormatChoice, KeyEncodingChoice, MissingColumnsChoice,
        NullVersionChoice, ProfileChoice, ProgressChoice, SseChoice, SymlinksChoice, TextChoice, UnknownValuesChoice,
        UnsortedChoice, VersionsChoice,
    },
    configuration::{ConfigVerb, PolicyVerb, RunDueArgs},
    size::parse_size,
    source_text::{DestinationText, ManifestText, SourceText},
};
use clap::{
    Args, Parser, Subcommand,
    builder::{OsStringValueParser, TypedValueParser, ValueParser},
};
use std::{
    num::{NonZeroU32, NonZeroU64, NonZeroUsize},
    path::PathBuf,
};
use stocktake::{BucketName, ConfigurationId, DestinationPrefix, Field, FieldSelection, FieldSet, Timestamp};

/// Most threads that may be asked for: beyond any machine, and their memory still fits in 48 GiB.
const THREADS_MAX: u64 = 1024;

/// Most lanes that may be asked for: each has a data file of its own.
const LANES_MAX: u64 = 65_536;

const EXIT_CODES: &str = "\
Exit codes:
  0    done and complete
  1    failed; nothing is published, and nothing of the run is left but finished data files, for --resume
  2    wrong usage
  3    the report is complete but for skipped entries, each named on standard error
  4    verify or diff found differences; policy check or check-destination found that reports would not, or might not, be let in
  130  interrupted; nothing is published, as after a failure";

const GENERATE_EXAMPLES: &str = "\
Examples:
  The files below /srv/photos, as a report in the bucket that the folder /srv/inventory stands for:
    stocktake generate --source /srv/photos --destination /srv/inventory

  The same with ETags and few columns, stamped on the hour; what cannot be read is left out:
    stocktake generate --source /srv/photos --destination /srv/inventory --id hourly --etag md5 \\
        --fields Size,LastModifiedDate,ETag --at 2026-11-22T01:00:00Z --on-bad-entry skip

  A bucket into another one, all versions, encrypted by a key:
    stocktake generate --source s3://photos --versions all --destination s3://reports/inventory \\
        --sse aws:kms --sse-kms-key-id alias/reports

  A listing that another program writes, all versions:
    list-bucket | stocktake generate --source ndjson:- --destination /srv/inventory \\
        --bucket photos --versions all

  A run that was cut off, continued:
    stocktake generate --source s3://photos --destination s3://reports/inventory --resume

  A million invented objects, to try a reader:
    stocktake generate --source synthetic:rows=1000000,seed=7 --destination /tmp/inventory

The last line on standard output is one JSON object that says what was done.";

const VERIFY_EXAMPLES: &str = "\
Examples:
  stocktake verify /srv/inventory/photos/daily/2026-11-22T01-00Z/manifest.json
  stocktake verify --rows manifest.json
  stocktake verify --rows s3://reports/inventory/photos/daily/2026-11-22T01-00Z/manifest.json

Each difference is a line on standard output; there are none if the report is whole.";

const CAT_EXAMPLES: &str = "\
Examples:
  stocktake cat --header --columns Key,Size manifest.json
  stocktake cat --format ndjson manifest.json | jq -r 'select(.Size > 1e9) | .Key'";

const DIFF_EXAMPLES: &str = "\
Examples:
  stocktake diff yesterday/manifest.json today/manifest.json
  stocktake diff --format ndjson --ignore LastModifiedDate old.json new.json | jq -r 'select(.change == \"added\") | .key'

  What was added or changed, as a report of its own:
    stocktake generate --source inventory:new.json --since old.json --destination /srv/changes

The exit code is 0 if nothing differs, and 4 if something does.";

const DDL_EXAMPLES: &str = "\
Examples:
  stocktake ddl --for athena manifest.json
  (stocktake ddl --for duckdb manifest.json; echo 'SELECT sum(size) FROM inventory;') | duckdb";

const INSPECT_EXAMPLES: &str = "\
Examples:
  stocktake inspect /srv/inventory/photos/daily/2026-11-22T01-00Z/manifest.json
  stocktake inspect --json manifest.json | jq .rows
  stocktake inspect --rows --depth 2 manifest.json
  stocktake inspect --html photos.html manifest.json";

const PRUNE_EXAMPLES: &str = "\
Examples:
  stocktake prune /srv/inventory --keep 30
  stocktake prune /srv/inventory --keep 30 --yes
  stocktake prune s3://reports/inventory --keep 7 --older-than 90 --bucket photos --id daily --yes

A report goes whole: its checksum first, so that it is never taken for complete. What is no report's stays.";

const CHECK_EXAMPLES: &str = "\
Examples:
  stocktake check-destination --destination s3://reports/inventory --sse aws:kms --sse-kms-key-id alias/reports

It writes a small object with exactly the headers of a report's, whole and in parts, reads it, and removes it.";

const RUN_EXAMPLES: &str = "\
Examples:
  stocktake config put --store store.redb --bucket photos daily.json
  stocktake run --store store.redb --sources sources.toml --once

The file of sources:
  [destinations]            # destination bucket = directory
  reports = \"/srv/inventory\"

  [sources.photos]          # options of `generate` for the bucket photos
  source = \"/srv/photos\"
  etag = \"md5\"

  [keys]                    # optional: encrypts reports whose configuration asks for it
  file = \"keys.txt\"";

/// Writes object-storage inventory reports as Amazon S3 Inventory lays them out.
#[derive(Debug, Parser)]
#[command(name = "stocktake", version, arg_required_else_help = true, after_long_help = EXIT_CODES, max_term_width = 120)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Generates and publishes a report
    #[command(after_help = "For details and examples: stocktake generate --help", after_long_help = GENERATE_EXAMPLES)]
    Generate(Box<GenerateArgs>),
    /// Compares every file of a report with its manifest
    #[command(after_long_help = VERIFY_EXAMPLES)]
    Verify(VerifyArgs),
    /// Prints the rows of a report
    #[command(after_long_help = CAT_EXAMPLES)]
    Cat(CatArgs),
    /// Says what changed between two reports: objects added, removed, changed, moved
    #[command(after_long_help = DIFF_EXAMPLES)]
    Diff(Box<DiffArgs>),
    /// Prints the statements by which a query engine reads a report
    #[command(after_long_help = DDL_EXAMPLES)]
    Ddl(DdlArgs),
    /// Says what a report holds, from its manifest, or what its rows say of the bucket
    #[command(after_long_help = INSPECT_EXAMPLES)]
    Inspect(InspectArgs),
    /// Takes old reports away: shows which, and with --yes removes them
    #[command(after_long_help = PRUNE_EXAMPLES)]
    Prune(Box<PruneArgs>),
    /// Checks, shows and keeps inventory configurations
    #[command(subcommand)]
    Config(ConfigVerb),
    /// Prints and checks the policies by which S3 delivers reports
    #[command(subcommand)]
    Policy(PolicyVerb),
    /// Tries whether a bucket takes a report as it will be written, and names the permission that is missing
    #[command(after_long_help = CHECK_EXAMPLES)]
    CheckDestination(Box<CheckDestinationArgs>),
    /// Makes the reports of a store of configurations that are due
    #[command(after_long_help = RUN_EXAMPLES)]
    Run(Box<RunDueArgs>),
    /// Prints the completions of a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

#[derive(Clone, Debug, Args)]
pub(crate) struct GenerateArgs {
    #[command(flatten)]
    pub(crate) from: FromArgs,
    #[command(flatten)]
    pub(crate) to: ToArgs,
    #[command(flatten)]
    pub(crate) content: ContentArgs,
    #[command(flatten)]
    pub(crate) files: FilesArgs,
    #[command(flatten)]
    pub(crate) configuration: ConfigurationArgs,
    #[command(flatten)]
    pub(crate) s3: S3Args,
    #[command(flatten)]
    pub(crate) sse: SseArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

/// How buckets are reached.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "S3")]
pub(crate) struct S3Args {
    /// Endpoint of an S3-compatible server [default: `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`, the profile's, or S3 itself]
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint_url: Option<String>,

    /// Region [default: `AWS_REGION`, `AWS_DEFAULT_REGION`, the profile's, or us-east-1]
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,

    /// Names buckets in the path of requests and not in the host's name
    #[arg(long)]
    pub(crate) path_style: bool,

    /// Profile whose keys are used [default: keys in the environment, or the profile `AWS_PROFILE` or `default`]
    #[arg(long, value_name = "NAME", conflicts_with = "no_sign_request")]
    pub(crate) aws_profile: Option<String>,

    /// Signs no requests, for buckets that anybody may read
    #[arg(long)]
    pub(crate) no_sign_request: bool,

    /// Requests to a bucket under way at once, 1 to 256
    #[arg(long, value_name = "N", value_parser = requests_parser(256), default_value = "16")]
    pub(crate) requests: NonZeroU32,

    /// Most requests that begin in a second, 1 to 100000 [default: no limit]
    #[arg(long, value_name = "N", value_parser = requests_parser(100_000))]
    pub(crate) requests_per_second: Option<NonZeroU32>,
}

/// What objects in a destination bucket are written with.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "S3")]
pub(crate) struct SseArgs {
    /// Server-side encryption of the report's objects [default: the destination bucket's own rule]
    #[arg(long, value_name = "CHOICE")]
    pub(crate) sse: Option<SseChoice>,

    /// Key of `--sse aws:kms`: its id, ARN or alias [default: none]
    #[arg(long, value_name = "ID", requires = "sse")]
    pub(crate) sse_kms_key_id: Option<String>,

    /// With `--sse aws:kms`: a key of the bucket stands between that key and the objects'
    #[arg(long, requires = "sse")]
    pub(crate) sse_bucket_key: bool,

    /// Canned ACL that the report's objects are written with; S3 itself writes reports so
    #[arg(long, value_name = "CHOICE", default_value = "bucket-owner-full-control")]
    pub(crate) acl: AclChoice,

    /// Account that must own the destination bucket [default: it is not checked]
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) expected_bucket_owner: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct CheckDestinationArgs {
    /// The bucket, and the prefix below which reports are to be written: s3://BUCKET[/PREFIX], gs://BUCKET[/PREFIX] or az://CONTAINER[/PREFIX]
    #[arg(long, value_name = "DEST", value_parser = destination_parser())]
    pub(crate) destination: DestinationText,

    #[command(flatten)]
    pub(crate) s3: S3Args,

    #[command(flatten)]
    pub(crate) sse: SseArgs,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Configuration")]
pub(crate) struct ConfigurationArgs {
    /// Takes id, prefix, columns, versions, format, destination and encryption from an inventory configuration
    /// [default: none]
    ///
    /// The file is S3's XML or the JSON of AWS's command line. The directory DEST stands for its destination bucket.
    #[arg(long, value_name = "FILE", conflicts_with_all = [
        "id", "destination_bucket", "destination_prefix", "prefix", "fields", "versions", "format", "sse",
    ])]
    pub(crate) config: Option<PathBuf>,

    /// What happens to columns of the configuration that the source does not have [default: refuse]
    #[arg(long, value_name = "CHOICE", requires = "config")]
    pub(crate) missing_columns: Option<MissingColumnsChoice>,

    /// Encrypts data files and receipts by a key of this file before they are written [default: they are not encrypted]
    ///
    /// On each line an id and 64 hexadecimal digits; the first key is the default one. Encrypted files end in `.enc`.
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Source")]
pub(crate) struct FromArgs {
    /// What the report is of: a directory, s3://BUCKET/PREFIX, ndjson:FILE, csv:FILE, arrow:FILE, inventory:MANIFEST or synthetic:rows=N
    ///
    /// DIRECTORY: every file below it is an object; its path below the directory is the key.
    ///
    /// s3://BUCKET/PREFIX: the keys of a bucket that begin with PREFIX, as its listing gives them.
    ///
    /// ndjson:FILE: a JSON object on each line, plain or compressed by gzip or zstd; `ndjson:-` reads standard input.
    /// JSON of `rclone lsjson`, `mc ls`, `s5cmd ls`, `aws s3api list-objects-v2` and `list-object-versions` is recognised.
    ///
    /// csv:FILE: a table whose first line, or `--columns`, names its columns; `csv:-` reads standard input.
    ///
    /// arrow:FILE: the record batches of an Arrow IPC file.
    ///
    /// inventory:MANIFEST: the rows of a report, of this program or of S3 itself, in any of the formats; a path, or s3://BUCKET/KEY, gs://.., az://..
    ///
    /// synthetic:rows=N,seed=S,versions=V: N invented rows from seed S (default 1), up to V versions a key (default 0,
    /// a source without versions).
    #[arg(long, value_name = "SOURCE", value_parser = source_parser())]
    pub(crate) source: SourceText,

    /// Name of the source bucket [default: the directory's own name, the report's, the bucket listed, or `synthetic`; other sources have none]
    #[arg(long, value_name = "NAME", value_parser = bucket)]
    pub(crate) bucket: Option<BucketName>,

    /// Takes only keys that begin with this text into the report [default: all keys]
    #[arg(long, value_name = "PREFIX", default_value = "", hide_default_value = true)]
    pub(crate) prefix: String,

    /// What happens to keys that are not in ascending order of their bytes, in NDJSON, CSV and Arrow files and
    /// in reports [default: refuse]
    ///
    /// `sort` writes the rows to `--temp-dir` once or more often, in bounded memory.
    /// Readers that rely on the order of keys misread an unsorted report.
    #[arg(long, value_name = "CHOICE")]
    pub(crate) unsorted: Option<UnsortedChoice>,

    /// Columns of a table by their order, for CSV whose first line does not name them; `-` leaves one out [default: the first line names them]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) columns: Option<Vec<String>>,

    /// Passes over the first line of a table although `--columns` names its columns
    #[arg(long, requires = "columns")]
    pub(crate) header: bool,

    /// What stands between the columns of a table: a character of ASCII, or `tab` [default: a comma]
    #[arg(long, value_name = "CHARACTER", value_parser = delimiter)]
    pub(crate) delimiter: Option<u8>,

    /// Reads the whole source once before anything is written, and checks what generating would check
    ///
    /// Not for standard input, which can be read once.
    #[arg(long)]
    pub(crate) check_order: bool,

    /// What happens to an entry of a directory that no report can hold or that cannot be read [default: fail]
    #[arg(long, value_name = "CHOICE")]
    pub(crate) on_bad_entry: Option<BadEntriesChoice>,

    /// Where the ETag of a file in a directory comes from [default: none]
    ///
    /// `md5` reads every file whole.
    #[arg(long, value_name = "CHOICE")]
    pub(crate) etag: Option<ETagChoice>,

    /// What happens to symbolic links in a directory [default: skip]
    #[arg(long, value_name = "CHOICE")]
    pub(crate) symlinks: Option<SymlinksChoice>,

    /// Asks for each object of a bucket by itself, for fields that a listing lacks [default: it is not done]
    ///
    /// `head`: encryption, bucket key, replication, object lock, archive tier, expiry; a request for each object.
    #[arg(long, value_name = "CHOICE")]
    pub(crate) enrich: Option<EnrichChoice>,

    /// Lists a bucket a second time, beside the first, and says what one listing has and the other has not [default: once]
    ///
    /// Objects that came, went or were written again meanwhile are counted; rows of before the scan that the report lacks, or that
    /// differ, are named on standard error. The report is published all the same; the exit code is 4 then.
    #[arg(long)]
    pub(crate) cross_check: bool,

    /// Takes of a report only what changed since this older one: its manifest.json; reports only [default: all rows]
    ///
    /// `--changes` says which differences; both reports must be sorted by key.
    #[arg(long, value_name = "MANIFEST", value_parser = manifest_parser())]
    pub(crate) since: Option<ManifestText>,

    /// Differences from the report of `--since` that become rows [default: added,changed]
    #[arg(long, value_name = "CHOICES", value_delimiter = ',', requires = "since")]
    pub(crate) changes: Option<Vec<ChangeChoice>>,

    /// Folder for what is too large for memory: names of directories, versions of a key of a bucket [default: the system's, `TMPDIR`]
    #[arg(long, value_name = "DIR")]
    pub(crate) temp_dir: Option<PathBuf>,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Destination")]
pub(crate) struct ToArgs {
    /// A directory that stands for the root of the destination bucket, created if absent, or s3://BUCKET[/PREFIX], gs://BUCKET[/PREFIX], az://CONTAINER[/PREFIX]
    ///
    /// In a bucket PREFIX is the report's prefix, as `--destination-prefix` says it otherwise. The report is DEST/[PREFIX/]BUCKET/ID/STAMP/manifest.json, its data files DEST/[PREFIX/]BUCKET/ID/data/*.
    #[arg(long, value_name = "DEST", value_parser = destination_parser())]
    pub(crate) destination: DestinationText,

    /// Name of the destination bucket [default: the last component of DEST, or its bucket]
    #[arg(long, value_name = "NAME", value_parser = bucket)]
    pub(crate) destination_bucket: Option<BucketName>,

    /// Prefix of the report in the destination bucket [default: none]
    #[arg(long, value_name = "PREFIX", value_parser = prefix, default_value = "", hide_default_value = true)]
    pub(crate) destination_prefix: DestinationPrefix,

    /// Id of the inventory configuration, a folder of the report
    #[arg(long, value_name = "ID", value_parser = configuration_id, default_value = "inventory")]
    pub(crate) id: ConfigurationId,

    /// Time of the report, RFC 3339 [default: now]
    ///
    /// Its milliseconds are the manifest's creationTimestamp, its minute in UTC is the stamp in the report's keys.
    /// Athena's hourly partition projection wants full hours.
    #[arg(long, value_name = "TIME", value_parser = Timestamp::parse)]
    pub(crate) at: Option<Timestamp>,

    /// Replaces a report with the same stamp [default: it is refused]
    ///
    /// The old report's data files stay.
    #[arg(long)]
    pub(crate) replace: bool,

    /// Continues an unfinished run behind its finished data files, or begins one if there is none [default: it is refused]
    ///
    /// The report is that of a run that was never cut off, if source and options are the same; others are refused, and what
    /// differs is named. Without `--at` it is the report of the run that is continued. A report that is published already
    /// needs nothing. No other process may be making the report.
    #[arg(long, conflicts_with = "replace")]
    pub(crate) resume: bool,

    /// Removes what unfinished runs of this bucket and id left, those of `--at` alone if it is given, and writes no report
    ///
    /// Finished data files that no report names, staged files, uploads that were begun, journals. The source is not read.
    /// None of the runs may go on.
    #[arg(long, conflicts_with_all = ["replace", "resume"])]
    pub(crate) abandon: bool,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Content")]
pub(crate) struct ContentArgs {
    /// Columns beside bucket and key: `default`, `all`, or names separated by commas
    ///
    /// `default`: those of Size, LastModifiedDate, ETag, StorageClass, IsMultipartUploaded, ReplicationStatus and
    /// EncryptionStatus that the source has. `all`: every settled field, empty where the source has no value.
    /// Names are those of S3's OptionalFields; each must be one that the source has. Their order is S3's.
    #[arg(long, value_name = "FIELDS", value_parser = FieldSelection::parse, default_value = "default")]
    pub(crate) fields: FieldSelection,

    /// Object versions in the report
    #[arg(long, value_name = "CHOICE", default_value = "current")]
    pub(crate) versions: VersionsChoice,

    /// What happens to values that S3 itself does not write, such as a store's own storage classes
    #[arg(long, value_name = "CHOICE", default_value = "keep")]
    pub(crate) unknown_values: UnknownValuesChoice,

    /// Keeps a digest of the rows in receipts.ndjson, by which `verify --rows` proves that none was altered
    #[arg(long)]
    pub(crate) row_digest: bool,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Data files")]
pub(crate) struct FilesArgs {
    /// Format of the data files
    #[arg(long, value_name = "FORMAT", default_value = "csv")]
    pub(crate) format: FormatChoice,

    /// How a space in a CSV key is written: `%20` or, as S3 itself writes it, `+`
    #[arg(long, value_name = "CHOICE", default_value = "percent")]
    pub(crate) key_encoding: KeyEncodingChoice,

    /// How the null version is written in CSV
    ///
    /// S3 Batch Operations needs `null`.
    #[arg(long, value_name = "CHOICE", default_value = "empty")]
    pub(crate) null_version: NullVersionChoice,

    /// Encodings and compression of Parquet [default: aws]
    #[arg(long, value_name = "PROFILE")]
    pub(crate) profile: Option<ProfileChoice>,

    /// Compression of ORC [default: zlib]
    #[arg(long, value_name = "CHOICE")]
    pub(crate) compression: Option<CompressionChoice>,

    /// Compression level [default: 1]
    ///
    /// CSV, and ORC with zlib: 1 from what is known of rows, about as small as 6; 2 (fast) to 9 (small) search.
    /// Parquet: 1 from what is known of rows, 2 searches. Profile compact, and ORC with zstd: 1 to 19.
    #[arg(long, value_name = "LEVEL", value_parser = clap::value_parser!(u8).range(1..=19))]
    pub(crate) compression_level: Option<u8>,

    /// Columns of Parquet and ORC that get bloom filters, of key, version_id and e_tag [default: none]
    #[arg(long, value_name = "COLUMNS", value_parser = bloom)]
    pub(crate) bloom: Option<FieldSet>,

    /// Size in bytes at which a data file is closed, at the next change of key; KiB, MiB, GiB or kB, MB, GB [default: 128MiB, the first ones smaller]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(crate) shard_target: Option<NonZeroU64>,

    /// Most rows that are encoded as one piece, 1 to 16777216
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=16 << 20), default_value = "131072")]
    pub(crate) chunk_rows: u64,

    /// Key ranges that are written at the same time, each with data files of its own, 1 to 65536
    ///
    /// A source that cannot be split so often has fewer.
    #[arg(long, value_name = "N", value_parser = lanes_parser(), default_value = "1")]
    pub(crate) lanes: NonZeroU32,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Run")]
pub(crate) struct RunArgs {
    /// Busy threads in all, 1 to 1024 [default: as many as the machine offers]
    #[arg(long, value_name = "N", value_parser = threads_parser())]
    pub(crate) threads: Option<NonZeroUsize>,

    /// Limit of private memory in bytes; KiB, MiB, GiB or kB, MB, GB [default: 64MiB and 48MiB a thread]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(crate) memory: Option<NonZeroU64>,

    /// Whether progress is shown on standard error; `auto`: if that is a terminal
    #[arg(long, value_name = "CHOICE", default_value = "auto")]
    pub(crate) progress: ProgressChoice,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The report's manifest.json: a path, or s3://BUCKET/KEY, gs://.., az://..
    #[arg(value_parser = manifest_parser())]
    pub(crate) manifest: ManifestText,

    /// Reads every row again and proves numbers of rows, digests (where the receipts keep them), order and key ranges
    #[arg(long)]
    pub(crate) rows: bool,

    /// Directory that stands for the root of the destination bucket [default: found from the manifest's own path]
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,

    /// Busy threads, 1 to 1024 [default: as many as the machine offers]
    #[arg(long, value_name = "N", value_parser = threads_parser())]
    pub(crate) threads: Option<NonZeroUsize>,

    #[command(flatten)]
    pub(crate) s3: S3Args,
}

#[derive(Debug, Args)]
pub(crate) struct CatArgs {
    /// The report's manifest.json: a path, or s3://BUCKET/KEY, gs://.., az://..
    #[arg(value_parser = manifest_parser())]
    pub(crate) manifest: ManifestText,

    /// How rows are printed: as S3 writes them in CSV, or a JSON object on each line
    #[arg(long, value_name = "FORMAT", default_value = "csv")]
    pub(crate) format: TextChoice,

    /// Columns to print, in this order, separated by commas [default: all that the report has]
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub(crate) columns: Option<Vec<String>>,

    /// Prints the names of the columns before the rows; CSV only
    #[arg(long)]
    pub(crate) header: bool,

    /// Directory that stands for the root of the destination bucket [default: found from the manifest's own path]
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,

    /// Busy threads, 1 to 1024 [default: as many as the machine offers]
    #[arg(long, value_name = "N", value_parser = threads_parser())]
    pub(crate) threads: Option<NonZeroUsize>,

    #[command(flatten)]
    pub(crate) s3: S3Args,
}

#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// manifest.json of the old report: a path, or s3://BUCKET/KEY, gs://.., az://..
    #[arg(value_parser = manifest_parser())]
    pub(crate) old: ManifestText,

    /// manifest.json of the new report: a path, or s3://BUCKET/KEY, gs://.., az://..
    #[arg(value_parser = manifest_parser())]
    pub(crate) new: ManifestText,

    /// How the differences are printed
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: DiffChoice,

    /// Columns that are compared, separated by commas [default: all that both reports have]
    #[arg(long, value_name = "COLUMNS", value_parser = columns)]
    pub(crate) fields: Option<FieldSet>,

    /// Columns that are not compared, separated by commas [default: none]
    #[arg(long, value_name = "COLUMNS", value_parser = columns)]
    pub(crate) ignore: Option<FieldSet>,

    /// Compares only keys that begin with this text [default: all keys]
    #[arg(long, value_name = "PREFIX", default_value = "", hide_default_value = true)]
    pub(crate) prefix: String,

    /// Does not look for objects that were moved: removed and added ones of the same ETag and size
    #[arg(long)]
    pub(crate) no_moves: bool,

    /// Does not compare data files with the MD5 of their manifests
    #[arg(long)]
    pub(crate) no_md5: bool,

    /// Directory that stands for the root of the old report's bucket [default: found from its manifest's own path]
    #[arg(long, value_name = "DIR")]
    pub(crate) old_root: Option<PathBuf>,

    /// Directory that stands for the root of the new report's bucket [default: found from its manifest's own path]
    #[arg(long, value_name = "DIR")]
    pub(crate) new_root: Option<PathBuf>,

    /// Private memory for what waits for a counterpart; KiB, MiB, GiB or kB, MB, GB
    ///
    /// Candidates of moves go to temporary files beyond it; versions of one key that only one report has must fit.
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "32MiB")]
    pub(crate) memory: NonZeroU64,

    /// What becomes of a report that is not said to be sorted by key
    #[arg(long, value_name = "WHAT", default_value = "refuse")]
    pub(crate) unsorted: DiffOrderChoice,

    /// Folder of temporary files [default: the system's, `TMPDIR`]
    #[arg(long, value_name = "DIR")]
    pub(crate) temp_dir: Option<PathBuf>,

    /// Busy threads that read, of both reports together, 1 to 1024 [default: as many as the machine offers]
    #[arg(long, value_name = "N", value_parser = threads_parser())]
    pub(crate) threads: Option<NonZeroUsize>,

    #[command(flatten)]
    pub(crate) s3: S3Args,
}

#[derive(Debug, Args)]
pub(crate) struct DdlArgs {
    /// The report's manifest.json: a path, or s3://BUCKET/KEY, gs://.., az://..
    #[arg(value_parser = manifest_parser())]
    pub(crate) manifest: ManifestText,

    /// The engine that is to read the report
    #[arg(long = "for", value_name = "ENGINE")]
    pub(crate) engine: EngineChoice,

    /// Name of the table or view
    #[arg(long, value_name = "NAME", default_value = "inventory")]
    pub(crate) table: String,

    /// What stands before the keys of data files [default: `s3://BUCKET`, `s3a://BUCKET` for Spark, the directory for DuckDB]
    #[arg(long, value_name = "URL")]
    pub(crate) base: Option<String>,

    /// Directory that stands for the root of the destination bucket [default: found from the manifest's own path]
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) s3: S3Args,
}

#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// The report's manifest.json: a path, or s3://BUCKET/KEY, gs://.., az://..
    #[arg(value_parser = manifest_parser())]
    pub(crate) manifest: ManifestText,

    /// Directory that stands for the root of the destination bucket [default: found from the manifest's own path]
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,

    /// Prints one JSON object instead of tables
    #[arg(long)]
    pub(crate) json: bool,

    /// Reads all rows: bytes and objects by storage class, age, size, prefix and more, what stands out first
    #[arg(long)]
    pub(crate) rows: bool,

    /// Writes what the rows say as one page of HTML, in the place of a file that is there [default: no page]
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,

    /// Depth of the deepest prefixes that are counted, 1 to 8 [default: 3]
    #[arg(long, value_name = "N", value_parser = count_parser(stocktake_reader::DEPTH_MAX))]
    pub(crate) depth: Option<NonZeroUsize>,

    /// Entries of a list, 1 to 1000 [default: 10]
    #[arg(long, value_name = "N", value_parser = count_parser(stocktake_reader::LIST_MAX))]
    pub(crate) top: Option<NonZeroUsize>,

    /// The ASCII character that ends prefixes [default: `/`]
    #[arg(long, value_name = "CHARACTER")]
    pub(crate) delimiter: Option<char>,

    /// Whether tables are coloured; `auto`: if standard output is a terminal and NO_COLOR is not set
    #[arg(long, value_name = "CHOICE", default_value = "auto")]
    pub(crate) color: ColorChoice,

    /// Busy threads, 1 to 1024 [default: as many as the machine offers]
    #[arg(long, value_name = "N", value_parser = threads_parser())]
    pub(crate) threads: Option<NonZeroUsize>,

    #[command(flatten)]
    pub(crate) s3: S3Args,
}

#[derive(Debug, Args)]
pub(crate) struct PruneArgs {
    /// Where reports are: a directory that stands for the root of the destination bucket, or s3://BUCKET[/PREFIX], gs://.., az://..
    #[arg(value_name = "DEST", value_parser = destination_parser())]
    pub(crate) destination: DestinationText,

    /// Complete reports of each configuration that are kept: the newest
    #[arg(long, value_name = "N")]
    pub(crate) keep: NonZeroUsize,

    /// Keeps younger reports too, however many: days since their stamp [default: the newest alone are kept]
    #[arg(long, value_name = "DAYS")]
    pub(crate) older_than: Option<u32>,

    /// Source bucket whose reports are looked at [default: all]
    #[arg(long, value_name = "NAME", value_parser = bucket)]
    pub(crate) bucket: Option<BucketName>,

    /// Configuration whose reports are looked at [default: all]
    #[arg(long, value_name = "ID", value_parser = configuration_id)]
    pub(crate) id: Option<ConfigurationId>,

    /// Prefix of reports in the destination [default: all]
    #[arg(long, value_name = "PREFIX", value_parser = prefix)]
    pub(crate) destination_prefix: Option<DestinationPrefix>,

    /// Removes data files that no manifest names too; no run without a journal may go on meanwhile
    #[arg(long)]
    pub(crate) orphans: bool,

    /// Removes what would go; without it nothing is removed
    #[arg(long)]
    pub(crate) yes: bool,

    /// Prints one JSON object instead of a table
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) s3: S3Args,
}

pub(crate) fn bucket(text: &str) -> Result<BucketName, stocktake::NameError> {
    BucketName::try_new(text)
}

fn prefix(text: &str) -> Result<DestinationPrefix, stocktake::NameError> {
    DestinationPrefix::try_new(text)
}

fn configuration_id(text: &str) -> Result<ConfigurationId, stocktake::NameError> {
    ConfigurationId::try_new(text)
}

/// Columns by the name that they have in Parquet and ORC, or by the one in CSV.
fn bloom(text: &str) -> Result<FieldSet, String> {
    let column = |name: &str| {
        let mut columns = [Field::Key, Field::VersionId, Field::ETag].into_iter();
        let found = columns.find(|field| name == field.column_name() || name == field.csv_name());
        found.ok_or_else(|| format!("no bloom filter can be had for {name:?}: columns are key, version_id and e_tag"))
    };
    text.split(',').map(|name| column(name.trim())).collect()
}

/// Columns by either of their names.
fn columns(text: &str) -> Result<FieldSet, String> {
    let column = |name: &str| Field::from_name(name).ok_or_else(|| format!("no column is named {name:?}"));
    text.split(',').map(|name| column(name.trim())).collect()
}

fn size(text: &str) -> Result<NonZeroU64, String> {
    NonZeroU64::new(parse_size(text)?).ok_or_else(|| "the size is zero".to_owned())
}

fn source_parser() -> ValueParser {
    OsStringValueParser::new().try_map(SourceText::parse).into()
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        _ if text == "tab" => Ok(b'\t'),
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n') => Ok(*byte),
        _ => Err("one character of ASCII is expected, no quote or line end, or `tab`".to_owned()),
    }
}

fn manifest_parser() -> ValueParser {
    OsStringValueParser::new().try_map(ManifestText::parse).into()
}

fn destination_parser() -> ValueParser {
    OsStringValueParser::new().try_map(DestinationText::parse).into()
}

fn requests_parser(most: u64) -> ValueParser {
    let range = clap::value_parser!(u64).range(1..=most);
    range.try_map(|count| NonZeroU32::try_from(u32::try_from(count).unwrap_or(0))).into()
}

pub(crate) fn threads_parser() -> ValueParser {
    let range = clap::value_parser!(u64).range(1..=THREADS_MAX);
    range.try_map(|count| NonZeroUsize::try_from(usize::try_from(count).unwrap_or(0))).into()
}

fn count_parser(most: usize) -> ValueParser {
    let range = clap::value_parser!(u64).range(1..=most as u64);
    range.try_map(|count| NonZeroUsize::try_from(usize::try_from(count).unwrap_or(0))).into()
}

fn lanes_parser() -> ValueParser {
    let range = clap::value_parser!(u64).range(1..=LANES_MAX);
    range.try_map(|count| NonZeroU32::try_from(u32::try_from(count).unwrap_or(0))).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_consistent() {
        Arguments::command().debug_assert();
    }

    /// Every option says in its help what happens without it: clap's own note, or one that its text holds.
    #[test]
    fn every_option_states_its_default() {
        let command = Arguments::command();
        for verb in command.get_subcommands() {
            for argument in verb.get_arguments().filter(|argument| argument.get_action().takes_values()) {
                let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
                let stated = argument.is_required_set()
                    || help.contains("[default: ")
                    || !argument.get_default_values().is_empty() && !argument.is_hide_default_value_set();
                assert!(stated, "{} {}", verb.get_name(), argument.get_id());
            }
        }
    }
}
