//! How fields repeat from row to row: the row above, the last place of a value, places where parts of keys begin.
//!
//! It does not know what fields mean; the caller marks where they begin and says what is known of them.

use crate::deflater::Deflater;
use std::ops::Range;

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
    /// Position of the row above, and its marks.
    above: Option<usize>,
    above_marks: Vec<Mark>,
    /// The low 32 bits of the last position of each number. A wrong one finds nothing equal, or something by chance.
    last: Vec<u32>,
    probes: Vec<u32>,
    /// As `last`, by what stands there; empty until a field is long enough.
    searches: Vec<u32>,
    separators: [bool; 256],
}

impl Rows {
    /// Of rows whose hints have numbers below `numbers`, and in whose sorted fields parts begin at `separators`.
    ///
    /// Larger numbers are taken as if there were no hint.
    pub fn new(numbers: usize, separators: &[u8]) -> Self {
        let mut table = [false; 256];
        separators.iter().for_each(|byte| table[usize::from(*byte)] = true);
        Self {
            above: None,
            above_marks: Vec::new(),
            last: vec![0; numbers],
            probes: vec![0; PROBES],
            searches: Vec::new(),
            separators: table,
        }
    }

    /// Forgets every row: to be called with [`Deflater::begin`].
    pub fn begin(&mut self) {
        self.above = None;
        self.last.fill(0);
        self.probes.fill(0);
        self.searches.clear();
    }

    /// Tells of the row that was pushed last, at position `start`; copies its marks.
    #[inline]
    pub fn tell(&mut self, start: usize, marks: &[Mark], deflater: &mut Deflater) {
        let row_end = deflater.position();
        // A row that repeats others wholly has nothing to tell.
        if deflater.settled() >= row_end && self.above_marks == marks {
            self.above = Some(start);
            return;
        }
        let mut searched = false;
        for (number, Mark { at, hint }) in marks.iter().copied().enumerate() {
            if hint == Hint::Nothing {
                continue;
            }
            let at = start + at as usize;
            let end = marks.get(number + 1).map_or(row_end, |next| start + next.at as usize);
            // Without a row above, no distance.
            let distance = match (self.above, self.above_marks.get(number)) {
                (Some(above), Some(mark)) => at - (above + mark.at as usize),
                _ => 0,
            };
            let covered = deflater.settled() >= end;
            match hint {
                Hint::Last(slot) | Hint::Only(slot) => {
                    let last = self.distance_to_last(slot, at);
                    let done = covered || deflater.copy(at, last);
                    if !done && last != distance && hint == Hint::Last(slot) {
                        deflater.copy(at, distance);
                    }
                }
                Hint::SortedEnd => {
                    if !searched {
                        let back = deflater.equal_before(at, distance);
                        self.probe(at - back, deflater);
                    }
                    deflater.copy(at, distance);
                }
                Hint::Random if !deflater.begins_alike::<8>(at, distance) => {}
                _ if covered => {}
                _ => {
                    deflater.copy(at, distance);
                }
            }
            searched = end >= deflater.settled().max(at) + SEARCHED_BYTES_MIN;
            if searched {
                self.search_field(number, marks, start..end, deflater);
            }
        }
        self.above = Some(start);
        self.above_marks.clear();
        self.above_marks.extend_from_slice(marks);
    }

    /// Searches through what is left of a field, in a sorted one up to what equals the row above again.
    #[cold]
    fn search_field(&mut self, number: usize, marks: &[Mark], row_to_end: Range<usize>, deflater: &mut Deflater) {
        let Range { start, end } = row_to_end;
        let to = match (self.above, self.above_marks.get(number + 1), marks.get(number + 1)) {
            (Some(above), Some(mark), Some(Mark { hint: Hint::SortedEnd, .. })) => {
                end - deflater.equal_before(end, end - (above + mark.at as usize))
            }
            _ => end,
        };
        let from = start + marks[number].at as usize;
        self.searches.resize(SEARCHES, 0);
        let (mut at, mut misses) = (deflater.settled().max(from), 0);
        while let Some(four) = deflater.between(at, to).first_chunk::<4>() {
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
        let mut from = deflater.settled();
        let mut misses = 0;
        while from < to && misses < PROBE_MISSES_MAX {
            let text = deflater.between(from, to);
            let Some(found) = text.iter().position(|byte| self.separators[usize::from(*byte)]) else { return };
            let Some(four) = text[found..].first_chunk::<4>() else { return };
            let at = from + found;
            let place = &mut self.probes[place_of(u32::from_le_bytes(*four), PROBES)];
            let here = low_bits(at);
            let distance = here.wrapping_sub(std::mem::replace(place, here)) as usize;
            let found = deflater.begins_alike::<4>(at, distance) && deflater.copy(at, distance);
            misses = if found { 0 } else { misses + 1 };
            from = deflater.settled().max(at + 1);
        }
    }
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
