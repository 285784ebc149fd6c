//! What the first bytes of a listing tell: its fields, and the bucket if it names one.

use super::{Dialect, Form, json::JsonRows, lines::Lines, row::Row, table::TableRows, text::Text};
use crate::sources::ndjson::input::{Input, open_input};
use stocktake_core::{Field, FieldSet, SourceError};

/// Bytes at the front that tell the dialect and the fields.
pub(super) const FRONT_BYTES: usize = 1 << 20;

/// Entries at the front that tell the fields.
const FRONT_ENTRIES: usize = 1000;

/// The first bytes of a text: [`FRONT_BYTES`], or all of a shorter one.
pub(super) fn front(input: &mut Input, name: &str) -> Result<Vec<u8>, SourceError> {
    let mut front = vec![0; FRONT_BYTES];
    let mut filled = 0;
    while filled < front.len() {
        let taken = input.read(&mut front[filled..], None);
        match taken.map_err(|(what, error)| SourceError::unreadable(what, error).at(name))? {
            0 => break,
            taken => filled += taken,
        }
    }
    front.truncate(filled);
    Ok(front)
}

/// Fields that the entries at the front have. A front that was cut ends within an entry, which is no mistake.
pub(super) fn seen_in_front(
    name: &str,
    form: &Form,
    front: Vec<u8>,
) -> Result<(FieldSet, Option<String>), SourceError> {
    let whole = front.len() < FRONT_BYTES;
    let mut fields = FieldSet::EMPTY;
    let mut row = Row::default();
    let bucket = match form {
        Form::Table(form) => {
            let input = Box::new(open_input(Box::new(std::io::Cursor::new(front)), name)?);
            let mut rows = TableRows::try_new(name, Lines::new(name, input, None, form.delimiter), form)?;
            fields = rows.fields();
            // What is wrong with the row is said when it is read.
            let first = rows.next(&mut row);
            row.bucket.take().filter(|_| first.is_ok())
        }
        Form::Json(dialect) => {
            let mut text = Text::of_front(name, front.clone());
            let names = if *dialect == Dialect::Aws { JsonRows::names(&mut text) } else { Vec::new() };
            let versions = names.iter().any(|name| matches!(name.as_str(), "Versions" | "DeleteMarkers"));
            if versions {
                fields = FieldSet::VERSION_FIELDS.with(Field::Size).with(Field::ETag).with(Field::StorageClass);
            }
            let mut rows = JsonRows::new(Text::of_front(name, front), *dialect);
            let mut bucket = None;
            for _ in 0..FRONT_ENTRIES {
                match rows.next(&mut row) {
                    Ok(Some(_)) => {
                        fields = fields.union(row.fields());
                        bucket = bucket.or_else(|| row.bucket.clone());
                    }
                    Ok(None) => break,
                    Err(error) if whole => return Err(error),
                    Err(_) => break,
                }
            }
            if fields.contains(Field::ETag) && *dialect != Dialect::Rclone {
                fields = fields.with(Field::IsMultipartUploaded);
            }
            if fields.contains(Field::IsLatest) {
                fields = fields.union(FieldSet::VERSION_FIELDS);
            }
            // A document may name its bucket behind its entries.
            bucket.or_else(|| rows.bucket().map(ToOwned::to_owned))
        }
    };
    Ok((fields, bucket))
}
