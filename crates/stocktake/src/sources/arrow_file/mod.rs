//! The source `arrow:FILE`: an Arrow IPC file with the report's column names, taken over without copying strings.
//!
//! The file is mapped and decoded one record batch at a time, so that it may be larger than memory. It must not be changed
//! while it is read. Bodies compressed with LZ4 or ZSTD are refused.

mod file;

use file::IpcFile;
use std::{num::NonZeroU32, ops::Range, path::Path};
use stocktake_core::{
    FieldSet, LaneDescriptor, ObjectBatchBuilder, ObjectKey, ObjectSource, ObjectStream, Plan, ReadContext, RowOrigin,
    SourceError, SourceErrorKind,
    arrow::{RecordBatchReader, provided_fields},
};

/// Rows of a record batch that are handed over at once: their codes and checks stay in a cache.
const SLICE_ROWS: usize = 8192;

/// Objects in an Arrow IPC file, in ascending order of their keys.
#[derive(Debug)]
pub struct ArrowFileSource {
    file: IpcFile,
    provides: FieldSet,
}

impl ArrowFileSource {
    /// Maps a file and reads its schema.
    ///
    /// # Errors
    /// If it cannot be read, is no Arrow IPC file, or has a column that is no inventory field.
    pub fn try_open(path: impl AsRef<Path>) -> Result<Self, SourceError> {
        let file = IpcFile::open(path.as_ref())?;
        let provides = provided_fields(file.schema())
            .map_err(|error| SourceError::malformed(error.to_string()).at(file.name()))?;
        Ok(Self { file, provides })
    }

    /// Decodes and checks all record batches now, so that they are tables in memory when they are read.
    ///
    /// Their values stay in the mapped file; what is kept are descriptions of the columns, about a kilobyte a record batch.
    ///
    /// # Errors
    /// Names the first record batch that is damaged.
    pub fn decoded(mut self) -> Result<Self, SourceError> {
        self.file.decode_all()?;
        Ok(self)
    }

    /// The key of the first or last row of a record batch; `None` if it has no row.
    fn key_at(&self, batch: usize, last: bool) -> Result<Option<String>, SourceError> {
        let decoded = self.file.decoder()?.decode(batch)?;
        let Some(row) = decoded.num_rows().checked_sub(1).map(|end| if last { end } else { 0 }) else {
            return Ok(None);
        };
        let taken = RecordBatchReader::new(FieldSet::EMPTY, None).take_over(&decoded, row, 1);
        let taken = taken.map_err(|error| SourceError::malformed(error.to_string()).at(self.file.position(batch)))?;
        Ok(Some(taken.key(0).to_owned()))
    }

    /// Record batches at which a lane may begin, with their first keys: the key differs from the one before.
    fn boundaries(&self, lanes: usize) -> Result<Vec<(usize, String)>, SourceError> {
        let count = self.file.batches();
        let mut found: Vec<(usize, String)> = Vec::new();
        for lane in 1..lanes {
            let from = (lane * count / lanes).max(found.last().map_or(1, |(batch, _)| batch + 1));
            for batch in from..(lane + 1) * count / lanes {
                let (before, first) = (self.key_at(batch - 1, true)?, self.key_at(batch, false)?);
                if let (Some(before), Some(first)) = (before, first)
                    && before < first
                {
                    found.push((batch, first));
                    break;
                }
            }
        }
        Ok(found)
    }
}

impl ObjectSource for ArrowFileSource {
    fn provides(&self) -> FieldSet {
        self.provides
    }

    fn plan(&self, lanes: NonZeroU32) -> Result<Plan, SourceError> {
        let boundaries = self.boundaries(lanes.get() as usize)?;
        let starts = std::iter::once(0).chain(boundaries.iter().map(|(batch, _)| *batch));
        let ends = boundaries.iter().map(|(batch, _)| *batch).chain(std::iter::once(self.file.batches()));
        let tokens = starts.zip(ends).map(|(start, end)| Some(format!("{start}..{end}"))).collect();
        let fault = |error: String| SourceError::malformed(error).at(self.file.name());
        let keys =
            boundaries.into_iter().map(|(_, key)| ObjectKey::try_new(key).map_err(|error| fault(error.to_string())));
        Plan::split(format!("arrow:{}", self.file.name()), keys.collect::<Result<_, _>>()?, tokens)
            .map_err(|error| fault(error.to_string()))
    }

