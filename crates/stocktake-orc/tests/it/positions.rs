//! Every row group decodes from its positions.

use super::{
    proto::stream::Kind,
    seeking::File,
    support::{Cell, Table, TextKind, Values, compressions, tables, write},
};
use proptest::prelude::*;
use stocktake_orc::{Compression, WriterOptions};

fn check(table: &Table, options: &WriterOptions) {
    let file = File::open(write(&table.batch(), options, 1000));
    let stride = file.footer.row_index_stride() as usize;
    for (number, (name, values)) in table.0.iter().enumerate() {
        let expected = values.cells();
        let mut start = 0;
        for stripe in file.stripes() {
            for group in 0..stripe.rows.div_ceil(stride) {
                let first = start + group * stride;
                let rows = stride.min(stripe.rows - group * stride);
                let found = stripe.group(number + 1, group);
                assert_eq!(found, expected[first..first + rows], "column {name}, group {group}");
            }
            start += stripe.rows;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn groups_decode_alone(
        table in tables(1..500),
        compression in compressions(),
        block_bytes in 256..2000usize,
        stride in 1..200usize,
        stripe_rows in 50..900usize,
    ) {
        let options = WriterOptions::default()
            .with_compression(compression)
            .with_block_bytes(block_bytes)
            .with_row_index_stride(stride)
            .with_stripe_rows(stripe_rows);
        check(&table, &options);
    }
}

/// Groups that begin within a byte of bits, and groups without a value, at the default stride.
#[test]
fn booleans_end_within_bytes() {
    let row = |at: usize| if at / 10_000 == 2 || at.is_multiple_of(7) { None } else { Some(at.is_multiple_of(3)) };
    let table = Table(vec![("b".to_owned(), Values::Boolean((0..45_000).map(row).collect()))]);
    for compression in [Compression::None, Compression::Zlib { level: 6 }] {
        check(&table, &WriterOptions::default().with_compression(compression));
    }
    let file = File::open(write(&table.batch(), &WriterOptions::default(), 1000));
    let stripe = file.stripes().next().unwrap();
    let index = stripe.index(1);
    let bits: Vec<u64> = index.entry.iter().map(|entry| *entry.positions.last().unwrap()).collect();
    assert!(bits.iter().any(|bits| *bits > 0), "{bits:?}");
    assert!(stripe.group(1, 2).iter().all(|cell| *cell == Cell::Null));
}

/// In a file without compression, groups without a value at the end of a stripe have no byte in the streams of values. A
/// reader that reads nothing before them still has to seek: to a byte that is there.
#[test]
fn groups_without_a_value_have_a_place_in_streams_without_compression() {
    fn values<T>(of: impl Fn(usize) -> T) -> Vec<Option<T>> {
        (0..500).map(|at| (at < 104).then(|| of(at))).collect()
    }
    let table = Table(
        [
            Values::Boolean(values(|at| at.is_multiple_of(3))),
            Values::Int8(values(|_| 3)),
            Values::Int64(values(|at| at as i64 * 7)),
            Values::Double(values(|_| 0.5)),
            Values::Text(TextKind::Offsets, values(|at| format!("text {at}"))),
            Values::Text(TextKind::Offsets, values(|at| format!("text {}", at % 5))),
            Values::Binary(false, values(|at| vec![1; at % 4])),
            Values::Millis(values(|at| at as i64 * 10)),
        ]
        .into_iter()
        .enumerate()
        .map(|(number, values)| (format!("c{number}"), values))
        .collect(),
    );
    let options = WriterOptions::default().with_compression(Compression::None).with_row_index_stride(8);
    check(&table, &options);
    let file = File::open(write(&table.batch(), &options, 1000));
    let stripe = file.stripes().next().unwrap();
    for column in 1..=table.0.len() {
        let data = stripe.stream(column, Kind::Data).unwrap().len() as u64;
        for (group, entry) in stripe.index(column).entry.iter().enumerate() {
            // A byte of bits takes three positions of the stream before.
            assert!(entry.positions[3] < data, "column {column}, group {group}");
        }
    }
}
