//! One data file: a gzip header, the chunks' runs one after another, an empty last block and the trailer (RFC 1952).

use crate::chunk::CsvChunk;
use crc32fast::Hasher;
use std::io::Write;
use stocktake_core::{AssembleError, ShardAssembler, ShardFacts, ShardWriter};

/// Magic number, method DEFLATE, no flags, no time, neither extra flags nor operating system: as S3's own files begin.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0];

/// A block with fixed codes that is the last one and holds nothing but its end.
const LAST_BLOCK: [u8; 2] = [3, 0];

/// Writes one gzip member of any number of chunks.
#[derive(Debug)]
pub struct CsvAssembler {
    writer: ShardWriter,
    begun: bool,
    crc: Hasher,
    text_bytes: u64,
}

impl CsvAssembler {
    pub(crate) fn new(writer: ShardWriter) -> Self {
        Self { writer, begun: false, crc: Hasher::new(), text_bytes: 0 }
    }

    fn begin(&mut self) -> Result<(), AssembleError> {
        if !self.begun {
            self.writer.write_all(&HEADER)?;
            self.begun = true;
        }
        Ok(())
    }
}

impl ShardAssembler for CsvAssembler {
    type Chunk = CsvChunk;

    fn append(&mut self, chunk: &CsvChunk) -> Result<(), AssembleError> {
        self.begin()?;
        self.writer.write_all(&chunk.deflated)?;
        self.crc.combine(&Hasher::new_with_initial_len(chunk.crc32, chunk.text_bytes));
        self.text_bytes += chunk.text_bytes;
        Ok(())
    }

    fn shard_bytes(&self) -> u64 {
        self.writer.size_bytes()
    }

    fn finish(mut self, _facts: &ShardFacts) -> Result<ShardWriter, AssembleError> {
        self.begin()?;
        let mut end = [0; LAST_BLOCK.len() + 8];
        end[..2].copy_from_slice(&LAST_BLOCK);
        end[2..6].copy_from_slice(&self.crc.finalize().to_le_bytes());
        // The trailer holds the length modulo 2^32.
        end[6..].copy_from_slice(&self.text_bytes.to_le_bytes()[..4]);
        self.writer.write_all(&end)?;
        Ok(self.writer)
    }
}
