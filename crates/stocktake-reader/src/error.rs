//! What keeps a report from being read, and where it stands.

use std::{error::Error, fmt, io};
use stocktake_core::{DestinationError, SourceError, SourceErrorKind};

/// A fault of a report, with file, row and column where they are known.
#[derive(Debug)]
pub struct ReadError(Box<Parts>);

#[derive(Debug)]
struct Parts {
    kind: ReadErrorKind,
    file: Option<String>,
    row: Option<u64>,
    byte: Option<u64>,
    column: Option<String>,
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// What kind of fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadErrorKind {
    /// An object is absent or cannot be read.
    Unreadable,
    /// What was read is not what the format allows.
    Malformed,
    /// Checksum, size, MD5 or number of rows is not as stated.
    Differs,
    /// Rows are not in the order that was asked for.
    Order,
    /// The report needs what this reader does not have.
    Unsupported,
    /// The reading was cancelled.
    Cancelled,
}

impl ReadError {
    pub(crate) fn new(kind: ReadErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            kind,
            file: None,
            row: None,
            byte: None,
            column: None,
            message: message.into(),
            source: None,
        }))
    }

    pub(crate) fn malformed(message: impl Into<String>) -> Self {
        Self::new(ReadErrorKind::Malformed, message)
    }

    pub(crate) fn differs(message: impl Into<String>) -> Self {
        Self::new(ReadErrorKind::Differs, message)
    }

    pub(crate) fn cancelled() -> Self {
        Self::new(ReadErrorKind::Cancelled, "cancelled")
    }

    pub(crate) fn because(
        kind: ReadErrorKind,
        message: impl Into<String>,
        source: impl Error + Send + Sync + 'static,
    ) -> Self {
        let mut error = Self::new(kind, message);
        error.0.source = Some(Box::new(source));
        error
    }

    /// An I/O error while reading; what a decoder says of its input is about the file's form.
    pub(crate) fn io(message: impl Into<String>, error: io::Error) -> Self {
        let kind = match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
                ReadErrorKind::Malformed
            }
            _ => ReadErrorKind::Unreadable,
        };
        Self::because(kind, message, error)
    }

    pub(crate) fn in_file(mut self, file: impl fmt::Display) -> Self {
        self.0.file.get_or_insert_with(|| file.to_string());
        self
    }

    /// States the row of the file, from 1.
    pub(crate) fn at_row(mut self, row: u64) -> Self {
        self.0.row.get_or_insert(row);
        self
    }

    /// States how many bytes of the file were read.
    #[cfg(feature = "csv")]
    pub(crate) fn at_byte(mut self, byte: u64) -> Self {
        self.0.byte.get_or_insert(byte);
        self
    }

    pub(crate) fn in_column(mut self, column: impl fmt::Display) -> Self {
        self.0.column.get_or_insert_with(|| column.to_string());
        self
    }

    /// What kind of fault it is.
    pub fn kind(&self) -> ReadErrorKind {
        self.0.kind
    }

    /// Key of the object that is at fault.
    pub fn file(&self) -> Option<&str> {
        self.0.file.as_deref()
    }

    /// Row of the file, from 1.
    pub fn row(&self) -> Option<u64> {
        self.0.row
    }

    /// Bytes of the file that had been read.
    pub fn byte(&self) -> Option<u64> {
        self.0.byte
    }

    /// Column, as the report's schema names it.
    pub fn column(&self) -> Option<&str> {
        self.0.column.as_deref()
    }

    /// The fault and its causes without the file, in one line.
    pub(crate) fn detail(&self) -> String {
        let mut text = self.place();
        text += &self.0.message;
        let mut source = self.source();
        while let Some(error) = source {
            text += &format!(": {error}");
            source = error.source();
        }
        text
    }

    fn place(&self) -> String {
        let row = self.0.row.map(|row| format!("row {row}"));
        let byte = self.0.byte.map(|byte| format!("byte {byte}"));
        let column = self.0.column.as_ref().map(|column| format!("column {column}"));
        let places: Vec<_> = [row, byte, column].into_iter().flatten().collect();
        if places.is_empty() { String::new() } else { places.join(", ") + ": " }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.place();
        match &self.0.file {
            Some(file) if place.is_empty() => write!(f, "{file}: ")?,
            Some(file) => write!(f, "{file}, ")?,
            None => {}
        }
        write!(f, "{place}{}", self.0.message)
    }
}

impl Error for ReadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source.as_deref().map(|error| error as _)
    }
}

impl From<DestinationError> for ReadError {
    fn from(error: DestinationError) -> Self {
        let key = error.key().to_owned();
        // The key is the file's name and is said once.
        let text = error.to_string();
        let text = text.strip_prefix(&format!("{key}: ")).unwrap_or(&text).to_owned();
        let told = match Error::source(&error) {
            Some(source) => format!("{text}: {source}"),
            None => text,
        };
        Self::new(ReadErrorKind::Unreadable, told).in_file(key)
    }
}

impl From<ReadError> for SourceError {
    fn from(error: ReadError) -> Self {
        let kind = match error.kind() {
            ReadErrorKind::Unreadable => SourceErrorKind::Unreadable,
            ReadErrorKind::Malformed | ReadErrorKind::Differs => SourceErrorKind::Malformed,
            ReadErrorKind::Order => SourceErrorKind::Order,
            ReadErrorKind::Unsupported => SourceErrorKind::Unsupported,
            ReadErrorKind::Cancelled => return Self::cancelled(),
        };
        let detail = error.detail();
        let told = Self::new(kind, detail);
        match error.0.file {
            Some(file) => told.at(file),
            None => told,
        }
    }
}
