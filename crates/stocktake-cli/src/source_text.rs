//! What `--source`, `--destination` and the names of manifests say, taken apart. Nothing here opens anything.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};
use stocktake::{BucketName, ReportKey, sources::SyntheticSource};

/// A source as the user names it.
#[derive(Clone, Debug)]
pub(crate) enum SourceText {
    /// A directory.
    Directory(PathBuf),
    /// `ndjson:FILE`.
    NdjsonFile(PathBuf),
    /// `ndjson:-`.
    NdjsonStdin,
    /// `csv:FILE`.
    CsvFile(PathBuf),
    /// `csv:-`.
    CsvStdin,
    /// `arrow:FILE`.
    ArrowFile(PathBuf),
    /// `inventory:MANIFEST`.
    Inventory(ManifestText),
    /// `synthetic:rows=N,..`.
    Synthetic(Box<SyntheticSource>),
    /// `s3://bucket/prefix`.
    S3(S3Text),
}

/// One of the clouds that are no S3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cloud {
    /// Google Cloud Storage, `gs://`.
    Google,
    /// Azure Blob Storage, `az://`.
    Azure,
}

/// A bucket or container of a cloud and a prefix in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CloudText {
    pub(crate) cloud: Cloud,
    pub(crate) bucket: BucketName,
    pub(crate) prefix: String,
}

impl CloudText {
    /// The address without the prefix.
    pub(crate) fn address(&self) -> String {
        let scheme = match self.cloud {
            Cloud::Google => "gs",
            Cloud::Azure => "az",
        };
        format!("{scheme}://{}", self.bucket)
    }
}

/// A bucket and a prefix in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct S3Text {
    pub(crate) bucket: BucketName,
    pub(crate) prefix: String,
}

/// A destination as the user names it.
#[derive(Clone, Debug)]
pub(crate) enum DestinationText {
    /// A directory that stands for the root of a bucket.
    Directory(PathBuf),
    /// `s3://bucket/prefix`.
    S3(S3Text),
    /// `gs://bucket/prefix` or `az://container/prefix`.
    Cloud(CloudText),
}

impl DestinationText {
    /// Takes a destination's text apart.
    ///
    /// # Errors
    /// As [`SourceText::parse`].
    pub(crate) fn parse(text: OsString) -> Result<Self, String> {
        match (s3(&text), cloud(&text)) {
            (Some(bucket), _) => bucket.map(Self::S3),
            (None, Some(bucket)) => bucket.map(Self::Cloud),
            (None, None) => directory(text).map(Self::Directory),
        }
    }

    /// The directory, if it is one.
    pub(crate) fn directory(&self) -> Option<&Path> {
        match self {
            Self::Directory(path) => Some(path),
            Self::S3(_) | Self::Cloud(_) => None,
        }
    }
}

/// A report's manifest as the user names it.
#[derive(Clone, Debug)]
pub(crate) enum ManifestText {
    /// A path.
    Path(PathBuf),
    /// `s3://bucket/key`.
    S3 { bucket: BucketName, key: ReportKey },
    /// `gs://bucket/key` or `az://container/key`; the text has no prefix.
    Cloud { bucket: CloudText, key: ReportKey },
}

impl ManifestText {
    /// Takes a manifest's name apart.
    ///
    /// # Errors
    /// If it is empty, or names a service that is not known, a bucket without a key, or what can be no key of a report.
    pub(crate) fn parse(text: OsString) -> Result<Self, String> {
        let key = |prefix: String| {
            if prefix.is_empty() || prefix.ends_with('/') {
                return Err(format!("the key of the manifest is missing; it ends in manifest.json: {prefix:?}"));
            }
            ReportKey::try_foreign(prefix).map_err(|error| error.to_string())
        };
        match (s3(&text), cloud(&text)) {
            (Some(address), _) => {
                let S3Text { bucket, prefix } = address?;
                Ok(Self::S3 { bucket, key: key(prefix)? })
            }
            (None, Some(address)) => {
                let mut bucket = address?;
                let key = key(std::mem::take(&mut bucket.prefix))?;
                Ok(Self::Cloud { bucket, key })
            }
            (None, None) if text.to_string_lossy().contains("://") => Err(UNKNOWN_SERVICE.to_owned()),
            (None, None) => file(text).map(Self::Path),
        }
    }
}

