//! What is remembered of a configuration's runs, and how it changes.
//!
//! Every change makes a new state; whoever keeps states writes it down before acting on it.

use super::{
    Backoff, DueRun, REQUEST_ATTEMPTS_MAX, RunCause, RunHistory, Schedule,
    grid::{hour_of, minute_of},
};
use crate::error::S3Error;
use serde::{Deserialize, Serialize};
use stocktake_core::Timestamp;

/// What is remembered of a configuration's runs. Serialises to at most some 400 bytes of JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunState {
    since: Timestamp,
    /// The newest due time that was begun, skipped or found done; all before it are too.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    settled: Option<Timestamp>,
    /// The newest due time that was ever begun: beyond it no report can exist.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    highest: Option<Timestamp>,
    /// The newest due time, if its run failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pending: Option<Attempt>,
    /// A report that was asked for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    requested: Option<Attempt>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    running: Option<Running>,
}

/// A run that waits for another attempt, or for its first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Attempt {
    /// The due time.
    pub due: Timestamp,
    /// Attempts so far.
    pub attempts: u32,
    /// When the next attempt may begin.
    pub not_before: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Running {
    due: Timestamp,
    cause: RunCause,
    attempt: u32,
    started_at: Timestamp,
}

impl RunState {
    /// The state of a configuration that is made now.
    pub fn new(now: Timestamp) -> Self {
        Self { since: now, settled: None, highest: None, pending: None, requested: None, running: None }
    }

    /// When the configuration was made.
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// The newest due time that is settled.
    pub fn settled(&self) -> Option<Timestamp> {
        self.settled
    }

    /// The newest due time that was ever begun.
    pub fn highest(&self) -> Option<Timestamp> {
        self.highest
    }

    /// A due run that failed and waits.
    pub fn pending(&self) -> Option<Attempt> {
        self.pending
    }

    /// A run that was asked for and waits.
    pub fn requested(&self) -> Option<Attempt> {
        self.requested
    }

    /// Whether a run has begun and not ended.
    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// The run that has begun and not ended, and when it began.
    pub fn running(&self) -> Option<(DueRun, Timestamp)> {
        self.running
            .map(|run| (DueRun { due: run.due, cause: run.cause, attempt: run.attempt, skipped: None }, run.started_at))
    }

    /// Asks for a report now.
    ///
    /// Its stamp is the hour, as that of any report, or the minute if the hour has a report of its own. A report that is
    /// asked for already is not asked for twice.
    ///
    /// # Errors
    /// `InvalidArgument` if the configuration is not enabled, or the minute has its report too.
    pub fn request(&self, schedule: &Schedule, history: &dyn RunHistory, now: Timestamp) -> Result<Self, S3Error> {
        if !schedule.is_enabled() {
            return Err(S3Error::argument("IsEnabled", "is false; no report is made"));
        }
        if self.requested.is_some() || matches!(self.running, Some(Running { cause: RunCause::OnDemand, .. })) {
            return Ok(self.clone());
        }
        let due_now = schedule.newest(now).map(|newest| newest.max(hour_of(self.since)));
        let taken = |due: Timestamp| {
            Some(due) == due_now && self.settled.is_none_or(|settled| settled < due)
                || self.settled == Some(due)
                || self.highest.is_some_and(|highest| due <= highest) && history.has_run(due)
        };
        let due = [hour_of(now), minute_of(now)].into_iter().find(|due| !taken(*due));
        let due = due.ok_or_else(|| {
            let message = format!("{} has its report already, or is about to have it", minute_of(now));
            S3Error::argument("the minute", message)
        })?;
        Ok(Self { requested: Some(Attempt { due, attempts: 0, not_before: now }), ..self.clone() })
    }

    /// A run begins.
    #[must_use]
    pub fn begin(&self, run: &DueRun, now: Timestamp) -> Self {
        let mut state = self.clone();
        state.running = Some(Running { due: run.due, cause: run.cause, attempt: run.attempt, started_at: now });
        state.highest = state.highest.max(Some(run.due));
        match run.cause {
            RunCause::Scheduled => {
                state.settled = state.settled.max(Some(run.due));
                state.pending = None;
            }
            RunCause::OnDemand => state.requested = None,
        }
        state
    }

    /// The run ended with a report.
    #[must_use]
    pub fn succeed(&self) -> Self {
        Self { running: None, ..self.clone() }
    }

    /// The run failed: it is tried again after a while. The flag of the result says whether it will be.
    #[must_use]
    pub fn fail(&self, backoff: Backoff, now: Timestamp) -> (Self, bool) {
        let mut state = self.clone();
        let Some(run) = state.running.take() else { return (state, false) };
        let not_before = Timestamp::try_from_ms(now.ms().saturating_add(backoff.delay_ms(run.attempt)));
        let not_before = not_before.unwrap_or(Timestamp::MAX);
        let attempt = Attempt { due: run.due, attempts: run.attempt, not_before };
        match run.cause {
            RunCause::Scheduled => state.pending = Some(attempt),
            RunCause::OnDemand if run.attempt >= REQUEST_ATTEMPTS_MAX => return (state, false),
            RunCause::OnDemand => state.requested = Some(attempt),
        }
        (state, true)
    }

    /// The process ended while the run was under way: it is tried again, and waits as one that failed when it began, so
    /// that a run that ends its process does not do so over and over.
    #[must_use]
    pub fn interrupted(&self, backoff: Backoff) -> Self {
        match self.running {
            Some(run) => self.fail(backoff, run.started_at).0,
            None => self.clone(),
        }
    }

    /// The run that waits for this cause is not needed any more.
    pub(super) fn without(&self, cause: RunCause) -> Self {
        match cause {
            RunCause::Scheduled => Self { pending: None, ..self.clone() },
            RunCause::OnDemand => Self { requested: None, ..self.clone() },
        }
    }

    /// A due time has its report already.
    pub(super) fn settle(&self, due: Timestamp) -> Self {
        let pending = self.pending.filter(|pending| pending.due > due);
        Self { settled: self.settled.max(Some(due)), pending, ..self.clone() }
    }

    /// The state by a clock that went back: due times that have not come yet are taken back.
    pub(super) fn rewound(&self, schedule: &Schedule, now: Timestamp) -> Option<Self> {
        let ahead = self.settled.is_some_and(|settled| settled > now);
        if !ahead && self.since <= now {
            return None;
        }
        let mut state = self.clone();
        state.since = self.since.min(now);
        if ahead {
            let first = hour_of(state.since);
            state.settled = Some(schedule.newest(now).map_or(first, |newest| newest.max(first)));
            state.pending = self.pending.filter(|pending| pending.due <= now);
        }
        Some(state)
    }
}
