//! The value of a field in a row of a batch, whatever its column is made of.

use stocktake_core::{Column, Field, FieldType, ISO_BYTES, ObjectBatch, Timestamp};

/// A value of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// There is none.
    Absent,
    /// A text, never empty.
    Text(&'a str),
    /// A boolean.
    Boolean(bool),
    /// A count.
    Number(i64),
    /// A time in milliseconds since 1970-01-01 UTC.
    Time(i64),
}

impl<'a> Value<'a> {
    /// A text; an empty one is absent.
    pub(crate) fn of_text(text: &'a str) -> Self {
        if text.is_empty() { Self::Absent } else { Self::Text(text) }
    }

    /// The value of a field in a row.
    ///
    /// # Panics
    /// If `row` is out of range.
    pub(crate) fn of(batch: &'a ObjectBatch, row: usize, field: Field) -> Self {
        match batch.column(field) {
            Some(Column::Text(column)) => Self::of_text(column.value(row)),
            Some(Column::Code(column)) => Self::of_text(column.value(row)),
            Some(Column::Bool(column)) => column.value(row).map_or(Self::Absent, Self::Boolean),
            Some(Column::Int(column)) => column.value(row).map_or(Self::Absent, |number| Self::of_int(field, number)),
            _ => Self::Absent,
        }
    }

    /// A number of a field: a time if the field is one.
    pub(crate) fn of_int(field: Field, number: i64) -> Self {
        if field.field_type() == FieldType::Timestamp { Self::Time(number) } else { Self::Number(number) }
    }

    /// Appends the value as JSON writes it; an absent one as `null`.
    pub fn put_json(self, out: &mut Vec<u8>) {
        match self {
            Self::Absent => out.extend_from_slice(b"null"),
            Self::Text(text) => put_json_text(text, out),
            Self::Boolean(value) => out.extend_from_slice(if value { b"true" } else { b"false" }),
            Self::Number(number) => put_number(number, out),
            Self::Time(ms) => {
                out.push(b'"');
                put_time(ms, out);
                out.push(b'"');
            }
        }
    }
}

pub(crate) fn put_number(number: i64, out: &mut Vec<u8>) {
    // Writing into memory cannot fail, here and below.
    let _ = std::io::Write::write_fmt(out, format_args!("{number}"));
}

pub(crate) fn put_json_text(text: &str, out: &mut Vec<u8>) {
    let _ = serde_json::to_writer(out, text);
}

pub(crate) fn put_time(ms: i64, out: &mut Vec<u8>) {
    let mut text = [0; ISO_BYTES];
    // A batch holds no time that cannot be spelled.
    Timestamp::try_from_ms(ms).unwrap_or(Timestamp::MIN).write_iso(&mut text);
    out.extend_from_slice(&text);
}
