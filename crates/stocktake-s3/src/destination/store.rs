//! The reading side: objects of a bucket, by ranges, each range with the ETag that the object had when it was looked at.

use super::{S3Destination, fault};
use crate::{
    client::{Call, S3Client},
    listing::{ListRequest, Marker},
};
use hyper::Method;
use std::{io::Read, ops::Range, sync::Arc};
use stocktake_core::{
    DestinationError, DestinationErrorKind, FieldSet, PendingBytes, RemoteObject, RemoteObjects, ReportKey,
    ReportStore, StoredObject, open_remote_range,
};
use tokio::task::JoinHandle;

/// The objects of a bucket, to be read: in a [`PinnedStore`](stocktake_core::PinnedStore) they are where reports are read from.
#[derive(Clone, Debug)]
pub struct S3Objects {
    client: Arc<S3Client>,
    address: String,
}

impl S3Objects {
    /// The objects of the client's bucket.
    pub fn new(client: Arc<S3Client>) -> Self {
        let address = format!("s3://{}", client.bucket());
        Self { client, address }
    }
}

impl RemoteObjects for S3Objects {
    fn address(&self) -> &str {
        &self.address
    }

    fn look_at(&self, key: &ReportKey) -> Result<Option<RemoteObject>, DestinationError> {
        let call = Call::new("HeadObject", Method::HEAD, Some(key.as_str()));
        match self.client.block_on(self.client.send(&call)) {
            Ok(answer) => {
                let size = answer.header("content-length").and_then(|size| size.parse().ok());
                let unsaid =
                    || DestinationError::new(DestinationErrorKind::Io, key, "the server does not say its size");
                let tag = answer.header("etag").map(Into::into);
                size.map(|size| Some(RemoteObject::new(size, tag))).ok_or_else(unsaid)
            }
            Err(error) if error.status() == Some(404) => Ok(None),
            Err(error) => Err(fault(key, &error)),
        }
    }

    fn request(&self, key: &ReportKey, object: &RemoteObject, range: Range<u64>) -> PendingBytes {
        let call = Call::new("GetObject", Method::GET, Some(key.as_str()))
            .with_header("range", format!("bytes={}-{}", range.start, range.end - 1));
        let call = match &object.tag {
            Some(tag) => call.with_header("if-match", &**tag),
            None => call,
        };
        let (client, wanted) = (Arc::clone(&self.client), range.end - range.start);
        let task = UnderWay(self.client.handle().spawn(async move {
            let whole = |answer: crate::client::Answer| {
                // A server that knows no ranges gives the whole object, which may be larger than memory.
                let length = answer.body.len() as u64;
                let short = || format!("the answer has {length} bytes of {wanted}");
                if length == wanted { Ok(Vec::from(answer.body)) } else { Err(short()) }
            };
            client.send_parsed(&call, whole).await
        }));
        let client = Arc::clone(&self.client);
        Box::new(move || {
            let mut task = task;
            let answer = client.block_on(&mut task.0).map_err(|_| "GetObject: the request was lost".to_owned())?;
            answer.map_err(|error| match error.status() {
                Some(412) => format!("the object was changed since it was first looked at ({error})"),
                _ => error.to_string(),
            })
        })
    }

    fn list(&self, prefix: &str) -> Result<Vec<ReportKey>, DestinationError> {
        let client = &self.client;
        let request = ListRequest::new(prefix.to_owned(), false, FieldSet::EMPTY);
        let (mut from, mut keys) = (Marker::Behind(String::new()), Vec::new());
        loop {
            let page = client.block_on(client.send_parsed(&request.call(&from), |answer| request.parse(&answer)));
            let mut page = page.map_err(|error| fault(&prefix, &error))?;
            // What is no key of a report is no object of one.
            keys.extend((0..page.len()).filter_map(|row| ReportKey::try_new(page.key(row)).ok()));
            match page.next.take() {
                Some(next) if next != from => from = next,
                Some(_) => {
                    let text = "a page of the listing begins where the one before began";
                    return Err(DestinationError::new(DestinationErrorKind::Io, prefix, text));
                }
                None => break,
            }
        }
        keys.sort_unstable();
        Ok(keys)
    }
}

/// A request that is given up when nobody waits for it any more.
struct UnderWay<T>(JoinHandle<T>);

impl<T> Drop for UnderWay<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl S3Destination {
    fn objects(&self) -> S3Objects {
        S3Objects::new(Arc::clone(&self.shared.client))
    }
}

impl ReportStore for S3Destination {
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
