//! Objects from a file system: every regular file below a directory, by its path.
//!
//! | field | what a directory supplies |
//! | --- | --- |
//! | Bucket | the report's own |
//! | Key | path below the directory, with `/` between names, as it is on disk: never normalised, not even in Unicode |
//! | Size | length of the file in bytes |
//! | LastModifiedDate | time of the last modification, rounded down to milliseconds |
//! | ETag | nothing, or the MD5 of the content ([`ETagSource`]) |
//! | every other field | nothing: a file system knows no versions, storage classes, encryption, replication, locks, tiers, checksums of S3, owners in S3's sense or lifecycle |
//!
//! Keys come in S3's order, unsigned bytes of the whole key: what `find DIR -type f -printf '%P\0' | LC_ALL=C sort -z`
//! prints. Sockets, pipes, devices and, unless they are followed, symbolic links are not regular files and are left out
//! without a word, as are empty directories. What should be an object and cannot be is a *bad entry* ([`BadEntries`]):
//!
//! - a file or directory with a name that is not UTF-8 (a directory is one entry, whatever it holds),
//! - a key of more than 1,024 bytes, or a directory whose path leaves no room for a shorter one,
//! - a file or directory that cannot be read, or that vanished or changed its type after it was listed,
//! - a time of modification outside the years 0000 to 9999,
//! - where links are followed: one that leads nowhere, or back to a directory above it.
//!
//! A walk is no snapshot: files that come or go meanwhile may or may not be in the report. File systems mounted below the
//! directory belong to it.
//!
//! Directories are listed by the stream's own thread; metadata and contents are read by threads of the walk, some jobs
//! ahead. Memory is bounded whatever the tree: 16 MiB of names (larger directories are sorted in temporary files), some
//! 40 KiB and at most 200 KiB for each job under way, of which there are two for each thread, and 128 KiB for each thread
//! when contents are hashed. At most 256 directories are open for jobs under way, and those on the way from the root to
//! the present one, of which the length of a key allows 512.

mod excluded;
mod fault;
mod inspect;
mod job;
mod limits;
mod listing;
mod names;
mod plan;
mod range;
mod spill;
mod stream;
#[cfg(test)]
mod tests;
mod walk;

use excluded::{Exclusions, Identity};
use limits::Limits;
use rustix::{
    fs::{CWD, Mode, OFlags, openat},
    io::Errno,
};
use std::{
    num::{NonZeroU32, NonZeroUsize},
    os::fd::OwnedFd,
    path::PathBuf,
};
use stocktake_core::{
    Field, FieldSet, LaneDescriptor, ObjectKey, ObjectSource, ObjectStream, Plan, ReadContext, SourceError,
    SourceErrorKind,
};

/// Every regular file below a directory as an object.
///
/// # Examples
/// ```
/// use stocktake::{BucketName, FieldSet, ObjectBatchBuilder, ObjectSource, ReadContext, sources::DirectorySource};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let directory = tempfile::tempdir()?;
/// std::fs::write(directory.path().join("a.txt"), "hello")?;
///
/// let source = DirectorySource::new(directory.path());
/// let plan = source.plan(std::num::NonZeroU32::MIN)?;
/// let context = ReadContext::new(BucketName::try_new("photos")?, source.provides());
/// let mut stream = source.open(&plan.lanes()[0], None, &context)?;
/// let mut batch = ObjectBatchBuilder::new(source.provides());
/// assert!(stream.next_batch(&mut batch)?);
/// assert_eq!(batch.finish().key(0), "a.txt");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct DirectorySource {
    root: PathBuf,
    symlinks: Symlinks,
    bad_entries: BadEntries,
    e_tag: ETagSource,
    excluded: Vec<PathBuf>,
    temp_dir: Option<PathBuf>,
    io_threads: Option<NonZeroUsize>,
    limits: Limits,
}

/// What becomes of symbolic links below the root. The root itself may be one in either case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Symlinks {
    /// They are left out.
    #[default]
    Skip,
    /// They stand for what they lead to, which may lie outside the root.
    Follow,
}

