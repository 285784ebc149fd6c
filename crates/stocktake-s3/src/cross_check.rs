//! A bucket listed twice at once, row against row: what one listing has and the other has not.
//!
//! The rows that are delivered are the first listing's, untouched; the second one only tells. A bucket that is in use changes
//! while it is listed: what the objects' own times explain is counted, what they do not explain is named.

use crate::listing::S3Source;
use std::{
    collections::{BTreeMap, HashMap},
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
};
use stocktake_core::{
    Column, Field, FieldSet, LaneDescriptor, ObjectBatch, ObjectBatchBuilder, ObjectKey, ObjectSource, ObjectStream,
    Partition, Plan, ReadContext, SourceError, Timestamp, Versions,
};

/// Keys that are named; more are counted. Enough to see what they have in common.
const NAMED_MAX: usize = 100;

/// Rows of one key that differ at first sight and are kept until its last one was seen, some 20 MiB.
const HELD_ROWS_MAX: usize = 100_000;

/// A listing that is checked by a second one while it is read.
///
/// Both listings cut the bucket by themselves. Beyond a listing alone they take some 48 MiB. The second asks only for keys, versions,
/// sizes, times and ETags.
#[derive(Debug)]
pub struct CrossCheckedSource {
    first: S3Source,
    second: S3Source,
    began_ms: i64,
    found: Arc<Mutex<BTreeMap<u32, CrossCheck>>>,
}

/// What two listings of a bucket have told of each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CrossCheck {
    /// Rows that both listings have, alike.
    pub same: u64,
    /// Rows that the second listing alone has, though their time is before the scan: the report lacks them.
    pub missing: u64,
    /// Rows that both listings have with other times, sizes or ETags, though all of it is of before the scan.
    pub differing: u64,
    /// Rows that the second listing alone has, of objects that came meanwhile.
    pub new: u64,
    /// Rows that both listings have, of objects that were written again meanwhile.
    pub changed: u64,
    /// Rows that the first listing alone has: objects that went meanwhile, or that the second listing leaves out.
    pub gone: u64,
    /// The first hundred of what is missing or differs, in words.
    pub named: Vec<String>,
}

impl CrossCheck {
    /// Whether there is something that no change of the bucket explains.
    pub fn is_clean(&self) -> bool {
        self.missing == 0 && self.differing == 0
    }

    fn name(&mut self, what: &str, key: &str, row: &Seen) {
        if self.named.len() < NAMED_MAX {
            let version = if row.version.is_empty() { String::new() } else { format!(" version {:?}", row.version) };
            self.named.push(format!("{what}: {key:?}{version}"));
        }
    }
}

impl CrossCheckedSource {
    /// Checks a listing by another one of the same keys; `began` is when the scan begins, by the server's clock as nearly as is
    /// known.
    pub fn new(source: S3Source, began: Timestamp) -> Self {
        let (first, second) = source.twice();
        // Listings say times in whole seconds.
        let began_ms = began.ms().div_euclid(1000) * 1000;
        Self { first, second, began_ms, found: Arc::default() }
    }

    /// Tells what the last reading found so far, of all lanes; outlives the source.
    pub fn findings(&self) -> impl Fn() -> CrossCheck + Send + Sync + use<> {
        let found = Arc::clone(&self.found);
        move || {
            let lanes = found.lock().unwrap_or_else(PoisonError::into_inner);
            let mut sum = CrossCheck::default();
            for lane in lanes.values() {
                sum.same += lane.same;
                sum.missing += lane.missing;
                sum.differing += lane.differing;
                sum.new += lane.new;
                sum.changed += lane.changed;
                sum.gone += lane.gone;
                let room = NAMED_MAX - sum.named.len();
                sum.named.extend(lane.named.iter().take(room).cloned());
            }
            sum
        }
    }
}

/// Fields that are compared, beside key and version.
fn compared() -> FieldSet {
    FieldSet::REQUIRED.with(Field::Size).with(Field::LastModifiedDate).with(Field::ETag)
}

impl ObjectSource for CrossCheckedSource {
    fn provides(&self) -> FieldSet {
        self.first.provides()
    }

    fn plan(&self, lanes: NonZeroU32) -> Result<Plan, SourceError> {
        self.first.plan(lanes)
    }

