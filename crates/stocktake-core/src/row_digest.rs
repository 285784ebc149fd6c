//! A digest of rows that does not depend on their order, their format, or how they are spread over batches and files.
//!
//! The digest of a set of rows is the sum modulo 2^128 of XXH3-128 (seed 0) over the canonical encoding of each row. It
//! finds rows that were lost, doubled or altered; it is no signature, for whoever alters rows on purpose can alter the
//! digest too.
//!
//! The canonical encoding of a row has, for each field that is present, in file order and without the bucket:
//!
//! | bytes | what |
//! | --- | --- |
//! | 1 | the field's number: its place in [`FIELDS`](crate::FIELDS), from 0 |
//! | of a text: 4, then the text | length in bytes, least significant byte first, and its UTF-8 |
//! | of a boolean: 1 | 0 or 1 |
//! | of a count or a time: 8 | the number (milliseconds since 1970-01-01 UTC), least significant byte first |
//!
//! An absent value has no bytes at all, so that a column that is absent in every row does not count. A version id of
//! `null`, which is how some reports spell the null version, counts as absent.

mod encoding;

use crate::{batch::ObjectBatch, chunk::RowChunk, digest::hex, field::Field, field_set::FieldSet};
use encoding::Slots;
use serde::{Deserialize, Serialize};
use std::{fmt, iter::Sum, ops::Add, str::FromStr};
use stocktake_codec::{Dispatch, Work};
use twox_hash::XxHash3_128;

/// The digest of a set of rows; of no rows it is zero. Serialises as 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RowDigest(u128);

impl RowDigest {
    /// The digest of the rows of a chunk over some of its fields.
    pub fn of_chunk(rows: &RowChunk, fields: FieldSet) -> Self {
        let mut hasher = RowHasher::new(fields);
        rows.segments().iter().for_each(|segment| hasher.update(segment));
        hasher.digest()
    }
}

/// The digest of both sets together.
impl Add for RowDigest {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.wrapping_add(other.0))
    }
}

impl Sum for RowDigest {
    fn sum<I: Iterator<Item = Self>>(digests: I) -> Self {
        digests.fold(Self::default(), Self::add)
    }
}

impl fmt::Display for RowDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0.to_be_bytes()))
    }
}

impl FromStr for RowDigest {
    type Err = RowDigestError;

    fn from_str(text: &str) -> Result<Self, RowDigestError> {
        let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = if digits { u128::from_str_radix(text, 16).ok() } else { None };
        number.map(Self).ok_or(RowDigestError)
    }
}

impl TryFrom<String> for RowDigest {
    type Error = RowDigestError;
    fn try_from(text: String) -> Result<Self, RowDigestError> {
        text.parse()
    }
}

impl From<RowDigest> for String {
    fn from(digest: RowDigest) -> Self {
        digest.to_string()
    }
}

/// A text that is no digest of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowDigestError;

impl fmt::Display for RowDigestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a digest of rows has 32 hexadecimal digits")
    }
}

impl std::error::Error for RowDigestError {}

/// Adds rows to a digest, batch by batch.
#[derive(Clone, Debug)]
pub struct RowHasher {
    fields: FieldSet,
    sum: u128,
    /// Encoded rows, kept for their allocation.
    slots: Slots,
}

impl RowHasher {
    /// A hasher of no rows yet that looks at these fields.
    pub fn new(fields: FieldSet) -> Self {
        Self { fields: fields.without(Field::Bucket).with(Field::Key), sum: 0, slots: Slots::default() }
    }

    /// Adds the rows of a batch.
    pub fn update(&mut self, batch: &ObjectBatch) {
        let Self { fields, sum, slots } = self;
        Dispatch::Auto.run(HashRows { batch, fields: *fields, sum, slots });
    }

    /// The digest of all rows so far.
    pub fn digest(&self) -> RowDigest {
        RowDigest(self.sum)
    }
}

