//! Sorted runs of names in a temporary file, and their merge: a directory of any number of names in bounded memory.
//!
//! All runs of a directory lie in one anonymous file, which vanishes with its handle. Runs are merged by as many as a
//! bound allows; runs of runs replace them when there are more.

use super::{
    limits::Limits,
    names::{Kind, Names},
};
use std::{
    cmp::Ordering,
    collections::{BinaryHeap, binary_heap::PeekMut},
    fs::File,
    io,
    ops::Range,
    os::unix::fs::FileExt,
    path::Path,
};

/// Runs of one directory.
#[derive(Debug)]
pub(super) struct Spill {
    file: File,
    end: u64,
    runs: Vec<Run>,
    limits: Limits,
}

#[derive(Debug)]
struct Run {
    /// How often its names were merged.
    level: u32,
    range: Range<u64>,
    names: u64,
}

/// Bytes gathered before they are written.
const WRITE_BYTES: usize = 64 << 10;

impl Spill {
    /// A spill without names, in a new anonymous file.
    pub(super) fn try_new(temp_dir: &Path, limits: Limits) -> io::Result<Self> {
        Ok(Self { file: tempfile::tempfile_in(temp_dir)?, end: 0, runs: Vec::new(), limits })
    }

    /// Writes sorted names from a position on as a run.
    pub(super) fn push(&mut self, names: &Names, from: usize) -> io::Result<()> {
        let mut index = from;
        self.write_run(0, |record| {
            let Some((name, kind)) = names.at(index) else { return Ok(false) };
            index += 1;
            write_record(record, name, kind);
            Ok(true)
        })?;
        while self.runs.len() >= self.limits.merge_runs
            && self.runs[self.runs.len() - self.limits.merge_runs].level == self.runs[self.runs.len() - 1].level
        {
            self.merge_last()?;
        }
        Ok(())
    }

    /// Writes what is left of a merge as the only run.
    pub(super) fn push_merged(&mut self, merge: &mut Merge) -> io::Result<()> {
        let mut name = Vec::new();
        self.write_run(0, |record| {
            let Some(kind) = merge.next(&mut name)? else { return Ok(false) };
            write_record(record, &name, kind);
            Ok(true)
        })
    }

    /// Merges all runs as they are read.
    pub(super) fn into_merge(mut self) -> io::Result<Merge> {
        while self.runs.len() > self.limits.merge_runs {
            self.merge_last()?;
        }
        let runs = std::mem::take(&mut self.runs);
        Merge::try_new(self.file, runs, self.limits.run_buffer_bytes)
    }

    /// Merges the last runs, as many as are merged at once, into one.
    fn merge_last(&mut self) -> io::Result<()> {
        let runs = self.runs.split_off(self.runs.len().saturating_sub(self.limits.merge_runs.max(2)));
        let level = runs.iter().map(|run| run.level).max().unwrap_or(0) + 1;
        let mut merge = Merge::try_new(self.file.try_clone()?, runs, self.limits.run_buffer_bytes)?;
        let mut name = Vec::new();
        self.write_run(level, |record| {
            let Some(kind) = merge.next(&mut name)? else { return Ok(false) };
            write_record(record, &name, kind);
            Ok(true)
        })
    }

    fn write_run(&mut self, level: u32, mut next: impl FnMut(&mut Vec<u8>) -> io::Result<bool>) -> io::Result<()> {
        let start = self.end;
        let mut names = 0;
        let mut gathered = Vec::with_capacity(WRITE_BYTES);
        loop {
            let more = next(&mut gathered)?;
            names += u64::from(more);
            if !more || gathered.len() >= WRITE_BYTES {
                self.file.write_all_at(&gathered, self.end)?;
                self.end += gathered.len() as u64;
                gathered.clear();
            }
            if !more {
                break;
            }
        }
        self.runs.push(Run { level, range: start..self.end, names });
        Ok(())
    }
}

/// Runs read side by side in the order of their names.
#[derive(Debug)]
pub(super) struct Merge {
    file: File,
    cursors: BinaryHeap<Cursor>,
    last: Vec<u8>,
    count: u64,
}

impl Merge {
    fn try_new(file: File, runs: Vec<Run>, buffer_bytes: usize) -> io::Result<Self> {
        let count = runs.iter().map(|run| run.names).sum();
        let mut cursors = BinaryHeap::with_capacity(runs.len());
        for run in runs {
            let mut cursor = Cursor::new(run.range, buffer_bytes);
            if cursor.advance(&file)? {
                cursors.push(cursor);
            }
        }
        Ok(Self { file, cursors, last: Vec::new(), count })
    }

    /// Replaces `name` with the next name; `None` at the end. A name that stands in several runs comes once.
    pub(super) fn next(&mut self, name: &mut Vec<u8>) -> io::Result<Option<Kind>> {
        while let Some(mut first) = self.cursors.peek_mut() {
            std::mem::swap(name, &mut first.name);
            let kind = first.kind;
            if !first.advance(&self.file)? {
                PeekMut::pop(first);
            }
            // No name is empty, so the first one differs from `last`.
            if *name != self.last {
                self.last.clone_from(name);
                return Ok(Some(kind));
            }
        }
        Ok(None)
    }

