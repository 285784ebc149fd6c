//! What the conformance suite cannot see: names on the disk, folders, rights, other processes.

use super::*;
use std::{collections::BTreeSet, error::Error, io::Write, thread};

const ATTRIBUTES: ObjectAttributes = ObjectAttributes::new("text/plain");

fn key(key: &str) -> ReportKey {
    ReportKey::try_new(key).unwrap()
}

fn put(destination: &LocalDestination, name: &str) -> Result<(), DestinationError> {
    let mut object = destination.create(&key(name), &ATTRIBUTES)?;
    object.write_all(b"x").unwrap();
    object.publish()
}

fn names(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_staged_file_is_hidden_beside_its_target_and_has_ordinary_rights() {
    let folder = tempfile::tempdir().unwrap();
    let destination = LocalDestination::try_new(folder.path()).unwrap();
    let object = destination.create(&key("a/b.csv.gz"), &ATTRIBUTES).unwrap();
    let staged = names(&folder.path().join("a"));
    let name = staged.first().unwrap();
    assert!(staged.len() == 1 && name.starts_with(".b.csv.gz.") && name.ends_with(".partial"), "{name}");
    assert_eq!(destination.staged_leftovers(&key("a")).unwrap(), [folder.path().join("a").join(name)]);
    assert_eq!(destination.list("").unwrap(), []);
    object.publish().unwrap();
    assert_eq!(names(&folder.path().join("a")), BTreeSet::from(["b.csv.gz".to_owned()]));
    assert!(destination.staged_leftovers(&key("a")).unwrap().is_empty());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode();
        fs::write(folder.path().join("ordinary"), "").unwrap();
        assert_eq!(mode(folder.path().join("a/b.csv.gz")), mode(folder.path().join("ordinary")));
    }
}

#[test]
fn a_long_name_is_staged_under_a_shorter_one() {
    let folder = tempfile::tempdir().unwrap();
    let destination = LocalDestination::try_new(folder.path()).unwrap();
    // 255 bytes, and no character ends at the place where the name is cut.
    let name = format!("x{}", "é".repeat(127));
    put(&destination, &name).unwrap();
    assert_eq!(names(folder.path()), BTreeSet::from([name]));
}

#[test]
fn only_folders_that_were_created_here_and_are_empty_go() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("old")).unwrap();
    let destination = LocalDestination::try_new(folder.path().join("old/root")).unwrap();
    assert!(!destination.root().exists());
    let object = destination.create(&key("a/b/c"), &ATTRIBUTES).unwrap();
    assert!(destination.root().join("a/b").is_dir());
    drop(object);
    assert!(!destination.root().exists());
    assert!(folder.path().join("old").is_dir());

    put(&destination, "a/b/c").unwrap();
    put(&destination, "a/d").unwrap();
    destination.remove(&key("a/b/c")).unwrap();
    assert!(!destination.root().join("a/b").exists());
    assert!(put(&destination, "a/d").is_err());
    assert!(destination.root().join("a/d").is_file());

    // Another run knows nothing of folders that this one created.
    let later = LocalDestination::try_new(destination.root()).unwrap();
    later.remove(&key("a/d")).unwrap();
    assert!(destination.root().join("a").is_dir());
}

#[test]
fn a_publication_that_is_refused_leaves_what_is_there_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let destination = LocalDestination::try_new(folder.path()).unwrap();
    let object = destination.create(&key("a/b"), &ATTRIBUTES).unwrap();
    fs::write(folder.path().join("a/b"), "another's").unwrap();
    let error = object.publish().unwrap_err();
    assert_eq!(error.kind(), DestinationErrorKind::AlreadyExists);
    assert!(error.to_string().ends_with("a/b exists already"), "{error}");
    assert_eq!(fs::read(folder.path().join("a/b")).unwrap(), b"another's");
    assert_eq!(names(&folder.path().join("a")).len(), 1);
}

#[test]
fn a_root_that_cannot_be_one_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    for root in ["file", "file/below", "file/far/below"] {
        let error = LocalDestination::try_new(folder.path().join(root)).unwrap_err();
        assert!(error.to_string().contains("file is not a folder"), "{error}");
    }
    assert!(LocalDestination::try_new("").is_err());
    // No user may create files there, not even root.
    #[cfg(target_os = "linux")]
    {
        let error = LocalDestination::try_new("/proc/inventory").unwrap_err();
        assert!(error.to_string().ends_with("cannot write to /proc"), "{error}");
    }
    assert_eq!(names(folder.path()).len(), 1);
}

