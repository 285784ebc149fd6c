//! Bytes are tied to the encoder revision: whoever changes them has to raise it.

use crate::support::{file_of, format, nine_fields, realistic_rows};
use stocktake_core::{CsvOptions, FormatOptions, md5_hex};

/// Revision, and MD5 over the MD5s of a fixed report's file at levels 1 to 9.
const GOLDEN: (u32, &str) = (4, "4764a60d29988d530f335214bf2db97e");

#[test]
fn the_same_rows_give_the_same_bytes() {
    let rows = realistic_rows(3000);
    let digests: String = (1..=9)
        .map(|level| {
            let mut options = CsvOptions::default();
            options.level = level;
            md5_hex(&file_of(&format(nine_fields(), &options), &rows, 1100))
        })
        .collect();
    let revision = FormatOptions::Csv(CsvOptions::default()).encoder_revision();
    assert_eq!(
        (revision, &*md5_hex(digests.as_bytes())),
        GOLDEN,
        "the encoder's bytes changed (a new zlib-rs changes them too): raise the encoder revision"
    );
}
