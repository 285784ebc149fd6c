//! How fields repeat from row to row: the row above, the last place of a value, places where parts of keys begin.
//!
//! It does not know what fields mean; the caller marks where they begin and says what is known of them.

use crate::{
    cursor::Cursor,
    deflater::Deflater,
    dispatch::Work,
    lanes::{self, LANES},
};
use std::ops::Range;

/// Separators that are told apart from other bytes.
const SEPARATORS_MAX: usize = 4;

/// Bytes that a probe looks at.
const PROBE_BYTES: usize = 4;

/// Places that separators in sorted fields are remembered in.
const PROBES: usize = 4096;

/// Places that the text of long fields is remembered in.
const SEARCHES: usize = 1 << 14;

/// A field of which so many bytes repeat nothing that is known is searched through: what makes a field so long is
/// seldom chance.
const SEARCHED_BYTES_MIN: usize = 48;

/// After so many places where a search found nothing, it takes longer steps. What it steps over is found backwards.
const MISSES: usize = 8;

/// A search through a sorted field has paid if it finds more than one in so many bytes.
const SEARCH_GAIN: usize = 4;

/// Most bytes that searches are ahead, which they begin with: the first ones have little to find.
const SEARCH_AHEAD_MAX: isize = 4096;

/// Most bytes that searches are behind.
const SEARCH_BEHIND_MAX: isize = 1024;

/// Searches that do not pay are tried again: one in so many of the bytes left out makes up for what they are behind.
const SEARCH_RECOVERY: usize = 32;

/// After so many separators in a row behind which nothing repeats, a field's other ones are left out.
const PROBE_MISSES_MAX: usize = 8;

/// What is known of the text at a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hint {
    /// It often equals the row above at the same mark.
    Above,
    /// It equals what stood at the last mark with this number, if that is near enough; otherwise often the row above.
    Last(u32),
    /// As [`Hint::Last`], but seldom like the row above.
    Only(u32),
    /// It equals the row above or nothing: random text of at least eight bytes.
    Random,
    /// Its front equals the row above: rows are sorted by it.
    Sorted,
    /// Here a sorted field ends. Its back may equal the row above, and in between parts of other rows may repeat.
    SortedEnd,
    /// The rest of the row equals what stood at the last mark with this number, if that is near enough; otherwise the marks
    /// that follow tell of it. Their places count from this one.
    Whole(u32),
    /// The text up to the next [`Hint::Whole`] equals what stood at the last mark with this number, if that is near enough;
    /// otherwise the marks in between tell of it.
    Front(u32),
    /// Nothing is known. Keeps the place of a mark that other rows have.
    Nothing,
}

/// A place in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Offset from the row's beginning, or from a [`Hint::Whole`] before it.
    pub at: u32,
    /// What is known of the text there.
    pub hint: Hint,
}

/// Tells a deflater how rows repeat. Every row has the same number of marks, in ascending order.
#[derive(Clone, Debug)]
pub struct Rows {
    /// The low 32 bits of the position of the row above, and its marks.
    above: u32,
    above_marks: Vec<Mark>,
    /// The low 32 bits of the last position of each number. A wrong one finds nothing equal, or something by chance.
    last: Vec<u32>,
    probes: Box<[u32; PROBES]>,
    /// As `last`, by what stands there; empty until a field is long enough.
    searches: Vec<u32>,
    /// How many bytes searches through sorted fields have found beyond what they have to, so that they pay.
    search_balance: isize,
    /// Each in every lane; fewer are filled up with the first.
    separators: Option<[[u8; LANES]; SEPARATORS_MAX]>,
}

