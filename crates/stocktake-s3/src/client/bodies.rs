//! Memory of replies, used again: pages of a listing are large, all about the same size, and many.

use bytes::Bytes;
use std::sync::{Mutex, PoisonError};

/// Largest memory that is kept: a page of S3's is some 400 KiB. Rare ones that are larger go.
const KEPT_BYTES_MAX: usize = 1 << 20;

/// Empty buffers.
#[derive(Debug)]
pub(super) struct Bodies {
    kept: Mutex<Vec<Vec<u8>>>,
    max: usize,
}

impl Bodies {
    /// Keeps at most `max` buffers, as many as requests are under way.
    pub(super) fn new(max: usize) -> Self {
        Self { kept: Mutex::default(), max }
    }

    /// An empty buffer with room for so many bytes.
    pub(super) fn take(&self, bytes: usize) -> Vec<u8> {
        let mut buffer = self.kept.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        buffer.reserve(bytes);
        buffer
    }

    /// Takes a buffer back, unless someone else still looks at it.
    pub(super) fn give_back(&self, body: Bytes) {
        let Ok(body) = body.try_into_mut() else { return };
        let mut buffer = Vec::from(body);
        buffer.clear();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < self.max && (1..=KEPT_BYTES_MAX).contains(&buffer.capacity()) {
            kept.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_used_again_and_bounded() {
        let bodies = Bodies::new(2);
        let mut buffer = bodies.take(100_000);
        buffer.extend_from_slice(&[7; 50_000]);
        let at = buffer.as_ptr();
        let body = Bytes::from(buffer);
        let shared = body.clone();
        bodies.give_back(body);
        assert_eq!(bodies.take(0).capacity(), 0, "what is looked at is not taken");
        bodies.give_back(shared);
        let again = bodies.take(60_000);
        assert_eq!((again.as_ptr(), again.len()), (at, 0));
        for _ in 0..5 {
            bodies.give_back(Bytes::from(vec![0; 1000]));
        }
        bodies.give_back(Bytes::from(vec![0; KEPT_BYTES_MAX + 1]));
        assert_eq!(bodies.kept.lock().unwrap().len(), 2);
    }
}
