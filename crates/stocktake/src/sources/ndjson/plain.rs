//! A file that is not compressed: lines of any range of its bytes, read by position.
//!
//! A line belongs to the range in which it begins, so that ranges that join give each line once, wherever their seams
//! fall. It knows nothing of what stands in a line.

use super::{
    LINE_BYTES_MAX,
    input::{BYTE_ORDER_MARK, changed},
};
use memchr::memchr;
use std::{fs::File, ops::Range, os::unix::fs::FileExt, sync::Arc};
use stocktake_core::SourceError;

/// Bytes read at once behind a range for the end of its last line; most lines are shorter.
const LINE_END_BYTES: u64 = 4 << 10;

/// An open file, and what is known of it since it was opened.
#[derive(Clone, Debug)]
pub(super) struct PlainFile {
    file: Arc<File>,
    name: Arc<str>,
    /// Where the first line begins: behind the byte-order mark, if there is one.
    pub(super) start: u64,
    pub(super) length_bytes: u64,
}

impl PlainFile {
    /// A file that had this length when it was opened.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(super) fn try_new(file: Arc<File>, name: Arc<str>, length_bytes: u64) -> Result<Self, SourceError> {
        let mut this = Self { file, name, start: 0, length_bytes };
        let mut front = Vec::new();
        let filled = this.fill(0, 0, BYTE_ORDER_MARK.len() as u64, &mut front)?;
        if &front[..filled] == BYTE_ORDER_MARK {
            this.start = filled as u64;
        }
        Ok(this)
    }

    /// All lines.
    pub(super) fn range(&self) -> Range<u64> {
        self.start..self.length_bytes
    }

    /// Reads the lines that begin in `range` into `buffer`; says where in it they stand, and where they begin in the file.
    ///
    /// The last line is whole even if it ends behind the range, or else longer than [`LINE_BYTES_MAX`]. The buffer is made
    /// longer where needed, and holds leftovers behind the lines.
    ///
    /// # Errors
    /// If the file cannot be read or has become shorter.
    pub(super) fn read_lines(
        &self,
        range: Range<u64>,
        buffer: &mut Vec<u8>,
    ) -> Result<(Range<usize>, u64), SourceError> {
        let none = Ok((0..0, range.start));
        if range.is_empty() {
            return none;
        }
        // The byte before the range tells whether a line begins with it.
        let from = if range.start > self.start { range.start - 1 } else { range.start };
        let mut filled = self.fill(from, 0, range.end.saturating_add(LINE_END_BYTES), buffer)?;
        let behind_range = memory_bytes(range.end - from);
        let begin = match memchr(b'\n', &buffer[..behind_range]) {
            _ if from == range.start => 0,
            Some(end_of_line) => end_of_line + 1,
            None => return none,
        };
        if begin == behind_range {
            return none;
        }
        let mut searched = behind_range - 1;
        let end = loop {
            if let Some(at) = memchr(b'\n', &buffer[searched..filled]) {
                break searched + at + 1;
            }
            if from + filled as u64 == self.length_bytes || filled - behind_range > LINE_BYTES_MAX {
                break filled;
            }
            searched = filled;
            // Each step is as long as all before it.
            let step_bytes = (filled - behind_range) as u64;
            filled = self.fill(from, filled, from + filled as u64 + step_bytes, buffer)?;
        };
        Ok((begin..end, from + begin as u64))
    }

    /// Checks that the file has the length that it had when it was opened.
    ///
    /// # Errors
    /// If it was changed.
    pub(super) fn check_length(&self) -> Result<(), SourceError> {
        let found = self.file.metadata().map(|metadata| metadata.len());
        match found.map_err(|error| self.unreadable(error))? {
            length_bytes if length_bytes == self.length_bytes => Ok(()),
            _ => Err(self.unreadable(changed(self.length_bytes))),
        }
    }

    /// Reads the file from `from` up to `to` or its end, of which the first `filled` bytes are in the buffer already; says
    /// how many are then.
    fn fill(&self, from: u64, filled: usize, to: u64, buffer: &mut Vec<u8>) -> Result<usize, SourceError> {
        let wanted = memory_bytes(to.min(self.length_bytes) - from);
        if buffer.len() < wanted {
            buffer.resize(wanted, 0);
        }
        let result = self.file.read_exact_at(&mut buffer[filled..wanted], from + filled as u64);
        result.map(|()| wanted).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => self.unreadable(changed(self.length_bytes)),
            _ => self.unreadable(error),
        })
    }

    fn unreadable(&self, error: std::io::Error) -> SourceError {
        SourceError::unreadable("the file could not be read", error).at(&*self.name)
    }
}

/// A number of bytes of a piece or a line, which fit in memory.
fn memory_bytes(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

/// Lines one after the other from a place in a file.
pub(super) struct Scan<'f> {
    file: &'f PlainFile,
    at: u64,
    buffer: Vec<u8>,
}

impl<'f> Scan<'f> {
    /// Begins with the first line that begins at `at` or behind it.
    pub(super) fn new(file: &'f PlainFile, at: u64) -> Self {
        Self { file, at: at.max(file.start), buffer: Vec::new() }
    }

    /// The next lines, at least one of them, and where they begin in the file; none at the end.
    ///
    /// # Errors
    /// If the file cannot be read or has become shorter.
    pub(super) fn next_lines(&mut self) -> Result<Option<(u64, &[u8])>, SourceError> {
        while self.at < self.file.length_bytes {
            let end = self.at.saturating_add(SCAN_BYTES).min(self.file.length_bytes);
            let (lines, offset) = self.file.read_lines(self.at..end, &mut self.buffer)?;
            self.at = end;
            if !lines.is_empty() {
                return Ok(Some((offset, &self.buffer[lines])));
            }
        }
        Ok(None)
    }
}

/// Bytes looked at in one step of a scan: some lines, since a scan mostly wants two.
const SCAN_BYTES: u64 = 4 << 10;
