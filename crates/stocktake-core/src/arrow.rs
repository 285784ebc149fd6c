//! Record batches of Arrow taken over as object batches, without copying strings.
//!
//! The only module whose public signatures name Arrow types; it is versioned with Arrow's major. Columns are found by
//! their report names (CSV or column spelling). Text is accepted as Utf8, LargeUtf8, Utf8View and dictionaries of them,
//! counts as 32- and 64-bit integers, times as timestamps of any unit. An empty text is an absent one.

mod arrays;

pub use arrays::{TextArray, bool_array, int_array, text_array};

use crate::{
    batch::{
        BATCH_ROWS_MAX, BoolColumn, CODE_BYTES_MAX, CodeColumn, Column, IntColumn, Interner, ObjectBatch,
        TEXT_BYTES_MAX, TextColumn, Texts, check_int,
    },
    field::{Field, FieldType},
    field_set::FieldSet,
    name::KEY_BYTES_MAX,
};
use arrow_array::{
    Array, Int64Array, RecordBatch, StringArray, UInt16Array, UInt64Array,
    builder::StringBuilder,
    cast::AsArray,
    types::{
        Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType,
        TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
    },
};
use arrow_buffer::{BooleanBuffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Schema, TimeUnit};
use std::{fmt, ops::Range, sync::Arc};

/// Fields that a record batch of this schema provides.
///
/// # Errors
/// Refuses a column whose name is no field's, a field that stands twice, and a schema without `key`.
pub fn provided_fields(schema: &Schema) -> Result<FieldSet, TakeOverError> {
    let mut fields = FieldSet::EMPTY;
    for column in schema.fields() {
        let name = column.name();
        let field = Field::from_name(name)
            .ok_or_else(|| TakeOverError::schema(format!("column {name:?} is no inventory field")))?;
        if fields.contains(field) {
            return Err(TakeOverError::schema(format!("{field} stands in two columns")));
        }
        fields = fields.with(field);
    }
    if !fields.contains(Field::Key) {
        return Err(TakeOverError::schema("there is no column `key`".to_owned()));
    }
    Ok(fields.with(Field::Bucket))
}

/// Takes record batches of one stream over; keeps the codes of few-valued text from batch to batch.
#[derive(Debug)]
pub struct RecordBatchReader {
    fields: FieldSet,
    bucket: Option<Box<str>>,
    interners: Vec<(Field, Interner)>,
}

impl RecordBatchReader {
    /// A reader that keeps the columns of `fields`, and the keys; a bucket column is checked against `bucket` if given.
    pub fn new(fields: FieldSet, bucket: Option<&str>) -> Self {
        let coded = fields.iter().filter(|field| field.field_type() == FieldType::Code);
        Self {
            fields,
            bucket: bucket.map(Into::into),
            interners: coded.map(|field| (field, Interner::new())).collect(),
        }
    }

    /// Takes over the rows `offset..offset + length` of a record batch, of which there are at most
    /// [`BATCH_ROWS_MAX`]. Utf8 and Utf8View texts, 64-bit integers, millisecond times and booleans are shared, not
    /// copied.
    ///
    /// # Errors
    /// Names column and row (counted from 0 in the record batch) of a column with a wrong type, an absent or too long
    /// key, a negative size, a time that no report can spell, a bucket other than the report's, a text too long.
    pub fn take_over(
        &mut self,
        batch: &RecordBatch,
        offset: usize,
        length: usize,
    ) -> Result<ObjectBatch, TakeOverError> {
        assert!(length <= BATCH_ROWS_MAX, "callers slice long record batches");
        let mut columns = [const { None }; Field::COUNT];
        for (column, array) in batch.schema_ref().fields().iter().zip(batch.columns()) {
            let Some(field) = Field::from_name(column.name()) else {
                return Err(TakeOverError::schema(format!("column {:?} is no inventory field", column.name())));
            };
            let array = array.slice(offset, length);
            if field == Field::Bucket {
                self.check_bucket(&array).map_err(|problem| problem.at(field, offset))?;
            } else if field == Field::Key || self.fields.contains(field) {
                columns[field.index()] = self.column(field, &array).map_err(|problem| problem.at(field, offset))?;
            }
        }
        if columns[Field::Key.index()].is_none() {
            return Err(TakeOverError::schema("there is no column `key`".to_owned()));
        }
        for (_, interner) in &mut self.interners {
            interner.begin_batch();
        }
        Ok(ObjectBatch { rows: length, columns, origin: None })
    }

