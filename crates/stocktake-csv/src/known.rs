//! Rows to deflated text at level 1: from what is known of their fields, without a search.

use crate::{
    chunk::CsvChunk,
    format::Dialect,
    marks::{NUMBERS, RowMarks},
    page::Page,
    plan::{Memory, Plan, Stop},
};
use crc32fast::Hasher;
use stocktake_codec::{Deflater, Dispatch, Rows, Work};
use stocktake_core::{ObjectBatch, RowChunk};

/// Room that is asked for a row at first; doubled for rows that are longer.
const ROOM_BYTES: usize = 4 << 10;

/// Rows that are written before the first of them is compared with others: what was just written in small pieces is slow
/// to read in large ones.
const BATCH_ROWS: usize = 8;

/// What parts of keys begin with: folders, characters that are escaped, endings.
const SEPARATORS: &[u8] = b"/%.";

/// Deflates one chunk after another. Holds about 1.4 MiB, without what writes rows, while rows have up to 64 KiB.
#[derive(Debug)]
pub(crate) struct KnownRows {
    deflater: Deflater,
    rows: Rows,
    /// Of each row of a batch, and its length in bytes.
    marks: Vec<(RowMarks, usize)>,
}

impl KnownRows {
    pub(crate) fn new() -> Self {
        Self {
            deflater: Deflater::new(),
            rows: Rows::new(NUMBERS as usize, SEPARATORS),
            marks: vec![Default::default(); BATCH_ROWS],
        }
    }

    pub(crate) fn set_dispatch(&mut self, dispatch: Dispatch) {
        self.deflater.set_dispatch(dispatch);
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
        let (mut room_bytes, dispatch) = (ROOM_BYTES, self.deflater.dispatch());
        self.deflater.begin();
        self.rows.begin();
        for segment in rows.segments() {
            let plan = Plan::new(dialect, segment, memory);
            let mut row = 0;
            while row < segment.len() {
                let page = Page::new(self.deflater.room(room_bytes), 0);
                let marks = self.marks.iter_mut().take(segment.len() - row);
                let written = dispatch.run(WriteRows { plan: &plan, first: row, memory, marks, page });
                let (written, mut ahead_bytes) = written.map_err(|stop| (segment, stop))?;
                let mut untold = &self.marks[..written];
                while !untold.is_empty() {
                    let Self { deflater, rows, .. } = self;
                    let told = rows.push(untold.iter().map(|(marks, bytes)| (*bytes, marks.list())), deflater);
                    ahead_bytes -= untold[..told].iter().map(|(_, bytes)| bytes).sum::<usize>();
                    untold = &untold[told..];
                    if self.deflater.is_full() {
                        count_block(&self.deflater, &mut crc, into);
                        self.deflater.end_block_before(ahead_bytes, &mut into.deflated);
                    }
                }
                row += written;
                if written == 0 {
                    room_bytes *= 2;
                }
            }
        }
        count_block(&self.deflater, &mut crc, into);
        self.deflater.end(&mut into.deflated);
        into.crc32 = crc.finalize();
        Ok(())
    }
}

/// Rows to be written as text into a page, as many as have marks and room.
struct WriteRows<'a, 'p, M> {
    plan: &'a Plan<'p>,
    first: usize,
    memory: &'a mut Memory,
    marks: M,
    page: Page<'a>,
}

impl<'a, M: Iterator<Item = &'a mut (RowMarks, usize)>> Work for WriteRows<'a, '_, M> {
    /// Number of rows and of their bytes.
    type Output = Result<(usize, usize), Stop>;

    #[inline(always)]
    fn run(self) -> Self::Output {
        let Self { plan, first, memory, marks, mut page } = self;
        let mut row = first;
        for (marks, bytes) in marks {
            let start = page.at();
            match plan.write_row(row, memory, marks, &mut page) {
                Ok(()) => {}
                Err(Stop::Full) => {
                    page.truncate(start);
                    break;
                }
                Err(stop) => return Err(stop),
            }
            *bytes = page.at() - start;
            row += 1;
        }
        Ok((row - first, page.at()))
    }
}

/// Takes the block's text into the chunk's checksum and length.
fn count_block(deflater: &Deflater, crc: &mut Hasher, into: &mut CsvChunk) {
    let text = deflater.block();
    crc.update(text);
    into.text_bytes += text.len() as u64;
}
