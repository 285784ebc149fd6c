//! Odd rows come back; what cannot be held is an error with its key.

use crate::support::{Numbers, PROFILES, all_fields, check_rows, chunk_of, file_of, format, metadata_of, options};
use stocktake_core::{ChunkEncoder, Field, FieldSet, Format, Timestamp};
use stocktake_parquet::ParquetChunk;
use stocktake_testkit::rows::{Row, Slicing, Value, to_batches};

fn check(rows: &[Row]) {
    for profile in PROFILES {
        let mut options = options(profile);
        options.bloom_filters = FieldSet::EMPTY.with(Field::Key);
        for chunk_rows in [rows.len(), rows.len() / 2 + 1] {
            let file = file_of(&format(all_fields(), &options), rows, chunk_rows);
            check_rows(&file, all_fields(), rows);
        }
    }
}

fn random_text(numbers: &mut Numbers, length: usize) -> String {
    (0..length).map(|_| char::from(b'!' + (numbers.next() % 94) as u8)).collect()
}

#[test]
fn one_row_and_one_row_again_and_again() {
    check(&[Row::new("k")]);
    let versions: Vec<Row> = (0..20_000).map(|_| Row::new("k").with(Field::Size, Value::Int(1))).collect();
    check(&versions);
}

#[test]
fn keys_of_every_length() {
    let mut rows: Vec<Row> = (1..=1024).map(|length| Row::new("k".repeat(length))).collect();
    rows.extend((0..600).map(|number| Row::new(format!("l{}{number:04}", "€".repeat(number % 300)))));
    rows.sort_by(|a, b| a.key().cmp(b.key()));
    check(&rows);
}

#[test]
fn random_keys_and_texts() {
    let mut numbers = Numbers(3);
    let mut rows: Vec<Row> = (0..4000)
        .map(|_| {
            let length = 20 + (numbers.next() % 1000) as usize;
            let mut row = Row::new(random_text(&mut numbers, length));
            for field in [Field::ETag, Field::VersionId, Field::ObjectOwner] {
                let length = (numbers.next() % 80) as usize;
                row.set(field, Value::Text(random_text(&mut numbers, length)));
            }
            row.set(Field::Size, Value::Int((numbers.next() << 16) as i64));
            row
        })
        .collect();
    rows.sort_by(|a, b| a.key().cmp(b.key()));
    check(&rows);
}

/// Fields with few values may have as many as rows, each as long as may be.
#[test]
fn few_valued_fields_with_many_long_values() {
    let mut numbers = Numbers(4);
    let rows: Vec<Row> = (0..300)
        .map(|number| {
            let acl = Value::Text(random_text(&mut numbers, 64 << 10));
            let owner = Value::Text(random_text(&mut numbers, 64));
            Row::new(format!("{number:04}")).with(Field::ObjectAccessControlList, acl).with(Field::ObjectOwner, owner)
        })
        .collect();
    check(&rows);
    let rows: Vec<Row> = (0..70_000)
        .map(|number| Row::new(format!("{number:06}")).with(Field::ObjectOwner, Value::Text(format!("owner {number}"))))
        .collect();
    check(&rows);
}

/// A reader holds a dictionary as a whole, so that one of more than a mebibyte is not written.
#[test]
fn dictionaries_end_at_a_mebibyte() {
    let fields = FieldSet::REQUIRED.with(Field::ObjectAccessControlList);
    for (count, has_dictionary) in [(15, true), (16, false), (40, false)] {
        let rows: Vec<Row> = (0..count)
            .flat_map(|number| {
                let text = format!("{number:02}").repeat(32 << 10);
                let acl = Row::new(format!("{number:04}")).with(Field::ObjectAccessControlList, Value::Text(text));
                [acl, Row::new(format!("{number:04}-without"))]
            })
            .collect();
        let file = file_of(&format(fields, &options(PROFILES[0])), &rows, rows.len());
        let metadata = metadata_of(&file);
        let column = metadata.row_group(0).column(2);
        assert_eq!(column.dictionary_page_offset().is_some(), has_dictionary, "{count} values");
        assert_eq!(column.num_values(), rows.len() as i64);
        check_rows(&file, fields, &rows);
    }
}

/// Absent values in every rhythm: levels that are runs, packed groups, and both.
#[test]
fn absent_values_in_every_rhythm() {
    for rhythm in [1_u64, 2, 3, 7, 8, 9, 16, 63, 64, 1000, 8191, 8192, 8193] {
        let rows: Vec<Row> = (0..20_000_u64)
            .map(|number| {
                let mut row = Row::new(format!("{number:06}"));
                if number / rhythm % 2 == 1 {
                    row.set(Field::ETag, Value::Text(format!("{number:x}")));
                    row.set(Field::Size, Value::Int(number as i64));
                    row.set(Field::StorageClass, Value::Text(["A", "B", "C"][(number % 3) as usize].into()));
                    row.set(Field::IsDeleteMarker, Value::Bool(number % 5 == 0));
                    row.set(Field::ObjectLockEventHoldDuration, Value::Int(number as i64 + 10_000));
                }
                row
            })
            .collect();
        check(&rows);
    }
}

#[test]
fn numbers_at_the_edges_of_their_types() {
    let sizes = [i64::MAX, 0, 1, i64::MAX - 1, 1 << 40, (1 << 40) - 1];
    let days = [i64::from(i32::MAX), 0, 1, i64::from(i32::MAX) - 1];
    let times = [Timestamp::MIN.ms(), Timestamp::MAX.ms(), 0, -1, 1, -86_400_000];
    let rows: Vec<Row> = (0..1000_usize)
        .map(|number| {
            Row::new(format!("{number:04}"))
                .with(Field::Size, Value::Int(sizes[number * 5 % 6]))
                .with(Field::LastModifiedDate, Value::Int(times[number * 7 % 6]))
                .with(Field::ObjectLockEventHoldDuration, Value::Int(days[number * 3 % 4]))
        })
        .collect();
    check(&rows);
    // No batch holds what does not fit, so that no encoder meets it.
    let large = Row::new("k").with(Field::ObjectLockEventHoldDuration, Value::Int(i64::from(i32::MAX) + 1));
    assert!(to_batches(&[large], all_fields(), &Slicing::whole()).is_err());
}

/// What an encoder wrote before has no influence.
#[test]
fn encoders_forget() {
    let mut numbers = Numbers(5);
    let rows: Vec<Row> = (0..3000)
        .map(|number| Row::new(format!("{number:05}")).with(Field::ETag, Value::Text(random_text(&mut numbers, 32))))
        .collect();
    for profile in PROFILES {
        let format = format(all_fields(), &options(profile));
        let mut used = format.encoder();
        let mut chunk = ParquetChunk::default();
        used.encode(&chunk_of(&rows[..2000]), &mut chunk).unwrap();
        used.encode(&chunk_of(&rows[2000..]), &mut chunk).unwrap();
        let mut fresh = ParquetChunk::default();
        format.encoder().encode(&chunk_of(&rows[2000..]), &mut fresh).unwrap();
        assert_eq!(format!("{chunk:?}"), format!("{fresh:?}"), "{profile:?}");
    }
}