    fn column(&mut self, field: Field, array: &dyn Array) -> Result<Option<Column>, Problem> {
        if *array.data_type() == DataType::Null && field != Field::Key {
            return Ok(None);
        }
        Ok(Some(match field.field_type() {
            FieldType::Text => Column::Text(text_column(field, array)?),
            FieldType::Code => {
                let interner = self.interners.iter_mut().find(|(of, _)| *of == field).map(|(_, interner)| interner);
                let Some(interner) = interner else { return Ok(None) };
                Column::Code(code_column(array, interner)?)
            }
            FieldType::Boolean => {
                Column::Bool(BoolColumn(array.as_boolean_opt().ok_or_else(|| wrong_type(array, "booleans"))?.clone()))
            }
            FieldType::Int64 | FieldType::Int32 => Column::Int(IntColumn(checked(field, counts(array)?)?)),
            FieldType::Timestamp => Column::Int(IntColumn(checked(field, times(array)?)?)),
        }))
    }

    fn check_bucket(&self, array: &dyn Array) -> Result<(), Problem> {
        let Some(bucket) = self.bucket.as_deref() else { return Ok(()) };
        if let Some(texts) = array.as_string_opt::<i32>().filter(|texts| texts.null_count() == 0)
            && blocks(texts.len()).all(|rows| is_one_text(texts, &rows) && texts.value(rows.start) == bucket)
        {
            return Ok(());
        }
        for_each_text(array, |row, text| {
            if text == bucket {
                Ok(())
            } else {
                Err(Problem::row(row, format!("is {text:?}, and the report's bucket is {bucket:?}")))
            }
        })
    }
}

/// A record batch that cannot be taken over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakeOverError {
    field: Option<Field>,
    row: Option<usize>,
    problem: String,
}

impl TakeOverError {
    fn schema(problem: String) -> Self {
        Self { field: None, row: None, problem }
    }

    /// Row of the record batch, from 0, if one row is at fault.
    pub fn row(&self) -> Option<usize> {
        self.row
    }
}

impl fmt::Display for TakeOverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(field) = self.field {
            write!(f, "column `{}` ", field.column_name())?;
        }
        f.write_str(&self.problem)
    }
}

impl std::error::Error for TakeOverError {}

struct Problem {
    row: Option<usize>,
    text: String,
}

impl Problem {
    fn row(row: usize, text: String) -> Self {
        Self { row: Some(row), text }
    }

    fn at(self, field: Field, offset: usize) -> TakeOverError {
        TakeOverError { field: Some(field), row: self.row.map(|row| row + offset), problem: self.text }
    }
}

fn wrong_type(array: &dyn Array, wanted: &str) -> Problem {
    Problem { row: None, text: format!("has type {}, not {wanted}", array.data_type()) }
}

fn too_long(row: usize, length: usize, limit: usize) -> Problem {
    Problem::row(row, format!("has {length} bytes; at most {limit} are taken"))
}

