//! Google Cloud Storage and Azure Blob Storage as places of inventory reports.
//!
//! - [`CloudClient`]: a bucket or container, its credentials found and renewed by `object_store`.
//! - [`CloudDestination`]: reports streamed into it: by resumable upload into Google, by blocks into Azure. Objects become visible
//!   whole, and only where a key is free.
//! - [`CloudObjects`]: objects read by ranges, where reports are read back from.
//!
//! Requests are the crate's own: an upload of many parts that creates its object only if that is absent, and a listing by any prefix of a
//! key, are what `object_store` does not have. They run on threads of the client's own; nothing async is seen from outside.

mod client;
mod destination;
mod error;
mod settings;
mod xml;

pub use client::CloudClient;
pub use destination::{CloudDestination, CloudObjects, PART_BYTES};
pub use error::CloudError;
pub use settings::CloudSettings;
pub use stocktake_core::CheckStep;
