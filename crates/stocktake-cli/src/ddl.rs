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
        (None, Found::Bucket { address, .. }) if engine == Engine::Athena && !address.starts_with("s3://") => {
            return Err(Failure::usage(format!("Athena reads S3 alone, and the report is in {address}")));
        }
        (None, Found::Bucket { hadoop_address, .. }) if engine == Engine::Spark => hadoop_address.clone(),
        // Trino has S3's own scheme for S3, and Hadoop's for the rest.
        (None, Found::Bucket { address, hadoop_address, .. }) if engine == Engine::Trino => {
            if address.starts_with("s3://") { address.clone() } else { hadoop_address.clone() }
        }
        (None, Found::Bucket { address, .. }) => address.clone(),
        (None, Found::Local(found)) if engine == Engine::DuckDb => found.root().to_string_lossy().into_owned(),
        (None, Found::Local(_)) if engine == Engine::Spark => address(&report, "s3a")?,
        (None, Found::Local(_)) => address(&report, "s3")?,
    };
    let statements = ddl(&report, engine, &args.table, &base).map_err(|error| Failure::of(&error))?;
    put_out(&statements)?;
    Ok(Outcome::Complete)
}

/// Address of the destination bucket that the manifest names.
fn address(report: &Report, scheme: &str) -> Result<String, Failure> {
    let arn = &report.manifest().destination_bucket;
    let bucket = arn.split_once(":::").map(|(_, name)| name).filter(|name| !name.is_empty());
    let bucket = bucket.ok_or_else(|| {
        Failure::usage(format!("--base is needed: the manifest's destinationBucket {arn:?} names no bucket"))
    })?;
    Ok(format!("{scheme}://{bucket}"))
}
