//! Generates object-storage inventory reports as Amazon S3 Inventory lays them out.

pub mod destinations;
mod engine;
pub mod sources;

pub use engine::*;
pub use stocktake_core::*;
