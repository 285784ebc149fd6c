//! Where a manifest and its data files stand: in one store, in two, or below a folder that has to be found.

use super::{created_at, report::VerifyError};
use crate::destinations::LocalStore;
use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};
use stocktake_core::{DestinationError, Manifest, NameError, ReportKey, ReportStore};

/// Most bytes of a manifest, or of an object beside it, that is read into memory: files of a hundred thousand million
/// rows are listed in less.
const TEXT_BYTES_MAX: u64 = 256 << 20;

/// Keys by which a root is recognised; enough to find it when most data files are missing.
const SAMPLE_KEYS: usize = 64;

/// A manifest in a store, and the store of its data files.
#[derive(Clone)]
pub struct ManifestLocation<'a> {
    store: &'a dyn ReportStore,
    manifest: ReportKey,
    files: &'a dyn ReportStore,
}

impl<'a> ManifestLocation<'a> {
    /// A manifest whose data files are in the same store.
    pub fn new(store: &'a dyn ReportStore, manifest: ReportKey) -> Self {
        Self { store, manifest, files: store }
    }

    /// Takes data files and symlink.txt from another store than the manifest and what stands beside it.
    #[must_use]
    pub fn with_files(mut self, files: &'a dyn ReportStore) -> Self {
        self.files = files;
        self
    }

    /// Key of the manifest.
    pub fn manifest(&self) -> &ReportKey {
        &self.manifest
    }

    /// The store of data files.
    pub(super) fn files(&self) -> &'a dyn ReportStore {
        self.files
    }

    pub(crate) fn read_manifest(&self) -> Result<Vec<u8>, VerifyError> {
        match read_whole(self.store, &self.manifest) {
            Ok(Some(text)) => Ok(text),
            Ok(None) => Err(VerifyError::new(format!("there is no manifest {}", self.manifest))),
            Err(error) => Err(VerifyError::because(format!("cannot read the manifest {}", self.manifest), error)),
        }
    }

    /// Key and content of the checksum: the manifest's name with the ending `.checksum`.
    pub(super) fn read_checksum(&self) -> Result<(ReportKey, Option<Vec<u8>>), VerifyError> {
        let key = self.manifest.as_str();
        let key = ReportKey::try_foreign(format!("{}.checksum", key.strip_suffix(".json").unwrap_or(key)));
        let key = key.map_err(|error| VerifyError::because("the checksum's name is too long", error))?;
        match read_whole(self.store, &key) {
            Ok(text) => Ok((key, text)),
            Err(error) => Err(VerifyError::because(format!("cannot read the checksum {key}"), error)),
        }
    }

    /// Key of receipts.ndjson: the manifest's with that name in place of `manifest.json`, so that manifests that were
    /// renamed alike have their own.
    pub(super) fn receipts_key(&self) -> Option<ReportKey> {
        let folder = self.manifest.as_str().strip_suffix("manifest.json")?;
        ReportKey::try_foreign(format!("{folder}receipts.ndjson")).ok()
    }

    /// Key of symlink.txt, if the folder of the report can be told.
    pub(super) fn symlink_key(&self, manifest: &Manifest) -> Option<ReportKey> {
        let stamp = created_at(manifest)?.hive_stamp();
        let root = self.report_root(manifest)?;
        ReportKey::try_foreign(format!("{root}/hive/dt={stamp}/symlink.txt")).ok()
    }

    /// Content of an object beside the manifest, if it is there.
    pub(super) fn read_beside(&self, key: &ReportKey) -> Result<Option<Vec<u8>>, DestinationError> {
        read_whole(self.store, key)
    }

    /// Content of an object in the store of the data files, if it is there.
    pub(super) fn read_with_files(&self, key: &ReportKey) -> Result<Option<Vec<u8>>, DestinationError> {
        read_whole(self.files, key)
    }

    /// Folder of the configuration, `[prefix/]BUCKET/ID`: by the manifest's own place if that is a folder of its time,
    /// else by the first data file's.
    pub(crate) fn report_root(&self, manifest: &Manifest) -> Option<String> {
        let by_place = || {
            let folder = self.manifest.as_str().rsplit_once('/')?.0;
            let (root, stamp) = folder.rsplit_once('/')?;
            (stamp == created_at(manifest)?.folder_stamp()).then(|| root.to_owned())
        };
        by_place().or_else(|| root_of_key(&manifest.files.first()?.key).map(ToOwned::to_owned))
    }
}

impl std::fmt::Debug for ManifestLocation<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ManifestLocation").field("manifest", &self.manifest).finish_non_exhaustive()
    }
}

/// A manifest at a local path, and the folder that stands for the root of its destination bucket.
#[derive(Clone, Debug)]
pub struct LocalReport {
    store: LocalStore,
    manifest: ReportKey,
    files: LocalStore,
}

