//! Streams: bytes collected into blocks, with marks at the starts of row groups.
//!
//! A stream does not know where it will lie in a file: marks count from its own start, as positions in a row index do.

use crate::{
    compress::{Codec, ValueKind, ValueLayout},
    error::OrcError,
};

/// Collects the bytes of one stream after another.
#[derive(Debug, Default)]
pub(crate) struct StreamWriter {
    kind: Option<ValueKind>,
    /// The open block; empty where streams are not cut into blocks.
    block: Vec<u8>,
    /// Starts of values in the open block, if the compressor uses them.
    starts: Vec<u32>,
    collects_starts: bool,
    /// Written blocks: where each starts in the stream, and how many bytes it holds.
    blocks: Vec<Span>,
    marks: Vec<Mark>,
    /// Length of the output where the stream starts.
    base: usize,
    /// Length of the stream, once it is finished.
    length: usize,
    block_bytes: Option<usize>,
}

#[derive(Clone, Copy, Debug)]
struct Span {
    start: usize,
    bytes: usize,
}

/// A place in a stream: bytes into a block, or into a stream without blocks.
#[derive(Clone, Copy, Debug)]
struct Mark {
    block: usize,
    bytes: usize,
    /// Bits of the byte there that belong to what is before the place.
    bits: u8,
}

/// What positions in a stream consist of, beside the place of a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PositionKind {
    /// Nothing: plain bytes.
    Byte,
    /// Values of a run to be skipped.
    Run,
    /// Bytes of a run and bits of a byte to be skipped.
    Bit,
}

impl StreamWriter {
    /// Begins a stream that is appended to `out`.
    pub(crate) fn begin(&mut self, kind: ValueKind, codec: &Codec, out: &[u8]) {
        self.kind = Some(kind);
        self.block.clear();
        self.starts.clear();
        self.blocks.clear();
        self.marks.clear();
        self.base = out.len();
        self.block_bytes = codec.block_bytes();
        self.collects_starts = codec.uses_starts(kind);
    }

    /// Marks the present place as the start of a row group. Values begin there, so nothing of a run is to be skipped.
    pub(crate) fn mark(&mut self, out: &[u8]) {
        self.mark_bits(0, out);
    }

    /// Marks the present place, with bits of the byte that is pushed next belonging to the group before.
    pub(crate) fn mark_bits(&mut self, bits: u8, out: &[u8]) {
        let bytes = if self.block_bytes.is_some() { self.block.len() } else { out.len() - self.base };
        self.marks.push(Mark { block: self.blocks.len(), bytes, bits });
    }

    /// Appends bytes, wherever blocks end among them.
    pub(crate) fn push(&mut self, mut bytes: &[u8], codec: &mut Codec, out: &mut Vec<u8>) -> Result<(), OrcError> {
        let Some(block_bytes) = self.block_bytes else {
            out.extend_from_slice(bytes);
            return Ok(());
        };
        while !bytes.is_empty() {
            if self.block.len() == block_bytes {
                self.end_block(codec, out)?;
            }
            let (fitting, rest) = bytes.split_at(bytes.len().min(block_bytes - self.block.len()));
            self.block.extend_from_slice(fitting);
            bytes = rest;
        }
        Ok(())
    }

    /// Appends a value, in one block if it fits into one.
    pub(crate) fn push_value(&mut self, value: &[u8], codec: &mut Codec, out: &mut Vec<u8>) -> Result<(), OrcError> {
        if let Some(block_bytes) = self.block_bytes {
            if !self.block.is_empty() && value.len() > block_bytes - self.block.len() {
                self.end_block(codec, out)?;
            }
            if self.collects_starts {
                self.starts.push(narrow(self.block.len()));
            }
        }
        self.push(value, codec, out)
    }

    /// Appends values that lie one after another: value `i` is `bytes[offsets[i]..offsets[i + 1]]`.
    ///
    /// Blocks end where [`StreamWriter::push_value`] of each would end them.
    pub(crate) fn push_values<O: Offset>(
        &mut self,
        offsets: &[O],
        bytes: &[u8],
        codec: &mut Codec,
        out: &mut Vec<u8>,
    ) -> Result<(), OrcError> {
        let (Some(first), Some(last)) = (offsets.first(), offsets.last()) else { return Ok(()) };
        let Some(block_bytes) = self.block_bytes else {
            out.extend_from_slice(&bytes[first.at()..last.at()]);
            return Ok(());
        };
        let mut next = 0;
        while next + 1 < offsets.len() {
            let start = offsets[next].at();
            let room = block_bytes - self.block.len();
            // The last offset that lies within the room; offsets ascend.
            let fitting = offsets[next..].partition_point(|offset| offset.at() - start <= room) - 1;
            if fitting == 0 {
                let value = &bytes[start..offsets[next + 1].at()];
                self.push_value(value, codec, out)?;
                next += 1;
                continue;
            }
            let end = next + fitting;
            if self.collects_starts {
                let filled = self.block.len();
                let starts = offsets[next..end].iter().map(|offset| narrow(offset.at() - start + filled));
                self.starts.extend(starts);
            }
            self.block.extend_from_slice(&bytes[start..offsets[end].at()]);
            next = end;
        }
        Ok(())
    }

