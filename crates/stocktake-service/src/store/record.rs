//! What is remembered of runs.

use serde::{Deserialize, Serialize};
use stocktake::Timestamp;
use stocktake_config::{Frequency, InventoryConfiguration, RunCause, RunState, Schedule};

/// Records that are kept of a configuration: more than a year of daily reports. The oldest go first.
pub const RECORDS_MAX: usize = 400;

/// A configuration's schedule and the state of its runs, as a store keeps them side by side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Stored {
    /// `Daily`, `Weekly`, `Hourly` or `Monthly`.
    frequency: FrequencyName,
    /// Whether reports are made.
    enabled: bool,
    /// State of the runs.
    pub state: RunState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum FrequencyName {
    Daily,
    Weekly,
    Hourly,
    Monthly,
}

impl Stored {
    /// The schedule of a document, and a state.
    pub fn new(document: &InventoryConfiguration, state: RunState) -> Self {
        let frequency = match document.frequency {
            Frequency::Weekly => FrequencyName::Weekly,
            Frequency::Hourly => FrequencyName::Hourly,
            Frequency::Monthly => FrequencyName::Monthly,
            _ => FrequencyName::Daily,
        };
        Self { frequency, enabled: document.is_enabled, state }
    }

    /// The same schedule with another state.
    #[must_use]
    pub fn with_state(self, state: RunState) -> Self {
        Self { state, ..self }
    }

    /// The schedule, at the usual hour.
    pub fn schedule(&self) -> Schedule {
        let frequency = match self.frequency {
            FrequencyName::Daily => Frequency::Daily,
            FrequencyName::Weekly => Frequency::Weekly,
            FrequencyName::Hourly => Frequency::Hourly,
            FrequencyName::Monthly => Frequency::Monthly,
        };
        Schedule::new(frequency).with_enabled(self.enabled)
    }
}

/// What became of a due time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunRecord {
    /// The due time: the report's stamp.
    pub due: Timestamp,
    /// Why the report was made.
    pub cause: RunCause,
    /// Number of the attempt; 0 for a due time that was skipped.
    pub attempt: u32,
    /// When the attempt began.
    pub started_at: Timestamp,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ended_at: Option<Timestamp>,
    /// What came of it.
    pub outcome: RunOutcome,
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum RunOutcome {
    /// It is under way.
    Running,
    /// The report is published.
    Succeeded {
        /// Key of the manifest.
        manifest: String,
        /// Rows of the report, if this attempt wrote it: an earlier one may have published it and been interrupted.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        rows: Option<u64>,
        /// Entries that the source left out.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        skipped_entries: Option<u64>,
    },
    /// There is no report.
    Failed {
        /// Why.
        reason: String,
    },
    /// It was one of several due times that passed without a report, of which the newest was served.
    Skipped {
        /// The first of them; the record's due time is the last.
        first: Timestamp,
        /// How many.
        count: u64,
    },
}

impl RunRecord {
    /// A record.
    pub fn new(
        due: Timestamp,
        cause: RunCause,
        attempt: u32,
        started_at: Timestamp,
        ended_at: Option<Timestamp>,
        outcome: RunOutcome,
    ) -> Self {
        Self { due, cause, attempt, started_at, ended_at, outcome }
    }

    /// Whether it tells of a published report.
    pub fn is_success(&self) -> bool {
        matches!(self.outcome, RunOutcome::Succeeded { .. })
    }
}

/// What users ask of a configuration's runs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunStatus {
    /// Schedule and state.
    pub stored: Stored,
    /// The record with the newest due time.
    pub last: Option<RunRecord>,
}

impl RunStatus {
    /// State and last record.
    pub fn new(stored: Stored, last: Option<RunRecord>) -> Self {
        Self { stored, last }
    }

    /// When the next report is due; `None` for a configuration that is not enabled.
    pub fn next_due(&self, now: Timestamp) -> Option<Timestamp> {
        self.stored.schedule().next_due(&self.stored.state, now)
    }
}
