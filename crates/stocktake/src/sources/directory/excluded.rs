//! Directories that a walk leaves out, recognised however they are spelled and even if they are made while it runs.
//!
//! A path is taken apart into its longest part that exists, which is known by device and inode, and the names below
//! that. Relative paths, symbolic links and `..` are thereby out of the way, and the walk compares numbers, not paths.

use rustix::fs::{Stat, fstat};
use std::{
    ffi::OsString,
    os::{
        fd::AsFd,
        unix::{ffi::OsStrExt, fs::MetadataExt},
    },
    path::{Component, Path, PathBuf},
};

/// What makes two paths the same directory: device and inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    device: i128,
    inode: u64,
}

impl Identity {
    /// The identity of an open directory.
    pub(super) fn of(directory: impl AsFd) -> rustix::io::Result<Self> {
        fstat(directory).map(|stat| Self::from_stat(&stat))
    }

    fn from_stat(stat: &Stat) -> Self {
        // The width and sign of a device number differ between systems.
        Self { device: i128::from(stat.st_dev), inode: stat.st_ino }
    }

    fn of_path(path: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_dir)?;
        Some(Self { device: i128::from(metadata.dev()), inode: metadata.ino() })
    }
}

/// The directories that are left out.
#[derive(Debug, Default)]
pub(super) struct Exclusions(Vec<Exclusion>);

#[derive(Debug)]
struct Exclusion {
    /// A directory that exists.
    anchor: Identity,
    /// Names that lead from it to the excluded directory; none if it is the excluded one itself.
    rest: Vec<OsString>,
}

/// Exclusions that a directory may lead to: each with the number of its names that led here.
#[derive(Debug, Default)]
pub(super) struct Pending(Vec<(usize, usize)>);

impl Exclusions {
    /// Looks at what exists of the paths.
    pub(super) fn resolve(paths: &[PathBuf]) -> Self {
        let mut exclusions = Vec::new();
        for path in paths {
            let (existing, rest) = take_apart(path);
            let Some(anchor) = Identity::of_path(&existing) else { continue };
            if rest.is_empty() {
                // Were it removed and made again meanwhile, it would be another inode under the same name.
                if let Ok(real) = existing.canonicalize()
                    && let (Some(parent), Some(name)) = (real.parent().and_then(Identity::of_path), real.file_name())
                {
                    exclusions.push(Exclusion { anchor: parent, rest: vec![name.to_owned()] });
                }
            }
            exclusions.push(Exclusion { anchor, rest });
        }
        Self(exclusions)
    }

    /// Whether nothing is left out.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Enters the directory at which a walk begins; `None` if it is excluded.
    pub(super) fn enter_root(&self, identity: Identity) -> Option<Pending> {
        self.enter(&Pending::default(), &[], identity)
    }

    /// Enters a directory by its name; `None` if it is excluded.
    pub(super) fn enter(&self, parent: &Pending, name: &[u8], identity: Identity) -> Option<Pending> {
        let mut pending = Pending::default();
        for (index, exclusion) in self.0.iter().enumerate() {
            if exclusion.anchor == identity {
                pending.0.push((index, 0));
            }
        }
        for &(index, known) in &parent.0 {
            if self.0[index].rest.get(known).is_some_and(|next| next.as_bytes() == name) {
                pending.0.push((index, known + 1));
            }
        }
        let excluded = pending.0.iter().any(|&(index, known)| self.0[index].rest.len() == known);
        (!excluded).then_some(pending)
    }
}

/// The longest part of a path that exists as a directory, and the names behind it.
fn take_apart(path: &Path) -> (PathBuf, Vec<OsString>) {
    let (mut existing, mut rest) = (PathBuf::from("."), Vec::new());
    for component in path.components() {
        match component {
            Component::Normal(name) if !rest.is_empty() || !existing.join(name).is_dir() => rest.push(name.to_owned()),
            Component::ParentDir if !rest.is_empty() => {
                rest.pop();
            }
            // The kernel follows links before it goes up, as opening the path would.
            component => existing.push(component),
        }
    }
    (existing, rest)
}

/// A path that means the same after a change of the working directory, if there is one.
pub(super) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
