//! An object on its way: a file under a hidden name beside its target.
//!
//! It knows its own file and target. Where folders come from and go to is [`Folders`]' business.

use super::{
    already_exists, folder_of,
    folders::{self, Folders},
};
use std::{
    error::Error,
    fmt, fs,
    io::{self, Write},
    path::PathBuf,
    sync::Arc,
};
use stocktake_core::{DestinationError, Existing, PendingObject, ReportKey};
use tempfile::NamedTempFile;

/// Bytes after which what was written is sent to the disk, so that publishing a large file does not wait for all of it
/// at once while the run's memory fills.
const SYNC_EVERY_BYTES: u64 = 16 << 20;

/// A file under its hidden name; dropped, it is removed, and folders that were created for it with it.
pub(super) struct StagedFile {
    /// None once it was published or given up.
    pub(super) file: Option<NamedTempFile>,
    /// Bytes that were written since the last were sent to the disk.
    pub(super) unsynced_bytes: u64,
    pub(super) target: PathBuf,
    pub(super) key: ReportKey,
    pub(super) existing: Existing,
    pub(super) folders: Arc<Folders>,
}

impl StagedFile {
    fn file(&mut self) -> io::Result<&mut fs::File> {
        self.file.as_mut().map(NamedTempFile::as_file_mut).ok_or_else(|| io::Error::other("the file is published"))
    }

    fn write_fault(&self, source: io::Error) -> io::Error {
        io::Error::new(source.kind(), FileFault { what: "cannot write", target: self.target.clone(), source })
    }

    fn io_fault(&self, what: &str, error: io::Error) -> DestinationError {
        DestinationError::io(&self.key, format!("{what} {}", self.target.display()), error)
    }
}

impl Write for StagedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file()?.write(bytes);
        let written = written.map_err(|source| self.write_fault(source))?;
        self.unsynced_bytes += written as u64;
        if self.unsynced_bytes >= SYNC_EVERY_BYTES {
            self.unsynced_bytes = 0;
            self.file()?.sync_data().map_err(|source| self.write_fault(source))?;
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file()?.flush()
    }
}

impl PendingObject for StagedFile {
    #[cfg(unix)]
    fn written(&self) -> io::Result<Option<Box<dyn io::Read + Send>>> {
        let Some(file) = &self.file else { return Ok(None) };
        let file = file.as_file().try_clone().map_err(|source| self.write_fault(source))?;
        Ok(Some(Box::new(Written { file, at: 0, target: self.target.clone() })))
    }

    /// If the folder's entry cannot be made durable after the rename, the object is taken away again; one that replaced
    /// another stays, because the other is gone.
    fn publish(mut self: Box<Self>) -> Result<(), DestinationError> {
        let durable = self.file().and_then(|file| file.sync_all());
        durable.map_err(|error| self.io_fault("cannot write to the disk", error))?;
        let folder = folder_of(&self.target);
        self.folders.sync_created(folder).map_err(|error| self.io_fault("cannot make durable the folder of", error))?;
        // Taken only now: an error above drops the staged file and its folders.
        let Some(file) = self.file.take() else {
            return Err(self.io_fault("cannot publish", io::Error::other("the file is published")));
        };
        let published = match self.existing {
            Existing::Refuse => file.persist_noclobber(&self.target),
            Existing::Replace => file.persist(&self.target),
        };
        if let Err(failed) = published {
            let error = failed.error;
            self.file = Some(failed.file);
            return Err(match error.kind() {
                io::ErrorKind::AlreadyExists => already_exists(&self.key, &self.target),
                _ => self.io_fault("cannot publish", error),
            });
        }
        folders::sync(folder_of(&self.target)).map_err(|error| {
            if self.existing == Existing::Refuse {
                // The error that is returned says that the object is not published; a file that cannot be removed
                // either is no worse than that.
                let _ = self.folders.remove_with(folder_of(&self.target), || fs::remove_file(&self.target));
            }
            self.io_fault("cannot make durable the folder of", error)
        })
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        if let Some(file) = self.file.take() {
            // A drop has nobody to tell; a staged file that stays is hidden, and `staged_leftovers` finds it.
            let _ = self.folders.remove_with(folder_of(&self.target), || file.close());
        }
    }
}

/// Reads a staged file from its beginning, whatever is written to it meanwhile.
#[cfg(unix)]
struct Written {
    file: fs::File,
    at: u64,
    target: PathBuf,
}

#[cfg(unix)]
impl io::Read for Written {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = std::os::unix::fs::FileExt::read_at(&self.file, buffer, self.at);
        let length = read.map_err(|source| match source.kind() {
            io::ErrorKind::Interrupted => source,
            kind => io::Error::new(kind, FileFault { what: "cannot read back", target: self.target.clone(), source }),
        })?;
        self.at += length as u64;
        Ok(length)
    }
}

/// A failed write or read, with the path that the file was meant for.
#[derive(Debug)]
struct FileFault {
    what: &'static str,
    target: PathBuf,
    source: io::Error,
}

impl fmt::Display for FileFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.what, self.target.display())
    }
}

impl Error for FileFault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}
