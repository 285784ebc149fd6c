//! CSV data files: gzip of any number of members, rows without a header, in S3's dialect or any other of the `csv` crate.

mod key;
mod record;
mod row;
mod time;

use crate::{
    error::ReadError,
    part::{FileBatch, Layout, OpenFile, PartReader, UnknownColumn, Wanted},
    stored::{FileStream, PIECE_BYTES, StoredFile},
};
use flate2::bufread::MultiGzDecoder;
use record::{Record, Records};
use row::RowReader;
use std::{
    io::{self, BufReader, Read},
    sync::Arc,
};
use stocktake_core::{ObjectBatchBuilder, RowOrigin};

/// Longest row in bytes: every value at its limit fits twice. Beyond, a quote was never closed.
const ROW_BYTES_MAX: usize = 4 << 20;

/// Bytes of text that are looked for rows at a time.
const TEXT_BYTES: usize = 256 << 10;

/// Bytes of unknown columns after which a batch ends: unlike known ones, their texts may be as long as rows.
const UNKNOWN_BYTES: usize = 4 << 20;

/// A file that is read from its first byte to its last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CsvFile;

impl Layout for CsvFile {
    fn part_rows(&self) -> Option<Vec<u64>> {
        None
    }

    fn begin(&self, file: &OpenFile, wanted: &Wanted, _: usize, _: u64) -> Result<Box<dyn PartReader>, ReadError> {
        Ok(Box::new(CsvPart::open(file, wanted)?))
    }
}

/// Reads a CSV data file from its first row to its last.
struct CsvPart {
    file: usize,
    stored: StoredFile,
    md5: Arc<str>,
    wanted: Wanted,
    decoder: MultiGzDecoder<BufReader<FileStream>>,
    /// Text that was inflated and not yet looked at, from `at` on.
    text: Vec<u8>,
    at: usize,
    /// Whether `text` ends where the file does.
    whole: bool,
    rows_read: u64,
    records: Records,
    reader: RowReader,
    builder: ObjectBatchBuilder,
}

impl CsvPart {
    fn open(file: &OpenFile, wanted: &Wanted) -> Result<Self, ReadError> {
        let stream = file.stored.stream(wanted.md5)?;
        Ok(Self {
            file: file.index,
            stored: file.stored.clone(),
            md5: Arc::clone(&file.md5),
            wanted: wanted.clone(),
            decoder: MultiGzDecoder::new(BufReader::with_capacity(PIECE_BYTES, stream)),
            text: Vec::new(),
            at: 0,
            whole: false,
            rows_read: 0,
            records: Records::default(),
            reader: RowReader::new(wanted),
            builder: wanted.builder(),
        })
    }

    /// Inflates more text behind what is not yet looked at.
    fn fill(&mut self) -> Result<(), ReadError> {
        self.text.drain(..self.at);
        self.at = 0;
        if self.text.len() > ROW_BYTES_MAX {
            return Err(ReadError::malformed(format!("has more than {ROW_BYTES_MAX} bytes without an end")));
        }
        let filled = self.text.len();
        self.text.resize(filled + TEXT_BYTES, 0);
        let mut length = filled;
        while length < self.text.len() && !self.whole {
            match self.decoder.read(&mut self.text[length..]) {
                Ok(0) => self.whole = true,
                Ok(read) => length += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let read_bytes = self.decoder.get_ref().get_ref().read_bytes();
                    return Err(ReadError::io("cannot be inflated", error).at_byte(read_bytes));
                }
            }
        }
        self.text.truncate(length);
        Ok(())
    }

    /// Reads rows until the batch is full or the file ends.
    fn read_rows(&mut self, unknown: &mut [UnknownColumn]) -> Result<(), ReadError> {
        let is_full =
            |unknown: &[UnknownColumn]| unknown.iter().map(UnknownColumn::text_bytes).sum::<usize>() >= UNKNOWN_BYTES;
        while !self.builder.is_full() && !is_full(unknown) {
            match self.records.next(&self.text, self.at, self.whole) {
                Record::Incomplete if self.whole => return Ok(()),
                Record::Incomplete => self.fill().map_err(|error| error.at_row(self.rows_read + 1))?,
                Record::Empty { end } => self.at = end,
                Record::Row { end } => {
                    self.rows_read += 1;
                    let row = self.records.row(&self.text);
                    self.reader.read(&row, &mut self.builder, unknown).map_err(|error| error.at_row(self.rows_read))?;
                    self.at = end;
                }
            }
        }
        Ok(())
    }

    fn next_batch(&mut self) -> Result<Option<FileBatch>, ReadError> {
        let first_row = self.rows_read;
        let columns = self.wanted.columns.iter().filter(|column| column.field.is_none() && self.wanted.unknown);
        let mut unknown = vec![UnknownColumn::default(); columns.count()];
        self.builder.clear();
        self.read_rows(&mut unknown)?;
        if self.builder.is_empty() {
            self.decoder.get_mut().get_mut().finish(&self.md5)?;
            self.stored.check_unchanged()?;
            return Ok(None);
        }
        let origin = RowOrigin { unit: "row", first: first_row + 1, skipped: Vec::new() };
        Ok(Some(FileBatch { file: self.file, first_row, rows: self.builder.finish().with_origin(origin), unknown }))
    }
}

impl PartReader for CsvPart {
    fn next(&mut self) -> Result<Option<FileBatch>, ReadError> {
        if self.wanted.cancel.is_cancelled() {
            return Err(ReadError::cancelled());
        }
        self.next_batch().map_err(|error| self.stored.told(error.in_file(&self.stored.key)))
    }
}
