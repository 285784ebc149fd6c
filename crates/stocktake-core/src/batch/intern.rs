//! Open interning of few-valued text: a 16-bit code for each value of one field of one stream.
//!
//! A value is compared with one met lately, ahead of any hash: most rows repeat one.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

/// Longest text of a few-valued field in bytes. An access control list of 100 grants takes about 16 KiB in base64.
pub const CODE_BYTES_MAX: usize = 64 << 10;

/// A stream's table is begun anew at the next batch once it has so many values; a batch of
/// [`BATCH_ROWS_MAX`](super::BATCH_ROWS_MAX) rows then cannot overflow 16 bits.
const GENERATION_VALUES: usize = 4096;

/// A stream's table is begun anew at the next batch once its values have so many bytes.
const GENERATION_BYTES: usize = 256 << 10;

/// The texts that the codes of a column stand for; code 0 is "absent" and reads as `""`.
///
/// Holds the texts one after another, so that a table of many short ones takes little more than their bytes.
#[derive(Clone, Debug)]
pub struct CodeValues {
    texts: String,
    /// Where the text of each code ends.
    ends: Vec<u32>,
}

impl CodeValues {
    fn new() -> Self {
        Self { texts: String::new(), ends: vec![0] }
    }

    /// The text of a code; empty for 0 and for codes that were not given out.
    #[inline]
    pub fn value(&self, code: u16) -> &str {
        let code = usize::from(code);
        let start = code.checked_sub(1).and_then(|before| self.ends.get(before));
        match (start, self.ends.get(code)) {
            (Some(start), Some(end)) => &self.texts[*start as usize..*end as usize],
            _ => "",
        }
    }

    /// Length in bytes of the text of a code; 0 for codes that were not given out.
    #[inline]
    pub(super) fn length(&self, code: u16) -> u64 {
        let code = usize::from(code);
        let pair = code.checked_sub(1).and_then(|before| self.ends.get(before..=code));
        pair.map_or(0, |pair| u64::from(pair[1] - pair[0]))
    }

    /// The texts by code; the first is the empty text of "absent".
    pub fn texts(&self) -> impl ExactSizeIterator<Item = &str> {
        let mut start = 0;
        self.ends.iter().map(move |end| &self.texts[std::mem::replace(&mut start, *end as usize)..*end as usize])
    }

    /// Bytes of all texts.
    pub fn text_bytes(&self) -> usize {
        self.texts.len()
    }

    /// Adds a text; returns its code.
    fn push(&mut self, text: &str) -> u16 {
        // At most 4,096 values of earlier batches and 32,768 of this one: it fits, and so do their bytes into 32 bits.
        let code = u16::try_from(self.ends.len()).unwrap_or(u16::MAX);
        self.texts.push_str(text);
        self.ends.push(u32::try_from(self.texts.len()).unwrap_or(u32::MAX));
        code
    }
}

/// Gives out the codes of one field of one stream.
#[derive(Debug)]
pub(crate) struct Interner {
    values: Arc<CodeValues>,
    /// Hash of a text to the last code that has it; collisions are told apart by the texts.
    codes: HashMap<u64, u16, IdentityState>,
    /// By code, the code before it with the same hash; 0 if there is none.
    before: Vec<u16>,
    hasher: RandomState,
    /// Codes of values met lately, each at the place that its text's ends choose or the one beside it.
    recent: [(Ends, u16); RECENT],
}

/// Places for values met lately: many more than the values that most fields have in turn, so that few want the same.
const RECENT: usize = 64;

impl Interner {
    pub(crate) fn new() -> Self {
        Self {
            values: Arc::new(CodeValues::new()),
            codes: HashMap::default(),
            before: vec![0],
            hasher: RandomState::new(),
            recent: [(Ends::EMPTY, 0); RECENT],
        }
    }

    /// Begins a new table if the present one has grown large.
    pub(crate) fn begin_batch(&mut self) {
        if self.is_large() {
            *self = Self::new();
        }
    }

