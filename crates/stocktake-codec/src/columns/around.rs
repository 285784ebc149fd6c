//! What is equal around two places, eight bytes before them and eight from them on.

use crate::compare::{equal_after, equal_before};

/// Bytes on either side that are looked at together.
pub(crate) const SIDE: usize = 8;

/// What stands around a place.
#[derive(Clone, Copy)]
pub(crate) struct Around {
    pub(crate) before: u64,
    pub(crate) after: u64,
}

impl Around {
    #[inline(always)]
    pub(crate) fn of(block: &[u8], at: usize) -> Option<Self> {
        let around: &[u8; 2 * SIDE] = block.get(at.checked_sub(SIDE)?..)?.first_chunk()?;
        let around = u128::from_le_bytes(*around);
        #[expect(clippy::cast_possible_truncation, reason = "two halves")]
        Some(Self { before: around as u64, after: (around >> 64) as u64 })
    }

    /// Bytes that are equal before an earlier place, at most so many, and from it on; none if nothing stands around it.
    #[inline(always)]
    pub(crate) fn alike(self, block: &[u8], at: usize, other: usize, back_max: usize) -> (usize, usize) {
        let Some(there) = Self::of(block, other) else { return (0, 0) };
        let mut back = (self.before ^ there.before).leading_zeros() as usize / 8;
        let mut front = (self.after ^ there.after).trailing_zeros() as usize / 8;
        if front == SIDE {
            front = equal_after(block, at, other);
        }
        if back == SIDE {
            back = equal_before(block, at, other, back_max);
        }
        (back.min(back_max), front)
    }
}