#[test]
fn files_and_folders_in_the_way_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let destination = LocalDestination::try_new(folder.path()).unwrap();
    put(&destination, "file").unwrap();
    let fault = |name: &str, existing| {
        let error = destination.create(&key(name), &ATTRIBUTES.with_existing(existing)).err().unwrap();
        assert_ne!(error.kind(), DestinationErrorKind::AlreadyExists, "{error}");
        format!("{error}: {}", error.source().map(ToString::to_string).unwrap_or_default())
    };
    assert!(fault("file/x/y", Existing::Refuse).ends_with("file is not a folder"));
    fs::create_dir(folder.path().join("folder")).unwrap();
    for existing in [Existing::Refuse, Existing::Replace] {
        assert!(fault("folder", existing).contains("folder is a folder"));
        assert!(fault("a/.x.1.partial", existing).contains("kept for staged files"));
    }
    assert!(destination.remove(&key("folder")).is_err());
    destination.remove(&key("file/x")).unwrap();
    assert_eq!(names(folder.path()), BTreeSet::from(["file".to_owned(), "folder".to_owned()]));
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_an_error_with_the_path() {
    let mut staged = StagedFile {
        file: None,
        unsynced_bytes: 0,
        target: "/somewhere/a".into(),
        key: key("a"),
        existing: Existing::Refuse,
        folders: Arc::default(),
    };
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let kept = tempfile::NamedTempFile::new().unwrap();
    staged.file = Some(NamedTempFile::from_parts(full, kept.into_temp_path()));
    let error = staged.write(b"x").unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert_eq!(error.to_string(), "cannot write /somewhere/a");
}

#[test]
fn what_is_no_key_is_not_listed() {
    let folder = tempfile::tempdir().unwrap();
    let store = LocalStore::try_new(folder.path()).unwrap();
    fs::create_dir(folder.path().join("a")).unwrap();
    for name in ["a/.x.abc.partial", "a/x", "a/y\\z", "a/.hidden", "a/x.partial"] {
        fs::write(folder.path().join(name), "").unwrap();
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink("x", folder.path().join("a/link")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("nowhere", folder.path().join("a/dangling")).unwrap();
    let keys: Vec<_> = store.list("a").unwrap().iter().map(ToString::to_string).collect();
    let links: &[_] = if cfg!(unix) { &["a/link"] } else { &[] };
    assert_eq!(keys, [&["a/.hidden"], links, &["a/x", "a/x.partial"]].concat());
    for nothing in ["/", "b", "../", "a/x/", "a//x"] {
        assert_eq!(store.list(nothing).unwrap(), [], "{nothing}");
    }
    assert!(store.head(&key("a")).unwrap().is_none());
    assert!(store.open_range(&key("a"), 0..0).is_err());
}

#[test]
fn a_file_that_becomes_shorter_while_it_is_read_is_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    let store = LocalStore::try_new(folder.path()).unwrap();
    fs::write(folder.path().join("a"), "0123456789").unwrap();
    let mut reader = store.open_range(&key("a"), 2..10).unwrap();
    fs::write(folder.path().join("a"), "0123").unwrap();
    let mut text = Vec::new();
    let error = reader.read_to_end(&mut text).unwrap_err();
    assert_eq!(error.to_string(), "the file became shorter while it was read; 6 bytes are missing");
}

/// Lanes that publish and lanes that give up share folders; no lane may lose its folder to another.
#[test]
fn lanes_that_give_up_do_not_disturb_lanes_that_publish() {
    let folder = tempfile::tempdir().unwrap();
    let destination = LocalDestination::try_new(folder.path().join("root")).unwrap();
    thread::scope(|scope| {
        for lane in 0..4 {
            let destination = &destination;
            scope.spawn(move || {
                for round in 0..50 {
                    let name = format!("a/b{}/{lane}-{round}", round % 3);
                    drop(destination.create(&key(&format!("{name}-dropped")), &ATTRIBUTES).unwrap());
                    put(destination, &name).unwrap();
                    destination.remove(&key(&name)).unwrap();
                }
            });
        }
    });
    assert!(names(folder.path()).is_empty());
}

#[test]
fn empty_folders_go_up_to_the_root() {
    let folder = tempfile::tempdir().unwrap();
    let destination = LocalDestination::try_new(folder.path().join("root")).unwrap();
    std::fs::create_dir_all(folder.path().join("root/a/b/c")).unwrap();
    put(&destination, "a/kept").unwrap();
    let key = |text| ReportKey::try_new(text).unwrap();
    destination.remove_empty(&key("a/b/c")).unwrap();
    assert!(folder.path().join("root/a/kept").exists() && !folder.path().join("root/a/b").exists());
    destination.remove_empty(&key("a")).unwrap();
    destination.remove(&key("a/kept")).unwrap();
    destination.remove_empty(&key("a/b/c")).unwrap();
    assert!(folder.path().join("root").exists() && !folder.path().join("root/a").exists());
}
