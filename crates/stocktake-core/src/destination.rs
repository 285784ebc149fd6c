//! The destination contract: objects are written whole and become visible at once, or not at all.
//!
//! A destination knows keys and bytes. It does not know reports: the order of publication is the engine's.

use crate::{name::ReportKey, shard_writer::ShardDigest};
use std::{
    fmt,
    io::{self, Read, Write},
    ops::Range,
};

/// Data files of a lane that are finished and not yet published, at most, where a destination gives back what is pending.
pub const PENDING_SHARDS_MAX: u32 = 16;

/// Where the objects of a report go.
///
/// Methods may block and are called from several threads.
pub trait Destination: Send + Sync {
    /// Begins an object. Nothing is visible until it is published; dropping it aborts it.
    ///
    /// # Errors
    /// A destination that cannot honour the attributes refuses here. One that knows already that the key exists refuses
    /// here too; the check that counts is the one at publication.
    fn create(
        &self,
        key: &ReportKey,
        attributes: &ObjectAttributes,
    ) -> Result<Box<dyn PendingObject>, DestinationError>;

    /// Removes a published object; an absent one is no error.
    ///
    /// # Errors
    /// If the object is still there.
    fn remove(&self, key: &ReportKey) -> Result<(), DestinationError>;

    /// Private memory that one pending object may hold, in bytes.
    fn buffer_bytes(&self) -> usize;

    /// The reading side, if the destination has one. With it an existing report is found before any work.
    fn store(&self) -> Option<&dyn ReportStore> {
        None
    }

    /// The reading side that gives back what was written, where [`Destination::store`] gives what is stored in its place:
    /// the content of envelopes. Default: they are the same.
    fn contents(&self) -> Option<&dyn ReportStore> {
        self.store()
    }

    /// Whether its pending objects can be read while they are written ([`PendingObject::written`]), at little cost: a run then
    /// lets up to [`PENDING_SHARDS_MAX`] finished data files of a lane wait for one another, and hashes them together.
    /// Default: they cannot.
    fn gives_back(&self) -> bool {
        false
    }

    /// Removes what killed writers of these objects left of them: staged files, uploads that were begun, and the folders of
    /// these keys that are empty then. Returns how many staged files and uploads it were. Published objects stay.
    ///
    /// Nobody may be writing these objects meanwhile. Default: nothing is ever left.
    ///
    /// # Errors
    /// If what is left cannot be seen or removed.
    fn remove_remains(&self, _keys: &[ReportKey]) -> Result<u64, DestinationError> {
        Ok(0)
    }
}

/// An object that is being written.
///
/// Dropped without [`PendingObject::publish`], it leaves nothing behind.
pub trait PendingObject: Write + Send {
    /// Makes the object durable, then visible.
    ///
    /// # Errors
    /// [`DestinationErrorKind::AlreadyExists`] if the key exists and may not be replaced; nothing is changed then.
    fn publish(self: Box<Self>) -> Result<(), DestinationError>;

    /// A reader of what is written, from its beginning on, whenever it is asked for more. Default: nothing can be read.
    /// Asked for once before anything is written and, if there is one then, again when the data file is to be hashed.
    ///
    /// # Errors
    /// If no reader can be had of what could be read.
    fn written(&self) -> io::Result<Option<Box<dyn Read + Send>>> {
        Ok(None)
    }

    /// Publishes as [`PendingObject::publish`] does, and says what is stored if that differs from what was written: a
    /// manifest lists sizes and digests of stored bytes. `None`: it is what was written.
    ///
    /// # Errors
    /// As [`PendingObject::publish`].
    fn publish_stored(self: Box<Self>) -> Result<Option<ShardDigest>, DestinationError> {
        self.publish().map(|()| None)
    }
}

/// What an object is created with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObjectAttributes {
    /// Media type.
    pub content_type: &'static str,
    /// What happens if the key exists.
    pub existing: Existing,
    /// Server-side encryption that the object is stored with; none leaves it to the destination's own rule.
    pub encryption: Option<ServerSideEncryption>,
}

impl ObjectAttributes {
    /// Attributes of an object that must not exist yet.
    pub const fn new(content_type: &'static str) -> Self {
        Self { content_type, existing: Existing::Refuse, encryption: None }
    }

    /// States what happens if the key exists.
    #[must_use]
    pub const fn with_existing(mut self, existing: Existing) -> Self {
        self.existing = existing;
        self
    }

    /// States the server-side encryption that the object is stored with.
    #[must_use]
    pub fn with_encryption(mut self, encryption: Option<ServerSideEncryption>) -> Self {
        self.encryption = encryption;
        self
    }

