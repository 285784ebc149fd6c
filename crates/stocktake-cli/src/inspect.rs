//! `stocktake inspect`: what a report holds, as a table or as JSON.

use crate::{
    args::InspectArgs,
    exit::{Failure, Outcome, json_line, put_out},
};
use stocktake::inspect_path;

/// Prints what a report's manifest and receipts say.
///
/// # Errors
/// If there is no manifest, or it is none.
pub(crate) fn run(args: &InspectArgs) -> Result<Outcome, Failure> {
    let inspection = inspect_path(&args.manifest, args.root.as_deref()).map_err(|error| Failure::of(&error))?;
    put_out(&if args.json { json_line(&inspection) } else { inspection.to_string() })?;
    Ok(Outcome::Complete)
}
