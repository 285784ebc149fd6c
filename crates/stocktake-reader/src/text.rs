//! Rows as text: CSV as S3 writes it, or a JSON object on each line as the NDJSON source reads it.

use crate::{
    error::{ReadError, ReadErrorKind},
    part::FileBatch,
    report::{ReadOptions, Report, ReportColumn},
    value::{Value, put_json_text, put_number, put_time},
};
use std::io::Write;
use stocktake_core::{Field, FieldSet};

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TextFormat {
    /// Every field in quotes, keys percent-encoded, an absent value as an empty field.
    Csv,
    /// A JSON object on each line; absent values are left out.
    Ndjson,
}

/// Writes rows of one report as text.
#[derive(Clone, Debug)]
pub struct RowWriter {
    format: TextFormat,
    columns: Vec<Shown>,
    bucket: String,
}

#[derive(Clone, Debug)]
struct Shown {
    name: String,
    /// The field, or the place among the columns of no known field.
    of: Result<Field, usize>,
}

impl RowWriter {
    /// A writer of some columns, named in either spelling of fields and written in this order. None: those of the report; of a
    /// JSON line without those that are no known field.
    ///
    /// # Errors
    /// Names a column that the report does not have.
    pub fn try_new(report: &Report, format: TextFormat, names: Option<&[String]>) -> Result<Self, ReadError> {
        let places: Vec<&str> = report.unknown_columns().collect();
        let shown = |column: &ReportColumn| {
            let place = places.iter().position(|name| *name == column.name);
            let name = column.field.map_or(column.name.clone(), |field| field.csv_name().to_owned());
            Shown { name, of: column.field.ok_or(place.unwrap_or(0)) }
        };
        let columns = match names {
            None => {
                let known_only = format == TextFormat::Ndjson;
                report.columns().iter().filter(|column| column.field.is_some() || !known_only).map(shown).collect()
            }
            Some(names) => {
                let find = |name: &String| {
                    let field = Field::from_name(name);
                    let is = |column: &&ReportColumn| column.name == *name || field.is_some() && column.field == field;
                    report.columns().iter().find(is).map(shown).ok_or_else(|| {
                        ReadError::new(ReadErrorKind::Unsupported, format!("the report has no column {name:?}"))
                    })
                };
                names.iter().map(find).collect::<Result<_, _>>()?
            }
        };
        Ok(Self { format, columns, bucket: report.manifest().source_bucket.clone() })
    }

    /// What a report is to be read with, so that the columns are there.
    pub fn options(&self) -> ReadOptions {
        let fields: FieldSet = self.columns.iter().filter_map(|column| column.of.ok()).collect();
        ReadOptions::default().with_fields(fields).with_unknown(self.columns.iter().any(|column| column.of.is_err()))
    }

    /// The names of the columns as a line of CSV.
    pub fn header(&self) -> String {
        let names = self.columns.iter().map(|column| format!("\"{}\"", column.name.replace('"', "\"\"")));
        names.collect::<Vec<_>>().join(",") + "\n"
    }

    /// Appends rows, a line each.
    pub fn write(&self, batch: &FileBatch, out: &mut Vec<u8>) {
        for row in 0..batch.rows.len() {
            match self.format {
                TextFormat::Csv => self.csv(batch, row, out),
                TextFormat::Ndjson => self.ndjson(batch, row, out),
            }
        }
    }

    fn csv(&self, batch: &FileBatch, row: usize, out: &mut Vec<u8>) {
        for (index, column) in self.columns.iter().enumerate() {
            out.extend_from_slice(if index == 0 { b"\"" } else { b",\"" });
            match column.of {
                Ok(Field::Key) => put_key(batch.rows.key(row), out),
                _ => match self.value(batch, row, column) {
                    Value::Absent => {}
                    Value::Text(text) if text.contains('"') => out.extend(text.replace('"', "\"\"").bytes()),
                    Value::Text(text) => out.extend_from_slice(text.as_bytes()),
                    Value::Boolean(value) => out.extend_from_slice(if value { b"true" } else { b"false" }),
                    Value::Number(number) => put_number(number, out),
                    Value::Time(ms) => put_time(ms, out),
                },
            }
            out.push(b'"');
        }
        out.push(b'\n');
    }

    fn ndjson(&self, batch: &FileBatch, row: usize, out: &mut Vec<u8>) {
        let mut separator = b'{';
        for column in &self.columns {
            let value = self.value(batch, row, column);
            if value == Value::Absent {
                continue;
            }
            out.push(separator);
            separator = b',';
            put_json_text(&column.name, out);
            out.push(b':');
            value.put_json(out);
        }
        out.extend_from_slice(if separator == b'{' { b"{}\n" } else { b"}\n" });
    }

    fn value<'a>(&'a self, batch: &'a FileBatch, row: usize, column: &Shown) -> Value<'a> {
        match column.of {
            Ok(Field::Bucket) => Value::Text(&self.bucket),
            Ok(field) => Value::of(&batch.rows, row, field),
            Err(place) => batch.unknown.get(place).map_or(Value::Absent, |column| Value::of_text(column.value(row))),
        }
    }
}

/// A key as S3 encodes it, with `%20` for a space, which every reader decodes alike.
fn put_key(key: &str, out: &mut Vec<u8>) {
    for byte in key.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.*/".contains(&byte) {
            out.push(byte);
        } else {
            // Writing into memory cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}
