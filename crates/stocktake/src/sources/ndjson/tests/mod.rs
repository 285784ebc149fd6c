//! Tests of the whole source, and what they share: random rows, their text, and rows read back.

mod inputs;
mod lanes;
mod lines;
mod places;

use super::*;
use proptest::prelude::*;
use std::{collections::BTreeMap, io::Write, num::NonZeroUsize};
use stocktake_core::{BucketName, Column, Field, FieldType, ObjectBatch, ObjectBatchBuilder, Timestamp};

/// A row's values as texts.
type Row = BTreeMap<Field, String>;

fn every_field() -> FieldSet {
    Field::all().collect()
}

fn context() -> ReadContext {
    ReadContext::new(BucketName::try_new("b").unwrap(), every_field())
}

fn with_threads(threads: usize) -> ReadContext {
    let mut context = context();
    context.threads = NonZeroUsize::new(threads).unwrap();
    context
}

fn one() -> NonZeroU32 {
    NonZeroU32::MIN
}

fn file_of(bytes: &[u8]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

fn rows_of(batch: &ObjectBatch) -> Vec<Row> {
    let value = |field: Field, row: usize| match batch.column(field)? {
        Column::Text(texts) => Some(texts.value(row).to_owned()).filter(|text| !text.is_empty()),
        Column::Code(codes) => Some(codes.value(row).to_owned()).filter(|text| !text.is_empty()),
        Column::Bool(values) => values.value(row).map(|value| value.to_string()),
        Column::Int(values) => values.value(row).map(|value| value.to_string()),
        _ => panic!("a column of another kind"),
    };
    let row = |row| Field::all().filter_map(|field| Some((field, value(field, row)?))).collect();
    (0..batch.len()).map(row).collect()
}

/// Rows of a lane with their line numbers.
fn read(
    source: &NdjsonSource,
    lane: &LaneDescriptor,
    after: Option<&ObjectKey>,
    context: &ReadContext,
) -> Result<Vec<(u64, Row)>, SourceError> {
    let mut stream = source.open(lane, after, context)?;
    let mut builder = ObjectBatchBuilder::new(context.fields);
    let mut rows = Vec::new();
    while stream.next_batch(&mut builder)? {
        let batch = builder.finish();
        assert!(!batch.is_empty());
        let origin = batch.origin().unwrap().clone();
        rows.extend(rows_of(&batch).into_iter().enumerate().map(|(row, values)| (origin.number(row), values)));
    }
    assert!(builder.is_empty());
    Ok(rows)
}

fn read_whole(source: &NdjsonSource, context: &ReadContext) -> Result<Vec<(u64, Row)>, SourceError> {
    read(source, &Plan::whole("x").lanes()[0], None, context)
}

fn read_bytes(bytes: &[u8], context: &ReadContext) -> Result<Vec<(u64, Row)>, SourceError> {
    read_whole(&NdjsonSource::try_open(file_of(bytes).path())?, context)
}

fn text() -> impl Strategy<Value = String> {
    proptest::string::string_regex("[a-c/\"\\\\\u{1}\n\té€😀]{1,12}").unwrap()
}

fn value(field: Field) -> BoxedStrategy<String> {
    match field.field_type() {
        FieldType::Boolean => any::<bool>().prop_map(|value| value.to_string()).boxed(),
        FieldType::Int64 => prop_oneof![0..1000i64, 0..=i64::MAX].prop_map(|value| value.to_string()).boxed(),
        FieldType::Int32 => (0..=i32::MAX).prop_map(|value| value.to_string()).boxed(),
        FieldType::Timestamp => (Timestamp::MIN.ms()..=Timestamp::MAX.ms()).prop_map(|value| value.to_string()).boxed(),
        _ => text().boxed(),
    }
}

/// Rows in key order; some keys stand several times.
fn rows() -> impl Strategy<Value = Vec<Row>> {
    let fields: Vec<Field> = Field::all().filter(|field| !matches!(field, Field::Bucket | Field::Key)).collect();
    let others = proptest::sample::subsequence(fields, 0..8).prop_flat_map(|fields| {
        fields.into_iter().map(|field| value(field).prop_map(move |value| (field, value))).collect::<Vec<_>>()
    });
    let row = (text(), others).prop_map(|(key, others)| {
        let mut row: Row = others.into_iter().collect();
        row.insert(Field::Key, key);
        row
    });
    proptest::collection::vec(row, 0..30).prop_map(|mut rows| {
        rows.sort_by(|a, b| a[&Field::Key].cmp(&b[&Field::Key]));
        rows
    })
}

/// Makes choices from a seed, so that a failing case can be run again.
struct Choices(u64);

impl Choices {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn space(&mut self) -> &'static str {
        ["", "", "", " ", "\t", "  \r "][usize::try_from(self.below(6)).unwrap()]
    }
}

