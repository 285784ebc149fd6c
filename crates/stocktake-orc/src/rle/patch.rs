//! Runs whose values mostly need few bits, some of them many: all are packed narrowly above their least, and the high bits
//! of the few follow as patches.

use super::{
    integers::header,
    pack::pack,
    width::{self, bits},
};

const PATCHED: u8 = 2 << 6;

/// Least values of such a run; its header alone has four bytes.
pub(super) const VALUES_MIN: usize = 12;

/// Bits of the range up to which patches cannot save what they take.
pub(super) const BITS_MIN: u32 = 4;

/// Most entries of a list of patches.
const ENTRIES_MAX: usize = 31;

/// Most values between two patches that one entry can say.
const GAP_MAX: usize = 255;

/// The widths and patches of a run.
#[derive(Debug, Default)]
pub(super) struct Patches {
    width: u32,
    patch_width: u32,
    gap_width: u32,
    entries: Vec<u64>,
}

impl Patches {
    /// Plans the patches of values above their least, of which the largest is `range`. False if such a run is not shorter
    /// than `limit_bytes`, or cannot be written.
    pub(super) fn plan(&mut self, values: &[u64], range: u64, base: i64, limit_bytes: usize) -> bool {
        let Some(base_bytes) = base_bytes(base) else { return false };
        let all = bits(range);
        // How many values need so many bits, zero one bit.
        let mut needing = [0u32; 65];
        values.iter().for_each(|value| needing[bits(*value | 1) as usize] += 1);
        let (mut best, mut wide) = (None, 0);
        for (needed, count) in (1..=all).rev().map(|needed| (needed, needing[needed as usize])) {
            let width = width::existing(needed - 1).max(1);
            wide += count as usize;
            if wide > ENTRIES_MAX {
                break;
            }
            // A patch and its gap share a word.
            if width != needed - 1 || width::existing(all - width) > 56 {
                continue;
            }
            let patch_width = width::existing(all - width);
            let entry_width = width::existing((patch_width + 8).min(64)) as usize;
            let bytes = 4 + base_bytes + (values.len() * width as usize).div_ceil(8) + (wide * entry_width).div_ceil(8);
            if bytes < best.map_or(limit_bytes, |(bytes, _)| bytes) {
                best = Some((bytes, width));
            }
        }
        let Some((_, width)) = best else { return false };
        self.width = width;
        self.patch_width = width::existing(all - width);
        self.collect(values)
    }

    /// Collects the entries of the list. False if they are too many or too wide.
    fn collect(&mut self, values: &[u64]) -> bool {
        self.entries.clear();
        let (mut last, mut widest) = (0, 1);
        let shift = |gap: usize| (gap as u64) << self.patch_width;
        for (at, value) in values.iter().enumerate().filter(|(_, value)| bits(**value) > self.width) {
            let mut gap = at - last;
            while gap > GAP_MAX {
                self.entries.push(shift(GAP_MAX));
                gap -= GAP_MAX;
                widest = GAP_MAX;
            }
            self.entries.push(shift(gap) | value >> self.width);
            widest = widest.max(gap);
            last = at;
        }
        self.gap_width = bits(widest as u64);
        !self.entries.is_empty() && self.entries.len() <= ENTRIES_MAX && self.patch_width + self.gap_width <= 64
    }

    /// Appends the run that was planned.
    pub(super) fn encode(&mut self, values: &mut [u64], base: i64, out: &mut Vec<u8>) {
        let mask = (1u64 << self.width) - 1;
        values.iter_mut().for_each(|value| *value &= mask);
        let base_bytes = base_bytes(base).unwrap_or(8);
        out.extend(header(PATCHED, self.width, values.len()));
        // Three bits of bytes of the base, five of the patches' width; three of the gaps' width, five of their number.
        let [bytes, entries] = [base_bytes - 1, self.entries.len()].map(|number| number.to_le_bytes()[0]);
        out.push(bytes << 5 | width::code(self.patch_width));
        out.push((self.gap_width - 1).to_le_bytes()[0] << 5 | entries);
        // The base's highest bit is its sign, the others its magnitude.
        let sign = if base < 0 { 1 << (base_bytes * 8 - 1) } else { 0 };
        out.extend_from_slice(&(base.unsigned_abs() | sign).to_be_bytes()[8 - base_bytes..]);
        pack(values, self.width, out);
        pack(&self.entries, width::existing(self.patch_width + self.gap_width), out);
    }
}

/// Bytes of a run's least value with its sign; none if it has too many bits.
fn base_bytes(base: i64) -> Option<usize> {
    let magnitude = bits(base.unsigned_abs());
    (magnitude < 64).then(|| (magnitude + 1).div_ceil(8) as usize)
}
