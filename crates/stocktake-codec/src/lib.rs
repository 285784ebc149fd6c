//! DEFLATE without a search: the caller says where text repeats itself, the codec proves it and writes it down.
//!
//! A general compressor spends nearly all of its time on finding repetitions. Who makes text from rows of fields knows
//! them: a sorted key shares its front with the key above, most fields equal the field above, the date is one of a few,
//! and random fields repeat nothing. What is known is a *place* and a *distance*; how far the text really is equal there,
//! backwards and forwards, the codec finds by comparing. So a caller's mistake costs bytes of output, never their
//! meaning.
//!
//! - [`Deflater`] takes text and distances, and makes raw DEFLATE (RFC 1951) that any reader inflates. Runs refer to
//!   nothing before them and end on a byte, so that runs made on any threads follow one another in one stream.
//! - [`SnappyBlocks`], [`DeflateBlocks`] and [`ZstdBlocks`] compress blocks of a column's values by how they lie there.
//! - [`Rows`] knows how fields repeat from row to row, and adds rows to a deflater with what it knows.
//!
//! Output is a function of the text and of what was said about it: not of the machine, of buffers or of earlier runs.
//! Checksums, headers of gzip or zlib and the last block are left to the caller.
//!
//! # Examples
//! ```
//! use stocktake_codec::Deflater;
//!
//! let mut deflater = Deflater::new();
//! let mut deflated = Vec::new();
//! deflater.begin();
//! for row in [&b"alpha,2026-11-22\n"[..], b"alphabet,2026-11-22\n"] {
//!     deflater.room(row.len())[..row.len()].copy_from_slice(row);
//!     let start = deflater.push(row.len());
//!     // Dates stand at the end of each row; the codec finds that more is equal than the date.
//!     deflater.copy(start + row.len() - 11, 20);
//!     if deflater.is_full() {
//!         deflater.end_block(&mut deflated);
//!     }
//! }
//! deflater.end(&mut deflated);
//! // An empty last block ends the stream.
//! deflated.extend([3, 0]);
//! assert!(deflated.len() < 37);
//! ```

mod bits;
mod block;
mod codes;
mod columns;
mod compare;
mod cursor;
mod deflater;
mod dispatch;
mod huffman;
mod lanes;
mod md5;
mod pairs;
mod rows;
mod symbols;
mod tokens;
mod zstd;

pub use columns::{DeflateBlocks, Layout, SnappyBlocks};
pub use deflater::{BLOCK_BYTES, Deflater};
pub use dispatch::{Dispatch, Work};
pub use md5::{MD5_BLOCK_BYTES, MD5_LANES, Md5Block, Md5Lanes, md5_padding};
pub use rows::{Hint, Mark, Rows};
pub use zstd::ZstdBlocks;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
