//! Objects from newline-delimited JSON: one object per line, members named as the columns of a report.
//!
//! ```text
//! {"key":"a/b","size":12,"last_modified_date":"2026-01-02T03:04:05.000Z","e_tag":"9b2c","is_latest":true}
//! ```
//!
//! [`NdjsonSource`] says what a line may hold. Inside, `json` knows tokens, `row` the members of a line, `piece` lines and
//! batches, `plain` and `input` bytes of files and streams, `lanes` keys in a sorted file; `feed` and `stream` bring them
//! together in threads. Whether rows are in order is checked by the engine, to which every batch says its line numbers.

mod fault;
mod feed;
pub(in crate::sources) mod input;
mod json;
mod lanes;
mod names;
mod peek;
mod piece;
mod plain;
mod row;
mod stream;
#[cfg(test)]
mod tests;

use super::provided::Provided;
use feed::Feed;
use input::{Compression, Input, bytes_of, open_input};
use lanes::Token;
use plain::PlainFile;
use std::{
    fs::File,
    io::Read,
    num::NonZeroU32,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};
use stocktake_core::{
    FieldSet, LaneDescriptor, ObjectKey, ObjectSource, ObjectStream, Plan, ReadContext, SourceError, SourceErrorKind,
};
use stream::{LaneStream, Reading, window};

/// Longest line in bytes, far above what a row of 25 fields takes in practice; it bounds buffers.
pub const LINE_BYTES_MAX: usize = 4 << 20;

/// Bytes that are parsed at once.
///
/// With two threads four pieces are under way and one is given out. A piece of the shortest lines with the most columns
/// makes batches of about seven times its size, so that all take some 20 MiB at worst; usual lines take a quarter of that.
const PIECE_BYTES: usize = 512 << 10;

/// A dump of objects as newline-delimited JSON.
///
/// **Lines.** Each holds one JSON object (RFC 8259) in UTF-8. Blank lines are passed over but counted, lines may end in
/// `\r\n`, the last may lack its end, a byte-order mark before the first is passed over and not counted in columns. A line
/// has at most [`LINE_BYTES_MAX`] bytes.
///
/// **Members** are named by the CSV name or the column name of a [`Field`](stocktake_core::Field), in any order:
///
/// | field | value |
/// | --- | --- |
/// | text | a string |
/// | size, duration | a whole number that is not negative, or a string of its digits |
/// | yes or no | `true`, `false`, `"true"`, `"false"` |
/// | time | a string in the form of RFC 3339, or whole milliseconds since 1970-01-01 UTC |
///
/// `null`, `""` and a member that is not there say that the value is absent. The key must be there. A bucket is compared
/// with the report's. Everything else is refused with its place: unknown members, members that stand twice (in one
/// spelling or both), other types, nested values.
///
/// **Order.** Keys ascend by unsigned bytes; versions of a key stand together.
///
/// **Input.** Plain text, gzip (any number of members) or zstd (any number of frames, windows of at most 8 MiB), told by
/// the first bytes. A plain file is read by position by all threads of a run and split into lanes; other inputs are
/// decompressed by one thread and parsed by all, in one lane. A file whose length changes while it is read is an error.
///
/// **Memory.** About 20 MiB at worst with two threads, and 5 MiB for each thread more; lines of megabytes may take as much
/// again. Usual lines take a quarter of it.
///
/// **Places** in messages are `FILE, line N, column M`, both from 1, columns in bytes. Where reading begins within a file
/// (a lane that is not the first, a run that is resumed) the lines before are not counted: places are
/// `FILE, byte offset N`, and batches number their rows by `relative line`, from where reading began.
pub struct NdjsonSource {
    name: String,
    input: SourceInput,
    provided: Provided,
    piece_bytes: usize,
}

enum SourceInput {
    Plain(PlainFile),
    Compressed {
        file: Arc<File>,
        length_bytes: u64,
    },
    /// Can be opened once. It is boxed because decoders are large.
    Once(Mutex<Option<Box<Input>>>),
}

impl NdjsonSource {
    /// Opens a file; `-` is standard input. (A file of that name is `./-`.)
    ///
    /// It looks at up to 1,000 lines or 1 MiB at the front for the members that are used, and the source provides those
    /// fields. A pipe is waited for until so much has come or it ends.
    ///
    /// # Errors
    /// If the file cannot be read, or one of these lines is malformed.
    pub fn try_open(path: impl AsRef<Path>) -> Result<Self, SourceError> {
        let path = path.as_ref();
        if path.as_os_str() == "-" {
            return Self::try_from_reader("standard input", std::io::stdin());
        }
        let name = path.display().to_string();
        let unreadable = |error| SourceError::unreadable("the file could not be read", error).at(&*name);
        let file = File::open(path).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        if !metadata.is_file() {
            // A pipe or a device. Reading a directory fails.
            return Self::try_from_reader(name, file);
        }
        let (file, length_bytes) = (Arc::new(file), metadata.len());
        let mut input = open_input(bytes_of(&file, length_bytes), &name)?;
        let (_, fields) = peek::fields_used(&mut input, &name)?;
        let input = match input.compression() {
            Compression::Plain => SourceInput::Plain(PlainFile::try_new(file, name.as_str().into(), length_bytes)?),
            Compression::Gzip | Compression::Zstd => SourceInput::Compressed { file, length_bytes },
        };
        Ok(Self { name, input, provided: Provided::seen(fields), piece_bytes: PIECE_BYTES })
    }

