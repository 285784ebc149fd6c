//! One object on its way: parts are uploaded while later ones are filled.

use super::{MARK, PARTS_AT_ONCE, SSE, Shared, conditional, fault};
use crate::{
    client::{Answer, Call},
    error::S3Error,
    xml,
};
use bytes::Bytes;
use hyper::Method;
use std::{
    collections::VecDeque,
    fmt::Write as _,
    io::{self, Write},
    sync::{Arc, PoisonError},
};
use stocktake_core::{DestinationError, DestinationErrorKind, ObjectAttributes, PendingObject, ReportKey};
use tokio::task::JoinHandle;

/// Most parts of an upload.
const PARTS_MAX: u32 = 10_000;

/// An object that is being uploaded; dropped, its upload is aborted.
pub(super) struct S3Upload {
    shared: Arc<Shared>,
    key: ReportKey,
    attributes: ObjectAttributes,
    mark: String,
    buffer: Vec<u8>,
    upload_id: Option<String>,
    under_way: VecDeque<JoinHandle<Result<Answer, S3Error>>>,
    /// ETags of parts, in order.
    parts: Vec<String>,
    begun: u32,
}

impl S3Upload {
    pub(super) fn new(shared: Arc<Shared>, key: ReportKey, attributes: ObjectAttributes) -> Self {
        let mut random = [0; 16];
        // Without random numbers a lost answer is taken for a refusal, which fails the run; nothing worse.
        let _ = getrandom::fill(&mut random);
        let mark = random.iter().fold(String::new(), |mut mark, byte| {
            let _ = write!(mark, "{byte:02x}");
            mark
        });
        let (buffer, under_way) = (Vec::new(), VecDeque::new());
        Self { shared, key, attributes, mark, buffer, upload_id: None, under_way, parts: Vec::new(), begun: 0 }
    }

    fn call(&self, operation: &'static str, method: Method) -> Call {
        Call::new(operation, method, Some(self.key.as_str()))
    }

    fn fault(&self, error: &S3Error) -> DestinationError {
        fault(&self.key, error)
    }

    /// Begins the upload, if it has not begun.
    fn begin(&mut self) -> Result<String, DestinationError> {
        if let Some(id) = &self.upload_id {
            return Ok(id.clone());
        }
        let call = self.call("CreateMultipartUpload", Method::POST).with_query("uploads", "");
        let call = self.shared.with_attributes(call, &self.attributes, &self.mark);
        let parse = |answer: Answer| {
            let id = xml::text_of(&answer.body, "UploadId").filter(|id| !id.is_empty());
            id.map(|id| (id, answer)).ok_or_else(|| "the reply names no upload".to_owned())
        };
        let client = &self.shared.client;
        let (id, answer) = client.block_on(client.send_parsed(&call, parse)).map_err(|error| self.fault(&error))?;
        self.upload_id = Some(id.clone());
        self.check_encryption(&answer)?;
        Ok(id)
    }

    fn check_encryption(&self, answer: &Answer) -> Result<(), DestinationError> {
        self.shared
            .check_encryption(&self.attributes, answer.header(SSE))
            .map_err(|text| DestinationError::new(DestinationErrorKind::Unsupported, &self.key, text))
    }

    /// Sends the buffer as the next part.
    fn send_part(&mut self) -> Result<(), DestinationError> {
        let id = self.begin()?;
        while self.under_way.len() >= PARTS_AT_ONCE {
            self.await_part()?;
        }
        if self.begun == PARTS_MAX {
            let text = format!("an object has at most {PARTS_MAX} parts of {} bytes", self.shared.part_bytes);
            return Err(DestinationError::new(DestinationErrorKind::Unsupported, &self.key, text));
        }
        self.begun += 1;
        let call = self
            .call("UploadPart", Method::PUT)
            .with_query("partNumber", self.begun.to_string())
            .with_query("uploadId", id)
            .with_body(Bytes::from(std::mem::take(&mut self.buffer)));
        let client = Arc::clone(&self.shared.client);
        let send = async move { client.send(&call).await };
        self.under_way.push_back(self.shared.client.handle().spawn(send));
        Ok(())
    }

    /// Waits for the part that was sent first.
    fn await_part(&mut self) -> Result<(), DestinationError> {
        let Some(part) = self.under_way.pop_front() else { return Ok(()) };
        let text = |text: &str| DestinationError::new(DestinationErrorKind::Io, &self.key, text);
        let answer = self.shared.client.block_on(part).map_err(|_| text("the upload of a part was lost"))?;
        let answer = answer.map_err(|error| self.fault(&error))?;
        let e_tag = answer.header("etag").ok_or_else(|| text("the reply to a part has no ETag"))?;
        self.parts.push(e_tag.to_owned());
        Ok(())
    }

