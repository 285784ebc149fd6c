//! An Arrow IPC file in memory: its footer, checked, and record batches decoded without copying.
//!
//! Offsets in the footer are checked before anything is sliced by them. The decoder of the `arrow-ipc` crate may panic on
//! a corrupt message; such a panic is caught here and is an error like others.

use super::super::mapped;
use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::{
    Block, Message, MetadataVersion,
    convert::fb_to_schema,
    reader::{FileDecoder, read_footer_length},
    root_as_footer, root_as_message,
};
use arrow_schema::SchemaRef;
use std::{fs::File, path::Path, sync::Arc};
use stocktake_core::SourceError;
use stocktake_core::contain;

/// What stands at both ends of the file.
const MAGIC: &[u8] = b"ARROW1";

/// Footer length and magic at the end of the file, in bytes.
const TRAILER_BYTES: usize = 10;

#[derive(Debug)]
pub(super) struct IpcFile {
    name: String,
    buffer: Buffer,
    schema: SchemaRef,
    version: MetadataVersion,
    dictionaries: Vec<Block>,
    batches: Vec<Block>,
    /// All record batches, if they were decoded ahead.
    decoded: Vec<RecordBatch>,
}

impl IpcFile {
    pub(super) fn open(path: &Path) -> Result<Self, SourceError> {
        let name = path.display().to_string();
        let unreadable = |error| SourceError::unreadable(format!("{name} could not be read"), error);
        let map = mapped::map(&File::open(path).map_err(unreadable)?).map_err(unreadable)?;
        let buffer = Buffer::from(bytes::Bytes::from_owner(map));
        let parsed = contained(|| Self::parse(name.clone(), buffer));
        parsed.map_err(|problem| SourceError::malformed(problem).at(name.clone()))
    }

    fn parse(name: String, buffer: Buffer) -> Result<Self, String> {
        let no_file = || "is no Arrow IPC file, or its end is missing".to_owned();
        if !buffer.starts_with(MAGIC) || !buffer.ends_with(MAGIC) || buffer.len() < 2 * MAGIC.len() + TRAILER_BYTES {
            return Err(no_file());
        }
        let trailer = buffer.len() - TRAILER_BYTES;
        let length = buffer[trailer..].try_into().map_err(|_| no_file())?;
        let length = read_footer_length(length).map_err(|error| error.to_string())?;
        let start = trailer.checked_sub(length).ok_or_else(no_file)?;
        let footer =
            root_as_footer(&buffer[start..trailer]).map_err(|error| format!("its footer is damaged: {error}"))?;
        let schema = footer.schema().ok_or("its footer has no schema")?;
        let checked = |blocks: Vec<Block>| -> Result<Vec<Block>, String> {
            blocks.iter().try_for_each(|block| check(block, start))?;
            Ok(blocks)
        };
        Ok(Self {
            schema: Arc::new(fb_to_schema(schema)),
            version: footer.version(),
            dictionaries: checked(footer.dictionaries().iter().flatten().copied().collect())?,
            batches: checked(footer.recordBatches().iter().flatten().copied().collect())?,
            decoded: Vec::new(),
            name,
            buffer,
        })
    }

    /// Decodes all record batches now; see [`Decoder::decode`].
    pub(super) fn decode_all(&mut self) -> Result<(), SourceError> {
        let mut decoder = self.decoder()?;
        let decoded = (0..self.batches()).map(|batch| decoder.decode(batch)).collect::<Result<_, _>>()?;
        self.decoded = decoded;
        Ok(())
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn schema(&self) -> &arrow_schema::Schema {
        &self.schema
    }

    /// Number of record batches.
    pub(super) fn batches(&self) -> usize {
        self.batches.len()
    }

    pub(super) fn position(&self, batch: usize) -> String {
        format!("{}, record batch {batch}", self.name)
    }

    /// A decoder with the file's dictionaries.
    pub(super) fn decoder(&self) -> Result<Decoder<'_>, SourceError> {
        let mut decoder = FileDecoder::new(Arc::clone(&self.schema), self.version);
        for block in &self.dictionaries {
            let read = contained(|| {
                let bytes = self.slice(block);
                check_uncompressed(&bytes)?;
                decoder.read_dictionary(block, &bytes).map_err(|error| error.to_string())
            });
            read.map_err(|problem| SourceError::malformed(problem).at(format!("{}, dictionaries", self.name)))?;
        }
        Ok(Decoder { file: self, decoder })
    }

