//! Tests of the codec from outside.
//!
//! - `columns`: blocks of column values come back, whatever layout they are said to have.
//! - `decoders`: whatever is said of a text, two decoders that share no code give it back.
//! - `rows`: rows of fields come back, and their repetitions are found.
#![expect(clippy::unwrap_used, reason = "helpers of tests, which may fail anywhere")]
#![expect(clippy::cast_possible_truncation, reason = "numbers that a test makes")]

mod columns;
mod decoders;
mod rows;
mod support;
