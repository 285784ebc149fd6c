//! The walk: directories in key order, depth first, and the jobs that are cut from it.
//!
//! It runs on the thread of the stream and reads directories only; files are looked at by other threads later. What is
//! open at a time is the way from the root to the present directory.

use super::{
    Symlinks,
    excluded::{Exclusions, Identity, Pending},
    fault::{Fault, Problem},
    job::{Directory, Job, JobBounds},
    limits::Limits,
    listing::{Lister, Listing},
    names::Kind,
    range::KeyRange,
};
use rustix::fs::{Mode, OFlags, openat};
use std::{
    os::fd::{AsFd, OwnedFd},
    path::PathBuf,
    sync::Arc,
};
use stocktake_core::{CancelToken, KEY_BYTES_MAX};

/// What a walk keeps to.
#[derive(Debug)]
pub(super) struct WalkOptions {
    pub(super) symlinks: Symlinks,
    pub(super) exclusions: Exclusions,
    pub(super) range: KeyRange,
    pub(super) temp_dir: PathBuf,
    pub(super) limits: Limits,
    pub(super) job: JobBounds,
    pub(super) cancel: CancelToken,
}

/// A walk in progress.
#[derive(Debug)]
pub(super) struct Walk {
    options: WalkOptions,
    frames: Vec<Frame>,
    name: Vec<u8>,
    entries: Vec<u8>,
}

/// A directory on the way to the present place.
#[derive(Debug)]
struct Frame {
    directory: Arc<Directory>,
    listing: Listing,
    identity: Option<Identity>,
    pending: Pending,
}

impl Walk {
    /// A walk that begins at an open directory.
    pub(super) fn begin(root: OwnedFd, options: WalkOptions) -> Result<Self, Fault> {
        let mut walk = Self { options, frames: Vec::new(), name: Vec::new(), entries: Vec::new() };
        walk.enter(root, Box::default())?;
        Ok(walk)
    }

    /// Whether every directory was walked.
    pub(super) fn is_over(&self) -> bool {
        self.frames.is_empty()
    }

    /// Puts the next files into a job, until it is full or the walk is over. A cancelled walk stays where it is.
    ///
    /// Faults go into the job too, in their place. A fatal one ends the walk.
    pub(super) fn fill(&mut self, job: &mut Job) {
        while !job.is_full(&self.options.job) && !self.options.cancel.is_cancelled() {
            match self.step(job) {
                Ok(true) => {}
                Ok(false) => return,
                Err(fault) => {
                    if fault.is_fatal() {
                        self.frames.clear();
                    }
                    job.push_fault(fault);
                }
            }
        }
    }

    /// Memory that the names of all open directories take.
    pub(super) fn names_bytes(&self) -> usize {
        self.frames.iter().map(|frame| frame.listing.memory_bytes()).sum()
    }

    /// Takes one name; false if none is left.
    fn step(&mut self, job: &mut Job) -> Result<bool, Fault> {
        let Some(frame) = self.frames.last_mut() else { return Ok(false) };
        let prefix = &frame.directory.prefix;
        let temp_dir = &self.options.temp_dir;
        let next =
            frame.listing.next(&mut self.name).map_err(|error| Problem::spill(temp_dir, error).of(prefix, b""))?;
        let Some(kind) = next else {
            self.frames.pop();
            return Ok(true);
        };
        let Ok(name) = std::str::from_utf8(&self.name) else {
            return Err(Problem::bad("has a name that is not UTF-8").of(prefix, &self.name));
        };
        let key_bytes = prefix.len() + name.len();
        if kind != Kind::Directory {
            if key_bytes > KEY_BYTES_MAX {
                let reason = format!("has a key of {key_bytes} bytes, more than {KEY_BYTES_MAX}");
                return Err(Problem::bad(reason).of(prefix, &self.name));
            }
            job.push(&frame.directory, name, kind == Kind::Unchecked);
            return Ok(true);
        }
        if key_bytes >= KEY_BYTES_MAX {
            let reason = format!("has a path of {key_bytes} bytes, which leaves no room for a key of {KEY_BYTES_MAX}");
            return Err(Problem::bad(reason).of(prefix, &self.name));
        }
        let path = [prefix.as_ref(), name].concat().into_boxed_str();
        let mut flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        if self.options.symlinks == Symlinks::Skip {
            flags |= OFlags::NOFOLLOW;
        }
        let handle = openat(&frame.directory.handle, &name[..name.len() - 1], flags, Mode::empty())
            .map_err(|error| Problem::unreadable(error).of(prefix, &self.name))?;
        self.enter(handle, path)?;
        Ok(true)
    }

    /// Lists an open directory and goes into it, unless it is excluded.
    fn enter(&mut self, handle: OwnedFd, prefix: Box<str>) -> Result<(), Fault> {
        let (mut identity, mut pending) = (None, Pending::default());
        if self.options.symlinks == Symlinks::Follow || !self.options.exclusions.is_empty() {
            let found = Identity::of(&handle).map_err(|error| Problem::unreadable(error).of(&prefix, b""))?;
            identity = Some(found);
            let entered = match self.frames.last() {
                Some(above) => {
                    let name = prefix[above.directory.prefix.len()..].trim_end_matches('/');
                    self.options.exclusions.enter(&above.pending, name.as_bytes(), found)
                }
                None => self.options.exclusions.enter_root(found),
            };
            match entered {
                Some(entered) => pending = entered,
                None => return Ok(()),
            }
            // Without links a directory cannot lie below itself.
            if self.options.symlinks == Symlinks::Follow && self.frames.iter().any(|above| above.identity == identity) {
                return Err(Problem::bad("is a symbolic link back to a directory above it").of(&prefix, b""));
            }
        }
        self.make_room()?;
        let options = &self.options;
        let lister = Lister {
            symlinks: options.symlinks,
            temp_dir: &options.temp_dir,
            limits: options.limits,
            cancel: &options.cancel,
        };
        let listing = lister.list(handle.as_fd(), options.range.within(&prefix), &mut self.entries);
        let listing = listing.map_err(|problem| problem.of(&prefix, b""))?;
        let directory = Arc::new(Directory { handle, prefix });
        self.frames.push(Frame { directory, listing, identity, pending });
        Ok(())
    }

    /// Puts names of the directories above into temporary files, until there is room for another full directory.
    fn make_room(&mut self) -> Result<(), Fault> {
        let limits = self.options.limits;
        let room_bytes = limits.names_total_bytes.saturating_sub(limits.names_bytes);
        let mut taken_bytes = self.names_bytes();
        while taken_bytes > room_bytes {
            let open = self.frames.iter_mut().filter(|frame| !frame.listing.is_compact());
            let Some(largest) = open.max_by_key(|frame| frame.listing.memory_bytes()) else { return Ok(()) };
            taken_bytes -= largest.listing.memory_bytes();
            let compacted = largest.listing.compact(&self.options.temp_dir, limits);
            compacted
                .map_err(|error| Problem::spill(&self.options.temp_dir, error).of(&largest.directory.prefix, b""))?;
            taken_bytes += largest.listing.memory_bytes();
        }
        Ok(())
    }
}
