//! The built program, run on folders of its own: what it prints, what it leaves behind, how it ends.
//!
//! - [`arguments`]: wrong usage, help, completions.
//! - [`attacks`]: nobody takes what is printed; files made to take all memory.
//! - [`sources`]: a report from every kind of source, read back by a CSV reader that is not ours.
//! - [`bad_sources`]: input that cannot become a report.
//! - [`destinations`]: places that cannot take a report, and reports that are there already.
//! - [`buckets`]: buckets as source and destination.
//! - [`stored`]: reports read where they are, in a bucket.
//! - [`clouds`]: Google's and Azure's storage as places of reports.
//! - [`published`]: `verify` and `inspect` on reports, whole and harmed.
//! - [`inspection`]: what rows say, as tables, JSON and a page.
//! - [`pruning`]: old reports taken away.
//! - [`comparing`]: two reports compared, and what changed as a report.
//! - [`reading`]: reports as sources, rows proven and printed, statements for engines.
//! - [`spellings`]: reports as S3 and others spell them, through every verb that reads.
//! - [`interrupts`]: signals in the middle of a run, and readers that go away.
//! - [`resuming`]: runs that are killed or interrupted, and carried on or abandoned.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which may fail anywhere")]

mod arguments;
mod attacks;
mod bad_sources;
mod buckets;
mod clouds;
mod comparing;
mod configurations;
mod destinations;
mod inspection;
mod interrupts;
mod pruning;
mod published;
mod reading;
mod resuming;
mod sources;
mod spellings;
mod stored;
mod support;
