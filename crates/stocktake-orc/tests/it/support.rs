//! Tables of every type: as random data, as arrays in several kinds and slices, as what a reader returns.

use arrow_array::{
    Array, ArrayRef, BinaryArray, BinaryViewArray, BooleanArray, Date32Array, Float32Array, Float64Array, Int8Array,
    Int16Array, Int32Array, Int64Array, LargeStringArray, RecordBatch, StringArray, StringViewArray,
    TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray, UInt16Array,
    types::{Int32Type, UInt16Type},
};
use arrow_array::{DictionaryArray, builder::StringDictionaryBuilder};
use proptest::{collection::vec, option, prelude::*};
use std::sync::Arc;
use stocktake_orc::{Compression, OrcWriter, WriterOptions};

/// Values of a column, by type.
#[derive(Clone, Debug)]
pub(crate) enum Values {
    Boolean(Vec<Option<bool>>),
    Int8(Vec<Option<i8>>),
    Int16(Vec<Option<i16>>),
    Int32(Vec<Option<i32>>),
    Int64(Vec<Option<i64>>),
    Float(Vec<Option<f32>>),
    Double(Vec<Option<f64>>),
    Text(TextKind, Vec<Option<String>>),
    Binary(bool, Vec<Option<Vec<u8>>>),
    Date(Vec<Option<i32>>),
    Millis(Vec<Option<i64>>),
    Micros(Vec<Option<i64>>),
    Nanos(Vec<Option<i64>>),
}

/// Arrays that hold texts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum TextKind {
    Offsets,
    Large,
    View,
    Codes16,
    Codes32,
}

/// What a cell holds, whatever held it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Null,
    Boolean(bool),
    Int(i64),
    /// The bits of a value of 64.
    Double(u64),
    Bytes(Vec<u8>),
    /// Nanoseconds since 1970.
    Time(i128),
}

impl Values {
    pub(crate) fn array(&self) -> ArrayRef {
        match self {
            Self::Boolean(values) => Arc::new(BooleanArray::from(values.clone())),
            Self::Int8(values) => Arc::new(Int8Array::from(values.clone())),
            Self::Int16(values) => Arc::new(Int16Array::from(values.clone())),
            Self::Int32(values) => Arc::new(Int32Array::from(values.clone())),
            Self::Int64(values) => Arc::new(Int64Array::from(values.clone())),
            Self::Float(values) => Arc::new(Float32Array::from(values.clone())),
            Self::Double(values) => Arc::new(Float64Array::from(values.clone())),
            Self::Date(values) => Arc::new(Date32Array::from(values.clone())),
            Self::Millis(values) => Arc::new(TimestampMillisecondArray::from(values.clone())),
            Self::Micros(values) => Arc::new(TimestampMicrosecondArray::from(values.clone())),
            Self::Nanos(values) => Arc::new(TimestampNanosecondArray::from(values.clone()).with_timezone("UTC")),
            Self::Binary(false, values) => Arc::new(BinaryArray::from_iter(values)),
            Self::Binary(true, values) => Arc::new(BinaryViewArray::from_iter(values)),
            Self::Text(TextKind::Offsets, values) => Arc::new(StringArray::from_iter(values)),
            Self::Text(TextKind::Large, values) => Arc::new(LargeStringArray::from_iter(values)),
            Self::Text(TextKind::View, values) => Arc::new(StringViewArray::from_iter(values)),
            Self::Text(TextKind::Codes32, values) => {
                let mut builder = StringDictionaryBuilder::<Int32Type>::new();
                builder.extend(values.iter().map(Option::as_deref));
                Arc::new(builder.finish())
            }
            Self::Text(TextKind::Codes16, values) => {
                // Every value has a code of its own, some are null, one is of no row.
                let texts = StringArray::from_iter(values.iter().map(Option::as_deref).chain([Some("unused")]));
                let codes = UInt16Array::from_iter_values(0..values.len() as u16);
                Arc::new(DictionaryArray::<UInt16Type>::new(codes, Arc::new(texts)))
            }
        }
    }

