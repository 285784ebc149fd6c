//! The rules of a source, each checked on the plans for one to four lanes.

use crate::rows::{Row, rows_of};
use std::num::NonZeroU32;
use stocktake_core::{
    FieldSet, LaneDescriptor, ObjectBatchBuilder, ObjectKey, ObjectSource, Plan, ReadContext, SourceError,
    SourceErrorKind,
};

/// Most lanes that are asked for.
const LANES_MAX: u32 = 4;

/// Keys of a lane behind which it is opened again.
const RESUMED_MAX: usize = 7;

/// Checks that a source keeps the contract.
///
/// It reads the source some two hundred times and keeps its rows in memory, so give it one of some thousand rows, with several
/// versions of a key if it has versions, and none that changes meanwhile. For one to four lanes:
///
/// - the plan survives serialisation and has no more lanes than were asked for;
/// - lanes hold the same rows in the same order as the plan of one lane, each within its keys;
/// - keys ascend by bytes, and a batch that is not the last has a row;
/// - columns are among those that the source provides and that were asked for;
/// - a lane that is opened twice has the same rows both times;
/// - a lane that is opened behind a key, whatever the key, has exactly the rows of later keys, unless the source says
///   [`SourceErrorKind::Unsupported`]. A source that cannot do it says so by [`ObjectSource::reopens`] too.
///
/// # Errors
/// Says which rule is broken, where, and how. A source that can be read once only fails: there is nothing to compare.
pub fn check_source(source: &dyn ObjectSource, context: &ReadContext) -> Result<(), String> {
    let suite = Suite { source, context };
    let mut whole: Option<Vec<Row>> = None;
    for asked in (1..=LANES_MAX).filter_map(NonZeroU32::new) {
        let of_plan = |fault: String| format!("plan of {asked} lanes: {fault}");
        let plan = suite.plan(asked).map_err(of_plan)?;
        let mut rows = Vec::new();
        for lane in plan.lanes() {
            let of_lane = |fault: String| of_plan(format!("lane {}: {fault}", lane.index));
            let of_this = suite.lane(lane).map_err(of_lane)?;
            suite.check_again(lane, &of_this).map_err(of_lane)?;
            suite.check_resumed(lane, &of_this).map_err(of_lane)?;
            rows.extend(of_this);
        }
        match &whole {
            None => whole = Some(rows),
            Some(whole) => same("its lanes and the plan of one lane", &rows, whole).map_err(of_plan)?,
        }
    }
    Ok(())
}

struct Suite<'a> {
    source: &'a dyn ObjectSource,
    context: &'a ReadContext,
}

