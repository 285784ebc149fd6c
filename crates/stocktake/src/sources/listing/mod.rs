//! Objects from listings that other programs made: `rclone`, `mc`, `s5cmd`, the AWS command line, and tables in CSV.
//!
//! [`ListingSource`] says what is taken. Inside, `front` tells by the first bytes what there is, `text` knows where JSON values end, `json` what stands around entries,
//! `entries` their members, `lines` where records of CSV end, `table` their columns. Whether rows are in order is checked by the engine.

mod entries;
mod front;
mod json;
mod lines;
mod row;
mod stream;
mod table;
#[cfg(test)]
mod tests;
mod text;

pub use table::CsvForm;

use super::{
    ndjson::{
        NdjsonSource,
        input::{Input, bytes_of, open_input},
    },
    provided::Provided,
    sorted::SortedStream,
};
use front::{front, seen_in_front};
use json::JsonRows;
use lines::Lines;
use std::{
    fs::File,
    io::Read,
    num::NonZeroU32,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};
use stocktake_core::{
    Field, FieldSet, LaneDescriptor, ObjectKey, ObjectSource, ObjectStream, Plan, ReadContext, SourceError,
    SourceErrorKind,
};
use stream::{ListingStream, Rows};
use table::TableRows;
use text::Text;

/// Longest entry or line in bytes, far above what one takes in practice; it bounds buffers.
const ENTRY_BYTES_MAX: usize = 4 << 20;

/// A program whose listing is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dialect {
    /// `rclone lsjson -R`: an array of entries.
    Rclone,
    /// `mc ls --json --recursive`: an entry on each line.
    Mc,
    /// `s5cmd --json ls`: an entry on each line.
    S5cmd,
    /// `aws s3api list-objects-v2` and `list-object-versions`: documents that hold lists of entries.
    Aws,
}

impl Dialect {
    fn opening(self) -> &'static str {
        match self {
            Self::Rclone => "an array of entries",
            Self::Mc | Self::S5cmd => "an entry, a JSON object,",
            Self::Aws => "a JSON object with lists of entries",
        }
    }

    /// Tells by the front of a text; none for rows as [`NdjsonSource`] reads them.
    fn of(front: &[u8]) -> Option<Self> {
        let mut text = Text::of_front("", front.to_vec());
        if text.peek().ok()?? == b'[' {
            return Some(Self::Rclone);
        }
        let names = JsonRows::names(&mut text);
        let has = |known: &[&str]| names.iter().any(|name| known.contains(&name.as_str()));
        match () {
            () if has(&["status"]) => Some(Self::Mc),
            () if has(&["last_modified", "type"]) => Some(Self::S5cmd),
            () if has(&[
                "Contents",
                "Versions",
                "DeleteMarkers",
                "CommonPrefixes",
                "IsTruncated",
                "RequestCharged",
            ]) =>
            {
                Some(Self::Aws)
            }
            () => None,
        }
    }
}

#[derive(Clone, Debug)]
enum Form {
    Json(Dialect),
    Table(CsvForm),
}

/// A listing that another program made.
///
/// **JSON** as [`Dialect`] names it, told by the front of the text. **CSV** as [`CsvForm`] says, with the column names
/// of a report or common spellings of them. Both plain, or compressed by gzip or zstd. Entries and lines have at most
/// 4 MiB.
///
/// **Order.** Keys ascend by unsigned bytes, as S3 lists them; [`SortedSource`](super::SortedSource) sorts others.
/// Lists of versions and delete markers stand one behind the other in a document: they are always sorted, latest
/// first, then newest, then by id, in a folder for temporary files.
///
/// **Fields** are those that the first 1,000 entries within 1 MiB have; a value of another field ends the run, unless
/// [`ListingSource::with_more_fields`] names it.
///
/// **Completeness.** A listing that says that it is cut short, or that leaves out what is below directories, is refused.
pub struct ListingSource {
    name: String,
    input: SourceInput,
    form: Form,
    provided: Provided,
    bucket: Option<String>,
    temp_dir: PathBuf,
}

