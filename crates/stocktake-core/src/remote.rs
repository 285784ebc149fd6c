//! Objects behind a network as a store of reports: read in pieces, a few of them ahead, and never of two versions of an object.
//!
//! An edge says how an object is looked at and how a range of it is asked for ([`RemoteObjects`]), with attempts of its own;
//! what becomes of the pieces is the same for all of them and stands here. Nothing here starts a thread or knows a protocol.

use crate::{
    destination::{DestinationError, DestinationErrorKind, ReportStore, StoredObject},
    name::ReportKey,
};
use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    io::{self, Read},
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

/// Bytes of the first piece of a stream: who reads the first rows of a file only has not asked for much more.
const FIRST_PIECE_BYTES: u64 = 512 << 10;

/// Most bytes of a piece: the time of an answer is small beside that of its bytes then. Each piece is twice the one before it.
const PIECE_BYTES: u64 = 4 << 20;

/// Pieces that are asked for beside the one that is read, once a stream has gone beyond its first piece.
const PIECES_AHEAD: usize = 2;

/// Most private memory that a stream of a remote object takes, in bytes: the piece that is read and those ahead of it.
pub const REMOTE_STREAM_BYTES: u64 = PIECE_BYTES * (1 + PIECES_AHEAD as u64);

/// An object as it was when it was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RemoteObject {
    /// Size in bytes.
    pub size_bytes: u64,
    /// What tells this object from one that takes its place, such as an ETag; none if the server has nothing of the kind.
    pub tag: Option<Box<str>>,
}

impl RemoteObject {
    /// An object of this size and tag.
    pub const fn new(size_bytes: u64, tag: Option<Box<str>>) -> Self {
        Self { size_bytes, tag }
    }
}

/// Waits for the bytes of a range; the text of an error says what was tried and why it failed. Dropped, it gives the request up.
pub type PendingBytes = Box<dyn FnOnce() -> Result<Vec<u8>, String> + Send>;

/// What an edge can do with the objects of one bucket.
///
/// Methods may block and are called from several threads.
pub trait RemoteObjects: Send + Sync + 'static {
    /// Address of the bucket, for messages: `s3://reports`.
    fn address(&self) -> &str;

    /// Looks at an object; `None` if there is none.
    ///
    /// # Errors
    /// If the server cannot say.
    fn look_at(&self, key: &ReportKey) -> Result<Option<RemoteObject>, DestinationError>;

    /// Asks for a range of an object, not empty and within it, and returns at once.
    ///
    /// An object with another tag than `object` has is an error, also in a later attempt.
    fn request(&self, key: &ReportKey, object: &RemoteObject, range: Range<u64>) -> PendingBytes;

    /// Keys that begin with a prefix, in ascending order, as [`ReportStore::list`].
    ///
    /// # Errors
    /// If the bucket cannot be listed.
    fn list(&self, prefix: &str) -> Result<Vec<ReportKey>, DestinationError>;
}

/// Opens a range of an object as it is now.
///
/// # Errors
/// If the object is absent or the range does not lie within it.
pub fn open_remote_range<O: RemoteObjects>(
    objects: &Arc<O>,
    key: &ReportKey,
    range: Range<u64>,
) -> Result<Box<dyn Read + Send>, DestinationError> {
    let object = objects.look_at(key)?.ok_or_else(|| absent(key))?;
    open(objects, key, object, range)
}

/// Objects of a bucket, each as it was when it was first looked at: what is read of an object later, by however many streams, is
/// of the same bytes or an error.
///
/// It remembers every object that it was asked for, which are those of a report; the report's manifest is larger.
pub struct PinnedStore<O> {
    objects: Arc<O>,
    seen: Mutex<BTreeMap<ReportKey, RemoteObject>>,
}

impl<O: RemoteObjects> PinnedStore<O> {
    /// A store in which nothing was looked at yet.
    pub fn new(objects: O) -> Self {
        Self { objects: Arc::new(objects), seen: Mutex::default() }
    }

    fn look_at(&self, key: &ReportKey) -> Result<Option<RemoteObject>, DestinationError> {
        let seen = || self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(object) = seen().get(key) {
            return Ok(Some(object.clone()));
        }
        let Some(object) = self.objects.look_at(key)? else { return Ok(None) };
        // Of two threads that look at the same time one is the first.
        Ok(Some(seen().entry(key.clone()).or_insert(object).clone()))
    }
}

impl<O: RemoteObjects> ReportStore for PinnedStore<O> {
    fn head(&self, key: &ReportKey) -> Result<Option<StoredObject>, DestinationError> {
        Ok(self.look_at(key)?.map(|object| StoredObject::new(object.size_bytes)))
    }

