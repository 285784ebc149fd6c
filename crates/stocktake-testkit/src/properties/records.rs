//! What stands beside data files, damaged or altered: manifest, checksum, receipts and journal. It is refused, or what it
//! is taken for is the report that was written.

mod alteration;

use super::{
    expected::expected_rows,
    fault,
    reader::{harm, open, rows_in, verified, without_null},
    setup::{Setup, arbitrary_setup},
};
use crate::{
    destination::{FailingDestination, Fault, Operation},
    rows::Row,
    source::MemorySource,
};
use alteration::{alter, arbitrary_alterations};
use arbitrary::Unstructured;
use std::{io::Write, num::NonZeroUsize};
use stocktake::{
    Execution, GenerateOptions, ManifestLocation, Recovery, VerifyOptions, abandon, destinations::MemoryDestination,
    generate, verify,
};
use stocktake_core::{
    Destination, Existing, FileFormat, Manifest, ObjectAttributes, ReportKey, ReportLayout, checksum_text, md5_hex,
};

/// An object that is none of the report's.
const FOREIGN: &str = "Source.bucket_1/daily/data/foreign";

/// How an object is changed.
enum Change {
    /// Bytes, as a disk may do it.
    Bytes(Vec<(u16, u8)>),
    /// Members of its JSON, by someone who computes checksums anew.
    Members(Vec<(u16, u8)>),
    /// Other bytes altogether.
    Whole(Vec<u8>),
}

/// A published report one of whose objects beside the data files is changed: it cannot be opened, or verification finds a
/// fault, or rows and names are those that were written. A run whose journal is damaged: it cannot be continued, or is to
/// the same report. Whatever a journal says, what is abandoned leaves all else as it was.
///
/// # Errors
/// If something else is taken for the report, or an object of nobody's is touched.
pub fn records_are_true_or_refused(bytes: &[u8]) -> Result<(), String> {
    let mut u = Unstructured::new(bytes);
    let Ok(Some((setup, change, object, journal))) = arbitrary_case(&mut u) else { return Ok(()) };
    if journal { journaled_run(&setup, &change, object) } else { published_report(&setup, &change, object) }
}

fn arbitrary_case(u: &mut Unstructured<'_>) -> arbitrary::Result<Option<(Setup, Change, u8, bool)>> {
    let (kind, object): (u8, u8) = u.arbitrary()?;
    let journal = kind & 1 == 1;
    let change = match kind / 2 % 4 {
        0 => Change::Bytes(arbitrary_alterations(u)?),
        1 => {
            let length = u.int_in_range(0..=200)?.min(u.len());
            Change::Whole(u.bytes(length)?.to_vec())
        }
        _ => Change::Members(arbitrary_alterations(u)?),
    };
    let format = *u.choose(&[FileFormat::Csv, FileFormat::Csv, FileFormat::Orc, FileFormat::Parquet])?;
    Ok(arbitrary_setup(u, format)?.ok().map(|setup| (setup, change, object, journal)))
}

impl Change {
    /// The changed text; `sealed` says that its last line is the MD5 of the first.
    fn of(&self, text: &[u8], sealed: bool) -> Vec<u8> {
        match self {
            Self::Whole(bytes) => bytes.clone(),
            Self::Bytes(damage) => {
                let mut text = text.to_vec();
                harm(&mut text, damage);
                text
            }
            Self::Members(alterations) if sealed => {
                let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
                let altered = alter(line, alterations);
                let altered = altered.strip_suffix(b"\n").unwrap_or(&altered);
                [altered, b"\n", md5_hex(altered).as_bytes(), b"\n"].concat()
            }
            Self::Members(alterations) => alter(text, alterations),
        }
    }
}

fn published_report(setup: &Setup, change: &Change, object: u8) -> Result<(), String> {
    let destination = MemoryDestination::new();
    let source = MemorySource::new(setup.rows.clone(), setup.provides);
    // Rows that no report can hold are the business of another property.
    if generate(&source, &setup.spec, &destination, &GenerateOptions::default()).is_err() {
        return Ok(());
    }
    let layout = ReportLayout::new(&setup.spec);
    let names = names_in(&destination, &layout).ok_or("a report has no manifest")?;
    let objects = [layout.manifest(), layout.receipts(), layout.checksum(), layout.symlink(), layout.manifest()];
    let at = usize::from(object) % objects.len();
    let text = destination.get(&objects[at]).ok_or("an object is missing")?;
    let changed = change.of(&text, false);
    put(&destination, &objects[at], &changed)?;
    if at == 0 {
        put(&destination, &layout.checksum(), checksum_text(&changed).as_bytes())?;
    }
    if is_accepted(&destination, &layout)? {
        same_report(setup, &destination, &layout, &names)?;
    }
    Ok(())
}

