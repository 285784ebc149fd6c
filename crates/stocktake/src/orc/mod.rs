//! ORC data files: the columns of a report as [`stocktake_orc`] takes them.
//!
//! One chunk is one stripe. Names and types follow the table of fields (spec of S3's own reports, section 3), an absent value
//! is null, times are plain timestamps in UTC. The bucket is a dictionary of one value; few-valued fields keep their codes
//! until they become ranks of a stripe's sorted dictionary. What a file holds stands in its user metadata too.

mod assembler;
mod encoder;
mod format;

pub use assembler::OrcAssembler;
pub use encoder::OrcEncoder;
pub use format::OrcFormat;
pub use stocktake_orc::EncodedStripe;

#[cfg(test)]
mod tests;