    fn publish_whole(&mut self) -> Result<(), DestinationError> {
        let call = self.call("PutObject", Method::PUT);
        let call = self.shared.with_attributes(call, &self.attributes, &self.mark);
        let call = conditional(call, self.attributes.existing).with_body(Bytes::from(std::mem::take(&mut self.buffer)));
        let client = &self.shared.client;
        match client.block_on(client.send(&call)) {
            Ok(answer) => self.check_encryption(&answer).inspect_err(|_| {
                // It is visible and must not be: what it was asked for was not done. The first error is the one to tell.
                let removal = self.call("DeleteObject", Method::DELETE);
                let _ = client.block_on(client.send(&removal));
            }),
            Err(error) => self.unless_published(error),
        }
    }

    fn publish_parts(&mut self, id: &str) -> Result<(), DestinationError> {
        if !self.buffer.is_empty() {
            self.send_part()?;
        }
        while !self.under_way.is_empty() {
            self.await_part()?;
        }
        let mut body = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">".to_owned();
        for (number, e_tag) in (1u32..).zip(&self.parts) {
            let e_tag = e_tag.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
            // Writing to a string does not fail.
            let _ = write!(body, "<Part><PartNumber>{number}</PartNumber><ETag>{e_tag}</ETag></Part>");
        }
        body.push_str("</CompleteMultipartUpload>");
        let call = self.call("CompleteMultipartUpload", Method::POST).with_query("uploadId", id);
        let call = conditional(call, self.attributes.existing).with_header("content-type", "application/xml");
        let call = call.with_body(Bytes::from(body));
        let client = &self.shared.client;
        let completed = client.block_on(client.send(&call));
        let published = match completed {
            Ok(_) => Ok(()),
            Err(error) => self.unless_published(error),
        };
        if published.is_ok() {
            self.upload_id = None;
        }
        published
    }

    /// A refusal of a later attempt may only say that an earlier one, whose answer was lost, had its effect.
    fn unless_published(&self, error: S3Error) -> Result<(), DestinationError> {
        if error.attempts > 1 && matches!(error.status(), Some(404 | 412)) {
            let client = &self.shared.client;
            let head = client.block_on(client.send(&self.call("HeadObject", Method::HEAD)));
            if head.is_ok_and(|answer| answer.header(MARK) == Some(self.mark.as_str())) {
                return Ok(());
            }
        }
        Err(match error.status() {
            Some(412) => DestinationError::new(DestinationErrorKind::AlreadyExists, &self.key, "exists already"),
            _ => self.fault(&error),
        })
    }
}

impl Write for S3Upload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.shared.part_bytes - self.buffer.len();
        let taken = bytes.len().min(room);
        if self.buffer.len() + taken > self.buffer.capacity() {
            // Doubled at most, and never beyond a part.
            let capacity = (2 * self.buffer.len()).max(self.buffer.len() + taken).min(self.shared.part_bytes);
            self.buffer.reserve_exact(capacity - self.buffer.len());
        }
        self.buffer.extend_from_slice(&bytes[..taken]);
        if self.buffer.len() == self.shared.part_bytes {
            self.send_part().map_err(io::Error::other)?;
        }
        Ok(taken)
    }

    /// What is buffered stays so: a part must not be short, and nothing is durable before publication.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl PendingObject for S3Upload {
    fn publish(mut self: Box<Self>) -> Result<(), DestinationError> {
        match self.upload_id.clone() {
            None => self.publish_whole(),
            Some(id) => self.publish_parts(&id),
        }
    }
}

impl Drop for S3Upload {
    fn drop(&mut self) {
        let Some(id) = self.upload_id.take() else { return };
        let client = &self.shared.client;
        for part in self.under_way.drain(..) {
            part.abort();
            // Whether it was cut off or not: it is not under way any more.
            let _ = client.block_on(part);
        }
        let call =
            Call::new("AbortMultipartUpload", Method::DELETE, Some(self.key.as_str())).with_query("uploadId", &id);
        match client.block_on(client.send(&call)) {
            Ok(_) => {}
            Err(error) if error.status() == Some(404) => {}
            Err(error) => {
                let text = format!("the multipart upload {id} of {}: {error}", self.key);
                self.shared.left_behind.lock().unwrap_or_else(PoisonError::into_inner).push(text);
            }
        }
    }
}
