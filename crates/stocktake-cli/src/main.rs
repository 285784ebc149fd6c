//! The command line of Stocktake.
//!
//! It is the only part of Stocktake that looks at arguments, environment and clock, and that prints: reports and their
//! rules are the library's.

mod args;
mod cat;
mod choices;
#[cfg(feature = "clouds")]
mod clouds;
#[cfg(not(feature = "clouds"))]
#[path = "clouds_absent.rs"]
mod clouds;
mod configuration;
#[cfg(feature = "s3")]
mod credential_process;
mod cross_check;
mod ddl;
mod diff;
mod exit;
mod generate;
mod in_order;
mod inspect;
mod interrupt;
mod listing;
#[cfg(any(feature = "s3", feature = "clouds"))]
mod look_ahead;
mod machine;
mod progress;
mod prune;
mod report;
#[cfg(feature = "s3")]
mod s3;
#[cfg(not(feature = "s3"))]
#[path = "s3_absent.rs"]
mod s3;
mod size;
mod source;
mod source_text;
mod target;
mod unfinished;
mod verify;

use args::{Arguments, Verb};
use clap::Parser;
use exit::{Failure, Outcome};
use source_text::DestinationText;
use std::process::ExitCode;

fn main() -> ExitCode {
    keep_contained_panics_quiet();
    let arguments = Arguments::parse();
    exit::finish(match &arguments.verb {
        Verb::Generate(args) => generate::run(args),
        Verb::Verify(args) => verify::run(args),
        Verb::Cat(args) => cat::run(args),
        Verb::Diff(args) => diff::run(args),
        Verb::Ddl(args) => ddl::run(args),
        Verb::Inspect(args) => inspect::run(args),
        Verb::Prune(args) => prune::run(args),
        Verb::Config(verb) => configuration::config(verb),
        Verb::Policy(verb) => configuration::policy(verb),
        Verb::CheckDestination(args) => match &args.destination {
            DestinationText::Cloud(text) => clouds::check_destination(args, text),
            DestinationText::S3(_) | DestinationText::Directory(_) => s3::check_destination(args),
        },
        Verb::Run(args) => configuration::run_due(args),
        Verb::Completions { shell } => completions(*shell),
    })
}

/// A panic of a foreign decoder on a damaged file is told as the error that it becomes, not a second time as a panic.
fn keep_contained_panics_quiet() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !stocktake::is_contained() {
            usual(panic);
        }
    }));
}

fn completions(shell: clap_complete::Shell) -> Result<Outcome, Failure> {
    let mut command = <Arguments as clap::CommandFactory>::command();
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut command, "stocktake", &mut text);
    exit::put_out(&String::from_utf8_lossy(&text))?;
    Ok(Outcome::Complete)
}
