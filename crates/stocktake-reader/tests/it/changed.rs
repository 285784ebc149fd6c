//! Files that are cut, written to or replaced while they are read: what is read is of one moment, or an error says so.

use crate::support::{FORMATS, key, source, spec, threads};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};
use stocktake::{
    FileFormat, GenerateOptions, ManifestLocation, ReportKey, ReportStore, VerifyOptions,
    destinations::{LocalDestination, LocalStore},
    generate, verify,
};
use stocktake_reader::{
    DiffOptions, Differences, InsightOptions, ReadError, ReadErrorKind, Report, RowFaultKind, insight, verify_rows,
};
use stocktake_testkit::{
    changing::ChangingStore,
    rows::{Row, rows_of},
};

/// What happens to a data file.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Harm {
    /// It ends earlier.
    Cut,
    /// A byte of it is another.
    Written,
    /// It has the content of another file, written over it.
    Overwritten,
    /// Another file takes its place at once.
    Replaced,
}

const HARMS: [Harm; 4] = [Harm::Cut, Harm::Written, Harm::Overwritten, Harm::Replaced];

/// A report on disk, and a sound data file of the same columns.
struct OnDisk {
    folder: tempfile::TempDir,
    manifest: ReportKey,
    file: ReportKey,
    bytes: Vec<u8>,
    other: Vec<u8>,
}

impl OnDisk {
    fn new(format: FileFormat) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let spec = spec(format).with_shard_target_bytes(1 << 30).with_row_digest(false).build().unwrap();
        let written = |root: &Path, rows| {
            let destination = LocalDestination::try_new(root).unwrap();
            let manifest =
                generate(&source(rows), &spec, &destination, &GenerateOptions::default()).unwrap().manifest_key;
            let report = Report::open(&store(root), &manifest).unwrap();
            (manifest, report.files()[0].key.clone())
        };
        let (manifest, file) = written(folder.path(), 900);
        let elsewhere = folder.path().join("other");
        let (_, other) = written(&elsewhere, 1000);
        let other = fs::read(elsewhere.join(other.as_str())).unwrap();
        let bytes = fs::read(folder.path().join(file.as_str())).unwrap();
        let disk = Self { folder, manifest, file, bytes, other };
        disk.reset();
        disk
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join(self.file.as_str())
    }

    /// The file as it was, last written to long ago.
    fn reset(&self) {
        fs::write(self.path(), &self.bytes).unwrap();
        let file = File::options().write(true).open(self.path()).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000)).unwrap();
    }

    /// A store in which the file is harmed when so many bytes of it were read.
    fn harmed(&self, harm: Harm, after_bytes: u64) -> Arc<ChangingStore<LocalStore>> {
        self.reset();
        let (path, bytes, other) = (self.path(), self.bytes.clone(), self.other.clone());
        let change = move || match harm {
            Harm::Cut => File::options().write(true).open(path).unwrap().set_len(bytes.len() as u64 / 2).unwrap(),
            Harm::Written => {
                let mut bytes = bytes;
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
                fs::write(path, bytes).unwrap();
            }
            Harm::Overwritten => fs::write(path, other).unwrap(),
            Harm::Replaced => {
                let beside = path.with_extension("new");
                fs::write(&beside, other).unwrap();
                fs::rename(beside, path).unwrap();
            }
        };
        let inner = LocalStore::try_new(self.folder.path()).unwrap();
        Arc::new(ChangingStore::new(inner, self.file.clone(), after_bytes, change))
    }

    /// Numbers of bytes behind which the file is harmed: in its first reading, in later ones, and never.
    fn places(&self) -> Vec<u64> {
        let size = self.bytes.len() as u64;
        vec![0, 9, size / 2, size - 1, size, size + 9, 3 * size / 2, 2 * size - 1, 5 * size / 2, 100 * size]
    }
}

fn store(root: &Path) -> Arc<dyn ReportStore> {
    Arc::new(LocalStore::try_new(root).unwrap())
}

fn report(store: &Arc<ChangingStore<LocalStore>>, manifest: &ReportKey) -> Report {
    let store: Arc<dyn ReportStore> = store.clone();
    Report::open(&store, manifest).unwrap()
}

fn rows(report: &Report) -> Result<Vec<Row>, ReadError> {
    let batches = report.read(&threads(1))?.collect::<Result<Vec<_>, _>>()?;
    Ok(batches.iter().flat_map(|batch| rows_of(&batch.rows)).collect())
}

