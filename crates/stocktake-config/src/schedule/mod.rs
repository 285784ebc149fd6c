//! Which report is due when: a pure function of schedule, history and the time that it is told.
//!
//! Due times are full hours: the first is the hour in which the configuration was made, so that a first report comes at
//! once; those after it stand on a grid (daily, weekly on Sunday, hourly, monthly) in UTC. The stamp of a report is its
//! due time, whenever the scan really began. Of due times that passed unserved only the newest is served; the others are
//! skipped, and said to be.
//!
//! A clock that goes back doubles nothing, because a due time that has its report is asked of the history; one that
//! went ahead and comes back loses nothing, because due times that have not come yet are taken back.

mod grid;
mod state;

pub use grid::Schedule;
pub use state::{Attempt, RunState};

use stocktake_core::Timestamp;

/// Waiting times between attempts: the first, doubled with each attempt up to the longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// After the first attempt, in milliseconds.
    pub first_ms: i64,
    /// Longest, in milliseconds.
    pub longest_ms: i64,
}

impl Default for Backoff {
    /// One minute at first, one hour at most.
    fn default() -> Self {
        Self { first_ms: 60_000, longest_ms: 3_600_000 }
    }
}

impl Backoff {
    /// Milliseconds to wait after so many attempts.
    pub fn delay_ms(&self, attempts: u32) -> i64 {
        let doublings = attempts.saturating_sub(1).min(40);
        self.first_ms.saturating_mul(1 << doublings).min(self.longest_ms).max(0)
    }
}

/// Attempts at a report on demand before it is given up. A scheduled one is tried until the next is due.
pub const REQUEST_ATTEMPTS_MAX: u32 = 8;

/// Why a report is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum RunCause {
    /// It is due.
    Scheduled,
    /// Somebody asked for it.
    OnDemand,
}

/// A run that should begin now.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DueRun {
    /// The due time: the report's stamp.
    pub due: Timestamp,
    /// Why it is made.
    pub cause: RunCause,
    /// Number of the attempt, from 1.
    pub attempt: u32,
    /// Due times that this run stands in for.
    pub skipped: Option<SkippedRuns>,
}

/// Due times that passed without a report of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct SkippedRuns {
    /// The first of them.
    pub first: Timestamp,
    /// The last of them.
    pub last: Timestamp,
    /// How many.
    pub count: u64,
}

/// What is to be done now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing before this time; nothing at all if there is none.
    Idle(Option<Timestamp>),
    /// The state changes without a run: the clock went back, or the due time has its report already. Ask again with it.
    Settle(RunState, Option<SkippedRuns>),
    /// This run begins.
    Run(DueRun),
}

/// Says whether a due time has its report.
pub trait RunHistory {
    /// Whether a report with this stamp was published.
    fn has_run(&self, due: Timestamp) -> bool;
}

impl<F: Fn(Timestamp) -> bool> RunHistory for F {
    fn has_run(&self, due: Timestamp) -> bool {
        self(due)
    }
}

impl Schedule {
    /// What is to be done now.
    ///
    /// The history is asked only about due times that the state has seen before, which happens after the clock went back.
    pub fn decide(&self, state: &RunState, backoff: Backoff, history: &dyn RunHistory, now: Timestamp) -> Decision {
        if state.is_running() || !self.is_enabled() {
            return Decision::Idle(None);
        }
        if let Some(rewound) = state.rewound(self, now) {
            return Decision::Settle(rewound, None);
        }
        let first = grid::hour_of(state.since());
        let is_done = |due: Timestamp| state.highest().is_some_and(|highest| due <= highest) && history.has_run(due);
        // Nothing is due before the first hour, which lies before now once the state was rewound.
        let newest = self.newest(now).map_or(first, |newest| newest.max(first));
        if state.settled().is_none_or(|settled| settled < newest) {
            let skipped = self.skipped(first, state.settled(), newest);
            if is_done(newest) {
                return Decision::Settle(state.settle(newest), skipped);
            }
            return Decision::Run(DueRun { due: newest, cause: RunCause::Scheduled, attempt: 1, skipped });
        }
        let waiting = [(RunCause::Scheduled, state.pending()), (RunCause::OnDemand, state.requested())];
        let mut until = self.next(now);
        for (cause, attempt) in waiting {
            let Some(attempt) = attempt else { continue };
            if is_done(attempt.due) {
                // By a run that was interrupted after it had published, or by one that a jump of the clock brought on.
                return Decision::Settle(state.without(cause), None);
            }
            // A waiting time longer than the longest was reckoned by a clock that was ahead.
            let wait_ms = attempt.not_before.ms() - now.ms();
            if wait_ms <= 0 || wait_ms > backoff.longest_ms {
                return Decision::Run(DueRun { due: attempt.due, cause, attempt: attempt.attempts + 1, skipped: None });
            }
            until = Some(until.map_or(attempt.not_before, |until| until.min(attempt.not_before)));
        }
        Decision::Idle(until)
    }

    /// Due times of a configuration that is made at a time, the first of them in that hour; none if it is not enabled.
    pub fn due_times(&self, since: Timestamp) -> impl Iterator<Item = Timestamp> + use<> {
        let schedule = *self;
        let first = self.is_enabled().then(|| grid::hour_of(since));
        std::iter::successors(first, move |due| schedule.next(*due))
    }

    /// The next due time after `now`, without regard to runs that failed or were asked for; `None` for a configuration
    /// that is not enabled.
    pub fn next_due(&self, state: &RunState, now: Timestamp) -> Option<Timestamp> {
        if !self.is_enabled() {
            return None;
        }
        let first = grid::hour_of(state.since());
        if state.settled().is_none() { Some(first) } else { self.next(now) }
    }

    /// Due times after `settled` (or from the first on) and before `newest`.
    fn skipped(&self, first: Timestamp, settled: Option<Timestamp>, newest: Timestamp) -> Option<SkippedRuns> {
        let before = settled.unwrap_or(first);
        let on_grid = self.between(before, newest);
        let unserved_first = settled.is_none() && first < newest;
        match (unserved_first, on_grid) {
            (false, on_grid) => on_grid,
            (true, None) => Some(SkippedRuns { first, last: first, count: 1 }),
            (true, Some(skipped)) => Some(SkippedRuns { first, count: skipped.count + 1, ..skipped }),
        }
    }
}

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