    fn plan_again(&self, begun: &Plan, lanes: NonZeroU32) -> Result<Plan, SourceError> {
        self.first.plan_again(begun, lanes)
    }

    fn open<'a>(
        &'a self,
        lane: &LaneDescriptor,
        after: Option<&ObjectKey>,
        context: &ReadContext,
    ) -> Result<Box<dyn ObjectStream + 'a>, SourceError> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).insert(lane.index, CrossCheck::default());
        let mut least = context.clone();
        least.fields = match context.versions {
            Versions::All => compared().union(FieldSet::VERSION_FIELDS),
            Versions::Current => compared().union(self.first.provides().intersection(FieldSet::VERSION_FIELDS)),
        };
        let mut context = context.clone();
        context.fields = context.fields.union(least.fields);
        Ok(Box::new(CheckedStream {
            first: self.first.open(lane, after, &context)?,
            second: self.second.open(lane, after, &least)?,
            own: ObjectBatchBuilder::new(context.fields),
            builder: ObjectBatchBuilder::new(least.fields),
            other: ObjectBatch::empty(),
            at: 0,
            ended: false,
            held: None,
            told: CrossCheck::default(),
            lane: lane.index,
            of: self,
        }))
    }
}

/// A row that waits for its counterpart.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    version: Box<str>,
    modified_ms: Option<i64>,
    size_bytes: Option<i64>,
    e_tag: Box<str>,
}

impl Seen {
    fn of(rows: &ObjectBatch, row: usize) -> Self {
        let (version, e_tag) = (text(rows, row, Field::VersionId).into(), text(rows, row, Field::ETag).into());
        let (modified_ms, size_bytes) = (int(rows, row, Field::LastModifiedDate), int(rows, row, Field::Size));
        Self { version, modified_ms, size_bytes, e_tag }
    }
}

/// Rows of one key that are not alike at first sight.
#[derive(Debug)]
struct Held {
    key: String,
    first: Vec<Seen>,
    second: Vec<Seen>,
}

struct CheckedStream<'a> {
    first: Box<dyn ObjectStream + 'a>,
    second: Box<dyn ObjectStream + 'a>,
    own: ObjectBatchBuilder,
    builder: ObjectBatchBuilder,
    /// Rows of the second listing, and the next of them.
    other: ObjectBatch,
    at: usize,
    ended: bool,
    held: Option<Held>,
    told: CrossCheck,
    lane: u32,
    of: &'a CrossCheckedSource,
}

impl ObjectStream for CheckedStream<'_> {
    fn next_batch(&mut self, batch: &mut ObjectBatchBuilder) -> Result<bool, SourceError> {
        batch.clear();
        self.own.clear();
        let more = self.first.next_batch(&mut self.own)?;
        let rows = self.own.finish();
        self.compare(&rows)?;
        if more {
            batch.take_over(rows);
        } else {
            while self.fill()? {
                self.second_only();
            }
            self.settle();
        }
        self.of.found.lock().unwrap_or_else(PoisonError::into_inner).insert(self.lane, self.told.clone());
        Ok(more)
    }

    /// Those of the first listing, whose rows are delivered.
    fn partitions(&self) -> Vec<Partition> {
        self.first.partitions()
    }
}

