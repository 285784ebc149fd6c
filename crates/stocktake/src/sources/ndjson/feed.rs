//! Work for the parsers: ranges of a plain file, or pieces of a stream that one thread reads ahead.

use super::{
    LINE_BYTES_MAX,
    input::{Input, InputFault},
};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError, bounded};
use memchr::memrchr;
use std::{io, ops::Range, time::Duration};
use stocktake_core::{ReadContext, SourceError};

/// Pieces read ahead and not yet handed to a parser: one, so that the reader works while the last is handed over.
const PIECES_AHEAD: usize = 1;

/// How soon a cancelled run stops waiting for a silent input.
const CANCEL_POLL: Duration = Duration::from_millis(100);

/// A piece of work for a parser.
#[derive(Debug)]
pub(super) enum Job {
    /// The lines of a file that begin in a range of its bytes.
    Range(Range<u64>),
    /// Lines that have been read.
    Lines(Lines),
}

/// Lines at the front of a buffer that keeps its length, so that it is cleared once and used again.
#[derive(Debug)]
pub(super) struct Lines {
    pub(super) buffer: Vec<u8>,
    pub(super) length: usize,
}

/// Where work comes from.
pub(super) enum Feed {
    /// A range of a plain file, cut into ranges of so many bytes.
    Ranges { left: Range<u64>, piece_bytes: u64 },
    /// A stream. Its reader says the end, so that one that is lost is not taken for it.
    Stream { pieces: Receiver<Piece>, spent: Sender<Vec<u8>> },
}

/// Lines that were read ahead, none at the end, or what ended the input too early.
type Piece = Result<Option<Lines>, InputFault>;

/// What a feed has.
pub(super) enum Fed {
    Work(Job),
    /// Nothing yet; the caller may wait.
    NothingYet,
    End,
    Fault(InputFault),
}

impl Feed {
    /// Reads a stream ahead in a thread of its own.
    ///
    /// The thread ends with the input, or with the feed as soon as a read that is under way returns. It is not waited
    /// for: a read of standard input may never return.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub(super) fn stream(
        input: Input,
        piece_bytes: usize,
        buffers: usize,
        context: ReadContext,
    ) -> Result<Self, SourceError> {
        let (send_piece, pieces) = bounded(PIECES_AHEAD);
        let (spent, take_spent) = bounded(buffers);
        let mut cutter = Cutter { input, rest: Vec::new(), piece_bytes, context };
        let thread = std::thread::Builder::new().name("ndjson-reader".to_owned()).spawn(move || {
            loop {
                let piece = cutter.next(take_spent.try_recv().unwrap_or_default());
                let last = !matches!(piece, Ok(Some(_)));
                // The taker may be gone, when the run was ended by a fault elsewhere: nobody misses the piece.
                if send_piece.send(piece).is_err() || last {
                    return;
                }
            }
        });
        match thread {
            Ok(_) => Ok(Self::Stream { pieces, spent }),
            Err(error) => Err(SourceError::unreadable("a reader thread could not be started", error)),
        }
    }

    /// The next piece of work, without waiting for it.
    pub(super) fn try_next(&mut self) -> Fed {
        match self {
            Self::Ranges { left, .. } if left.is_empty() => Fed::End,
            Self::Ranges { left, piece_bytes } => {
                let end = left.start.saturating_add(*piece_bytes).min(left.end);
                let range = left.start..end;
                left.start = end;
                Fed::Work(Job::Range(range))
            }
            Self::Stream { pieces, .. } => match pieces.try_recv() {
                Ok(piece) => Fed::from(piece),
                Err(TryRecvError::Empty) => Fed::NothingYet,
                Err(TryRecvError::Disconnected) => lost(),
            },
        }
    }

    /// The next piece of work; waits for it, but not long.
    pub(super) fn wait(&mut self) -> Fed {
        match self {
            Self::Ranges { .. } => self.try_next(),
            Self::Stream { pieces, .. } => match pieces.recv_timeout(CANCEL_POLL) {
                Ok(piece) => Fed::from(piece),
                Err(RecvTimeoutError::Timeout) => Fed::NothingYet,
                Err(RecvTimeoutError::Disconnected) => lost(),
            },
        }
    }

    /// Gives a buffer back to the reader.
    pub(super) fn give_back(&self, buffer: Vec<u8>) {
        if let Self::Stream { spent, .. } = self {
            // When there are enough, or no reader any more, the buffer is not needed.
            let _ = spent.try_send(buffer);
        }
    }
}

/// The reader ended without saying why: it panicked, and nobody knows what it did not read.
fn lost() -> Fed {
    Fed::Fault(("the input could not be read", io::Error::other("the thread that reads it was lost")))
}

impl From<Piece> for Fed {
    fn from(piece: Piece) -> Self {
        match piece {
            Ok(Some(lines)) => Self::Work(Job::Lines(lines)),
            Ok(None) => Self::End,
            Err(fault) => Self::Fault(fault),
        }
    }
}

/// Cuts a stream into pieces at line ends.
struct Cutter {
    input: Input,
    /// The beginning of a line, cut from the piece before.
    rest: Vec<u8>,
    piece_bytes: usize,
    context: ReadContext,
}

impl Cutter {
    /// The next piece, in this buffer; none at the end.
    ///
    /// A piece is longer than `piece_bytes` if its first line is; of a line longer than [`LINE_BYTES_MAX`], so much is
    /// given that a parser sees it.
    fn next(&mut self, mut buffer: Vec<u8>) -> Result<Option<Lines>, InputFault> {
        // A buffer that a long line has made large is made small again.
        buffer.truncate(self.piece_bytes);
        buffer.shrink_to(self.piece_bytes);
        buffer.resize(self.piece_bytes.max(self.rest.len() + 1), 0);
        let mut length = self.rest.len();
        buffer[..length].copy_from_slice(&self.rest);
        self.rest.clear();
        loop {
            let taken = self.input.read(&mut buffer[length..], Some(&self.context))?;
            length += taken;
            if taken == 0 {
                return Ok((length > 0).then_some(Lines { buffer, length }));
            }
            if length < buffer.len() {
                continue;
            }
            if let Some(end) = memrchr(b'\n', &buffer) {
                self.rest.extend_from_slice(&buffer[end + 1..]);
                return Ok(Some(Lines { buffer, length: end + 1 }));
            }
            if length > LINE_BYTES_MAX {
                return Ok(Some(Lines { buffer, length }));
            }
            buffer.resize((2 * length).min(LINE_BYTES_MAX + 1), 0);
        }
    }
}
