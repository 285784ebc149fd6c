//! The conformance suite on every source that can be opened again, and on sources that break a rule each.
#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped fails the test, in its helpers too")]

use arbitrary::Unstructured;
use std::{fs, io::Write, num::NonZeroU32, path::Path};
use stocktake::{
    BucketName, Field, FieldSet, LaneDescriptor, ObjectBatchBuilder, ObjectKey, ObjectSource, ObjectStream, Plan,
    ReadContext, SourceError, SourceErrorKind, Versions,
    sources::{ArrowFileSource, DirectorySource, NdjsonSource, SyntheticSource},
};
use stocktake_testkit::{
    rows::{Row, Slicing, Value, arbitrary_line, arbitrary_rows, arrow_file, every_field},
    source::{MemorySource, check_source},
};

fn context() -> ReadContext {
    let mut context = ReadContext::new(BucketName::try_new("b").unwrap(), every_field());
    context.versions = Versions::All;
    context
}

fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..length).map(|_| next()).collect()
}

/// Odd rows, at least a hundred keys of them.
fn odd_rows() -> Vec<Row> {
    let rows = arbitrary_rows(&mut Unstructured::new(&noise(1, 20_000))).unwrap();
    assert!(rows.len() > 200, "{} rows", rows.len());
    rows
}

/// Rows with keys `key-0000` and on, every third of which has two versions.
fn plain_rows(keys: i64) -> Vec<Row> {
    let row = |number: i64, id: &str| {
        Row::new(format!("key-{number:04}"))
            .with(Field::VersionId, Value::Text(id.to_owned()))
            .with(Field::Size, Value::Int(number))
    };
    (0..keys)
        .flat_map(|number| {
            let older = (number % 3 == 0).then(|| row(number, "older"));
            std::iter::once(row(number, "newer")).chain(older)
        })
        .collect()
}

#[test]
fn rows_in_memory_keep_the_contract() {
    for slicing in [Slicing::whole(), Slicing::of(&[1]), Slicing::of(&[7, 1, 30])] {
        check_source(&MemorySource::new(odd_rows(), every_field()).with_slicing(slicing), &context()).unwrap();
    }
    check_source(&MemorySource::new(Vec::new(), every_field()), &context()).unwrap();
    check_source(&MemorySource::new(plain_rows(1), every_field()), &context()).unwrap();
}

#[test]
fn the_synthetic_source_keeps_the_contract() {
    for text in ["rows=5000,seed=3,versions=3", "rows=3000,seed=9", "rows=3,versions=2", "rows=0"] {
        check_source(&text.parse::<SyntheticSource>().unwrap(), &context()).unwrap();
    }
}

#[test]
fn a_directory_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    for top in ["a", "a.b", "a b", "a0", "ä", "z\n", "a+b%"] {
        for middle in ["", "x", "x!", "x/y", "x0/y"] {
            let below = folder.path().join(top).join(middle);
            fs::create_dir_all(&below).unwrap();
            (0..9).for_each(|file| fs::write(below.join(format!("{}.x", file * 37 % 100)), [b'x'; 40]).unwrap());
        }
        fs::write(folder.path().join(format!("{top}.txt")), "").unwrap();
    }
    check_source(&DirectorySource::new(folder.path()), &context()).unwrap();
}

fn write_ndjson(path: &Path, rows: &[Row]) {
    let mut file = fs::File::create(path).unwrap();
    let data = noise(5, rows.len() * 40);
    let mut choices = Unstructured::new(&data);
    for row in rows {
        writeln!(file, "{}", arbitrary_line(row, &mut choices).unwrap()).unwrap();
    }
}

#[test]
fn an_ndjson_file_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    for (name, rows) in [("odd", odd_rows()), ("plain", plain_rows(2000)), ("empty", Vec::new())] {
        let path = folder.path().join(name);
        write_ndjson(&path, &rows);
        check_source(&NdjsonSource::try_open(&path).unwrap().with_fields(every_field()), &context()).unwrap();
    }
}

#[test]
fn an_arrow_file_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let files =
        [("odd", odd_rows(), 1), ("odd", odd_rows(), 13), ("plain", plain_rows(2000), 300), ("none", Vec::new(), 1)];
    for (name, rows, batch_rows) in files {
        let path = folder.path().join(format!("{name}-{batch_rows}"));
        fs::write(&path, arrow_file(&rows, &Slicing::of(&[batch_rows])).unwrap()).unwrap();
        check_source(&ArrowFileSource::try_open(&path).unwrap(), &context()).unwrap();
    }
}

/// A way to break the contract.
#[derive(Clone, Copy, Debug)]
enum Flaw {
    TooManyLanes,
    LaneIgnored,
    LastKeyOfLaneLost,
    OrderOfUpperCase,
    EmptyBatch,
    RowsWithTheEnd,
    ForeignColumn,
    SecondReadingDiffers,
    AfterIgnored,
    AfterInclusive,
    AfterSkipsOne,
    VersionsInAnotherOrder,
}

/// A source in memory with a flaw.
struct Flawed {
    flaw: Flaw,
    rows: MemorySource,
    opened: std::sync::atomic::AtomicUsize,
}

impl ObjectSource for Flawed {
    fn provides(&self) -> FieldSet {
        match self.flaw {
            Flaw::ForeignColumn => self.rows.provides().without(Field::Size),
            _ => self.rows.provides(),
        }
    }

    fn plan(&self, lanes: NonZeroU32) -> Result<Plan, SourceError> {
        self.rows.plan(if matches!(self.flaw, Flaw::TooManyLanes) { lanes.saturating_add(1) } else { lanes })
    }

