//! A source over rows in memory, and what every source must do, as one function.
//!
//! The suite is for implementors: run it on a source that does not change meanwhile. It knows the contract alone.

mod conformance;
mod memory;

pub use conformance::check_source;
pub use memory::MemorySource;