    fn is_large(&self) -> bool {
        self.values.ends.len() > GENERATION_VALUES || self.values.text_bytes() > GENERATION_BYTES
    }

    /// The code of a text, and the bytes that the table grew by; 0 for the empty text.
    ///
    /// The caller keeps texts within [`CODE_BYTES_MAX`] and a batch within its bound of rows, which bounds the table.
    #[inline]
    pub(crate) fn code(&mut self, text: &str) -> (u16, usize) {
        if text.is_empty() {
            return (0, 0);
        }
        self.code_of(Ends::of(text.as_bytes()), text.as_bytes(), || text)
    }

    /// Appends the codes of the texts between ascending offsets into `bytes`; `text` gives the text of a row of them.
    pub(crate) fn extend<'a>(
        &mut self,
        codes: &mut Vec<u16>,
        bytes: &[u8],
        offsets: &[i32],
        text: impl Fn(usize) -> &'a str,
    ) {
        codes.extend(offsets.windows(2).enumerate().map(|(row, pair)| {
            // Offsets are never negative.
            let (start, end) = (pair[0].cast_unsigned() as usize, pair[1].cast_unsigned() as usize);
            self.code_of(Ends::within(bytes, start, end), &bytes[start..end], || text(row)).0
        }));
    }

    /// The code of a text with these ends. Without a branch that values decide, as long as they were met lately.
    #[inline]
    fn code_of<'a>(&mut self, ends: Ends, bytes: &[u8], text: impl Fn() -> &'a str) -> (u16, usize) {
        let place = ends.place();
        let (known, code) = self.recent[place];
        if known.are(ends) && (ends.is_all() || self.values.value(code).as_bytes() == bytes) {
            return (code, 0);
        }
        self.code_beside(ends, place, text())
    }

    /// The code of a text that is not in its own place of those met lately.
    #[inline(never)]
    fn code_beside(&mut self, ends: Ends, place: usize, text: &str) -> (u16, usize) {
        if text.is_empty() {
            return (0, 0);
        }
        let beside = place ^ 1;
        let (known, code) = self.recent[beside];
        if known.are(ends) && (ends.is_all() || self.values.value(code) == text) {
            return (code, 0);
        }
        let found = self.look_up(text);
        let place = if self.recent[place].1 == 0 { place } else { beside };
        self.recent[place] = (ends, found.0);
        found
    }

    fn look_up(&mut self, text: &str) -> (u16, usize) {
        // The hash decides where a value is looked for, never which code it gets: codes follow first appearance.
        let last = self.codes.entry(self.hasher.hash_one(text)).or_default();
        let mut known = *last;
        while known != 0 {
            if self.values.value(known) == text {
                return (known, 0);
            }
            known = self.before[usize::from(known)];
        }
        let code = Arc::make_mut(&mut self.values).push(text);
        self.before.push(std::mem::replace(last, code));
        (code, text.len())
    }

    /// The table as a batch takes it. One that grows no further keeps no room to grow.
    pub(crate) fn values(&mut self) -> &Arc<CodeValues> {
        if self.is_large()
            && let Some(values) = Arc::get_mut(&mut self.values)
        {
            values.texts.shrink_to_fit();
            values.ends.shrink_to_fit();
        }
        &self.values
    }
}

/// Length and both ends of a text: all of it up to sixteen bytes, so that most values are compared without a call.
#[derive(Clone, Copy, Debug)]
struct Ends {
    length: usize,
    /// The first eight bytes, the first of them lowest; fewer if the text is shorter.
    front: u64,
    /// The last eight bytes; 0 if the text is shorter.
    back: u64,
}

impl Ends {
    const EMPTY: Self = Self { length: 0, front: 0, back: 0 };

