//! Compressors that are told what values are like, and need not search.

use super::{BlockCompressor, ValueKind, ValueLayout};
use crate::error::OrcError;
use stocktake_codec::{DeflateBlocks, Dispatch, Layout, SnappyBlocks};

/// Raw DEFLATE from what is known of values.
#[derive(Debug)]
pub(super) struct KnownZlib(Box<DeflateBlocks>);

impl KnownZlib {
    pub(super) fn new() -> Self {
        Self(Box::new(DeflateBlocks::new()))
    }
}

impl BlockCompressor for KnownZlib {
    fn uses_starts(&self) -> bool {
        true
    }

    fn set_dispatch(&mut self, dispatch: Dispatch) {
        self.0.set_dispatch(dispatch);
    }

    fn compress(&mut self, block: &[u8], layout: &ValueLayout<'_>, out: &mut Vec<u8>) -> Result<(), OrcError> {
        self.0.compress(block, known(layout), out);
        Ok(())
    }
}

/// Raw Snappy from what is known of values.
#[derive(Debug)]
pub(super) struct KnownSnappy(Box<SnappyBlocks>);

impl KnownSnappy {
    pub(super) fn new() -> Self {
        Self(Box::new(SnappyBlocks::new()))
    }
}

impl BlockCompressor for KnownSnappy {
    fn uses_starts(&self) -> bool {
        true
    }

    fn set_dispatch(&mut self, dispatch: Dispatch) {
        self.0.set_dispatch(dispatch);
    }

    fn compress(&mut self, block: &[u8], layout: &ValueLayout<'_>, out: &mut Vec<u8>) -> Result<(), OrcError> {
        self.0.compress(block, known(layout), out);
        Ok(())
    }
}

/// The layout in the codec's words. Lengths stand in a stream of their own, so that none are among the values.
fn known<'a>(layout: &ValueLayout<'a>) -> Layout<'a> {
    let starts = layout.starts;
    match layout.kind {
        ValueKind::SortedText => Layout::Sorted { starts, length_bytes: 0 },
        ValueKind::RandomText => Layout::Random { starts, length_bytes: 0 },
        ValueKind::Words | ValueKind::Text | ValueKind::Other => Layout::Unknown,
    }
}
