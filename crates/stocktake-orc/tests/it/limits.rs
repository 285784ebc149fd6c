//! What ORC cannot hold is refused with its place; nothing at all is a valid file.

use super::{
    round_trip,
    seeking::File,
    support::{Table, Values, write},
};
use arrow_array::{ArrayRef, Decimal128Array, Int64Array, RecordBatch, TimestampMillisecondArray};
use arrow_schema::Schema;
use std::sync::Arc;
use stocktake_orc::{
    ColumnSlice, ColumnType, Compression, Dictionary, EncodedStripe, FileAssembler, OrcErrorKind, OrcSchema, OrcWriter,
    StripeColumn, StripeEncoder, WriterOptions,
};

fn schema(column_type: ColumnType) -> OrcSchema {
    OrcSchema::try_new(vec![("c".to_owned(), column_type)]).unwrap()
}

fn refusal(column_type: ColumnType, column: StripeColumn<'_>, rows: usize) -> (OrcErrorKind, String) {
    let mut encoder = StripeEncoder::try_new(&schema(column_type), &WriterOptions::default()).unwrap();
    let mut stripe = EncodedStripe::default();
    let error = encoder.encode(&[column], rows, &mut stripe).unwrap_err();
    assert_eq!((stripe.rows(), stripe.bytes()), (0, 0));
    (error.kind(), error.to_string())
}

