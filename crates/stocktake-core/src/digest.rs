//! MD5 as the manifest states it.

use std::{
    fmt,
    io::{self, Read},
};
use stocktake_codec::{Dispatch, MD5_BLOCK_BYTES, MD5_LANES, Md5Block, Md5Lanes, md5_padding};

/// Bytes that are read at once of each of several streams, so that those of all stay in a processor's second cache.
const PIECE_BYTES: usize = 64 << 10;

/// MD5 of some bytes in lower-case hex.
pub fn md5_hex(bytes: &[u8]) -> String {
    hex(&fast_md5::digest(bytes))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// MD5 of bytes as they pass.
pub struct Md5Stream(fast_md5::Md5);

impl Md5Stream {
    /// MD5 of no bytes yet.
    #[expect(clippy::new_without_default, reason = "a digest that nothing was put in is no value to fall back on")]
    pub fn new() -> Self {
        Self(fast_md5::Md5::new())
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest in lower-case hex.
    pub fn finish(self) -> String {
        hex(&self.0.finalize())
    }
}

impl fmt::Debug for Md5Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Md5Stream").finish_non_exhaustive()
    }
}

/// Whether [`md5_together`] takes less time than hashing one after another.
pub fn hashes_together(dispatch: Dispatch) -> bool {
    Md5Lanes::pays(dispatch)
}

