//! How values lie in a block. It knows nothing of formats but that some put a length before each text.

/// How the values of a block lie in it.
///
/// A layout is a hint: where it is wrong, the block becomes longer, and it means the same. Starts have to ascend and lie
/// within the block; from the first one on that does not, they are ignored. Value `i` reaches from its start to the next
/// one's, and the last to the end of the block. What lies before the first start is a head of which nothing is known,
/// such as levels, or the rest of a value that began in the block before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Layout<'a> {
    /// Texts in ascending order, which repeat much of the one before them: keys.
    Sorted {
        /// Where each value begins in the block: with its length field, if it has one.
        starts: &'a [u32],
        /// Bytes of the length field before each text: 4 in Parquet's PLAIN pages, 0 where lengths stand elsewhere.
        length_bytes: usize,
    },
    /// Texts that repeat nothing but their length fields: hashes, identifiers, Base64. They are never searched.
    ///
    /// Without starts, a block of which nothing repeats.
    Random {
        /// As those of sorted texts.
        starts: &'a [u32],
        /// As that of sorted texts.
        length_bytes: usize,
    },
    /// Words of a fixed width, lowest byte first, whose high bytes repeat the word before or a recent one: integers.
    Words {
        /// Bytes before the first word.
        head: usize,
        /// Bytes of a word: 8 for 64-bit integers.
        width: usize,
    },
    /// Nothing is known: the block is searched, if not thoroughly.
    Unknown,
}
