//! A bucket as a source: its key space listed in ranges side by side, its rows delivered in key order.

mod facts;
mod guess;
mod page;
mod request;
mod segments;
mod stream;
mod versions;

pub(crate) use page::Marker;
pub(crate) use request::ListRequest;
pub use segments::ListingCounts;

use crate::{client::S3Client, error::S3Error};
use std::{
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
};
use stocktake_core::{
    Field, FieldSet, LaneDescriptor, ObjectKey, ObjectSource, ObjectStream, Plan, ReadContext, SourceError,
    SourceErrorKind, Versions,
};
use stream::ListingStream;

/// Pages that wait for delivery, in bytes; requests under way are counted in.
const AHEAD_BYTES: usize = 16 << 20;

/// A bucket's keys with a prefix, as its listing gives them.
///
/// One lane; the listing itself is parallel. A run fails unless every range was listed to its end.
#[derive(Debug)]
pub struct S3Source {
    client: Arc<S3Client>,
    prefix: String,
    versions: Versions,
    enriched: bool,
    ahead_bytes: usize,
    counts: Mutex<ListingCounts>,
}

impl S3Source {
    /// The keys that begin with a prefix: with [`Versions::All`] every version and delete marker.
    pub fn new(client: Arc<S3Client>, prefix: impl Into<String>, versions: Versions) -> Self {
        let counts = Mutex::default();
        Self { client, prefix: prefix.into(), versions, enriched: false, ahead_bytes: AHEAD_BYTES, counts }
    }

    /// Asks for each object by itself, for fields that a listing lacks.
    #[must_use]
    pub fn with_enrichment(mut self) -> Self {
        self.enriched = true;
        self
    }

    /// Holds so many bytes of listed rows at most. Default: 16 MiB.
    #[must_use]
    pub fn with_ahead_bytes(mut self, bytes: usize) -> Self {
        self.ahead_bytes = bytes;
        self
    }

    /// What the last reading listed so far.
    pub fn counts(&self) -> ListingCounts {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// One lane; the bucket is asked for its first key, so that a bucket that cannot be listed is known at once.
    fn plan(&self, _lanes: NonZeroU32) -> Result<Plan, SourceError> {
        let request = ListRequest::new(self.prefix.clone(), self.versions == Versions::All, FieldSet::EMPTY);
        let asked = self.client.block_on(request.first_key(&self.client));
        let name = format!("s3://{}/{}", self.client.bucket(), self.prefix);
        asked.map_err(|error| Self::fault(error, &format!("{name} cannot be listed")))?;
        Ok(Plan::whole(name))
    }

    fn open<'a>(
        &'a self,
        lane: &LaneDescriptor,
        after: Option<&ObjectKey>,
        context: &ReadContext,
    ) -> Result<Box<dyn ObjectStream + 'a>, SourceError> {
        if lane.start.is_some() || lane.end.is_some() {
            let text = "a lane of a bucket holds all of its keys; this one does not";
            return Err(SourceError::new(SourceErrorKind::Unsupported, text));
        }
        // The longer of both prefixes, if one begins with the other; rows beyond the report's own are the engine's affair.
        let wanted = context.prefix.as_deref().filter(|prefix| prefix.starts_with(&self.prefix));
        let prefix = wanted.unwrap_or(&self.prefix).to_owned();
        let request = ListRequest::new(prefix, self.versions == Versions::All, context.fields);
        Ok(Box::new(ListingStream::open(self, request, after.map_or("", ObjectKey::as_str), context)?))
    }
}