    /// Ends the stream; returns its length.
    pub(crate) fn finish(&mut self, codec: &mut Codec, out: &mut Vec<u8>) -> Result<usize, OrcError> {
        if !self.block.is_empty() {
            self.end_block(codec, out)?;
        }
        self.length = out.len() - self.base;
        Ok(self.length)
    }

    /// Appends the positions of a row group's start to those of its entry in the row index.
    pub(crate) fn positions(&self, group: usize, kind: PositionKind, into: &mut Vec<u64>) {
        let mark = self.marks[group];
        if self.block_bytes.is_some() {
            let (start, bytes) = self.place(mark);
            into.extend([start as u64, bytes as u64]);
        } else {
            // A group at the end has no byte in the stream. Java's reader plans to read none for it if it reads no group before,
            // and then fails to seek to the end: the byte before, of which nothing is taken, gives it a place to seek to.
            let bytes = if mark.bytes == self.length { mark.bytes.saturating_sub(1) } else { mark.bytes };
            into.push(bytes as u64);
        }
        match kind {
            PositionKind::Byte => {}
            PositionKind::Run => into.push(0),
            PositionKind::Bit => into.extend([0, u64::from(mark.bits)]),
        }
    }

    /// Start of a block in the stream, and bytes to skip in it. A place at the end of a block is the start of the next,
    /// which readers need not decompress the former for; only the end of the stream stays at the end of its last block.
    fn place(&self, mark: Mark) -> (usize, usize) {
        match self.blocks.get(mark.block) {
            Some(span) if mark.bytes < span.bytes => (span.start, mark.bytes),
            Some(span) => self.blocks.get(mark.block + 1).map_or((span.start, mark.bytes), |next| (next.start, 0)),
            None => self.blocks.last().map_or((0, 0), |last| (last.start, last.bytes)),
        }
    }

    fn end_block(&mut self, codec: &mut Codec, out: &mut Vec<u8>) -> Result<(), OrcError> {
        self.blocks.push(Span { start: out.len() - self.base, bytes: self.block.len() });
        let layout = ValueLayout { kind: self.kind.unwrap_or(ValueKind::Other), starts: &self.starts };
        codec.write_block(&self.block, &layout, out)?;
        self.block.clear();
        self.starts.clear();
        Ok(())
    }
}

/// Offsets of Arrow's texts, which ascend from zero or more.
pub(crate) trait Offset: Copy {
    /// The offset as a place in bytes.
    fn at(self) -> usize;
}

impl Offset for i32 {
    #[inline(always)]
    fn at(self) -> usize {
        self.cast_unsigned() as usize
    }
}

impl Offset for i64 {
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "an offset into memory")]
    fn at(self) -> usize {
        self.cast_unsigned() as usize
    }
}

/// A place in a block, which has less than 2^23 bytes.
#[expect(clippy::cast_possible_truncation, reason = "a place in a block")]
fn narrow(at: usize) -> u32 {
    at as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Compression;

    #[test]
    fn values_end_blocks_however_they_are_pushed() {
        let lengths = [100, 200, 0, 300, 56, 1, 255, 256, 257, 1000, 3, 0, 0, 256];
        let mut offsets = vec![0i32];
        lengths.iter().for_each(|length| offsets.push(offsets.last().unwrap() + length));
        let bytes: Vec<u8> = (0..offsets[lengths.len()]).map(|at| (at % 251) as u8).collect();
        let mut codec = Codec::new(Compression::Snappy, 256).unwrap();
        let (mut stream, mut one, mut all) = (StreamWriter::default(), Vec::new(), Vec::new());
        stream.begin(ValueKind::Text, &codec, &one);
        for pair in offsets.windows(2) {
            stream.mark(&one);
            let value = &bytes[pair[0].at()..pair[1].at()];
            stream.push_value(value, &mut codec, &mut one).unwrap();
        }
        stream.finish(&mut codec, &mut one).unwrap();
        let spans: Vec<usize> = stream.blocks.iter().map(|span| span.bytes).collect();
        assert_eq!(spans, [100, 200, 256, 101, 255, 256, 256, 1, 256, 256, 256, 235, 256]);
        let mut positions = Vec::new();
        stream.positions(1, PositionKind::Byte, &mut positions);
        assert_eq!(positions, [stream.blocks[1].start as u64, 0]);
        stream.begin(ValueKind::Text, &codec, &all);
        stream.push_values(&offsets, &bytes, &mut codec, &mut all).unwrap();
        stream.finish(&mut codec, &mut all).unwrap();
        assert_eq!(one, all);
    }
}