enum SourceInput {
    File {
        file: Arc<File>,
        length_bytes: u64,
    },
    /// Can be opened once.
    Once(Mutex<Option<Box<Input>>>),
}

/// What a JSON text turned out to be.
#[derive(Debug)]
pub enum JsonListing {
    /// Rows with members named as the columns of a report.
    Ndjson(NdjsonSource),
    /// The listing of another program.
    Foreign(ListingSource),
}

impl JsonListing {
    /// Opens a file; `-` is standard input.
    ///
    /// # Errors
    /// If it cannot be read, or its front is malformed.
    pub fn try_open(path: impl AsRef<Path>) -> Result<Self, SourceError> {
        let path = path.as_ref();
        if path.as_os_str() == "-" {
            return Self::try_from_reader("standard input", std::io::stdin());
        }
        let (name, file, length_bytes) = open_file(path)?;
        let Some(length_bytes) = length_bytes else { return Self::try_from_reader(name, file) };
        let file = Arc::new(file);
        let front = front(&mut open_input(bytes_of(&file, length_bytes), &name)?, &name)?;
        match Dialect::of(&front) {
            None => NdjsonSource::try_open(path).map(Self::Ndjson),
            Some(dialect) => {
                let input = SourceInput::File { file, length_bytes };
                ListingSource::try_new(name, input, Form::Json(dialect), front).map(Self::Foreign)
            }
        }
    }

    /// Reads from `reader`, once; `name` stands for it in messages.
    ///
    /// # Errors
    /// As [`JsonListing::try_open`].
    pub fn try_from_reader(name: impl Into<String>, reader: impl Read + Send + 'static) -> Result<Self, SourceError> {
        let name = name.into();
        let mut input = open_input(Box::new(reader), &name)?;
        let front = front(&mut input, &name)?;
        input.put_back(front.clone());
        match Dialect::of(&front) {
            None => NdjsonSource::try_from_input(name, input).map(Self::Ndjson),
            Some(dialect) => {
                let input = SourceInput::Once(Mutex::new(Some(Box::new(input))));
                ListingSource::try_new(name, input, Form::Json(dialect), front).map(Self::Foreign)
            }
        }
    }
}

impl ListingSource {
    /// Opens a listing in CSV; `-` is standard input.
    ///
    /// # Errors
    /// If it cannot be read, its columns are unknown, stand twice or lack the key.
    pub fn try_open_csv(path: impl AsRef<Path>, form: CsvForm) -> Result<Self, SourceError> {
        let path = path.as_ref();
        if path.as_os_str() == "-" {
            return Self::try_csv_from_reader("standard input", std::io::stdin(), form);
        }
        let (name, file, length_bytes) = open_file(path)?;
        let Some(length_bytes) = length_bytes else { return Self::try_csv_from_reader(name, file, form) };
        let file = Arc::new(file);
        let front = front(&mut open_input(bytes_of(&file, length_bytes), &name)?, &name)?;
        Self::try_new(name, SourceInput::File { file, length_bytes }, Form::Table(form), front)
    }

    /// Reads a listing in CSV from `reader`, once; `name` stands for it in messages.
    ///
    /// # Errors
    /// As [`ListingSource::try_open_csv`].
    pub fn try_csv_from_reader(
        name: impl Into<String>,
        reader: impl Read + Send + 'static,
        form: CsvForm,
    ) -> Result<Self, SourceError> {
        let name = name.into();
        let mut input = open_input(Box::new(reader), &name)?;
        let front = front(&mut input, &name)?;
        input.put_back(front.clone());
        Self::try_new(name, SourceInput::Once(Mutex::new(Some(Box::new(input)))), Form::Table(form), front)
    }

