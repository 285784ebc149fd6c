//! Bloom filters of row groups, bit for bit as the Java writer makes them (stream BLOOM_FILTER_UTF8).
//!
//! Texts and bytes are hashed by 64 bits of Murmur3, numbers by Thomas Wang's mixing; both halves of a hash make as many
//! places as the filter has functions.

use crate::proto;

/// Seed of the hash of bytes, fixed by the Java writer.
const SEED: u64 = 104_729;

/// A filter that is filled for one row group after another.
#[derive(Clone, Debug)]
pub(crate) struct BloomFilter {
    words: Vec<u64>,
    functions: u32,
}

impl BloomFilter {
    /// A filter for so many values that takes at most the share `fpp` of others for present.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "sizes as the Java writer computes them, in floating point, of positive numbers"
    )]
    pub(crate) fn new(values: usize, fpp: f64) -> Self {
        let values = values.max(1) as f64;
        let ln2 = std::f64::consts::LN_2;
        let bits = (-values * fpp.ln() / (ln2 * ln2)) as u64;
        // The Java writer adds a word even where bits fill words already.
        let bits = (bits / 64 + 1) * 64;
        let functions = ((bits as f64 / values * ln2).round() as u32).max(1);
        Self { words: vec![0; (bits / 64) as usize], functions }
    }

    /// Forgets all values.
    pub(crate) fn clear(&mut self) {
        self.words.fill(0);
    }

    pub(crate) fn add_bytes(&mut self, bytes: &[u8]) {
        self.add_hash(murmur3(bytes));
    }

    pub(crate) fn add_long(&mut self, value: i64) {
        self.add_hash(mix(value));
    }

    pub(crate) fn add_double(&mut self, value: f64) {
        // One pattern of bits stands for all values that are no numbers.
        let bits = if value.is_nan() { 0x7ff8 << 48 } else { value.to_bits() };
        self.add_long(bits.cast_signed());
    }

    #[expect(clippy::cast_possible_truncation, reason = "the halves of a hash; a place in memory")]
    fn add_hash(&mut self, hash: u64) {
        let (low, high) = (hash as u32, (hash >> 32) as u32);
        let bits = self.words.len() as u64 * 64;
        for function in 1..=self.functions {
            let combined = low.wrapping_add(function.wrapping_mul(high)).cast_signed();
            let place = u64::from((combined ^ combined >> 31).cast_unsigned()) % bits;
            self.words[(place / 64) as usize] |= 1 << (place % 64);
        }
    }

    pub(crate) fn to_proto(&self) -> proto::BloomFilter {
        let bytes = self.words.iter().flat_map(|word| word.to_le_bytes()).collect();
        proto::BloomFilter { num_hash_functions: Some(self.functions), utf8bitset: Some(bytes) }
    }
}

/// The 64-bit hash that the Java writer calls Murmur3: one half of the 128-bit algorithm, words and tail alike.
fn murmur3(bytes: &[u8]) -> u64 {
    let scrambled =
        |word: u64| word.wrapping_mul(0x87c3_7b91_1142_53d5).rotate_left(31).wrapping_mul(0x4cf5_ad43_2745_937f);
    let (words, tail) = bytes.as_chunks::<8>();
    let mut hash = SEED;
    for word in words {
        hash ^= scrambled(u64::from_le_bytes(*word));
        hash = hash.rotate_left(27).wrapping_mul(5).wrapping_add(0x52dc_e729);
    }
    if !tail.is_empty() {
        let mut word = [0; 8];
        word[..tail.len()].copy_from_slice(tail);
        hash ^= scrambled(u64::from_le_bytes(word));
    }
    hash ^= bytes.len() as u64;
    hash = (hash ^ hash >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ hash >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ hash >> 33
}

/// Thomas Wang's mixing of 64 bits, with shifts that keep the sign.
fn mix(value: i64) -> u64 {
    let mut key = (!value).wrapping_add(value << 21);
    key ^= key >> 24;
    key = key.wrapping_add(key << 3).wrapping_add(key << 8);
    key ^= key >> 14;
    key = key.wrapping_add(key << 2).wrapping_add(key << 4);
    key ^= key >> 28;
    key.wrapping_add(key << 31).cast_unsigned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_the_java_writer() {
        // The defaults of that writer: 10,000 values at 0.01, and at its filter's own 0.05.
        let sizes = |fpp| {
            let filter = BloomFilter::new(10_000, fpp);
            (filter.words.len() * 64, filter.functions)
        };
        assert_eq!(sizes(0.01), (95_872, 7));
        assert_eq!(sizes(0.05), (62_400, 4));
    }

    /// Values that a reader of another project computes alike; the round trip compares filters with it too.
    #[test]
    fn hashes_spread() {
        let mut filter = BloomFilter::new(1000, 0.01);
        (0..1000i64).for_each(|value| filter.add_bytes(format!("{value}").as_bytes()));
        let set: u32 = filter.words.iter().map(|word| word.count_ones()).sum();
        let share = f64::from(set) / (filter.words.len() * 64) as f64;
        assert!((0.47..0.55).contains(&share), "{share}");
    }
}
