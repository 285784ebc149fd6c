//! Objects inside envelopes, read back: whole or from anywhere within.

use super::{
    SEGMENT_BYTES, Stream, TAG_BYTES, file_name,
    header::{FRONT_BYTES, Header},
};
use crate::keys::{DataKey, KeyError, KeyService};
use aead_stream::StreamPrimitive;
use std::{
    io::{self, Read},
    ops::Range,
};
use stocktake::{DestinationError, DestinationErrorKind, ENVELOPE_SUFFIX, ReportKey, ReportStore, StoredObject};

/// Reads the objects of a store whose names end in `.enc` as what they hold; others as they are.
///
/// Sizes and ranges are those of the plaintext. Nothing is handed out that was not authenticated.
pub struct EnvelopeStore<'a> {
    store: &'a dyn ReportStore,
    keys: &'a dyn KeyService,
}

/// An envelope whose header was read.
struct Envelope {
    header: Header,
    header_bytes: u64,
    segments: u64,
    stored_bytes: u64,
}

impl<'a> EnvelopeStore<'a> {
    /// The plaintext of a store.
    pub fn new(store: &'a dyn ReportStore, keys: &'a dyn KeyService) -> Self {
        Self { store, keys }
    }

    /// The data key of an object; none if the object is not there.
    pub(super) fn data_key(&self, key: &ReportKey) -> Result<Option<DataKey>, DestinationError> {
        let Some(stored) = self.store.head(key)? else { return Ok(None) };
        let envelope = self.open(key, stored.size_bytes)?;
        envelope.header.data_key(self.keys).map(Some).map_err(|error| broken(key, &error))
    }

    fn open(&self, key: &ReportKey, stored_bytes: u64) -> Result<Envelope, DestinationError> {
        let front = self.read(key, 0..FRONT_BYTES as u64, stored_bytes)?;
        let length = Header::length(&front).map_err(|error| broken(key, &error))?;
        let header_bytes = (FRONT_BYTES + length) as u64;
        let header =
            Header::read(self.read(key, 0..header_bytes, stored_bytes)?).map_err(|error| broken(key, &error))?;
        let content = stored_bytes - header_bytes;
        let segments = content.div_ceil((SEGMENT_BYTES + TAG_BYTES) as u64);
        if content < segments.max(1) * TAG_BYTES as u64 {
            return Err(broken(key, &KeyError::new("the envelope is cut off")));
        }
        Ok(Envelope { header, header_bytes, segments, stored_bytes })
    }

    fn read(&self, key: &ReportKey, range: Range<u64>, stored_bytes: u64) -> Result<Vec<u8>, DestinationError> {
        if range.end > stored_bytes {
            return Err(broken(key, &KeyError::new("is not an envelope")));
        }
        let mut bytes = Vec::new();
        let wanted = range.end - range.start;
        let read = self.store.open_range(key, range)?.take(wanted).read_to_end(&mut bytes);
        let read = read.map_err(|error| DestinationError::io(key, "the envelope cannot be read", error))?;
        if read as u64 == wanted { Ok(bytes) } else { Err(broken(key, &KeyError::new("the envelope is cut off"))) }
    }
}

impl Envelope {
    fn plain_bytes(&self) -> u64 {
        self.stored_bytes - self.header_bytes - self.segments * TAG_BYTES as u64
    }
}

fn broken(key: &ReportKey, error: &KeyError) -> DestinationError {
    DestinationError::new(DestinationErrorKind::Io, key, error.to_string())
}

impl ReportStore for EnvelopeStore<'_> {
    fn head(&self, key: &ReportKey) -> Result<Option<StoredObject>, DestinationError> {
        match self.store.head(key)? {
            Some(stored) if key.as_str().ends_with(ENVELOPE_SUFFIX) => {
                Ok(Some(StoredObject::new(self.open(key, stored.size_bytes)?.plain_bytes())))
            }
            stored => Ok(stored),
        }
    }

    fn open_range(&self, key: &ReportKey, range: Range<u64>) -> Result<Box<dyn Read + Send>, DestinationError> {
        if !key.as_str().ends_with(ENVELOPE_SUFFIX) {
            return self.store.open_range(key, range);
        }
        let stored = self.store.head(key)?;
        let stored =
            stored.ok_or_else(|| DestinationError::new(DestinationErrorKind::NotFound, key, "is not there"))?;
        let envelope = self.open(key, stored.size_bytes)?;
        if range.start > range.end || range.end > envelope.plain_bytes() {
            let text = format!("has {} bytes, not {}..{}", envelope.plain_bytes(), range.start, range.end);
            return Err(DestinationError::new(DestinationErrorKind::Io, key, text));
        }
        let stream = envelope
            .header
            .unwrap(self.keys)
            .and_then(|data_key| envelope.header.stream(&data_key, file_name(key.as_str())))
            .map_err(|error| broken(key, &error))?;
        // Reading at the very end begins in the last segment, which is there to be authenticated.
        let first = (range.start / SEGMENT_BYTES as u64).min(envelope.segments - 1);
        let start = envelope.header_bytes + first * (SEGMENT_BYTES + TAG_BYTES) as u64;
        let sealed = self.store.open_range(key, start..envelope.stored_bytes)?;
        let skipped = range.start - first * SEGMENT_BYTES as u64;
        let reader = EnvelopeReader {
            sealed,
            stream,
            next: first,
            segments: envelope.segments,
            segment: Vec::new(),
            // Below the length of a segment, or of the last one.
            taken: usize::try_from(skipped).unwrap_or(usize::MAX),
            begun: false,
        };
        Ok(Box::new(reader.take(range.end - range.start)))
    }

    fn list(&self, prefix: &str) -> Result<Vec<ReportKey>, DestinationError> {
        self.store.list(prefix)
    }
}

struct EnvelopeReader {
    sealed: Box<dyn Read + Send>,
    stream: Stream,
    next: u64,
    segments: u64,
    segment: Vec<u8>,
    taken: usize,
    begun: bool,
}

impl EnvelopeReader {
    /// Reads and opens the next segment.
    fn advance(&mut self) -> io::Result<()> {
        let last = self.next + 1 == self.segments;
        self.segment.clear();
        let wanted = (SEGMENT_BYTES + TAG_BYTES) as u64;
        let read = self.sealed.by_ref().take(wanted).read_to_end(&mut self.segment)?;
        let position = u32::try_from(self.next).map_err(|_| io::Error::other("an envelope holds 256 TiB"))?;
        let opened = self.stream.decrypt_in_place(position, last, &[], &mut self.segment);
        if opened.is_err() || !last && read as u64 != wanted {
            self.segment.clear();
            let message =
                format!("segment {position} of the envelope does not open: it was changed, or the key is another");
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        self.next += 1;
        Ok(())
    }
}

impl Read for EnvelopeReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.next < self.segments && (!self.begun || self.taken >= self.segment.len()) {
            if self.begun {
                self.taken = 0;
            }
            self.advance()?;
            self.begun = true;
        }
        let rest = self.segment.get(self.taken..).unwrap_or_default();
        let length = rest.len().min(out.len());
        out[..length].copy_from_slice(&rest[..length]);
        self.taken += length;
        Ok(length)
    }
}
