//! Rows found through statistics and filters are those that a full scan finds.

use super::support::{Table, TextKind, Values, cells, nullable, write};
use bytes::Bytes;
use orc_rust::{ArrowReaderBuilder, Predicate, PredicateValue, predicate::ComparisonOp};
use proptest::prelude::*;
use stocktake_orc::WriterOptions;

const OPERATORS: [ComparisonOp; 5] = [
    ComparisonOp::Equal,
    ComparisonOp::LessThan,
    ComparisonOp::LessThanOrEqual,
    ComparisonOp::GreaterThan,
    ComparisonOp::GreaterThanOrEqual,
];

fn holds<T: PartialOrd>(value: &T, operator: ComparisonOp, with: &T) -> bool {
    match operator {
        ComparisonOp::Equal => value == with,
        ComparisonOp::NotEqual => value != with,
        ComparisonOp::LessThan => value < with,
        ComparisonOp::LessThanOrEqual => value <= with,
        ComparisonOp::GreaterThan => value > with,
        ComparisonOp::GreaterThanOrEqual => value >= with,
    }
}

/// Row numbers that a reader returns for a predicate; the last column holds them.
fn selected(file: &Bytes, predicate: Predicate) -> Vec<i64> {
    let reader = ArrowReaderBuilder::try_new(file.clone()).unwrap().with_predicate(predicate).build();
    let mut rows = Vec::new();
    for batch in reader.map(Result::unwrap) {
        let numbers = cells(batch.column(batch.num_columns() - 1).as_ref());
        rows.extend(numbers.iter().map(|cell| match cell {
            super::support::Cell::Int(number) => *number,
            other => panic!("a row number is {other:?}"),
        }));
    }
    rows
}

fn check<T: PartialOrd + Clone>(
    file: &Bytes,
    column: &str,
    values: &[Option<T>],
    with: &T,
    literal: &impl Fn(T) -> PredicateValue,
) {
    for operator in OPERATORS {
        let found = selected(file, Predicate::comparison(column, operator, literal(with.clone())));
        let matching = (0i64..).zip(values);
        let matching = matching.filter(|(_, value)| value.as_ref().is_some_and(|value| holds(value, operator, with)));
        for (row, _) in matching {
            assert!(found.binary_search(&row).is_ok(), "row {row} of {column} was skipped");
        }
        assert!(found.is_sorted());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn no_matching_row_is_skipped(
        sizes in nullable(-50..50i64),
        keys in nullable("[a-d]{0,2}"),
        stride in 1..40usize,
        stripe_rows in 20..400usize,
        sorted in any::<bool>(),
        number in -55..55i64,
        key in "[a-d]{0,2}",
    ) {
        let rows = sizes.len().min(keys.len());
        let (mut sizes, mut keys) = (sizes[..rows].to_vec(), keys[..rows].to_vec());
        if sorted {
            sizes.sort();
            keys.sort();
        }
        let table = Table(vec![
            ("size".to_owned(), Values::Int64(sizes.clone())),
            ("key".to_owned(), Values::Text(TextKind::Offsets, keys.clone())),
            ("code".to_owned(), Values::Text(TextKind::Codes32, keys.clone())),
            ("row".to_owned(), Values::Int64((0..rows as i64).map(Some).collect())),
        ]);
        let options = WriterOptions::default()
            .with_row_index_stride(stride)
            .with_stripe_rows(stripe_rows)
            .with_bloom_filter("size")
            .with_bloom_filter("key")
            .with_bloom_filter("code");
        let file = Bytes::from(write(&table.batch(), &options, 1000));
        check(&file, "size", &sizes, &number, &|number| PredicateValue::Int64(Some(number)));
        check(&file, "key", &keys, &key, &|key| PredicateValue::Utf8(Some(key)));
        check(&file, "code", &keys, &key, &|key| PredicateValue::Utf8(Some(key)));
    }
}

/// Statistics and filters leave few groups to be read, so that the property above is not true of nothing.
#[test]
fn groups_are_skipped() {
    let keys: Vec<_> = (0..50_000).map(|at| Some(format!("{at:08}"))).collect();
    let tags: Vec<_> =
        (0..50_000u64).map(|at| Some(format!("{:016x}", at.wrapping_mul(0x9e37_79b9_7f4a_7c15)))).collect();
    let table = Table(vec![
        ("key".to_owned(), Values::Text(TextKind::View, keys)),
        ("tag".to_owned(), Values::Text(TextKind::Offsets, tags.clone())),
        ("row".to_owned(), Values::Int64((0..50_000).map(Some).collect())),
    ]);
    let options = WriterOptions::default().with_bloom_filter("tag");
    let file = Bytes::from(write(&table.batch(), &options, 7777));
    let key = PredicateValue::Utf8(Some("00012345".to_owned()));
    // The reader returns what follows the last group that it wants, and leaves out what is before it.
    let found = selected(&file, Predicate::eq("key", key));
    assert_eq!((found.first(), found.contains(&12_345)), (Some(&10_000), true));
    let tag = PredicateValue::Utf8(tags[33_333].clone());
    let found = selected(&file, Predicate::eq("tag", tag));
    assert_eq!((found.first(), found.contains(&33_333)), (Some(&30_000), true));
    let none = PredicateValue::Utf8(Some("zzzz".to_owned()));
    assert_eq!(selected(&file, Predicate::eq("key", none)), [] as [i64; 0]);
}
