//! Bytes are tied to the encoder revision: whoever changes them has to raise it.

use crate::support::{all_fields, file_of, format, nine_fields, realistic_rows, text_of};
use stocktake_codec::BLOCK_BYTES;
use stocktake_core::{CsvOptions, FormatOptions, md5_hex};

/// Revision, and MD5 over the MD5s of a fixed report's file at levels 1 to 9.
const GOLDEN: (u32, &str) = (5, "4764a60d29988d530f335214bf2db97e");

/// MD5s at level 1 of chunks that fill several blocks of DEFLATE each, of nine fields and of all.
const GOLDEN_BLOCKS: [&str; 2] = ["c87e4ee3fa2877fd3cfcca6119d366d8", "85a624fc3ab023f5d5a9c699a99d4f96"];

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

#[test]
fn chunks_of_several_blocks_give_the_same_bytes() {
    let rows = realistic_rows(9000);
    let options = CsvOptions::default();
    let found = [nine_fields(), all_fields()].map(|fields| {
        let format = format(fields, &options);
        // More than two blocks in the first chunk, and an end within one in the second.
        let text = text_of(&format, &rows[..6500]);
        assert!(text.len() > 2 * BLOCK_BYTES, "{}", text.len());
        md5_hex(&file_of(&format, &rows, 6500))
    });
    assert_eq!(found, GOLDEN_BLOCKS, "the encoder's bytes changed: raise the encoder revision");
}
