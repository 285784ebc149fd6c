//! Rows as owned values, to compare what went in with what came out.
//!
//! A row has a value or none for each field, whatever kind of column carries it. It does not know the report's rules.

use std::fmt;
use stocktake_core::{BATCH_ROWS_MAX, Column, Field, FieldSet, FieldType, ObjectBatch, ObjectBatchBuilder};

/// One object, version or delete marker.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    /// The object key.
    pub key: String,
    values: Vec<Option<Value>>,
}

/// What a field holds in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Text, not empty.
    Text(String),
    /// A boolean.
    Bool(bool),
    /// A count, or a time in milliseconds since 1970-01-01 UTC.
    Int(i64),
}

impl Row {
    /// A row in which every field but the key is absent.
    pub fn new(key: impl Into<String>) -> Self {
        Self { key: key.into(), values: vec![None; Field::COUNT] }
    }

    /// The row with a value; an empty text makes the field absent.
    #[must_use]
    pub fn with(mut self, field: Field, value: impl Into<Value>) -> Self {
        self.set(field, Some(value.into()));
        self
    }

    /// Sets or removes a value; an empty text is no value.
    pub fn set(&mut self, field: Field, value: Option<Value>) {
        self.values[field.index()] = value.filter(|value| *value != Value::Text(String::new()));
    }

    /// The value of a field other than bucket and key.
    pub fn value(&self, field: Field) -> Option<&Value> {
        self.values[field.index()].as_ref()
    }

    /// The text of a field; empty if it is absent or no text.
    pub fn text(&self, field: Field) -> &str {
        match self.value(field) {
            Some(Value::Text(text)) => text,
            _ => "",
        }
    }

    /// Fields that have a value, and the key.
    pub fn fields(&self) -> FieldSet {
        Field::all().filter(|field| self.value(*field).is_some()).collect::<FieldSet>().with(Field::Key)
    }

    /// The row with only the values of `fields`, and the key.
    #[must_use]
    pub fn project(mut self, fields: FieldSet) -> Self {
        for field in Field::all().filter(|field| !fields.contains(*field)) {
            self.values[field.index()] = None;
        }
        self
    }

    /// The row at a place of a batch.
    ///
    /// # Panics
    /// If `row` is out of range.
    pub fn of_batch(batch: &ObjectBatch, row: usize) -> Self {
        let mut this = Self::new(batch.key(row));
        for field in Field::all().filter(|field| *field != Field::Key) {
            let value = match batch.column(field) {
                Some(Column::Text(column)) => Some(Value::from(column.value(row))),
                Some(Column::Code(column)) => Some(Value::from(column.value(row))),
                Some(Column::Bool(column)) => column.value(row).map(Value::Bool),
                Some(Column::Int(column)) => column.value(row).map(Value::Int),
                _ => None,
            };
            this.set(field, value);
        }
        this
    }

    /// Adds the row to a batch.
    ///
    /// # Panics
    /// If a value has not its field's kind, or a report cannot hold it.
    pub fn add_to(&self, batch: &mut ObjectBatchBuilder) {
        let mut row = batch.row(&self.key);
        for field in Field::all() {
            row = match (self.value(field), field.field_type()) {
                (None, _) => row,
                (Some(Value::Text(text)), FieldType::Text | FieldType::Code) => row.text(field, text),
                (Some(Value::Bool(value)), FieldType::Boolean) => row.boolean(field, *value),
                (Some(Value::Int(value)), FieldType::Int64 | FieldType::Int32 | FieldType::Timestamp) => {
                    row.int(field, *value)
                }
                (Some(value), _) => panic!("{field} cannot hold {value:?}"),
            };
        }
        if let Err(error) = row.finish() {
            panic!("a row that a report cannot hold: {error}");
        }
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        map.entry(&Field::Key, &self.key);
        for field in Field::all() {
            match self.value(field) {
                Some(Value::Text(text)) => map.entry(&field, text),
                Some(Value::Bool(value)) => map.entry(&field, value),
                Some(Value::Int(value)) => map.entry(&field, value),
                None => &mut map,
            };
        }
        map.finish()
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

/// Every row of some batches.
pub fn rows_of(batches: &[ObjectBatch]) -> Vec<Row> {
    batches.iter().flat_map(|batch| (0..batch.len()).map(|row| Row::of_batch(batch, row))).collect()
}

/// Batches of these rows, cut before the rows at `cuts` and wherever a batch can hold no more; made by one builder, so
/// that codes mean the same in all of them.
///
/// Cuts may be in any order, double, or out of range.
///
/// # Panics
/// As [`Row::add_to`].
pub fn to_batches(rows: &[Row], cuts: &[usize]) -> Vec<ObjectBatch> {
    let mut builder = ObjectBatchBuilder::new(Field::all().collect());
    let mut batches = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        if !builder.is_empty() && (cuts.contains(&at) || builder.len() == BATCH_ROWS_MAX) {
            batches.push(builder.finish());
        }
        row.add_to(&mut builder);
    }
    if !builder.is_empty() {
        batches.push(builder.finish());
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_survive_batches() {
        let rows = [
            Row::new("a").with(Field::Size, 5).with(Field::StorageClass, "OWN").with(Field::IsLatest, true),
            Row::new("b").with(Field::ETag, "").with(Field::VersionId, "v"),
            Row::new("b").with(Field::StorageClass, "OWN"),
        ];
        for cuts in [&[][..], &[1], &[2, 1, 1, 0, 99]] {
            let batches = to_batches(&rows, cuts);
            assert!(batches.iter().all(|batch| !batch.is_empty()));
            assert_eq!(rows_of(&batches), rows);
        }
        assert_eq!(rows[1].fields(), FieldSet::EMPTY.with(Field::Key).with(Field::VersionId));
        assert_eq!(to_batches(&[], &[0]).len(), 0);
    }
}