impl Rows {
    /// Of rows whose hints have numbers below `numbers`, and in whose sorted fields parts begin at `separators`.
    ///
    /// Larger numbers are taken as if there were no hint, and more than four separators as if they were none.
    pub fn new(numbers: usize, separators: &[u8]) -> Self {
        let separators = separators.first().map(|first| {
            let mut all = [[*first; LANES]; SEPARATORS_MAX];
            all.iter_mut().zip(separators).for_each(|(lanes, separator)| *lanes = [*separator; LANES]);
            all
        });
        Self {
            above: 0,
            above_marks: Vec::new(),
            last: vec![0; numbers],
            probes: Box::new([0; PROBES]),
            searches: Vec::new(),
            search_balance: SEARCH_AHEAD_MAX,
            separators,
        }
    }

    /// Forgets every row: to be called with [`Deflater::begin`].
    pub fn begin(&mut self) {
        self.above = 0;
        self.above_marks.clear();
        self.last.fill(0);
        self.probes.fill(0);
        self.searches.clear();
        self.search_balance = SEARCH_AHEAD_MAX;
    }

    /// Adds rows that were written to the room's beginning, and tells how they repeat: of each row its bytes and its marks.
    ///
    /// Ends with the row that fills the block, which is to be ended then; returns how many rows were added.
    ///
    /// # Panics
    /// If the room was shorter.
    #[inline]
    pub fn push<'m>(
        &mut self,
        rows: impl Iterator<Item = (usize, &'m [Mark])> + Clone,
        deflater: &mut Deflater,
    ) -> usize {
        deflater.dispatch().run(Push { teller: self, rows, deflater })
    }

