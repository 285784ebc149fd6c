//! The testkit's properties on random data, on the seeds of the fuzz targets, and on data that once went wrong.
#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped fails the test, in its helpers too")]

use proptest::{
    collection::vec,
    prelude::any,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use std::{fs, path::Path};
use stocktake_testkit::properties::{PROPERTIES, Property};

/// Longest random data in bytes: some dozens of rows.
const BYTES_MAX: usize = 1500;

/// Runs a property on the same random data every time, and shrinks what goes wrong.
fn check(property: Property, cases: u32) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let outcome = runner.run(&vec(any::<u8>(), 0..BYTES_MAX), |bytes| {
        property(&bytes).map_err(proptest::test_runner::TestCaseError::fail)
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

fn property(name: &str) -> Property {
    PROPERTIES.iter().find(|(of, _)| *of == name).expect("a property of this name").1
}

#[test]
fn arrow_file_does_not_panic() {
    check(property("arrow_file_does_not_panic"), 128);
}

#[test]
fn codec_blocks() {
    check(property("codec_blocks"), 128);
}

#[test]
fn configuration_round_trip() {
    check(property("configuration_round_trip"), 512);
}

#[test]
fn csv_reader_survives() {
    check(property("csv_reader_survives"), 192);
}

#[test]
fn csv_round_trip() {
    check(property("csv_round_trip"), 192);
}

#[test]
fn diff_matches_sets() {
    check(property("diff_matches_sets"), 256);
}

#[test]
fn listings_match_serde() {
    check(property("listings_match_serde"), 1024);
}

#[test]
fn ndjson_matches_serde() {
    check(property("ndjson_matches_serde"), 1024);
}

#[test]
fn orc_reader_survives() {
    check(property("orc_reader_survives"), 192);
}

#[test]
fn orc_round_trip() {
    check(property("orc_round_trip"), 192);
}

#[test]
fn parquet_reader_survives() {
    check(property("parquet_reader_survives"), 192);
}

#[test]
fn parquet_round_trip() {
    check(property("parquet_round_trip"), 192);
}

#[test]
fn pipeline_determinism() {
    check(property("pipeline_determinism"), 96);
}

#[test]
fn policy_is_decided() {
    check(property("policy_is_decided"), 512);
}

#[test]
fn records_are_true_or_refused() {
    check(property("records_are_true_or_refused"), 256);
}

#[test]
fn texts_do_not_panic() {
    check(property("texts_do_not_panic"), 256);
}

/// Every file of a folder for each property is a case of its own.
fn replay(folder: &str) -> usize {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder);
    let mut cases = 0;
    for (name, property) in PROPERTIES {
        let Ok(files) = fs::read_dir(folder.join(name)) else { continue };
        let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        files.sort();
        for file in files {
            let outcome = property(&fs::read(&file).unwrap());
            assert_eq!(outcome, Ok(()), "{}", file.display());
            cases += 1;
        }
    }
    cases
}

#[test]
fn seeds_of_the_fuzz_targets_pass() {
    assert!(replay("fuzz/seeds") >= PROPERTIES.len());
}

#[test]
fn what_once_went_wrong_passes() {
    replay("testdata/regressions");
}
