//! Fills a batch row by row from borrowed values, without an allocation per object.
//!
//! A setter writes straight into its column; a column that a row does not set stays absent there. Columns of fields that
//! the report does not need are not kept at all.

use super::{
    CODE_BYTES_MAX, Column, ObjectBatch, RowOrigin,
    column::{BoolColumn, CodeColumn, IntColumn, TextColumn, Texts},
    intern::Interner,
};
use crate::{
    field::{Field, FieldType},
    field_set::FieldSet,
    name::KEY_BYTES_MAX,
    time::Timestamp,
};
use arrow_array::{
    BooleanArray, Int64Array, UInt16Array,
    builder::{ArrayBuilder, StringBuilder},
};
use arrow_buffer::{BooleanBufferBuilder, NullBufferBuilder};
use std::{fmt, ops::RangeInclusive, sync::Arc};

/// Most rows of a built batch. With interning tables begun anew at 4,096 values it keeps codes within 16 bits.
pub const BATCH_ROWS_MAX: usize = 32_768;

/// Longest version id or ETag in bytes; S3 limits version ids to 1,024.
pub const TEXT_BYTES_MAX: usize = 1024;

/// A built batch is full at so many rows: large enough to make per-batch work negligible, small enough for a cache.
const BATCH_ROWS_TARGET: usize = 8192;

/// Room for texts is made in steps of this.
const ROOM_STEP_BYTES: usize = 128 << 10;

/// A built batch is full at so many bytes of texts, which bounds what a reader holds ahead.
const BATCH_BYTES_TARGET: usize = 2 << 20;

/// Fills batches for one stream; kept over all batches of it, so that interned values keep their codes.
#[derive(Debug)]
pub struct ObjectBatchBuilder {
    fields: FieldSet,
    rows: usize,
    text_bytes: usize,
    keys: StringBuilder,
    version_id: StringBuilder,
    e_tag: StringBuilder,
    codes: Vec<(Field, CodeBuilder)>,
    code_slots: [u8; Field::COUNT],
    ints: Vec<(Field, IntBuilder)>,
    bools: Vec<(Field, BoolBuilder)>,
    whole: Option<ObjectBatch>,
    origin: Option<RowOrigin>,
    error: Option<RowError>,
    last: LastBatch,
}

/// Sizes of the batch before: the next one is likely to need as much, and growing by and by would copy and fault pages.
#[derive(Debug, Default)]
struct LastBatch {
    fields: FieldSet,
    rows: usize,
    key_bytes: usize,
    version_id_bytes: usize,
    e_tag_bytes: usize,
}

#[derive(Debug)]
struct CodeBuilder {
    codes: Vec<u16>,
    interner: Interner,
}

#[derive(Debug)]
struct IntBuilder {
    /// Values that the field may have.
    range: RangeInclusive<i64>,
    values: Vec<i64>,
    present: NullBufferBuilder,
}

#[derive(Debug)]
struct BoolBuilder {
    values: BooleanBufferBuilder,
    present: NullBufferBuilder,
}

const NO_SLOT: u8 = u8::MAX;

impl ObjectBatchBuilder {
    /// A builder that keeps the columns of `fields`, and the keys.
    pub fn new(fields: FieldSet) -> Self {
        let mut builder = Self {
            fields,
            rows: 0,
            text_bytes: 0,
            keys: StringBuilder::new(),
            version_id: StringBuilder::new(),
            e_tag: StringBuilder::new(),
            codes: Vec::new(),
            code_slots: [NO_SLOT; Field::COUNT],
            ints: Vec::new(),
            bools: Vec::new(),
            whole: None,
            origin: None,
            error: None,
            last: LastBatch::default(),
        };
        for field in fields.iter() {
            // At most 25 fields.
            let slot = |length: usize| u8::try_from(length).unwrap_or(NO_SLOT);
            match field.field_type() {
                FieldType::Text => {}
                FieldType::Code => {
                    builder.code_slots[field.index()] = slot(builder.codes.len());
                    builder.codes.push((field, CodeBuilder { codes: Vec::new(), interner: Interner::new() }));
                }
                FieldType::Boolean => {
                    builder.code_slots[field.index()] = slot(builder.bools.len());
                    let empty =
                        BoolBuilder { values: BooleanBufferBuilder::new(0), present: NullBufferBuilder::new(0) };
                    builder.bools.push((field, empty));
                }
                FieldType::Int64 | FieldType::Int32 | FieldType::Timestamp => {
                    builder.code_slots[field.index()] = slot(builder.ints.len());
                    let present = NullBufferBuilder::new(0);
                    builder.ints.push((field, IntBuilder { range: int_range(field), values: Vec::new(), present }));
                }
            }
        }
        builder
    }