    /// Refuses attributes that ask for server-side encryption, for destinations that have none.
    ///
    /// # Errors
    /// [`DestinationErrorKind::Unsupported`], which says that nothing is ever stored less protected than asked.
    pub fn refuse_encryption(&self, key: &ReportKey) -> Result<(), DestinationError> {
        let Some(encryption) = &self.encryption else { return Ok(()) };
        let text = format!("{encryption} is asked for, which this destination cannot do");
        Err(DestinationError::new(DestinationErrorKind::Unsupported, key, text))
    }
}

/// Server-side encryption of an object, done by the destination.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ServerSideEncryption {
    /// By keys of the destination (`AES256`).
    SseS3,
    /// By a key of a key management service (`aws:kms`).
    SseKms {
        /// Id, ARN or alias of the key.
        key_id: Box<str>,
        /// Whether a key of the bucket stands between that key and the object's.
        bucket_key: bool,
    },
}

impl fmt::Display for ServerSideEncryption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SseS3 => f.write_str("encryption by SSE-S3"),
            Self::SseKms { key_id, .. } => write!(f, "encryption by SSE-KMS with the key {key_id}"),
        }
    }
}

/// What happens if an object's key exists when it is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Publication fails and the existing object stays as it is.
    Refuse,
    /// The new object takes the place of the old one at once.
    Replace,
}

/// The reading side of a destination.
///
/// Methods may block and are called from several threads.
pub trait ReportStore: Send + Sync {
    /// Size of an object in bytes; `None` if there is none.
    ///
    /// # Errors
    /// If the destination cannot say.
    fn head(&self, key: &ReportKey) -> Result<Option<StoredObject>, DestinationError>;

    /// The bytes of a range of an object; the range lies within the object.
    ///
    /// # Errors
    /// If the object is absent or cannot be read.
    fn open_range(&self, key: &ReportKey, range: Range<u64>) -> Result<Box<dyn Read + Send>, DestinationError>;

    /// Keys of published objects that start with `prefix`, in ascending order. The prefix may end inside a segment.
    ///
    /// # Errors
    /// If the destination cannot be listed.
    fn list(&self, prefix: &str) -> Result<Vec<ReportKey>, DestinationError>;
}

/// What is known of a stored object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredObject {
    /// Size in bytes.
    pub size_bytes: u64,
    /// What tells this content from one that takes its place while it is read; none if the store sees to that itself, or
    /// does not know.
    pub stamp: Option<ObjectStamp>,
}

impl StoredObject {
    /// An object of this size.
    pub const fn new(size_bytes: u64) -> Self {
        Self { size_bytes, stamp: None }
    }

    /// The object with what tells its content from another.
    #[must_use]
    pub const fn with_stamp(mut self, stamp: ObjectStamp) -> Self {
        self.stamp = Some(stamp);
        self
    }
}

/// Numbers that are others when an object's content is another, such as a file's inode and modification time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectStamp([u64; 4]);

impl ObjectStamp {
    /// A stamp of these numbers.
    pub const fn new(numbers: [u64; 4]) -> Self {
        Self(numbers)
    }
}

/// What kind of fault a destination met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DestinationErrorKind {
    /// The key exists and may not be replaced.
    AlreadyExists,
    /// The object is not there.
    NotFound,
    /// The destination cannot do what was asked of it.
    Unsupported,
    /// Reading or writing failed.
    Io,
}

/// A fault of a destination, with the key of the object.
#[derive(Debug)]
pub struct DestinationError {
    kind: DestinationErrorKind,
    key: String,
    message: String,
    source: Option<io::Error>,
}

impl DestinationError {
    /// An error of a kind about an object.
    pub fn new(kind: DestinationErrorKind, key: impl fmt::Display, message: impl Into<String>) -> Self {
        Self { kind, key: key.to_string(), message: message.into(), source: None }
    }

    /// An I/O error about an object; `what` says what was tried.
    pub fn io(key: impl fmt::Display, what: impl Into<String>, error: io::Error) -> Self {
        let kind = match error.kind() {
            io::ErrorKind::NotFound => DestinationErrorKind::NotFound,
            io::ErrorKind::AlreadyExists => DestinationErrorKind::AlreadyExists,
            _ => DestinationErrorKind::Io,
        };
        Self { kind, key: key.to_string(), message: what.into(), source: Some(error) }
    }

    /// What kind of fault it is.
    pub fn kind(&self) -> DestinationErrorKind {
        self.kind
    }

    /// The object's key.
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl fmt::Display for DestinationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.message)
    }
}

impl std::error::Error for DestinationError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|error| error as _)
    }
}
