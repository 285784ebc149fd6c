//! The names of one directory in order: read, filtered, sorted, and spilled when they are many.
//!
//! It knows neither the directories above nor the files' metadata; a file's size never matters to where its key stands.

use super::{
    Symlinks,
    fault::Problem,
    limits::Limits,
    names::{Kind, Names},
    range::NameRange,
    spill::{Merge, Spill},
};
use rustix::{
    fs::{AtFlags, FileType, statat},
    io::Errno,
};
use std::{
    io,
    os::fd::{AsFd, BorrowedFd},
    path::Path,
};
use stocktake_core::CancelToken;

/// How directories are listed.
#[derive(Debug)]
pub(super) struct Lister<'a> {
    pub(super) symlinks: Symlinks,
    pub(super) temp_dir: &'a Path,
    pub(super) limits: Limits,
    pub(super) cancel: &'a CancelToken,
}

/// The names of one directory that are still to come, in order.
#[derive(Debug)]
pub(super) enum Listing {
    /// Names in memory.
    Memory {
        /// All names.
        names: Names,
        /// Position of the next.
        next: usize,
    },
    /// Names in a temporary file.
    Spilled(Merge),
}

impl Listing {
    /// Replaces `name` with the next name; `None` at the end.
    pub(super) fn next(&mut self, name: &mut Vec<u8>) -> io::Result<Option<Kind>> {
        match self {
            Self::Memory { names, next } => {
                let Some((text, kind)) = names.at(*next) else { return Ok(None) };
                *next += 1;
                name.clear();
                name.extend_from_slice(text);
                Ok(Some(kind))
            }
            Self::Spilled(merge) => merge.next(name),
        }
    }

    /// Number of names before the first was taken; those that the system gave twice may count twice.
    pub(super) fn count(&self) -> u64 {
        match self {
            Self::Memory { names, .. } => names.len() as u64,
            Self::Spilled(merge) => merge.count(),
        }
    }

    /// Memory taken.
    pub(super) fn memory_bytes(&self) -> usize {
        match self {
            Self::Memory { names, .. } => names.memory_bytes(),
            Self::Spilled(merge) => merge.memory_bytes(),
        }
    }

    /// Whether [`Listing::compact`] would free memory.
    pub(super) fn is_compact(&self) -> bool {
        matches!(self, Self::Spilled(merge) if merge.runs() <= 1)
    }

    /// Puts what is left into one run in a temporary file, of which only a small buffer is in memory.
    pub(super) fn compact(&mut self, temp_dir: &Path, limits: Limits) -> io::Result<()> {
        let mut spill = Spill::try_new(temp_dir, limits)?;
        match self {
            Self::Memory { names, next } => spill.push(names, *next)?,
            Self::Spilled(merge) => spill.push_merged(merge)?,
        }
        *self = Self::Spilled(spill.into_merge()?);
        Ok(())
    }
}

impl Lister<'_> {
    /// Reads the names of an open directory that can lead to keys in `wanted`.
    ///
    /// Anything but regular files and directories is left out. `buffer` is for the system's answers.
    ///
    /// # Errors
    /// The directory cannot be read to its end, its names cannot be spilled, or the run is cancelled.
    pub(super) fn list(
        &self,
        directory: BorrowedFd<'_>,
        wanted: NameRange<'_>,
        buffer: &mut Vec<u8>,
    ) -> Result<Listing, Problem> {
        let unspilled = |error| Problem::spill(self.temp_dir, error);
        let (mut names, mut spill) = (Names::default(), None::<Spill>);
        for_each_entry(directory, buffer, |name, file_type| {
            if self.cancel.is_cancelled() {
                return Err(Problem::cancelled());
            }
            let Some(kind) = self.kind(directory, name, file_type) else { return Ok(()) };
            let is_wanted = if kind == Kind::Directory { wanted.meets_directory(name) } else { wanted.has_file(name) };
            if !is_wanted {
                return Ok(());
            }
            if !names.has_room(name.len(), self.limits.names_bytes) && names.len() > 0 {
                names.sort();
                if spill.is_none() {
                    spill = Some(Spill::try_new(self.temp_dir, self.limits).map_err(unspilled)?);
                }
                if let Some(spill) = &mut spill {
                    spill.push(&names, 0).map_err(unspilled)?;
                }
                names.clear();
            }
            names.push(name, kind);
            Ok(())
        })?;
        names.sort();
        match spill {
            None => Ok(Listing::Memory { names, next: 0 }),
            Some(mut spill) => {
                spill.push(&names, 0).map_err(unspilled)?;
                spill.into_merge().map(Listing::Spilled).map_err(unspilled)
            }
        }
    }

    /// What a name stands for; `None` if for nothing that a report holds.
    ///
    /// Where a link leads has to be known here, since a directory's keys stand elsewhere than a file's.
    fn kind(&self, directory: BorrowedFd<'_>, name: &[u8], file_type: FileType) -> Option<Kind> {
        let follow = self.symlinks == Symlinks::Follow;
        let resolved = match file_type {
            FileType::Symlink if follow => type_at(directory, name, AtFlags::empty()),
            FileType::Unknown if follow => type_at(directory, name, AtFlags::empty()),
            FileType::Unknown => type_at(directory, name, AtFlags::SYMLINK_NOFOLLOW),
            known => Ok(known),
        };
        match resolved {
            Ok(FileType::RegularFile) => Some(Kind::File),
            Ok(FileType::Directory) => Some(Kind::Directory),
            Ok(_) => None,
            Err(_) => Some(Kind::Unchecked),
        }
    }
}

fn type_at(directory: BorrowedFd<'_>, name: &[u8], flags: AtFlags) -> Result<FileType, Errno> {
    statat(directory, name, flags).map(|stat| FileType::from_raw_mode(stat.st_mode))
}

/// Calls `each` for every entry but `.` and `..`, in no order.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn for_each_entry(
    directory: BorrowedFd<'_>,
    buffer: &mut Vec<u8>,
    mut each: impl FnMut(&[u8], FileType) -> Result<(), Problem>,
) -> Result<(), Problem> {
    buffer.clear();
    buffer.reserve(super::limits::ENTRIES_BUFFER_BYTES);
    let mut entries = rustix::fs::RawDir::new(directory.as_fd(), buffer.spare_capacity_mut());
    while let Some(entry) = entries.next() {
        let entry = entry.map_err(Problem::unreadable)?;
        let name = entry.file_name().to_bytes();
        if !matches!(name, b"." | b"..") {
            each(name, entry.file_type())?;
        }
    }
    Ok(())
}

/// Calls `each` for every entry but `.` and `..`, in no order.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn for_each_entry(
    directory: BorrowedFd<'_>,
    _buffer: &mut Vec<u8>,
    mut each: impl FnMut(&[u8], FileType) -> Result<(), Problem>,
) -> Result<(), Problem> {
    for entry in rustix::fs::Dir::read_from(directory.as_fd()).map_err(Problem::unreadable)? {
        let entry = entry.map_err(Problem::unreadable)?;
        let name = entry.file_name().to_bytes();
        if !matches!(name, b"." | b"..") {
            each(name, entry.file_type())?;
        }
    }
    Ok(())
}
