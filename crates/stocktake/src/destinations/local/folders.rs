//! Folders that a destination created, so that none of them stays behind empty and none that was there before goes.
//!
//! It knows folders, not objects: what is done in a folder is handed to it and runs under its lock. Between the creation
//! of a folder and of the first file in it, no other lane of this process can therefore find it empty and remove it.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Folders that were created and not removed again; as many as a run has, which is a handful.
#[derive(Debug, Default)]
pub(super) struct Folders(Mutex<BTreeMap<PathBuf, Entry>>);

/// Whether the entry of a folder in the folder above it is known to be on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    Written,
    Durable,
}

impl Folders {
    /// Creates what is missing of a folder and does `work` in it. If either fails, what was created is removed.
    pub(super) fn create_with<T>(&self, folder: &Path, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let mut created = self.lock();
        let done = create_missing(folder, &mut created).and_then(|()| work());
        if done.is_err() {
            remove_empty(folder, &mut created);
        }
        done
    }

    /// Does `work`, which takes something out of a folder, and removes what is empty then and was created here.
    pub(super) fn remove_with<T>(&self, folder: &Path, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let mut created = self.lock();
        let done = work();
        remove_empty(folder, &mut created);
        done
    }

    /// Removes a folder and those above it, up to one that is not empty or the root, which stays.
    ///
    /// They are what a killed process left, whose own notes are lost.
    pub(super) fn remove_empty_below(&self, root: &Path, folder: &Path) {
        let mut created = self.lock();
        for path in folder.ancestors().take_while(|path| path.starts_with(root) && *path != root) {
            match fs::remove_dir(path) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                // It is in use, or a link.
                Err(_) => return,
            }
            created.remove(path);
        }
    }

    /// Makes the entries of a folder, and of those above it, durable as far as they were created here.
    ///
    /// The folder is not empty meanwhile, so it stays; the disk is waited for without the lock.
    pub(super) fn sync_created(&self, folder: &Path) -> io::Result<()> {
        let written: Vec<PathBuf> = {
            let created = self.lock();
            folder.ancestors().filter(|path| created.get(*path) == Some(&Entry::Written)).map(Path::to_owned).collect()
        };
        for path in written.iter().rev() {
            path.parent().map_or(Ok(()), sync)?;
        }
        let mut created = self.lock();
        for path in written {
            created.insert(path, Entry::Durable);
        }
        Ok(())
    }

    /// What is noted is true after every single step, so that a panic elsewhere leaves nothing half done.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes the entries of a folder durable.
pub(super) fn sync(folder: &Path) -> io::Result<()> {
    // Other systems have no such call for folders.
    if !cfg!(unix) {
        return Ok(());
    }
    match fs::File::open(folder)?.sync_all() {
        // File systems that cannot do this for folders, and need it not or lack the means, say so.
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        synced => synced,
    }
}

fn create_missing(folder: &Path, created: &mut BTreeMap<PathBuf, Entry>) -> io::Result<()> {
    let missing: Vec<&Path> = folder.ancestors().take_while(|path| !path.is_dir()).collect();
    for path in missing.into_iter().rev() {
        match fs::create_dir(path) {
            Ok(()) => {
                created.insert(path.to_owned(), Entry::Written);
            }
            // Another process was faster, and the folder is its own; or a file stands there.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if !path.is_dir() {
                    return Err(io::Error::new(
                        io::ErrorKind::NotADirectory,
                        format!("{} is not a folder", path.display()),
                    ));
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn remove_empty(folder: &Path, created: &mut BTreeMap<PathBuf, Entry>) {
    for path in folder.ancestors() {
        if !created.contains_key(path) {
            return;
        }
        match fs::remove_dir(path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            // It is in use, or another's business by now.
            Err(_) => return,
        }
        created.remove(path);
    }
}