fn text_column(field: Field, array: &dyn Array) -> Result<TextColumn, Problem> {
    let bytes_max = if field == Field::Key { KEY_BYTES_MAX } else { TEXT_BYTES_MAX };
    let column = match array.data_type() {
        DataType::Utf8 => TextColumn(Texts::Utf8(with_absent_empty(array.as_string::<i32>().clone()))),
        DataType::LargeUtf8 => {
            let large = array.as_string::<i64>();
            let first = large.value_offsets()[0];
            let offsets: Option<Vec<i32>> =
                large.value_offsets().iter().map(|offset| i32::try_from(offset - first).ok()).collect();
            let offsets = offsets
                .ok_or_else(|| Problem { row: None, text: "has more than 2 GiB of text in one batch".to_owned() })?;
            // Offsets of a valid array are never negative.
            let start = usize::try_from(first).unwrap_or(0);
            let bytes = usize::try_from(offsets[offsets.len() - 1]).unwrap_or(0);
            let values = large.values().slice_with_length(start, bytes);
            let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
            let array = StringArray::try_new(offsets, values, large.nulls().cloned());
            TextColumn(Texts::Utf8(with_absent_empty(
                array.map_err(|error| Problem { row: None, text: error.to_string() })?,
            )))
        }
        DataType::Utf8View => {
            let views = array.as_string_view();
            let dirty = |row: usize| (views.views()[row] & 0xFFFF_FFFF == 0) != views.is_null(row);
            if (0..views.len()).any(dirty) {
                TextColumn(Texts::Utf8(copied(array, bytes_max)?))
            } else {
                TextColumn(Texts::View(views.clone()))
            }
        }
        DataType::Dictionary(_, _) => TextColumn(Texts::Utf8(copied(array, bytes_max)?)),
        _ => return Err(wrong_type(array, "text")),
    };
    let length_min = usize::from(field == Field::Key);
    if column.as_offsets().is_some_and(|(offsets, _)| lengths_are_within(offsets, length_min, bytes_max)) {
        return Ok(column);
    }
    for row in 0..column.len() {
        let length = column.value(row).len();
        if length > bytes_max {
            return Err(too_long(row, length, bytes_max));
        }
        if length < length_min {
            return Err(Problem::row(row, "has no key in a row".to_owned()));
        }
    }
    Ok(column)
}

/// Whether every text between ascending offsets has from `least` to `most` bytes; found out without a branch a row.
fn lengths_are_within(offsets: &[i32], least: usize, most: usize) -> bool {
    let lengths = offsets.windows(2).map(|pair| pair[1] - pair[0]);
    let (shortest, longest) = lengths.fold((i32::MAX, 0), |(min, max), length| (min.min(length), max.max(length)));
    offsets.len() < 2 || (shortest.cast_unsigned() as usize >= least && longest.cast_unsigned() as usize <= most)
}

/// Rows that are looked at together: as many as make looking cheap, and few enough that one other row costs little.
const BLOCK_ROWS: usize = 32;

fn blocks(rows: usize) -> impl Iterator<Item = Range<usize>> {
    (0..rows).step_by(BLOCK_ROWS).map(move |start| start..rows.min(start + BLOCK_ROWS))
}

/// Whether some rows, of which there is one at least, have the same text: most few-valued fields hardly ever change.
fn is_one_text(texts: &StringArray, rows: &Range<usize>) -> bool {
    let offsets = &texts.value_offsets()[rows.start..=rows.end];
    let length = offsets[1] - offsets[0];
    if !offsets.windows(2).fold(true, |alike, pair| alike & (pair[1] - pair[0] == length)) {
        return false;
    }
    let at = |offset: i32| offset.cast_unsigned() as usize;
    let bytes = &texts.values()[at(offsets[0])..at(offsets[offsets.len() - 1])];
    bytes[..bytes.len() - at(length)] == bytes[at(length)..]
}

/// Makes "absent" and "empty" the same; copies texts only if bytes stand behind an absent value.
fn with_absent_empty(array: StringArray) -> StringArray {
    if array.null_count() == 0 && lengths_are_within(array.value_offsets(), 1, usize::MAX) {
        return array;
    }
    let offsets = array.value_offsets();
    let filled = BooleanBuffer::collect_bool(array.len(), |row| offsets[row] != offsets[row + 1]);
    if array.nulls().is_some_and(|nulls| *nulls.inner() == filled) {
        return array;
    }
    let hidden = array.nulls().is_some_and(|nulls| (&!nulls.inner() & &filled).count_set_bits() > 0);
    if hidden {
        return array.iter().map(|text| text.filter(|text| !text.is_empty())).collect();
    }
    let (offsets, values, _) = array.into_parts();
    match StringArray::try_new(offsets, values, Some(NullBuffer::new(filled))) {
        Ok(array) => array,
        Err(error) => unreachable!("the texts are those of a valid array: {error}"),
    }
}

