//! A bucket that never was: rows by arithmetic, for benches, tests and trials at any scale.
//!
//! Rows are a function of three numbers and the row's position, in key order, without anything stored or sorted. It does
//! not know the report. Values look like those of real buckets in what matters to encoders: shared prefixes, few-valued
//! fields with skew, random ETags, sizes over many orders of magnitude, keys that need escaping.

mod grants;
mod key_text;
mod keys;
mod parameters;
mod random;
mod stream;
#[cfg(test)]
mod tests;
mod values;
mod versions;
mod words;

use keys::{KeyWriter, Keys};
use std::num::NonZeroU32;
use stocktake_core::{
    Field, FieldSelection, FieldSet, LaneDescriptor, ObjectKey, ObjectSource, ObjectStream, Plan, ReadContext,
    SourceError, SourceErrorKind, Versions,
};
use stream::SyntheticStream;
use versions::VersionCounts;

/// Most rows of a synthetic source.
pub const SYNTHETIC_ROWS_MAX: u64 = 10_000_000_000_000;

/// Most versions of a key of a synthetic source.
pub const SYNTHETIC_VERSIONS_MAX: u32 = 1_000_000;

/// A deterministic bucket of a given number of rows.
///
/// Made from text: `rows=N,seed=S,versions=V`, of which `seed` (1) and `versions` (0) may be left out. Without versions
/// there is one row a key. With them a key has 1 to V versions (one key in 256 has V, the others about 2 in the mean),
/// latest first, delete markers among them, and the rows have every settled field. The last key is cut short where the
/// rows end.
///
/// ```
/// use stocktake::sources::SyntheticSource;
///
/// let source: SyntheticSource = "rows=1000,versions=5".parse()?;
/// assert_eq!(source.to_string(), "synthetic:rows=1000,seed=1,versions=5");
/// # Ok::<(), stocktake::SourceError>(())
/// ```
#[derive(Clone, Debug)]
pub struct SyntheticSource {
    rows: u64,
    seed: u64,
    versions_max: u32,
    counts: VersionCounts,
    keys: Keys,
}

impl ObjectSource for SyntheticSource {
    fn provides(&self) -> FieldSet {
        let (selection, versions) = if self.versions_max > 0 {
            (FieldSelection::All, Versions::All)
        } else {
            (FieldSelection::Default, Versions::Current)
        };
        match selection.resolve(Field::all().collect(), versions) {
            Ok(fields) => fields.with(Field::BucketKeyStatus).with(Field::ChecksumAlgorithm),
            Err(missing) => unreachable!("nothing is missing from the set of all fields: {missing}"),
        }
    }

    fn plan(&self, lanes: NonZeroU32) -> Result<Plan, SourceError> {
        let mut starts = vec![0];
        let mut writer = KeyWriter::new(&self.keys);
        let mut boundaries = Vec::new();
        let lanes = u64::from(lanes.get()).min(self.rows.max(1));
        for lane in 1..lanes {
            // At most 10^13 rows in 2^32 lanes: the product wants more than 64 bits.
            let row = u128::from(self.rows) * u128::from(lane) / u128::from(lanes);
            let (key, version) = self.counts.locate(u64::try_from(row).unwrap_or(self.rows));
            let key = key + u64::from(version > 0);
            let start = self.counts.first_row(key);
            if start < self.rows && start > starts[starts.len() - 1] {
                starts.push(start);
                boundaries.push(object_key(writer.write_at(key))?);
            }
        }
        let ends = starts.iter().skip(1).chain([&self.rows]);
        let tokens = starts.iter().zip(ends).map(|(start, end)| Some(self.token(*start, *end))).collect();
        Plan::split(self.to_string(), boundaries, tokens)
            .map_err(|error| SourceError::new(SourceErrorKind::Order, error.to_string()))
    }

    fn open<'a>(
        &'a self,
        lane: &LaneDescriptor,
        after: Option<&ObjectKey>,
        context: &ReadContext,
    ) -> Result<Box<dyn ObjectStream + 'a>, SourceError> {
        let (start, end) = self.lane_rows(lane)?;
        let start = match after {
            Some(after) => start.max(self.counts.first_row(self.first_key(|key| key > after.as_str()))),
            None => start,
        };
        Ok(Box::new(SyntheticStream::new(self, start.min(end)..end, context.clone())))
    }
}

impl SyntheticSource {
    /// What a plan notes of a lane: a lane of another bucket is known by it.
    fn token(&self, start: u64, end: u64) -> String {
        format!("{}:{start}..{end}", self.parameters())
    }

    /// The rows of a lane, found by its keys; its token, if it has one, must be this source's.
    fn lane_rows(&self, lane: &LaneDescriptor) -> Result<(u64, u64), SourceError> {
        let row =
            |boundary: &ObjectKey| self.counts.first_row(self.first_key(|key| key >= boundary.as_str())).min(self.rows);
        let rows = (lane.start.as_ref().map_or(0, row), lane.end.as_ref().map_or(self.rows, row));
        match &lane.token {
            Some(token) if *token != self.token(rows.0, rows.1) => {
                let problem = format!("the plan's note `{token}` is not of {self}");
                Err(SourceError::malformed(problem).at(format!("lane {}", lane.index)))
            }
            _ => Ok(rows),
        }
    }

    /// Number of the first key for which `holds` is true, given that it holds for all that follow.
    fn first_key(&self, holds: impl Fn(&str) -> bool) -> u64 {
        let mut writer = KeyWriter::new(&self.keys);
        let (mut low, mut high) = (0, self.keys.count());
        while low < high {
            let middle = low + (high - low) / 2;
            if holds(writer.write_at(middle)) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }
}

fn object_key(key: &str) -> Result<ObjectKey, SourceError> {
    ObjectKey::try_new(key).map_err(|error| SourceError::malformed(error.to_string()))
}