    #[inline]
    fn of(text: &[u8]) -> Self {
        let word = |bytes: Option<&[u8; 8]>| bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes));
        let half = |bytes: Option<&[u8; 4]>| bytes.map_or(0, |bytes| u64::from(u32::from_le_bytes(*bytes)));
        let length = text.len();
        let (front, back) = match length {
            8.. => (word(text.first_chunk()), word(text.last_chunk())),
            4..8 => (half(text.first_chunk()) | half(text.last_chunk()) << (8 * (length - 4)), 0),
            _ => (text.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)), 0),
        };
        Self { length, front, back }
    }

    /// The ends of a text within longer bytes: no branch depends on its length.
    #[inline]
    fn within(bytes: &[u8], start: usize, end: usize) -> Self {
        let word = |at: usize| bytes.get(at..).and_then(<[u8]>::first_chunk).map(|word| u64::from_le_bytes(*word));
        let (Some(front), Some(back)) = (word(start), word(end.saturating_sub(8))) else {
            return Self::of(&bytes[start..end]);
        };
        let length = end - start;
        let whole = u64::from(length < 8).wrapping_sub(1);
        let part = (1 << ((8 * length) & 63)) - 1;
        Self { length, front: front & (whole | part), back: back & whole }
    }

    #[inline]
    fn are(self, other: Self) -> bool {
        (self.front ^ other.front) | (self.back ^ other.back) | (self.length ^ other.length) as u64 == 0
    }

    /// Whether the ends are the whole text.
    #[inline]
    fn is_all(self) -> bool {
        self.length <= 16
    }

    /// A place among the recent values. It decides how fast a code is found, never which it is.
    #[inline]
    fn place(self) -> usize {
        let mixed = (self.front ^ self.back.rotate_left(29) ^ self.length as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 32) as usize % RECENT
    }
}

/// Passes a hash through: the map's keys are hashes already.
#[derive(Clone, Debug, Default)]
pub(crate) struct IdentityState;

impl BuildHasher for IdentityState {
    type Hasher = Identity;
    fn build_hasher(&self) -> Identity {
        Identity(0)
    }
}

#[derive(Debug)]
pub(crate) struct Identity(u64);

impl std::hash::Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0 << 8 | u64::from(*byte);
        }
    }
    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_the_same_wherever_a_text_lies() {
        let bytes: Vec<u8> = (1..60).collect();
        for start in 0..=bytes.len() {
            for end in start..=bytes.len() {
                let (alone, within) = (Ends::of(&bytes[start..end]), Ends::within(&bytes, start, end));
                assert!(alone.are(within), "{start}..{end}: {alone:?} {within:?}");
                assert!(start == end || !alone.are(Ends::EMPTY));
            }
        }
        // Zeros at the end of a short text are told from bytes that are not there.
        assert!(!Ends::of(b"a").are(Ends::of(b"a\0")) && !Ends::of(b"12345678").are(Ends::of(b"12345678\0")));
    }

    #[test]
    fn codes_follow_first_appearance_whatever_is_met_lately() {
        // Few values, many, and such as differ in the middle alone; each twice in a row and again later.
        let texts: Vec<String> = (0..3000)
            .map(|row| match row % 3 {
                0 => format!("{}", row % 7),
                1 => format!("a text of more than sixteen bytes, {:03}, and its end", row % 90),
                _ => "x".repeat(row / 2 % 40),
            })
            .collect();
        let (mut bytes, mut offsets) = (String::new(), vec![0]);
        for text in &texts {
            bytes.push_str(text);
            offsets.push(i32::try_from(bytes.len()).unwrap());
        }
        let (mut one_by_one, mut together) = (Interner::new(), Interner::new());
        let mut codes = Vec::new();
        together.extend(&mut codes, bytes.as_bytes(), &offsets, |row| &texts[row]);
        let mut known: HashMap<&str, u16> = HashMap::from([("", 0)]);
        for (text, code) in texts.iter().zip(codes) {
            let next = u16::try_from(known.len()).unwrap();
            let expected = *known.entry(text).or_insert(next);
            assert_eq!((one_by_one.code(text).0, code), (expected, expected), "{text}");
            assert_eq!(together.values().value(code), text);
        }
    }
}