    /// A source that reads from `reader`, and can be opened once; `name` stands for it in messages.
    ///
    /// The front is looked at as [`NdjsonSource::try_open`] does, and is kept.
    ///
    /// # Errors
    /// If nothing can be read, or one of the lines at the front is malformed.
    pub fn try_from_reader(name: impl Into<String>, reader: impl Read + Send + 'static) -> Result<Self, SourceError> {
        let name = name.into();
        let input = open_input(Box::new(reader), &name)?;
        Self::try_from_input(name, input)
    }

    /// A source that reads from an input of which nothing has been taken.
    pub(in crate::sources) fn try_from_input(name: String, mut input: Input) -> Result<Self, SourceError> {
        let (front, fields) = peek::fields_used(&mut input, &name)?;
        input.put_back(front);
        let input = SourceInput::Once(Mutex::new(Some(Box::new(input))));
        Ok(Self { name, input, provided: Provided::seen(fields), piece_bytes: PIECE_BYTES })
    }

    /// States the fields that the source provides, in place of those that its first lines have.
    ///
    /// For dumps in which a field comes only later. Bucket and key are always provided; fields that are not named here
    /// are checked and left out, but for version fields, which would change what a row means: their values are refused.
    ///
    /// Where fields are not stated, a value of a field that none of the first lines has ends the run.
    #[must_use]
    pub fn with_fields(mut self, fields: FieldSet) -> Self {
        self.provided = Provided::stated(fields);
        self
    }

    /// Adds fields to those that the source provides; its other fields stay as they are.
    #[must_use]
    pub fn with_more_fields(mut self, fields: FieldSet) -> Self {
        self.provided = self.provided.with_more(fields);
        self
    }

    fn unsupported(&self, problem: &str) -> SourceError {
        SourceError::new(SourceErrorKind::Unsupported, problem).at(&*self.name)
    }

    fn read_ranges(
        &self,
        file: &PlainFile,
        lane: &LaneDescriptor,
        after: Option<&ObjectKey>,
        context: &ReadContext,
    ) -> Result<Reading, SourceError> {
        let mut left = Token::range_of(lane, file, &self.name)?;
        if let Some(after) = after {
            left.start = lanes::seek(file, &self.name, left.clone(), after)?;
        }
        let piece_bytes = self.piece_bytes as u64;
        // A short range does not need all threads.
        let pieces = usize::try_from((left.end - left.start).div_ceil(piece_bytes)).unwrap_or(usize::MAX);
        Ok(Reading {
            name: self.name.clone(),
            unexpected: self.provided.unexpected,
            from_first_line: left.start == file.start,
            feed: Feed::Ranges { left, piece_bytes },
            file: Some(file.clone()),
            after: after.cloned(),
            threads: context.threads.get().min(pieces.max(1)),
        })
    }

    fn read_stream(
        &self,
        input: Input,
        after: Option<&ObjectKey>,
        context: &ReadContext,
    ) -> Result<Reading, SourceError> {
        let threads = context.threads.get();
        Ok(Reading {
            name: self.name.clone(),
            unexpected: self.provided.unexpected,
            from_first_line: true,
            feed: Feed::stream(input, self.piece_bytes, window(threads), context.clone())?,
            file: None,
            after: after.cloned(),
            threads,
        })
    }
}

impl ObjectSource for NdjsonSource {
    fn provides(&self) -> FieldSet {
        self.provided.fields
    }

    fn plan(&self, lanes: NonZeroU32) -> Result<Plan, SourceError> {
        match &self.input {
            SourceInput::Plain(file) => lanes::split(file, &self.name, lanes),
            // By its length another file is known when a run is continued.
            SourceInput::Compressed { length_bytes, .. } => {
                Ok(Plan::whole(&*self.name).with_snapshot(format!("{length_bytes} bytes")))
            }
            SourceInput::Once(_) => Ok(Plan::whole(&*self.name)),
        }
    }

    fn reopens(&self) -> bool {
        !matches!(self.input, SourceInput::Once(_))
    }

    fn open<'a>(
        &'a self,
        lane: &LaneDescriptor,
        after: Option<&ObjectKey>,
        context: &ReadContext,
    ) -> Result<Box<dyn ObjectStream + 'a>, SourceError> {
        if after.is_some() && context.unsorted {
            return Err(self.unsupported("rows that are not in order cannot be read from behind a key"));
        }
        let whole = lane.start.is_none() && lane.end.is_none();
        let reading = match &self.input {
            SourceInput::Plain(file) => self.read_ranges(file, lane, after, context)?,
            _ if !whole => return Err(self.unsupported("this input has one lane")),
            SourceInput::Compressed { file, length_bytes } => {
                self.read_stream(open_input(bytes_of(file, *length_bytes), &self.name)?, after, context)?
            }
            SourceInput::Once(input) => {
                // The lock is held for taking the input out alone, which cannot leave it in between.
                let input = input.lock().unwrap_or_else(PoisonError::into_inner).take();
                let input = input.ok_or_else(|| self.unsupported("this input can be read only once"))?;
                self.read_stream(*input, after, context)?
            }
        };
        Ok(Box::new(LaneStream::try_new(reading, context)?))
    }
}

impl std::fmt::Debug for NdjsonSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NdjsonSource")
            .field("name", &self.name)
            .field("provided", &self.provided)
            .finish_non_exhaustive()
    }
}
