//! Counts and hashes what a destination accepted of a data file.

use crate::{
    destination::{DestinationError, PendingObject},
    digest::Md5Stream,
};
use std::{
    fmt,
    io::{self, Write},
};

/// A data file being written: counts and hashes bytes after the destination has accepted them.
pub struct ShardWriter {
    object: Box<dyn PendingObject>,
    md5: Md5Stream,
    size_bytes: u64,
}

/// Size and MD5 of a published data file, of the bytes that are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardDigest {
    /// Size in bytes.
    pub size_bytes: u64,
    /// MD5 in lower-case hex.
    pub md5: String,
}

impl ShardWriter {
    /// A writer at the start of an object.
    pub fn new(object: Box<dyn PendingObject>) -> Self {
        Self { object, md5: Md5Stream::new(), size_bytes: 0 }
    }

    /// Bytes that the destination accepted so far.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Publishes the object.
    ///
    /// # Errors
    /// As [`PendingObject::publish`].
    pub fn publish(self) -> Result<ShardDigest, DestinationError> {
        let stored = self.object.publish_stored()?;
        Ok(stored.unwrap_or_else(|| ShardDigest { size_bytes: self.size_bytes, md5: self.md5.finish() }))
    }
}

impl Write for ShardWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let accepted = self.object.write(bytes)?;
        let taken =
            bytes.get(..accepted).ok_or_else(|| io::Error::other("the destination accepted more than it was given"))?;
        self.md5.update(taken);
        self.size_bytes += accepted as u64;
        Ok(accepted)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.object.flush()
    }
}

impl fmt::Debug for ShardWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShardWriter").field("size_bytes", &self.size_bytes).finish_non_exhaustive()
    }
}
