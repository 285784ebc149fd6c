//! A row of one of the two reports: in the batch that it was read in, or taken out of it to wait for its counterpart.

use crate::value::Value;
use std::fmt;
use stocktake_core::{Field, FieldSet, ObjectBatch};

/// A version id that stands for none.
const NULL_VERSION: &str = "null";

/// A row of a report.
#[derive(Clone, Copy)]
pub struct DiffRow<'a>(Place<'a>);

#[derive(Clone, Copy)]
enum Place<'a> {
    Batch(&'a ObjectBatch, usize),
    Held(&'a HeldRow),
}

impl<'a> DiffRow<'a> {
    pub(super) fn in_batch(batch: &'a ObjectBatch, row: usize) -> Self {
        Self(Place::Batch(batch, row))
    }

    pub(super) fn held(row: &'a HeldRow) -> Self {
        Self(Place::Held(row))
    }

    /// The key.
    pub fn key(&self) -> &'a str {
        match self.0 {
            Place::Batch(batch, row) => batch.key(row),
            Place::Held(held) => &held.key,
        }
    }

    /// The version id; none for the null version, and in reports of current versions.
    pub fn version_id(&self) -> Option<&'a str> {
        match self.value(Field::VersionId) {
            Value::Text(id) if id != NULL_VERSION => Some(id),
            _ => None,
        }
    }

    /// The value of a field other than bucket and key.
    pub fn value(&self, field: Field) -> Value<'a> {
        match self.0 {
            Place::Batch(batch, row) => Value::of(batch, row, field),
            Place::Held(held) => held.value(field),
        }
    }

    /// The size in bytes, if it is known.
    pub fn size_bytes(&self) -> Option<u64> {
        match self.value(Field::Size) {
            // No batch holds a negative size.
            Value::Number(bytes) => u64::try_from(bytes).ok(),
            _ => None,
        }
    }
}

impl fmt::Debug for DiffRow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DiffRow").field("key", &self.key()).field("version_id", &self.version_id()).finish()
    }
}

/// The version id of a row; empty for the null version.
pub(super) fn version_of(batch: &ObjectBatch, row: usize) -> &str {
    DiffRow::in_batch(batch, row).version_id().unwrap_or_default()
}

/// A row that was taken out of its batch.
#[derive(Clone, Debug)]
pub(super) struct HeldRow {
    key: Box<str>,
    values: Box<[(Field, HeldValue)]>,
}

#[derive(Clone, Debug)]
enum HeldValue {
    Text(Box<str>),
    Boolean(bool),
    Int(i64),
}

/// Private memory of a held row beyond its texts: its place in a map, and its boxes.
const HELD_ROW_BYTES: usize = 128;

impl HeldRow {
    /// Copies the present values of some fields of a row.
    pub(super) fn of(batch: &ObjectBatch, row: usize, fields: FieldSet) -> Self {
        let value = |field| match Value::of(batch, row, field) {
            Value::Absent => None,
            Value::Text(text) => Some((field, HeldValue::Text(text.into()))),
            Value::Boolean(value) => Some((field, HeldValue::Boolean(value))),
            Value::Number(number) | Value::Time(number) => Some((field, HeldValue::Int(number))),
        };
        let fields = fields.without(Field::Bucket).without(Field::Key);
        Self { key: batch.key(row).into(), values: fields.iter().filter_map(value).collect() }
    }

    /// Private memory of the row.
    pub(super) fn bytes(&self) -> usize {
        let texts = self.values.iter().map(|(_, value)| if let HeldValue::Text(text) = value { text.len() } else { 0 });
        HELD_ROW_BYTES + self.key.len() + self.values.len() * size_of::<(Field, HeldValue)>() + texts.sum::<usize>()
    }

    fn value(&self, wanted: Field) -> Value<'_> {
        match self.values.iter().find(|(field, _)| *field == wanted) {
            None => Value::Absent,
            Some((_, HeldValue::Text(text))) => Value::of_text(text),
            Some((_, HeldValue::Boolean(value))) => Value::Boolean(*value),
            Some((_, HeldValue::Int(number))) => Value::of_int(wanted, *number),
        }
    }
}
