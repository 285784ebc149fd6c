//! Entries of a directory that cannot become objects: what they are called and what is wrong with them.

use rustix::io::Errno;
use std::{borrow::Cow, fmt::Write, io, path::Path};
use stocktake_core::{SkippedEntry, SourceError};

/// A fault of one entry, or one that ends the walk.
#[derive(Debug)]
pub(super) struct Fault {
    /// Path below the source's root, as bytes.
    name: Vec<u8>,
    problem: Problem,
}

/// What is wrong with an entry.
#[derive(Debug)]
pub(super) struct Problem {
    reason: Cow<'static, str>,
    error: Option<io::Error>,
    weight: Weight,
}

/// What a problem means for the walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weight {
    /// The entry may be left out.
    Entry,
    /// The walk ends.
    Walk,
    /// The walk was asked to end.
    Cancelled,
}

impl Problem {
    /// An entry that is not what it should be.
    pub(super) fn bad(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { reason: reason.into(), error: None, weight: Weight::Entry }
    }

    /// An entry that could not be read.
    ///
    /// A lack of file descriptors or of memory is no property of the entry: leaving entries out because of it would lose
    /// whole trees, so it always ends the walk.
    pub(super) fn unreadable(error: Errno) -> Self {
        let (reason, weight) = match error {
            Errno::NOENT => return Self::bad("vanished while the source was read"),
            Errno::LOOP => return Self::bad("symbolic links lead nowhere but to each other"),
            Errno::MFILE | Errno::NFILE | Errno::NOMEM => ("cannot be read", Weight::Walk),
            _ => ("cannot be read", Weight::Entry),
        };
        Self { reason: reason.into(), error: Some(error.into()), weight }
    }

    /// A directory whose names could not be kept in a temporary file.
    pub(super) fn spill(temp_dir: &Path, error: io::Error) -> Self {
        let reason = format!("its names could not be sorted in a temporary file in {}", temp_dir.display());
        Self { reason: reason.into(), error: Some(error), weight: Weight::Walk }
    }

    /// A directory whose listing was cut short because the run was cancelled.
    pub(super) fn cancelled() -> Self {
        Self { reason: "was not read to its end".into(), error: None, weight: Weight::Cancelled }
    }

    /// The problem as that of an entry: a name in a directory, or the directory itself if the name is empty.
    pub(super) fn of(self, prefix: &str, name: &[u8]) -> Fault {
        Fault { name: [prefix.as_bytes(), name].concat(), problem: self }
    }
}

impl Fault {
    /// Bytes of its name.
    pub(super) fn name_bytes(&self) -> usize {
        self.name.len()
    }

    /// Whether the walk ends even if bad entries are left out.
    pub(super) fn is_fatal(&self) -> bool {
        self.problem.weight != Weight::Entry
    }

    /// The fault as the error that ends the run.
    pub(super) fn into_error(self, root: &Path) -> SourceError {
        let Problem { reason, error, weight } = self.problem;
        if weight == Weight::Cancelled {
            return SourceError::cancelled();
        }
        let position = format!("{}/{}", root.display(), shown(&self.name));
        match error {
            Some(error) => SourceError::unreadable(reason, error),
            None => SourceError::malformed(reason),
        }
        .at(position)
    }

    /// The fault as an entry that is left out.
    pub(super) fn entry(&self) -> SkippedEntry {
        let Problem { reason, error, .. } = &self.problem;
        let reason = match error {
            Some(error) => format!("{reason}: {error}"),
            None => reason.to_string(),
        };
        SkippedEntry { name: shown(&self.name), reason }
    }
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
        assert!(Problem::unreadable(Errno::MFILE).of("", b"a").is_fatal());
        let denied = Problem::unreadable(Errno::ACCESS).of("d/", b"a");
        assert!(!denied.is_fatal());
        assert_eq!(denied.entry().reason, "cannot be read: Permission denied (os error 13)");
        assert_eq!(denied.into_error(Path::new("/r")).to_string(), "/r/d/a: cannot be read");
    }
}
