//! Rows to chunks: text is collected in a buffer of fixed length and handed to the compressor piece by piece.

use crate::{
    chunk::CsvChunk,
    deflate::Deflater,
    format::Dialect,
    page::Page,
    plan::{Memory, Plan, Stop},
};
use crc32fast::Hasher;
use std::sync::Arc;
use stocktake_core::{ChunkEncoder, EncodeError, ObjectBatch, RowChunk};

/// Text is handed on with the row that makes it so long. Pieces end at places that follow from the text alone, so that
/// neither batches nor earlier chunks show in the compressed bytes. Small enough for a core's own cache, large enough
/// that handing on costs nothing.
const PIECE_BYTES: usize = 64 << 10;

/// First length of the buffer: a piece and the row that ends it. It grows for longer rows, at most to the longest row
/// that limits of the core allow (about 2 MiB, twice that with the growth).
const BUFFER_BYTES: usize = 2 * PIECE_BYTES;

/// Turns rows into runs of deflated text.
#[derive(Debug)]
pub struct CsvEncoder {
    dialect: Arc<Dialect>,
    memory: Memory,
    buffer: Vec<u8>,
    deflater: Deflater,
}

impl CsvEncoder {
    pub(crate) fn new(dialect: Arc<Dialect>) -> Self {
        let deflater = Deflater::new(dialect.options.level);
        Self { dialect, memory: Memory::new(), buffer: vec![0; BUFFER_BYTES], deflater }
    }

    /// Appends the rows' text without compression: what a reader sees after inflating.
    ///
    /// # Errors
    /// As [`ChunkEncoder::encode`].
    pub fn write_text(&mut self, rows: &RowChunk, into: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.render(rows, |_, piece| {
            into.extend_from_slice(piece);
            Ok(())
        })
    }

    /// Renders rows and hands the text on in pieces.
    fn render(
        &mut self,
        rows: &RowChunk,
        mut hand_on: impl FnMut(&mut Deflater, &[u8]) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        let mut filled = 0;
        for segment in rows.segments() {
            let plan = Plan::new(&self.dialect, segment, &mut self.memory);
            let mut row = 0;
            while row < segment.len() {
                let mut page = Page::new(&mut self.buffer, filled);
                let (next, stop) = plan.write_rows(row..segment.len(), &mut self.memory, &mut page, PIECE_BYTES);
                row = next;
                filled = page.at();
                match stop {
                    None => {}
                    Some(Stop::Full) => self.buffer.resize(2 * self.buffer.len(), 0),
                    Some(Stop::Number { row, field, number }) => {
                        return Err(number_error(segment, row, field.csv_name(), number));
                    }
                }
                if filled >= PIECE_BYTES {
                    hand_on(&mut self.deflater, &self.buffer[..filled])?;
                    filled = 0;
                }
            }
        }
        if filled > 0 { hand_on(&mut self.deflater, &self.buffer[..filled]) } else { Ok(()) }
    }
}

impl ChunkEncoder for CsvEncoder {
    type Chunk = CsvChunk;

    fn encode(&mut self, rows: &RowChunk, into: &mut CsvChunk) -> Result<(), EncodeError> {
        into.clear();
        if rows.is_empty() {
            return Ok(());
        }
        let mut crc = Hasher::new();
        self.deflater.begin();
        let CsvChunk { deflated, text_bytes, .. } = into;
        self.render(rows, |deflater, piece| {
            crc.update(piece);
            *text_bytes += piece.len() as u64;
            deflater.push(piece, deflated).map_err(|error| EncodeError::new(rows.first_key(), error.to_string()))
        })?;
        self.deflater.end(deflated).map_err(|error| EncodeError::new(rows.last_key(), error.to_string()))?;
        into.crc32 = crc.finalize();
        Ok(())
    }
}

#[cold]
fn number_error(segment: &ObjectBatch, row: usize, field: &str, number: i64) -> EncodeError {
    EncodeError::new(Some(segment.key(row)), format!("{field} cannot be {number}"))
}
