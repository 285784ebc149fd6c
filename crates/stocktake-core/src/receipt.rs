//! Receipts: what is known of finished shards, and the proof that all of a report's shards are there.
//!
//! Receipts travel between processes as JSON. A report is committed from [`CommittableShard`]s alone, which only
//! publishing in this process or [`Receipt::confirm`] makes.

use crate::{
    destination::{DestinationError, DestinationErrorKind, ReportStore},
    digest::md5_of_reader,
    name::ReportKey,
    partition::Partition,
    plan::Plan,
    row_digest::RowDigest,
    shard_writer::ShardDigest,
    spec::{Order, ReportSpec},
};
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

/// What is known of a finished shard, or of a lane that turned out to be empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The report's id.
    pub report_id: Uuid,
    /// Digest of the spec that the shard was written by.
    pub spec_digest: String,
    /// Digest of the plan that the shard was written by.
    pub plan_digest: String,
    /// Number of the lane.
    pub lane: u32,
    /// Number of the shard within the lane, from 0.
    pub shard: u32,
    /// Whether it is the lane's last.
    pub last_of_lane: bool,
    /// Attempt at the lane, which is part of the data file's name.
    pub attempt: u32,
    /// The data file; none for the only receipt of a lane without rows.
    pub file: Option<ShardFile>,
    /// Rows in the data file.
    pub rows: u64,
    /// Key of the first row.
    pub first_key: Option<String>,
    /// Key of the last row.
    pub last_key: Option<String>,
    /// Entries of the lane that the source left out, counted in the lane's last receipt.
    pub skipped_entries: u64,
    /// Digest of the rows, if the run was asked for it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub row_digest: Option<RowDigest>,
    /// Ranges of the source that the lane was read in, in key order, in the lane's last receipt; none for a source that reads in
    /// one piece. Of a lane that was carried on, those behind the last key of the data files that were kept.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub partitions: Vec<Partition>,
}

/// A published data file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShardFile {
    /// Key of the object.
    pub key: ReportKey,
    /// Size in bytes.
    pub size_bytes: u64,
    /// MD5 in lower-case hex.
    pub md5: String,
}

impl ShardFile {
    /// The file that was published under a key.
    pub fn new(key: ReportKey, digest: ShardDigest) -> Self {
        Self { key, size_bytes: digest.size_bytes, md5: digest.md5 }
    }
}

/// How a receipt of another process is confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Confirmation {
    /// The data file is there and has the receipt's size.
    #[default]
    Size,
    /// The data file is read, and has the receipt's size and MD5.
    Content,
}

impl Receipt {
    /// Checks that the data file is there, and makes the proof that a commit takes.
    ///
    /// # Errors
    /// If the data file is absent or differs from the receipt, or cannot be read.
    pub fn confirm(
        self,
        store: &dyn ReportStore,
        confirmation: Confirmation,
    ) -> Result<CommittableShard, DestinationError> {
        match self.compare(store, confirmation)? {
            None => Ok(CommittableShard(self)),
            Some(difference) => Err(difference),
        }
    }

    /// Makes the proof that a commit takes, if the data file is there and as the receipt says.
    ///
    /// # Errors
    /// If the destination cannot say.
    pub fn confirm_kept(
        self,
        store: &dyn ReportStore,
        confirmation: Confirmation,
    ) -> Result<Option<CommittableShard>, DestinationError> {
        Ok(self.compare(store, confirmation)?.is_none().then_some(CommittableShard(self)))
    }

    /// In what the data file differs from the receipt, as an error.
    fn compare(
        &self,
        store: &dyn ReportStore,
        confirmation: Confirmation,
    ) -> Result<Option<DestinationError>, DestinationError> {
        let Some(file) = &self.file else { return Ok(None) };
        let differs = |text: String| Ok(Some(DestinationError::new(DestinationErrorKind::Io, &file.key, text)));
        let Some(stored) = store.head(&file.key)? else {
            let text = "the data file of a receipt is not there";
            return Ok(Some(DestinationError::new(DestinationErrorKind::NotFound, &file.key, text)));
        };
        if stored.size_bytes != file.size_bytes {
            return differs(format!(
                "the data file has {} bytes, its receipt says {}",
                stored.size_bytes, file.size_bytes
            ));
        }
        if confirmation == Confirmation::Content {
            let md5 = md5_of(store, &file.key, file.size_bytes)?;
            if md5 != file.md5 {
                return differs(format!("the data file has MD5 {md5}, its receipt says {}", file.md5));
            }
        }
        Ok(None)
    }
}