fn slices(slice: ColumnSlice<'_>) -> StripeColumn<'_> {
    StripeColumn::Slices(vec![slice])
}

#[test]
fn a_file_without_rows_is_valid() {
    for compression in [Compression::None, Compression::Zlib { level: 1 }, Compression::Zstd { level: 1 }] {
        let options = WriterOptions::default().with_compression(compression).with_metadata("k", "v");
        let table = Table(vec![("n".to_owned(), Values::Int64(vec![]))]);
        let bytes = write(&table.batch(), &options, 1);
        assert_eq!(round_trip::read(bytes.clone()), Vec::<Vec<_>>::new());
        let file = File::open(bytes);
        assert_eq!((file.footer.stripes.len(), file.footer.number_of_rows()), (0, 0));
        assert_eq!(file.footer.metadata[0].value(), b"v");
        assert_eq!(file.footer.statistics.len(), 2);
    }
}

#[test]
fn a_file_without_columns_has_rows() {
    let options = WriterOptions::default();
    let schema = OrcSchema::from_arrow(&Schema::empty()).unwrap();
    let mut stripe = EncodedStripe::default();
    StripeEncoder::try_new(&schema, &options).unwrap().encode(&[], 3, &mut stripe).unwrap();
    let mut assembler = FileAssembler::try_new(Vec::new(), &schema, &options).unwrap();
    assembler.append(&stripe).unwrap();
    assert_eq!(assembler.rows(), 3);
    assert_eq!(File::open(assembler.finish().unwrap()).footer.number_of_rows(), 3);
}

#[test]
fn rows_of_another_shape_are_refused() {
    let numbers = [1, 2, 70_000];
    let integers = || ColumnSlice::integers(&numbers, None);
    assert_eq!(
        refusal(ColumnType::BigInt, slices(integers()), 2),
        (OrcErrorKind::Mismatch, "column \"c\": 3 rows were given, the stripe has 2".to_owned())
    );
    assert_eq!(refusal(ColumnType::String, slices(integers()), 3).0, OrcErrorKind::Mismatch);
    assert_eq!(
        refusal(ColumnType::SmallInt, slices(integers()), 3),
        (OrcErrorKind::Value, "column \"c\": row 2 of the stripe: 70000 is no smallint".to_owned())
    );
    let mut encoder = StripeEncoder::try_new(&schema(ColumnType::Int), &WriterOptions::default()).unwrap();
    let error = encoder.encode(&[], 0, &mut EncodedStripe::default()).unwrap_err();
    assert_eq!(error.to_string(), "0 columns were given, the schema has 1");
}

#[test]
fn times_that_orc_cannot_hold_are_refused_with_their_row() {
    let array = TimestampMillisecondArray::from(vec![Some(5), None, Some(-1)]);
    let column = ColumnSlice::try_from_array(&array).unwrap();
    let (kind, text) = refusal(ColumnType::Timestamp, slices(column), 3);
    assert_eq!(kind, OrcErrorKind::Value);
    assert!(text.starts_with("column \"c\": row 2 of the stripe: a time of -1 milliseconds"), "{text}");
}

#[test]
fn dictionaries_are_checked() {
    assert!(Dictionary::try_new(&["b", "a"]).is_err() && Dictionary::try_new(&["a", "a"]).is_err());
    let mut dictionary = Dictionary::try_new(&["a"]).unwrap();
    assert!(dictionary.push_constant(1, 5).is_err());
    assert!(dictionary.push_codes(&[0], &[1]).is_err());
    // Rows without a rank where none may be null.
    let (codes, ranks) = ([0, 1, 9], [0, u32::MAX]);
    dictionary.push_codes(&codes, &ranks).unwrap();
    let column = StripeColumn::Dictionary(dictionary.without_nulls());
    assert_eq!(refusal(ColumnType::String, column, 3).0, OrcErrorKind::Mismatch);
    let mut dictionary = Dictionary::try_new(&["a"]).unwrap();
    dictionary.push_nulls(3);
    let column = StripeColumn::Dictionary(dictionary.without_nulls());
    assert_eq!(refusal(ColumnType::String, column, 3).0, OrcErrorKind::Mismatch);
}

#[test]
fn options_out_of_their_bounds_are_refused() {
    let refused = |options: WriterOptions| {
        let error = StripeEncoder::try_new(&schema(ColumnType::Boolean), &options).unwrap_err();
        assert_eq!(error.kind(), OrcErrorKind::Invalid, "{options:?}");
    };
    let options = WriterOptions::default;
    refused(options().with_block_bytes(1 << 23));
    refused(options().with_block_bytes(0));
    refused(options().with_row_index_stride(0));
    refused(options().with_compression(Compression::Zlib { level: 0 }));
    refused(options().with_compression(Compression::Zstd { level: 23 }));
    refused(options().with_bloom_filter("other"));
    refused(options().with_bloom_filter("c"));
    refused(options().with_bloom_fpp(1.0));
    assert!(StripeEncoder::try_new(&schema(ColumnType::Int), &options().with_block_bytes((1 << 23) - 1)).is_ok());
}

#[test]
fn other_types_and_schemas_are_refused() {
    let decimal: ArrayRef = Arc::new(Decimal128Array::from(vec![1]));
    let batch = RecordBatch::try_from_iter([("d", decimal)]).unwrap();
    let error = OrcWriter::try_new(Vec::new(), batch.schema(), &WriterOptions::default()).unwrap_err();
    assert!(error.to_string().starts_with("column \"d\": type Decimal128"), "{error}");
    let number: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let other = RecordBatch::try_from_iter([("n", number)]).unwrap();
    let mut writer = OrcWriter::try_new(Vec::new(), other.schema(), &WriterOptions::default()).unwrap();
    assert!(writer.write(&batch).is_err());
}

/// Any output that fails ends the file with an error, not with a panic.
#[test]
fn an_output_that_fails_is_an_error() {
    struct Full(usize);
    impl std::io::Write for Full {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let taken = bytes.len().min(self.0);
            self.0 -= taken;
            if taken == 0 { Err(std::io::ErrorKind::StorageFull.into()) } else { Ok(taken) }
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let table = Table(vec![("n".to_owned(), Values::Int64((0..100).map(Some).collect()))]);
    let batch = table.batch();
    let length = write(&batch, &WriterOptions::default(), 100).len();
    for room in [0, 2, 3, 50, length - 1] {
        let mut writer = OrcWriter::try_new(Full(room), batch.schema(), &WriterOptions::default()).unwrap();
        writer.write(&batch).unwrap();
        assert_eq!(writer.finish().map(|_| ()).unwrap_err().kind(), OrcErrorKind::Io, "{room} bytes");
    }
}

/// Columns may be given one after another, with the same bytes; what is left unfinished or was refused leaves nothing.
#[test]
fn stripes_are_built_column_by_column() {
    let schema = OrcSchema::try_new(vec![("a".to_owned(), ColumnType::BigInt), ("b".to_owned(), ColumnType::String)]);
    let mut encoder = StripeEncoder::try_new(&schema.unwrap(), &WriterOptions::default()).unwrap();
    let numbers = slices(ColumnSlice::integers(&[1, 2, 3], None));
    let texts = slices(ColumnSlice::constant("text", 3));
    let (mut whole, mut built) = (EncodedStripe::default(), EncodedStripe::default());
    encoder.encode(&[numbers.clone(), texts.clone()], 3, &mut whole).unwrap();

    let mut stripe = encoder.begin(3, &mut built).unwrap();
    stripe.push(&numbers).unwrap();
    stripe.push(&texts).unwrap();
    stripe.finish().unwrap();
    let file = |stripe: &EncodedStripe| {
        let schema =
            OrcSchema::try_new(vec![("a".to_owned(), ColumnType::BigInt), ("b".to_owned(), ColumnType::String)]);
        let mut file = FileAssembler::try_new(Vec::new(), &schema.unwrap(), &WriterOptions::default()).unwrap();
        file.append(stripe).unwrap();
        file.finish().unwrap()
    };
    assert_eq!(file(&built), file(&whole));

    drop(encoder.begin(3, &mut built).unwrap());
    assert_eq!((built.rows(), built.bytes()), (0, 0));
    let mut stripe = encoder.begin(3, &mut built).unwrap();
    stripe.push(&numbers).unwrap();
    assert!(stripe.finish().unwrap_err().to_string().contains("1 columns were given, the schema has 2"));
    let mut stripe = encoder.begin(3, &mut built).unwrap();
    stripe.push(&numbers).unwrap();
    assert!(stripe.push(&numbers).unwrap_err().to_string().contains('b'));
    assert!(stripe.finish().is_err());
    assert_eq!((built.rows(), built.bytes()), (0, 0));
    let mut stripe = encoder.begin(3, &mut built).unwrap();
    stripe.push(&numbers).unwrap();
    stripe.push(&texts).unwrap();
    assert!(stripe.push(&texts).unwrap_err().to_string().contains("3 columns were given, the schema has 2"));
    assert!(stripe.finish().is_err());
}