impl Suite<'_> {
    /// The plan, as another process would get it.
    fn plan(&self, asked: NonZeroU32) -> Result<Plan, String> {
        let plan = self.source.plan(asked).map_err(|error| format!("cannot be made: {error}"))?;
        if plan.lanes().len() > asked.get() as usize {
            return Err(format!("has {} lanes", plan.lanes().len()));
        }
        let text = serde_json::to_string(&plan).map_err(|error| format!("cannot be serialised: {error}"))?;
        let read: Plan = serde_json::from_str(&text).map_err(|error| format!("does not survive: {error}"))?;
        if read == plan { Ok(read) } else { Err(format!("is another one after serialisation: {text}")) }
    }

    /// The rows of a lane.
    fn lane(&self, lane: &LaneDescriptor) -> Result<Vec<Row>, String> {
        self.read(lane, None)?.map_err(|error| format!("cannot be opened: {error}"))
    }

    fn check_again(&self, lane: &LaneDescriptor, rows: &[Row]) -> Result<(), String> {
        let again = self.read(lane, None)?.map_err(|error| format!("cannot be opened a second time: {error}"))?;
        same("the second reading and the first", &again, rows)
    }

    fn check_resumed(&self, lane: &LaneDescriptor, rows: &[Row]) -> Result<(), String> {
        let mut keys: Vec<&str> = rows.iter().map(Row::key).collect();
        keys.dedup();
        let Some(last) = keys.len().checked_sub(1) else { return Ok(()) };
        // The first key, the last, some between; and behind one of them a key that is not there.
        let mut afters: Vec<String> =
            (0..RESUMED_MAX).map(|step| keys[last * step / (RESUMED_MAX - 1)].to_owned()).collect();
        // Keys that are not there, of every kind: behind one, below one as below a folder, a part of one, before all, behind all.
        let middle = keys[last / 2];
        let mut shorter = middle.to_owned();
        shorter.pop();
        let absent = [middle.to_owned() + "\u{1}", middle.to_owned() + "/", middle.to_owned() + "\u{10ffff}", shorter];
        afters.extend(absent);
        afters.extend(["\u{1}".to_owned(), "\u{10ffff}".to_owned()]);
        if keys.len() > 1 {
            // Between two keys, the one behind which a folder of both ends.
            let common = keys[0].chars().zip(keys[1].chars()).take_while(|(one, other)| one == other);
            afters.push(common.map(|(one, _)| one).chain(['\u{10ffff}']).collect());
        }
        afters.dedup();
        for after in afters {
            // A key of the longest length has no key behind it that is as long.
            let Ok(after) = ObjectKey::try_new(after) else { continue };
            let fault = |fault: String| format!("opened behind key {:?}: {fault}", after.as_str());
            match self.read(lane, Some(&after)).map_err(fault)? {
                Err(error) if error.kind() == SourceErrorKind::Unsupported && !self.source.reopens() => return Ok(()),
                Err(error) if error.kind() == SourceErrorKind::Unsupported => {
                    return Err(fault(format!("the source says that it can be opened so, and then: {error}")));
                }
                Err(error) => return Err(fault(error.to_string())),
                Ok(resumed) => {
                    let later = rows.partition_point(|row| row.key() <= after.as_str());
                    same("its rows and those of later keys", &resumed, &rows[later..]).map_err(fault)?;
                }
            }
        }
        Ok(())
    }

    /// Reads a lane to its end and checks what can be seen on the way; the inner error is that of opening.
    fn read(&self, lane: &LaneDescriptor, after: Option<&ObjectKey>) -> Result<Result<Vec<Row>, SourceError>, String> {
        let mut stream = match self.source.open(lane, after, self.context) {
            Ok(stream) => stream,
            Err(error) => return Ok(Err(error)),
        };
        let allowed = self.source.provides().intersection(self.context.fields).union(FieldSet::REQUIRED);
        let mut builder = ObjectBatchBuilder::new(self.context.fields);
        let mut rows: Vec<Row> = Vec::new();
        let mut ended_by_empty = false;
        loop {
            builder.clear();
            let more = stream.next_batch(&mut builder).map_err(|error| {
                let at =
                    error.position().map(|_| String::new()).unwrap_or_else(|| format!(" after {} rows", rows.len()));
                format!("cannot be read{at}: {error}")
            })?;
            if !more {
                return if builder.is_empty() {
                    Ok(Ok(rows))
                } else {
                    Err(format!("the end came with {} rows, which are lost", builder.len()))
                };
            }
            if ended_by_empty {
                return Err(format!("a batch without rows came after {} rows, and was not the last", rows.len()));
            }
            let batch = builder.finish();
            ended_by_empty = batch.is_empty();
            let foreign = batch.fields().difference(allowed);
            if !foreign.is_empty() {
                return Err(format!("columns {foreign:?} are not provided, or were not asked for"));
            }
            for row in rows_of(&batch) {
                if let Some(last) = rows.last().filter(|last| last.key().as_bytes() > row.key().as_bytes()) {
                    return Err(format!("key {:?} comes after {:?}", row.key(), last.key()));
                }
                let before = lane.start.as_ref().is_some_and(|start| row.key() < start.as_str());
                let behind = lane.end.as_ref().is_some_and(|end| row.key() >= end.as_str());
                if before || behind {
                    let bound = |bound: &Option<ObjectKey>| bound.as_ref().map(|key| key.as_str().to_owned());
                    let (start, end) = (bound(&lane.start), bound(&lane.end));
                    return Err(format!("key {:?} is not within {start:?}..{end:?}", row.key()));
                }
                rows.push(row);
            }
        }
    }
}

/// Says where two sequences of rows part.
fn same(what: &str, found: &[Row], wanted: &[Row]) -> Result<(), String> {
    if found == wanted {
        return Ok(());
    }
    let at = found.iter().zip(wanted).take_while(|(found, wanted)| found == wanted).count();
    let shown = |rows: &[Row]| rows.get(at).map_or("the end".to_owned(), |row| format!("{row:?}"));
    Err(format!("{what} differ at row {}: {} instead of {}", at + 1, shown(found), shown(wanted)))
}
