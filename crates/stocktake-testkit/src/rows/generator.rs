//! Valid rows, as odd as stores may have them: sorted by the bytes of their keys, each key and version once.
//!
//! Any bytes make rows, and more bytes make more of them, so that a fuzzer has something to take hold of.

use super::{Row, Value, cut, one_in};
use arbitrary::{Result, Unstructured};
use std::collections::BTreeSet;
use stocktake_core::{CODE_BYTES_MAX, Field, FieldSet, FieldType, KEY_BYTES_MAX, TEXT_BYTES_MAX, Timestamp};

/// Most rows that are made: as many as several chunks and data files of the properties need, and quick to encode.
pub const ROWS_MAX: usize = 300;

/// What keys are pieced together from, beside letters.
const PIECES: &[&str] = &[
    "a",
    "b",
    "A",
    "Z",
    "0",
    "9",
    "logs/",
    "2026/11/22/",
    "part-00000",
    ".parquet",
    "/",
    "//",
    "///",
    "..",
    "../",
    ".",
    "./",
    " ",
    "  ",
    "+",
    "%",
    "%20",
    "%2F",
    "%zz",
    "\"",
    "\"\"",
    "\",\"",
    ",",
    "&",
    "=",
    "?",
    "#",
    "*",
    "~",
    "-",
    "_",
    "'",
    ";",
    "\\",
    "\\n",
    "(",
    ")",
    "<",
    ">",
    "$",
    "@",
    ":",
    "|",
    "null",
    "true",
    "=1+1",
    "\n",
    "\r",
    "\r\n",
    "\t",
    "\0",
    "\u{1}",
    "\u{1f}",
    "\u{7f}",
    "\u{80}",
    "\u{85}",
    "\u{a0}",
    "\u{2028}",
    "\u{feff}",
    "é",
    "e\u{301}",
    "ß",
    "日本語",
    "😀",
    "\u{d7ff}",
    "\u{e000}",
    "\u{ffff}",
    "\u{10000}",
    "\u{10ffff}",
];

/// Values that stores have of their own, and values that look like something else.
const OWN_VALUES: &[&str] =
    &["OWN", "standard", "COLD TIER", "\"", "a,b", "é\n", "null", "\0", " ", "STANDARD ", "SSE-S3\r\n", "😀", "%20"];

/// Rows in the order of their keys, each key and version once; versions of a key stand together in any order.
///
/// # Errors
/// None that input brings about; the type is that of the generator language.
pub fn arbitrary_rows(u: &mut Unstructured<'_>) -> Result<Vec<Row>> {
    let mut rows: Vec<Row> = Vec::new();
    while !u.is_empty() && rows.len() < ROWS_MAX {
        let key = key(u, rows.last().map_or("", Row::key))?;
        let row = values(u, Row::new(key))?;
        // A run of neighbours costs few bytes of input and fills chunks.
        let copies = if one_in(12, u)? { u.int_in_range(2..=40)? } else { 0 };
        rows.extend((0..copies).map(|copy| renamed(&row, &format!("{}{copy:03}", cut(row.key(), KEY_BYTES_MAX - 3)))));
        rows.push(row);
    }
    // A stable sort, so that versions keep the order in which they were made.
    rows.sort_by(|a, b| a.key().as_bytes().cmp(b.key().as_bytes()));
    let mut seen = BTreeSet::new();
    rows.retain(|row| seen.insert((row.key().to_owned(), row.version_id().to_owned())));
    Ok(rows)
}

fn renamed(row: &Row, key: &str) -> Row {
    row.values().fold(Row::new(key), |renamed, (field, value)| renamed.with(field, value.clone()))
}

/// A key of 1 to 1,024 bytes: like the one before, the same, or another.
fn key(u: &mut Unstructured<'_>, before: &str) -> Result<String> {
    let mut key = match u.int_in_range(0..=7)? {
        0 | 1 if !before.is_empty() => return Ok(before.to_owned()),
        2..=4 => cut(before, u.int_in_range(0..=before.len())?).to_owned(),
        5 => return text(u, KEY_BYTES_MAX),
        _ => String::new(),
    };
    for _ in 0..u.int_in_range(1..=5)? {
        if one_in(8, u)? {
            key.push(u.arbitrary()?);
        } else {
            key.push_str(u.choose(PIECES)?);
        }
    }
    if one_in(40, u)? {
        let piece = *u.choose(PIECES)?;
        // The longest key there may be, ended by a character of another length where the piece does not fit.
        while key.len() + piece.len() <= KEY_BYTES_MAX {
            key.push_str(piece);
        }
        while key.len() < KEY_BYTES_MAX {
            key.push('x');
        }
    }
    Ok(cut(&key, KEY_BYTES_MAX).to_owned())
}

