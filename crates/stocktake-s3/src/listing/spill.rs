//! Versions of one key that are too many to be held: sorted in parts, written to an unnamed file, and merged.
//!
//! ```text
//! record: length u32 · flags u8 · time i64 · size u64 · (length u16 · text)*     texts: ETag, version id, class, checksum, owner
//! ```
//!
//! Numbers are little endian. The file is gone when the run ends, however it ends. It does not know where versions come from.

use super::{
    page::{Entry, Page},
    versions::{Sorted, rank},
};
use std::{
    cmp::{Ordering, Reverse},
    collections::BinaryHeap,
    fs::File,
    io::{self, BufWriter, Read, Seek, SeekFrom, Write},
    path::Path,
};

/// Bytes written at once.
const WRITE_BYTES: usize = 64 << 10;

/// Bytes that are read ahead of all parts together while they are merged.
const READ_BYTES: usize = 8 << 20;

/// Parts that are merged at once: each has 4 KiB at least. With a hundred thousand versions each they are 200 million.
const PARTS_MAX: usize = READ_BYTES / 4096;

/// Rows of a page that is merged, as many as a server gives.
const PAGE_ROWS: usize = 1000;

/// Longest record: each of its five texts is below 64 KiB.
const RECORD_BYTES_MAX: u32 = 1 << 19;

/// Versions of a key on disk.
#[derive(Debug)]
pub(super) struct Spill {
    key: String,
    file: File,
    /// Where parts begin and end.
    parts: Vec<(u64, u64)>,
    end: u64,
}

impl Spill {
    /// None yet, in a folder for temporary files.
    ///
    /// # Errors
    /// If there can be no file.
    pub(super) fn try_new(folder: &Path, key: &str) -> io::Result<Self> {
        Ok(Self { key: key.to_owned(), file: tempfile::tempfile_in(folder)?, parts: Vec::new(), end: 0 })
    }

    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// Writes a part.
    ///
    /// # Errors
    /// If it cannot be written, or is one too many.
    pub(super) fn add(&mut self, sorted: &Sorted) -> io::Result<()> {
        if self.parts.len() == PARTS_MAX {
            return Err(io::Error::other(format!("the key {:?} has too many versions to be put in order", self.key)));
        }
        let begin = self.end;
        let mut out = BufWriter::with_capacity(WRITE_BYTES, &self.file);
        let mut record = Vec::new();
        for entry in sorted.entries() {
            record.clear();
            write_record(&entry, &mut record)?;
            out.write_all(&record)?;
            self.end += record.len() as u64;
        }
        out.flush()?;
        self.parts.push((begin, self.end));
        Ok(())
    }

    /// Ends taking in.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub(super) fn merge(self) -> io::Result<Merge> {
        let buffer_bytes = (READ_BYTES / self.parts.len().max(1)).min(WRITE_BYTES);
        let part = |(at, end): &(u64, u64)| Part { at: *at, end: *end, buffer: Vec::new(), taken: 0 };
        let parts = self.parts.iter().map(part).collect();
        let mut merge = Merge { key: self.key, file: self.file, parts, heads: BinaryHeap::new(), buffer_bytes };
        for part in 0..merge.parts.len() {
            merge.advance(part)?;
        }
        Ok(merge)
    }
}

/// Versions of a key as they are read back, in order.
#[derive(Debug)]
pub(super) struct Merge {
    key: String,
    file: File,
    parts: Vec<Part>,
    heads: BinaryHeap<Reverse<Head>>,
    buffer_bytes: usize,
}

impl Merge {
    /// The next rows; none at the end.
    ///
    /// # Errors
    /// If they cannot be read.
    pub(super) fn next_page(&mut self) -> io::Result<Option<Page>> {
        let mut page = Page::default();
        while page.len() < PAGE_ROWS {
            let Some(Reverse(head)) = self.heads.pop() else { break };
            let entry = entry_of(&self.key, &head.record).ok_or_else(damaged)?;
            page.push(&entry).map_err(io::Error::other)?;
            self.advance(head.part)?;
        }
        Ok((!page.is_empty()).then_some(page))
    }

