//! A folder that stands for the root of the destination bucket.
//!
//! An object is staged beside its target under a hidden name, made durable, and renamed onto its key in one step, so
//! that no other process ever sees a part of it. The keys of a report are relative paths by their own rule and cannot
//! climb out of the root. Symbolic links to folders below the root are followed, because whoever put them there owns
//! the root; a link that stands where an object goes is itself what is refused or replaced. A file system has no place
//! for a content type: it is accepted and not kept.

mod folders;
mod staged;
mod store;

pub use store::LocalStore;

use folders::Folders;
use staged::StagedFile;
use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read},
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};
use stocktake_core::{
    Destination, DestinationError, DestinationErrorKind, Existing, ObjectAttributes, PendingObject, ReportKey,
    ReportStore, StoredObject,
};
use tempfile::NamedTempFile;

/// Ending of staged files, which also begin with a dot.
const STAGED_SUFFIX: &str = ".partial";

/// Bytes of the target's name that a staged file's name repeats: with its additions it stays below the 255 bytes that
/// file systems allow.
const STAGED_NAME_BYTES_MAX: usize = 200;

/// How often an object's folder may be taken away by another process between its creation and its first use.
const STAGE_ATTEMPTS: usize = 8;

/// Writes objects as files below a root folder.
///
/// Folders come into being when an object is created in them, the root included. Those that this destination created
/// and that are empty after an object was aborted or removed are removed again; a folder that was there before never is.
/// Clones share this knowledge. Existing objects are refused or replaced in one step, also between processes.
///
/// A process that is killed leaves its staged files behind (`.NAME.<random>.partial`): they are never listed as objects;
/// [`LocalDestination::staged_leftovers`] finds them, and a run that is continued or abandoned removes them.
///
/// # Examples
/// ```
/// use std::io::Write;
/// use stocktake::{Destination, ObjectAttributes, ReportKey, ReportStore, destinations::LocalDestination};
///
/// let folder = tempfile::tempdir()?;
/// let destination = LocalDestination::try_new(folder.path().join("inventory"))?;
/// let key = ReportKey::try_new("photos/daily/data/1.csv.gz")?;
/// let mut object = destination.create(&key, &ObjectAttributes::new("application/gzip"))?;
/// object.write_all(b"rows")?;
/// assert!(destination.list("")?.is_empty());
/// object.publish()?;
/// assert_eq!(destination.list("photos/")?, [key]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct LocalDestination {
    store: LocalStore,
    folders: Arc<Folders>,
}

impl LocalDestination {
    /// A destination below `root`, which need not exist yet.
    ///
    /// # Errors
    /// If the root, or what stands in its way, is not a folder, or if no file can be created in it (or, while it does
    /// not exist, in the nearest folder above it): a read-only file system, missing rights, no space.
    pub fn try_new(root: impl AsRef<Path>) -> Result<Self, DestinationError> {
        let store = LocalStore::try_new(root)?;
        let root = store.root();
        // Without a parent there is only the file system's own root, which exists.
        let existing = root.ancestors().find(|path| fs::symlink_metadata(path).is_ok()).unwrap_or(root);
        if !existing.is_dir() {
            let text = format!("cannot be the destination: {} is not a folder", existing.display());
            return Err(DestinationError::new(DestinationErrorKind::Unsupported, root.display(), text));
        }
        // A nameless file asks the file system itself, and leaves nothing behind.
        tempfile::tempfile_in(existing).map_err(|error| {
            DestinationError::io(root.display(), format!("cannot write to {}", existing.display()), error)
        })?;
        Ok(Self { store, folders: Arc::default() })
    }

    /// The root folder as an absolute path.
    pub fn root(&self) -> &Path {
        self.store.root()
    }

    /// Staged files at any depth below the folder of a key, sorted: those of killed runs, and those of a run that goes on.
    ///
    /// # Errors
    /// If a folder cannot be read.
    pub fn staged_leftovers(&self, folder: &ReportKey) -> Result<Vec<PathBuf>, DestinationError> {
        self.store.staged(folder)
    }

