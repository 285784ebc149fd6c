//! A row as bytes: its key, what ranks it among the versions of the key, and its values.
//!
//! ```text
//! key length u16 · rank length u16 · key · rank · (field u8 · value)*
//! value: text length u32 · text | number i64 | yes or no u8
//! ```
//!
//! Numbers are little endian. Records live within one run of a program, so that no version of them is marked.

use std::cmp::Ordering;
use stocktake_core::{Column, Field, FieldSet, FieldType, ObjectBatch, ObjectBatchBuilder, SourceError};

/// What orders the rows of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ranking {
    /// The order in which they came.
    AsDelivered,
    /// Latest first, then newest, then by id.
    Versions,
}

/// Bytes before the key.
const HEAD_BYTES: usize = 4;

/// Writes a row of a batch behind what stands in `record`.
pub(super) fn write(batch: &ObjectBatch, row: usize, fields: FieldSet, ranking: Ranking, record: &mut Vec<u8>) {
    let key = batch.key(row);
    let head_at = record.len();
    record.extend_from_slice(&[0; HEAD_BYTES]);
    record.extend_from_slice(key.as_bytes());
    let rank_at = record.len();
    if ranking == Ranking::Versions {
        let latest =
            matches!(batch.column(Field::IsLatest), Some(Column::Bool(column)) if column.value(row) == Some(true));
        let modified = match batch.column(Field::LastModifiedDate) {
            Some(Column::Int(column)) => column.value(row).unwrap_or(i64::MIN),
            _ => i64::MIN,
        };
        record.push(u8::from(!latest));
        // Newer times have smaller bytes: the sign is turned, so that bytes order as numbers do, and then all bits.
        record.extend_from_slice(&(!(modified.cast_unsigned() ^ (1 << 63))).to_be_bytes());
        if let Some(Column::Text(ids)) = batch.column(Field::VersionId) {
            record.extend_from_slice(ids.value(row).as_bytes());
        }
    }
    let rank_bytes = record.len() - rank_at;
    for field in fields.iter().filter(|field| !matches!(field, Field::Key | Field::Bucket)) {
        // There are 25 fields.
        let index = field.index().to_le_bytes()[0];
        match batch.column(field) {
            None => {}
            Some(Column::Text(column)) => write_text(index, column.value(row), record),
            Some(Column::Code(column)) => write_text(index, column.value(row), record),
            Some(Column::Int(column)) => {
                if let Some(value) = column.value(row) {
                    record.push(index);
                    record.extend_from_slice(&value.to_le_bytes());
                }
            }
            Some(Column::Bool(column)) => {
                if let Some(value) = column.value(row) {
                    record.extend_from_slice(&[index, u8::from(value)]);
                }
            }
            Some(_) => unreachable!("the field types that `append` knows have the columns above"),
        }
    }
    // A batch refuses keys and version ids of more than 1,024 bytes.
    let short = |bytes: usize| u16::try_from(bytes).unwrap_or(u16::MAX).to_le_bytes();
    record[head_at..head_at + 2].copy_from_slice(&short(key.len()));
    record[head_at + 2..head_at + 4].copy_from_slice(&short(rank_bytes));
}

fn write_text(index: u8, text: &str, record: &mut Vec<u8>) {
    if let (false, Ok(bytes)) = (text.is_empty(), u32::try_from(text.len())) {
        record.push(index);
        record.extend_from_slice(&bytes.to_le_bytes());
        record.extend_from_slice(text.as_bytes());
    }
}

/// The key of a record.
pub(super) fn key(record: &[u8]) -> &[u8] {
    &record[HEAD_BYTES..HEAD_BYTES + lengths(record).0]
}

/// Orders records by key and rank; equal ones stay as they came.
pub(super) fn order(left: &[u8], right: &[u8]) -> Ordering {
    key(left).cmp(key(right)).then_with(|| rank(left).cmp(rank(right)))
}

fn rank(record: &[u8]) -> &[u8] {
    let (key, rank) = lengths(record);
    &record[HEAD_BYTES + key..HEAD_BYTES + key + rank]
}

fn lengths(record: &[u8]) -> (usize, usize) {
    let length = |at: usize| usize::from(u16::from_le_bytes([record[at], record[at + 1]]));
    (length(0), length(2))
}

/// Appends a record's row.
///
/// # Errors
/// A record that is damaged, a row that a batch refuses.
pub(super) fn append(record: &[u8], batch: &mut ObjectBatchBuilder) -> Result<(), SourceError> {
    let damaged = || SourceError::malformed("a row in the folder for temporary files is damaged");
    let (key_bytes, rank_bytes) = lengths(record);
    let key = std::str::from_utf8(key(record)).map_err(|_| damaged())?;
    let mut rest = record.get(HEAD_BYTES + key_bytes + rank_bytes..).ok_or_else(damaged)?;
    let mut row = batch.row(key);
    while let Some((index, values)) = rest.split_first() {
        let field = Field::all().nth(usize::from(*index)).ok_or_else(damaged)?;
        (row, rest) = match field.field_type() {
            FieldType::Text | FieldType::Code => {
                let (length, values) = values.split_first_chunk().ok_or_else(damaged)?;
                let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| damaged())?;
                let (text, values) = values.split_at_checked(length).ok_or_else(damaged)?;
                (row.text(field, std::str::from_utf8(text).map_err(|_| damaged())?), values)
            }
            FieldType::Boolean => {
                let (value, values) = values.split_first().ok_or_else(damaged)?;
                (row.boolean(field, *value == 1), values)
            }
            _ => {
                let (value, values) = values.split_first_chunk().ok_or_else(damaged)?;
                (row.int(field, i64::from_le_bytes(*value)), values)
            }
        };
    }
    row.finish().map_err(|error| SourceError::malformed(error.to_string()))
}
