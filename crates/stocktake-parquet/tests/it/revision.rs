//! Bytes are tied to the encoder revision: whoever changes them has to raise it.

use crate::support::{PROFILES, all_fields, file_of, format, options, realistic_rows};
use stocktake_core::{FormatOptions, ParquetOptions, md5_hex};

/// Revision, and MD5 over the MD5s of a fixed report's file in each profile at levels 1 and 2.
const GOLDEN: (u32, &str) = (5, "7f57ddc92e84d25d4627799a7d450fa9");

#[test]
fn the_same_rows_give_the_same_bytes() {
    let rows = realistic_rows(20_000);
    let mut digests = String::new();
    for profile in PROFILES {
        for level in 1..=2 {
            let mut options = options(profile);
            options.level = level;
            digests += &md5_hex(&file_of(&format(all_fields(), &options), &rows, 11_000));
        }
    }
    let revision = FormatOptions::Parquet(ParquetOptions::default()).encoder_revision();
    assert_eq!(
        (revision, &*md5_hex(digests.as_bytes())),
        GOLDEN,
        "the encoder's bytes changed (a new snap, zstd or parquet crate changes them too): raise the encoder revision"
    );
}