    /// Removes the staged files of keys in their folder.
    fn remove_staged(&self, folder: &Path, keys: &[&ReportKey]) -> Result<u64, DestinationError> {
        let [first, ..] = keys else { return Ok(0) };
        let fault = |error| DestinationError::io(first, format!("cannot clear {}", folder.display()), error);
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if is_absent(&error) => return Ok(0),
            Err(error) => return Err(fault(error)),
        };
        let mut removed = 0;
        for entry in entries {
            let entry = entry.map_err(fault)?;
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|name| is_staged_name(name)) else { continue };
            // `.NAME.RANDOM.partial`, and the random part has no dot.
            let of = name[1..name.len() - STAGED_SUFFIX.len()].rsplit_once('.').map_or("", |(of, _)| of);
            if !keys.iter().any(|key| staged_name(key) == of) {
                continue;
            }
            match fs::remove_file(entry.path()) {
                Ok(()) => removed += 1,
                Err(error) if is_absent(&error) => {}
                Err(error) => return Err(fault(error)),
            }
        }
        Ok(removed)
    }

    /// Removes a folder that is empty, and the folders above it that are empty then, but never the root.
    ///
    /// # Errors
    /// If an empty folder cannot be removed.
    pub fn remove_empty(&self, folder: &ReportKey) -> Result<(), DestinationError> {
        let path = self.store.path(folder);
        for path in path.ancestors().take_while(|path| *path != self.root()) {
            match fs::remove_dir(path) {
                Ok(()) => {}
                Err(error) if is_absent(&error) => {}
                Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => return Ok(()),
                Err(error) => {
                    return Err(DestinationError::io(folder, format!("cannot remove {}", path.display()), error));
                }
            }
        }
        Ok(())
    }

    /// Creates the folders of the target and a file under a hidden name in the last of them.
    fn stage(&self, target: &Path, key: &ReportKey) -> Result<NamedTempFile, DestinationError> {
        let folder = folder_of(target);
        let prefix = format!(".{}.", staged_name(key));
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix).suffix(STAGED_SUFFIX);
        // As any file that a program creates: the process's mask decides, not a temporary file's privacy.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut attempts = 1..=STAGE_ATTEMPTS;
        loop {
            attempts.next();
            match self.folders.create_with(folder, || builder.tempfile_in(folder)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound && !attempts.is_empty() => {}
                staged => {
                    return staged.map_err(|error| {
                        DestinationError::io(key, format!("cannot create a file in {}", folder.display()), error)
                    });
                }
            }
        }
    }
}

impl Destination for LocalDestination {
    fn create(
        &self,
        key: &ReportKey,
        attributes: &ObjectAttributes,
    ) -> Result<Box<dyn PendingObject>, DestinationError> {
        attributes.refuse_encryption(key)?;
        let target = self.store.path(key);
        if is_staged_name(file_name(key)) {
            let text = format!("a name that begins with a dot and ends in `{STAGED_SUFFIX}` is kept for staged files");
            return Err(DestinationError::new(DestinationErrorKind::Unsupported, key, text));
        }
        match fs::symlink_metadata(&target) {
            Ok(found) if found.is_dir() => {
                let text = format!("{} is a folder", target.display());
                return Err(DestinationError::new(DestinationErrorKind::Unsupported, key, text));
            }
            Ok(_) if attributes.existing == Existing::Refuse => return Err(already_exists(key, &target)),
            // What else stands in the way shows when the file is staged.
            Ok(_) | Err(_) => {}
        }
        let file = self.stage(&target, key)?;
        let existing = attributes.existing;
        let folders = Arc::clone(&self.folders);
        Ok(Box::new(StagedFile { file: Some(file), unsynced_bytes: 0, target, key: key.clone(), existing, folders }))
    }

    fn remove(&self, key: &ReportKey) -> Result<(), DestinationError> {
        let path = self.store.path(key);
        let fault = |error| DestinationError::io(key, format!("cannot remove {}", path.display()), error);
        let removed = self.folders.remove_with(folder_of(&path), || match fs::remove_file(&path) {
            Ok(()) => folders::sync(folder_of(&path)),
            Err(error) if is_absent(&error) => Ok(()),
            Err(error) => Err(error),
        });
        removed.map_err(fault)
    }

    /// Nothing: bytes go straight to the file.
    fn buffer_bytes(&self) -> usize {
        0
    }

    fn store(&self) -> Option<&dyn ReportStore> {
        Some(self)
    }

    /// Staged files can be read while they are written: their pages are in the system's memory still.
    fn gives_back(&self) -> bool {
        cfg!(unix)
    }

    /// Staged files, and folders below the root that are empty then, whoever created them.
    fn remove_remains(&self, keys: &[ReportKey]) -> Result<u64, DestinationError> {
        let mut folders: BTreeMap<PathBuf, Vec<&ReportKey>> = BTreeMap::new();
        for key in keys {
            folders.entry(folder_of(&self.store.path(key)).to_owned()).or_default().push(key);
        }
        let mut removed = 0;
        for (folder, keys) in folders {
            removed += self.remove_staged(&folder, &keys)?;
            self.folders.remove_empty_below(self.store.root(), &folder);
        }
        Ok(removed)
    }
}

impl ReportStore for LocalDestination {
    fn head(&self, key: &ReportKey) -> Result<Option<StoredObject>, DestinationError> {
        self.store.head(key)
    }

    fn open_range(&self, key: &ReportKey, range: Range<u64>) -> Result<Box<dyn Read + Send>, DestinationError> {
        self.store.open_range(key, range)
    }

    fn list(&self, prefix: &str) -> Result<Vec<ReportKey>, DestinationError> {
        self.store.list(prefix)
    }
}

fn already_exists(key: &ReportKey, target: &Path) -> DestinationError {
    DestinationError::new(DestinationErrorKind::AlreadyExists, key, format!("{} exists already", target.display()))
}

/// Whether the error says that nothing is there, or could be: a part of the path is missing or is a file.
fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn is_staged_name(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(STAGED_SUFFIX)
}

fn staged_name(key: &ReportKey) -> &str {
    let name = file_name(key);
    let end = (0..=name.len().min(STAGED_NAME_BYTES_MAX)).rev().find(|end| name.is_char_boundary(*end));
    &name[..end.unwrap_or(0)]
}

fn file_name(key: &ReportKey) -> &str {
    key.as_str().rsplit('/').next().unwrap_or_default()
}

/// The folder of a file below the root, which has one.
fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

#[cfg(test)]
mod tests;
