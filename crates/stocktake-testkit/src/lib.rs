//! Generators, properties and conformance suites: one property, driven by tests and by fuzz targets alike.

pub mod destination;
pub mod generate;
pub mod memory;
pub mod rows;
pub mod source;
