//! Workers: threads that encode chunks of any lane, in any order.
//!
//! A worker that panics drops the reply of its chunk, which the assembler reports as lost.

use super::{memory::Permit, progress::Encoding, slots::Slots};
use crossbeam_channel::{Receiver, Sender};
use stocktake_core::{ChunkEncoder, Dispatch, EncodeError, FieldSet, Format, RowChunk, RowDigest};

/// A chunk to encode, with the permit for its memory and the way back.
pub(super) struct Job<C> {
    pub(super) rows: RowChunk,
    pub(super) permit: Permit,
    pub(super) under_way: Encoding,
    pub(super) reply: Sender<Encoded<C>>,
}

/// An encoded chunk, whose permit covers what it still holds.
pub(super) struct Encoded<C> {
    pub(super) chunk: Result<C, EncodeError>,
    /// Digest of the chunk's rows, if the report keeps one.
    pub(super) row_digest: Option<RowDigest>,
    pub(super) permit: Permit,
}

/// Encoded chunks whose allocations are used again.
///
/// Few are kept, and none that grew out of the ordinary, so that idle memory stays small beside the budget.
pub(super) struct ChunkPool<C> {
    idle: Receiver<C>,
    back: Sender<C>,
    bytes_max: usize,
}

impl<C: Default> ChunkPool<C> {
    pub(super) fn new(chunks_max: usize, bytes_max: u64) -> Self {
        let (back, idle) = crossbeam_channel::bounded(chunks_max);
        Self { idle, back, bytes_max: usize::try_from(bytes_max).unwrap_or(usize::MAX) }
    }

    fn take(&self) -> C {
        self.idle.try_recv().unwrap_or_default()
    }

    /// Gives a chunk back that holds `bytes` of memory.
    pub(super) fn give_back(&self, chunk: C, bytes: usize) {
        if bytes <= self.bytes_max {
            // A full pool drops the chunk: its memory is free again, nothing is lost.
            let _ = self.back.try_send(chunk);
        }
    }
}

/// Encodes jobs until the queue is closed.
///
/// `dispatch`: by which code. `digested`: fields over which the receipts keep a digest of rows, if they do.
pub(super) fn work<F: Format>(
    format: &F,
    jobs: &Receiver<Job<F::Chunk>>,
    pool: &ChunkPool<F::Chunk>,
    slots: &Slots,
    (dispatch, digested): (Dispatch, Option<FieldSet>),
) {
    let mut encoder = format.encoder();
    encoder.set_dispatch(dispatch);
    for Job { rows, mut permit, under_way, reply } in jobs {
        let (chunk, encoded, row_digest) = slots.run(|| {
            // Only now: what is appended meanwhile may have come back.
            let mut chunk = pool.take();
            let encoded = encoder.encode(&rows, &mut chunk);
            (chunk, encoded, digested.map(|fields| RowDigest::of_chunk(&rows, fields)))
        });
        drop((rows, under_way));
        permit.shrink_to(F::chunk_bytes(&chunk) as u64);
        // The assembler is gone only when its lane failed; nobody waits for this chunk then.
        let _ = reply.send(Encoded { chunk: encoded.map(|()| chunk), row_digest, permit });
        // Whoever appends it asks for its slot now, before the next chunk does.
        std::thread::yield_now();
    }
}
