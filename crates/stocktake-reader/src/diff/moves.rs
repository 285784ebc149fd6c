//! Objects that moved: one of those removed and one of those added with the same ETag and size.
//!
//! Which those are is known when both reports were read. Until then candidates wait in two sorted lists, which go to
//! temporary files in runs when they outgrow their memory; runs are merged as they are read back.

use crate::error::{ReadError, ReadErrorKind};
use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    fs::File,
    io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write},
    path::PathBuf,
};

/// Runs that are merged at once; more are merged into one first. Each holds a file and a buffer of 8 KiB.
const RUNS_MAX: usize = 64;

/// Private memory of a candidate beyond its texts.
const CANDIDATE_BYTES: usize = size_of::<Candidate>() + 32;

/// An object that was removed or added, in the order by which counterparts are found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    e_tag: Box<str>,
    size_bytes: u64,
    key: Box<str>,
}

/// An object that stands under another key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MovedObject {
    /// Key in the old report.
    pub from: Box<str>,
    /// Key in the new report.
    pub to: Box<str>,
    /// ETag of both.
    pub e_tag: Box<str>,
    /// Size of both in bytes.
    pub size_bytes: u64,
}

/// Objects that were removed or added, as they are found.
#[derive(Debug)]
pub(super) struct Candidates {
    removed: Sorter,
    added: Sorter,
}

impl Candidates {
    /// No candidates yet; they take so much private memory together, and temporary files beyond it.
    pub(super) fn new(memory_bytes: usize, temp_dir: PathBuf) -> Self {
        let sorter = || Sorter::new(memory_bytes / 2, temp_dir.clone());
        Self { removed: sorter(), added: sorter() }
    }

    pub(super) fn removed(&mut self, key: &str, e_tag: &str, size_bytes: u64) -> Result<(), ReadError> {
        self.removed.push(key, e_tag, size_bytes).map_err(spill_error)
    }

    pub(super) fn added(&mut self, key: &str, e_tag: &str, size_bytes: u64) -> Result<(), ReadError> {
        self.added.push(key, e_tag, size_bytes).map_err(spill_error)
    }

    /// Pairs them: of several with the same ETag and size each has one counterpart, in the order of keys.
    pub(super) fn into_moves(self) -> Result<Moves, ReadError> {
        Ok(Moves {
            removed: self.removed.into_merge().map_err(spill_error)?,
            added: self.added.into_merge().map_err(spill_error)?,
        })
    }
}

fn spill_error(error: io::Error) -> ReadError {
    ReadError::because(ReadErrorKind::Unreadable, "a temporary file for moved objects failed", error)
}

/// Pairs of removed and added objects.
#[derive(Debug)]
pub(super) struct Moves {
    removed: Merge,
    added: Merge,
}

impl Moves {
    /// The next pair.
    pub(super) fn next(&mut self) -> Result<Option<MovedObject>, ReadError> {
        loop {
            let (Some(old), Some(new)) = (self.removed.peek(), self.added.peek()) else { return Ok(None) };
            match (&old.e_tag, old.size_bytes).cmp(&(&new.e_tag, new.size_bytes)) {
                std::cmp::Ordering::Less => drop(self.removed.take().map_err(spill_error)?),
                std::cmp::Ordering::Greater => drop(self.added.take().map_err(spill_error)?),
                std::cmp::Ordering::Equal => {
                    let (old, new) =
                        (self.removed.take().map_err(spill_error)?, self.added.take().map_err(spill_error)?);
                    let Some((old, new)) = old.zip(new) else { return Ok(None) };
                    return Ok(Some(MovedObject {
                        from: old.key,
                        to: new.key,
                        e_tag: new.e_tag,
                        size_bytes: new.size_bytes,
                    }));
                }
            }
        }
    }
}

/// Sorts candidates in bounded memory.
#[derive(Debug)]
struct Sorter {
    held: Vec<Candidate>,
    held_bytes: usize,
    memory_bytes: usize,
    runs: Vec<File>,
    temp_dir: PathBuf,
}

impl Sorter {
    fn new(memory_bytes: usize, temp_dir: PathBuf) -> Self {
        Self { held: Vec::new(), held_bytes: 0, memory_bytes, runs: Vec::new(), temp_dir }
    }

    fn push(&mut self, key: &str, e_tag: &str, size_bytes: u64) -> io::Result<()> {
        self.held_bytes += CANDIDATE_BYTES + key.len() + e_tag.len();
        self.held.push(Candidate { e_tag: e_tag.into(), size_bytes, key: key.into() });
        if self.held_bytes < self.memory_bytes {
            return Ok(());
        }
        if self.runs.len() == RUNS_MAX {
            let mut merge = Merge::try_new(std::mem::take(&mut self.runs), Vec::new())?;
            let mut run = self.run()?;
            while let Some(candidate) = merge.take()? {
                candidate.write(&mut run)?;
            }
            self.runs.push(run.into_inner().map_err(io::IntoInnerError::into_error)?);
        }
        self.held.sort_unstable();
        let mut run = self.run()?;
        for candidate in self.held.drain(..) {
            candidate.write(&mut run)?;
        }
        self.runs.push(run.into_inner().map_err(io::IntoInnerError::into_error)?);
        self.held_bytes = 0;
        Ok(())
    }