/// MD5 of a stored object in hex, read in pieces of 1 MiB.
///
/// # Errors
/// If the object cannot be read to its end.
pub fn md5_of(store: &dyn ReportStore, key: &ReportKey, size_bytes: u64) -> Result<String, DestinationError> {
    let mut reader = store.open_range(key, 0..size_bytes)?;
    let (md5, read_bytes) = md5_of_reader(&mut reader, &mut vec![0; 1 << 20])
        .map_err(|error| DestinationError::io(key, "could not be read", error))?;
    if read_bytes != size_bytes {
        let text = format!("ended after {read_bytes} of {size_bytes} bytes");
        return Err(DestinationError::new(DestinationErrorKind::Io, key, text));
    }
    Ok(md5)
}

/// A receipt whose data file is known to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittableShard(Receipt);

impl CommittableShard {
    /// Publishes a data file and makes the proof of it.
    ///
    /// `receipt` says everything but the file, which is added here.
    ///
    /// # Errors
    /// If publication fails; nothing is visible then.
    pub fn publish(
        mut receipt: Receipt,
        key: ReportKey,
        writer: crate::shard_writer::ShardWriter,
    ) -> Result<Self, DestinationError> {
        let digest = writer.publish()?;
        receipt.file = Some(ShardFile::new(key, digest));
        Ok(Self(receipt))
    }

    /// The proof that a lane was read to its end and has no row.
    pub fn empty_lane(mut receipt: Receipt) -> Self {
        receipt.file = None;
        receipt.rows = 0;
        receipt.shard = 0;
        receipt.last_of_lane = true;
        Self(receipt)
    }

    /// Marks the shard as its lane's last, and states the entries that the source left out of the lane, and the ranges that the
    /// lane was read in.
    #[must_use]
    pub fn ending_lane(mut self, skipped_entries: u64, partitions: Vec<Partition>) -> Self {
        self.0.last_of_lane = true;
        self.0.skipped_entries = skipped_entries;
        self.0.partitions = partitions;
        self
    }

    /// The receipt.
    pub fn receipt(&self) -> &Receipt {
        &self.0
    }

    /// The receipt, to be sent to the process that commits.
    pub fn into_receipt(self) -> Receipt {
        self.0
    }
}

/// Shards that make a whole report: every lane complete exactly once, in order, with disjoint ranges.
#[derive(Clone, Debug)]
pub struct CompleteReport(Vec<CommittableShard>);

impl CompleteReport {
    /// Checks that the shards are one report's, each lane's are complete exactly once, and ranges ascend without overlap.
    ///
    /// # Errors
    /// Names the lane and shard that are missing, doubled, foreign or out of order.
    pub fn check(spec: &ReportSpec, plan: &Plan, mut shards: Vec<CommittableShard>) -> Result<Self, CommitError> {
        let (report_id, spec_digest, plan_digest) = (spec.report_id(), spec.digest(), plan.digest());
        shards.sort_by_key(|shard| (shard.0.lane, shard.0.shard));
        let fault = |lane: u32, shard: u32, text: &str| Err(CommitError { lane, shard, text: text.to_owned() });
        for CommittableShard(receipt) in &shards {
            if receipt.report_id != report_id || receipt.spec_digest != spec_digest {
                return fault(receipt.lane, receipt.shard, "was written by another spec");
            }
            if receipt.plan_digest != plan_digest {
                return fault(receipt.lane, receipt.shard, "was written by another plan");
            }
            if receipt.lane as usize >= plan.lanes().len() {
                return fault(receipt.lane, receipt.shard, "belongs to no lane of the plan");
            }
            if receipt.file.is_none() && (receipt.rows > 0 || receipt.shard > 0 || !receipt.last_of_lane) {
                return fault(receipt.lane, receipt.shard, "has no data file");
            }
        }
        let mut rest = shards.iter().map(|shard| &shard.0).peekable();
        let mut before: Option<&str> = None;
        for lane in plan.lanes() {
            let mut next = 0;
            loop {
                let Some(receipt) = rest.next_if(|receipt| receipt.lane == lane.index) else {
                    return fault(lane.index, next, "is missing");
                };
                if receipt.shard != next {
                    return fault(
                        lane.index,
                        receipt.shard.min(next),
                        if receipt.shard < next { "stands twice" } else { "is missing" },
                    );
                }
                if spec.order() == Order::Sorted
                    && let (Some(first), Some(last)) = (receipt.first_key.as_deref(), receipt.last_key.as_deref())
                {
                    let inside = lane.start.as_ref().is_none_or(|start| start.as_str() <= first)
                        && lane.end.as_ref().is_none_or(|end| last < end.as_str());
                    if !inside || first > last || before.is_some_and(|before| before >= first) {
                        return fault(lane.index, next, "overlaps another or leaves its lane");
                    }
                    before = Some(last);
                }
                next += 1;
                if receipt.last_of_lane {
                    break;
                }
            }
            if let Some(extra) = rest.peek().filter(|receipt| receipt.lane == lane.index) {
                return fault(lane.index, extra.shard, "stands after the lane's last");
            }
        }
        Ok(Self(shards))
    }

    /// The receipts in report order.
    pub fn receipts(&self) -> impl Iterator<Item = &Receipt> {
        self.0.iter().map(CommittableShard::receipt)
    }

