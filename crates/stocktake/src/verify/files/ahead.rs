//! MD5 of an object while another thread reads what comes next.
//!
//! MD5 has one order for its bytes: of one file, that is all that a second thread can take over.

use super::{PIECE_BYTES, next_piece};
use crate::verify::VerifyOptions;
use crossbeam_channel::{Receiver, Sender, bounded};
use std::io::{self, Read};
use stocktake_core::Md5Stream;

/// Pieces that are read and not hashed yet, at most: one is read while one is hashed, and one waits.
const PIECES: usize = 3;

/// MD5 of an object, or none if the run was cancelled. `piece` is for where no thread is to be had.
///
/// Holds [`PIECES`] pieces more.
pub(super) fn read(
    mut reader: Box<dyn Read + Send>,
    size_bytes: u64,
    options: &VerifyOptions,
    piece: &mut [u8],
) -> io::Result<Option<String>> {
    let (full, pieces) = bounded(PIECES);
    let (back, empty) = bounded(PIECES);
    for _ in 0..PIECES {
        // As many as there is room for.
        let _ = back.send(vec![0; PIECE_BYTES]);
    }
    let source = &mut reader;
    let hashed = std::thread::scope(|scope| {
        let work = || {
            let (full, mut left_bytes) = (full, size_bytes);
            // Either end is gone when the other one found the end, a fault, or was cancelled.
            while let Ok(mut piece) = empty.recv() {
                let read = next_piece(source, &mut left_bytes, &mut piece);
                let ended = !matches!(read, Ok(1..));
                if full.send(read.map(|length| (piece, length))).is_err() || ended {
                    break;
                }
            }
        };
        let thread = std::thread::Builder::new().name("stocktake-ahead".to_owned());
        let thread = thread.spawn_scoped(scope, work).ok()?;
        let hashed = hash(pieces, back, options);
        let lost = thread.join().is_err();
        Some(if lost { Err(io::Error::other("the thread that read it was lost")) } else { hashed })
    });
    // Without a second thread, this one reads and hashes.
    hashed.unwrap_or_else(|| super::read(&mut reader, size_bytes, options, piece))
}

/// A piece of so many bytes; none at the end.
type Piece = io::Result<(Vec<u8>, usize)>;

fn hash(pieces: Receiver<Piece>, back: Sender<Vec<u8>>, options: &VerifyOptions) -> io::Result<Option<String>> {
    let mut md5 = Md5Stream::new();
    for piece in &pieces {
        if options.cancel.is_cancelled() {
            break;
        }
        match piece? {
            (_, 0) => return Ok(Some(md5.finish())),
            (piece, length) => {
                md5.update(&piece[..length]);
                // The reader that found the end takes none back.
                let _ = back.send(piece);
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroUsize;
    use stocktake_core::{CancelToken, md5_hex};

    fn options() -> VerifyOptions {
        VerifyOptions::new(NonZeroUsize::MIN)
    }

    fn hashed(bytes: &[u8], size_bytes: u64) -> io::Result<Option<String>> {
        read(Box::new(io::Cursor::new(bytes.to_vec())), size_bytes, &options(), &mut [0; 10])
    }

    #[test]
    fn objects_of_any_length_are_hashed_as_a_whole() {
        let bytes: Vec<u8> = (0..5 * PIECE_BYTES + 7).map(|at| at.to_le_bytes()[0] ^ at.to_le_bytes()[1]).collect();
        for length in [0, 1, PIECE_BYTES, 3 * PIECE_BYTES, bytes.len()] {
            assert_eq!(hashed(&bytes[..length], length as u64).unwrap(), Some(md5_hex(&bytes[..length])), "{length}");
        }
    }

    #[test]
    fn an_object_that_ends_early_fails_or_panics_is_an_error() {
        struct Panics;
        impl Read for Panics {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                panic!("on purpose")
            }
        }
        assert_eq!(hashed(&[1; 1000], 1001).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        let lost = read(Box::new(Panics), 9, &options(), &mut [0; 10]).unwrap_err();
        assert!(lost.to_string().contains("lost"), "{lost}");
    }

    #[test]
    fn a_cancelled_verification_ends() {
        let cancel = CancelToken::new();
        cancel.cancel();
        let reader = Box::new(io::repeat(1).take(u64::MAX));
        assert_eq!(read(reader, u64::MAX, &options().with_cancel(cancel), &mut [0; 10]).unwrap(), None);
    }
}
