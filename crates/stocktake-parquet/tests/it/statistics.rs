//! Bounds and counts against the values that are read back: exact for a column chunk, true for every page.

use crate::support::{PROFILES, all_fields, expected, file_of, format, metadata_of, options, realistic_rows};
use parquet::file::{metadata::ParquetMetaData, page_index::column_index::ColumnIndexMetaData, statistics::Statistics};
use stocktake_core::{Field, FieldType, ParquetOptions};
use stocktake_testkit::rows::{Row, Value};

/// A value as its column compares it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Plain {
    Number(i64),
    Text(Vec<u8>),
}

fn plain(row: &Row, field: Field) -> Option<Plain> {
    match row.value(field) {
        Some(Value::Int(number)) => Some(Plain::Number(*number)),
        Some(Value::Bool(value)) => Some(Plain::Number(i64::from(*value))),
        _ => Some(expected(row, field)).filter(|text| !text.is_empty()).map(|text| Plain::Text(text.into_bytes())),
    }
}

fn decoded(field: Field, bytes: &[u8]) -> Plain {
    match field.field_type() {
        FieldType::Int64 | FieldType::Timestamp => Plain::Number(i64::from_le_bytes(bytes.try_into().unwrap())),
        FieldType::Int32 => Plain::Number(i64::from(i32::from_le_bytes(bytes.try_into().unwrap()))),
        FieldType::Boolean => Plain::Number(i64::from(bytes[0])),
        _ => Plain::Text(bytes.to_vec()),
    }
}

fn check(metadata: &ParquetMetaData, rows: &[Row], chunk_rows: usize) {
    for (group, rows) in rows.chunks(chunk_rows).enumerate() {
        for (column, field) in all_fields().iter().enumerate() {
            let values: Vec<Option<Plain>> = rows.iter().map(|row| plain(row, field)).collect();
            let statistics = metadata.row_group(group).column(column).statistics().unwrap();
            check_chunk(field, statistics, &values);
            let offsets = metadata.offset_index().unwrap()[group][column].page_locations();
            let starts: Vec<usize> =
                offsets.iter().map(|page| page.first_row_index as usize).chain([rows.len()]).collect();
            check_pages(field, &metadata.column_index().unwrap()[group][column], &values, &starts);
        }
    }
}

fn check_chunk(field: Field, statistics: &Statistics, values: &[Option<Plain>]) {
    let nulls = values.iter().filter(|value| value.is_none()).count() as u64;
    assert_eq!(statistics.null_count_opt(), Some(nulls), "{field}");
    let (min, max) = (values.iter().flatten().min(), values.iter().flatten().max());
    let long = [min, max].into_iter().flatten().any(|value| matches!(value, Plain::Text(text) if text.len() > 1024));
    let bounds = (
        statistics.min_bytes_opt().map(|bytes| decoded(field, bytes)),
        statistics.max_bytes_opt().map(|bytes| decoded(field, bytes)),
    );
    let wanted = if long { (None, None) } else { (min.cloned(), max.cloned()) };
    assert_eq!(bounds, wanted, "{field}");
}

