//! What the threads of a walk do: read the metadata of files, and hash their contents.
//!
//! Hashing takes a compute slot of the run for each piece of a file; reading does not, since it waits for a disk.

use super::{
    ETagSource, Symlinks,
    fault::Problem,
    job::{Facts, File, Finding, Job},
};
use rustix::{
    fs::{AtFlags, FileType, Mode, OFlags, Stat, fstat, openat, statat},
    io::Errno,
};
use std::{
    io::{ErrorKind, Read},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use stocktake_core::{Field, Md5Stream, ReadContext, Timestamp};

/// The work of one thread.
#[derive(Debug)]
pub(super) struct Inspector {
    context: ReadContext,
    symlinks: Symlinks,
    wanted: Wanted,
    /// Set when nobody waits for results any more.
    abandoned: Arc<AtomicBool>,
    piece: Vec<u8>,
}

/// What is asked of each file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    metadata: bool,
    modified: bool,
    /// Whether contents are hashed.
    pub(super) hash: bool,
}

impl Wanted {
    /// What the report needs of what the source can say.
    pub(super) fn new(context: &ReadContext, e_tag: ETagSource) -> Self {
        let wants = |field| context.fields.contains(field);
        Self {
            metadata: wants(Field::Size) || wants(Field::LastModifiedDate),
            modified: wants(Field::LastModifiedDate),
            hash: wants(Field::ETag) && e_tag == ETagSource::ContentMd5,
        }
    }
}

impl Inspector {
    /// A worker that reads files in pieces of `piece_bytes`.
    pub(super) fn new(
        context: ReadContext,
        symlinks: Symlinks,
        wanted: Wanted,
        abandoned: Arc<AtomicBool>,
        piece_bytes: usize,
    ) -> Self {
        let piece = if wanted.hash { vec![0; piece_bytes] } else { Vec::new() };
        Self { context, symlinks, wanted, abandoned, piece }
    }

    /// Finds out about the files of a job; those of a run that was cancelled or given up are left open.
    pub(super) fn inspect(&mut self, mut job: Job) -> Job {
        if !self.is_over() {
            job.inspect(|file| self.find(file));
        }
        job
    }

    fn is_over(&self) -> bool {
        self.context.cancel.is_cancelled() || self.abandoned.load(Ordering::Relaxed)
    }

    fn find(&mut self, file: File<'_>) -> Option<Finding> {
        let found = if self.wanted.hash {
            self.hash(file).transpose()?
        } else if self.wanted.metadata || file.unchecked {
            self.stat(file)
        } else {
            Ok(Facts::default())
        };
        Some(found.map_err(Box::new))
    }

    fn stat(&self, file: File<'_>) -> Result<Facts, Problem> {
        let flags = match self.symlinks {
            Symlinks::Skip => AtFlags::SYMLINK_NOFOLLOW,
            Symlinks::Follow => AtFlags::empty(),
        };
        let stat = statat(&file.directory.handle, file.name, flags).map_err(|error| self.unreadable(file, error))?;
        self.facts(&stat)
    }

    fn facts(&self, stat: &Stat) -> Result<Facts, Problem> {
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(Problem::bad("is no regular file any more"));
        }
        let mut facts = Facts { size_bytes: u64::try_from(stat.st_size).unwrap_or(0), ..Facts::default() };
        if self.wanted.modified {
            // Nanoseconds count forward from the second, before 1970 too: dropping what is below a millisecond rounds down.
            let below_second_ms = i64::try_from(stat.st_mtime_nsec / 1_000_000).unwrap_or(0);
            let ms = stat.st_mtime.checked_mul(1000).and_then(|ms| ms.checked_add(below_second_ms));
            let time = ms.and_then(|ms| Timestamp::try_from_ms(ms).ok());
            facts.modified_ms = time.ok_or_else(|| Problem::bad("was modified outside the years 0000 to 9999"))?.ms();
        }
        Ok(facts)
    }

    /// Metadata and MD5; nothing if the run is over.
    ///
    /// A file that grows meanwhile is hashed up to the size that it had when it was opened.
    fn hash(&mut self, file: File<'_>) -> Result<Option<Facts>, Problem> {
        // Something that is no regular file any more must not be waited for.
        let mut flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        if self.symlinks == Symlinks::Skip {
            flags |= OFlags::NOFOLLOW;
        }
        let open = openat(&file.directory.handle, file.name, flags, Mode::empty());
        let handle = open.map_err(|error| self.unreadable(file, error))?;
        let stat = fstat(&handle).map_err(|error| self.unreadable(file, error))?;
        let mut facts = self.facts(&stat)?;
        let mut content = std::fs::File::from(handle).take(facts.size_bytes);
        let (mut md5, mut hashed_bytes) = (Md5Stream::new(), 0);
        loop {
            if self.is_over() {
                return Ok(None);
            }
            match content.read(&mut self.piece) {
                Ok(0) => break,
                Ok(read) => {
                    self.context.compute(|| md5.update(&self.piece[..read]));
                    hashed_bytes += read as u64;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    let error = Errno::from_io_error(&error).unwrap_or(Errno::IO);
                    return Err(self.unreadable(file, error));
                }
            }
        }
        facts.size_bytes = hashed_bytes;
        facts.e_tag = Some(md5.finish().into());
        Ok(Some(facts))
    }

    fn unreadable(&self, file: File<'_>, error: Errno) -> Problem {
        let is_there = || statat(&file.directory.handle, file.name, AtFlags::SYMLINK_NOFOLLOW).is_ok();
        match error {
            Errno::NOENT if self.symlinks == Symlinks::Follow && is_there() => {
                Problem::bad("is a symbolic link to nothing")
            }
            Errno::LOOP if self.symlinks == Symlinks::Skip => Problem::bad("is no regular file any more"),
            error => Problem::unreadable(error),
        }
    }
}
