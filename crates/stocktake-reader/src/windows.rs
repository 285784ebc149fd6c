//! Reads a data file in windows, for readers that jump between its columns: neighbouring reads cost one request, and no
//! more than a few windows are in memory, however large the file.

use crate::stored::StoredFile;
use bytes::Bytes;
use std::{
    collections::VecDeque,
    io::{self, Read},
    sync::{Arc, Mutex, PoisonError},
};

/// Bytes that are asked of the store at a time, if no more are needed.
const WINDOW_BYTES: u64 = 512 << 10;

/// Windows that are kept: one for each column that is read side by side, and some.
const WINDOWS_MAX: usize = 32;

/// Bytes of a window that a stream of a page's header takes at a time.
const STREAM_BYTES: u64 = 8 << 10;

/// A data file that is read by ranges. Clones share windows.
#[derive(Clone, Debug)]
pub(crate) struct Windows {
    file: StoredFile,
    kept: Arc<Mutex<VecDeque<(u64, Bytes)>>>,
}

impl Windows {
    pub(crate) fn new(file: StoredFile) -> Self {
        Self { file, kept: Arc::default() }
    }

    /// The same file with windows of its own, for another thread.
    pub(crate) fn apart(&self) -> Self {
        Self::new(self.file.clone())
    }

    pub(crate) fn size_bytes(&self) -> u64 {
        self.file.size_bytes
    }

    /// The bytes of a range.
    ///
    /// # Errors
    /// If it does not lie within the file (nothing is allocated then), or cannot be read.
    pub(crate) fn range(&self, start: u64, length: u64) -> io::Result<Bytes> {
        let size_bytes = self.file.size_bytes;
        let end = start.checked_add(length).filter(|end| *end <= size_bytes).ok_or_else(|| {
            let text = format!("{length} bytes from byte {start} on are asked for, the file has {size_bytes}");
            io::Error::new(io::ErrorKind::InvalidData, text)
        })?;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().position(|(at, bytes)| *at <= start && end <= at + bytes.len() as u64);
        if let Some(window) = found.and_then(|found| kept.remove(found)) {
            let at = index(start - window.0);
            let bytes = window.1.slice(at..at + index(length));
            kept.push_back(window);
            return Ok(bytes);
        }
        let window_end = end.max((start + WINDOW_BYTES).min(size_bytes));
        let mut bytes = vec![0; index(window_end - start)];
        let reader = self.file.store.open_range(&self.file.key, start..window_end);
        reader.map_err(io::Error::other)?.read_exact(&mut bytes)?;
        let bytes = Bytes::from(bytes);
        let asked = bytes.slice(..index(length));
        // What is larger than a window was wanted whole, and is not wanted again.
        if bytes.len() as u64 <= WINDOW_BYTES {
            if kept.len() == WINDOWS_MAX {
                kept.pop_front();
            }
            kept.push_back((start, bytes));
        }
        Ok(asked)
    }

    /// The bytes from a place on.
    pub(crate) fn stream(&self, start: u64) -> WindowStream {
        WindowStream { windows: self.clone(), at: start, piece: Bytes::new() }
    }
}

/// A length within a file that was read, or is about to be: it fits in memory.
fn index(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

/// Reads on from a place.
#[derive(Debug)]
pub(crate) struct WindowStream {
    windows: Windows,
    at: u64,
    piece: Bytes,
}

impl Read for WindowStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.piece.is_empty() {
            let left = self.windows.size_bytes().saturating_sub(self.at);
            if left == 0 || buffer.is_empty() {
                return Ok(0);
            }
            let length = left.min(STREAM_BYTES.max(buffer.len() as u64).min(WINDOW_BYTES));
            self.piece = self.windows.range(self.at, length)?;
            self.at += length;
        }
        let length = buffer.len().min(self.piece.len());
        buffer[..length].copy_from_slice(&self.piece.split_to(length));
        Ok(length)
    }
}

#[cfg(feature = "parquet")]
impl parquet::file::reader::Length for Windows {
    fn len(&self) -> u64 {
        self.size_bytes()
    }
}

#[cfg(feature = "parquet")]
impl parquet::file::reader::ChunkReader for Windows {
    type T = WindowStream;

    fn get_read(&self, start: u64) -> parquet::errors::Result<WindowStream> {
        Ok(self.stream(start))
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        Ok(self.range(start, length as u64)?)
    }
}

#[cfg(feature = "orc")]
impl orc_rust::reader::ChunkReader for Windows {
    type T = WindowStream;

    fn len(&self) -> u64 {
        self.size_bytes()
    }

    fn get_read(&self, start: u64) -> io::Result<WindowStream> {
        Ok(self.stream(start))
    }

    fn get_bytes(&self, start: u64, length: u64) -> io::Result<Bytes> {
        self.range(start, length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use stocktake::{Destination, ObjectAttributes, ReportKey, ReportStore, destinations::MemoryDestination};

    /// A file of so many bytes, of which each says where it stands.
    fn file(size_bytes: u64) -> (Vec<u8>, Windows) {
        let bytes: Vec<u8> =
            (0..size_bytes).flat_map(|at| (at / 8).to_le_bytes()[index(at % 8)..][..1].to_vec()).collect();
        let destination = MemoryDestination::new();
        let key = ReportKey::try_new("x").unwrap();
        let mut object = destination.create(&key, &ObjectAttributes::new("text/plain")).unwrap();
        object.write_all(&bytes).unwrap();
        object.publish().unwrap();
        let store: Arc<dyn ReportStore> = Arc::new(destination);
        (bytes, Windows::new(StoredFile::find(&store, &key, size_bytes).unwrap()))
    }

    #[test]
    fn ranges_are_those_of_the_file_wherever_windows_lie() {
        let (bytes, windows) = file(3 * WINDOW_BYTES + 1234);
        let size = bytes.len();
        // More places than windows are kept, near and far, small and larger than a window.
        for step in 0..4 * WINDOWS_MAX {
            let start = step * 98_765 % size;
            for length in [0, 1, 7, 5000, 300_000, 700_000] {
                let length = length.min(size - start);
                assert!(windows.range(start as u64, length as u64).unwrap() == bytes[start..start + length]);
            }
        }
        assert!(windows.kept.lock().unwrap().len() <= WINDOWS_MAX);
    }

    #[test]
    fn a_stream_runs_across_windows_to_the_end() {
        let (bytes, windows) = file(2 * WINDOW_BYTES + 17);
        for start in [0, 1, WINDOW_BYTES - 3, bytes.len() as u64 - 1, bytes.len() as u64] {
            let mut read = Vec::new();
            windows.stream(start).read_to_end(&mut read).unwrap();
            assert!(read == bytes[index(start)..], "from {start}");
        }
    }

    #[test]
    fn what_lies_outside_of_the_file_is_refused_before_memory_is_taken() {
        let (_, windows) = file(100);
        for (start, length) in [(0, 101), (100, 1), (u64::MAX, 1), (1, u64::MAX), (0, 1 << 60)] {
            assert!(windows.range(start, length).is_err(), "{length} bytes from {start}");
        }
    }
}