/// An error that names the file.
fn names(error: &ReadError, disk: &OnDisk) {
    assert_eq!(error.file(), Some(disk.file.as_str()), "{error}");
    assert_ne!(error.kind(), ReadErrorKind::Cancelled);
}

#[test]
fn rows_are_of_one_moment() {
    for format in FORMATS {
        let disk = OnDisk::new(format);
        let wanted = rows(&Report::open(&store(disk.folder.path()), &disk.manifest).unwrap()).unwrap();
        for harm in HARMS {
            let (mut refused, mut told) = (0, 0);
            for place in disk.places() {
                let store = disk.harmed(harm, place);
                match rows(&report(&store, &disk.manifest)) {
                    Ok(rows) => assert!(rows == wanted, "{format:?}, {harm:?} behind {place} bytes: other rows"),
                    Err(error) => {
                        names(&error, &disk);
                        refused += 1;
                        told += usize::from(error.to_string().contains("was changed while it was read"));
                    }
                }
                assert!(store.has_changed() || place > 0);
            }
            assert!(refused > 2 && told > 0, "{format:?}, {harm:?}: {refused} refused, of which {told} say why");
        }
    }
}

#[test]
fn verified_rows_are_of_one_moment() {
    for format in FORMATS {
        let disk = OnDisk::new(format);
        let wanted = verify_rows(
            &Report::open(&store(disk.folder.path()), &disk.manifest).unwrap(),
            &threads(1),
            &Default::default(),
        );
        let wanted = wanted.unwrap().row_digest;
        for harm in HARMS {
            let mut refused = 0;
            for place in disk.places() {
                // As the command does: bytes and their MD5 first, then rows.
                let store = disk.harmed(harm, place);
                let location = ManifestLocation::new(&*store, disk.manifest.clone());
                let bytes = verify(&location, &VerifyOptions::new(std::num::NonZeroUsize::MIN)).unwrap();
                if !bytes.is_sound() {
                    refused += 1;
                    continue;
                }
                let report = report(&store, &disk.manifest);
                let checked = verify_rows(&report, &threads(1).with_md5(true), &Default::default()).unwrap();
                if checked.is_sound() {
                    assert_eq!(checked.row_digest, wanted, "{format:?}, {harm:?} behind {place} bytes");
                } else {
                    assert_eq!(checked.faults[0].kind, RowFaultKind::Unreadable, "{checked:?}");
                    refused += 1;
                }
            }
            assert!(refused > 2, "{format:?}, {harm:?}");
        }
    }
}

#[test]
fn comparisons_and_insights_are_of_one_moment() {
    for format in FORMATS {
        let disk = OnDisk::new(format);
        let sound = Report::open(&store(disk.folder.path()), &disk.manifest).unwrap();
        let wanted = insight(&sound, &InsightOptions::default()).unwrap();
        for harm in HARMS {
            for place in disk.places() {
                let store = disk.harmed(harm, place);
                match insight(&report(&store, &disk.manifest), &InsightOptions::default()) {
                    Ok(found) => assert_eq!(found, wanted, "{format:?}, {harm:?} behind {place} bytes"),
                    Err(error) => names(&error, &disk),
                }
                // Compared with a copy, so that what is harmed is one of the two.
                let copy = tempfile::tempdir().unwrap();
                disk.reset();
                for name in
                    [disk.manifest.as_str(), &disk.manifest.as_str().replace(".json", ".checksum"), disk.file.as_str()]
                {
                    let to = copy.path().join(name);
                    fs::create_dir_all(to.parent().unwrap()).unwrap();
                    fs::copy(disk.folder.path().join(name), to).unwrap();
                }
                let old = Report::open(&self::store(copy.path()), &key(disk.manifest.as_str())).unwrap();
                let new = disk.harmed(harm, place);
                let new = report(&new, &disk.manifest);
                let mut found = match Differences::begin(&old, &new, &DiffOptions::default()) {
                    Ok(found) => found,
                    Err(error) => {
                        names(&error, &disk);
                        continue;
                    }
                };
                let ended = loop {
                    match found.next() {
                        Ok(Some(_)) => {}
                        Ok(None) => break Ok(()),
                        Err(error) => break Err(error),
                    }
                };
                match ended {
                    Ok(()) => assert!(found.totals().is_same(), "{format:?}, {harm:?} behind {place} bytes"),
                    Err(error) => names(&error, &disk),
                }
            }
        }
    }
}
