//! The engine: from a source's rows to a published report.
//!
//! ```text
//! source ─► intake (order, versions, prefix) ─► chunker ──ticket──► FIFO ─► assembler ─► closing ─► destination
//!                                                  │ memory permit, job          ▲ append     hash, publish
//!                                                  └────► queue ─► workers ──────┘
//! all lanes done ─► symlink.txt ─► receipts.ndjson ─► manifest.json ─► manifest.checksum
//! ```
//!
//! A run that keeps a journal writes each published data file down, so that another run carries on behind it.
//!
//! A lane has two threads, one that reads and cuts chunks, one that assembles data files; encoding is done by workers
//! that all lanes share. Bytes are a function of rows and spec alone: chunks are cut by rows and raw bytes, appended in
//! order, and data files are closed by encoded size. The engine knows no format and no storage.
#![cfg_attr(
    not(any(feature = "csv", feature = "orc", feature = "parquet")),
    expect(dead_code, unused_variables, unused_imports, reason = "without a format nothing is written")
)]

mod abandon;
mod chunker;
mod closing;
mod duplicates;
mod error;
mod execution;
#[cfg(test)]
mod fault_tests;
mod generate;
mod intake;
mod journal;
mod lane;
mod memory;
mod options;
mod progress;
mod publish;
mod read;
mod recover;
mod resume;
mod slots;
mod stop;
mod workers;

pub use abandon::{Abandoned, UnfinishedRun, abandon, unfinished_runs};
pub use error::{GenerateError, GenerateErrorKind, KeptRun};
pub use execution::{Execution, Observer};
pub use generate::{ReportSummary, check_source, generate, plan, write_lanes};
pub use options::{Clock, GenerateOptions, Recovery};
pub use publish::commit;
pub use resume::resume_lanes;
