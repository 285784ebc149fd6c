//! The conformance suite on both destinations, behind the testkit's wrappers, and on destinations with a flaw.

use super::{LocalDestination, MemoryDestination};
use std::{
    io::{self, Read, Write},
    sync::{Arc, Mutex},
};
use stocktake_core::{
    Destination, DestinationError, DestinationErrorKind, Existing, ObjectAttributes, PendingObject, ReportKey,
    ReportStore, StoredObject,
};
use stocktake_testkit::destination::{
    Event, FailingDestination, Fault, Operation, ShortWriteDestination, WriteLengths, check_destination,
};

const ATTRIBUTES: ObjectAttributes = ObjectAttributes::new("text/plain");

fn key(key: &str) -> ReportKey {
    ReportKey::try_new(key).unwrap()
}

#[test]
fn a_local_folder_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let destination = LocalDestination::try_new(folder.path().join("new")).unwrap();
    check_destination(&destination).unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn memory_keeps_the_contract() {
    let destination = MemoryDestination::new();
    check_destination(&destination).unwrap();
    assert!(destination.objects().is_empty());
}

#[test]
fn wrappers_keep_the_contract() {
    check_destination(&ShortWriteDestination::new(MemoryDestination::new(), WriteLengths::One)).unwrap();
    check_destination(&ShortWriteDestination::new(MemoryDestination::new(), WriteLengths::Random { seed: 1 })).unwrap();
    check_destination(&FailingDestination::recording(MemoryDestination::new())).unwrap();
}

#[test]
fn a_failing_destination_fails_where_it_was_told_to() {
    let put = |destination: &FailingDestination<_>, name: &str| {
        let mut object = destination.create(&key(name), &ATTRIBUTES).map_err(|error| error.to_string())?;
        object.write_all(b"123").map_err(|error| error.to_string())?;
        object.publish().map_err(|error| error.to_string())
    };
    let nth = |operation, number| FailingDestination::new(MemoryDestination::new(), Fault::Nth { operation, number });

    let destination = nth(Operation::Create, 2);
    assert_eq!([put(&destination, "a").is_ok(), put(&destination, "b").is_ok()], [true, false]);
    assert!(put(&destination, "b").is_ok());
    assert_eq!(destination.published(), [key("a"), key("b")]);

    let destination = nth(Operation::Publish, 1);
    assert_eq!(put(&destination, "a").unwrap_err(), "a: Publish fails on purpose");
    let event = |operation, succeeded| Event { operation, key: key("a"), succeeded };
    assert_eq!(
        destination.events(),
        [event(Operation::Create, true), event(Operation::Publish, false), event(Operation::Abort, true)]
    );
    assert!(destination.inner().objects().is_empty());

    let destination = nth(Operation::Remove, 1);
    put(&destination, "a").unwrap();
    assert!(destination.remove(&key("a")).is_err());
    assert!(destination.inner().get(&key("a")).is_some());

    let destination = FailingDestination::new(MemoryDestination::new(), Fault::FullAfter { bytes: 4 });
    put(&destination, "a").unwrap();
    assert!(put(&destination, "b").unwrap_err().contains("full"));
    assert_eq!(destination.written_bytes(), 4);
    assert_eq!(destination.inner().objects().len(), 1);
}

/// A destination that breaks one rule.
struct Flawed(MemoryDestination, Flaw);

#[derive(Clone, Copy, PartialEq)]
enum Flaw {
    VisibleAtOnce,
    ReplacesAlways,
    RefusesReplacing,
    ListsBackwards,
    PrefixOfWholeSegments,
    RemovesNothing,
    IgnoresRanges,
    GivesNothingBack,
    /// Where the first reader came to, as with a file whose descriptors share their place.
    GivesTheRestBack,
}

/// A pending object of which less is given back than was written.
struct Withheld(Box<dyn PendingObject>, Flaw, Arc<Mutex<Option<Box<dyn Read + Send>>>>);