    /// Tells of a row that begins at `start` and ends with the text, below another.
    #[inline(always)]
    fn tell<'m>(&mut self, start: usize, marks: &'m [Mark], mut above: &'m [Mark], cursor: &mut Cursor<'_>) {
        let row_end = cursor.filled();
        let position = cursor.position(start);
        let mut rows_apart = position.wrapping_sub(self.above);
        self.above = position;
        if above.len() != marks.len() {
            // No row above, or one of another kind: at a distance of 0 nothing repeats.
            rows_apart = 0;
            above = marks;
        } else if cursor.settled() >= row_end && marks.iter().zip(above).all(|(mark, above)| mark.at == above.at) {
            // A row that repeats others wholly has nothing to tell.
            return;
        }
        let place = |mark: &Mark| row_end.min(start + mark.at as usize);
        let (mut before, mut at) = (start, marks.first().map_or(row_end, place));
        let mut rest = marks;
        while let ([mark, others @ ..], [above_mark, above_others @ ..]) = (rest, above) {
            let is_whole = matches!(mark.hint, Hint::Whole(_));
            let end = if is_whole { row_end } else { others.first().map_or(row_end, place) };
            let distance = rows_apart.wrapping_add(mark.at).wrapping_sub(above_mark.at);
            self.tell_mark(mark.hint, before..at, end, distance as usize, cursor);
            if is_whole {
                if cursor.settled() < row_end {
                    self.tell_parts(at, distance, others, above_others, cursor);
                }
                return;
            }
            // A sorted field is searched up to what its end repeats, which is found there.
            if is_searched(at..end, cursor) && others.first().is_none_or(|next| next.hint != Hint::SortedEnd) {
                self.search(at..end, cursor);
            }
            (before, at, rest, above) = (at, end, others, above_others);
        }
    }

    /// Tells of the parts of a row from `start` to its end, whose marks count from there.
    #[inline(never)]
    fn tell_parts(
        &mut self,
        mut start: usize,
        mut rows_apart: u32,
        mut marks: &[Mark],
        mut above: &[Mark],
        cursor: &mut Cursor<'_>,
    ) {
        let row_end = cursor.filled();
        let mut before = start;
        while let ([mark, others @ ..], [above_mark, above_others @ ..]) = (marks, above) {
            let place = |mark: &Mark| row_end.min(start + mark.at as usize);
            let at = place(mark);
            let apart = rows_apart.wrapping_add(mark.at).wrapping_sub(above_mark.at);
            // The marks that a hint stands for, and where they end.
            let stands_for = match mark.hint {
                Hint::Whole(_) => others.len(),
                Hint::Front(_) => others.iter().take_while(|mark| !matches!(mark.hint, Hint::Whole(_))).count(),
                _ => 0,
            };
            let end = others.get(stands_for).map_or(row_end, place);
            self.tell_mark(mark.hint, before..at, end, apart as usize, cursor);
            if cursor.settled() >= row_end {
                return;
            }
            match mark.hint {
                Hint::Whole(_) => (start, rows_apart) = (at, apart),
                Hint::Front(_) if cursor.settled() >= end && stands_for <= above_others.len() => {
                    (before, marks, above) = (at, &others[stands_for..], &above_others[stands_for..]);
                    continue;
                }
                Hint::Front(_) => {}
                _ if is_searched(at..end, cursor) => {
                    self.search(at..end, cursor);
                }
                _ => {}
            }
            (before, marks, above) = (at, others, above_others);
        }
    }

    /// Tells of the text from a field's end up to another mark.
    #[inline(always)]
    fn tell_mark(&mut self, hint: Hint, field: Range<usize>, end: usize, distance: usize, cursor: &mut Cursor<'_>) {
        let at = field.end;
        // Where what is here may stand too; at a distance of 0 nothing does.
        let (mut likely, mut other) = match hint {
            Hint::Last(slot) => (self.distance_to_last(slot, cursor.position(at)), distance),
            Hint::Only(slot) | Hint::Whole(slot) | Hint::Front(slot) => {
                (self.distance_to_last(slot, cursor.position(at)), 0)
            }
            Hint::SortedEnd => return self.tell_sorted_end(field, distance, cursor),
            Hint::Nothing => return,
            Hint::Random if !cursor.begins_alike::<8>(at, distance) => return,
            Hint::Above | Hint::Sorted | Hint::Random => (distance, 0),
        };
        if cursor.settled() >= end {
            return;
        }
        // One place for both: what copies is long.
        while !cursor.copy_here(at, likely) && other != likely && other != 0 {
            (likely, other) = (other, 0);
        }
    }

    /// Tells of a sorted field, of which what equals the row above at its front is settled, and of its end.
    // A function of its own: what its caller has in registers counts for more.
    #[inline(never)]
    fn tell_sorted_end(&mut self, field: Range<usize>, distance: usize, cursor: &mut Cursor<'_>) {
        let at = field.end;
        let equal = cursor.equal_around(at, distance);
        if is_searched(field.clone(), cursor) && self.searches_pay(at - cursor.settled()) {
            let from = cursor.settled();
            let found = self.search(field.start..at - equal.0, cursor);
            self.note_search(at - from, found);
        } else {
            self.probe(at - equal.0, cursor);
        }
        cursor.copy_around(at, distance, equal);
    }

    /// Whether searches through sorted fields have paid lately, or long enough ago that one more may.
    #[inline(always)]
    fn searches_pay(&mut self, bytes: usize) -> bool {
        if self.search_balance < 0 {
            self.search_balance = self.search_balance.saturating_add_unsigned(bytes / SEARCH_RECOVERY);
        }
        self.search_balance >= 0
    }

    /// Takes down what a search through so many bytes of a sorted field has found.
    #[inline(always)]
    fn note_search(&mut self, bytes: usize, found: usize) {
        let balance = self.search_balance.saturating_add_unsigned(found * SEARCH_GAIN).saturating_sub_unsigned(bytes);
        self.search_balance = balance.clamp(-SEARCH_BEHIND_MAX, SEARCH_AHEAD_MAX);
    }

    /// Searches through what is not settled of a field; returns how many bytes it found elsewhere too.
    #[inline(never)]
    fn search(&mut self, field: Range<usize>, cursor: &mut Cursor<'_>) -> usize {
        self.searches.resize(SEARCHES, 0);
        let (mut at, mut misses) = (cursor.settled().max(field.start), 0);
        let mut found = 0;
        while let Some(four) = cursor.between(at, field.end).first_chunk::<4>() {
            let place = &mut self.searches[place_of(u32::from_le_bytes(*four), SEARCHES)];
            let here = cursor.position(at);
            let distance = here.wrapping_sub(std::mem::replace(place, here)) as usize;
            if cursor.repeats_four(at, distance) && cursor.copy_at(at, distance) {
                found += cursor.settled() - at;
                at = cursor.settled();
                misses = 0;
            } else {
                misses += 1;
                at += 1 + misses / MISSES;
            }
        }
        found
    }

    /// Distance to the last position with this number, which becomes this one.
    #[inline(always)]
    fn distance_to_last(&mut self, slot: u32, position: u32) -> usize {
        let Some(last) = self.last.get_mut(slot as usize) else { return 0 };
        position.wrapping_sub(std::mem::replace(last, position)) as usize
    }

    /// Looks for what follows each separator between what is settled and `to`, where it stood last.
    #[inline(always)]
    fn probe(&mut self, to: usize, cursor: &mut Cursor<'_>) {
        let Some(wanted) = self.separators else { return };
        let mut from = cursor.settled();
        let mut misses = 0;
        while from + PROBE_BYTES <= to {
            let mut found = lanes::marks_of(cursor.sixteen(from), &wanted);
            let next = from + LANES;
            while found != 0 {
                let at = from + found.trailing_zeros() as usize;
                found &= found - 1;
                if at + PROBE_BYTES > to || misses == PROBE_MISSES_MAX {
                    return;
                }
                if at >= cursor.settled() {
                    misses = if self.probe_at(at, cursor) { 0 } else { misses + 1 };
                }
            }
            from = next.max(cursor.settled());
        }
    }

    /// Looks for what stands at a place where it stood last.
    #[inline(always)]
    fn probe_at(&mut self, at: usize, cursor: &mut Cursor<'_>) -> bool {
        let four = cursor.between(at, at + PROBE_BYTES).first_chunk().copied().unwrap_or_default();
        let place = &mut self.probes[place_of(u32::from_le_bytes(four), PROBES)];
        let here = cursor.position(at);
        let distance = here.wrapping_sub(std::mem::replace(place, here)) as usize;
        cursor.repeats_four(at, distance) && cursor.copy_at(at, distance)
    }
}