/// What stands behind `s3://`, taken apart; `None` if the text does not begin so.
fn s3(text: &OsString) -> Option<Result<S3Text, String>> {
    let rest = after(text, "s3://")?;
    let Some(rest) = rest.to_str() else { return Some(Err("a prefix in a bucket is UTF-8".to_owned())) };
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let bucket = BucketName::try_new(bucket).map_err(|error| error.to_string());
    Some(bucket.map(|bucket| S3Text { bucket, prefix: prefix.to_owned() }))
}

/// What stands behind `gs://` or `az://`, taken apart; `None` if the text does not begin so.
fn cloud(text: &OsString) -> Option<Result<CloudText, String>> {
    let (cloud, rest) = match (after(text, "gs://"), after(text, "az://")) {
        (Some(rest), _) => (Cloud::Google, rest),
        (None, Some(rest)) => (Cloud::Azure, rest),
        (None, None) => return None,
    };
    let Some(rest) = rest.to_str() else { return Some(Err("a prefix in a bucket is UTF-8".to_owned())) };
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let bucket = BucketName::try_new(bucket).map_err(|error| error.to_string());
    Some(bucket.map(|bucket| CloudText { cloud, bucket, prefix: prefix.to_owned() }))
}

impl SourceText {
    /// Takes a source's text apart: a known scheme and what it says, or else a directory.
    ///
    /// # Errors
    /// Says what is wrong with a synthetic source's parameters, that a file's name is missing, or that a service is
    /// named, which a directory of that name would silently stand in for.
    pub(crate) fn parse(text: OsString) -> Result<Self, String> {
        if let Some(path) = after(&text, "ndjson:") {
            let path = file(path)?;
            return Ok(if path.as_os_str() == "-" { Self::NdjsonStdin } else { Self::NdjsonFile(path) });
        }
        if let Some(path) = after(&text, "csv:") {
            let path = file(path)?;
            return Ok(if path.as_os_str() == "-" { Self::CsvStdin } else { Self::CsvFile(path) });
        }
        if let Some(path) = after(&text, "arrow:") {
            return file(path).map(Self::ArrowFile);
        }
        if let Some(path) = after(&text, "inventory:") {
            return ManifestText::parse(path).map(Self::Inventory);
        }
        if let Some(parameters) = after(&text, "synthetic:") {
            let source = parameters.to_string_lossy().parse::<SyntheticSource>();
            return source.map(|source| Self::Synthetic(Box::new(source))).map_err(|error| error.to_string());
        }
        match s3(&text) {
            Some(bucket) => bucket.map(Self::S3),
            None if cloud(&text).is_some() => Err(
                "gs:// and az:// are where reports go and are read (inventory:gs://..); a listing of such a bucket is a source as ndjson:FILE or csv:FILE"
                    .to_owned(),
            ),
            None => directory(text).map(Self::Directory),
        }
    }

    /// Whether the source is standard input, which can be read only once.
    pub(crate) fn is_stdin(&self) -> bool {
        matches!(self, Self::NdjsonStdin | Self::CsvStdin)
    }

    /// What messages call this kind of source.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Directory(_) => "a directory",
            Self::NdjsonFile(_) => "an NDJSON file",
            Self::NdjsonStdin => "NDJSON on standard input",
            Self::CsvFile(_) => "a CSV file",
            Self::CsvStdin => "CSV on standard input",
            Self::ArrowFile(_) => "an Arrow file",
            Self::Inventory(_) => "a report",
            Self::Synthetic(_) => "a synthetic source",
            Self::S3(_) => "a bucket",
        }
    }
}

/// Said of an address whose scheme is not known.
const UNKNOWN_SERVICE: &str =
    "of services this version knows s3://, gs:// and az://; a path of this name is written with `./` before it";

/// A path of a directory, unless it looks like the address of a service.
///
/// # Errors
/// Names the spelling that a directory of such a name needs.
pub(crate) fn directory(text: OsString) -> Result<PathBuf, String> {
    if text.is_empty() {
        return Err("the name of the directory is empty".to_owned());
    }
    if text.to_string_lossy().contains("://") {
        return Err(UNKNOWN_SERVICE.to_owned());
    }
    Ok(text.into())
}

