//! Definition levels of optional fields: 1 where a row has a value, 0 where it has none.

use crate::hybrid::{put_hybrid, put_run};

/// Which rows of a page have a value. Costs nothing a row as long as all have one, or none.
#[derive(Debug, Default)]
pub(crate) struct Levels {
    rows: usize,
    nulls: usize,
    /// One level a row, from the first row that differs from those before.
    mixed: Vec<u16>,
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
        if !self.mixed.is_empty() || (if present { self.nulls > 0 } else { self.nulls < self.rows }) {
            self.push_mixed(present);
        }
        self.rows += 1;
        self.nulls += usize::from(!present);
    }

    fn push_mixed(&mut self, present: bool) {
        if self.mixed.is_empty() {
            self.mixed.resize(self.rows, u16::from(!present));
        }
        self.mixed.push(u16::from(present));
    }

    /// Adds rows that all have a value, or none.
    pub(crate) fn push_all(&mut self, present: bool, rows: usize) {
        if rows == 0 {
            return;
        }
        self.push(present);
        if !self.mixed.is_empty() {
            self.mixed.resize(self.mixed.len() + rows - 1, u16::from(present));
        }
        self.rows += rows - 1;
        self.nulls += if present { 0 } else { rows - 1 };
    }

    /// Adds a row for each code, which has a value unless it is 0.
    pub(crate) fn push_codes(&mut self, codes: &[u16]) {
        let present: usize = codes.iter().map(|code| usize::from(*code != 0)).sum();
        if present == 0 || present == codes.len() {
            self.push_all(present > 0, codes.len());
            return;
        }
        if self.mixed.is_empty() {
            self.mixed.resize(self.rows, u16::from(self.nulls == 0));
        }
        self.mixed.extend(codes.iter().map(|code| u16::from(*code != 0)));
        self.rows += codes.len();
        self.nulls += codes.len() - present;
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
            put_hybrid(out, &self.mixed, 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_may_be_added_one_by_one_or_together() {
        for parts in [
            vec![vec![0; 9], vec![0; 20]],
            vec![vec![3; 9], vec![4, 5]],
            vec![vec![0; 9], vec![1; 30], vec![0, 1, 0]],
            vec![vec![1; 17], vec![0, 2, 0], vec![], vec![7; 50], vec![0; 3]],
            vec![vec![0, 2, 0], vec![0; 100]],
        ] {
            let (mut single, mut together) = (Levels::default(), Levels::default());
            for part in &parts {
                part.iter().for_each(|code| single.push(*code != 0));
                together.push_codes(part);
            }
            let [mut one, mut other] = [Vec::new(), Vec::new()];
            single.put(&mut one);
            together.put(&mut other);
            assert_eq!((single.rows(), single.nulls(), one), (together.rows(), together.nulls(), other), "{parts:?}");
        }
    }
}