    pub(crate) fn cells(&self) -> Vec<Cell> {
        fn cells<T: Clone>(values: &[Option<T>], cell: impl Fn(T) -> Cell) -> Vec<Cell> {
            values.iter().map(|value| value.clone().map_or(Cell::Null, &cell)).collect()
        }
        match self {
            Self::Boolean(values) => cells(values, Cell::Boolean),
            Self::Int8(values) => cells(values, |value| Cell::Int(value.into())),
            Self::Int16(values) => cells(values, |value| Cell::Int(value.into())),
            Self::Int32(values) | Self::Date(values) => cells(values, |value| Cell::Int(value.into())),
            Self::Int64(values) => cells(values, Cell::Int),
            Self::Float(values) => cells(values, |value| Cell::Double(f64::from(value).to_bits())),
            Self::Double(values) => cells(values, |value| Cell::Double(value.to_bits())),
            Self::Text(_, values) => cells(values, |value| Cell::Bytes(value.into_bytes())),
            Self::Binary(_, values) => cells(values, Cell::Bytes),
            Self::Millis(values) => cells(values, |value| Cell::Time(i128::from(value) * 1_000_000)),
            Self::Micros(values) => cells(values, |value| Cell::Time(i128::from(value) * 1000)),
            Self::Nanos(values) => cells(values, |value| Cell::Time(value.into())),
        }
    }
}

/// Some columns of the same length.
#[derive(Clone, Debug)]
pub(crate) struct Table(pub(crate) Vec<(String, Values)>);

impl Table {
    pub(crate) fn batch(&self) -> RecordBatch {
        let columns = self.0.iter().map(|(name, values)| (name.clone(), values.array(), true));
        RecordBatch::try_from_iter_with_nullable(columns).unwrap()
    }

    pub(crate) fn rows(&self) -> usize {
        self.0[0].1.cells().len()
    }
}

/// The batch as a file, handed over in slices of at most so many rows.
pub(crate) fn write(batch: &RecordBatch, options: &WriterOptions, slice_rows: usize) -> Vec<u8> {
    let mut writer = OrcWriter::try_new(Vec::new(), batch.schema(), options).unwrap();
    for start in (0..batch.num_rows()).step_by(slice_rows) {
        writer.write(&batch.slice(start, slice_rows.min(batch.num_rows() - start))).unwrap();
    }
    writer.finish().unwrap()
}

pub(crate) fn compressions() -> impl Strategy<Value = Compression> {
    prop_oneof![
        Just(Compression::None),
        (1..=9u8).prop_map(|level| Compression::Zlib { level }),
        Just(Compression::Snappy),
        (1..=4u8).prop_map(|level| Compression::Zstd { level }),
    ]
}

/// A table of every type, with nulls here and there, everywhere, or nowhere.
pub(crate) fn tables(rows: impl Into<proptest::collection::SizeRange>) -> impl Strategy<Value = Table> {
    let rows = vec(Just(()), rows).prop_map(|rows| rows.len());
    rows.prop_flat_map(|rows| {
        let columns = vec![
            column(rows, shaped(any::<bool>()), Values::Boolean),
            column(rows, shaped(any::<i8>()), Values::Int8),
            column(rows, shaped(any::<i16>()), Values::Int16),
            column(rows, shaped(any::<i32>()), Values::Int32),
            column(rows, integers(), Values::Int64),
            column(rows, shaped(any::<f32>()), Values::Float),
            column(rows, shaped(any::<f64>()), Values::Double),
            column(rows, texts(), |values| Values::Text(TextKind::Offsets, values)),
            column(rows, texts(), |values| Values::Text(TextKind::Large, values)),
            column(rows, texts(), |values| Values::Text(TextKind::View, values)),
            column(rows, texts(), |values| Values::Text(TextKind::Codes16, values)),
            column(rows, texts(), |values| Values::Text(TextKind::Codes32, values)),
            column(rows, shaped(vec(any::<u8>(), 0..40)), |values| Values::Binary(false, values)),
            column(rows, shaped(vec(any::<u8>(), 0..400)), |values| Values::Binary(true, values)),
            column(rows, shaped(any::<i32>()), Values::Date),
            column(rows, shaped(times(1000)), Values::Millis),
            column(rows, shaped(times(1_000_000)), Values::Micros),
            column(rows, shaped(times(1_000_000_000)), Values::Nanos),
        ];
        let named = |columns: Vec<Values>| {
            Table(columns.into_iter().enumerate().map(|(at, values)| (format!("c{at}"), values)).collect())
        };
        columns.prop_map(named)
    })
}

fn column<T: Clone + std::fmt::Debug + 'static>(
    rows: usize,
    values: BoxedStrategy<Vec<T>>,
    column: impl Fn(Vec<Option<T>>) -> Values + 'static,
) -> BoxedStrategy<Values> {
    let nulls = prop_oneof![
        Just(vec![false]),
        Just(vec![true]),
        vec(any::<bool>(), 1..70),
        // Whole row groups are null.
        Just(std::iter::repeat_n(true, 40).chain(std::iter::repeat_n(false, 33)).collect()),
    ];
    let joined = (values, nulls).prop_map(move |(values, nulls)| {
        let null = |at: usize| nulls[at % nulls.len()];
        column((0..rows).map(|at| (!null(at)).then(|| values[at % values.len()].clone())).collect())
    });
    joined.boxed()
}

