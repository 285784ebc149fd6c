//! Bits of a stripe, and their encoding: packed into bytes, the first bit highest, and these run-length encoded.

use std::ops::Range;

/// Bits in words, the first bit lowest.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bitmap {
    words: Vec<u64>,
    len: usize,
}

impl Bitmap {
    pub(crate) fn clear(&mut self) {
        self.words.clear();
        self.len = 0;
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Appends the lowest `count` bits of a word, at most 64.
    #[inline]
    pub(crate) fn push_word(&mut self, word: u64, count: usize) {
        if count == 0 {
            return;
        }
        let word = if count == 64 { word } else { word & ((1 << count) - 1) };
        let used = self.len % 64;
        if used == 0 {
            self.words.push(word);
        } else {
            if let Some(last) = self.words.last_mut() {
                *last |= word << used;
            }
            if used + count > 64 {
                self.words.push(word >> (64 - used));
            }
        }
        self.len += count;
    }

    /// Appends a bit `count` times.
    pub(crate) fn push_run(&mut self, bit: bool, mut count: usize) {
        let word = if bit { u64::MAX } else { 0 };
        while count > 0 {
            let taken = count.min(64);
            self.push_word(word, taken);
            count -= taken;
        }
    }

    /// Appends a bit for each value.
    pub(crate) fn push_each<T>(&mut self, values: &[T], bit: impl Fn(&T) -> bool) {
        for values in values.chunks(64) {
            let word = values.iter().enumerate().fold(0, |word, (at, value)| word | u64::from(bit(value)) << at);
            self.push_word(word, values.len());
        }
    }

    /// Appends bits.
    pub(crate) fn push_all(&mut self, bits: impl ExactSizeIterator<Item = bool>) {
        let (mut word, mut count) = (0, 0);
        for bit in bits {
            word |= u64::from(bit) << count;
            count += 1;
            if count == 64 {
                self.push_word(word, 64);
                (word, count) = (0, 0);
            }
        }
        self.push_word(word, count);
    }

    /// Appends bits of an Arrow buffer.
    pub(crate) fn push_buffer(&mut self, bits: &arrow_buffer::BooleanBuffer) {
        let chunks = bits.bit_chunks();
        chunks.iter().for_each(|word| self.push_word(word, 64));
        self.push_word(chunks.remainder_bits(), chunks.remainder_len());
    }

    /// Number of set bits of a range.
    pub(crate) fn count(&self, range: Range<usize>) -> usize {
        self.words_of(range).map(|(word, _)| word.count_ones() as usize).sum()
    }

    /// Runs of set bits in a range, ascending.
    pub(crate) fn runs(&self, range: Range<usize>) -> impl Iterator<Item = Range<usize>> + '_ {
        let mut at = range.start;
        std::iter::from_fn(move || {
            let start = self.next(at, range.end, true)?;
            let end = self.next(start, range.end, false).unwrap_or(range.end);
            at = end;
            Some(start..end)
        })
    }

    /// The first place from `at` on, before `end`, that has a bit.
    fn next(&self, mut at: usize, end: usize, bit: bool) -> Option<usize> {
        let flip = if bit { 0 } else { u64::MAX };
        while at < end {
            let rest = (self.words[at / 64] ^ flip) >> (at % 64);
            if rest != 0 {
                let found = at + rest.trailing_zeros() as usize;
                return (found < end).then_some(found);
            }
            at = (at / 64 + 1) * 64;
        }
        None
    }

    /// The bits of a range in words; each with its number of bits, all but the last 64.
    pub(crate) fn words_of(&self, range: Range<usize>) -> impl Iterator<Item = (u64, usize)> + '_ {
        let shift = range.start % 64;
        range.clone().step_by(64).map(move |start| {
            let count = (range.end - start).min(64);
            let low = self.words[start / 64] >> shift;
            let high = match self.words.get(start / 64 + 1) {
                Some(next) if shift > 0 => next << (64 - shift),
                _ => 0,
            };
            let word = low | high;
            (if count == 64 { word } else { word & ((1 << count) - 1) }, count)
        })
    }

    /// Appends the bits packed into bytes, the first bit of each highest; the last byte is filled with zeros.
    pub(crate) fn pack(&self, into: &mut Vec<u8>) {
        for word in &self.words {
            into.extend_from_slice(&word.reverse_bits().to_be_bytes());
        }
        into.truncate(into.len() - (self.words.len() * 8 - self.len.div_ceil(8)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(bitmap: &Bitmap) -> Vec<bool> {
        (0..bitmap.len()).map(|at| bitmap.count(at..at + 1) == 1).collect()
    }

    #[test]
    fn bits_stay_in_order_however_they_are_appended() {
        let expected: Vec<bool> = (0..1000u32).map(|at| at.wrapping_mul(2_654_435_761) >> 28 > 5).collect();
        for step in [1, 3, 63, 64, 65, 130, 1000] {
            let mut bitmap = Bitmap::default();
            for piece in expected.chunks(step) {
                bitmap.push_all(piece.iter().copied());
            }
            assert_eq!(bits(&bitmap), expected, "step {step}");
            let runs: Vec<usize> = bitmap.runs(7..990).flatten().collect();
            assert_eq!(runs, (7..990).filter(|at| expected[*at]).collect::<Vec<_>>());
            assert_eq!(bitmap.count(65..901), expected[65..901].iter().filter(|bit| **bit).count());
        }
    }

    #[test]
    fn the_first_bit_is_the_highest() {
        let mut bitmap = Bitmap::default();
        bitmap.push_run(true, 1);
        bitmap.push_run(false, 7);
        bitmap.push_run(true, 1);
        let mut bytes = vec![9];
        bitmap.pack(&mut bytes);
        assert_eq!(bytes, [9, 0x80, 0x80]);
        let mut buffer = Bitmap::default();
        buffer.push_run(false, 3);
        buffer.push_buffer(&arrow_buffer::BooleanBuffer::new_set(100).slice(5, 90));
        assert_eq!((buffer.len(), buffer.count(0..93)), (93, 90));
    }
}
