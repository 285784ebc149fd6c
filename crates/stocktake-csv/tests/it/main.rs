//! Tests of the CSV format against readers that this project did not write.
//!
//! - `golden`: rows quoted from real deliveries, whole deliveries where they are at hand, texts under `testdata`.
//! - `gzip`: one member, first rows early, other programs' decoders.
//! - `hostile`: rows that nothing is known of are no larger than from a search.
//! - `properties`: random rows come back; slicing and history leave no trace.
//! - `revision`: bytes are tied to the encoder revision.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which may fail anywhere")]
#![expect(clippy::cast_possible_truncation, reason = "digits and remainders")]

mod golden;
mod gzip;
mod hostile;
mod properties;
mod revision;
mod support;
