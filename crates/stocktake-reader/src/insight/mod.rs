//! What the rows of a report say of its bucket: what is in it, how old and how large it is, where it lies, what it costs.
//!
//! Rows stream by once, a part of a file a thread, and only the columns that are counted are decoded. Whatever the number of
//! rows, memory stays within some tens of megabytes a thread: figures that would need more are kept in tables and samples
//! whose error is known and told. All figures but those are exact, and none depends on the number of threads.

mod amount;
mod classes;
mod collect;
mod duplicates;
mod findings;
mod html;
mod prefixes;
mod report;
mod shown;
mod sweep;
mod table;
mod tallies;
mod top;
mod values;

pub use amount::Amount;
pub use report::{
    ClassShare, Copies, Duplication, FieldShares, Finding, FindingKind, Insight, ObjectFacts, PrefixRanking, Ranking,
    Share,
};
pub use table::TableStyle;

use crate::{
    error::{ReadError, ReadErrorKind},
    report::{ReadOptions, Report},
};
use collect::{Counting, Counts};
use stocktake_core::{Field, FieldSet, Timestamp};
use values::VALUE_FIELDS;

/// Deepest prefixes that may be asked for: beyond it the tables of a report that is not sorted take too much memory.
pub const DEPTH_MAX: usize = 8;

/// Longest lists that may be asked for.
pub const LIST_MAX: usize = 1000;

/// Values of a column that are told one by one.
const VALUES_TOLD: usize = 20;

/// How an insight is made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct InsightOptions {
    /// Threads, MD5 and cancellation. Fields and files are chosen by the insight.
    pub read: ReadOptions,
    /// Depth of the deepest prefixes, 1 to [`DEPTH_MAX`]. Default: 3.
    pub depth: usize,
    /// Entries of a list, 1 to [`LIST_MAX`]. Default: 10.
    pub list: usize,
    /// The ASCII character that ends prefixes. Default: `/`.
    pub delimiter: char,
}

impl Default for InsightOptions {
    fn default() -> Self {
        Self { read: ReadOptions::default(), depth: 3, list: 10, delimiter: '/' }
    }
}

impl InsightOptions {
    /// Reads so.
    #[must_use]
    pub fn with_read(mut self, read: ReadOptions) -> Self {
        self.read = read;
        self
    }

    /// Counts prefixes down to a depth.
    #[must_use]
    pub fn with_depth(mut self, depth: usize) -> Self {
        self.depth = depth;
        self
    }

    /// Makes lists of so many entries.
    #[must_use]
    pub fn with_list(mut self, list: usize) -> Self {
        self.list = list;
        self
    }

    /// Ends prefixes by another character.
    #[must_use]
    pub fn with_delimiter(mut self, delimiter: char) -> Self {
        self.delimiter = delimiter;
        self
    }
}

/// Reads all rows of a report and says what they tell.
///
/// Prefixes are exact if receipts say that the report is sorted; else while their tables hold them.
///
/// # Errors
/// If options are out of range, a file cannot be read to its end, or the reading is cancelled.
pub fn insight(report: &Report, options: &InsightOptions) -> Result<Insight, ReadError> {
    let refused = |text: String| ReadError::new(ReadErrorKind::Unsupported, text);
    let delimiter = u8::try_from(options.delimiter).ok().filter(u8::is_ascii);
    let delimiter = delimiter.ok_or_else(|| refused(format!("{:?} is no ASCII character", options.delimiter)))?;
    if !(1..=DEPTH_MAX).contains(&options.depth) || !(1..=LIST_MAX).contains(&options.list) {
        return Err(refused(format!("depths are 1 to {DEPTH_MAX}, lists have 1 to {LIST_MAX} entries")));
    }
    let manifest = report.manifest();
    let as_of = manifest.creation_timestamp.parse().ok().and_then(|ms| Timestamp::try_from_ms(ms).ok());
    let counted = counted_fields();
    let counting = Counting {
        fields: counted.intersection(report.fields()),
        as_of_ms: as_of.map(Timestamp::ms),
        delimiter,
        depth: options.depth,
        sorted: report.header().is_some_and(|header| header.sorted),
        limit: options.list,
    };
    let mut notes = Vec::new();
    let swept = sweep::sweep(report, &options.read, &counting)?;
    if swept.disorder && counting.sorted {
        notes.push("keys do not ascend, though receipts say so: prefixes may be told in pieces".to_owned());
    }
    let versioned = FieldSet::VERSION_FIELDS.without(Field::VersionId).difference(report.fields()).is_empty();
    let absent = counted.difference(report.fields()).difference(FieldSet::VERSION_FIELDS);
    let mut insight = told(swept.counts, options.list);
    insight.manifest = report.manifest_key().to_string();
    insight.source_bucket.clone_from(&manifest.source_bucket);
    insight.created_at = as_of.map(|time| time.to_string());
    insight.format = manifest.file_format;
    insight.columns_absent = absent.iter().collect();
    insight.notes = notes;
    if !versioned {
        (insight.noncurrent_objects, insight.delete_markers, insight.latest_delete_markers) = (None, None, None);
    }
    if !report.fields().contains(Field::ETag) || !report.fields().contains(Field::Size) {
        insight.duplicates = None;
    }
    insight.findings = findings::findings(&insight);
    Ok(insight)
}

/// Fields whose columns are decoded.
fn counted_fields() -> FieldSet {
    let more = [Field::IsLatest, Field::IsDeleteMarker, Field::Size, Field::LastModifiedDate, Field::ETag];
    let named = [Field::VersionId, Field::StorageClass];
    let settled = VALUE_FIELDS.into_iter().filter(|field| *field != Field::ObjectLockEventHoldStatus);
    FieldSet::REQUIRED.union(more.into_iter().chain(named).chain(settled).collect())
}

/// What the counts say; what the manifest says is filled in by the caller.
fn told(counts: Counts, list: usize) -> Insight {
    let storage_classes = counts.classes.class_shares();
    let column = |names: Vec<&'static str>, tallies: fn(&ClassShare) -> &Vec<Amount>| {
        let sum = |index: usize| {
            storage_classes.iter().fold(Amount::default(), |mut sum, class| {
                sum.add(tallies(class)[index]);
                sum
            })
        };
        names.iter().enumerate().map(|(index, name)| Share::new(name, sum(index))).collect::<Vec<_>>()
    };
    let ages = column(classes::age_names().collect(), |class| &class.ages);
    let sizes = column(classes::size_names().collect(), |class| &class.sizes);
    let objects = |top: top::Top<ObjectFacts>| top.into_sorted().into_iter().map(|(_, facts)| facts).collect();
    let (prefixes, prefixes_overall) = counts.prefixes.rankings(list);
    Insight {
        manifest: String::new(),
        source_bucket: String::new(),
        created_at: None,
        format: stocktake_core::FileFormat::Csv,
        rows: counts.rows,
        total: counts.total,
        noncurrent_objects: Some(counts.noncurrent_objects),
        delete_markers: Some(counts.delete_markers),
        latest_delete_markers: Some(counts.latest_delete_markers),
        columns_absent: Vec::new(),
        findings: Vec::new(),
        storage_classes,
        ages,
        sizes,
        values: counts.values.iter().map(|values| values.shares(VALUES_TOLD)).collect(),
        prefixes,
        prefixes_overall,
        extensions: counts.extensions.by_name.ranking(list),
        largest: objects(counts.largest),
        oldest: objects(counts.oldest),
        newest: objects(counts.newest),
        duplicates: Some(counts.duplicates.estimate(list)),
        notes: Vec::new(),
    }
}
