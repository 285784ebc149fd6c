//! The error of a run: what failed, where in the report, and what is left behind.

use std::{error::Error, fmt};
use stocktake_core::{DestinationError, DestinationErrorKind, SourceError, SourceErrorKind};

/// Why a report was not published.
#[derive(Debug)]
pub struct GenerateError {
    kind: GenerateErrorKind,
    lane: Option<u32>,
    chunk: Option<u64>,
    shard: Option<u32>,
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
    leftovers: Vec<String>,
    kept: Option<Box<KeptRun>>,
}

/// What a run that failed keeps at the destination, so that it can be continued.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeptRun {
    /// The report's stamp, as its folder is named.
    pub stamp: String,
    /// Finished data files.
    pub files: u64,
    /// Rows in them.
    pub rows: u64,
}

/// What kind of fault ended a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GenerateErrorKind {
    /// Spec, plan or options do not fit together.
    Invalid,
    /// The source failed or delivered what a report cannot hold.
    Source(SourceErrorKind),
    /// A value could not be encoded.
    Encode,
    /// A data file or the manifest could not be written.
    Destination(DestinationErrorKind),
    /// A report with the same stamp exists.
    ReportExists,
    /// A run with the same stamp was begun and not finished.
    Unfinished,
    /// The run cannot be continued: it was begun with another spec or plan.
    Changed,
    /// The shards do not make a whole report.
    Incomplete,
    /// A thread of the run was lost.
    Lost,
    /// The run was cancelled.
    Cancelled,
}

impl GenerateError {
    pub(super) fn new(kind: GenerateErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            lane: None,
            chunk: None,
            shard: None,
            message: message.into(),
            source: None,
            leftovers: Vec::new(),
            kept: None,
        }
    }

    pub(super) fn cancelled() -> Self {
        Self::new(GenerateErrorKind::Cancelled, "cancelled")
    }

    pub(super) fn caused(
        kind: GenerateErrorKind,
        message: impl Into<String>,
        source: impl Error + Send + Sync + 'static,
    ) -> Self {
        Self { source: Some(Box::new(source)), ..Self::new(kind, message) }
    }

    pub(super) fn in_lane(mut self, lane: u32) -> Self {
        self.lane = Some(lane);
        self
    }

    pub(super) fn in_chunk(mut self, chunk: u64) -> Self {
        self.chunk = Some(chunk);
        self
    }

    pub(super) fn in_shard(mut self, shard: u32) -> Self {
        self.shard = Some(shard);
        self
    }

    pub(super) fn with_leftovers(mut self, leftovers: Vec<String>) -> Self {
        self.leftovers.extend(leftovers);
        self
    }

    pub(super) fn with_kept(mut self, kept: KeptRun) -> Self {
        self.kept = Some(Box::new(kept));
        self
    }

    /// What kind of fault it was.
    pub fn kind(&self) -> GenerateErrorKind {
        self.kind
    }

    /// The lane in which it stood, from 0.
    pub fn lane(&self) -> Option<u32> {
        self.lane
    }

    /// The chunk of the lane, from 0.
    pub fn chunk(&self) -> Option<u64> {
        self.chunk
    }

    /// The data file of the lane, from 0.
    pub fn shard(&self) -> Option<u32> {
        self.shard
    }

    /// Objects of this run that could not be removed, each with the reason. Empty: nothing is left behind but what is
    /// [kept](Self::kept).
    pub fn leftovers(&self) -> &[String] {
        &self.leftovers
    }

    /// What the run keeps, so that it can be continued; none if it keeps nothing.
    pub fn kept(&self) -> Option<&KeptRun> {
        self.kept.as_deref()
    }
}

impl fmt::Display for GenerateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        let places = [
            self.lane
                .filter(|lane| *lane > 0 || self.shard.is_some() || self.chunk.is_some())
                .map(|lane| format!("lane {lane}")),
            self.shard.map(|shard| format!("data file {shard}")),
            self.chunk.map(|chunk| format!("chunk {chunk}")),
        ];
        let places: Vec<_> = places.into_iter().flatten().collect();
        if !places.is_empty() {
            write!(f, " ({})", places.join(", "))?;
        }
        for leftover in &self.leftovers {
            write!(f, "; left behind: {leftover}")?;
        }
        Ok(())
    }
}

impl Error for GenerateError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|error| error as _)
    }
}

impl From<SourceError> for GenerateError {
    fn from(error: SourceError) -> Self {
        match error.kind() {
            SourceErrorKind::Cancelled => Self::cancelled(),
            kind => Self::caused(GenerateErrorKind::Source(kind), "reading the source failed", error),
        }
    }
}

impl From<DestinationError> for GenerateError {
    fn from(error: DestinationError) -> Self {
        Self::caused(GenerateErrorKind::Destination(error.kind()), "writing the report failed", error)
    }
}
