//! The plan of a report: lanes by key boundaries, serialisable, so that several processes can write lanes of one report.

use crate::{digest::md5_hex, name::ObjectKey};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How a source's keys are split into lanes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "PlanParts", into = "PlanParts")]
pub struct Plan(PlanParts);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct PlanParts {
    source: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    snapshot: Option<String>,
    lanes: Vec<LaneDescriptor>,
}

/// A contiguous range of keys that feeds one sequence of data files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LaneDescriptor {
    /// Number of the lane, from 0, in key order.
    pub index: u32,
    /// First key that may be in the lane; none for the first lane.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub start: Option<ObjectKey>,
    /// First key that is in the next lane; none for the last lane.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub end: Option<ObjectKey>,
    /// What the source noted for itself, for example a range of bytes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub token: Option<String>,
}

impl Plan {
    /// A plan of one lane that holds every key.
    pub fn whole(source: impl Into<String>) -> Self {
        Self::with_tokens(source, None)
    }

    /// A plan of one lane that holds every key, with a note of the source's.
    pub fn with_tokens(source: impl Into<String>, token: Option<String>) -> Self {
        let lane = LaneDescriptor { index: 0, start: None, end: None, token };
        Self(PlanParts { source: source.into(), snapshot: None, lanes: vec![lane] })
    }

    /// A plan with a lane before the first boundary and one from each boundary on, each with a note of the source's
    /// (`tokens` has one more than `boundaries`).
    ///
    /// # Errors
    /// Boundaries ascend, and there are as many notes as lanes.
    pub fn split(
        source: impl Into<String>,
        boundaries: Vec<ObjectKey>,
        tokens: Vec<Option<String>>,
    ) -> Result<Self, PlanError> {
        if tokens.len() != boundaries.len() + 1 {
            return Err(PlanError("a lane has no note of its own".to_owned()));
        }
        let starts = std::iter::once(None).chain(boundaries.iter().cloned().map(Some));
        let ends = boundaries.iter().cloned().map(Some).chain(std::iter::once(None));
        let lanes = (0u32..).zip(starts.zip(ends).zip(tokens));
        let lanes = lanes.map(|(index, ((start, end), token))| LaneDescriptor { index, start, end, token }).collect();
        Self::try_from(PlanParts { source: source.into(), snapshot: None, lanes })
    }

    /// States which snapshot of the source the plan is of.
    #[must_use]
    pub fn with_snapshot(mut self, snapshot: impl Into<String>) -> Self {
        self.0.snapshot = Some(snapshot.into());
        self
    }

    /// The source in words.
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// The snapshot of the source, if it has such a thing.
    pub fn snapshot(&self) -> Option<&str> {
        self.0.snapshot.as_deref()
    }

    /// The lanes in key order; at least one.
    pub fn lanes(&self) -> &[LaneDescriptor] {
        &self.0.lanes
    }

    /// MD5 of the plan's JSON, in hex: tells whether two processes follow the same plan.
    pub fn digest(&self) -> String {
        md5_hex(serde_json::to_string(self).unwrap_or_default().as_bytes())
    }
}

impl TryFrom<PlanParts> for Plan {
    type Error = PlanError;

    fn try_from(parts: PlanParts) -> Result<Self, PlanError> {
        let fault = |text: &str| Err(PlanError(text.to_owned()));
        let (Some(first), Some(last)) = (parts.lanes.first(), parts.lanes.last()) else {
            return fault("there is no lane");
        };
        if first.start.is_some() || last.end.is_some() {
            return fault("the first lane has a start or the last one an end");
        }
        if !(0u32..).zip(&parts.lanes).all(|(index, lane)| lane.index == index) {
            return fault("lanes are not numbered from 0");
        }
        let joined = |pair: &[LaneDescriptor]| pair[0].end.is_some() && pair[0].end == pair[1].start;
        let ascending = |pair: &[LaneDescriptor]| pair[0].start < pair[1].start;
        if !parts.lanes.windows(2).all(|pair| joined(pair) && ascending(pair)) {
            return fault("lanes do not join or do not ascend");
        }
        Ok(Self(parts))
    }
}

impl From<Plan> for PlanParts {
    fn from(plan: Plan) -> Self {
        plan.0
    }
}

/// Lanes that do not cover the key space once and in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanError(String);

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the plan is not valid: {}", self.0)
    }
}

impl std::error::Error for PlanError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(keys: &[&str]) -> Vec<ObjectKey> {
        keys.iter().map(|key| ObjectKey::try_new(*key).unwrap()).collect()
    }

    #[test]
    fn a_split_covers_the_key_space_and_survives_json() {
        let plan = Plan::split("s", keys(&["g", "p"]), vec![None, Some("x".into()), None]).unwrap().with_snapshot("7");
        let json = serde_json::to_string(&plan).unwrap();
        assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan);
        assert_eq!(serde_json::from_str::<Plan>(&json).unwrap().digest(), plan.digest());
        assert_eq!(plan.lanes()[1].start.as_ref().unwrap().as_str(), "g");
    }

    #[test]
    fn lanes_that_leave_a_gap_are_refused() {
        assert!(Plan::split("s", keys(&["p", "g"]), vec![None; 3]).is_err());
        assert!(Plan::split("s", keys(&["g", "g"]), vec![None; 3]).is_err());
        assert!(Plan::split("s", keys(&["g"]), vec![None]).is_err());
        for json in [
            r#"{"source":"s","lanes":[]}"#,
            r#"{"source":"s","lanes":[{"index":0,"end":"a"}]}"#,
            r#"{"source":"s","lanes":[{"index":0,"end":"a"},{"index":1,"start":"b"}]}"#,
            r#"{"source":"s","lanes":[{"index":1}]}"#,
        ] {
            assert!(serde_json::from_str::<Plan>(json).is_err(), "{json}");
        }
    }
}
