//! `config put`, `delete` and `status`: a store of configurations.

use super::{
    args::{DeleteArgs, PutArgs, StatusArgs},
    document::read_valid,
};
use crate::{
    exit::{Failure, Outcome, json_line, put_out},
    machine,
};
use serde_json::json;
use std::path::Path;
use stocktake::BucketName;
use stocktake_service::{ConfigurationStore, DurableStore, RunOutcome, StoreError};

pub(super) fn put(args: &PutArgs) -> Result<Outcome, Failure> {
    let (configuration, _) = read_valid(&args.file)?;
    let store = open(&args.store)?;
    store.put(&args.bucket, &configuration, machine::now()?).map_err(failed)?;
    put_out(&json_line(
        &json!({ "status": "put", "bucket": args.bucket.as_str(), "id": configuration.id().as_str() }),
    ))?;
    Ok(Outcome::Complete)
}

pub(super) fn delete(args: &DeleteArgs) -> Result<Outcome, Failure> {
    open_existing(&args.store)?.delete(&args.bucket, &args.id).map_err(failed)?;
    put_out(&json_line(&json!({ "status": "deleted", "bucket": args.bucket.as_str(), "id": args.id })))?;
    Ok(Outcome::Complete)
}

/// A line of JSON for each configuration.
pub(super) fn status(args: &StatusArgs) -> Result<Outcome, Failure> {
    let store = open_existing(&args.store)?;
    let now = machine::now()?;
    let mut names = Vec::new();
    let wanted = args.bucket.as_ref().map(BucketName::as_str);
    let mut visit = |bucket: &str, id: &str, _: &_| {
        if wanted.is_none_or(|wanted| wanted == bucket) {
            names.push((bucket.to_owned(), id.to_owned()));
        }
    };
    store.visit(&mut visit).map_err(failed)?;
    let mut lines = String::new();
    for (bucket, id) in names {
        let Ok(name) = BucketName::try_new(bucket.as_str()) else { continue };
        let status = store.status(&name, &id).map_err(failed)?;
        let last = status.last.as_ref();
        let (outcome, manifest, reason) = match last.map(|last| &last.outcome) {
            None => ("none", None, None),
            Some(RunOutcome::Running) => ("Running", None, None),
            Some(RunOutcome::Succeeded { manifest, .. }) => ("Succeeded", Some(manifest), None),
            Some(RunOutcome::Failed { reason }) => ("Failed", None, Some(reason)),
            Some(_) => ("Skipped", None, None),
        };
        lines += &json_line(&json!({
            "bucket": bucket,
            "id": id,
            "outcome": outcome,
            "last": last.map(|last| last.due.to_string()),
            "next": status.next_due(now).map(|next| next.to_string()),
            "manifest": manifest,
            "reason": reason,
        }));
    }
    put_out(&lines)?;
    Ok(Outcome::Complete)
}

/// Opens a store, or makes it.
fn open(path: &Path) -> Result<DurableStore, Failure> {
    DurableStore::open(path).map_err(failed)
}

/// Opens a store that is there.
fn open_existing(path: &Path) -> Result<DurableStore, Failure> {
    open(existing(path)?)
}

/// The path of a store that is there: a misspelt name makes no empty one.
pub(super) fn existing(path: &Path) -> Result<&Path, Failure> {
    if path.exists() { Ok(path) } else { Err(Failure::message(format!("there is no store {}", path.display()))) }
}

pub(super) fn failed(error: StoreError) -> Failure {
    Failure::of(&error)
}
