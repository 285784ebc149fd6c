//! Decoders, and a generator of numbers.

use std::io::Read;

/// Inflates runs in two ways and demands that both read them to the end.
pub(crate) fn inflated(runs: &[u8]) -> Vec<u8> {
    let mut ended = runs.to_vec();
    // An empty last block with fixed codes.
    ended.extend([3, 0]);
    let mut decoder = flate2::bufread::DeflateDecoder::new(&*ended);
    let mut text = Vec::new();
    decoder.read_to_end(&mut text).unwrap();
    assert_eq!(decoder.total_in(), ended.len() as u64, "bytes after the last block");
    assert!(miniz_oxide::inflate::decompress_to_vec(&ended).unwrap() == text, "decoders differ");
    text
}

/// A small linear generator.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 17
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}
