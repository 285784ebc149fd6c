//! The values of one page while they are gathered, behind room for what stands before them.

use crate::{
    column::{PAGE_ROWS_MAX, TEXT_ROWS},
    levels::Levels,
};

/// Room for the definition levels of a page, which are known last. A run of a few rows among packed groups costs two bytes
/// and a packed group one and its head: an eighth of the rows and half as much again at most.
const LEVELS_BYTES: usize = 8192;
const _: () = assert!(PAGE_ROWS_MAX / 8 * 3 / 2 <= LEVELS_BYTES);

/// Room for the packed lengths of a page's texts, which are known when all texts are: four bytes each at most, and some for
/// each block of 128.
const LENGTHS_BYTES: usize = 5 * TEXT_ROWS;

/// Where values begin.
const VALUES_AT: usize = LEVELS_BYTES + LENGTHS_BYTES;

/// Texts of at most so many bytes are copied as a block of that length, up to twice as long ones as two.
const BLOCK_BYTES: usize = 64;

/// Values of a page, behind room for its levels.
#[derive(Debug)]
pub(crate) struct PageBody {
    /// Room, then values from `begin` to `end`, and room for more.
    bytes: Vec<u8>,
    begin: usize,
    end: usize,
    /// What is made apart and put to the others as a whole.
    side: Vec<u8>,
    pub(crate) levels: Levels,
}

impl PageBody {
    pub(crate) fn new() -> Self {
        let bytes = vec![0; 2 * VALUES_AT];
        Self { bytes, begin: VALUES_AT, end: VALUES_AT, side: Vec::new(), levels: Levels::default() }
    }

    pub(crate) fn clear(&mut self) {
        (self.begin, self.end) = (VALUES_AT, VALUES_AT);
        self.levels.clear();
    }

    /// Bytes of the values so far.
    #[inline]
    pub(crate) fn value_bytes(&self) -> usize {
        self.end - self.begin
    }

    /// The values, with so many bytes of levels before them.
    pub(crate) fn with_levels(&self, levels_bytes: usize) -> &[u8] {
        &self.bytes[self.begin - levels_bytes..self.end]
    }

    /// Puts levels right before the values.
    pub(crate) fn put_levels(&mut self, levels: &[u8]) {
        debug_assert!(levels.len() <= LEVELS_BYTES, "pages have at most so many rows that their levels fit");
        self.bytes[self.begin - levels.len()..self.begin].copy_from_slice(levels);
    }

    /// Room for `length` bytes more, with two blocks to spare.
    #[inline]
    fn room(&mut self, length: usize) -> &mut [u8] {
        if self.bytes.len() < self.end + length + 2 * BLOCK_BYTES {
            self.grow(length);
        }
        &mut self.bytes[self.end..]
    }

    #[cold]
    fn grow(&mut self, length: usize) {
        self.bytes.resize((self.end + length + 2 * BLOCK_BYTES).max(2 * self.bytes.len()), 0);
    }

    /// Appends bytes.
    #[inline]
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        self.room(bytes.len())[..bytes.len()].copy_from_slice(bytes);
        self.end += bytes.len();
    }

    /// Appends a text in PLAIN encoding: its length in four bytes, then itself.
    pub(crate) fn put_plain(&mut self, text: &[u8]) {
        self.put(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
        self.put(text);
    }

    /// Appends the texts between offsets, each behind `HEAD` bytes of its length (four in PLAIN encoding, else none), up to the
    /// one that brings the values to `bytes_max`, or up to one that is empty. `put` is told where each begins, and its length.
    ///
    /// Returns how many they were.
    #[inline]
    pub(crate) fn put_texts<const HEAD: usize>(
        &mut self,
        offsets: &[i32],
        texts: &[u8],
        bytes_max: usize,
        mut put: impl FnMut(usize, usize),
    ) -> usize {
        let mut taken = 0;
        loop {
            self.room(bytes_max);
            let (begin, mut end) = (self.begin, self.end);
            let bytes = &mut self.bytes[..];
            let mut long = None;
            for pair in offsets[taken..].windows(2) {
                let [from, to] = [pair[0], pair[1]].map(|offset| offset.cast_unsigned() as usize);
                let length = to - from;
                if length == 0 || end - begin >= bytes_max {
                    break;
                }
                put(end - begin, length);
                let room = bytes.get_mut(end..).unwrap_or_default();
                if !put_text::<HEAD>(texts.get(from..).unwrap_or_default(), length, room) {
                    long = Some((from, to));
                    break;
                }
                end += HEAD + length;
                taken += 1;
            }
            self.end = end;
            let Some((from, to)) = long else { return taken };
            self.put(&head_of::<HEAD>(to - from));
            self.put(&texts[from..to]);
            taken += 1;
        }
    }

    /// Appends numbers in PLAIN encoding, eight bytes each.
    pub(crate) fn put_words(&mut self, numbers: &[i64]) {
        let length = size_of_val(numbers);
        let (words, _) = self.room(length)[..length].as_chunks_mut();
        words.iter_mut().zip(numbers).for_each(|(word, number)| *word = number.to_le_bytes());
        self.end += length;
    }

    /// Puts what a function appends to a vector before the values.
    pub(crate) fn prepend(&mut self, put: impl FnOnce(&mut Vec<u8>)) {
        let mut side = std::mem::take(&mut self.side);
        side.clear();
        put(&mut side);
        match self.begin.checked_sub(side.len()).filter(|begin| *begin >= LEVELS_BYTES) {
            Some(begin) => {
                self.bytes[begin..self.begin].copy_from_slice(&side);
                self.begin = begin;
            }
            None => {
                let value_bytes = self.value_bytes();
                self.put(&side);
                let (begin, end) = (self.begin, self.end);
                self.bytes[begin..end].rotate_left(value_bytes);
            }
        }
        self.side = side;
    }

    /// Appends what a function appends to a vector.
    pub(crate) fn put_with(&mut self, put: impl FnOnce(&mut Vec<u8>)) {
        let mut side = std::mem::take(&mut self.side);
        side.clear();
        put(&mut side);
        self.put(&side);
        self.side = side;
    }
}

/// The first bytes of a length.
#[inline]
fn head_of<const HEAD: usize>(length: usize) -> [u8; HEAD] {
    *length.to_le_bytes().first_chunk().unwrap_or(&[0; HEAD])
}

/// Puts `texts[..length]` behind its length, copied in whole blocks, with bytes beyond it that do not matter; `false` if there
/// are none, or if the text is long.
#[inline]
fn put_text<const HEAD: usize>(texts: &[u8], length: usize, room: &mut [u8]) -> bool {
    let Some((head, room)) = room.split_first_chunk_mut() else { return false };
    if length <= BLOCK_BYTES
        && let (Some(from), Some(to)) = (texts.first_chunk::<BLOCK_BYTES>(), room.first_chunk_mut::<BLOCK_BYTES>())
    {
        (*head, *to) = (head_of::<HEAD>(length), *from);
        return true;
    }
    if length <= 2 * BLOCK_BYTES
        && let (Some(from), Some(to)) =
            (texts.first_chunk::<{ 2 * BLOCK_BYTES }>(), room.first_chunk_mut::<{ 2 * BLOCK_BYTES }>())
    {
        (*head, *to) = (head_of::<HEAD>(length), *from);
        return true;
    }
    false
}
