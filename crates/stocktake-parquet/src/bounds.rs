//! Least and greatest value of a page and of a column chunk.

/// Longest bound of a text, in bytes: a chunk whose least or greatest value is longer states none. Keys never are.
const TEXT_BOUND_BYTES_MAX: usize = 1024;

/// Longest bound in the column index, in bytes; a longer one is shortened to a true bound.
pub(crate) const INDEX_BOUND_BYTES_MAX: usize = 256;

/// Bounds of values that compare as `T` does.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bounds<T>(Option<(T, T)>);

impl<T: Copy + PartialOrd> Bounds<T> {
    #[inline]
    pub(crate) fn add(&mut self, value: T) {
        self.add_range(value, value);
    }

    #[inline]
    pub(crate) fn add_range(&mut self, least: T, greatest: T) {
        self.0 = Some(match self.0 {
            None => (least, greatest),
            Some((min, max)) => (if least < min { least } else { min }, if greatest > max { greatest } else { max }),
        });
    }

    /// Adds a value that is not below any before.
    #[inline]
    pub(crate) fn append(&mut self, value: T) {
        self.0 = Some((self.0.map_or(value, |(least, _)| least), value));
    }

    pub(crate) fn merge(&mut self, other: Self) {
        if let Some((least, greatest)) = other.0 {
            self.add_range(least, greatest);
        }
    }

    pub(crate) fn get(self) -> Option<(T, T)> {
        self.0
    }
}

/// Bounds of a column chunk of texts, if they are short enough to be stated.
pub(crate) fn text_bounds(bounds: Option<(&[u8], &[u8])>) -> Option<(Vec<u8>, Vec<u8>)> {
    bounds
        .filter(|(min, max)| min.len() <= TEXT_BOUND_BYTES_MAX && max.len() <= TEXT_BOUND_BYTES_MAX)
        .map(|(min, max)| (min.to_vec(), max.to_vec()))
}

/// Bounds of a page of texts for the column index: the values, or shorter texts that bound them.
pub(crate) fn index_bounds((min, max): (&[u8], &[u8])) -> (Vec<u8>, Vec<u8>) {
    (shortened(min).to_vec(), greater(max).unwrap_or_else(|| max.to_vec()))
}

/// The text, or so much of its front as may be stated; ends between characters.
fn shortened(text: &[u8]) -> &[u8] {
    let mut end = text.len().min(INDEX_BOUND_BYTES_MAX);
    while end < text.len() && text[end] & 0xc0 == 0x80 {
        end -= 1;
    }
    &text[..end]
}

/// A text that is not below any that begins as `text` does; `None` if the text is short or no such text is found.
fn greater(text: &[u8]) -> Option<Vec<u8>> {
    if text.len() <= INDEX_BOUND_BYTES_MAX {
        return None;
    }
    let mut front = shortened(text).to_vec();
    // The last character, if it is below DEL, is raised by one: still one character of one byte. A shorter front would be
    // above texts that begin alike, and bounds of ascending pages have to ascend.
    let last = front.last_mut().filter(|last| **last < 0x7f)?;
    *last += 1;
    Some(front)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortened_bounds_are_bounds_and_utf8() {
        for text in
            ["é".repeat(300), "x".repeat(300), "\u{7f}".repeat(400), format!("{}é{}", "a".repeat(255), "b".repeat(9))]
        {
            let (min, max) = index_bounds((text.as_bytes(), text.as_bytes()));
            assert!(min.as_slice() <= text.as_bytes() && text.as_bytes() <= max.as_slice());
            assert!(std::str::from_utf8(&min).is_ok() && std::str::from_utf8(&max).is_ok());
            assert!(min.len() <= INDEX_BOUND_BYTES_MAX);
        }
        assert_eq!(index_bounds((b"a", b"b")), (b"a".to_vec(), b"b".to_vec()));
    }
}
