//! Parquet data files, by the Arrow reader of the `parquet` crate: a row group a part.

mod header;
mod pages;

use crate::{
    columnar::{ArrowPart, BATCH_ROWS, Rows, wanted_names},
    contained::contained,
    error::ReadError,
    part::{Layout, OpenFile, PartReader, Wanted},
    stored::StoredFile,
    windows::Windows,
};
use arrow_schema::{DataType, Field as ArrowField, Schema, SchemaRef};
use pages::Pages;
use parquet::{
    arrow::{
        ProjectionMask,
        arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader},
        parquet_to_arrow_field_levels,
    },
    errors::ParquetError,
};
use std::{fmt, sync::Arc};
use stocktake_core::{Field, FieldType};

/// The footer of a Parquet file.
#[derive(Clone)]
pub(crate) struct ParquetFile {
    windows: Windows,
    metadata: ArrowReaderMetadata,
}

fn fault(error: &ParquetError) -> ReadError {
    ReadError::malformed(error.to_string())
}

impl ParquetFile {
    /// Reads the footer, and asks for types that rows are made of most cheaply.
    pub(crate) fn open(stored: &StoredFile) -> Result<Self, ReadError> {
        let windows = Windows::new(stored.clone());
        let metadata = contained(|| {
            // What another writer noted of its own types must not change what is read.
            let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
            let inferred = ArrowReaderMetadata::load(&windows, options.clone()).map_err(|error| fault(&error))?;
            let schema = asked_for(inferred.schema());
            ArrowReaderMetadata::try_new(Arc::clone(inferred.metadata()), options.with_schema(schema))
                .map_err(|error| fault(&error))
        });
        Ok(Self { metadata: metadata.map_err(|error| error.in_file(&stored.key))?, windows })
    }

    /// Rows of each row group.
    fn group_rows(&self) -> impl Iterator<Item = u64> {
        let groups = self.metadata.metadata().row_groups().iter();
        groups.map(|group| u64::try_from(group.num_rows()).unwrap_or(0))
    }

    /// Rows of all row groups.
    fn rows(&self) -> u64 {
        self.group_rows().fold(0, u64::saturating_add)
    }

    fn open_part(&self, wanted: &Wanted, part: usize) -> Result<ParquetRecordBatchReader, ReadError> {
        let metadata = self.metadata.metadata();
        let stated = u64::try_from(metadata.file_metadata().num_rows()).ok();
        if stated != Some(self.rows()) {
            let text = format!("has {} rows in row groups, its footer says {stated:?}", self.rows());
            return Err(ReadError::differs(text));
        }
        let schema = metadata.file_metadata().schema_descr();
        let of_file: Vec<String> = self.metadata.schema().fields().iter().map(|field| field.name().clone()).collect();
        let names = wanted_names(wanted, &of_file)?;
        let mask = ProjectionMask::columns(schema, names.iter().map(String::as_str));
        let asked_for = Some(self.metadata.schema().fields());
        let levels = parquet_to_arrow_field_levels(schema, mask, asked_for).map_err(|error| fault(&error))?;
        let pages = Pages { windows: Arc::new(self.windows.apart()), metadata, group: part };
        ParquetRecordBatchReader::try_new_with_row_groups(&levels, &pages, BATCH_ROWS, None)
            .map_err(|error| fault(&error))
    }
}

impl Layout for ParquetFile {
    fn part_rows(&self) -> Option<Vec<u64>> {
        Some(self.group_rows().collect())
    }

    fn begin(
        &self,
        file: &OpenFile,
        wanted: &Wanted,
        part: usize,
        first_row: u64,
    ) -> Result<Box<dyn PartReader>, ReadError> {
        let reader = contained(|| self.open_part(wanted, part)).map_err(|error| error.in_file(&file.stored.key))?;
        let rows = self.group_rows().nth(part).unwrap_or(0);
        let rows = Rows::new(wanted, file.index, first_row, rows);
        Ok(Box::new(ArrowPart::new(reader, rows, &file.stored)))
    }
}

impl fmt::Debug for ParquetFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParquetFile").field("windows", &self.windows).finish_non_exhaustive()
    }
}

/// Few-valued texts as dictionaries, which are looked at once a value, and texts that lack an annotation as texts.
fn asked_for(inferred: &SchemaRef) -> SchemaRef {
    let dictionary = || DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let field = |field: &Arc<ArrowField>| {
        let known = Field::from_name(field.name());
        let asked = match (known.map(Field::field_type), field.data_type()) {
            (Some(FieldType::Code), DataType::Utf8) => dictionary(),
            (Some(FieldType::Text), DataType::Utf8) if known == Some(Field::Bucket) => dictionary(),
            // The reader makes no dictionary of texts that lack an annotation.
            (Some(FieldType::Code | FieldType::Text), DataType::Utf8 | DataType::Binary) => DataType::Utf8,
            _ => return field.as_ref().clone(),
        };
        field.as_ref().clone().with_data_type(asked)
    };
    Arc::new(Schema::new(inferred.fields().iter().map(field).collect::<Vec<_>>()))
}
