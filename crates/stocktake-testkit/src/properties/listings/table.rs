//! What a listing in CSV holds, by `csv`, and the documentation of columns.

use super::{
    super::ndjson::BUCKET,
    Outcome,
    entries::{Made, Not},
    line_at,
};
use crate::rows::{COLUMNS, Row, Value};
use csv::{ByteRecord, ReaderBuilder};
use stocktake_core::{Field, FieldSet, FieldType, Timestamp};

/// The rows of a text, or why there are none.
pub(super) fn outcome(text: &[u8]) -> Outcome {
    let mut lines = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text);
    let mut record = ByteRecord::new();
    // Bytes in memory are read without an error.
    if !lines.read_byte_record(&mut record).unwrap_or(false) {
        return Outcome::Refused(None);
    }
    let mut columns = Vec::new();
    let mut seen = FieldSet::EMPTY;
    for name in &record {
        let Ok(name) = std::str::from_utf8(name) else { return Outcome::Refused(None) };
        let Some((_, field)) = COLUMNS.iter().find(|(known, _)| *known == name) else { return Outcome::Unknown };
        if seen.contains(*field) {
            return Outcome::Refused(None);
        }
        seen = seen.with(*field);
        columns.push(*field);
    }
    if !seen.contains(Field::Key) {
        return Outcome::Refused(None);
    }
    let mut rows = Vec::new();
    while lines.read_byte_record(&mut record).unwrap_or(false) {
        let begin = record.position().map_or(0, csv::Position::byte);
        let begin = usize::try_from(begin).unwrap_or(0);
        // The place before empty lines, which are passed over.
        let empty = text[begin..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        match row(&columns, &record) {
            Ok(row) => rows.push(row),
            Err(_) => return Outcome::Refused(Some(line_at(text, begin + empty))),
        }
    }
    Outcome::Rows(rows)
}

fn row(columns: &[Field], record: &ByteRecord) -> Result<Row, Not> {
    if record.len() != columns.len() {
        return Err(Not::Wrong);
    }
    let texts: Result<Vec<&str>, _> = record.iter().map(std::str::from_utf8).collect();
    let texts = texts.map_err(|_| Not::Wrong)?;
    let at = columns.iter().position(|field| *field == Field::Key).ok_or(Not::Wrong)?;
    let (mut made, mut bucket) = (Made::new(texts[at]), None);
    for (field, text) in columns.iter().zip(texts) {
        let text = Some(text).filter(|text| !text.is_empty());
        made = match (*field, field.field_type(), text) {
            (_, _, None) | (Field::Key, ..) => made,
            (Field::Bucket, _, Some(text)) => {
                bucket = Some(text).filter(|text| *text != BUCKET).or(bucket);
                made
            }
            (Field::ETag, _, Some(text)) => made.text(Field::ETag, Some(text.trim_matches('"').to_owned())),
            (Field::VersionId, _, Some(text)) => made.version(Some(text.to_owned())),
            (field, FieldType::Boolean, Some(text)) => match text.to_lowercase().as_str() {
                "true" => made.flag(field, Some(true)),
                "false" => made.flag(field, Some(false)),
                _ => return Err(Not::Wrong),
            },
            (field, FieldType::Timestamp, Some(text)) => {
                let time = Timestamp::parse(text).map_err(|_| Not::Wrong)?;
                made.row.set(field, Value::Int(time.ms()));
                made
            }
            (field, FieldType::Int64, Some(text)) => {
                let digits = text.chars().all(|c| c.is_ascii_digit());
                let number = text.parse().ok().filter(|_| digits).ok_or(Not::Wrong)?;
                made.number(field, Some(number))
            }
            (field, _, Some(text)) => made.text(field, Some(text.to_owned())),
        };
    }
    made.finish(bucket)
}
