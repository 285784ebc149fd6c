//! See the property.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| stocktake_testkit::properties::texts_do_not_panic(bytes).unwrap());