    /// Fields whose columns are kept.
    pub fn fields(&self) -> FieldSet {
        self.fields
    }

    /// Rows so far.
    pub fn len(&self) -> usize {
        self.whole.as_ref().map_or(self.rows, ObjectBatch::len)
    }

    /// Whether there is no row yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a source should yield the batch now. At most [`BATCH_ROWS_MAX`] rows are taken beyond this advice.
    pub fn is_full(&self) -> bool {
        self.whole.is_some() || self.rows >= BATCH_ROWS_TARGET || self.text_bytes >= BATCH_BYTES_TARGET
    }

    /// Begins a row; set its fields and call [`RowBuilder::finish`].
    ///
    /// Mistakes are kept and reported by `finish`.
    #[inline]
    pub fn row(&mut self, key: &str) -> RowBuilder<'_> {
        if self.rows == 0 {
            self.reserve_as_last();
        }
        if key.is_empty() || key.len() > KEY_BYTES_MAX {
            self.fail(Field::Key, key, format!("a key has 1 to {KEY_BYTES_MAX} bytes, this one {}", key.len()));
        } else if self.rows >= BATCH_ROWS_MAX || self.whole.is_some() {
            self.fail(Field::Key, key, "the batch is full".to_owned());
        } else if ArrayBuilder::len(&self.keys) != self.rows {
            self.fail(Field::Key, key, "the row before it was not finished".to_owned());
        } else {
            self.keys.append_value(key);
            self.text_bytes += key.len();
        }
        RowBuilder { batch: self }
    }

    /// Hands over a whole batch in place of rows, for sources that have columns already.
    ///
    /// Rows built so far are lost; columns that are not needed are dropped.
    pub fn take_over(&mut self, batch: ObjectBatch) {
        self.clear();
        self.whole = Some(batch.project(self.fields));
    }

    /// States where the rows stood in the source.
    pub fn set_origin(&mut self, origin: RowOrigin) {
        self.origin = Some(origin);
    }

    /// Removes all rows and keeps interned values.
    pub fn clear(&mut self) {
        let unfinished = !ArrayBuilder::is_empty(&self.keys);
        if self.rows > 0 || unfinished || self.whole.is_some() || self.error.is_some() {
            self.whole = None;
            drop(self.finish());
            self.error = None;
        }
        self.origin = None;
    }

    /// The batch; the builder is empty afterwards and may be filled again.
    pub fn finish(&mut self) -> ObjectBatch {
        if let Some(whole) = self.whole.take() {
            return match self.origin.take() {
                Some(origin) => whole.with_origin(origin),
                None => whole,
            };
        }
        // A row that was not finished has begun its columns: they are built to its end, and it is cut off.
        let begun = ArrayBuilder::len(&self.keys) > self.rows || self.error.is_some();
        let rows = self.rows + usize::from(begun);
        self.last = LastBatch {
            fields: FieldSet::EMPTY,
            rows,
            key_bytes: self.keys.values_slice().len(),
            version_id_bytes: self.version_id.values_slice().len(),
            e_tag_bytes: self.e_tag.values_slice().len(),
        };
        let mut columns = [const { None }; Field::COUNT];
        columns[Field::Key.index()] = Some(text_column(&mut self.keys, rows));
        for (field, builder) in [(Field::VersionId, &mut self.version_id), (Field::ETag, &mut self.e_tag)] {
            if self.fields.contains(field) && !ArrayBuilder::is_empty(builder) {
                columns[field.index()] = Some(text_column(builder, rows));
            }
        }
        for (field, builder) in &mut self.codes {
            if !builder.codes.is_empty() {
                builder.codes.resize(rows, 0);
                let codes = UInt16Array::from(std::mem::take(&mut builder.codes));
                let values = Arc::clone(builder.interner.values());
                columns[field.index()] = Some(Column::Code(CodeColumn { codes, values }));
                builder.interner.begin_batch();
            }
        }
        for (field, builder) in &mut self.ints {
            if !builder.values.is_empty() {
                builder.present.append_n_nulls(rows - builder.values.len());
                builder.values.resize(rows, 0);
                let values = std::mem::take(&mut builder.values);
                columns[field.index()] =
                    Some(Column::Int(IntColumn(Int64Array::new(values.into(), builder.present.finish()))));
            }
        }
        for (field, builder) in &mut self.bools {
            if !builder.values.is_empty() {
                let missing = rows - builder.values.len();
                builder.present.append_n_nulls(missing);
                builder.values.append_n(missing, false);
                let array = BooleanArray::new(builder.values.finish(), builder.present.finish());
                columns[field.index()] = Some(Column::Bool(BoolColumn(array)));
            }
        }
        let batch = ObjectBatch { rows, columns, origin: self.origin.take() };
        self.last.fields = batch.fields();
        let finished = std::mem::take(&mut self.rows);
        self.text_bytes = 0;
        if begun { batch.slice(0..finished) } else { batch }
    }

    /// Makes room for as many rows and bytes as the batch before had, within what fills a batch.
    #[cold]
    fn reserve_as_last(&mut self) {
        if !ArrayBuilder::is_empty(&self.keys) {
            // The row before was not finished; its columns stay, and the mistake shows.
            return;
        }
        let last = &self.last;
        let rows = last.rows.min(BATCH_ROWS_TARGET);
        // Batches of a stream are of about one size: room in whole steps is used again by the allocator as it is, where room
        // of ever other sizes would leave gaps that add up over a long run.
        let steps = |bytes: usize| bytes.next_power_of_two().min(bytes.next_multiple_of(ROOM_STEP_BYTES));
        let text = |bytes: usize| {
            StringBuilder::with_capacity(BATCH_ROWS_TARGET, steps(bytes + bytes / 8).min(BATCH_BYTES_TARGET))
        };
        if last.key_bytes > 0 {
            self.keys = text(last.key_bytes);
        }
        if last.version_id_bytes > 0 {
            self.version_id = text(last.version_id_bytes);
        }
        if last.e_tag_bytes > 0 {
            self.e_tag = text(last.e_tag_bytes);
        }
        for (_, builder) in self.codes.iter_mut().filter(|(field, _)| last.fields.contains(*field)) {
            builder.codes.reserve(rows);
        }
        for (_, builder) in self.ints.iter_mut().filter(|(field, _)| last.fields.contains(*field)) {
            builder.values.reserve(rows);
        }
        for (_, builder) in self.bools.iter_mut().filter(|(field, _)| last.fields.contains(*field)) {
            builder.values.reserve(rows);
        }
    }

    /// Sets a few-valued text behind rows that lack it, or keeps the mistake.
    #[inline(never)]
    fn set_code_slowly(&mut self, field: Field, text: &str) {
        let rows = self.rows;
        match self.codes.get_mut(usize::from(self.code_slots[field.index()])) {
            Some((of, _)) if *of != field => self.fail_in_row(field, NO_TEXT.to_owned()),
            None => self.fail_in_row(field, NO_TEXT.to_owned()),
            Some(_) if text.len() > CODE_BYTES_MAX => self.fail_in_row(field, too_long(text, CODE_BYTES_MAX)),
            Some((_, column)) if column.codes.len() > rows => self.fail_in_row(field, TWICE.to_owned()),
            Some((_, column)) => {
                let (code, grown) = column.interner.code(text);
                column.codes.resize(rows, 0);
                column.codes.push(code);
                self.text_bytes += grown;
            }
        }
    }

    /// Sets an ETag or version id behind rows that lack it, or keeps the mistake.
    #[inline(never)]
    fn set_text_slowly(&mut self, field: Field, text: &str) {
        let column = if field == Field::ETag { &mut self.e_tag } else { &mut self.version_id };
        if ArrayBuilder::len(column) > self.rows {
            self.fail_in_row(field, TWICE.to_owned());
        } else if text.len() > TEXT_BYTES_MAX {
            self.fail_in_row(field, too_long(text, TEXT_BYTES_MAX));
        } else {
            pad_text(column, self.rows);
            column.append_value(text);
            self.text_bytes += text.len();
        }
    }

    /// Sets a boolean behind rows that lack it, or keeps the mistake.
    #[inline(never)]
    fn set_bool_slowly(&mut self, field: Field, value: bool) {
        match self.bools.get_mut(usize::from(self.code_slots[field.index()])) {
            Some((of, column)) if *of == field => {
                let Some(missing) = self.rows.checked_sub(column.values.len()) else {
                    return self.fail_in_row(field, TWICE.to_owned());
                };
                column.values.append_n(missing, false);
                column.present.append_n_nulls(missing);
                column.values.append(value);
                column.present.append_non_null();
            }
            _ => self.fail_in_row(field, "is no boolean field".to_owned()),
        }
    }

    /// Sets a number behind rows that lack it, or keeps the mistake.
    #[inline(never)]
    fn set_int_slowly(&mut self, field: Field, value: i64) {
        if let Err(problem) = check_int(field, value) {
            return self.fail_in_row(field, problem);
        }
        match self.ints.get_mut(usize::from(self.code_slots[field.index()])) {
            Some((of, column)) if *of == field => {
                let Some(missing) = self.rows.checked_sub(column.values.len()) else {
                    return self.fail_in_row(field, TWICE.to_owned());
                };
                column.values.resize(self.rows, 0);
                column.present.append_n_nulls(missing);
                column.values.push(value);
                column.present.append_non_null();
            }
            _ => self.fail_in_row(field, "is no number field".to_owned()),
        }
    }

    #[cold]
    fn fail(&mut self, field: Field, key: &str, problem: String) {
        self.error.get_or_insert_with(|| RowError { field, key: key.to_owned(), problem });
    }

    #[cold]
    fn fail_in_row(&mut self, field: Field, problem: String) {
        let key = self.last_key();
        self.fail(field, &key, problem);
    }

    fn last_key(&self) -> String {
        let offsets = self.keys.offsets_slice();
        let start = offsets.get(self.rows).copied().unwrap_or(0);
        // Offsets are never negative.
        let bytes = self.keys.values_slice().get(usize::try_from(start).unwrap_or(0)..).unwrap_or(&[]);
        String::from_utf8_lossy(bytes).into_owned()
    }
}

