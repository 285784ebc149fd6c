//! Columns from a manifest's `fileSchema`, in the spelling of any format.
//!
//! It is broad on purpose: the documented Parquet text (`UTF8`, single spaces) differs from the real one, other stores
//! have columns of their own, and S3 adds columns. Names that are not known stay as they are spelled.

use super::FileFormat;
use crate::field::Field;
use serde::Serialize;

/// A column as `fileSchema` names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SchemaColumn {
    /// Name in the schema's own spelling, for example `LastModifiedDate` or `last_modified_date`.
    pub name: String,
    /// Type in the schema's own words, for example `bigint` or `optional int64 (TIMESTAMP(MILLIS,true))`; CSV has none.
    pub column_type: Option<String>,
    /// The field, if it is one that is known.
    pub field: Option<Field>,
}

impl SchemaColumn {
    fn new(name: &str, column_type: Option<String>) -> Self {
        Self { name: name.to_owned(), column_type, field: field_of(name) }
    }
}

/// The field that a schema names. Reports of the service's first years spell one name differently.
fn field_of(name: &str) -> Option<Field> {
    if name == "MultipartUploaded" { Some(Field::IsMultipartUploaded) } else { Field::from_name(name) }
}

/// The columns in file order; none if the text is not of this format.
pub(super) fn parse(format: FileFormat, text: &str) -> Option<Vec<SchemaColumn>> {
    let text = text.trim();
    match format {
        FileFormat::Csv => text.split(',').map(|name| named(name.trim(), None)).collect(),
        FileFormat::Orc => {
            let columns = text.strip_prefix("struct<")?.strip_suffix('>')?;
            split_outside(columns, '<', '>').map(orc_column).collect()
        }
        FileFormat::Parquet => {
            let (_, columns) = text.strip_prefix("message")?.split_once('{')?;
            let columns = columns.trim_end().strip_suffix('}')?.trim().trim_end_matches(';');
            columns.split(';').map(parquet_column).collect()
        }
    }
}

fn named(name: &str, column_type: Option<String>) -> Option<SchemaColumn> {
    (!name.is_empty()).then(|| SchemaColumn::new(name, column_type))
}

/// `name:type`.
fn orc_column(text: &str) -> Option<SchemaColumn> {
    let (name, column_type) = text.split_once(':')?;
    named(name.trim(), Some(column_type.trim().to_owned()))
}

/// `repetition type name (annotation)`; the annotation may be missing.
fn parquet_column(text: &str) -> Option<SchemaColumn> {
    let (declaration, annotation) = match text.split_once('(') {
        Some((declaration, annotation)) => (declaration, format!(" ({}", annotation.trim())),
        None => (text, String::new()),
    };
    let mut words: Vec<_> = declaration.split_whitespace().collect();
    let name = words.pop()?;
    (words.len() >= 2).then(|| SchemaColumn::new(name, Some(words.join(" ") + &annotation)))
}

/// Splits at commas that stand outside of brackets.
fn split_outside(text: &str, open: char, close: char) -> impl Iterator<Item = &str> {
    let mut depth = 0usize;
    text.split(move |c: char| {
        if c == open {
            depth += 1;
        } else if c == close {
            depth = depth.saturating_sub(1);
        }
        c == ',' && depth == 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field_set::FieldSet;

    fn fields(format: FileFormat, text: &str) -> Vec<Option<Field>> {
        parse(format, text).unwrap().into_iter().map(|field| field.field).collect()
    }

    #[test]
    fn our_own_texts_are_read_back() {
        let all: FieldSet = Field::all().collect();
        for format in [FileFormat::Csv, FileFormat::Orc, FileFormat::Parquet] {
            let expected: Vec<_> = Field::all().map(Some).collect();
            assert_eq!(fields(format, &format.schema_text(all)), expected, "{format:?}");
        }
    }

    #[test]
    fn the_documented_parquet_text_is_read_too() {
        let text = "message s3.inventory { required binary bucket (UTF8); required binary key (UTF8); \
                    optional int64 last_modified_date (TIMESTAMP_MILLIS); optional boolean is_latest; }";
        let columns = parse(FileFormat::Parquet, text).unwrap();
        let names: Vec<_> = columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["bucket", "key", "last_modified_date", "is_latest"]);
        assert_eq!(columns[2].column_type.as_deref(), Some("optional int64 (TIMESTAMP_MILLIS)"));
        assert_eq!(columns[3].column_type.as_deref(), Some("optional boolean"));
        assert!(columns.iter().all(|column| column.field.is_some()));
    }

    #[test]
    fn unknown_names_and_types_are_kept() {
        let columns = parse(FileFormat::Orc, "struct<key:string,tags:map<string,string>,size:bigint>").unwrap();
        assert_eq!(columns[1], SchemaColumn::new("tags", Some("map<string,string>".to_owned())));
        assert_eq!(columns[2].field, Some(Field::Size));
        let columns = parse(FileFormat::Csv, "Bucket,Key, Colour").unwrap();
        assert_eq!((columns[2].name.as_str(), columns[2].field), ("Colour", None));
    }

    #[test]
    fn texts_of_another_format_are_none() {
        assert_eq!(parse(FileFormat::Orc, "Bucket, Key"), None);
        assert_eq!(parse(FileFormat::Parquet, "struct<key:string>"), None);
        assert_eq!(parse(FileFormat::Parquet, "message m { key; }"), None);
        assert_eq!(parse(FileFormat::Csv, ""), None);
        assert_eq!(parse(FileFormat::Csv, "Bucket,,Key"), None);
    }
}
