//! The compressor of each kind and level, and those that know nothing of values and search.

use super::{
    BlockCompressor, ValueLayout, gave_up,
    known::{KnownSnappy, KnownZlib},
};
use crate::{error::OrcError, options::Compression};
use flate2::{Compress, FlushCompress, Status};
use std::fmt;

/// The compressor of a kind and level; none if there is no compression.
pub(super) fn compressor(compression: Compression) -> Result<Option<Box<dyn BlockCompressor>>, OrcError> {
    Ok(match compression {
        Compression::None => None,
        // At their lowest levels, what is known of values stands in for a search.
        Compression::Zlib { level: 0 | 1 } => Some(Box::new(KnownZlib::new())),
        Compression::Zlib { level } => {
            Some(Box::new(Zlib(Compress::new(flate2::Compression::new(u32::from(level)), false))))
        }
        Compression::Snappy => Some(Box::new(KnownSnappy::new())),
        Compression::Zstd { level } => {
            let compressor = zstd::bulk::Compressor::new(i32::from(level));
            Some(Box::new(Zstd(compressor.map_err(|error| gave_up("ZSTD", error))?)))
        }
    })
}

/// Room beyond a block and a quarter of it, which is more than nine bits a byte and the headers of a few blocks take.
const ZLIB_EXTRA_BYTES: usize = 1024;

/// Raw DEFLATE by a general compressor.
#[derive(Debug)]
struct Zlib(Compress);

impl BlockCompressor for Zlib {
    fn compress(&mut self, block: &[u8], _: &ValueLayout<'_>, out: &mut Vec<u8>) -> Result<(), OrcError> {
        self.0.reset();
        // Room for the worst case: this compressor cannot be trusted with less.
        let start = out.len();
        out.resize(start + block.len() + block.len() / 4 + ZLIB_EXTRA_BYTES, 0);
        let status = self.0.compress(block, &mut out[start..], FlushCompress::Finish);
        let written = match status.map_err(|error| gave_up("DEFLATE", error))? {
            Status::StreamEnd => usize::try_from(self.0.total_out()).unwrap_or(usize::MAX),
            Status::Ok | Status::BufError => block.len(),
        };
        out.truncate(start.saturating_add(written));
        Ok(())
    }
}

/// A Zstandard frame for each block.
struct Zstd(zstd::bulk::Compressor<'static>);

impl BlockCompressor for Zstd {
    fn compress(&mut self, block: &[u8], _: &ValueLayout<'_>, out: &mut Vec<u8>) -> Result<(), OrcError> {
        let start = out.len();
        out.resize(start + zstd::zstd_safe::compress_bound(block.len()), 0);
        let written = self.0.compress_to_buffer(block, &mut out[start..]).map_err(|error| gave_up("ZSTD", error))?;
        out.truncate(start + written);
        Ok(())
    }
}

impl fmt::Debug for Zstd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Zstd")
    }
}