    fn try_new(name: String, input: SourceInput, form: Form, front: Vec<u8>) -> Result<Self, SourceError> {
        let (used, bucket) = seen_in_front(&name, &form, front)?;
        Ok(Self { name, input, form, provided: Provided::seen(used), bucket, temp_dir: std::env::temp_dir() })
    }

    /// The bucket that the listing names, as far as its front tells.
    pub fn bucket(&self) -> Option<&str> {
        self.bucket.as_deref()
    }

    /// States the fields that the source provides, in place of those that its front has.
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

    /// Sorts versions in this folder.
    #[must_use]
    pub fn with_temp_dir(mut self, folder: impl AsRef<Path>) -> Self {
        self.temp_dir = folder.as_ref().to_owned();
        self
    }

    /// Whether versions stand in lists of their own, which have to be sorted.
    fn has_lists_of_versions(&self) -> bool {
        matches!(self.form, Form::Json(Dialect::Aws)) && self.provided.fields.contains(Field::IsLatest)
    }

    fn unsupported(&self, problem: &str) -> SourceError {
        SourceError::new(SourceErrorKind::Unsupported, problem).at(&*self.name)
    }
}

impl ObjectSource for ListingSource {
    fn provides(&self) -> FieldSet {
        self.provided.fields
    }

    fn plan(&self, _lanes: NonZeroU32) -> Result<Plan, SourceError> {
        Ok(match &self.input {
            // By its length another file is known when a run is continued.
            SourceInput::File { length_bytes, .. } => {
                Plan::whole(&*self.name).with_snapshot(format!("{length_bytes} bytes"))
            }
            SourceInput::Once(_) => Plan::whole(&*self.name),
        })
    }

    fn reopens(&self) -> bool {
        matches!(self.input, SourceInput::File { .. })
    }

    fn open<'a>(
        &'a self,
        lane: &LaneDescriptor,
        after: Option<&ObjectKey>,
        context: &ReadContext,
    ) -> Result<Box<dyn ObjectStream + 'a>, SourceError> {
        if lane.start.is_some() || lane.end.is_some() {
            return Err(self.unsupported("a listing has one lane"));
        }
        if after.is_some() && context.unsorted {
            return Err(self.unsupported("rows that are not in order cannot be read from behind a key"));
        }
        let input = match &self.input {
            SourceInput::File { file, length_bytes } => {
                Box::new(open_input(bytes_of(file, *length_bytes), &self.name)?)
            }
            SourceInput::Once(input) => {
                // The lock is held for taking the input out alone, which cannot leave it in between.
                let input = input.lock().unwrap_or_else(PoisonError::into_inner).take();
                input.ok_or_else(|| self.unsupported("this input can be read only once"))?
            }
        };
        let decoding = Some(context.clone());
        let rows = match &self.form {
            Form::Json(dialect) => {
                Rows::Json(Box::new(JsonRows::new(Text::new(&self.name, input, decoding), *dialect)))
            }
            Form::Table(form) => {
                let lines = Lines::new(&self.name, input, decoding, form.delimiter);
                Rows::Table(Box::new(TableRows::try_new(&self.name, lines, form)?))
            }
        };
        let sorted = self.has_lists_of_versions();
        let stream = ListingStream::new(&self.name, rows, self.provided.unexpected, after.filter(|_| !sorted), context);
        if sorted {
            return Ok(Box::new(SortedStream::of_versions(Box::new(stream), after, context, &self.temp_dir)));
        }
        Ok(Box::new(stream))
    }
}

impl std::fmt::Debug for ListingSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ListingSource").field("name", &self.name).field("form", &self.form).finish_non_exhaustive()
    }
}

/// The file's name in messages, the file, and its length unless it is a pipe or a device.
fn open_file(path: &Path) -> Result<(String, File, Option<u64>), SourceError> {
    let name = path.display().to_string();
    let unreadable = |error| SourceError::unreadable("the file could not be read", error).at(&*name);
    let file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    let length_bytes = metadata.is_file().then_some(metadata.len());
    Ok((name, file, length_bytes))
}
