//! The line parser against `serde_json`: the same lines are taken, with the same values.

use super::*;
use crate::sources::ndjson::row::RowReader;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

/// An object's members in order, those that stand twice too.
struct Members(Vec<(String, Value)>);

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

/// The row of a line by `serde_json`; `None` if it is to be refused.
fn reference(line: &str) -> Option<Row> {
    let Members(members) = serde_json::from_str(line).ok()?;
    let (mut row, mut seen) = (Row::new(), FieldSet::EMPTY);
    for (name, value) in members {
        let field = Field::from_name(&name)?;
        if seen.contains(field) {
            return None;
        }
        seen = seen.with(field);
        let value = match (field.field_type(), value) {
            (_, Value::Null) => continue,
            (_, Value::String(text)) if text.is_empty() => continue,
            (FieldType::Text | FieldType::Code, Value::String(text)) => text,
            (FieldType::Boolean, Value::Bool(value)) => value.to_string(),
            (FieldType::Boolean, Value::String(text)) if text == "true" || text == "false" => text,
            (FieldType::Int64, Value::Number(number)) => u64::try_from(number.as_i64()?).ok()?.to_string(),
            (FieldType::Int32, Value::Number(number)) => {
                i32::try_from(number.as_i64()?).ok().filter(|value| *value >= 0)?.to_string()
            }
            (FieldType::Timestamp, Value::Number(number)) => {
                Timestamp::try_from_ms(number.as_i64()?).ok()?.ms().to_string()
            }
            (FieldType::Timestamp, Value::String(text)) => Timestamp::parse(&text).ok()?.ms().to_string(),
            (kind @ (FieldType::Int64 | FieldType::Int32), Value::String(text)) => {
                let max = if kind == FieldType::Int64 { i64::MAX } else { i64::from(i32::MAX) };
                let digits = text.bytes().all(|byte| byte.is_ascii_digit());
                text.parse().ok().filter(|value: &i64| digits && *value <= max)?.to_string()
            }
            _ => return None,
        };
        row.insert(field, value);
    }
    row.contains_key(&Field::Key).then_some(row)
}

fn check(reader: &mut RowReader, line: &str) -> Result<(), TestCaseError> {
    let mut batch = ObjectBatchBuilder::new(every_field());
    let read = reader.read(line).and_then(|()| {
        let bucket = reader.text(Field::Bucket, line).map(str::to_owned);
        reader.append(line, &mut batch).map(|()| bucket)
    });
    let read = read.map(|bucket| {
        let mut row = rows_of(&batch.finish()).remove(0);
        row.extend(bucket.map(|bucket| (Field::Bucket, bucket)));
        row
    });
    let wanted = reference(line);
    prop_assert_eq!(read.as_ref().ok(), wanted.as_ref(), "{:?} of {:?}", &read, line);
    Ok(())
}

/// What is put into lines to spoil them, or not.
const SNIPPETS: &[&str] = &[
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "-",
    "0",
    "1",
    "9",
    ".",
    "e",
    "+",
    " ",
    "\t",
    "\r",
    "n",
    "u",
    "t",
    "\u{1}",
    "\u{7f}",
    "null",
    "true",
    "false",
    "\"size\":1,",
    "\"key\":\"k\",",
    "\"Key\":null,",
    "\\u",
    "\\ud83d",
    "\\udE00",
    "\\u0041",
    "00",
    "9223372036854775807",
    "9223372036854775808",
    "é",
    "😀",
    "/",
    "\"x\":[],",
    "1e400",
    "-0",
    "\"e_tag\":{},",
    "\\n",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn lines_are_read_as_serde_json_reads_them(rows in rows(), seed in any::<u64>()) {
        let mut choices = Choices(seed);
        let mut reader = RowReader::new();
        for row in &rows {
            check(&mut reader, &json_line(row, &mut choices))?;
        }
    }

    #[test]
    fn spoiled_lines_are_taken_and_refused_as_serde_json_does(
        rows in rows(), seed in any::<u64>(),
        edits in proptest::collection::vec((any::<u16>(), 0..3u8, 0..SNIPPETS.len()), 1..4),
    ) {
        let mut choices = Choices(seed);
        let mut reader = RowReader::new();
        for row in rows.iter().take(6) {
            let mut line: Vec<char> = json_line(row, &mut choices).chars().collect();
            for (at, edit, snippet) in &edits {
                let at = usize::from(*at) % (line.len() + 1);
                let end = if *edit == 0 { at } else { (at + usize::from(*edit)).min(line.len()) };
                line.splice(at..end, SNIPPETS[*snippet].chars().take(if *edit == 2 { 0 } else { 99 }));
            }
            let line: String = line.into_iter().collect();
            check(&mut reader, &line)?;
        }
    }

    #[test]
    fn numbers_are_read_as_serde_json_reads_them(number in "-?[0-9]{1,21}(\\.[0-9]{0,2})?([eE][+-]?[0-9]{0,3})?") {
        let mut reader = RowReader::new();
        for name in ["size", "last_modified_date", "object_lock_event_hold_duration", "e_tag"] {
            check(&mut reader, &format!("{{\"key\":\"k\",\"{name}\":{number}}}"))?;
            check(&mut reader, &format!("{{\"key\":\"k\",\"{name}\":\"{number}\"}}"))?;
        }
    }
}

#[test]
fn snippets_as_values_are_taken_and_refused_as_serde_json_does() {
    let mut reader = RowReader::new();
    for snippet in SNIPPETS {
        for field in Field::all() {
            for line in [
                format!("{{\"key\":\"k\",\"{field}\":{snippet}}}"),
                format!("{{\"key\":\"k\",\"{field}\":\"{snippet}\"}}"),
                format!("{{\"{field}\":{snippet}"),
                format!("{{\"key\":\"k\"}}{snippet}"),
                format!("{snippet}{{\"key\":\"k\"}}"),
            ] {
                check(&mut reader, &line).unwrap();
            }
        }
    }
}

#[test]
fn names_are_known_in_both_spellings_and_in_any_order() {
    let mut reader = RowReader::new();
    for round in 0..3 {
        for (first, second) in [("key", "size"), ("Size", "key"), ("Key", "Size"), ("size", "k\\u0065y")] {
            let value = |name: &str| if name.eq_ignore_ascii_case("size") { "7" } else { "\"k\"" };
            let line = format!("{{\"{first}\":{},\"{second}\":{}}}", value(first), value(second));
            check(&mut reader, &line).unwrap();
            assert_eq!(reader.key(&line), "k", "round {round}");
        }
    }
}
