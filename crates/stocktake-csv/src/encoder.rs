//! Rows to chunks: text is collected in a buffer of fixed length and handed to the compressor piece by piece.

use crate::{
    chunk::CsvChunk,
    deflate::Deflater,
    format::Dialect,
    known::KnownRows,
    page::Page,
    plan::{Memory, Plan, Stop},
};
use crc32fast::Hasher;
use std::sync::Arc;
use stocktake_core::{ChunkEncoder, Dispatch, EncodeError, ObjectBatch, RowChunk};

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
    /// Empty until text is rendered into it, which level 1 does elsewhere.
    buffer: Vec<u8>,
    compressor: Compressor,
}

/// What deflates the rows.
#[derive(Debug)]
enum Compressor {
    /// At level 1, from what is known of rows.
    Known(Box<KnownRows>),
    /// At higher levels, by a search in the text.
    General(Deflater),
}

/// The level at which nothing is searched for.
const LEVEL_KNOWN: u8 = 1;

impl CsvEncoder {
    pub(crate) fn new(dialect: Arc<Dialect>) -> Self {
        let compressor = if dialect.options.level <= LEVEL_KNOWN {
            Compressor::Known(Box::new(KnownRows::new()))
        } else {
            Compressor::General(Deflater::new(dialect.options.level))
        };
        Self { dialect, memory: Memory::new(), buffer: Vec::new(), compressor }
    }

    /// Appends the rows' text without compression: what a reader sees after inflating.
    ///
    /// # Errors
    /// As [`ChunkEncoder::encode`].
    pub fn write_text(&mut self, rows: &RowChunk, into: &mut Vec<u8>) -> Result<(), EncodeError> {
        render(rows, &self.dialect, &mut self.memory, &mut self.buffer, |piece| {
            into.extend_from_slice(piece);
            Ok(())
        })
    }
}

/// Renders rows and hands the text on in pieces.
fn render(
    rows: &RowChunk,
    dialect: &Dialect,
    memory: &mut Memory,
    buffer: &mut Vec<u8>,
    mut hand_on: impl FnMut(&[u8]) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    let mut filled = 0;
    buffer.resize(buffer.len().max(BUFFER_BYTES), 0);
    for segment in rows.segments() {
        let plan = Plan::new(dialect, segment, memory);
        let mut row = 0;
        while row < segment.len() {
            let mut page = Page::new(buffer, filled);
            let (next, stop) = plan.write_rows(row..segment.len(), memory, &mut page, PIECE_BYTES);
            row = next;
            filled = page.at();
            match stop {
                None => {}
                Some(Stop::Full) => buffer.resize(2 * buffer.len(), 0),
                Some(stop) => return Err(stop_error(segment, stop)),
            }
            if filled >= PIECE_BYTES {
                hand_on(&buffer[..filled])?;
                filled = 0;
            }
        }
    }
    if filled > 0 { hand_on(&buffer[..filled]) } else { Ok(()) }
}

impl ChunkEncoder for CsvEncoder {
    type Chunk = CsvChunk;

    fn set_dispatch(&mut self, dispatch: Dispatch) {
        if let Compressor::Known(known) = &mut self.compressor {
            known.set_dispatch(dispatch);
        }
    }

    fn encode(&mut self, rows: &RowChunk, into: &mut CsvChunk) -> Result<(), EncodeError> {
        into.clear();
        if rows.is_empty() {
            return Ok(());
        }
        let deflater = match &mut self.compressor {
            Compressor::Known(known) => {
                let encoded = known.encode(&self.dialect, &mut self.memory, rows, into);
                return encoded.map_err(|(segment, stop)| stop_error(segment, stop));
            }
            Compressor::General(deflater) => deflater,
        };
        let mut crc = Hasher::new();
        deflater.begin();
        let CsvChunk { deflated, text_bytes, .. } = into;
        render(rows, &self.dialect, &mut self.memory, &mut self.buffer, |piece| {
            crc.update(piece);
            *text_bytes += piece.len() as u64;
            deflater.push(piece, deflated).map_err(|error| EncodeError::new(rows.first_key(), error.to_string()))
        })?;
        deflater.end(deflated).map_err(|error| EncodeError::new(rows.last_key(), error.to_string()))?;
        into.crc32 = crc.finalize();
        Ok(())
    }
}

#[cold]
fn stop_error(segment: &ObjectBatch, stop: Stop) -> EncodeError {
    match stop {
        Stop::Full => unreachable!("a row that does not fit is written again with more room"),
        Stop::Number { row, field, number } => {
            EncodeError::new(Some(segment.key(row)), format!("{} cannot be {number}", field.csv_name()))
        }
    }
}
