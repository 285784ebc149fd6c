//! Keys of the objects that a report consists of.
//!
//! ```text
//! [prefix/]SOURCE_BUCKET/ID/data/<uuid>.csv.gz
//! [prefix/]SOURCE_BUCKET/ID/2026-11-22T01-00Z/manifest.json, manifest.checksum, receipts.ndjson
//! [prefix/]SOURCE_BUCKET/ID/hive/dt=2026-11-22-01-00/symlink.txt
//! [prefix/]SOURCE_BUCKET/ID/journal/2026-11-22T01-00Z/begin, 00000-000000-000, .. while the report is in the making
//! ```
//!
//! Data files, receipts and journal inside envelopes end in `.enc`, and there is no symlink.txt then.

use crate::{
    name::{BucketName, ConfigurationId, DestinationPrefix, NameError, ReportKey},
    spec::{Envelope, ReportSpec},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Ending of objects inside envelopes.
pub const ENVELOPE_SUFFIX: &str = ".enc";

/// Name of a journal's first object, without the ending of envelopes.
const BEGIN: &str = "begin";

/// Folder of a configuration, which all of its reports share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReportRoot(String);

impl ReportRoot {
    /// The folder of a bucket's configuration in the destination bucket.
    pub fn new(prefix: &DestinationPrefix, bucket: &BucketName, id: &ConfigurationId) -> Self {
        let slash = if prefix.as_str().is_empty() { "" } else { "/" };
        Self(format!("{}{slash}{bucket}/{id}", prefix.as_str()))
    }

    /// The folder, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the keys of all journals of the configuration begin with.
    pub fn journals(&self) -> String {
        format!("{}/journal/", self.0)
    }

    /// What the keys of all data files of the configuration begin with.
    pub fn data(&self) -> String {
        format!("{}/data/", self.0)
    }

    /// The key of the first object of the journal of a stamp, plain and inside an envelope; none for what is no stamp.
    pub fn journal_begins(&self, stamp: &str) -> Vec<ReportKey> {
        let keys = ["", ENVELOPE_SUFFIX].map(|suffix| format!("{}{stamp}/{BEGIN}{suffix}", self.journals()));
        keys.into_iter().filter_map(|key| ReportKey::try_new(key).ok()).collect()
    }

    /// The stamp of the journal that a key belongs to, and whether it is the journal's first object.
    pub fn journal_of<'a>(&self, key: &'a ReportKey) -> Option<(&'a str, bool)> {
        let (stamp, name) = key.as_str().strip_prefix(&self.journals())?.split_once('/')?;
        let name = name.strip_suffix(ENVELOPE_SUFFIX).unwrap_or(name);
        (!name.contains('/')).then_some((stamp, name == BEGIN))
    }
}

/// Keys of the objects of one report.
///
/// Serialisable, so that what is left of a report can be named without its spec.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "LayoutParts")]
pub struct ReportLayout {
    root: ReportRoot,
    folder_stamp: String,
    hive_stamp: String,
    report_id: Uuid,
    extension: String,
    #[serde(skip_serializing_if = "Envelope::is_none")]
    envelope: Envelope,
}

/// A layout as it is read, before it is known that it makes keys.
#[derive(Deserialize)]
struct LayoutParts {
    root: ReportRoot,
    folder_stamp: String,
    hive_stamp: String,
    report_id: Uuid,
    extension: String,
    #[serde(default)]
    envelope: Envelope,
}

impl TryFrom<LayoutParts> for ReportLayout {
    type Error = NameError;

    fn try_from(parts: LayoutParts) -> Result<Self, NameError> {
        let LayoutParts { root, folder_stamp, hive_stamp, report_id, extension, envelope } = parts;
        let layout = Self { root, folder_stamp, hive_stamp, report_id, extension, envelope };
        // Every key is one of these with other numbers, of which these are the longest.
        let most = u32::MAX;
        for below in [
            layout.below_data(most, most, most),
            layout.below_stamp("manifest.checksum"),
            layout.below_stamp(&format!("receipts.ndjson{}", layout.suffix())),
            layout.below_hive(),
            layout.below_journal(&format!("{most}-{most}-{most}")),
        ] {
            layout.try_key(&below)?;
        }
        Ok(layout)
    }
}

