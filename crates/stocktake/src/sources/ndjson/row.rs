//! One line of a dump: a JSON object whose members are the fields of a row.
//!
//! Values are checked and kept as offsets into the line, so that a row costs no allocation; then they are handed to a
//! batch builder. What a row means beyond its own line (bucket, order, versions) is not known here.

use super::{
    fault::{Fault, shown},
    json::{Cursor, Text},
    names::Names,
};
use stocktake_core::{Field, FieldSet, FieldType, ObjectBatchBuilder, Timestamp};

/// Reads lines into rows, one at a time; kept over lines, because the order of members repeats.
#[derive(Debug)]
pub(super) struct RowReader {
    names: Names,
    seen: FieldSet,
    /// Fields that have a value, as they stand in the line.
    present: Vec<Field>,
    /// What stands in fields that are not in `present` is left from earlier rows and has no meaning.
    values: [Value; Field::COUNT],
    /// Offset of each field's value in the line.
    columns: [usize; Field::COUNT],
    unescaped: String,
}

#[derive(Clone, Debug)]
enum Value {
    Text(Text),
    Int(i64),
    Bool(bool),
}

type Result<T> = std::result::Result<T, Box<Fault>>;

impl RowReader {
    pub(super) fn new() -> Self {
        Self {
            names: Names::default(),
            seen: FieldSet::EMPTY,
            present: Vec::new(),
            values: [const { Value::Bool(false) }; Field::COUNT],
            columns: [0; Field::COUNT],
            unescaped: String::new(),
        }
    }

    /// Reads a line that is not blank.
    ///
    /// # Errors
    /// Anything but one JSON object with known members, each once and of the field's type, and a key among them.
    pub(super) fn read(&mut self, line: &str) -> Result<()> {
        self.names.begin_row();
        self.seen = FieldSet::EMPTY;
        self.present.clear();
        self.unescaped.clear();
        let mut cursor = Cursor::new(line);
        self.object(&mut cursor).map_err(|fault| fault.with_key(self.key(line)))
    }

    /// The row's key.
    pub(super) fn key<'a>(&'a self, line: &'a str) -> &'a str {
        self.text(Field::Key, line).unwrap_or("")
    }

    /// Members that the row has, with or without a value.
    pub(super) fn members(&self) -> FieldSet {
        self.seen
    }

    /// The first of these fields that has a value in the row.
    pub(super) fn value_among(&self, fields: FieldSet) -> Option<Field> {
        if self.seen.intersection(fields).is_empty() {
            return None;
        }
        self.present.iter().copied().find(|field| fields.contains(*field))
    }

    /// The text of a field, if it is one and present.
    pub(super) fn text<'a>(&'a self, field: Field, line: &'a str) -> Option<&'a str> {
        match &self.values[field.index()] {
            Value::Text(text) if self.present.contains(&field) => Some(resolve(text, line, &self.unescaped)),
            _ => None,
        }
    }

    /// A mistake in the value of a field.
    pub(super) fn fault(&self, field: Field, problem: String) -> Box<Fault> {
        Fault::new(self.columns[field.index()], problem)
    }

    /// Appends the row that was read from `line` to a batch.
    ///
    /// # Errors
    /// Values that a report cannot hold; the batch must be given up then.
    pub(super) fn append(&self, line: &str, batch: &mut ObjectBatchBuilder) -> Result<()> {
        let mut row = batch.row(self.key(line));
        for field in self.present.iter().copied() {
            row = match &self.values[field.index()] {
                _ if matches!(field, Field::Bucket | Field::Key) => row,
                Value::Text(text) => row.text(field, resolve(text, line, &self.unescaped)),
                Value::Int(value) => row.int(field, *value),
                Value::Bool(value) => row.boolean(field, *value),
            };
        }
        row.finish().map_err(|error| self.fault(error.field(), error.to_string()))
    }

    fn object(&mut self, cursor: &mut Cursor<'_>) -> Result<()> {
        cursor.skip_space();
        let open = cursor.at();
        cursor.expect(b'{', "a JSON object is expected")?;
        cursor.skip_space();
        if cursor.peek() == Some(b'}') {
            cursor.advance(1);
        } else {
            self.members_of(cursor)?;
        }
        cursor.skip_space();
        if cursor.peek().is_some() {
            return Err(cursor.fault("only one JSON object is expected in a line"));
        }
        if !self.present.contains(&Field::Key) {
            let column = if self.seen.contains(Field::Key) { self.columns[Field::Key.index()] } else { open };
            return Err(Fault::new(column, "the row has no key"));
        }
        Ok(())
    }