/// Copies texts of at most `bytes_max` bytes each, which keeps a batch within the bounds of its offsets and of memory.
fn copied(array: &dyn Array, bytes_max: usize) -> Result<StringArray, Problem> {
    let mut builder = StringBuilder::with_capacity(array.len(), 0);
    for_each_text(array, |row, text| {
        if text.len() > bytes_max {
            return Err(too_long(row, text.len(), bytes_max));
        }
        if text.is_empty() {
            builder.append_null()
        } else {
            builder.append_value(text)
        }
        Ok(())
    })?;
    Ok(builder.finish())
}

fn code_column(array: &dyn Array, interner: &mut Interner) -> Result<CodeColumn, Problem> {
    let mut codes = Vec::with_capacity(array.len());
    if let Some(texts) = array.as_string_opt::<i32>()
        && lengths_are_within(texts.value_offsets(), 0, CODE_BYTES_MAX)
    {
        let texts = with_absent_empty(texts.clone());
        for rows in blocks(texts.len()) {
            if is_one_text(&texts, &rows) {
                let (code, _) = interner.code(texts.value(rows.start));
                codes.resize(rows.end, code);
            } else {
                let offsets = &texts.value_offsets()[rows.start..=rows.end];
                interner.extend(&mut codes, texts.values(), offsets, |row| texts.value(rows.start + row));
            }
        }
        return Ok(CodeColumn { codes: UInt16Array::from(codes), values: Arc::clone(interner.values()) });
    }
    let code = |interner: &mut Interner, row: usize, text: &str| {
        if text.len() > CODE_BYTES_MAX {
            Err(too_long(row, text.len(), CODE_BYTES_MAX))
        } else {
            Ok(interner.code(text).0)
        }
    };
    if array.as_any_dictionary_opt().is_some_and(|dictionary| dictionary.values().is_empty()) {
        // Every row is absent, and a dictionary without values has no keys to be normalised.
        codes.resize(array.len(), 0);
    } else if let (Some(dictionary), true) = (array.as_any_dictionary_opt(), array.len() > 256) {
        // Each distinct value is interned once, on the first row that has it.
        let keys = dictionary.normalized_keys();
        let mut known: Vec<Option<u16>> = vec![None; dictionary.values().len()];
        let texts = TextValues::new(dictionary.values())?;
        for (row, key) in keys.iter().enumerate() {
            let absent = dictionary.keys().is_null(row);
            codes.push(match known.get(*key).copied().flatten() {
                _ if absent => 0,
                Some(code) => code,
                None => {
                    let new = code(interner, row, texts.value(*key))?;
                    known[*key] = Some(new);
                    new
                }
            });
        }
    } else {
        for_each_text(array, |row, text| {
            codes.push(code(interner, row, text)?);
            Ok(())
        })?;
    }
    Ok(CodeColumn { codes: UInt16Array::from(codes), values: Arc::clone(interner.values()) })
}

