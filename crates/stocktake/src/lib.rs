//! Generates object-storage inventory reports as Amazon S3 Inventory lays them out.

pub mod destinations;
pub mod sources;

pub use stocktake_core::*;
