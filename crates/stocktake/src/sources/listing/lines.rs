//! Records of a table in CSV as it streams in, and the lines that they begin in.
//!
//! It knows quotes and line ends, and nothing of what columns mean.

use super::ENTRY_BYTES_MAX;
use crate::sources::ndjson::input::{Input, InputFault};
use csv_core::{ReadRecordResult, ReaderBuilder};
use memchr::memchr_iter;
use stocktake_core::{ReadContext, SourceError};

/// Bytes read at once.
const STEP_BYTES: usize = 128 << 10;

/// Most columns of a record: tables have dozens, and each takes the place of a number beside its text.
const COLUMNS_MAX: usize = 4096;

/// The records of a table, one at a time.
pub(super) struct Lines {
    name: String,
    input: Box<Input>,
    /// With it, decoding takes a compute slot.
    context: Option<ReadContext>,
    reader: csv_core::Reader,
    window: Vec<u8>,
    at: usize,
    filled: usize,
    /// Line of the next byte, from 1.
    line: u64,
    /// Texts of the record's columns one after another, and where each ends.
    texts: Vec<u8>,
    ends: Vec<usize>,
    columns: usize,
}

impl Lines {
    /// The records of an input.
    pub(super) fn new(name: &str, input: Box<Input>, context: Option<ReadContext>, delimiter: u8) -> Self {
        Self {
            name: name.to_owned(),
            input,
            context,
            reader: ReaderBuilder::new().delimiter(delimiter).build(),
            window: vec![0; STEP_BYTES],
            at: 0,
            filled: 0,
            line: 1,
            texts: vec![0; 1024],
            ends: vec![0; 32],
            columns: 0,
        }
    }

    /// Reads the next record and gives the line that it begins in, from 1; none at the end. Empty lines are passed over.
    ///
    /// # Errors
    /// Input that cannot be read, a record of more than [`ENTRY_BYTES_MAX`] or [`COLUMNS_MAX`].
    pub(super) fn next(&mut self) -> Result<Option<u64>, SourceError> {
        if !self.pass_over_line_ends()? {
            return Ok(None);
        }
        let (line, mut record_bytes, mut text_bytes) = (self.line, 0, 0);
        self.columns = 0;
        loop {
            let rest = &self.window[self.at..self.filled];
            let (texts, ends) = (&mut self.texts[text_bytes..], &mut self.ends[self.columns..]);
            let (result, taken, written, columns) = self.reader.read_record(rest, texts, ends);
            self.line += memchr_iter(b'\n', &rest[..taken]).count() as u64;
            self.at += taken;
            record_bytes += taken;
            text_bytes += written;
            self.columns += columns;
            match result {
                _ if record_bytes > ENTRY_BYTES_MAX => {
                    let problem = format!("a line is longer than {ENTRY_BYTES_MAX} bytes, or a quote is never closed");
                    return Err(self.malformed(line, problem));
                }
                ReadRecordResult::InputEmpty => {
                    // An empty window tells the reader that nothing comes any more: it ends the record then.
                    self.fill(line)?;
                }
                ReadRecordResult::OutputFull => self.texts.resize(self.texts.len() * 2, 0),
                ReadRecordResult::OutputEndsFull if self.ends.len() < COLUMNS_MAX => {
                    self.ends.resize(self.ends.len() * 2, 0);
                }
                ReadRecordResult::OutputEndsFull => {
                    return Err(self.malformed(line, format!("more than {COLUMNS_MAX} columns")));
                }
                ReadRecordResult::Record => return Ok(Some(line)),
                ReadRecordResult::End => return Ok(None),
            }
        }
    }

    /// Columns of the record that was read last.
    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    /// The text of a column of that record, which begins in `line`.
    ///
    /// # Errors
    /// If it is no UTF-8.
    pub(super) fn text(&self, line: u64, column: usize) -> Result<&str, SourceError> {
        let start = if column == 0 { 0 } else { self.ends[column - 1] };
        std::str::from_utf8(&self.texts[start..self.ends[column]])
            .map_err(|_| self.malformed(line, format!("column {} is not UTF-8", column + 1)))
    }

    /// Stands at the first byte of a record; `false` at the end.
    fn pass_over_line_ends(&mut self) -> Result<bool, SourceError> {
        loop {
            let rest = &self.window[self.at..self.filled];
            let ends = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            self.line += memchr_iter(b'\n', &rest[..ends]).count() as u64;
            let found = ends < rest.len();
            self.at += ends;
            if found || !self.fill(self.line)? {
                return Ok(found);
            }
        }
    }

    /// Takes in more, once the window is used up; `false` at the end.
    fn fill(&mut self, line: u64) -> Result<bool, SourceError> {
        let taken = self.input.read(&mut self.window, self.context.as_ref());
        let taken = taken.map_err(|(what, error): InputFault| {
            SourceError::unreadable(what, error).at(format!("{}, line {line}", self.name))
        })?;
        (self.at, self.filled) = (0, taken);
        Ok(taken > 0)
    }

    fn malformed(&self, line: u64, problem: String) -> SourceError {
        SourceError::malformed(problem).at(format!("{}, line {line}", self.name))
    }
}
