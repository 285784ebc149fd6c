//! Generators, properties and conformance suites: one property, driven by tests and by fuzz targets alike.

pub mod destination;
