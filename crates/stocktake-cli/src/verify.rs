//! `stocktake verify`: every difference between a report and its manifest, a line each, and with `--rows` of its rows.

use crate::{
    args::VerifyArgs,
    exit::{Failure, Outcome, put_out, say, shown},
    interrupt::Interrupts,
    machine,
    report::Found,
};
use std::{collections::BTreeSet, num::NonZeroUsize};
use stocktake::{StoredObject, VerifyOptions, VerifyReport, verify};
use stocktake_reader::{ReadError, ReadOptions, Report, RowsReport, verify_rows};

/// Verifies a report and prints what differs, or that nothing does.
///
/// # Errors
/// If the report cannot be looked at.
pub(crate) fn run(args: &VerifyArgs) -> Result<Outcome, Failure> {
    Interrupts::listen()?;
    let threads = args.threads.unwrap_or_else(machine::threads);
    let found = Found::find(&args.manifest, args.root.as_deref(), &args.s3, threads)?;
    // What is looked at twice, its bytes and its rows, must be the same both times.
    let opened = if args.rows { Some(found.open()) } else { None };
    let looked_at = opened.as_ref().and_then(|report| report.as_ref().ok()).map(Report::look_at_files);
    let bytes = verify(&found.location(), &VerifyOptions::new(threads)).map_err(|error| found.failed(&error))?;
    let report = match opened {
        // The faults of its bytes tell why.
        Some(Err(_)) if !bytes.is_sound() => None,
        opened => opened.transpose()?,
    };
    let rows = report.as_ref().map(|report| rows(&found, report, &bytes, threads)).transpose()?;
    let changed = match (&report, looked_at) {
        (Some(report), Some(Ok(before))) => changed(report, &before, &bytes).map_err(|error| found.failed(&error))?,
        _ => Vec::new(),
    };
    for note in bytes.notes.iter().chain(rows.iter().flat_map(|rows| &rows.notes)) {
        say(&format!("note: {note}"));
    }
    put_out(&lines(&bytes, rows.as_ref(), &changed))?;
    let sound = bytes.is_sound() && changed.is_empty() && rows.as_ref().is_none_or(RowsReport::is_sound);
    Ok(if sound { Outcome::Complete } else { Outcome::Differences })
}

/// Verifies the rows of files whose bytes are as stated.
fn rows(found: &Found, report: &Report, bytes: &VerifyReport, threads: NonZeroUsize) -> Result<RowsReport, Failure> {
    let harmed: BTreeSet<String> = bytes.faults.iter().map(|fault| fault.key.clone()).collect();
    // Bytes were compared with their MD5 a moment ago.
    let options = ReadOptions::default().with_threads(threads).with_md5(false);
    verify_rows(report, &options, &harmed).map_err(|error| found.failed(&error))
}

/// Files that are another than before their bytes were verified, each with its fault.
fn changed(report: &Report, before: &[Option<StoredObject>], bytes: &VerifyReport) -> Result<Vec<String>, ReadError> {
    let now = report.look_at_files()?;
    let files = report.files().iter().zip(before.iter().zip(&now)).filter(|(_, (before, now))| before != now);
    let told = files.filter(|(file, _)| bytes.faults.iter().all(|fault| fault.key != file.key.as_str()));
    Ok(told.map(|(file, _)| format!("{}: was changed while it was verified", file.key)).collect())
}

fn lines(bytes: &VerifyReport, rows: Option<&RowsReport>, changed: &[String]) -> String {
    let faults = bytes.faults.iter().map(ToString::to_string);
    let faults = faults.chain(rows.into_iter().flat_map(|rows| &rows.faults).map(ToString::to_string));
    let faults = faults.chain(changed.iter().cloned());
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
