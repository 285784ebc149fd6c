//! Order, counts, lanes, resumption and pinned values of synthetic sources.

use super::*;
use std::{collections::HashSet, num::NonZeroU32};
use stocktake_core::{BucketName, CancelToken, Column, ObjectBatch, ObjectBatchBuilder, Timestamp, md5_hex};

fn source(text: &str) -> SyntheticSource {
    text.parse().unwrap()
}

fn context(source: &SyntheticSource) -> ReadContext {
    ReadContext::new(BucketName::try_new("b").unwrap(), source.provides())
}

fn lanes(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).unwrap()
}

fn read(source: &SyntheticSource, lane: &LaneDescriptor, after: Option<&ObjectKey>) -> Vec<ObjectBatch> {
    let context = context(source);
    let mut stream = source.open(lane, after, &context).unwrap();
    let mut builder = ObjectBatchBuilder::new(context.fields);
    let mut batches = Vec::new();
    while stream.next_batch(&mut builder).unwrap() {
        batches.push(builder.finish());
    }
    batches
}

fn read_all(source: &SyntheticSource) -> Vec<ObjectBatch> {
    read(source, &source.plan(lanes(1)).unwrap().lanes()[0], None)
}

fn value(batch: &ObjectBatch, field: Field, row: usize) -> String {
    match batch.column(field) {
        Some(Column::Text(column)) => column.value(row).to_owned(),
        Some(Column::Code(column)) => column.value(row).to_owned(),
        Some(Column::Bool(column)) => column.value(row).map(|value| value.to_string()).unwrap_or_default(),
        Some(Column::Int(column)) => column.value(row).map(|value| value.to_string()).unwrap_or_default(),
        _ => String::new(),
    }
}

fn rendered(batches: &[ObjectBatch], rows_max: usize) -> Vec<String> {
    let rows = batches.iter().flat_map(|batch| (0..batch.len()).map(move |row| (batch, row)));
    rows.take(rows_max)
        .map(|(batch, row)| Field::all().map(|field| value(batch, field, row)).collect::<Vec<_>>().join("\u{1f}"))
        .collect()
}

/// Rows are as many as asked for, keys ascend, versions are unique and in order.
fn check_order(text: &str) {
    let source = source(text);
    let mut previous = (String::new(), i64::MAX);
    let mut ids = HashSet::new();
    let mut rows = 0;
    for batch in read_all(&source) {
        assert!(!batch.is_empty());
        let Some(Column::Int(times)) = batch.column(Field::LastModifiedDate) else { panic!() };
        for (row, time) in times.values().iter().enumerate() {
            let key = batch.key(row);
            assert!((40..=120).contains(&key.len()), "{key:?}");
            Timestamp::try_from_ms(*time).unwrap();
            if key == previous.0 {
                assert!(source.versions_max > 1 && *time < previous.1, "{text}: {key:?}");
                assert_eq!(value(&batch, Field::IsLatest, row), "false");
            } else {
                assert!(key > &*previous.0, "{text}: {key:?} after {:?}", previous.0);
                ids.clear();
                let latest = if source.versions_max > 0 { "true" } else { "" };
                assert_eq!(value(&batch, Field::IsLatest, row), latest);
                previous.0 = key.to_owned();
            }
            assert!(source.versions_max == 0 || ids.insert(value(&batch, Field::VersionId, row)));
            previous.1 = *time;
            rows += 1;
        }
    }
    assert_eq!(rows, source.rows, "{text}");
}

#[test]
fn keys_ascend_and_rows_are_as_many_as_asked_for() {
    for rows in (0..12).chain([99, 100, 101, 256, 257, 1000, 8192, 8193]) {
        for versions in [0, 1, 2, 10, 5000] {
            for seed in [0, 1, u64::MAX] {
                check_order(&format!("rows={rows},seed={seed},versions={versions}"));
            }
        }
    }
}

#[test]
fn keys_ascend_in_the_largest_bucket() {
    let source = source("rows=10000000000000");
    let mut writer = KeyWriter::new(&source.keys);
    let mut spots: Vec<u64> = (0..2000).map(|at| at * (source.rows / 2000)).collect();
    spots.extend((0..7).map(|share| source.rows / 100 * [10, 15, 35, 65, 70, 80, 100][share] - 3));
    for spot in spots {
        let mut previous = String::new();
        for key in spot..(spot + 40).min(source.rows) {
            let text = writer.write_at(key);
            assert!(*text > *previous && (40..=120).contains(&text.len()), "{previous:?} {text:?}");
            previous = text.to_owned();
            // Found again by its text, across the whole bucket.
            if key == spot {
                assert_eq!(source.first_key(|key| key >= &*previous), spot);
            }
        }
    }
}

#[test]
fn lanes_hold_the_rows_of_the_whole() {
    for text in ["rows=0", "rows=1", "rows=3,versions=9", "rows=20000,seed=5", "rows=20000,versions=50"] {
        let source = source(text);
        let whole = rendered(&read_all(&source), usize::MAX);
        for count in [2, 3, 7, 64] {
            let plan = source.plan(lanes(count)).unwrap();
            assert!(plan.lanes().len() <= count as usize);
            assert!(source.rows < 20_000 || plan.lanes().len() == count as usize);
            let mut union = Vec::new();
            for lane in plan.lanes() {
                let batches = read(&source, lane, None);
                let inside = |key: &str| {
                    lane.start.as_ref().is_none_or(|start| key >= start.as_str())
                        && lane.end.as_ref().is_none_or(|end| key < end.as_str())
                };
                assert!(batches.iter().all(|batch| (0..batch.len()).all(|row| inside(batch.key(row)))));
                union.extend(rendered(&batches, usize::MAX));
            }
            assert!(union == whole, "{text} in {count} lanes");
        }
    }
}

