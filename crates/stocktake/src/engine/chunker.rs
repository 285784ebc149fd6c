//! Cuts a lane's rows into chunks, whatever batches they came in.
//!
//! A chunk ends at the last change of key at or before its target of rows and of raw bytes; it is cut inside a key only
//! when one key's versions exceed the target. So a chunk's rows depend on the lane's rows and on the spec alone.

use std::collections::VecDeque;
use stocktake_core::{FieldSet, ObjectBatch, ReportSpec, RowChunk};

/// Rows waiting to become chunks.
#[derive(Debug)]
pub(super) struct Chunker {
    fields: FieldSet,
    rows_max: u64,
    bytes_max: u64,
    waiting: VecDeque<Waiting>,
    rows: u64,
    bytes: u64,
    /// The row before the first waiting one, by itself.
    before: Option<ObjectBatch>,
}

#[derive(Debug)]
struct Waiting {
    batch: ObjectBatch,
    raw_bytes: u64,
}

/// A chunk's rows, and whether they begin a new key.
#[derive(Debug)]
pub(super) struct CutChunk {
    pub(super) rows: RowChunk,
    /// The first key differs from the last key of the chunk before: a data file may begin here.
    pub(super) begins_key: bool,
}

impl Chunker {
    pub(super) fn new(spec: &ReportSpec) -> Self {
        Self {
            fields: spec.fields(),
            rows_max: spec.chunk_rows(),
            bytes_max: spec.chunk_bytes(),
            waiting: VecDeque::new(),
            rows: 0,
            bytes: 0,
            before: None,
        }
    }

    /// A chunker of the rows behind this one, which an earlier run put into a data file: chunks end where they would have.
    pub(super) fn behind(spec: &ReportSpec, last_row: Option<ObjectBatch>) -> Self {
        Self { before: last_row, ..Self::new(spec) }
    }

    /// Whether no row is waiting.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes the next rows of the lane.
    pub(super) fn push(&mut self, batch: ObjectBatch) {
        if batch.is_empty() {
            return;
        }
        let before = self.waiting.back().map(|waiting| (&waiting.batch, waiting.batch.len() - 1));
        let before = before.or(self.before.as_ref().map(|row| (row, 0)));
        let raw_bytes = batch.raw_bytes(self.fields, 0..batch.len(), before);
        self.rows += batch.len() as u64;
        self.bytes += raw_bytes;
        self.waiting.push_back(Waiting { batch, raw_bytes });
    }

    /// The next chunk, if more rows are waiting than it can hold.
    pub(super) fn full(&mut self) -> Option<CutChunk> {
        if self.rows <= self.rows_max && self.bytes <= self.bytes_max {
            return None;
        }
        let fitting = self.fitting();
        Some(self.cut(self.key_change_before(fitting)))
    }

    /// The last chunk of the lane, if rows are waiting.
    pub(super) fn rest(&mut self) -> Option<CutChunk> {
        (!self.waiting.is_empty()).then(|| self.cut((self.waiting.len(), 0)))
    }

    /// The first row that does not fit, as batch and row; at least one row fits.
    fn fitting(&self) -> (usize, usize) {
        let (mut rows_left, mut bytes_left) = (self.rows_max, self.bytes_max);
        for (index, Waiting { batch, raw_bytes }) in self.waiting.iter().enumerate() {
            let rows = batch.len() as u64;
            if rows <= rows_left && *raw_bytes <= bytes_left {
                rows_left -= rows;
                bytes_left -= raw_bytes;
                continue;
            }
            let low = if *raw_bytes <= bytes_left {
                usize::try_from(rows_left).unwrap_or(usize::MAX)
            } else {
                self.fitting_of(index, rows_left, bytes_left)
            };
            return if index == 0 && low == 0 { self.after(0, 1) } else { (index, low) };
        }
        (self.waiting.len(), 0)
    }

