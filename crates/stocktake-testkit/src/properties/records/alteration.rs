//! Alterations of JSON: members and lines that are taken out, doubled, swapped, or given another value.

use arbitrary::Unstructured;
use serde_json::Value;

/// A place, and what is done there.
pub(super) type Alteration = (u16, u8);

/// One to three alterations.
pub(super) fn arbitrary_alterations(u: &mut Unstructured<'_>) -> arbitrary::Result<Vec<Alteration>> {
    (0..u.int_in_range(1..=3)?).map(|_| u.arbitrary()).collect()
}

/// The text with alterations: of a JSON document, or of lines that are one each. A text that is neither stays.
pub(super) fn alter(text: &[u8], alterations: &[Alteration]) -> Vec<u8> {
    if let Ok(mut document) = serde_json::from_slice::<Value>(text) {
        alterations.iter().for_each(|alteration| alter_value(&mut document, *alteration));
        return document.to_string().into_bytes();
    }
    let mut lines: Vec<Vec<u8>> = text.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    for (place, what) in alterations {
        if lines.is_empty() {
            break;
        }
        let at = usize::from(*place) % lines.len();
        match what % 8 {
            0 => drop(lines.remove(at)),
            1 => lines.insert(at, lines[at].clone()),
            2 => lines.swap(at, 0),
            _ => {
                let Ok(mut value) = serde_json::from_slice::<Value>(&lines[at]) else { continue };
                // The other bits of the place choose the value within the line.
                alter_value(&mut value, (place / 7, what / 8));
                lines[at] = format!("{value}\n").into_bytes();
            }
        }
    }
    lines.concat()
}

/// Alters one of all values within a value.
fn alter_value(value: &mut Value, (place, what): Alteration) {
    let at = usize::from(place) % count(value);
    if let Some(found) = nth(value, &mut { at }) {
        change(found, what);
    }
}

/// Values within a value, and itself.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(all) => all.iter().map(count).sum(),
        Value::Object(all) => all.values().map(count).sum(),
        _ => 0,
    }
}

fn nth<'a>(value: &'a mut Value, left: &mut usize) -> Option<&'a mut Value> {
    if *left == 0 {
        return Some(value);
    }
    *left -= 1;
    match value {
        Value::Array(all) => all.iter_mut().find_map(|inner| nth(inner, left)),
        Value::Object(all) => all.values_mut().find_map(|inner| nth(inner, left)),
        _ => None,
    }
}

fn change(value: &mut Value, what: u8) {
    let (kind, amount) = (what % 4, u64::from(what / 4));
    match value {
        _ if what == 255 => *value = Value::Null,
        Value::Number(number) => {
            let number = number.as_u64().unwrap_or(0);
            *value = match kind {
                0 => number.wrapping_add(1).into(),
                1 => number.saturating_sub(1).into(),
                2 => amount.into(),
                _ => [u64::MAX, u64::from(u32::MAX), 1 << 60, i64::MAX.unsigned_abs()][what as usize / 4 % 4].into(),
            };
        }
        Value::String(text) => match kind {
            0 => text.push('x'),
            1 => drop(text.pop()),
            2 => text.insert_str(0, "../"),
            _ => text.clear(),
        },
        Value::Bool(value) => *value = !*value,
        Value::Array(all) if !all.is_empty() => {
            let at = usize::from(what / 4) % all.len();
            match kind {
                0 => drop(all.remove(at)),
                1 => all.push(all[at].clone()),
                2 => all.swap(0, at),
                _ => all.clear(),
            }
        }
        Value::Object(all) if !all.is_empty() => {
            let name = all.keys().nth(usize::from(what / 4) % all.len()).cloned().unwrap_or_default();
            all.remove(&name);
        }
        Value::Null => *value = amount.into(),
        Value::Array(_) | Value::Object(_) => {}
    }
}
