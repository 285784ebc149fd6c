//! Buckets of Google and containers of Azure as the arguments name them: clients by the environment, destinations, the look ahead.

use crate::{
    args::CheckDestinationArgs,
    exit::{Failure, Outcome},
    look_ahead,
    source_text::{Cloud, CloudText},
    target::Target,
};
use std::{num::NonZeroUsize, sync::Arc};
use stocktake::{Destination, DestinationPrefix, PinnedStore, ReportStore};
use stocktake_object_store::{CloudClient, CloudDestination, CloudObjects, CloudSettings};

/// Most threads of a client: beyond them the run's own threads are what it waits for.
const THREADS_MAX: usize = 4;

/// The bucket as a destination, and its address as engines have it.
///
/// # Errors
/// If the environment does not say how it is reached.
pub(crate) fn target(text: &CloudText, threads: NonZeroUsize) -> Result<(Target, String), Failure> {
    let client = client(text, threads)?;
    let address = client.hadoop_address();
    let destination = CloudDestination::new(client);
    // What an upload leaves is visible to nobody and lapses.
    Ok((Target::of_bucket(Box::new(destination), text.address(), Box::new(Vec::new)), address))
}

/// The bucket as a place where reports are read, each object as it was when it was first looked at, and its address as engines
/// of the Hadoop family have it.
///
/// # Errors
/// As [`target`].
pub(crate) fn store(text: &CloudText, threads: NonZeroUsize) -> Result<(Arc<dyn ReportStore>, String), Failure> {
    let client = client(text, threads)?;
    let address = client.hadoop_address();
    Ok((Arc::new(PinnedStore::new(CloudObjects::new(client))), address))
}

/// The bucket as a place where reports are read and removed.
///
/// # Errors
/// As [`target`].
pub(crate) fn bucket(text: &CloudText) -> Result<Box<dyn Destination>, Failure> {
    Ok(Box::new(CloudDestination::new(client(text, NonZeroUsize::MIN)?)))
}

/// Tries what writing a report does.
///
/// # Errors
/// As [`target`]; options of S3.
pub(crate) fn check_destination(args: &CheckDestinationArgs, text: &CloudText) -> Result<Outcome, Failure> {
    if args.sse.sse.is_some() || args.sse.expected_bucket_owner.is_some() {
        let text = format!("--sse and --expected-bucket-owner do not apply to {}", text.address());
        return Err(Failure::usage(text));
    }
    let prefix = DestinationPrefix::try_new(&*text.prefix).map_err(|error| Failure::usage(error.to_string()))?;
    look_ahead::tell(&CloudDestination::new(client(text, NonZeroUsize::MIN)?).check(&look_ahead::key(&prefix)?))
}

fn client(text: &CloudText, threads: NonZeroUsize) -> Result<Arc<CloudClient>, Failure> {
    // Variables that are not UTF-8 name no account and no file of credentials.
    let variables: Vec<(String, String)> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let threads = threads.get().min(THREADS_MAX);
    let (settings, bucket) = (CloudSettings::default(), text.bucket.clone());
    let client = match text.cloud {
        Cloud::Google => CloudClient::google(&variables, bucket, settings, threads),
        Cloud::Azure => CloudClient::azure(&variables, bucket, settings, threads),
    };
    client.map(Arc::new).map_err(|error| Failure::message(format!("{} cannot be reached: {error}", text.address())))
}
