//! The reading side: objects by ranges, each range with the ETag that the object had when it was looked at, and listings.

use super::{fault, object};
use crate::{
    client::{Answer, Call, CloudClient, Service, To},
    xml,
};
use hyper::Method;
use std::{ops::Range, sync::Arc};
use stocktake_core::{DestinationError, DestinationErrorKind, PendingBytes, RemoteObject, RemoteObjects, ReportKey};
use tokio::task::JoinHandle;

/// The objects of a bucket or container, to be read: in a [`PinnedStore`](stocktake_core::PinnedStore) they are where reports are
/// read from.
#[derive(Clone, Debug)]
pub struct CloudObjects {
    client: Arc<CloudClient>,
    address: String,
}

/// Keys of a page, and where the next one begins.
struct Page {
    keys: Vec<ReportKey>,
    next: Option<String>,
}

impl CloudObjects {
    /// The objects of the client's bucket or container.
    pub fn new(client: Arc<CloudClient>) -> Self {
        let address = client.address();
        Self { client, address }
    }

    fn page_call(&self, prefix: &str, from: Option<&str>) -> Call {
        let call = Call::new("ListObjects", Method::GET, To::Bucket);
        let (call, marker) = match self.client.service() {
            Service::Google { .. } => (call.with_query("list-type", "2"), "continuation-token"),
            Service::Azure { .. } => (call.with_query("restype", "container").with_query("comp", "list"), "marker"),
        };
        let call = if prefix.is_empty() { call } else { call.with_query("prefix", prefix) };
        from.into_iter().fold(call, |call, from| call.with_query(marker, from))
    }

    fn page(&self, answer: &Answer) -> Result<Page, String> {
        let (key, next) = match self.client.service() {
            Service::Google { .. } => ("Key", "NextContinuationToken"),
            Service::Azure { .. } => ("Name", "NextMarker"),
        };
        let mut page = Page { keys: Vec::new(), next: None };
        xml::each_text(&answer.body, |name, text| {
            if name == key {
                // What is no key of a report is no object of one.
                page.keys.extend(ReportKey::try_new(text).ok());
            } else if name == next && !text.is_empty() {
                page.next = Some(text.to_owned());
            }
            false
        })?;
        Ok(page)
    }
}

impl RemoteObjects for CloudObjects {
    fn address(&self) -> &str {
        &self.address
    }

    fn look_at(&self, key: &ReportKey) -> Result<Option<RemoteObject>, DestinationError> {
        match self.client.block_on(self.client.send(&object("HeadObject", Method::HEAD, key))) {
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
        let call = super::object("GetObject", Method::GET, key)
            .with_header("range", format!("bytes={}-{}", range.start, range.end - 1))
            // Google inflates what is said to be deflated unless whoever reads it says that it can do that.
            .with_header("accept-encoding", "gzip");
        let call = match &object.tag {
            Some(tag) => call.with_header("if-match", &**tag),
            None => call,
        };
        let (client, wanted) = (Arc::clone(&self.client), range.end - range.start);
        let task = UnderWay(self.client.handle().spawn(async move {
            let whole = |answer: Answer| {
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
        let (mut from, mut keys) = (None::<String>, Vec::new());
        loop {
            let call = self.page_call(prefix, from.as_deref());
            let page = self.client.block_on(self.client.send_parsed(&call, |answer| self.page(&answer)));
            let page = page.map_err(|error| fault(&prefix, &error))?;
            keys.extend(page.keys);
            match page.next {
                Some(next) if from.as_ref() != Some(&next) => from = Some(next),
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