fn journaled_run(setup: &Setup, change: &Change, object: u8) -> Result<(), String> {
    let destination = MemoryDestination::new();
    let source = MemorySource::new(setup.rows.clone(), setup.provides);
    let options = |recovery| {
        let threads = NonZeroUsize::MIN.saturating_add(1);
        GenerateOptions::new(Execution::default().with_threads(threads)).with_recovery(recovery)
    };
    // The bits that do not choose the object say how far the run gets.
    let number = 1 + u64::from(object / 8);
    let failing = FailingDestination::new(destination.clone(), Fault::Nth { operation: Operation::Publish, number });
    let foreign = ReportKey::try_new(FOREIGN).map_err(|error| fault("a key")(&error))?;
    put(&destination, &foreign, b"foreign")?;
    let layout = ReportLayout::new(&setup.spec);
    let ended = generate(&source, &setup.spec, &failing, &options(Recovery::Begin));
    let Some(begin) = destination.get(&layout.journal_begin()).filter(|_| ended.is_err()) else { return Ok(()) };
    let stored = destination.objects();
    let journal: Vec<&ReportKey> = stored.keys().filter(|key| key.as_str().starts_with(&layout.journal())).collect();
    let key = journal[usize::from(object) % journal.len()];
    let changed = change.of(&stored[key], true);
    let harmless = *changed == *stored[key];
    put(&destination, key, &changed)?;
    let resumed = generate(&source, &setup.spec, &destination, &options(Recovery::Resume));
    let is_whole = |destination: &MemoryDestination| destination.get(&foreign).as_deref() == Some(b"foreign");
    match resumed {
        // Who seals an altered journal anew tells of another run; damage is always seen.
        Ok(_) if matches!(change, Change::Members(_)) && !harmless => {}
        Ok(_) => {
            if !is_accepted(&destination, &layout)? {
                return Err(format!("a run is continued by a damaged journal ({key})"));
            }
            let names = names_in(&destination, &layout).ok_or("a report has no manifest")?;
            same_report(setup, &destination, &layout, &names)?;
        }
        Err(error) if harmless => return Err(format!("an unchanged journal is refused: {error}")),
        Err(_) => {
            let gone = abandon(&destination, layout.root(), None);
            let left = destination.objects();
            if gone.is_ok() && left.len() > 1 && *key != layout.journal_begin() {
                return Err(format!("an abandoned run leaves {:?}", left.keys()));
            }
        }
    }
    if begin.is_empty() || !is_whole(&destination) {
        return Err("an object of nobody's was touched".to_owned());
    }
    Ok(())
}

/// Keys of the data files that the manifest lists.
fn names_in(destination: &MemoryDestination, layout: &ReportLayout) -> Option<Vec<String>> {
    let manifest = Manifest::parse(&destination.get(&layout.manifest())?).ok()?;
    Some(manifest.files.into_iter().map(|file| file.key).collect())
}

/// Whether the report verifies, its bytes and its rows.
fn is_accepted(destination: &MemoryDestination, layout: &ReportLayout) -> Result<bool, String> {
    let location = ManifestLocation::new(destination, layout.manifest());
    let bytes = verify(&location, &VerifyOptions::new(NonZeroUsize::MIN));
    if !bytes.is_ok_and(|report| report.is_sound()) || open(destination, layout.manifest().as_str()).is_err() {
        return Ok(false);
    }
    Ok(verified(destination, layout.manifest().as_str())?.is_empty())
}

fn same_report(
    setup: &Setup,
    destination: &MemoryDestination,
    layout: &ReportLayout,
    names: &[String],
) -> Result<(), String> {
    let wanted: Vec<Row> = expected_rows(setup)?.into_iter().map(without_null).collect();
    let rows = rows_in(destination, layout.manifest().as_str()).map_err(|error| fault("a verified report")(&error))?;
    if rows != wanted {
        return Err(format!("{} rows are taken for a whole report of {}", rows.len(), wanted.len()));
    }
    let found = names_in(destination, layout).unwrap_or_default();
    if found == names { Ok(()) } else { Err(format!("the data files {found:?} are taken for {names:?}")) }
}

fn put(destination: &MemoryDestination, key: &ReportKey, bytes: &[u8]) -> Result<(), String> {
    let attributes = ObjectAttributes::new("application/octet-stream").with_existing(Existing::Replace);
    let mut object = destination.create(key, &attributes).map_err(|error| fault("memory")(&error))?;
    object.write_all(bytes).map_err(|error| fault("memory")(&error))?;
    object.publish().map_err(|error| fault("memory")(&error))
}
