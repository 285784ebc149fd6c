//! An object inside an envelope, being written.

use super::{SEGMENT_BYTES, Stream, TAG_BYTES};
use aead_stream::StreamPrimitive;
use std::io::{self, Write};
use stocktake::{DestinationError, Md5Stream, PendingObject, ReportKey, ShardDigest};

/// Encrypts what is written, a segment at a time, and counts and hashes what the destination accepts of it.
pub(super) struct EnvelopeWriter {
    object: Box<dyn PendingObject>,
    key: ReportKey,
    stream: Stream,
    segment: Vec<u8>,
    position: u32,
    md5: Md5Stream,
    stored_bytes: u64,
    /// Set while a segment is written: were it written in part, nothing that follows could be read.
    broken: bool,
}

impl EnvelopeWriter {
    /// Begins an object by its header.
    pub(super) fn begin(
        object: Box<dyn PendingObject>,
        key: ReportKey,
        header: &[u8],
        stream: Stream,
    ) -> Result<Self, DestinationError> {
        let segment = Vec::with_capacity(SEGMENT_BYTES + TAG_BYTES);
        let (md5, stored_bytes) = (Md5Stream::new(), 0);
        let mut writer = Self { object, key, stream, segment, position: 0, md5, stored_bytes, broken: false };
        let written = writer.store(header);
        written.map_err(|error| DestinationError::io(&writer.key, "the envelope cannot be written", error))?;
        Ok(writer)
    }

    fn store(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.object.write_all(bytes)?;
        self.md5.update(bytes);
        self.stored_bytes += bytes.len() as u64;
        Ok(())
    }

    fn seal(&mut self, last: bool) -> io::Result<()> {
        if self.broken {
            return Err(io::Error::other("the envelope broke off earlier"));
        }
        self.broken = true;
        let position = self.position;
        self.position = position.checked_add(1).ok_or_else(|| io::Error::other("an envelope holds 256 TiB"))?;
        let mut segment = std::mem::take(&mut self.segment);
        self.stream
            .encrypt_in_place(position, last, &[], &mut segment)
            .map_err(|_| io::Error::other("a segment cannot be encrypted"))?;
        self.store(&segment)?;
        segment.clear();
        self.segment = segment;
        self.broken = false;
        Ok(())
    }
}

impl Write for EnvelopeWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full segment waits until more comes, since the last one is sealed as the last.
        if self.segment.len() == SEGMENT_BYTES && !bytes.is_empty() {
            self.seal(false)?;
        }
        let taken = bytes.len().min(SEGMENT_BYTES - self.segment.len());
        self.segment.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    /// Whole segments are with the destination; the one under way cannot be.
    fn flush(&mut self) -> io::Result<()> {
        self.object.flush()
    }
}

impl PendingObject for EnvelopeWriter {
    fn publish(self: Box<Self>) -> Result<(), DestinationError> {
        self.publish_stored().map(|_| ())
    }

    fn publish_stored(mut self: Box<Self>) -> Result<Option<ShardDigest>, DestinationError> {
        let sealed = self.seal(true).and_then(|()| self.object.flush());
        sealed.map_err(|error| DestinationError::io(&self.key, "the envelope cannot be closed", error))?;
        let Self { object, md5, stored_bytes, .. } = *self;
        let deeper = object.publish_stored()?;
        Ok(Some(deeper.unwrap_or_else(|| ShardDigest { size_bytes: stored_bytes, md5: md5.finish() })))
    }
}
