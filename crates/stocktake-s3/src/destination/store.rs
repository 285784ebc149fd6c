//! The reading side of the destination.

use super::{S3Destination, fault};
use crate::{
    client::{Call, S3Client},
    listing::{ListRequest, Marker},
};
use bytes::{Buf, Bytes};
use hyper::Method;
use std::{
    io::{self, Read},
    ops::Range,
    sync::Arc,
};
use stocktake_core::{DestinationError, DestinationErrorKind, FieldSet, ReportKey, ReportStore, StoredObject};

/// Bytes that are read with one request.
const READ_BYTES: u64 = 4 << 20;

impl ReportStore for S3Destination {
    fn head(&self, key: &ReportKey) -> Result<Option<StoredObject>, DestinationError> {
        let client = &self.shared.client;
        let call = Call::new("HeadObject", Method::HEAD, Some(key.as_str()));
        match client.block_on(client.send(&call)) {
            Ok(answer) => {
                let size = answer.header("content-length").and_then(|size| size.parse().ok());
                let unsaid =
                    || DestinationError::new(DestinationErrorKind::Io, key, "the server does not say its size");
                size.map(|size| Some(StoredObject::new(size))).ok_or_else(unsaid)
            }
            Err(error) if error.status() == Some(404) => Ok(None),
            Err(error) => Err(fault(key, &error)),
        }
    }

    fn open_range(&self, key: &ReportKey, range: Range<u64>) -> Result<Box<dyn Read + Send>, DestinationError> {
        let Some(stored) = self.head(key)? else {
            return Err(DestinationError::new(DestinationErrorKind::NotFound, key, "is not there"));
        };
        if range.start > range.end || range.end > stored.size_bytes {
            let text = format!("has {} bytes, not {}..{}", stored.size_bytes, range.start, range.end);
            return Err(DestinationError::new(DestinationErrorKind::Io, key, text));
        }
        let client = Arc::clone(&self.shared.client);
        Ok(Box::new(RangeReader { client, key: key.clone(), rest: range, buffer: Bytes::new() }))
    }

    fn list(&self, prefix: &str) -> Result<Vec<ReportKey>, DestinationError> {
        let client = &self.shared.client;
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

/// Reads a range piece by piece.
struct RangeReader {
    client: Arc<S3Client>,
    key: ReportKey,
    rest: Range<u64>,
    buffer: Bytes,
}

impl Read for RangeReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.buffer.is_empty() && self.rest.start < self.rest.end && !out.is_empty() {
            let end = self.rest.end.min(self.rest.start + READ_BYTES);
            let call = Call::new("GetObject", Method::GET, Some(self.key.as_str()));
            let call = call.with_header("range", format!("bytes={}-{}", self.rest.start, end - 1));
            let answer = self.client.block_on(self.client.send(&call)).map_err(io::Error::other)?;
            if answer.body.len() as u64 != end - self.rest.start {
                let text = format!("{} gave {} bytes of {}..{end}", self.key, answer.body.len(), self.rest.start);
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, text));
            }
            self.buffer = answer.body;
            self.rest.start = end;
        }
        let length = out.len().min(self.buffer.len());
        self.buffer.copy_to_slice(&mut out[..length]);
        Ok(length)
    }
}
