//! `stocktake ddl`: statements by which a query engine reads a report.

use crate::{
    args::DdlArgs,
    choices::EngineChoice,
    exit::{Failure, Outcome, put_out},
    report::Found,
};
use std::num::NonZeroUsize;
use stocktake_reader::{Engine, Report, ddl};

/// Prints the statements.
///
/// # Errors
/// If the report cannot be opened, or the engine cannot read it.
pub(crate) fn run(args: &DdlArgs) -> Result<Outcome, Failure> {
    let found = Found::find(&args.manifest, args.root.as_deref(), &args.s3, NonZeroUsize::MIN)?;
    let report = found.open()?;
    let engine = match args.engine {
        EngineChoice::Athena => Engine::Athena,
        EngineChoice::Trino => Engine::Trino,
        EngineChoice::Spark => Engine::Spark,
        EngineChoice::Duckdb => Engine::DuckDb,
    };
    let base = match (&args.base, &found) {
        (Some(base), _) => base.clone(),
        (None, Found::Bucket { address, .. }) => as_engine_says(address, engine),
        (None, Found::Local(found)) if engine == Engine::DuckDb => found.root().to_string_lossy().into_owned(),
        (None, Found::Local(_)) => as_engine_says(&address(&report)?, engine),
    };
    let statements = ddl(&report, engine, &args.table, &base).map_err(|error| Failure::of(&error))?;
    put_out(&statements)?;
    Ok(Outcome::Complete)
}

/// The address of a bucket with the scheme that an engine has for it.
fn as_engine_says(address: &str, engine: Engine) -> String {
    match address.strip_prefix("s3://") {
        Some(bucket) if engine == Engine::Spark => format!("s3a://{bucket}"),
        _ => address.to_owned(),
    }
}

/// Address of the destination bucket that the manifest names.
fn address(report: &Report) -> Result<String, Failure> {
    let arn = &report.manifest().destination_bucket;
    let bucket = arn.split_once(":::").map(|(_, name)| name).filter(|name| !name.is_empty());
    let bucket = bucket.ok_or_else(|| {
        Failure::usage(format!("--base is needed: the manifest's destinationBucket {arn:?} names no bucket"))
    })?;
    Ok(format!("s3://{bucket}"))
}
