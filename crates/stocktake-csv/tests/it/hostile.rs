//! Rows that nothing is known of: they come back, and are hardly larger than a search would have made them.

use crate::support::{Row, all_fields, file_of, format, inflated, nine_fields, realistic_rows, text_of};
use flate2::{Compression, write::DeflateEncoder};
use std::io::Write;
use stocktake_core::{CsvOptions, Field, FieldSet};

/// A small linear generator.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 17
    }

    fn text(&mut self, length: usize, characters: &[u8]) -> String {
        (0..length).map(|_| char::from(characters[(self.next() % characters.len() as u64) as usize])).collect()
    }
}

fn printable() -> Vec<u8> {
    (b'!'..=b'~').collect()
}

fn sorted(mut rows: Vec<Row>) -> Vec<Row> {
    rows.sort_by(|a, b| a.key.cmp(&b.key));
    rows
}

fn check(name: &str, fields: FieldSet, rows: &[Row], chunk_rows: usize) {
    let format = format(fields, &CsvOptions::default());
    let file = file_of(&format, rows, chunk_rows);
    let text = text_of(&format, rows);
    assert!(inflated(&file) == text.as_bytes(), "{name}");
    let searched: usize = rows
        .chunks(chunk_rows)
        .map(|rows| {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(1));
            encoder.write_all(text_of(&format, rows).as_bytes()).unwrap();
            encoder.flush().unwrap();
            encoder.get_ref().len()
        })
        .sum();
    assert!(file.len() * 10 <= searched * 11 + 400, "{name}: {} where a search makes {searched}", file.len());
}

/// Rows of a key alone, or with the other eight columns.
fn check_keys(name: &str, keys: impl Iterator<Item = String>) {
    let rows = sorted(keys.map(Row::new).collect());
    check(name, FieldSet::REQUIRED, &rows, 100_000);
    check(name, nine_fields(), &rows, 100_000);
}

#[test]
fn keys_without_structure() {
    let mut numbers = Numbers(1);
    check_keys("random printable", (0..3000).map(|_| numbers.text(60, &printable())));
    check_keys("random hex", (0..3000).map(|_| numbers.text(64, b"0123456789abcdef")));
    check_keys("random lower case of 20", (0..5000).map(|_| numbers.text(20, b"abcdefghijklmnopqrstuvwxyz")));
    check_keys(
        "random lengths",
        (0..1000).map(|_| {
            let length = 1 + numbers.next() as usize % 1024;
            numbers.text(length, &printable())
        }),
    );
    check_keys("random bits", (0..1000).map(|_| numbers.text(1000, b"ab")));
    check_keys("escapes before a difference", (0..2000).map(|number| format!("{}{number:08}", "=".repeat(1000))));
    check_keys("escapes after a difference", (0..2000).map(|number| format!("{number:08}{}", "=".repeat(1000))));
    check_keys(
        "words",
        (0..3000).map(|_| {
            let word = |numbers: &mut Numbers| {
                ["alpha", "beta", "gamma", "delta", "report", "image"][numbers.next() as usize % 6]
            };
            (0..12).map(|_| word(&mut numbers)).collect::<Vec<_>>().join("-")
        }),
    );
}

#[test]
fn rows_that_repeat_wholly() {
    let row = realistic_rows(1).remove(0);
    check("one row again and again", nine_fields(), &vec![row.clone(); 20_000], 100_000);
    check("one row", nine_fields(), &[row], 1);
    check("chunks of one row", nine_fields(), &realistic_rows(200), 1);
    check("chunks of three rows", all_fields(), &realistic_rows(200), 3);
}

#[test]
fn long_values() {
    let mut numbers = Numbers(2);
    let grant = |numbers: &mut Numbers| {
        let id = numbers.text(64, b"0123456789abcdef");
        format!("{{\"canonicalId\":\"{id}\",\"type\":\"CanonicalUser\",\"permission\":\"FULL_CONTROL\"}},")
    };
    let list: Vec<String> = (0..12).map(|_| (0..300).map(|_| grant(&mut numbers)).collect()).collect();
    let with_list = |rows: Vec<Row>, pick: &mut dyn FnMut(usize) -> usize| -> Vec<Row> {
        let rows = rows.into_iter().enumerate();
        rows.map(|(number, row)| row.text(Field::ObjectAccessControlList, &list[pick(number)])).collect()
    };
    check("one list of 40 KiB", all_fields(), &with_list(realistic_rows(40), &mut |_| 0), 100);
    check("lists of 40 KiB in turns", all_fields(), &with_list(realistic_rows(36), &mut |number| number % 12), 100);
    let rows = realistic_rows(3000).into_iter().enumerate();
    let short = rows.map(|(number, row)| row.text(Field::ObjectAccessControlList, &list[number * 7 % 12][..1500]));
    check("lists of 1,500 bytes in turns", all_fields(), &short.collect::<Vec<_>>(), 2000);
    let rows = realistic_rows(500).into_iter();
    let each = rows.map(|row| {
        let list: String = (0..8).map(|_| grant(&mut numbers)).collect();
        row.text(Field::ObjectAccessControlList, &list)
    });
    check("a list of its own for each row", all_fields(), &each.collect::<Vec<_>>(), 2000);
    let tags = realistic_rows(500).into_iter().enumerate();
    let tags = tags.map(|(number, row)| Row { values: Vec::new(), ..row }.text(Field::ETag, &format!("{number:0900}")));
    check("odd ETags", nine_fields(), &tags.collect::<Vec<_>>(), 2000);
}