impl Write for Withheld {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl PendingObject for Withheld {
    fn publish(self: Box<Self>) -> Result<(), DestinationError> {
        self.0.publish()
    }

    fn written(&self) -> io::Result<Option<Box<dyn Read + Send>>> {
        if self.1 == Flaw::GivesNothingBack {
            return Ok(None);
        }
        let mut first = self.2.lock().unwrap();
        if first.is_none() {
            *first = self.0.written()?;
        }
        Ok(Some(Box::new(Shared(Arc::clone(&self.2)))))
    }
}

struct Shared(Arc<Mutex<Option<Box<dyn Read + Send>>>>);

impl Read for Shared {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.lock().unwrap().as_mut().unwrap().read(buffer)
    }
}

impl Destination for Flawed {
    fn create(
        &self,
        key: &ReportKey,
        attributes: &ObjectAttributes,
    ) -> Result<Box<dyn PendingObject>, DestinationError> {
        let attributes = match self.1 {
            Flaw::ReplacesAlways => attributes.clone().with_existing(Existing::Replace),
            Flaw::RefusesReplacing => attributes.clone().with_existing(Existing::Refuse),
            _ => attributes.clone(),
        };
        if self.1 == Flaw::VisibleAtOnce {
            self.0.create(key, &attributes)?.publish()?;
        }
        let object = self.0.create(key, &attributes)?;
        Ok(if self.gives_back() { Box::new(Withheld(object, self.1, Arc::default())) } else { object })
    }

    fn remove(&self, key: &ReportKey) -> Result<(), DestinationError> {
        if self.1 == Flaw::RemovesNothing { Ok(()) } else { self.0.remove(key) }
    }

    fn buffer_bytes(&self) -> usize {
        0
    }

    fn store(&self) -> Option<&dyn ReportStore> {
        Some(self)
    }

    fn gives_back(&self) -> bool {
        matches!(self.1, Flaw::GivesNothingBack | Flaw::GivesTheRestBack)
    }
}

impl ReportStore for Flawed {
    fn head(&self, key: &ReportKey) -> Result<Option<StoredObject>, DestinationError> {
        self.0.head(key)
    }

    fn open_range(
        &self,
        key: &ReportKey,
        range: std::ops::Range<u64>,
    ) -> Result<Box<dyn std::io::Read + Send>, DestinationError> {
        let Some(stored) = self.head(key)? else {
            return Err(DestinationError::new(DestinationErrorKind::NotFound, key, "is not there"));
        };
        let whole = 0..stored.size_bytes;
        self.0.open_range(key, if self.1 == Flaw::IgnoresRanges { whole } else { range })
    }

    fn list(&self, prefix: &str) -> Result<Vec<ReportKey>, DestinationError> {
        let mut keys = self.0.list(prefix)?;
        match self.1 {
            Flaw::ListsBackwards => keys.reverse(),
            Flaw::PrefixOfWholeSegments => keys.retain(|key| {
                let rest = &key.as_str()[prefix.len()..];
                prefix.ends_with('/') || rest.is_empty() || rest.starts_with('/')
            }),
            _ => {}
        }
        Ok(keys)
    }
}

#[test]
fn the_suite_finds_flaws() {
    for (flaw, rule) in [
        (Flaw::VisibleAtOnce, "nothing is visible before publication: "),
        (Flaw::ReplacesAlways, "an existing key is refused: "),
        (Flaw::RefusesReplacing, "a dropped object leaves nothing: "),
        (Flaw::ListsBackwards, "listing: "),
        (Flaw::PrefixOfWholeSegments, "listing: "),
        (Flaw::RemovesNothing, "nothing is visible before publication: "),
        (Flaw::IgnoresRanges, "ranges: "),
        (Flaw::GivesNothingBack, "what is pending is given back: a destination that gives back gives nothing"),
        (Flaw::GivesTheRestBack, "what is pending is given back: other bytes"),
    ] {
        let fault = check_destination(&Flawed(MemoryDestination::new(), flaw)).unwrap_err();
        assert!(fault.starts_with(rule), "{fault}");
    }
}
