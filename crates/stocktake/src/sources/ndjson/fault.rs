//! Mistakes in lines: where in the line they stand and how they are shown.
//!
//! A parser sees one line and says a column; the reader of the whole knows the line's number or place and says the rest.

use std::fmt::Write;
use stocktake_core::SourceError;

/// Keys and names are shown up to so many characters, so that a message stays readable.
const SHOWN_CHARS: usize = 200;

/// A mistake in a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// Bytes before the mistake in its line.
    pub(super) column: usize,
    problem: String,
    key: Option<String>,
}

impl Fault {
    /// A mistake after `column` bytes of its line; boxed, because results that carry it are returned for every value.
    #[cold]
    pub(super) fn new(column: usize, problem: impl Into<String>) -> Box<Self> {
        Box::new(Self { column, problem: problem.into(), key: None })
    }

    /// States the key of the row, if it has come already.
    #[must_use]
    pub(super) fn with_key(mut self: Box<Self>, key: &str) -> Box<Self> {
        self.key = (!key.is_empty()).then(|| shown(key));
        self
    }
}

/// Text between backquotes, escaped and cut short where it is long.
pub(super) fn shown(text: &str) -> String {
    let mut shown = String::from("`");
    shown.extend(text.chars().take(SHOWN_CHARS).flat_map(char::escape_debug));
    shown.push_str(if text.chars().nth(SHOWN_CHARS).is_some() { "…`" } else { "`" });
    shown
}

/// A mistake in a line of a piece of text.
#[derive(Debug)]
pub(super) struct LineFault {
    /// Lines before it in the piece.
    pub(super) line: u64,
    /// Bytes before its line in the piece.
    pub(super) offset: usize,
    pub(super) fault: Box<Fault>,
}

/// How places in a piece of text are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// By line: so many lines stand before the piece.
    Lines(u64),
    /// By byte: the piece begins after so many bytes of the file.
    Bytes(u64),
}

impl LineFault {
    /// The error with its position: `FILE, line N, column M`, or `FILE, byte offset N` where lines are not counted.
    pub(super) fn into_error(self, name: &str, place: Place) -> SourceError {
        let Fault { column, mut problem, key } = *self.fault;
        if let Some(key) = key {
            // Writing to a string cannot fail.
            let _ = write!(problem, " (key {key})");
        }
        let position = match place {
            Place::Lines(before) => format!("{name}, line {}, column {}", before + self.line + 1, column + 1),
            Place::Bytes(before) => format!("{name}, byte offset {}", before + (self.offset + column) as u64),
        };
        SourceError::malformed(problem).at(position)
    }
}