    /// The data files in report order.
    pub fn files(&self) -> impl Iterator<Item = &ShardFile> {
        self.receipts().filter_map(|receipt| receipt.file.as_ref())
    }

    /// Rows of the whole report.
    pub fn rows(&self) -> u64 {
        self.receipts().map(|receipt| receipt.rows).sum()
    }

    /// Digest of all rows, if every receipt of a data file has one.
    pub fn row_digest(&self) -> Option<RowDigest> {
        let kept = self.receipts().filter(|receipt| receipt.file.is_some());
        kept.map(|receipt| receipt.row_digest).sum()
    }

    /// Entries that the source left out.
    pub fn skipped_entries(&self) -> u64 {
        self.receipts().map(|receipt| receipt.skipped_entries).sum()
    }
}

/// Shards that do not make a whole report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitError {
    lane: u32,
    shard: u32,
    text: String,
}

impl fmt::Display for CommitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "shard {} of lane {} {}", self.shard, self.lane, self.text)
    }
}

impl std::error::Error for CommitError {}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::name::{BucketName, ConfigurationId, ObjectKey};

    /// The receipt of a lane without rows.
    pub(crate) fn empty_receipt() -> Receipt {
        shard(0, 0, true, None).into_receipt()
    }

    fn fixture() -> (ReportSpec, Plan) {
        let bucket = BucketName::try_new("b").unwrap();
        let spec =
            ReportSpec::builder(bucket.clone(), ConfigurationId::try_new("id").unwrap(), bucket).build().unwrap();
        let plan = Plan::split("s", vec![ObjectKey::try_new("m").unwrap()], vec![None, None]).unwrap();
        (spec, plan)
    }

    fn shard(lane: u32, shard: u32, last_of_lane: bool, keys: Option<(&str, &str)>) -> CommittableShard {
        let (spec, plan) = fixture();
        let key = ReportKey::try_new(format!("{lane}-{shard}")).unwrap();
        CommittableShard(Receipt {
            report_id: spec.report_id(),
            spec_digest: spec.digest(),
            plan_digest: plan.digest(),
            lane,
            shard,
            last_of_lane,
            attempt: 0,
            file: keys.map(|_| ShardFile { key, size_bytes: 1, md5: String::new() }),
            rows: u64::from(keys.is_some()),
            first_key: keys.map(|keys| keys.0.to_owned()),
            last_key: keys.map(|keys| keys.1.to_owned()),
            skipped_entries: 0,
            row_digest: None,
            partitions: Vec::new(),
        })
    }

    fn check(shards: Vec<CommittableShard>) -> Result<u64, String> {
        let (spec, plan) = fixture();
        CompleteReport::check(&spec, &plan, shards).map(|report| report.rows()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_complete_report_is_accepted_in_any_order() {
        let shards =
            vec![shard(1, 0, true, None), shard(0, 1, true, Some(("d", "e"))), shard(0, 0, false, Some(("a", "c")))];
        assert_eq!(check(shards), Ok(2));
    }

    #[test]
    fn what_is_missing_doubled_foreign_or_out_of_order_is_named() {
        let ok = || {
            vec![
                shard(0, 0, false, Some(("a", "c"))),
                shard(0, 1, true, Some(("d", "e"))),
                shard(1, 0, true, Some(("m", "z"))),
            ]
        };
        assert_eq!(check(ok()), Ok(3));
        let without = |index| {
            let mut shards = ok();
            shards.remove(index);
            check(shards).unwrap_err()
        };
        assert_eq!(without(0), "shard 0 of lane 0 is missing");
        assert_eq!(without(1), "shard 1 of lane 0 is missing");
        assert_eq!(without(2), "shard 0 of lane 1 is missing");
        let with = |extra| check(ok().into_iter().chain([extra]).collect()).unwrap_err();
        assert_eq!(with(shard(0, 0, false, Some(("a", "c")))), "shard 0 of lane 0 stands twice");
        assert_eq!(with(shard(0, 2, true, Some(("f", "g")))), "shard 2 of lane 0 stands after the lane's last");
        assert_eq!(with(shard(2, 0, true, None)), "shard 0 of lane 2 belongs to no lane of the plan");
        let overlapping =
            vec![shard(0, 0, false, Some(("a", "d"))), shard(0, 1, true, Some(("d", "e"))), shard(1, 0, true, None)];
        assert_eq!(check(overlapping).unwrap_err(), "shard 1 of lane 0 overlaps another or leaves its lane");
        let outside = vec![shard(0, 0, true, Some(("a", "n"))), shard(1, 0, true, None)];
        assert_eq!(check(outside).unwrap_err(), "shard 0 of lane 0 overlaps another or leaves its lane");
        let mut foreign = ok();
        foreign[1].0.plan_digest = "other".into();
        assert_eq!(check(foreign).unwrap_err(), "shard 1 of lane 0 was written by another plan");
    }
}
