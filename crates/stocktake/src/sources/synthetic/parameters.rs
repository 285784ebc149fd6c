//! The three numbers of a synthetic source, and their text.

use super::{SYNTHETIC_ROWS_MAX, SYNTHETIC_VERSIONS_MAX, SyntheticSource, keys::Keys, versions::VersionCounts};
use std::{fmt, ops::RangeInclusive, str::FromStr};
use stocktake_core::{SourceError, SourceErrorKind};

impl SyntheticSource {
    /// A source of so many rows, with seed 1 and without versions.
    ///
    /// # Errors
    /// Refuses more than [`SYNTHETIC_ROWS_MAX`] rows.
    pub fn try_new(rows: u64) -> Result<Self, SourceError> {
        Self::made(rows, 1, 0)
    }

    /// The source with another seed: other values, and other keys.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self::unchecked(self.rows, seed, self.versions_max)
    }

    /// The source with keys of 1 to `versions_max` versions; 0 stands for a bucket without versions.
    ///
    /// # Errors
    /// Refuses more than [`SYNTHETIC_VERSIONS_MAX`] versions.
    pub fn try_with_versions(self, versions_max: u32) -> Result<Self, SourceError> {
        Self::made(self.rows, self.seed, versions_max)
    }

    fn made(rows: u64, seed: u64, versions_max: u32) -> Result<Self, SourceError> {
        in_range("rows", rows, 0..=SYNTHETIC_ROWS_MAX)?;
        in_range("versions", u64::from(versions_max), 0..=u64::from(SYNTHETIC_VERSIONS_MAX))?;
        Ok(Self::unchecked(rows, seed, versions_max))
    }

    fn unchecked(rows: u64, seed: u64, versions_max: u32) -> Self {
        let counts = VersionCounts::new(versions_max, seed);
        let keys = Keys::new(counts.keys(rows), seed);
        Self { rows, seed, versions_max, counts, keys }
    }

    /// The three numbers as text.
    pub(super) fn parameters(&self) -> String {
        format!("rows={},seed={},versions={}", self.rows, self.seed, self.versions_max)
    }
}

impl FromStr for SyntheticSource {
    type Err = SourceError;

    /// Parses `rows=N,seed=S,versions=V`, in any order; `seed` and `versions` may be left out.
    fn from_str(text: &str) -> Result<Self, SourceError> {
        let (mut rows, mut seed, mut versions) = (None, None, None);
        for parameter in text.split(',') {
            let (name, value) = parameter
                .split_once('=')
                .ok_or_else(|| malformed(format!("`{parameter}` is not of the form name=number")))?;
            let slot = match name {
                "rows" => &mut rows,
                "seed" => &mut seed,
                "versions" => &mut versions,
                _ => return Err(malformed(format!("unknown parameter `{name}`; known: rows, seed, versions"))),
            };
            let number = value
                .parse::<u64>()
                .map_err(|_| malformed(format!("`{value}` is no whole number, as `{name}` asks for")))?;
            if slot.replace(number).is_some() {
                return Err(malformed(format!("`{name}` is given twice")));
            }
        }
        let rows = rows.ok_or_else(|| malformed("`rows` is missing".to_owned()))?;
        let versions = versions.unwrap_or(0);
        let versions_max = u32::try_from(versions).unwrap_or(u32::MAX);
        Self::made(rows, seed.unwrap_or(1), versions_max)
    }
}

impl fmt::Display for SyntheticSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "synthetic:{}", self.parameters())
    }
}

fn malformed(problem: String) -> SourceError {
    SourceError::malformed(problem).at("synthetic source")
}

fn in_range(name: &str, value: u64, range: RangeInclusive<u64>) -> Result<(), SourceError> {
    if range.contains(&value) {
        return Ok(());
    }
    let problem = format!("`{name}` is at most {}", range.end());
    Err(SourceError::new(SourceErrorKind::Unsupported, problem).at("synthetic source"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_in_any_order_with_defaults() {
        let text = |text: &str| text.parse::<SyntheticSource>().unwrap().to_string();
        assert_eq!(text("rows=7"), "synthetic:rows=7,seed=1,versions=0");
        assert_eq!(text("versions=3,rows=0,seed=18446744073709551615"), {
            "synthetic:rows=0,seed=18446744073709551615,versions=3"
        });
    }

    #[test]
    fn nonsense_is_refused_in_words() {
        for (text, message) in [
            ("", "synthetic source: `` is not of the form name=number"),
            ("seed=1", "synthetic source: `rows` is missing"),
            ("rows=1,,seed=2", "synthetic source: `` is not of the form name=number"),
            ("rows=1,rows=1", "synthetic source: `rows` is given twice"),
            ("rows=-1", "synthetic source: `-1` is no whole number, as `rows` asks for"),
            ("rows=1e6", "synthetic source: `1e6` is no whole number, as `rows` asks for"),
            ("rows=1,Seed=1", "synthetic source: unknown parameter `Seed`; known: rows, seed, versions"),
            ("rows=10000000000001", "synthetic source: `rows` is at most 10000000000000"),
            ("rows=1,versions=4294967297", "synthetic source: `versions` is at most 1000000"),
        ] {
            assert_eq!(text.parse::<SyntheticSource>().unwrap_err().to_string(), message);
        }
    }
}
