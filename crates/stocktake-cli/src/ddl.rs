//! `stocktake ddl`: statements by which a query engine reads a report.

use crate::{
    args::DdlArgs,
    choices::EngineChoice,
    exit::{Failure, Outcome, put_out},
    report,
};
use stocktake::LocalReport;
use stocktake_reader::{Engine, Report, ddl};

/// Prints the statements.
///
/// # Errors
/// If the report cannot be opened, or the engine cannot read it.
pub(crate) fn run(args: &DdlArgs) -> Result<Outcome, Failure> {
    let found = LocalReport::find(&args.manifest, args.root.as_deref()).map_err(|error| Failure::of(&error))?;
    let report = report::open_found(&found)?;
    let engine = match args.engine {
        EngineChoice::Athena => Engine::Athena,
        EngineChoice::Trino => Engine::Trino,
        EngineChoice::Spark => Engine::Spark,
        EngineChoice::Duckdb => Engine::DuckDb,
    };
    let base = match &args.base {
        Some(base) => base.clone(),
        None if engine == Engine::DuckDb => found.root().to_string_lossy().into_owned(),
        None => address(&report, if engine == Engine::Spark { "s3a" } else { "s3" })?,
    };
    let statements = ddl(&report, engine, &args.table, &base).map_err(|error| Failure::of(&error))?;
    put_out(&statements)?;
    Ok(Outcome::Complete)
}

/// Address of the destination bucket.
fn address(report: &Report, scheme: &str) -> Result<String, Failure> {
    let arn = &report.manifest().destination_bucket;
    let bucket = arn.split_once(":::").map(|(_, name)| name).filter(|name| !name.is_empty());
    let bucket = bucket.ok_or_else(|| {
        Failure::usage(format!("--base is needed: the manifest's destinationBucket {arn:?} names no bucket"))
    })?;
    Ok(format!("{scheme}://{bucket}"))
}
