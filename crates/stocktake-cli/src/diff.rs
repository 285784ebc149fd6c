//! `stocktake diff`: what changed between two reports, as a table, as JSON, or a JSON object for each difference.

use crate::{
    args::DiffArgs,
    choices::{DiffChoice, DiffOrderChoice},
    exit::{Failure, Outcome, json_line, put_out, say, with_causes},
    in_order::InOrder,
    interrupt::Interrupts,
    machine, report,
};
use std::{
    collections::BTreeSet,
    io::{self, Write},
};
use stocktake::{Field, FieldSet, grouped};
use stocktake_reader::{
    DiffOptions, DiffRow, DiffTotals, Difference, Differences, ReadError, ReadErrorKind, Report, Tally, Value,
};

/// Text that is gathered before it is written.
const TEXT_BYTES: usize = 1 << 20;

/// Compares two reports and prints what differs.
///
/// # Errors
/// If a report cannot be read to its end; differences before the fault have been printed.
pub(crate) fn run(args: &DiffArgs) -> Result<Outcome, Failure> {
    let interrupts = Interrupts::listen()?;
    let unreadable = |error: ReadError| match error.file() {
        Some(_) if error.kind() == ReadErrorKind::Order => {
            let told = with_causes(&error);
            Failure::message(format!(
                "the reports cannot be compared: {told}; --unsorted sort puts its rows in order first"
            ))
        }
        Some(_) => Failure::failed("the reports cannot be compared", &error),
        None => Failure::of(&error),
    };
    let threads = args.threads.unwrap_or_else(machine::threads);
    let old = report::open(&args.old, args.old_root.as_deref(), &args.s3, threads)?;
    let new = report::open(&args.new, args.new_root.as_deref(), &args.s3, threads)?;
    let unknown: BTreeSet<String> = old.unknown_columns().chain(new.unknown_columns()).map(str::to_owned).collect();
    let fields = args.fields.unwrap_or_else(|| Field::all().collect());
    if let Some(lacked) = args.fields.map(|fields| fields.difference(old.fields().intersection(new.fields())))
        && !lacked.is_empty()
    {
        return Err(Failure::usage(format!("--fields: not in both reports: {}", names(lacked))));
    }
    let temp_dir = args.temp_dir.clone().unwrap_or_else(std::env::temp_dir);
    let in_order = |report: Report| match args.unsorted {
        DiffOrderChoice::Refuse => Ok(InOrder::as_it_is(report)),
        DiffOrderChoice::Sort => InOrder::of(report, &temp_dir, &interrupts),
    };
    let sorted = (in_order(old)?, in_order(new)?);
    let (old, new) = (&sorted.0.report, &sorted.1.report);
    let mut options = DiffOptions::default();
    options.fields = Some(fields.difference(args.ignore.unwrap_or(FieldSet::EMPTY)));
    options.whole_rows = args.format == DiffChoice::Ndjson;
    options.prefix = Some(args.prefix.as_str()).filter(|prefix| !prefix.is_empty()).map(Into::into);
    options.moves = !args.no_moves;
    options.md5 = !args.no_md5;
    options.threads = threads;
    options.memory_bytes = usize::try_from(args.memory.get()).unwrap_or(usize::MAX);
    options.temp_dir.clone_from(&temp_dir);
    let mut differences = Differences::begin(old, new, &options).map_err(unreadable)?;
    let mut out = Output { text: Vec::new(), out: io::stdout().lock() };
    loop {
        let next = differences.next();
        let difference = match next {
            Ok(Some(difference)) => difference,
            Ok(None) => break,
            Err(error) => {
                out.write()?;
                return Err(unreadable(error));
            }
        };
        if args.format == DiffChoice::Ndjson {
            put_line(&difference, old.fields(), new.fields(), &mut out.text);
            if out.text.len() >= TEXT_BYTES && !out.write()? {
                return Ok(Outcome::Differences);
            }
        }
    }
    out.write()?;
    drop(out);
    // Of a report that was put in order only the known columns are there.
    let mut totals = differences.totals().clone();
    totals.unknown_columns = unknown;
    let totals = &totals;
    note(totals);
    put_out(&match args.format {
        DiffChoice::Table => table(totals),
        DiffChoice::Json => json_line(totals),
        // The totals as the last line, a kind of their own.
        DiffChoice::Ndjson => json_line(totals).replacen('{', "{\"change\":\"totals\",", 1),
    })?;
    Ok(if totals.is_same() { Outcome::Complete } else { Outcome::Differences })
}

/// Says what was not compared.
fn note(totals: &DiffTotals) {
    if totals.old_bucket != totals.new_bucket {
        say(&format!("note: the reports are of two buckets, {} and {}", totals.old_bucket, totals.new_bucket));
    }
    for (fields, which) in [(totals.only_old_fields, "old"), (totals.only_new_fields, "new")] {
        if !fields.is_empty() {
            say(&format!("note: not compared, for only the {which} report has them: {}", names(fields)));
        }
    }
    if !totals.unknown_columns.is_empty() {
        let columns = totals.unknown_columns.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        say(&format!("note: not compared, for they are no known columns: {columns}"));
    }
}

