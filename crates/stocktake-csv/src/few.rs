//! Neighbouring columns with few values, written together: the fields of a combination of values are rendered once and
//! copied as one block after that.
//!
//! What is remembered is forgotten at each segment, in which codes keep their meaning.

use crate::{
    marks::{COMBINATIONS, Marks},
    page::{Full, Page},
    tail::{AHEAD_ROWS, MIX, NO_ROW, hash_on, mix},
};
use stocktake_codec::Hint;
use stocktake_core::{BoolColumn, CodeColumn};

/// Most columns of a group: as many 16-bit values as a combination's number holds.
pub(crate) const MEMBERS_MAX: usize = 4;

/// Combinations that are remembered. Reports have some dozens that matter.
const PLACES: usize = 64;

/// Longest text of a remembered combination. Longer ones are written value by value.
const TEXT_BYTES: usize = 2 * BLOCK_BYTES;

/// Most combinations are no longer: they are copied as one block, longer ones as two.
const BLOCK_BYTES: usize = 64;

/// A column of a group.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Member<'a> {
    Code(&'a CodeColumn, &'a [u16]),
    Bool(&'a BoolColumn),
    /// Absent in every row.
    Absent,
}

impl<'a> Member<'a> {
    pub(crate) fn code(column: &'a CodeColumn) -> Self {
        Self::Code(column, column.codes())
    }

    /// Appends the numbers of rows, the first of them given, to those of other columns.
    #[inline(always)]
    pub(crate) fn append_numbers(self, first: usize, keys: &mut [u64; AHEAD_ROWS]) {
        match self {
            Self::Code(_, codes) => match codes.get(first..).and_then(<[u16]>::first_chunk) {
                Some(codes) => append(keys, codes.map(u64::from)),
                None => {
                    let code = |row| codes.get(first + row).copied().map_or(0, u64::from);
                    append(keys, std::array::from_fn(code));
                }
            },
            Self::Bool(column) => {
                let (values, present) = (column.eight(first), column.eight_present(first));
                append(keys, std::array::from_fn(|row| u64::from(present >> row & 1) << (values >> row & 1)));
            }
            Self::Absent => append(keys, [0; AHEAD_ROWS]),
        }
    }

    fn text(&self, row: usize) -> &'a str {
        match self {
            Self::Code(column, _) => column.value(row),
            Self::Bool(column) => column.value(row).map_or("", |value| if value { "true" } else { "false" }),
            Self::Absent => "",
        }
    }
}

/// Rendered combinations of one group of columns.
pub(crate) struct Combinations {
    /// Combinations of rows, the first of them given, which are put together column by column.
    ahead: [u64; AHEAD_ROWS],
    ahead_from: usize,
    keys: [u64; PLACES],
    kinds: [Kind; PLACES],
    /// A number of each text, which depends on the text alone.
    numbers: [u32; PLACES],
    texts: [[u8; TEXT_BYTES]; PLACES],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Unknown,
    /// The fields have so many bytes.
    Short(u8),
    /// The fields are too long to be remembered; no value has a quote in it.
    LongPlain,
    /// The fields are too long to be remembered, and quotes are to be doubled.
    LongQuoted,
}

impl Combinations {
    pub(crate) fn new() -> Self {
        Self {
            ahead: [0; AHEAD_ROWS],
            ahead_from: NO_ROW,
            keys: [0; PLACES],
            kinds: [Kind::Unknown; PLACES],
            numbers: [0; PLACES],
            texts: [[0; TEXT_BYTES]; PLACES],
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.kinds = [Kind::Unknown; PLACES];
        self.ahead_from = NO_ROW;
    }

    /// The combination of a row.
    #[inline(always)]
    fn key(&mut self, members: &[Member<'_>], row: usize) -> u64 {
        if row.wrapping_sub(self.ahead_from) >= AHEAD_ROWS {
            let mut keys = [0; AHEAD_ROWS];
            for member in members {
                member.append_numbers(row, &mut keys);
            }
            (self.ahead, self.ahead_from) = (keys, row);
        }
        self.ahead[row.wrapping_sub(self.ahead_from) % AHEAD_ROWS]
    }

    /// Writes the fields of a row with their commas.
    #[inline(always)]
    pub(crate) fn put(
        &mut self,
        members: &[Member<'_>],
        row: usize,
        page: &mut Page<'_>,
        marks: &mut Marks<'_>,
    ) -> Result<(), Full> {
        let key = self.key(members, row);
        let place = place_of(key);
        if self.keys[place] != key || self.kinds[place] == Kind::Unknown {
            self.learn(members, row, key);
        }
        marks.push(page, Hint::Last(self.numbers[place]));
        let Kind::Short(length) = self.kinds[place] else {
            let plain = self.kinds[place] == Kind::LongPlain;
            return page.apart(|page| put_long(members, row, plain, page));
        };
        let block: &mut [u8; TEXT_BYTES] = page.block()?;
        let text = &self.texts[place];
        block[..BLOCK_BYTES].copy_from_slice(&text[..BLOCK_BYTES]);
        if usize::from(length) > BLOCK_BYTES {
            block[BLOCK_BYTES..].copy_from_slice(&text[BLOCK_BYTES..]);
        }
        page.advance(usize::from(length));
        Ok(())
    }

    #[cold]
    #[inline(never)]
    fn learn(&mut self, members: &[Member<'_>], row: usize, key: u64) {
        let place = place_of(key);
        self.keys[place] = key;
        self.kinds[place] = self.render(members, row, place);
        self.numbers[place] = number_of(members, row);
    }

    fn render(&mut self, members: &[Member<'_>], row: usize, place: usize) -> Kind {
        let mut page = Page::new(&mut self.texts[place], 0);
        let mut texts = members.iter().map(|member| member.text(row));
        if texts.clone().try_for_each(|text| page.put_field(text)).is_ok() {
            // It fits: at most the length of a remembered text.
            Kind::Short(u8::try_from(page.at()).unwrap_or(u8::MAX))
        } else if texts.any(|text| text.contains('"')) {
            Kind::LongQuoted
        } else {
            Kind::LongPlain
        }
    }
}

/// Writes fields that are too long to be remembered.
#[inline(never)]
fn put_long(members: &[Member<'_>], row: usize, plain: bool, page: &mut Page<'_>) -> Result<(), Full> {
    for text in members.iter().map(|member| member.text(row)) {
        if plain { page.put_plain_field(text.as_bytes()) } else { page.put_field(text) }?;
    }
    Ok(())
}

/// Appends the numbers of one more column.
#[inline(always)]
fn append(keys: &mut [u64; AHEAD_ROWS], numbers: [u64; AHEAD_ROWS]) {
    keys.iter_mut().zip(numbers).for_each(|(key, number)| *key = *key << 16 | number);
}

/// A number of the texts of a row, from the texts alone: codes mean something else in other batches.
fn number_of(members: &[Member<'_>], row: usize) -> u32 {
    let hash = members.iter().map(|member| member.text(row).as_bytes());
    let hash = hash.fold(0, |hash, text| hash_on(mix(hash, text.len() as u64), text));
    (hash >> 32) as u32 % COMBINATIONS
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "a number below 64")]
fn place_of(key: u64) -> usize {
    // The product's upper bits depend on every bit of the key.
    (key.wrapping_mul(MIX) >> (64 - PLACES.ilog2())) as usize
}

impl std::fmt::Debug for Combinations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Combinations").finish_non_exhaustive()
    }
}
