//! Reports are read back.
//!
//! - `ours`: what Stocktake writes, in every format, with threads, projections and file orders
//! - `deliveries`: reports of S3 itself, and spellings that its documents show
//! - `damage`: files that were cut, changed or exchanged
//! - `changed`: files that are another while they are read
//! - `rows`: reports whose rows were altered while every MD5 was computed anew
//! - `conversion`: a report as the source of another
//! - `insight`: what rows say of a bucket
//! - `texts`: rows as CSV and NDJSON, statements for engines
#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped fails the test, in its helpers too")]

mod changed;
mod conversion;
mod damage;
mod deliveries;
mod insight;
mod ours;
mod rows;
mod support;
mod texts;
