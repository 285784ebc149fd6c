//! A destination behind which another one stores envelopes.

use super::{EnvelopeStore, SEGMENT_BYTES, TAG_BYTES, file_name, header::Header, writer::EnvelopeWriter};
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
    contents: Option<EnvelopeStore<'a>>,
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
        keys: &'a dyn KeyService,
        encryption: Option<&ServerSideEncryption>,
    ) -> Result<Self, KeyError> {
        let key_id = match encryption {
            Some(ServerSideEncryption::SseKms { key_id, .. }) => Some(&**key_id),
            _ => None,
        };
        let contents = destination.store().map(|store| EnvelopeStore::new(store, keys));
        Ok(Self { destination, contents, key: keys.generate_data_key(key_id)? })
    }

    /// The destination with the data key of an object that is there, such as the first one of an unfinished run's journal:
    /// all objects of a report are then under one data key, whichever run wrote them. Each still has a key of its own,
    /// from a salt of its own, so that no nonce is used twice.
    ///
    /// Without such an object, the destination as it is.
    ///
    /// # Errors
    /// If the object cannot be read, or its data key not unwrapped.
    pub fn continuing(mut self, object: &ReportKey) -> Result<Self, DestinationError> {
        if let Some(contents) = &self.contents
            && let Some(key) = contents.data_key(object)?
        {
            self.key = key;
        }
        Ok(self)
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

    fn contents(&self) -> Option<&dyn ReportStore> {
        self.contents.as_ref().map(|contents| contents as _)
    }

    /// They cannot: what is written is another text than what is given.
    fn gives_back(&self) -> bool {
        false
    }

    fn remove_remains(&self, keys: &[ReportKey]) -> Result<u64, DestinationError> {
        self.destination.remove_remains(keys)
    }
}
