//! Marks in a row's text: where fields begin and what is known of them, for a compressor that does not search.

use crate::page::Page;
use stocktake_codec::{Hint, Mark};
use stocktake_core::Field;

/// Numbers of combinations of few-valued fields; those of equal numbers keep each other from being found.
pub(crate) const COMBINATIONS: u32 = 4096;

/// Numbers of days, as many as are rendered and remembered.
pub(crate) const DAYS: u32 = 2048;

/// Seconds of a minute.
const SECONDS: u32 = 60;

/// All numbers of hints.
pub(crate) const NUMBERS: u32 = COMBINATIONS + DAYS + SECONDS;

/// What is known of a day's date.
#[inline(always)]
pub(crate) fn day(place: u32) -> Hint {
    Hint::Last(COMBINATIONS + place)
}

/// What is known of a second with the zeros after it.
#[inline(always)]
pub(crate) fn second(second: u32) -> Hint {
    Hint::Only(COMBINATIONS + DAYS + second)
}

/// Most marks of a row: key and its end, up to three for each further field.
const MARKS_MAX: usize = 2 + 3 * (Field::COUNT - 2);

/// The marks of one row.
#[derive(Clone, Debug)]
pub(crate) struct RowMarks {
    count: usize,
    list: [Mark; MARKS_MAX],
}

impl Default for RowMarks {
    fn default() -> Self {
        Self { count: 0, list: [Mark { at: 0, hint: Hint::Nothing }; MARKS_MAX] }
    }
}

impl RowMarks {
    /// Begins a row at the end of the page.
    #[inline(always)]
    pub(crate) fn begin(&mut self, page: &Page<'_>) -> Marks<'_> {
        Marks { start: page.at(), left: &mut self.list }
    }

    /// Ends a row with so many marks left.
    #[inline(always)]
    pub(crate) fn end(&mut self, left: usize) {
        self.count = MARKS_MAX - left;
    }

    pub(crate) fn list(&self) -> &[Mark] {
        &self.list[..self.count]
    }
}

/// Marks that a row is given.
#[derive(Debug)]
pub(crate) struct Marks<'m> {
    /// Where the row begins in the page.
    start: usize,
    left: &'m mut [Mark],
}

impl Marks<'_> {
    /// Marks the end of the page.
    #[inline(always)]
    pub(crate) fn push(&mut self, page: &Page<'_>, hint: Hint) {
        self.push_at(page, 0, hint);
    }

    /// Marks a place before the end of the page.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "a row has a few megabytes")]
    pub(crate) fn push_at(&mut self, page: &Page<'_>, before: usize, hint: Hint) {
        // More there cannot be; one left out would cost bytes and nothing else.
        if let [place, left @ ..] = std::mem::take(&mut self.left) {
            *place = Mark { at: (page.at() - self.start - before) as u32, hint };
            self.left = left;
        }
    }

    /// Keeps the places of marks that other rows have, at the end of the page: a field lasts until the next mark.
    #[inline(always)]
    pub(crate) fn skip(&mut self, page: &Page<'_>, count: usize) {
        (0..count).for_each(|_| self.push(page, Hint::Nothing));
    }

    /// Number of marks left.
    #[inline(always)]
    pub(crate) fn left(self) -> usize {
        self.left.len()
    }
}
