//! Resumable uploads of Google Cloud Storage: parts one after the other, to a URL that stands for the upload.
//!
//! Sources: "Resumable uploads" and "Perform resumable uploads", Google Cloud Storage documentation; the condition of the request that
//! begins an upload holds for the object that ends it.

use super::{PART_BYTES_UNIT, Shared};
use crate::{
    client::{Answer, Call, CloudClient, INCOMPLETE, To},
    error::{Cause, CloudError},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use hyper::Method;
use stocktake_core::ObjectAttributes;

/// An upload that was begun.
pub(super) struct Session {
    url: String,
    /// Bytes of the parts so far.
    bytes: u64,
}

/// Bytes of an upload that are to be sent.
pub(super) struct Part {
    url: String,
    from: u64,
    body: Bytes,
    /// Size of the object, if these are its last bytes.
    total: Option<u64>,
}

impl Session {
    /// Begins the upload of an object.
    pub(super) async fn begin(
        shared: &Shared,
        call: Call,
        attributes: &ObjectAttributes,
        mark: &str,
    ) -> Result<Self, CloudError> {
        let call = call
            .with_header("x-goog-resumable", "start")
            .with_header("content-type", attributes.content_type)
            .with_header(super::GOOGLE_MARK, mark);
        let call = shared.conditional(call, attributes.existing);
        let parse = |answer: Answer| {
            let url = answer.header("location").filter(|url| url.contains("://"));
            url.map(ToOwned::to_owned).ok_or_else(|| "the reply names no upload".to_owned())
        };
        // An attempt whose answer is lost leaves an upload that nobody knows; it lapses within a week.
        let url = shared.client.send_parsed(&call, parse).await?;
        Ok(Self { url, bytes: 0 })
    }

    /// The next part, a multiple of 256 KiB.
    pub(super) fn part(&mut self, body: Bytes) -> Part {
        debug_assert!(body.len().is_multiple_of(PART_BYTES_UNIT), "the server refuses {} bytes", body.len());
        let from = self.bytes;
        self.bytes += body.len() as u64;
        Part { url: self.url.clone(), from, body, total: None }
    }

    /// The last part, which may be empty.
    pub(super) fn last_part(&mut self, body: Bytes) -> Part {
        let part = self.part_of_any_length(body);
        Part { total: Some(self.bytes), ..part }
    }

    fn part_of_any_length(&mut self, body: Bytes) -> Part {
        let from = self.bytes;
        self.bytes += body.len() as u64;
        Part { url: self.url.clone(), from, body, total: None }
    }

    /// Gives the upload up. One that cannot be given up lapses.
    pub(super) async fn cancel(&self, client: &CloudClient) {
        // One attempt: what it would remove is visible to nobody.
        let _ = client.attempt(&Call::new("CancelUpload", Method::DELETE, To::Session(self.url.clone()))).await;
    }
}

impl Part {
    /// Sends the part until the server has all of it. After an attempt that failed the server is asked which byte it wants next.
    ///
    /// Returns, for the last part, the CRC-32C that the server says the object has.
    pub(super) async fn send(mut self, client: &CloudClient) -> Result<Option<u32>, CloudError> {
        let (mut attempts, mut ask) = (0, false);
        loop {
            attempts += 1;
            let fault = |cause| CloudError { operation: "UploadPart", cause, attempts };
            let cause = match client.attempt(&self.call(ask)).await {
                Ok(answer) if answer.status == INCOMPLETE => {
                    let left = self.body.len();
                    self.advance(&answer).map_err(|text| fault(Cause::Malformed(text)))?;
                    if self.body.is_empty() && self.total.is_none() {
                        return Ok(None);
                    }
                    let (progressed, asked) = (self.body.len() < left, std::mem::take(&mut ask));
                    // Each byte that the server takes is progress, and the bytes are bounded.
                    attempts = if progressed { 0 } else { attempts };
                    if progressed || asked && attempts < client.attempts_max() {
                        continue;
                    }
                    Cause::Malformed("the server takes no more bytes".to_owned())
                }
                Ok(answer) if self.total.is_some() => return Ok(crc_of(&answer)),
                Ok(_) => {
                    let text = "the server ends the object in the middle".to_owned();
                    return Err(fault(Cause::Malformed(text)));
                }
                Err(cause) => cause,
            };
            if attempts >= client.attempts_max() || !cause.may_pass() {
                return Err(CloudError { operation: "UploadPart", cause, attempts });
            }
            client.wait(attempts).await;
            ask = true;
        }
    }

    /// The request that sends what is left, or that asks what the server has.
    fn call(&self, ask: bool) -> Call {
        let total = self.total.map_or_else(|| "*".to_owned(), |total| total.to_string());
        let body = if ask { Bytes::new() } else { self.body.clone() };
        let range = match body.len() as u64 {
            0 => format!("bytes */{total}"),
            length => format!("bytes {}-{}/{total}", self.from, self.from + length - 1),
        };
        let call = Call::new("UploadPart", Method::PUT, To::Session(self.url.clone()));
        call.with_header("content-range", range).with_body(body)
    }

    /// Passes over the bytes that the server has.
    fn advance(&mut self, answer: &Answer) -> Result<(), String> {
        let has = match answer.header("range") {
            None => 0,
            Some(range) => {
                let last = range.strip_prefix("bytes=0-").and_then(|last| last.parse::<u64>().ok());
                last.ok_or_else(|| format!("the server says that it has {range:?}"))? + 1
            }
        };
        let end = self.from + self.body.len() as u64;
        if !(self.from..=end).contains(&has) {
            return Err(format!("the server has {has} bytes, and wants none of {}..{end}", self.from));
        }
        let passed = usize::try_from(has - self.from).unwrap_or(self.body.len());
        self.body = self.body.slice(passed..);
        self.from = has;
        Ok(())
    }
}

/// The CRC-32C that an answer tells.
fn crc_of(answer: &Answer) -> Option<u32> {
    let hashes = answer.header("x-goog-hash")?;
    let text = hashes.split(',').find_map(|hash| hash.trim().strip_prefix("crc32c="))?;
    let bytes = BASE64_STANDARD.decode(text).ok()?;
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}
