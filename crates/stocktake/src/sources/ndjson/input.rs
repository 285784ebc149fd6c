//! Bytes of a dump that is read from front to back: plain, gzip or zstd, told by the first bytes.
//!
//! Input is waited for outside a decoder, so that decoding can be counted as computing. It knows nothing of lines.

use flate2::bufread::MultiGzDecoder;
use std::{
    fs::File,
    io::{self, BufRead, Read},
    os::unix::fs::FileExt,
    sync::Arc,
};
use stocktake_core::{ReadContext, SourceError};

/// Bytes taken in at once; large enough to make a call of the system negligible.
const INTAKE_BYTES: usize = 128 << 10;

/// The first bytes that tell the compression.
const MAGIC_BYTES: usize = 4;

/// The largest window of a zstd frame, 8 MiB as the levels up to 19 use it: a decoder keeps so much in memory.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;

/// The mark that may stand before UTF-8 text and is no part of it.
pub(in crate::sources) const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// A source of bytes that can be read once.
pub(in crate::sources) type Bytes = Box<dyn Read + Send>;

/// What could not be read, and why.
pub(in crate::sources) type InputFault = (&'static str, io::Error);

/// How the bytes are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sources) enum Compression {
    Plain,
    Gzip,
    Zstd,
}

impl Compression {
    /// Tells by the first [`MAGIC_BYTES`].
    pub(in crate::sources) fn of(front: &[u8]) -> Self {
        match front {
            // RFC 1952, 2.3.1.
            [0x1F, 0x8B, ..] => Self::Gzip,
            // RFC 8878, 3.1.1 and 3.1.2: a frame, or a skippable one before it.
            [0x28, 0xB5, 0x2F, 0xFD, ..] | [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..] => Self::Zstd,
            _ => Self::Plain,
        }
    }

    /// What could not be read when reading fails.
    fn fault(self) -> &'static str {
        match self {
            Self::Plain => "the input could not be read",
            Self::Gzip => "the gzip data are damaged or cut short",
            Self::Zstd => {
                "the zstd data are damaged or cut short, or need a window of more than 8 MiB (then decompress them into standard input)"
            }
        }
    }
}

/// Decompressed bytes, without a byte-order mark.
pub(in crate::sources) struct Input {
    compression: Compression,
    decoder: Decoder,
    /// Bytes that have been decompressed and not been given out.
    ahead: Vec<u8>,
}

enum Decoder {
    Plain(Intake),
    Gzip(Box<MultiGzDecoder<Intake>>),
    Zstd(zstd::stream::read::Decoder<'static, Intake>),
}

impl Input {
    /// Looks at the first bytes and begins to decompress.
    ///
    /// # Errors
    /// If they cannot be read or decompressed.
    pub(in crate::sources) fn try_new(bytes: Bytes) -> Result<Self, InputFault> {
        Self::with_intake_bytes(bytes, INTAKE_BYTES)
    }

    pub(in crate::sources) fn with_intake_bytes(bytes: Bytes, intake_bytes: usize) -> Result<Self, InputFault> {
        let mut intake = Intake::new(bytes, intake_bytes);
        while intake.filled().len() < MAGIC_BYTES && !intake.ended {
            intake.fill().map_err(|error| (Compression::Plain.fault(), error))?;
        }
        let compression = Compression::of(intake.filled());
        Self::decoding(compression, intake).map_err(|error| (compression.fault(), error))
    }

    fn decoding(compression: Compression, intake: Intake) -> io::Result<Self> {
        let decoder = match compression {
            Compression::Plain => Decoder::Plain(intake),
            Compression::Gzip => Decoder::Gzip(Box::new(MultiGzDecoder::new(intake))),
            Compression::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(intake)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
                Decoder::Zstd(decoder)
            }
        };
        let mut input = Self { compression, decoder, ahead: Vec::new() };
        while input.ahead.len() < BYTE_ORDER_MARK.len() && input.decode_ahead()? {}
        if input.ahead.starts_with(BYTE_ORDER_MARK) {
            input.ahead.clear();
        }
        Ok(input)
    }

    pub(in crate::sources) fn compression(&self) -> Compression {
        self.compression
    }

    /// Puts bytes that were read back in front.
    pub(in crate::sources) fn put_back(&mut self, mut bytes: Vec<u8>) {
        bytes.append(&mut self.ahead);
        self.ahead = bytes;
    }

