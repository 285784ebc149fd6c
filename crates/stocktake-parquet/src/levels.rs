//! Definition levels of optional fields: 1 where a row has a value, 0 where it has none.

use crate::hybrid::{put_bits, put_run};

/// Which rows of a page have a value. Costs nothing a row as long as all have one, or none.
#[derive(Debug, Default)]
pub(crate) struct Levels {
    rows: usize,
    nulls: usize,
    /// A bit a row, the first in the lowest, once some rows have a value and some have none; those past the last row are 0.
    mixed: Vec<u8>,
}

impl Levels {
    pub(crate) fn clear(&mut self) {
        self.rows = 0;
        self.nulls = 0;
        self.mixed.clear();
    }

    /// Adds a row.
    #[inline]
    pub(crate) fn push(&mut self, present: bool) {
        self.push_bits(u8::from(present), 1);
    }

    /// Adds up to eight rows, the first in the lowest bit; the bits past them have no meaning.
    #[inline]
    pub(crate) fn push_bits(&mut self, bits: u8, rows: usize) {
        let bits = bits & u8::MAX.unbounded_shr(8_u32.saturating_sub(u32::try_from(rows).unwrap_or(8)));
        let present = bits.count_ones() as usize;
        if self.mixed.is_empty() {
            if (present == rows && self.nulls == 0) || (present == 0 && self.nulls == self.rows) {
                self.rows += rows;
                self.nulls += rows - present;
                return;
            }
            self.mix();
        }
        let filled = self.rows % 8;
        let [low, high] = (u16::from(bits) << filled).to_le_bytes();
        match self.mixed.last_mut() {
            Some(last) if filled > 0 => *last |= low,
            _ => self.mixed.push(low),
        }
        if filled + rows > 8 {
            self.mixed.push(high);
        }
        self.rows += rows;
        self.nulls += rows - present;
    }

    /// Gives the rows so far a bit each.
    #[cold]
    fn mix(&mut self) {
        let (rows, present) = (std::mem::take(&mut self.rows), self.nulls == 0);
        self.add_all(present, rows);
    }

    /// Adds bits that are all alike.
    fn add_all(&mut self, present: bool, rows: usize) {
        let ones = if present { 0xff } else { 0 };
        let filled = self.rows % 8;
        if filled > 0
            && let Some(last) = self.mixed.last_mut()
        {
            *last |= ones << filled;
        }
        self.rows += rows;
        self.mixed.resize(self.rows.div_ceil(8), ones);
        if !self.rows.is_multiple_of(8)
            && let Some(last) = self.mixed.last_mut()
        {
            *last &= 0xff >> (8 - self.rows % 8);
        }
    }

    /// Adds rows that all have a value, or none.
    pub(crate) fn push_all(&mut self, present: bool, rows: usize) {
        if rows == 0 {
            return;
        }
        let alike = if present { self.nulls == 0 } else { self.nulls == self.rows };
        if self.mixed.is_empty() && alike {
            self.rows += rows;
        } else {
            if self.mixed.is_empty() {
                self.mix();
            }
            self.add_all(present, rows);
        }
        self.nulls += if present { 0 } else { rows };
    }

    /// Adds a row for each code, which has a value unless it is 0.
    pub(crate) fn push_codes(&mut self, codes: &[u16]) {
        let (eights, rest) = codes.as_chunks::<8>();
        for eight in eights {
            self.push_bits(which_are_not_zero(eight), 8);
        }
        for code in rest {
            self.push(*code != 0);
        }
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn nulls(&self) -> usize {
        self.nulls
    }

    /// Appends the levels, without their length.
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        if self.mixed.is_empty() {
            put_run(out, self.rows, u16::from(self.nulls == 0), 1);
        } else {
            put_bits(out, &self.mixed, self.rows);
        }
    }
}

/// A bit for each of eight codes, the first in the lowest: whether it is not 0.
#[inline]
fn which_are_not_zero(codes: &[u16; 8]) -> u8 {
    // Four codes in a word, of each of which the highest bit tells, gathered by a multiplication.
    const HIGH: u64 = 0x8000_8000_8000_8000;
    let four = |codes: &[u16]| {
        let word = codes.iter().rev().fold(0, |word, code| word << 16 | u64::from(*code));
        let tells = (((word & !HIGH) + !HIGH) | word) & HIGH;
        (tells >> 15).wrapping_mul(1 << 48 | 1 << 33 | 1 << 18 | 1 << 3).to_le_bytes()[6] & 0xf
    };
    four(&codes[..4]) | four(&codes[4..]) << 4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_levels_added_at_once_are_as_one_by_one() {
        for first in [0, 1, 7, 8, 9, 23] {
            for second in [1, 6, 8, 17, 40] {
                let (mut single, mut together) = (Levels::default(), Levels::default());
                for (present, rows) in [(false, first), (true, second), (false, 3), (true, first), (true, second)] {
                    (0..rows).for_each(|_| single.push(present));
                    together.push_all(present, rows);
                }
                let [mut one, mut other] = [Vec::new(), Vec::new()];
                single.put(&mut one);
                together.put(&mut other);
                assert_eq!(
                    (single.rows(), single.nulls(), one),
                    (together.rows(), together.nulls(), other),
                    "{first} {second}"
                );
            }
        }
    }

    #[test]
    fn rows_may_be_added_one_by_one_or_together() {
        for parts in [
            vec![vec![0; 9], vec![0; 20]],
            vec![vec![3; 9], vec![4, 5]],
            vec![vec![0; 9], vec![1; 30], vec![0, 1, 0]],
            vec![vec![1; 17], vec![0, 2, 0], vec![], vec![7; 50], vec![0; 3]],
            vec![vec![0, 2, 0], vec![0; 100]],
            vec![vec![0x8000; 13], vec![0, 0x100, 0x7fff, 0, 1, 0, 0, 0xffff], vec![9; 40], vec![0; 16], vec![1; 9]],
        ] {
            let (mut single, mut together, mut numbers) = (Levels::default(), Levels::default(), Vec::new());
            for part in &parts {
                part.iter().for_each(|code| single.push(*code != 0));
                numbers.extend(part.iter().map(|code| u16::from(*code != 0)));
                together.push_codes(part);
            }
            let [mut one, mut other] = [Vec::new(), Vec::new()];
            single.put(&mut one);
            together.put(&mut other);
            let mut plain = Vec::new();
            crate::hybrid::put_hybrid(&mut plain, &numbers, 1);
            if (1..single.rows()).contains(&single.nulls()) {
                assert_eq!(one, plain, "{parts:?}");
            }
            assert_eq!((single.rows(), single.nulls(), one), (together.rows(), together.nulls(), other), "{parts:?}");
        }
    }
}
