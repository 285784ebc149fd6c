//! What every source must do, as one function.
//!
//! The suite is for implementors: run it on a source of some hundreds to some hundred thousand rows, all of which it holds
//! in memory. It knows the contract alone.

use crate::rows::Row;
use std::{collections::HashSet, num::NonZeroU32};
use stocktake_core::{
    BucketName, Field, FieldSet, LaneDescriptor, ObjectBatchBuilder, ObjectKey, ObjectSource, Plan, ReadContext,
    SourceErrorKind, Versions,
};

/// Lanes that the suite asks for, at most.
const LANES_MAX: u32 = 4;

/// Keys of a lane after which the suite opens it again.
const RESUMED: usize = 7;

/// Checks that a source keeps the contract: order, lanes, resuming, fields, and that reading it again gives the same.
///
/// `bucket` is the name that rows are read for; a source that has a bucket of its own wants that one.
///
/// # Errors
/// Says which rule is broken, in which lane of how many, and at which row.
pub fn check_source(source: &dyn ObjectSource, bucket: &str) -> Result<(), String> {
    let bucket = BucketName::try_new(bucket).map_err(|error| error.to_string())?;
    let fields = source.provides();
    if fields.intersection(FieldSet::REQUIRED) != FieldSet::REQUIRED {
        return Err("it does not provide bucket and key".to_owned());
    }
    let mut context = ReadContext::new(bucket, fields);
    context.versions = Versions::All;
    let suite = Suite { source, context };

    let plan = suite.plan(1)?;
    let lane = &plan.lanes()[0];
    let whole = suite.read(lane, None)?;
    in_order(&whole, !fields.intersection(FieldSet::VERSION_FIELDS).is_empty())?;
    suite.no_other_field_is_there(lane, &whole)?;
    same("opened again", &suite.read(lane, None)?, &whole)?;
    suite.batches_are_replaced(lane, &whole)?;
    suite.fewer_fields_have_the_same_keys(lane, &whole)?;
    suite.cancelling_is_no_other_fault(lane)?;
    (1..=LANES_MAX).try_for_each(|lanes| suite.lanes_hold_the_whole(lanes, &whole))
}

struct Suite<'a> {
    source: &'a dyn ObjectSource,
    context: ReadContext,
}