    /// Fills the front of `into` and says with how many bytes; 0 at the end. Does not wait until `into` is full.
    ///
    /// Decoding takes a slot of `context`, if there is one; waiting for input does not.
    ///
    /// # Errors
    /// Input that cannot be read or decompressed; compressed data that end before their end.
    pub(in crate::sources) fn read(
        &mut self,
        into: &mut [u8],
        context: Option<&ReadContext>,
    ) -> Result<usize, InputFault> {
        if self.ahead.is_empty() {
            return self.decode(into, context).map_err(|error| (self.compression.fault(), error));
        }
        let taken = self.ahead.len().min(into.len());
        into[..taken].copy_from_slice(&self.ahead[..taken]);
        self.ahead.drain(..taken);
        Ok(taken)
    }

    fn decode_ahead(&mut self) -> io::Result<bool> {
        let mut some = [0; BYTE_ORDER_MARK.len()];
        let wanted = some.len() - self.ahead.len();
        let taken = self.decode(&mut some[..wanted], None)?;
        self.ahead.extend_from_slice(&some[..taken]);
        Ok(taken > 0)
    }

    fn decode(&mut self, into: &mut [u8], context: Option<&ReadContext>) -> io::Result<usize> {
        loop {
            let decoder = &mut self.decoder;
            let mut step = || match decoder {
                Decoder::Plain(intake) => intake.read(into),
                Decoder::Gzip(decoder) => decoder.read(into),
                Decoder::Zstd(decoder) => decoder.read(into),
            };
            let result = match context {
                Some(context) => context.compute(step),
                None => step(),
            };
            match result {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => match &mut self.decoder {
                    Decoder::Plain(intake) => intake.fill()?,
                    Decoder::Gzip(decoder) => decoder.get_mut().fill()?,
                    Decoder::Zstd(decoder) => decoder.get_mut().fill()?,
                },
                result => return result,
            }
        }
    }
}

/// A buffer below a decoder that says "would block" instead of waiting; [`Intake::fill`] waits.
struct Intake {
    bytes: Bytes,
    buffer: Vec<u8>,
    at: usize,
    end: usize,
    ended: bool,
}

impl Intake {
    fn new(bytes: Bytes, intake_bytes: usize) -> Self {
        Self { bytes, buffer: vec![0; intake_bytes.max(MAGIC_BYTES)], at: 0, end: 0, ended: false }
    }

    fn filled(&self) -> &[u8] {
        &self.buffer[self.at..self.end]
    }

    fn fill(&mut self) -> io::Result<()> {
        if self.at == self.end {
            (self.at, self.end) = (0, 0);
        }
        let taken = loop {
            match self.bytes.read(&mut self.buffer[self.end..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result?,
            }
        };
        self.end += taken;
        self.ended = taken == 0;
        Ok(())
    }
}

impl Read for Intake {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let filled = self.fill_buf()?;
        let taken = filled.len().min(into.len());
        into[..taken].copy_from_slice(&filled[..taken]);
        self.consume(taken);
        Ok(taken)
    }
}

impl BufRead for Intake {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at == self.end && !self.ended {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(self.filled())
    }

    fn consume(&mut self, bytes: usize) {
        self.at += bytes;
    }
}

/// Reads a file from its beginning by position, so that several can read one handle.
pub(in crate::sources) struct FileBytes {
    file: Arc<File>,
    length_bytes: u64,
    at: u64,
}

impl FileBytes {
    /// A reader of a file that had this length when it was opened.
    pub(in crate::sources) fn new(file: Arc<File>, length_bytes: u64) -> Self {
        Self { file, length_bytes, at: 0 }
    }
}

impl Read for FileBytes {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let taken = self.file.read_at(into, self.at)?;
        self.at += taken as u64;
        let ended = taken == 0 && !into.is_empty();
        if self.at > self.length_bytes || (ended && self.at < self.length_bytes) {
            return Err(changed(self.length_bytes));
        }
        Ok(taken)
    }
}

/// A file that is no longer as long as when it was opened.
pub(in crate::sources) fn changed(length_bytes: u64) -> io::Error {
    io::Error::other(format!("the file was changed while it was read; it had {length_bytes} bytes when it was opened"))
}

/// The bytes of a file whose length must not change.
pub(in crate::sources) fn bytes_of(file: &Arc<File>, length_bytes: u64) -> Bytes {
    Box::new(FileBytes::new(Arc::clone(file), length_bytes))
}

/// An input whose fault names what it is read from.
pub(in crate::sources) fn open_input(bytes: Bytes, name: &str) -> Result<Input, SourceError> {
    Input::try_new(bytes).map_err(|(what, error)| SourceError::unreadable(what, error).at(name))
}
