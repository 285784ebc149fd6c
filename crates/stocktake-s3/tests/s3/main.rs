//! The edge against a server in this process: listings, faults, uploads, whole reports.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panic too")]

mod destination;
mod keys;
mod listing;
mod reports;
mod services;

use std::{num::NonZeroU32, sync::Arc, time::Duration};
use stocktake_core::{BucketName, FieldSet, ObjectSource, ReadContext, SourceError, Versions};
use stocktake_s3::{Credentials, S3Client, S3Settings};
use stocktake_testkit::{
    rows::{Row, rows_of},
    s3::{S3Server, ServerOptions},
};

fn bucket() -> BucketName {
    BucketName::try_new("b").unwrap()
}

fn settings(server: &S3Server) -> S3Settings {
    let mut settings = S3Settings::default();
    settings.endpoint_url = Some(server.url());
    settings.credentials = Some(Credentials::new("id", "secret", None));
    settings.backoff = Duration::from_millis(1);
    settings
}

fn client_with(settings: S3Settings) -> Arc<S3Client> {
    Arc::new(S3Client::try_new(settings, bucket(), 2).unwrap())
}

fn client(server: &S3Server) -> Arc<S3Client> {
    client_with(settings(server))
}

fn server(versioned: bool, page_max: usize) -> S3Server {
    let mut options = ServerOptions::default();
    options.versioned = versioned;
    options.page_max = page_max;
    S3Server::start(options).unwrap()
}

fn one() -> NonZeroU32 {
    NonZeroU32::MIN
}

/// Reads a source whole.
fn rows(source: &dyn ObjectSource, versions: Versions, fields: FieldSet) -> Result<Vec<Row>, SourceError> {
    let mut context = ReadContext::new(bucket(), fields);
    context.versions = versions;
    let plan = source.plan(one())?;
    let mut stream = source.open(&plan.lanes()[0], None, &context)?;
    let mut builder = stocktake_core::ObjectBatchBuilder::new(fields);
    let mut rows = Vec::new();
    while stream.next_batch(&mut builder)? {
        rows.extend(rows_of(&builder.finish()));
    }
    Ok(rows)
}
