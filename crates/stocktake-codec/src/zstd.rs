//! ZSTD (RFC 8878) from what is known of a block, without a search: sequences where texts are sorted, codes of literals alone
//! where they are random.
//!
//! Hashes and identifiers are random digits of a small alphabet. A general compressor looks for repetitions first, counts
//! every byte, and then codes what it began with. Here nothing is looked for, and an eighth of the text is counted. Sorted
//! texts are taken apart as [`SnappyBlocks`](crate::SnappyBlocks) takes them apart.

mod bits;
mod fse;
mod literals;
mod sequences;

use crate::{
    columns::{Find, Finders, Layout},
    dispatch::Dispatch,
};
use literals::{Counting, Literals};
use sequences::Sequences;
use std::fmt;

/// Longest content of a block.
const BLOCK_BYTES_MAX: usize = 128 << 10;

/// Bytes of magic, descriptor and content size of a frame that is its own window.
const FRAME_HEAD_BYTES: usize = 9;

/// Bytes of the head of a block.
const BLOCK_HEAD_BYTES: usize = 3;

/// Compresses blocks of column values into frames of ZSTD.
///
/// Output is a function of the block and its layout alone: not of the machine, nor of earlier blocks.
///
/// # Examples
/// ```
/// use stocktake_codec::{Layout, ZstdBlocks};
///
/// let keys: Vec<String> = (0..500).map(|number| format!("photos/2026/{number:06}.jpg")).collect();
/// let starts: Vec<u32> = (0..500).map(|number| number * 22).collect();
/// let mut out = vec![0; ZstdBlocks::room_bytes(500 * 22)];
/// let layout = Layout::Sorted { starts: &starts, length_bytes: 0 };
/// let written = ZstdBlocks::new().compress_sorted(keys.concat().as_bytes(), layout, &mut out);
/// assert!(written.is_some_and(|bytes| bytes < 1500));
/// ```
pub struct ZstdBlocks {
    dispatch: Dispatch,
    finders: Finders,
    sequences: Sequences,
    literals: Literals,
}

impl ZstdBlocks {
    /// A compressor for any number of blocks.
    #[expect(clippy::new_without_default, reason = "tables of that size are no default")]
    pub fn new() -> Self {
        Self {
            dispatch: Dispatch::Auto,
            finders: Finders::new(),
            sequences: Sequences::default(),
            literals: Literals::default(),
        }
    }

    /// Uses other code for the same bytes.
    pub fn set_dispatch(&mut self, dispatch: Dispatch) {
        self.dispatch = dispatch;
    }

    /// Room that a content of this length may take, but for a compressed head.
    pub const fn room_bytes(content_bytes: usize) -> usize {
        content_bytes + FRAME_HEAD_BYTES + 2 * BLOCK_HEAD_BYTES
    }

    /// Writes a frame of a block that repeats as the layout says to the front of `out`, and returns its length.
    ///
    /// Nothing is written that counts, and the answer is none, if the block is empty, has more than 128 KiB, or does not
    /// become shorter.
    pub fn compress_sorted(&mut self, block: &[u8], layout: Layout<'_>, out: &mut [u8]) -> Option<usize> {
        if block.is_empty() || block.len() > BLOCK_BYTES_MAX {
            return None;
        }
        self.sequences.begin(block);
        let mut sink = self.sequences.sink(block);
        self.dispatch.run(Find { finders: &mut self.finders, block, layout, sink: &mut sink }).ok()?;
        sink.end();
        let (front, rest) = out.split_first_chunk_mut::<FRAME_HEAD_BYTES>()?;
        *front = frame_head(block.len())?;
        let (head, rest) = rest.split_first_chunk_mut::<BLOCK_HEAD_BYTES>()?;
        let literals = self.sequences.literals();
        let written = match self.literals.put(literals, Counting::Every, self.dispatch, rest) {
            Some(written) => written,
            None => literals::put_stored(literals, rest)?,
        };
        let written = written + self.sequences.put(self.dispatch, &mut rest[written..])?;
        if written >= block.len() {
            return None;
        }
        *head = block_head(written, BlockKind::Compressed, true);
        Some(FRAME_HEAD_BYTES + BLOCK_HEAD_BYTES + written)
    }