#[test]
fn a_stream_opens_after_any_key() {
    let source = source("rows=3000,versions=20");
    let plan = source.plan(lanes(2)).unwrap();
    for lane in plan.lanes() {
        let batches = read(&source, lane, None);
        let whole = rendered(&batches, usize::MAX);
        let keys: Vec<&str> = batches.iter().flat_map(|batch| (0..batch.len()).map(|row| batch.key(row))).collect();
        for at in (0..keys.len()).step_by(97).chain([keys.len() - 1]) {
            // The key itself, and texts between it and its neighbours.
            for after in [keys[at].to_owned(), format!("{}\u{0}", keys[at])] {
                let rest = keys.iter().position(|key| **key > *after).unwrap_or(keys.len());
                let after = ObjectKey::try_new(after).unwrap();
                assert!(rendered(&read(&source, lane, Some(&after)), usize::MAX) == whole[rest..]);
            }
        }
        let all = rendered(&read(&source, lane, Some(&ObjectKey::try_new("!").unwrap())), usize::MAX);
        assert!(all == whole);
        assert!(read(&source, lane, Some(&ObjectKey::try_new("~").unwrap())).is_empty());
    }
}

#[test]
fn a_lane_of_another_source_is_refused() {
    let plan = source("rows=1000").plan(lanes(2)).unwrap();
    let other = source("rows=1000,seed=2");
    let error = other.open(&plan.lanes()[0], None, &context(&other)).err().unwrap();
    assert_eq!(error.position(), Some("lane 0"));
    // Without a token the keys alone say what is in the lane.
    let mut lane = plan.lanes()[1].clone();
    lane.token = None;
    let rows: usize = read(&source("rows=1000"), &lane, None).iter().map(ObjectBatch::len).sum();
    assert_eq!(rows, 500);
}

#[test]
fn the_conformance_suite_passes() {
    for text in ["rows=0", "rows=1", "rows=2,versions=3", "rows=9000", "rows=9000,seed=3,versions=300"] {
        let context = ReadContext::new(BucketName::try_new("b").unwrap(), Field::all().collect());
        stocktake_testkit::source::check_source(&source(text), &context).unwrap();
    }
}

#[test]
fn rows_have_what_the_source_provides_and_delete_markers_lack_what_they_lack() {
    for text in ["rows=60000", "rows=60000,versions=8"] {
        let source = source(text);
        let batches = read_all(&source);
        let seen = batches.iter().fold(FieldSet::EMPTY, |seen, batch| seen.union(batch.fields()));
        assert_eq!(seen.with(Field::Bucket), source.provides());
        let mut markers = 0;
        for batch in &batches {
            for row in (0..batch.len()).filter(|row| value(batch, Field::IsDeleteMarker, *row) == "true") {
                let set = Field::all().filter(|field| !value(batch, *field, row).is_empty());
                let expected = FieldSet::VERSION_FIELDS
                    .with(Field::Key)
                    .with(Field::LastModifiedDate)
                    .with(Field::BucketKeyStatus)
                    .with(Field::ObjectOwner);
                assert_eq!(set.collect::<FieldSet>(), expected);
                markers += 1;
            }
        }
        assert_eq!(markers > 0, source.versions_max > 0);
    }
}

#[test]
fn values_of_closed_sets_are_known_ones() {
    for batch in read_all(&source("rows=60000,versions=8")) {
        for field in Field::all().filter(|field| !field.info().values.is_empty()) {
            let Some(Column::Code(column)) = batch.column(field) else { continue };
            for text in column.values().texts().skip(1) {
                assert!(field.info().values.contains(&text), "{field}: {text}");
            }
        }
    }
}

#[test]
fn a_cancelled_run_ends() {
    let source = source("rows=100");
    let mut context = context(&source);
    context.cancel = CancelToken::new();
    let mut stream = source.open(&source.plan(lanes(1)).unwrap().lanes()[0], None, &context).unwrap();
    context.cancel.cancel();
    let error = stream.next_batch(&mut ObjectBatchBuilder::new(context.fields)).unwrap_err();
    assert_eq!(error.kind(), SourceErrorKind::Cancelled);
}

/// Benches compare runs of different days: the values of a seed stay as they are.
#[test]
fn values_are_pinned() {
    let digest = |text: &str| {
        let source = source(text);
        let context = context(&source);
        let mut stream = source.open(&source.plan(lanes(1)).unwrap().lanes()[0], None, &context).unwrap();
        let mut builder = ObjectBatchBuilder::new(context.fields);
        let mut batches = Vec::new();
        while batches.iter().map(ObjectBatch::len).sum::<usize>() < 10_000 {
            assert!(stream.next_batch(&mut builder).unwrap());
            batches.push(builder.finish());
        }
        md5_hex(rendered(&batches, 10_000).join("\n").as_bytes())
    };
    assert_eq!(
        ["rows=10000", "rows=1000000000000,seed=7", "rows=10000,versions=10"].map(digest),
        ["dc6c0bfeba2384345a4762e57842d9e0", "2176d5c01758785d64b82c11e6c0aee5", "c18bd25b4b241541a61decead46ff88f"]
    );
}