/// Texts of an array of any text type but a dictionary; absent ones read as empty.
enum TextValues<'a> {
    Utf8(&'a StringArray),
    Large(&'a arrow_array::LargeStringArray),
    View(&'a arrow_array::StringViewArray),
}

impl<'a> TextValues<'a> {
    fn new(array: &'a dyn Array) -> Result<Self, Problem> {
        match array.data_type() {
            DataType::Utf8 => Ok(Self::Utf8(array.as_string())),
            DataType::LargeUtf8 => Ok(Self::Large(array.as_string())),
            DataType::Utf8View => Ok(Self::View(array.as_string_view())),
            _ => Err(wrong_type(array, "text")),
        }
    }

    fn value(&self, row: usize) -> &'a str {
        match self {
            Self::Utf8(array) if array.is_valid(row) => array.value(row),
            Self::Large(array) if array.is_valid(row) => array.value(row),
            Self::View(array) if array.is_valid(row) => array.value(row),
            _ => "",
        }
    }
}

/// Calls `each` with every row's text, empty if absent; one dispatch for the array, none a row.
fn for_each_text(array: &dyn Array, mut each: impl FnMut(usize, &str) -> Result<(), Problem>) -> Result<(), Problem> {
    if let Some(dictionary) = array.as_any_dictionary_opt() {
        let texts = TextValues::new(dictionary.values())?;
        let values = dictionary.values().len();
        if values == 0 {
            // Every row is absent, and there are no keys to be normalised.
            return (0..array.len()).try_for_each(|row| each(row, ""));
        }
        return dictionary.normalized_keys().iter().enumerate().try_for_each(|(row, key)| {
            each(row, if dictionary.keys().is_null(row) || *key >= values { "" } else { texts.value(*key) })
        });
    }
    match TextValues::new(array)? {
        TextValues::Utf8(array) => array.iter().enumerate().try_for_each(|(row, text)| each(row, text.unwrap_or(""))),
        TextValues::Large(array) => array.iter().enumerate().try_for_each(|(row, text)| each(row, text.unwrap_or(""))),
        TextValues::View(array) => array.iter().enumerate().try_for_each(|(row, text)| each(row, text.unwrap_or(""))),
    }
}

fn counts(array: &dyn Array) -> Result<Int64Array, Problem> {
    Ok(match array.data_type() {
        DataType::Int64 => array.as_primitive::<Int64Type>().clone(),
        DataType::Int8 => array.as_primitive::<Int8Type>().unary(i64::from),
        DataType::Int16 => array.as_primitive::<Int16Type>().unary(i64::from),
        DataType::Int32 => array.as_primitive::<Int32Type>().unary(i64::from),
        DataType::UInt8 => array.as_primitive::<UInt8Type>().unary(i64::from),
        DataType::UInt16 => array.as_primitive::<UInt16Type>().unary(i64::from),
        DataType::UInt32 => array.as_primitive::<UInt32Type>().unary(i64::from),
        DataType::UInt64 => signed(array.as_primitive::<UInt64Type>())?,
        _ => return Err(wrong_type(array, "an integer")),
    })
}

/// Numbers without a sign, which must fit in 63 bits; what stands in null rows has no meaning.
fn signed(array: &UInt64Array) -> Result<Int64Array, Problem> {
    let most = i64::MAX.cast_unsigned();
    if array.values().iter().any(|value| *value > most)
        && let Some(row) = (0..array.len()).find(|row| array.is_valid(*row) && array.value(*row) > most)
    {
        return Err(Problem::row(row, format!("is more than {most}: {}", array.value(row))));
    }
    Ok(array.unary(u64::cast_signed))
}

fn times(array: &dyn Array) -> Result<Int64Array, Problem> {
    Ok(match array.data_type() {
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            array.as_primitive::<TimestampMillisecondType>().reinterpret_cast()
        }
        // A second that does not fit in milliseconds is far outside the years that the check after this accepts.
        DataType::Timestamp(TimeUnit::Second, _) => {
            array.as_primitive::<TimestampSecondType>().unary(|s| s.saturating_mul(1000))
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            array.as_primitive::<TimestampMicrosecondType>().unary(|us| us.div_euclid(1000))
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            array.as_primitive::<TimestampNanosecondType>().unary(|ns| ns.div_euclid(1_000_000))
        }
        _ => return Err(wrong_type(array, "a timestamp")),
    })
}

