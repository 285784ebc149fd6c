//! Runs that were begun and not finished: which one is continued, and the removal of what they left.

use crate::{
    args::GenerateArgs,
    clouds,
    configuration::Configured,
    exit::{Failure, Outcome, json_line, put_out},
    generate::open_bucket,
    source,
    source_text::DestinationText,
    target::{self, Target},
};
use serde::Serialize;
use stocktake::{Destination, ReportRoot, Timestamp, destinations::LocalDestination, unfinished_runs};
use stocktake_service::{EnvelopeDestination, LocalKeyService};

/// Time of the unfinished run that `--resume` continues; none if there is no such run.
///
/// # Errors
/// If there are several, or what the run noted cannot be read.
pub(crate) fn created_at(
    target: &Target,
    keys: Option<&LocalKeyService>,
    root: &ReportRoot,
) -> Result<Option<Timestamp>, Failure> {
    let runs = opened(target, keys, |destination| Ok(unfinished_runs(destination, root)?))?;
    match runs.as_slice() {
        [] => Ok(None),
        [run] => match run.created_at {
            Some(created_at) => Ok(Some(created_at)),
            None => {
                let text = format!(
                    "what the unfinished run of {} noted cannot be read; if it is encrypted, --key-file has its key",
                    run.stamp
                );
                Err(Failure::message(text))
            }
        },
        several => {
            let times: Vec<_> = several
                .iter()
                .map(|run| run.created_at.map_or_else(|| run.stamp.clone(), |time| time.to_string()))
                .collect();
            let text = format!("--at says which unfinished run is continued: there are those of {}", times.join(", "));
            Err(Failure::usage(text))
        }
    }
}

/// Removes what unfinished runs left, and prints what it was.
///
/// # Errors
/// If the destination cannot be read, or something not removed.
pub(crate) fn abandon(args: &GenerateArgs, configured: Option<&Configured>) -> Result<Outcome, Failure> {
    let bucket = source::bucket(&args.from, &args.s3)?;
    let (_, prefix) = target::bucket_and_prefix(&args.to)?;
    let keys = args.configuration.key_file.as_ref().map(LocalKeyService::open).transpose();
    let keys = keys.map_err(|error| Failure::of(&error))?;
    let target = match &args.to.destination {
        DestinationText::Directory(path) => {
            let local = LocalDestination::try_new(path);
            Target::of_directory(local.map_err(|error| Failure::failed("the destination cannot be used", &error))?)
        }
        DestinationText::S3(_) => open_bucket(args, configured, None)?,
        DestinationText::Cloud(text) => clouds::target(text, crate::machine::threads())?.0,
    };
    let root = ReportRoot::new(&prefix, &bucket, &args.to.id);
    let stamp = args.to.at.map(Timestamp::folder_stamp);
    let abandoned =
        opened(&target, keys.as_ref(), |destination| Ok(stocktake::abandon(destination, &root, stamp.as_deref())?))?;
    put_out(&json_line(&Done {
        status: "abandoned",
        runs: abandoned.runs,
        files: abandoned.files,
        remains: abandoned.remains,
    }))?;
    Ok(Outcome::Complete)
}

/// Does `work` with the destination as journals are read from it.
fn opened<T>(
    target: &Target,
    keys: Option<&LocalKeyService>,
    work: impl FnOnce(&dyn Destination) -> Result<T, Failure>,
) -> Result<T, Failure> {
    match keys {
        Some(keys) => {
            let sealed = EnvelopeDestination::try_new(target.destination(), keys, None);
            work(&sealed.map_err(|error| Failure::of(&error))?)
        }
        None => work(target.destination()),
    }
}

/// The last line on standard output.
#[derive(Debug, Serialize)]
struct Done {
    status: &'static str,
    runs: u64,
    files: u64,
    remains: u64,
}
