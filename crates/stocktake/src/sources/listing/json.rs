//! Walks through JSON listings entry by entry, whatever stands around the entries.
//!
//! One entry is in memory at a time, so that a document of any size is read; serde reads the entry itself.

use super::{
    Dialect,
    entries::{Aws, Entry, Mc, Rclone, S5cmd},
    row::Row,
    text::{Place, Text},
};
use serde::de::DeserializeOwned;
use stocktake_core::SourceError;

/// Lists of the AWS command line whose entries are objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum List {
    Contents,
    Versions,
    DeleteMarkers,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Top,
    /// Within a document of lists; whether a member came before.
    Document(bool),
    /// Within a list; whether an entry came before, and which list of a document it is.
    Array(bool, Option<List>),
}

/// Entries of a listing, one after another.
pub(super) struct JsonRows {
    text: Text,
    dialect: Dialect,
    level: Level,
    key_before: String,
    /// A page that says that more comes behind it.
    truncated: bool,
    directories: bool,
    nested: bool,
    bucket: Option<String>,
}

impl JsonRows {
    pub(super) fn new(text: Text, dialect: Dialect) -> Self {
        let (level, key_before) = (Level::Top, String::new());
        Self { text, dialect, level, key_before, truncated: false, directories: false, nested: false, bucket: None }
    }

    /// The bucket that a document named last.
    pub(super) fn bucket(&self) -> Option<&str> {
        self.bucket.as_deref()
    }

    /// Reads the next object into `row` and says where it stands; none at the end.
    ///
    /// # Errors
    /// Malformed JSON, an entry that says nothing or the wrong thing, a listing that is not complete.
    pub(super) fn next(&mut self, row: &mut Row) -> Result<Option<Place>, SourceError> {
        loop {
            let Some(first) = self.text.peek()? else {
                self.check_end()?;
                return Ok(None);
            };
            match (self.level, first) {
                (Level::Top, b'[') if self.dialect == Dialect::Rclone => self.enter(Level::Array(false, None)),
                (Level::Top, b'{') if self.dialect == Dialect::Aws => {
                    self.truncated = false;
                    self.enter(Level::Document(false));
                }
                (Level::Top, b'{') if self.dialect != Dialect::Rclone => {
                    if let Some(place) = self.entry(row, None)? {
                        return Ok(Some(place));
                    }
                }
                (Level::Top, _) => return Err(self.text.error(format!("{} is expected", self.dialect.opening()))),
                (Level::Document(_), b'}') => self.enter(Level::Top),
                (Level::Document(some), _) => {
                    self.comma(some)?;
                    self.member()?;
                }
                (Level::Array(_, list), b']') => {
                    self.enter(if list.is_some() { Level::Document(true) } else { Level::Top });
                }
                (Level::Array(some, list), _) => {
                    self.comma(some)?;
                    self.level = Level::Array(true, list);
                    if let Some(place) = self.entry(row, list)? {
                        return Ok(Some(place));
                    }
                }
            }
        }
    }

    /// Names of the members of the document that begins the text, as far as it goes, and the first value of `key`.
    pub(super) fn names(text: &mut Text) -> Vec<String> {
        let mut names = Vec::new();
        let mut step = || -> Result<bool, SourceError> {
            match text.peek()? {
                Some(b'{' | b',') => text.advance(1),
                _ => return Ok(false),
            }
            if text.peek()? != Some(b'"') {
                return Ok(false);
            }
            let bytes = text.value_bytes()?;
            names.extend(serde_json::from_slice::<String>(text.slice(bytes)).ok());
            text.advance(bytes);
            if text.peek()? == Some(b':') {
                text.advance(1);
            }
            text.peek()?;
            let bytes = text.value_bytes()?;
            text.advance(bytes);
            Ok(true)
        };
        // A front that ends within a value has told its names so far; a mistake is found again when rows are read.
        while step().unwrap_or(false) {}
        names
    }

    fn enter(&mut self, level: Level) {
        self.text.advance(1);
        self.level = level;
    }

    /// Passes over the comma before a member or entry that is not the first.
    fn comma(&mut self, some: bool) -> Result<(), SourceError> {
        if some {
            self.expect(b',', "`,` is expected")?;
        }
        Ok(())
    }

    fn expect(&mut self, byte: u8, problem: &str) -> Result<(), SourceError> {
        if self.text.peek()? != Some(byte) {
            return Err(self.text.error(problem));
        }
        self.text.advance(1);
        Ok(())
    }