    fn members_of(&mut self, cursor: &mut Cursor<'_>) -> Result<()> {
        loop {
            cursor.skip_space();
            let name_at = cursor.at();
            let field = self.name(cursor)?;
            if self.seen.contains(field) {
                let (csv, column) = (field.csv_name(), field.column_name());
                return Err(Fault::new(name_at, format!("the member `{csv}`, or `{column}`, stands twice")));
            }
            self.seen = self.seen.with(field);
            cursor.skip_space();
            cursor.expect(b':', "`:` is expected after a member's name")?;
            cursor.skip_space();
            self.columns[field.index()] = cursor.at();
            if let Some(value) = self.value(field, cursor)? {
                self.values[field.index()] = value;
                self.present.push(field);
            }
            cursor.skip_space();
            match cursor.peek() {
                Some(b',') => cursor.advance(1),
                Some(b'}') => {
                    cursor.advance(1);
                    return Ok(());
                }
                _ => return Err(cursor.fault("`,` or `}` is expected after a member")),
            }
        }
    }

    #[inline]
    fn name(&mut self, cursor: &mut Cursor<'_>) -> Result<Field> {
        if let Some((b'"', rest)) = cursor.rest().split_first()
            && let Some((field, bytes)) = self.names.predicted(rest)
        {
            cursor.advance(1 + bytes);
            return Ok(field);
        }
        self.name_not_predicted(cursor)
    }

    #[cold]
    fn name_not_predicted(&mut self, cursor: &mut Cursor<'_>) -> Result<Field> {
        let start = cursor.at();
        if cursor.peek() != Some(b'"') {
            return Err(cursor.fault("a member's name in quotes is expected"));
        }
        let text = cursor.string(&mut self.unescaped)?;
        let name = resolve(&text, cursor.line(), &self.unescaped);
        match self.names.look_up(name) {
            Some(field) => Ok(field),
            None => Err(Fault::new(start, format!("the member {} is no field of a report", shown(name)))),
        }
    }

    /// Reads the value of a field; `None` if it is absent.
    #[inline]
    fn value(&mut self, field: Field, cursor: &mut Cursor<'_>) -> Result<Option<Value>> {
        let start = cursor.at();
        let field_type = field.field_type();
        let value = match cursor.peek() {
            Some(b'"') => {
                let text = cursor.string(&mut self.unescaped)?;
                match field_type {
                    _ if text.is_empty() => return Ok(None),
                    FieldType::Text | FieldType::Code => Some(Value::Text(text)),
                    _ => from_text(field_type, resolve(&text, cursor.line(), &self.unescaped)),
                }
            }
            Some(b'n') => {
                cursor.word("null")?;
                return Ok(None);
            }
            Some(first @ (b't' | b'f')) => {
                cursor.word(if first == b't' { "true" } else { "false" })?;
                (field_type == FieldType::Boolean).then_some(Value::Bool(first == b't'))
            }
            Some(b'-' | b'0'..=b'9') => {
                let value = cursor.integer()?;
                takes(field_type, value).then_some(Value::Int(value))
            }
            Some(b'{' | b'[') => return Err(cursor.fault("a value is not nested")),
            _ => return Err(cursor.fault("a JSON value is expected")),
        };
        match value {
            Some(value) => Ok(Some(value)),
            None => Err(Fault::new(start, format!("{field} takes {}", wanted(field_type)))),
        }
    }
}

#[inline]
fn resolve<'a>(text: &Text, line: &'a str, unescaped: &'a str) -> &'a str {
    match text {
        Text::Plain(range) => &line[range.clone()],
        Text::Unescaped(range) => &unescaped[range.clone()],
    }
}

/// The value of a string for a field that is no text.
fn from_text(field_type: FieldType, text: &str) -> Option<Value> {
    match field_type {
        FieldType::Timestamp => Timestamp::parse(text).ok().map(|time| Value::Int(time.ms())),
        FieldType::Boolean if text == "true" => Some(Value::Bool(true)),
        FieldType::Boolean if text == "false" => Some(Value::Bool(false)),
        FieldType::Int64 | FieldType::Int32 if text.bytes().all(|byte| byte.is_ascii_digit()) => {
            text.parse().ok().filter(|value| takes(field_type, *value)).map(Value::Int)
        }
        _ => None,
    }
}

/// Whether a field of this type takes a number.
fn takes(field_type: FieldType, value: i64) -> bool {
    match field_type {
        FieldType::Int64 => value >= 0,
        FieldType::Int32 => (0..=i64::from(i32::MAX)).contains(&value),
        FieldType::Timestamp => Timestamp::try_from_ms(value).is_ok(),
        _ => false,
    }
}

/// What a field of this type takes, in words.
fn wanted(field_type: FieldType) -> &'static str {
    match field_type {
        FieldType::Boolean => "`true` or `false`",
        FieldType::Int64 => "a whole number from 0 to 9223372036854775807, or a string of its digits",
        FieldType::Int32 => "a whole number from 0 to 2147483647, or a string of its digits",
        FieldType::Timestamp => {
            "a time of the years 0000 to 9999, in the form \"2026-11-22T01:00:00.000Z\" or in milliseconds since 1970"
        }
        _ => "a string",
    }
}