fn names(fields: FieldSet) -> String {
    fields.iter().map(Field::csv_name).collect::<Vec<_>>().join(", ")
}

/// Lines on their way out.
struct Output<'a> {
    text: Vec<u8>,
    out: io::StdoutLock<'a>,
}

impl Output<'_> {
    /// Writes text out; says whether there is still a reader.
    fn write(&mut self) -> Result<bool, Failure> {
        let written = self.out.write_all(&self.text).and_then(|()| self.out.flush());
        self.text.clear();
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
            Err(error) => Err(Failure::failed("cannot write to standard output", &error)),
            Ok(()) => Ok(true),
        }
    }
}

/// A difference as a line of JSON; `of_old` and `of_new` are the fields of whole rows.
fn put_line(difference: &Difference<'_>, of_old: FieldSet, of_new: FieldSet, out: &mut Vec<u8>) {
    match difference {
        Difference::Added(row) => {
            put_identity("added", row, out);
            put_values("new", row, of_new, false, out);
        }
        Difference::Removed(row) => {
            put_identity("removed", row, out);
            put_values("old", row, of_old, false, out);
        }
        Difference::Changed { old, new, fields } => {
            put_identity("changed", new, out);
            out.extend_from_slice(b",\"fields\":");
            put_json(&fields.iter().map(Field::csv_name).collect::<Vec<_>>(), out);
            put_values("old", old, *fields, true, out);
            put_values("new", new, *fields, true, out);
        }
        Difference::Moved(moved) => {
            out.extend_from_slice(b"{\"change\":\"moved\",\"from\":");
            put_json(&*moved.from, out);
            out.extend_from_slice(b",\"to\":");
            put_json(&*moved.to, out);
            out.extend_from_slice(b",\"e_tag\":");
            put_json(&*moved.e_tag, out);
            out.extend_from_slice(format!(",\"size\":{}", moved.size_bytes).as_bytes());
        }
        // A kind of difference that this program does not know has no line; it counts in the totals.
        _ => return,
    }
    out.extend_from_slice(b"}\n");
}

fn put_identity(change: &str, row: &DiffRow<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"change\":\"");
    out.extend_from_slice(change.as_bytes());
    out.extend_from_slice(b"\",\"key\":");
    put_json(row.key(), out);
    if let Some(id) = row.version_id() {
        out.extend_from_slice(b",\"version_id\":");
        put_json(id, out);
    }
}

/// Values of a row by their fields; absent ones as `null` if asked for, else not at all.
fn put_values(name: &str, row: &DiffRow<'_>, fields: FieldSet, absent: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
    let mut separator = b'{';
    for field in fields.difference(FieldSet::REQUIRED).without(Field::VersionId).iter() {
        let value = row.value(field);
        if absent || value != Value::Absent {
            out.push(separator);
            separator = b',';
            put_json(field.csv_name(), out);
            out.push(b':');
            value.put_json(out);
        }
    }
    out.extend_from_slice(if separator == b'{' { b"{}" } else { b"}" });
}

fn put_json(value: &(impl serde::Serialize + ?Sized), out: &mut Vec<u8>) {
    // Writing texts into memory cannot fail.
    let _ = serde_json::to_writer(out, value);
}

/// The totals for people.
fn table(totals: &DiffTotals) -> String {
    let all = [totals.unchanged, totals.added, totals.removed, totals.changed_old, totals.changed_new];
    let bytes_known = all.iter().any(|tally| tally.bytes > 0);
    let line = |name: &str, tally: &Tally, more: &str| {
        let bytes = if bytes_known { grouped(tally.bytes) } else { "-".to_owned() };
        format!("{name:<12}{:>18}{bytes:>26}{more}\n", grouped(tally.rows))
    };
    let mut text = format!("{:<12}{:>18}{:>26}\n", "", "objects", "bytes");
    text += &line("unchanged", &totals.unchanged, "");
    text += &line("added", &totals.added, "");
    text += &line("removed", &totals.removed, "");
    let before = if bytes_known { format!(" (before: {})", grouped(totals.changed_old.bytes)) } else { String::new() };
    text += &line("changed", &totals.changed_new, if totals.changed_new.rows > 0 { &before } else { "" });
    if let Some(moved) = totals.moved.filter(|moved| moved.rows > 0) {
        text += &line("moved", &moved, " (of those added and removed)");
    }
    let compared = [totals.old_rows, totals.new_rows].map(grouped);
    text += &format!("\n{} objects of the old report were compared with {} of the new one\n", compared[0], compared[1]);
    if !totals.changed_fields.is_empty() {
        let fields = totals.changed_fields.iter().map(|(field, rows)| format!("{field} {}", grouped(*rows)));
        text += &format!("changed in {}\n", fields.collect::<Vec<_>>().join(", "));
    }
    text
}
