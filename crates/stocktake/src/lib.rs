//! Generates object-storage inventory reports as Amazon S3 Inventory lays them out.

pub mod destinations;
mod inspect;
pub mod sources;
mod verify;

pub use inspect::{InspectedField, Inspection, Spread, inspect, inspect_path};
pub use stocktake_core::*;
pub use verify::{
    Fault, FaultKind, LocalReport, ManifestLocation, VerifyError, VerifyOptions, VerifyReport, verify, verify_path,
};