impl LocalReport {
    /// Finds the root of a manifest's data files, unless it is given.
    ///
    /// It is the folder nearest above the manifest below which most data files are found by their keys. If there is none
    /// below which any is, it is the folder that has the manifest where a report with such keys has it; data files are
    /// missed there.
    ///
    /// # Errors
    /// If there is no manifest, or the given root is no folder.
    pub fn find(manifest: &Path, root: Option<&Path>) -> Result<Self, VerifyError> {
        let unreadable =
            |error| VerifyError::because(format!("cannot read the manifest {}", manifest.display()), error);
        let path = resolved(manifest).map_err(unreadable)?;
        let text = read_file(&path).map_err(unreadable)?;
        let root = match root {
            Some(root) if !root.is_dir() => {
                return Err(VerifyError::new(format!("the root {} is not a folder", root.display())));
            }
            Some(root) => fs::canonicalize(root)
                .map_err(|error| VerifyError::because(format!("cannot read the root {}", root.display()), error))?,
            // What is no manifest is told by the verification itself.
            None => Manifest::parse(&text).map_or_else(|_| folder_of(&path), |manifest| find_root(&path, &manifest)),
        };
        let store = |folder: &Path| {
            LocalStore::try_new(folder)
                .map_err(|error| VerifyError::because(format!("cannot read {}", folder.display()), error))
        };
        let files = store(&root)?;
        // A manifest outside of the root, or below a folder whose name no key can hold, is read from its own folder.
        let inside = path.strip_prefix(files.root()).ok().and_then(|path| key_of(path).ok());
        let (store, manifest) = match inside {
            Some(key) => (files.clone(), key),
            None => {
                let key = key_of(Path::new(path.file_name().unwrap_or_default())).map_err(|error| {
                    VerifyError::because(format!("cannot read the manifest {}", manifest.display()), error)
                })?;
                (store(&folder_of(&path))?, key)
            }
        };
        Ok(Self { store, manifest, files })
    }

    /// The folder that stands for the root of the destination bucket.
    pub fn root(&self) -> &Path {
        self.files.root()
    }

    /// Key of the manifest in [`LocalReport::store`].
    pub fn manifest(&self) -> &ReportKey {
        &self.manifest
    }

    /// The store of the manifest and what stands beside it.
    pub fn store(&self) -> &LocalStore {
        &self.store
    }

    /// The store of data files.
    pub fn files(&self) -> &LocalStore {
        &self.files
    }

    /// The location, for [`super::verify`] and [`crate::inspect`].
    pub fn location(&self) -> ManifestLocation<'_> {
        ManifestLocation::new(&self.store, self.manifest.clone()).with_files(&self.files)
    }
}

/// The path without links and `..` in its folder. The file itself may be a link: what it is beside counts.
fn resolved(manifest: &Path) -> io::Result<PathBuf> {
    let name = manifest.file_name().ok_or(io::ErrorKind::IsADirectory)?;
    let folder = manifest.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(fs::canonicalize(folder)?.join(name))
}

fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    if fs::metadata(path)?.len() > TEXT_BYTES_MAX {
        return Err(too_long());
    }
    fs::read(path)
}

fn too_long() -> io::Error {
    io::Error::other(format!("it has more than {TEXT_BYTES_MAX} bytes"))
}

fn find_root(manifest_path: &Path, manifest: &Manifest) -> PathBuf {
    let folder = folder_of(manifest_path);
    let step = manifest.files.len().div_ceil(SAMPLE_KEYS).max(1);
    let sample: Vec<_> =
        manifest.files.iter().step_by(step).filter_map(|file| ReportKey::try_foreign(file.key.clone()).ok()).collect();
    let found = |root: &&Path| sample.iter().filter(|key| root.join(key.as_str()).is_file()).count();
    // Of several maxima the last is taken, so the walk goes down to the manifest.
    let ancestors: Vec<&Path> = folder.ancestors().collect();
    let best = ancestors.iter().rev().copied().map(|root| (found(&root), root)).max_by_key(|(found, _)| *found);
    if let Some((1.., root)) = best {
        return root.to_owned();
    }
    // The stamp's folder, and as many above it as `[prefix/]BUCKET/ID` has segments.
    let levels = 1 + manifest
        .files
        .first()
        .and_then(|file| root_of_key(&file.key))
        .map_or(2, |root| root.split('/').filter(|part| !part.is_empty()).count());
    ancestors.get(levels).copied().unwrap_or(&folder).to_owned()
}

/// `[prefix/]BUCKET/ID` of a data file's key.
fn root_of_key(key: &str) -> Option<&str> {
    key.rsplit_once('/').and_then(|(folder, _)| folder.strip_suffix("/data")).filter(|root| !root.is_empty())
}

/// The key of a relative path.
fn key_of(path: &Path) -> Result<ReportKey, NameError> {
    let names = path.iter().map(|name| name.to_string_lossy());
    let key = names.collect::<Vec<_>>().join("/");
    // A name that is not UTF-8 cannot be a key; the empty key, which is none either, stands for it.
    ReportKey::try_new(if path.to_str().is_some() { key } else { String::new() })
}

fn folder_of(path: &Path) -> PathBuf {
    path.parent().unwrap_or(path).to_owned()
}

/// The content of an object, if it is there.
fn read_whole(store: &dyn ReportStore, key: &ReportKey) -> Result<Option<Vec<u8>>, DestinationError> {
    let Some(stored) = store.head(key)? else { return Ok(None) };
    let fault = |error| DestinationError::io(key, "cannot be read", error);
    if stored.size_bytes > TEXT_BYTES_MAX {
        return Err(fault(too_long()));
    }
    let mut text = Vec::new();
    store.open_range(key, 0..stored.size_bytes)?.read_to_end(&mut text).map_err(fault)?;
    Ok(Some(text))
}
