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
#[derive(Clone, Debug)]
pub struct CodeValues {
    texts: Vec<Box<str>>,
    bytes: usize,
    longest: usize,
}

impl CodeValues {
    fn new() -> Self {
        Self { texts: vec!["".into()], bytes: 0, longest: 0 }
    }

    /// The text of a code; empty for 0 and for codes that were not given out.
    #[inline]
    pub fn value(&self, code: u16) -> &str {
        self.texts.get(usize::from(code)).map_or("", |text| text)
    }

    /// The texts by code; the first is the empty text of "absent".
    pub fn texts(&self) -> impl ExactSizeIterator<Item = &str> {
        self.texts.iter().map(|text| &**text)
    }

    /// Length of the longest text in bytes.
    pub(super) fn longest(&self) -> u64 {
        self.longest as u64
    }

    /// Bytes of all texts.
    pub fn text_bytes(&self) -> usize {
        self.bytes
    }
}

/// Gives out the codes of one field of one stream.
#[derive(Debug)]
pub(crate) struct Interner {
    values: Arc<CodeValues>,
    /// Hash of a text to the codes that have it; collisions are told apart by the texts.
    codes: HashMap<u64, Vec<u16>, IdentityState>,
    hasher: RandomState,
    last: u16,
    /// Codes of values met lately, each at the place that its text's ends and length choose.
    recent: [u16; RECENT],
}

/// Most fields have fewer values in turn than this.
const RECENT: usize = 16;

impl Interner {
    pub(crate) fn new() -> Self {
        Self {
            values: Arc::new(CodeValues::new()),
            codes: HashMap::default(),
            hasher: RandomState::new(),
            last: 0,
            recent: [0; RECENT],
        }
    }

    /// Begins a new table if the present one has grown large.
    pub(crate) fn begin_batch(&mut self) {
        if self.values.texts.len() > GENERATION_VALUES || self.values.bytes > GENERATION_BYTES {
            *self = Self::new();
        }
    }

    /// The code of a text, and the bytes that the table grew by; 0 for the empty text.
    ///
    /// The caller keeps texts within [`CODE_BYTES_MAX`] and a batch within its bound of rows, which bounds the table.
    #[inline]
    pub(crate) fn code(&mut self, text: &str) -> (u16, usize) {
        if text.is_empty() {
            return (0, 0);
        }
        if self.values.value(self.last) == text {
            return (self.last, 0);
        }
        let place = recent_place(text);
        let recent = self.recent[place];
        if self.values.value(recent) == text {
            self.last = recent;
            return (recent, 0);
        }
        let found = self.look_up(text);
        self.recent[place] = found.0;
        found
    }

    fn look_up(&mut self, text: &str) -> (u16, usize) {
        // The hash decides where a value is looked for, never which code it gets: codes follow first appearance.
        let known = self.codes.entry(self.hasher.hash_one(text)).or_default();
        if let Some(code) = known.iter().copied().find(|code| self.values.value(*code) == text) {
            self.last = code;
            return (code, 0);
        }
        let values = Arc::make_mut(&mut self.values);
        // At most 4,096 values of earlier batches and 32,768 of this one: it fits.
        let code = u16::try_from(values.texts.len()).unwrap_or(u16::MAX);
        values.texts.push(text.into());
        values.bytes += text.len();
        values.longest = values.longest.max(text.len());
        known.push(code);
        self.last = code;
        (code, text.len())
    }

    pub(crate) fn values(&self) -> &Arc<CodeValues> {
        &self.values
    }
}

/// A place for a text among the recent ones. It decides how fast a code is found, never which it is.
#[inline]
fn recent_place(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return 0 };
    (usize::from(*first) ^ (usize::from(*last) * 5) ^ (bytes.len() * 7)) % RECENT
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