    /// Takes the next record of a part among the heads.
    fn advance(&mut self, number: usize) -> io::Result<()> {
        let part = &mut self.parts[number];
        let Some(length) = part.take(&mut self.file, 4, self.buffer_bytes)? else { return Ok(()) };
        let length = u32::from_le_bytes(length.try_into().map_err(|_| damaged())?);
        if length > RECORD_BYTES_MAX {
            return Err(damaged());
        }
        let length = usize::try_from(length).map_err(io::Error::other)?;
        let record = part.take(&mut self.file, length, self.buffer_bytes)?.ok_or_else(damaged)?;
        let entry = entry_of(&self.key, &record).ok_or_else(damaged)?;
        let (not_latest, newest, id) = rank(&entry);
        let rank = (not_latest, newest, id.to_owned());
        self.heads.push(Reverse(Head { rank, part: number, record }));
        Ok(())
    }
}

/// A part while it is merged.
#[derive(Debug)]
struct Part {
    at: u64,
    end: u64,
    buffer: Vec<u8>,
    /// Bytes of the buffer that were taken.
    taken: usize,
}

impl Part {
    /// The next bytes; none at the end of the part.
    fn take(&mut self, file: &mut File, length: usize, buffer_bytes: usize) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = Vec::with_capacity(length);
        while bytes.len() < length {
            if self.taken == self.buffer.len() {
                let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
                self.buffer.resize(left.min(buffer_bytes), 0);
                self.taken = 0;
                if self.buffer.is_empty() {
                    return if bytes.is_empty() { Ok(None) } else { Err(damaged()) };
                }
                file.seek(SeekFrom::Start(self.at))?;
                file.read_exact(&mut self.buffer)?;
                self.at += self.buffer.len() as u64;
            }
            let piece = (length - bytes.len()).min(self.buffer.len() - self.taken);
            bytes.extend_from_slice(&self.buffer[self.taken..self.taken + piece]);
            self.taken += piece;
        }
        Ok(Some(bytes))
    }
}

/// The next record of a part.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    rank: (bool, Reverse<i64>, String),
    part: usize,
    record: Vec<u8>,
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> Ordering {
        // Of equal ones that of the earlier part came first.
        self.rank.cmp(&other.rank).then(self.part.cmp(&other.part))
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

const LATEST: u8 = 1;
const MARKER: u8 = 2;
const HAS_SIZE: u8 = 4;

fn write_record(entry: &Entry<'_>, record: &mut Vec<u8>) -> io::Result<()> {
    let flag = |set: bool, flag: u8| if set { flag } else { 0 };
    let flags = flag(entry.is_latest, LATEST) | flag(entry.is_marker, MARKER) | flag(entry.size.is_some(), HAS_SIZE);
    record.extend_from_slice(&[0; 4]);
    record.push(flags);
    record.extend_from_slice(&entry.modified_ms.to_le_bytes());
    record.extend_from_slice(&entry.size.unwrap_or(0).to_le_bytes());
    for text in [entry.e_tag, entry.version_id, entry.class, entry.checksum, entry.owner] {
        let length = u16::try_from(text.len()).map_err(|_| io::Error::other("a value of a version is too long"))?;
        record.extend_from_slice(&length.to_le_bytes());
        record.extend_from_slice(text.as_bytes());
    }
    let length = u32::try_from(record.len() - 4).map_err(io::Error::other)?;
    record[..4].copy_from_slice(&length.to_le_bytes());
    Ok(())
}

fn entry_of<'a>(key: &'a str, record: &'a [u8]) -> Option<Entry<'a>> {
    let (flags, rest) = record.split_first()?;
    let (modified, rest) = rest.split_first_chunk()?;
    let (size, mut rest) = rest.split_first_chunk()?;
    let mut text = || {
        let (length, behind) = rest.split_first_chunk()?;
        let (text, behind) = behind.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
        rest = behind;
        std::str::from_utf8(text).ok()
    };
    Some(Entry {
        key,
        e_tag: text()?,
        version_id: text()?,
        class: text()?,
        checksum: text()?,
        owner: text()?,
        size: (flags & HAS_SIZE != 0).then_some(u64::from_le_bytes(*size)),
        modified_ms: i64::from_le_bytes(*modified),
        is_latest: flags & LATEST != 0,
        is_marker: flags & MARKER != 0,
    })
}

fn damaged() -> io::Error {
    io::Error::other("a row in the folder for temporary files is damaged")
}
