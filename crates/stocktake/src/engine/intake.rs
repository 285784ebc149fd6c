//! What stands between a source's batches and the chunker: order, duplicates, lane, versions, prefix, values.
//!
//! Here the engine enforces what a report promises, whatever the source does. It sees every row once, in order.

use super::duplicates::VersionCheck;
use std::sync::Arc;
use stocktake_core::{
    CodeValues, Column, Field, FieldSet, LaneDescriptor, ObjectBatch, Order, ReportSpec, SourceError, SourceErrorKind,
    UnknownValues, Versions,
};

/// Checks and shapes the batches of one lane.
#[derive(Debug)]
pub(super) struct Intake<'a> {
    spec: &'a ReportSpec,
    lane: &'a LaneDescriptor,
    after: Option<&'a str>,
    provided: FieldSet,
    versions: VersionCheck,
    /// Key of the last row, and where it stood.
    last: Option<(String, String)>,
    /// Key of the last row that came through.
    last_kept: String,
    rows_seen: u64,
    /// Rows of the batch at hand whose key is that of the row above.
    repeats: Vec<u32>,
    checked_values: Vec<(Field, Arc<CodeValues>)>,
}

impl<'a> Intake<'a> {
    pub(super) fn new(
        spec: &'a ReportSpec,
        lane: &'a LaneDescriptor,
        after: Option<&'a str>,
        provided: FieldSet,
    ) -> Self {
        Self {
            spec,
            lane,
            after,
            provided,
            versions: VersionCheck::default(),
            last: None,
            last_kept: String::new(),
            rows_seen: 0,
            repeats: Vec::new(),
            checked_values: Vec::new(),
        }
    }

    /// Columns that a source must deliver for the report.
    pub(super) fn fields_to_read(spec: &ReportSpec, provided: FieldSet) -> FieldSet {
        let filters = match spec.versions() {
            Versions::Current => {
                FieldSet::EMPTY.with(Field::IsLatest).with(Field::IsDeleteMarker).intersection(provided)
            }
            Versions::All => FieldSet::EMPTY,
        };
        spec.fields().union(filters)
    }

    /// Checks a batch, not empty, and returns the rows of it that belong into the report.
    ///
    /// # Errors
    /// Rows out of order or out of the lane, a key and version twice, a value that the spec refuses: with keys and
    /// positions.
    pub(super) fn accept(&mut self, batch: ObjectBatch) -> Result<ObjectBatch, SourceError> {
        let continues = self.spec.order() == Order::Sorted && self.check_order(&batch)?;
        self.check_values(&batch)?;
        let last_row = batch.len() - 1;
        match &mut self.last {
            Some((key, position)) => {
                key.clear();
                key.push_str(batch.key(last_row));
                *position = String::new();
            }
            None => self.last = Some((batch.key(last_row).to_owned(), String::new())),
        }
        if let (Some((_, position)), Some(origin)) = (&mut self.last, batch.origin()) {
            *position = format!("{} {}", origin.unit, origin.number(last_row));
        }
        let kept = self.of_prefix(self.of_versions(batch.clone()));
        if self.spec.order() == Order::Sorted && !kept.is_empty() {
            if continues || !self.repeats.is_empty() {
                if kept.len() < batch.len() {
                    walk_keys(&kept, &mut self.repeats);
                }
                self.check_unique(&kept, continues)?;
            } else {
                self.versions.remember(&kept);
            }
            self.last_kept.clear();
            self.last_kept.push_str(kept.key(kept.len() - 1));
        }
        self.rows_seen += batch.len() as u64;
        Ok(kept.project(self.spec.fields()))
    }

    /// Checks that keys ascend and lie in the lane, in one pass over them, and takes note of those that repeat the key above; returns
    /// whether the first key is that of the last row of the batch before.
    fn check_order(&mut self, batch: &ObjectBatch) -> Result<bool, SourceError> {
        let mut continues = false;
        if let Some((last, position)) = &self.last {
            match last.as_str().cmp(batch.key(0)) {
                std::cmp::Ordering::Less => {}
                std::cmp::Ordering::Equal => continues = true,
                std::cmp::Ordering::Greater => return Err(self.disorder(batch, 0, last, position)),
            }
        }
        if let Some(row) = walk_keys(batch, &mut self.repeats) {
            return Err(self.disorder(batch, row, batch.key(row - 1), &self.position(batch, row - 1)));
        }
        let outside = |row: usize, what: &str| {
            let text = format!("key {:?} is out of its lane, {what}", batch.key(row));
            Err(SourceError::new(SourceErrorKind::Order, text).at(self.position(batch, row)))
        };
        if let Some(start) = self.lane.start.as_ref().filter(|start| batch.key(0) < start.as_str()) {
            return outside(0, &format!("which starts at {:?}", start.as_str()));
        }
        if let Some(after) = self.after.filter(|after| batch.key(0) <= *after) {
            return outside(0, &format!("which is continued after {after:?}"));
        }
        if let Some(end) = self.lane.end.as_ref().filter(|end| batch.key(batch.len() - 1) >= end.as_str()) {
            return outside(batch.len() - 1, &format!("which ends before {:?}", end.as_str()));
        }
        Ok(continues)
    }

