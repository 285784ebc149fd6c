//! Values of a row's fields, as functions of its random bits, its folder and its age.

use super::{
    keys::{Leaf, Section, YEAR_START_MS},
    random::{Draw, Draws, below, decimal, hex_shuffled},
};

pub(super) const DAY_MS: i64 = 86_400_000;

/// When the bucket is looked at: 2026-01-02T00:00:00Z, after all dated folders.
pub(super) const NOW_MS: i64 = YEAR_START_MS + 366 * DAY_MS;

/// Objects larger than this were uploaded in parts of this size.
const PART_BYTES: u64 = 8 << 20;

/// When a key's latest version was written: as its folder says, or within 1,000 days with more of late.
#[inline]
pub(super) fn last_modified_ms(leaf: &Leaf, draws: Draws) -> i64 {
    let bits = draws.bits(Draw::Time);
    let seconds = |seconds: u64| (seconds & 0xFFFF_FFFF) as i64;
    match leaf.written {
        Some((start_ms, span_seconds)) => start_ms + 1000 * seconds(below(bits, span_seconds)),
        None => {
            let skewed = (bits >> 32) * (bits & 0xFFFF_FFFF);
            NOW_MS - 1000 * seconds(below(skewed, 86_400_000))
        }
    }
}

/// Mean of log2 of an object's size, in 256ths.
#[inline]
pub(super) fn mean_octaves_256(section: Section) -> i64 {
    match section {
        Section::Backups => 5909,
        Section::Logs | Section::Warehouse => 4063,
        _ => 3693,
    }
}

#[inline]
pub(super) fn is_multipart(size: u64) -> bool {
    size > PART_BYTES
}

/// The few-valued fields: 16 random bits are used for each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choices {
    bits: u64,
    section: Section,
    age_ms: i64,
}

impl Choices {
    #[inline]
    pub(super) fn new(draws: Draws, section: Section, last_modified_ms: i64) -> Self {
        Self { bits: draws.bits(Draw::Choice), section, age_ms: NOW_MS - last_modified_ms }
    }

    #[inline]
    pub(super) fn storage_class(&self) -> &'static str {
        let random = self.bits & 0xFFFF;
        let days = |days: i64| days * DAY_MS;
        if self.section == Section::Uploads && self.age_ms > days(30) {
            "INTELLIGENT_TIERING"
        } else if self.age_ms > days(400) {
            if random & 1 == 0 { "GLACIER" } else { "DEEP_ARCHIVE" }
        } else if self.age_ms > days(180) && random < 43_690 {
            "STANDARD_IA"
        } else if random < 131 {
            "ONEZONE_IA"
        } else {
            "STANDARD"
        }
    }

    /// Access tier of an object in INTELLIGENT_TIERING.
    pub(super) fn access_tier(&self) -> &'static str {
        if self.age_ms <= 60 * DAY_MS {
            "FREQUENT"
        } else if self.age_ms <= 120 * DAY_MS {
            "INFREQUENT"
        } else {
            "ARCHIVE_INSTANT_ACCESS"
        }
    }

    #[inline]
    pub(super) fn encryption_status(&self) -> &'static str {
        match self.bits >> 16 & 0xFFFF {
            0..1_311 => "NOT-SSE",
            1_311..6_554 => "SSE-KMS",
            _ => "SSE-S3",
        }
    }

    #[inline]
    pub(super) fn bucket_key_status(&self) -> &'static str {
        if (1_311..4_806).contains(&(self.bits >> 16 & 0xFFFF)) { "ENABLED" } else { "DISABLED" }
    }

    #[inline]
    pub(super) fn replication_status(&self) -> &'static str {
        if self.section != Section::Backups {
            return "";
        }
        match self.bits >> 32 & 0xFFFF {
            0..655 => "PENDING",
            655..1_311 => "FAILED",
            _ => "COMPLETED",
        }
    }

    #[inline]
    pub(super) fn checksum_algorithm(&self) -> &'static str {
        match self.bits >> 48 {
            0..39_322 => "CRC64NVME",
            39_322..45_875 => "CRC32",
            45_875..52_429 => "SHA256",
            _ => "",
        }
    }
}

/// An entity tag: 32 random hexadecimal digits, and the number of parts if there were several.
#[derive(Debug)]
#[repr(align(16))]
pub(super) struct ETag([u8; 48]);

impl ETag {
    pub(super) fn new() -> Self {
        Self([0; 48])
    }

    #[inline]
    pub(super) fn write(&mut self, draws: Draws, size: u64) -> &str {
        self.0[..16].copy_from_slice(&hex_shuffled(draws.bits(Draw::ETagHigh)));
        self.0[16..32].copy_from_slice(&hex_shuffled(draws.bits(Draw::ETagLow)));
        let length = if is_multipart(size) { self.write_parts(size / PART_BYTES + 1) } else { 32 };
        ascii(&self.0[..length])
    }

    fn write_parts(&mut self, parts: u64) -> usize {
        // Sizes are below 2^33: at most 1,024 parts.
        let digits = decimal::<8>(parts);
        let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
        let digits = &digits[zeros..];
        self.0[32] = b'-';
        self.0[33..][..digits.len()].copy_from_slice(digits);
        33 + digits.len()
    }
}

/// A version id: 32 random letters, digits, dots and underscores.
#[derive(Debug)]
#[repr(align(16))]
pub(super) struct VersionId([u8; 32]);

impl VersionId {
    pub(super) fn new() -> Self {
        Self([0; 32])
    }

    #[inline]
    pub(super) fn write(&mut self, draws: Draws) -> &str {
        const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._";
        let words = [Draw::VersionIdFirst, Draw::VersionIdSecond, Draw::VersionIdThird, Draw::VersionIdFourth];
        for (text, draw) in self.0.as_chunks_mut::<8>().0.iter_mut().zip(words) {
            let mut bits = draws.bits(draw);
            for letter in text {
                *letter = LETTERS[(bits & 63) as usize];
                bits >>= 6;
            }
        }
        ascii(&self.0)
    }
}

#[inline]
fn ascii(bytes: &[u8]) -> &str {
    match str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => unreachable!("digits and letters are ASCII: {error}"),
    }
}
