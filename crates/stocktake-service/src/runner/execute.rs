//! One report of one configuration, from opening the source to the published manifest.

use super::{Opened, Targets};
use crate::{
    envelope::{EnvelopeDestination, EnvelopeStore},
    keys::KeyService,
    store::RunOutcome,
};
use std::{error::Error, io::Read};
use stocktake::{
    BucketName, Clock, Destination, Envelope, Execution, GenerateError, GenerateErrorKind, GenerateOptions, Recovery,
    ReportLayout, ReportSpec, ReportStore, Timestamp, abandon, generate, parse_receipts, unfinished_runs,
};
use stocktake_config::{DestinationAttributes, Frequencies, InventoryConfiguration, ReportRequest, Rules};

/// Most bytes of receipts that are read to tell whose report is there: the header is their first line.
const HEADER_BYTES_MAX: u64 = 64 << 20;

/// Why a report was not made.
type Failure = Box<dyn Error + Send + Sync>;

/// What a report is made with.
pub(super) struct Report<'a> {
    pub(super) targets: &'a dyn Targets,
    pub(super) clock: &'a Clock,
    pub(super) execution: &'a Execution,
}

/// A report that is ready to be made.
struct Prepared<'a> {
    opened: Opened<'a>,
    spec: ReportSpec,
    attributes: DestinationAttributes,
}

impl<'a> Report<'a> {
    /// Makes a report.
    pub(super) fn make(
        &self,
        bucket: &BucketName,
        document: InventoryConfiguration,
        due: Timestamp,
    ) -> Result<RunOutcome, Failure> {
        let prepared = self.prepare(bucket, document, due)?;
        let Prepared { opened, spec, attributes } = &prepared;
        let asked;
        let sealed;
        let destination: &dyn Destination = match prepared.keys() {
            Some(keys) => {
                let fresh = EnvelopeDestination::try_new(&*opened.destination, keys, attributes.encryption.as_ref())?;
                sealed = fresh.continuing(&ReportLayout::new(spec).journal_begin())?;
                &sealed
            }
            None => {
                asked = attributes.ask(&*opened.destination);
                &asked
            }
        };
        give_up_earlier(destination, spec);
        let recoverable = opened.source.reopens() && destination.store().is_some();
        let options = GenerateOptions::new(self.execution.clone())
            .with_clock(self.clock.clone())
            .with_recovery(if recoverable { Recovery::Resume } else { Recovery::None });
        let generated = generate(&*opened.source, spec, destination, &options).or_else(|error| {
            if error.kind() != GenerateErrorKind::Changed {
                return Err(error);
            }
            // Configuration or source are others now: what was begun is no part of the report that is asked for.
            give_up(destination, spec)?;
            generate(&*opened.source, spec, destination, &options)
        });
        match generated {
            Ok(summary) => Ok(RunOutcome::Succeeded {
                manifest: summary.manifest_key.to_string(),
                rows: Some(summary.rows),
                skipped_entries: Some(summary.skipped_entries),
            }),
            Err(error) if error.kind() == GenerateErrorKind::ReportExists => {
                // An earlier attempt may have published it when it was interrupted.
                prepared.published().ok_or_else(|| error.into())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Looks for a report that an attempt published before it was interrupted.
    pub(super) fn find(
        &self,
        bucket: &BucketName,
        document: InventoryConfiguration,
        due: Timestamp,
    ) -> Option<RunOutcome> {
        // What cannot be looked at is not found; the run is tried again, and says then what is wrong.
        self.prepare(bucket, document, due).ok()?.published()
    }

    fn prepare(
        &self,
        bucket: &BucketName,
        document: InventoryConfiguration,
        due: Timestamp,
    ) -> Result<Prepared<'a>, Failure> {
        // The store has taken it already, by its own rules.
        let configuration = Rules::new().with_frequencies(Frequencies::Extended).check(document)?;
        let opened = self.targets.open(bucket, &configuration)?;
        let request = ReportRequest::new(&configuration, bucket.clone(), &*opened.source, due, opened.missing)?;
        let enveloped = opened.keys.is_some() && request.attributes.encryption.is_some();
        let envelope = if enveloped { Envelope::Encrypted } else { Envelope::None };
        let spec = request.spec.with_envelope(envelope).build()?;
        Ok(Prepared { opened, spec, attributes: request.attributes })
    }
}

impl Prepared<'_> {
    /// The keys of a report inside envelopes.
    fn keys(&self) -> Option<&dyn KeyService> {
        self.opened.keys.filter(|_| self.spec.envelope() == Envelope::Encrypted)
    }

    /// The outcome of an earlier attempt, if its report is there, complete.
    fn published(&self) -> Option<RunOutcome> {
        let store = self.opened.destination.store()?;
        let is_there = match self.keys() {
            Some(keys) => is_report_of(&EnvelopeStore::new(store, keys), &self.spec),
            None => is_report_of(store, &self.spec),
        };
        let manifest = ReportLayout::new(&self.spec).manifest().to_string();
        is_there.then_some(RunOutcome::Succeeded { manifest, rows: None, skipped_entries: None })
    }
}

/// Removes what an unfinished run of this stamp left.
fn give_up(destination: &dyn Destination, spec: &ReportSpec) -> Result<(), GenerateError> {
    let layout = ReportLayout::new(spec);
    abandon(destination, layout.root(), Some(layout.stamp())).map(drop)
}

/// Removes what unfinished runs of earlier due times left: nobody asks for them again.
fn give_up_earlier(destination: &dyn Destination, spec: &ReportSpec) {
    let layout = ReportLayout::new(spec);
    // What cannot be read or removed now is looked at again before the next report, and does not keep this one from being made.
    let runs = unfinished_runs(destination, layout.root()).unwrap_or_default();
    let earlier = |time: Timestamp| time < spec.created_at() && time.folder_stamp() != layout.stamp();
    for run in runs.iter().filter(|run| run.created_at.is_some_and(earlier)) {
        let _ = abandon(destination, layout.root(), Some(&run.stamp));
    }
}

/// Whether the report that is there, complete, is the one of this spec.
fn is_report_of(store: &dyn ReportStore, spec: &ReportSpec) -> bool {
    let layout = ReportLayout::new(spec);
    let complete = matches!(store.head(&layout.checksum()), Ok(Some(_)));
    let receipts = || {
        let key = layout.receipts();
        let size = store.head(&key).ok()??.size_bytes.min(HEADER_BYTES_MAX);
        let mut text = Vec::new();
        store.open_range(&key, 0..size).ok()?.read_to_end(&mut text).ok()?;
        let header = text.split(|byte| *byte == b'\n').next()?;
        Some(parse_receipts(header).ok()?.0)
    };
    complete && receipts().is_some_and(|header| header.report_id == spec.report_id())
}
