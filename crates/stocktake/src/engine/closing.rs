//! The end of a data file's way: finished ones are hashed, published and written down, in the lane's order.
//!
//! MD5 is a chain that no code makes faster, but several files are hashed at once in little more time than one. So finished
//! files of a destination that gives back what it was given wait for one another, on a thread of their own, while the next
//! ones are written. Others are hashed as they are written and published at once.

use super::{GenerateError, GenerateErrorKind, lane::Shared, read::LastRow, stop::StopOnPanic};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use std::{
    io,
    sync::PoisonError,
    thread::{Scope, ScopedJoinHandle},
    time::Duration,
};
use stocktake_core::{
    CommittableShard, Format, JournalEntry, PENDING_SHARDS_MAX, Partition, Receipt, ReportKey, ShardWriter,
};

/// Data files that are hashed at once, at most.
const TOGETHER_MAX: usize = PENDING_SHARDS_MAX as usize / 2;

/// Data files of all lanes that are finished and not yet published, at most. Each has a file descriptor, and a second one while
/// it is hashed; the customary limit is 1,024.
const PENDING_MAX: usize = 256;

/// Bytes of waiting data files beyond which no other one is waited for: the system's memory should hold them still.
const WAITING_BYTES_MAX: u64 = 512 << 20;

/// How long a finished data file waits for others: a slow source should not keep from its journal what is done.
const PATIENCE: Duration = Duration::from_secs(1);

/// What an assembler hands on.
pub(super) enum Finished {
    Shard(FinishedShard),
    /// The lane ends, and nothing of it was written since it was begun or carried on.
    Nothing {
        receipt: Receipt,
        ending: Ending,
    },
}

/// A data file that lacks only its digest and its publication.
pub(super) struct FinishedShard {
    pub(super) key: ReportKey,
    pub(super) writer: ShardWriter,
    /// All but the file.
    pub(super) receipt: Receipt,
    pub(super) last: LastRow,
    /// Of the lane's last.
    pub(super) ending: Option<Ending>,
}

/// What is known at a lane's end.
pub(super) struct Ending {
    pub(super) skipped_entries: u64,
    pub(super) partitions: Vec<Partition>,
}

/// Data files of a lane that are hashed at once where so many lanes are written at the same time. As many more may be finished
/// meanwhile. Fewer than two: none waits.
pub(super) fn together(lanes: usize) -> usize {
    (PENDING_MAX / (2 * lanes.max(1))).min(TOGETHER_MAX)
}

/// Whether data files may wait to be hashed together.
pub(super) fn waits<F: Format>(shared: &Shared<'_, F>) -> bool {
    let spec = shared.spec;
    // Two of the largest, at least.
    let largest = spec.shard_target_bytes() <= WAITING_BYTES_MAX / 2;
    largest
        && shared.together > 1
        && shared.destination.gives_back()
        && stocktake_core::hashes_together(shared.execution.dispatch)
}

/// Where an assembler hands data files to.
pub(super) enum Closing<'scope, 's, 'a, F: Format> {
    Here(Closer<'s, 'a, F>),
    Beside(Sender<Finished>, ScopedJoinHandle<'scope, (Vec<CommittableShard>, Result<(), GenerateError>)>),
}

impl<'scope, 's: 'scope, 'a: 's, F: Format> Closing<'scope, 's, 'a, F> {
    /// Begins behind data files that are there.
    pub(super) fn begin(
        scope: &'scope Scope<'scope, '_>,
        shared: &'s Shared<'a, F>,
        shards: Vec<CommittableShard>,
    ) -> Result<Self, GenerateError> {
        let closer = Closer { shared, waiting: Vec::new(), shards };
        if !waits(shared) {
            return Ok(Self::Here(closer));
        }
        let (sender, queue) = bounded(shared.together - 1);
        let thread = std::thread::Builder::new()
            .name("stocktake-close".to_owned())
            .spawn_scoped(scope, move || closer.run(&queue))
            .map_err(|error| GenerateError::caused(GenerateErrorKind::Lost, "a thread could not be started", error))?;
        Ok(Self::Beside(sender, thread))
    }

