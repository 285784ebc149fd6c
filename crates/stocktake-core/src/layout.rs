//! Keys of the objects that a report consists of.
//!
//! ```text
//! [prefix/]SOURCE_BUCKET/ID/data/<uuid>.csv.gz
//! [prefix/]SOURCE_BUCKET/ID/2026-11-22T01-00Z/manifest.json, manifest.checksum, receipts.ndjson
//! [prefix/]SOURCE_BUCKET/ID/hive/dt=2026-11-22-01-00/symlink.txt
//! ```
//!
//! Data files and receipts inside envelopes end in `.enc`, and there is no symlink.txt then.

use crate::{
    name::{NameError, ReportKey},
    spec::{Envelope, ReportSpec},
};
use uuid::Uuid;

/// Ending of objects inside envelopes.
pub const ENVELOPE_SUFFIX: &str = ".enc";

/// Keys of the objects of one report.
#[derive(Clone, Debug)]
pub struct ReportLayout {
    root: String,
    folder_stamp: String,
    hive_stamp: String,
    report_id: Uuid,
    extension: &'static str,
    envelope: Envelope,
}

impl ReportLayout {
    /// The layout of a spec's report.
    pub fn new(spec: &ReportSpec) -> Self {
        let prefix = spec.destination_prefix().as_str();
        let slash = if prefix.is_empty() { "" } else { "/" };
        Self {
            root: format!("{prefix}{slash}{}/{}", spec.source_bucket(), spec.configuration_id()),
            folder_stamp: spec.created_at().folder_stamp(),
            hive_stamp: spec.created_at().hive_stamp(),
            report_id: spec.report_id(),
            extension: spec.format().file_format().extension(),
            envelope: spec.envelope(),
        }
    }

    /// Folder of the configuration, which all of its reports share.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// Key of a data file.
    ///
    /// Its name is a UUIDv5 of report id, lane, shard and attempt: unlike in any other report, the same in a rerun.
    pub fn data(&self, lane: u32, shard: u32, attempt: u32) -> ReportKey {
        let name = Uuid::new_v5(&self.report_id, format!("{lane}/{shard}/{attempt}").as_bytes());
        self.key(&format!("data/{name}.{}{}", self.extension, self.suffix()))
    }

    /// Key of manifest.json.
    pub fn manifest(&self) -> ReportKey {
        self.key(&format!("{}/manifest.json", self.folder_stamp))
    }

    /// Key of manifest.checksum, whose existence says that the report is complete.
    pub fn checksum(&self) -> ReportKey {
        self.key(&format!("{}/manifest.checksum", self.folder_stamp))
    }

    /// Key of receipts.ndjson, beside the manifest.
    pub fn receipts(&self) -> ReportKey {
        self.key(&format!("{}/receipts.ndjson{}", self.folder_stamp, self.suffix()))
    }

    /// Key of symlink.txt, which reports inside envelopes do not have.
    pub fn symlink(&self) -> ReportKey {
        self.key(&format!("hive/dt={}/symlink.txt", self.hive_stamp))
    }

    fn suffix(&self) -> &'static str {
        match self.envelope {
            Envelope::None => "",
            Envelope::Encrypted => ENVELOPE_SUFFIX,
        }
    }

    fn key(&self, below: &str) -> ReportKey {
        let made: Result<_, NameError> = ReportKey::try_new(format!("{}/{below}", self.root));
        match made {
            Ok(key) => key,
            Err(error) => unreachable!("a valid spec makes valid keys: {error}"),
        }
    }
}
