//! A destination behind which another one stores envelopes.

use super::{SEGMENT_BYTES, TAG_BYTES, file_name, header::Header, writer::EnvelopeWriter};
use crate::keys::{DataKey, KeyError, KeyService};
use stocktake::{
    Destination, DestinationError, DestinationErrorKind, ENVELOPE_SUFFIX, ObjectAttributes, PendingObject, ReportKey,
    ReportStore, ServerSideEncryption,
};

/// Puts the objects of one report whose names end in `.enc` into envelopes; others pass as they are.
///
/// A report whose spec asks for envelopes (`ReportSpecBuilder::with_envelope`) names its data files and receipts so.
/// Manifest and checksum are stored plainly: they hold no key of the source, and list size and MD5 of stored bytes, so that
/// a report is verified without a key.
///
/// The encryption that attributes ask for is what the envelope does, so the destination behind is not asked for it again.
pub struct EnvelopeDestination<'a> {
    destination: &'a dyn Destination,
    key: DataKey,
}

impl<'a> EnvelopeDestination<'a> {
    /// A destination for one report, with a data key of its own.
    ///
    /// SSE-S3 is done under the service's default key, SSE-KMS under the key that it names.
    ///
    /// # Errors
    /// If the service has no such key or cannot be asked.
    pub fn try_new(
        destination: &'a dyn Destination,
        keys: &dyn KeyService,
        encryption: Option<&ServerSideEncryption>,
    ) -> Result<Self, KeyError> {
        let key_id = match encryption {
            Some(ServerSideEncryption::SseKms { key_id, .. }) => Some(&**key_id),
            _ => None,
        };
        Ok(Self { destination, key: keys.generate_data_key(key_id)? })
    }
}

#[deny(clippy::missing_trait_methods)]
impl Destination for EnvelopeDestination<'_> {
    fn create(
        &self,
        key: &ReportKey,
        attributes: &ObjectAttributes,
    ) -> Result<Box<dyn PendingObject>, DestinationError> {
        let mut attributes = attributes.clone().with_encryption(None);
        if !key.as_str().ends_with(ENVELOPE_SUFFIX) {
            return self.destination.create(key, &attributes);
        }
        attributes.content_type = "application/octet-stream";
        let fault = |error: KeyError| DestinationError::new(DestinationErrorKind::Unsupported, key, error.to_string());
        let header = Header::new(&self.key).map_err(fault)?;
        let stream = header.stream(&self.key.plain, file_name(key.as_str())).map_err(fault)?;
        let object = self.destination.create(key, &attributes)?;
        Ok(Box::new(EnvelopeWriter::begin(object, key.clone(), header.bytes(), stream)?))
    }

    fn remove(&self, key: &ReportKey) -> Result<(), DestinationError> {
        self.destination.remove(key)
    }

    fn buffer_bytes(&self) -> usize {
        self.destination.buffer_bytes() + SEGMENT_BYTES + TAG_BYTES
    }

    /// The store of envelopes as they are, by which their sizes and digests are checked.
    fn store(&self) -> Option<&dyn ReportStore> {
        self.destination.store()
    }
}
