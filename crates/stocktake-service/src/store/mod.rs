//! A store of configurations, which also remembers what became of their reports.
//!
//! S3 has no such memory for its users to ask; they ask for it. A store knows neither time nor sources.

mod durable;
mod memory;
mod record;

pub use durable::DurableStore;
pub use memory::MemoryStore;
pub use record::{RECORDS_MAX, RunOutcome, RunRecord, RunStatus, Stored};

use std::{error::Error, fmt};
use stocktake::{BucketName, Timestamp};
use stocktake_config::{
    CONFIGURATIONS_MAX, ConfigurationList, InventoryConfiguration, RunState, S3Error, S3ErrorCode, ValidConfiguration,
};

/// Keeps configurations of buckets, the states of their runs, and records of what became of them.
///
/// Methods may block and are called from several threads. Each is one step: other threads, and a process that comes after
/// one that was killed, see all of it or nothing. What a method has returned from stays.
pub trait ConfigurationStore: Send + Sync {
    /// Puts a configuration, in the place of one with its id if there is one. What is remembered of that one's runs stays.
    ///
    /// # Errors
    /// `TooManyConfigurations` for one more than 1,000 in a bucket.
    fn put(&self, bucket: &BucketName, configuration: &ValidConfiguration, now: Timestamp) -> Result<(), StoreError>;

    /// A configuration.
    ///
    /// # Errors
    /// `NoSuchConfiguration`.
    fn get(&self, bucket: &BucketName, id: &str) -> Result<InventoryConfiguration, StoreError>;

    /// A page of a bucket's configurations, in ascending order of their ids.
    ///
    /// # Errors
    /// `InvalidArgument` for a token that no page gave.
    fn list(&self, bucket: &BucketName, token: Option<&str>) -> Result<ConfigurationList, StoreError>;

    /// Deletes a configuration and what is remembered of its runs.
    ///
    /// # Errors
    /// `NoSuchConfiguration`.
    fn delete(&self, bucket: &BucketName, id: &str) -> Result<(), StoreError>;

    /// State and last record of a configuration's runs.
    ///
    /// # Errors
    /// `NoSuchConfiguration`.
    fn status(&self, bucket: &BucketName, id: &str) -> Result<RunStatus, StoreError>;

    /// Records of a configuration's runs, newest due time first, at most so many of the [`RECORDS_MAX`] that are kept.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn records(&self, bucket: &BucketName, id: &str, most: usize) -> Result<Vec<RunRecord>, StoreError>;

    /// The record of one due time.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn record(&self, bucket: &BucketName, id: &str, due: Timestamp) -> Result<Option<RunRecord>, StoreError>;

    /// Shows every configuration's schedule and state, in ascending order of buckets and ids.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn visit(&self, visit: &mut dyn FnMut(&str, &str, &Stored)) -> Result<(), StoreError>;

    /// Changes a state and writes records with it, if the state still is what it was. `false`: it is not, and nothing was
    /// changed.
    ///
    /// A record takes the place of one with its due time, except of one that tells of a published report.
    ///
    /// # Errors
    /// If the store cannot be written.
    fn advance(
        &self,
        bucket: &BucketName,
        id: &str,
        from: &RunState,
        to: &RunState,
        records: &[RunRecord],
    ) -> Result<bool, StoreError>;
}

/// Why a store did not do what was asked.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// By a rule of S3.
    S3(S3Error),
    /// Another process has the store open.
    InUse {
        /// The store.
        store: String,
    },
    /// The store itself failed.
    Failed {
        /// What was tried.
        what: String,
        /// What happened.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl StoreError {
    /// A failure of the store itself; `what` says what was tried.
    pub fn failed(what: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Failed { what: what.into(), source: source.into() }
    }

    fn no_such(id: &str) -> Self {
        let message = format!("is {id:?}: The specified configuration does not exist.");
        Self::S3(S3Error::new(S3ErrorCode::NoSuchConfiguration, "id", message))
    }

    fn too_many() -> Self {
        let message = format!("would be one more than the {CONFIGURATIONS_MAX} that a bucket may have");
        Self::S3(S3Error::new(S3ErrorCode::TooManyConfigurations, "the configuration", message))
    }
}

impl From<S3Error> for StoreError {
    fn from(error: S3Error) -> Self {
        Self::S3(error)
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::S3(error) => error.fmt(f),
            Self::InUse { store } => write!(f, "another process has the store {store} open"),
            Self::Failed { what, .. } => f.write_str(what),
        }
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::S3(_) | Self::InUse { .. } => None,
            Self::Failed { source, .. } => Some(&**source),
        }
    }
}