fn check_pages(field: Field, index: &ColumnIndexMetaData, values: &[Option<Plain>], starts: &[usize]) {
    if matches!(field, Field::ETag | Field::VersionId) {
        assert!(matches!(index, ColumnIndexMetaData::NONE), "{field}");
        return;
    }
    for (page, range) in starts.windows(2).enumerate() {
        let all = values;
        let values = &values[range[0]..range[1]];
        let present: Vec<&Plain> = values.iter().flatten().collect();
        assert_eq!(index.is_null_page(page), present.is_empty(), "{field}");
        assert_eq!(index.null_count(page), Some((values.len() - present.len()) as i64), "{field}");
        let (min, max) = match index {
            ColumnIndexMetaData::BYTE_ARRAY(index) => {
                (index.min_value(page).map(<[u8]>::to_vec), index.max_value(page).map(<[u8]>::to_vec))
            }
            ColumnIndexMetaData::INT64(index) => {
                let bytes = |number: &i64| number.to_le_bytes().to_vec();
                (index.min_value(page).map(bytes), index.max_value(page).map(bytes))
            }
            ColumnIndexMetaData::INT32(index) => {
                let bytes = |number: &i32| number.to_le_bytes().to_vec();
                (index.min_value(page).map(bytes), index.max_value(page).map(bytes))
            }
            ColumnIndexMetaData::BOOLEAN(index) => {
                let bytes = |value: &bool| vec![u8::from(*value)];
                (index.min_value(page).map(bytes), index.max_value(page).map(bytes))
            }
            other => panic!("{field} has {other:?}"),
        };
        let Some((least, greatest)) = present.iter().min().zip(present.iter().max()) else {
            assert_eq!((min, max), (None, None));
            continue;
        };
        let (min, max) = (decoded(field, &min.unwrap()), decoded(field, &max.unwrap()));
        assert!(min <= **least && **greatest <= max, "{field}: {min:?} {least:?} {greatest:?} {max:?}");
        let short = |value: &Plain| !matches!(value, Plain::Text(text) if text.len() > 250);
        if field == Field::Key {
            // The least may be stated by its front, as long as that is above the page before.
            let before = values_before(page, starts, all);
            assert!(!short(&min) || before.as_ref().is_none_or(|before| *before < min), "{before:?} {min:?}");
            // And the greatest by the front of the key that follows the page.
            let after = all.get(range[1]).and_then(Option::as_ref);
            assert!(!short(greatest) || max == **greatest || after.is_some_and(|after| max <= *after), "{max:?}");
        } else if short(least) && short(greatest) {
            assert_eq!((&min, &max), (*least, *greatest), "{field}");
        }
    }
}

/// The greatest value of the page before.
fn values_before(page: usize, starts: &[usize], values: &[Option<Plain>]) -> Option<Plain> {
    let before = page.checked_sub(1)?;
    values[starts[before]..starts[page]].iter().flatten().max().cloned()
}

#[test]
fn statistics_are_those_of_the_values() {
    let rows = realistic_rows(25_000);
    for profile in PROFILES {
        check(&metadata_of(&file_of(&format(all_fields(), &options(profile)), &rows, 20_000)), &rows, 20_000);
    }
}

#[test]
fn pages_and_groups_without_values_say_so() {
    // Pages of flags have 16,384 rows: the first of them is all absent, the second half, the third has all.
    let mut rows: Vec<Row> = (0..60_000).map(|number| Row::new(format!("{number:08}"))).collect();
    for row in &mut rows[24_000..] {
        row.set(Field::LastModifiedDate, Value::Int(-5));
        row.set(Field::IsLatest, Value::Bool(true));
        row.set(Field::StorageClass, Value::Text("STANDARD".into()));
    }
    for chunk_rows in [60_000, 20_000] {
        let metadata = metadata_of(&file_of(&format(all_fields(), &ParquetOptions::default()), &rows, chunk_rows));
        check(&metadata, &rows, chunk_rows);
    }
}

/// A text too long for the column index is bounded by shorter texts; keys of 1,024 bytes stay whole in the footer.
#[test]
fn long_texts_have_true_bounds() {
    let mut rows: Vec<Row> = (0..3000)
        .map(|number| {
            let front = ["é", "\u{7f}", "z", "\u{10ffff}"][number % 4].repeat(250);
            let acl = Value::Text(front.repeat(1 + number % 8));
            Row::new(format!("{front}{number:06}")).with(Field::ObjectAccessControlList, acl)
        })
        .filter(|row| row.key().len() <= 1024)
        .collect();
    rows.sort_by(|a, b| a.key().cmp(b.key()));
    for profile in PROFILES {
        let metadata = metadata_of(&file_of(&format(all_fields(), &options(profile)), &rows, 1000));
        check(&metadata, &rows, 1000);
    }
}
