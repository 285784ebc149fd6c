//! Open interning of few-valued text: a 16-bit code for each value of one field of one stream.
//!
//! A value is compared with the one of the row before, and with one met lately, ahead of any hash: most rows repeat them.

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
    last: (Ends, u16),
    /// Codes of values met lately, each at the place that its text's ends and length choose.
    recent: [(Ends, u16); RECENT],
}

/// Most fields have fewer values in turn than this.
const RECENT: usize = 16;

impl Interner {
    pub(crate) fn new() -> Self {
        Self {
            values: Arc::new(CodeValues::new()),
            codes: HashMap::default(),
            before: vec![0],
            hasher: RandomState::new(),
            last: (Ends::EMPTY, 0),
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
        let ends = Ends::of(text.as_bytes());
        if self.is(self.last, ends, text) {
            return (self.last.1, 0);
        }
        let place = ends.place();
        let recent = self.recent[place];
        if self.is(recent, ends, text) {
            self.last = recent;
            return (recent.1, 0);
        }
        let found = self.look_up(text);
        self.last = (ends, found.0);
        self.recent[place] = self.last;
        found
    }

    /// Whether a known value is this text.
    #[inline]
    fn is(&self, (known, code): (Ends, u16), ends: Ends, text: &str) -> bool {
        known == ends && (ends.is_all() || self.values.value(code) == text)
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ends {
    length: usize,
    front: u64,
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
            4..8 => (half(text.first_chunk()), half(text.last_chunk())),
            _ => (text.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)), 0),
        };
        Self { length, front, back }
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