/// MD5 in lower-case hex of what each reader gives, in their order, of several at once where the processor gains by it.
///
/// Eight streams at once take a third more time than one alone. A reader that fails has its error in its place; the others
/// are read on.
pub fn md5_together<R: Read>(readers: &mut [R], dispatch: Dispatch) -> Vec<io::Result<String>> {
    if readers.len() < 2 || !Md5Lanes::pays(dispatch) {
        let mut piece = vec![0; PIECE_BYTES];
        return readers.iter_mut().map(|reader| md5_of_reader(reader, &mut piece).map(|(md5, _)| md5)).collect();
    }
    let mut outcomes: Vec<io::Result<String>> = readers.iter().map(|_| Ok(String::new())).collect();
    let mut waiting = readers.iter_mut().enumerate();
    let mut lanes = Md5Lanes::new(dispatch);
    let mut feeds: [Option<Feed<'_, R>>; MD5_LANES] = std::array::from_fn(|_| waiting.next().map(Feed::new));
    loop {
        for (lane, place) in feeds.iter_mut().enumerate() {
            while let Some(feed) = place {
                let outcome = match feed.next_piece() {
                    Ok(true) => break,
                    Ok(false) => Ok(hex(&lanes.digest(lane))),
                    Err(error) => Err(error),
                };
                outcomes[feed.number] = outcome;
                lanes.restart(lane);
                *place = waiting.next().map(Feed::new);
            }
        }
        // A lane without a stream goes through another's blocks.
        let Some(some) = feeds.iter().flatten().next() else { return outcomes };
        let blocks = feeds.each_ref().map(|feed| feed.as_ref().unwrap_or(some).rest());
        let taken = lanes.update(blocks);
        feeds.iter_mut().flatten().for_each(|feed| feed.at += taken);
    }
}

/// MD5 in hex of what a reader gives, in pieces as long as the buffer, and how many bytes it is.
pub(crate) fn md5_of_reader(reader: &mut impl Read, piece: &mut [u8]) -> io::Result<(String, u64)> {
    let (mut md5, mut bytes) = (Md5Stream::new(), 0);
    loop {
        match read_full(reader, piece)? {
            0 => return Ok((md5.finish(), bytes)),
            length => {
                md5.update(&piece[..length]);
                bytes += length as u64;
            }
        }
    }
}

/// Reads until the buffer is full or the end is reached; returns how many bytes.
fn read_full(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(length) => filled += length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// A stream among others, in blocks.
struct Feed<'r, R> {
    number: usize,
    reader: &'r mut R,
    /// A piece, and room for what ends a stream.
    blocks: Vec<Md5Block>,
    /// Blocks that are taken, of those that are there.
    at: usize,
    end: usize,
    stream_bytes: u64,
    ended: bool,
}

impl<'r, R: Read> Feed<'r, R> {
    fn new((number, reader): (usize, &'r mut R)) -> Self {
        let blocks = vec![[0; MD5_BLOCK_BYTES]; PIECE_BYTES / MD5_BLOCK_BYTES + 2];
        Self { number, reader, blocks, at: 0, end: 0, stream_bytes: 0, ended: false }
    }

    /// Reads on if every block is taken; whether there is another.
    fn next_piece(&mut self) -> io::Result<bool> {
        if self.at < self.end || self.ended {
            return Ok(self.at < self.end);
        }
        let length = read_full(self.reader, &mut self.blocks.as_flattened_mut()[..PIECE_BYTES])?;
        self.stream_bytes += length as u64;
        (self.at, self.end) = (0, length / MD5_BLOCK_BYTES);
        if length < PIECE_BYTES {
            self.ended = true;
            let (padding, count) = md5_padding(&self.blocks[self.end][..length % MD5_BLOCK_BYTES], self.stream_bytes);
            self.blocks[self.end..self.end + count].copy_from_slice(&padding[..count]);
            self.end += count;
        }
        Ok(true)
    }

    fn rest(&self) -> &[Md5Block] {
        &self.blocks[self.at..self.end]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use md5::{Digest, Md5};

    #[test]
    fn parts_of_any_length_make_the_digest_that_another_library_makes() {
        let bytes: Vec<u8> = (0_u32..1000).map(|number| number.wrapping_mul(0x9e37_79b9).to_le_bytes()[3]).collect();
        for length in 0..bytes.len() {
            for part in [1, 63, 64, 65, 200] {
                let mut stream = Md5Stream::new();
                bytes[..length].chunks(part).for_each(|part| stream.update(part));
                assert_eq!(stream.finish(), hex(&Md5::digest(&bytes[..length])), "{length} bytes in parts of {part}");
            }
        }
    }

    #[test]
    fn known_digests() {
        assert_eq!(md5_hex(b""), "d41d8cd98f00b204e9800998ecf8427e");
        let mut stream = Md5Stream::new();
        stream.update(b"ab");
        stream.update(b"c");
        assert_eq!(stream.finish(), "900150983cd24fb0d6963f7d28e17f72");
    }

    /// Gives few bytes at a time, is interrupted, and fails at its end if it is to.
    struct Halting<'a>(&'a [u8], usize, bool);

    impl Read for Halting<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.1 += 1;
            if self.1.is_multiple_of(3) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            if self.0.is_empty() && self.2 {
                return Err(io::Error::other("on purpose"));
            }
            let length = self.0.len().min(buffer.len()).min(50_000);
            self.0.read(&mut buffer[..length])
        }
    }

    #[test]
    fn streams_together_have_the_digests_that_another_library_makes() {
        let bytes: Vec<u8> = (0_u32..400_000).map(|number| number.wrapping_mul(0x9e37_79b9).to_le_bytes()[3]).collect();
        for count in [0, 1, 2, 7, 8, 9, 30] {
            let lengths = |number: usize| [0, 1, PIECE_BYTES, PIECE_BYTES - 1, 400_000, 63, 150_000][number % 7];
            let faulty = |number: usize| number % 5 == 4;
            for dispatch in [Dispatch::Auto, Dispatch::Portable] {
                let reader = |number| Halting(&bytes[..lengths(number)], number, faulty(number));
                let mut readers: Vec<_> = (0..count).map(reader).collect();
                let found = md5_together(&mut readers, dispatch);
                for (number, found) in found.iter().enumerate() {
                    match found {
                        Ok(found) => {
                            assert_eq!(*found, hex(&Md5::digest(&bytes[..lengths(number)])), "{number} of {count}")
                        }
                        Err(_) => assert!(faulty(number), "{number} of {count}"),
                    }
                    assert_eq!(found.is_err(), faulty(number), "{number} of {count}");
                }
                assert_eq!(found.len(), count);
            }
        }
    }
}
