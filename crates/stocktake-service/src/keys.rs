//! Keys: a service that makes data keys and unwraps them again, and one that lives in a local file.

use aes_gcm::{
    Aes256Gcm, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use std::{fmt, fs, path::Path};
use zeroize::Zeroizing;

/// Bytes of a key of AES-256.
pub(crate) const KEY_BYTES: usize = 32;

/// Bytes of the nonce of AES-GCM.
const NONCE_BYTES: usize = 12;

/// Most bytes of a key file.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// A key management service.
///
/// Methods may block and are called from several threads.
pub trait KeyService: Send + Sync {
    /// Makes a data key under a key of the service; `None` asks for the service's default key.
    ///
    /// # Errors
    /// If there is no such key, it may not be used, or the service cannot be asked.
    fn generate_data_key(&self, key_id: Option<&str>) -> Result<DataKey, KeyError>;

    /// Unwraps a data key that [`KeyService::generate_data_key`] made under this key.
    ///
    /// # Errors
    /// If there is no such key, it may not be used, the service cannot be asked, or the bytes are not what was made.
    fn decrypt(&self, key_id: &str, wrapped: &[u8]) -> Result<Zeroizing<[u8; KEY_BYTES]>, KeyError>;
}

/// A data key, plain and wrapped.
#[derive(Clone)]
#[non_exhaustive]
pub struct DataKey {
    /// Id of the key that wraps it.
    pub key_id: String,
    /// The key itself.
    pub plain: Zeroizing<[u8; KEY_BYTES]>,
    /// The key as only the service can read it.
    pub wrapped: Vec<u8>,
}

impl DataKey {
    /// A data key that a service made.
    pub fn new(key_id: impl Into<String>, plain: Zeroizing<[u8; KEY_BYTES]>, wrapped: Vec<u8>) -> Self {
        Self { key_id: key_id.into(), plain, wrapped }
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataKey").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

/// A key that cannot be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyError(String);

impl KeyError {
    /// An error with a message in lower case without a full stop.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for KeyError {}

/// Keys in a local file: on each line an id, a space, and 64 hexadecimal digits. Empty lines and lines that begin with `#`
/// are passed over. The first key is the default one.
///
/// Data keys are wrapped by AES-256-GCM under a random nonce of 96 bits, with the key's id authenticated: one key should
/// not wrap more than some 2³² of them.
pub struct LocalKeyService {
    keys: Vec<(String, Zeroizing<[u8; KEY_BYTES]>)>,
}

impl LocalKeyService {
    /// Reads a key file.
    ///
    /// # Errors
    /// If it cannot be read, others than its owner may read it, it has no key, or with the line that is not one.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, KeyError> {
        let path = path.as_ref();
        let fault = |what: String| KeyError(format!("the key file {}: {what}", path.display()));
        let facts = fs::metadata(path).map_err(|error| fault(error.to_string()))?;
        if facts.len() > FILE_BYTES_MAX {
            return Err(fault(format!("has {} bytes, more than any key file", facts.len())));
        }
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(&facts.permissions());
            if mode & 0o077 != 0 {
                return Err(fault(format!("may be read by others (mode {:03o}); chmod 600 mends it", mode & 0o777)));
            }
        }
        let text = fs::read_to_string(path).map_err(|error| fault(error.to_string()))?;
        Self::parse(&Zeroizing::new(text)).map_err(|error| fault(error.0))
    }

    /// Reads the text of a key file.
    ///
    /// # Errors
    /// If it has no key, an id stands twice, or with the line that is not a key.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let mut keys: Vec<(String, Zeroizing<[u8; KEY_BYTES]>)> = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let key = line.split_once(char::is_whitespace).and_then(|(id, digits)| {
                let bytes = Zeroizing::new(unhex(digits.trim())?);
                let key = <[u8; KEY_BYTES]>::try_from(bytes.as_slice()).ok()?;
                Some((id.to_owned(), Zeroizing::new(key)))
            });
            let (id, key) =
                key.ok_or_else(|| KeyError(format!("line {number} is not an id and 64 hexadecimal digits")))?;
            if keys.iter().any(|(of, _)| *of == id) {
                return Err(KeyError(format!("line {number}: the id {id} stands twice")));
            }
            keys.push((id, key));
        }
        if keys.is_empty() { Err(KeyError("it has no key".to_owned())) } else { Ok(Self { keys }) }
    }

    fn cipher(&self, key_id: &str) -> Result<Aes256Gcm, KeyError> {
        let key = self.keys.iter().find(|(id, _)| id == key_id).map(|(_, key)| key);
        let key = key.ok_or_else(|| KeyError(format!("there is no key {key_id:?}")))?;
        Ok(Aes256Gcm::new((&**key).into()))
    }
}