fn checked(field: Field, array: Int64Array) -> Result<Int64Array, Problem> {
    // Almost always every value is good, absent ones included: find out without branches first.
    let range =
        array.values().iter().fold((i64::MAX, i64::MIN), |(min, max), value| (min.min(*value), max.max(*value)));
    if !array.is_empty() && (check_int(field, range.0).is_err() || check_int(field, range.1).is_err()) {
        for row in (0..array.len()).filter(|row| array.is_valid(*row)) {
            check_int(field, array.value(row)).map_err(|problem| Problem::row(row, problem))?;
        }
    }
    Ok(array)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{
        ArrayRef, BooleanArray, DictionaryArray, LargeStringArray, StringViewArray, TimestampMillisecondArray,
        TimestampSecondArray,
    };

    fn record_batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap()
    }

    fn take_over(columns: Vec<(&str, ArrayRef)>) -> Result<ObjectBatch, TakeOverError> {
        let batch = record_batch(columns);
        RecordBatchReader::new(Field::all().collect(), Some("b")).take_over(&batch, 0, batch.num_rows())
    }

    #[test]
    fn a_dictionary_without_values_is_absent_in_every_row() {
        for rows in [3, 300] {
            let keys = arrow_array::Int32Array::new_null(rows);
            let dictionary =
                || -> ArrayRef { Arc::new(DictionaryArray::new(keys.clone(), Arc::new(StringArray::new_null(0)))) };
            let names: ArrayRef = Arc::new(StringArray::from(vec!["k"; rows]));
            let batch = take_over(vec![("key", names), ("e_tag", dictionary()), ("storage_class", dictionary())]);
            let batch = batch.unwrap();
            for field in [Field::ETag, Field::StorageClass] {
                match batch.column(field) {
                    Some(Column::Text(column)) => assert_eq!((column.value(2), column.absent()), ("", rows)),
                    Some(Column::Code(column)) => assert_eq!(column.codes(), vec![0; rows]),
                    other => panic!("{other:?}"),
                }
            }
            assert!(take_over(vec![("key", dictionary())]).is_err());
        }
    }

    #[test]
    fn every_text_type_reads_alike() {
        let texts = [Some("one"), None, Some(""), Some("a text longer than a view holds inline")];
        let arrays: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from(texts.to_vec())),
            Arc::new(LargeStringArray::from(texts.to_vec())),
            Arc::new(StringViewArray::from(texts.to_vec())),
            Arc::new(texts.into_iter().collect::<DictionaryArray<Int8Type>>()),
        ];
        for array in arrays {
            let keys: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "c", "d"]));
            let batch = take_over(vec![("key", keys), ("e_tag", Arc::clone(&array)), ("StorageClass", array)]).unwrap();
            let (Some(Column::Text(tags)), Some(Column::Code(classes))) =
                (batch.column(Field::ETag), batch.column(Field::StorageClass))
            else {
                panic!()
            };
            for (row, text) in texts.iter().enumerate() {
                assert_eq!(tags.value(row), text.unwrap_or(""));
                assert_eq!(classes.value(row), text.unwrap_or(""));
            }
            assert_eq!(tags.absent(), 2);
        }
    }

    #[test]
    fn values_that_change_anywhere_in_a_block_are_seen() {
        for changed in 0..70 {
            let text = |row: usize| match row {
                row if row == changed => Some("OTHERTEXT"),
                69 => None,
                _ => Some("STANDARD1"),
            };
            let keys: StringArray = (0..70).map(|row| Some(format!("{row:04}"))).collect();
            let classes: StringArray = (0..70).map(text).collect();
            let batch = take_over(vec![("key", Arc::new(keys)), ("storage_class", Arc::new(classes))]).unwrap();
            let Some(Column::Code(column)) = batch.column(Field::StorageClass) else { panic!() };
            for row in 0..70 {
                assert_eq!(column.value(row), text(row).unwrap_or_default(), "row {row}, changed {changed}");
            }
            let keys: StringArray = (0..70).map(|row| Some(format!("{row:04}"))).collect();
            let buckets: StringArray = (0..70).map(|row| Some(if row == changed { "c" } else { "b" })).collect();
            let error = take_over(vec![("key", Arc::new(keys)), ("bucket", Arc::new(buckets))]).unwrap_err();
            assert_eq!(error.row(), Some(changed));
        }
    }

    #[test]
    fn long_dictionaries_are_interned_by_value() {
        let keys: StringArray = (0..1000).map(|row| Some(format!("{row:04}"))).collect();
        let classes: DictionaryArray<Int32Type> =
            (0..1000).map(|row| (row % 7 > 0).then_some(["A", "B", "C"][row % 3])).collect();
        let batch = take_over(vec![("key", Arc::new(keys)), ("storage_class", Arc::new(classes))]).unwrap();
        let Some(Column::Code(column)) = batch.column(Field::StorageClass) else { panic!() };
        for row in 0..1000 {
            assert_eq!(column.value(row), if row % 7 > 0 { ["A", "B", "C"][row % 3] } else { "" });
        }
    }

    #[test]
    fn numbers_and_times_of_any_unit_are_taken() {
        let batch = take_over(vec![
            ("key", Arc::new(StringViewArray::from(vec!["a", "b"]))),
            ("size", Arc::new(UInt64Array::from(vec![Some(7), None]))),
            ("last_modified_date", Arc::new(TimestampSecondArray::from(vec![1, 2]))),
            (
                "lifecycle_expiration_date",
                Arc::new(TimestampMillisecondArray::from(vec![1, 2]).with_timezone("+02:00")),
            ),
            ("is_multipart_uploaded", Arc::new(BooleanArray::from(vec![Some(true), None]))),
            ("bucket", Arc::new(StringArray::from(vec!["b", "b"]))),
        ])
        .unwrap();
        let int = |field, row| match batch.column(field) {
            Some(Column::Int(column)) => column.value(row),
            _ => panic!(),
        };
        assert_eq!((int(Field::Size, 0), int(Field::Size, 1)), (Some(7), None));
        assert_eq!(int(Field::LastModifiedDate, 1), Some(2000));
        assert_eq!(int(Field::LifecycleExpirationDate, 1), Some(2));
    }

    #[test]
    fn what_a_report_cannot_hold_is_refused_with_its_row() {
        let keys = || -> ArrayRef { Arc::new(StringArray::from(vec!["a", "b"])) };
        let message = |columns| take_over(columns).unwrap_err().to_string();
        assert_eq!(
            message(vec![("key", Arc::new(StringArray::from(vec![Some("a"), None])))]),
            "column `key` has no key in a row"
        );
        assert_eq!(message(vec![("size", Arc::new(Int64Array::from(vec![1])))]), "there is no column `key`");
        let error = take_over(vec![("key", keys()), ("size", Arc::new(Int64Array::from(vec![1, -1])))]).unwrap_err();
        assert_eq!((error.row(), error.to_string()), (Some(1), "column `size` is negative: -1".to_owned()));
        let error =
            take_over(vec![("key", keys()), ("size", Arc::new(UInt64Array::from(vec![1, u64::MAX])))]).unwrap_err();
        let told = "column `size` is more than 9223372036854775807: 18446744073709551615";
        assert_eq!((error.row(), error.to_string()), (Some(1), told.to_owned()));
        assert!(take_over(vec![("key", keys()), ("size", Arc::new(StringArray::from(vec!["1", "2"])))]).is_err());
        assert!(take_over(vec![("key", keys()), ("etag", keys())]).is_err());
        assert!(take_over(vec![("key", keys()), ("bucket", Arc::new(StringArray::from(vec!["b", "c"])))]).is_err());
        assert!(take_over(vec![("key", Arc::new(StringArray::from(vec!["k".repeat(1025)])))]).is_err());
        assert!(
            take_over(vec![
                ("key", keys()),
                ("last_modified_date", Arc::new(TimestampSecondArray::from(vec![1, i64::MAX])))
            ])
            .is_err()
        );
    }

    #[test]
    fn a_long_text_behind_many_codes_is_refused_before_it_is_copied() {
        let keys: StringArray = (0..8192).map(|row| Some(format!("{row:05}"))).collect();
        let long = "x".repeat(300_000);
        let tags: DictionaryArray<Int32Type> = (0..8192).map(|_| Some(long.as_str())).collect();
        let error = take_over(vec![("key", Arc::new(keys)), ("e_tag", Arc::new(tags))]).unwrap_err();
        assert_eq!(
            (error.row(), error.to_string()),
            (Some(0), "column `e_tag` has 300000 bytes; at most 1024 are taken".to_owned())
        );
    }

    #[test]
    fn strings_are_shared_not_copied() {
        let keys = StringArray::from(vec!["a", "b", "c"]);
        let data = keys.values().as_ptr();
        let batch = take_over(vec![("key", Arc::new(keys))]).unwrap();
        assert_eq!(batch.keys().as_offsets().unwrap().1.as_ptr(), data);
    }
}