    /// Number of names in the runs at the beginning; one that stands in several counts as often.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Memory taken.
    pub(super) fn memory_bytes(&self) -> usize {
        self.cursors.iter().map(|cursor| cursor.buffer.capacity() + cursor.name.capacity()).sum()
    }

    /// Number of runs that are still read.
    pub(super) fn runs(&self) -> usize {
        self.cursors.len()
    }
}

/// A place in a run. The greatest is the one with the least name, as the heap wants it.
#[derive(Debug)]
struct Cursor {
    name: Vec<u8>,
    kind: Kind,
    unread: Range<u64>,
    buffer: Vec<u8>,
    buffer_bytes: usize,
    at: usize,
}

/// Length and kind in front of each name.
const RECORD_HEAD_BYTES: usize = 3;

fn write_record(record: &mut Vec<u8>, name: &[u8], kind: Kind) {
    // The length of a directory entry is itself a 16-bit number.
    let length = u16::try_from(name.len()).unwrap_or(u16::MAX);
    record.extend_from_slice(&length.to_le_bytes());
    record.push(match kind {
        Kind::File => 0,
        Kind::Directory => 1,
        Kind::Unchecked => 2,
    });
    record.extend_from_slice(&name[..usize::from(length)]);
}

impl Cursor {
    fn new(range: Range<u64>, buffer_bytes: usize) -> Self {
        Self { name: Vec::new(), kind: Kind::File, unread: range, buffer: Vec::new(), buffer_bytes, at: 0 }
    }

    /// Goes to the next name; false at the end of the run.
    fn advance(&mut self, file: &File) -> io::Result<bool> {
        if !self.have(RECORD_HEAD_BYTES, file)? {
            return Ok(false);
        }
        let head = &self.buffer[self.at..self.at + RECORD_HEAD_BYTES];
        let length = usize::from(u16::from_le_bytes([head[0], head[1]]));
        self.kind = match head[2] {
            0 => Kind::File,
            1 => Kind::Directory,
            _ => Kind::Unchecked,
        };
        self.at += RECORD_HEAD_BYTES;
        if !self.have(length, file)? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.name.clear();
        self.name.extend_from_slice(&self.buffer[self.at..self.at + length]);
        self.at += length;
        Ok(true)
    }

    /// Reads on until `bytes` bytes are there; false if the run ends before its next record.
    fn have(&mut self, bytes: usize, file: &File) -> io::Result<bool> {
        let known = self.buffer.len() - self.at;
        if known >= bytes {
            return Ok(true);
        }
        let unread = usize::try_from(self.unread.end - self.unread.start).unwrap_or(usize::MAX);
        if known + unread < bytes {
            let at_end = known + unread == 0;
            return if at_end { Ok(false) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
        }
        self.buffer.drain(..self.at);
        self.at = 0;
        let more = unread.min(self.buffer_bytes.max(bytes) - known);
        self.buffer.resize(known + more, 0);
        file.read_exact_at(&mut self.buffer[known..], self.unread.start)?;
        self.unread.start += more as u64;
        Ok(true)
    }
}

impl Ord for Cursor {
    fn cmp(&self, other: &Self) -> Ordering {
        other.name.cmp(&self.name)
    }
}

impl PartialOrd for Cursor {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Cursor {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Cursor {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn more_runs_than_are_merged_at_once_come_in_order() {
        for runs in [1u32, 2, 3, 4, 9, 10, 28, 100] {
            let limits = Limits { merge_runs: 3, run_buffer_bytes: 16, ..Limits::DEFAULT };
            let mut spill = Spill::try_new(&std::env::temp_dir(), limits).unwrap();
            let mut expected = BTreeSet::new();
            for run in 0..runs {
                let mut names = Names::default();
                for index in 0..7 {
                    // Some names stand in several runs; some are longer than the buffer.
                    let name = format!("{}-{}", (run * 31 + index * 17) % 97, "x".repeat(index as usize * 5));
                    names.push(name.as_bytes(), if index == 3 { Kind::Directory } else { Kind::File });
                    expected.insert(if index == 3 { name + "/" } else { name });
                }
                names.sort();
                spill.push(&names, 0).unwrap();
                assert!(spill.runs.len() < 3 * 5, "levels are merged");
            }
            let mut merge = spill.into_merge().unwrap();
            assert!(merge.runs() <= 3);
            let (mut name, mut merged) = (Vec::new(), Vec::new());
            while let Some(kind) = merge.next(&mut name).unwrap() {
                assert_eq!(kind == Kind::Directory, name.ends_with(b"/"));
                merged.push(String::from_utf8(name.clone()).unwrap());
            }
            assert_eq!(merged, expected.into_iter().collect::<Vec<_>>());
        }
    }
}
