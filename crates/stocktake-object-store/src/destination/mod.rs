//! A bucket or container as a destination: objects stream out in parts and become visible whole, or not at all.

mod blocks;
mod check;
mod objects;
mod session;
mod upload;

pub use objects::CloudObjects;

use crate::{
    client::{Call, CloudClient, Service, To},
    error::CloudError,
};
use hyper::Method;
use std::{fmt, io::Read, ops::Range, sync::Arc};
use stocktake_core::{
    Destination, DestinationError, DestinationErrorKind, Existing, ObjectAttributes, PendingObject, RemoteObjects,
    ReportKey, ReportStore, StoredObject, open_remote_range,
};
use upload::CloudUpload;

/// Bytes of a part, a multiple of what Google asks for. Azure's 50,000 blocks of them are 390 GiB.
pub const PART_BYTES: usize = 8 << 20;

/// What the length of a part of Google's must be a multiple of.
const PART_BYTES_UNIT: usize = 256 << 10;

/// Blocks of one object under way at once, beside the part that is filled. Google takes one part after the other.
const BLOCKS_AT_ONCE: usize = 2;

/// The root of a bucket or container, below which reports are published.
///
/// An object holds at most three parts in memory: one that is filled and two under way; with Google two.
///
/// What a killed or failed upload sent is visible to nobody and lapses by itself within a week: [`Destination::remove_remains`] has
/// nothing to remove.
#[derive(Debug)]
pub struct CloudDestination {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    client: Arc<CloudClient>,
    part_bytes: usize,
}

impl CloudDestination {
    /// A destination whose objects are encrypted as the bucket's or the account's own rule says.
    pub fn new(client: Arc<CloudClient>) -> Self {
        Self { shared: Arc::new(Shared { client, part_bytes: PART_BYTES }) }
    }

    /// Uploads parts of so many bytes, rounded up to a multiple of 256 KiB, as Google asks for.
    #[must_use]
    pub fn with_part_bytes(self, bytes: usize) -> Self {
        let part_bytes = bytes.max(1).next_multiple_of(PART_BYTES_UNIT);
        Self { shared: Arc::new(Shared { client: Arc::clone(&self.shared.client), part_bytes }) }
    }

    fn objects(&self) -> CloudObjects {
        CloudObjects::new(Arc::clone(&self.shared.client))
    }
}

impl Destination for CloudDestination {
    fn create(
        &self,
        key: &ReportKey,
        attributes: &ObjectAttributes,
    ) -> Result<Box<dyn PendingObject>, DestinationError> {
        attributes.refuse_encryption(key)?;
        Ok(Box::new(CloudUpload::new(Arc::clone(&self.shared), key.clone(), attributes.clone())))
    }

    fn remove(&self, key: &ReportKey) -> Result<(), DestinationError> {
        let client = &self.shared.client;
        match client.block_on(client.send(&delete(key))) {
            Ok(_) => Ok(()),
            Err(error) if error.status() == Some(404) => Ok(()),
            Err(error) => Err(fault(key, &error)),
        }
    }

    fn buffer_bytes(&self) -> usize {
        self.shared.part_bytes * (1 + self.shared.at_once())
    }

    fn store(&self) -> Option<&dyn ReportStore> {
        Some(self)
    }
}

impl ReportStore for CloudDestination {
    fn head(&self, key: &ReportKey) -> Result<Option<StoredObject>, DestinationError> {
        Ok(self.objects().look_at(key)?.map(|object| StoredObject::new(object.size_bytes)))
    }

    fn open_range(&self, key: &ReportKey, range: Range<u64>) -> Result<Box<dyn Read + Send>, DestinationError> {
        open_remote_range(&Arc::new(self.objects()), key, range)
    }

    fn list(&self, prefix: &str) -> Result<Vec<ReportKey>, DestinationError> {
        self.objects().list(prefix)
    }
}

impl Shared {
    /// Parts of an object under way at once.
    fn at_once(&self) -> usize {
        match self.client.service() {
            Service::Google { .. } => 1,
            Service::Azure { .. } => BLOCKS_AT_ONCE,
        }
    }

    /// The request that puts an object whole, without its body.
    fn put_whole(&self, key: &ReportKey, attributes: &ObjectAttributes, mark: &str) -> Call {
        let call = object("PutObject", Method::PUT, key).with_header("content-type", attributes.content_type);
        match self.client.service() {
            Service::Google { .. } => self.conditional(call, attributes.existing).with_header(GOOGLE_MARK, mark),
            Service::Azure { .. } => self
                .conditional(call, attributes.existing)
                .with_header("x-ms-blob-type", "BlockBlob")
                .with_header(AZURE_MARK, mark),
        }
    }

    /// The precondition under which an object is published.
    fn conditional(&self, call: Call, existing: Existing) -> Call {
        match (existing, self.client.service()) {
            (Existing::Replace, _) => call,
            (Existing::Refuse, Service::Google { .. }) => call.with_header("x-goog-if-generation-match", "0"),
            (Existing::Refuse, Service::Azure { .. }) => call.with_header("if-none-match", "*"),
        }
    }

    /// Whether the object of a key is the one that an upload with this mark published.
    async fn is_marked(&self, key: &ReportKey, mark: &str) -> bool {
        let head = self.client.send(&object("HeadObject", Method::HEAD, key)).await;
        head.is_ok_and(|answer| [GOOGLE_MARK, AZURE_MARK].iter().any(|name| answer.header(name) == Some(mark)))
    }
}

/// Tell an object that this upload published from one that was there: an answer may be lost. Names of Azure's metadata are names in
/// C#, which have no hyphens.
const GOOGLE_MARK: &str = "x-goog-meta-stocktake-upload";
const AZURE_MARK: &str = "x-ms-meta-stocktake_upload";

fn object(operation: &'static str, method: Method, key: &ReportKey) -> Call {
    Call::new(operation, method, To::Object(key.as_str().to_owned()))
}

fn delete(key: &ReportKey) -> Call {
    object("DeleteObject", Method::DELETE, key)
}

/// Whether a refusal says that the key is taken: Google's answer to an unmet condition, and the two of Azure's.
fn is_taken(error: &CloudError) -> bool {
    error.status() == Some(412) || error.status() == Some(409) && error.code() == "BlobAlreadyExists"
}

/// A fault of a request as one of the destination.
fn fault(key: &dyn fmt::Display, error: &CloudError) -> DestinationError {
    let kind = match error.status() {
        Some(404) => DestinationErrorKind::NotFound,
        _ if is_taken(error) => DestinationErrorKind::AlreadyExists,
        _ => DestinationErrorKind::Io,
    };
    DestinationError::new(kind, key, error.to_string())
}
