//! What every destination must do, as one function, and destinations that fail, dawdle or block on purpose.
//!
//! The suite is for implementors: run it on a fresh, writable destination. It knows the contract alone.

/// What a destination hands on to its `inner` one as it is: all but how objects are made, written and removed.
macro_rules! hands_on {
    () => {
        fn buffer_bytes(&self) -> usize {
            self.inner.buffer_bytes()
        }

        fn store(&self) -> Option<&dyn ReportStore> {
            self.inner.store()
        }

        fn contents(&self) -> Option<&dyn ReportStore> {
            self.inner.contents()
        }

        fn remove_remains(&self, keys: &[ReportKey]) -> Result<u64, DestinationError> {
            self.inner.remove_remains(keys)
        }
    };
}

mod blocking;
mod failing;
mod short;

pub use blocking::{BlockingDestination, Gate};
pub use failing::{Event, FailingDestination, Fault, Operation};
pub use short::{ShortWriteDestination, WriteLengths};

use std::{
    io::{Read, Write},
    sync::Barrier,
    thread,
};
use stocktake_core::{
    Destination, DestinationError, DestinationErrorKind, Existing, ObjectAttributes, ReportKey, ReportStore,
};

/// Folder of the suite's objects.
const FOLDER: &str = "conformance";

/// Writers that race for one key.
const RACERS: usize = 8;

/// Larger than any buffer that a destination is likely to have, and not a multiple of one.
const BIG_BYTES: usize = (8 << 20) + 12_345;

/// Checks that a destination with a reading side keeps the contract.
///
/// It writes, replaces and removes objects below `conformance/`, where nothing may be, forgets some, and leaves nothing there. The
/// largest object has 8 MiB.
///
/// # Errors
/// Says which rule is broken, and how.
pub fn check_destination(destination: &dyn Destination) -> Result<(), String> {
    let store =
        destination.store().ok_or("the destination has no reading side, without which nothing can be checked")?;
    let suite = Suite { destination, store };
    let rules: [(&str, Rule<'_>); 14] = [
        ("nothing is visible before publication", Suite::nothing_is_visible_before_publication),
        ("a dropped object leaves nothing", Suite::a_dropped_object_leaves_nothing),
        ("an existing key is refused", Suite::an_existing_key_is_refused),
        ("an existing key is replaced when asked", Suite::an_existing_key_is_replaced),
        ("removal", Suite::removal),
        ("listing", Suite::listing),
        ("ranges", Suite::ranges),
        ("an empty object", Suite::an_empty_object),
        ("a big object", Suite::a_big_object),
        ("many objects at once", Suite::many_objects_at_once),
        ("a race for one key", Suite::a_race_for_one_key),
        ("what was written is read back", Suite::what_was_written_is_read_back),
        ("what is pending is given back", Suite::what_is_pending_is_given_back),
        ("what killed writers left", Suite::what_killed_writers_left),
    ];
    for (name, rule) in rules {
        let clean = || suite.expect_listed("", &[]);
        clean().and_then(|()| rule(&suite)).and_then(|()| clean()).map_err(|fault| format!("{name}: {fault}"))?;
    }
    Ok(())
}

type Rule<'a> = fn(&Suite<'a>) -> Result<(), String>;

struct Suite<'a> {
    destination: &'a dyn Destination,
    store: &'a dyn ReportStore,
}

