//! The directory source as a user sees it, with its own bounds, against the tools of the system.
#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped fails the test, in its helpers too")]

use std::{
    fs,
    num::{NonZeroU32, NonZeroUsize},
    path::Path,
    process::Command,
    sync::{Arc, Mutex},
};
use stocktake::{
    BucketName, ObjectBatchBuilder, ObjectSource, ObjectStream, ReadContext, SkipObserver, SkippedEntry,
    sources::{BadEntries, DirectorySource},
};

fn context(source: &DirectorySource) -> ReadContext {
    ReadContext::new(BucketName::try_new("b").unwrap(), source.provides())
}

fn next_keys(stream: &mut dyn ObjectStream, batch: &mut ObjectBatchBuilder) -> Vec<String> {
    stream.next_batch(batch).unwrap();
    let batch = batch.finish();
    (0..batch.len()).map(|row| batch.key(row).to_owned()).collect()
}

fn keys(source: &DirectorySource, lanes: u32) -> Vec<String> {
    let mut keys = Vec::new();
    for lane in source.plan(NonZeroU32::new(lanes).unwrap()).unwrap().lanes() {
        let mut stream = source.open(lane, None, &context(source)).unwrap();
        let mut batch = ObjectBatchBuilder::new(source.provides());
        loop {
            let more = next_keys(&mut *stream, &mut batch);
            if more.is_empty() {
                break;
            }
            keys.extend(more);
        }
    }
    keys
}

/// What `find` and `sort` say, if they are there and can say it.
fn found(root: &Path) -> Option<Vec<String>> {
    let script = r"find . -type f -printf '%P\0' | LC_ALL=C sort -z";
    let output = Command::new("sh").args(["-c", script]).current_dir(root).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.stderr.is_empty().then(|| text.split_terminator('\0').map(ToOwned::to_owned).collect())
}

#[test]
fn keys_are_those_of_find_and_sort() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    for top in ["a", "a.b", "a b", "a0", "ä", "z\n"] {
        for middle in ["", "x", "x!", "x/y", "x0/y/z"] {
            let below = root.join(top).join(middle);
            fs::create_dir_all(&below).unwrap();
            (0..20).for_each(|file| fs::write(below.join(format!("{}.x", file * 37 % 100)), "").unwrap());
        }
        fs::write(root.join(format!("{top}.txt")), "").unwrap();
    }
    let source = DirectorySource::new(root);
    let read = keys(&source, 1);
    assert_eq!(read.len(), 6 * (5 * 20 + 1));
    assert!(read.is_sorted());
    if let Some(found) = found(root) {
        assert_eq!(read, found);
    }
    for lanes in [2, 3, 7, 50] {
        assert_eq!(keys(&source, lanes), read);
    }
}

#[derive(Default)]
struct Skips(Mutex<Vec<SkippedEntry>>);

impl SkipObserver for Skips {
    fn skipped(&self, entry: &SkippedEntry) {
        self.0.lock().unwrap().push(entry.clone());
    }
}

#[test]
fn a_walk_runs_a_bounded_way_ahead() {
    let directory = tempfile::tempdir().unwrap();
    let name = |file: usize| format!("{file:05}");
    (0..12_000).for_each(|file| fs::write(directory.path().join(name(file)), "").unwrap());
    let source =
        DirectorySource::new(directory.path()).with_bad_entries(BadEntries::Skip).with_io_threads(NonZeroUsize::MIN);
    let skips = Arc::new(Skips::default());
    let context = context(&source).with_skip_observer(Arc::clone(&skips) as Arc<dyn SkipObserver>);
    let lane = source.plan(NonZeroU32::MIN).unwrap().lanes()[0].clone();
    let mut stream = source.open(&lane, None, &context).unwrap();
    let mut batch = ObjectBatchBuilder::new(source.provides());
    let first = next_keys(&mut *stream, &mut batch);
    // One thread has two jobs of 512 files ahead of it: what lies behind them was not looked at yet.
    let vanished = first.len() + 3 * 512;
    fs::remove_file(directory.path().join(name(vanished))).unwrap();
    let rest = next_keys(&mut *stream, &mut batch);
    assert!(next_keys(&mut *stream, &mut batch).is_empty());
    let read: Vec<_> = first.into_iter().chain(rest).collect();
    assert_eq!(read, (0..12_000).filter(|file| *file != vanished).map(name).collect::<Vec<_>>());
    let reason = "vanished while the source was read".to_owned();
    assert_eq!(*skips.0.lock().unwrap(), [SkippedEntry { name: name(vanished), reason }]);
}
