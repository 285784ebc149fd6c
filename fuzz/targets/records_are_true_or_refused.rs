//! See the property. Panics that the reader contains must not end the run, as libFuzzer's own hook would have it.
#![no_main]

libfuzzer_sys::fuzz_target!(init: std::panic::set_hook(Box::new(|_| {})), |bytes: &[u8]| {
    if let Err(fault) = stocktake_testkit::properties::records_are_true_or_refused(bytes) {
        eprintln!("{fault}");
        std::process::abort();
    }
});
