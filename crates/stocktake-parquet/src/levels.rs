//! Definition levels of optional fields: 1 where a row has a value, 0 where it has none.

use crate::hybrid::{put_hybrid, put_run};

/// Which rows of a page have a value. Costs nothing a row as long as all have one, or none.
#[derive(Debug, Default)]
pub(crate) struct Levels {
    rows: usize,
    nulls: usize,
    /// One level a row, from the first row that differs from those before.
    mixed: Vec<u32>,
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
            self.mixed.resize(self.rows, u32::from(!present));
        }
        self.mixed.push(u32::from(present));
    }

    /// Adds rows that all have a value, or none.
    pub(crate) fn push_all(&mut self, present: bool, rows: usize) {
        if rows == 0 {
            return;
        }
        self.push(present);
        if !self.mixed.is_empty() {
            self.mixed.resize(self.mixed.len() + rows - 1, u32::from(present));
        }
        self.rows += rows - 1;
        self.nulls += if present { 0 } else { rows - 1 };
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
            put_run(out, self.rows, u32::from(self.nulls == 0), 1);
        } else {
            put_hybrid(out, &self.mixed, 1);
        }
    }
}
