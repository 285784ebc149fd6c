//! The one place that maps a file into memory, because mapping is unsafe in Rust's eyes.
#![expect(unsafe_code, reason = "a mapping is the only way to take a file's columns over without copying them")]

use memmap2::Mmap;
use std::{fs::File, io};

/// Maps a regular file for reading. Its pages are the page cache's, not private memory.
///
/// # Errors
/// If it is no regular file or cannot be mapped.
pub(super) fn map(file: &File) -> io::Result<Mmap> {
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "is not a regular file"));
    }
    // SAFETY: the file must not be changed while it is mapped. Nothing in Rust or the operating system can promise that;
    // the source's documentation demands it of the user, as every program that maps files does.
    let map = unsafe { Mmap::map(file)? };
    // Advice only: a file system that does not take it reads the same bytes.
    let _ = map.advise(memmap2::Advice::Sequential);
    Ok(map)
}