/// What becomes of entries that should be objects and cannot be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BadEntries {
    /// The first one ends the run.
    #[default]
    Fail,
    /// They are left out, and each is reported.
    ///
    /// A lack of file descriptors or memory, and temporary files that cannot be written, end the run all the same.
    Skip,
}

/// Where ETags come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ETagSource {
    /// There are none.
    #[default]
    None,
    /// The MD5 of each file's content, as S3 has it for objects uploaded in one part: every file is read.
    ///
    /// The size in the report is the size that was hashed. A file that grows meanwhile is hashed up to the size that it
    /// had when it was opened.
    ContentMd5,
}

impl DirectorySource {
    /// The files below `root`: links not followed, no ETags, the first bad entry ends the run.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            symlinks: Symlinks::default(),
            bad_entries: BadEntries::default(),
            e_tag: ETagSource::default(),
            excluded: Vec::new(),
            temp_dir: None,
            io_threads: None,
            limits: Limits::DEFAULT,
        }
    }

    /// Says what becomes of symbolic links.
    #[must_use]
    pub fn with_symlinks(mut self, symlinks: Symlinks) -> Self {
        self.symlinks = symlinks;
        self
    }

    /// Says what becomes of bad entries.
    #[must_use]
    pub fn with_bad_entries(mut self, bad_entries: BadEntries) -> Self {
        self.bad_entries = bad_entries;
        self
    }

    /// Says where ETags come from.
    #[must_use]
    pub fn with_e_tag(mut self, e_tag: ETagSource) -> Self {
        self.e_tag = e_tag;
        self
    }

    /// Leaves out a directory and everything below it, such as the destination of the report; may be given several times.
    ///
    /// The directory is recognised by device and inode, so it does not matter how the path is spelled, and by its names
    /// below the deepest directory that exists, so that it is left out even if it is made while the source is read. A
    /// relative path is relative to the working directory of this moment. A directory that is not below the root leaves
    /// nothing out; the root itself cannot be left out.
    #[must_use]
    pub fn with_excluded(mut self, directory: impl Into<PathBuf>) -> Self {
        self.excluded.push(excluded::absolute(&directory.into()));
        self
    }

    /// Sorts the names of very large directories in this directory, not in the system's directory for temporary files.
    #[must_use]
    pub fn with_temp_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.temp_dir = Some(directory.into());
        self
    }

    /// Reads metadata with so many threads, at most 32; otherwise twice the run's threads, 2 to 16.
    #[must_use]
    pub fn with_io_threads(mut self, threads: NonZeroUsize) -> Self {
        self.io_threads = Some(threads);
        self
    }

    fn temp_dir(&self) -> PathBuf {
        self.temp_dir.clone().unwrap_or_else(std::env::temp_dir)
    }

    /// Opens the root, which must be a directory and not excluded.
    fn open_root(&self, exclusions: &Exclusions) -> Result<OwnedFd, SourceError> {
        let position = || self.root.display().to_string();
        let unreadable =
            |error: Errno| SourceError::unreadable("the source directory cannot be read", error.into()).at(position());
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = openat(CWD, &self.root, flags, Mode::empty()).map_err(unreadable)?;
        if exclusions.enter_root(Identity::of(&root).map_err(unreadable)?).is_none() {
            let message = "the source directory is itself excluded, so nothing would be left of it";
            return Err(SourceError::new(SourceErrorKind::Unsupported, message).at(position()));
        }
        Ok(root)
    }
}

impl ObjectSource for DirectorySource {
    fn provides(&self) -> FieldSet {
        let provided = FieldSet::REQUIRED.with(Field::Size).with(Field::LastModifiedDate);
        match self.e_tag {
            ETagSource::None => provided,
            ETagSource::ContentMd5 => provided.with(Field::ETag),
        }
    }

    fn plan(&self, lanes: NonZeroU32) -> Result<Plan, SourceError> {
        plan::plan(self, lanes)
    }

    fn open<'a>(
        &'a self,
        lane: &LaneDescriptor,
        after: Option<&ObjectKey>,
        context: &ReadContext,
    ) -> Result<Box<dyn ObjectStream + 'a>, SourceError> {
        Ok(Box::new(stream::DirectoryStream::open(self, lane, after, context)?))
    }
}
