//! Writes Apache ORC files (version 0.12) from Arrow arrays: stripes are encoded by any thread and appended in order.
//!
//! - [`StripeEncoder`] turns columns, in slices of arrays or as codes of a dictionary, into an [`EncodedStripe`], which
//!   knows no place in a file.
//! - [`FileAssembler`] appends stripes to an output and closes the file.
//! - [`OrcWriter`] does both on one thread, for record batches.
//!
//! Files have row indexes with statistics and exact positions for every row group, statistics of stripes and of the file,
//! bloom filters where asked for, sorted dictionaries, and integers in all four encodings of version 2. Bytes are a function
//! of rows and [`WriterOptions`]: not of threads, of how columns are cut into slices, or of what was encoded before.
//!
//! Only structs of primitive columns are written: no lists, maps, unions, decimals, no encryption.
//!
//! # Examples
//! ```
//! use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
//! use std::sync::Arc;
//! use stocktake_orc::{ColumnHint, OrcWriter, WriterOptions};
//!
//! let keys: ArrayRef = Arc::new(StringArray::from(vec!["a.txt", "b/c.txt"]));
//! let sizes: ArrayRef = Arc::new(Int64Array::from(vec![Some(12), None]));
//! let batch = RecordBatch::try_from_iter([("key", keys), ("size", sizes)])?;
//!
//! let options = WriterOptions::default().with_hint("key", ColumnHint::SortedText).with_bloom_filter("key");
//! let mut writer = OrcWriter::try_new(Vec::new(), batch.schema(), &options)?;
//! writer.write(&batch)?;
//! let file = writer.finish()?;
//! assert_eq!(&file[..3], b"ORC");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bloom;
mod column;
mod compress;
mod dictionary;
mod error;
mod file;
mod options;
mod present;
mod proto;
mod rle;
mod schema;
mod slice;
mod statistics;
mod stream;
mod stripe;
mod writer;

pub use arrow_schema::TimeUnit;
pub use column::StripeColumn;
pub use dictionary::Dictionary;
pub use error::{OrcError, OrcErrorKind};
pub use file::FileAssembler;
pub use options::{ColumnHint, Compression, WriterOptions};
pub use schema::{ColumnType, OrcSchema};
pub use slice::ColumnSlice;
pub use stocktake_codec::Dispatch;
pub use stripe::{EncodedStripe, StripeBuilder, StripeEncoder};
pub use writer::OrcWriter;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
