//! Encodes the rows of an Arrow IPC file as ORC stripes, again and again, for profilers:
//! `encode_orc FILE [none|zlib|snappy|zstd] [LEVEL] [ROUNDS]`. What it prints is the length of the stripes of one round.
//!
//! Rows are taken over and cut before the first round; a difference of two numbers of rounds is encoding alone.

use arrow_ipc::reader::FileReader;
use std::{error::Error, fs::File, io::Write};
use stocktake::{
    BATCH_ROWS_MAX, BucketName, ChunkEncoder, Format, OrcCompression, OrcOptions, RowChunk,
    arrow::{RecordBatchReader, provided_fields},
    orc::{EncodedStripe, OrcFormat},
};

/// Rows of a chunk, as reports have them by default.
const CHUNK_ROWS: usize = 131_072;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument = |at: usize, default: &str| arguments.get(at).cloned().unwrap_or_else(|| default.to_owned());
    let level = argument(2, "1").parse()?;
    let mut options = OrcOptions::default();
    options.compression = match argument(1, "zlib").as_str() {
        "none" => OrcCompression::None,
        "snappy" => OrcCompression::Snappy,
        "zstd" => OrcCompression::Zstd { level },
        _ => OrcCompression::Zlib { level },
    };
    let file = FileReader::try_new(File::open(argument(0, ""))?, None)?;
    let fields = provided_fields(&file.schema())?;
    let mut reader = RecordBatchReader::new(fields, None);
    let (mut chunks, mut segments, mut rows) = (Vec::new(), Vec::new(), 0);
    for batch in file {
        let batch = batch?;
        let mut offset = 0;
        while offset < batch.num_rows() {
            let length = (batch.num_rows() - offset).min(BATCH_ROWS_MAX).min(CHUNK_ROWS - rows);
            segments.push(reader.take_over(&batch, offset, length)?);
            (offset, rows) = (offset + length, rows + length);
            if rows == CHUNK_ROWS {
                chunks.push(RowChunk::new(segments.drain(..)));
                rows = 0;
            }
        }
    }
    chunks.push(RowChunk::new(segments));
    let format = OrcFormat::new(&BucketName::try_new("example-inventory-source-bucket")?, fields, &options);
    let (mut encoder, mut stripe, mut bytes) = (format.encoder(), EncodedStripe::default(), 0);
    for _ in 0..argument(3, "1").parse::<usize>()? {
        bytes = 0;
        for chunk in &chunks {
            encoder.encode(chunk, &mut stripe)?;
            bytes += stripe.bytes();
        }
    }
    writeln!(std::io::stdout(), "{bytes} bytes")?;
    Ok(())
}
