//! Statistics equal recomputed ones, at every level.

use super::{
    proto,
    seeking::File,
    support::{Cell, Table, Values, compressions, tables, write},
};
use proptest::prelude::*;
use stocktake_orc::WriterOptions;

/// Statistics of cells of a column, computed anew.
fn recomputed(values: &Values, cells: &[Cell]) -> proto::ColumnStatistics {
    let present: Vec<&Cell> = cells.iter().filter(|cell| **cell != Cell::Null).collect();
    let mut statistics = proto::ColumnStatistics {
        number_of_values: Some(present.len() as u64),
        has_null: Some(present.len() < cells.len()),
        ..Default::default()
    };
    let ints = || present.iter().map(|cell| if let Cell::Int(value) = cell { *value } else { unreachable!() });
    let bytes = || present.iter().map(|cell| if let Cell::Bytes(value) = cell { value } else { unreachable!() });
    let length = || Some(bytes().map(|bytes| bytes.len() as i64).sum());
    match values {
        Values::Boolean(_) => {
            let trues = present.iter().filter(|cell| ***cell == Cell::Boolean(true)).count() as u64;
            statistics.bucket_statistics = Some(proto::BucketStatistics { count: vec![trues] });
        }
        Values::Int8(_) | Values::Int16(_) | Values::Int32(_) | Values::Int64(_) => {
            let sum: Option<i64> = ints().try_fold(0i64, i64::checked_add);
            // A sum may leave 64 bits on its way and come back.
            let whole = i64::try_from(ints().map(i128::from).sum::<i128>()).ok();
            let (minimum, maximum) = (ints().min(), ints().max());
            statistics.int_statistics = Some(proto::IntegerStatistics { minimum, maximum, sum: sum.or(whole) });
        }
        Values::Date(_) => {
            let day = |value: i64| i32::try_from(value).unwrap();
            let (minimum, maximum) = (ints().min().map(day), ints().max().map(day));
            statistics.date_statistics = Some(proto::DateStatistics { minimum, maximum });
        }
        Values::Text(..) => {
            let text = |bytes: &Vec<u8>| String::from_utf8(bytes.clone()).unwrap();
            statistics.string_statistics = Some(proto::StringStatistics {
                minimum: bytes().min().map(text),
                maximum: bytes().max().map(text),
                sum: length().filter(|_| !present.is_empty()),
                ..Default::default()
            });
        }
        Values::Binary(..) => statistics.binary_statistics = Some(proto::BinaryStatistics { sum: length() }),
        Values::Millis(_) | Values::Micros(_) | Values::Nanos(_) => {
            let times =
                || present.iter().map(|cell| if let Cell::Time(value) = cell { *value } else { unreachable!() });
            let millis = |time: i128| i64::try_from(time.div_euclid(1_000_000)).unwrap();
            let nanos = |time: i128| i32::try_from(time.rem_euclid(1_000_000)).unwrap();
            statistics.timestamp_statistics = Some(proto::TimestampStatistics {
                minimum_utc: times().min().map(millis),
                maximum_utc: times().max().map(millis),
                minimum_nanos: times().min().map(nanos).filter(|nanos| *nanos != 0).map(|nanos| nanos + 1),
                maximum_nanos: times().max().map(nanos).filter(|nanos| *nanos != 999_999).map(|nanos| nanos + 1),
                ..Default::default()
            });
        }
        Values::Float(_) | Values::Double(_) => {}
    }
    statistics
}

/// Sums of integers and of floating-point values depend on the order of adding, where they overflow or round.
fn comparable(mut statistics: proto::ColumnStatistics) -> proto::ColumnStatistics {
    statistics.bytes_on_disk = None;
    statistics.double_statistics = None;
    statistics
}

fn check(found: &proto::ColumnStatistics, values: &Values, cells: &[Cell]) {
    let mut expected = recomputed(values, cells);
    let mut comparable = comparable(found.clone());
    if let (Some(found), Some(expected)) = (&mut comparable.int_statistics, &mut expected.int_statistics)
        && found.sum.is_none()
    {
        // Parts overflowed, or the whole did.
        expected.sum = None;
    }
    assert_eq!(comparable, expected);
    if let Some(doubles) = &found.double_statistics {
        check_doubles(doubles, cells);
    }
}