impl ReportLayout {
    /// The layout of a spec's report.
    pub fn new(spec: &ReportSpec) -> Self {
        Self {
            root: ReportRoot::new(spec.destination_prefix(), spec.source_bucket(), spec.configuration_id()),
            folder_stamp: spec.created_at().folder_stamp(),
            hive_stamp: spec.created_at().hive_stamp(),
            report_id: spec.report_id(),
            extension: spec.format().file_format().extension().to_owned(),
            envelope: spec.envelope(),
        }
    }

    /// Folder of the configuration, which all of its reports share.
    pub fn root(&self) -> &ReportRoot {
        &self.root
    }

    /// The report's stamp, as its folder is named.
    pub fn stamp(&self) -> &str {
        &self.folder_stamp
    }

    /// Id of the report.
    pub fn report_id(&self) -> Uuid {
        self.report_id
    }

    /// Key of a data file.
    ///
    /// Its name is a UUIDv5 of report id, lane, shard and attempt: unlike in any other report, the same in a rerun.
    pub fn data(&self, lane: u32, shard: u32, attempt: u32) -> ReportKey {
        self.key(&self.below_data(lane, shard, attempt))
    }

    /// Key of manifest.json.
    pub fn manifest(&self) -> ReportKey {
        self.key(&self.below_stamp("manifest.json"))
    }

    /// Key of manifest.checksum, whose existence says that the report is complete.
    pub fn checksum(&self) -> ReportKey {
        self.key(&self.below_stamp("manifest.checksum"))
    }

    /// Key of receipts.ndjson, beside the manifest.
    pub fn receipts(&self) -> ReportKey {
        self.key(&self.below_stamp(&format!("receipts.ndjson{}", self.suffix())))
    }

    /// Key of symlink.txt, which reports inside envelopes do not have.
    pub fn symlink(&self) -> ReportKey {
        self.key(&self.below_hive())
    }

    /// What the keys of the report's journal begin with.
    pub fn journal(&self) -> String {
        format!("{}{}/", self.root.journals(), self.folder_stamp)
    }

    /// Key of the journal's first object.
    pub fn journal_begin(&self) -> ReportKey {
        self.key(&self.below_journal(BEGIN))
    }

    /// Key of a finished data file's entry in the journal. Keys of entries ascend with lane, data file and attempt, up to
    /// a million data files a lane.
    pub fn journal_entry(&self, lane: u32, shard: u32, attempt: u32) -> ReportKey {
        self.key(&self.below_journal(&format!("{lane:05}-{shard:06}-{attempt:03}")))
    }

    fn suffix(&self) -> &'static str {
        match self.envelope {
            Envelope::None => "",
            Envelope::Encrypted => ENVELOPE_SUFFIX,
        }
    }

    fn below_data(&self, lane: u32, shard: u32, attempt: u32) -> String {
        let name = Uuid::new_v5(&self.report_id, format!("{lane}/{shard}/{attempt}").as_bytes());
        format!("data/{name}.{}{}", self.extension, self.suffix())
    }

    fn below_stamp(&self, name: &str) -> String {
        format!("{}/{name}", self.folder_stamp)
    }

    fn below_hive(&self) -> String {
        format!("hive/dt={}/symlink.txt", self.hive_stamp)
    }

    fn below_journal(&self, name: &str) -> String {
        format!("journal/{}/{name}{}", self.folder_stamp, self.suffix())
    }

    fn key(&self, below: &str) -> ReportKey {
        match self.try_key(below) {
            Ok(key) => key,
            Err(error) => unreachable!("a valid spec, or a layout that was read, makes valid keys: {error}"),
        }
    }

    fn try_key(&self, below: &str) -> Result<ReportKey, NameError> {
        ReportKey::try_new(format!("{}/{below}", self.root.0))
    }
}
