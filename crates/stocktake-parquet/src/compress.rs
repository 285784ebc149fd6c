//! Compression of pages, behind one call.

use parquet::basic::{Compression, ZstdLevel};
use std::fmt;
use stocktake_codec::{Layout, SnappyBlocks, ZstdBlocks};
use stocktake_core::{Dispatch, ParquetOptions, ParquetProfile};
use zstd::zstd_safe::CParameter;

/// Level at which texts are searched for repetitions that are not known of them.
const LEVEL_SEARCHING: u8 = 2;

/// Parameters of ZSTD at level 1, for pages of which little is known. The table of places is small on purpose: it remembers what is near, and what is near in
/// sorted keys is alike. A larger one finds far and short matches, which cost more than the digits that they replace.
const ZSTD_FAST: [CParameter; 3] = [CParameter::MinMatch(7), CParameter::HashLog(9), CParameter::WindowLog(17)];

/// Compresses pages, each by itself.
pub(crate) enum Compressor {
    Snappy(Box<SnappyBlocks>),
    SnappySearching(Box<snap::raw::Encoder>),
    Zstd(Box<Zstd>),
}

/// Compresses pages by what is known of them, and others as ZSTD does.
pub(crate) struct Zstd {
    general: zstd::bulk::Compressor<'static>,
    blocks: ZstdBlocks,
    /// Sorted texts are searched for more than is known of them.
    searches: bool,
    /// A page's lengths, compressed.
    head: Vec<u8>,
}

/// Shorter heads are stored as they are.
const HEAD_BYTES_MIN: usize = 48;

impl Compressor {
    pub(crate) fn new(options: &ParquetOptions) -> Self {
        match options.profile {
            ParquetProfile::Compact => match zstd(options.level) {
                Ok(general) => Self::Zstd(Box::new(Zstd {
                    general,
                    blocks: ZstdBlocks::new(),
                    searches: options.level >= LEVEL_SEARCHING,
                    head: Vec::new(),
                })),
                Err(error) => unreachable!("a spec has a level that exists: {error}"),
            },
            _ if options.level >= LEVEL_SEARCHING => Self::SnappySearching(Box::new(snap::raw::Encoder::new())),
            _ => Self::Snappy(Box::new(SnappyBlocks::new())),
        }
    }

    /// Uses other code for the same bytes, if there is any.
    pub(crate) fn set_dispatch(&mut self, dispatch: Dispatch) {
        match self {
            Self::Snappy(snappy) => snappy.set_dispatch(dispatch),
            Self::Zstd(zstd) => zstd.blocks.set_dispatch(dispatch),
            Self::SnappySearching(_) => {}
        }
    }

    /// Name of the codec in column metadata.
    pub(crate) fn codec(&self) -> Compression {
        match self {
            Self::Snappy(_) | Self::SnappySearching(_) => Compression::SNAPPY,
            Self::Zstd(_) => Compression::ZSTD(ZstdLevel::default()),
        }
    }

    /// Whether a block may become shorter: random bytes do only by codes of their own, which Snappy does not have.
    pub(crate) fn shortens(&self, layout: Layout<'_>) -> bool {
        !matches!((self, layout), (Self::Snappy(_), Layout::Random { length_bytes: 0, .. }))
    }

    /// Room that compressing a block of this length takes.
    pub(crate) fn room_bytes(&self, block_bytes: usize) -> usize {
        match self {
            Self::Snappy(_) => SnappyBlocks::room_bytes(block_bytes),
            Self::SnappySearching(_) => snap::raw::max_compress_len(block_bytes),
            Self::Zstd(_) => zstd::zstd_safe::compress_bound(block_bytes),
        }
    }

    /// Writes the compressed block to the front of `out`, which has the room that it takes; returns its length.
    pub(crate) fn compress(&mut self, block: &[u8], layout: Layout<'_>, out: &mut [u8]) -> usize {
        match self {
            Self::Snappy(snappy) => snappy.compress_into(block, layout, out),
            Self::SnappySearching(snappy) => match snappy.compress(block, out) {
                Ok(length) => length,
                Err(error) => unreachable!("there is room for the longest output: {error}"),
            },
            Self::Zstd(zstd) => zstd.compress(block, layout, out),
        }
    }
}

impl Zstd {
    fn compress(&mut self, block: &[u8], layout: Layout<'_>, out: &mut [u8]) -> usize {
        let known = match layout {
            Layout::Sorted { .. } if !self.searches => self.blocks.compress_sorted(block, layout, out),
            // Random texts one after another, behind a head of their lengths.
            Layout::Random { starts: &[text], length_bytes: 0 } => {
                block.split_at_checked(text as usize).and_then(|(head, text)| self.compress_random(head, text, out))
            }
            _ => None,
        };
        if let Some(written) = known {
            return written;
        }
        match self.general.compress_to_buffer(block, out) {
            Ok(length) => length,
            Err(error) => unreachable!("there is room for the longest output: {error}"),
        }
    }

    fn compress_random(&mut self, head: &[u8], text: &[u8], out: &mut [u8]) -> Option<usize> {
        self.head.clear();
        if head.len() >= HEAD_BYTES_MIN {
            self.head.reserve(zstd::zstd_safe::compress_bound(head.len()));
            self.general.compress_to_buffer(head, &mut self.head).ok()?;
        }
        self.blocks.compress_random(head, &self.head, text, out)
    }
}

fn zstd(level: u8) -> std::io::Result<zstd::bulk::Compressor<'static>> {
    let mut compressor = zstd::bulk::Compressor::new(i32::from(level))?;
    if level == 1 {
        for parameter in ZSTD_FAST {
            compressor.set_parameter(parameter)?;
        }
    }
    Ok(compressor)
}

impl fmt::Debug for Compressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Compressor").field(&self.codec()).finish()
    }
}
