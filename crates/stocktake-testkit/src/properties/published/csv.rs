//! CSV data files, read by a gzip and a CSV reader that we did not write.

use crate::properties::fault;
use flate2::bufread::GzDecoder;
use std::io::Read;
use stocktake_core::{CsvOptions, Field, FieldSet, KeyEncoding};

/// The texts of a data file's rows: keys decoded.
pub(super) fn rows_of(data: &[u8], fields: FieldSet, options: &CsvOptions) -> Result<Vec<Vec<String>>, String> {
    let texts = |record: &csv::StringRecord| {
        let texts = record.iter().zip(fields.iter()).map(|(text, field)| match field {
            Field::Key => key_of(text, options.key_encoding),
            _ => Ok(text.to_owned()),
        });
        texts.collect::<Result<Vec<_>, _>>()
    };
    records(data, fields)?.iter().map(texts).collect()
}

fn records(data: &[u8], fields: FieldSet) -> Result<Vec<csv::StringRecord>, String> {
    let mut text = Vec::new();
    let mut member = GzDecoder::new(data);
    member.read_to_end(&mut text).map_err(|error| fault("gzip")(&error))?;
    if !member.into_inner().is_empty() {
        return Err("bytes stand behind the gzip member".to_owned());
    }
    if text.last().is_some_and(|last| *last != b'\n') {
        return Err("the last line has no end".to_owned());
    }
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&*text);
    let records: Vec<csv::StringRecord> =
        reader.records().collect::<Result<_, _>>().map_err(|error| fault("csv")(&error))?;
    match records.iter().find(|record| record.len() != fields.len()) {
        Some(record) => Err(format!("{} fields for {fields:?}: {record:?}", record.len())),
        None => Ok(records),
    }
}

/// A key, decoded.
///
/// # Errors
/// If a character stands in it that must be encoded.
fn key_of(text: &str, encoding: KeyEncoding) -> Result<String, String> {
    let bad = || format!("key {text:?} is not encoded as it must be");
    let mut key = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        key.push(match byte {
            b'%' => {
                // Two upper-case digits, and never of a character that stands as it is.
                let digits = [bytes.next().ok_or_else(bad)?, bytes.next().ok_or_else(bad)?];
                let digits = std::str::from_utf8(&digits).map_err(|_| bad())?;
                let byte = u8::from_str_radix(digits, 16).map_err(|_| bad())?;
                let needless = is_plain(byte) || (byte == b' ' && encoding == KeyEncoding::Form);
                if needless || digits.bytes().any(|digit| !matches!(digit, b'0'..=b'9' | b'A'..=b'F')) {
                    return Err(bad());
                }
                byte
            }
            b'+' if encoding == KeyEncoding::Form => b' ',
            byte if is_plain(byte) => byte,
            _ => return Err(bad()),
        });
    }
    String::from_utf8(key).map_err(|_| bad())
}

/// `A-Z a-z 0-9 - _ . * /`, as the specification of the format has it.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.*/".contains(&byte)
}
