//! Marks in a row's text: where fields begin and what is known of them, for a compressor that does not search.

use crate::page::Page;
use stocktake_codec::{Hint, Mark};

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

/// The marks of one row.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    /// Where the row begins in the page.
    start: usize,
    list: Vec<Mark>,
}

impl Marks {
    /// Begins a row at the end of the page.
    #[inline(always)]
    pub(crate) fn begin(&mut self, page: &Page<'_>) {
        self.start = page.at();
        self.list.clear();
    }

    /// Marks the end of the page.
    #[inline(always)]
    pub(crate) fn push(&mut self, page: &Page<'_>, hint: Hint) {
        self.push_at(page, 0, hint);
    }

    /// Marks a place before the end of the page.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "a row has a few megabytes")]
    pub(crate) fn push_at(&mut self, page: &Page<'_>, before: usize, hint: Hint) {
        self.list.push(Mark { at: (page.at() - self.start - before) as u32, hint });
    }

    /// Keeps the places of marks that other rows have, at the end of the page: a field lasts until the next mark.
    #[inline(always)]
    pub(crate) fn skip(&mut self, page: &Page<'_>, count: usize) {
        (0..count).for_each(|_| self.push(page, Hint::Nothing));
    }

    pub(crate) fn list_mut(&mut self) -> &mut Vec<Mark> {
        &mut self.list
    }
}
