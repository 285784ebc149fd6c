//! A bucket as a source: its key space listed in ranges side by side, its rows delivered in key order.

mod facts;
mod guess;
mod lanes;
mod page;
mod parser;
mod request;
mod segments;
mod spill;
mod stream;
mod versions;

pub(crate) use page::Marker;
pub(crate) use request::ListRequest;
pub use segments::ListingCounts;

use crate::{client::S3Client, error::S3Error};
use std::{
    collections::BTreeMap,
    num::{NonZeroU32, NonZeroUsize},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};
use stocktake_core::{
    Field, FieldSet, LaneDescriptor, ObjectKey, ObjectSource, ObjectStream, PARTITIONS_MAX, Plan, ReadContext,
    SourceError, SourceErrorKind, Versions,
};
use stream::{ListingStream, Span};

/// Pages that wait for delivery, in bytes; requests under way are counted in.
const AHEAD_BYTES: usize = 16 << 20;

/// What was listed, by lane.
type LaneCounts = BTreeMap<u32, ListingCounts>;

/// A bucket's keys with a prefix, as its listing gives them.
///
/// The listing of a lane is parallel in itself. A run fails unless every range was listed to its end.
#[derive(Debug)]
pub struct S3Source {
    client: Arc<S3Client>,
    prefix: String,
    versions: Versions,
    enriched: bool,
    ahead_bytes: usize,
    temp_dir: PathBuf,
    counts: Arc<Mutex<LaneCounts>>,
}

impl S3Source {
    /// The keys that begin with a prefix: with [`Versions::All`] every version and delete marker.
    pub fn new(client: Arc<S3Client>, prefix: impl Into<String>, versions: Versions) -> Self {
        let (counts, temp_dir) = (Arc::default(), std::env::temp_dir());
        Self { client, prefix: prefix.into(), versions, enriched: false, ahead_bytes: AHEAD_BYTES, temp_dir, counts }
    }

    /// Asks for each object by itself, for fields that a listing lacks.
    #[must_use]
    pub fn with_enrichment(mut self) -> Self {
        self.enriched = true;
        self
    }

    /// Holds so many bytes of listed rows at most, shared by the lanes that are read at once. Default: 16 MiB.
    #[must_use]
    pub fn with_ahead_bytes(mut self, bytes: usize) -> Self {
        self.ahead_bytes = bytes;
        self
    }

    /// Sorts the versions of a key that has more than 100,000 in this folder, on a file without a name of about a hundred bytes a
    /// version. Default: the system's folder for temporary files.
    #[must_use]
    pub fn with_temp_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.temp_dir = folder.into();
        self
    }

    /// What the last reading listed so far, of all lanes.
    pub fn counts(&self) -> ListingCounts {
        self.counts_later()()
    }

    /// Tells later, as [`S3Source::counts`] does, also when the source is out of reach.
    pub fn counts_later(&self) -> impl Fn() -> ListingCounts + Send + Sync + use<> {
        let (counts, client) = (Arc::clone(&self.counts), Arc::clone(&self.client));
        move || {
            let lanes = counts.lock().unwrap_or_else(PoisonError::into_inner);
            let sum = lanes.values().fold(ListingCounts::default(), |sum, lane| sum.with(lane));
            ListingCounts { signing: client.signing_time(), ..sum }
        }
    }

    /// Two sources of the same keys; the second asks for no object by itself. Together half as much may wait as for one: each has
    /// batches of its own besides.
    pub(crate) fn twice(mut self) -> (Self, Self) {
        self.ahead_bytes /= 4;
        let second = Self::new(Arc::clone(&self.client), &*self.prefix, self.versions);
        let second = second.with_ahead_bytes(self.ahead_bytes).with_temp_dir(&self.temp_dir);
        (self, second)
    }

    fn note_counts(&self, lane: u32, counts: ListingCounts) {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).insert(lane, counts);
    }

    /// Fields that only asking for each object by itself gives.
    pub fn enriched_fields() -> FieldSet {
        facts::FIELDS.iter().copied().collect()
    }

    fn listed_fields(&self) -> FieldSet {
        let listed = [
            Field::Size,
            Field::LastModifiedDate,
            Field::ETag,
            Field::StorageClass,
            Field::IsMultipartUploaded,
            Field::ChecksumAlgorithm,
            Field::ObjectOwner,
        ];
        let fields = listed.into_iter().collect::<FieldSet>().union(FieldSet::REQUIRED);
        match self.versions {
            Versions::Current => fields,
            Versions::All => fields.union(FieldSet::VERSION_FIELDS),
        }
    }

    /// The bucket and its prefix, as plans name them.
    fn name(&self) -> String {
        format!("s3://{}/{}", self.client.bucket(), self.prefix)
    }

    /// Asks for the first key, so that a bucket that cannot be listed is known at once.
    fn check_listable(&self) -> Result<(), SourceError> {
        let listed = self.client.block_on(self.bare_request().first_key(&self.client));
        listed.map_err(|error| self.refused(error))
    }

    fn bare_request(&self) -> ListRequest {
        ListRequest::new(self.prefix.clone(), self.versions == Versions::All, FieldSet::EMPTY)
    }

    fn refused(&self, error: S3Error) -> SourceError {
        Self::fault(error, &format!("{} cannot be listed", self.name()))
    }

    fn fault(error: S3Error, what: &str) -> SourceError {
        let kind = if error.is_malformed() { SourceErrorKind::Malformed } else { SourceErrorKind::Unreadable };
        SourceError::new(kind, format!("{what}: {error}"))
    }
}