    fn disorder(&self, batch: &ObjectBatch, row: usize, before: &str, before_position: &str) -> SourceError {
        let place = if before_position.is_empty() { String::new() } else { format!(" ({before_position})") };
        let text = format!(
            "keys are not in ascending order of their bytes: {:?} comes after {before:?}{place}",
            batch.key(row)
        );
        SourceError::new(SourceErrorKind::Order, text).at(self.position(batch, row))
    }

    fn position(&self, batch: &ObjectBatch, row: usize) -> String {
        match batch.origin() {
            Some(origin) => format!("{} {}", origin.unit, origin.number(row)),
            None => format!("row {}", self.rows_seen + row as u64 + 1),
        }
    }

    /// In an all-versions report of a versioned source a key has many versions; everywhere else it stands once.
    fn check_unique(&mut self, kept: &ObjectBatch, continues: bool) -> Result<(), SourceError> {
        let versioned = self.spec.versions() == Versions::All && self.provided.contains(Field::VersionId);
        let continues = continues && self.last_kept == kept.key(0);
        let repeated = if versioned {
            self.versions.repeated(kept, continues, &self.repeats)
        } else if continues {
            Some(0)
        } else {
            self.repeats.first().map(|row| *row as usize)
        };
        let Some(row) = repeated else { return Ok(()) };
        let version = match kept.column(Field::VersionId) {
            Some(Column::Text(ids)) if versioned && !ids.value(row).is_empty() => {
                format!(" with version {:?}", ids.value(row))
            }
            _ if versioned => " with the null version".to_owned(),
            _ => String::new(),
        };
        let text = format!("key {:?}{version} stands twice", kept.key(row));
        Err(SourceError::new(SourceErrorKind::Order, text).at(self.position(kept, row)))
    }

    /// Current reports keep the latest versions that are no delete markers; all-versions reports of an unversioned
    /// source say that every row is the latest and no delete marker.
    fn of_versions(&self, batch: ObjectBatch) -> ObjectBatch {
        match self.spec.versions() {
            Versions::Current => {
                let flag = |field: Field| match batch.column(field) {
                    Some(Column::Bool(column)) => Some(column.clone()),
                    _ => None,
                };
                let (latest, marker) = (flag(Field::IsLatest), flag(Field::IsDeleteMarker));
                if latest.is_none() && marker.is_none() {
                    return batch;
                }
                let kept = |row: usize| {
                    latest.as_ref().and_then(|column| column.value(row)).unwrap_or(true)
                        && !marker.as_ref().and_then(|column| column.value(row)).unwrap_or(false)
                };
                let keep: Vec<bool> = (0..batch.len()).map(kept).collect();
                batch.filter(&keep)
            }
            Versions::All if self.provided.intersection(FieldSet::VERSION_FIELDS).is_empty() => {
                batch.with_constant_bool(Field::IsLatest, true).with_constant_bool(Field::IsDeleteMarker, false)
            }
            Versions::All => batch,
        }
    }

    fn of_prefix(&self, batch: ObjectBatch) -> ObjectBatch {
        let Some(prefix) = self.spec.prefix() else { return batch };
        let keep: Vec<bool> = (0..batch.len()).map(|row| batch.key(row).starts_with(prefix)).collect();
        batch.filter(&keep)
    }

    /// Refuses values outside of S3's closed sets, if the spec says so. A table of values is looked through once.
    fn check_values(&mut self, batch: &ObjectBatch) -> Result<(), SourceError> {
        if self.spec.unknown_values() == UnknownValues::Keep {
            return Ok(());
        }
        for field in self.spec.fields().iter().filter(|field| !field.info().values.is_empty()) {
            let Some(Column::Code(column)) = batch.column(field) else { continue };
            if self.checked_values.iter().any(|(of, values)| *of == field && Arc::ptr_eq(values, column.values())) {
                continue;
            }
            let unknown = |row: &usize| {
                let text = column.value(*row);
                !text.is_empty() && !field.info().values.contains(&text)
            };
            if column.values().texts().skip(1).any(|text| !field.info().values.contains(&text)) {
                if let Some(row) = (0..batch.len()).find(unknown) {
                    let text = format!(
                        "{field} of key {:?} is {:?}, which S3 does not write",
                        batch.key(row),
                        column.value(row)
                    );
                    return Err(SourceError::malformed(text).at(self.position(batch, row)));
                }
            } else {
                self.checked_values.retain(|(of, _)| *of != field);
                self.checked_values.push((field, Arc::clone(column.values())));
            }
        }
        Ok(())
    }
}

