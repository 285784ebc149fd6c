//! See the property.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| stocktake_testkit::properties::listings_match_serde(bytes).unwrap());
