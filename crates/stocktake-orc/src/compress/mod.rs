//! Compression of blocks behind one small interface, and what every block has: a header, and the escape for blocks that
//! compression does not make shorter.
//!
//! A compressor is told where values lie in a block, because one that knows need not search. Output is a function of the
//! block and what is said of it: blocks are independent.

mod general;
mod known;

use crate::{
    error::{OrcError, OrcErrorKind},
    options::Compression,
    proto::CompressionKind,
};
use std::fmt::Debug;
use stocktake_codec::Dispatch;

/// Compresses blocks. Used by one thread at a time.
pub(crate) trait BlockCompressor: Debug + Send {
    /// Whether [`ValueLayout::starts`] are of use; they are not collected otherwise.
    fn uses_starts(&self) -> bool {
        false
    }

    /// Uses other code for the same bytes, if there is any.
    fn set_dispatch(&mut self, _dispatch: Dispatch) {}

    /// Appends the compressed block. What it appends may be longer than the block: it is given up then.
    fn compress(&mut self, block: &[u8], layout: &ValueLayout<'_>, out: &mut Vec<u8>) -> Result<(), OrcError>;
}

/// Where values lie in a block, and what they are like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ValueLayout<'a> {
    pub(crate) kind: ValueKind,
    /// Where values start in the block, ascending, if the compressor uses starts and the kind has them. A value ends where
    /// the next starts. Blocks begin with a value, unless it is longer than a block.
    pub(crate) starts: &'a [u32],
}

/// What the bytes of a block are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ValueKind {
    /// Runs of an integer encoding, bits, messages.
    Other,
    /// Texts of which nothing is known.
    Text,
    /// Ascending texts.
    SortedText,
    /// Texts without repetition.
    RandomText,
    /// Words of 4 or 8 bytes.
    Words,
}

impl ValueKind {
    /// Whether values of this kind have starts.
    pub(crate) fn has_starts(self) -> bool {
        matches!(self, Self::Text | Self::SortedText | Self::RandomText)
    }
}

/// Writes blocks with their headers.
#[derive(Debug)]
pub(crate) struct Codec {
    compressor: Option<Box<dyn BlockCompressor>>,
    block_bytes: usize,
}

/// Length of a block's header.
const HEADER_BYTES: usize = 3;

impl Codec {
    pub(crate) fn new(compression: Compression, block_bytes: usize) -> Result<Self, OrcError> {
        Ok(Self { compressor: general::compressor(compression)?, block_bytes })
    }

    pub(crate) fn set_dispatch(&mut self, dispatch: Dispatch) {
        if let Some(compressor) = &mut self.compressor {
            compressor.set_dispatch(dispatch);
        }
    }

    /// Most bytes of a block before compression; `None` if streams are not cut into blocks.
    pub(crate) fn block_bytes(&self) -> Option<usize> {
        self.compressor.is_some().then_some(self.block_bytes)
    }

    /// Whether starts of values of a kind are to be collected.
    pub(crate) fn uses_starts(&self, kind: ValueKind) -> bool {
        kind.has_starts() && self.compressor.as_ref().is_some_and(|compressor| compressor.uses_starts())
    }

    /// Appends a block of at most [`Codec::block_bytes`].
    pub(crate) fn write_block(
        &mut self,
        block: &[u8],
        layout: &ValueLayout<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), OrcError> {
        let Some(compressor) = &mut self.compressor else {
            out.extend_from_slice(block);
            return Ok(());
        };
        let start = out.len();
        out.extend_from_slice(&[0; HEADER_BYTES]);
        compressor.compress(block, layout, out)?;
        let mut length = out.len() - start - HEADER_BYTES;
        let original = length >= block.len();
        if original {
            out.truncate(start + HEADER_BYTES);
            out.extend_from_slice(block);
            length = block.len();
        }
        // A block has less than 2^23 bytes.
        let header = (length << 1 | usize::from(original)).to_le_bytes();
        out[start..start + HEADER_BYTES].copy_from_slice(&header[..HEADER_BYTES]);
        Ok(())
    }

    /// Appends bytes as blocks.
    pub(crate) fn write_all(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), OrcError> {
        let layout = ValueLayout { kind: ValueKind::Other, starts: &[] };
        bytes.chunks(self.block_bytes).try_for_each(|block| self.write_block(block, &layout, out))
    }

    /// Appends a message as blocks.
    pub(crate) fn write_message(&mut self, message: &impl prost::Message, out: &mut Vec<u8>) -> Result<(), OrcError> {
        self.write_all(&message.encode_to_vec(), out)
    }
}

impl Compression {
    pub(crate) fn kind(self) -> CompressionKind {
        match self {
            Self::None => CompressionKind::None,
            Self::Zlib { .. } => CompressionKind::Zlib,
            Self::Snappy => CompressionKind::Snappy,
            Self::Zstd { .. } => CompressionKind::Zstd,
        }
    }
}

fn gave_up(name: &str, error: impl std::fmt::Display) -> OrcError {
    OrcError::new(OrcErrorKind::Io, format!("{name} failed: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(compression: Compression, block: &[u8]) -> Vec<u8> {
        let mut out = vec![7];
        Codec::new(compression, 1024).unwrap().write_all(block, &mut out).unwrap();
        out
    }

    #[test]
    fn what_does_not_shrink_is_stored() {
        let compressions = [Compression::Zlib { level: 1 }, Compression::Snappy, Compression::Zstd { level: 3 }];
        for compression in compressions {
            assert_eq!(written(compression, b"abcde"), b"\x07\x0b\0\0abcde", "{compression:?}");
            let short = written(compression, &[b'a'; 500]);
            assert_eq!(usize::from(short[1]), (short.len() - 4) * 2, "{compression:?}");
        }
        assert_eq!(written(Compression::None, b"abc"), b"\x07abc");
    }

    #[test]
    fn long_bytes_are_cut_and_none_are_nothing() {
        let stored: Vec<u8> =
            (0..1500u64).map(|at| (at * at * at).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()[0]).collect();
        let out = written(Compression::Snappy, &stored);
        assert_eq!(out.len(), 1 + 3 + 1024 + 3 + 476);
        assert_eq!(written(Compression::Snappy, b""), [7]);
    }
}
