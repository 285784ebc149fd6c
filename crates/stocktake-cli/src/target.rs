//! Where a report goes, seen from the source: the bucket that a directory stands for, and what must not be listed.

use crate::{
    args::ToArgs,
    exit::Failure,
    source_text::{CloudText, DestinationText, S3Text},
};
use std::{
    ffi::OsStr,
    path::{Component, Path, PathBuf},
};
use stocktake::{
    BucketName, ConfigurationId, Destination, DestinationPrefix, ReportKey, destinations::LocalDestination,
};

/// A destination, and what is said of it.
pub(crate) struct Target {
    destination: Box<dyn Destination>,
    root: Root,
    left_behind: Box<dyn Fn() -> Vec<String>>,
}

enum Root {
    Directory(PathBuf),
    /// Scheme and name of a bucket.
    Bucket(String),
}

impl Target {
    /// A directory that stands for the root of a bucket.
    pub(crate) fn of_directory(destination: LocalDestination) -> Self {
        let root = Root::Directory(destination.root().to_owned());
        Self { destination: Box::new(destination), root, left_behind: Box::new(Vec::new) }
    }

    /// A bucket by its address; `left_behind` names what could not be taken away again.
    #[cfg_attr(not(any(feature = "clouds", feature = "s3")), expect(dead_code, reason = "there are no buckets"))]
    pub(crate) fn of_bucket(
        destination: Box<dyn Destination>,
        address: String,
        left_behind: Box<dyn Fn() -> Vec<String>>,
    ) -> Self {
        Self { destination, root: Root::Bucket(address), left_behind }
    }

    pub(crate) fn destination(&self) -> &dyn Destination {
        &*self.destination
    }

    /// Where an object is, for those who look for it. A path that is not UTF-8 has no form in JSON; the key is exact.
    pub(crate) fn place(&self, key: &ReportKey) -> String {
        match &self.root {
            Root::Directory(root) => root.join(key.as_str()).to_string_lossy().into_owned(),
            Root::Bucket(address) => format!("{address}/{key}"),
        }
    }

    pub(crate) fn left_behind(&self) -> Vec<String> {
        (self.left_behind)()
    }
}

/// Bucket and prefix of the destination.
///
/// # Errors
/// If what names them contradicts itself, or a directory names no bucket.
pub(crate) fn bucket_and_prefix(to: &ToArgs) -> Result<(BucketName, DestinationPrefix), Failure> {
    let (bucket, prefix) = match (&to.destination, &to.destination_bucket) {
        (DestinationText::S3(S3Text { bucket, prefix }), _) => (bucket, prefix),
        (DestinationText::Cloud(CloudText { bucket, prefix, .. }), _) => (bucket, prefix),
        (DestinationText::Directory(_), Some(bucket)) => return Ok((bucket.clone(), to.destination_prefix.clone())),
        (DestinationText::Directory(path), None) => {
            return Ok((bucket_of(path, "--destination-bucket")?, to.destination_prefix.clone()));
        }
    };
    if let Some(other) = to.destination_bucket.as_ref().filter(|other| *other != bucket) {
        return Err(Failure::usage(format!("the destination bucket is {bucket} and {other} at once")));
    }
    let prefix = DestinationPrefix::try_new(&**prefix).map_err(|error| Failure::usage(error.to_string()))?;
    let other = &to.destination_prefix;
    match (prefix.as_str(), other.as_str()) {
        ("", _) => Ok((bucket.clone(), other.clone())),
        (one, two) if two.is_empty() || one == two => Ok((bucket.clone(), prefix)),
        (one, two) => Err(Failure::usage(format!("the destination's prefix is {one:?} and {two:?} at once"))),
    }
}

/// The bucket that a directory stands for: its last component.
///
/// # Errors
/// If that is no name of a bucket; `option` is what names one instead.
pub(crate) fn bucket_of(directory: &Path, option: &str) -> Result<BucketName, Failure> {
    // A path like `.` or `..` has no name of its own.
    let resolved = if directory.file_name().is_none() { resolved(directory) } else { directory.to_owned() };
    let name = resolved.file_name().and_then(OsStr::to_str).unwrap_or_default();
    BucketName::try_new(name).map_err(|error| {
        let text = format!("{} does not name a bucket: {error}; name it with {option}", directory.display());
        Failure::usage(text)
    })
}

/// The folder that a walk of `source` leaves out so that no report lists itself or its forerunners.
///
/// That is the whole destination if it lies below the source. A destination that is the source, or holds it, cannot be
/// left out whole: only the folder of this configuration's reports is.
pub(crate) fn excluded(
    source: &Path,
    destination: &Path,
    prefix: &DestinationPrefix,
    bucket: &BucketName,
    id: &ConfigurationId,
) -> PathBuf {
    let (source, root) = (resolved(source), resolved(destination));
    if root != source && root.starts_with(&source) {
        return root;
    }
    root.join(prefix.as_str()).join(bucket.as_str()).join(id.as_str())
}

/// The path without symbolic links, `.` and `..`, as far as it exists; the rest as it is spelled.
pub(crate) fn resolved(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut resolved = PathBuf::new();
    for component in absolute.components() {
        match component {
            Component::ParentDir => {
                resolved.pop();
            }
            component => {
                resolved.push(component);
                // What does not exist, or cannot be looked at, has no other spelling that is known.
                resolved = resolved.canonicalize().unwrap_or(resolved);
            }
        }
    }
    resolved
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn left_out(source: &Path, destination: &Path) -> PathBuf {
        let prefix = DestinationPrefix::try_new("p").unwrap();
        let (bucket, id) = (BucketName::try_new("b").unwrap(), ConfigurationId::try_new("id").unwrap());
        excluded(source, destination, &prefix, &bucket, &id)
    }

    #[test]
    fn a_destination_below_the_source_is_left_out_whole() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("s/d")).unwrap();
        assert_eq!(left_out(&root.join("s"), &root.join("s/d")), root.join("s/d"));
        assert_eq!(left_out(&root.join("s"), &root.join("s/not/yet")), root.join("s/not/yet"));
        assert_eq!(left_out(&root.join("s"), &root.join("x/../s/d/.")), root.join("s/d"));
    }

    #[test]
    fn a_destination_that_is_or_holds_the_source_is_left_out_in_part() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("s")).unwrap();
        assert_eq!(left_out(&root.join("s"), &root.join("s")), root.join("s/p/b/id"));
        assert_eq!(left_out(&root.join("s"), &root), root.join("p/b/id"));
        // A folder beside the source whose name begins like the source's is not below it.
        assert_eq!(left_out(&root.join("s"), &root.join("s2")), root.join("s2/p/b/id"));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_seen_through() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("s")).unwrap();
        std::os::unix::fs::symlink(root.join("s"), root.join("link")).unwrap();
        assert_eq!(left_out(&root.join("s"), &root.join("link/d")), root.join("s/d"));
    }

    #[test]
    fn a_directory_names_a_bucket() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("photos")).unwrap();
        let name = |path: PathBuf| bucket_of(&path, "--bucket").map(|bucket| bucket.to_string());
        assert_eq!(name(folder.path().join("photos")).unwrap(), "photos");
        assert_eq!(name(folder.path().join("photos/.")).unwrap(), "photos");
        assert_eq!(name(folder.path().join("photos/x/..")).unwrap(), "photos");
        assert!(name(folder.path().join("a b")).is_err());
        assert!(name("/".into()).is_err());
    }
}
