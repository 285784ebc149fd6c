//! Rows to deflated text at level 1: from what is known of their fields, without a search.

use crate::{
    chunk::CsvChunk,
    format::Dialect,
    marks::NUMBERS,
    page::Page,
    plan::{Memory, Plan, Stop},
};
use crc32fast::Hasher;
use stocktake_codec::{Deflater, Rows};
use stocktake_core::{ObjectBatch, RowChunk};

/// Room that is asked for a row at first; doubled for rows that are longer.
const ROOM_BYTES: usize = 4 << 10;

/// What parts of keys begin with: folders, characters that are escaped, words.
const SEPARATORS: &[u8] = b"/%-_.";

/// Deflates one chunk after another. Holds about 1.1 MiB while rows have up to 64 KiB.
#[derive(Debug)]
pub(crate) struct KnownRows {
    deflater: Deflater,
    rows: Rows,
}

impl KnownRows {
    pub(crate) fn new() -> Self {
        Self { deflater: Deflater::new(), rows: Rows::new(NUMBERS as usize, SEPARATORS) }
    }

    /// Encodes rows into an empty chunk.
    ///
    /// # Errors
    /// What stopped a row, and its segment.
    pub(crate) fn encode<'a>(
        &mut self,
        dialect: &Dialect,
        memory: &mut Memory,
        rows: &'a RowChunk,
        into: &mut CsvChunk,
    ) -> Result<(), (&'a ObjectBatch, Stop)> {
        let mut crc = Hasher::new();
        let mut room_bytes = ROOM_BYTES;
        self.deflater.begin();
        self.rows.begin();
        for segment in rows.segments() {
            let plan = Plan::new(dialect, segment, memory);
            let mut row = 0;
            while row < segment.len() {
                let mut page = Page::new(self.deflater.room(room_bytes), 0);
                match plan.write_row(row, memory, &mut page) {
                    Ok(()) => {}
                    Err(Stop::Full) => {
                        room_bytes *= 2;
                        continue;
                    }
                    Err(stop) => return Err((segment, stop)),
                }
                let bytes = page.at();
                let start = self.deflater.push(bytes);
                self.rows.tell(start, memory.marks.list_mut(), &mut self.deflater);
                row += 1;
                if self.deflater.is_full() {
                    self.end_block(&mut crc, into);
                }
            }
        }
        self.end_block(&mut crc, into);
        self.deflater.end(&mut into.deflated);
        into.crc32 = crc.finalize();
        Ok(())
    }

    fn end_block(&mut self, crc: &mut Hasher, into: &mut CsvChunk) {
        let text = self.deflater.block();
        crc.update(text);
        into.text_bytes += text.len() as u64;
        self.deflater.end_block(&mut into.deflated);
    }
}
