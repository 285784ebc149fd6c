//! One data file: stripes one after another, with what the engine knows of the file in its footer.

use super::format::Shape;
use stocktake_core::{AssembleError, ShardAssembler, ShardFacts, ShardWriter};
use stocktake_orc::{EncodedStripe, FileAssembler, OrcError};

/// About what is kept of a column of a stripe until the file is closed, in bytes.
const COLUMN_METADATA_BYTES: usize = 1024;

/// Metadata of an open file, in bytes, at which it is closed.
const METADATA_BYTES_MAX: usize = 8 << 20;

/// Writes one ORC file of any number of stripes.
#[derive(Debug)]
pub struct OrcAssembler {
    file: Result<FileAssembler<ShardWriter>, OrcError>,
    stripe_metadata_bytes: usize,
    metadata_bytes: usize,
}

impl OrcAssembler {
    pub(super) fn new(shape: &Shape, writer: ShardWriter) -> Self {
        Self {
            file: FileAssembler::try_new(writer, &shape.schema, &shape.options),
            stripe_metadata_bytes: shape.fields.len() * COLUMN_METADATA_BYTES,
            metadata_bytes: 0,
        }
    }
}

impl ShardAssembler for OrcAssembler {
    type Chunk = EncodedStripe;

    fn append(&mut self, chunk: &EncodedStripe) -> Result<(), AssembleError> {
        self.metadata_bytes += self.stripe_metadata_bytes;
        match &mut self.file {
            Ok(file) => file.append(chunk).map_err(unwritable),
            Err(error) => Err(AssembleError::limit(error.to_string())),
        }
    }

    fn shard_bytes(&self) -> u64 {
        self.file.as_ref().map_or(0, FileAssembler::bytes_written)
    }

    fn is_full(&self) -> bool {
        self.metadata_bytes >= METADATA_BYTES_MAX
    }

    fn finish(self, facts: &ShardFacts) -> Result<ShardWriter, AssembleError> {
        let mut file = self.file.map_err(unwritable)?;
        file.add_metadata("stocktake.report_id", facts.report_id.to_string());
        file.add_metadata("stocktake.rows", facts.rows.to_string());
        file.add_metadata("stocktake.first_key", facts.first_key.clone());
        file.add_metadata("stocktake.last_key", facts.last_key.clone());
        file.finish().map_err(unwritable)
    }
}

fn unwritable(error: OrcError) -> AssembleError {
    let message = error.to_string();
    error.into_io().map_or_else(|| AssembleError::limit(message), AssembleError::from)
}
