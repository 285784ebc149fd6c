//! Buckets as the arguments name them: clients, sources, destinations, and the look ahead.

use crate::{
    args::{CheckDestinationArgs, GenerateArgs, S3Args, SseArgs},
    choices::{AclChoice, EnrichChoice, SseChoice},
    credential_process::CredentialProcess,
    cross_check::{CrossChecked, Findings},
    exit::{Failure, Outcome},
    listing::{Listed, Listing},
    look_ahead, machine,
    source_text::{DestinationText, S3Text},
    target::Target,
};
use std::{num::NonZeroUsize, sync::Arc};
use stocktake::{
    BucketName, Destination, DestinationPrefix, FieldSet, ObjectSource, PinnedStore, ReportStore, ServerSideEncryption,
};
use stocktake_s3::{
    CrossCheckedSource, KeyOrigin, KeySource, S3Client, S3Destination, S3Objects, S3Settings, S3Source, Surroundings,
};

/// Most threads of a client: beyond them the run's own threads are what it waits for.
const THREADS_MAX: usize = 4;

/// The bucket as a source.
///
/// # Errors
/// Settings that name no server, or keys that are not there.
pub(crate) fn source(args: &GenerateArgs, text: &S3Text) -> Result<(Box<dyn ObjectSource>, Listing), Failure> {
    let source = listing(args, text)?;
    let told = told(&source);
    Ok((Box::new(source), told))
}

/// What a listing takes, to be asked when it has ended.
fn told(source: &S3Source) -> Listing {
    let counts = source.counts_later();
    Box::new(move || {
        let counts = counts();
        Listed {
            requests: counts.pages,
            ranges: counts.ranges,
            mended: counts.mended,
            at_once_max: counts.at_once_max,
            requesting_seconds: counts.requesting.as_secs_f64(),
            parsing_seconds: counts.parsing.as_secs_f64(),
            signing_seconds: counts.signing.as_secs_f64(),
        }
    })
}

/// The bucket as a source that is checked by a second listing, and what that finds.
///
/// # Errors
/// As [`source`].
pub(crate) fn cross_checked(
    args: &GenerateArgs,
    text: &S3Text,
) -> Result<(Box<dyn ObjectSource>, Listing, Findings), Failure> {
    let source = listing(args, text)?;
    let told = told(&source);
    let source = CrossCheckedSource::new(source, machine::now()?);
    let findings = source.findings();
    let findings = move || {
        let found = findings();
        let (same, missing, differing) = (found.same, found.missing, found.differing);
        let (new, changed, gone, named) = (found.new, found.changed, found.gone, found.named);
        CrossChecked { same, missing, differing, new, changed, gone, named }
    };
    Ok((Box::new(source), told, Box::new(findings)))
}

fn listing(args: &GenerateArgs, text: &S3Text) -> Result<S3Source, Failure> {
    let settings = settings(&args.s3)?;
    let threads = args.run.threads.unwrap_or_else(machine::threads);
    let client = client(settings, text.bucket.clone(), threads)?;
    let source = S3Source::new(client, &*text.prefix, args.content.versions.into());
    let source = match &args.from.temp_dir {
        Some(folder) => source.with_temp_dir(folder),
        None => source,
    };
    Ok(match args.from.enrich {
        Some(EnrichChoice::Head) => source.with_enrichment(),
        None => source,
    })
}

/// Fields that need `--enrich head`.
pub(crate) fn enriched_fields() -> FieldSet {
    S3Source::enriched_fields()
}

/// The bucket as a destination. An encryption that a configuration asks for takes the place of the arguments'.
///
/// # Errors
/// As [`source`].
pub(crate) fn target(
    s3: &S3Args,
    sse: &SseArgs,
    text: &S3Text,
    threads: NonZeroUsize,
    asked: Option<ServerSideEncryption>,
    owner: Option<&str>,
) -> Result<Target, Failure> {
    let (destination, _) = destination(s3, sse, text, threads, asked, owner)?;
    let left_behind = destination.left_behind_later();
    Ok(Target::of_bucket(Box::new(destination), format!("s3://{}", text.bucket), Box::new(left_behind)))
}

/// The bucket as a place where reports are read, each object as it was when it was first looked at.
///
/// # Errors
/// As [`source`].
pub(crate) fn store(args: &S3Args, text: &S3Text, threads: NonZeroUsize) -> Result<Arc<dyn ReportStore>, Failure> {
    let client = client(settings(args)?, text.bucket.clone(), threads)?;
    Ok(Arc::new(PinnedStore::new(S3Objects::new(client))))
}

/// The bucket as a place where reports are read and removed.
///
/// # Errors
/// As [`source`].
pub(crate) fn bucket(args: &S3Args, text: &S3Text) -> Result<Box<dyn Destination>, Failure> {
    let client = client(settings(args)?, text.bucket.clone(), NonZeroUsize::MIN)?;
    Ok(Box::new(S3Destination::new(client)))
}

/// Tries what writing a report does.
///
/// # Errors
/// As [`source`]; a destination that is no bucket.
pub(crate) fn check_destination(args: &CheckDestinationArgs) -> Result<Outcome, Failure> {
    let DestinationText::S3(text) = &args.destination else {
        return Err(Failure::usage(
            "--destination is a directory; what is checked is s3://BUCKET[/PREFIX], gs:// or az://",
        ));
    };
    let (destination, prefix) = destination(&args.s3, &args.sse, text, NonZeroUsize::MIN, None, None)?;
    look_ahead::tell(&destination.check(&look_ahead::key(&prefix)?))
}

