//! Objects and bytes: what every part of an insight counts.

use serde::Serialize;

/// Objects and their bytes. Delete markers are none of them; every version is one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct Amount {
    /// Number of objects, or of versions in a report of all versions.
    pub objects: u64,
    /// Their sizes together, in bytes.
    pub bytes: u64,
    /// Bytes of those that are not the latest version of their key, in bytes.
    pub noncurrent_bytes: u64,
}

impl Amount {
    /// One object.
    pub(super) const fn of_object(bytes: u64, noncurrent_bytes: u64) -> Self {
        Self { objects: 1, bytes, noncurrent_bytes }
    }

    /// Adds what another one counted.
    #[inline]
    pub(super) fn add(&mut self, other: Self) {
        self.objects += other.objects;
        // Sizes come from files that may be wrong; no bucket has 16 EiB.
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.noncurrent_bytes = self.noncurrent_bytes.saturating_add(other.noncurrent_bytes);
    }

    /// Each number at least as large as in another one.
    pub(super) fn at_least(&mut self, other: Self) {
        self.objects = self.objects.max(other.objects);
        self.bytes = self.bytes.max(other.bytes);
        self.noncurrent_bytes = self.noncurrent_bytes.max(other.noncurrent_bytes);
    }

    /// Whether nothing was counted.
    pub(super) fn is_empty(self) -> bool {
        self == Self::default()
    }
}