fn check_doubles(found: &proto::DoubleStatistics, cells: &[Cell]) {
    let value = |cell: &Cell| if let Cell::Double(bits) = cell { Some(f64::from_bits(*bits)) } else { None };
    let values: Vec<f64> = cells.iter().filter_map(value).collect();
    let Some(first) = values.first() else {
        assert_eq!((found.minimum, found.maximum, found.sum), (None, None, Some(0.0)));
        return;
    };
    if values.iter().any(|value| value.is_nan()) {
        assert!(found.sum.unwrap().is_nan());
        assert_eq!((found.minimum, found.maximum), (Some(f64::NEG_INFINITY), Some(f64::INFINITY)));
    } else {
        assert_eq!(found.minimum, Some(values.iter().fold(*first, |min, value| min.min(*value))));
        assert_eq!(found.maximum, Some(values.iter().fold(*first, |max, value| max.max(*value))));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn all_levels_equal_recomputed_ones(
        table in tables(1..500),
        compression in compressions(),
        stride in 1..200usize,
        stripe_rows in 50..900usize,
    ) {
        let options = WriterOptions::default()
            .with_compression(compression)
            .with_row_index_stride(stride)
            .with_stripe_rows(stripe_rows);
        let file = File::open(write(&table.batch(), &options, 1000));
        let metadata = &file.metadata.stripe_stats;
        for (number, (_, values)) in table.0.iter().enumerate().map(|(at, column)| (at + 1, column)) {
            let cells = values.cells();
            check(&file.footer.statistics[number], values, &cells);
            let mut start = 0;
            for (stripe, statistics) in file.stripes().zip(metadata) {
                let rows = &cells[start..start + stripe.rows];
                check(&statistics.col_stats[number], values, rows);
                let entries = stripe.index(number).entry;
                prop_assert_eq!(entries.len(), stripe.rows.div_ceil(stride));
                for (entry, rows) in entries.iter().zip(rows.chunks(stride)) {
                    check(entry.statistics.as_ref().unwrap(), values, rows);
                }
                start += stripe.rows;
            }
        }
        prop_assert_eq!(file.footer.statistics[0].number_of_values(), table.rows() as u64);
        prop_assert_eq!(file.footer.number_of_rows(), table.rows() as u64);
        let streams: u64 = file.stripes().map(|stripe| {
            let data = |stream: &&proto::Stream| (stream.kind() as i32) < proto::stream::Kind::RowIndex as i32;
            stripe.footer.streams.iter().filter(data).map(|stream| stream.length()).sum::<u64>()
        }).sum();
        let stored: u64 = file.footer.statistics[1..].iter().map(|statistics| statistics.bytes_on_disk()).sum();
        prop_assert_eq!(streams, stored);
    }
}

#[test]
fn zeros_of_both_signs_are_within_bounds() {
    let table = Table(vec![("d".to_owned(), Values::Double(vec![Some(0.0), Some(0.0)]))]);
    let file = File::open(write(&table.batch(), &WriterOptions::default(), 1));
    let found = file.footer.statistics[1].double_statistics.unwrap();
    assert!(found.minimum.unwrap().is_sign_negative() && found.maximum.unwrap().is_sign_positive());
}

#[test]
fn long_texts_have_bounds() {
    let long = |last: char| Some("k".repeat(1500) + &last.to_string());
    let values = Values::Text(super::support::TextKind::Offsets, vec![long('a'), long('b')]);
    let file = File::open(write(&Table(vec![("t".to_owned(), values)]).batch(), &WriterOptions::default(), 1));
    let found = file.footer.statistics[1].string_statistics.clone().unwrap();
    assert_eq!((found.minimum, found.maximum), (None, None));
    assert_eq!(found.lower_bound, Some("k".repeat(1024)));
    assert_eq!(found.upper_bound, Some("k".repeat(1023) + "l"));
}