    /// Writes a frame of `head` and a random `text` to the front of `out`, and returns its length.
    ///
    /// `compressed_head` is a whole frame of the head by itself, whose blocks are taken; empty, the head is stored as it is.
    /// Nothing is written that counts, and the answer is none, if the text has less than 256 bytes or more than 128 KiB, bytes
    /// that are not ASCII, or does not become shorter, if the head's frame is of a form that is not known, or `out` is too
    /// short. [`ZstdBlocks::room_bytes`] beside the head's frame is enough.
    pub fn compress_random(
        &mut self,
        head: &[u8],
        compressed_head: &[u8],
        text: &[u8],
        out: &mut [u8],
    ) -> Option<usize> {
        if text.len() > BLOCK_BYTES_MAX || head.len() > BLOCK_BYTES_MAX {
            return None;
        }
        let (front, mut rest) = out.split_first_chunk_mut::<FRAME_HEAD_BYTES>()?;
        *front = frame_head(head.len() + text.len())?;
        let blocks = blocks_of(compressed_head)?;
        let stored = blocks.is_empty() && !head.is_empty();
        let (blocks, head_bytes) = if stored { (head, BLOCK_HEAD_BYTES) } else { (blocks, 0) };
        if stored {
            let (front, after) = rest.split_first_chunk_mut::<BLOCK_HEAD_BYTES>()?;
            *front = block_head(head.len(), BlockKind::Stored, false);
            rest = after;
        }
        let (taken, rest) = rest.split_at_mut_checked(blocks.len())?;
        taken.copy_from_slice(blocks);
        if !stored {
            clear_last(taken)?;
        }
        let (front, rest) = rest.split_first_chunk_mut::<BLOCK_HEAD_BYTES>()?;
        let literals = self.literals.put(text, Counting::Sample, self.dispatch, rest)?;
        // The section after the literals says that there are no sequences.
        *rest.get_mut(literals)? = 0;
        let written = literals + 1;
        // A compressed block is shorter than its content (RFC 8878, 3.1.1.2.3).
        if written >= text.len() {
            return None;
        }
        *front = block_head(written, BlockKind::Compressed, true);
        Some(FRAME_HEAD_BYTES + head_bytes + blocks.len() + BLOCK_HEAD_BYTES + written)
    }
}

impl fmt::Debug for ZstdBlocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ZstdBlocks").finish_non_exhaustive()
    }
}

/// RFC 8878, 3.1.1.1: the content is the window, and its size has four bytes.
fn frame_head(content_bytes: usize) -> Option<[u8; FRAME_HEAD_BYTES]> {
    let [a, b, c, d] = u32::try_from(content_bytes).ok()?.to_le_bytes();
    Some([0x28, 0xb5, 0x2f, 0xfd, 0b1010_0000, a, b, c, d])
}

#[derive(Clone, Copy)]
enum BlockKind {
    Stored = 0,
    Compressed = 2,
}

/// RFC 8878, 3.1.1.2: whether it is the last, its kind, its size.
fn block_head(bytes: usize, kind: BlockKind, last: bool) -> [u8; BLOCK_HEAD_BYTES] {
    let [a, b, c, ..] = (bytes << 3 | (kind as usize) << 1 | usize::from(last)).to_le_bytes();
    [a, b, c]
}

/// The blocks of a frame without a checksum or dictionary; those of nothing are none.
fn blocks_of(frame: &[u8]) -> Option<&[u8]> {
    if frame.is_empty() {
        return Some(frame);
    }
    let descriptor = *frame.strip_prefix(&[0x28, 0xb5, 0x2f, 0xfd])?.first()?;
    let single = descriptor >> 5 & 1;
    if descriptor & 0b1111 != 0 {
        return None;
    }
    let size = match (descriptor >> 6, single) {
        (0, single) => usize::from(single),
        (flag, _) => 1 << flag,
    };
    frame.get(5 + usize::from(1 - single) + size..)
}

