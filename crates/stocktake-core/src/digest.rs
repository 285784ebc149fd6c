//! MD5 as the manifest states it.

use md5::{Digest, Md5};

/// MD5 of some bytes in lower-case hex.
pub fn md5_hex(bytes: &[u8]) -> String {
    hex(&Md5::digest(bytes))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// MD5 of bytes as they pass.
#[derive(Clone, Debug, Default)]
pub struct Md5Stream(Md5);

impl Md5Stream {
    /// MD5 of no bytes yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest in lower-case hex.
    pub fn finish(self) -> String {
        hex(&self.0.finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_digests() {
        assert_eq!(md5_hex(b""), "d41d8cd98f00b204e9800998ecf8427e");
        let mut stream = Md5Stream::new();
        stream.update(b"ab");
        stream.update(b"c");
        assert_eq!(stream.finish(), "900150983cd24fb0d6963f7d28e17f72");
    }
}