    /// Hands on what is finished.
    ///
    /// # Errors
    /// What came of it or of what was handed on before, as far as it is known here; [`Closing::end`] knows the rest.
    pub(super) fn take(&mut self, finished: Finished) -> Result<(), GenerateError> {
        match self {
            Self::Here(closer) => closer.take(finished).and_then(|()| closer.publish_all(None)),
            Self::Beside(sender, _) => sender.send(finished).map_err(|_| lost()),
        }
    }

    /// Waits for what was handed on; the lane's data files, or the first failure, that of the lane's writing if there is none here.
    pub(super) fn end(self, written: Result<(), GenerateError>) -> Result<Vec<CommittableShard>, GenerateError> {
        match self {
            Self::Here(closer) => written.map(|()| closer.shards),
            Self::Beside(sender, thread) => {
                drop(sender);
                // What is published here comes before what was written last.
                let (shards, published) = thread.join().unwrap_or_else(|_| (Vec::new(), Err(lost())));
                published.and(written).map(|()| shards)
            }
        }
    }
}

fn lost() -> GenerateError {
    GenerateError::new(GenerateErrorKind::Lost, "the publisher was lost")
}

/// Hashes, publishes and writes down the data files of a lane.
pub(super) struct Closer<'s, 'a, F: Format> {
    shared: &'s Shared<'a, F>,
    /// Finished and not published.
    waiting: Vec<FinishedShard>,
    /// Published.
    shards: Vec<CommittableShard>,
}

