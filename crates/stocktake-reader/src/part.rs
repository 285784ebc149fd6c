//! Parts of data files: what one thread reads at a time, and the rows that come out.

use crate::{error::ReadError, report::ReportColumn, stored::StoredFile};
use std::{fmt, sync::Arc};
use stocktake_core::{CancelToken, Field, FieldSet, ObjectBatch};

/// Rows of one data file, in its order.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FileBatch {
    /// Number of the file in the manifest, from 0.
    pub file: usize,
    /// Rows of the file before these.
    pub first_row: u64,
    /// The columns of known fields.
    pub rows: ObjectBatch,
    /// The columns that are no known field, if they were asked for, in the schema's order.
    pub unknown: Vec<UnknownColumn>,
}

/// A column whose name is no known field's: a text a row, as the file has it or in the words of Arrow's display.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnknownColumn {
    texts: String,
    ends: Vec<usize>,
}

impl UnknownColumn {
    pub(crate) fn push(&mut self, text: &str) {
        self.texts.push_str(text);
        self.ends.push(self.texts.len());
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Bytes of all texts.
    #[cfg(feature = "csv")]
    pub(crate) fn text_bytes(&self) -> usize {
        self.texts.len()
    }

    /// The text of a row; empty if absent.
    ///
    /// # Panics
    /// If `row` is out of range.
    pub fn value(&self, row: usize) -> &str {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.texts[start..self.ends[row]]
    }
}

/// What every part of a report is read with.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) columns: Arc<[ReportColumn]>,
    /// Known fields whose columns are wanted; keys always come.
    pub(crate) fields: FieldSet,
    /// Whether columns of no known field are wanted.
    pub(crate) unknown: bool,
    /// The bucket that a bucket column must have in every row.
    pub(crate) bucket: Arc<str>,
    /// Whether what streams anyway is compared with the MD5 that the manifest states.
    pub(crate) md5: bool,
    pub(crate) cancel: CancelToken,
}

impl Wanted {
    /// Whether a column is to be read: wanted, or checked.
    pub(crate) fn reads(&self, column: &ReportColumn) -> bool {
        match column.field {
            Some(Field::Bucket | Field::Key) => true,
            Some(field) => self.fields.contains(field),
            None => self.unknown,
        }
    }

    #[cfg(feature = "csv")]
    pub(crate) fn builder(&self) -> stocktake_core::ObjectBatchBuilder {
        stocktake_core::ObjectBatchBuilder::new(self.fields)
    }
}

/// A data file, looked at as far as its format needs to name its parts.
#[derive(Clone, Debug)]
pub(crate) struct OpenFile {
    pub(crate) index: usize,
    pub(crate) stored: StoredFile,
    /// MD5 as the manifest states it.
    pub(crate) md5: Arc<str>,
    pub(crate) layout: Arc<dyn Layout>,
}

/// What a format knows of a file before its rows are read.
pub(crate) trait Layout: Send + Sync + fmt::Debug {
    /// Rows of each part; none if a file is read in one part that counts and hashes as it streams.
    fn part_rows(&self) -> Option<Vec<u64>>;

    /// A reader of a part, before which the file has `first_row` rows.
    fn begin(
        &self,
        file: &OpenFile,
        wanted: &Wanted,
        part: usize,
        first_row: u64,
    ) -> Result<Box<dyn PartReader>, ReadError>;
}

/// What one thread reads at a time.
#[derive(Clone, Debug)]
pub(crate) enum Work {
    /// The bytes of a file are compared with its MD5; there are no rows.
    Hash,
    /// The rows of a file, or of a row group or stripe of it.
    Rows { part: usize, first_row: u64 },
}

/// Yields the rows of a part.
pub(crate) trait PartReader: Send {
    /// The next rows, at least one; none at the end.
    fn next(&mut self) -> Result<Option<FileBatch>, ReadError>;
}

impl OpenFile {
    /// The parts of the file in order.
    pub(crate) fn work(&self, wanted: &Wanted) -> Vec<Work> {
        let Some(parts) = self.layout.part_rows() else { return vec![Work::Rows { part: 0, first_row: 0 }] };
        let mut work = Vec::new();
        if wanted.md5 {
            work.push(Work::Hash);
        }
        let mut first_row = 0;
        for (part, rows) in parts.into_iter().enumerate() {
            work.push(Work::Rows { part, first_row });
            first_row += rows;
        }
        work
    }

    /// A reader of some work; none if it has no rows.
    ///
    /// # Errors
    /// If the part cannot be read; for work without rows, if the file is not as stated.
    pub(crate) fn begin(&self, work: &Work, wanted: &Wanted) -> Result<Option<Box<dyn PartReader>>, ReadError> {
        match work {
            Work::Hash => self.stored.check_md5(&self.md5, &wanted.cancel).map(|()| None),
            Work::Rows { part, first_row } => {
                self.layout.begin(self, wanted, *part, *first_row).map(Some).map_err(|error| self.stored.told(error))
            }
        }
    }
}
