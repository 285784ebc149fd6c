//! Row groups, pages, encodings and the footer.

use crate::support::{
    BUCKET, PROFILES, all_fields, assemble, check_rows, chunk_of, file_of, format, metadata_of, options, reader_of,
    realistic_rows,
};
use parquet::{
    basic::{BoundaryOrder, Compression, Encoding},
    column::page::Page,
    file::{
        metadata::{PageIndexPolicy, ParquetMetaDataReader},
        reader::FileReader,
    },
};
use std::collections::BTreeMap;
use stocktake_core::{
    BucketName, ChunkEncoder, Field, FieldSet, FieldType, FileFormat, Format, Order, ParquetOptions, ParquetProfile,
    ShardFacts, Uuid,
};
use stocktake_parquet::{ParquetChunk, ParquetFormat};
use stocktake_testkit::rows::Row;

#[test]
fn rows_come_back_in_every_profile_at_every_level() {
    let rows = realistic_rows(30_000);
    for profile in PROFILES {
        for level in 1..=2 {
            let mut options = options(profile);
            options.level = level;
            let file = file_of(&format(all_fields(), &options), &rows, 20_000);
            check_rows(&file, all_fields(), &rows);
        }
    }
}

/// What readers of the last ten years need: version 1 pages, PLAIN and dictionary encodings, SNAPPY, checksums.
#[test]
fn the_profile_aws_has_only_what_every_reader_knows() {
    let rows = realistic_rows(30_000);
    let file = file_of(&format(all_fields(), &options(ParquetProfile::Aws)), &rows, 20_000);
    let reader = reader_of(&file);
    assert_eq!(reader.num_row_groups(), 2);
    for group in 0..2 {
        let group = reader.get_row_group(group).unwrap();
        for (column, field) in all_fields().iter().enumerate() {
            let dictionary = matches!(field.field_type(), FieldType::Code) || field == Field::Bucket;
            let mut kinds = BTreeMap::new();
            for page in group.get_column_page_reader(column).unwrap() {
                let (kind, encoding) = match page.unwrap() {
                    Page::DataPage { encoding, .. } => ("data", encoding),
                    Page::DictionaryPage { encoding, is_sorted, .. } => {
                        assert!(is_sorted);
                        ("dictionary", encoding)
                    }
                    page => panic!("{field}: {:?}", page.page_type()),
                };
                let wanted = if dictionary { Encoding::PLAIN_DICTIONARY } else { Encoding::PLAIN };
                // A reader may name the dictionary's encoding by its newer name.
                assert!(
                    encoding == wanted || (dictionary && encoding == Encoding::RLE_DICTIONARY),
                    "{field} {encoding}"
                );
                *kinds.entry(kind).or_insert(0) += 1;
            }
            assert_eq!(kinds.get("dictionary").copied(), dictionary.then_some(1), "{field}");
            assert!(kinds["data"] >= 1);
            let metadata = group.metadata().column(column);
            assert_eq!(metadata.compression(), Compression::SNAPPY);
            assert_eq!(metadata.dictionary_page_offset().is_some(), dictionary);
            assert_eq!(metadata.num_values(), group.metadata().num_rows());
        }
    }
}

#[test]
fn compact_uses_zstd_and_deltas() {
    let rows = realistic_rows(5_000);
    let metadata = metadata_of(&file_of(&format(all_fields(), &options(ParquetProfile::Compact)), &rows, 5_000));
    let group = metadata.row_group(0);
    for (column, field) in all_fields().iter().enumerate() {
        let column = group.column(column);
        assert!(matches!(column.compression(), Compression::ZSTD(_)), "{field}");
        let wanted = match (field, field.field_type()) {
            (Field::Key, _) | (_, FieldType::Boolean) => Encoding::PLAIN,
            (Field::Bucket, _) | (_, FieldType::Code) => Encoding::RLE_DICTIONARY,
            (_, FieldType::Text) => Encoding::DELTA_LENGTH_BYTE_ARRAY,
            _ => Encoding::DELTA_BINARY_PACKED,
        };
        assert!(
            column.encodings().any(|encoding| encoding == wanted),
            "{field}: {:?}",
            column.encodings().collect::<Vec<_>>()
        );
    }
}

/// A reader that uses the page index reads a page of each column for one key: pages are bounded in bytes and rows.
#[test]
fn pages_are_small() {
    let rows = realistic_rows(40_000);
    for profile in PROFILES {
        let metadata = metadata_of(&file_of(&format(all_fields(), &options(profile)), &rows, 40_000));
        let rows_max = if profile == ParquetProfile::Compact { 32_768 } else { 16_384 };
        for (column, field) in all_fields().iter().enumerate() {
            let pages = metadata.offset_index().unwrap()[0][column].page_locations();
            let starts: Vec<i64> = pages.iter().map(|page| page.first_row_index).chain([40_000]).collect();
            assert_eq!(starts[0], 0);
            assert!(starts.windows(2).all(|pair| pair[0] < pair[1]));
            let one_page = field == Field::Bucket || starts.len() == 2;
            assert!(one_page || starts.windows(2).all(|pair| pair[1] - pair[0] <= rows_max), "{field}");
            assert!(pages.iter().all(|page| page.compressed_page_size < 70_000), "{field}");
        }
    }
}

