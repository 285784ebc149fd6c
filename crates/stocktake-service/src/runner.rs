//! Makes the reports that are due: one at a time for each bucket, each step written down before it is taken.
//!
//! It decides by the schedule's pure function and remembers by the store. It reads no clock: time comes from the one that it
//! is given. What a bucket's rows come from, and where its reports go, its embedder says.

mod execute;

use crate::{
    keys::KeyService,
    store::{ConfigurationStore, RunOutcome, RunRecord, StoreError, Stored},
};
use execute::Report;
use std::{
    collections::{BTreeMap, VecDeque},
    error::Error,
    num::NonZeroUsize,
    sync::{Mutex, PoisonError},
};
use stocktake::{BucketName, Clock, Destination, Execution, ObjectSource, Timestamp};
use stocktake_config::{
    Backoff, Decision, DueRun, MissingColumns, RunCause, RunState, SkippedRuns, ValidConfiguration,
};

/// Says where rows come from and where reports go.
pub trait Targets: Send + Sync {
    /// Opens source and destination for a report that begins now.
    ///
    /// # Errors
    /// If there is no source for the bucket, or it cannot be opened; the run fails and is tried again.
    fn open(
        &self,
        bucket: &BucketName,
        configuration: &ValidConfiguration,
    ) -> Result<Opened<'_>, Box<dyn Error + Send + Sync>>;
}

/// What a report is made from and goes to.
#[non_exhaustive]
pub struct Opened<'a> {
    /// The rows.
    pub source: Box<dyn ObjectSource + 'a>,
    /// Where the report goes.
    pub destination: Box<dyn Destination + 'a>,
    /// Encrypts reports whose configuration asks for encryption before the destination sees them. Without it the
    /// destination is asked for it.
    pub keys: Option<&'a dyn KeyService>,
    /// What happens to columns that the source does not provide.
    pub missing: MissingColumns,
}

impl<'a> Opened<'a> {
    /// A source and a destination.
    pub fn new(source: Box<dyn ObjectSource + 'a>, destination: Box<dyn Destination + 'a>) -> Self {
        Self { source, destination, keys: None, missing: MissingColumns::Refuse }
    }

    /// Encrypts reports by these keys.
    #[must_use]
    pub fn with_keys(mut self, keys: &'a dyn KeyService) -> Self {
        self.keys = Some(keys);
        self
    }

    /// States what happens to columns that the source does not provide.
    #[must_use]
    pub fn with_missing(mut self, missing: MissingColumns) -> Self {
        self.missing = missing;
        self
    }
}

/// Is told what a runner does. Calls come from several threads and should return at once.
pub trait RunLog: Send + Sync {
    /// Something happened to a configuration's runs.
    fn event(&self, bucket: &str, id: &str, event: &RunEvent<'_>);
}

/// What happened.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum RunEvent<'a> {
    /// A run begins.
    Began(&'a DueRun),
    /// A run ended; the record says how.
    Ended(&'a RunRecord),
    /// Due times are skipped.
    Skipped(&'a SkippedRuns),
    /// The process had ended in the middle of a run, which is tried again.
    Interrupted(&'a DueRun),
    /// What is remembered changed while a run was under way: the configuration was deleted.
    Gone,
}

/// How a runner works.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RunnerOptions {
    /// Waiting times between attempts.
    pub backoff: Backoff,
    /// Hour of the day (UTC) at which daily, weekly and monthly reports are due.
    pub hour: u8,
    /// Buckets whose reports are made at the same time; each run has the whole of `execution`.
    pub buckets_at_once: NonZeroUsize,
    /// Threads, memory and cancellation of each run.
    pub execution: Execution,
}

impl Default for RunnerOptions {
    /// One bucket after the other, at the usual hour, with one thread.
    fn default() -> Self {
        Self {
            backoff: Backoff::default(),
            hour: stocktake_config::Schedule::HOUR_DEFAULT,
            buckets_at_once: NonZeroUsize::MIN,
            execution: Execution::default(),
        }
    }
}

/// What a round did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Round {
    /// Reports that were published.
    pub succeeded: u64,
    /// Runs that failed.
    pub failed: u64,
    /// Due times that were skipped.
    pub skipped: u64,
    /// When there is something to do again; `None`: never, as things stand.
    pub next: Option<Timestamp>,
}

/// Makes the reports that are due. It is the only one to do so for its store.
pub struct Runner<'a> {
    store: &'a dyn ConfigurationStore,
    targets: &'a dyn Targets,
    clock: Clock,
    options: RunnerOptions,
    log: &'a dyn RunLog,
}

type JobsByBucket = BTreeMap<String, Vec<Job>>;

/// A configuration of which something is to be done.
struct Job {
    bucket: BucketName,
    id: String,
}

impl<'a> Runner<'a> {
    /// A runner, which first makes up for what an earlier one left: a run that was under way when its process ended has
    /// succeeded if its report is there, complete; else it has failed and is tried again.
    ///
    /// # Errors
    /// If the store cannot be read or written.
    pub fn start(
        store: &'a dyn ConfigurationStore,
        targets: &'a dyn Targets,
        clock: Clock,
        options: RunnerOptions,
        log: &'a dyn RunLog,
    ) -> Result<Self, StoreError> {
        let runner = Self { store, targets, clock, options, log };
        let mut interrupted = Vec::new();
        store.visit(&mut |bucket, id, stored| {
            if let Some((run, started_at)) = stored.state.running() {
                interrupted.push((bucket.to_owned(), id.to_owned(), stored.state.clone(), run, started_at));
            }
        })?;
        for (bucket, id, state, run, started_at) in interrupted {
            let Ok(bucket) = BucketName::try_new(bucket) else { continue };
            runner.log.event(bucket.as_str(), &id, &RunEvent::Interrupted(&run));
            let found =
                store.get(&bucket, &id).ok().and_then(|document| runner.report().find(&bucket, document, run.due));
            let (state_after, outcome) = match found {
                Some(outcome) => (state.succeed(), outcome),
                None => {
                    let reason = "the process ended during the run".to_owned();
                    (state.interrupted(runner.options.backoff), RunOutcome::Failed { reason })
                }
            };
            let record = RunRecord::new(run.due, run.cause, run.attempt, started_at, None, outcome);
            store.advance(&bucket, &id, &state, &state_after, &[record])?;
        }
        Ok(runner)
    }

