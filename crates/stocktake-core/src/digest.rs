//! MD5 as the manifest states it.

use std::fmt;

/// MD5 of some bytes in lower-case hex.
pub fn md5_hex(bytes: &[u8]) -> String {
    hex(&fast_md5::digest(bytes))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// MD5 of bytes as they pass.
pub struct Md5Stream(fast_md5::Md5);

impl Md5Stream {
    /// MD5 of no bytes yet.
    #[expect(clippy::new_without_default, reason = "a digest that nothing was put in is no value to fall back on")]
    pub fn new() -> Self {
        Self(fast_md5::Md5::new())
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

impl fmt::Debug for Md5Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Md5Stream").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use md5::{Digest, Md5};

    #[test]
    fn parts_of_any_length_make_the_digest_that_another_library_makes() {
        let bytes: Vec<u8> = (0_u32..1000).map(|number| number.wrapping_mul(0x9e37_79b9).to_le_bytes()[3]).collect();
        for length in 0..bytes.len() {
            for part in [1, 63, 64, 65, 200] {
                let mut stream = Md5Stream::new();
                bytes[..length].chunks(part).for_each(|part| stream.update(part));
                assert_eq!(stream.finish(), hex(&Md5::digest(&bytes[..length])), "{length} bytes in parts of {part}");
            }
        }
    }

    #[test]
    fn known_digests() {
        assert_eq!(md5_hex(b""), "d41d8cd98f00b204e9800998ecf8427e");
        let mut stream = Md5Stream::new();
        stream.update(b"ab");
        stream.update(b"c");
        assert_eq!(stream.finish(), "900150983cd24fb0d6963f7d28e17f72");
    }
}
