//! `stocktake cat`: the rows of a report as text.

use crate::{
    args::CatArgs,
    choices::TextChoice,
    exit::{Failure, Outcome},
    interrupt::Interrupts,
    machine, report,
};
use std::io::{self, Write};
use stocktake_reader::{ReadError, RowWriter, TextFormat};

/// Text that is gathered before it is written.
const TEXT_BYTES: usize = 1 << 20;

/// Prints the rows of a report, in the order of its manifest.
///
/// # Errors
/// If the report cannot be read to its end; rows before the fault have been printed.
pub(crate) fn run(args: &CatArgs) -> Result<Outcome, Failure> {
    Interrupts::listen()?;
    if args.header && args.format == TextChoice::Ndjson {
        return Err(Failure::usage("--header is for --format csv"));
    }
    let unreadable = |error: ReadError| Failure::failed("the report cannot be read", &error);
    let threads = args.threads.unwrap_or_else(machine::threads);
    let report = report::open(&args.manifest, args.root.as_deref(), &args.s3, threads)?;
    let format = match args.format {
        TextChoice::Csv => TextFormat::Csv,
        TextChoice::Ndjson => TextFormat::Ndjson,
    };
    let writer = RowWriter::try_new(&report, format, args.columns.as_deref())
        .map_err(|error| Failure::usage(format!("--columns: {error}")))?;
    let options = writer.options().with_threads(threads);
    let mut out = io::stdout().lock();
    let mut text = if args.header { writer.header().into_bytes() } else { Vec::new() };
    for batch in report.read(&options).map_err(unreadable)? {
        let batch = match batch {
            Ok(batch) => batch,
            Err(error) => {
                write(&mut out, &mut text)?;
                return Err(unreadable(error));
            }
        };
        writer.write(&batch, &mut text);
        if text.len() >= TEXT_BYTES && !write(&mut out, &mut text)? {
            return Ok(Outcome::Complete);
        }
    }
    write(&mut out, &mut text)?;
    Ok(Outcome::Complete)
}

/// Writes text out; says whether there is still a reader.
fn write(out: &mut impl Write, text: &mut Vec<u8>) -> Result<bool, Failure> {
    let written = out.write_all(text).and_then(|()| out.flush());
    text.clear();
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::failed("cannot write to standard output", &error)),
        Ok(()) => Ok(true),
    }
}
