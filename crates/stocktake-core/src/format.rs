//! The format contract: a chunk is encoded anywhere, without knowing where it will land, and appended in order.
//!
//! A format knows neither other formats nor the engine. Its bytes are a function of rows and options alone.

use crate::{chunk::RowChunk, shard_writer::ShardWriter};
use std::{fmt, io};
use stocktake_codec::Dispatch;

/// One way to write data files: makes encoders for worker threads and an assembler for each data file.
pub trait Format: Send + Sync {
    /// An encoded chunk. A default one is empty; encoders replace its content and keep its allocations.
    type Chunk: Default + Send;
    /// Turns rows into a chunk.
    type Encoder: ChunkEncoder<Chunk = Self::Chunk>;
    /// Puts chunks into a data file.
    type Assembler: ShardAssembler<Chunk = Self::Chunk>;

    /// An encoder for one thread.
    fn encoder(&self) -> Self::Encoder;

    /// An assembler for a data file that starts at the writer's position 0.
    fn assembler(&self, writer: ShardWriter) -> Self::Assembler;

    /// Memory that an encoded chunk holds, in bytes.
    fn chunk_bytes(chunk: &Self::Chunk) -> usize;
}

/// Turns rows into a relocatable chunk. Used by one thread at a time.
pub trait ChunkEncoder: Send {
    /// The encoded chunk.
    type Chunk;

    /// Uses other code for the same bytes, if there is any; encoders begin with what suits the processor best.
    fn set_dispatch(&mut self, _dispatch: Dispatch) {}

    /// Replaces `into` with the encoding of the rows. A pure function of rows and options: what was encoded before, by
    /// this encoder or another, has no influence.
    ///
    /// # Errors
    /// A value that the format cannot hold, with its key.
    fn encode(&mut self, rows: &RowChunk, into: &mut Self::Chunk) -> Result<(), EncodeError>;
}

/// Puts chunks into one data file, in order.
pub trait ShardAssembler: Send {
    /// The encoded chunk.
    type Chunk;

    /// Appends a chunk.
    ///
    /// # Errors
    /// If the destination does not take the bytes, or the format's limits are reached.
    fn append(&mut self, chunk: &Self::Chunk) -> Result<(), AssembleError>;

    /// Bytes of the data file so far, without a footer: what rotation goes by.
    fn shard_bytes(&self) -> u64;

    /// Whether another data file is to be begun at the next change of key though this one has not reached its size: what
    /// will close it, such as a page index, is kept in memory until then. Follows from the chunks alone.
    fn is_full(&self) -> bool {
        false
    }

    /// Writes what closes the data file.
    ///
    /// # Errors
    /// If the destination does not take the bytes.
    fn finish(self, facts: &ShardFacts) -> Result<ShardWriter, AssembleError>;
}

/// What the engine knows of a data file when it is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShardFacts {
    /// The report's id.
    pub report_id: uuid::Uuid,
    /// Rows in the data file.
    pub rows: u64,
    /// Key of the first row.
    pub first_key: String,
    /// Key of the last row.
    pub last_key: String,
}

impl ShardFacts {
    /// Facts of a data file.
    pub fn new(report_id: uuid::Uuid, rows: u64, first_key: String, last_key: String) -> Self {
        Self { report_id, rows, first_key, last_key }
    }
}

/// A value that a format cannot hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodeError {
    key: Option<String>,
    message: String,
}

impl EncodeError {
    /// An error about the row with this key.
    pub fn new(key: Option<&str>, message: impl Into<String>) -> Self {
        Self { key: key.map(str::to_owned), message: message.into() }
    }

    /// The row's key.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(key) = &self.key {
            write!(f, "key {key:?}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for EncodeError {}

/// A data file that cannot be continued.
#[derive(Debug)]
pub struct AssembleError {
    message: String,
    source: Option<io::Error>,
}

impl AssembleError {
    /// A limit of the format was reached.
    pub fn limit(message: impl Into<String>) -> Self {
        Self { message: message.into(), source: None }
    }
}

impl From<io::Error> for AssembleError {
    fn from(error: io::Error) -> Self {
        Self { message: "the data file could not be written".to_owned(), source: Some(error) }
    }
}

impl fmt::Display for AssembleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for AssembleError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|error| error as _)
    }
}
