//! The input of the encoder: columns in slices, borrowed from arrays or from whatever holds the values.
//!
//! A column of a stripe may come in any number of slices of different kinds; how it is cut does not show in the file.

use crate::{error::OrcError, schema::ColumnType, stream::Offset};
use arrow_array::{
    Array, ArrowPrimitiveType, BinaryArray, BinaryViewArray, BooleanArray, DictionaryArray, LargeBinaryArray,
    LargeStringArray, PrimitiveArray, StringArray, StringViewArray,
    cast::AsArray,
    types::{
        ArrowDictionaryKeyType, Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
        TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt16Type,
        UInt32Type,
    },
};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use arrow_schema::{DataType, TimeUnit};

/// Consecutive values of one column.
#[derive(Clone, Debug)]
pub struct ColumnSlice<'a> {
    pub(crate) rows: usize,
    pub(crate) values: Values<'a>,
    pub(crate) nulls: Nulls<'a>,
}

/// Which values of a slice are null.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Nulls<'a> {
    None,
    All,
    Mask(&'a NullBuffer),
    /// Texts of no length.
    Empty,
}

#[derive(Clone, Debug)]
pub(crate) enum Values<'a> {
    /// None: all are null.
    Absent,
    Boolean(&'a BooleanBuffer),
    Int8(&'a [i8]),
    Int16(&'a [i16]),
    Int32(&'a [i32]),
    Int64(&'a [i64]),
    Float(&'a [f32]),
    Double(&'a [f64]),
    Date(&'a [i32]),
    Timestamp(&'a [i64], TimeUnit),
    Texts(Texts<'a>),
    Binaries(Texts<'a>),
    Codes(Codes<'a>, Texts<'a>, Option<&'a NullBuffer>),
}

/// Texts or bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Texts<'a> {
    /// Value `i` is `bytes[offsets[i]..offsets[i + 1]]`.
    Offsets(&'a [i32], &'a [u8]),
    LargeOffsets(&'a [i64], &'a [u8]),
    TextViews(&'a StringViewArray),
    BinaryViews(&'a BinaryViewArray),
    /// One value for all rows.
    Constant(&'a [u8]),
}

/// Codes of a dictionary.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Codes<'a> {
    U16(&'a [u16]),
    U32(&'a [u32]),
    I32(&'a [i32]),
}

impl<'a> Texts<'a> {
    /// The value of a row.
    #[inline(always)]
    pub(crate) fn value(&self, row: usize) -> &'a [u8] {
        match self {
            Self::Offsets(offsets, bytes) => &bytes[offsets[row].at()..offsets[row + 1].at()],
            Self::LargeOffsets(offsets, bytes) => &bytes[offsets[row].at()..offsets[row + 1].at()],
            Self::TextViews(array) => array.value(row).as_bytes(),
            Self::BinaryViews(array) => array.value(row),
            Self::Constant(value) => value,
        }
    }

    /// Length of the value of a row.
    #[inline(always)]
    pub(crate) fn length(&self, row: usize) -> usize {
        match self {
            Self::Offsets(offsets, _) => offsets[row + 1].at() - offsets[row].at(),
            Self::LargeOffsets(offsets, _) => offsets[row + 1].at() - offsets[row].at(),
            // The low 32 bits of a view.
            Self::TextViews(array) => (array.views()[row] & 0xffff_ffff) as usize,
            Self::BinaryViews(array) => (array.views()[row] & 0xffff_ffff) as usize,
            Self::Constant(value) => value.len(),
        }
    }
}

impl<'a> ColumnSlice<'a> {
    fn new(rows: usize, values: Values<'a>, nulls: Option<&'a NullBuffer>) -> Self {
        let nulls = nulls.filter(|nulls| nulls.null_count() > 0).map_or(Nulls::None, Nulls::Mask);
        Self { rows, values, nulls }
    }

    /// So many nulls, for a column of any type.
    pub fn nulls(rows: usize) -> Self {
        Self { rows, values: Values::Absent, nulls: Nulls::All }
    }

    /// The same text in so many rows.
    pub fn constant(text: &'a str, rows: usize) -> Self {
        Self { rows, values: Values::Texts(Texts::Constant(text.as_bytes())), nulls: Nulls::None }
    }

    /// Integers of 64 bits. Columns of fewer bits take them too; what such a column cannot hold is refused.
    pub fn integers(values: &'a [i64], nulls: Option<&'a NullBuffer>) -> Self {
        Self::new(values.len(), Values::Int64(values), nulls)
    }

    /// Times since 1970-01-01 in a unit.
    pub fn timestamps(values: &'a [i64], unit: TimeUnit, nulls: Option<&'a NullBuffer>) -> Self {
        Self::new(values.len(), Values::Timestamp(values, unit), nulls)
    }

    /// Takes texts of no length for nulls, instead of those that the array says are null.
    #[must_use]
    pub fn with_empty_as_null(mut self) -> Self {
        if let Values::Texts(_) | Values::Binaries(_) = self.values {
            self.nulls = Nulls::Empty;
        }
        self
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The values of an array.
    ///
    /// # Errors
    /// If the array has a type that this crate does not write.
    pub fn try_from_array(array: &'a dyn Array) -> Result<Self, OrcError> {
        use DataType as T;
        Ok(match array.data_type() {
            T::Null => Self::nulls(array.len()),
            T::Boolean => array.as_boolean().into(),
            T::Int8 => Self::primitive::<Int8Type>(array, Values::Int8),
            T::Int16 => Self::primitive::<Int16Type>(array, Values::Int16),
            T::Int32 => Self::primitive::<Int32Type>(array, Values::Int32),
            T::Int64 => Self::primitive::<Int64Type>(array, Values::Int64),
            T::Float32 => Self::primitive::<Float32Type>(array, Values::Float),
            T::Float64 => Self::primitive::<Float64Type>(array, Values::Double),
            T::Date32 => Self::primitive::<Date32Type>(array, Values::Date),
            T::Timestamp(unit, _) => {
                let values = |values| Values::Timestamp(values, *unit);
                match unit {
                    TimeUnit::Second => Self::primitive::<TimestampSecondType>(array, values),
                    TimeUnit::Millisecond => Self::primitive::<TimestampMillisecondType>(array, values),
                    TimeUnit::Microsecond => Self::primitive::<TimestampMicrosecondType>(array, values),
                    TimeUnit::Nanosecond => Self::primitive::<TimestampNanosecondType>(array, values),
                }
            }
            T::Utf8 => array.as_string::<i32>().into(),
            T::LargeUtf8 => array.as_string::<i64>().into(),
            T::Utf8View => array.as_string_view().into(),
            T::Binary => array.as_binary::<i32>().into(),
            T::LargeBinary => array.as_binary::<i64>().into(),
            T::BinaryView => array.as_binary_view().into(),
            T::Dictionary(key, _) => match **key {
                T::UInt16 => Self::try_from_dictionary::<UInt16Type>(array.as_dictionary(), Codes::U16)?,
                T::UInt32 => Self::try_from_dictionary::<UInt32Type>(array.as_dictionary(), Codes::U32)?,
                T::Int32 => Self::try_from_dictionary::<Int32Type>(array.as_dictionary(), Codes::I32)?,
                _ => return Err(not_written(array)),
            },
            _ => return Err(not_written(array)),
        })
    }

    fn primitive<T: ArrowPrimitiveType>(
        array: &'a dyn Array,
        values: impl FnOnce(&'a [T::Native]) -> Values<'a>,
    ) -> Self {
        let array: &PrimitiveArray<T> = array.as_primitive();
        Self::new(array.len(), values(array.values()), array.nulls())
    }

    fn try_from_dictionary<K: ArrowDictionaryKeyType>(
        array: &'a DictionaryArray<K>,
        codes: impl FnOnce(&'a [K::Native]) -> Codes<'a>,
    ) -> Result<Self, OrcError> {
        let values = Self::try_from_array(array.values().as_ref())?;
        let Values::Texts(texts) = values.values else { return Err(not_written(array)) };
        let codes = codes(array.keys().values());
        Ok(Self::new(array.len(), Values::Codes(codes, texts, array.values().nulls()), array.keys().nulls()))
    }

    /// Whether a column of a type takes the slice.
    pub(crate) fn fits(&self, column_type: ColumnType) -> bool {
        matches!(
            (&self.values, column_type),
            (Values::Absent, _)
                | (Values::Boolean(_), ColumnType::Boolean)
                | (Values::Int8(_), ColumnType::TinyInt)
                | (Values::Int16(_), ColumnType::SmallInt)
                | (Values::Int32(_), ColumnType::Int)
                | (Values::Int64(_), ColumnType::SmallInt | ColumnType::Int | ColumnType::BigInt)
                | (Values::Float(_), ColumnType::Float)
                | (Values::Double(_), ColumnType::Double)
                | (Values::Date(_), ColumnType::Date)
                | (Values::Timestamp(..), ColumnType::Timestamp | ColumnType::TimestampInstant)
                | (Values::Texts(_) | Values::Codes(..), ColumnType::String)
                | (Values::Binaries(_), ColumnType::Binary)
        )
    }
}

fn not_written(array: &dyn Array) -> OrcError {
    OrcError::mismatch(format!("arrays of type {} are not written", array.data_type()))
}

impl<'a> From<&'a BooleanArray> for ColumnSlice<'a> {
    fn from(array: &'a BooleanArray) -> Self {
        Self::new(array.len(), Values::Boolean(array.values()), array.nulls())
    }
}

impl<'a> From<&'a StringArray> for ColumnSlice<'a> {
    fn from(array: &'a StringArray) -> Self {
        let texts = Texts::Offsets(array.value_offsets(), array.value_data());
        Self::new(array.len(), Values::Texts(texts), array.nulls())
    }
}

impl<'a> From<&'a LargeStringArray> for ColumnSlice<'a> {
    fn from(array: &'a LargeStringArray) -> Self {
        let texts = Texts::LargeOffsets(array.value_offsets(), array.value_data());
        Self::new(array.len(), Values::Texts(texts), array.nulls())
    }
}

impl<'a> From<&'a StringViewArray> for ColumnSlice<'a> {
    fn from(array: &'a StringViewArray) -> Self {
        Self::new(array.len(), Values::Texts(Texts::TextViews(array)), array.nulls())
    }
}

impl<'a> From<&'a BinaryArray> for ColumnSlice<'a> {
    fn from(array: &'a BinaryArray) -> Self {
        let texts = Texts::Offsets(array.value_offsets(), array.value_data());
        Self::new(array.len(), Values::Binaries(texts), array.nulls())
    }
}

impl<'a> From<&'a LargeBinaryArray> for ColumnSlice<'a> {
    fn from(array: &'a LargeBinaryArray) -> Self {
        let texts = Texts::LargeOffsets(array.value_offsets(), array.value_data());
        Self::new(array.len(), Values::Binaries(texts), array.nulls())
    }
}

impl<'a> From<&'a BinaryViewArray> for ColumnSlice<'a> {
    fn from(array: &'a BinaryViewArray) -> Self {
        Self::new(array.len(), Values::Binaries(Texts::BinaryViews(array)), array.nulls())
    }
}
