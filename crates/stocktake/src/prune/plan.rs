//! What would go, and why what stays does.

use super::{
    PruneError, PruneOptions,
    listing::{Listed, list, split_root},
};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read,
};
use stocktake_core::{Manifest, ReportKey, ReportStore};

/// Most bytes of a manifest that is read into memory.
const MANIFEST_BYTES_MAX: u64 = 256 << 20;

/// What a pruning would take away. Nothing is removed before it is carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PrunePlan {
    /// Configurations, by their folders.
    pub configurations: Vec<PrunedConfiguration>,
}

/// A configuration's reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PrunedConfiguration {
    /// Folder of the configuration, `[prefix/]BUCKET/ID`.
    pub folder: String,
    /// Its reports, newest first.
    pub reports: Vec<PlannedReport>,
    /// Data files that no manifest names.
    pub orphans: Vec<ReportKey>,
    /// Their bytes.
    pub orphan_bytes: u64,
    /// Whether they are removed.
    pub removes_orphans: bool,
    /// Why something stays that might have gone.
    pub notes: Vec<String>,
}

/// A report, and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PlannedReport {
    /// Its stamp, `2026-11-22T01-00Z`.
    pub stamp: String,
    /// What becomes of it.
    pub fate: ReportFate,
    /// Data files that go with it.
    pub files: u64,
    /// Their bytes, as the manifest states them.
    pub bytes: u64,
    /// Everything that goes, in the order in which it does.
    #[serde(skip)]
    pub(super) objects: Vec<ReportKey>,
}

/// What becomes of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReportFate {
    /// It is one of those that are kept.
    Kept,
    /// It is removed.
    Removed,
    /// It has no checksum and is older than all that are kept: what is left of it is removed.
    RestRemoved,
    /// It has no checksum, and may be in the making: it stays.
    Incomplete,
}

impl ReportFate {
    /// Whether the report goes.
    pub fn is_removed(self) -> bool {
        matches!(self, Self::Removed | Self::RestRemoved)
    }
}

/// Plans which reports go.
///
/// A configuration with a manifest that cannot be read keeps everything, with a note: which data files it names is not known.
///
/// # Errors
/// If the destination cannot be listed or read.
pub fn plan_prune(store: &dyn ReportStore, options: &PruneOptions) -> Result<PrunePlan, PruneError> {
    let listed = list(store, options)?;
    // Data files are listed before the manifests that are looked at: a run that ended in between is no orphan's maker.
    let again = if options.orphans { Some(list(store, options)?) } else { None };
    let mut configurations = Vec::new();
    for (folder, listed) in listed {
        let later = again.as_ref().and_then(|again| again.get(&folder));
        configurations.push(plan_one(store, options, folder, &listed, later)?);
    }
    Ok(PrunePlan { configurations })
}

fn plan_one(
    store: &dyn ReportStore,
    options: &PruneOptions,
    folder: String,
    listed: &Listed,
    later: Option<&Listed>,
) -> Result<PrunedConfiguration, PruneError> {
    let latest = later.unwrap_or(listed);
    let mut planned = PrunedConfiguration {
        folder,
        reports: Vec::new(),
        orphans: Vec::new(),
        orphan_bytes: 0,
        removes_orphans: false,
        notes: Vec::new(),
    };
    let folder = planned.folder.as_str();
    let bucket = split_root(folder).map_or("", |(_, bucket, _)| bucket);
    let mut manifests = BTreeMap::new();
    for stamp in latest.manifests.keys() {
        match read_manifest(store, &key(folder, stamp, "manifest.json")?, bucket)? {
            Ok(manifest) => {
                manifests.insert(stamp.clone(), manifest);
            }
            Err(text) => {
                planned
                    .notes
                    .push(format!("{folder}/{stamp}/manifest.json {text}: nothing of this configuration goes"));
            }
        }
    }
    let readable = planned.notes.is_empty();
    let fates = fates(options, latest, readable);
    let kept = named(folder, manifests.iter().filter(|(stamp, _)| !fates[*stamp].is_removed()).map(|(_, found)| found));
    // Newest first: a file that two old reports name goes with the first of them.
    let mut going = BTreeSet::new();
    for (stamp, fate) in fates.iter().rev() {
        let files = manifests.get(stamp).map(|manifest| &manifest.files[..]).unwrap_or_default();
        let mut report = PlannedReport {
            stamp: stamp.clone(),
            fate: *fate,
            files: files.len() as u64,
            bytes: files.iter().map(|file| file.size).fold(0, u64::saturating_add),
            objects: Vec::new(),
        };
        if fate.is_removed() {
            let ours = |file: &&stocktake_core::ManifestFile| is_ours(folder, &file.key) && !kept.contains(&*file.key);
            let data: Vec<_> = files.iter().filter(ours).filter(|file| going.insert(file.key.clone())).collect();
            report.files = data.len() as u64;
            report.bytes = data.iter().map(|file| file.size).fold(0, u64::saturating_add);
            let (symlinks, receipts): (Vec<_>, Vec<_>) = latest
                .beside
                .get(stamp)
                .into_iter()
                .flatten()
                .cloned()
                .partition(|key| key.as_str().ends_with("/symlink.txt"));
            report.objects.push(key(folder, stamp, "manifest.checksum")?);
            report.objects.extend(symlinks);
            report.objects.extend(data.iter().filter_map(|file| ReportKey::try_new(file.key.clone()).ok()));
            report.objects.extend(receipts);
            report.objects.push(key(folder, stamp, "manifest.json")?);
            if data.len() < files.len() {
                planned
                    .notes
                    .push(format!("{stamp}: {} data files are also others' and stay", files.len() - data.len()));
            }
        }
        planned.reports.push(report);
    }
    if readable {
        let by_any = named(folder, manifests.values());
        planned.orphans = listed.data.iter().filter(|key| !by_any.contains(key.as_str())).cloned().collect();
    }
    plan_orphans(store, options, listed, latest, &mut planned)?;
    Ok(planned)
}