    fn open_range(&self, key: &ReportKey, range: Range<u64>) -> Result<Box<dyn Read + Send>, DestinationError> {
        let object = self.look_at(key)?.ok_or_else(|| absent(key))?;
        open(&self.objects, key, object, range)
    }

    fn list(&self, prefix: &str) -> Result<Vec<ReportKey>, DestinationError> {
        self.objects.list(prefix)
    }
}

impl<O: RemoteObjects> fmt::Debug for PinnedStore<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PinnedStore").field("address", &self.objects.address()).finish_non_exhaustive()
    }
}

fn absent(key: &ReportKey) -> DestinationError {
    DestinationError::new(DestinationErrorKind::NotFound, key, "is not there")
}

fn open<O: RemoteObjects>(
    objects: &Arc<O>,
    key: &ReportKey,
    object: RemoteObject,
    range: Range<u64>,
) -> Result<Box<dyn Read + Send>, DestinationError> {
    if range.start > range.end || range.end > object.size_bytes {
        let text = format!("has {} bytes, not {}..{}", object.size_bytes, range.start, range.end);
        return Err(DestinationError::new(DestinationErrorKind::Io, key, text));
    }
    Ok(Box::new(RemoteReader {
        objects: Arc::clone(objects),
        key: key.clone(),
        object,
        asked: range.start,
        end: range.end,
        next_bytes: FIRST_PIECE_BYTES,
        ahead: VecDeque::new(),
        piece: Vec::new(),
        taken: 0,
        fault: None,
    }))
}

/// Reads a range piece by piece.
struct RemoteReader<O> {
    objects: Arc<O>,
    key: ReportKey,
    object: RemoteObject,
    /// The first byte that was not asked for yet.
    asked: u64,
    end: u64,
    next_bytes: u64,
    /// Pieces that were asked for, in order.
    ahead: VecDeque<(Range<u64>, PendingBytes)>,
    piece: Vec<u8>,
    taken: usize,
    /// What ended the stream early: it is said again to whoever reads on.
    fault: Option<String>,
}

impl<O: RemoteObjects> RemoteReader<O> {
    /// Takes the next piece in the place of the one that was read; the empty one at the end.
    fn next_piece(&mut self) -> Result<(), String> {
        // Its memory is free before more is asked for.
        let first = std::mem::take(&mut self.piece).is_empty();
        self.taken = 0;
        let wanted = if first { 1 } else { 1 + PIECES_AHEAD };
        while self.ahead.len() < wanted && self.asked < self.end {
            // The first piece of a range that is little longer is the whole range.
            let rest = self.end - self.asked;
            let length = if rest <= 2 * self.next_bytes.min(PIECE_BYTES / 2) { rest } else { self.next_bytes };
            let range = self.asked..self.asked + length;
            self.asked = range.end;
            self.next_bytes = (self.next_bytes * 2).min(PIECE_BYTES);
            self.ahead.push_back((range.clone(), self.objects.request(&self.key, &self.object, range)));
        }
        let Some((range, pending)) = self.ahead.pop_front() else { return Ok(()) };
        let fault = |text: String| format!("{}, byte {}: {text}", self.objects.address(), range.start);
        let piece = pending().map_err(fault)?;
        if piece.len() as u64 != range.end - range.start {
            return Err(fault(format!("the answer has {} bytes of {}", piece.len(), range.end - range.start)));
        }
        self.piece = piece;
        Ok(())
    }
}