impl Suite<'_> {
    fn nothing_is_visible_before_publication(&self) -> Result<(), String> {
        let mut object = self.create("a/b", Existing::Refuse)?;
        self.expect_absent("a/b")?;
        write(&mut *object, b"half")?;
        object.flush().map_err(text)?;
        self.expect_absent("a/b")?;
        self.expect_listed("", &[])?;
        write(&mut *object, b" and half")?;
        object.publish().map_err(said)?;
        self.expect_object("a/b", b"half and half")?;
        self.expect_listed("", &["a/b"])?;
        self.remove("a/b")
    }

    fn a_dropped_object_leaves_nothing(&self) -> Result<(), String> {
        let mut object = self.create("a/b", Existing::Refuse)?;
        write(&mut *object, b"lost")?;
        drop(object);
        self.expect_absent("a/b")?;
        self.put("a/b", b"kept", Existing::Refuse)?;
        let mut object = self.create("a/b", Existing::Replace)?;
        write(&mut *object, b"lost again")?;
        drop(object);
        self.expect_object("a/b", b"kept")?;
        self.remove("a/b")
    }

    fn an_existing_key_is_refused(&self) -> Result<(), String> {
        let mut late = self.create("a/b", Existing::Refuse)?;
        write(&mut *late, b"second")?;
        self.put("a/b", b"first", Existing::Refuse)?;
        expect_refused(late.publish())?;
        self.expect_object("a/b", b"first")?;
        // Refused at creation or at publication; both keep what is there.
        let refused = self.destination.create(&key("a/b"), &attributes(Existing::Refuse)).and_then(|o| o.publish());
        expect_refused(refused)?;
        self.expect_object("a/b", b"first")?;
        self.remove("a/b")
    }

    fn an_existing_key_is_replaced(&self) -> Result<(), String> {
        self.put("a/b", b"first", Existing::Replace)?;
        let mut object = self.create("a/b", Existing::Replace)?;
        write(&mut *object, b"2")?;
        self.expect_object("a/b", b"first")?;
        object.publish().map_err(said)?;
        self.expect_object("a/b", b"2")?;
        self.expect_listed("", &["a/b"])?;
        self.remove("a/b")
    }

    fn removal(&self) -> Result<(), String> {
        self.remove("a/absent")?;
        self.put("a/b", b"1", Existing::Refuse)?;
        self.put("a/b-c", b"2", Existing::Refuse)?;
        self.remove("a/b")?;
        self.expect_absent("a/b")?;
        self.expect_object("a/b-c", b"2")?;
        self.remove("a/b")?;
        // The key is free again.
        self.put("a/b", b"3", Existing::Refuse)?;
        self.expect_object("a/b", b"3")?;
        self.remove("a/b")?;
        self.remove("a/b-c")
    }

    /// `-` and `.` stand before the slash in byte order, digits after it: a folder by folder walk gets this wrong.
    fn listing(&self) -> Result<(), String> {
        let names = ["a-b", "a.b/c", "a/b", "a/c/d", "a0", "é"];
        for name in names.iter().rev() {
            self.put(name, b"", Existing::Refuse)?;
        }
        self.expect_listed("", &names)?;
        self.expect_listed("a", &names[..5])?;
        self.expect_listed("a/", &names[2..4])?;
        self.expect_listed("a/b", &names[2..3])?;
        self.expect_listed("a/c/", &names[3..4])?;
        self.expect_listed("a/c/d/", &[])?;
        self.expect_listed("nothing/here", &[])?;
        names.iter().try_for_each(|name| self.remove(name))
    }

    fn ranges(&self) -> Result<(), String> {
        self.put("a/b", b"0123456789", Existing::Refuse)?;
        for range in [0..10, 0..0, 10..10, 0..1, 9..10, 3..7] {
            let expected = &b"0123456789"[usize_range(&range)];
            let found = self.read("a/b", range.clone())?;
            if found != expected {
                return Err(format!("the range {range:?} of `0123456789` is {:?}", String::from_utf8_lossy(&found)));
            }
        }
        for range in [0..11, 11..12] {
            if self.read("a/b", range.clone()).is_ok() {
                return Err(format!("the range {range:?} of an object of 10 bytes is no error"));
            }
        }
        match self.store.open_range(&key("a/absent"), 0..0) {
            Err(error) if error.kind() == DestinationErrorKind::NotFound => {}
            Err(error) => return Err(format!("reading an absent object is an error of kind {:?}", error.kind())),
            Ok(_) => return Err("reading an absent object is no error".to_owned()),
        }
        self.remove("a/b")
    }

    fn an_empty_object(&self) -> Result<(), String> {
        self.create("a/b", Existing::Refuse)?.publish().map_err(said)?;
        self.expect_object("a/b", b"")?;
        self.expect_listed("", &["a/b"])?;
        self.remove("a/b")
    }

    fn a_big_object(&self) -> Result<(), String> {
        let bytes = noise(7, BIG_BYTES);
        self.put("a/big", &bytes, Existing::Refuse)?;
        self.expect_object("a/big", &bytes)?;
        let mut object = self.create("a/crumbs", Existing::Refuse)?;
        // Lengths from 1 to 97 bytes and some empty writes.
        let (mut rest, mut length) = (&bytes[..100_000], 0);
        while !rest.is_empty() {
            length = (length + 61) % 98;
            let (piece, after) = rest.split_at(length.min(rest.len()));
            write(&mut *object, piece)?;
            rest = after;
        }
        object.publish().map_err(said)?;
        self.expect_object("a/crumbs", &bytes[..100_000])?;
        self.remove("a/crumbs")?;
        self.remove("a/big")
    }

    fn many_objects_at_once(&self) -> Result<(), String> {
        let name = |number: usize| format!("a/{}/{number}", number % 3);
        let result: Result<Vec<()>, String> = thread::scope(|scope| {
            let threads: Vec<_> = (0..RACERS)
                .map(|number| {
                    scope.spawn(move || {
                        for round in 0..8 {
                            let name = name(round * RACERS + number);
                            drop(self.create(&format!("{name}-dropped"), Existing::Refuse)?);
                            self.put(&name, name.as_bytes(), Existing::Refuse)?;
                            self.expect_object(&name, name.as_bytes())?;
                            self.remove(&name)?;
                        }
                        Ok(())
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().map_err(|_| "a thread panicked".to_owned())?).collect()
        });
        result.map(|_| ())
    }

    fn a_race_for_one_key(&self) -> Result<(), String> {
        let barrier = Barrier::new(RACERS);
        let contents: Vec<_> = (0..RACERS as u64).map(|racer| noise(racer, 1000)).collect();
        let published: Vec<Result<(), String>> = thread::scope(|scope| {
            let start = |bytes: &Vec<u8>| {
                let bytes = bytes.clone();
                let barrier = &barrier;
                scope.spawn(move || {
                    let created = self.create("a/b", Existing::Refuse);
                    // Every racer arrives, whatever became of its object, so that none waits for ever.
                    barrier.wait();
                    let mut object = created?;
                    write(&mut *object, &bytes)?;
                    match object.publish() {
                        Ok(()) => Ok(true),
                        refused => expect_refused(refused).map(|()| false),
                    }
                })
            };
            let racers: Vec<_> = contents.iter().map(start).collect();
            let won = racers.into_iter().map(|racer| racer.join().map_err(|_| "a racer panicked".to_owned())?);
            let won: Vec<Result<bool, String>> = won.collect();
            let winners = won.iter().filter(|won| matches!(won, Ok(true))).count();
            let verdict = if winners == 1 { Ok(()) } else { Err(format!("{winners} of {RACERS} racers won")) };
            let winner = won.iter().position(|won| matches!(won, Ok(true)));
            let content = winner.map_or(Ok(()), |winner| self.expect_object("a/b", &contents[winner]));
            won.into_iter().map(|won| won.map(|_| ())).chain([verdict, content]).collect()
        });
        published.into_iter().collect::<Result<(), _>>()?;
        self.expect_listed("", &["a/b"])?;
        self.remove("a/b")
    }

    fn what_was_written_is_read_back(&self) -> Result<(), String> {
        let contents = self.destination.contents().ok_or("there is a store, and no reading of contents")?;
        self.put("a/b", b"0123456789", Existing::Refuse)?;
        match contents.head(&key("a/b")).map_err(said)? {
            Some(stored) if stored.size_bytes == 10 => {}
            found => return Err(format!("10 bytes were written, and the contents are {found:?}")),
        }
        let mut bytes = Vec::new();
        contents.open_range(&key("a/b"), 2..10).map_err(said)?.read_to_end(&mut bytes).map_err(text)?;
        if bytes != b"23456789" {
            return Err(format!("the contents are {:?} where `23456789` was written", String::from_utf8_lossy(&bytes)));
        }
        self.remove("a/b")
    }

    /// Readers begin at the beginning each, go on when more is written, and never move the place that is written to.
    fn what_is_pending_is_given_back(&self) -> Result<(), String> {
        if !self.destination.gives_back() {
            return Ok(());
        }
        let mut object = self.create("a/b", Existing::Refuse)?;
        let reader = |object: &dyn stocktake_core::PendingObject| {
            object.written().map_err(text)?.ok_or("a destination that gives back gives nothing".to_owned())
        };
        let bytes = noise(3, 100_000);
        let (front, back) = bytes.split_at(40_001);
        let (mut early, mut found) = (reader(&*object)?, Vec::new());
        write(&mut *object, front)?;
        early.read_to_end(&mut found).map_err(text)?;
        if found != front {
            return Err(format!("{} bytes were written, and {} or others are given back", front.len(), found.len()));
        }
        write(&mut *object, back)?;
        early.read_to_end(&mut found).map_err(text)?;
        let mut late = Vec::new();
        reader(&*object)?.read_to_end(&mut late).map_err(text)?;
        if found != bytes || late != bytes {
            return Err("other bytes are given back after more were written".to_owned());
        }
        self.expect_absent("a/b")?;
        drop(early);
        object.publish().map_err(said)?;
        self.expect_object("a/b", &bytes)?;
        self.remove("a/b")
    }

    /// A writer that is killed neither publishes nor aborts, as an object that is forgotten. What it left must not keep others
    /// from writing the key, and goes when it is asked to, without what others have or write.
    fn what_killed_writers_left(&self) -> Result<(), String> {
        let bytes = noise(2, BIG_BYTES);
        for _ in 0..2 {
            let mut killed = self.create("a/killed", Existing::Refuse)?;
            write(&mut *killed, &bytes)?;
            std::mem::forget(killed);
        }
        self.put("a/kept", b"kept", Existing::Refuse)?;
        let mut other = self.create("a/other", Existing::Refuse)?;
        write(&mut *other, b"others")?;
        let remove = |names: &[&str]| {
            let keys: Vec<ReportKey> = names.iter().map(|name| key(name)).collect();
            self.destination.remove_remains(&keys).map_err(said)
        };
        remove(&["a/killed", "a/kept", "b/never"])?;
        match remove(&["a/killed"])? {
            0 => {}
            again => return Err(format!("{again} are still there when they were removed")),
        }
        self.expect_absent("a/killed")?;
        self.expect_object("a/kept", b"kept")?;
        other.publish().map_err(said)?;
        self.expect_object("a/other", b"others")?;
        self.put("a/killed", b"by another", Existing::Refuse)?;
        self.expect_listed("", &["a/kept", "a/killed", "a/other"])?;
        for name in ["a/kept", "a/killed", "a/other"] {
            self.remove(name)?;
        }
        remove(&["a/kept"]).map(drop)
    }

    fn create(&self, name: &str, existing: Existing) -> Result<Box<dyn stocktake_core::PendingObject>, String> {
        self.destination.create(&key(name), &attributes(existing)).map_err(said)
    }

    fn put(&self, name: &str, bytes: &[u8], existing: Existing) -> Result<(), String> {
        let mut object = self.create(name, existing)?;
        write(&mut *object, bytes)?;
        object.publish().map_err(said)
    }

    fn remove(&self, name: &str) -> Result<(), String> {
        self.destination.remove(&key(name)).map_err(said)
    }

    fn read(&self, name: &str, range: std::ops::Range<u64>) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        let mut reader = self.store.open_range(&key(name), range).map_err(said)?;
        reader.read_to_end(&mut bytes).map_err(text)?;
        Ok(bytes)
    }

    fn expect_absent(&self, name: &str) -> Result<(), String> {
        match self.store.head(&key(name)).map_err(said)? {
            None => Ok(()),
            Some(stored) => Err(format!("`{name}` is visible with {} bytes", stored.size_bytes)),
        }
    }

    fn expect_object(&self, name: &str, bytes: &[u8]) -> Result<(), String> {
        let stored = self.store.head(&key(name)).map_err(said)?.ok_or_else(|| format!("`{name}` is not there"))?;
        if stored.size_bytes != bytes.len() as u64 {
            return Err(format!("`{name}` has {} bytes, {} were written", stored.size_bytes, bytes.len()));
        }
        let found = self.read(name, 0..stored.size_bytes)?;
        match found.iter().zip(bytes).position(|(found, written)| found != written) {
            Some(at) => Err(format!("`{name}` differs from what was written at byte {at}")),
            None if found.len() != bytes.len() => Err(format!("`{name}` ends after {} bytes", found.len())),
            None => Ok(()),
        }
    }

    fn expect_listed(&self, prefix: &str, names: &[&str]) -> Result<(), String> {
        let keys = self.store.list(&format!("{FOLDER}/{prefix}")).map_err(said)?;
        let expected: Vec<_> = names.iter().map(|name| key(name)).collect();
        if keys == expected {
            return Ok(());
        }
        let names = |keys: &[ReportKey]| keys.iter().map(ReportKey::as_str).collect::<Vec<_>>().join(" ");
        Err(format!("the prefix `{prefix}` lists [{}] instead of [{}]", names(&keys), names(&expected)))
    }
}

fn expect_refused(result: Result<(), DestinationError>) -> Result<(), String> {
    match result {
        Err(error) if error.kind() == DestinationErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(format!("an existing key is refused with an error of kind {:?}: {error}", error.kind())),
        Ok(()) => Err("an existing key is published over".to_owned()),
    }
}

fn key(name: &str) -> ReportKey {
    match ReportKey::try_new(format!("{FOLDER}/{name}")) {
        Ok(key) => key,
        Err(error) => unreachable!("the suite's names are valid keys: {error}"),
    }
}

fn attributes(existing: Existing) -> ObjectAttributes {
    ObjectAttributes::new("application/octet-stream").with_existing(existing)
}

fn write(object: &mut dyn stocktake_core::PendingObject, bytes: &[u8]) -> Result<(), String> {
    object.write_all(bytes).map_err(text)
}

fn said(error: DestinationError) -> String {
    let cause = std::error::Error::source(&error).map(|source| format!(": {source}")).unwrap_or_default();
    format!("{error}{cause}")
}

fn text(error: std::io::Error) -> String {
    error.to_string()
}

fn usize_range(range: &std::ops::Range<u64>) -> std::ops::Range<usize> {
    let small = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
    small(range.start)..small(range.end)
}

/// Bytes without a pattern, the same for the same seed.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut random = Random::new(seed);
    (0..length).map(|_| random.below(256).to_le_bytes()[0]).collect()
}

/// A small generator of repeatable numbers: a counter stepped by an odd constant, and its bits mixed.
#[derive(Clone, Copy, Debug)]
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 31).wrapping_mul(0xd6e8_feb8_6659_fd93);
        (mixed ^ mixed >> 32) % bound
    }
}
