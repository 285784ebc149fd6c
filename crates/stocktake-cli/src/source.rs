//! From what `--source` and its options say to a source that can be read.
//!
//! An option that means nothing to the source given is refused: it would be obeyed in the user's mind only.

use crate::{
    args::{FromArgs, GenerateArgs, S3Args, ToArgs},
    choices::{BadEntriesChoice, ChangeChoice, ETagChoice, SymlinksChoice, UnsortedChoice, VersionsChoice},
    exit::{Failure, say},
    machine, report, s3,
    source_text::SourceText,
    target,
};
use std::{num::NonZeroUsize, path::Path};
use stocktake::{
    BucketName, Field, FieldSelection, FieldSet, ObjectSource, SourceError,
    sources::{
        ArrowFileSource, BadEntries, CsvForm, DirectorySource, ETagSource, JsonListing, ListingSource, NdjsonSource,
        SortedSource, Symlinks,
    },
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
        SourceText::NdjsonFile(_)
            | SourceText::NdjsonStdin
            | SourceText::CsvFile(_)
            | SourceText::CsvStdin
            | SourceText::ArrowFile(_)
            | SourceText::Inventory(_)
    );
    let table = matches!(from.source, SourceText::CsvFile(_) | SourceText::CsvStdin);
    let bucket = matches!(from.source, SourceText::S3(_));
    let reread = !from.source.is_stdin();
    let sorts = from.unsorted == Some(UnsortedChoice::Sort);
    let options = [
        ("--on-bad-entry", from.on_bad_entry.is_some(), directory),
        ("--etag", from.etag.is_some(), directory),
        ("--symlinks", from.symlinks.is_some(), directory),
        ("--temp-dir", from.temp_dir.is_some(), directory || sorts || bucket),
        ("--enrich", from.enrich.is_some(), bucket),
        ("--cross-check", from.cross_check, bucket),
        ("--unsorted", from.unsorted.is_some(), file),
        ("--columns", from.columns.is_some(), table),
        ("--header", from.header, table),
        ("--delimiter", from.delimiter.is_some(), table),
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
pub(crate) fn bucket(from: &FromArgs, s3: &S3Args) -> Result<BucketName, Failure> {
    let unnamed = || Failure::usage(format!("--bucket is needed: {} does not name a bucket", from.source.kind()));
    match (&from.bucket, &from.source) {
        (Some(bucket), _) => Ok(bucket.clone()),
        (None, SourceText::Directory(path)) => target::bucket_of(&target::resolved(path), "--bucket"),
        (None, SourceText::Inventory(manifest)) => {
            let report = report::open(manifest, None, s3, NonZeroUsize::MIN)?;
            let name = report.manifest().source_bucket.as_str();
            BucketName::try_new(name).map_err(|error| Failure::failed("the report's source bucket has no name", &error))
        }
        (None, SourceText::S3(text)) => Ok(text.bucket.clone()),
        (None, SourceText::NdjsonFile(path)) => match JsonListing::try_open(path).map_err(unreadable)? {
            JsonListing::Foreign(source) => named_in(&source).unwrap_or_else(|| Err(unnamed())),
            JsonListing::Ndjson(_) => Err(unnamed()),
        },
        (None, SourceText::CsvFile(path)) => {
            let source = ListingSource::try_open_csv(path, csv_form(from)).map_err(unreadable)?;
            named_in(&source).unwrap_or_else(|| Err(unnamed()))
        }
        (None, SourceText::Synthetic(_)) => BucketName::try_new(SYNTHETIC_BUCKET).map_err(|_| unnamed()),
        (None, _) => Err(unnamed()),
    }
}

/// The bucket that a listing names.
fn named_in(source: &ListingSource) -> Option<Result<BucketName, Failure>> {
    let name = BucketName::try_new(source.bucket()?);
    Some(name.map_err(|error| Failure::failed("the bucket that the listing names has no name of one", &error)))
}

fn unreadable(error: SourceError) -> Failure {
    Failure::failed("reading the source failed", &error)
}

/// The source, ready to be planned and read.
///
/// # Errors
/// If a file cannot be opened, or its front is malformed.
pub(crate) fn open(args: &GenerateArgs, bucket: &BucketName) -> Result<Box<dyn ObjectSource>, Failure> {
    let from = &args.from;
    Ok(match &from.source {
        SourceText::Directory(path) => Box::new(directory(path, from, &args.to, bucket)),
        SourceText::NdjsonFile(path) => json(JsonListing::try_open(path).map_err(unreadable)?, args),
        SourceText::NdjsonStdin => {
            let source = JsonListing::try_from_reader("standard input", std::io::stdin());
            json(source.map_err(unreadable)?, args)
        }
        SourceText::CsvFile(path) => {
            let source = ListingSource::try_open_csv(path, csv_form(from)).map_err(unreadable)?;
            in_order(listing(source, args), from)
        }
        SourceText::CsvStdin => {
            let source = ListingSource::try_csv_from_reader("standard input", std::io::stdin(), csv_form(from));
            in_order(listing(source.map_err(unreadable)?, args), from)
        }
        SourceText::ArrowFile(path) => in_order(ArrowFileSource::try_open(path).map_err(unreadable)?, from),
        SourceText::Inventory(manifest) => {
            let threads = args.run.threads.unwrap_or_else(machine::threads);
            let opened = report::open(manifest, None, &args.s3, threads)?;
            let unknown: Vec<_> = opened.unknown_columns().collect();
            if !unknown.is_empty() {
                say(&format!("note: left out, for they are no known columns: {}", unknown.join(", ")));
            }
            match &from.since {
                Some(older) => {
                    let older = report::open(older, None, &args.s3, threads)?;
                    Box::new(changes(older, opened, from)?)
                }
                None => in_order(InventorySource::new(opened), from),
            }
        }
        SourceText::Synthetic(source) => source.clone(),
        SourceText::S3(text) => s3::source(args, text)?.0,
    })
}

/// A file's rows as they come, or sorted if that is asked for.
fn in_order(source: impl ObjectSource + 'static, from: &FromArgs) -> Box<dyn ObjectSource> {
    if from.unsorted != Some(UnsortedChoice::Sort) {
        return Box::new(source);
    }
    let sorted = SortedSource::new(source);
    Box::new(match &from.temp_dir {
        Some(folder) => sorted.with_temp_dir(folder),
        None => sorted,
    })
}

fn json(listing_found: JsonListing, args: &GenerateArgs) -> Box<dyn ObjectSource> {
    match listing_found {
        JsonListing::Ndjson(source) => in_order(listing(source, args), &args.from),
        JsonListing::Foreign(source) => {
            let source = match &args.from.temp_dir {
                Some(folder) => source.with_temp_dir(folder),
                None => source,
            };
            in_order(listing(source, args), &args.from)
        }
    }
}

fn csv_form(from: &FromArgs) -> CsvForm {
    let form = from.columns.iter().fold(CsvForm::default(), |form, columns| form.with_columns(columns));
    let form = if from.header { form.with_header() } else { form };
    from.delimiter.into_iter().fold(form, CsvForm::with_delimiter)
}

/// What changed between two reports.
fn changes(old: Report, new: Report, from: &FromArgs) -> Result<ChangesSource, Failure> {
    if matches!(from.unsorted, Some(UnsortedChoice::Allow | UnsortedChoice::Sort)) {
        return Err(Failure::usage("--since needs sorted reports, which --unsorted allow or sort does not ask for"));
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
fn listing<S: Listing>(source: S, args: &GenerateArgs) -> S {
    let first_lines = source.provides();
    let versioned = !first_lines.intersection(FieldSet::VERSION_FIELDS).is_empty();
    let versions = match args.content.versions {
        VersionsChoice::All if !versioned => FieldSet::EMPTY,
        VersionsChoice::All | VersionsChoice::Current => source.version_fields(),
    };
    let others = |fields: FieldSet| fields.difference(FieldSet::VERSION_FIELDS);
    match args.content.fields {
        FieldSelection::All => source.with_more_fields(others(Field::all().collect()).union(versions)),
        FieldSelection::Named(fields) => source.with_fields(first_lines.union(others(fields)).union(versions)),
        _ => source.with_more_fields(versions),
    }
}

/// A source that knows its fields by its front.
trait Listing: ObjectSource + Sized {
    /// What tells current versions from others, where it may come behind the front.
    fn version_fields(&self) -> FieldSet;
    fn with_fields(self, fields: FieldSet) -> Self;
    fn with_more_fields(self, fields: FieldSet) -> Self;
}

impl Listing for NdjsonSource {
    fn version_fields(&self) -> FieldSet {
        FieldSet::VERSION_FIELDS
    }

    fn with_fields(self, fields: FieldSet) -> Self {
        Self::with_fields(self, fields)
    }

    fn with_more_fields(self, fields: FieldSet) -> Self {
        Self::with_more_fields(self, fields)
    }
}

impl Listing for ListingSource {
    /// The listings of other programs have versions from the front on or not at all.
    fn version_fields(&self) -> FieldSet {
        self.provides().intersection(FieldSet::VERSION_FIELDS)
    }

    fn with_fields(self, fields: FieldSet) -> Self {
        Self::with_fields(self, fields)
    }

    fn with_more_fields(self, fields: FieldSet) -> Self {
        Self::with_more_fields(self, fields)
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
