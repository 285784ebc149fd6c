//! Bytes of a data file in a store: as a stream that is counted and hashed, and in windows for readers that jump.

use crate::error::{ReadError, ReadErrorKind};
use std::{
    fmt,
    io::{self, Read},
    sync::Arc,
};
use stocktake_core::{CancelToken, Md5Stream, ObjectStamp, ReportKey, ReportStore};

/// Bytes that are read at a time: few enough to be hashed out of the cache they were read into.
pub(crate) const PIECE_BYTES: usize = 256 << 10;

/// A data file that is there and has the size that the manifest states.
#[derive(Clone)]
pub(crate) struct StoredFile {
    pub(crate) store: Arc<dyn ReportStore>,
    pub(crate) key: ReportKey,
    pub(crate) size_bytes: u64,
    stamp: Option<ObjectStamp>,
}

impl StoredFile {
    /// Looks at a data file.
    ///
    /// # Errors
    /// If it is not there, cannot be looked at, or has another size.
    pub(crate) fn find(store: &Arc<dyn ReportStore>, key: &ReportKey, size_bytes: u64) -> Result<Self, ReadError> {
        let Some(stored) = store.head(key)? else {
            return Err(ReadError::new(ReadErrorKind::Unreadable, "is not there").in_file(key));
        };
        if stored.size_bytes != size_bytes {
            let text = format!("has {} bytes, the manifest says {size_bytes}", stored.size_bytes);
            return Err(ReadError::differs(text).in_file(key));
        }
        Ok(Self { store: Arc::clone(store), key: key.clone(), size_bytes, stamp: stored.stamp })
    }

    /// Checks that the file is still the one that was looked at, as far as its store tells.
    ///
    /// # Errors
    /// If another content has taken its place.
    pub(crate) fn check_unchanged(&self) -> Result<(), ReadError> {
        if self.stamp.is_none() {
            return Ok(());
        }
        match self.store.head(&self.key)? {
            Some(stored) if (stored.stamp, stored.size_bytes) == (self.stamp, self.size_bytes) => Ok(()),
            _ => Err(ReadError::new(ReadErrorKind::Unreadable, "was changed while it was read").in_file(&self.key)),
        }
    }

    /// What is told of a fault: that the file was changed, if it was.
    pub(crate) fn told(&self, error: ReadError) -> ReadError {
        self.check_unchanged().err().unwrap_or(error)
    }

    /// The whole file as a stream.
    pub(crate) fn stream(&self, hashed: bool) -> Result<FileStream, ReadError> {
        let reader = self.store.open_range(&self.key, 0..self.size_bytes)?;
        Ok(FileStream { reader, md5: hashed.then(Md5Stream::new), read_bytes: 0, size_bytes: self.size_bytes })
    }

    /// Reads the file whole and compares its MD5.
    ///
    /// # Errors
    /// If it differs, or the file cannot be read to its end.
    pub(crate) fn check_md5(&self, stated: &str, cancel: &CancelToken) -> Result<(), ReadError> {
        let mut stream = self.stream(true)?;
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            if cancel.is_cancelled() {
                return Err(ReadError::cancelled());
            }
            match stream.read(&mut piece) {
                Ok(0) => {
                    stream.finish(stated).map_err(|error| self.told(error.in_file(&self.key)))?;
                    return self.check_unchanged();
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    return Err(self.told(ReadError::io("cannot be read to its end", error).in_file(&self.key)));
                }
            }
        }
    }
}

impl fmt::Debug for StoredFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredFile").field("key", &self.key).field("size_bytes", &self.size_bytes).finish()
    }
}

/// The bytes of a data file from its first to its last, counted, and hashed if asked for.
pub(crate) struct FileStream {
    reader: Box<dyn Read + Send>,
    md5: Option<Md5Stream>,
    read_bytes: u64,
    size_bytes: u64,
}

impl FileStream {
    #[cfg(feature = "csv")]
    pub(crate) fn read_bytes(&self) -> u64 {
        self.read_bytes
    }

    /// Checks, at the end of the stream, that all of the file was read and that it has the MD5 that is stated.
    pub(crate) fn finish(&mut self, stated: &str) -> Result<(), ReadError> {
        if self.read_bytes != self.size_bytes {
            let text = format!("ended after {} of {} bytes", self.read_bytes, self.size_bytes);
            return Err(ReadError::new(ReadErrorKind::Unreadable, text));
        }
        match self.md5.take().map(Md5Stream::finish) {
            Some(md5) if !md5.eq_ignore_ascii_case(stated) => {
                Err(ReadError::differs(format!("has MD5 {md5}, the manifest says {stated}")))
            }
            _ => Ok(()),
        }
    }
}

impl Read for FileStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.reader.read(buffer)?;
        if length == 0 && !buffer.is_empty() && self.read_bytes < self.size_bytes {
            let text = format!("the object ended after {} of {} bytes", self.read_bytes, self.size_bytes);
            return Err(io::Error::other(text));
        }
        if let Some(md5) = &mut self.md5 {
            md5.update(&buffer[..length]);
        }
        self.read_bytes += length as u64;
        Ok(length)
    }
}
