//! From what `--source` and its options say to a source that can be read.
//!
//! An option that means nothing to the source given is refused: it would be obeyed in the user's mind only.

use crate::{
    args::{FromArgs, GenerateArgs, ToArgs},
    choices::{BadEntriesChoice, ChangeChoice, ETagChoice, SymlinksChoice, UnsortedChoice, VersionsChoice},
    exit::Failure,
    report, s3,
    source_text::SourceText,
    target,
};
use std::path::Path;
use stocktake::{
    BucketName, Field, FieldSelection, FieldSet, ObjectSource, SourceError,
    sources::{ArrowFileSource, BadEntries, DirectorySource, ETagSource, NdjsonSource, Symlinks},
};
use stocktake_reader::{ChangeKinds, ChangesSource, InventorySource, Report};

/// The bucket of a synthetic source that is not named.
const SYNTHETIC_BUCKET: &str = "synthetic";

/// Checks that every option given means something to the source.
///
/// # Errors
/// Names the first that does not.
pub(crate) fn check_options(from: &FromArgs) -> Result<(), Failure> {
    let directory = matches!(from.source, SourceText::Directory(_));
    let file = matches!(
        from.source,
        SourceText::NdjsonFile(_) | SourceText::NdjsonStdin | SourceText::ArrowFile(_) | SourceText::Inventory(_)
    );
    let bucket = matches!(from.source, SourceText::S3(_));
    let reread = !matches!(from.source, SourceText::NdjsonStdin);
    let options = [
        ("--on-bad-entry", from.on_bad_entry.is_some(), directory),
        ("--etag", from.etag.is_some(), directory),
        ("--symlinks", from.symlinks.is_some(), directory),
        ("--temp-dir", from.temp_dir.is_some(), directory),
        ("--enrich", from.enrich.is_some(), bucket),
        ("--cross-check", from.cross_check, bucket),
        ("--unsorted", from.unsorted.is_some(), file),
        ("--check-order", from.check_order, reread),
        ("--since", from.since.is_some(), matches!(from.source, SourceText::Inventory(_))),
    ];
    match options.into_iter().find(|(_, given, applies)| *given && !applies) {
        Some((name, ..)) => Err(Failure::usage(format!("{name} does not apply to {}", from.source.kind()))),
        None => Ok(()),
    }
}

/// The bucket that the report is of.
///
/// # Errors
/// If it is not named and the source has no name for it.
pub(crate) fn bucket(from: &FromArgs) -> Result<BucketName, Failure> {
    let unnamed = || Failure::usage(format!("--bucket is needed: {} does not name a bucket", from.source.kind()));
    match (&from.bucket, &from.source) {
        (Some(bucket), _) => Ok(bucket.clone()),
        (None, SourceText::Directory(path)) => target::bucket_of(&target::resolved(path), "--bucket"),
        (None, SourceText::Inventory(path)) => {
            let report = report::open(path, None)?;
            let name = report.manifest().source_bucket.as_str();
            BucketName::try_new(name).map_err(|error| Failure::failed("the report's source bucket has no name", &error))
        }
        (None, SourceText::S3(text)) => Ok(text.bucket.clone()),
        (None, SourceText::Synthetic(_)) => BucketName::try_new(SYNTHETIC_BUCKET).map_err(|_| unnamed()),
        (None, _) => Err(unnamed()),
    }
}

/// The source, ready to be planned and read.
///
/// # Errors
/// If a file cannot be opened, or its front is malformed.
pub(crate) fn open(args: &GenerateArgs, bucket: &BucketName) -> Result<Box<dyn ObjectSource>, Failure> {
    let unreadable = |error: SourceError| Failure::failed("reading the source failed", &error);
    Ok(match &args.from.source {
        SourceText::Directory(path) => Box::new(directory(path, &args.from, &args.to, bucket)),
        SourceText::NdjsonFile(path) => Box::new(listing(NdjsonSource::try_open(path).map_err(unreadable)?, args)),
        SourceText::NdjsonStdin => {
            let source = NdjsonSource::try_from_reader("standard input", std::io::stdin());
            Box::new(listing(source.map_err(unreadable)?, args))
        }
        SourceText::ArrowFile(path) => Box::new(ArrowFileSource::try_open(path).map_err(unreadable)?),
        SourceText::Inventory(path) => {
            let opened = report::open(path, None)?;
            match &args.from.since {
                Some(older) => Box::new(changes(report::open(older, None)?, opened, &args.from)?),
                None => Box::new(InventorySource::new(opened)),
            }
        }
        SourceText::Synthetic(source) => source.clone(),
        SourceText::S3(text) => s3::source(args, text)?,
    })
}

/// What changed between two reports.
fn changes(old: Report, new: Report, from: &FromArgs) -> Result<ChangesSource, Failure> {
    if from.unsorted == Some(UnsortedChoice::Allow) {
        return Err(Failure::usage("--since needs sorted reports, which --unsorted allow does not ask for"));
    }
    let source = ChangesSource::new(old, new);
    Ok(match &from.changes {
        None => source,
        Some(kinds) => {
            let takes = |kind| kinds.contains(&kind);
            let (added, changed) = (takes(ChangeChoice::Added), takes(ChangeChoice::Changed));
            source.with_kinds(ChangeKinds::new(added, changed, takes(ChangeChoice::Removed)))
        }
    })
}

/// A listing knows its fields by its first lines. What is asked for by name, and what tells current versions from
/// others, is looked for in every line. Where nothing is asked for, a field that comes only later ends the run.
fn listing(source: NdjsonSource, args: &GenerateArgs) -> NdjsonSource {
    let first_lines = source.provides();
    let versioned = !first_lines.intersection(FieldSet::VERSION_FIELDS).is_empty();
    let versions = match args.content.versions {
        VersionsChoice::All if !versioned => FieldSet::EMPTY,
        VersionsChoice::All | VersionsChoice::Current => FieldSet::VERSION_FIELDS,
    };
    let others = |fields: FieldSet| fields.difference(FieldSet::VERSION_FIELDS);
    match args.content.fields {
        FieldSelection::All => source.with_more_fields(others(Field::all().collect()).union(versions)),
        FieldSelection::Named(fields) => source.with_fields(first_lines.union(others(fields)).union(versions)),
        _ => source.with_more_fields(versions),
    }
}

fn directory(path: &Path, from: &FromArgs, to: &ToArgs, bucket: &BucketName) -> DirectorySource {
    let source = DirectorySource::new(path);
    let source = match to.destination.directory() {
        Some(folder) => source.with_excluded(target::excluded(path, folder, &to.destination_prefix, bucket, &to.id)),
        None => source,
    };
    let source = source
        .with_bad_entries(match from.on_bad_entry {
            Some(BadEntriesChoice::Skip) => BadEntries::Skip,
            Some(BadEntriesChoice::Fail) | None => BadEntries::Fail,
        })
        .with_e_tag(match from.etag {
            Some(ETagChoice::Md5) => ETagSource::ContentMd5,
            Some(ETagChoice::None) | None => ETagSource::None,
        })
        .with_symlinks(match from.symlinks {
            Some(SymlinksChoice::Follow) => Symlinks::Follow,
            Some(SymlinksChoice::Skip) | None => Symlinks::Skip,
        });
    match &from.temp_dir {
        Some(folder) => source.with_temp_dir(folder),
        None => source,
    }
}
