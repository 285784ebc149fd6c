//! Tests of whole files, against a reader that this project did not write and against one that seeks.
//!
//! - `round_trip`: arrays of every type come back, from this file's own cases and from random ones.
//! - `positions`: every row group decodes from the positions of its entry in the row index.
//! - `statistics`: those of row groups, stripes and file equal recomputed ones.
//! - `skipping`: rows found through indexes and filters are those that a full scan finds.
//! - `purity`: how columns are cut, and what was encoded before, leaves no trace.
//! - `layout`: files are laid out as the ones that S3 delivers.
//! - `limits`: what ORC cannot hold is refused, nothing at all is valid.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which may fail anywhere")]
#![expect(clippy::cast_possible_truncation, reason = "small numbers of tests")]

mod layout;
mod limits;
mod positions;
mod purity;
mod round_trip;
mod seeking;
mod skipping;
mod statistics;
mod support;

#[expect(unreachable_pub, reason = "the messages that the crate has, generated for any place in it")]
#[path = "../../src/proto/generated.rs"]
mod proto;