/// The first row whose key comes before that of the row above it; `repeats` becomes the rows whose key is that of the row above,
/// as far as keys ascend.
fn walk_keys(batch: &ObjectBatch, repeats: &mut Vec<u32>) -> Option<usize> {
    let keys = batch.keys();
    // Written in every row and kept where keys are alike: which of them are is nothing that a processor could foresee.
    repeats.clear();
    repeats.resize(batch.len(), 0);
    let (mut row, mut found) = (0, 0);
    let mut descends = |last: &[u8], next: &[u8]| {
        row += 1;
        let order = last.cmp(next);
        repeats[found] = row;
        found += usize::from(order.is_eq());
        order.is_gt()
    };
    let descent = match keys.as_offsets() {
        Some((offsets, bytes)) => {
            // Offsets of a column ascend and are never negative.
            let key = |pair: &[i32]| &bytes[pair[0] as usize..pair[1] as usize];
            offsets.windows(3).position(|trio| descends(key(&trio[..2]), key(&trio[1..])))
        }
        None => (1..batch.len()).position(|row| descends(keys.value(row - 1).as_bytes(), keys.value(row).as_bytes())),
    };
    repeats.truncate(found);
    descent.map(|row| row + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use stocktake_core::{
        BucketName, ConfigurationId, ObjectBatchBuilder, ObjectKey, Plan, ReportSpecBuilder, RowOrigin,
    };

    fn spec() -> ReportSpecBuilder {
        let bucket = BucketName::try_new("b").unwrap();
        ReportSpec::builder(bucket.clone(), ConfigurationId::try_new("id").unwrap(), bucket)
    }

    fn versioned() -> FieldSet {
        FieldSet::REQUIRED.union(FieldSet::VERSION_FIELDS)
    }

    fn rows(rows: &[(&str, &str, bool, bool)]) -> ObjectBatch {
        let mut builder = ObjectBatchBuilder::new(versioned().with(Field::StorageClass));
        for (key, id, latest, marker) in rows {
            builder.row(key).version(id, *latest, *marker).storage_class("ODD").finish().unwrap();
        }
        builder.finish()
    }

    fn plain(keys: &[&str]) -> ObjectBatch {
        let mut builder = ObjectBatchBuilder::new(FieldSet::REQUIRED);
        for key in keys {
            builder.row(key).finish().unwrap();
        }
        builder.finish()
    }

    fn run(spec: &ReportSpec, provided: FieldSet, batches: Vec<ObjectBatch>) -> Result<Vec<String>, String> {
        let plan = Plan::whole("test");
        let mut intake = Intake::new(spec, &plan.lanes()[0], None, provided);
        let mut keys = Vec::new();
        for batch in batches {
            let kept = intake.accept(batch).map_err(|error| error.to_string())?;
            keys.extend((0..kept.len()).map(|row| kept.key(row).to_owned()));
        }
        Ok(keys)
    }

    #[test]
    fn rows_out_of_order_are_refused_with_both_keys_and_lines() {
        let spec = spec().build().unwrap();
        let error = run(&spec, FieldSet::REQUIRED, vec![plain(&["a", "c"]), plain(&["b"])]).unwrap_err();
        assert_eq!(error, "row 3: keys are not in ascending order of their bytes: \"b\" comes after \"c\"");
        let origin = |first| RowOrigin { unit: "line", first, skipped: Vec::new() };
        let batches = vec![plain(&["a", "c"]).with_origin(origin(1)), plain(&["b"]).with_origin(origin(4))];
        let error = run(&spec, FieldSet::REQUIRED, batches).unwrap_err();
        assert_eq!(error, "line 4: keys are not in ascending order of their bytes: \"b\" comes after \"c\" (line 2)");
        let error = run(&spec, FieldSet::REQUIRED, vec![plain(&["b", "é", "z"])]).unwrap_err();
        assert!(error.starts_with("row 3: "), "{error}");
        let views_and_bytes_agree =
            run(&spec, FieldSet::REQUIRED, vec![plain(&["a", "a/", "a0", "\u{ffff}", "\u{10000}"])]);
        assert_eq!(views_and_bytes_agree.unwrap().len(), 5);
    }

    #[test]
    fn a_key_stands_once_in_a_current_report() {
        let spec = spec().build().unwrap();
        assert!(
            run(&spec, FieldSet::REQUIRED, vec![plain(&["a", "a"])]).unwrap_err().ends_with("key \"a\" stands twice")
        );
        assert!(run(&spec, FieldSet::REQUIRED, vec![plain(&["a"]), plain(&["a"])]).unwrap_err().starts_with("row 2: "));
    }

    #[test]
    fn current_reports_keep_latest_rows_that_are_no_markers() {
        let spec = spec().build().unwrap();
        let batch = || {
            rows(&[("a", "2", true, false), ("a", "1", false, false), ("b", "3", true, true), ("c", "", true, false)])
        };
        assert_eq!(run(&spec, versioned(), vec![batch()]).unwrap(), ["a", "c"]);
        let twice = rows(&[("a", "2", true, false), ("a", "1", true, false)]);
        assert!(run(&spec, versioned(), vec![twice]).is_err());
        let after_filtering = vec![rows(&[("a", "1", false, false)]), rows(&[("a", "2", true, false)])];
        assert_eq!(run(&spec, versioned(), after_filtering).unwrap(), ["a"]);
        let across =
            vec![rows(&[("a", "1", true, false)]), rows(&[("a", "2", false, false)]), rows(&[("a", "3", true, false)])];
        assert!(run(&spec, versioned(), across).is_err());
    }

    #[test]
    fn all_versions_reports_refuse_a_version_twice() {
        let spec = spec().with_versions(Versions::All).with_fields(versioned()).build().unwrap();
        let fine = vec![rows(&[("a", "2", true, false), ("a", "", false, false)]), rows(&[("a", "1", false, false)])];
        assert_eq!(run(&spec, versioned(), fine).unwrap().len(), 3);
        let twice = vec![rows(&[("a", "2", true, false)]), rows(&[("a", "1", false, false), ("a", "2", false, false)])];
        assert_eq!(run(&spec, versioned(), twice).unwrap_err(), "row 3: key \"a\" with version \"2\" stands twice");
    }

    #[test]
    fn an_unversioned_source_says_null_true_false() {
        let spec = spec().with_versions(Versions::All).with_fields(versioned()).build().unwrap();
        let plan = Plan::whole("test");
        let mut intake = Intake::new(&spec, &plan.lanes()[0], None, FieldSet::REQUIRED);
        let kept = intake.accept(plain(&["a", "b"])).unwrap();
        let flag = |field| match kept.column(field) {
            Some(Column::Bool(column)) => column.value(1),
            _ => None,
        };
        assert_eq!((flag(Field::IsLatest), flag(Field::IsDeleteMarker)), (Some(true), Some(false)));
        assert!(kept.column(Field::VersionId).is_none());
        assert!(intake.accept(plain(&["b"])).is_err());
    }

    #[test]
    fn the_prefix_is_enforced_and_lanes_are_kept() {
        let spec = spec().with_prefix("b").build().unwrap();
        assert_eq!(run(&spec, FieldSet::REQUIRED, vec![plain(&["a", "b", "ba", "c"])]).unwrap(), ["b", "ba"]);
        let key = |key: &str| ObjectKey::try_new(key).unwrap();
        let plan = Plan::split("s", vec![key("b"), key("d")], vec![None, None, None]).unwrap();
        let accept = |lane: usize, keys: &[&str]| {
            Intake::new(&spec, &plan.lanes()[lane], None, FieldSet::REQUIRED)
                .accept(plain(keys))
                .map_err(|error| error.to_string())
        };
        assert!(accept(1, &["b", "c"]).is_ok());
        assert!(accept(1, &["a", "c"]).unwrap_err().contains("which starts at \"b\""));
        assert!(accept(1, &["b", "d"]).unwrap_err().contains("which ends before \"d\""));
    }

    #[test]
    fn unsorted_rows_come_through_when_allowed() {
        let spec = spec().with_order(Order::AsDelivered).build().unwrap();
        assert_eq!(run(&spec, FieldSet::REQUIRED, vec![plain(&["b", "a", "b"])]).unwrap(), ["b", "a", "b"]);
    }

    #[test]
    fn odd_values_are_refused_when_asked() {
        let builder = spec().with_fields(FieldSet::REQUIRED.with(Field::StorageClass));
        let batch = || vec![rows(&[("a", "", true, false)])];
        assert!(run(&builder.clone().build().unwrap(), versioned(), batch()).is_ok());
        let strict = builder.with_unknown_values(UnknownValues::Refuse).build().unwrap();
        let error = run(&strict, versioned(), batch()).unwrap_err();
        assert_eq!(error, "row 1: StorageClass of key \"a\" is \"ODD\", which S3 does not write");
    }
}
