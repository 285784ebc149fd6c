//! Multipart uploads that killed writers left: found by their key, and aborted.

use super::{S3Destination, fault};
use crate::{
    client::{Answer, Call, S3Client},
    error::S3Error,
    xml::{self, Step},
};
use hyper::Method;
use std::{collections::VecDeque, sync::Arc};
use stocktake_core::{DestinationError, DestinationErrorKind, ReportKey};

/// Most pages of one key's uploads: each has up to 1,000, and a key has one for each time that its writer was killed.
const PAGES_MAX: u32 = 100;

/// Keys that are asked for at the same time.
const KEYS_AT_ONCE: usize = 16;

/// Aborts the uploads of keys; returns how many there were. A server that knows no such listing has none to tell of.
pub(super) fn abort_uploads(client: &Arc<S3Client>, keys: &[ReportKey]) -> Result<u64, DestinationError> {
    let (mut waiting, mut under_way) = (keys.iter(), VecDeque::new());
    let mut aborted = 0;
    loop {
        for key in waiting.by_ref().take(KEYS_AT_ONCE - under_way.len()) {
            let (client, key) = (Arc::clone(client), key.clone());
            under_way.push_back(client.handle().spawn(abort(Arc::clone(&client), key)));
        }
        let Some(first) = under_way.pop_front() else { return Ok(aborted) };
        let lost = || DestinationError::new(DestinationErrorKind::Io, "uploads", "the look at them was lost");
        aborted += client.block_on(first).map_err(|_| lost())??;
    }
}

/// Aborts the uploads of a key.
async fn abort(client: Arc<S3Client>, key: ReportKey) -> Result<u64, DestinationError> {
    let mut aborted = 0;
    for _ in 0..PAGES_MAX {
        let listed = client.send_parsed(&listing(key.as_str()), |answer| ids(&answer, key.as_str())).await;
        let ids = match listed {
            Err(error) if error.status() == Some(501) => return Ok(aborted),
            Err(error) => return Err(fault(&key, &error)),
            Ok(ids) if ids.is_empty() => return Ok(aborted),
            Ok(ids) => ids,
        };
        for id in ids {
            let abort = Call::new("AbortMultipartUpload", Method::DELETE, Some(key.as_str()));
            match client.send(&abort.with_query("uploadId", &id)).await {
                Ok(_) => aborted += 1,
                // Completed or aborted since it was listed.
                Err(error) if error.status() == Some(404) => {}
                Err(error) => return Err(fault(&key, &error)),
            }
        }
    }
    let text = format!("uploads that were aborted are still listed, {PAGES_MAX} times");
    Err(DestinationError::new(DestinationErrorKind::Io, &key, text))
}

impl S3Destination {
    /// Tries whether uploads can be listed.
    pub(super) fn list_uploads(&self, key: &ReportKey) -> Result<Answer, S3Error> {
        self.shared.client.block_on(self.shared.client.send(&listing(key.as_str())))
    }
}

fn listing(key: &str) -> Call {
    Call::new("ListMultipartUploads", Method::GET, None).with_query("uploads", "").with_query("prefix", key)
}

/// Ids of the uploads of exactly this key.
fn ids(answer: &Answer, wanted: &str) -> Result<Vec<String>, String> {
    let (mut key, mut id, mut ids) = (String::new(), String::new(), Vec::new());
    xml::walk(&answer.body, |step| {
        match step {
            Step::Close { depth: 3, name: "Key", text } => text.clone_into(&mut key),
            Step::Close { depth: 3, name: "UploadId", text } => text.clone_into(&mut id),
            Step::Close { depth: 2, name: "Upload", .. } => {
                let id = std::mem::take(&mut id);
                if std::mem::take(&mut key) == wanted && !id.is_empty() {
                    ids.push(id);
                }
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(ids)
}