    fn open<'a>(
        &'a self,
        lane: &LaneDescriptor,
        after: Option<&ObjectKey>,
        context: &ReadContext,
    ) -> Result<Box<dyn ObjectStream + 'a>, SourceError> {
        let opened = self.opened.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let mut lane = lane.clone();
        let mut after = after.cloned();
        let mut rows = self.rows.rows().to_vec();
        let resumed = after.is_some();
        match self.flaw {
            Flaw::LaneIgnored => lane.end = None,
            Flaw::LastKeyOfLaneLost => {
                if let Some(end) = &lane.end {
                    let at = rows.partition_point(|row| row.key() < end.as_str());
                    rows.remove(at - 1);
                }
            }
            Flaw::AfterIgnored => after = None,
            Flaw::AfterInclusive => {
                if let Some(key) = after.take() {
                    rows.retain(|row| row.key() >= key.as_str());
                }
            }
            Flaw::SecondReadingDiffers if opened % 2 == 1 => {
                rows.pop();
            }
            Flaw::OrderOfUpperCase => {
                // As a store that compares keys without regard to case would deliver them.
                rows.push(Row::new("Key-9999"));
            }
            _ => {}
        }
        let in_order = matches!(self.flaw, Flaw::OrderOfUpperCase);
        let source = MemorySource::new(rows, self.rows.provides()).with_slicing(Slicing::of(&[50]));
        let lane = if in_order { Plan::whole("x").lanes()[0].clone() } else { lane };
        let mut stream = source.open(&lane, after.as_ref(), context)?;
        let (mut batch, mut read) = (ObjectBatchBuilder::new(every_field()), Vec::new());
        while stream.next_batch(&mut batch)? {
            read.push(stocktake_testkit::rows::rows_of(&batch.finish()));
        }
        match self.flaw {
            Flaw::EmptyBatch if read.len() > 1 => read.insert(1, Vec::new()),
            Flaw::AfterSkipsOne if resumed => {
                if let Some(first) = read.first_mut() {
                    first.remove(0);
                }
            }
            Flaw::VersionsInAnotherOrder if opened % 2 == 1 => read.iter_mut().for_each(|batch| batch.sort()),
            _ => {}
        }
        let with_end = matches!(self.flaw, Flaw::RowsWithTheEnd);
        Ok(Box::new(Given { batches: read.into_iter(), with_end }))
    }
}

/// Batches as they are, the last together with the end if asked.
struct Given {
    batches: std::vec::IntoIter<Vec<Row>>,
    with_end: bool,
}

impl ObjectStream for Given {
    fn next_batch(&mut self, batch: &mut ObjectBatchBuilder) -> Result<bool, SourceError> {
        let Some(rows) = self.batches.next() else { return Ok(false) };
        rows.iter().try_for_each(|row| row.push(batch))?;
        Ok(!(self.with_end && self.batches.len() == 0))
    }
}

#[test]
fn broken_rules_are_found() {
    for (flaw, said) in [
        (Flaw::TooManyLanes, "plan of 1 lanes: has 2 lanes"),
        (Flaw::LaneIgnored, "plan of 2 lanes: lane 0: key \"key-0100\" is not within None..Some(\"key-0100\")"),
        (Flaw::LastKeyOfLaneLost, "differ at row"),
        (Flaw::OrderOfUpperCase, "key \"Key-9999\" comes after \"key-0199\""),
        (Flaw::EmptyBatch, "a batch without rows came after 50 rows"),
        (Flaw::RowsWithTheEnd, "which are lost"),
        (Flaw::ForeignColumn, "columns {Size} are not provided"),
        (Flaw::SecondReadingDiffers, "lane 0: the second reading and the first differ at row 267"),
        (Flaw::AfterIgnored, "opened behind key \"key-0000\""),
        (Flaw::AfterInclusive, "opened behind key \"key-0000\""),
        (Flaw::AfterSkipsOne, "opened behind key \"key-0000\""),
        (Flaw::VersionsInAnotherOrder, "the second reading and the first differ at row"),
    ] {
        let mut rows = plain_rows(200);
        if matches!(flaw, Flaw::VersionsInAnotherOrder) {
            // Newer before older is not the order of the texts.
            rows.iter_mut().for_each(|row| {
                let id = if row.version_id() == "newer" { "z" } else { "a" };
                row.set(Field::VersionId, Value::Text(id.to_owned()));
            });
        }
        let rows = MemorySource::new(rows, every_field());
        let source = Flawed { flaw, rows, opened: std::sync::atomic::AtomicUsize::new(0) };
        let error = check_source(&source, &context()).expect_err(&format!("{flaw:?}"));
        assert!(error.contains(said), "{flaw:?}: {error}");
    }
}

/// Rows that cannot be read from behind a key, and say so.
struct FromTheStart(MemorySource);

impl ObjectSource for FromTheStart {
    fn provides(&self) -> FieldSet {
        self.0.provides()
    }

    fn plan(&self, lanes: NonZeroU32) -> Result<Plan, SourceError> {
        self.0.plan(lanes)
    }

    fn reopens(&self) -> bool {
        false
    }

    fn open<'a>(
        &'a self,
        lane: &LaneDescriptor,
        after: Option<&ObjectKey>,
        context: &ReadContext,
    ) -> Result<Box<dyn ObjectStream + 'a>, SourceError> {
        match after {
            Some(_) => Err(SourceError::new(SourceErrorKind::Unsupported, "from the start only")),
            None => self.0.open(lane, None, context),
        }
    }
}

#[test]
fn a_source_may_say_that_it_reads_from_the_start_only() {
    check_source(&FromTheStart(MemorySource::new(plain_rows(100), every_field())), &context()).unwrap();
}
