//! Arrays of every type come back through orc-rust.

use super::support::{Cell, Table, TextKind, Values, cells, compressions, tables, write};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use bytes::Bytes;
use orc_rust::ArrowReaderBuilder;
use proptest::prelude::*;
use std::sync::Arc;
use stocktake_orc::{ColumnHint, Compression, WriterOptions};

/// The columns of a file, cell by cell, through the reader of another project.
pub(crate) fn read(file: Vec<u8>) -> Vec<Vec<Cell>> {
    let reader = ArrowReaderBuilder::try_new(Bytes::from(file)).unwrap().build();
    let batches: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
    let columns = batches.first().map_or(0, RecordBatch::num_columns);
    (0..columns).map(|column| batches.iter().flat_map(|batch| cells(batch.column(column).as_ref())).collect()).collect()
}

fn check(table: &Table, options: &WriterOptions, slice_rows: usize) {
    let read = read(write(&table.batch(), options, slice_rows));
    for ((name, values), found) in table.0.iter().zip(read) {
        assert_eq!(found, values.cells(), "column {name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn random_tables_come_back(
        table in tables(1..700),
        compression in compressions(),
        block_bytes in 256..5000usize,
        stride in 1..300usize,
        stripe_rows in 1..900usize,
        slice_rows in 1..900usize,
        hint in prop_oneof![
            Just(ColumnHint::Auto),
            Just(ColumnHint::SortedText),
            Just(ColumnHint::RandomText),
            Just(ColumnHint::Dictionary)
        ],
    ) {
        // Strides below some rows make row indexes longer than what they index.
        let stripe_rows = stripe_rows.max(table.rows() / 20);
        let mut options = WriterOptions::default()
            .with_compression(compression)
            .with_block_bytes(block_bytes)
            .with_row_index_stride(stride)
            .with_stripe_rows(stripe_rows);
        for (name, values) in &table.0 {
            if matches!(values, Values::Text(..)) {
                options = options.with_hint(name, hint);
            }
        }
        check(&table, &options, slice_rows);
    }
}

#[test]
fn integers_of_every_width_come_back() {
    let mut values = Vec::new();
    for shift in 0..64 {
        for at in 0..600i64 {
            values.push(Some(at.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64.cast_signed()) >> shift));
        }
    }
    check(&Table(vec![("n".to_owned(), Values::Int64(values))]), &WriterOptions::default(), 10_000);
}

#[test]
fn long_texts_cross_blocks() {
    let texts = |length: usize| Some(format!("{length}-{}", "é".repeat(length)));
    let values: Vec<_> = [0, 1, 200_000, 131_072, 3, 400_000, 0].into_iter().map(texts).chain([None]).collect();
    for kind in [TextKind::Offsets, TextKind::View, TextKind::Codes32] {
        for compression in [Compression::None, Compression::Zlib { level: 1 }, Compression::Snappy] {
            let table = Table(vec![("t".to_owned(), Values::Text(kind, values.clone()))]);
            check(&table, &WriterOptions::default().with_compression(compression), 3);
        }
    }
}

#[test]
fn an_array_of_nulls_is_a_column_of_any_type() {
    let table = Table(vec![("t".to_owned(), Values::Int64(vec![None; 25_000]))]);
    check(&table, &WriterOptions::default(), 7000);
}

#[test]
fn schemas_keep_names_and_types() {
    let table = Table(vec![
        ("a b".to_owned(), Values::Millis(vec![Some(1)])),
        ("é,:".to_owned(), Values::Nanos(vec![Some(1)])),
        ("x".to_owned(), Values::Int8(vec![Some(1)])),
    ]);
    let file = write(&table.batch(), &WriterOptions::default(), 1);
    let schema = ArrowReaderBuilder::try_new(Bytes::from(file)).unwrap().schema();
    let utc = Some("UTC".into());
    let expected = Schema::new(vec![
        Field::new("a b", DataType::Timestamp(arrow_schema::TimeUnit::Nanosecond, None), true),
        Field::new("é,:", DataType::Timestamp(arrow_schema::TimeUnit::Nanosecond, utc), true),
        Field::new("x", DataType::Int8, true),
    ]);
    assert_eq!(schema.fields(), Arc::new(expected).fields());
    let array: &dyn Array = &table.batch().column(0).clone();
    assert_eq!(array.len(), 1);
}
