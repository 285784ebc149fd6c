//! How a whole report is generated: lanes, what happens to what is there, what is kept, the clock.

use super::Execution;
use std::{num::NonZeroU32, sync::Arc};
use stocktake_core::{Existing, Timestamp};

/// How a whole report is generated.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct GenerateOptions {
    /// Lanes to ask of the source; one lane writes its data files one after another. Default: 1.
    pub lanes: NonZeroU32,
    /// What happens if a report with the same stamp exists. Default: it is refused.
    pub existing: Existing,
    /// What a run that ends early keeps. Default: nothing.
    pub recovery: Recovery,
    /// Threads, memory, cancellation, progress.
    pub execution: Execution,
    /// Tells the time, so that the receipts say when the scan really began and ended. Default: they do not say.
    pub clock: Option<Clock>,
}

/// What a run that ends early keeps at its destination, and what is done about one that ended early before.
///
/// A run keeps a journal only if it could be continued by it: the destination has a reading side, the source can be opened
/// behind a key, and keys are sorted. A run that fails keeps its finished data files then, if it has any, and nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recovery {
    /// Nothing: there is no journal, and a run that fails removes what it created. What a killed run leaves stays.
    #[default]
    None,
    /// A journal. An unfinished run with the same stamp is refused.
    Begin,
    /// A journal. An unfinished run with the same stamp is continued behind its finished data files; if there is none, a run
    /// begins. A report that is published already, of the same id, is no error: nothing is left to do.
    Resume,
}

/// Tells the time to a run; nothing else in the library reads a clock.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// A clock that a function reads.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

impl Default for GenerateOptions {
    fn default() -> Self {
        Self {
            lanes: NonZeroU32::MIN,
            existing: Existing::Refuse,
            recovery: Recovery::None,
            execution: Execution::default(),
            clock: None,
        }
    }
}

impl GenerateOptions {
    /// Options with this execution.
    pub fn new(execution: Execution) -> Self {
        Self { execution, ..Self::default() }
    }

    /// Asks the source for so many lanes.
    #[must_use]
    pub fn with_lanes(mut self, lanes: NonZeroU32) -> Self {
        self.lanes = lanes;
        self
    }

    /// Takes the times of the scan from this clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// States what a run that ends early keeps.
    #[must_use]
    pub fn with_recovery(mut self, recovery: Recovery) -> Self {
        self.recovery = recovery;
        self
    }

    /// States what happens if a report with the same stamp exists.
    #[must_use]
    pub fn with_existing(mut self, existing: Existing) -> Self {
        self.existing = existing;
        self
    }
}
