//! Inventory configurations: the document, its validation, the schedule, and the policies that delivery needs.
//!
//! Everything here is a pure function of its arguments: no thread, no clock, no file. A store that embeds Stocktake gets
//! S3's inventory configuration as its users know it; what runs and remembers is the crate `stocktake-service`.
//!
//! ```
//! use stocktake_config::{InventoryConfiguration, Rules, Schedule};
//! use stocktake_core::Timestamp;
//!
//! let body = br#"<InventoryConfiguration><Id>weekly</Id><IsEnabled>true</IsEnabled><Destination><S3BucketDestination>
//!     <Format>Parquet</Format><Bucket>arn:aws:s3:::reports</Bucket></S3BucketDestination></Destination>
//!     <Schedule><Frequency>Weekly</Frequency></Schedule><IncludedObjectVersions>All</IncludedObjectVersions>
//!     </InventoryConfiguration>"#;
//! let valid = Rules::new().with_request_id("weekly").check(InventoryConfiguration::parse(body)?)?;
//! let mut due = Schedule::of(&valid).due_times(Timestamp::parse("2026-11-25T13:37:00Z")?);
//! assert_eq!(due.next().map(|due| due.folder_stamp()).as_deref(), Some("2026-11-25T13-00Z"));
//! assert_eq!(due.next().map(|due| due.folder_stamp()).as_deref(), Some("2026-11-29T01-00Z"));
//!
//! let refused = Rules::new().with_request_id("daily").check(valid.into_document()).unwrap_err();
//! assert_eq!((refused.code().name(), refused.code().http_status(), refused.element()), ("MalformedXML", 400, "Id"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! - [`InventoryConfiguration`]: the document, from and to the S3 API's XML and the AWS command line's JSON.
//!   [`ConfigurationList`]: the reply that lists it.
//! - [`Rules`] and [`ValidConfiguration`]: what S3 refuses, with [`S3Error`]s in its own codes.
//! - [`Schedule`], [`RunState`]: which run is due when, after any downtime, failure or jump of the clock.
//! - [`ReportRequest`]: from a configuration to a report's specification and the destination's attributes.
//! - [`policy`]: bucket and key policies: produced, merged, checked.

mod arn;
mod document;
mod error;
mod json;
pub mod policy;
mod preflight;
mod report;
mod schedule;
mod validate;

pub use arn::{AccountId, BucketArn, KeyId};
pub use document::{
    ConfigurationList, DOCUMENT_BYTES_MAX, DestinationEncryption, DocumentForm, Frequency, InventoryConfiguration,
    InventoryDestination, LIST_BYTES_MAX, OptionalField, PAGE_CONFIGURATIONS, PageToken,
};
pub use error::{S3Error, S3ErrorCode};
pub use preflight::{Preflight, PreflightFinding};
pub use report::{DestinationAttributes, MissingColumns, ReportRequest};
pub use schedule::{
    Attempt, Backoff, Decision, DueRun, REQUEST_ATTEMPTS_MAX, RunCause, RunHistory, RunState, Schedule, SkippedRuns,
};
pub use validate::{BucketKind, CONFIGURATIONS_MAX, Frequencies, Rules, ValidConfiguration};