/// Rows to be encoded and hashed.
struct HashRows<'a> {
    batch: &'a ObjectBatch,
    fields: FieldSet,
    sum: &'a mut u128,
    slots: &'a mut Slots,
}

impl Work for HashRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { batch, fields, sum, slots } = self;
        slots.encode(batch, fields, |row| *sum = sum.wrapping_add(XxHash3_128::oneshot(row)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        batch::{Column, ObjectBatchBuilder},
        field::FIELDS,
    };

    fn fields() -> FieldSet {
        Field::all().collect()
    }

    fn batch(keys: &[&str]) -> ObjectBatch {
        let mut builder = ObjectBatchBuilder::new(fields());
        for key in keys {
            builder.row(key).size(key.len() as u64).storage_class("STANDARD").finish().unwrap();
        }
        builder.finish()
    }

    fn digest(batches: &[ObjectBatch]) -> RowDigest {
        RowDigest::of_chunk(&RowChunk::new(batches.to_vec()), fields())
    }

    /// The encoding is a promise: these bytes were put together by hand.
    #[test]
    fn the_encoding_is_as_documented() {
        let mut builder = ObjectBatchBuilder::new(fields());
        builder.row("k").version("v", true, false).size(258).last_modified_ms(-1).finish().unwrap();
        let mut row = vec![1, 1, 0, 0, 0, b'k', 2, 1, 0, 0, 0, b'v', 3, 1, 4, 0, 5, 2, 1, 0, 0, 0, 0, 0, 0, 6];
        row.extend([0xFF; 8]);
        assert_eq!(digest(&[builder.finish()]), RowDigest(XxHash3_128::oneshot(&row)));
        // XXH3-128 of nothing with seed 0, as its specification lists it.
        assert_eq!(XxHash3_128::oneshot(b""), 0x99aa_06d3_0147_98d8_6001_c324_468d_497f);
    }

    /// The encoding of a row, value by value as the table above says.
    fn encoded(batch: &ObjectBatch, row: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        let text = |bytes: &mut Vec<u8>, number: u8, text: &str| {
            if !text.is_empty() {
                bytes.push(number);
                bytes.extend(u32::try_from(text.len()).unwrap().to_le_bytes());
                bytes.extend(text.as_bytes());
            }
        };
        for field in fields().without(Field::Bucket).iter() {
            let number = u8::try_from(field.index()).unwrap();
            match batch.column(field) {
                Some(Column::Text(column)) if field == Field::VersionId && column.value(row) == "null" => {}
                Some(Column::Text(column)) => text(&mut bytes, number, column.value(row)),
                Some(Column::Code(column)) => text(&mut bytes, number, column.value(row)),
                Some(Column::Bool(column)) => {
                    bytes.extend(column.value(row).map(|value| [number, u8::from(value)]).into_iter().flatten());
                }
                Some(Column::Int(column)) => {
                    if let Some(value) = column.value(row) {
                        bytes.push(number);
                        bytes.extend(value.to_le_bytes());
                    }
                }
                None => {}
            }
        }
        bytes
    }

    /// Blocks, slots and copies of fixed length are nowhere to be seen: few and many values, short and long ones, slices.
    #[test]
    fn rows_of_every_width_are_encoded_as_one_by_one() {
        for (key_bytes, values, value_bytes) in
            [(0, 3, 5), (40, 3, 27), (58, 3, 28), (59, 70, 9), (1000, 300, 40), (9, 2, 40_000)]
        {
            let mut builder = ObjectBatchBuilder::new(fields());
            for number in 0..200_usize {
                let key = format!("{number:05}{}", "k".repeat(if number % 3 == 0 { key_bytes } else { number % 70 }));
                let row = builder.row(&key).version(["", "null", "v", "nulls"][number % 4], number % 2 == 0, false);
                let row = if number % 5 == 0 { row } else { row.size(number as u64).e_tag(&"e".repeat(number % 67)) };
                let value = format!("{:04}{}", number % values, "x".repeat(value_bytes));
                let row = if number % 7 == 0 { row } else { row.storage_class(&value[..value.len() - 4]) };
                row.finish().unwrap();
            }
            let batch = builder.finish();
            for rows in [0..200, 0..1, 63..65, 64..129, 199..200, 7..7] {
                let part = batch.slice(rows.clone());
                let sum = (0..part.len()).map(|row| XxHash3_128::oneshot(&encoded(&part, row)));
                let sum = sum.fold(0, u128::wrapping_add);
                assert_eq!(
                    digest(std::slice::from_ref(&part)),
                    RowDigest(sum),
                    "{key_bytes} {values} {value_bytes} {rows:?}"
                );
            }
        }
    }

    /// Neighbouring fields of few values are encoded together, if they are few and short enough together.
    #[test]
    fn combinations_of_values_are_encoded_as_one_by_one() {
        for (values, value_bytes) in
            [([2, 3, 4], 5), ([7, 3, 4], 20), ([5, 4, 3], 27), ([30, 20, 10], 9), ([1, 1, 1], 27)]
        {
            let mut builder = ObjectBatchBuilder::new(fields());
            for number in 0..3000_usize {
                let value = |of: usize| match number / 7 % (values[of] + 1) {
                    0 => String::new(),
                    value => format!("{value:02}{}", "x".repeat(value_bytes - 2)),
                };
                let row = builder.row(&format!("{number:05}")).storage_class(&value(0)).replication_status(&value(1));
                let row = row.encryption_status(&value(2)).multipart_uploaded(number % 5 == 0);
                let row = if number % 11 == 0 { row } else { row.boolean(Field::IsLatest, number % 2 == 0) };
                row.finish().unwrap();
            }
            let batch = builder.finish();
            for rows in [0..3000, 0..1, 17..1900] {
                let part = batch.slice(rows.clone());
                let sum = (0..part.len()).map(|row| XxHash3_128::oneshot(&encoded(&part, row)));
                let sum = sum.fold(0, u128::wrapping_add);
                assert_eq!(digest(std::slice::from_ref(&part)), RowDigest(sum), "{values:?} {value_bytes} {rows:?}");
            }
        }
    }

    #[test]
    fn numbers_of_fields_do_not_change() {
        let names: Vec<_> = FIELDS.iter().map(|info| info.csv_name).collect();
        assert_eq!(
            (names[1], names[8], names[20], names[24]),
            ("Key", "StorageClass", "LifecycleExpirationDate", "IntelligentTieringReferenceDate")
        );
    }

    #[test]
    fn order_and_batches_do_not_count_and_every_row_does() {
        let whole = digest(&[batch(&["a", "b", "c"])]);
        assert_eq!(digest(&[batch(&["c"]), batch(&["a", "b"])]), whole);
        assert_eq!(digest(&[batch(&["a"])]) + digest(&[batch(&["b", "c"])]), whole);
        assert_ne!(digest(&[batch(&["a", "b", "b"])]), whole);
        assert_ne!(digest(&[batch(&["a", "b"])]), whole);
        assert_eq!(digest(&[]), RowDigest::default());
    }

    #[test]
    fn the_null_version_has_one_encoding() {
        let of = |id: &str| {
            let mut builder = ObjectBatchBuilder::new(fields());
            builder.row("k").version(id, true, false).finish().unwrap();
            digest(&[builder.finish()])
        };
        assert_eq!(of("null"), of(""));
        assert_ne!(of("nul"), of(""));
    }

    #[test]
    fn texts_go_both_ways() {
        let of = digest(&[batch(&["a"])]);
        assert_eq!(of.to_string().parse(), Ok(of));
        assert_eq!(serde_json::from_str::<RowDigest>(&serde_json::to_string(&of).unwrap()).unwrap(), of);
        for text in ["", "0", "+0000000000000000000000000000000", &"g".repeat(32), &"0".repeat(33)] {
            assert!(text.parse::<RowDigest>().is_err(), "{text}");
        }
    }
}