impl KeyService for LocalKeyService {
    fn generate_data_key(&self, key_id: Option<&str>) -> Result<DataKey, KeyError> {
        let key_id = match (key_id, self.keys.first()) {
            (Some(id), _) => id,
            (None, Some((first, _))) => first,
            (None, None) => return Err(KeyError("there is no key".to_owned())),
        };
        let cipher = self.cipher(key_id)?;
        let mut plain = Zeroizing::new([0; KEY_BYTES]);
        let mut wrapped = vec![0; NONCE_BYTES];
        random(&mut *plain)?;
        random(&mut wrapped)?;
        let nonce = nonce_of(&wrapped)?;
        let sealed = cipher.encrypt(&nonce, Payload { msg: &*plain, aad: key_id.as_bytes() });
        wrapped.extend(sealed.map_err(|_| KeyError("the data key cannot be wrapped".to_owned()))?);
        Ok(DataKey::new(key_id, plain, wrapped))
    }

    fn decrypt(&self, key_id: &str, wrapped: &[u8]) -> Result<Zeroizing<[u8; KEY_BYTES]>, KeyError> {
        let cipher = self.cipher(key_id)?;
        let refused = || KeyError(format!("the data key was not wrapped by the key {key_id:?}, or was changed"));
        let (nonce, sealed) = wrapped.split_at_checked(NONCE_BYTES).ok_or_else(refused)?;
        let plain = cipher.decrypt(&nonce_of(nonce)?, Payload { msg: sealed, aad: key_id.as_bytes() });
        let plain = Zeroizing::new(plain.map_err(|_| refused())?);
        Ok(Zeroizing::new(<[u8; KEY_BYTES]>::try_from(plain.as_slice()).map_err(|_| refused())?))
    }
}

impl fmt::Debug for LocalKeyService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|(id, _)| id)).finish()
    }
}

fn nonce_of(bytes: &[u8]) -> Result<Nonce<<Aes256Gcm as aes_gcm::aead::AeadCore>::NonceSize>, KeyError> {
    Nonce::try_from(bytes).map_err(|_| KeyError("a nonce has 12 bytes".to_owned()))
}

/// Fills a buffer with random bytes of the operating system.
pub(crate) fn random(bytes: &mut [u8]) -> Result<(), KeyError> {
    getrandom::fill(bytes).map_err(|error| KeyError(format!("the system has no random bytes: {error}")))
}

/// Lower-case hexadecimal digits of bytes.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of hexadecimal digits.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| Some(digit(*pair.first()?)? << 4 | digit(*pair.get(1)?)?);
    text.as_bytes().chunks(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service() -> LocalKeyService {
        LocalKeyService::parse(&format!("# keys\n\nfirst {}\nother\t{}\n", "0a".repeat(32), "B1".repeat(32))).unwrap()
    }

    #[test]
    fn a_data_key_comes_back_from_its_wrapping_alone() {
        let service = service();
        let key = service.generate_data_key(None).unwrap();
        assert_eq!(key.key_id, "first");
        assert_eq!(service.decrypt("first", &key.wrapped).unwrap(), key.plain);
        assert_ne!(service.generate_data_key(None).unwrap().plain, key.plain);
        assert!(service.decrypt("other", &key.wrapped).is_err());
        assert!(service.decrypt("third", &key.wrapped).is_err());
        for index in 0..key.wrapped.len() {
            let mut changed = key.wrapped.clone();
            changed[index] ^= 1;
            assert!(service.decrypt("first", &changed).is_err());
        }
        assert!(service.decrypt("first", &key.wrapped[..5]).is_err());
        assert_eq!(service.generate_data_key(Some("other")).unwrap().key_id, "other");
        assert!(service.generate_data_key(Some("third")).is_err());
        assert!(!format!("{key:?} {service:?}").contains("0a0a"));
    }

    #[test]
    fn what_is_no_key_is_named_by_its_line() {
        let key = "00".repeat(32);
        for (text, line) in [
            (String::new(), "no key"),
            ("first".into(), "line 1"),
            (format!("first {key}\nsecond {key}0"), "line 2"),
            (format!("first {}", "0g".repeat(32)), "line 1"),
            (format!("a {key}\n\na {key}"), "line 3: the id a stands twice"),
        ] {
            assert!(LocalKeyService::parse(&text).unwrap_err().to_string().contains(line), "{text}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_key_file_is_its_owner_s_alone() {
        use std::os::unix::fs::PermissionsExt;
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), format!("k {}", "00".repeat(32))).unwrap();
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o644)).unwrap();
        assert!(LocalKeyService::open(file.path()).unwrap_err().to_string().contains("mode 644"));
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o600)).unwrap();
        assert!(LocalKeyService::open(file.path()).is_ok());
    }
}
