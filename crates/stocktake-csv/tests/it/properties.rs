//! Random rows come back from readers; how rows were sliced, and what was encoded before, leaves no trace.

use crate::support::{Row, Value, all_fields, batch, chunk_of, file_of, format, inflated, key_decoded, realistic_rows};
use proptest::{collection::vec, prelude::*, sample::select};
use stocktake_core::{
    ChunkEncoder, CsvOptions, Field, FieldSet, FieldType, Format, KeyEncoding, ObjectBatchBuilder, RowChunk, Timestamp,
};
use stocktake_csv::{CsvChunk, CsvEncoder};

fn key() -> impl Strategy<Value = String> {
    "\\PC{1,80}|[ -~]{1,120}|logs/2026/[0-9]{2}/[a-z0-9-]{1,40}\\.gz|(\u{0}|\u{7f}|\r|\n|\"|é|🎉){1,20}"
}

fn text() -> impl Strategy<Value = String> {
    "[0-9a-f]{32}|[0-9a-f\"]{32}|\\PC{0,60}|(\"|\r|\n|,|\u{0}|a){0,40}|[A-Za-z0-9+/=]{100,400}"
}

fn few() -> impl Strategy<Value = String> {
    let known = ["STANDARD", "INTELLIGENT_TIERING", "REPLICA", "SSE-S3", "DSSE-KMS", "ON", "\"", "é\n"];
    prop_oneof![8 => select(known.map(str::to_owned).to_vec()), 1 => text()]
}

fn value(field: Field) -> BoxedStrategy<Value> {
    match field.field_type() {
        FieldType::Text => text().prop_map(Value::Text).boxed(),
        FieldType::Code => few().prop_map(Value::Text).boxed(),
        FieldType::Boolean => any::<bool>().prop_map(Value::Bool).boxed(),
        FieldType::Int32 => (0..=i64::from(i32::MAX)).prop_map(Value::Int).boxed(),
        FieldType::Timestamp => (Timestamp::MIN.ms()..=Timestamp::MAX.ms()).prop_map(Value::Int).boxed(),
        _ => prop_oneof![0..100_000i64, 0..=i64::MAX].prop_map(Value::Int).boxed(),
    }
}

fn row() -> impl Strategy<Value = Row> {
    let fields: Vec<Field> = all_fields().difference(FieldSet::REQUIRED).iter().collect();
    let values: Vec<_> = fields.iter().map(|field| proptest::option::of(value(*field))).collect();
    (key(), values).prop_map(move |(key, values)| {
        let present = fields.iter().zip(values).filter_map(|(field, value)| Some((*field, value?)));
        Row { key, values: present.collect() }
    })
}

fn fields() -> impl Strategy<Value = FieldSet> {
    any::<u32>().prop_map(|bits| all_fields().iter().filter(|field| bits >> field.index() & 1 == 1).collect())
}

fn options() -> impl Strategy<Value = CsvOptions> {
    (any::<bool>(), 1..=9u8).prop_map(|(form, level)| {
        let mut options = CsvOptions::default();
        options.key_encoding = if form { KeyEncoding::Form } else { KeyEncoding::Percent };
        options.level = level;
        options
    })
}

fn encoded(encoder: &mut CsvEncoder, rows: &RowChunk) -> CsvChunk {
    let mut chunk = CsvChunk::default();
    encoder.encode(rows, &mut chunk).unwrap();
    chunk
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn values_come_back(rows in vec(row(), 1..40), fields in fields(), options in options(), chunk_rows in 1..50usize) {
        let fields = fields.union(FieldSet::REQUIRED);
        let text = inflated(&file_of(&format(fields, &options), &rows, chunk_rows));
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&*text);
        let records: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
        prop_assert_eq!(records.len(), rows.len());
        for (record, row) in records.iter().zip(&rows) {
            prop_assert_eq!(record.len(), fields.len());
            for (found, field) in record.iter().zip(fields.iter()) {
                let form = options.key_encoding == KeyEncoding::Form;
                let found = if field == Field::Key { key_decoded(found, form) } else { found.to_owned() };
                prop_assert_eq!(found, row.expected(field), "{}", field);
            }
        }
    }

    #[test]
    fn slicing_leaves_no_trace(
        rows in vec(row(), 1..40),
        cuts in vec(0..40usize, 0..8),
        slices in vec((0..40usize, 0..40usize), 0..8),
        options in options(),
    ) {
        let format = format(all_fields(), &options);
        let whole = encoded(&mut format.encoder(), &chunk_of(&rows));
        // Batches of one builder, begun anew at each cut; then slices of these.
        let mut builder = ObjectBatchBuilder::new(all_fields());
        let mut bounds: Vec<usize> = cuts.into_iter().map(|cut| cut.min(rows.len())).chain([0, rows.len()]).collect();
        bounds.sort_unstable();
        let mut segments = Vec::new();
        for pair in bounds.windows(2) {
            let batch = batch(&mut builder, &rows[pair[0]..pair[1]]);
            let at = slices.iter().map(|(_, at)| *at).find(|at| *at < batch.len()).unwrap_or(0);
            segments.push(batch.slice(0..at));
            segments.push(batch.slice(at..batch.len()));
        }
        let mut encoder = format.encoder();
        encoded(&mut encoder, &chunk_of(&rows[rows.len() / 2..]));
        let sliced = encoded(&mut encoder, &RowChunk::new(segments));
        prop_assert_eq!(sliced.deflated(), whole.deflated());
        prop_assert_eq!((sliced.crc32(), sliced.text_bytes()), (whole.crc32(), whole.text_bytes()));
    }
}

#[test]
fn long_chunks_are_pure_at_every_level() {
    let rows = realistic_rows(4000);
    let batch = batch(&mut ObjectBatchBuilder::new(all_fields()), &rows);
    let halves = RowChunk::new([batch.slice(0..1), batch.slice(1..777), batch.slice(777..4000)]);
    for level in 1..=9 {
        let mut options = CsvOptions::default();
        options.level = level;
        let format = format(crate::support::nine_fields(), &options);
        let expected = encoded(&mut format.encoder(), &batch.clone().into());
        assert!(expected.text_bytes() > 10 << 16, "several pieces");
        let mut used = format.encoder();
        encoded(&mut used, &batch.slice(1000..3000).into());
        // A vector with room from before.
        let mut chunk = encoded(&mut used, &RowChunk::new([batch.clone(), batch.clone()]));
        used.encode(&halves, &mut chunk).unwrap();
        assert_eq!(chunk.deflated(), expected.deflated(), "level {level}");
        assert_eq!(chunk.crc32(), expected.crc32());
        assert!(stocktake_csv::CsvFormat::chunk_bytes(&chunk) >= chunk.deflated().len());
    }
}

#[test]
fn rows_longer_than_the_buffer_come_back() {
    let quotes = "\"".repeat(64 << 10);
    let row = |key: &str| {
        let codes = all_fields().iter().filter(|field| field.field_type() == FieldType::Code);
        codes.fold(Row::new(key), |row, field| row.text(field, &quotes))
    };
    let rows = [Row::new("a"), row("b"), Row::new("c"), row("d"), row(&"\u{0}".repeat(1024))];
    let text = inflated(&file_of(&format(all_fields(), &CsvOptions::default()), &rows, 5));
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&*text);
    let records: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
    assert_eq!(records.len(), rows.len());
    for (record, row) in records.iter().zip(&rows) {
        for (found, field) in record.iter().zip(all_fields().iter()).skip(2) {
            assert!(found == row.expected(field), "{field}");
        }
    }
}
