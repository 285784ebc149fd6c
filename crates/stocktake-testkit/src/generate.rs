//! Random rows that a source may have: odd keys, absent values, values of closed sets and of one's own.
//!
//! Driven by `arbitrary`, so that tests and fuzz targets generate alike: a test starts from a seed, a fuzz target from the
//! fuzzer's bytes.

use crate::rows::{Row, Value};
use arbitrary::{Arbitrary, Result, Unstructured};
use std::collections::BTreeMap;
use stocktake_core::{Field, FieldSet, FieldType, KEY_BYTES_MAX, TEXT_BYTES_MAX, Timestamp};

/// Most keys of generated rows: enough to cross every small boundary, few enough for thousands of runs.
const KEYS_MAX: usize = 400;

/// Most versions of a generated key.
const VERSIONS_MAX: usize = 5;

/// Longest generated text of a few-valued field in bytes.
const CODE_BYTES: usize = 3000;

/// Rows in ascending key order; key and version id together stand once.
///
/// Either no row has version fields, or all have IsLatest and IsDeleteMarker, and the first of each key is the latest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows(pub Vec<Row>);

impl Rows {
    /// Rows that a seed stands for, made from so many random bytes: about 10 to 40 bytes a row.
    pub fn from_seed(seed: u64, bytes: usize) -> Self {
        let mut state = seed;
        let words = std::iter::repeat_with(|| {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            mixed ^ (mixed >> 31)
        });
        let data: Vec<u8> = words.flat_map(u64::to_le_bytes).take(bytes).collect();
        // What runs short of bytes ends with fewer rows.
        Self::arbitrary(&mut Unstructured::new(&data)).unwrap_or(Self(Vec::new()))
    }
}

impl<'a> Arbitrary<'a> for Rows {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let versioned = u.arbitrary()?;
        // Fields that no row has, so that columns are missing too.
        let missing: u32 = if u.arbitrary()? { u.arbitrary()? } else { 0 };
        let fields: FieldSet = Field::all().filter(|field| missing >> field.index() & 1 == 0).collect();
        let mut keys = BTreeMap::new();
        let mut previous = String::new();
        while !u.is_empty() && keys.len() < KEYS_MAX {
            previous = key(u, &previous)?;
            let versions = if versioned { u.int_in_range(1..=VERSIONS_MAX)? } else { 1 };
            keys.insert(previous.clone(), versions);
        }
        let mut rows: Vec<Row> = Vec::new();
        for (key, versions) in keys {
            for version in 0..versions {
                let mut row = Row::new(key.as_str());
                let marker = versioned && u.ratio(1, 6)?;
                for field in fields.difference(FieldSet::VERSION_FIELDS).difference(FieldSet::REQUIRED).iter() {
                    let kept =
                        rows.last().filter(|_| u.ratio(1, 2).unwrap_or(false)).map(|row| row.value(field).cloned());
                    let value = match kept {
                        Some(value) => value,
                        None => value(u, field)?,
                    };
                    row.set(field, value.filter(|_| !marker || ON_MARKERS.contains(field)));
                }
                if versioned {
                    row = row.with(Field::IsLatest, version == 0).with(Field::IsDeleteMarker, marker);
                    // The null version is the oldest, if there is one.
                    let null = version + 1 == versions && u.ratio(1, 8)?;
                    row.set(Field::VersionId, if null { None } else { Some(version_id(u, version)?.into()) });
                }
                rows.push(row);
            }
        }
        Ok(Self(rows))
    }
}

/// Fields that a delete marker may have besides its version's.
const ON_MARKERS: FieldSet = FieldSet::EMPTY
    .with(Field::LastModifiedDate)
    .with(Field::BucketKeyStatus)
    .with(Field::ObjectOwner)
    .with(Field::ObjectAccessControlList);

/// Pieces of keys: what separates, what must be escaped, what is longer in UTF-8 than it looks, what sorts at the edges.
const PIECES: &[&str] = &[
    "/",
    "//",
    "a",
    "b",
    "0",
    ".",
    "..",
    " ",
    "+",
    "%",
    "%20",
    "\"",
    "\"\"",
    ",",
    "&",
    "=",
    "~",
    "*",
    "-",
    "_",
    "'",
    "\\",
    "\n",
    "\r\n",
    "\t",
    "\0",
    "\u{1}",
    "\u{7f}",
    "\u{80}",
    "é",
    "e\u{301}",
    "ß",
    "漢字",
    "🎉",
    "\u{ffff}",
    "\u{10ffff}",
    "\u{feff}",
    "logs/2026/03/08/",
    "part-00000",
    ".parquet",
    "dt=2026-03-08/hour=07/",
    "images/",
    "A",
    "Z",
];

/// A key that often begins like the one before.
fn key(u: &mut Unstructured<'_>, previous: &str) -> Result<String> {
    let mut key = previous.to_owned();
    cut(&mut key, if previous.is_empty() { 0 } else { u.choose_index(previous.len() + 1)? });
    if u.ratio(1, 40)? {
        // Up to the longest key, in one run of a piece.
        let piece = *u.choose(PIECES)?;
        key.push_str(&piece.repeat(KEY_BYTES_MAX / piece.len()));
    }
    for _ in 0..u.int_in_range(1..=6)? {
        key.push_str(u.choose(PIECES)?);
    }
    if u.ratio(1, 4)? {
        key.push_str(&u.arbitrary::<u16>()?.to_string());
    }
    cut(&mut key, KEY_BYTES_MAX);
    Ok(if key.is_empty() { "k".to_owned() } else { key })
}