#[test]
fn the_footer_names_the_report_and_its_rows() {
    let rows = realistic_rows(300);
    let metadata = metadata_of(&file_of(&format(all_fields(), &ParquetOptions::default()), &rows, 100));
    let file = metadata.file_metadata();
    assert_eq!(file.created_by(), Some("stocktake version 5.0.0 (build 5)"));
    assert_eq!((file.version(), file.num_rows()), (1, 300));
    let facts: BTreeMap<_, _> =
        file.key_value_metadata().unwrap().iter().map(|pair| (&*pair.key, pair.value.clone().unwrap())).collect();
    assert_eq!(facts["stocktake.rows"], "300");
    assert_eq!(facts["stocktake.report_id"], Uuid::from_u128(7).to_string());
    assert_eq!(facts["stocktake.first_key"], rows[0].key());
    assert_eq!(facts["stocktake.last_key"], rows[299].key());
    assert_eq!(facts.len(), 4, "no Arrow schema");
    for group in metadata.row_groups() {
        let sorting = group.sorting_columns().unwrap();
        assert_eq!((sorting.len(), sorting[0].column_idx, sorting[0].descending), (1, 1, false));
    }
    let keys = &metadata.column_index().unwrap()[0][1];
    assert_eq!(keys.get_boundary_order(), Some(BoundaryOrder::ASCENDING));
}

#[test]
fn an_unsorted_report_declares_no_order() {
    let mut rows = realistic_rows(3000);
    rows.reverse();
    let bucket = BucketName::try_new(BUCKET).unwrap();
    let format = ParquetFormat::new(&bucket, all_fields(), Order::AsDelivered, &ParquetOptions::default());
    let file = file_of(&format, &rows, 3000);
    check_rows(&file, all_fields(), &rows);
    let metadata = metadata_of(&file);
    assert_eq!(metadata.row_group(0).sorting_columns(), None);
    let key = metadata.row_group(0).column(1).statistics().unwrap();
    assert_eq!(key.min_bytes_opt().unwrap(), rows[2999].key().as_bytes());
    assert_eq!(key.max_bytes_opt().unwrap(), rows[0].key().as_bytes());
    let keys = &metadata.column_index().unwrap()[0][1];
    assert_eq!(keys.get_boundary_order(), Some(BoundaryOrder::UNORDERED));
}

#[test]
fn bloom_filters_know_every_value_and_few_others() {
    let rows = realistic_rows(10_000);
    let mut options = ParquetOptions::default();
    options.bloom_filters = [Field::Key, Field::ETag].into_iter().collect();
    let file = file_of(&format(all_fields(), &options), &rows, 5_000);
    check_rows(&file, all_fields(), &rows);
    let metadata = metadata_of(&file);
    for (column, field) in all_fields().iter().enumerate() {
        let filtered = options.bloom_filters.contains(field);
        assert_eq!(metadata.row_group(1).column(column).bloom_filter_offset().is_some(), filtered, "{field}");
        if !filtered {
            continue;
        }
        for (group, rows) in rows.chunks(5_000).enumerate() {
            let chunk = metadata.row_group(group).column(column);
            let filter = parquet::bloom_filter::Sbbf::read_from_column_chunk(chunk, &file).unwrap().unwrap();
            assert!(rows.iter().all(|row| filter.check(crate::support::expected(row, field).as_str())), "{field}");
            let wrong = (0..10_000).filter(|number| filter.check(format!("no such value {number}").as_str())).count();
            assert!(wrong < 300, "{wrong} of 10,000 foreign values are taken for {field}");
        }
    }
}

#[test]
fn the_limit_of_row_groups_is_an_error() {
    let format = format(FieldSet::REQUIRED, &ParquetOptions::default());
    let mut chunk = ParquetChunk::default();
    format.encoder().encode(&chunk_of(&[Row::new("k")]), &mut chunk).unwrap();
    let facts = ShardFacts::new(Uuid::nil(), 32_767, "k".into(), "k".into());
    assert!(assemble(&format, std::iter::repeat_n(&chunk, 32_767), &facts).is_ok());
    let error = assemble(&format, std::iter::repeat_n(&chunk, 32_768), &facts).unwrap_err();
    assert!(error.to_string().contains("32767 row groups"), "{error}");
}

#[test]
fn a_file_without_rows_opens() {
    let file = file_of(&format(all_fields(), &ParquetOptions::default()), &[], 1);
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&file).unwrap();
    assert_eq!((metadata.num_row_groups(), metadata.file_metadata().num_rows()), (0, 0));
}

/// The schema of a real delivery equals ours for the same fields, converted and logical types included.
#[test]
fn the_schema_is_that_of_a_real_delivery() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/fixtures/aws/parquet_inventory.parquet");
    let Ok(delivered) = std::fs::read(path) else { return };
    let policy = PageIndexPolicy::Optional;
    let delivered = ParquetMetaDataReader::new()
        .with_page_index_policy(policy)
        .parse_and_finish(&bytes::Bytes::from(delivered))
        .unwrap();
    // The first eighteen columns: an all-versions report of May 2024.
    let fields: FieldSet = Field::all().take(18).collect();
    let ours = metadata_of(&file_of(&format(fields, &ParquetOptions::default()), &realistic_rows(5), 5));
    assert_eq!(delivered.file_metadata().schema(), ours.file_metadata().schema());
    let stated = parquet::schema::parser::parse_message_type(&FileFormat::Parquet.schema_text(fields)).unwrap();
    assert_eq!(delivered.file_metadata().schema(), &stated);
    let codecs = |metadata: &parquet::file::metadata::ParquetMetaData| {
        metadata.row_group(0).columns().iter().map(|column| column.compression()).collect::<Vec<_>>()
    };
    assert_eq!(codecs(&delivered), codecs(&ours));
    assert_eq!(delivered.file_metadata().version(), ours.file_metadata().version());
}
