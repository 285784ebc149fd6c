//! `stocktake inspect`: what a report holds by its manifest, and what its rows say of the bucket.

use crate::{
    args::InspectArgs,
    choices::ColorChoice,
    exit::{Failure, Outcome, json_line, put_out},
    interrupt::Interrupts,
    machine,
    report::Found,
};
use serde::Serialize;
use std::num::NonZeroUsize;
use stocktake::{Inspection, inspect};
use stocktake_reader::{Insight, InsightOptions, ReadOptions, TableStyle, insight};

/// Prints what a report's manifest and receipts say and, if asked, what its rows say.
///
/// # Errors
/// If there is no manifest, or it is none; if rows cannot be read to their end, or the page cannot be written.
pub(crate) fn run(args: &InspectArgs) -> Result<Outcome, Failure> {
    Interrupts::listen()?;
    let reads_rows = args.rows || args.html.is_some();
    if !reads_rows && (args.depth.is_some() || args.top.is_some() || args.delimiter.is_some()) {
        return Err(Failure::usage("--depth, --top and --delimiter are for --rows and --html"));
    }
    let threads = args.threads.unwrap_or_else(machine::threads);
    let found = Found::find(&args.manifest, args.root.as_deref(), &args.s3, threads)?;
    let inspection = inspect(&found.location()).map_err(|error| found.failed(&error))?;
    let insight = if reads_rows { Some(of_rows(args, &found, threads)?) } else { None };
    if let (Some(path), Some(insight)) = (&args.html, &insight) {
        std::fs::write(path, insight.html())
            .map_err(|error| Failure::failed(&format!("cannot write {}", path.display()), &error))?;
    }
    // A page alone was asked for: the tables would repeat it.
    let shown = insight.as_ref().filter(|_| args.rows || args.json);
    put_out(&if args.json {
        json_line(&Told { inspection: &inspection, insight: shown })
    } else {
        let tables = shown.map(|insight| format!("\n{}", insight.table(style(args.color))));
        format!("{inspection}{}", tables.unwrap_or_default())
    })?;
    Ok(Outcome::Complete)
}

/// The members of both, as one JSON object.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    inspection: &'a Inspection,
    #[serde(skip_serializing_if = "Option::is_none")]
    insight: Option<&'a Insight>,
}

fn of_rows(args: &InspectArgs, found: &Found, threads: NonZeroUsize) -> Result<Insight, Failure> {
    let read = ReadOptions::default().with_threads(threads);
    let defaults = InsightOptions::default();
    let number = |asked: Option<NonZeroUsize>, default| asked.map_or(default, NonZeroUsize::get);
    let (depth, list) = (number(args.depth, defaults.depth), number(args.top, defaults.list));
    let delimiter = args.delimiter.unwrap_or(defaults.delimiter);
    if !delimiter.is_ascii() {
        return Err(Failure::usage(format!("--delimiter: {delimiter:?} is no ASCII character")));
    }
    let options = defaults.with_read(read).with_depth(depth).with_list(list).with_delimiter(delimiter);
    let report = found.open()?;
    insight(&report, &options).map_err(|error| found.failed(&error))
}

fn style(color: ColorChoice) -> TableStyle {
    let color = match color {
        ColorChoice::Auto => machine::shows_color(),
        ColorChoice::Always => true,
        ColorChoice::Never => false,
    };
    TableStyle::new(machine::columns(), color)
}
