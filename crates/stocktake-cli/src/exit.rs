//! How the program ends: exit codes, and the one line on standard error that says why.

use crate::args::Arguments;
use clap::{CommandFactory, error::ErrorKind};
use serde::Serialize;
use std::{
    borrow::Cow,
    error::Error,
    io::{self, Write},
    process::ExitCode,
};
use stocktake::{GenerateError, GenerateErrorKind, KeptRun};

/// Exit code of a run that was interrupted.
pub(crate) const INTERRUPTED: u8 = 130;

/// An end that is no failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All of it was done.
    Complete,
    /// The report is complete but for entries that the user allowed to be skipped.
    Skipped,
    /// `verify` found differences, or `policy check` an obstacle.
    Differences,
}

/// Why nothing was done.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What was asked for contradicts itself.
    Usage(String),
    /// It failed.
    Failed { message: String, left: Left },
    /// The user stopped it.
    Interrupted { left: Left },
    /// The user stopped a row of reports.
    InterruptedReports,
}

/// What is left of a run at its destination.
#[derive(Debug, Default)]
pub(crate) struct Left {
    /// Objects that the run could not take away again.
    behind: Vec<String>,
    /// What it keeps on purpose.
    kept: Option<KeptRun>,
}

impl Failure {
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    /// The failure in words, for those who keep it rather than end by it.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Usage(message) | Self::Failed { message, .. } => message.clone(),
            Self::Interrupted { .. } | Self::InterruptedReports => "interrupted".to_owned(),
        }
    }

    /// A failure that these words describe.
    pub(crate) fn message(message: impl Into<String>) -> Self {
        Self::Failed { message: message.into(), left: Left::default() }
    }

    /// A failure that these words and this error's causes describe.
    pub(crate) fn failed(what: &str, error: &dyn Error) -> Self {
        Self::Failed { message: format!("{what}: {}", with_causes(error)), left: Left::default() }
    }

    /// The failure with more that could not be taken away again.
    pub(crate) fn with_leftovers(mut self, more: Vec<String>) -> Self {
        match &mut self {
            Self::Failed { left, .. } | Self::Interrupted { left } => left.behind.extend(more),
            Self::Usage(_) | Self::InterruptedReports => {}
        }
        self
    }

    /// A failure that this error and its causes describe.
    pub(crate) fn of(error: &dyn Error) -> Self {
        Self::Failed { message: with_causes(error), left: Left::default() }
    }
}

impl From<GenerateError> for Failure {
    fn from(error: GenerateError) -> Self {
        let left = Left { behind: error.leftovers().to_vec(), kept: error.kept().cloned() };
        // The error's own text names what is left behind; it gets lines of its own here.
        let named: String = left.behind.iter().map(|leftover| format!("; left behind: {leftover}")).collect();
        let message = with_causes(&error).replacen(&named, "", 1);
        let hint = match error.kind() {
            GenerateErrorKind::Invalid => return Self::Usage(message),
            GenerateErrorKind::Cancelled => return Self::Interrupted { left },
            GenerateErrorKind::ReportExists => "; --replace puts the new report in its place",
            GenerateErrorKind::Unfinished => "; --resume continues it, --abandon removes what it left",
            GenerateErrorKind::Changed => {
                "; --resume with what it was begun with continues it, --abandon removes what it left"
            }
            _ => "",
        };
        Self::Failed { message: message + hint, left }
    }
}

/// Says on standard error what went wrong, and returns the exit code.
pub(crate) fn finish(result: Result<Outcome, Failure>) -> ExitCode {
    let code = match result {
        Ok(Outcome::Complete) => 0,
        Ok(Outcome::Skipped) => 3,
        Ok(Outcome::Differences) => 4,
        Err(Failure::Failed { message, left }) => {
            say(&message);
            say_left(&left);
            1
        }
        Err(Failure::Usage(message)) => {
            // In the form of the parser's own errors, and with its exit code.
            let error = usage_command().error(ErrorKind::ArgumentConflict, shown(&message));
            // Were standard error closed, the exit code still says it.
            let _ = error.print();
            2
        }
        Err(Failure::InterruptedReports) => {
            say("interrupted; the report that was under way is not published");
            INTERRUPTED
        }
        Err(Failure::Interrupted { left }) => {
            say("interrupted; nothing is published");
            say_left(&left);
            INTERRUPTED
        }
    };
    ExitCode::from(code)
}

/// The command whose usage is shown: the only verb whose arguments can contradict each other.
fn usage_command() -> clap::Command {
    let mut command = Arguments::command();
    command.build();
    command.find_subcommand("generate").cloned().unwrap_or(command)
}

fn say_left(left: &Left) {
    for leftover in &left.behind {
        say(&format!("left behind: {leftover}"));
    }
    if let Some(KeptRun { stamp, files, rows, .. }) = &left.kept {
        let kept = format!("kept: {files} finished data files of {stamp} with {rows} rows");
        say(&format!("{kept}; --resume continues the run, --abandon removes them"));
    }
}

/// Writes one line to standard error, with the program's name before it.
pub(crate) fn say(message: &str) {
    say_plainly(&format!("stocktake: {message}"));
}

/// Writes one line to standard error.
pub(crate) fn say_plainly(message: &str) {
    // Nobody reads a closed standard error.
    let _ = writeln!(io::stderr(), "{}", shown(message));
}

/// Writes to standard output. A reader that has gone away is not waited for: what it did not read it did not want.
///
/// # Errors
/// If standard output cannot be written for another reason, such as a full disk.
pub(crate) fn put_out(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::failed("cannot write to standard output", &error))
        }
        _ => Ok(()),
    }
}

/// A line of JSON.
pub(crate) fn json_line(value: &impl Serialize) -> String {
    match serde_json::to_string(value) {
        Ok(line) => line + "\n",
        Err(error) => unreachable!("a struct of texts, numbers and lists has a JSON form: {error}"),
    }
}

/// An error and its causes, joined by `: `; a cause that its effect already tells is not told again.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let told = error.to_string();
        if !text.ends_with(&told) {
            text = format!("{text}: {told}");
        }
        cause = error.source();
    }
    text
}

/// The text on one line: names may hold control characters, which would break lines or command a terminal.
pub(crate) fn shown(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    let escaped = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    Cow::Owned(text.chars().map(escaped).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use stocktake::{SourceError, SourceErrorKind};

    #[test]
    fn causes_are_told_once() {
        let full = io::Error::other("no space left");
        let error = SourceError::unreadable("cannot read x", full).at("line 4");
        assert_eq!(with_causes(&error), "line 4: cannot read x: no space left");
        let wrapped = io::Error::other(SourceError::new(SourceErrorKind::Malformed, "no key"));
        let error = SourceError::unreadable("cannot read x", wrapped);
        assert_eq!(with_causes(&error), "cannot read x: no key");
    }

    #[test]
    fn a_message_is_one_line() {
        assert_eq!(shown("a\nb\u{1b}[2Jé"), "a\\nb\\u{1b}[2Jé");
    }
}
