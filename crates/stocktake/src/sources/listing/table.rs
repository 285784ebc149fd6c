//! Rows of a listing in CSV or TSV: which column is which field, and values as they are spelled there.

use super::{ENTRY_BYTES_MAX, row::Row};
use crate::sources::ndjson::input::{Input, InputFault};
use csv::{ErrorKind, ReaderBuilder, StringRecord};
use std::io::{self, Read};
use stocktake_core::{Field, FieldSet, FieldType, ReadContext, SourceError, Timestamp};

/// How a listing in CSV is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvForm {
    pub(super) delimiter: u8,
    /// Names of the columns, where the first line has none or other ones.
    pub(super) columns: Option<Vec<String>>,
    /// Whether the first line holds names.
    pub(super) header: bool,
}

impl Default for CsvForm {
    fn default() -> Self {
        Self { delimiter: b',', columns: None, header: true }
    }
}

impl CsvForm {
    /// Fields separated by another byte than a comma.
    #[must_use]
    pub fn with_delimiter(mut self, delimiter: u8) -> Self {
        self.delimiter = delimiter;
        self
    }

    /// Columns by their order, for a listing whose first line does not name them; `-` for one that is left out.
    #[must_use]
    pub fn with_columns(mut self, columns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.columns = Some(columns.into_iter().map(Into::into).collect());
        self.header = false;
        self
    }

    /// Passes over a first line of names although the columns are given.
    #[must_use]
    pub fn with_header(mut self) -> Self {
        self.header = true;
        self
    }
}

/// Spellings of columns beyond the two names of each field; capitals, spaces, `_` and `-` do not count.
const SPELLINGS: [(&str, Field); 21] = [
    ("bucketname", Field::Bucket),
    ("path", Field::Key),
    ("name", Field::Key),
    ("objectkey", Field::Key),
    ("objectname", Field::Key),
    ("version", Field::VersionId),
    ("versionid", Field::VersionId),
    ("latest", Field::IsLatest),
    ("deletemarker", Field::IsDeleteMarker),
    ("bytes", Field::Size),
    ("length", Field::Size),
    ("contentlength", Field::Size),
    ("objectsize", Field::Size),
    ("sizebytes", Field::Size),
    ("lastmodified", Field::LastModifiedDate),
    ("modtime", Field::LastModifiedDate),
    ("mtime", Field::LastModifiedDate),
    ("modified", Field::LastModifiedDate),
    ("tier", Field::StorageClass),
    ("class", Field::StorageClass),
    ("owner", Field::ObjectOwner),
];

/// The field that a column's name means.
pub(super) fn field_of(name: &str) -> Option<Field> {
    let plain = |name: &str| -> String {
        let letters = name.chars().filter(|letter| !matches!(letter, ' ' | '_' | '-'));
        letters.flat_map(char::to_lowercase).collect()
    };
    let wanted = plain(name);
    let known = Field::all().find(|field| plain(field.csv_name()) == wanted || plain(field.column_name()) == wanted);
    known.or_else(|| SPELLINGS.iter().find(|(spelling, _)| *spelling == wanted).map(|(_, field)| *field))
}

/// Lines of a table, one row each.
pub(super) struct TableRows {
    name: String,
    lines: csv::Reader<Bounded>,
    /// The field of each column; none for one that is left out.
    columns: Vec<Option<Field>>,
    record: StringRecord,
}

impl TableRows {
    /// Reads the names of the columns, if the first line has them.
    ///
    /// # Errors
    /// Columns that are unknown, stand twice, or lack the key.
    pub(super) fn try_new(name: &str, bytes: Bounded, form: &CsvForm) -> Result<Self, SourceError> {
        let mut lines = ReaderBuilder::new().has_headers(false).delimiter(form.delimiter).from_reader(bytes);
        let mut record = StringRecord::new();
        if form.header && !lines.read_record(&mut record).map_err(|error| fault(name, 1, &error))? {
            return Err(SourceError::malformed("the first line, the names of the columns, is missing").at(name));
        }
        let named: Vec<String> = match &form.columns {
            Some(columns) => columns.clone(),
            None => record.iter().map(str::to_owned).collect(),
        };
        let columns = fields_of(&named).map_err(|problem| SourceError::malformed(problem).at(name))?;
        let mut this = Self { name: name.to_owned(), lines, columns, record };
        this.allow_another();
        Ok(this)
    }

    /// Fields that have a column.
    pub(super) fn fields(&self) -> FieldSet {
        self.columns.iter().flatten().copied().collect()
    }