/// Marks the last of some blocks as one that others follow.
fn clear_last(blocks: &mut [u8]) -> Option<()> {
    let mut rest = blocks;
    while !rest.is_empty() {
        let (head, after) = rest.split_first_chunk_mut::<BLOCK_HEAD_BYTES>()?;
        let word = u32::from_le_bytes([head[0], head[1], head[2], 0]);
        head[0] &= !1;
        // A repeated byte takes one, whatever its size says.
        let bytes = if word >> 1 & 3 == 1 { 1 } else { (word >> 3) as usize };
        rest = after.get_mut(bytes..)?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(rows: u32) -> Vec<u8> {
        let row = |row: u32| {
            let word = u64::from(row).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let suffix = if row.is_multiple_of(5) { format!("-{}", row % 90 + 1) } else { String::new() };
            format!("{word:016x}{:016x}{suffix}", word.rotate_left(23).wrapping_mul(0xff51_afd7_ed55_8ccd))
        };
        (0..rows).map(row).collect::<String>().into_bytes()
    }

    fn framed(head: &[u8], text: &[u8], dispatch: Dispatch) -> Option<Vec<u8>> {
        let compressed = if head.len() > 20 { zstd::bulk::compress(head, 1).unwrap() } else { Vec::new() };
        let mut out = vec![0xee; compressed.len() + ZstdBlocks::room_bytes(head.len() + text.len())];
        let mut blocks = ZstdBlocks::new();
        blocks.set_dispatch(dispatch);
        let written = blocks.compress_random(head, &compressed, text, &mut out)?;
        out.truncate(written);
        Some(out)
    }

    #[track_caller]
    fn reads_back(head: &[u8], text: &[u8]) -> usize {
        let frame = framed(head, text, Dispatch::Auto).unwrap();
        assert_eq!(Some(&frame), framed(head, text, Dispatch::Portable).as_ref());
        holds(&frame, &[head, text].concat());
        frame.len()
    }

    #[track_caller]
    fn holds(frame: &[u8], content: &[u8]) {
        assert!(zstd::bulk::decompress(frame, content.len()).unwrap() == content, "libzstd reads something else");
        let mut found = Vec::new();
        let mut other = ruzstd::decoding::StreamingDecoder::new(frame).unwrap();
        std::io::Read::read_to_end(&mut other, &mut found).unwrap();
        assert!(found == content, "ruzstd reads something else");
    }

    /// The frame of sorted texts behind lengths of four bytes, if there is one.
    fn sorted(texts: &[String], dispatch: Dispatch) -> Option<(Vec<u8>, Vec<u8>)> {
        let (mut block, mut starts) = (Vec::new(), Vec::new());
        for text in texts {
            starts.push(u32::try_from(block.len()).unwrap());
            block.extend(u32::try_from(text.len()).unwrap().to_le_bytes());
            block.extend(text.as_bytes());
        }
        let mut out = vec![0xee; ZstdBlocks::room_bytes(block.len())];
        let mut blocks = ZstdBlocks::new();
        blocks.set_dispatch(dispatch);
        let layout = Layout::Sorted { starts: &starts, length_bytes: 4 };
        let written = blocks.compress_sorted(&block, layout, &mut out)?;
        out.truncate(written);
        Some((out, block))
    }

    #[test]
    fn sorted_texts_are_read_back_by_two_decoders() {
        for rows in [1, 2, 3, 9, 50, 400, 1700] {
            for kind in 0..5 {
                let text = |row: usize| match kind {
                    0 => format!("logs/2026/11/{:02}/{row:08}.json.gz", row / 97),
                    1 => format!("{}/{}", "deep/".repeat(row % 11), row * 7919 % 1000),
                    2 => "a".repeat(row % 60 + 1),
                    3 => format!("{:x}/{row}", row.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
                    _ => format!("caf\u{e9}/\u{1f98a}{row:05}/{}", row % 3),
                };
                let mut texts: Vec<String> = (0..rows).map(text).collect();
                texts.sort();
                let Some((frame, block)) = sorted(&texts, Dispatch::Auto) else { continue };
                holds(&frame, &block);
                assert_eq!(sorted(&texts, Dispatch::Portable).unwrap().0, frame, "{rows} rows of kind {kind}");
                if rows >= 400 && kind == 0 {
                    assert!(frame.len() < block.len() / 8, "{} of {}", frame.len(), block.len());
                }
            }
        }
    }

    #[test]
    fn empty_and_too_long_blocks_are_left_to_others() {
        assert!(sorted(&[], Dispatch::Auto).is_none());
        assert!(sorted(&vec!["alike".repeat(20); 1300], Dispatch::Auto).is_none());
        assert!(sorted(&vec!["alike".repeat(20); 1200], Dispatch::Auto).is_some());
    }

    #[test]
    fn two_decoders_read_what_was_written() {
        let text = hex(3900);
        for length in [256, 257, 258, 259, 1000, 4095, 65_537, 131_072] {
            for head in [&b""[..], b"short", &text[..300], &[7; 5000]] {
                reads_back(head, &text[..length.min(text.len())]);
            }
        }
        // Four bits a digit, and what lengths and codes take.
        let digits: Vec<u8> = text.iter().copied().filter(u8::is_ascii_hexdigit).take(64_000).collect();
        let taken = reads_back(b"", &digits);
        assert!(taken < 33_100, "{taken}");
    }

    #[test]
    fn symbols_that_the_sample_lacks_get_codes() {
        let mut text = hex(2000);
        for (at, byte) in [(70, b'~'), (1000, b'!'), (65, b'Z')] {
            text[at] = byte;
        }
        reads_back(b"", &text);
        let mut rare = vec![b'a'; 5000];
        rare[100] = b'b';
        reads_back(b"", &rare);
        // Codes as long as they may be: each symbol half as often as the next.
        let skewed: Vec<u8> = (0..17_u8).flat_map(|symbol| vec![b'A' + symbol; 1 << symbol]).take(131_072).collect();
        reads_back(b"", &skewed);
    }

    #[test]
    fn a_compressed_block_is_always_shorter_than_its_content() {
        // Nearly seven bits a byte: at some length what is saved is as much as what codes take to be told of.
        for symbols in [90, 97, 100, 120, 126, 127, 128] {
            let text: Vec<u8> =
                (0..128_u8).map(|byte| byte.wrapping_mul(37) % 128 % symbols).cycle().take(700).collect();
            let frames: Vec<_> = (256..700).map(|length| framed(b"", &text[..length], Dispatch::Auto)).collect();
            assert!(frames.iter().any(Option::is_some) && frames.iter().any(Option::is_none), "{symbols}");
            for (length, frame) in (256..).zip(frames).filter_map(|(length, frame)| Some((length, frame?))) {
                let taken = frame.len() - FRAME_HEAD_BYTES - BLOCK_HEAD_BYTES;
                assert!(taken < length, "{taken} bytes of {length}, {symbols} symbols");
                holds(&frame, &text[..length]);
            }
        }
    }

    #[test]
    fn what_cannot_be_shorter_or_is_no_text_is_left_to_others() {
        let text = hex(100);
        assert_eq!(framed(b"", &text[..255], Dispatch::Auto), None);
        for at in (0..30).chain(text.len() - 30..text.len()) {
            // Beyond ASCII by the highest bit alone, in every place of a pair.
            let mut other = text.clone();
            other[at] |= 0x80;
            assert_eq!(framed(b"", &other, Dispatch::Auto), None, "{at}");
        }
        assert_eq!(framed(b"", &vec![b'a'; 1000], Dispatch::Auto), None);
        let every: Vec<u8> = (0..128).cycle().take(5000).collect();
        assert_eq!(framed(b"", &every, Dispatch::Auto).map(|frame| frame.len() < 5000), Some(true));
        let mut out = vec![0; 400];
        assert_eq!(ZstdBlocks::new().compress_random(b"", b"", &text, &mut out), None);
        assert_eq!(ZstdBlocks::new().compress_random(b"abc", b"no frame", &text, &mut vec![0; 9999]), None);
    }
}
