//! Bytes depend on rows and options alone.

use super::support::{Table, Values, compressions, tables, write};
use arrow_array::cast::AsArray;
use proptest::prelude::*;
use stocktake_orc::{
    ColumnSlice, ColumnType, Dictionary, EncodedStripe, FileAssembler, OrcSchema, StripeColumn, StripeEncoder,
    WriterOptions,
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn slices_do_not_show(table in tables(1..400), compression in compressions(), slice_rows in 1..400usize) {
        let options = WriterOptions::default()
            .with_compression(compression)
            .with_block_bytes(300)
            .with_row_index_stride(100)
            .with_stripe_rows(350);
        let batch = table.batch();
        prop_assert_eq!(write(&batch, &options, slice_rows), write(&batch, &options, batch.num_rows()));
    }

    #[test]
    fn history_does_not_show(first in tables(1..400), second in tables(1..400), compression in compressions()) {
        let options = WriterOptions::default().with_compression(compression).with_row_index_stride(64);
        let (first, second) = (first.batch(), second.batch());
        let schema = OrcSchema::from_arrow(&first.schema()).unwrap();
        let columns = |batch: &arrow_array::RecordBatch| -> Vec<_> { batch.columns().to_vec() };
        let (before, after) = (columns(&first), columns(&second));
        let mut used = StripeEncoder::try_new(&schema, &options).unwrap();
        let mut stripe = EncodedStripe::default();
        used.encode(&whole(&before), first.num_rows(), &mut stripe).unwrap();
        used.encode(&whole(&after), second.num_rows(), &mut stripe).unwrap();
        let mut fresh = EncodedStripe::default();
        StripeEncoder::try_new(&schema, &options).unwrap()
            .encode(&whole(&after), second.num_rows(), &mut fresh).unwrap();
        let file = |stripe: &EncodedStripe| {
            let mut assembler = FileAssembler::try_new(Vec::new(), &schema, &options).unwrap();
            assembler.append(stripe).unwrap();
            assembler.finish().unwrap()
        };
        prop_assert_eq!(file(&stripe), file(&fresh));
    }
}

fn whole(columns: &[arrow_array::ArrayRef]) -> Vec<StripeColumn<'_>> {
    let mut whole = Vec::new();
    for column in columns {
        whole.push(StripeColumn::Slices(vec![ColumnSlice::try_from_array(column.as_ref()).unwrap()]));
    }
    whole
}

/// Ranks that the caller found make the same stripe as texts do.
#[test]
fn given_ranks_are_the_ones_that_texts_have() {
    let texts: Vec<Option<String>> = (0..2500).map(|at| (at % 7 != 0).then(|| format!("v{}", at % 5))).collect();
    let options = WriterOptions::default().with_row_index_stride(1000).with_bloom_filter("t");
    let table = Table(vec![("t".to_owned(), Values::Text(super::support::TextKind::Offsets, texts.clone()))]);
    let schema = OrcSchema::try_new(vec![("t".to_owned(), ColumnType::String)]).unwrap();

    // Codes in another order than the texts', 0 for null, one of no row.
    let codes: Vec<u16> = (0..2500u16).map(|at| if at % 7 == 0 { 0 } else { 5 - at % 5 }).collect();
    let ranks = [u32::MAX, 4, 3, 2, 1, 0, u32::MAX];
    let mut dictionary = Dictionary::try_new(&["v0", "v1", "v2", "v3", "v4"]).unwrap();
    dictionary.push_codes(&codes[..333], &ranks).unwrap();
    dictionary.push_codes(&codes[333..], &ranks).unwrap();
    let mut stripe = EncodedStripe::default();
    let mut encoder = StripeEncoder::try_new(&schema, &options).unwrap();
    encoder.encode(&[StripeColumn::Dictionary(dictionary)], 2500, &mut stripe).unwrap();
    let mut assembler = FileAssembler::try_new(Vec::new(), &schema, &options).unwrap();
    assembler.append(&stripe).unwrap();
    assert_eq!(assembler.finish().unwrap(), write(&table.batch(), &options, 100));
}

#[test]
fn empty_texts_as_nulls_are_nulls() {
    let texts: Vec<Option<String>> = (0..300).map(|at| (at % 3 > 0).then(|| format!("{at}"))).collect();
    let blank = texts.iter().map(|text| Some(text.clone().unwrap_or_default())).collect();
    let of = |values| Table(vec![("t".to_owned(), Values::Text(super::support::TextKind::Offsets, values))]).batch();
    let options = WriterOptions::default();
    let blank = of(blank);
    let schema = OrcSchema::from_arrow(&blank.schema()).unwrap();
    let column = ColumnSlice::from(blank.column(0).as_string::<i32>()).with_empty_as_null();
    let mut stripe = EncodedStripe::default();
    let mut encoder = StripeEncoder::try_new(&schema, &options).unwrap();
    encoder.encode(&[StripeColumn::Slices(vec![column])], 300, &mut stripe).unwrap();
    let mut assembler = FileAssembler::try_new(Vec::new(), &schema, &options).unwrap();
    assembler.append(&stripe).unwrap();
    assert_eq!(assembler.finish().unwrap(), write(&of(texts), &options, 300));
}
