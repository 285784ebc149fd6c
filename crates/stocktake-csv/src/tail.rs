//! The last columns of a row, behind the last one with many values: combinations of many of their values that were
//! rendered lately are copied whole, with their marks.
//!
//! What is remembered is forgotten at each segment, in which codes keep their meaning. It has no influence on text and
//! marks.

use crate::{
    few::Member,
    marks::{Marks, SPAN_MARKS},
    page::{Full, Page},
};
use stocktake_codec::{Hint, Mark};
use stocktake_core::IntColumn;

/// Most columns with few values of a span.
pub(crate) const MEMBERS_MAX: usize = KEY_WORDS * NUMBERS_PER_WORD;

/// 64-bit words of a combination's key.
const KEY_WORDS: usize = 2;

/// Values whose 16-bit numbers fill a word.
const NUMBERS_PER_WORD: usize = 4;

/// Rows whose combinations are put together at once: as many as a byte holds booleans.
pub(crate) const AHEAD_ROWS: usize = 8;

/// So far behind every row that none is ahead of it.
pub(crate) const NO_ROW: usize = usize::MAX / 2;

/// Combinations that are remembered. Reports have some dozens.
const PLACES: usize = 256;

/// Where places are looked up: so many that few combinations meet.
const SLOTS: usize = 2048;

/// Longest text of a remembered combination: an access control list and an owner are most of it.
const TEXT_BYTES: usize = 12 * BLOCK_BYTES;

/// Texts are copied in blocks.
const BLOCK_BYTES: usize = 64;

/// Odd, and its bits look random.
pub(crate) const MIX: u64 = 0x9e37_79b9_7f4a_7c15;

/// Values of some columns as codes, and a number.
type Key = ([u64; KEY_WORDS], u64);

const DAY_MS: i64 = 86_400_000;

/// A number of a text that is too long, or has a number in it.
pub(crate) const NO_NUMBER: u32 = u32::MAX;

/// Columns whose values tell the text of a span.
#[derive(Debug, Default)]
pub(crate) struct SpanColumns<'a> {
    members: Vec<Member<'a>>,
    /// Numbers, which are seldom present; without those that are absent in every row.
    numbers: Vec<&'a IntColumn>,
}