/// What becomes of each report, by stamp.
fn fates(options: &PruneOptions, listed: &Listed, readable: bool) -> BTreeMap<String, ReportFate> {
    let complete: Vec<&String> =
        listed.manifests.iter().filter(|(_, complete)| **complete).map(|(stamp, _)| stamp).collect();
    let since = options.keep_since.map(stocktake_core::Timestamp::folder_stamp);
    let kept: BTreeSet<&String> = complete
        .iter()
        .rev()
        .enumerate()
        // Stamps are in the order of time.
        .filter(|(newer, stamp)| *newer < options.keep.get() || since.as_ref().is_some_and(|since| **stamp >= since))
        .map(|(_, stamp)| *stamp)
        .collect();
    let fate = |stamp: &String, complete: bool| match complete {
        true if !readable || kept.contains(stamp) || listed.journals.contains(stamp) => ReportFate::Kept,
        true => ReportFate::Removed,
        false => {
            let is_old = kept.first().is_some_and(|oldest| stamp < *oldest) && kept.len() >= options.keep.get();
            match readable && is_old && !listed.journals.contains(stamp) {
                true => ReportFate::RestRemoved,
                false => ReportFate::Incomplete,
            }
        }
    };
    listed.manifests.iter().map(|(stamp, complete)| (stamp.clone(), fate(stamp, *complete))).collect()
}

fn plan_orphans(
    store: &dyn ReportStore,
    options: &PruneOptions,
    listed: &Listed,
    latest: &Listed,
    planned: &mut PrunedConfiguration,
) -> Result<(), PruneError> {
    for key in &planned.orphans {
        let stored = store.head(key).map_err(|error| PruneError::because("a data file cannot be looked at", error))?;
        planned.orphan_bytes = planned.orphan_bytes.saturating_add(stored.map_or(0, |stored| stored.size_bytes));
    }
    let journals: BTreeSet<&String> = listed.journals.union(&latest.journals).collect();
    let running = !journals.is_empty();
    planned.removes_orphans = options.orphans && !running && !planned.orphans.is_empty();
    if options.orphans && running && !planned.orphans.is_empty() {
        let stamps: Vec<&str> = journals.into_iter().map(String::as_str).collect();
        let text = "data files that no manifest names stay: the run of this report goes on, or waits to be continued";
        planned.notes.push(format!("{}: {text}", stamps.join(", ")));
    }
    Ok(())
}

/// Keys of data files that manifests name in the folder of their configuration.
fn named<'a>(folder: &str, manifests: impl Iterator<Item = &'a Manifest>) -> BTreeSet<&'a str> {
    let files = manifests.flat_map(|manifest| &manifest.files).map(|file| file.key.as_str());
    files.filter(|key| is_ours(folder, key)).collect()
}

/// Whether a data file stands where those of the configuration do.
fn is_ours(folder: &str, key: &str) -> bool {
    let name = key.strip_prefix(folder).and_then(|rest| rest.strip_prefix("/data/"));
    name.is_some_and(|name| !name.is_empty() && !name.contains('/'))
}

fn key(folder: &str, stamp: &str, name: &str) -> Result<ReportKey, PruneError> {
    let made = ReportKey::try_new(format!("{folder}/{stamp}/{name}"));
    made.map_err(|error| PruneError::because("a report's folder is no key", error))
}

/// A manifest of a bucket, or what is wrong with it.
fn read_manifest(
    store: &dyn ReportStore,
    key: &ReportKey,
    bucket: &str,
) -> Result<Result<Manifest, String>, PruneError> {
    let fault = |error| PruneError::because("a manifest cannot be read", error);
    let Some(stored) = store.head(key).map_err(fault)? else { return Ok(Err("is not there any more".to_owned())) };
    if stored.size_bytes > MANIFEST_BYTES_MAX {
        return Ok(Err(format!("has more than {MANIFEST_BYTES_MAX} bytes")));
    }
    let mut text = Vec::new();
    let mut reader = store.open_range(key, 0..stored.size_bytes).map_err(fault)?;
    reader
        .read_to_end(&mut text)
        .map_err(|error| PruneError::because(format!("{key}: a manifest cannot be read"), error))?;
    Ok(match Manifest::parse(&text) {
        Err(error) => Err(format!("is no manifest: {error}")),
        Ok(manifest) if manifest.source_bucket != bucket => {
            Err(format!("is of the bucket {:?} and stands in the folder of another", manifest.source_bucket))
        }
        Ok(manifest) => Ok(manifest),
    })
}

impl PrunePlan {
    /// Whether nothing would be removed.
    pub fn is_empty(&self) -> bool {
        self.objects().next().is_none()
    }

    /// Everything that would go, in the order in which it would.
    pub fn objects(&self) -> impl Iterator<Item = &ReportKey> {
        self.configurations.iter().flat_map(|configuration| {
            let orphans = configuration.orphans.iter().filter(|_| configuration.removes_orphans);
            // Oldest reports first: what an interruption leaves is the newest of what is to go.
            configuration.reports.iter().rev().flat_map(|report| &report.objects).chain(orphans)
        })
    }
}