    /// Reads a member of a document that holds lists; enters the list if its entries are objects.
    fn member(&mut self) -> Result<(), SourceError> {
        if self.text.peek()? != Some(b'"') {
            return Err(self.text.error("a member's name in quotes is expected"));
        }
        let name: String = self.value()?.1;
        self.expect(b':', "`:` is expected after a member's name")?;
        let first = self.text.peek()?;
        let list = match name.as_str() {
            "Contents" => Some(List::Contents),
            "Versions" => Some(List::Versions),
            "DeleteMarkers" => Some(List::DeleteMarkers),
            _ => None,
        };
        if let (Some(list), Some(b'[')) = (list, first) {
            self.enter(Level::Array(false, Some(list)));
            return Ok(());
        }
        self.level = Level::Document(true);
        let (place, value): (_, serde_json::Value) = self.value()?;
        let refuse = |problem: &str| Err(place.error(self.text.name(), problem));
        match name.as_str() {
            "CommonPrefixes" if value.as_array().is_some_and(|prefixes| !prefixes.is_empty()) => {
                return refuse("what is below these prefixes is not listed; list without a delimiter");
            }
            "IsTruncated" => self.truncated |= value == true,
            "NextToken" => self.truncated |= !value.is_null(),
            "Name" => self.bucket = value.as_str().map(str::to_owned),
            _ if list.is_some() && !value.is_null() => return refuse("a list of entries is expected"),
            _ => {}
        }
        Ok(())
    }

    /// Reads an entry; none if it is a directory's.
    fn entry(&mut self, row: &mut Row, list: Option<List>) -> Result<Option<Place>, SourceError> {
        if self.text.peek()? != Some(b'{') {
            return Err(self.text.error("an entry, a JSON object, is expected"));
        }
        row.clear();
        let (place, entry) = match self.dialect {
            Dialect::Rclone => self.value::<Rclone>().map(|(place, entry)| (place, entry.into_row(row)))?,
            Dialect::Mc => {
                let (place, entry) = self.value::<Mc>()?;
                (place, entry.into_row(row, &self.key_before))
            }
            Dialect::S5cmd => self.value::<S5cmd>().map(|(place, entry)| (place, entry.into_row(row)))?,
            Dialect::Aws => {
                let marker = match list {
                    Some(List::Versions) => Some(false),
                    Some(List::DeleteMarkers) => Some(true),
                    Some(List::Contents) | None => None,
                };
                self.value::<Aws>().map(|(place, entry)| (place, entry.into_row(row, marker)))?
            }
        };
        let entry = entry.map_err(|problem| {
            let key: String = row.key.chars().take(200).collect();
            place.error(self.text.name(), format!("{problem} (key {key:?})"))
        })?;
        self.nested |= row.key.contains('/');
        if entry == Entry::Directory {
            self.directories = true;
            return Ok(None);
        }
        if row.bucket.is_none() {
            row.bucket.clone_from(&self.bucket);
        }
        self.key_before.clone_from(&row.key);
        Ok(Some(place))
    }

    /// Reads the value that begins here, and says where.
    fn value<T: DeserializeOwned>(&mut self) -> Result<(Place, T), SourceError> {
        let place = self.text.place();
        let bytes = self.text.value_bytes()?;
        let value = serde_json::from_slice(self.text.slice(bytes)).map_err(|error| {
            let (line, column) = (error.line() as u64, error.column() as u64);
            let column = column.saturating_sub(1) + if line <= 1 { place.column } else { 0 };
            let text = error.to_string();
            // serde_json adds a place within the value, which the place in the whole text stands for.
            let problem = text.rsplit_once(" at line ").map_or(text.as_str(), |(problem, _)| problem);
            Place { line: place.line + line.saturating_sub(1), column }.error(self.text.name(), problem)
        })?;
        self.text.advance(bytes);
        Ok((place, value))
    }

    fn check_end(&self) -> Result<(), SourceError> {
        if self.level != Level::Top {
            return Err(self.text.error("the text ends within a list"));
        }
        if self.truncated {
            return Err(self.text.error("the listing says that more objects come behind it; list all pages"));
        }
        if self.directories && !self.nested {
            return Err(self.text.error("directories are not listed recursively; list with `rclone lsjson -R`"));
        }
        Ok(())
    }
}