    /// A file that vanishes with its handle.
    fn run(&self) -> io::Result<BufWriter<File>> {
        tempfile::tempfile_in(&self.temp_dir).map(BufWriter::new)
    }

    fn into_merge(mut self) -> io::Result<Merge> {
        self.held.sort_unstable();
        Merge::try_new(self.runs, self.held)
    }
}

impl Candidate {
    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        for text in [&self.e_tag, &self.key] {
            // Texts of a batch have at most 64 KiB.
            out.write_all(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes())?;
            out.write_all(text.as_bytes())?;
        }
        out.write_all(&self.size_bytes.to_le_bytes())
    }

    /// The next candidate of a run; none at its end.
    fn read(run: &mut BufReader<File>) -> io::Result<Option<Self>> {
        let Some(e_tag) = read_text(run)? else { return Ok(None) };
        let key = read_text(run)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let mut size = [0; 8];
        run.read_exact(&mut size)?;
        Ok(Some(Self { e_tag, size_bytes: u64::from_le_bytes(size), key }))
    }
}

/// A text and its length; none at the end of the file.
fn read_text(run: &mut BufReader<File>) -> io::Result<Option<Box<str>>> {
    let mut length = [0; 4];
    match run.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let mut text = vec![0; u32::from_le_bytes(length) as usize];
    run.read_exact(&mut text)?;
    let text = String::from_utf8(text).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    Ok(Some(text.into()))
}

/// Candidates of several runs in their order.
#[derive(Debug)]
struct Merge {
    runs: Vec<BufReader<File>>,
    held: std::vec::IntoIter<Candidate>,
    /// The first candidate of each run, and of those held (numbered behind the runs).
    heads: BinaryHeap<Reverse<(Candidate, usize)>>,
}

impl Merge {
    fn try_new(runs: Vec<File>, held: Vec<Candidate>) -> io::Result<Self> {
        let mut merge = Self { runs: Vec::new(), held: held.into_iter(), heads: BinaryHeap::new() };
        for mut run in runs {
            run.seek(SeekFrom::Start(0))?;
            merge.runs.push(BufReader::new(run));
        }
        for source in 0..=merge.runs.len() {
            merge.refill(source)?;
        }
        Ok(merge)
    }

    fn refill(&mut self, source: usize) -> io::Result<()> {
        let next = match self.runs.get_mut(source) {
            Some(run) => Candidate::read(run)?,
            None => self.held.next(),
        };
        self.heads.extend(next.map(|candidate| Reverse((candidate, source))));
        Ok(())
    }

    fn peek(&self) -> Option<&Candidate> {
        self.heads.peek().map(|Reverse((candidate, _))| candidate)
    }

    fn take(&mut self) -> io::Result<Option<Candidate>> {
        let Some(Reverse((candidate, source))) = self.heads.pop() else { return Ok(None) };
        self.refill(source)?;
        Ok(Some(candidate))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(memory_bytes: usize, removed: &[(&str, &str, u64)], added: &[(&str, &str, u64)]) -> Vec<(String, String)> {
        let mut candidates = Candidates::new(memory_bytes, std::env::temp_dir());
        for (key, e_tag, size) in removed {
            candidates.removed(key, e_tag, *size).unwrap();
        }
        for (key, e_tag, size) in added {
            candidates.added(key, e_tag, *size).unwrap();
        }
        let mut moves = candidates.into_moves().unwrap();
        let mut pairs = Vec::new();
        while let Some(moved) = moves.next().unwrap() {
            pairs.push((moved.from.into(), moved.to.into()));
        }
        pairs
    }

    #[test]
    fn counterparts_have_the_same_e_tag_and_size() {
        let removed = [("b", "e1", 5), ("a", "e1", 5), ("c", "e2", 5), ("d", "e3", 1)];
        let added = [("z", "e1", 5), ("y", "e2", 6), ("x", "e3", 1)];
        let paired = [("a", "z"), ("d", "x")].map(|(from, to)| (from.to_owned(), to.to_owned()));
        assert_eq!(pairs(1 << 20, &removed, &added), paired);
        assert_eq!(pairs(1 << 20, &removed, &[]), []);
    }

    /// So little memory that each candidate is a run, and runs are merged into runs.
    #[test]
    fn runs_in_files_give_the_same_pairs_as_memory() {
        let texts: Vec<(String, String)> =
            (0..300).map(|n| (format!("k{}", n * 7 % 300), format!("e{}", n % 50))).collect();
        let of =
            |skip| texts.iter().skip(skip).map(|(key, e_tag)| (key.as_str(), e_tag.as_str(), 3)).collect::<Vec<_>>();
        let (removed, added) = (of(0), of(170));
        let held = pairs(1 << 20, &removed, &added);
        assert_eq!(held.len(), 130);
        assert_eq!(pairs(0, &removed, &added), held);
        assert_eq!(pairs(1000, &removed, &added), held);
    }
}