impl CheckedStream<'_> {
    fn compare(&mut self, rows: &ObjectBatch) -> Result<(), SourceError> {
        for row in 0..rows.len() {
            let key = rows.key(row);
            loop {
                if !self.fill()? || key < self.other.key(self.at) {
                    self.hold(key, Some(Seen::of(rows, row)), None);
                    break;
                }
                if key > self.other.key(self.at) {
                    self.second_only();
                    continue;
                }
                let held = self.held.as_ref().is_some_and(|held| held.key == key);
                if !held && alike((rows, row), (&self.other, self.at)) {
                    self.told.same += 1;
                } else {
                    let other = Seen::of(&self.other, self.at);
                    self.hold(key, Some(Seen::of(rows, row)), Some(other));
                }
                self.at += 1;
                break;
            }
        }
        Ok(())
    }

    /// Reads the second listing on if no row is left; says whether there is one.
    fn fill(&mut self) -> Result<bool, SourceError> {
        while self.at == self.other.len() && !self.ended {
            self.builder.clear();
            self.ended = !self.second.next_batch(&mut self.builder)?;
            self.other = self.builder.finish();
            self.at = 0;
        }
        Ok(self.at < self.other.len())
    }

    fn second_only(&mut self) {
        let (key, row) = (self.other.key(self.at).to_owned(), Seen::of(&self.other, self.at));
        self.hold(&key, None, Some(row));
        self.at += 1;
    }

    /// Keeps rows until all of their key's are there.
    fn hold(&mut self, key: &str, first: Option<Seen>, second: Option<Seen>) {
        if self.held.as_ref().is_none_or(|held| held.key != key) {
            self.settle();
        }
        let held = self.held.get_or_insert_with(|| Held { key: key.to_owned(), first: Vec::new(), second: Vec::new() });
        if held.first.len() + held.second.len() >= HELD_ROWS_MAX {
            // What was kept is compared by itself; rows whose counterparts come later are told as differences.
            let (first, second) = (std::mem::take(&mut held.first), std::mem::take(&mut held.second));
            let key = key.to_owned();
            tell(&mut self.told, &key, first, second, self.of.began_ms);
        }
        if let Some(held) = &mut self.held {
            held.first.extend(first);
            held.second.extend(second);
        }
    }

    fn settle(&mut self) {
        if let Some(Held { key, first, second }) = self.held.take() {
            tell(&mut self.told, &key, first, second, self.of.began_ms);
        }
    }
}

/// Tells apart what the times of a key's rows explain and what they do not.
fn tell(told: &mut CrossCheck, key: &str, first: Vec<Seen>, second: Vec<Seen>, began_ms: i64) {
    let meanwhile = |row: &Seen| row.modified_ms.is_none_or(|ms| ms >= began_ms);
    let mut by_version: HashMap<Box<str>, Seen> = first.into_iter().map(|row| (row.version.clone(), row)).collect();
    for row in second {
        match by_version.remove(&row.version) {
            Some(of_first) if of_first == row => told.same += 1,
            Some(of_first) if meanwhile(&row) || meanwhile(&of_first) => told.changed += 1,
            Some(_) => {
                told.differing += 1;
                told.name("differs", key, &row);
            }
            None if meanwhile(&row) => told.new += 1,
            None => {
                told.missing += 1;
                told.name("missing", key, &row);
            }
        }
    }
    told.gone += by_version.len() as u64;
}

fn alike((one, row): (&ObjectBatch, usize), (two, other): (&ObjectBatch, usize)) -> bool {
    let texts = [Field::VersionId, Field::ETag];
    let ints = [Field::LastModifiedDate, Field::Size];
    texts.iter().all(|field| text(one, row, *field) == text(two, other, *field))
        && ints.iter().all(|field| int(one, row, *field) == int(two, other, *field))
}

fn text(rows: &ObjectBatch, row: usize, field: Field) -> &str {
    match rows.column(field) {
        Some(Column::Text(column)) => column.value(row),
        _ => "",
    }
}

fn int(rows: &ObjectBatch, row: usize, field: Field) -> Option<i64> {
    match rows.column(field) {
        Some(Column::Int(column)) => column.value(row),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(version: &str, modified_ms: i64) -> Seen {
        Seen { version: version.into(), modified_ms: Some(modified_ms), size_bytes: Some(1), e_tag: "e".into() }
    }

    #[test]
    fn what_times_explain_is_counted_and_the_rest_is_named() {
        let mut told = CrossCheck::default();
        let first = vec![seen("same", 1), seen("gone", 2), seen("changed", 3), seen("differs", 4)];
        let second =
            vec![seen("new", 1000), seen("same", 1), seen("changed", 1001), seen("differs", 5), seen("lost", 6)];
        tell(&mut told, "k", first, second, 1000);
        assert_eq!((told.same, told.gone, told.changed, told.new), (1, 1, 1, 1));
        assert_eq!((told.differing, told.missing, told.is_clean()), (1, 1, false));
        assert_eq!(told.named, ["differs: \"k\" version \"differs\"", "missing: \"k\" version \"lost\""]);
    }
}
