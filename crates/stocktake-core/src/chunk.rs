//! A chunk's rows: slices of batches, in order, that one encoder turns into bytes.

use crate::batch::ObjectBatch;

/// The rows of one chunk, as slices of the batches that a source yielded.
///
/// Chunks are cut by rows and raw bytes at a change of key; how rows were spread over batches must not show in the bytes
/// that an encoder makes of them.
#[derive(Clone, Debug, Default)]
pub struct RowChunk {
    segments: Vec<ObjectBatch>,
    rows: usize,
}

impl RowChunk {
    /// A chunk of these slices; empty ones are left out.
    pub fn new(segments: impl IntoIterator<Item = ObjectBatch>) -> Self {
        let segments: Vec<_> = segments.into_iter().filter(|segment| !segment.is_empty()).collect();
        let rows = segments.iter().map(ObjectBatch::len).sum();
        Self { segments, rows }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether the chunk has no row.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The slices, none of them empty.
    pub fn segments(&self) -> &[ObjectBatch] {
        &self.segments
    }

    /// Key of the first row.
    pub fn first_key(&self) -> Option<&str> {
        self.segments.first().map(|segment| segment.key(0))
    }

    /// Key of the last row.
    pub fn last_key(&self) -> Option<&str> {
        self.segments.last().map(|segment| segment.key(segment.len() - 1))
    }
}

impl From<ObjectBatch> for RowChunk {
    fn from(batch: ObjectBatch) -> Self {
        Self::new([batch])
    }
}