fn file(path: OsString) -> Result<PathBuf, String> {
    if path.is_empty() { Err("the name of the file is missing".to_owned()) } else { Ok(path.into()) }
}

#[cfg(unix)]
fn after(text: &OsString, scheme: &str) -> Option<OsString> {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    text.as_bytes().strip_prefix(scheme.as_bytes()).map(|rest| OsString::from_vec(rest.to_vec()))
}

#[cfg(not(unix))]
fn after(text: &OsString, scheme: &str) -> Option<OsString> {
    text.to_str()?.strip_prefix(scheme).map(OsString::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<SourceText, String> {
        SourceText::parse(text.into())
    }

    #[test]
    fn schemes_are_told_from_directories() {
        assert!(matches!(parsed("ndjson:-"), Ok(SourceText::NdjsonStdin)));
        assert!(matches!(parsed("ndjson:a:b"), Ok(SourceText::NdjsonFile(path)) if path.as_os_str() == "a:b"));
        assert!(matches!(parsed("csv:-"), Ok(SourceText::CsvStdin)));
        assert!(matches!(parsed("csv:x"), Ok(SourceText::CsvFile(path)) if path.as_os_str() == "x"));
        assert!(matches!(parsed("arrow:x"), Ok(SourceText::ArrowFile(path)) if path.as_os_str() == "x"));
        assert!(matches!(
            parsed("inventory:x/m.json"),
            Ok(SourceText::Inventory(ManifestText::Path(path))) if path.as_os_str() == "x/m.json"
        ));
        assert!(matches!(parsed("synthetic:rows=5"), Ok(SourceText::Synthetic(_))));
        assert!(matches!(parsed("odd:name"), Ok(SourceText::Directory(path)) if path.as_os_str() == "odd:name"));
        assert!(matches!(parsed("./ndjson:x"), Ok(SourceText::Directory(_))));
    }

    #[test]
    fn buckets_are_taken_apart() {
        let text = |bucket: &str, prefix: &str| S3Text {
            bucket: BucketName::try_new(bucket).unwrap(),
            prefix: prefix.to_owned(),
        };
        assert!(matches!(parsed("s3://b"), Ok(SourceText::S3(found)) if found == text("b", "")));
        assert!(matches!(parsed("s3://b//a/"), Ok(SourceText::S3(found)) if found == text("b", "/a/")));
        let destination = DestinationText::parse("s3://b/p".into());
        assert!(matches!(destination, Ok(DestinationText::S3(found)) if found == text("b", "p")));
        assert!(DestinationText::parse("./s3".into()).unwrap().directory().is_some());
        let destination = DestinationText::parse("az://c/p/q".into());
        assert!(
            matches!(destination, Ok(DestinationText::Cloud(found)) if found.address() == "az://c" && found.prefix == "p/q")
        );
    }

    #[test]
    fn manifests_are_paths_or_objects() {
        let parsed = |text: &str| ManifestText::parse(text.into());
        assert!(matches!(parsed("a/manifest.json"), Ok(ManifestText::Path(_))));
        assert!(matches!(
            parsed("s3://b/p/manifest.json"),
            Ok(ManifestText::S3 { bucket, key }) if bucket.as_str() == "b" && key.as_str() == "p/manifest.json"
        ));
        assert!(matches!(
            parsed("gs://b/p/manifest.json"),
            Ok(ManifestText::Cloud { bucket, key }) if bucket.address() == "gs://b" && key.as_str() == "p/manifest.json"
        ));
        // As S3 writes it where a prefix ends in a slash.
        assert!(matches!(
            parsed("s3://b/p//manifest.json"),
            Ok(ManifestText::S3 { key, .. }) if key.as_str() == "p//manifest.json"
        ));
        for text in ["", "s3://b", "gs://b/", "az://", "s3://b/", "s3://b/p/", "http://b/manifest.json"] {
            assert!(parsed(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_names_nothing_is_refused() {
        for text in [
            "",
            "ndjson:",
            "csv:",
            "arrow:",
            "inventory:",
            "synthetic:",
            "synthetic:rows=x",
            "s3://",
            "s3:///a",
            "gs://b",
        ] {
            assert!(parsed(text).is_err(), "{text}");
        }
    }
}
