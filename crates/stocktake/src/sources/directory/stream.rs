//! The stream of a lane: keeps the walk some jobs ahead and turns what comes back, in order, into rows.

use super::{
    BadEntries, DirectorySource,
    excluded::Exclusions,
    fault::Fault,
    inspect::{Inspector, Wanted},
    job::{Item, Job, JobBounds},
    limits::{IO_THREADS_DEFAULT_MAX, IO_THREADS_MAX},
    range::KeyRange,
    walk::{Walk, WalkOptions},
};
use crate::sources::ordered::OrderedPool;
use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use stocktake_core::{
    LaneDescriptor, ObjectBatchBuilder, ObjectKey, ObjectStream, ReadContext, SourceError, SourceErrorKind,
};

/// Objects of one lane.
pub(super) struct DirectoryStream {
    root: PathBuf,
    bad_entries: BadEntries,
    context: ReadContext,
    walk: Walk,
    pool: OrderedPool<Job, Job>,
    /// A job that came back and may serve again.
    spare: Option<Job>,
    key: String,
    abandoned: Arc<AtomicBool>,
}

impl DirectoryStream {
    /// Starts the threads and reads the root.
    pub(super) fn open(
        source: &DirectorySource,
        lane: &LaneDescriptor,
        after: Option<&ObjectKey>,
        context: &ReadContext,
    ) -> Result<Self, SourceError> {
        let exclusions = Exclusions::resolve(&source.excluded);
        let root = source.open_root(&exclusions)?;
        let limits = source.limits;
        let wanted = Wanted::new(context, source.e_tag);
        let threads = match source.io_threads {
            Some(threads) => threads.get().min(IO_THREADS_MAX),
            None => context.threads.get().saturating_mul(2).clamp(2, IO_THREADS_DEFAULT_MAX),
        };
        let window = threads * if wanted.hash { limits.hash_jobs_per_thread } else { limits.jobs_per_thread };
        let job = JobBounds {
            // A large file must not keep others waiting in the same job.
            names: if wanted.hash { 1 } else { limits.job_names },
            bytes: limits.job_bytes,
            directories: (limits.job_directories_total / window).max(1),
        };
        let walk = Walk::begin(
            root,
            WalkOptions {
                symlinks: source.symlinks,
                exclusions,
                range: KeyRange::new(lane, after, context.prefix.as_deref()),
                temp_dir: source.temp_dir(),
                limits,
                job,
                cancel: context.cancel.clone(),
            },
        );
        let walk = walk.map_err(|fault| fault.into_error(&source.root))?;
        let abandoned = Arc::new(AtomicBool::new(false));
        let pool = OrderedPool::try_new("directory", threads, window, || {
            let mut inspector =
                Inspector::new(context.clone(), source.symlinks, wanted, Arc::clone(&abandoned), limits.piece_bytes);
            move |job| inspector.inspect(job)
        })?;
        Ok(Self {
            root: source.root.clone(),
            bad_entries: source.bad_entries,
            context: context.clone(),
            walk,
            pool,
            spare: None,
            key: String::new(),
            abandoned,
        })
    }

    fn look_ahead(&mut self) {
        while self.pool.has_room() && !self.walk.is_over() && !self.context.cancel.is_cancelled() {
            let mut job = self.spare.take().unwrap_or_default();
            self.walk.fill(&mut job);
            if job.is_empty() {
                self.spare = Some(job);
            } else {
                self.pool.submit(job);
            }
        }
    }

    fn append(&mut self, job: &mut Job, batch: &mut ObjectBatchBuilder) -> Result<(), SourceError> {
        if !job.is_complete() {
            return Err(SourceError::new(SourceErrorKind::Unreadable, "a reader thread left files unread"));
        }
        let Self { root, bad_entries, context, key, .. } = self;
        job.drain(|item| match item {
            Item::File(file, facts) => {
                key.clear();
                key.push_str(&file.directory.prefix);
                key.push_str(file.name);
                let row = batch.row(key).size(facts.size_bytes).last_modified_ms(facts.modified_ms);
                row.e_tag(facts.e_tag.as_deref().unwrap_or_default()).finish().map_err(SourceError::from)
            }
            Item::Fault(fault) => leave_out(fault, *bad_entries, context, root),
        })
    }
}

fn leave_out(
    fault: Fault,
    choice: BadEntries,
    context: &ReadContext,
    root: &std::path::Path,
) -> Result<(), SourceError> {
    if choice == BadEntries::Fail || fault.is_fatal() {
        return Err(fault.into_error(root));
    }
    context.skip(&fault.entry());
    Ok(())
}

impl ObjectStream for DirectoryStream {
    fn next_batch(&mut self, batch: &mut ObjectBatchBuilder) -> Result<bool, SourceError> {
        batch.clear();
        // A job has 512 rows at most: the batch does not overflow when the last one is put in whole.
        while !batch.is_full() {
            self.look_ahead();
            let job = self.pool.take()?;
            // What a cancelled run listed or read may be cut short.
            if self.context.cancel.is_cancelled() {
                return Err(SourceError::cancelled());
            }
            let Some(mut job) = job else { break };
            self.append(&mut job, batch)?;
            self.spare = Some(job);
        }
        Ok(!batch.is_empty())
    }
}

impl Drop for DirectoryStream {
    fn drop(&mut self) {
        // Threads that hash large files are not waited for to their end.
        self.abandoned.store(true, Ordering::Relaxed);
    }
}
