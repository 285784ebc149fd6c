//! Verbs about inventory configurations: checked, shown, kept, granted, served.
//!
//! What a configuration means is the library's; here is what its user sees of it.

mod args;
mod document;
mod generate;
mod policy;
mod run;
mod sources;
mod store;

pub(crate) use args::{ConfigVerb, PolicyVerb, RunDueArgs};
pub(crate) use generate::Configured;
pub(crate) use policy::policy;
pub(crate) use run::run_due;

use crate::exit::{Failure, Outcome};
use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// `stocktake config`: a document alone, or a store of them.
///
/// # Errors
/// A refused document, or a store that does not do what is asked.
pub(crate) fn config(verb: &ConfigVerb) -> Result<Outcome, Failure> {
    match verb {
        ConfigVerb::Validate(args) => document::validate(args),
        ConfigVerb::Show(args) => document::show(args),
        ConfigVerb::NextRun(args) => document::next_run(args),
        ConfigVerb::Put(args) => store::put(args),
        ConfigVerb::Delete(args) => store::delete(args),
        ConfigVerb::Status(args) => store::status(args),
    }
}

/// The bytes of a file, or of standard input for `-`: at most so many and one more, by which it is known to be too long.
fn read_file(path: &Path, bytes_max: usize) -> Result<Vec<u8>, Failure> {
    let fault = |error: io::Error| Failure::failed(&format!("cannot read {}", path.display()), &error);
    let most = bytes_max as u64 + 1;
    let mut bytes = Vec::new();
    if path.as_os_str() == "-" {
        io::stdin().lock().take(most).read_to_end(&mut bytes).map_err(fault)?;
    } else {
        File::open(path).map_err(fault)?.take(most).read_to_end(&mut bytes).map_err(fault)?;
    }
    Ok(bytes)
}