fn version_id(u: &mut Unstructured<'_>, version: usize) -> Result<String> {
    // The number of the version keeps the ids of a key apart.
    let mut id = format!("{version}.{:016x}", u.arbitrary::<u64>()?);
    if u.ratio(1, 30)? {
        id.push_str(&text(u, TEXT_BYTES_MAX - id.len())?);
    }
    Ok(id)
}

/// A value of a field, absent in one of five.
fn value(u: &mut Unstructured<'_>, field: Field) -> Result<Option<Value>> {
    if u.ratio(1, 5)? {
        return Ok(None);
    }
    Ok(Some(match field.field_type() {
        FieldType::Boolean => Value::Bool(u.arbitrary()?),
        FieldType::Int32 => Value::Int(int(u, 0, i64::from(i32::MAX))?),
        FieldType::Timestamp => Value::Int(int(u, Timestamp::MIN.ms(), Timestamp::MAX.ms())?),
        FieldType::Code => Value::Text(code(u, field)?),
        FieldType::Text => Value::Text(e_tag(u)?),
        _ => Value::Int(int(u, 0, i64::MAX)?),
    }))
}

/// A number in a range: its ends, a small one, any one.
fn int(u: &mut Unstructured<'_>, min: i64, max: i64) -> Result<i64> {
    Ok(match u.int_in_range(0..=9)? {
        0 => min,
        1 => max,
        2..=4 => i64::from(u.arbitrary::<u16>()?),
        5..=7 => i64::from(u.arbitrary::<u32>()?).clamp(min, max),
        _ => u.int_in_range(min..=max)?,
    })
}

fn code(u: &mut Unstructured<'_>, field: Field) -> Result<String> {
    let known = field.info().values;
    if !known.is_empty() && !u.ratio(1, 10)? {
        return Ok((*u.choose(known)?).to_owned());
    }
    match u.int_in_range(0..=9)? {
        0 => text(u, CODE_BYTES),
        few => Ok(format!("own-{few}")),
    }
}

fn e_tag(u: &mut Unstructured<'_>) -> Result<String> {
    let bits: u128 = u.arbitrary()?;
    Ok(match u.int_in_range(0..=9)? {
        0 => text(u, TEXT_BYTES_MAX)?,
        1..=2 => format!("{bits:032x}-{}", u.int_in_range(1..=10_000)?),
        3 => format!("{bits:032X}"),
        _ => format!("{bits:032x}"),
    })
}

/// A text of 1 to `bytes_max` bytes, mostly short.
fn text(u: &mut Unstructured<'_>, bytes_max: usize) -> Result<String> {
    let mut text = String::new();
    let repeat = if u.ratio(1, 8)? { bytes_max } else { 1 };
    for _ in 0..u.int_in_range(1..=4)? {
        text.push_str(u.choose(PIECES)?);
    }
    text = text.repeat(repeat.div_ceil(text.len()));
    cut(&mut text, bytes_max);
    Ok(text)
}

/// Cuts a text to at most so many bytes, between characters.
fn cut(text: &mut String, bytes_max: usize) {
    let end = (0..=bytes_max.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.truncate(end.unwrap_or(0));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::{rows_of, to_batches};

    #[test]
    fn rows_are_valid_sorted_unique_and_varied() {
        let (mut seen, mut absent) = (FieldSet::EMPTY, FieldSet::EMPTY);
        let (mut longest, mut most, mut markers) = (0, 0, 0);
        for seed in 0u16..200 {
            let Rows(rows) = Rows::from_seed(seed.into(), 30 * usize::from(seed));
            assert_eq!(Rows::from_seed(seed.into(), 30 * usize::from(seed)).0, rows);
            for pair in rows.windows(2) {
                assert!(pair[0].key <= pair[1].key);
                assert!(pair[0].key < pair[1].key || pair[0].text(Field::VersionId) != pair[1].text(Field::VersionId));
                let first = pair[0].key != pair[1].key;
                assert!(pair[1].value(Field::IsLatest).is_none_or(|latest| *latest == Value::Bool(first)));
            }
            assert_eq!(rows_of(&to_batches(&rows, &[3, 10, 11])), rows);
            most = most.max(rows.len());
            for row in &rows {
                longest = longest.max(row.key.len());
                seen = seen.union(row.fields());
                absent = absent.union(Field::all().collect::<FieldSet>().difference(row.fields()));
                markers += usize::from(row.value(Field::IsDeleteMarker) == Some(&Value::Bool(true)));
            }
        }
        assert_eq!(seen.with(Field::Bucket).len(), Field::COUNT);
        assert_eq!(absent.with(Field::Key).len(), Field::COUNT);
        assert_eq!(longest, KEY_BYTES_MAX);
        assert!(most > 200 && markers > 100, "{most} {markers}");
    }
}
