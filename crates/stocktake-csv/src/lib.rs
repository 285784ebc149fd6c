//! CSV data files of inventory reports: rows become text, text becomes runs of DEFLATE, runs become one gzip member.
//!
//! # Dialect
//! What S3 Inventory writes (`storage-inventory.html` of the Amazon S3 User Guide, and real deliveries):
//! - No header; the manifest's `fileSchema` names the columns. Columns stand in file order.
//! - Every field in double quotes, numbers, booleans and absent values included; `,` without a space between fields;
//!   `\n` after every row, the last one too. A quote inside a value is doubled.
//! - Keys are percent-encoded byte by byte, upper-case hex, except `A-Z a-z 0-9 - _ . * /`. A space is `%20`, which
//!   readers that percent-decode and readers that form-decode take alike, or `+` as S3 itself writes it
//!   ([`KeyEncoding`](stocktake_core::KeyEncoding)); a plus is `%2B` in both. Other texts stand as they are.
//! - Times are `yyyy-MM-ddTHH:mm:ss.SSSZ`, booleans `true` and `false`, absent values `""`. The null version is `""`, or
//!   `null` for S3 Batch Operations ([`NullVersion`](stocktake_core::NullVersion)).
//! - Each file is exactly one gzip member (readers exist that stop after the first) with the header that
//!   S3's files have: no time, no name, no flags.
//!
//! # Chunks
//! A chunk's text is deflated with a window of its own and ends on a byte, so that chunks made by any threads follow one
//! another in a file. The assembler combines their CRC-32 and adds an empty last block at the end.
//!
//! At level 1, the default, repetitions are not searched for: rows are sorted by key, most fields equal the row above,
//! few-valued fields and dates equal the last row that had their value, and ETags repeat nothing. `stocktake-codec` proves
//! each by comparing and writes it down. Levels 2 to 9 are a general compressor's.
//!
//! The crate knows neither the engine nor where files go.
//!
//! # Examples
//! ```
//! use stocktake_core::{BucketName, CsvOptions, FieldSet, Field, Format, ObjectBatchBuilder};
//! use stocktake_csv::CsvFormat;
//!
//! let fields = FieldSet::REQUIRED.with(Field::Size);
//! let format = CsvFormat::new(&BucketName::try_new("photos")?, fields, &CsvOptions::default());
//! let mut batch = ObjectBatchBuilder::new(fields);
//! batch.row("2026/a cat.jpg").size(1024).finish()?;
//! let mut text = Vec::new();
//! format.encoder().write_text(&batch.finish().into(), &mut text)?;
//! assert_eq!(text, b"\"photos\",\"2026/a%20cat.jpg\",\"1024\"\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod assembler;
mod chunk;
mod deflate;
mod encoder;
mod few;
mod format;
mod key;
mod known;
mod marks;
mod number;
mod page;
mod plan;
mod tail;
mod time;

pub use assembler::CsvAssembler;
pub use chunk::CsvChunk;
pub use encoder::CsvEncoder;
pub use format::CsvFormat;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