    /// Makes the reports that are due now, and those that become due meanwhile in buckets that are being served.
    ///
    /// Ends early when the execution is cancelled.
    ///
    /// # Errors
    /// If the store cannot be read or written; runs that fail are no errors, they are recorded.
    pub fn round(&self) -> Result<Round, StoreError> {
        let (due, next) = self.due_jobs()?;
        let queue = Mutex::new(due.into_values().collect::<VecDeque<_>>());
        let take = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let work = || {
            let mut round = Round { next, ..Round::default() };
            while let Some(jobs) = take() {
                for job in jobs {
                    self.serve(&job, &mut round)?;
                }
            }
            Ok(round)
        };
        let workers = self.options.buckets_at_once.get();
        if workers == 1 {
            return work();
        }
        std::thread::scope(|scope| {
            let begin = |_| std::thread::Builder::new().name("stocktake-run".to_owned()).spawn_scoped(scope, work).ok();
            // Where threads are not to be had, fewer buckets are served at once; this one serves in any case.
            let threads: Vec<_> = (1..workers).filter_map(begin).collect();
            let mut rounds = vec![work()];
            let lost = || StoreError::failed("a thread of the runner was lost", "it panicked");
            rounds.extend(threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err(lost()))));
            let mut total = Round { next, ..Round::default() };
            for round in rounds {
                let round = round?;
                total.succeeded += round.succeeded;
                total.failed += round.failed;
                total.skipped += round.skipped;
                total.next = earlier(total.next, round.next);
            }
            Ok(total)
        })
    }

    /// Asks for a report of a configuration now; the next round makes it.
    ///
    /// # Errors
    /// `NoSuchConfiguration`; `InvalidArgument` if it is not enabled, or this minute has its report already.
    pub fn request(&self, bucket: &BucketName, id: &str) -> Result<(), StoreError> {
        loop {
            let stored = self.store.status(bucket, id)?.stored;
            let history = |due| self.has_run(bucket, id, due);
            let schedule = stored.schedule().with_hour(self.options.hour);
            let asked = stored.state.request(&schedule, &history, self.clock.now())?;
            if self.store.advance(bucket, id, &stored.state, &asked, &[])? {
                return Ok(());
            }
        }
    }

    /// Configurations of which something is to be done now, by bucket, and when there is something to do for the others.
    fn due_jobs(&self) -> Result<(JobsByBucket, Option<Timestamp>), StoreError> {
        let now = self.clock.now();
        let (mut due, mut next) = (JobsByBucket::new(), None);
        self.store.visit(&mut |bucket, id, stored| {
            // Without the history a due time may look unserved that is not: serving it looks again, and more closely.
            match self.decide(stored, &|_| false, now) {
                Decision::Idle(until) => next = earlier(next, until),
                Decision::Settle(..) | Decision::Run(_) => {
                    if let Ok(name) = BucketName::try_new(bucket) {
                        due.entry(bucket.to_owned()).or_default().push(Job { bucket: name, id: id.to_owned() });
                    }
                }
            }
        })?;
        Ok((due, next))
    }

    fn decide(&self, stored: &Stored, history: &dyn Fn(Timestamp) -> bool, now: Timestamp) -> Decision {
        let schedule = stored.schedule().with_hour(self.options.hour);
        schedule.decide(&stored.state, self.options.backoff, &history, now)
    }

    /// Does for one configuration what is to be done now.
    fn serve(&self, job: &Job, round: &mut Round) -> Result<(), StoreError> {
        let Job { bucket, id } = job;
        while !self.options.execution.cancel.is_cancelled() {
            let stored = match self.store.status(bucket, id) {
                Ok(status) => status.stored,
                // It was deleted since the round began.
                Err(StoreError::S3(_)) => return Ok(()),
                Err(error) => return Err(error),
            };
            let now = self.clock.now();
            match self.decide(&stored, &|due| self.has_run(bucket, id, due), now) {
                Decision::Idle(until) => {
                    round.next = earlier(round.next, until);
                    return Ok(());
                }
                Decision::Settle(state, skipped) => {
                    let records = self.skipped(job, skipped, now, round);
                    self.store.advance(bucket, id, &stored.state, &state, &records)?;
                }
                Decision::Run(run) => self.run(job, &stored.state, &run, now, round)?,
            }
        }
        Ok(())
    }

    /// Begins a run, carries it out, and writes down how it ended.
    fn run(
        &self,
        job: &Job,
        state: &RunState,
        run: &DueRun,
        now: Timestamp,
        round: &mut Round,
    ) -> Result<(), StoreError> {
        let Job { bucket, id } = job;
        let mut records = self.skipped(job, run.skipped, now, round);
        records.push(RunRecord::new(run.due, run.cause, run.attempt, now, None, RunOutcome::Running));
        let begun = state.begin(run, now);
        if !self.store.advance(bucket, id, state, &begun, &records)? {
            return Ok(());
        }
        self.log.event(bucket.as_str(), id, &RunEvent::Began(run));
        let outcome = self.make_report(bucket, id, run.due)?;
        let ended_at = self.clock.now();
        let (ended, count) = match outcome {
            RunOutcome::Succeeded { .. } => (begun.succeed(), &mut round.succeeded),
            _ => (begun.fail(self.options.backoff, ended_at).0, &mut round.failed),
        };
        *count += 1;
        let record = RunRecord::new(run.due, run.cause, run.attempt, now, Some(ended_at), outcome);
        if self.store.advance(bucket, id, &begun, &ended, std::slice::from_ref(&record))? {
            self.log.event(bucket.as_str(), id, &RunEvent::Ended(&record));
        } else {
            self.log.event(bucket.as_str(), id, &RunEvent::Gone);
        }
        Ok(())
    }

    fn make_report(&self, bucket: &BucketName, id: &str, due: Timestamp) -> Result<RunOutcome, StoreError> {
        let document = match self.store.get(bucket, id) {
            Ok(document) => document,
            Err(StoreError::S3(error)) => return Ok(failed(&error)),
            Err(error) => return Err(error),
        };
        Ok(self.report().make(bucket, document, due).unwrap_or_else(|error| failed(&*error)))
    }

    fn report(&self) -> Report<'_> {
        Report { targets: self.targets, clock: &self.clock, execution: &self.options.execution }
    }

    /// Records of due times that are skipped.
    fn skipped(&self, job: &Job, skipped: Option<SkippedRuns>, now: Timestamp, round: &mut Round) -> Vec<RunRecord> {
        let Some(skipped) = skipped else { return Vec::new() };
        round.skipped += skipped.count;
        self.log.event(job.bucket.as_str(), &job.id, &RunEvent::Skipped(&skipped));
        let outcome = RunOutcome::Skipped { first: skipped.first, count: skipped.count };
        vec![RunRecord::new(skipped.last, RunCause::Scheduled, 0, now, Some(now), outcome)]
    }

    /// Whether a due time has its report. A store that cannot be read says no: the destination refuses a second report.
    fn has_run(&self, bucket: &BucketName, id: &str, due: Timestamp) -> bool {
        self.store.record(bucket, id, due).ok().flatten().is_some_and(|record| record.is_success())
    }
}

fn failed(error: &(dyn Error + 'static)) -> RunOutcome {
    let mut reason = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let told = error.to_string();
        if !reason.ends_with(&told) {
            reason = format!("{reason}: {told}");
        }
        cause = error.source();
    }
    RunOutcome::Failed { reason }
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