impl<'s, F: Format> Closer<'s, '_, F> {
    /// Takes what an assembler hands on until it ends.
    fn run(mut self, queue: &Receiver<Finished>) -> (Vec<CommittableShard>, Result<(), GenerateError>) {
        let stop = StopOnPanic(&self.shared.stop);
        let outcome = self.take_all(queue);
        if outcome.is_err() {
            self.shared.stop.cancel();
        }
        drop(stop);
        (self.shards, outcome)
    }

    fn take_all(&mut self, queue: &Receiver<Finished>) -> Result<(), GenerateError> {
        std::thread::scope(|scope| {
            // Data files that are hashed beside: those before the waiting ones.
            let mut beside: Option<Beside<'_>> = None;
            loop {
                let patience = if self.waiting.is_empty() && beside.is_none() { Duration::MAX } else { PATIENCE };
                match queue.recv_timeout(patience) {
                    Ok(finished) => {
                        let ends = match &finished {
                            Finished::Shard(shard) => shard.ending.is_some(),
                            Finished::Nothing { .. } => true,
                        };
                        self.take(finished)?;
                        let spare = self.shared.progress.spare_slots();
                        if ends && spare > 0 && beside.is_none() && self.waiting.len() > 1 {
                            // Nothing else is to be done: each half is hashed in a slot of its own.
                            let rest = self.waiting.split_off(self.waiting.len() / 2);
                            beside = Some(self.hash_beside(scope)?);
                            self.waiting = rest;
                        }
                        let bytes: u64 = self.waiting.iter().map(|shard| shard.writer.size_bytes()).sum();
                        let files = self.waiting.len() + beside.as_ref().map_or(0, |beside| beside.files);
                        if ends || files >= self.shared.together || bytes >= WAITING_BYTES_MAX {
                            self.publish_all(beside.take())?;
                        } else if spare > 0 && beside.is_none() {
                            // The last chunks leave a slot to what is finished.
                            beside = Some(self.hash_beside(scope)?);
                        }
                    }
                    Err(RecvTimeoutError::Timeout) => self.publish_all(beside.take())?,
                    // Of a lane that failed, finished data files are of use only if they can be found again.
                    Err(RecvTimeoutError::Disconnected) if self.shared.journal.is_some() => {
                        return self.publish_all(beside);
                    }
                    Err(RecvTimeoutError::Disconnected) => return Ok(()),
                }
            }
        })
    }

    /// Hashes what waits on another thread.
    fn hash_beside<'scope>(&mut self, scope: &'scope Scope<'scope, '_>) -> Result<Beside<'scope>, GenerateError>
    where
        's: 'scope,
    {
        let (shared, waiting) = (self.shared, std::mem::take(&mut self.waiting));
        let files = waiting.len();
        let thread = std::thread::Builder::new()
            .name("stocktake-close".to_owned())
            .spawn_scoped(scope, move || hash(shared, waiting))
            .map_err(|error| GenerateError::caused(GenerateErrorKind::Lost, "a thread could not be started", error))?;
        Ok(Beside { files, thread })
    }

    fn take(&mut self, finished: Finished) -> Result<(), GenerateError> {
        match finished {
            Finished::Shard(shard) => self.waiting.push(shard),
            Finished::Nothing { receipt, ending } => {
                let last = match self.shards.pop() {
                    // The rows behind it, which were there when it was closed, are gone from the source since.
                    Some(last) => last.ending_lane(ending.skipped_entries, ending.partitions),
                    None => {
                        let empty = CommittableShard::empty_lane(receipt)
                            .ending_lane(ending.skipped_entries, ending.partitions);
                        self.keep(&empty, LastRow::default())?;
                        empty
                    }
                };
                self.shards.push(last);
            }
        }
        Ok(())
    }

    /// Publishes what is hashed beside, then what waits, in their order, and writes it down in the journal, if there is one.
    fn publish_all(&mut self, beside: Option<Beside<'_>>) -> Result<(), GenerateError> {
        let waiting = hash(self.shared, std::mem::take(&mut self.waiting));
        if let Some(beside) = beside {
            self.publish_hashed(beside.thread.join().map_err(|_| lost())?)?;
        }
        self.publish_hashed(waiting)
    }

    fn publish_hashed(&mut self, hashed: Hashed) -> Result<(), GenerateError> {
        for (shard, outcome) in hashed {
            outcome.map_err(|error| super::lane::write_fault(error).in_shard(shard.receipt.shard))?;
            self.publish_one(shard)?;
        }
        Ok(())
    }

    fn publish_one(&mut self, shard: FinishedShard) -> Result<(), GenerateError> {
        let FinishedShard { key, writer, receipt, last, ending } = shard;
        let number = receipt.shard;
        let published = || self.shared.published.lock().unwrap_or_else(PoisonError::into_inner);
        // Noted before it is published, so that a fault in between cannot leave it behind unnoticed.
        published().push(key.clone());
        let mut shard = CommittableShard::publish(receipt, key.clone(), writer).map_err(|error| {
            // What stands under the key, if anything, is not ours.
            published().retain(|of| *of != key);
            GenerateError::from(error).in_shard(number)
        })?;
        if let Some(Ending { skipped_entries, partitions }) = ending {
            shard = shard.ending_lane(skipped_entries, partitions);
        }
        self.keep(&shard, last)?;
        self.shared.execution.observer.shard_published(shard.receipt());
        self.shards.push(shard);
        Ok(())
    }

    /// Writes a published data file down. From then on it stays, whatever becomes of the run.
    fn keep(&self, shard: &CommittableShard, last: LastRow) -> Result<(), GenerateError> {
        let Some(journal) = self.shared.journal else { return Ok(()) };
        let receipt = shard.receipt();
        journal
            .keep(JournalEntry::new(receipt.clone(), last.codes, last.skipped_entries))
            .map_err(|error| error.in_shard(receipt.shard))?;
        if let Some(file) = &receipt.file {
            self.shared.published.lock().unwrap_or_else(PoisonError::into_inner).retain(|key| *key != file.key);
        }
        Ok(())
    }
}

/// Data files with what came of hashing them.
type Hashed = Vec<(FinishedShard, io::Result<()>)>;

/// Data files that are hashed on a thread of their own.
struct Beside<'scope> {
    files: usize,
    thread: ScopedJoinHandle<'scope, Hashed>,
}

/// Hashes data files that are still to be, at once, in a slot.
fn hash<F: Format>(shared: &Shared<'_, F>, mut shards: Vec<FinishedShard>) -> Hashed {
    let mut writers: Vec<&mut ShardWriter> = shards.iter_mut().map(|shard| &mut shard.writer).collect();
    let outcomes = if writers.iter().any(|writer| writer.is_hashed_later()) {
        shared.slots.run(|| ShardWriter::digest_together(&mut writers, shared.execution.dispatch))
    } else {
        writers.iter().map(|_| Ok(())).collect()
    };
    shards.into_iter().zip(outcomes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_wait_are_bounded_for_any_number_of_lanes() {
        assert_eq!([1, 16, 17, 32, 64, 65, 500].map(together), [8, 8, 7, 4, 2, 1, 0]);
        for lanes in 1..2000 {
            assert!(together(lanes) < 2 || lanes * 2 * together(lanes) <= PENDING_MAX, "{lanes} lanes");
        }
    }
}
