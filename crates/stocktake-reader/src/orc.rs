//! ORC data files, by `orc-rust`: some stripes a part.
//!
//! That reader may panic on damage, which is contained here, and allocates by lengths that a file states: those of streams
//! are checked against the file before anything is allocated, those of dictionaries against the stripe's rows.

mod footer;

use crate::{
    columnar::{ArrowPart, BATCH_ROWS, Rows, wanted_names},
    contained::contained,
    error::ReadError,
    part::{Layout, OpenFile, PartReader, Wanted},
    stored::StoredFile,
    windows::Windows,
};
use arrow_schema::{DataType, Schema, TimeUnit};
use orc_rust::{
    ArrowReader, ArrowReaderBuilder,
    projection::ProjectionMask,
    reader::metadata::{FileMetadata, read_metadata},
};
use std::{fmt, ops::Range, sync::Arc};

/// Rows after which a part ends, at the next stripe.
const PART_ROWS: u64 = 128 << 10;

/// The tail of an ORC file, and its stripes in parts.
#[derive(Clone)]
pub(crate) struct OrcFile {
    windows: Windows,
    metadata: Arc<FileMetadata>,
    parts: Arc<[Part]>,
}

#[derive(Clone, Debug)]
struct Part {
    stripes: Range<usize>,
    rows: u64,
}

fn fault(error: &impl fmt::Display) -> ReadError {
    ReadError::malformed(error.to_string())
}

impl OrcFile {
    /// Reads the tail of a file.
    pub(crate) fn open(stored: &StoredFile) -> Result<Self, ReadError> {
        let windows = Windows::new(stored.clone());
        let read = contained(|| {
            let metadata = read_metadata(&mut windows.clone()).map_err(|error| fault(&error))?;
            let parts = parts(&metadata, windows.size_bytes())?;
            Ok((Arc::new(metadata), parts.into()))
        });
        let (metadata, parts) = read.map_err(|error| error.in_file(&stored.key))?;
        Ok(Self { windows, metadata, parts })
    }

    fn open_part(&self, wanted: &Wanted, part: &Part) -> Result<ArrowReader<Windows>, ReadError> {
        let windows = self.windows.apart();
        let stripes = &self.metadata.stripe_metadatas()[part.stripes.clone()];
        let offset = |stripe: Option<&orc_rust::stripe::StripeMetadata>| {
            // Within the file, which was checked.
            stripe.map_or(0, |stripe| usize::try_from(stripe.offset()).unwrap_or(usize::MAX))
        };
        for stripe in stripes {
            footer::check(&windows, stripe, self.metadata.compression())?;
        }
        let builder = ArrowReaderBuilder::try_new(windows).map_err(|error| fault(&error))?;
        let root = builder.file_metadata().root_data_type();
        let of_file: Vec<String> = root.children().iter().map(|column| column.name().to_owned()).collect();
        let mask = ProjectionMask::named_roots(root, &wanted_names(wanted, &of_file)?);
        let builder = builder
            .with_projection(mask)
            .with_batch_size(BATCH_ROWS)
            .with_file_byte_range(offset(stripes.first())..offset(stripes.last()).saturating_add(1));
        // Nanoseconds, which the reader makes of times unless told otherwise, do not reach all years of reports.
        let schema = builder.schema();
        let millis = schema.fields().iter().map(|field| match field.data_type() {
            DataType::Timestamp(_, zone) => {
                field.as_ref().clone().with_data_type(DataType::Timestamp(TimeUnit::Millisecond, zone.clone()))
            }
            _ => field.as_ref().clone(),
        });
        let schema = Arc::new(Schema::new(millis.collect::<Vec<_>>()));
        Ok(builder.with_schema(schema).build())
    }
}

impl Layout for OrcFile {
    fn part_rows(&self) -> Option<Vec<u64>> {
        Some(self.parts.iter().map(|part| part.rows).collect())
    }

    fn begin(
        &self,
        file: &OpenFile,
        wanted: &Wanted,
        part: usize,
        first_row: u64,
    ) -> Result<Box<dyn PartReader>, ReadError> {
        let Some(part) = self.parts.get(part) else { return Err(ReadError::malformed("has no such stripe")) };
        let reader = contained(|| self.open_part(wanted, part));
        let reader = reader.map_err(|error| error.at_row(first_row + 1).in_file(&file.stored.key))?;
        let rows = Rows::new(wanted, file.index, first_row, part.rows);
        Ok(Box::new(ArrowPart::new(reader, rows, &file.stored)))
    }
}

/// Stripes in parts, checked to lie within the file one after another and to have all of its rows.
fn parts(metadata: &FileMetadata, size_bytes: u64) -> Result<Vec<Part>, ReadError> {
    let (mut parts, mut rows, mut end) = (Vec::<Part>::new(), 0u64, 0);
    for (index, stripe) in metadata.stripe_metadatas().iter().enumerate() {
        let lengths = [stripe.offset(), stripe.index_length(), stripe.data_length(), stripe.footer_length()];
        let ends = lengths.into_iter().try_fold(0u64, u64::checked_add).filter(|ends| *ends <= size_bytes);
        let Some(ends) = ends.filter(|_| stripe.offset() >= end) else {
            return Err(ReadError::malformed(format!("stripe {index} does not lie in its place in the file")));
        };
        end = ends;
        rows = rows.saturating_add(stripe.number_of_rows());
        match parts.last_mut().filter(|part| part.rows < PART_ROWS) {
            Some(part) => {
                part.stripes.end = index + 1;
                part.rows = part.rows.saturating_add(stripe.number_of_rows());
            }
            None => parts.push(Part { stripes: index..index + 1, rows: stripe.number_of_rows() }),
        }
    }
    if rows != metadata.number_of_rows() {
        let text = format!("has {rows} rows in stripes, its footer says {}", metadata.number_of_rows());
        return Err(ReadError::differs(text));
    }
    Ok(parts)
}

impl fmt::Debug for OrcFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OrcFile").field("windows", &self.windows).field("parts", &self.parts).finish_non_exhaustive()
    }
}
