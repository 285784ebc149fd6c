//! Fields of a record into columns of a batch: texts to numbers, times and keys, strictly.

use super::{key::KeyDecoder, record::Fields, time::TimeReader};
use crate::{
    error::ReadError,
    part::{UnknownColumn, Wanted},
};
use std::{str, sync::Arc};
use stocktake_core::{Field, FieldType, ObjectBatchBuilder};

/// How some reports spell the null version, which has no id.
const NULL_VERSION: &str = "null";

#[derive(Clone, Copy, Debug)]
enum Kind {
    Bucket,
    Key,
    VersionId,
    Text(Field),
    Boolean(Field),
    Count(Field),
    Time(Field),
    /// Place among the columns of no known field.
    Unknown(usize),
    NotWanted,
}

/// Reads the rows of a file.
#[derive(Debug)]
pub(super) struct RowReader {
    kinds: Vec<Kind>,
    names: Vec<String>,
    bucket: Arc<str>,
    key_column: usize,
    keys: KeyDecoder,
    times: TimeReader,
}

impl RowReader {
    pub(super) fn new(wanted: &Wanted) -> Self {
        let mut unknown = 0;
        let kinds = wanted.columns.iter().map(|column| match column.field {
            Some(Field::Bucket) => Kind::Bucket,
            Some(Field::Key) => Kind::Key,
            _ if !wanted.reads(column) => Kind::NotWanted,
            Some(Field::VersionId) => Kind::VersionId,
            Some(field) => match field.field_type() {
                FieldType::Boolean => Kind::Boolean(field),
                FieldType::Int64 | FieldType::Int32 => Kind::Count(field),
                FieldType::Timestamp => Kind::Time(field),
                _ => Kind::Text(field),
            },
            None => {
                unknown += 1;
                Kind::Unknown(unknown - 1)
            }
        });
        Self {
            kinds: kinds.collect(),
            names: wanted.columns.iter().map(|column| column.name.clone()).collect(),
            bucket: Arc::clone(&wanted.bucket),
            // Every schema that a report is opened with has a key.
            key_column: wanted.columns.iter().position(|column| column.field == Some(Field::Key)).unwrap_or(0),
            keys: KeyDecoder::default(),
            times: TimeReader::default(),
        }
    }

    /// Appends a record to a batch.
    ///
    /// # Errors
    /// Names the column whose text is no value of it.
    pub(super) fn read(
        &mut self,
        record: &Fields<'_>,
        batch: &mut ObjectBatchBuilder,
        unknown: &mut [UnknownColumn],
    ) -> Result<(), ReadError> {
        if record.len() != self.kinds.len() {
            let text = format!("has {} fields, the manifest's fileSchema has {}", record.len(), self.kinds.len());
            return Err(ReadError::malformed(text));
        }
        let in_column = |column: usize, problem: String| ReadError::malformed(problem).in_column(&self.names[column]);
        let key = self.keys.decode(record.bytes(self.key_column));
        let mut row = batch.row(key.map_err(|problem| in_column(self.key_column, problem))?);
        for (column, kind) in self.kinds.iter().enumerate() {
            let bytes = record.bytes(column);
            if bytes.is_empty() && !matches!(kind, Kind::Bucket | Kind::Unknown(_)) {
                continue;
            }
            let text = || utf8(bytes).map_err(|problem| in_column(column, problem));
            row = match kind {
                Kind::Key => row,
                Kind::NotWanted => {
                    text()?;
                    row
                }
                Kind::Bucket if bytes == self.bucket.as_bytes() => row,
                Kind::Bucket => {
                    let text = format!("is {:?}, and the report's bucket is {:?}", text()?, self.bucket);
                    return Err(in_column(column, text));
                }
                Kind::VersionId => match text()? {
                    NULL_VERSION => row,
                    id => row.text(Field::VersionId, id),
                },
                Kind::Text(field) => row.text(*field, text()?),
                Kind::Boolean(field) => match boolean(bytes) {
                    Some(value) => row.boolean(*field, value),
                    None => return Err(in_column(column, format!("{:?} is neither true nor false", text()?))),
                },
                Kind::Count(field) => match count(bytes) {
                    Some(value) => row.int(*field, value),
                    None => return Err(in_column(column, format!("{:?} is no whole number of 63 bits", text()?))),
                },
                Kind::Time(field) => {
                    let time = self.times.read(bytes);
                    row.int(*field, time.map_err(|problem| in_column(column, problem))?)
                }
                Kind::Unknown(place) => {
                    if let Some(unknown) = unknown.get_mut(*place) {
                        unknown.push(text()?);
                    }
                    row
                }
            };
        }
        row.finish().map_err(|error| ReadError::malformed(error.to_string()))
    }
}

pub(super) fn utf8(bytes: &[u8]) -> Result<&str, String> {
    str::from_utf8(bytes).map_err(|error| format!("is not UTF-8 from byte {} on", error.valid_up_to() + 1))
}

fn boolean(bytes: &[u8]) -> Option<bool> {
    match bytes {
        b"true" => Some(true),
        b"false" => Some(false),
        // As the service's guide shows them.
        _ if bytes.eq_ignore_ascii_case(b"true") => Some(true),
        _ if bytes.eq_ignore_ascii_case(b"false") => Some(false),
        _ => None,
    }
}

fn count(bytes: &[u8]) -> Option<i64> {
    let digits = bytes.iter().all(u8::is_ascii_digit);
    if bytes.len() < 19 && digits {
        return Some(bytes.iter().fold(0, |value, digit| value * 10 + i64::from(digit - b'0')));
    }
    str::from_utf8(bytes).ok().filter(|_| digits)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_booleans_are_strict() {
        assert_eq!(count(b"0"), Some(0));
        assert_eq!(count(b"9223372036854775807"), Some(i64::MAX));
        assert_eq!(count(b"00000000000000000000000001"), Some(1));
        for text in ["9223372036854775808", "-1", "+1", "1.0", " 1", "1e3"] {
            assert_eq!(count(text.as_bytes()), None, "{text}");
        }
        assert_eq!((boolean(b"true"), boolean(b"FALSE"), boolean(b"1")), (Some(true), Some(false), None));
    }
}