/// Values as they come, few in turn, or runs.
fn shaped<T: Clone + std::fmt::Debug + 'static>(
    value: impl Strategy<Value = T> + Clone + 'static,
) -> BoxedStrategy<Vec<T>> {
    let runs = vec((value.clone(), 1..40usize), 1..40).prop_map(|runs| {
        runs.into_iter().flat_map(|(value, length)| std::iter::repeat_n(value, length)).collect::<Vec<_>>()
    });
    prop_oneof![vec(value.clone(), 1..200), vec(value, 1..4), runs].boxed()
}

/// Integers that each of the encodings is made for.
fn integers() -> BoxedStrategy<Vec<i64>> {
    let steps = (any::<i32>(), vec(0..1000i64, 1..200), any::<bool>()).prop_map(|(first, steps, descends)| {
        let mut value = i64::from(first);
        let step = |step: &i64| {
            value += if descends { -step } else { *step };
            value
        };
        steps.iter().map(step).collect()
    });
    let outliers =
        (vec(0..200i64, 1..200), vec(any::<i64>(), 1..20), 1..100usize).prop_map(|(mut values, wide, gap)| {
            wide.iter().enumerate().for_each(|(at, value)| {
                if let Some(place) = values.get_mut(at * gap) {
                    *place = *value;
                }
            });
            values
        });
    let widths = (0..64u32, vec(any::<i64>(), 1..200))
        .prop_map(|(shift, values)| values.into_iter().map(|value| value >> shift).collect());
    let line =
        (any::<i32>(), -9..9i64).prop_map(|(first, step)| (0..600).map(|at| i64::from(first) + at * step).collect());
    prop_oneof![shaped(any::<i64>()), steps, outliers, widths, line].boxed()
}

fn texts() -> BoxedStrategy<Vec<String>> {
    let text = prop_oneof!["[a-c]{0,3}", "\\PC{0,30}", "[a-z]{250,270}"];
    let sorted = vec(text.clone(), 1..100).prop_map(|mut texts| {
        texts.sort();
        texts
    });
    prop_oneof![shaped(text), sorted].boxed()
}

/// Times that fit 64 bits of nanoseconds, but those that ORC cannot hold.
fn times(per_second: i64) -> impl Strategy<Value = i64> + Clone {
    let any = prop_oneof![-9_000_000_000..9_000_000_000i64, -3..3i64, Just(1_420_070_400)];
    let part = prop_oneof![Just(0), 0..per_second, (0..per_second).prop_map(|part| part / 1000 * 1000)];
    (any, part).prop_map(move |(second, part)| {
        let value = second * per_second + part;
        if second == -1 && part * (1_000_000_000 / per_second) > 999_999 { -per_second } else { value }
    })
}

pub(crate) fn nullable<T: Strategy>(values: T) -> impl Strategy<Value = Vec<Option<T::Value>>> {
    vec(option::of(values), 1..300)
}

/// Every array of a batch, cell by cell, as a reader returned it.
pub(crate) fn cells(array: &dyn Array) -> Vec<Cell> {
    use arrow_array::{cast::AsArray, types::*};
    use arrow_schema::{DataType, TimeUnit};
    let cell = |row: usize| match array.data_type() {
        _ if array.is_null(row) => Cell::Null,
        DataType::Boolean => Cell::Boolean(array.as_boolean().value(row)),
        DataType::Int8 => Cell::Int(array.as_primitive::<Int8Type>().value(row).into()),
        DataType::Int16 => Cell::Int(array.as_primitive::<Int16Type>().value(row).into()),
        DataType::Int32 => Cell::Int(array.as_primitive::<Int32Type>().value(row).into()),
        DataType::Int64 => Cell::Int(array.as_primitive::<Int64Type>().value(row)),
        DataType::Date32 => Cell::Int(array.as_primitive::<Date32Type>().value(row).into()),
        DataType::Float32 => Cell::Double(f64::from(array.as_primitive::<Float32Type>().value(row)).to_bits()),
        DataType::Float64 => Cell::Double(array.as_primitive::<Float64Type>().value(row).to_bits()),
        DataType::Utf8 => Cell::Bytes(array.as_string::<i32>().value(row).into()),
        DataType::Binary => Cell::Bytes(array.as_binary::<i32>().value(row).into()),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            Cell::Time(array.as_primitive::<TimestampNanosecondType>().value(row).into())
        }
        other => panic!("a reader returned {other}"),
    };
    (0..array.len()).map(cell).collect()
}
