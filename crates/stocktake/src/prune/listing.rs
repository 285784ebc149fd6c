//! A listing of a destination, sorted into configurations and what belongs to each.

use super::{PruneError, PruneOptions};
use std::collections::{BTreeMap, BTreeSet};
use stocktake_core::{BucketName, ConfigurationId, DestinationPrefix, ENVELOPE_SUFFIX, ReportKey, ReportStore, Uuid};

/// Endings of data files.
const DATA_ENDINGS: [&str; 3] = [".csv.gz", ".orc", ".parquet"];

/// Objects of one configuration's folder, as far as their names follow the layout.
#[derive(Debug, Default)]
pub(super) struct Listed {
    /// Stamps that have a manifest, and whether they have a checksum.
    pub(super) manifests: BTreeMap<String, bool>,
    /// Keys of what stands beside manifests and in `hive/`, by stamp, without manifest and checksum.
    pub(super) beside: BTreeMap<String, Vec<ReportKey>>,
    /// Keys below `data/` that are named as data files are.
    pub(super) data: BTreeSet<ReportKey>,
    /// Stamps that have a journal: reports in the making.
    pub(super) journals: BTreeSet<String>,
}

/// Lists the configurations of a destination by their folders.
///
/// # Errors
/// If the destination cannot be listed.
pub(super) fn list(store: &dyn ReportStore, options: &PruneOptions) -> Result<BTreeMap<String, Listed>, PruneError> {
    let keys = store
        .list(&common_prefix(options))
        .map_err(|error| PruneError::because("the destination cannot be listed", error))?;
    let mut listed: BTreeMap<String, Listed> = BTreeMap::new();
    // A folder is a configuration's if it has a manifest in the right place; a data file alone says nothing.
    for key in &keys {
        if let Some((root, stamp, "manifest.json")) = split_report(key.as_str())
            && is_chosen(root, options)
        {
            listed.entry(root.to_owned()).or_default().manifests.insert(stamp.to_owned(), false);
        }
    }
    for key in keys {
        if let Some((root, rest)) = root_of(key.as_str(), &listed)
            && let Some(listed) = listed.get_mut(&root)
        {
            listed.sort_in(&rest, key);
        }
    }
    Ok(listed)
}

impl Listed {
    fn sort_in(&mut self, rest: &str, key: ReportKey) {
        let Some((folder, name)) = rest.split_once('/') else { return };
        match (folder, name) {
            ("data", name) if is_data_file(name) => {
                self.data.insert(key);
            }
            ("hive", name) => {
                if let Some(stamp) = hive_stamp(name) {
                    self.beside.entry(stamp).or_default().push(key);
                }
            }
            ("journal", name) => {
                if let Some((stamp, _)) = name.split_once('/') {
                    self.journals.insert(stamp.to_owned());
                }
            }
            (stamp, "manifest.checksum") => {
                if let Some(complete) = self.manifests.get_mut(stamp) {
                    *complete = true;
                }
            }
            (stamp, name)
                if is_stamp(stamp) && name.strip_suffix(ENVELOPE_SUFFIX).unwrap_or(name) == "receipts.ndjson" =>
            {
                self.beside.entry(stamp.to_owned()).or_default().push(key);
            }
            // Foreign, or the manifest itself.
            _ => {}
        }
    }
}

/// What the keys of all chosen configurations begin with, as far as the options tell.
fn common_prefix(options: &PruneOptions) -> String {
    let Some(prefix) = options.prefix.as_ref().map(DestinationPrefix::as_str) else { return String::new() };
    let mut text = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
    if let Some(bucket) = &options.bucket {
        text += &format!("{bucket}/");
        if let Some(id) = &options.configuration {
            text += &format!("{id}/");
        }
    }
    text
}

fn is_chosen(root: &str, options: &PruneOptions) -> bool {
    let Some((prefix, bucket, id)) = split_root(root) else { return false };
    options.prefix.as_ref().is_none_or(|wanted| wanted.as_str() == prefix)
        && options.bucket.as_ref().is_none_or(|wanted| wanted.as_str() == bucket)
        && options.configuration.as_ref().is_none_or(|wanted| wanted.as_str() == id)
}

/// Prefix, bucket and id of `[prefix/]BUCKET/ID`, if they are such.
pub(super) fn split_root(root: &str) -> Option<(&str, &str, &str)> {
    let (above, id) = root.rsplit_once('/')?;
    let (prefix, bucket) = above.rsplit_once('/').unwrap_or(("", above));
    ConfigurationId::try_new(id).ok()?;
    BucketName::try_new(bucket).ok()?;
    Some((prefix, bucket, id))
}

/// Folder, stamp and name of what stands in a report's own folder.
fn split_report(key: &str) -> Option<(&str, &str, &str)> {
    let (folder, name) = key.rsplit_once('/')?;
    let (root, stamp) = folder.rsplit_once('/')?;
    is_stamp(stamp).then_some((root, stamp, name))
}

/// The configuration's folder that a key is in, and the rest of the key.
fn root_of(key: &str, listed: &BTreeMap<String, Listed>) -> Option<(String, String)> {
    let slashes = key.match_indices('/').map(|(at, _)| at);
    let mut roots = slashes.filter(|at| listed.contains_key(&key[..*at]));
    let at = roots.next()?;
    Some((key[..at].to_owned(), key[at + 1..].to_owned()))
}

/// `2026-11-22T01-00Z`.
fn is_stamp(text: &str) -> bool {
    has_form(text, "0000-00-00T00-00Z")
}

/// The stamp of a report by the key of its symlink.txt below `hive/`.
fn hive_stamp(name: &str) -> Option<String> {
    let stamp = name.strip_prefix("dt=")?.strip_suffix("/symlink.txt")?;
    let split = has_form(stamp, "0000-00-00-00-00").then(|| stamp.split_at(10))?;
    Some(format!("{}T{}Z", split.0, &split.1[1..]))
}

fn has_form(text: &str, form: &str) -> bool {
    let fits = |(byte, form): (u8, u8)| if form == b'0' { byte.is_ascii_digit() } else { byte == form };
    text.len() == form.len() && text.bytes().zip(form.bytes()).all(fits)
}

/// `<uuid>.csv.gz` and the like, inside an envelope or not.
fn is_data_file(name: &str) -> bool {
    let name = name.strip_suffix(ENVELOPE_SUFFIX).unwrap_or(name);
    let stem = DATA_ENDINGS.iter().find_map(|ending| name.strip_suffix(ending));
    stem.is_some_and(|stem| Uuid::try_parse(stem).is_ok())
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn names_of_the_layout_are_known_from_others() {
        assert!(is_stamp("2026-11-22T01-00Z") && !is_stamp("2026-11-22T01-00") && !is_stamp("journal"));
        assert_eq!(hive_stamp("dt=2026-11-22-01-00/symlink.txt").as_deref(), Some("2026-11-22T01-00Z"));
        assert_eq!(hive_stamp("dt=2026-11-22/symlink.txt"), None);
        let id = "0b78c0e2-b2c6-5a8d-8011-648fe579c008";
        assert!(is_data_file(&format!("{id}.csv.gz")) && is_data_file(&format!("{id}.orc.enc")));
        for name in ["notes.txt", "x.parquet", &format!("{id}.zip"), &format!("more/{id}.orc"), id] {
            assert!(!is_data_file(name), "{name}");
        }
    }
}
