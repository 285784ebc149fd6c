//! The header of an envelope, and the key that an object gets by it.

use super::{SEGMENT_BYTES, Stream};
use crate::keys::{DataKey, KEY_BYTES, KeyError, KeyService, hex, random, unhex};
use aead_stream::NewStream;
use aes_gcm::{Aes256Gcm, KeyInit};
use hkdf::Hkdf;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::Zeroizing;

const MAGIC: &[u8; 8] = b"stktenc1";

/// Most bytes of a header's JSON: a key's id and a wrapped key of any service.
pub(super) const HEADER_BYTES_MAX: usize = 64 << 10;

/// Bytes before the header's JSON.
pub(super) const FRONT_BYTES: usize = 12;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    key_id: String,
    wrapped_key: String,
    salt: String,
    segment_bytes: usize,
}

/// A header as it stands in front of an object, and what it says.
#[derive(Debug)]
pub(super) struct Header {
    bytes: Vec<u8>,
    fields: Fields,
}

impl Header {
    /// A header with a salt of its own.
    pub(super) fn new(key: &DataKey) -> Result<Self, KeyError> {
        let mut salt = [0; KEY_BYTES];
        random(&mut salt)?;
        let fields = Fields {
            key_id: key.key_id.clone(),
            wrapped_key: hex(&key.wrapped),
            salt: hex(&salt),
            segment_bytes: SEGMENT_BYTES,
        };
        let json = serde_json::to_vec(&fields).map_err(|error| KeyError::new(error.to_string()))?;
        let length = u32::try_from(json.len()).ok().filter(|_| json.len() <= HEADER_BYTES_MAX);
        let length = length.ok_or_else(|| KeyError::new("the wrapped key is too long for an envelope"))?;
        let bytes = [&MAGIC[..], &length.to_be_bytes(), &json].concat();
        Ok(Self { bytes, fields })
    }

    /// Bytes of the JSON that follows this front.
    pub(super) fn length(front: &[u8]) -> Result<usize, KeyError> {
        let not = || KeyError::new("is not an envelope");
        let (magic, length) = front.split_at_checked(MAGIC.len()).ok_or_else(not)?;
        let length = <[u8; 4]>::try_from(length).map_err(|_| not())?;
        let length = usize::try_from(u32::from_be_bytes(length)).map_err(|_| not())?;
        if magic == MAGIC && length <= HEADER_BYTES_MAX { Ok(length) } else { Err(not()) }
    }

    /// A header read from an object: its front and its JSON.
    pub(super) fn read(bytes: Vec<u8>) -> Result<Self, KeyError> {
        let json = bytes.get(FRONT_BYTES..).unwrap_or_default();
        let fields: Fields = serde_json::from_slice(json)
            .map_err(|error| KeyError::new(format!("the envelope's header cannot be read: {error}")))?;
        if fields.segment_bytes != SEGMENT_BYTES {
            let message = format!(
                "the envelope has segments of {} bytes, which this version does not read",
                fields.segment_bytes
            );
            return Err(KeyError::new(message));
        }
        Ok(Self { bytes, fields })
    }

    /// The header as it is stored.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The data key, plain and wrapped.
    pub(super) fn data_key(&self, keys: &dyn KeyService) -> Result<DataKey, KeyError> {
        let plain = self.unwrap(keys)?;
        let wrapped = unhex(&self.fields.wrapped_key).unwrap_or_default();
        Ok(DataKey::new(self.fields.key_id.clone(), plain, wrapped))
    }

    /// The data key, unwrapped by the service.
    pub(super) fn unwrap(&self, keys: &dyn KeyService) -> Result<Zeroizing<[u8; KEY_BYTES]>, KeyError> {
        let wrapped =
            unhex(&self.fields.wrapped_key).ok_or_else(|| KeyError::new("the wrapped key is not hexadecimal"))?;
        keys.decrypt(&self.fields.key_id, &wrapped)
    }

    /// The cipher of the object that this header stands in front of.
    pub(super) fn stream(&self, data_key: &[u8; KEY_BYTES], file_name: &str) -> Result<Stream, KeyError> {
        let salt = unhex(&self.fields.salt).filter(|salt| salt.len() == KEY_BYTES);
        let salt = salt.ok_or_else(|| KeyError::new("the envelope's salt is not 64 hexadecimal digits"))?;
        let mut object_key = Zeroizing::new([0; KEY_BYTES]);
        let info = [self.bytes.as_slice(), file_name.as_bytes()].concat();
        Hkdf::<Sha256>::new(Some(&salt), data_key)
            .expand(&info, &mut *object_key)
            .map_err(|_| KeyError::new("the object's key cannot be derived"))?;
        // The key is used for this object alone, so that the counter is all that nonces need.
        Ok(Stream::from_aead(Aes256Gcm::new((&*object_key).into()), &Default::default()))
    }
}
