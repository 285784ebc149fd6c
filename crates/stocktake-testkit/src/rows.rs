//! Rows as plain values: what generators make, what goes into batches, and what is read back to be compared.
//!
//! A row knows its key and the values that are not absent. It does not know a report: what of it belongs into one is for
//! a property to say.

mod arrow;
mod generator;
mod listing;
mod ndjson;
mod slicing;

pub use arrow::arrow_file;
pub use generator::{ROWS_MAX, arbitrary_rows};
pub(crate) use listing::COLUMNS;
pub use listing::{ListingKind, arbitrary_listing};
pub use ndjson::{arbitrary_line, json_line};
pub use slicing::{Slicing, to_batches};

use arbitrary::Unstructured;
use std::collections::BTreeMap;
use stocktake_core::{Column, Field, FieldSet, FieldType, ObjectBatch, ObjectBatchBuilder, RowError, Timestamp};

/// A value of a row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// Of a text or few-valued field; not empty, for an empty text is an absent one.
    Text(String),
    /// Of a yes-or-no field.
    Bool(bool),
    /// A count, or milliseconds since 1970-01-01 UTC.
    Int(i64),
}

/// A row: its key, and every other value that is not absent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    key: String,
    values: BTreeMap<Field, Value>,
}

impl Row {
    /// A row of which only the key is known.
    pub fn new(key: impl Into<String>) -> Self {
        Self { key: key.into(), values: BTreeMap::new() }
    }

    /// The row with a value; an empty text makes the field absent. Bucket and key are no values.
    #[must_use]
    pub fn with(mut self, field: Field, value: Value) -> Self {
        self.set(field, value);
        self
    }

    /// Sets a value; an empty text makes the field absent. Bucket and key are no values.
    pub fn set(&mut self, field: Field, value: Value) {
        let absent = matches!(&value, Value::Text(text) if text.is_empty());
        if absent || FieldSet::REQUIRED.contains(field) {
            self.values.remove(&field);
        } else {
            self.values.insert(field, value);
        }
    }

    /// The key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The value of a field, if it is not absent.
    pub fn value(&self, field: Field) -> Option<&Value> {
        self.values.get(&field)
    }

    /// The values in file order.
    pub fn values(&self) -> impl Iterator<Item = (Field, &Value)> {
        self.values.iter().map(|(field, value)| (*field, value))
    }

    /// The version id; empty for the null version.
    pub fn version_id(&self) -> &str {
        match self.value(Field::VersionId) {
            Some(Value::Text(id)) => id,
            _ => "",
        }
    }

    /// Whether the row stands for a key's current object: the latest version, which is no delete marker. A row that says
    /// nothing of versions does.
    pub fn is_current(&self) -> bool {
        self.value(Field::IsLatest) != Some(&Value::Bool(false))
            && self.value(Field::IsDeleteMarker) != Some(&Value::Bool(true))
    }

    /// The row without the values of other fields.
    #[must_use]
    pub fn project(mut self, fields: FieldSet) -> Self {
        self.values.retain(|field, _| fields.contains(*field));
        self
    }

    /// A field's text as reports spell it, keys without their encoding; empty if absent.
    pub fn text(&self, field: Field) -> String {
        match self.value(field) {
            _ if field == Field::Key => self.key.clone(),
            None => String::new(),
            Some(Value::Text(text)) => text.clone(),
            Some(Value::Bool(value)) => value.to_string(),
            Some(Value::Int(ms)) if field.field_type() == FieldType::Timestamp => {
                Timestamp::try_from_ms(*ms).map_or_else(|error| error.to_string(), |time| time.to_string())
            }
            Some(Value::Int(number)) => number.to_string(),
        }
    }

    /// Appends the row to a batch, which takes of it what its fields ask for.
    ///
    /// # Errors
    /// If a report cannot hold the row, or the batch is full.
    pub fn push(&self, batch: &mut ObjectBatchBuilder) -> Result<(), RowError> {
        let begun = batch.row(&self.key);
        let set = self.values().fold(begun, |row, (field, value)| match value {
            Value::Text(text) => row.text(field, text),
            Value::Bool(value) => row.boolean(field, *value),
            Value::Int(number) => row.int(field, *number),
        });
        set.finish()
    }
}

/// The rows of a batch.
pub fn rows_of(batch: &ObjectBatch) -> Vec<Row> {
    let value = |field: Field, row: usize| match batch.column(field)? {
        Column::Text(column) => Some(Value::Text(column.value(row).to_owned())),
        Column::Code(column) => Some(Value::Text(column.value(row).to_owned())),
        Column::Bool(column) => column.value(row).map(Value::Bool),
        Column::Int(column) => column.value(row).map(Value::Int),
        column => unreachable!("a column of a kind that the core does not have: {column:?}"),
    };
    let row = |row: usize| {
        let values = Field::all().filter_map(|field| Some((field, value(field, row)?)));
        values.fold(Row::new(batch.key(row)), |row, (field, value)| row.with(field, value))
    };
    (0..batch.len()).map(row).collect()
}

/// Every field, settled or not.
pub fn every_field() -> FieldSet {
    Field::all().collect()
}

/// The text up to `bytes`, or up to the character that stands there.
pub(crate) fn cut(text: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    &text[..end.unwrap_or(0)]
}

/// True once in `times`, and false when the data are used up, so that what is rare stays so.
fn one_in(times: u8, u: &mut Unstructured<'_>) -> arbitrary::Result<bool> {
    Ok(u.int_in_range(1..=times)? == times)
}