/// Rows to be added and told of.
struct Push<'a, R> {
    teller: &'a mut Rows,
    rows: R,
    deflater: &'a mut Deflater,
}

impl<'m, R: Iterator<Item = (usize, &'m [Mark])> + Clone> Work for Push<'_, R> {
    type Output = usize;

    #[inline(always)]
    fn run(self) -> usize {
        let Self { teller, rows, deflater } = self;
        let fullness = deflater.fullness();
        let mut cursor = deflater.cursor();
        cursor.look_ahead(rows.clone().map(|(bytes, _)| bytes).sum());
        let mut above_marks = std::mem::take(&mut teller.above_marks);
        let (mut above, mut count) = (None, 0);
        for (bytes, marks) in rows {
            let start = cursor.push(bytes);
            teller.tell(start, marks, above.unwrap_or(&above_marks), &mut cursor);
            above = Some(marks);
            count += 1;
            if fullness.is_reached(cursor.filled(), cursor.tokens()) {
                break;
            }
        }
        cursor.look_back();
        let state = cursor.state();
        deflater.set_state(state);
        if let Some(above) = above {
            above_marks.clear();
            above_marks.extend_from_slice(above);
        }
        teller.above_marks = above_marks;
        count
    }
}

/// Whether so much of a field repeats nothing that it is searched through.
#[inline(always)]
fn is_searched(field: Range<usize>, cursor: &Cursor<'_>) -> bool {
    // Most fields are short.
    field.len() >= SEARCHED_BYTES_MIN && field.end >= cursor.settled() + SEARCHED_BYTES_MIN
}

#[inline(always)]
fn place_of(four: u32, places: usize) -> usize {
    // The product's upper bits depend on every bit.
    (four.wrapping_mul(0x9e37_79b1) >> (32 - places.ilog2())) as usize
}
