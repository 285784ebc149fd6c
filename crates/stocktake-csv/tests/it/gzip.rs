//! Data files as gzip: one member, first rows early, decoders of other programs.

use crate::support::{Row, all_fields, assemble, file_of, format, inflated, nine_fields, realistic_rows, text_of};
use flate2::bufread::GzDecoder;
use std::{
    io::{Read, Write},
    process::{Command, Stdio},
};
use stocktake_core::{ChunkEncoder, CsvOptions, Field, FieldSet, Format, RowChunk};
use stocktake_csv::{CsvChunk, CsvFormat};

#[test]
fn the_header_is_that_of_s3s_files() {
    let file = file_of(&format(nine_fields(), &CsvOptions::default()), &realistic_rows(3), 1);
    assert_eq!(file[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn any_number_of_chunks_is_one_member() {
    let format = format(nine_fields(), &CsvOptions::default());
    let rows = realistic_rows(2000);
    let text = text_of(&format, &rows);
    for chunk_rows in [1, 7, 500, 1999, 2000] {
        assert_eq!(inflated(&file_of(&format, &rows, chunk_rows)), text.as_bytes(), "{chunk_rows}");
    }
}

#[test]
fn files_without_rows_are_whole_too() {
    let format = format(nine_fields(), &CsvOptions::default());
    assert_eq!(inflated(&assemble(&format, &[])), b"");
    let mut chunk = CsvChunk::default();
    format.encoder().encode(&RowChunk::default(), &mut chunk).unwrap();
    assert_eq!(inflated(&assemble(&format, &[chunk.clone(), chunk])), b"");
}

/// Readers look at the first row without fetching more than a kilobyte.
#[test]
fn the_first_row_inflates_from_the_first_kilobyte() {
    let acl: String =
        "eyJ2ZXJzaW9uIjoiMjAyMi0xMS0xMCIsInN0YXR1cyI6IkFWQUlMQUJMRSJ9".chars().cycle().take(300).collect();
    let mut rows = realistic_rows(3000);
    check_first_row(nine_fields(), &rows);
    for (number, row) in rows.iter_mut().enumerate() {
        let owner = format!("{:064x}", 0x9e37_79b9_7f4a_7c15_u128 * (number as u128 + 7));
        *row = row.clone().text(Field::VersionId, &owner[32..]).bool(Field::IsLatest, true);
        *row = row.clone().text(Field::ObjectAccessControlList, &acl).text(Field::ObjectOwner, &owner);
    }
    check_first_row(all_fields(), &rows);
}

fn check_first_row(fields: FieldSet, rows: &[Row]) {
    for level in 1..=9 {
        let mut options = CsvOptions::default();
        options.level = level;
        let format = format(fields, &options);
        let file = file_of(&format, rows, 1000);
        assert!(file.len() > 10_000);
        let mut decoder = GzDecoder::new(&file[..1024]);
        let mut text = Vec::new();
        let mut piece = [0; 64];
        while let Ok(read @ 1..) = decoder.read(&mut piece) {
            text.extend_from_slice(&piece[..read]);
        }
        let first = text_of(&format, &rows[..1]);
        assert!(text.starts_with(first.as_bytes()), "level {level}: {} bytes", text.len());
    }
}

#[test]
fn programs_of_the_system_accept_the_file() {
    let format: CsvFormat = format(nine_fields(), &CsvOptions::default());
    let rows = realistic_rows(3000);
    let file = file_of(&format, &rows, 700);
    // A system without the program has nothing to say.
    if let Some((success, _)) = piped("gzip", &["-t"], &file) {
        assert!(success);
    }
    let script = "import gzip, hashlib, sys; print(hashlib.md5(gzip.decompress(sys.stdin.buffer.read())).hexdigest())";
    if let Some((success, output)) = piped("python3", &["-c", script], &file) {
        assert!(success);
        assert_eq!(output.trim(), stocktake_core::md5_hex(text_of(&format, &rows).as_bytes()));
    }
}

/// Runs a program that reads all of its input before it writes; `None` if there is no such program.
fn piped(program: &str, arguments: &[&str], input: &[u8]) -> Option<(bool, String)> {
    let command = Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = command.ok()?;
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    Some((output.status.success(), String::from_utf8(output.stdout).unwrap()))
}