fn json_text(text: &str, choices: &mut Choices) -> String {
    let mut json = String::from("\"");
    for c in text.chars() {
        let short = match c {
            '"' => Some("\\\""),
            '\\' => Some("\\\\"),
            '/' => Some("\\/"),
            '\n' => Some("\\n"),
            '\t' => Some("\\t"),
            _ => None,
        };
        let must = c < ' ' || matches!(c, '"' | '\\');
        match short {
            Some(short) if must && choices.below(2) == 0 || choices.below(8) == 0 => json.push_str(short),
            _ if must || choices.below(8) == 0 => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let hex = if choices.below(2) == 0 { format!("\\u{unit:04x}") } else { format!("\\u{unit:04X}") };
                    json.push_str(&hex);
                }
            }
            _ => json.push(c),
        }
    }
    json + "\""
}

/// One line, in one of the many spellings of the row.
fn json_line(row: &Row, choices: &mut Choices) -> String {
    let mut members = Vec::new();
    for (field, value) in row {
        let name = if choices.below(4) == 0 { field.csv_name() } else { field.column_name() };
        let value = match field.field_type() {
            FieldType::Boolean if choices.below(2) == 0 => value.clone(),
            FieldType::Timestamp if choices.below(2) == 0 => {
                format!("\"{}\"", Timestamp::try_from_ms(value.parse().unwrap()).unwrap())
            }
            FieldType::Timestamp => value.clone(),
            FieldType::Int64 | FieldType::Int32 if choices.below(2) == 0 => value.clone(),
            _ => json_text(value, choices),
        };
        let name = if choices.below(8) == 0 { json_text(name, choices) } else { format!("\"{name}\"") };
        let [a, b, c, d] = [choices.space(), choices.space(), choices.space(), choices.space()];
        members.push(format!("{a}{name}{b}:{c}{value}{d}"));
    }
    for field in Field::all() {
        if !row.contains_key(&field) && choices.below(10) == 0 {
            let value = match field {
                Field::Bucket => "\"b\"",
                _ => ["null", "\"\""][usize::try_from(choices.below(2)).unwrap()],
            };
            members.push(format!("\"{}\":{value}", field.column_name()));
        }
    }
    for last in (1..members.len()).rev() {
        members.swap(last, usize::try_from(choices.below(last as u64 + 1)).unwrap());
    }
    format!("{}{{{}}}{}", choices.space(), members.join(","), choices.space())
}

/// A dump of rows, and the line number of each row.
fn dump(rows: &[Row], seed: u64) -> (String, Vec<u64>) {
    let mut choices = Choices(seed);
    let (mut text, mut lines, mut numbers) = (String::new(), 0, Vec::new());
    if choices.below(4) == 0 {
        text.push('\u{FEFF}');
    }
    for row in rows {
        while choices.below(4) == 0 {
            text.push_str(["\n", " \n", "\r\n"][usize::try_from(choices.below(3)).unwrap()]);
            lines += 1;
        }
        lines += 1;
        numbers.push(lines);
        text.push_str(&json_line(row, &mut choices));
        text.push_str(if choices.below(4) == 0 { "\r\n" } else { "\n" });
    }
    if choices.below(3) == 0 && text.ends_with('\n') {
        text.pop();
    }
    (text, numbers)
}

/// Rows with their numbers, as a reader is expected to give them; the bucket is a constant and not read.
fn expected(rows: &[Row], numbers: &[u64]) -> Vec<(u64, Row)> {
    numbers.iter().copied().zip(rows.iter().cloned()).collect()
}
