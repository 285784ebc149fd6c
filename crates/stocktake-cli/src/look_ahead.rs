//! `check-destination`: the key of the object that is tried with, and what was found.

use crate::{
    exit::{Failure, Outcome, put_out, shown},
    machine,
};
use stocktake::{CheckStep, DestinationPrefix, ReportKey};

/// A key below the prefix that no report has.
///
/// # Errors
/// A prefix that leaves no room for it; a machine without a time.
pub(crate) fn key(prefix: &DestinationPrefix) -> Result<ReportKey, Failure> {
    let slash = if prefix.as_str().is_empty() { "" } else { "/" };
    let key = format!("{}{slash}stocktake-check-{}", prefix.as_str(), machine::now()?.ms());
    ReportKey::try_new(key).map_err(|error| Failure::of(&error))
}

/// Prints what was tried, a line a step.
///
/// # Errors
/// If it cannot be printed.
pub(crate) fn tell(steps: &[CheckStep]) -> Result<Outcome, Failure> {
    let mut lines = String::new();
    for step in steps {
        match &step.fault {
            None => lines += &format!("ok      {}\n", step.operation),
            Some(fault) => {
                lines += &format!("failed  {}: {}; needs {}\n", step.operation, shown(fault), step.permission)
            }
        }
    }
    put_out(&lines)?;
    Ok(if steps.iter().all(|step| step.fault.is_none()) { Outcome::Complete } else { Outcome::Differences })
}
