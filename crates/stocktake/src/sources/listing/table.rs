//! Rows of a listing in CSV or TSV: which column is which field, and values as they are spelled there.

use super::{lines::Lines, row::Row};
use stocktake_core::{Field, FieldSet, FieldType, SourceError, Timestamp};

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
    lines: Lines,
    /// The field of each column; none for one that is left out.
    columns: Vec<Option<Field>>,
}

impl TableRows {
    /// Reads the names of the columns, if the first line has them.
    ///
    /// # Errors
    /// Columns that are unknown, stand twice, or lack the key.
    pub(super) fn try_new(name: &str, mut lines: Lines, form: &CsvForm) -> Result<Self, SourceError> {
        let header = if form.header { Some(Self::header(name, &mut lines)?) } else { None };
        let (named, position) = match (&form.columns, header) {
            (Some(columns), _) => (columns.clone(), name.to_owned()),
            (None, Some((line, names))) => (names, format!("{name}, line {line}")),
            // A form without columns has a first line that names them.
            (None, None) => (Vec::new(), name.to_owned()),
        };
        let columns = fields_of(&named).map_err(|problem| SourceError::malformed(problem).at(position))?;
        Ok(Self { name: name.to_owned(), lines, columns })
    }

    /// The first line, and its texts.
    fn header(name: &str, lines: &mut Lines) -> Result<(u64, Vec<String>), SourceError> {
        let Some(line) = lines.next()? else {
            let problem = "the first line, the names of the columns, is missing";
            return Err(SourceError::malformed(problem).at(format!("{name}, line 1")));
        };
        let names = (0..lines.columns()).map(|column| lines.text(line, column).map(str::to_owned));
        Ok((line, names.collect::<Result<_, _>>()?))
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
        let Some(line) = self.lines.next()? else { return Ok(None) };
        if self.lines.columns() != self.columns.len() {
            let problem = format!("{} columns, not {}", self.lines.columns(), self.columns.len());
            return Err(SourceError::malformed(problem).at(format!("{}, line {line}", self.name)));
        }
        row.clear();
        for (column, field) in self.columns.iter().enumerate() {
            // A column that is left out may hold anything, if it is text.
            let text = self.lines.text(line, column)?;
            let Some(field) = *field else { continue };
            put(row, field, text).map_err(|problem| {
                let position = format!("{}, line {line}, column {} ({field})", self.name, column + 1);
                SourceError::malformed(problem).at(position)
            })?;
        }
        Ok(Some(line))
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
