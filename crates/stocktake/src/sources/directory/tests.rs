//! Walks over real trees with tiny bounds, so that spilling, merging and reading ahead happen in small tests.

use super::{
    job::{Job, JobBounds},
    range::KeyRange,
    walk::{Walk, WalkOptions},
    *,
};
use proptest::prelude::*;
use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt, fs::symlink},
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};
use stocktake_core::{
    BucketName, CancelToken, Column, ComputeSlots, ObjectBatchBuilder, SkipObserver, SkippedEntry, md5_hex,
};
use tempfile::TempDir;

/// Key, size, time, ETag.
type Row = (String, Option<i64>, Option<i64>, String);

#[derive(Default)]
struct Skips(Mutex<Vec<SkippedEntry>>);

impl SkipObserver for Skips {
    fn skipped(&self, entry: &SkippedEntry) {
        self.0.lock().unwrap().push(entry.clone());
    }
}

impl Skips {
    fn texts(&self) -> Vec<String> {
        self.0.lock().unwrap().iter().map(|entry| format!("{}: {}", entry.name, entry.reason)).collect()
    }
}

fn context(source: &DirectorySource) -> (ReadContext, Arc<Skips>) {
    let skips = Arc::new(Skips::default());
    let context = ReadContext::new(BucketName::try_new("b").unwrap(), source.provides());
    (context.with_skip_observer(Arc::clone(&skips) as Arc<dyn SkipObserver>), skips)
}

fn whole() -> LaneDescriptor {
    Plan::whole("test").lanes()[0].clone()
}

fn rows_of(stream: &mut dyn ObjectStream, fields: FieldSet) -> Result<Vec<Row>, SourceError> {
    let mut builder = ObjectBatchBuilder::new(fields);
    let mut rows = Vec::new();
    while stream.next_batch(&mut builder)? {
        let batch = builder.finish();
        let int = |field, row| match batch.column(field) {
            Some(Column::Int(column)) => column.value(row),
            _ => None,
        };
        let text = |field, row| match batch.column(field) {
            Some(Column::Text(column)) => column.value(row),
            _ => "",
        };
        rows.extend((0..batch.len()).map(|row| {
            let e_tag = text(Field::ETag, row).to_owned();
            (batch.key(row).to_owned(), int(Field::Size, row), int(Field::LastModifiedDate, row), e_tag)
        }));
    }
    assert!(builder.is_empty());
    Ok(rows)
}

fn read(source: &DirectorySource, context: &ReadContext) -> Result<Vec<Row>, SourceError> {
    rows_of(&mut *source.open(&whole(), None, context)?, context.fields)
}

fn keys(source: &DirectorySource, lane: &LaneDescriptor, after: Option<&str>, prefix: Option<&str>) -> Vec<String> {
    let (mut context, _) = context(source);
    context.prefix = prefix.map(Into::into);
    let after = after.map(|after| ObjectKey::try_new(after).unwrap());
    let mut stream = source.open(lane, after.as_ref(), &context).unwrap();
    rows_of(&mut *stream, context.fields).unwrap().into_iter().map(|row| row.0).collect()
}

fn all_keys(source: &DirectorySource) -> Vec<String> {
    keys(source, &whole(), None, None)
}

/// What remains of skips and rows, or the error, with everything that bad entries may do allowed.
fn read_skipping(source: DirectorySource) -> (Vec<String>, Vec<String>) {
    let source = source.with_bad_entries(BadEntries::Skip);
    let (context, skips) = context(&source);
    let rows = read(&source, &context).unwrap();
    (rows.into_iter().map(|row| row.0).collect(), skips.texts())
}

fn failure(source: DirectorySource) -> String {
    let (context, _) = context(&source);
    read(&source, &context).unwrap_err().to_string()
}

fn tree(files: &[&str]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for file in files {
        write(directory.path(), file, file);
    }
    directory
}