impl<O: RemoteObjects> Read for RemoteReader<O> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.taken == self.piece.len() {
            let fault = self.fault.take().map_or_else(|| self.next_piece().err(), Some);
            if let Some(fault) = fault {
                self.ahead.clear();
                return Err(io::Error::other(self.fault.insert(fault).clone()));
            }
        }
        let length = buffer.len().min(self.piece.len() - self.taken);
        buffer[..length].copy_from_slice(&self.piece[self.taken..self.taken + length]);
        self.taken += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// One object whose bytes say where they stand, and which may change.
    #[derive(Default)]
    struct Invented {
        size_bytes: u64,
        version: AtomicU64,
        asked: Mutex<Vec<Range<u64>>>,
    }

    impl Invented {
        fn tag(&self) -> Option<Box<str>> {
            Some(self.version.load(Ordering::Relaxed).to_string().into())
        }
    }

    impl RemoteObjects for Arc<Invented> {
        fn address(&self) -> &str {
            "x://b"
        }

        fn look_at(&self, key: &ReportKey) -> Result<Option<RemoteObject>, DestinationError> {
            Ok((key.as_str() == "k").then(|| RemoteObject::new(self.size_bytes, self.tag())))
        }

        fn request(&self, _: &ReportKey, object: &RemoteObject, range: Range<u64>) -> PendingBytes {
            self.asked.lock().unwrap().push(range.clone());
            let (now, tag) = (self.tag(), object.tag.clone());
            Box::new(
                move || {
                    if now == tag { Ok(range.map(byte).collect()) } else { Err("has another ETag".to_owned()) }
                },
            )
        }

        fn list(&self, _: &str) -> Result<Vec<ReportKey>, DestinationError> {
            Ok(Vec::new())
        }
    }

    fn byte(at: u64) -> u8 {
        (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56).to_le_bytes()[0]
    }

    fn invented(size_bytes: u64) -> (Arc<Invented>, PinnedStore<Arc<Invented>>, ReportKey) {
        let objects = Arc::new(Invented { size_bytes, ..Invented::default() });
        (Arc::clone(&objects), PinnedStore::new(objects), ReportKey::try_new("k").unwrap())
    }

    #[test]
    fn pieces_make_the_range() {
        for (size, range) in [(0, 0..0), (1, 0..1), (9 << 20, 5..(9 << 20) - 3), (17 << 20, 0..17 << 20)] {
            let (objects, store, key) = invented(size);
            assert_eq!(store.head(&key).unwrap().map(|object| object.size_bytes), Some(size));
            let mut bytes = Vec::new();
            store.open_range(&key, range.clone()).unwrap().read_to_end(&mut bytes).unwrap();
            assert!(bytes.iter().copied().eq(range.clone().map(byte)), "{range:?}");
            let asked = objects.asked.lock().unwrap();
            assert!(asked.iter().all(|piece| piece.end - piece.start <= PIECE_BYTES && !piece.is_empty()));
            assert!(asked.windows(2).all(|two| two[0].end == two[1].start));
        }
    }

    #[test]
    fn little_is_asked_for_before_it_is_wanted() {
        let (objects, store, key) = invented(1 << 30);
        let mut reader = store.open_range(&key, 0..1 << 30).unwrap();
        assert!(objects.asked.lock().unwrap().is_empty());
        let mut buffer = vec![0; 64 << 10];
        reader.read_exact(&mut buffer).unwrap();
        let asked = objects.asked.lock().unwrap().clone();
        assert!(asked.len() == 1 && asked[0] == (0..FIRST_PIECE_BYTES), "{asked:?}");
        let mut read_bytes = buffer.len() as u64;
        while read_bytes < 24 << 20 {
            reader.read_exact(&mut buffer).unwrap();
            read_bytes += buffer.len() as u64;
            let asked = objects.asked.lock().unwrap().last().unwrap().end;
            assert!(asked <= read_bytes + REMOTE_STREAM_BYTES, "{asked} of {read_bytes}");
        }
        // A window of a columnar file is one request.
        objects.asked.lock().unwrap().clear();
        let mut window = Vec::new();
        store.open_range(&key, 100..100 + FIRST_PIECE_BYTES).unwrap().read_to_end(&mut window).unwrap();
        assert_eq!(objects.asked.lock().unwrap().len(), 1);
    }

    #[test]
    fn an_object_that_changes_is_an_error_for_every_stream() {
        let (objects, store, key) = invented(9 << 20);
        let mut early = store.open_range(&key, 0..9 << 20).unwrap();
        early.read_exact(&mut [0; 100]).unwrap();
        objects.version.store(1, Ordering::Relaxed);
        let mut bytes = Vec::new();
        let error = early.read_to_end(&mut bytes).unwrap_err().to_string();
        assert_eq!(error, format!("x://b, byte {FIRST_PIECE_BYTES}: has another ETag"));
        assert_eq!(bytes.len() as u64, FIRST_PIECE_BYTES - 100);
        assert_eq!(early.read(&mut [0; 1]).unwrap_err().to_string(), error);
        // The store says what it saw first, whoever asks.
        assert!(store.head(&key).unwrap().is_some());
        let late = store.open_range(&key, 0..10).unwrap().read(&mut [0; 10]).unwrap_err();
        assert_eq!(late.to_string(), "x://b, byte 0: has another ETag");
        // A destination looks anew.
        open_remote_range(&store.objects, &key, 0..10).unwrap().read_exact(&mut [0; 10]).unwrap();
    }

    #[test]
    fn what_is_not_there_is_not_read() {
        let (_, store, key) = invented(10);
        for range in [0..11, 11..12] {
            assert!(store.open_range(&key, range).is_err());
        }
        let error = store.open_range(&ReportKey::try_new("other").unwrap(), 0..0).err().unwrap();
        assert_eq!(error.kind(), DestinationErrorKind::NotFound);
    }
}