/// A text of 1 to `bytes_max` bytes.
fn text(u: &mut Unstructured<'_>, bytes_max: usize) -> Result<String> {
    Ok(match u.int_in_range(0..=9)? {
        0..=3 => format!("{:032x}", u128::from(u.arbitrary::<u64>()?).wrapping_mul(0x9E37_79B9_7F4A_7C15_0000_0001)),
        4 => format!("{:016x}-{}", u.arbitrary::<u64>()?, u.int_in_range(1..=10_000)?),
        5 | 6 => u.choose(PIECES)?.to_string(),
        7 => u.choose(OWN_VALUES)?.to_string(),
        8 => u.arbitrary::<char>()?.to_string(),
        _ => {
            let piece = *u.choose(PIECES)?;
            piece.repeat(u.int_in_range(1..=bytes_max / piece.len())?)
        }
    })
}

/// The row with some of the values that a row can have.
fn values(u: &mut Unstructured<'_>, row: Row) -> Result<Row> {
    let chosen: u32 = match u.int_in_range(0..=3)? {
        0 => 0,
        1 => u32::MAX,
        // Fields that most stores have.
        2 => 0b111_1111_1100,
        _ => u.arbitrary()?,
    };
    let fields = Field::all().filter(|field| chosen >> field.index() & 1 == 1 && !FieldSet::REQUIRED.contains(*field));
    let mut row = fields.map(|field| Ok((field, value(u, field)?))).try_fold(row, |row, value: Result<_>| {
        let (field, value) = value?;
        Ok(row.with(field, value))
    })?;
    if one_in(10, u)? {
        // A delete marker has neither size nor ETag.
        row.set(Field::IsDeleteMarker, Value::Bool(true));
        row = row.project(super::every_field().without(Field::Size).without(Field::ETag));
    }
    Ok(row)
}

fn value(u: &mut Unstructured<'_>, field: Field) -> Result<Value> {
    Ok(match field.field_type() {
        FieldType::Boolean => Value::Bool(u.arbitrary()?),
        FieldType::Int64 => Value::Int(match u.int_in_range(0..=3)? {
            0 => u.int_in_range(0..=1)?,
            1 => i64::MAX - i64::from(u.arbitrary::<u8>()?),
            2 => i64::from(u.arbitrary::<u32>()?),
            _ => u.int_in_range(0..=i64::MAX)?,
        }),
        FieldType::Int32 => Value::Int(if u.arbitrary()? { i64::from(i32::MAX) } else { u.int_in_range(0..=400)? }),
        FieldType::Timestamp => Value::Int(match u.int_in_range(0..=5)? {
            0 => *u.choose(&[Timestamp::MIN.ms(), Timestamp::MAX.ms(), 0, -1, 1, 951_782_399_999, 951_782_400_000])?,
            1 => u.int_in_range(Timestamp::MIN.ms()..=Timestamp::MAX.ms())?,
            _ => 1_790_000_000_000 + i64::from(u.arbitrary::<i32>()?),
        }),
        FieldType::Code => {
            let known = field.info().values;
            Value::Text(match u.int_in_range(0..=11)? {
                0 => text(u, 2000)?,
                1 => u.choose(OWN_VALUES)?.to_string(),
                // Rare, for a few of them fill a chunk.
                2 if one_in(200, u)? => "longest".repeat(CODE_BYTES_MAX / 7),
                _ if !known.is_empty() => u.choose(known)?.to_string(),
                _ => format!("{:064x}", u.arbitrary::<u8>()?),
            })
        }
        _ => Value::Text(text(u, TEXT_BYTES_MAX)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(seed: u64, length: usize) -> Vec<u8> {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[4]
        };
        (0..length).map(|_| next()).collect()
    }

    #[test]
    fn rows_are_sorted_unique_valid_and_odd() {
        let (mut seen, mut longest, mut markers, mut several) = (FieldSet::EMPTY, 0, 0, 0);
        for seed in 0..200 {
            let rows = arbitrary_rows(&mut Unstructured::new(&noise(seed, 2000))).unwrap();
            let batches = super::super::to_batches(&rows, crate::rows::every_field(), &super::super::Slicing::whole());
            assert_eq!(batches.unwrap().iter().map(|batch| batch.len()).sum::<usize>(), rows.len());
            for pair in rows.windows(2) {
                assert!(pair[0].key() <= pair[1].key());
                several += usize::from(pair[0].key() == pair[1].key());
            }
            for row in &rows {
                seen = row.values().fold(seen, |seen, (field, _)| seen.with(field));
                longest = longest.max(row.key().len());
                markers += usize::from(row.value(Field::IsDeleteMarker) == Some(&Value::Bool(true)));
            }
        }
        assert_eq!(seen, crate::rows::every_field().difference(FieldSet::REQUIRED));
        assert_eq!(longest, KEY_BYTES_MAX);
        assert!(markers > 100 && several > 100, "{markers} markers, {several} keys again");
    }

    #[test]
    fn no_bytes_are_no_rows_and_few_are_enough_for_one() {
        assert!(arbitrary_rows(&mut Unstructured::new(&[])).unwrap().is_empty());
        assert_eq!(arbitrary_rows(&mut Unstructured::new(&[7])).unwrap().len(), 1);
    }
}
