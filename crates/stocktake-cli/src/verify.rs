//! `stocktake verify`: every difference between a report and its manifest, a line each, and with `--rows` of its rows.

use crate::{
    args::VerifyArgs,
    exit::{Failure, Outcome, put_out, say, shown},
    interrupt::Interrupts,
    machine,
    report::Found,
};
use std::{collections::BTreeSet, num::NonZeroUsize};
use stocktake::{VerifyOptions, VerifyReport, verify};
use stocktake_reader::{ReadOptions, RowsReport, verify_rows};

/// Verifies a report and prints what differs, or that nothing does.
///
/// # Errors
/// If the report cannot be looked at.
pub(crate) fn run(args: &VerifyArgs) -> Result<Outcome, Failure> {
    Interrupts::listen()?;
    let threads = args.threads.unwrap_or_else(machine::threads);
    let found = Found::find(&args.manifest, args.root.as_deref(), &args.s3, threads)?;
    let bytes = verify(&found.location(), &VerifyOptions::new(threads)).map_err(|error| found.failed(&error))?;
    let rows = if args.rows { rows(&found, &bytes, threads)? } else { None };
    for note in bytes.notes.iter().chain(rows.iter().flat_map(|rows| &rows.notes)) {
        say(&format!("note: {note}"));
    }
    put_out(&lines(&bytes, rows.as_ref()))?;
    let sound = bytes.is_sound() && rows.as_ref().is_none_or(RowsReport::is_sound);
    Ok(if sound { Outcome::Complete } else { Outcome::Differences })
}

/// Verifies the rows of files whose bytes are as stated; none if the report cannot be opened for the faults that its bytes have.
fn rows(found: &Found, bytes: &VerifyReport, threads: NonZeroUsize) -> Result<Option<RowsReport>, Failure> {
    let report = match found.open() {
        Ok(report) => report,
        Err(_) if !bytes.is_sound() => return Ok(None),
        Err(failure) => return Err(failure),
    };
    let harmed: BTreeSet<String> = bytes.faults.iter().map(|fault| fault.key.clone()).collect();
    // Bytes were compared with their MD5 a moment ago.
    let options = ReadOptions::default().with_threads(threads).with_md5(false);
    let checked = verify_rows(&report, &options, &harmed).map_err(|error| found.failed(&error))?;
    Ok(Some(checked))
}

fn lines(bytes: &VerifyReport, rows: Option<&RowsReport>) -> String {
    let faults = bytes.faults.iter().map(ToString::to_string);
    let faults = faults.chain(rows.into_iter().flat_map(|rows| &rows.faults).map(ToString::to_string));
    let lines: String = faults.map(|fault| format!("{}\n", shown(&fault))).collect();
    if !lines.is_empty() {
        return lines;
    }
    let (files, size) = (bytes.files, bytes.bytes);
    match rows {
        Some(rows) if rows.digest_kept => {
            format!("OK: {files} files, {size} bytes, {} rows read, row digest {}\n", rows.rows, rows.row_digest)
        }
        Some(rows) => format!("OK: {files} files, {size} bytes, {} rows read; no row digest is kept\n", rows.rows),
        None => {
            let rows = bytes.rows.map(|rows| format!(", {rows} rows")).unwrap_or_default();
            format!("OK: {files} files, {size} bytes{rows}\n")
        }
    }
}
