//! The reading side of a folder of reports; it needs no right to write.
//!
//! What is no key is no object: names that are not UTF-8 or that a report key may not hold, staged files, and anything
//! that is neither file nor folder.

use super::{file_name, is_absent, is_staged_name};
use std::{
    fs,
    io::{self, Read, Seek, SeekFrom, Take},
    ops::Range,
    path::{Path, PathBuf},
};
use stocktake_core::{
    DestinationError, DestinationErrorKind, KEY_BYTES_MAX, NameError, ObjectStamp, ReportKey, ReportStore, StoredObject,
};

/// Reads objects that are files below a root folder.
///
/// Symbolic links are followed.
#[derive(Clone, Debug)]
pub struct LocalStore {
    root: PathBuf,
}

impl LocalStore {
    /// A store of what stands below `root`; nothing does while it does not exist.
    ///
    /// # Errors
    /// If the path is empty, or relative to a folder that cannot be named.
    pub fn try_new(root: impl AsRef<Path>) -> Result<Self, DestinationError> {
        let root = root.as_ref();
        let absolute = std::path::absolute(root);
        let root = absolute.map_err(|error| DestinationError::io(root.display(), "is no path of a folder", error))?;
        Ok(Self { root })
    }

    /// The root folder as an absolute path.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The path of an object.
    pub fn path(&self, key: &ReportKey) -> PathBuf {
        self.root.join(key.as_str())
    }

    /// Staged files below a folder, sorted.
    pub(super) fn staged(&self, folder: &ReportKey) -> Result<Vec<PathBuf>, DestinationError> {
        let mut staged = Vec::new();
        self.walk(&format!("{folder}/"), |name, path| {
            if is_staged_name(file_name(&name)) {
                staged.push(path);
            }
        })?;
        staged.sort_unstable();
        Ok(staged)
    }

    /// Visits every file whose key begins with `prefix`, staged or not, in no particular order.
    fn walk(&self, prefix: &str, mut visit: impl FnMut(ReportKey, PathBuf)) -> Result<(), DestinationError> {
        let (folder, start) = match prefix.rsplit_once('/') {
            None => (String::new(), self.root.clone()),
            Some((folder, _)) => match ReportKey::try_new(folder) {
                Ok(key) => (folder.to_owned(), self.path(&key)),
                // No key begins like this.
                Err(NameError { .. }) => return Ok(()),
            },
        };
        let fault = |path: &Path, error| DestinationError::io(prefix, format!("cannot list {}", path.display()), error);
        // As many folders as wait at once; a folder's key is no longer than any key.
        let mut waiting = vec![(folder, start)];
        while let Some((folder, path)) = waiting.pop() {
            let entries = match fs::read_dir(&path) {
                Ok(entries) => entries,
                Err(error) if is_absent(&error) => continue,
                Err(error) => return Err(fault(&path, error)),
            };
            for entry in entries {
                let entry = entry.map_err(|error| fault(&path, error))?;
                let name = entry.file_name();
                let Some(name) = name.to_str() else { continue };
                let key = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
                // The prefix has no slash beyond the folder that the walk began in, so it decides on folders too.
                if !key.starts_with(prefix) || key.len() > KEY_BYTES_MAX {
                    continue;
                }
                // Follows links; a file that was renamed or removed since is absent.
                let kind = match fs::metadata(entry.path()) {
                    Ok(metadata) => metadata.file_type(),
                    Err(error) if is_absent(&error) => continue,
                    Err(error) => return Err(fault(&entry.path(), error)),
                };
                if kind.is_dir() {
                    waiting.push((key, entry.path()));
                } else if kind.is_file()
                    && let Ok(key) = ReportKey::try_new(key)
                {
                    visit(key, entry.path());
                }
            }
        }
        Ok(())
    }
}

/// A file with what is another when it is written to, or when another one takes its place.
fn described(metadata: &fs::Metadata) -> StoredObject {
    let stored = StoredObject::new(metadata.len());
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let modified = [metadata.mtime().cast_unsigned(), metadata.mtime_nsec().cast_unsigned()];
        stored.with_stamp(ObjectStamp::new([metadata.dev(), metadata.ino(), modified[0], modified[1]]))
    }
    #[cfg(not(unix))]
    stored
}

impl ReportStore for LocalStore {
    fn head(&self, key: &ReportKey) -> Result<Option<StoredObject>, DestinationError> {
        let path = self.path(key);
        match fs::metadata(&path) {
            Ok(metadata) => Ok(metadata.is_file().then(|| described(&metadata))),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(DestinationError::io(key, format!("cannot look at {}", path.display()), error)),
        }
    }

    /// The reader fails if the file ends before the range does.
    fn open_range(&self, key: &ReportKey, range: Range<u64>) -> Result<Box<dyn Read + Send>, DestinationError> {
        let path = self.path(key);
        // Looked at before it is opened: opening what is no file could wait for ever.
        let Some(StoredObject { size_bytes, .. }) = self.head(key)? else {
            return Err(DestinationError::new(
                DestinationErrorKind::NotFound,
                key,
                format!("{} is not there", path.display()),
            ));
        };
        if range.start > range.end || range.end > size_bytes {
            let text = format!("{} has {size_bytes} bytes, not {}..{}", path.display(), range.start, range.end);
            return Err(DestinationError::new(DestinationErrorKind::Io, key, text));
        }
        let opened = fs::File::open(&path).and_then(|mut file| {
            file.seek(SeekFrom::Start(range.start))?;
            Ok(RangeReader(file.take(range.end - range.start)))
        });
        match opened {
            Ok(reader) => Ok(Box::new(reader)),
            Err(error) => Err(DestinationError::io(key, format!("cannot open {}", path.display()), error)),
        }
    }

    /// Names that end in `.partial` and begin with a dot are staged files, not objects.
    fn list(&self, prefix: &str) -> Result<Vec<ReportKey>, DestinationError> {
        let mut keys = Vec::new();
        self.walk(prefix, |key, _| {
            if !is_staged_name(file_name(&key)) {
                keys.push(key);
            }
        })?;
        keys.sort_unstable();
        Ok(keys)
    }
}

/// Reads a range, and takes an end before the range's for a fault.
struct RangeReader(Take<fs::File>);

impl Read for RangeReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.0.read(buffer)?;
        if length == 0 && !buffer.is_empty() && self.0.limit() > 0 {
            let text = format!("the file became shorter while it was read; {} bytes are missing", self.0.limit());
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, text));
        }
        Ok(length)
    }
}
