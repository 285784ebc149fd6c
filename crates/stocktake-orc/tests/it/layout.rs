//! Files are laid out as the ones that S3 delivers.

use super::{
    proto::{CompressionKind, column_encoding::Kind as Encoding, stream::Kind},
    round_trip,
    seeking::File,
    support::{Table, TextKind, Values, write},
};
use arrow_array::RecordBatch;
use bytes::Bytes;
use orc_rust::ArrowReaderBuilder;
use stocktake_orc::{ColumnHint, WriterOptions};

/// A delivery of five rows, where the shared fixtures are beside the checkout.
fn delivery() -> Option<Vec<u8>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/fixtures/aws/orc_inventory.orc");
    std::fs::read(path).or_else(|_| std::fs::read(path.replace("/../../../", "/../../../../"))).ok()
}

/// Streams, encodings, positions and statistics of a rewritten delivery are those of the delivery.
#[test]
fn a_delivery_that_is_written_again_looks_the_same() {
    let Some(theirs) = delivery() else { return };
    let reader = ArrowReaderBuilder::try_new(Bytes::from(theirs.clone())).unwrap().build();
    let batches: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
    let mut options = WriterOptions::default().with_hint("version_id", ColumnHint::RandomText);
    for column in batches[0].schema().fields() {
        if column.name() != "version_id" && *column.data_type() == arrow_schema::DataType::Utf8 {
            options = options.with_hint(column.name(), ColumnHint::Dictionary);
        }
    }
    let ours = write(&batches[0], &options, 5);
    assert_eq!(round_trip::read(ours.clone()), round_trip::read(theirs.clone()));
    let (ours, theirs) = (File::open(ours), File::open(theirs));

    assert_eq!(ours.postscript.compression(), CompressionKind::Zlib);
    assert_eq!(ours.postscript.compression(), theirs.postscript.compression());
    assert_eq!(ours.postscript.compression_block_size(), theirs.postscript.compression_block_size());
    assert_eq!(ours.postscript.version, theirs.postscript.version);
    assert_eq!(ours.postscript.magic, theirs.postscript.magic);
    assert!(ours.postscript.writer_version() >= 6);
    assert_eq!(ours.footer.header_length, theirs.footer.header_length);
    assert_eq!(ours.footer.types, theirs.footer.types);
    assert_eq!(ours.footer.row_index_stride, theirs.footer.row_index_stride);
    assert_eq!(ours.footer.number_of_rows, theirs.footer.number_of_rows);

    for (our, their) in ours.stripes().zip(theirs.stripes()) {
        assert_eq!(our.footer.writer_timezone, their.footer.writer_timezone);
        assert_eq!(our.footer.columns, their.footer.columns);
        let streams = |stripe: &super::seeking::Stripe<'_>| -> Vec<(u32, Kind)> {
            stripe.footer.streams.iter().map(|stream| (stream.column(), stream.kind())).collect()
        };
        assert_eq!(streams(&our), streams(&their));
        for column in 0..ours.footer.types.len() {
            let (our, their) = (our.index(column), their.index(column));
            assert_eq!(our.entry.len(), their.entry.len());
            for (our, their) in our.entry.iter().zip(&their.entry) {
                assert_eq!(our.positions, their.positions, "column {column}");
                let (mut our, mut their) = (our.statistics.clone().unwrap(), their.statistics.clone().unwrap());
                // Times have their statistics by UTC since; nulls are said of row groups, not of the whole file.
                our.timestamp_statistics = None;
                their.timestamp_statistics = None;
                assert_eq!(our.number_of_values, their.number_of_values);
                (our.has_null, their.has_null) = (None, None);
                assert_eq!(our, their, "column {column}");
            }
        }
    }
}

#[test]
fn streams_stand_by_area_and_column_and_nulls_decide_on_present() {
    let table = Table(vec![
        ("a".to_owned(), Values::Int64(vec![Some(1), Some(2)])),
        ("b".to_owned(), Values::Text(TextKind::Offsets, vec![Some("x".to_owned()), None])),
        ("c".to_owned(), Values::Millis(vec![Some(5), Some(6)])),
    ]);
    let options = WriterOptions::default().with_bloom_filter("b").with_hint("b", ColumnHint::RandomText);
    let file = File::open(write(&table.batch(), &options, 2));
    let stripe = file.stripes().next().unwrap();
    let streams: Vec<(u32, Kind)> =
        stripe.footer.streams.iter().map(|stream| (stream.column(), stream.kind())).collect();
    assert_eq!(
        streams,
        [
            (0, Kind::RowIndex),
            (1, Kind::RowIndex),
            (2, Kind::RowIndex),
            (2, Kind::BloomFilterUtf8),
            (3, Kind::RowIndex),
            (1, Kind::Data),
            (2, Kind::Present),
            (2, Kind::Data),
            (2, Kind::Length),
            (3, Kind::Data),
            (3, Kind::Secondary),
        ]
    );
    let encodings: Vec<Encoding> = stripe.footer.columns.iter().map(|column| column.kind()).collect();
    assert_eq!(encodings, [Encoding::Direct, Encoding::DirectV2, Encoding::DirectV2, Encoding::DirectV2]);
    assert_eq!(stripe.footer.columns[2].bloom_encoding, Some(1));
    let filter = &stripe.filters(2).unwrap().bloom_filter[0];
    assert_eq!((filter.num_hash_functions(), filter.utf8bitset().len()), (7, 95_872 / 8));
}
