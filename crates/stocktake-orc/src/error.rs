//! What can go wrong while a file is written, with its place.

use std::{fmt, io};

/// A file that cannot be written, or not continued.
#[derive(Debug)]
pub struct OrcError {
    kind: OrcErrorKind,
    column: Option<String>,
    row: Option<usize>,
    message: String,
    source: Option<io::Error>,
}

/// Kinds of [`OrcError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OrcErrorKind {
    /// A schema or options that contradict themselves or name what ORC does not have.
    Invalid,
    /// Rows that do not fit the schema.
    Mismatch,
    /// A value that ORC cannot hold.
    Value,
    /// A size that ORC cannot hold.
    Limit,
    /// The output did not take the bytes, or a compressor gave up.
    Io,
}

impl OrcError {
    pub(crate) fn new(kind: OrcErrorKind, message: impl Into<String>) -> Self {
        Self { kind, column: None, row: None, message: message.into(), source: None }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(OrcErrorKind::Invalid, message)
    }

    pub(crate) fn mismatch(message: impl Into<String>) -> Self {
        Self::new(OrcErrorKind::Mismatch, message)
    }

    pub(crate) fn limit(message: impl Into<String>) -> Self {
        Self::new(OrcErrorKind::Limit, message)
    }

    pub(crate) fn value(row: usize, message: impl Into<String>) -> Self {
        Self { row: Some(row), ..Self::new(OrcErrorKind::Value, message) }
    }

    pub(crate) fn in_column(mut self, column: &str) -> Self {
        self.column.get_or_insert_with(|| column.to_owned());
        self
    }

    /// What kind of error it is.
    pub fn kind(&self) -> OrcErrorKind {
        self.kind
    }

    /// Name of the column that it is about.
    pub fn column(&self) -> Option<&str> {
        self.column.as_deref()
    }

    /// What the output said, if it is about that.
    pub fn into_io(self) -> Option<io::Error> {
        self.source
    }

    /// Row within the stripe, from 0, that it is about.
    pub fn row(&self) -> Option<usize> {
        self.row
    }
}

impl From<io::Error> for OrcError {
    fn from(error: io::Error) -> Self {
        let message = "the output does not take the bytes";
        Self { source: Some(error), ..Self::new(OrcErrorKind::Io, message) }
    }
}

impl fmt::Display for OrcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(column) = &self.column {
            write!(f, "column {column:?}: ")?;
        }
        if let Some(row) = self.row {
            write!(f, "row {row} of the stripe: ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for OrcError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|error| error as _)
    }
}
