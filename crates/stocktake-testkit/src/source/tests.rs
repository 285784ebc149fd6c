//! The suite passes on sound sources and finds the flaw of flawed ones.

use super::*;
use crate::{generate::Rows, memory::MemorySource};
use stocktake_core::{ObjectStream, SourceError};

fn numbered(count: usize) -> Vec<Row> {
    (0..count).map(|row| Row::new(format!("k{:04}", row / 3 * 3)).with(Field::VersionId, format!("v{row}"))).collect()
}

#[test]
fn sound_sources_pass() {
    for seed in 0u16..40 {
        let source = MemorySource::new(Rows::from_seed(seed.into(), 40 * usize::from(seed)).0);
        check_source(&source, "b").unwrap();
        check_source(&source.with_batch_rows(1 + usize::from(seed % 9)), "b").unwrap();
    }
    let boundaries = ["k0001", "k0050"].map(|key| ObjectKey::try_new(key).unwrap()).to_vec();
    check_source(&MemorySource::new(numbered(100)).with_boundaries(boundaries), "b").unwrap();
}

#[test]
fn faults_and_panics_come_where_they_were_asked_for() {
    let source = MemorySource::new(numbered(20)).with_batch_rows(8).fail_at_row(11);
    let context = ReadContext::new(BucketName::try_new("b").unwrap(), source.provides());
    let plan = source.plan(NonZeroU32::MIN).unwrap();
    let mut stream = source.open(&plan.lanes()[0], None, &context).unwrap();
    let mut builder = ObjectBatchBuilder::new(context.fields);
    let mut lengths = Vec::new();
    let error = loop {
        match stream.next_batch(&mut builder) {
            Ok(more) => assert!(more),
            Err(error) => break error,
        }
        lengths.push(builder.finish().len());
    };
    assert_eq!((lengths, error.position()), (vec![8, 3], Some("row 11")));
    let panics = MemorySource::new(numbered(20)).panic_at_row(0);
    let mut stream = panics.open(&plan.lanes()[0], None, &context).unwrap();
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| stream.next_batch(&mut builder).map(drop)));
    assert!(panic.is_err());
}

#[test]
fn flaws_of_rows_are_found() {
    let fault = |rows: Vec<Row>| check_source(&MemorySource::new(rows), "b").unwrap_err();
    let mut rows = numbered(30);
    rows.swap(3, 20);
    assert_eq!(fault(rows), "row 4: the key \"k0003\" comes after \"k0018\"");
    let mut rows = numbered(30);
    rows[4] = rows[3].clone();
    assert_eq!(fault(rows), "row 4: the version \"k0003\" \"v3\" stands twice");
    assert_eq!(fault(vec![Row::new("a"), Row::new("a")]), "row 1: the key \"a\" \"\" stands twice");
    let error = check_source(&MemorySource::new(numbered(9)).fail_at_row(4), "b").unwrap_err();
    assert_eq!(error, "lane 0: row 4: fails on purpose");
}

/// A source with one flaw.
struct Flawed {
    inner: MemorySource,
    flaw: Flaw,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    IgnoresAfter,
    IgnoresLanes,
    MoreLanes,
    AppendsBatches,
    EmptyBatch,
    WithoutRequired,
    WithoutVersionId,
    FaultWhenCancelled,
}

impl ObjectSource for Flawed {
    fn provides(&self) -> FieldSet {
        match self.flaw {
            Flaw::WithoutRequired => FieldSet::EMPTY,
            Flaw::WithoutVersionId => FieldSet::REQUIRED,
            _ => self.inner.provides(),
        }
    }

    fn plan(&self, lanes: NonZeroU32) -> Result<Plan, SourceError> {
        let lanes = if self.flaw == Flaw::MoreLanes { lanes.saturating_add(1) } else { lanes };
        self.inner.plan(lanes)
    }

    fn open<'a>(
        &'a self,
        lane: &LaneDescriptor,
        after: Option<&ObjectKey>,
        context: &ReadContext,
    ) -> Result<Box<dyn ObjectStream + 'a>, SourceError> {
        if self.flaw == Flaw::FaultWhenCancelled && context.cancel.is_cancelled() {
            return Err(SourceError::malformed("broken"));
        }
        let mut lane = lane.clone();
        if self.flaw == Flaw::IgnoresLanes {
            lane.end = None;
        }
        let after = after.filter(|_| self.flaw != Flaw::IgnoresAfter);
        let inner = self.inner.open(&lane, after, context)?;
        Ok(Box::new(FlawedStream { inner, flaw: self.flaw, fields: context.fields, batches: 0 }))
    }
}

struct FlawedStream<'a> {
    inner: Box<dyn ObjectStream + 'a>,
    flaw: Flaw,
    fields: FieldSet,
    batches: usize,
}

impl ObjectStream for FlawedStream<'_> {
    fn next_batch(&mut self, batch: &mut ObjectBatchBuilder) -> Result<bool, SourceError> {
        self.batches += 1;
        if self.flaw == Flaw::EmptyBatch && self.batches == 2 {
            batch.clear();
            return Ok(true);
        }
        if self.flaw != Flaw::AppendsBatches {
            return self.inner.next_batch(batch);
        }
        let mut own = ObjectBatchBuilder::new(self.fields);
        let more = self.inner.next_batch(&mut own)?;
        let added = own.finish();
        (0..added.len()).for_each(|row| Row::of_batch(&added, row).add_to(batch));
        Ok(more)
    }
}

#[test]
fn flaws_of_sources_are_found() {
    for (flaw, words) in [
        (Flaw::IgnoresAfter, "lane 0 of 1, opened after \"k0000\": row 0 is"),
        (Flaw::IgnoresLanes, "is outside of the lane"),
        (Flaw::MoreLanes, "2 lanes were planned where at most 1 were asked for"),
        (Flaw::AppendsBatches, "a batch behind one of which 4 rows were not taken: row 0 is"),
        (Flaw::EmptyBatch, "lane 0: a batch behind row 4 is empty and not the end"),
        (Flaw::WithoutRequired, "it does not provide bucket and key"),
        (Flaw::WithoutVersionId, "row 0 has {VersionId}, which the source does not provide"),
        (Flaw::FaultWhenCancelled, "a cancelled run ends with another fault: broken"),
    ] {
        let rows: Vec<Row> = match flaw {
            // Keys that are unique without their versions.
            Flaw::WithoutVersionId => numbered(30).into_iter().step_by(3).collect(),
            _ => numbered(30),
        };
        let source = Flawed { inner: MemorySource::new(rows).with_batch_rows(4), flaw };
        let error = check_source(&source, "b").unwrap_err();
        assert!(error.contains(words), "{flaw:?}: {error}");
    }
}
