//! Marks in a row's text: where fields begin and what is known of them, for a compressor that does not search.

use crate::{page::Page, tail::NO_NUMBER};
use stocktake_codec::{Hint, Mark};
use stocktake_core::Field;

/// Numbers of combinations of few-valued fields; those of equal numbers keep each other from being found.
pub(crate) const COMBINATIONS: u32 = 4096;

/// Numbers of days, as many as are rendered and remembered.
pub(crate) const DAYS: u32 = 2048;

/// Seconds of a minute.
const SECONDS: u32 = 60;

/// Numbers of what rows end with; as of combinations.
const WHOLES: u32 = 4096;

/// All numbers of hints.
pub(crate) const NUMBERS: u32 = COMBINATIONS + DAYS + SECONDS + WHOLES;

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

/// What is known of the rest of a row, of two parts with such numbers.
#[inline(always)]
pub(crate) fn whole([first, second]: [u32; 2]) -> Hint {
    if first == NO_NUMBER || second == NO_NUMBER {
        return Hint::Whole(NO_NUMBER);
    }
    // Numbers of texts look random.
    Hint::Whole(COMBINATIONS + DAYS + SECONDS + (first ^ second.rotate_left(7)) % WHOLES)
}

/// What is known of the first part of the rest of a row, with such a number.
#[inline(always)]
pub(crate) fn front(number: u32) -> Hint {
    if number == NO_NUMBER { Hint::Front(NO_NUMBER) } else { Hint::Front(number % COMBINATIONS) }
}

/// Most marks of a span.
pub(crate) const SPAN_MARKS: usize = 8;

/// Most marks of a row: key and its end, up to three for each further field, three of spans and what is written ahead.
const MARKS_MAX: usize = 2 + 3 * (Field::COUNT - 2) + 3 + SPAN_MARKS;

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

impl<'m> Marks<'m> {
    /// Marks whose places count from the end of the page.
    pub(crate) fn new(left: &'m mut [Mark], page: &Page<'_>) -> Self {
        Self { start: page.at(), left }
    }

    /// Marks the end of the page.
    #[inline(always)]
    pub(crate) fn push(&mut self, page: &Page<'_>, hint: Hint) {
        self.push_at(page, 0, hint);
    }

    /// Marks a place before the end of the page.
    #[inline(always)]
    pub(crate) fn push_at(&mut self, page: &Page<'_>, before: usize, hint: Hint) {
        // More there cannot be; one left out would cost bytes and nothing else.
        let at = self.place(page, before);
        if let [place, left @ ..] = std::mem::take(&mut self.left) {
            *place = Mark { at, hint };
            self.left = left;
        }
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "a row has a few megabytes")]
    fn place(&self, page: &Page<'_>, before: usize) -> u32 {
        (page.at() - self.start - before) as u32
    }

    /// Keeps the place of a mark, which is to be set later, at the end of the page; the marks after it count from there.
    #[inline(always)]
    pub(crate) fn begin_part(&mut self, page: &Page<'_>) -> Option<&'m mut Mark> {
        let mark = self.keep(page);
        self.start = page.at();
        mark
    }

    /// Keeps the place of a mark, which is to be set later, at the end of the page.
    #[inline(always)]
    pub(crate) fn keep(&mut self, page: &Page<'_>) -> Option<&'m mut Mark> {
        let at = self.place(page, 0);
        let (first, left) = std::mem::take(&mut self.left).split_first_mut()?;
        first.at = at;
        self.left = left;
        Some(first)
    }

    /// Adds the first of some marks, whose places count from another place than the row's beginning.
    #[inline(always)]
    pub(crate) fn put(&mut self, marks: &[Mark; SPAN_MARKS], count: usize) {
        // As in the other case, more there cannot be.
        if let Some(block) = self.left.first_chunk_mut() {
            *block = *marks;
            self.left = std::mem::take(&mut self.left).split_at_mut(count.min(SPAN_MARKS)).1;
        }
    }

    /// Adds marks by a function that is called: they stay in variables of the function that adds others.
    #[inline(always)]
    pub(crate) fn apart<T>(&mut self, add: impl FnOnce(&mut Marks<'_>) -> T) -> T {
        let before = self.left.len();
        let mut marks = Marks { start: self.start, left: &mut *self.left };
        let added = add(&mut marks);
        let left = marks.left.len();
        self.left = std::mem::take(&mut self.left).split_at_mut(before - left).1;
        added
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
