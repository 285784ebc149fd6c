//! The NDJSON source against `serde_json`, line by line: the same lines are taken, with the same values.

use super::{
    fault,
    spoiling::{SNIPPETS, edits, is_compressed, spoil},
};
use crate::rows::{Row, Value, arbitrary_line, arbitrary_rows, every_field, rows_of};
use arbitrary::Unstructured;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use std::{
    io::{Cursor, Write},
    num::NonZeroUsize,
};
use stocktake::sources::NdjsonSource;
use stocktake_core::{
    BucketName, CODE_BYTES_MAX, Field, FieldSet, FieldType, KEY_BYTES_MAX, ObjectBatchBuilder, ObjectSource, Plan,
    ReadContext, SourceError, TEXT_BYTES_MAX, Timestamp,
};

/// The report's bucket, against which a bucket in a line is checked.
pub(super) const BUCKET: &str = "b";

/// Lines are taken and refused by the source as by `serde_json` and the source's documentation, with the same values; a
/// refusal names the line that the documentation says.
///
/// The first byte says how: an even one takes the rest as the dump, an odd one makes rows and lines of it and spoils some.
/// Its next two bits choose between a file and a stream, and one thread and three.
///
/// # Errors
/// Names the line and how it is read differently.
pub fn ndjson_matches_serde(bytes: &[u8]) -> Result<(), String> {
    let Some((kind, rest)) = bytes.split_first() else { return Ok(()) };
    let dump = if kind & 1 == 0 { Ok(rest.to_vec()) } else { spoiled(&mut Unstructured::new(rest)) };
    let Ok(dump) = dump else { return Ok(()) };
    if is_compressed(&dump) {
        return Ok(());
    }
    let threads = if kind & 4 == 0 { NonZeroUsize::MIN } else { NonZeroUsize::MIN.saturating_add(2) };
    let read = if kind & 2 == 0 { read_stream(&dump, threads)? } else { read_file(&dump, threads)? };
    match (read, reference(&dump)) {
        (Ok(read), Ok(wanted)) if read == wanted => Ok(()),
        (Ok(read), Ok(wanted)) => {
            let at = read.iter().zip(&wanted).take_while(|(read, wanted)| read == wanted).count();
            Err(format!("row {} is {:?} instead of {:?}", at + 1, read.get(at), wanted.get(at)))
        }
        (Err(error), Err(line)) => {
            let position = error.position().unwrap_or("");
            if position.contains(&format!(", line {line}, column ")) {
                Ok(())
            } else {
                Err(format!("line {line} is wrong, and the position is {position:?}: {error}"))
            }
        }
        (Ok(read), Err(line)) => Err(format!("line {line} is wrong, and {} rows were read", read.len())),
        (Err(error), Ok(_)) => Err(format!("sound lines are refused: {error}")),
    }
}

/// Lines of rows, some of which are spoiled.
fn spoiled(u: &mut Unstructured<'_>) -> arbitrary::Result<Vec<u8>> {
    let edits = edits(u)?;
    let spelling: Vec<u8> = u.bytes(u.len() / 2)?.to_vec();
    let mut spelling = Unstructured::new(&spelling);
    let mut dump = if u.int_in_range(0..=7)? == 7 { b"\xEF\xBB\xBF".to_vec() } else { Vec::new() };
    for row in arbitrary_rows(u)? {
        dump.extend_from_slice(arbitrary_line(&row, &mut spelling)?.as_bytes());
        dump.extend_from_slice(spelling.choose(&["\n", "\n", "\r\n", "\n\n", "\n \t\r\n"])?.as_bytes());
    }
    spoil(&mut dump, &edits, SNIPPETS);
    Ok(dump)
}

type Read = Result<Vec<Row>, SourceError>;

fn read_stream(dump: &[u8], threads: NonZeroUsize) -> Result<Read, String> {
    match NdjsonSource::try_from_reader("dump", Cursor::new(dump.to_vec())) {
        Ok(source) => read(&source, threads),
        Err(error) => Ok(Err(error)),
    }
}

fn read_file(dump: &[u8], threads: NonZeroUsize) -> Result<Read, String> {
    let mut file = tempfile::NamedTempFile::new().map_err(|error| fault("a temporary file")(&error))?;
    file.write_all(dump).map_err(|error| fault("a temporary file")(&error))?;
    match NdjsonSource::try_open(file.path()) {
        Ok(source) => read(&source, threads),
        Err(error) => Ok(Err(error)),
    }
}

fn read(source: &NdjsonSource, threads: NonZeroUsize) -> Result<Read, String> {
    let bucket = BucketName::try_new(BUCKET).map_err(|error| fault("a bucket")(&error))?;
    let mut context = ReadContext::new(bucket, every_field());
    context.threads = threads;
    let all = || {
        let whole = Plan::whole("dump");
        let mut rows = Vec::new();
        for lane in whole.lanes() {
            let mut stream = source.open(lane, None, &context)?;
            let mut builder = ObjectBatchBuilder::new(context.fields);
            while stream.next_batch(&mut builder)? {
                rows.extend(rows_of(&builder.finish()));
            }
        }
        Ok(rows)
    };
    Ok(all())
}

