//! What changed since an older report, as the source of a report of its own.

use super::{DiffOptions, DiffRow, Difference, Differences};
use crate::{report::Report, value::Value};
use std::num::NonZeroU32;
use stocktake_core::{
    Field, FieldSet, LaneDescriptor, ObjectBatchBuilder, ObjectKey, ObjectSource, ObjectStream, Plan, ReadContext,
    SourceError, SourceErrorKind, md5_hex,
};

/// Which differences are rows of a report of changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChangeKinds {
    /// Objects that only the new report has.
    pub added: bool,
    /// Objects that differ, with the values of the new report.
    pub changed: bool,
    /// Objects that only the old report has, with its values.
    pub removed: bool,
}

impl Default for ChangeKinds {
    /// Objects that were added or changed.
    fn default() -> Self {
        Self { added: true, changed: true, removed: false }
    }
}

impl ChangeKinds {
    /// These kinds.
    pub const fn new(added: bool, changed: bool, removed: bool) -> Self {
        Self { added, changed, removed }
    }
}

/// Rows of a report that are not in an older one, or differ there, in ascending order of their keys.
///
/// Both reports must be sorted. Rows have the columns of the new report; with removed ones, those that both have.
#[derive(Clone, Debug)]
pub struct ChangesSource {
    old: Report,
    new: Report,
    kinds: ChangeKinds,
    fields: Option<FieldSet>,
}

impl ChangesSource {
    /// What changed from one report to another.
    pub fn new(old: Report, new: Report) -> Self {
        Self { old, new, kinds: ChangeKinds::default(), fields: None }
    }

    /// Takes these kinds of differences.
    #[must_use]
    pub fn with_kinds(mut self, kinds: ChangeKinds) -> Self {
        self.kinds = kinds;
        self
    }

    /// Compares only these fields, of those that both reports have.
    #[must_use]
    pub fn with_compared(mut self, fields: FieldSet) -> Self {
        self.fields = Some(fields);
        self
    }

    fn takes(&self, difference: &Difference<'_>) -> bool {
        match difference {
            Difference::Added(_) => self.kinds.added,
            Difference::Removed(_) => self.kinds.removed,
            Difference::Changed { .. } => self.kinds.changed,
            Difference::Moved(_) => false,
        }
    }
}

impl ObjectSource for ChangesSource {
    fn provides(&self) -> FieldSet {
        let fields = self.new.fields();
        let fields = if self.kinds.removed { fields.intersection(self.old.fields()) } else { fields };
        fields.union(FieldSet::REQUIRED)
    }

    fn plan(&self, _lanes: NonZeroU32) -> Result<Plan, SourceError> {
        let stamp = |report: &Report| report.manifest_key().to_string();
        // By their manifests other reports are known when a run is continued.
        let manifests = [&self.old, &self.new].map(|report| md5_hex(report.manifest().to_text().as_bytes()));
        let ChangeKinds { added, changed, removed } = self.kinds;
        let kinds = [("added", added), ("changed", changed), ("removed", removed)].into_iter();
        let kinds: Vec<_> = kinds.filter(|(_, taken)| *taken).map(|(kind, _)| kind).collect();
        let mut name = format!("changes from {} to {}: {}", stamp(&self.old), stamp(&self.new), kinds.join(", "));
        if let Some(fields) = self.fields {
            name += &format!(", compared by {fields:?}");
        }
        let plan = Plan::whole(name);
        Ok(plan.with_snapshot(manifests.join(" ")))
    }

    fn open<'a>(
        &'a self,
        _lane: &LaneDescriptor,
        after: Option<&ObjectKey>,
        context: &ReadContext,
    ) -> Result<Box<dyn ObjectStream + 'a>, SourceError> {
        let bucket = &self.new.manifest().source_bucket;
        if *bucket != context.bucket.as_str() {
            let text = format!("the report is of the bucket {bucket:?}, not of {:?}", context.bucket.as_str());
            return Err(SourceError::new(SourceErrorKind::Unsupported, text));
        }
        let options = DiffOptions {
            fields: self.fields,
            prefix: context.prefix.as_deref().map(Into::into),
            after: after.cloned(),
            moves: false,
            threads: context.threads,
            cancel: context.cancel.clone(),
            ..DiffOptions::default()
        };
        let differences = Differences::begin(&self.old, &self.new, &options)?;
        Ok(Box::new(ChangesStream { source: self, differences, fields: context.fields }))
    }
}

struct ChangesStream<'a> {
    source: &'a ChangesSource,
    differences: Differences,
    fields: FieldSet,
}

impl ObjectStream for ChangesStream<'_> {
    fn next_batch(&mut self, batch: &mut ObjectBatchBuilder) -> Result<bool, SourceError> {
        while !batch.is_full() {
            let Some(difference) = self.differences.next()? else { break };
            if !self.source.takes(&difference) {
                continue;
            }
            if let Difference::Added(row) | Difference::Removed(row) | Difference::Changed { new: row, .. } = difference
            {
                put(row, self.fields, batch)?;
            }
        }
        Ok(!batch.is_empty())
    }
}

fn put(row: DiffRow<'_>, fields: FieldSet, batch: &mut ObjectBatchBuilder) -> Result<(), SourceError> {
    let mut built = batch.row(row.key());
    for field in fields.difference(FieldSet::REQUIRED).without(Field::VersionId).iter() {
        built = match row.value(field) {
            Value::Absent => built,
            Value::Text(text) => built.text(field, text),
            Value::Boolean(value) => built.boolean(field, value),
            Value::Number(number) | Value::Time(number) => built.int(field, number),
        };
    }
    if let Some(id) = row.version_id() {
        built = built.text(Field::VersionId, id);
    }
    built.finish().map_err(SourceError::from)
}
