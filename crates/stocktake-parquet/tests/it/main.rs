//! Tests of the Parquet format through the `parquet` crate's readers.
//!
//! - `layout`: row groups, pages, encodings, what the footer says; the schema of a real delivery where it is at hand.
//! - `statistics`: bounds and counts of every column chunk and page against the values that are read back.
//! - `hostile`: odd rows come back, and what cannot be held is an error with its key.
//! - `revision`: bytes are tied to the encoder revision.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which may fail anywhere")]
#![expect(clippy::cast_possible_truncation, reason = "small remainders")]

mod hostile;
mod layout;
mod revision;
mod statistics;
mod support;
