//! A row of a listing, whatever form it had there.

use stocktake_core::{Field, FieldSet, ObjectBatchBuilder, RowError};

/// A value of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Int(i64),
    Bool(bool),
}

/// A key and what is known of it.
#[derive(Debug, Default)]
pub(super) struct Row {
    pub(super) key: String,
    /// The bucket, where a listing names it.
    pub(super) bucket: Option<String>,
    pub(super) values: Vec<(Field, Value)>,
}

impl Row {
    /// Forgets all, to be filled anew.
    pub(super) fn clear(&mut self) {
        self.key.clear();
        self.bucket = None;
        self.values.clear();
    }

    /// Adds a text, unless it is absent or empty.
    pub(super) fn text(&mut self, field: Field, text: Option<String>) {
        self.values.extend(text.filter(|text| !text.is_empty()).map(|text| (field, Value::Text(text))));
    }

    /// Adds a number, if there is one.
    pub(super) fn int(&mut self, field: Field, value: Option<i64>) {
        self.values.extend(value.map(|value| (field, Value::Int(value))));
    }

    /// Adds a yes or no, if there is one.
    pub(super) fn boolean(&mut self, field: Field, value: Option<bool>) {
        self.values.extend(value.map(|value| (field, Value::Bool(value))));
    }

    /// Adds an ETag without its quotes, and what it says of how the object was written: `-N` stands behind the ETag of
    /// a multipart upload.
    pub(super) fn e_tag(&mut self, e_tag: Option<String>) {
        let Some(e_tag) = e_tag else { return };
        let bare = e_tag.trim_matches('"');
        if bare.is_empty() {
            return;
        }
        let multipart = bare
            .rsplit_once('-')
            .is_some_and(|(_, parts)| !parts.is_empty() && parts.bytes().all(|byte| byte.is_ascii_digit()));
        self.text(Field::ETag, Some(bare.to_owned()));
        self.boolean(Field::IsMultipartUploaded, Some(multipart));
    }

    /// Adds the id of a version; `null` is the null version, which has none.
    pub(super) fn version_id(&mut self, id: Option<String>) {
        self.text(Field::VersionId, id.filter(|id| id != "null"));
    }

    /// Fields that have a value.
    pub(super) fn fields(&self) -> FieldSet {
        self.values.iter().map(|(field, _)| *field).collect()
    }

    /// Appends the row.
    pub(super) fn append(&self, batch: &mut ObjectBatchBuilder) -> Result<(), RowError> {
        let mut row = batch.row(&self.key);
        for (field, value) in &self.values {
            row = match value {
                Value::Text(text) => row.text(*field, text),
                Value::Int(value) => row.int(*field, *value),
                Value::Bool(value) => row.boolean(*field, *value),
            };
        }
        row.finish()
    }
}