/// The policy of a bucket.
pub(crate) struct PolicyClient(Arc<S3Client>);

impl PolicyClient {
    pub(crate) fn read(&self) -> Result<Option<String>, Failure> {
        self.0.bucket_policy().map_err(|error| Failure::failed("the policy of the bucket cannot be read", &error))
    }

    pub(crate) fn put(&self, policy: &str) -> Result<(), Failure> {
        let put = self.0.put_bucket_policy(policy);
        put.map_err(|error| Failure::failed("the policy of the bucket cannot be put", &error))
    }
}

/// A client for the policy of a bucket.
///
/// # Errors
/// As [`source`].
pub(crate) fn policy_client(args: &S3Args, bucket: &BucketName) -> Result<PolicyClient, Failure> {
    client(settings(args)?, bucket.clone(), NonZeroUsize::MIN).map(PolicyClient)
}

fn destination(
    s3: &S3Args,
    sse: &SseArgs,
    text: &S3Text,
    threads: NonZeroUsize,
    asked: Option<ServerSideEncryption>,
    owner: Option<&str>,
) -> Result<(S3Destination, DestinationPrefix), Failure> {
    let prefix = DestinationPrefix::try_new(&*text.prefix).map_err(|error| Failure::usage(error.to_string()))?;
    let encryption = match asked {
        Some(asked) => Some(asked),
        None => encryption(sse)?,
    };
    let mut settings = settings(s3)?;
    settings.expected_bucket_owner = sse.expected_bucket_owner.clone().or_else(|| owner.map(ToOwned::to_owned));
    let client = client(settings, text.bucket.clone(), threads)?;
    let destination = S3Destination::new(client)
        .with_encryption(encryption)
        .with_owner_control(matches!(sse.acl, AclChoice::BucketOwnerFullControl));
    Ok((destination, prefix))
}

fn encryption(args: &SseArgs) -> Result<Option<ServerSideEncryption>, Failure> {
    match (args.sse, &args.sse_kms_key_id) {
        (Some(SseChoice::Kms), Some(key_id)) => {
            let (key_id, bucket_key) = (key_id.as_str().into(), args.sse_bucket_key);
            Ok(Some(ServerSideEncryption::SseKms { key_id, bucket_key }))
        }
        (Some(SseChoice::Kms), None) => Err(Failure::usage("--sse aws:kms needs --sse-kms-key-id")),
        (_, Some(_)) => Err(Failure::usage("--sse-kms-key-id is for --sse aws:kms")),
        (_, None) if args.sse_bucket_key => Err(Failure::usage("--sse-bucket-key is for --sse aws:kms")),
        (Some(SseChoice::Aes256), None) => Ok(Some(ServerSideEncryption::SseS3)),
        (None, None) => Ok(None),
    }
}

fn settings(args: &S3Args) -> Result<S3Settings, Failure> {
    let variable = |name: &str| std::env::var(name).ok();
    let file = |path: &str| std::fs::read_to_string(path).ok();
    let found = if args.no_sign_request {
        // Whose profile is looked at does not matter, but a region in the environment does.
        Surroundings::find(None, &variable, &|_| None).map(|found| Surroundings::unsigned(&found))
    } else {
        Surroundings::find(args.aws_profile.as_deref(), &variable, &file)
    };
    let found = found.map_err(Failure::message)?;
    let mut services = found.services.clone();
    services.region = args.region.clone().or(services.region);
    let process =
        |command: &str| -> Result<Arc<dyn KeySource>, String> { Ok(Arc::new(CredentialProcess::new(command))) };
    let keys = found.keys.as_ref().map(|keys| keys.fetched(&services, &process)).transpose();
    let keys = keys.map_err(|fault| no_keys(found.keys.as_ref(), &fault))?;
    if keys.is_none() && !args.no_sign_request {
        return Err(no_keys(None, ""));
    }
    let mut settings = S3Settings::default();
    settings.endpoint_url = args.endpoint_url.clone().or(found.endpoint_url);
    settings.region = args.region.clone().or(found.region).unwrap_or(settings.region);
    settings.path_style = args.path_style;
    settings.key_source = keys;
    settings.ca_bundle = found.ca_bundle;
    settings.requests_max = args.requests;
    settings.requests_per_second_max = args.requests_per_second;
    Ok(settings)
}

/// Keys that cannot be had. That this is no machine with a role is the least of what is missing.
fn no_keys(origin: Option<&KeyOrigin>, fault: &str) -> Failure {
    const NONE: &str = "there are no access keys, neither in the environment nor in a profile";
    const WITHOUT: &str = "--no-sign-request does without";
    Failure::message(match origin {
        None => format!("{NONE}; {WITHOUT}"),
        Some(KeyOrigin::Instance(_)) => format!("{NONE}, and {fault}; {WITHOUT}"),
        Some(_) => fault.to_owned(),
    })
}

fn client(settings: S3Settings, bucket: BucketName, threads: NonZeroUsize) -> Result<Arc<S3Client>, Failure> {
    let client = S3Client::try_new(settings, bucket, threads.get().min(THREADS_MAX));
    client.map(Arc::new).map_err(Failure::message)
}
