//! The rows of a lane: pieces parsed by several threads, batches given out in order.

use super::{
    fault::Place,
    feed::{Fed, Feed, Job},
    input::InputFault,
    piece::{PieceParser, Rows},
    plain::PlainFile,
};
use crate::sources::ordered::OrderedPool;
use std::collections::VecDeque;
use stocktake_core::{
    FieldSet, ObjectBatch, ObjectBatchBuilder, ObjectKey, ObjectStream, ReadContext, RowOrigin, SourceError,
};

/// Pieces under way beyond one for each thread, so that threads have work while results are taken.
const WINDOW_EXTRA: usize = 2;

/// A parser keeps a buffer of so many bytes between pieces; one that a long line has made larger is made small again.
const BUFFER_KEPT_BYTES: usize = 2 << 20;

/// What rows count where the number of the first line is not known: lines from where reading began.
const RELATIVE_LINE: &str = "relative line";

/// What a lane's stream is made of.
pub(super) struct Reading {
    /// The input, in messages.
    pub(super) name: String,
    /// Fields whose values end the run.
    pub(super) unexpected: FieldSet,
    pub(super) feed: Feed,
    /// The file that ranges are of.
    pub(super) file: Option<PlainFile>,
    /// Whether reading begins with the first line, so that lines have numbers.
    pub(super) from_first_line: bool,
    /// Rows up to this key, at the front, are passed over.
    pub(super) after: Option<ObjectKey>,
    pub(super) threads: usize,
}

/// Pieces that may be under way at once.
pub(super) fn window(threads: usize) -> usize {
    threads + WINDOW_EXTRA
}

/// The rows of a lane.
pub(super) struct LaneStream {
    reading: Reading,
    context: ReadContext,
    pool: OrderedPool<Job, Parsed>,
    under_way: usize,
    /// Batches of the piece that was taken last.
    ready: VecDeque<ObjectBatch>,
    /// A mistake behind those batches.
    fault: Option<SourceError>,
    /// Lines of pieces that were taken.
    lines: u64,
    /// Whether all work was handed out, and what ended it too early.
    fed_all: bool,
    cut_short: Option<InputFault>,
}

/// What a parser thread gives back.
struct Parsed {
    rows: Result<Rows, SourceError>,
    /// Bytes before the piece in the file.
    offset: u64,
    spent: Option<Vec<u8>>,
}

impl LaneStream {
    /// Starts the parser threads.
    ///
    /// # Errors
    /// If a thread cannot be started.
    pub(super) fn try_new(reading: Reading, context: &ReadContext) -> Result<Self, SourceError> {
        let threads = reading.threads;
        let make_worker = || {
            let (context, file) = (context.clone(), reading.file.clone());
            let (mut parser, mut buffer) = (PieceParser::new(&context, reading.unexpected), Vec::new());
            move |job| {
                if context.cancel.is_cancelled() {
                    return Parsed { rows: Err(SourceError::cancelled()), offset: 0, spent: None };
                }
                run(job, file.as_ref(), &context, &mut parser, &mut buffer)
            }
        };
        let pool = OrderedPool::try_new("ndjson-parser", threads, window(threads), make_worker)?;
        Ok(Self {
            reading,
            context: context.clone(),
            pool,
            under_way: 0,
            ready: VecDeque::new(),
            fault: None,
            lines: 0,
            fed_all: false,
            cut_short: None,
        })
    }

    /// Hands out work as long as there is room and work; waits for some only if none is under way.
    fn feed(&mut self) -> Result<(), SourceError> {
        while !self.fed_all && self.pool.has_room() {
            if self.context.cancel.is_cancelled() {
                return Err(SourceError::cancelled());
            }
            let idle = self.under_way == 0;
            match if idle { self.reading.feed.wait() } else { self.reading.feed.try_next() } {
                Fed::Work(job) => {
                    self.pool.submit(job);
                    self.under_way += 1;
                }
                Fed::NothingYet if idle => {}
                Fed::NothingYet => return Ok(()),
                Fed::End => self.fed_all = true,
                Fed::Fault(fault) => {
                    self.cut_short = Some(fault);
                    self.fed_all = true;
                }
            }
        }
        Ok(())
    }

