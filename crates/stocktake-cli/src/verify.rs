//! `stocktake verify`: every difference between a report and its manifest, a line each.

use crate::{
    args::VerifyArgs,
    exit::{Failure, Outcome, put_out, say, shown},
    interrupt::Interrupts,
    machine,
};
use stocktake::{VerifyOptions, VerifyReport, verify_path};

/// Verifies a report and prints what differs, or that nothing does.
///
/// # Errors
/// If the report cannot be looked at.
pub(crate) fn run(args: &VerifyArgs) -> Result<Outcome, Failure> {
    Interrupts::listen()?;
    let options = VerifyOptions::new(args.threads.unwrap_or_else(machine::threads));
    let report = verify_path(&args.manifest, args.root.as_deref(), &options).map_err(|error| Failure::of(&error))?;
    for note in &report.notes {
        say(&format!("note: {note}"));
    }
    put_out(&lines(&report))?;
    Ok(if report.is_sound() { Outcome::Complete } else { Outcome::Differences })
}

fn lines(report: &VerifyReport) -> String {
    if report.is_sound() {
        let rows = report.rows.map(|rows| format!(", {rows} rows")).unwrap_or_default();
        return format!("OK: {} files, {} bytes{rows}\n", report.files, report.bytes);
    }
    report.faults.iter().map(|fault| format!("{}\n", shown(&fault.to_string()))).collect()
}