    /// The bytes of a block, whose range was checked when the file was opened.
    fn slice(&self, block: &Block) -> Buffer {
        let (offset, length) = range(block).unwrap_or_default();
        self.buffer.slice_with_length(offset, length)
    }
}

/// Decodes record batches of one file.
pub(super) struct Decoder<'a> {
    file: &'a IpcFile,
    decoder: FileDecoder,
}

impl Decoder<'_> {
    pub(super) fn position(&self, batch: usize) -> String {
        self.file.position(batch)
    }

    /// A record batch; its columns share the file's memory where they are aligned.
    pub(super) fn decode(&mut self, batch: usize) -> Result<RecordBatch, SourceError> {
        if let Some(decoded) = self.file.decoded.get(batch) {
            return Ok(decoded.clone());
        }
        let block = &self.file.batches[batch];
        let decoded = contained(|| {
            let bytes = self.file.slice(block);
            check_uncompressed(&bytes)?;
            let decoded = self.decoder.read_record_batch(block, &bytes).map_err(|error| error.to_string())?;
            decoded.ok_or_else(|| "is no record batch".to_owned())
        });
        decoded.map_err(|problem| SourceError::malformed(problem).at(self.position(batch)))
    }

    /// Rows of the record batches before this one, read from their headers.
    pub(super) fn rows_before(&mut self, batch: usize) -> Result<u64, SourceError> {
        (0..batch).try_fold(0, |rows, batch| {
            let counted = contained(|| rows_of(&self.file.slice(&self.file.batches[batch])));
            Ok(rows + counted.map_err(|problem| SourceError::malformed(problem).at(self.position(batch)))?)
        })
    }
}

/// Offset and length of a block in bytes, if they are not negative.
fn range(block: &Block) -> Option<(usize, usize)> {
    let offset = usize::try_from(block.offset()).ok()?;
    let metadata = usize::try_from(block.metaDataLength()).ok()?;
    let body = usize::try_from(block.bodyLength()).ok()?;
    Some((offset, metadata.checked_add(body)?))
}

fn check(block: &Block, footer_start: usize) -> Result<(), String> {
    let inside =
        range(block).and_then(|(offset, length)| offset.checked_add(length)).is_some_and(|end| end <= footer_start);
    if inside { Ok(()) } else { Err("its footer points outside of the file".to_owned()) }
}

/// The message at the front of a block.
fn message(block: &[u8]) -> Result<Message<'_>, String> {
    // A continuation marker of four bytes may stand before the length of the metadata.
    let start = if block.starts_with(&[0xFF; 4]) { 8 } else { 4 };
    let metadata = block.get(start..).ok_or("is cut off")?;
    root_as_message(metadata).map_err(|error| format!("is damaged: {error}"))
}

/// Rows that the header of a record batch states.
fn rows_of(block: &[u8]) -> Result<u64, String> {
    let header = message(block)?.header_as_record_batch().ok_or("is no record batch")?;
    u64::try_from(header.length()).map_err(|_| "has a negative length".to_owned())
}

/// Refuses a compressed body: decoded it would be a whole record batch in private memory, however large the writer made
/// it. Whether the decoder could read it depends on what else is in the program.
fn check_uncompressed(block: &[u8]) -> Result<(), String> {
    let message = message(block)?;
    let batch = message.header_as_record_batch();
    let batch = batch.or_else(|| message.header_as_dictionary_batch().and_then(|dictionary| dictionary.data()));
    match batch.and_then(|batch| batch.compression()) {
        Some(_) => Err("compressed bodies are not read; write the file without compression".to_owned()),
        None => Ok(()),
    }
}

/// Runs a step of the foreign decoder; its panic is an error.
fn contained<T>(step: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    contain(step).unwrap_or_else(|panic| Err(format!("is damaged: {panic}")))
}