impl ObjectSource for S3Source {
    fn provides(&self) -> FieldSet {
        let more = if self.enriched { Self::enriched_fields() } else { FieldSet::EMPTY };
        self.listed_fields().union(more)
    }

    /// The bucket is asked for its first key, so that a bucket that cannot be listed is known at once. More than one lane
    /// costs up to 256 requests, which look for keys between which about as many others stand.
    fn plan(&self, lanes: NonZeroU32) -> Result<Plan, SourceError> {
        self.check_listable()?;
        let boundaries = match lanes.get() as usize {
            1 => Vec::new(),
            lanes => {
                let found = self.client.block_on(lanes::boundaries(&self.client, &self.bare_request(), lanes));
                found.map_err(|error| self.refused(error))?
            }
        };
        if boundaries.is_empty() {
            return Ok(Plan::whole(self.name()));
        }
        // Each lane knows how many there are, so that together they hold and ask no more than one would.
        let tokens = vec![Some(format!("{}", boundaries.len() + 1)); boundaries.len() + 1];
        let split = Plan::split(self.name(), boundaries, tokens);
        split.map_err(|error| SourceError::new(SourceErrorKind::Order, format!("lanes cannot be told apart: {error}")))
    }

    /// The plan that was begun, if it is of these keys and has no more lanes than are asked for: keys between which a bucket was cut
    /// are not looked for again.
    fn plan_again(&self, begun: &Plan, lanes: NonZeroU32) -> Result<Plan, SourceError> {
        let asked = usize::try_from(lanes.get()).unwrap_or(usize::MAX);
        let ends = begun.lanes().iter().filter_map(|lane| lane.end.as_ref());
        if begun.source() == self.name()
            && begun.lanes().len() <= asked
            && ends.map(lanes::key_of).all(|key| key.is_ok())
        {
            self.check_listable()?;
            return Ok(begun.clone());
        }
        self.plan(lanes)
    }

    fn open<'a>(
        &'a self,
        lane: &LaneDescriptor,
        after: Option<&ObjectKey>,
        context: &ReadContext,
    ) -> Result<Box<dyn ObjectStream + 'a>, SourceError> {
        let unsupported = |text| SourceError::new(SourceErrorKind::Unsupported, text);
        let start = lane.start.as_ref().map(lanes::key_of).transpose().map_err(unsupported)?;
        let end = lane.end.as_ref().map(lanes::key_of).transpose().map_err(unsupported)?;
        let lanes = lane.token.as_deref().map_or(Ok(NonZeroUsize::MIN), str::parse).map_err(|_| {
            let text = format!("the lane's note {:?} is none of a bucket's", lane.token.as_deref().unwrap_or_default());
            unsupported(text)
        })?;
        // The longer of both prefixes, if one begins with the other; rows beyond the report's own are the engine's affair.
        let wanted = context.prefix.as_deref().filter(|prefix| prefix.starts_with(&self.prefix));
        let prefix = wanted.unwrap_or(&self.prefix).to_owned();
        let request = ListRequest::new(prefix, self.versions == Versions::All, context.fields);
        let after = after.map_or("", ObjectKey::as_str).max(start.unwrap_or_default());
        let at_once = context.threads.min(lanes).get();
        let span = Span { lane: lane.index, after, until: end, at_once, partitions_max: PARTITIONS_MAX / lanes };
        Ok(Box::new(ListingStream::open(self, request, &span, context)?))
    }
}
