//! From the name of a manifest to a report that can be read: below a folder, or in a bucket.

use crate::{
    args::S3Args,
    clouds,
    exit::Failure,
    s3,
    source_text::{ManifestText, S3Text},
};
use std::{error::Error, num::NonZeroUsize, path::Path, sync::Arc};
use stocktake::{LocalReport, ManifestLocation, ReportKey, ReportStore};
use stocktake_reader::Report;

/// Where a report was found.
pub(crate) enum Found {
    /// Below a folder.
    Local(Box<LocalReport>),
    /// In a bucket, whose objects are those of one moment each.
    Bucket {
        /// Scheme and name of the bucket, `s3://reports`.
        address: String,
        /// The same as engines of the Hadoop family have it.
        hadoop_address: String,
        store: Arc<dyn ReportStore>,
        manifest: ReportKey,
    },
}

impl Found {
    /// Finds the report of a manifest; data files are below `root` or, without it, where [`LocalReport::find`] finds them. In a
    /// bucket they are where the manifest's keys say. `threads` is how many threads read.
    ///
    /// # Errors
    /// If there is no manifest at the path, or the bucket cannot be reached as the arguments say.
    pub(crate) fn find(
        manifest: &ManifestText,
        root: Option<&Path>,
        s3: &S3Args,
        threads: NonZeroUsize,
    ) -> Result<Self, Failure> {
        match manifest {
            ManifestText::Path(path) => {
                let found = LocalReport::find(path, root).map_err(|error| Failure::of(&error))?;
                Ok(Self::Local(Box::new(found)))
            }
            ManifestText::S3 { .. } | ManifestText::Cloud { .. } if root.is_some() => {
                Err(Failure::usage("the root directory does not apply to a manifest in a bucket"))
            }
            ManifestText::S3 { bucket, key } => {
                let text = S3Text { bucket: bucket.clone(), prefix: String::new() };
                let (address, hadoop_address) = (format!("s3://{bucket}"), format!("s3a://{bucket}"));
                let store = s3::store(s3, &text, threads)?;
                Ok(Self::Bucket { address, hadoop_address, store, manifest: key.clone() })
            }
            ManifestText::Cloud { bucket, key } => {
                let (store, hadoop_address) = clouds::store(bucket, threads)?;
                Ok(Self::Bucket { address: bucket.address(), hadoop_address, store, manifest: key.clone() })
            }
        }
    }

    /// Where it is, for those who look at bytes.
    pub(crate) fn location(&self) -> ManifestLocation<'_> {
        match self {
            Self::Local(found) => found.location(),
            Self::Bucket { store, manifest, .. } => ManifestLocation::new(&**store, manifest.clone()),
        }
    }

    /// Opens it, for those who read rows.
    ///
    /// # Errors
    /// If it makes no report that can be read.
    pub(crate) fn open(&self) -> Result<Report, Failure> {
        let opened = match self {
            Self::Local(found) => {
                let store: Arc<dyn ReportStore> = Arc::new(found.store().clone());
                let files: Arc<dyn ReportStore> = Arc::new(found.files().clone());
                Report::open_with_files(&store, found.manifest(), &files)
            }
            Self::Bucket { store, manifest, .. } => Report::open(store, manifest),
        };
        opened.map_err(|error| self.failed(&error))
    }

    /// A failure of looking at it, which names its bucket.
    pub(crate) fn failed(&self, error: &dyn Error) -> Failure {
        match self {
            Self::Local(_) => Failure::failed("the report cannot be read", error),
            Self::Bucket { address, .. } => Failure::failed(&format!("the report in {address} cannot be read"), error),
        }
    }
}

/// Finds and opens the report of a manifest.
///
/// # Errors
/// As [`Found::find`] and [`Found::open`].
pub(crate) fn open(
    manifest: &ManifestText,
    root: Option<&Path>,
    s3: &S3Args,
    threads: NonZeroUsize,
) -> Result<Report, Failure> {
    Found::find(manifest, root, s3, threads)?.open()
}
