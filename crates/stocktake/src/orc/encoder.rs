//! Rows to stripes: the arrays of each segment are borrowed, codes become ranks by a table.

use super::format::Shape;
use arrow_array::Array;
use std::sync::Arc;
use stocktake_core::{
    ChunkDictionary, ChunkEncoder, Column, Dispatch, EncodeError, Field, FieldType, ObjectBatch, RowChunk,
    arrow::{TextArray, bool_array, int_array, text_array},
};
use stocktake_orc::{ColumnSlice, Dictionary, EncodedStripe, OrcError, StripeColumn, StripeEncoder, TimeUnit};

/// Turns rows into stripes.
#[derive(Debug)]
pub struct OrcEncoder {
    shape: Arc<Shape>,
    /// Made with the first chunk, where a refusal can be told.
    encoder: Option<StripeEncoder>,
    dispatch: Dispatch,
}

impl OrcEncoder {
    pub(super) fn new(shape: Arc<Shape>) -> Self {
        Self { shape, encoder: None, dispatch: Dispatch::Auto }
    }
}

impl ChunkEncoder for OrcEncoder {
    type Chunk = EncodedStripe;

    fn set_dispatch(&mut self, dispatch: Dispatch) {
        self.dispatch = dispatch;
    }

    fn encode(&mut self, rows: &RowChunk, into: &mut EncodedStripe) -> Result<(), EncodeError> {
        let refused = |error: OrcError| {
            let key = error.row().and_then(|row| key_of(rows, row));
            EncodeError::new(key, error.to_string())
        };
        let encoder = match &mut self.encoder {
            Some(encoder) => encoder,
            none => none.insert(StripeEncoder::try_new(&self.shape.schema, &self.shape.options).map_err(refused)?),
        };
        encoder.set_dispatch(self.dispatch);
        let mut stripe = encoder.begin(rows.len(), into).map_err(refused)?;
        for field in self.shape.fields.iter() {
            let pushed = if field == Field::Bucket {
                bucket(rows, &self.shape.bucket).and_then(|column| stripe.push(&column))
            } else if field.field_type() == FieldType::Code {
                // One at a time: where values hardly repeat, the dictionaries of all fields take more memory than the rows.
                let dictionary = ChunkDictionary::new(rows, field);
                ranks(rows, &dictionary).and_then(|column| stripe.push(&column))
            } else {
                let slices = rows.segments().iter().map(|segment| slice(segment, field));
                stripe.push(&StripeColumn::Slices(slices.collect()))
            };
            pushed.map_err(refused)?;
        }
        stripe.finish().map_err(refused)
    }
}

fn bucket<'a>(rows: &RowChunk, bucket: &'a str) -> Result<StripeColumn<'a>, OrcError> {
    let mut dictionary = Dictionary::try_new(&[bucket])?;
    dictionary.push_constant(0, rows.len())?;
    Ok(StripeColumn::Dictionary(dictionary.without_nulls()))
}

fn ranks<'a>(rows: &'a RowChunk, of: &'a ChunkDictionary<'_>) -> Result<StripeColumn<'a>, OrcError> {
    let mut dictionary = Dictionary::try_new(of.values())?;
    if of.values().is_empty() {
        dictionary.push_nulls(rows.len());
        return Ok(StripeColumn::Dictionary(dictionary));
    }
    for (segment, coded) in rows.segments().iter().zip(of.segments()) {
        match coded {
            Some((codes, ranks)) => dictionary.push_codes(codes, ranks)?,
            None => dictionary.push_nulls(segment.len()),
        }
    }
    Ok(StripeColumn::Dictionary(if of.absent() == 0 { dictionary.without_nulls() } else { dictionary }))
}

fn slice(segment: &ObjectBatch, field: Field) -> ColumnSlice<'_> {
    match segment.column(field) {
        None => ColumnSlice::nulls(segment.len()),
        Some(Column::Text(column)) => match text_array(column) {
            TextArray::Utf8(array) => array.into(),
            TextArray::View(array) => array.into(),
        },
        Some(Column::Bool(column)) => bool_array(column).into(),
        Some(Column::Int(column)) => {
            let array = int_array(column);
            if field.field_type() == FieldType::Timestamp {
                ColumnSlice::timestamps(array.values(), TimeUnit::Millisecond, array.nulls())
            } else {
                ColumnSlice::integers(array.values(), array.nulls())
            }
        }
        Some(column) => unreachable!("few-valued fields have a dictionary, others one of the above: {column:?}"),
    }
}

/// The key of a row of a chunk.
fn key_of(rows: &RowChunk, row: usize) -> Option<&str> {
    let mut left = row;
    for segment in rows.segments() {
        if left < segment.len() {
            return Some(segment.key(left));
        }
        left -= segment.len();
    }
    None
}
