//! How fields repeat from row to row: the row above, the last place of a value, places where parts of keys begin.
//!
//! It does not know what fields mean; the caller marks where they begin and says what is known of them.

use crate::deflater::Deflater;

/// Places that separators in sorted fields are remembered in.
const PROBES: usize = 4096;

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
            separators: table,
        }
    }

    /// Forgets every row: to be called with [`Deflater::begin`].
    pub fn begin(&mut self) {
        self.above = None;
        self.last.fill(0);
        self.probes.fill(0);
    }

    /// Tells of a row that was pushed at position `start`; takes its marks and leaves others in their place.
    #[inline]
    pub fn tell(&mut self, start: usize, marks: &mut Vec<Mark>, deflater: &mut Deflater) {
        // Without a row above, distances reach before the run.
        let above = self.above.unwrap_or(usize::MAX);
        let empty = above == usize::MAX;
        for (number, mark) in marks.iter().enumerate() {
            let at = start + mark.at as usize;
            let distance = match self.above_marks.get(number) {
                Some(above_mark) if !empty => at - (above + above_mark.at as usize),
                _ => 0,
            };
            let end = marks.get(number + 1).map_or(usize::MAX, |next| start + next.at as usize);
            let covered = deflater.settled() >= end;
            match mark.hint {
                Hint::Above | Hint::Sorted => {
                    if !covered {
                        deflater.copy(at, distance);
                    }
                }
                Hint::Last(slot) => {
                    let last = self.distance_to_last(slot, at);
                    if !covered && !deflater.copy(at, last) && last != distance {
                        deflater.copy(at, distance);
                    }
                }
                Hint::Only(slot) => {
                    let last = self.distance_to_last(slot, at);
                    if !covered {
                        deflater.copy(at, last);
                    }
                }
                Hint::Random => {
                    if !covered && deflater.begins_alike(at, distance) {
                        deflater.copy(at, distance);
                    }
                }
                Hint::SortedEnd => {
                    let back = deflater.equal_before(at, distance);
                    self.probe(at - back, deflater);
                    if !covered {
                        deflater.copy(at, distance);
                    }
                }
                Hint::Nothing => {}
            }
        }
        self.above = Some(start);
        std::mem::swap(&mut self.above_marks, marks);
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
        while from < to {
            let text = deflater.between(from, to);
            let Some(found) = text.iter().position(|byte| self.separators[usize::from(*byte)]) else { return };
            let Some(four) = text[found..].first_chunk::<4>() else { return };
            let at = from + found;
            let place = &mut self.probes[place_of(u32::from_le_bytes(*four))];
            let here = low_bits(at);
            let distance = here.wrapping_sub(std::mem::replace(place, here)) as usize;
            deflater.copy(at, distance);
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
fn place_of(four: u32) -> usize {
    // The product's upper bits depend on every bit.
    (four.wrapping_mul(0x9e37_79b1) >> (32 - PROBES.ilog2())) as usize
}
