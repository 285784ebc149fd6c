//! A report as the source of another one: what converts between formats, columns and prefixes.

use crate::{
    order::KeyOrder,
    report::{ReadOptions, Report},
    stream::Batches,
};
use std::num::NonZeroU32;
use stocktake_core::{
    FieldSet, LaneDescriptor, ObjectBatchBuilder, ObjectKey, ObjectSource, ObjectStream, Plan, ReadContext,
    SourceError, SourceErrorKind, md5_hex,
};

/// The rows of a report, in ascending order of their keys.
///
/// Files are read in the order of their first keys. A report whose keys do not ascend then is refused with the row, unless
/// the run lets keys out of order through; files are read as the manifest lists them then. Columns that are no known field are
/// left out.
#[derive(Clone, Debug)]
pub struct InventorySource {
    report: Report,
}

impl InventorySource {
    /// The rows of an opened report.
    pub fn new(report: Report) -> Self {
        Self { report }
    }

    /// The report.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Files at which a lane may begin, with their first keys, if receipts tell them: no key runs across.
    fn boundaries(&self, lanes: usize) -> Vec<(usize, ObjectKey)> {
        let files = self.report.files();
        if !self.report.header().is_some_and(|header| header.sorted) {
            return Vec::new();
        }
        let keys = |index: usize| {
            let receipt = files.get(index)?.receipt.as_ref()?;
            Some((receipt.first_key.as_deref()?, receipt.last_key.as_deref()?))
        };
        // Each file begins behind the one before it, or the report is not sorted as its manifest lists it.
        let ascends = |index: usize| keys(index - 1).zip(keys(index)).is_some_and(|(before, next)| before.1 < next.0);
        if !(1..files.len()).all(ascends) {
            return Vec::new();
        }
        let starts = (1..lanes).map(|lane| lane * files.len() / lanes);
        let mut boundaries: Vec<(usize, ObjectKey)> = Vec::new();
        for start in starts.filter(|start| *start > 0) {
            let new = boundaries.last().is_none_or(|(before, _)| *before < start);
            if let (true, Some(key)) = (new, keys(start).and_then(|(first, _)| ObjectKey::try_new(first).ok())) {
                boundaries.push((start, key));
            }
        }
        boundaries
    }

    /// Numbers of a lane's files.
    fn files_of(&self, lane: &LaneDescriptor, unsorted: bool) -> Result<Vec<usize>, SourceError> {
        let all = self.report.files().len();
        let Some(token) = &lane.token else {
            return if unsorted { Ok((0..all).collect()) } else { Ok(self.report.files_by_first_key()?) };
        };
        let range = token.strip_prefix("files ").and_then(|range| range.split_once(".."));
        let range = range.and_then(|(start, end)| Some((start.parse().ok()?, end.parse().ok()?)));
        match range {
            Some((start, end)) if start <= end && end <= all => Ok((start..end).collect()),
            _ => {
                let text = format!("the plan's note {token:?} is not of this report, which has {all} files");
                Err(SourceError::new(SourceErrorKind::Unsupported, text))
            }
        }
    }
}

impl ObjectSource for InventorySource {
    fn provides(&self) -> FieldSet {
        self.report.fields().union(FieldSet::REQUIRED)
    }

    fn plan(&self, lanes: NonZeroU32) -> Result<Plan, SourceError> {
        let name = format!("inventory of {}", self.report.manifest().source_bucket);
        // By its manifest another report of the bucket is known when a run is continued.
        let snapshot = md5_hex(self.report.manifest().to_text().as_bytes());
        let boundaries = self.boundaries(lanes.get() as usize);
        if boundaries.is_empty() {
            return Ok(Plan::whole(name).with_snapshot(snapshot));
        }
        let starts = std::iter::once(0).chain(boundaries.iter().map(|(file, _)| *file));
        let ends = boundaries.iter().map(|(file, _)| *file).chain(std::iter::once(self.report.files().len()));
        let tokens = starts.zip(ends).map(|(start, end)| Some(format!("files {start}..{end}"))).collect();
        let keys = boundaries.iter().map(|(_, key)| key.clone()).collect();
        let plan = Plan::split(name, keys, tokens).map_err(|error| SourceError::malformed(error.to_string()))?;
        Ok(plan.with_snapshot(snapshot))
    }

    fn open<'a>(
        &'a self,
        lane: &LaneDescriptor,
        after: Option<&ObjectKey>,
        context: &ReadContext,
    ) -> Result<Box<dyn ObjectStream + 'a>, SourceError> {
        let bucket = &self.report.manifest().source_bucket;
        if *bucket != context.bucket.as_str() {
            let text = format!("the report is of the bucket {bucket:?}, not of {:?}", context.bucket.as_str());
            return Err(SourceError::new(SourceErrorKind::Unsupported, text));
        }
        let mut files = self.files_of(lane, context.unsorted)?;
        if let Some(after) = after {
            let passed = |file: &usize| {
                let receipt = self.report.files()[*file].receipt.as_ref();
                receipt.and_then(|receipt| receipt.last_key.as_deref()).is_some_and(|last| last <= after.as_str())
            };
            files.retain(|file| !passed(file));
        }
        let mut options = ReadOptions::default()
            .with_fields(context.fields)
            .with_files(files)
            .with_threads(context.threads)
            .with_cancel(context.cancel.clone());
        options.context = Some(context.clone());
        Ok(Box::new(InventoryStream {
            report: &self.report,
            batches: self.report.read(&options)?,
            after: after.cloned(),
            order: (!context.unsorted).then(|| KeyOrder::new("; --unsorted allow takes rows as they come")),
        }))
    }
}

struct InventoryStream<'a> {
    report: &'a Report,
    batches: Batches,
    after: Option<ObjectKey>,
    order: Option<KeyOrder>,
}

impl ObjectStream for InventoryStream<'_> {
    fn next_batch(&mut self, builder: &mut ObjectBatchBuilder) -> Result<bool, SourceError> {
        for batch in self.batches.by_ref() {
            let batch = batch?;
            if let Some(order) = &mut self.order {
                let file = &self.report.files()[batch.file].key;
                order.check(&batch.rows, batch.first_row).map_err(|error| error.in_file(file))?;
            }
            let mut rows = batch.rows;
            if let Some(after) = &self.after {
                let passed = (0..rows.len()).find(|row| rows.key(*row) > after.as_str()).unwrap_or(rows.len());
                rows = rows.slice(passed..rows.len());
                if rows.is_empty() {
                    continue;
                }
                self.after = None;
            }
            builder.take_over(rows);
            return Ok(true);
        }
        Ok(false)
    }
}