    /// Takes the next piece's rows; `false` at the end.
    fn take(&mut self) -> Result<bool, SourceError> {
        self.feed()?;
        let Some(Parsed { rows, offset, spent }) = self.pool.take()? else {
            self.check_end()?;
            return Ok(false);
        };
        self.under_way -= 1;
        if let Some(buffer) = spent {
            self.reading.feed.give_back(buffer);
        }
        let Rows { batches, lines, fault } = rows?;
        let numbered = self.reading.from_first_line;
        let place = if numbered { Place::Lines(self.lines) } else { Place::Bytes(offset) };
        self.fault = fault.map(|fault| fault.into_error(&self.reading.name, place));
        for batch in batches {
            let origin = batch.origin().map(|origin| RowOrigin {
                unit: if numbered { origin.unit } else { RELATIVE_LINE },
                first: origin.first + self.lines,
                skipped: origin.skipped.clone(),
            });
            self.ready.push_back(match origin {
                Some(origin) => batch.with_origin(origin),
                None => batch,
            });
        }
        self.lines += lines;
        Ok(true)
    }

    fn check_end(&mut self) -> Result<(), SourceError> {
        if let Some((what, error)) = self.cut_short.take() {
            let position = format!("{}, after line {}", self.reading.name, self.lines);
            return Err(SourceError::unreadable(what, error).at(position));
        }
        self.reading.file.as_ref().map_or(Ok(()), PlainFile::check_length)
    }

    /// The rows of a batch that are wanted.
    fn wanted(&mut self, batch: ObjectBatch) -> ObjectBatch {
        let Some(after) = &self.reading.after else { return batch };
        let rows = batch.len();
        let passed_over = (0..rows).take_while(|row| batch.key(*row) <= after.as_str()).count();
        if passed_over < rows {
            // From here on every row is wanted. One that comes too late is out of order, which is not hidden.
            self.reading.after = None;
        }
        batch.slice(passed_over..rows)
    }
}

impl ObjectStream for LaneStream {
    fn next_batch(&mut self, batch: &mut ObjectBatchBuilder) -> Result<bool, SourceError> {
        batch.clear();
        loop {
            while let Some(ready) = self.ready.pop_front() {
                let wanted = self.wanted(ready);
                if !wanted.is_empty() {
                    batch.take_over(wanted);
                    return Ok(true);
                }
            }
            if let Some(fault) = self.fault.take() {
                return Err(fault);
            }
            if !self.take()? {
                return Ok(false);
            }
        }
    }
}

fn run(
    job: Job,
    file: Option<&PlainFile>,
    context: &ReadContext,
    parser: &mut PieceParser,
    buffer: &mut Vec<u8>,
) -> Parsed {
    match (job, file) {
        (Job::Lines(lines), _) => {
            let rows = context.compute(|| parser.parse(&lines.buffer[..lines.length]));
            Parsed { rows: Ok(rows), offset: 0, spent: Some(lines.buffer) }
        }
        (Job::Range(range), Some(file)) => {
            buffer.truncate(BUFFER_KEPT_BYTES);
            buffer.shrink_to(BUFFER_KEPT_BYTES);
            match file.read_lines(range, buffer) {
                Ok((lines, offset)) => {
                    let rows = context.compute(|| parser.parse(&buffer[lines]));
                    Parsed { rows: Ok(rows), offset, spent: None }
                }
                Err(error) => Parsed { rows: Err(error), offset: 0, spent: None },
            }
        }
        (Job::Range(_), None) => unreachable!("ranges are fed only for a plain file"),
    }
}