fn text_column(builder: &mut StringBuilder, rows: usize) -> Column {
    pad_text(builder, rows);
    Column::Text(TextColumn(Texts::Utf8(builder.finish())))
}

/// The fields of one row, set in any order and each at most once.
///
/// An empty text is an absent one. A row that is not finished fails the next.
#[derive(Debug)]
#[must_use = "a row counts when it is finished"]
pub struct RowBuilder<'a> {
    batch: &'a mut ObjectBatchBuilder,
}

// Generic setters are always in line: callers mostly name a field, and most of a setter is gone once it is known.
impl RowBuilder<'_> {
    /// Sets the size in bytes.
    #[inline]
    pub fn size(self, bytes: u64) -> Self {
        match i64::try_from(bytes) {
            Ok(bytes) => self.int(Field::Size, bytes),
            Err(_) => {
                self.batch.fail_in_row(Field::Size, format!("{bytes} bytes are more than a report can hold"));
                self
            }
        }
    }

    /// Sets the time of the last modification, in milliseconds since 1970-01-01 UTC.
    #[inline]
    pub fn last_modified_ms(self, ms: i64) -> Self {
        self.int(Field::LastModifiedDate, ms)
    }

    /// Sets the entity tag, without quotes.
    #[inline]
    pub fn e_tag(self, e_tag: &str) -> Self {
        self.text(Field::ETag, e_tag)
    }

    /// Sets the storage class.
    #[inline]
    pub fn storage_class(self, class: &str) -> Self {
        self.text(Field::StorageClass, class)
    }

    /// Sets whether the object was written by a multipart upload.
    #[inline]
    pub fn multipart_uploaded(self, multipart: bool) -> Self {
        self.boolean(Field::IsMultipartUploaded, multipart)
    }

    /// Sets the replication status: PENDING, COMPLETED, FAILED, REPLICA.
    #[inline]
    pub fn replication_status(self, status: &str) -> Self {
        self.text(Field::ReplicationStatus, status)
    }

    /// Sets the encryption: SSE-S3, SSE-KMS, DSSE-KMS, SSE-C, NOT-SSE.
    #[inline]
    pub fn encryption_status(self, status: &str) -> Self {
        self.text(Field::EncryptionStatus, status)
    }

    /// Sets version id (empty for the null version), whether it is the latest, and whether it is a delete marker.
    #[inline]
    pub fn version(self, id: &str, is_latest: bool, is_delete_marker: bool) -> Self {
        self.text(Field::VersionId, id)
            .boolean(Field::IsLatest, is_latest)
            .boolean(Field::IsDeleteMarker, is_delete_marker)
    }

    /// Sets a text field. The bucket is a constant of the report and not set here.
    #[inline(always)]
    pub fn text(self, field: Field, text: &str) -> Self {
        let batch = &mut *self.batch;
        if !batch.fields.contains(field) || text.is_empty() {
            return self;
        }
        // What most rows need stands in line; gaps and mistakes are left to functions of their own.
        let rows = batch.rows;
        let column = match field {
            Field::ETag => &mut batch.e_tag,
            Field::VersionId => &mut batch.version_id,
            _ => {
                match batch.codes.get_mut(usize::from(batch.code_slots[field.index()])) {
                    Some((of, column))
                        if *of == field && column.codes.len() == rows && text.len() <= CODE_BYTES_MAX =>
                    {
                        let (code, grown) = column.interner.code(text);
                        column.codes.push(code);
                        batch.text_bytes += grown;
                    }
                    _ => batch.set_code_slowly(field, text),
                }
                return self;
            }
        };
        if ArrayBuilder::len(column) == rows && text.len() <= TEXT_BYTES_MAX {
            column.append_value(text);
            batch.text_bytes += text.len();
        } else {
            batch.set_text_slowly(field, text);
        }
        self
    }

    /// Sets a boolean field.
    #[inline(always)]
    pub fn boolean(self, field: Field, value: bool) -> Self {
        let batch = &mut *self.batch;
        if !batch.fields.contains(field) {
            return self;
        }
        match batch.bools.get_mut(usize::from(batch.code_slots[field.index()])) {
            Some((of, column)) if *of == field && column.values.len() == batch.rows => {
                column.values.append(value);
                column.present.append_non_null();
            }
            _ => batch.set_bool_slowly(field, value),
        }
        self
    }

    /// Sets a count, or a time in milliseconds since 1970-01-01 UTC.
    ///
    /// Sizes are not negative, times within the years 0000 to 9999, durations within 32 bits.
    #[inline(always)]
    pub fn int(self, field: Field, value: i64) -> Self {
        let batch = &mut *self.batch;
        if !batch.fields.contains(field) {
            return self;
        }
        match batch.ints.get_mut(usize::from(batch.code_slots[field.index()])) {
            Some((of, column))
                if *of == field && column.values.len() == batch.rows && column.range.contains(&value) =>
            {
                column.values.push(value);
                column.present.append_non_null();
            }
            _ => batch.set_int_slowly(field, value),
        }
        self
    }

    /// Ends the row.
    ///
    /// # Errors
    /// The first mistake since the batch was begun: a key that is empty or longer than 1,024 bytes, a negative size, a
    /// time that no report can spell, a value too long, a full batch. The batch must be given up then.
    #[inline]
    pub fn finish(self) -> Result<(), RowError> {
        self.batch.rows += 1;
        match &self.batch.error {
            None => Ok(()),
            Some(error) => Err(error.clone()),
        }
    }
}

