//! What holds for any input, as functions of bytes: tests draw the bytes at random, fuzz targets search for them.
//!
//! Every property returns what went wrong as a text. Bytes that say nothing to a property are fine by it.

mod arrow_file;
mod blocks;
mod configuration;
mod determinism;
mod diff;
mod expected;
mod listings;
mod ndjson;
mod policy;
mod published;
mod reader;
mod records;
mod round_trip;
mod setup;
mod spoiling;
mod texts;

pub use arrow_file::arrow_file_does_not_panic;
pub use blocks::codec_blocks;
pub use configuration::configuration_round_trip;
pub use determinism::pipeline_determinism;
pub use diff::diff_matches_sets;
pub use listings::listings_match_serde;
pub use ndjson::ndjson_matches_serde;
pub use policy::policy_is_decided;
pub use reader::{csv_reader_survives, orc_reader_survives, parquet_reader_survives};
pub use records::records_are_true_or_refused;
pub use round_trip::{csv_round_trip, orc_round_trip, parquet_round_trip};
pub use texts::texts_do_not_panic;

/// A property of bytes.
pub type Property = fn(&[u8]) -> Result<(), String>;

/// Every property, by the name of its fuzz target.
pub const PROPERTIES: &[(&str, Property)] = &[
    ("arrow_file_does_not_panic", arrow_file_does_not_panic),
    ("codec_blocks", codec_blocks),
    ("configuration_round_trip", configuration_round_trip),
    ("csv_reader_survives", csv_reader_survives),
    ("csv_round_trip", csv_round_trip),
    ("diff_matches_sets", diff_matches_sets),
    ("listings_match_serde", listings_match_serde),
    ("ndjson_matches_serde", ndjson_matches_serde),
    ("orc_reader_survives", orc_reader_survives),
    ("orc_round_trip", orc_round_trip),
    ("parquet_reader_survives", parquet_reader_survives),
    ("parquet_round_trip", parquet_round_trip),
    ("pipeline_determinism", pipeline_determinism),
    ("policy_is_decided", policy_is_decided),
    ("records_are_true_or_refused", records_are_true_or_refused),
    ("texts_do_not_panic", texts_do_not_panic),
];

/// Says what went wrong where.
pub(crate) fn fault(what: &str) -> impl Fn(&dyn std::fmt::Display) -> String {
    move |error| format!("{what}: {error}")
}
