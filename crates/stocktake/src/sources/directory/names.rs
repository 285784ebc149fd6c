//! Names of one directory in little memory, and their order.
//!
//! A million names are one block of bytes and 16 bytes each, not a million allocations. A directory's name ends in `/`
//! here, so that plain byte order of the names is the order of the keys below them: `a.txt` comes before what is in `a/`,
//! `a0` after it.

use std::{cmp::Ordering, mem::size_of};

/// What the listing says of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A regular file.
    File,
    /// A directory; its name ends in `/`.
    Directory,
    /// Something whose type could not be read, such as a dangling symbolic link: to be looked at once more in its turn,
    /// so that it is reported in order.
    Unchecked,
}

/// Names of one directory, in order once sorted.
#[derive(Debug, Default)]
pub(super) struct Names {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// The first eight bytes, zero behind a shorter name, as a big-endian number: it settles most comparisons without a
    /// look at the bytes. No name holds a zero byte, so no two names share a padded head unless they are equal.
    head: u64,
    start: u32,
    length: u16,
    kind: Kind,
}

impl Names {
    /// Whether another name of `length` bytes keeps the memory taken within `limit_bytes`.
    pub(super) fn has_room(&self, length: usize, limit_bytes: usize) -> bool {
        let bytes = grown(self.bytes.capacity(), self.bytes.len() + length + 1, BYTES_MIN);
        let entries = grown(self.entries.capacity(), self.entries.len() + 1, ENTRIES_MIN);
        bytes + entries * size_of::<Entry>() <= limit_bytes
    }

    /// Adds a name; the `/` of a directory is put behind it.
    pub(super) fn push(&mut self, name: &[u8], kind: Kind) {
        let length = name.len() + usize::from(kind == Kind::Directory);
        reserve(&mut self.bytes, length, BYTES_MIN);
        reserve(&mut self.entries, 1, ENTRIES_MIN);
        let start = self.bytes.len();
        self.bytes.extend_from_slice(name);
        if kind == Kind::Directory {
            self.bytes.push(b'/');
        }
        let mut head = [0; 8];
        let known = length.min(8);
        head[..known].copy_from_slice(&self.bytes[start..start + known]);
        self.entries.push(Entry {
            head: u64::from_be_bytes(head),
            start: u32::try_from(start).expect("names are spilled long before 4 GiB"),
            length: u16::try_from(length).expect("the length of a directory entry is itself a 16-bit number"),
            kind,
        });
    }

    /// Puts the names in order and drops names that the listing gave twice, as it may when the directory changes.
    pub(super) fn sort(&mut self) {
        let bytes = &self.bytes;
        let order = |a: &Entry, b: &Entry| match a.head.cmp(&b.head) {
            Ordering::Equal => text(bytes, a).cmp(text(bytes, b)),
            unequal => unequal,
        };
        self.entries.sort_unstable_by(order);
        self.entries.dedup_by(|a, b| order(a, b) == Ordering::Equal);
    }

    /// The name at a position.
    pub(super) fn at(&self, index: usize) -> Option<(&[u8], Kind)> {
        self.entries.get(index).map(|entry| (text(&self.bytes, entry), entry.kind))
    }

    /// Number of names.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Forgets the names and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
    }

    /// Memory taken.
    pub(super) fn memory_bytes(&self) -> usize {
        self.bytes.capacity() + self.entries.capacity() * size_of::<Entry>()
    }
}

fn text<'a>(bytes: &'a [u8], entry: &Entry) -> &'a [u8] {
    &bytes[entry.start as usize..][..usize::from(entry.length)]
}

/// A small directory fits the first allocation.
const BYTES_MIN: usize = 512;
const ENTRIES_MIN: usize = 32;

/// Capacity that a vector grows to: doubled, so that [`Names::has_room`] can say it beforehand.
fn grown(capacity: usize, needed: usize, least: usize) -> usize {
    if needed <= capacity { capacity } else { needed.max(capacity * 2).max(least) }
}

fn reserve<T>(vector: &mut Vec<T>, more: usize, least: usize) {
    let capacity = grown(vector.capacity(), vector.len() + more, least);
    if capacity > vector.capacity() {
        vector.reserve_exact(capacity - vector.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(names: &[(&str, Kind)]) -> Vec<String> {
        let mut sorted = Names::default();
        names.iter().for_each(|(name, kind)| sorted.push(name.as_bytes(), *kind));
        sorted.sort();
        (0..sorted.len()).map(|at| String::from_utf8(sorted.at(at).unwrap().0.to_vec()).unwrap()).collect()
    }

    #[test]
    fn a_directory_stands_where_its_keys_do() {
        let names = [("a0", Kind::File), ("a", Kind::Directory), ("a.txt", Kind::File), ("a b", Kind::File)];
        assert_eq!(sorted(&names), ["a b", "a.txt", "a/", "a0"]);
    }

    #[test]
    fn names_that_share_a_head_are_told_apart() {
        let names = ["12345678", "123456789", "1234567", "12345678", "1234567é", "123456780"];
        let names = names.map(|name| (name, Kind::File));
        assert_eq!(sorted(&names), ["1234567", "12345678", "123456780", "123456789", "1234567é"]);
    }

    #[test]
    fn memory_is_foretold() {
        let mut names = Names::default();
        let limit = 100_000;
        while names.has_room(20, limit) {
            names.push(b"a name of some bytes", Kind::Directory);
            assert!(names.memory_bytes() <= limit);
        }
        assert!(names.len() > 500);
    }
}