    /// Reads the next line into `row` and gives its number, from 1; none at the end.
    ///
    /// # Errors
    /// A line with more or fewer columns, a value that its field does not take, text that is no UTF-8.
    pub(super) fn next(&mut self, row: &mut Row) -> Result<Option<u64>, SourceError> {
        self.allow_another();
        let read = self.lines.read_record(&mut self.record);
        if !read.map_err(|error| fault(&self.name, self.lines.position().line(), &error))? {
            return Ok(None);
        }
        let line = self.record.position().map_or(0, csv::Position::line);
        if self.record.len() != self.columns.len() {
            let problem = format!("{} columns, not {}", self.record.len(), self.columns.len());
            return Err(SourceError::malformed(problem).at(format!("{}, line {line}", self.name)));
        }
        row.clear();
        for (at, (field, text)) in self.columns.iter().zip(&self.record).enumerate() {
            let Some(field) = *field else { continue };
            put(row, field, text).map_err(|problem| {
                let position = format!("{}, line {line}, column {} ({field})", self.name, at + 1);
                SourceError::malformed(problem).at(position)
            })?;
        }
        Ok(Some(line))
    }

    fn allow_another(&mut self) {
        let bytes = self.lines.get_mut();
        bytes.left = ENTRY_BYTES_MAX;
    }
}

fn fields_of(names: &[String]) -> Result<Vec<Option<Field>>, String> {
    let mut seen = FieldSet::EMPTY;
    let mut columns = Vec::with_capacity(names.len());
    for name in names {
        if name == "-" {
            columns.push(None);
            continue;
        }
        let Some(field) = field_of(name) else {
            let shown: String = name.chars().take(200).flat_map(char::escape_debug).collect();
            return Err(format!("the column `{shown}` is no field of a report; `--columns` with `-` leaves one out"));
        };
        if seen.contains(field) {
            return Err(format!("two columns mean {field}"));
        }
        seen = seen.with(field);
        columns.push(Some(field));
    }
    if seen.contains(Field::Key) { Ok(columns) } else { Err("no column means Key".to_owned()) }
}

fn put(row: &mut Row, field: Field, text: &str) -> Result<(), String> {
    if text.is_empty() {
        return if field == Field::Key { Err("the row has no key".to_owned()) } else { Ok(()) };
    }
    match field.field_type() {
        _ if field == Field::Key => row.key.push_str(text),
        _ if field == Field::Bucket => row.bucket = Some(text.to_owned()),
        _ if field == Field::ETag => row.text(field, Some(text.trim_matches('"').to_owned())),
        _ if field == Field::VersionId => row.version_id(Some(text.to_owned())),
        FieldType::Boolean => match text.to_ascii_lowercase().as_str() {
            "true" => row.boolean(field, Some(true)),
            "false" => row.boolean(field, Some(false)),
            _ => return Err("`true` or `false` is expected".to_owned()),
        },
        FieldType::Int64 | FieldType::Int32 => match text.parse() {
            Ok(value) if text.bytes().all(|byte| byte.is_ascii_digit()) => row.int(field, Some(value)),
            _ => return Err("a whole number that is not negative is expected".to_owned()),
        },
        FieldType::Timestamp => match Timestamp::parse(text) {
            Ok(time) => row.int(field, Some(time.ms())),
            Err(_) => return Err("a time in the form `2026-11-22T01:00:00.000Z` is expected".to_owned()),
        },
        _ => row.text(field, Some(text.to_owned())),
    }
    Ok(())
}

/// A mistake in the line where the error says that it is, or else in the one that is read.
fn fault(name: &str, line: u64, error: &csv::Error) -> SourceError {
    let position = format!("{name}, line {}", error.position().map_or(line, csv::Position::line));
    let problem = match error.kind() {
        ErrorKind::UnequalLengths { expected_len, len, .. } => format!("{len} columns, not {expected_len}"),
        ErrorKind::Utf8 { err, .. } => format!("column {} is not UTF-8", err.field() + 1),
        // The input is well; what it says is not.
        ErrorKind::Io(error) if error.kind() == io::ErrorKind::InvalidData => error.to_string(),
        ErrorKind::Io(error) => {
            return SourceError::unreadable("the listing could not be read", io::Error::other(error.to_string()))
                .at(position);
        }
        _ => error.to_string(),
    };
    SourceError::malformed(problem).at(position)
}

/// Bytes of an input, of which a line gets a bounded number: a quote that is never closed would take in all.
pub(super) struct Bounded {
    input: Box<Input>,
    context: Option<ReadContext>,
    left: usize,
}

impl Bounded {
    pub(super) fn new(input: Box<Input>, context: Option<ReadContext>) -> Self {
        Self { input, context, left: ENTRY_BYTES_MAX }
    }
}

impl Read for Bounded {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            let problem = format!("a line is longer than {ENTRY_BYTES_MAX} bytes, or a quote is never closed");
            return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
        }
        let wanted = into.len().min(self.left);
        let taken = self.input.read(&mut into[..wanted], self.context.as_ref());
        let taken = taken.map_err(|(what, error): InputFault| io::Error::other(format!("{what}: {error}")))?;
        self.left -= taken;
        Ok(taken)
    }
}
