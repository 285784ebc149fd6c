//! Contracts of Stocktake: fields, object batches, sources, formats, destinations, plans, receipts, manifests.
//!
//! Stocktake writes object-storage inventory reports as S3 Inventory lays them out. This crate holds what its other
//! crates, and programs that embed it, agree on. It starts no thread, reads no clock, knows no path, and does no I/O
//! beyond `io::Write`. Most users want the crate `stocktake`, which re-exports all of it.
//!
//! - [`Field`] and [`FIELDS`]: the table of columns, from which order, schema texts and parsing are derived.
//! - [`ObjectBatch`] and [`ObjectBatchBuilder`]: rows in columns, built from borrowed values; [`arrow`]: taken over from
//!   record batches.
//! - [`ObjectSource`], [`ObjectStream`]: where rows come from. [`Format`], [`ChunkEncoder`], [`ShardAssembler`]: how they
//!   become bytes. [`Destination`], [`PendingObject`], [`ReportStore`]: where bytes go. [`RemoteObjects`], [`PinnedStore`]: reading
//!   them back from a bucket.
//! - [`ReportSpec`]: everything that may shape bytes. [`Plan`], [`Receipt`], [`CompleteReport`], [`Manifest`]: the way from
//!   lanes to a published report. [`JournalBegin`], [`JournalEntry`]: what is kept of a run until then.
//! - [`contain`]: foreign decoders, whose panics are errors.

pub mod arrow;
mod batch;
mod cancel;
mod check_step;
mod chunk;
mod contain;
mod destination;
mod dictionary;
mod digest;
mod field;
mod field_set;
mod format;
mod journal;
mod layout;
mod manifest;
mod name;
mod number;
mod partition;
mod plan;
mod receipt;
mod receipts_file;
mod remote;
mod row_digest;
mod schema;
mod shard_writer;
mod source;
mod spec;
mod time;

pub use batch::{
    BATCH_ROWS_MAX, BoolColumn, CODE_BYTES_MAX, CodeColumn, CodeValues, Column, IntColumn, ObjectBatch,
    ObjectBatchBuilder, RowBuilder, RowError, RowOrigin, TEXT_BYTES_MAX, TextColumn,
};
pub use cancel::CancelToken;
pub use check_step::CheckStep;
pub use chunk::RowChunk;
pub use contain::{contain, is_contained};
pub use destination::{
    Destination, DestinationError, DestinationErrorKind, Existing, ObjectAttributes, ObjectStamp, PENDING_SHARDS_MAX,
    PendingObject, ReportStore, ServerSideEncryption, StoredObject,
};
pub use dictionary::ChunkDictionary;
pub use digest::{Md5Stream, hashes_together, md5_hex, md5_together};
pub use field::{FIELDS, Field, FieldChoice, FieldInfo, FieldType};
pub use field_set::{FieldSelection, FieldSet, MissingFields, UnknownField, Versions};
pub use format::{AssembleError, ChunkEncoder, EncodeError, Format, ShardAssembler, ShardFacts};
pub use journal::{JournalBegin, JournalEntry, JournalError};
pub use layout::{ENVELOPE_SUFFIX, ReportLayout, ReportRoot};
pub use manifest::{MANIFEST_VERSION, Manifest, ManifestFile, checksum_text, symlink_text};
pub use name::{BucketName, ConfigurationId, DestinationPrefix, KEY_BYTES_MAX, NameError, ObjectKey, ReportKey};
pub use number::grouped;
pub use partition::{PARTITIONS_MAX, Partition, Partitions};
pub use plan::{LaneDescriptor, Plan, PlanError};
pub use receipt::{CommitError, CommittableShard, CompleteReport, Confirmation, Receipt, ShardFile, md5_of};
pub use receipts_file::{ReceiptsFileError, ReceiptsHeader, RecordedSpec, parse_receipts, receipts_text};
pub use remote::{PendingBytes, PinnedStore, REMOTE_STREAM_BYTES, RemoteObject, RemoteObjects, open_remote_range};
pub use row_digest::{RowDigest, RowDigestError, RowHasher};
pub use schema::{FileFormat, SchemaColumn};
pub use shard_writer::{ShardDigest, ShardWriter};
pub use source::{
    ComputeSlots, ObjectSource, ObjectStream, ReadContext, SkipObserver, SkippedEntry, SourceError, SourceErrorKind,
};
pub use spec::{
    CHUNK_BYTES_MAX, CHUNK_BYTES_MIN, CsvOptions, Envelope, FormatOptions, KeyEncoding, NullVersion, OrcCompression,
    OrcOptions, Order, ParquetOptions, ParquetProfile, ReportSpec, ReportSpecBuilder, SpecError, UnknownValues,
    text_bytes_max,
};
pub use stocktake_codec::Dispatch;
pub use time::{ISO_BYTES, TimeError, Timestamp};
pub use uuid::Uuid;
