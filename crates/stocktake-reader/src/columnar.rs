//! What the two columnar formats have in common: record batches to rows, by the columns that the manifest names.

use crate::{
    contained::contained,
    error::ReadError,
    part::{FileBatch, PartReader, UnknownColumn, Wanted},
    stored::StoredFile,
};
use arrow_array::{Array, RecordBatch, RecordBatchOptions};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::{ArrowError, Schema, SchemaRef};
use std::sync::Arc;
use stocktake_core::{Field, RowOrigin, arrow::RecordBatchReader};

/// Rows of a record batch: their codes and checks stay in a cache.
pub(crate) const BATCH_ROWS: usize = 8192;

/// Names of the columns that are to be read, of those that a file has.
///
/// # Errors
/// Names a column that the manifest promises and the file does not have.
pub(crate) fn wanted_names(wanted: &Wanted, of_file: &[String]) -> Result<Vec<String>, ReadError> {
    if let Some(missing) = wanted.columns.iter().find(|column| !of_file.contains(&column.name)) {
        return Err(ReadError::differs("is in the manifest's fileSchema and not in the file").in_column(&missing.name));
    }
    Ok(wanted.columns.iter().filter(|column| wanted.reads(column)).map(|column| column.name.clone()).collect())
}

/// Turns the record batches of a part into rows.
#[derive(Debug)]
pub(crate) struct Rows {
    wanted: Wanted,
    reader: RecordBatchReader,
    file: usize,
    next_row: u64,
    /// Rows that the part has by its file's own words.
    rows_left: u64,
}

impl Rows {
    pub(crate) fn new(wanted: &Wanted, file: usize, first_row: u64, rows: u64) -> Self {
        let reader = RecordBatchReader::new(wanted.fields, Some(&wanted.bucket));
        Self { wanted: wanted.clone(), reader, file, next_row: first_row, rows_left: rows }
    }

    /// The rows of a record batch of at most [`BATCH_ROWS`] rows.
    pub(crate) fn take(&mut self, batch: &RecordBatch) -> Result<FileBatch, ReadError> {
        let rows = batch.num_rows();
        self.rows_left = self.rows_left.checked_sub(rows as u64).ok_or_else(|| {
            ReadError::differs("has more rows than its footer says").at_row(self.next_row + 1 + self.rows_left)
        })?;
        let (mut known, mut unknown) = (Vec::new(), Vec::new());
        for column in self.wanted.columns.iter().filter(|column| self.wanted.reads(column)) {
            let at = batch.schema_ref().index_of(&column.name);
            let at = at.map_err(|_| ReadError::malformed("has no values").in_column(&column.name))?;
            match column.field {
                Some(_) => known.push(at),
                None => unknown.push(texts(batch.column(at)).map_err(|error| error.in_column(&column.name))?),
            }
        }
        let taken = self.reader.take_over(&project(batch, &known)?, 0, rows).map_err(|error| {
            let row = error.row().map_or(0, |row| row as u64);
            ReadError::malformed(error.to_string()).at_row(self.next_row + row + 1)
        })?;
        let origin = RowOrigin { unit: "row", first: self.next_row + 1, skipped: Vec::new() };
        let first_row = self.next_row;
        self.next_row += rows as u64;
        Ok(FileBatch { file: self.file, first_row, rows: taken.with_origin(origin), unknown })
    }

    /// Checks, at the end of the part, that it has as many rows as its file says.
    pub(crate) fn finish(&self) -> Result<(), ReadError> {
        if self.rows_left == 0 {
            return Ok(());
        }
        let text = format!("ends {} rows before its footer says", self.rows_left);
        Err(ReadError::differs(text).at_row(self.next_row))
    }

    /// Row of the file that comes next, from 1.
    pub(crate) fn next_row(&self) -> u64 {
        self.next_row + 1
    }
}

/// The columns at some places, under the names that the core knows.
fn project(batch: &RecordBatch, places: &[usize]) -> Result<RecordBatch, ReadError> {
    let fields = places.iter().map(|at| {
        let field = batch.schema_ref().field(*at);
        let name = Field::from_name(field.name()).map_or(field.name().clone(), |field| field.column_name().to_owned());
        field.clone().with_name(name).with_nullable(true)
    });
    let schema: SchemaRef = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let columns = places.iter().map(|at| Arc::clone(batch.column(*at))).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(schema, columns, &options)
        .map_err(|error| ReadError::malformed(error.to_string()))
}

fn texts(array: &dyn Array) -> Result<UnknownColumn, ReadError> {
    let options = FormatOptions::default();
    let shown = |error: ArrowError| ReadError::malformed(error.to_string());
    let formatter = ArrayFormatter::try_new(array, &options).map_err(shown)?;
    let mut column = UnknownColumn::default();
    for row in 0..array.len() {
        let text =
            if array.is_null(row) { String::new() } else { formatter.value(row).try_to_string().map_err(shown)? };
        column.push(&text);
    }
    Ok(column)
}

/// Reads a part by a reader of another project, whose panics are contained.
pub(crate) struct ArrowPart<R> {
    /// None after its end, or after it failed.
    reader: Option<R>,
    rows: Rows,
    file: StoredFile,
}

impl<R> ArrowPart<R> {
    pub(crate) fn new(reader: R, rows: Rows, file: &StoredFile) -> Self {
        Self { reader: Some(reader), rows, file: file.clone() }
    }
}

impl<R: Iterator<Item = Result<RecordBatch, ArrowError>> + Send> ArrowPart<R> {
    fn next_batch(&mut self) -> Result<Option<FileBatch>, ReadError> {
        while let Some(mut reader) = self.reader.take() {
            let next = contained(|| reader.next().transpose().map_err(|error| ReadError::malformed(error.to_string())));
            match next.map_err(|error| error.at_row(self.rows.next_row()))? {
                None => {
                    self.rows.finish()?;
                    // The rows are those of the bytes whose MD5 is compared apart from them.
                    self.file.check_unchanged()?;
                }
                Some(batch) => {
                    self.reader = Some(reader);
                    if batch.num_rows() > 0 {
                        return self.rows.take(&batch).map(Some);
                    }
                }
            }
        }
        Ok(None)
    }
}

impl<R: Iterator<Item = Result<RecordBatch, ArrowError>> + Send> PartReader for ArrowPart<R> {
    fn next(&mut self) -> Result<Option<FileBatch>, ReadError> {
        self.next_batch().map_err(|error| {
            self.reader = None;
            self.file.told(error.in_file(&self.file.key))
        })
    }
}
