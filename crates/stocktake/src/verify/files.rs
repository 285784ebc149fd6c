//! Presence, size and MD5 of data files, several at a time.

mod ahead;

use super::report::{Fault, FaultKind, VerifyError, VerifyOptions};
use rayon::prelude::*;
use std::{
    collections::HashMap,
    io::{self, Read},
};
use stocktake_core::{DestinationError, Manifest, ManifestFile, Md5Stream, ReportKey, ReportStore};

/// Bytes that a thread reads at a time: few enough to be hashed out of the cache they were read into.
const PIECE_BYTES: usize = 256 << 10;

/// Checks every data file of a manifest; faults are in its order.
pub(super) fn check_files(
    store: &dyn ReportStore,
    manifest: &Manifest,
    options: &VerifyOptions,
) -> Result<Vec<Fault>, VerifyError> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads.get()).build();
    let pool = pool.map_err(|error| VerifyError::because("cannot start the threads that read data files", error))?;
    let repeated = repetitions(&manifest.files);
    let distinct = repeated.iter().filter(|first| first.is_none()).count();
    // Threads that have no file of their own read for those that have one.
    let ahead = options.threads.get() >= 2 * distinct;
    let jobs: Vec<_> = manifest.files.iter().zip(repeated).collect();
    let found: Vec<Option<Fault>> = pool.install(|| {
        // One file is the unit of stealing, so that no thread sits on large files that another could read.
        let jobs = jobs.par_iter().with_max_len(1);
        let check = |piece: &mut Vec<u8>, (file, first): &(&ManifestFile, Option<usize>)| match first {
            Some(first) => {
                let text = format!("is listed more than once, first as file {}", first + 1);
                Some(Fault::new(&file.key, FaultKind::Duplicate, text))
            }
            None => check_file(store, file, (piece, ahead), options),
        };
        jobs.map_init(|| vec![0; PIECE_BYTES], check).collect()
    });
    if options.cancel.is_cancelled() {
        return Err(VerifyError::new("cancelled"));
    }
    Ok(found.into_iter().flatten().collect())
}

/// For each file the index at which its key stood before, if it did.
fn repetitions(files: &[ManifestFile]) -> Vec<Option<usize>> {
    let mut first = HashMap::with_capacity(files.len());
    let numbered = files.iter().enumerate();
    numbered
        .map(|(index, file)| {
            // Of a key that is none, its text: that is told before.
            let key = match ReportKey::try_foreign(file.key.as_str()) {
                Ok(key) => key.without_empty_segments().into_owned(),
                Err(_) => file.key.clone(),
            };
            let first = *first.entry(key).or_insert(index);
            (first != index).then_some(first)
        })
        .collect()
}

fn check_file(
    store: &dyn ReportStore,
    file: &ManifestFile,
    (piece, ahead): (&mut [u8], bool),
    options: &VerifyOptions,
) -> Option<Fault> {
    let fault = |kind, text| Some(Fault::new(&file.key, kind, text));
    let key = match ReportKey::try_foreign(file.key.clone()) {
        Ok(key) => key,
        Err(error) => return fault(FaultKind::Manifest, error.to_string()),
    };
    let stored = match store.head(&key) {
        Ok(Some(stored)) => stored,
        Ok(None) => return fault(FaultKind::Missing, "is not there".to_owned()),
        Err(error) => return fault(FaultKind::Unreadable, told(&error)),
    };
    if stored.size_bytes != file.size {
        let text = format!("has {} bytes, the manifest says {}", stored.size_bytes, file.size);
        return fault(FaultKind::Size, text);
    }
    let md5 = store.open_range(&key, 0..file.size).and_then(|mut reader| {
        let reading = if ahead {
            ahead::read(reader, file.size, options, piece)
        } else {
            read(&mut reader, file.size, options, piece)
        };
        reading.map_err(|error| DestinationError::io(&key, "cannot be read to its end", error))
    });
    match md5 {
        // The caller returns an error for the whole run.
        Ok(None) => None,
        Ok(Some(md5)) if md5.eq_ignore_ascii_case(&file.md5_checksum) => None,
        Ok(Some(md5)) => fault(FaultKind::Md5, format!("has MD5 {md5}, the manifest says {}", file.md5_checksum)),
        Err(error) => fault(FaultKind::Unreadable, told(&error)),
    }
}

/// MD5 of an object, read piece by piece; none if the run was cancelled.
fn read(
    reader: &mut impl Read,
    size_bytes: u64,
    options: &VerifyOptions,
    piece: &mut [u8],
) -> io::Result<Option<String>> {
    let mut md5 = Md5Stream::new();
    let mut left_bytes = size_bytes;
    while !options.cancel.is_cancelled() {
        match next_piece(reader, &mut left_bytes, piece)? {
            0 => return Ok(Some(md5.finish())),
            length => md5.update(&piece[..length]),
        }
    }
    Ok(None)
}

/// Reads some bytes; 0 at the end, which comes when all are read.
fn next_piece(reader: &mut impl Read, left_bytes: &mut u64, piece: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(piece) {
            Ok(0) if *left_bytes > 0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(length) => {
                *left_bytes = left_bytes.saturating_sub(length as u64);
                return Ok(length);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// An error and its cause in one line, without the key, which the fault has.
pub(super) fn told(error: &DestinationError) -> String {
    let text = error.to_string();
    let text = text.strip_prefix(&format!("{}: ", error.key())).unwrap_or(&text);
    match std::error::Error::source(error) {
        Some(source) => format!("{text}: {source}"),
        None => text.to_owned(),
    }
}