fn pad_text(builder: &mut StringBuilder, rows: usize) {
    while ArrayBuilder::len(builder) < rows {
        builder.append_null();
    }
}

const TWICE: &str = "is set twice in one row";
const NO_TEXT: &str = "is no text field of a row";

#[cold]
fn too_long(text: &str, bytes_max: usize) -> String {
    format!("a value of {} bytes; at most {bytes_max} are taken", text.len())
}

/// Numbers that a report can hold in a field.
fn int_range(field: Field) -> RangeInclusive<i64> {
    match field.field_type() {
        FieldType::Int32 => 0..=i64::from(i32::MAX),
        FieldType::Timestamp => Timestamp::MIN.ms()..=Timestamp::MAX.ms(),
        _ => 0..=i64::MAX,
    }
}

/// Checks that a report can hold a number in a field.
pub(crate) fn check_int(field: Field, value: i64) -> Result<(), String> {
    match field.field_type() {
        _ if int_range(field).contains(&value) => Ok(()),
        FieldType::Int32 => Err(format!("is not between 0 and 2147483647: {value}")),
        FieldType::Timestamp => Timestamp::try_from_ms(value).map(drop).map_err(|error| error.to_string()),
        _ => Err(format!("is negative: {value}")),
    }
}

/// A row that a report cannot hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowError {
    pub(crate) field: Field,
    pub(crate) key: String,
    pub(crate) problem: String,
}

