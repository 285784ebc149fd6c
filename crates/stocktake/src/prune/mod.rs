//! Takes old reports away: whole ones, as many as are not to be kept, and nothing that is no report's.
//!
//! Pruning has two steps. A [`PrunePlan`] says what would go, by a listing of the destination and by its manifests; only
//! [`PrunePlan::carry_out`] removes anything. A report's checksum goes first, so that a report of which anything is missing is
//! never taken for complete, and its manifest last, so that a pruning that was interrupted finds what it left.
//!
//! A report is known by its layout: `[prefix/]BUCKET/ID/STAMP/manifest.json`, whose manifest names that bucket. What does not
//! follow the layout is foreign and stays, and so do journals, and reports of which a journal says that they are in the making.

mod carry_out;
mod listing;
mod plan;

#[cfg(test)]
mod tests;

pub use carry_out::Pruned;
pub use plan::{PlannedReport, PrunePlan, PrunedConfiguration, ReportFate, plan_prune};

use std::{error::Error, fmt, num::NonZeroUsize};
use stocktake_core::{BucketName, ConfigurationId, DestinationPrefix, Timestamp};

/// Which reports are kept.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PruneOptions {
    /// Complete reports of each configuration that are kept: the newest.
    pub keep: NonZeroUsize,
    /// Reports with this stamp or a later one are kept too. Default: none are.
    pub keep_since: Option<Timestamp>,
    /// Prefix of reports in the destination. Default: reports of every prefix.
    pub prefix: Option<DestinationPrefix>,
    /// Source bucket of the reports. Default: every one.
    pub bucket: Option<BucketName>,
    /// Configuration of the reports. Default: every one.
    pub configuration: Option<ConfigurationId>,
    /// Whether data files go that no manifest names. Default: they are told and stay.
    pub orphans: bool,
}

impl PruneOptions {
    /// Keeps so many of the newest complete reports of each configuration.
    pub fn new(keep: NonZeroUsize) -> Self {
        Self { keep, keep_since: None, prefix: None, bucket: None, configuration: None, orphans: false }
    }

    /// Keeps reports since a time, however many they are.
    #[must_use]
    pub fn with_keep_since(mut self, time: Option<Timestamp>) -> Self {
        self.keep_since = time;
        self
    }

    /// Looks at reports below a prefix alone.
    #[must_use]
    pub fn with_prefix(mut self, prefix: Option<DestinationPrefix>) -> Self {
        self.prefix = prefix;
        self
    }

    /// Looks at reports of one source bucket alone.
    #[must_use]
    pub fn with_bucket(mut self, bucket: Option<BucketName>) -> Self {
        self.bucket = bucket;
        self
    }

    /// Looks at reports of one configuration alone.
    #[must_use]
    pub fn with_configuration(mut self, id: Option<ConfigurationId>) -> Self {
        self.configuration = id;
        self
    }

    /// Says whether data files go that no manifest names.
    ///
    /// A run that keeps no journal cannot be told from what a killed one left: no such run may go on meanwhile.
    #[must_use]
    pub fn with_orphans(mut self, orphans: bool) -> Self {
        self.orphans = orphans;
        self
    }
}

/// Why there is no plan, or why it was not carried out to its end.
#[derive(Debug)]
pub struct PruneError {
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl PruneError {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), source: None }
    }

    fn because(message: impl Into<String>, source: impl Error + Send + Sync + 'static) -> Self {
        Self { message: message.into(), source: Some(Box::new(source)) }
    }
}

impl fmt::Display for PruneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for PruneError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|error| &**error as _)
    }
}
