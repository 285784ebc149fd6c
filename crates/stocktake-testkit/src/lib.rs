//! Generators, properties and conformance suites: one property, driven by tests and by fuzz targets alike.
//!
//! - [`rows`]: rows as plain values, and the generator of valid, odd ones.
//! - [`source`]: a source over rows, and what every source must do. [`destination`]: the same for destinations.
//! - [`s3`]: an S3 server with faults on demand. [`cloud`]: the same for Google Cloud Storage and Azure Blob Storage.
//! - [`changing`]: a store in which an object changes while it is read.
//! - [`foreign`]: data files by writers that are not ours.
//! - [`properties`]: what holds for any input, as functions of bytes.

pub mod changing;
pub mod cloud;
pub mod destination;
pub mod foreign;
pub mod properties;
pub mod rows;
pub mod s3;
pub mod source;
