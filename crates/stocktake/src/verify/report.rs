//! What a verification is asked for and what it says.

use serde::Serialize;
use std::{error::Error, fmt, num::NonZeroUsize};
use stocktake_core::CancelToken;

/// How a report is verified.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct VerifyOptions {
    /// Threads that read and hash data files.
    pub threads: NonZeroUsize,
    /// Asks the verification to stop; looked at between pieces of 256 KiB.
    pub cancel: CancelToken,
}

impl VerifyOptions {
    /// Verifies with so many threads.
    pub fn new(threads: NonZeroUsize) -> Self {
        Self { threads, cancel: CancelToken::new() }
    }

    /// Lets this token stop the verification.
    #[must_use]
    pub fn with_cancel(mut self, cancel: CancelToken) -> Self {
        self.cancel = cancel;
        self
    }
}

/// What a verification found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct VerifyReport {
    /// Data files in the manifest.
    pub files: u64,
    /// Bytes of all data files, as the manifest states them.
    pub bytes: u64,
    /// Rows of all data files; known if there are receipts.
    pub rows: Option<u64>,
    /// Everything that is wrong.
    pub faults: Vec<Fault>,
    /// What is unusual and breaks no promise.
    pub notes: Vec<String>,
}

impl VerifyReport {
    /// Whether the report is whole and unharmed.
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }

    pub(super) fn add(&mut self, key: impl fmt::Display, kind: FaultKind, detail: impl Into<String>) {
        self.faults.push(Fault::new(key, kind, detail));
    }
}

/// Something that is wrong with a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Fault {
    /// Key of the object that is wrong.
    pub key: String,
    /// What kind of fault it is.
    pub kind: FaultKind,
    /// The fault in words, without the key.
    pub detail: String,
}

impl Fault {
    pub(super) fn new(key: impl fmt::Display, kind: FaultKind, detail: impl Into<String>) -> Self {
        Self { key: key.to_string(), kind, detail: detail.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.detail)
    }
}

/// Kinds of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FaultKind {
    /// manifest.checksum is not there: the report is not complete, or not yet.
    ChecksumMissing,
    /// manifest.checksum is not the MD5 of the manifest.
    ChecksumDiffers,
    /// The manifest, or a member of it, is not what it should be.
    Manifest,
    /// A data file is listed more than once.
    Duplicate,
    /// A data file is not there.
    Missing,
    /// A data file has another size.
    Size,
    /// A data file has the size, but another MD5.
    Md5,
    /// An object is there and cannot be read.
    Unreadable,
    /// receipts.ndjson disagrees with the manifest or with itself.
    Receipts,
    /// symlink.txt does not list exactly the data files.
    Symlink,
}

/// A report that cannot be looked at.
#[derive(Debug)]
pub struct VerifyError {
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl VerifyError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), source: None }
    }

    pub(crate) fn because(message: impl Into<String>, source: impl Error + Send + Sync + 'static) -> Self {
        Self { message: message.into(), source: Some(Box::new(source)) }
    }
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for VerifyError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
