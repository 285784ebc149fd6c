//! Rows as lines of JSON, in one of the many spellings that mean the same.

use super::{Row, Value, one_in};
use arbitrary::{Result, Unstructured};
use std::fmt::Write;
use stocktake_core::{Field, FieldType};

/// The row as a line in the plainest spelling, without a newline.
pub fn json_line(row: &Row) -> String {
    let plain = Unstructured::new(&[]);
    // Without data every choice is the first.
    arbitrary_line(row, &mut { plain }).unwrap_or_default()
}

/// The row as a line in a spelling that the data choose: order and names of members, escapes, white space, absent values
/// that are said or not. Without a newline.
///
/// # Errors
/// None that input brings about; the type is that of the generator language.
pub fn arbitrary_line(row: &Row, u: &mut Unstructured<'_>) -> Result<String> {
    let mut members = vec![member(Field::Key, &json_text(row.key(), u)?, u)?];
    for (field, value) in row.values() {
        let value = match value {
            Value::Text(text) => json_text(text, u)?,
            Value::Bool(value) if one_in(4, u)? => format!("\"{value}\""),
            Value::Bool(value) => value.to_string(),
            Value::Int(_) if field.field_type() == FieldType::Timestamp && one_in(2, u)? => {
                json_text(&row.text(field), u)?
            }
            // Times before 1970 have no string of digits.
            Value::Int(number) if field.field_type() != FieldType::Timestamp && one_in(4, u)? => {
                format!("\"{number}\"")
            }
            Value::Int(number) => number.to_string(),
        };
        members.push(member(field, &value, u)?);
    }
    for field in Field::all().filter(|field| *field != Field::Key && row.value(*field).is_none()) {
        if one_in(30, u)? {
            let value = if field == Field::Bucket { "\"b\"" } else { *u.choose(&["null", "\"\""])? };
            members.push(member(field, value, u)?);
        }
    }
    for last in (1..members.len()).rev() {
        let other = last - u.int_in_range(0..=last)?;
        members.swap(last, other);
    }
    Ok(format!("{}{{{}}}{}", space(u)?, members.join(","), space(u)?))
}

fn member(field: Field, value: &str, u: &mut Unstructured<'_>) -> Result<String> {
    let name = if one_in(3, u)? { field.csv_name() } else { field.column_name() };
    let name = if one_in(16, u)? { json_text(name, u)? } else { format!("\"{name}\"") };
    Ok(format!("{}{name}{}:{}{value}{}", space(u)?, space(u)?, space(u)?, space(u)?))
}

pub(super) fn space(u: &mut Unstructured<'_>) -> Result<&'static str> {
    Ok(if one_in(8, u)? { u.choose(&[" ", "\t", "  \r "])? } else { "" })
}

/// A JSON string; what must be escaped is, some of the rest too.
pub(super) fn json_text(text: &str, u: &mut Unstructured<'_>) -> Result<String> {
    let mut json = String::from("\"");
    // Asked for once, so that long texts do not use the data up.
    let freely = one_in(6, u)?;
    for c in text.chars() {
        let must = c < ' ' || matches!(c, '"' | '\\');
        let escaped = must || (freely && one_in(4, u)?);
        if !escaped {
            json.push(c);
            continue;
        }
        let short = ['"', '\\', '/', '\u{8}', '\u{c}', '\n', '\r', '\t'].iter().position(|known| *known == c);
        match short {
            Some(index) if !one_in(3, u)? => json.extend(["\\", &"\"\\/bfnrt"[index..=index]]),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing into a String cannot fail.
                    let _ = if freely { write!(json, "\\u{unit:04X}") } else { write!(json, "\\u{unit:04x}") };
                }
            }
        }
    }
    json.push('"');
    Ok(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_line_is_what_one_would_write() {
        let row = Row::new("a\"\n").with(Field::Size, Value::Int(7)).with(Field::IsLatest, Value::Bool(true));
        let read: serde_json::Value = serde_json::from_str(&json_line(&row)).unwrap();
        assert_eq!(read["key"], "a\"\n");
        assert_eq!(read["is_latest"], true);
        assert_eq!(read.as_object().unwrap().len(), 3);
    }
}
