//! Objects of the same ETag and size, found in bounded memory.
//!
//! Contents are sampled by their own hash, so that all copies of a content are in the sample or none is, whatever thread
//! sees them. A content of `size` bytes is taken with the probability `size / 2^level`: large ones always. The level rises
//! until the sample fits, and what the sample holds stands for the inverse of its probability (Horvitz and Thompson). The
//! sample is the same for the same rows, whatever the order and the number of threads.

use super::report::{Copies, Duplication};
use std::collections::HashMap;
use twox_hash::XxHash3_128;

/// Most contents in a sample: about 20 MiB at worst, with an ETag and a key of the longest kept size each.
const SAMPLE_MAX: usize = 65_536;

/// Contents that a sample is brought down to. If one in ten has a copy, the standard error is about 2 % of the copies.
const SAMPLE_TARGET: usize = SAMPLE_MAX / 2;

/// Bytes that are kept of the key of a content.
const KEY_KEPT_BYTES: usize = 256;

/// Bytes that are kept of an ETag; S3's have 39 at most.
const ETAG_KEPT_BYTES: usize = 64;

/// A sample of contents.
#[derive(Clone, Debug, Default)]
pub(super) struct Duplicates {
    level: u32,
    /// By the hash of ETag and size.
    seen: HashMap<u128, Content>,
}

#[derive(Clone, Debug)]
struct Content {
    size: u64,
    objects: u64,
    /// Beginning of the first key, in the order of keys.
    key: Box<str>,
    e_tag: Box<str>,
}

impl Duplicates {
    /// Adds an object; one without bytes or ETag has no content to share.
    #[inline]
    pub(super) fn add(&mut self, e_tag: &str, size: u64, key: &str) {
        if size == 0 || e_tag.is_empty() {
            return;
        }
        let hash = XxHash3_128::oneshot_with_seed(size, e_tag.as_bytes());
        if is_sampled(hash, size, self.level) {
            self.count(hash, size, 1, key, e_tag);
        }
    }

    fn count(&mut self, hash: u128, size: u64, objects: u64, key: &str, e_tag: &str) {
        let key = cut(key, KEY_KEPT_BYTES);
        if let Some(known) = self.seen.get_mut(&hash) {
            known.objects += objects;
            if *key < *known.key {
                known.key = key.into();
            }
            return;
        }
        let content = Content { size, objects, key: key.into(), e_tag: cut(e_tag, ETAG_KEPT_BYTES).into() };
        self.seen.insert(hash, content);
        if self.seen.len() > SAMPLE_MAX {
            self.shrink();
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        if other.level > self.level {
            self.raise(other.level);
        }
        for (hash, content) in other.seen {
            if is_sampled(hash, content.size, self.level) {
                self.count(hash, content.size, content.objects, &content.key, &content.e_tag);
            }
        }
    }

    /// Raises the level until the sample has its target.
    fn shrink(&mut self) {
        while self.seen.len() > SAMPLE_TARGET && self.level < u64::BITS - 1 {
            self.raise(self.level + 1);
        }
    }

    fn raise(&mut self, level: u32) {
        self.level = level;
        self.seen.retain(|hash, content| is_sampled(*hash, content.size, level));
    }

    /// What the sample says of all objects.
    pub(super) fn estimate(mut self, limit: usize) -> Duplication {
        // The level that all threads together would have come to, of which each came to one that is no higher.
        self.shrink();
        let mut repeated: Vec<(u128, Content)> =
            self.seen.into_iter().filter(|(_, content)| content.objects > 1).collect();
        // Sums of floats depend on their order.
        repeated.sort_unstable_by_key(|(hash, _)| *hash);
        let exact = self.level == 0;
        let (mut contents, mut bytes, mut variance) = (0.0, 0.0, 0.0);
        let mut exact_bytes = 0_u64;
        for (_, content) in &repeated {
            let probability = (content.size as f64 / 2_f64.powi(self.level.cast_signed())).min(1.0);
            let wasted = content.copied_bytes();
            exact_bytes = exact_bytes.saturating_add(wasted);
            let weighed = wasted as f64 / probability;
            contents += 1.0 / probability;
            bytes += weighed;
            variance += (1.0 - probability) * weighed.powi(2);
        }
        let mut leading: Vec<Copies> = repeated.into_iter().map(|(_, content)| content.into()).collect();
        leading.sort_by(|one, two| (two.bytes, &one.key).cmp(&(one.bytes, &two.key)));
        leading.truncate(limit);
        Duplication {
            contents: rounded(contents),
            // A float has no more than 16 digits.
            bytes: if exact { exact_bytes } else { rounded(bytes) },
            exact,
            standard_error_bytes: rounded(variance.sqrt()),
            sampled_below_bytes: if exact { 0 } else { 1_u64.checked_shl(self.level).unwrap_or(u64::MAX) },
            leading,
        }
    }
}

impl Content {
    /// Bytes of all copies but one; sizes come from files that may be wrong.
    fn copied_bytes(&self) -> u64 {
        self.size.saturating_mul(self.objects - 1)
    }
}

impl From<Content> for Copies {
    fn from(content: Content) -> Self {
        let bytes = content.copied_bytes();
        let Content { size, objects, key, e_tag } = content;
        Self { e_tag: e_tag.into(), key: key.into(), objects, object_bytes: size, bytes }
    }
}

/// Whether a content is in the sample of a level: with the probability `size / 2^level`, at most 1.
#[inline]
fn is_sampled(hash: u128, size: u64, level: u32) -> bool {
    // The upper half of the hash is a number of 64 bits, evenly spread; a level has 64 at most.
    let spread = hash >> u64::BITS;
    spread < u128::from(size) << (u64::BITS - level)
}

/// A float that is no number of bytes only by its fraction.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "floats that are too large become the largest"
)]
fn rounded(number: f64) -> u64 {
    number.round() as u64
}

