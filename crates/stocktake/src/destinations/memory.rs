//! Objects in memory, for tests and small reports.

use std::{
    collections::BTreeMap,
    fmt,
    io::{self, Cursor, Read, Write},
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use stocktake_core::{
    Destination, DestinationError, DestinationErrorKind, Existing, ObjectAttributes, PendingObject, ReportKey,
    ReportStore, StoredObject,
};

/// Keeps objects in memory; clones share them.
///
/// It holds every published object whole, for as long as a clone lives: memory is not bounded by it, only by the size of
/// the report. Content types are accepted and not kept.
#[derive(Clone, Default)]
pub struct MemoryDestination {
    objects: Arc<Mutex<Objects>>,
}

type Objects = BTreeMap<ReportKey, Arc<[u8]>>;

impl MemoryDestination {
    /// A destination without objects.
    pub fn new() -> Self {
        Self::default()
    }

    /// The published objects as they are now, without copying their bytes.
    pub fn objects(&self) -> BTreeMap<ReportKey, Arc<[u8]>> {
        self.lock().clone()
    }

    /// The bytes of an object, if it is published.
    pub fn get(&self, key: &ReportKey) -> Option<Arc<[u8]>> {
        self.lock().get(key).cloned()
    }

    /// Every change is one step on the map, so that a panic elsewhere leaves nothing half done.
    fn lock(&self) -> MutexGuard<'_, Objects> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Destination for MemoryDestination {
    fn create(
        &self,
        key: &ReportKey,
        attributes: &ObjectAttributes,
    ) -> Result<Box<dyn PendingObject>, DestinationError> {
        attributes.refuse_encryption(key)?;
        if attributes.existing == Existing::Refuse && self.lock().contains_key(key) {
            return Err(already_exists(key));
        }
        let destination = self.clone();
        Ok(Box::new(Pending { destination, key: key.clone(), existing: attributes.existing, bytes: Arc::default() }))
    }

    fn remove(&self, key: &ReportKey) -> Result<(), DestinationError> {
        self.lock().remove(key);
        Ok(())
    }

    /// Nothing beyond the object itself, which counts as what is stored, as a file on a disk would.
    fn buffer_bytes(&self) -> usize {
        0
    }

    fn store(&self) -> Option<&dyn ReportStore> {
        Some(self)
    }

    fn gives_back(&self) -> bool {
        true
    }
}

impl ReportStore for MemoryDestination {
    fn head(&self, key: &ReportKey) -> Result<Option<StoredObject>, DestinationError> {
        Ok(self.get(key).map(|bytes| StoredObject::new(bytes.len() as u64)))
    }

    fn open_range(&self, key: &ReportKey, range: Range<u64>) -> Result<Box<dyn Read + Send>, DestinationError> {
        let Some(bytes) = self.get(key) else {
            return Err(DestinationError::new(DestinationErrorKind::NotFound, key, "is not there"));
        };
        if range.start > range.end || range.end > bytes.len() as u64 {
            let text = format!("has {} bytes, not {}..{}", bytes.len(), range.start, range.end);
            return Err(DestinationError::new(DestinationErrorKind::Io, key, text));
        }
        let mut cursor = Cursor::new(bytes);
        cursor.set_position(range.start);
        Ok(Box::new(cursor.take(range.end - range.start)))
    }

    fn list(&self, prefix: &str) -> Result<Vec<ReportKey>, DestinationError> {
        Ok(self.lock().keys().filter(|key| key.as_str().starts_with(prefix)).cloned().collect())
    }
}

impl fmt::Debug for MemoryDestination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sizes = self.objects().into_iter().map(|(key, bytes)| (key, bytes.len()));
        f.debug_map().entries(sizes).finish()
    }
}

struct Pending {
    destination: MemoryDestination,
    key: ReportKey,
    existing: Existing,
    bytes: Arc<Mutex<Vec<u8>>>,
}

impl Write for Pending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        lock(&self.bytes).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads what is written of an object so far.
struct Written {
    bytes: Arc<Mutex<Vec<u8>>>,
    at: usize,
}

impl Read for Written {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = lock(&self.bytes).get(self.at..).unwrap_or_default().read(buffer)?;
        self.at += length;
        Ok(length)
    }
}

/// Bytes are only ever appended.
fn lock(bytes: &Mutex<Vec<u8>>) -> MutexGuard<'_, Vec<u8>> {
    bytes.lock().unwrap_or_else(PoisonError::into_inner)
}

impl PendingObject for Pending {
    fn publish(self: Box<Self>) -> Result<(), DestinationError> {
        let Self { destination, key, existing, bytes } = *self;
        let bytes: Arc<[u8]> = std::mem::take(&mut *lock(&bytes)).into();
        let mut objects = destination.lock();
        if existing == Existing::Refuse && objects.contains_key(&key) {
            return Err(already_exists(&key));
        }
        objects.insert(key, bytes);
        Ok(())
    }

    fn written(&self) -> io::Result<Option<Box<dyn Read + Send>>> {
        Ok(Some(Box::new(Written { bytes: Arc::clone(&self.bytes), at: 0 })))
    }
}

fn already_exists(key: &ReportKey) -> DestinationError {
    DestinationError::new(DestinationErrorKind::AlreadyExists, key, "exists already")
}
