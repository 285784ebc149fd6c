//! How fields repeat from row to row: the row above, the last place of a value, places where parts of keys begin.
//!
//! It does not know what fields mean; the caller marks where they begin and says what is known of them.

use crate::{
    deflater::Deflater,
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
    /// Nothing is known. Keeps the place of a mark that other rows have.
    Nothing,
}

/// A place in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Offset from the row's beginning.
    pub at: u32,
    /// What is known of the text there.
    pub hint: Hint,
}

/// Tells a deflater how rows repeat. Every row has the same number of marks, in ascending order.
#[derive(Clone, Debug)]
pub struct Rows {
    /// Position of the row above, and where its marks are.
    above: usize,
    above_at: Vec<u32>,
    /// The low 32 bits of the last position of each number. A wrong one finds nothing equal, or something by chance.
    last: Vec<u32>,
    probes: Vec<u32>,
    /// As `last`, by what stands there; empty until a field is long enough.
    searches: Vec<u32>,
    /// Fewer are filled up with the first.
    separators: Option<[u8; SEPARATORS_MAX]>,
}

impl Rows {
    /// Of rows whose hints have numbers below `numbers`, and in whose sorted fields parts begin at `separators`.
    ///
    /// Larger numbers are taken as if there were no hint, and more than four separators as if they were none.
    pub fn new(numbers: usize, separators: &[u8]) -> Self {
        let separators = separators.first().map(|first| {
            let mut all = [*first; SEPARATORS_MAX];
            all.iter_mut().zip(separators).for_each(|(place, separator)| *place = *separator);
            all
        });
        Self {
            above: 0,
            above_at: Vec::new(),
            last: vec![0; numbers],
            probes: vec![0; PROBES],
            searches: Vec::new(),
            separators,
        }
    }

    /// Forgets every row: to be called with [`Deflater::begin`].
    pub fn begin(&mut self) {
        self.above = 0;
        self.above_at.clear();
        self.last.fill(0);
        self.probes.fill(0);
        self.searches.clear();
    }

    /// Tells of the row that was pushed last, at position `start`.
    // Inlined, it takes the registers of the loops around it.
    #[inline(never)]
    pub fn tell(&mut self, start: usize, marks: &[Mark], deflater: &mut Deflater) {
        let row_end = deflater.position();
        let mut rows_apart = start - self.above;
        self.above = start;
        if self.above_at.len() != marks.len() {
            // No row above, or one of another kind: at a distance of 0 nothing repeats.
            rows_apart = 0;
            self.above_at.clear();
            self.above_at.extend(marks.iter().map(|mark| mark.at));
        } else if deflater.settled() >= row_end && marks.iter().map(|mark| mark.at).eq(self.above_at.iter().copied()) {
            // A row that repeats others wholly has nothing to tell.
            return;
        }
        let mut above_at = std::mem::take(&mut self.above_at);
        let mut before = start;
        for (number, (mark, above_at)) in marks.iter().zip(&mut above_at).enumerate() {
            let next = marks.get(number + 1);
            let end = next.map_or(row_end, |next| start + next.at as usize);
            let at = start + mark.at as usize;
            let distance = (rows_apart + mark.at as usize).wrapping_sub(*above_at as usize);
            *above_at = mark.at;
            let covered = deflater.settled() >= end;
            match mark.hint {
                Hint::Last(slot) | Hint::Only(slot) => {
                    let last = self.distance_to_last(slot, at);
                    if covered {
                        continue;
                    }
                    let done = deflater.copy(at, last);
                    if !done && last != distance && mark.hint == Hint::Last(slot) {
                        deflater.copy(at, distance);
                    }
                }
                Hint::SortedEnd => {
                    let back = deflater.equal_before(at, distance);
                    if is_searched(before..at, deflater) {
                        self.search(before..at - back, deflater);
                    } else {
                        self.probe(at - back, deflater);
                    }
                    let back = back.min(at.saturating_sub(deflater.settled()));
                    deflater.copy_behind(at, distance, back);
                }
                _ if covered => {}
                Hint::Nothing => {}
                Hint::Random if !deflater.begins_alike::<8>(at, distance) => {}
                _ => {
                    deflater.copy(at, distance);
                }
            }
            // A sorted field is searched up to what its end repeats, which is found there.
            if is_searched(at..end, deflater) && next.is_none_or(|next| next.hint != Hint::SortedEnd) {
                self.search(at..end, deflater);
            }
            before = at;
        }
        self.above_at = above_at;
    }

    /// Searches through what is not settled of a field.
    #[cold]
    #[inline(never)]
    fn search(&mut self, field: Range<usize>, deflater: &mut Deflater) {
        self.searches.resize(SEARCHES, 0);
        let (mut at, mut misses) = (deflater.settled().max(field.start), 0);
        while let Some(four) = deflater.between(at, field.end).first_chunk::<4>() {
            let place = &mut self.searches[place_of(u32::from_le_bytes(*four), SEARCHES)];
            let here = low_bits(at);
            let distance = here.wrapping_sub(std::mem::replace(place, here)) as usize;
            if deflater.begins_alike::<4>(at, distance) && deflater.copy(at, distance) {
                at = deflater.settled();
                misses = 0;
            } else {
                misses += 1;
                at += 1 + misses / MISSES;
            }
        }
    }

    /// Distance to the last position with this number, which becomes this one.
    #[inline(always)]
    fn distance_to_last(&mut self, slot: u32, at: usize) -> usize {
        let Some(last) = self.last.get_mut(slot as usize) else { return 0 };
        let here = low_bits(at);
        here.wrapping_sub(std::mem::replace(last, here)) as usize
    }

    /// Looks for what follows each separator between what is settled and `to`, where it stood last.
    #[inline(always)]
    fn probe(&mut self, to: usize, deflater: &mut Deflater) {
        let Some(wanted) = self.separators else { return };
        let mut from = deflater.settled();
        let mut misses = 0;
        while from + PROBE_BYTES <= to {
            let mut found = lanes::marks_of(deflater.sixteen(from), wanted);
            let next = from + LANES;
            while found != 0 {
                let at = from + found.trailing_zeros() as usize;
                found &= found - 1;
                if at + PROBE_BYTES > to || misses == PROBE_MISSES_MAX {
                    return;
                }
                if at >= deflater.settled() {
                    misses = if self.probe_at(at, deflater) { 0 } else { misses + 1 };
                }
            }
            from = next.max(deflater.settled());
        }
    }

    /// Looks for what stands at a place where it stood last.
    #[inline(always)]
    fn probe_at(&mut self, at: usize, deflater: &mut Deflater) -> bool {
        let [a, b, c, d, ..] = deflater.sixteen(at);
        let place = &mut self.probes[place_of(u32::from_le_bytes([a, b, c, d]), PROBES)];
        let here = low_bits(at);
        let distance = here.wrapping_sub(std::mem::replace(place, here)) as usize;
        deflater.begins_alike::<PROBE_BYTES>(at, distance) && deflater.copy(at, distance)
    }
}

/// Whether so much of a field repeats nothing that it is searched through.
#[inline(always)]
fn is_searched(field: Range<usize>, deflater: &Deflater) -> bool {
    // Most fields are short.
    field.len() >= SEARCHED_BYTES_MIN && field.end >= deflater.settled() + SEARCHED_BYTES_MIN
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "distances are compared, which need the low bits only")]
fn low_bits(position: usize) -> u32 {
    position as u32
}

#[inline(always)]
fn place_of(four: u32, places: usize) -> usize {
    // The product's upper bits depend on every bit.
    (four.wrapping_mul(0x9e37_79b1) >> (32 - places.ilog2())) as usize
}