impl RowError {
    /// The field that is wrong.
    pub fn field(&self) -> Field {
        self.field
    }

    /// The row's key.
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: String = self.key.chars().take(200).collect();
        let rest = if shown.len() < self.key.len() { "…" } else { "" };
        write!(f, "{} of key {shown:?}{rest}: {}", self.field, self.problem)
    }
}

impl std::error::Error for RowError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields() -> FieldSet {
        Field::all().collect()
    }

    #[test]
    fn rows_land_in_columns_and_gaps_are_absent() {
        let mut builder = ObjectBatchBuilder::new(fields());
        builder.row("a").size(1).e_tag("x").finish().unwrap();
        builder.row("b").storage_class("STANDARD").finish().unwrap();
        builder.row("c").size(3).version("v", true, false).storage_class("GLACIER").finish().unwrap();
        let batch = builder.finish();
        assert_eq!(batch.len(), 3);
        assert_eq!((batch.key(0), batch.key(2)), ("a", "c"));
        let Some(Column::Int(size)) = batch.column(Field::Size) else { panic!() };
        assert_eq!([size.value(0), size.value(1), size.value(2)], [Some(1), None, Some(3)]);
        let Some(Column::Text(e_tag)) = batch.column(Field::ETag) else { panic!() };
        assert_eq!((e_tag.value(0), e_tag.value(1), e_tag.absent()), ("x", "", 2));
        let Some(Column::Code(class)) = batch.column(Field::StorageClass) else { panic!() };
        assert_eq!([class.value(0), class.value(1), class.value(2)], ["", "STANDARD", "GLACIER"]);
        let Some(Column::Bool(latest)) = batch.column(Field::IsLatest) else { panic!() };
        assert_eq!([latest.value(0), latest.value(2)], [None, Some(true)]);
        assert!(batch.column(Field::ObjectOwner).is_none());
    }

    #[test]
    fn codes_survive_batches_and_fields_not_needed_are_dropped() {
        let mut builder = ObjectBatchBuilder::new(FieldSet::REQUIRED.with(Field::StorageClass));
        builder.row("a").storage_class("X").size(-1i64 as u64 >> 1).finish().unwrap();
        let first = builder.finish();
        builder.row("b").storage_class("Y").finish().unwrap();
        builder.row("c").storage_class("X").finish().unwrap();
        let second = builder.finish();
        let codes = |batch: &ObjectBatch| match batch.column(Field::StorageClass) {
            Some(Column::Code(column)) => column.codes().to_vec(),
            _ => panic!(),
        };
        assert_eq!((codes(&first), codes(&second)), (vec![1], vec![2, 1]));
        assert!(first.column(Field::Size).is_none());
    }

    #[test]
    fn mistakes_are_reported_with_their_key() {
        let mut builder = ObjectBatchBuilder::new(fields());
        builder.row("fine").size(1).finish().unwrap();
        let error = builder.row("k").int(Field::Size, -1).finish().unwrap_err();
        assert_eq!(error.to_string(), "Size of key \"k\": is negative: -1");
        builder.clear();
        assert!(builder.row("").finish().is_err());
        builder.clear();
        assert!(builder.row(&"k".repeat(1025)).finish().is_err());
        builder.clear();
        assert!(builder.row("k").last_modified_ms(i64::MAX).finish().is_err());
        builder.clear();
        builder.row("k").finish().unwrap();
        assert_eq!(builder.finish().len(), 1);
    }

    #[test]
    fn a_row_that_is_not_finished_fails_the_next() {
        let mut builder = ObjectBatchBuilder::new(fields());
        // Also where the batch before says how much room to make.
        for _ in 0..2 {
            let _unfinished = builder.row("a").size(1);
            let error = builder.row("b").finish().unwrap_err();
            assert_eq!(error.to_string(), "Key of key \"b\": the row before it was not finished");
            builder.clear();
            let _unfinished = builder.row("a").size(1).version("v", true, false);
            builder.clear();
            let _unfinished = builder.row("").size(1).version("v", true, false);
            builder.clear();
            builder.row("c").finish().unwrap();
            let _unfinished = builder.row("d").size(1).version("v", true, false);
            assert_eq!(builder.finish().len(), 1);
            builder.row("c").e_tag("x").finish().unwrap();
            assert_eq!(builder.finish().len(), 1);
        }
    }

    #[test]
    fn a_field_set_twice_is_refused() {
        let mut builder = ObjectBatchBuilder::new(fields());
        for field in fields().without(Field::Bucket).without(Field::Key).iter() {
            let error = match field.field_type() {
                FieldType::Text | FieldType::Code => builder.row("k").text(field, "a").text(field, "b").finish(),
                FieldType::Boolean => builder.row("k").boolean(field, true).boolean(field, true).finish(),
                _ => builder.row("k").int(field, 1).int(field, 1).finish(),
            };
            assert_eq!(error.unwrap_err().to_string(), format!("{field} of key \"k\": is set twice in one row"));
            builder.clear();
        }
    }

    #[test]
    fn many_values_begin_a_new_table_within_sixteen_bits() {
        let mut builder = ObjectBatchBuilder::new(fields());
        for batch in 0..4 {
            for row in 0..BATCH_ROWS_MAX {
                builder.row("k").text(Field::ObjectOwner, &format!("{batch}-{row}")).finish().unwrap();
            }
            let built = builder.finish();
            let Some(Column::Code(owner)) = built.column(Field::ObjectOwner) else { panic!() };
            assert_eq!(owner.value(BATCH_ROWS_MAX - 1), format!("{batch}-{}", BATCH_ROWS_MAX - 1));
        }
        for row in 0..BATCH_ROWS_MAX {
            builder.row("k").size(row as u64).finish().unwrap();
        }
        assert!(builder.row("one too many").finish().is_err());
    }

    #[test]
    fn raw_bytes_do_not_depend_on_slicing() {
        let mut builder = ObjectBatchBuilder::new(fields());
        for row in 0..100u64 {
            let class = ["STANDARD", "", "GLACIER"][(row / 7 % 3) as usize];
            builder.row(&format!("key{row}")).size(row).storage_class(class).e_tag("abc").finish().unwrap();
        }
        let batch = builder.finish();
        let total = batch.raw_bytes(fields(), 0..100, None);
        let mut sum = 0;
        for cut in [0..1, 1..7, 7..8, 8..50, 50..100] {
            let slice = batch.slice(cut.clone());
            let before = (cut.start > 0).then(|| (&batch, cut.start - 1));
            sum += slice.raw_bytes(fields(), 0..slice.len(), before);
        }
        assert_eq!(sum, total);
    }

    #[test]
    fn origin_follows_slices_and_filters() {
        let mut builder = ObjectBatchBuilder::new(fields());
        for key in ["a", "b", "c", "d"] {
            builder.row(key).finish().unwrap();
        }
        builder.set_origin(RowOrigin { unit: "line", first: 10, skipped: vec![(2, 3)] });
        let batch = builder.finish();
        let number = |batch: &ObjectBatch, row| batch.origin().unwrap().number(row);
        assert_eq!([0, 1, 2, 3].map(|row| number(&batch, row)), [10, 11, 15, 16]);
        assert_eq!([0, 1].map(|row| number(&batch.slice(1..3), row)), [11, 15]);
        let filtered = batch.filter(&[false, true, false, true]);
        assert_eq!([0, 1].map(|row| number(&filtered, row)), [11, 16]);
        assert_eq!((filtered.key(0), filtered.key(1)), ("b", "d"));
    }
}
