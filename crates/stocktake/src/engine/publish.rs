//! Publication: symlink.txt, receipts.ndjson, manifest.json, and manifest.checksum last.

use super::{GenerateError, GenerateErrorKind, ReportSummary, journal::Journal};
use std::io::Write;
use stocktake_core::{
    CommittableShard, CompleteReport, Destination, DestinationErrorKind, Envelope, Existing, Manifest,
    ObjectAttributes, PendingObject, Plan, ReceiptsHeader, ReportKey, ReportLayout, ReportSpec, Timestamp,
    checksum_text, receipts_text, symlink_text,
};

/// Attempts that are looked at for free names before giving up.
pub(super) const ATTEMPTS_MAX: u32 = 1000;

/// Publishes a report of these shards.
///
/// The shards must be all of the plan's: every lane complete exactly once, in order, ranges disjoint. With
/// [`Existing::Replace`] a report with the same stamp is taken back first; its data files stay.
///
/// # Errors
/// If the shards do not make a whole report, a report with the same stamp exists, or the destination fails. What this
/// call wrote is removed then; data files are not. A journal of the report goes when it is published.
pub fn commit(
    spec: &ReportSpec,
    plan: &Plan,
    shards: Vec<CommittableShard>,
    destination: &dyn Destination,
    existing: Existing,
) -> Result<ReportSummary, GenerateError> {
    let summary = commit_with(spec, plan, shards, destination, existing, None)?;
    if let Some(journal) = Journal::new(destination, ReportLayout::new(spec)) {
        // Beside its published report a journal says nothing; the next run of the configuration removes it.
        let _ = journal.remove();
    }
    Ok(summary)
}

/// Publishes a report, and states in its receipts when the scan began and ended.
pub(super) fn commit_with(
    spec: &ReportSpec,
    plan: &Plan,
    shards: Vec<CommittableShard>,
    destination: &dyn Destination,
    existing: Existing,
    scan: Option<(Timestamp, Timestamp)>,
) -> Result<ReportSummary, GenerateError> {
    let report = CompleteReport::check(spec, plan, shards)
        .map_err(|error| GenerateError::caused(GenerateErrorKind::Incomplete, "the report is not complete", error))?;
    check_existing(spec, destination, existing)?;
    let layout = ReportLayout::new(spec);
    let manifest = Manifest::new(spec, &report).to_text();
    let header = ReceiptsHeader::new(spec, plan, &report, concat!("stocktake ", env!("CARGO_PKG_VERSION")));
    let header = match scan {
        Some((started_at, ended_at)) => header.with_scan(started_at, ended_at),
        None => header,
    };
    let symlink = (spec.envelope() == Envelope::None).then(|| {
        let text = symlink_text(&spec.address(), report.files().map(|file| &file.key));
        (layout.symlink(), text, "text/plain")
    });
    let files = [
        (layout.receipts(), receipts_text(&header, report.receipts()), "application/x-ndjson"),
        (layout.manifest(), manifest.clone(), "application/json"),
        (layout.checksum(), checksum_text(manifest.as_bytes()), "text/plain"),
    ];
    // All of them are written before the first becomes visible: a full disk changes nothing of a report that is replaced.
    let mut pending = Vec::new();
    for (key, text, content_type) in symlink.into_iter().chain(files) {
        let attributes = ObjectAttributes::new(content_type).with_existing(existing);
        pending.push((write(destination, &key, text.as_bytes(), &attributes)?, key));
    }
    if existing == Existing::Replace {
        // The old report ends to be one before anything of it changes.
        destination.remove(&layout.checksum())?;
    }
    let mut published = Vec::new();
    for (object, key) in pending {
        if let Err(error) = object.publish() {
            return Err(GenerateError::from(error).with_leftovers(remove(destination, published)));
        }
        published.push(key);
    }
    Ok(ReportSummary {
        report_id: spec.report_id(),
        manifest_key: layout.manifest(),
        rows: report.rows(),
        files: report.files().count() as u64,
        bytes: report.files().map(|file| file.size_bytes).sum(),
        skipped_entries: report.skipped_entries(),
        kept_files: 0,
        kept_rows: 0,
        leftovers: Vec::new(),
    })
}

/// Refuses a report whose stamp is taken, unless it may be replaced.
pub(super) fn check_existing(
    spec: &ReportSpec,
    destination: &dyn Destination,
    existing: Existing,
) -> Result<(), GenerateError> {
    let Some(store) = destination.store().filter(|_| existing == Existing::Refuse) else { return Ok(()) };
    let layout = ReportLayout::new(spec);
    for key in [layout.checksum(), layout.manifest()] {
        if store.head(&key)?.is_some() {
            let text = format!("a report with this stamp exists: {key}");
            return Err(GenerateError::new(GenerateErrorKind::ReportExists, text));
        }
    }
    Ok(())
}

/// The first attempt whose data files are not there yet: those of a report that is replaced, or that a killed run left,
/// stay as they are.
pub(super) fn free_attempt(
    spec: &ReportSpec,
    plan: &Plan,
    destination: &dyn Destination,
) -> Result<u32, GenerateError> {
    let Some(store) = destination.store() else { return Ok(0) };
    let layout = ReportLayout::new(spec);
    'attempts: for attempt in 0..ATTEMPTS_MAX {
        for lane in plan.lanes() {
            if store.head(&layout.data(lane.index, 0, attempt))?.is_some() {
                continue 'attempts;
            }
        }
        return Ok(attempt);
    }
    Err(GenerateError::new(
        GenerateErrorKind::ReportExists,
        format!("this report was written {ATTEMPTS_MAX} times already"),
    ))
}

/// Writes an object whole, not visible yet.
pub(super) fn write(
    destination: &dyn Destination,
    key: &ReportKey,
    bytes: &[u8],
    attributes: &ObjectAttributes,
) -> Result<Box<dyn PendingObject>, GenerateError> {
    let mut object = destination.create(key, attributes)?;
    object.write_all(bytes).and_then(|()| object.flush()).map_err(|error| {
        let kind = GenerateErrorKind::Destination(DestinationErrorKind::Io);
        GenerateError::caused(kind, format!("writing {key} failed"), error)
    })?;
    Ok(object)
}

/// Removes objects of a failed run; returns those that could not be removed, each with the reason.
pub(super) fn remove(destination: &dyn Destination, keys: Vec<ReportKey>) -> Vec<String> {
    keys.into_iter().rev().filter_map(|key| destination.remove(&key).err()).map(|error| error.to_string()).collect()
}
