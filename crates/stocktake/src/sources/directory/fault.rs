//! Entries of a directory that cannot become objects: what they are called and what is wrong with them.

use rustix::io::Errno;
use std::{fmt::Write, io, path::Path};
use stocktake_core::{SkippedEntry, SourceError};

/// A fault of one entry, or one that ends the walk.
#[derive(Debug)]
pub(super) struct Fault {
    /// Path below the source's root, as bytes.
    name: Vec<u8>,
    reason: String,
    error: Option<io::Error>,
    fatal: bool,
}

impl Fault {
    /// An entry that is not what it should be.
    pub(super) fn bad(prefix: &str, name: &[u8], reason: impl Into<String>) -> Self {
        Self { name: joined(prefix, name), reason: reason.into(), error: None, fatal: false }
    }

    /// An entry that could not be read.
    ///
    /// A lack of file descriptors or of memory is no property of the entry: leaving entries out because of it would lose
    /// whole trees, so it always ends the walk.
    pub(super) fn unreadable(prefix: &str, name: &[u8], error: Errno) -> Self {
        let fatal = matches!(error, Errno::MFILE | Errno::NFILE | Errno::NOMEM);
        let (reason, error) = match error {
            Errno::NOENT => ("vanished while the source was read", None),
            Errno::LOOP => ("symbolic links lead nowhere but to each other", None),
            error => ("cannot be read", Some(error.into())),
        };
        Self { name: joined(prefix, name), reason: reason.to_owned(), error, fatal }
    }

    /// A directory whose names could not be kept in a temporary file.
    pub(super) fn spill(prefix: &str, temp_dir: &Path, error: io::Error) -> Self {
        let reason = format!("its names could not be sorted in a temporary file in {}", temp_dir.display());
        Self { name: prefix.as_bytes().to_vec(), reason, error: Some(error), fatal: true }
    }

    /// Whether the walk ends even if bad entries are left out.
    pub(super) fn is_fatal(&self) -> bool {
        self.fatal
    }

    /// The fault as the error that ends the run.
    pub(super) fn into_error(self, root: &Path) -> SourceError {
        let position = format!("{}/{}", root.display(), shown(&self.name));
        match self.error {
            Some(error) => SourceError::unreadable(self.reason, error),
            None => SourceError::malformed(self.reason),
        }
        .at(position)
    }

    /// The fault as an entry that is left out.
    pub(super) fn entry(&self) -> SkippedEntry {
        let reason = match &self.error {
            Some(error) => format!("{}: {error}", self.reason),
            None => self.reason.clone(),
        };
        SkippedEntry { name: shown(&self.name), reason }
    }
}

fn joined(prefix: &str, name: &[u8]) -> Vec<u8> {
    [prefix.as_bytes(), name].concat()
}

/// The bytes as text; bytes that are not UTF-8 and control characters, which would break a message, are escaped.
fn shown(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for char in chunk.valid().chars() {
            if char.is_control() { text.extend(char.escape_default()) } else { text.push(char) }
        }
        for byte in chunk.invalid() {
            // Writing into a string cannot fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shown_on_one_line() {
        assert_eq!(shown(b"a\xff\xc3\xa9/\xe2\x82b\nc"), "a\\xff\u{e9}/\\xe2\\x82b\\nc");
    }

    #[test]
    fn a_lack_of_file_descriptors_is_never_skipped() {
        assert!(Fault::unreadable("", b"a", Errno::MFILE).is_fatal());
        let denied = Fault::unreadable("d/", b"a", Errno::ACCESS);
        assert!(!denied.is_fatal());
        assert_eq!(denied.entry().reason, "cannot be read: Permission denied (os error 13)");
        assert_eq!(denied.into_error(Path::new("/r")).to_string(), "/r/d/a: cannot be read");
    }
}
