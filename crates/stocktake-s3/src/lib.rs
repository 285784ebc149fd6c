//! S3 and its likes as source and destination of inventory reports.
//!
//! - [`S3Source`]: a bucket's listing, parallel over its key space without hints, delivered in key order.
//! - [`CrossCheckedSource`]: the same, checked by a second listing.
//! - [`S3Destination`]: reports streamed into a bucket by multipart upload, encrypted as asked.
//! - [`S3Objects`]: objects read by ranges, where reports are read back from.
//! - [`S3Client`]: what both share: endpoint, signatures, attempts, rate. [`Surroundings`]: environment and profiles.
//!
//! Requests run on threads of the client's own; nothing async is seen from outside. The client is small and its own: pages of a
//! listing are read straight into compact rows, in the order in which the server wrote them.

mod client;
mod credentials;
mod cross_check;
mod destination;
mod encoding;
mod error;
mod listing;
mod settings;
mod xml;

pub use client::S3Client;
pub use credentials::{
    ContainerKeys, ContainerToken, Credentials, KeyOrigin, KeyServices, KeySource, Lookup, ProcessKeys, Role,
    SingleSignOn, Surroundings, TemporaryKeys,
};
pub use cross_check::{CrossCheck, CrossCheckedSource};
pub use destination::{PART_BYTES, S3Destination, S3Objects};
pub use error::S3Error;
pub use listing::{ListingCounts, S3Source};
pub use settings::{S3Address, S3Settings};
pub use stocktake_core::CheckStep;
