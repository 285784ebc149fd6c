//! Parquet data files of inventory reports: a row group per chunk, its pages encoded from what each field is.
//!
//! # Shape
//! What S3 Inventory writes (real deliveries of 2024, written by parquet-mr 1.12): root message `s3.inventory`, bucket and
//! key required and all else optional, converted and logical types both, times as `TIMESTAMP(MILLIS, UTC)`, page
//! checksums, column and offset index, no Arrow schema. Beyond that, keys are declared as the sorting column where the
//! report is sorted, and the footer names the report, the rows and the first and last key of the file.
//!
//! # Profiles
//! | profile | compression | pages | texts | counts and times | few-valued fields |
//! | --- | --- | --- | --- | --- | --- |
//! | `aws` | SNAPPY | v1 | PLAIN | PLAIN | dictionary |
//! | `delta` | SNAPPY | v1 keys, v2 else | PLAIN keys, DELTA_LENGTH_BYTE_ARRAY | DELTA_BINARY_PACKED | dictionary |
//! | `compact` | ZSTD | v2 | PLAIN keys, DELTA_LENGTH_BYTE_ARRAY | DELTA_BINARY_PACKED | dictionary |
//!
//! Nothing is found out row by row: the field says whether its values ascend, repeat nothing or are few. Few-valued fields
//! arrive as codes and leave as ranks in a sorted dictionary; texts are never hashed.
//!
//! # Pages
//! A page ends with the value that brings it to 64 KiB (keys) or 32 KiB (other texts), or at 2,048 rows (numbers), 8,192 (texts)
//! or 16,384 (all else), so that a reader that uses the page index reads little for one key; pages of `compact`
//! are twice to four times as large, and those of level 2 up to sixteen times. Where pages end follows from the values alone. Random texts
//! (ETags, version ids) have no column index, since every page spans nearly all values; bloom filters serve them.
//!
//! The crate knows neither the engine nor where files go.
//!
//! # Examples
//! ```
//! use stocktake_core::{BucketName, ChunkEncoder, Field, FieldSet, Format, ObjectBatchBuilder, Order, ParquetOptions};
//! use stocktake_parquet::{ParquetChunk, ParquetFormat};
//!
//! let fields = FieldSet::REQUIRED.with(Field::Size);
//! let format = ParquetFormat::new(&BucketName::try_new("photos")?, fields, Order::Sorted, &ParquetOptions::default());
//! let mut batch = ObjectBatchBuilder::new(fields);
//! batch.row("2026/a cat.jpg").size(1024).finish()?;
//! let mut row_group = ParquetChunk::default();
//! format.encoder().encode(&batch.finish().into(), &mut row_group)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod assembler;
mod body;
mod bounds;
mod chunk;
mod column;
mod compress;
mod delta;
mod encoder;
mod format;
mod hybrid;
mod levels;
mod output;
mod page;
mod schema;
mod thrift;

pub use assembler::ParquetAssembler;
pub use chunk::ParquetChunk;
pub use encoder::ParquetEncoder;
pub use format::ParquetFormat;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