/// The rows of a dump, or the number of the line that is refused, from 1.
///
/// The first lines are looked at for their fields before rows are taken: what is wrong in one of them by itself comes first. Then
/// comes the first line that is wrong by itself, not of the report's bucket, too long in a value, or that has a value in a field
/// that none of the first lines has.
fn reference(dump: &[u8]) -> Result<Vec<Row>, usize> {
    let dump = dump.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(dump);
    let looked_at = looked_at(dump);
    let (mut fields, mut offset, mut lines) = (FieldSet::REQUIRED, 0, Vec::new());
    for (index, line) in dump.split(|byte| *byte == b'\n').enumerate() {
        let is_looked_at = offset < looked_at;
        offset += line.len() + 1;
        if line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r')) {
            continue;
        }
        let read = std::str::from_utf8(line).ok().and_then(LineRead::of);
        if is_looked_at {
            fields = fields.union(read.as_ref().ok_or(index + 1)?.members);
        }
        lines.push((index + 1, read));
    }
    let row = |(number, read): (usize, Option<LineRead>)| {
        let taken = read.filter(|read| read.fits && read.valued.difference(fields).is_empty());
        taken.map(|read| read.row).ok_or(number)
    };
    lines.into_iter().map(row).collect()
}

/// Lines that are looked at for their fields, and bytes that they end within, as the manual has it.
const LOOK: (usize, usize) = (1000, 1 << 20);

/// Bytes of a dump's lines that are looked at.
fn looked_at(dump: &[u8]) -> usize {
    let ends: Vec<usize> = (0..dump.len()).filter(|at| dump[*at] == b'\n').collect();
    if ends.len() < LOOK.0 && dump.len() < LOOK.1 {
        return dump.len();
    }
    let within = ends.iter().take(LOOK.0).enumerate().take_while(|(line, at)| *line == 0 || **at < LOOK.1);
    within.last().map_or(dump.len(), |(_, at)| at + 1)
}

/// A line that is right by itself.
struct LineRead {
    row: Row,
    /// Fields that it has as members.
    members: FieldSet,
    /// Those that have a value.
    valued: FieldSet,
    /// Whether the report can hold it: its bucket and the lengths of its values are right.
    fits: bool,
}

impl LineRead {
    /// Reads a line; `None` if it is wrong by itself.
    fn of(line: &str) -> Option<Self> {
        let Members(members) = serde_json::from_str(line).ok()?;
        let (mut key, mut values, mut fits) = (None, Vec::new(), true);
        let (mut seen, mut valued) = (FieldSet::EMPTY, FieldSet::REQUIRED);
        for (name, value) in members {
            let field = Field::from_name(&name)?;
            if seen.contains(field) {
                return None;
            }
            seen = seen.with(field);
            let Some(value) = value_of(field, value)? else { continue };
            valued = valued.with(field);
            fits &= match &value {
                Value::Text(bucket) if field == Field::Bucket => bucket == BUCKET,
                Value::Text(text) => text.len() <= longest(field),
                _ => true,
            };
            match value {
                _ if field == Field::Bucket => {}
                Value::Text(text) if field == Field::Key => key = Some(text),
                value => values.push((field, value)),
            }
        }
        let row = values.into_iter().fold(Row::new(key?), |row, (field, value)| row.with(field, value));
        Some(Self { row, members: seen, valued, fits })
    }
}

/// Bytes of the longest text of a field.
pub(super) fn longest(field: Field) -> usize {
    match field {
        Field::Key => KEY_BYTES_MAX,
        _ if field.field_type() == FieldType::Code => CODE_BYTES_MAX,
        _ => TEXT_BYTES_MAX,
    }
}

/// A member's value, `Some(None)` if it is absent and `None` if it is wrong.
fn value_of(field: Field, value: serde_json::Value) -> Option<Option<Value>> {
    use serde_json::Value as Json;
    let field_type = field.field_type();
    let count_max = if field_type == FieldType::Int64 { i64::MAX } else { i64::from(i32::MAX) };
    let count = |number: i64| (0..=count_max).contains(&number).then_some(Value::Int(number));
    let time = |time: Timestamp| Value::Int(time.ms());
    let value = match (field_type, value) {
        (_, Json::Null) => return Some(None),
        (_, Json::String(text)) if text.is_empty() => return Some(None),
        (FieldType::Text | FieldType::Code, Json::String(text)) => Some(Value::Text(text)),
        (FieldType::Boolean, Json::Bool(value)) => Some(Value::Bool(value)),
        (FieldType::Boolean, Json::String(text)) => text.parse().ok().map(Value::Bool),
        (FieldType::Timestamp, Json::Number(number)) => Timestamp::try_from_ms(number.as_i64()?).ok().map(time),
        (FieldType::Timestamp, Json::String(text)) => Timestamp::parse(&text).ok().map(time),
        (FieldType::Int64 | FieldType::Int32, Json::Number(number)) => count(number.as_i64()?),
        (FieldType::Int64 | FieldType::Int32, Json::String(text)) => {
            text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok().and_then(count)).flatten()
        }
        _ => None,
    };
    value.map(Some)
}

/// An object's members in order, those that stand twice too.
struct Members(Vec<(String, serde_json::Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}