    fn open<'a>(
        &'a self,
        lane: &LaneDescriptor,
        after: Option<&ObjectKey>,
        context: &ReadContext,
    ) -> Result<Box<dyn ObjectStream + 'a>, SourceError> {
        let batches = self.batches_of(lane)?;
        let start = match after {
            Some(after) => self.first_batch_after(batches.clone(), after)?,
            None => batches.start,
        };
        let mut decoder = self.file.decoder()?;
        let first_row = if start > 0 { decoder.rows_before(start)? } else { 0 };
        Ok(Box::new(ArrowStream {
            decoder,
            next: start,
            end: batches.end,
            first_row,
            current: None,
            reader: RecordBatchReader::new(context.fields, Some(context.bucket.as_str())),
            after: after.cloned(),
            context: context.clone(),
        }))
    }
}

impl ArrowFileSource {
    fn batches_of(&self, lane: &LaneDescriptor) -> Result<Range<usize>, SourceError> {
        let Some(token) = &lane.token else { return Ok(0..self.file.batches()) };
        let range = token.split_once("..").and_then(|(start, end)| Some(start.parse().ok()?..end.parse().ok()?));
        let valid = range.filter(|range: &Range<usize>| range.start <= range.end && range.end <= self.file.batches());
        valid.ok_or_else(|| {
            let text = format!(
                "the plan's note {token:?} is not of this file, which has {} record batches",
                self.file.batches()
            );
            SourceError::new(SourceErrorKind::Unsupported, text).at(self.file.name())
        })
    }

    /// The last record batch that begins at or before a key: rows behind the key begin there or later.
    fn first_batch_after(&self, batches: Range<usize>, after: &ObjectKey) -> Result<usize, SourceError> {
        let (mut low, mut high) = (batches.start, batches.end);
        while low < high {
            let middle = low.midpoint(high);
            match self.key_at(middle, false)? {
                Some(first) if first.as_str() > after.as_str() => high = middle,
                _ => low = middle + 1,
            }
        }
        Ok(low.saturating_sub(1).max(batches.start))
    }
}

struct ArrowStream<'a> {
    decoder: file::Decoder<'a>,
    next: usize,
    end: usize,
    /// Rows of the file before the current record batch.
    first_row: u64,
    current: Option<Current>,
    reader: RecordBatchReader,
    after: Option<ObjectKey>,
    context: ReadContext,
}

struct Current {
    batch: arrow_array::RecordBatch,
    number: usize,
    offset: usize,
}

impl ObjectStream for ArrowStream<'_> {
    fn next_batch(&mut self, builder: &mut ObjectBatchBuilder) -> Result<bool, SourceError> {
        loop {
            if self.context.cancel.is_cancelled() {
                return Err(SourceError::cancelled());
            }
            let Some(current) = &mut self.current else {
                if self.next == self.end {
                    return Ok(false);
                }
                let decoder = &mut self.decoder;
                let batch = self.context.compute(|| decoder.decode(self.next))?;
                self.current = Some(Current { batch, number: self.next, offset: 0 });
                self.next += 1;
                continue;
            };
            let rows = (current.batch.num_rows() - current.offset).min(SLICE_ROWS);
            if rows == 0 {
                self.first_row += current.batch.num_rows() as u64;
                self.current = None;
                continue;
            }
            let (reader, offset) = (&mut self.reader, current.offset);
            let taken = self.context.compute(|| reader.take_over(&current.batch, offset, rows));
            let mut taken = taken.map_err(|error| {
                let row =
                    error.row().map(|row| format!(", row {}", self.first_row + row as u64 + 1)).unwrap_or_default();
                SourceError::malformed(error.to_string()).at(format!("{}{row}", self.decoder.position(current.number)))
            })?;
            taken = taken.with_origin(RowOrigin {
                unit: "row",
                first: self.first_row + offset as u64 + 1,
                skipped: Vec::new(),
            });
            current.offset += rows;
            if let Some(after) = &self.after {
                let passed = (0..taken.len()).find(|row| taken.key(*row) > after.as_str()).unwrap_or(taken.len());
                taken = taken.slice(passed..taken.len());
                if taken.is_empty() {
                    continue;
                }
                self.after = None;
            }
            builder.take_over(taken);
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests;
