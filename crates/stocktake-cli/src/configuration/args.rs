//! Arguments of the verbs about configurations.

use crate::{
    args::{S3Args, bucket},
    choices::{DialectChoice, FormChoice},
};
use clap::{Args, Subcommand};
use std::{num::NonZeroUsize, path::PathBuf};
use stocktake::{BucketName, Timestamp};
use stocktake_config::{AccountId, S3Error};

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigVerb {
    /// Checks a configuration by S3's rules; a refusal is S3's error code, and the exit code is 1
    Validate(FileArgs),
    /// Prints a configuration
    Show(ShowArgs),
    /// Prints when reports of a configuration are due
    NextRun(NextRunArgs),
    /// Puts a configuration into a store, in the place of one with its id
    Put(PutArgs),
    /// Deletes a configuration, and what is remembered of its runs, from a store
    Delete(DeleteArgs),
    /// Prints what became of the reports of a store's configurations, and when the next are due
    Status(StatusArgs),
}

#[derive(Debug, Args)]
pub(crate) struct FileArgs {
    /// The configuration, S3's XML or the JSON of AWS's command line; `-` reads standard input
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) rules: RulesArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RulesArgs {
    /// Applies the rules of directory buckets, which know nine fields
    #[arg(long)]
    pub(crate) directory_bucket: bool,

    /// Takes the frequencies Hourly and Monthly too, which S3 does not know
    #[arg(long)]
    pub(crate) extended_frequencies: bool,

    /// Account that owns the source bucket, 12 digits; a key of another account must be named by its ARN
    /// [default: not known]
    #[arg(long, value_name = "ACCOUNT", value_parser = account)]
    pub(crate) source_account: Option<AccountId>,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,

    /// Prints the document in this form, as it stands and unchecked [default: checked, one line for each member]
    #[arg(long = "as", value_name = "FORM")]
    pub(crate) form: Option<FormChoice>,
}

#[derive(Debug, Args)]
pub(crate) struct NextRunArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,

    /// When the configuration is put: the first report is due in that hour, RFC 3339 [default: now]
    #[arg(long, value_name = "TIME", value_parser = Timestamp::parse)]
    pub(crate) since: Option<Timestamp>,

    /// Due times to print, 1 to 1000
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000), default_value = "5")]
    pub(crate) count: u32,

    /// Hour of the day (UTC) of daily, weekly and monthly reports
    #[arg(long, value_name = "HOUR", value_parser = clap::value_parser!(u8).range(0..24), default_value = "1")]
    pub(crate) hour: u8,
}

#[derive(Debug, Args)]
pub(crate) struct PutArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,

    /// The store's file; it is made if absent
    #[arg(long, value_name = "DB")]
    pub(crate) store: PathBuf,

    /// Name of the source bucket
    #[arg(long, value_name = "NAME", value_parser = bucket)]
    pub(crate) bucket: BucketName,
}

#[derive(Debug, Args)]
pub(crate) struct DeleteArgs {
    /// The configuration's id
    pub(crate) id: String,

    /// The store's file
    #[arg(long, value_name = "DB")]
    pub(crate) store: PathBuf,

    /// Name of the source bucket
    #[arg(long, value_name = "NAME", value_parser = bucket)]
    pub(crate) bucket: BucketName,
}

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// The store's file
    #[arg(long, value_name = "DB")]
    pub(crate) store: PathBuf,

    /// Shows the configurations of this source bucket only [default: all]
    #[arg(long, value_name = "NAME", value_parser = bucket)]
    pub(crate) bucket: Option<BucketName>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyVerb {
    /// Prints the policy of the destination bucket that lets reports in
    Destination(DestinationPolicyArgs),
    /// Prints the statement of the key's policy that lets reports be encrypted
    Kms(KmsArgs),
    /// Says whether policies let the reports of a configuration in; the exit code is 4 if they do not, or might not
    Check(CheckArgs),
}

#[derive(Debug, Args)]
pub(crate) struct DeliveryArgs {
    /// The configuration, S3's XML or the JSON of AWS's command line
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,

    /// Name of the source bucket
    #[arg(long, value_name = "NAME", value_parser = bucket)]
    pub(crate) bucket: BucketName,

    /// Account that owns the source bucket, 12 digits
    #[arg(long, value_name = "ACCOUNT", value_parser = account)]
    pub(crate) account: AccountId,
}

#[derive(Debug, Args)]
pub(crate) struct GrantArgs {
    #[command(flatten)]
    pub(crate) delivery: DeliveryArgs,

    /// Merges into the policy of this file, and prints the whole [default: a policy of its own]
    #[arg(long, value_name = "FILE")]
    pub(crate) merge: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct DestinationPolicyArgs {
    #[command(flatten)]
    pub(crate) grant: GrantArgs,

    /// Reads the policy of the destination bucket, merges into it, puts it, and prints it
    #[arg(long, conflicts_with = "merge")]
    pub(crate) apply: bool,

    #[command(flatten)]
    pub(crate) s3: S3Args,
}

#[derive(Debug, Args)]
pub(crate) struct KmsArgs {
    #[command(flatten)]
    pub(crate) grant: GrantArgs,

    /// The statement's form, by the age of Amazon's guide
    #[arg(long, value_name = "DIALECT", default_value = "current")]
    pub(crate) dialect: DialectChoice,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) delivery: DeliveryArgs,

    /// Policy of the destination bucket [default: it has none]
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,

    /// Policy of the key, for a configuration with SSE-KMS [default: it is not checked]
    #[arg(long, value_name = "FILE")]
    pub(crate) key_policy: Option<PathBuf>,

    /// ARN of the key whose policy it is [default: the configuration's, if that is an ARN]
    #[arg(long, value_name = "ARN", requires = "key_policy")]
    pub(crate) key_arn: Option<String>,

    /// Region of both buckets [default: not known]
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,

    /// Region of the destination bucket, if it is another: reports stay in one [default: --region]
    #[arg(long, value_name = "REGION", requires = "region")]
    pub(crate) destination_region: Option<String>,

    /// Organization of the source's account [default: not known]
    #[arg(long, value_name = "ID")]
    pub(crate) organization: Option<String>,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("how").required(true).args(["once", "watch"]))]
pub(crate) struct RunDueArgs {
    /// The store of configurations
    #[arg(long, value_name = "DB")]
    pub(crate) store: PathBuf,

    /// What the rows of buckets come from and where their reports go, a TOML file
    #[arg(long, value_name = "FILE")]
    pub(crate) sources: PathBuf,

    /// Makes what is due now, and ends
    #[arg(long)]
    pub(crate) once: bool,

    /// Makes what is due, waits for what comes, and so on until it is interrupted
    ///
    /// The store is open only while reports are made: `config put` works in between.
    #[arg(long)]
    pub(crate) watch: bool,

    /// Asks for a report of this configuration now, due or not [default: none]
    #[arg(long, value_name = "BUCKET/ID")]
    pub(crate) request: Option<String>,

    /// Hour of the day (UTC) of daily, weekly and monthly reports
    #[arg(long, value_name = "HOUR", value_parser = clap::value_parser!(u8).range(0..24), default_value = "1")]
    pub(crate) hour: u8,

    /// Busy threads of a report, 1 to 1024 [default: as many as the machine offers]
    #[arg(long, value_name = "N", value_parser = crate::args::threads_parser())]
    pub(crate) threads: Option<NonZeroUsize>,
}

fn account(text: &str) -> Result<AccountId, S3Error> {
    AccountId::parse(text, "the account")
}
