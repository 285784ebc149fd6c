//! Keeps inventory configurations, makes their reports when they are due, and encrypts them at rest.
//!
//! - [`ConfigurationStore`]: configurations of buckets and what is remembered of their runs; [`MemoryStore`] and
//!   [`DurableStore`] are two.
//! - [`Runner`]: makes the reports that are due, one at a time for each bucket, and remembers what became of them. It reads
//!   no clock of its own.
//! - [`KeyService`] and [`EnvelopeDestination`]: reports encrypted before a destination sees them; [`EnvelopeStore`] reads
//!   them back.
//!
//! ```
//! use std::error::Error;
//! use stocktake::{BucketName, Clock, Timestamp, destinations::MemoryDestination, sources::SyntheticSource};
//! use stocktake_config::{InventoryConfiguration, Rules, ValidConfiguration};
//! use stocktake_service::{ConfigurationStore, MemoryStore, Opened, RunEvent, RunLog, Runner, RunnerOptions, Targets};
//!
//! struct Store(MemoryDestination);
//!
//! impl Targets for Store {
//!     fn open(
//!         &self,
//!         _bucket: &BucketName,
//!         _configuration: &ValidConfiguration,
//!     ) -> Result<Opened<'_>, Box<dyn Error + Send + Sync>> {
//!         let rows: SyntheticSource = "rows=3".parse()?;
//!         Ok(Opened::new(Box::new(rows), Box::new(self.0.clone())))
//!     }
//! }
//!
//! impl RunLog for Store {
//!     fn event(&self, bucket: &str, id: &str, event: &RunEvent<'_>) {
//!         eprintln!("{bucket}/{id}: {event:?}");
//!     }
//! }
//!
//! let now = Timestamp::parse("2026-11-25T13:37:00Z")?;
//! let body = br#"{"Id":"daily","IsEnabled":true,"Schedule":{"Frequency":"Daily"},"IncludedObjectVersions":"Current",
//!     "Destination":{"S3BucketDestination":{"Bucket":"arn:aws:s3:::reports","Format":"CSV"}}}"#;
//! let photos = BucketName::try_new("photos")?;
//! let configurations = MemoryStore::new();
//! configurations.put(&photos, &Rules::new().check(InventoryConfiguration::parse(body)?)?, now)?;
//!
//! let store = Store(MemoryDestination::new());
//! let runner = Runner::start(&configurations, &store, Clock::new(move || now), RunnerOptions::default(), &store)?;
//! let round = runner.round()?;
//! assert_eq!(round.succeeded, 1);
//! assert_eq!(round.next.map(|next| next.folder_stamp()).as_deref(), Some("2026-11-26T01-00Z"));
//! # Ok::<(), Box<dyn Error>>(())
//! ```
//!
//! What a configuration means and when it is due says the crate `stocktake-config`; how a report is made, `stocktake`.

mod envelope;
mod keys;
mod runner;
mod store;

pub use envelope::{EnvelopeDestination, EnvelopeStore};
pub use keys::{DataKey, KeyError, KeyService, LocalKeyService};
pub use runner::{Opened, Round, RunEvent, RunLog, Runner, RunnerOptions, Targets};
pub use store::{
    ConfigurationStore, DurableStore, MemoryStore, RECORDS_MAX, RunOutcome, RunRecord, RunStatus, StoreError, Stored,
};
