//! Record batches to a file, on one thread.

use crate::{
    column::StripeColumn,
    error::OrcError,
    file::FileAssembler,
    options::WriterOptions,
    schema::OrcSchema,
    slice::ColumnSlice,
    stripe::{EncodedStripe, StripeEncoder},
};
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use std::io::Write;

/// Writes record batches to a file; cuts stripes at [`WriterOptions::with_stripe_rows`] and
/// [`WriterOptions::with_stripe_bytes`].
///
/// Batches are kept, not copied, until a stripe is full. Dropped before [`OrcWriter::finish`], it leaves no valid file.
#[derive(Debug)]
pub struct OrcWriter<W> {
    schema: SchemaRef,
    encoder: StripeEncoder,
    assembler: FileAssembler<W>,
    stripe: EncodedStripe,
    stripe_rows: usize,
    stripe_bytes: usize,
    batches: Vec<RecordBatch>,
    rows: usize,
    bytes: usize,
}

impl<W: Write> OrcWriter<W> {
    /// A writer of batches with a schema.
    ///
    /// # Errors
    /// If the schema has a type that this crate does not write, or an option is out of its bounds.
    pub fn try_new(writer: W, schema: SchemaRef, options: &WriterOptions) -> Result<Self, OrcError> {
        let columns = OrcSchema::from_arrow(&schema)?;
        Ok(Self {
            schema,
            encoder: StripeEncoder::try_new(&columns, options)?,
            assembler: FileAssembler::try_new(writer, &columns, options)?,
            stripe: EncodedStripe::default(),
            stripe_rows: options.stripe_rows,
            stripe_bytes: options.stripe_bytes,
            batches: Vec::new(),
            rows: 0,
            bytes: 0,
        })
    }

    /// Writes the rows of a batch, at once or with later ones.
    ///
    /// # Errors
    /// If the batch has another schema, a value cannot be held by ORC, or the output does not take the bytes. The file
    /// cannot be continued then.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), OrcError> {
        if batch.schema_ref().fields() != self.schema.fields() {
            return Err(OrcError::mismatch("the batch has another schema than the file"));
        }
        let mut batch = batch.clone();
        while batch.num_rows() > 0 {
            let taken = batch.num_rows().min(self.stripe_rows - self.rows);
            let part = batch.slice(0, taken);
            batch = batch.slice(taken, batch.num_rows() - taken);
            self.rows += taken;
            self.bytes += part.columns().iter().map(|column| bytes_of(column.as_ref())).sum::<usize>();
            self.batches.push(part);
            if self.rows >= self.stripe_rows || self.bytes >= self.stripe_bytes {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// Writes the rows so far as a stripe.
    ///
    /// # Errors
    /// As [`OrcWriter::write`].
    pub fn flush(&mut self) -> Result<(), OrcError> {
        let columns = (0..self.schema.fields().len()).map(|column| {
            let slices = self.batches.iter().map(|batch| ColumnSlice::try_from_array(batch.column(column)));
            Ok(StripeColumn::Slices(slices.collect::<Result<_, OrcError>>()?))
        });
        let columns: Vec<_> = columns.collect::<Result<_, OrcError>>()?;
        self.encoder.encode(&columns, self.rows, &mut self.stripe)?;
        drop(columns);
        self.batches.clear();
        (self.rows, self.bytes) = (0, 0);
        self.assembler.append(&self.stripe)
    }

    /// Adds an item of user metadata to the footer.
    pub fn add_metadata(&mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) {
        self.assembler.add_metadata(name, value);
    }

    /// Writes the last stripe and what closes the file; returns the output.
    ///
    /// # Errors
    /// As [`OrcWriter::write`].
    pub fn finish(mut self) -> Result<W, OrcError> {
        self.flush()?;
        self.assembler.finish()
    }
}

/// Bytes of an array's rows, of which nothing is counted that other rows have.
fn bytes_of(array: &dyn arrow_array::Array) -> usize {
    array.to_data().get_slice_memory_size().unwrap_or_else(|_| array.get_array_memory_size())
}