impl Suite<'_> {
    fn plan(&self, lanes: u32) -> Result<Plan, String> {
        let wanted = NonZeroU32::new(lanes).ok_or("at least one lane is planned")?;
        let plan = self.source.plan(wanted).map_err(|error| format!("it cannot be planned: {error}"))?;
        if plan.lanes().len() > lanes as usize {
            return Err(format!("{} lanes were planned where at most {lanes} were asked for", plan.lanes().len()));
        }
        Ok(plan)
    }

    fn read(&self, lane: &LaneDescriptor, after: Option<&ObjectKey>) -> Result<Vec<Row>, String> {
        self.read_with(&self.context, lane, after)
    }

    fn read_with(
        &self,
        context: &ReadContext,
        lane: &LaneDescriptor,
        after: Option<&ObjectKey>,
    ) -> Result<Vec<Row>, String> {
        let place = || match after {
            Some(after) => format!("lane {} after {:?}", lane.index, after.as_str()),
            None => format!("lane {}", lane.index),
        };
        let fault = |error| format!("{}: {error}", place());
        let mut stream = self.source.open(lane, after, context).map_err(fault)?;
        let mut builder = ObjectBatchBuilder::new(context.fields);
        let mut rows = Vec::new();
        while stream.next_batch(&mut builder).map_err(fault)? {
            let batch = builder.finish();
            if batch.is_empty() {
                return Err(format!("{}: a batch behind row {} is empty and not the end", place(), rows.len()));
            }
            rows.extend((0..batch.len()).map(|row| Row::of_batch(&batch, row)));
        }
        if !builder.is_empty() {
            return Err(format!("{}: the end has rows", place()));
        }
        Ok(rows)
    }

    /// A batch that nobody took is gone when the next one comes.
    fn batches_are_replaced(&self, lane: &LaneDescriptor, whole: &[Row]) -> Result<(), String> {
        let fault = |error| format!("a batch that was not taken: {error}");
        let mut stream = self.source.open(lane, None, &self.context).map_err(fault)?;
        let mut builder = ObjectBatchBuilder::new(self.context.fields);
        let mut passed = 0;
        while stream.next_batch(&mut builder).map_err(fault)? {
            passed += builder.len();
            if !stream.next_batch(&mut builder).map_err(fault)? {
                return if builder.is_empty() { Ok(()) } else { Err("the end keeps the rows before it".to_owned()) };
            }
            let batch = builder.finish();
            let rows: Vec<Row> = (0..batch.len()).map(|row| Row::of_batch(&batch, row)).collect();
            let expected = whole.get(passed..passed + rows.len()).unwrap_or(&[]);
            same(&format!("a batch behind one of which {passed} rows were not taken"), &rows, expected)?;
            passed += rows.len();
        }
        Ok(())
    }

    fn fewer_fields_have_the_same_keys(&self, lane: &LaneDescriptor, whole: &[Row]) -> Result<(), String> {
        let mut context = self.context.clone();
        context.fields = FieldSet::REQUIRED;
        let keys: Vec<Row> = whole.iter().map(|row| row.clone().project(FieldSet::REQUIRED)).collect();
        same("keys alone", &self.read_with(&context, lane, None)?, &keys)
    }

    /// Whoever wants every field gets those that the source provides.
    fn no_other_field_is_there(&self, lane: &LaneDescriptor, whole: &[Row]) -> Result<(), String> {
        let mut context = self.context.clone();
        context.fields = Field::all().collect();
        let rows = self.read_with(&context, lane, None)?;
        let provided = self.source.provides();
        for (at, row) in rows.iter().enumerate() {
            let other = row.fields().difference(provided);
            if !other.is_empty() {
                return Err(format!("row {at} has {other:?}, which the source does not provide"));
            }
        }
        same("every field", &rows, whole)
    }

    fn cancelling_is_no_other_fault(&self, lane: &LaneDescriptor) -> Result<(), String> {
        let mut context = self.context.clone();
        context.cancel = stocktake_core::CancelToken::new();
        context.cancel.cancel();
        let mut builder = ObjectBatchBuilder::new(context.fields);
        let attempt = self.source.open(lane, None, &context).and_then(|mut stream| {
            while stream.next_batch(&mut builder)? {}
            Ok(())
        });
        match attempt {
            Err(error) if error.kind() != SourceErrorKind::Cancelled => {
                Err(format!("a cancelled run ends with another fault: {error}"))
            }
            _ => Ok(()),
        }
    }

    fn lanes_hold_the_whole(&self, lanes: u32, whole: &[Row]) -> Result<(), String> {
        let plan = self.plan(lanes)?;
        let mut union = Vec::new();
        for lane in plan.lanes() {
            let place = format!("lane {} of {lanes}", lane.index);
            let rows = self.read(lane, None)?;
            if let Some(row) = rows.iter().find(|row| !inside(lane, &row.key)) {
                return Err(format!("{place}: the key {:?} is outside of the lane", row.key));
            }
            for after in resume_keys(&rows) {
                let rest = &rows[rows.partition_point(|row| row.key.as_str() <= after.as_str())..];
                let resumed = self.read(lane, Some(&after))?;
                same(&format!("{place}, opened after {:?}", after.as_str()), &resumed, rest)?;
            }
            union.extend(rows);
        }
        same(&format!("all of {lanes} lanes"), &union, whole)
    }
}

fn inside(lane: &LaneDescriptor, key: &str) -> bool {
    lane.start.as_ref().is_none_or(|start| key >= start.as_str())
        && lane.end.as_ref().is_none_or(|end| key < end.as_str())
}

/// Keys of rows, texts right behind them, and texts before and behind all.
fn resume_keys(rows: &[Row]) -> Vec<ObjectKey> {
    let step = rows.len().div_ceil(RESUMED).max(1);
    let places = rows.iter().step_by(step).chain(rows.last()).map(|row| row.key.as_str());
    let behind = rows.iter().skip(step / 2).step_by(step).map(|row| format!("{}\0", row.key));
    let edges = ["\0", "\u{10ffff}"].map(str::to_owned);
    // A key of full length has no text right behind it that is a key.
    places.map(str::to_owned).chain(behind).chain(edges).filter_map(|key| ObjectKey::try_new(key).ok()).collect()
}

fn in_order(rows: &[Row], versioned: bool) -> Result<(), String> {
    let mut versions = HashSet::new();
    for (at, row) in rows.iter().enumerate() {
        match at.checked_sub(1).map(|before| rows[before].key.as_str()) {
            Some(before) if before > row.key.as_str() => {
                return Err(format!("row {at}: the key {:?} comes after {before:?}", row.key));
            }
            Some(before) if before == row.key.as_str() => {}
            _ => versions.clear(),
        }
        if !versions.insert(row.text(Field::VersionId)) {
            let what = if versioned { "version" } else { "key" };
            return Err(format!("row {at}: the {what} {:?} {:?} stands twice", row.key, row.text(Field::VersionId)));
        }
    }
    Ok(())
}

fn same(what: &str, found: &[Row], expected: &[Row]) -> Result<(), String> {
    let differs = found.iter().zip(expected).position(|(found, expected)| found != expected);
    if let Some(at) = differs {
        return Err(format!("{what}: row {at} is {:?} and should be {:?}", found[at], expected[at]));
    }
    if found.len() != expected.len() {
        return Err(format!("{what}: {} rows, and there should be {}", found.len(), expected.len()));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