/// The beginning of a text, at most so many bytes.
fn cut(text: &str, bytes_max: usize) -> &str {
    let end = (0..=bytes_max.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Objects of which every tenth content has a copy, and the bytes of all copies.
    fn objects(contents: u64) -> (Vec<(String, u64)>, u64) {
        let (mut objects, mut wasted) = (Vec::new(), 0);
        for number in 0..contents {
            let size = 1 + number * number % 1_000_003;
            objects.push((format!("{number:032x}"), size));
            if number.is_multiple_of(10) {
                objects.push((format!("{number:032x}"), size));
                wasted += size;
            }
        }
        (objects, wasted)
    }

    fn counted(objects: &[(String, u64)], parts: usize) -> Duplication {
        let mut all = vec![Duplicates::default(); parts];
        for (row, (e_tag, size)) in objects.iter().enumerate() {
            all[row * 7 % parts].add(e_tag, *size, &format!("key-{row:09}"));
        }
        let mut sum = all.remove(0);
        all.into_iter().for_each(|part| sum.merge(part));
        sum.estimate(3)
    }

    #[test]
    fn what_fits_is_exact() {
        let (objects, wasted) = objects(20_000);
        let found = counted(&objects, 2);
        assert!(found.exact && found.standard_error_bytes == 0);
        assert_eq!((found.contents, found.bytes), (2_000, wasted));
        assert!(found.leading[0].bytes >= found.leading[1].bytes && found.leading[0].objects == 2);
    }

    #[test]
    fn what_does_not_is_estimated_alike_by_any_number_of_threads() {
        let (objects, wasted) = objects(400_000);
        let found = counted(&objects, 1);
        assert!(!found.exact && found.sampled_below_bytes > 0);
        let error = found.bytes.abs_diff(wasted);
        assert!(error < 4 * found.standard_error_bytes, "{error} of {wasted}, {}", found.standard_error_bytes);
        assert!(found.standard_error_bytes < wasted / 20, "{}", found.standard_error_bytes);
        assert_eq!(counted(&objects, 3), found);
        assert_eq!(counted(&objects, 8), found);
    }

    #[test]
    fn sizes_beyond_all_measure_are_the_largest() {
        let mut none = Duplicates::default();
        (0..4).for_each(|_| none.add("aa", u64::MAX / 2, "a"));
        let found = none.estimate(1);
        assert_eq!((found.bytes, found.leading[0].bytes), (u64::MAX, u64::MAX));
    }

    #[test]
    fn what_has_no_content_is_no_copy() {
        let mut none = Duplicates::default();
        for _ in 0..3 {
            none.add("", 5, "a");
            none.add("d41d8cd98f00b204e9800998ecf8427e", 0, "a");
        }
        assert_eq!(none.estimate(1).contents, 0);
    }
}