    /// How many first rows of a waiting batch have at most so many rows and raw bytes.
    fn fitting_of(&self, index: usize, rows_left: u64, mut bytes_left: u64) -> usize {
        let batch = &self.waiting[index].batch;
        let (mut low, mut high) = (0, batch.len().min(usize::try_from(rows_left).unwrap_or(usize::MAX)));
        // Raw bytes ascend with rows: the largest count within is found by halving. What is known to fit is not counted again.
        while low < high {
            let middle = (low + high).div_ceil(2);
            let before = if low > 0 { Some((batch, low - 1)) } else { self.row_before(index) };
            let bytes = batch.raw_bytes(self.fields, low..middle, before);
            if bytes <= bytes_left {
                bytes_left -= bytes;
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        low
    }

    /// The start of the key of the first row that does not fit, or that row itself if the chunk would be empty.
    fn key_change_before(&self, fitting: (usize, usize)) -> (usize, usize) {
        let (mut index, mut row) = fitting;
        let Some(key) = self.waiting.get(index).map(|waiting| waiting.batch.key(row)) else { return fitting };
        loop {
            while row > 0 {
                if self.waiting[index].batch.key(row - 1) != key {
                    return self.after(index, row);
                }
                row -= 1;
            }
            if index == 0 {
                return fitting;
            }
            index -= 1;
            row = self.waiting[index].batch.len();
        }
    }

    fn cut(&mut self, (index, row): (usize, usize)) -> CutChunk {
        let mut segments: Vec<ObjectBatch> = Vec::with_capacity(index + 1);
        let first_key = self.waiting[0].batch.key(0);
        let begins_key = self.before.as_ref().is_none_or(|before| before.key(0) != first_key);
        let part_bytes = match self.waiting.get(index) {
            Some(waiting) if row > 0 => waiting.batch.raw_bytes(self.fields, 0..row, self.row_before(index)),
            _ => 0,
        };
        for Waiting { batch, raw_bytes } in self.waiting.drain(..index) {
            self.rows -= batch.len() as u64;
            self.bytes -= raw_bytes;
            segments.push(batch);
        }
        if let (true, Some(waiting)) = (row > 0, self.waiting.front_mut()) {
            segments.push(waiting.batch.slice(0..row));
            waiting.batch = waiting.batch.slice(row..waiting.batch.len());
            waiting.raw_bytes -= part_bytes;
            self.rows -= row as u64;
            self.bytes -= part_bytes;
        }
        self.before = segments.last().map(|batch| batch.slice(batch.len() - 1..batch.len()));
        CutChunk { rows: RowChunk::new(segments), begins_key }
    }

    /// The row before the first of a waiting batch.
    fn row_before(&self, index: usize) -> Option<(&ObjectBatch, usize)> {
        match index.checked_sub(1) {
            Some(before) => self.waiting.get(before).map(|waiting| (&waiting.batch, waiting.batch.len() - 1)),
            None => self.before.as_ref().map(|row| (row, 0)),
        }
    }

    /// The place after a row.
    fn after(&self, index: usize, rows: usize) -> (usize, usize) {
        if rows == self.waiting[index].batch.len() { (index + 1, 0) } else { (index, rows) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stocktake_core::{BucketName, ConfigurationId, Field, ObjectBatchBuilder, Versions};

    fn spec(chunk_rows: u64, chunk_bytes: u64) -> ReportSpec {
        let bucket = BucketName::try_new("b").unwrap();
        let builder = ReportSpec::builder(bucket.clone(), ConfigurationId::try_new("id").unwrap(), bucket);
        let fields = FieldSet::VERSION_FIELDS.with(Field::StorageClass);
        let builder = builder.with_versions(Versions::All).with_fields(fields);
        builder.with_chunk_rows(chunk_rows).with_chunk_bytes(chunk_bytes).build().unwrap()
    }

    /// Rows "key" with as many versions as stated, cut into batches of `slice` rows.
    fn batches(keys: &[(String, usize)], slice: usize) -> Vec<ObjectBatch> {
        let mut builder = ObjectBatchBuilder::new(spec(1, 1 << 20).fields());
        let mut all = Vec::new();
        for (index, (key, versions)) in keys.iter().enumerate() {
            for version in 0..*versions {
                let class = ["A", "B"][(index + version) / 3 % 2];
                builder
                    .row(key)
                    .version(&version.to_string(), version == 0, false)
                    .storage_class(class)
                    .finish()
                    .unwrap();
                if builder.len() == slice {
                    all.push(builder.finish());
                }
            }
        }
        all.push(builder.finish());
        all
    }

    fn chunks(spec: &ReportSpec, batches: Vec<ObjectBatch>) -> Vec<(usize, bool)> {
        let mut chunker = Chunker::new(spec);
        let mut chunks = Vec::new();
        for batch in batches {
            chunker.push(batch);
            chunks.extend(std::iter::from_fn(|| chunker.full()));
        }
        chunks.extend(std::iter::from_fn(|| chunker.rest()));
        chunks.iter().map(|chunk| (chunk.rows.len(), chunk.begins_key)).collect()
    }

    #[test]
    fn chunks_end_at_a_change_of_key() {
        let keys = [("a", 3), ("b", 3), ("c", 1), ("d", 9), ("e", 1)].map(|(key, versions)| (key.to_owned(), versions));
        for slice in 1..20 {
            let cut = chunks(&spec(4, 1 << 20), batches(&keys, slice));
            assert_eq!(cut, [(3, true), (4, true), (4, true), (4, false), (2, false)], "slice {slice}");
        }
    }

    #[test]
    fn chunks_do_not_depend_on_batches_when_bytes_bound_them() {
        let keys: Vec<_> = (0..5000).map(|key| (format!("{key:05}{}", "x".repeat(key % 700)), 1 + key % 3)).collect();
        let spec = spec(1 << 20, 1 << 20);
        let expected = chunks(&spec, batches(&keys, 8192));
        assert!(expected.len() > 3);
        for slice in [1, 7, 100, 1001] {
            assert_eq!(chunks(&spec, batches(&keys, slice)), expected, "slice {slice}");
        }
    }
}