fn write(root: &Path, file: &str, content: &str) {
    let path = root.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// The keys as a plain walk and a sort find them.
fn expected(root: &Path) -> Vec<String> {
    fn below(directory: &Path, prefix: &str, keys: &mut BTreeSet<String>) {
        for entry in fs::read_dir(directory).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            if entry.file_type().unwrap().is_dir() {
                below(&entry.path(), &format!("{prefix}{name}/"), keys);
            } else if entry.file_type().unwrap().is_file() {
                keys.insert(format!("{prefix}{name}"));
            }
        }
    }
    let mut keys = BTreeSet::new();
    below(root, "", &mut keys);
    keys.into_iter().collect()
}

/// Bounds so small that every mechanism is at work in a tree of some files.
const TINY: Limits = Limits {
    names_bytes: 1_300,
    names_total_bytes: 2_000,
    merge_runs: 2,
    run_buffer_bytes: 8,
    job_names: 3,
    job_bytes: 20,
    job_directories_total: 4,
    jobs_per_thread: 1,
    hash_jobs_per_thread: 1,
    piece_bytes: 2,
};

fn tiny(root: &Path) -> DirectorySource {
    let mut source = DirectorySource::new(root);
    source.limits = TINY;
    source
}

/// Names around `/` in byte order, shared beginnings, and characters of every length.
const NAMES: &[&str] = &[
    "a",
    "a.txt",
    "a b",
    "a!",
    "a-",
    "a0",
    "aa",
    "A",
    "b",
    "b.",
    ".",
    "é",
    "e\u{301}",
    "\u{ffff}",
    "\u{10000}",
    "~",
    "a\nb",
];