impl<'a> SpanColumns<'a> {
    pub(crate) fn push_members(&mut self, members: &[Member<'a>]) {
        self.members.extend_from_slice(members);
    }

    pub(crate) fn push_number(&mut self, column: &'a IntColumn) {
        if column.absent() < column.values().len() {
            self.numbers.push(column);
        }
    }

    /// A key of the numbers of a row; none if one is not a whole day, or if several are present: they are remembered nowhere.
    #[inline(always)]
    fn number_key(&self, row: usize) -> Option<u64> {
        let mut key = 0;
        for (place, column) in self.numbers.iter().enumerate() {
            if let Some(number) = column.value(row) {
                if key != 0 || number % DAY_MS != 0 {
                    return None;
                }
                // Days are farther apart than there are columns.
                key = number.cast_unsigned().wrapping_add(place as u64 + 1);
            }
        }
        Some(key)
    }
}

/// Texts of a span rendered lately.
pub(crate) struct Spans {
    /// Combinations of rows, the first of them given.
    ahead: [[u64; KEY_WORDS]; AHEAD_ROWS],
    ahead_from: usize,
    /// Places of combinations, which keys prove.
    slots: Box<[u8; SLOTS]>,
    /// The place that is taken next, in turn.
    next: usize,
    keys: Box<[Key; PLACES]>,
    texts: Box<[Rendered; PLACES]>,
}

/// A text, and what is known of it.
#[derive(Clone, Copy)]
struct Rendered {
    /// 0: there is none.
    bytes: usize,
    number: u32,
    mark_count: usize,
    marks: [Mark; SPAN_MARKS],
    text: [u8; TEXT_BYTES],
}

const NOTHING: Mark = Mark { at: 0, hint: Hint::Nothing };

const NO_TEXT: Rendered =
    Rendered { bytes: 0, number: NO_NUMBER, mark_count: 0, marks: [NOTHING; SPAN_MARKS], text: [0; TEXT_BYTES] };

impl Spans {
    pub(crate) fn new() -> Self {
        Self {
            ahead: [[0; KEY_WORDS]; AHEAD_ROWS],
            ahead_from: NO_ROW,
            slots: Box::new([0; SLOTS]),
            next: 0,
            keys: Box::new([([0; KEY_WORDS], 0); PLACES]),
            texts: vec![NO_TEXT; PLACES].try_into().unwrap_or_else(|_| Box::new([NO_TEXT; PLACES])),
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.ahead_from = NO_ROW;
        self.texts.iter_mut().for_each(|text| text.bytes = 0);
    }

    /// Writes a row's span with its marks if it is remembered; returns its number.
    #[inline(always)]
    pub(crate) fn put(
        &mut self,
        columns: &SpanColumns<'_>,
        row: usize,
        page: &mut Page<'_>,
        marks: &mut Marks<'_>,
    ) -> Result<Option<u32>, Full> {
        if row.wrapping_sub(self.ahead_from) >= AHEAD_ROWS {
            self.look_ahead(&columns.members, row);
        }
        let Some(number) = columns.number_key(row) else { return Ok(None) };
        let key = (self.ahead[row.wrapping_sub(self.ahead_from) % AHEAD_ROWS], number);
        let place = usize::from(self.slots[slot_of(key)]) % PLACES;
        let text = &self.texts[place];
        if text.bytes == 0 || self.keys[place] != key {
            return Ok(None);
        }
        let room = page.room(TEXT_BYTES)?;
        let blocks = text.text.as_chunks::<BLOCK_BYTES>().0.iter().zip(room.as_chunks_mut::<BLOCK_BYTES>().0);
        let mut left = text.bytes;
        for (from, to) in blocks {
            *to = *from;
            if left <= BLOCK_BYTES {
                break;
            }
            left -= BLOCK_BYTES;
        }
        marks.put(&text.marks, text.mark_count);
        page.advance(text.bytes);
        Ok(Some(text.number))
    }

    #[inline(always)]
    fn look_ahead(&mut self, members: &[Member<'_>], row: usize) {
        let mut words = [[0; AHEAD_ROWS]; KEY_WORDS];
        for (members, word) in members.chunks(NUMBERS_PER_WORD).zip(&mut words) {
            for member in members {
                member.append_numbers(row, word);
            }
        }
        for (ahead, key) in self.ahead.iter_mut().enumerate() {
            *key = words.map(|word| word[ahead]);
        }
        self.ahead_from = row;
    }

    /// Remembers the text of the row that was looked for last, unless it is too long or its numbers are not remembered; returns
    /// a number that depends on the text alone.
    pub(crate) fn learn(&mut self, columns: &SpanColumns<'_>, row: usize, text: &[u8], marks: &[Mark]) -> u32 {
        let Some(number) = columns.number_key(row).filter(|_| text.len() <= TEXT_BYTES) else { return NO_NUMBER };
        let key = (self.ahead[row.wrapping_sub(self.ahead_from) % AHEAD_ROWS], number);
        let place = self.next;
        self.next = (place + 1) % PLACES;
        self.slots[slot_of(key)] = u8::try_from(place).unwrap_or(0);
        self.keys[place] = key;
        let rendered = &mut self.texts[place];
        (rendered.bytes, rendered.number, rendered.mark_count) = (text.len(), number_of(text), marks.len());
        rendered.text[..text.len()].copy_from_slice(text);
        rendered.marks.iter_mut().zip(marks).for_each(|(place, mark)| *place = *mark);
        rendered.number
    }
}

/// A number of a text, not [`NO_NUMBER`].
fn number_of(text: &[u8]) -> u32 {
    (hash_on(text.len() as u64, text) >> 33) as u32
}

/// Goes on with a hash of words.
#[inline(always)]
pub(crate) fn mix(hash: u64, word: u64) -> u64 {
    (hash.rotate_left(23) ^ word).wrapping_mul(MIX)
}

/// Goes on with a hash of a text.
pub(crate) fn hash_on(hash: u64, text: &[u8]) -> u64 {
    let (words, rest) = text.as_chunks::<8>();
    let hash = words.iter().fold(hash, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    rest.iter().fold(hash, |hash, byte| mix(hash, u64::from(*byte)))
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "a number below 2048")]
fn slot_of(([first, second], number): Key) -> usize {
    // The product's upper bits depend on every bit of the key.
    let hash = first.wrapping_mul(MIX).rotate_left(29).wrapping_add(second.wrapping_add(number)).wrapping_mul(MIX);
    (hash >> (64 - SLOTS.ilog2())) as usize
}

impl std::fmt::Debug for Spans {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spans").finish_non_exhaustive()
    }
}
