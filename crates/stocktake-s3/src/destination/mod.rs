//! A bucket as a destination: objects stream out by multipart upload and become visible whole, or not at all.

mod check;
mod remains;
mod store;
mod upload;

pub use store::S3Objects;

use crate::{
    client::{Call, S3Client},
    error::S3Error,
};
use hyper::Method;
use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};
use stocktake_core::{
    Destination, DestinationError, DestinationErrorKind, Existing, ObjectAttributes, PendingObject, ReportKey,
    ReportStore, ServerSideEncryption,
};
use upload::S3Upload;

/// Bytes of a part. 10,000 of them, which S3 allows, are 78 GiB.
pub const PART_BYTES: usize = 8 << 20;

/// Smallest part that S3 takes, but for the last.
const PART_BYTES_MIN: usize = 5 << 20;

/// Parts of one object under way at once, beside the one that is filled.
const PARTS_AT_ONCE: usize = 2;

/// The root of a bucket, below which reports are published.
///
/// An object holds at most three parts in memory: one that is filled and two under way.
#[derive(Debug)]
pub struct S3Destination {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    client: Arc<S3Client>,
    encryption: Option<ServerSideEncryption>,
    owner_control: bool,
    part_bytes: usize,
    left_behind: Mutex<Vec<String>>,
}

impl S3Destination {
    /// A destination whose objects give the bucket's owner full control, encrypted as the bucket's own rule says.
    pub fn new(client: Arc<S3Client>) -> Self {
        let left_behind = Mutex::default();
        let shared = Shared { client, encryption: None, owner_control: true, part_bytes: PART_BYTES, left_behind };
        Self { shared: Arc::new(shared) }
    }

    /// Encrypts objects that do not ask for an encryption of their own.
    #[must_use]
    pub fn with_encryption(self, encryption: Option<ServerSideEncryption>) -> Self {
        self.changed(|shared| shared.encryption = encryption)
    }

    /// States whether objects are put with the canned ACL `bucket-owner-full-control`, as S3 itself puts reports.
    #[must_use]
    pub fn with_owner_control(self, owner_control: bool) -> Self {
        self.changed(|shared| shared.owner_control = owner_control)
    }

    /// Uploads parts of so many bytes; less than S3's least are taken for the least, 5 MiB.
    #[must_use]
    pub fn with_part_bytes(self, bytes: usize) -> Self {
        self.changed(|shared| shared.part_bytes = bytes.max(PART_BYTES_MIN))
    }

    /// Uploads that could be neither published nor aborted.
    pub fn left_behind(&self) -> Vec<String> {
        self.shared.left_behind.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tells later, as [`S3Destination::left_behind`] does, also when the destination is out of reach.
    pub fn left_behind_later(&self) -> impl Fn() -> Vec<String> + Send + Sync + use<> {
        let shared = Arc::clone(&self.shared);
        move || shared.left_behind.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn changed(self, change: impl FnOnce(&mut Shared)) -> Self {
        let Shared { client, encryption, owner_control, part_bytes, .. } = &*self.shared;
        let mut shared = Shared {
            client: Arc::clone(client),
            encryption: encryption.clone(),
            owner_control: *owner_control,
            part_bytes: *part_bytes,
            left_behind: Mutex::default(),
        };
        change(&mut shared);
        Self { shared: Arc::new(shared) }
    }
}

impl Destination for S3Destination {
    fn create(
        &self,
        key: &ReportKey,
        attributes: &ObjectAttributes,
    ) -> Result<Box<dyn PendingObject>, DestinationError> {
        Ok(Box::new(S3Upload::new(Arc::clone(&self.shared), key.clone(), attributes.clone())))
    }

    fn remove(&self, key: &ReportKey) -> Result<(), DestinationError> {
        let call = Call::new("DeleteObject", Method::DELETE, Some(key.as_str()));
        match self.shared.client.block_on(self.shared.client.send(&call)) {
            Ok(_) => Ok(()),
            Err(error) if error.status() == Some(404) => Ok(()),
            Err(error) => Err(fault(key, &error)),
        }
    }

    fn buffer_bytes(&self) -> usize {
        self.shared.part_bytes * (1 + PARTS_AT_ONCE)
    }

    fn store(&self) -> Option<&dyn ReportStore> {
        Some(self)
    }

    /// Multipart uploads that were begun. Each key is asked for by itself: some servers list uploads of whole keys only.
    fn remove_remains(&self, keys: &[ReportKey]) -> Result<u64, DestinationError> {
        remains::abort_uploads(&self.shared.client, keys)
    }
}

impl Shared {
    /// The request that begins an object, with all that it is stored with.
    fn with_attributes(&self, call: Call, attributes: &ObjectAttributes, mark: &str) -> Call {
        let mut call = call.with_header("content-type", attributes.content_type).with_header(MARK, mark);
        if self.owner_control {
            call = call.with_header("x-amz-acl", "bucket-owner-full-control");
        }
        match self.encryption_of(attributes) {
            None => call,
            Some(ServerSideEncryption::SseKms { key_id, bucket_key }) => call
                .with_header(SSE, "aws:kms")
                .with_header("x-amz-server-side-encryption-aws-kms-key-id", &**key_id)
                .with_header("x-amz-server-side-encryption-bucket-key-enabled", bucket_key.to_string()),
            Some(_) => call.with_header(SSE, "AES256"),
        }
    }

    fn encryption_of<'a>(&'a self, attributes: &'a ObjectAttributes) -> Option<&'a ServerSideEncryption> {
        attributes.encryption.as_ref().or(self.encryption.as_ref())
    }

    /// Checks that a server encrypts as it was asked to.
    fn check_encryption(&self, attributes: &ObjectAttributes, said: Option<&str>) -> Result<(), String> {
        let asked = match self.encryption_of(attributes) {
            None => return Ok(()),
            Some(ServerSideEncryption::SseKms { .. }) => "aws:kms",
            Some(_) => "AES256",
        };
        match said {
            Some(said) if said == asked => Ok(()),
            said => {
                let said =
                    said.map_or("does not say that it encrypts".to_owned(), |said| format!("encrypts by {said}"));
                Err(format!("encryption by {asked} was asked for, and the server {said}"))
            }
        }
    }
}

/// Says which encryption an object has.
const SSE: &str = "x-amz-server-side-encryption";

/// Tells an object that this upload published from one that was there: an answer may be lost.
const MARK: &str = "x-amz-meta-stocktake-upload";

/// A fault of a request as one of the destination.
fn fault(key: &dyn fmt::Display, error: &S3Error) -> DestinationError {
    let kind = match error.status() {
        Some(404) => DestinationErrorKind::NotFound,
        Some(412) => DestinationErrorKind::AlreadyExists,
        Some(501) => DestinationErrorKind::Unsupported,
        _ => DestinationErrorKind::Io,
    };
    DestinationError::new(kind, key, error.to_string())
}

/// The precondition under which an object is published.
fn conditional(call: Call, existing: Existing) -> Call {
    match existing {
        Existing::Refuse => call.with_header("if-none-match", "*"),
        Existing::Replace => call,
    }
}