fn random_path() -> impl Strategy<Value = String> {
    let name = proptest::sample::select(NAMES).prop_map(|name| if name == "." { ".hidden" } else { name });
    proptest::collection::vec(name, 1..5).prop_map(|names| names.join("/"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_tree_comes_in_key_order(paths in proptest::collection::vec(random_path(), 0..40), lanes in 1u32..6, tiny_bounds: bool) {
        let directory = tempfile::tempdir().unwrap();
        for path in &paths {
            let path = directory.path().join(path);
            // A file may stand where a directory is wanted, or the other way round: the first one stays.
            if fs::create_dir_all(path.parent().unwrap()).is_ok() && !path.is_dir() {
                fs::write(path, "x").unwrap();
            }
        }
        let expected = expected(directory.path());
        let source = if tiny_bounds { tiny(directory.path()) } else { DirectorySource::new(directory.path()) };
        prop_assert_eq!(&all_keys(&source), &expected);

        let plan = source.plan(NonZeroU32::new(lanes).unwrap()).unwrap();
        let joined: Vec<_> = plan.lanes().iter().flat_map(|lane| keys(&source, lane, None, None)).collect();
        prop_assert_eq!(&joined, &expected);

        for after in expected.iter().map(String::as_str).chain(["a", "a/", "b.x", "\u{10ffff}"]) {
            let rest: Vec<_> = expected.iter().filter(|key| key.as_str() > after).cloned().collect();
            let resumed: Vec<_> =
                plan.lanes().iter().flat_map(|lane| keys(&source, lane, Some(after), None)).collect();
            prop_assert_eq!(resumed, rest, "after {:?}", after);
        }
        for prefix in ["", "a", "a/", "a/a", "a.t", "b/a/", "é", "nothing"] {
            let chosen: Vec<_> = expected.iter().filter(|key| key.starts_with(prefix)).cloned().collect();
            let read: Vec<_> =
                plan.lanes().iter().flat_map(|lane| keys(&source, lane, None, Some(prefix))).collect();
            prop_assert_eq!(read, chosen, "prefix {:?}", prefix);
        }
    }
}

#[test]
fn lanes_have_as_many_top_level_names_each() {
    let directory = tree(&["a/1", "a/2", "b", "c/1", "d", "e", "f/1"]);
    let source = DirectorySource::new(directory.path());
    let starts = |lanes| {
        let plan = source.plan(NonZeroU32::new(lanes).unwrap()).unwrap();
        plan.lanes().iter().filter_map(|lane| lane.start.as_ref().map(ToString::to_string)).collect::<Vec<_>>()
    };
    assert_eq!(starts(1), Vec::<String>::new());
    assert_eq!(starts(2), ["d"]);
    assert_eq!(starts(3), ["c/", "e"]);
    assert_eq!(starts(100), ["b", "c/", "d", "e", "f/"]);
}

#[test]
fn directories_of_many_names_are_spilled_at_every_depth() {
    let directory = tempfile::tempdir().unwrap();
    for top in 0..60 {
        write(directory.path(), &format!("{}", top * 7 % 60), "x");
        write(directory.path(), &format!("d/{}", top * 11 % 60), "x");
        write(directory.path(), &format!("d/30d/{}/f", top * 13 % 60), "x");
    }
    // Names that fit into memory in each directory, but not in all of them at once.
    (1..8).for_each(|depth| write(directory.path(), &format!("{}z", "chain/".repeat(depth)), "x"));
    let source = tiny(directory.path());
    assert_eq!(all_keys(&source), expected(directory.path()));
    assert_eq!(source.plan(NonZeroU32::new(4).unwrap()).unwrap().lanes().len(), 4);

    let options = WalkOptions {
        symlinks: Symlinks::Skip,
        exclusions: Exclusions::default(),
        range: KeyRange::default(),
        temp_dir: std::env::temp_dir(),
        limits: TINY,
        job: JobBounds { names: 1, bytes: 1, directories: 1 },
        cancel: CancelToken::new(),
    };
    let root = source.open_root(&options.exclusions).unwrap();
    let mut walk = Walk::begin(root, options).unwrap();
    while !walk.is_over() {
        walk.fill(&mut Job::default());
        assert!(walk.names_bytes() <= TINY.names_total_bytes, "{}", walk.names_bytes());
    }
}

#[test]
fn names_that_cannot_be_spilled_end_the_run() {
    let directory = tempfile::tempdir().unwrap();
    (0..60).for_each(|file| write(directory.path(), &file.to_string(), "x"));
    let temp_dir = directory.path().join("not there");
    let error = failure(tiny(directory.path()).with_bad_entries(BadEntries::Skip).with_temp_dir(&temp_dir));
    assert!(
        error.starts_with(&format!("{}/: ", directory.path().display())) && error.ends_with(temp_dir.to_str().unwrap()),
        "{error}"
    );
}

#[test]
fn sizes_and_times_are_those_of_the_files() {
    let directory = tempfile::tempdir().unwrap();
    let set = |name, size, time| {
        let file = fs::File::create(directory.path().join(name)).unwrap();
        file.set_len(size).unwrap();
        file.set_modified(time).unwrap();
    };
    let epoch = SystemTime::UNIX_EPOCH;
    set("after", 5 << 30, epoch + Duration::from_nanos(1_700_000_000_123_999_999));
    set("before", 0, epoch - Duration::from_nanos(1));
    let source = DirectorySource::new(directory.path());
    let (mut context, _) = context(&source);
    let expected = [
        ("after".to_owned(), Some(5 << 30), Some(1_700_000_000_123), String::new()),
        ("before".to_owned(), Some(0), Some(-1), String::new()),
    ];
    assert_eq!(read(&source, &context).unwrap(), expected);
    context.fields = FieldSet::REQUIRED;
    let bare = expected.map(|row| (row.0, None, None, row.3));
    assert_eq!(read(&source, &context).unwrap(), bare);
}

#[test]
fn e_tags_are_the_md5_of_the_content() {
    let directory = tree(&["abc", "d/e"]);
    let long = "0123456789".repeat(50_000);
    write(directory.path(), "long", &long);
    write(directory.path(), "z", "");
    for source in [tiny(directory.path()), DirectorySource::new(directory.path())] {
        let source = source.with_e_tag(ETagSource::ContentMd5);
        assert!(source.provides().contains(Field::ETag));
        let (mut context, _) = context(&source);
        context.threads = NonZeroUsize::new(3).unwrap();
        let rows = read(&source, &context).unwrap();
        let found: Vec<_> = rows.iter().map(|row| (row.0.as_str(), row.1, row.3.as_str())).collect();
        let long_md5 = md5_hex(long.as_bytes());
        assert_eq!(
            found,
            [
                ("abc", Some(3), "900150983cd24fb0d6963f7d28e17f72"),
                ("d/e", Some(3), md5_hex(b"d/e").as_str()),
                ("long", Some(500_000), long_md5.as_str()),
                ("z", Some(0), "d41d8cd98f00b204e9800998ecf8427e"),
            ]
        );
    }
}

/// Changes the length of a file when the first piece of it was read and is about to be hashed.
struct ChangeLength(fs::File, u64);

impl ComputeSlots for ChangeLength {
    fn acquire(&self) {
        self.0.set_len(self.1).unwrap();
    }

    fn release(&self) {}
}

#[test]
fn a_file_that_changes_while_it_is_hashed_has_the_size_that_was_hashed() {
    for (length, hashed) in [(3, "ab"), (1, "ab"), (9, "abcdef")] {
        let directory = tree(&[]);
        write(directory.path(), "f", "abcdef");
        let source = tiny(directory.path()).with_e_tag(ETagSource::ContentMd5);
        let file = fs::OpenOptions::new().write(true).open(directory.path().join("f")).unwrap();
        let context = context(&source).0.with_slots(Arc::new(ChangeLength(file, length)));
        let rows = read(&source, &context).unwrap();
        // Cut to three bytes after two were read, it still has a third.
        let hashed = if length == 3 { "abc" } else { hashed };
        assert_eq!((rows[0].1, &rows[0].3), (Some(hashed.len() as i64), &md5_hex(hashed.as_bytes())), "{length}");
    }
}

#[test]
fn links_are_left_out_unless_followed() {
    let directory = tree(&["a/f", "g", "z"]);
    let path = directory.path();
    symlink("g", path.join("b")).unwrap();
    symlink("a", path.join("c")).unwrap();
    symlink(path.join("c"), path.join("a.d")).unwrap();
    assert_eq!(all_keys(&tiny(path)), ["a/f", "g", "z"]);
    assert_eq!(all_keys(&tiny(path).with_symlinks(Symlinks::Follow)), ["a.d/f", "a/f", "b", "c/f", "g", "z"]);
    let root = path.join("root");
    symlink("a", &root).unwrap();
    assert_eq!(all_keys(&tiny(&root)), ["f"]);
}

#[test]
fn links_that_lead_nowhere_are_bad_entries() {
    let directory = tree(&["a/b/f", "z"]);
    let path = directory.path();
    symlink("../..", path.join("a/b/up")).unwrap();
    symlink("nothing", path.join("a/dangling")).unwrap();
    symlink("self", path.join("self")).unwrap();
    let source = tiny(path).with_symlinks(Symlinks::Follow);
    let (keys, skips) = read_skipping(source.clone());
    assert_eq!(keys, ["a/b/f", "z"]);
    let expected = [
        "a/b/up/: is a symbolic link back to a directory above it",
        "a/dangling: is a symbolic link to nothing",
        "self: symbolic links lead nowhere but to each other",
    ];
    assert_eq!(skips, expected);
    assert_eq!(failure(source.clone()), format!("{}/{}", path.display(), expected[0]));

    // Even if nothing else is asked about files, these are looked at.
    let source = source.with_bad_entries(BadEntries::Skip);
    let (mut context, skips) = context(&source);
    context.fields = FieldSet::REQUIRED;
    assert_eq!(read(&source, &context).unwrap().len(), 2);
    assert_eq!(skips.texts(), expected);
}

#[test]
fn other_things_than_files_are_left_out() {
    let directory = tree(&["f"]);
    let _socket = std::os::unix::net::UnixListener::bind(directory.path().join("socket")).unwrap();
    fs::create_dir(directory.path().join("empty")).unwrap();
    let (keys, skips) = read_skipping(tiny(directory.path()));
    assert_eq!((keys, skips), (vec!["f".to_owned()], vec![]));
}

#[test]
fn names_that_are_not_utf8_are_bad_entries() {
    let directory = tree(&["a", "c/f", "z"]);
    let path = directory.path();
    fs::write(path.join(OsStr::from_bytes(b"b\xff")), "").unwrap();
    fs::create_dir(path.join(OsStr::from_bytes(b"c/\xc3\n"))).unwrap();
    fs::write(path.join(OsStr::from_bytes(b"c/\xc3\n/f")), "").unwrap();
    symlink("a", path.join(OsStr::from_bytes(b"\xfe"))).unwrap();
    let (keys, skips) = read_skipping(tiny(path));
    assert_eq!(keys, ["a", "c/f", "z"]);
    assert_eq!(skips, ["b\\xff: has a name that is not UTF-8", "c/\\xc3\\n/: has a name that is not UTF-8"]);
    assert_eq!(failure(tiny(path)), format!("{}/b\\xff: has a name that is not UTF-8", path.display()));
    // Each is reported by the lane in whose range it stands, and by no other.
    let source = tiny(path).with_bad_entries(BadEntries::Skip);
    let (context, skips) = context(&source);
    for lane in source.plan(NonZeroU32::new(3).unwrap()).unwrap().lanes() {
        rows_of(&mut *source.open(lane, None, &context).unwrap(), context.fields).unwrap();
    }
    assert_eq!(skips.texts().len(), 2);
}

#[test]
fn keys_beyond_the_limit_are_bad_entries() {
    let directory = tempfile::tempdir().unwrap();
    let name = "x".repeat(255);
    let deep = format!("{name}/{name}/{name}");
    fs::create_dir_all(directory.path().join(&deep)).unwrap();
    // Three names and slashes take 768 bytes.
    let longest = format!("{deep}/{}/b", "y".repeat(254));
    assert_eq!(longest.len(), 1024);
    write(directory.path(), &longest, "");
    write(directory.path(), &format!("{longest}b"), "");
    write(directory.path(), &format!("{deep}/{}/b", "z".repeat(255)), "");
    let (keys, skips) = read_skipping(tiny(directory.path()));
    assert_eq!(keys, [longest]);
    assert_eq!(skips.len(), 2);
    assert!(skips[0].ends_with("/bb: has a key of 1025 bytes, more than 1024"), "{}", skips[0]);
    assert!(skips[1].ends_with("z/: has a path of 1024 bytes, which leaves no room for a key of 1024"), "{}", skips[1]);
}

#[test]
fn what_vanishes_after_it_was_listed_is_a_bad_entry() {
    for e_tag in [ETagSource::None, ETagSource::ContentMd5] {
        let directory = tree(&["a", "b", "c/f", "d", "e", "f/f"]);
        let path = directory.path();
        let source = tiny(path).with_bad_entries(BadEntries::Skip).with_e_tag(e_tag);
        let (context, skips) = context(&source);
        // The root is listed when the stream is opened, the rest when it is read.
        let mut stream = source.open(&whole(), None, &context).unwrap();
        fs::remove_file(path.join("b")).unwrap();
        fs::remove_dir_all(path.join("c")).unwrap();
        fs::remove_file(path.join("d")).unwrap();
        fs::create_dir(path.join("d")).unwrap();
        fs::remove_file(path.join("e")).unwrap();
        symlink("a", path.join("e")).unwrap();
        fs::remove_dir_all(path.join("f")).unwrap();
        fs::write(path.join("f"), "").unwrap();
        let keys: Vec<_> = rows_of(&mut *stream, context.fields).unwrap().into_iter().map(|row| row.0).collect();
        assert_eq!(keys, ["a"]);
        let expected = [
            "b: vanished while the source was read",
            "c/: vanished while the source was read",
            "d: is no regular file any more",
            "e: is no regular file any more",
            "f/: cannot be read: Not a directory (os error 20)",
        ];
        assert_eq!(skips.texts(), expected);
    }
}

#[test]
fn the_earliest_bad_entry_ends_the_run() {
    let directory = tree(&["a/f", "b", "c"]);
    fs::write(directory.path().join(OsStr::from_bytes(b"d\xff")), "").unwrap();
    let source = tiny(directory.path());
    let (context, _) = context(&source);
    let mut stream = source.open(&whole(), None, &context).unwrap();
    fs::remove_file(directory.path().join("b")).unwrap();
    let error = rows_of(&mut *stream, context.fields).unwrap_err();
    assert_eq!(error.to_string(), format!("{}/b: vanished while the source was read", directory.path().display()));
}

/// A file of the kernel's that even the superuser cannot open for reading.
const UNREADABLE: &str = "/sys/bus/platform/uevent";

#[test]
fn a_file_that_cannot_be_opened_is_a_bad_entry() {
    if !Path::new(UNREADABLE).exists() {
        return;
    }
    let directory = tree(&["a", "c"]);
    symlink(UNREADABLE, directory.path().join("b")).unwrap();
    let source = tiny(directory.path()).with_symlinks(Symlinks::Follow).with_e_tag(ETagSource::ContentMd5);
    let (keys, skips) = read_skipping(source);
    assert_eq!(keys, ["a", "c"]);
    assert_eq!(skips, ["b: cannot be read: Permission denied (os error 13)"]);
}

#[test]
fn excluded_directories_are_left_out_however_they_are_spelled() {
    let directory = tree(&["a/f", "out/bucket/id/f", "out/g", "z"]);
    let path = directory.path();
    symlink("out", path.join("link")).unwrap();
    let all = ["a/f", "out/bucket/id/f", "out/g", "z"];
    for spelled in ["out/bucket", "a/../out/bucket", "link/bucket", "out/bucket/id/../../bucket", "./out//bucket/"] {
        assert_eq!(all_keys(&tiny(path).with_excluded(path.join(spelled))), ["a/f", "out/g", "z"], "{spelled}");
    }
    assert_eq!(all_keys(&tiny(path).with_excluded(path.join("out")).with_excluded(path.join("a"))), ["z"]);
    assert_eq!(all_keys(&tiny(path).with_excluded(path.join("z/nothing")).with_excluded("/")), all);
    // A link to an excluded directory leads to the same directory.
    let followed = tiny(path).with_symlinks(Symlinks::Follow).with_excluded(path.join("link"));
    assert_eq!(all_keys(&followed), ["a/f", "z"]);
}

#[test]
fn an_excluded_directory_may_come_into_being_during_the_run() {
    let directory = tree(&["out/bucket/g", "out/x/id/f", "z"]);
    let path = directory.path();
    let source = tiny(path)
        .with_excluded(path.join("out/new/../bucket/id/sub"))
        .with_excluded(path.join("out/new/deep"))
        .with_excluded(path.join("out/x/id"));
    let (context, _) = context(&source);
    let mut stream = source.open(&whole(), None, &context).unwrap();
    write(path, "out/bucket/id/sub/report", "");
    write(path, "out/bucket/id/other", "");
    write(path, "out/new/deep/report", "");
    // Moved away and made again, it has another inode.
    fs::rename(path.join("out/x/id"), path.join("out/moved")).unwrap();
    write(path, "out/x/id/report", "");
    let keys: Vec<_> = rows_of(&mut *stream, context.fields).unwrap().into_iter().map(|row| row.0).collect();
    assert_eq!(keys, ["out/bucket/g", "out/bucket/id/other", "z"]);
}

#[test]
fn a_root_that_cannot_be_read_is_reported_by_the_plan() {
    let directory = tree(&["f"]);
    let plan = |source: DirectorySource| source.plan(NonZeroU32::MIN).unwrap_err().to_string();
    let missing = directory.path().join("missing");
    let expected = format!("{}: the source directory cannot be read", missing.display());
    assert_eq!(plan(DirectorySource::new(&missing)), expected);
    assert!(plan(DirectorySource::new(directory.path().join("f"))).ends_with("the source directory cannot be read"));
    let excluded = DirectorySource::new(directory.path()).with_excluded(directory.path().join("x/.."));
    assert!(plan(excluded).contains("is itself excluded"));
}

#[test]
fn a_cancelled_run_ends_and_an_abandoned_one_lets_go() {
    let directory = tree(&["a", "b", "c", "d/e/f"]);
    let source = tiny(directory.path()).with_e_tag(ETagSource::ContentMd5);
    let (context, _) = context(&source);
    drop(source.open(&whole(), None, &context).unwrap());
    let mut stream = source.open(&whole(), None, &context).unwrap();
    context.cancel.cancel();
    let error = stream.next_batch(&mut ObjectBatchBuilder::new(context.fields)).unwrap_err();
    assert_eq!(error.kind(), SourceErrorKind::Cancelled);
}
