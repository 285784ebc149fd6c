//! The text of receipts.ndjson: what a report knows of itself beyond its manifest, one JSON object on each line.
//!
//! The first line is a header, every further line a receipt, in report order. A report stays readable when the spec in
//! its header is one that this version of the program would refuse to write by. Whether the numbers agree with the data
//! files is for a verification to say, not for the parser.

use crate::{
    plan::Plan,
    receipt::{CompleteReport, Receipt},
    row_digest::RowDigest,
    spec::{Order, ReportSpec},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

/// The first line of receipts.ndjson. Members that are not known are passed over when it is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReceiptsHeader {
    kind: Kind,
    /// The report's id.
    pub report_id: Uuid,
    /// The spec that the report was written by.
    pub spec: RecordedSpec,
    /// The plan that the report was written by.
    pub plan: Plan,
    /// Rows of the whole report.
    pub rows: u64,
    /// Entries that the source left out.
    pub skipped_entries: u64,
    /// Whether the keys ascend over the whole report.
    pub sorted: bool,
    /// Name and version of the program that wrote the report, for example `stocktake 0.1.0`.
    pub generator: String,
    /// When the scan really began, if the run was told: the stamp is the time at which it was due.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scan_started_at: Option<Timestamp>,
    /// When the scan really ended.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scan_ended_at: Option<Timestamp>,
    /// Digest of all rows, if the run was asked for it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub row_digest: Option<RowDigest>,
}

/// Tells the header from a receipt; nothing else may stand on the first line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Report,
}

/// A spec as a header holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RecordedSpec {
    /// A spec that this version of the program writes by.
    Known(Box<ReportSpec>),
    /// A spec of another version, or with another encoder revision: readable, but not to be written by.
    Foreign(serde_json::Value),
}

impl RecordedSpec {
    /// The spec, if this version of the program writes by it.
    pub fn known(&self) -> Option<&ReportSpec> {
        match self {
            Self::Known(spec) => Some(spec),
            Self::Foreign(_) => None,
        }
    }
}

impl ReceiptsHeader {
    /// The header of a complete report; `generator` is the program's name and version.
    pub fn new(spec: &ReportSpec, plan: &Plan, report: &CompleteReport, generator: impl Into<String>) -> Self {
        Self {
            kind: Kind::Report,
            report_id: spec.report_id(),
            spec: RecordedSpec::Known(Box::new(spec.clone())),
            plan: plan.clone(),
            rows: report.rows(),
            skipped_entries: report.skipped_entries(),
            sorted: spec.order() == Order::Sorted,
            generator: generator.into(),
            scan_started_at: None,
            scan_ended_at: None,
            row_digest: spec.row_digest().then(|| report.row_digest()).flatten(),
        }
    }

    /// States when the scan really began and ended.
    #[must_use]
    pub fn with_scan(mut self, started_at: Timestamp, ended_at: Timestamp) -> Self {
        (self.scan_started_at, self.scan_ended_at) = (Some(started_at), Some(ended_at));
        self
    }
}

/// The text of receipts.ndjson: a line for the header and one for each receipt, each with a newline at its end.
pub fn receipts_text<'a>(header: &ReceiptsHeader, receipts: impl IntoIterator<Item = &'a Receipt>) -> String {
    let mut text = json_line(header);
    for receipt in receipts {
        text += &json_line(receipt);
    }
    text
}

fn json_line(value: &impl Serialize) -> String {
    match serde_json::to_string(value) {
        Ok(line) => line + "\n",
        Err(error) => unreachable!("structs of texts and numbers have a JSON form: {error}"),
    }
}

/// Reads receipts.ndjson. Empty lines are passed over.
///
/// # Errors
/// With the line and, within it, the column at which the text is not a header or a receipt.
pub fn parse_receipts(text: &[u8]) -> Result<(ReceiptsHeader, Vec<Receipt>), ReceiptsFileError> {
    let lines = (1..).zip(text.split(|byte| *byte == b'\n'));
    let mut lines = lines.filter(|(_, line)| !line.trim_ascii().is_empty());
    let Some((number, first)) = lines.next() else {
        return Err(ReceiptsFileError { line: 1, message: "the file has no header".to_owned() });
    };
    let header = parse_line(number, first)?;
    let receipts = lines.map(|(number, line)| parse_line(number, line)).collect::<Result<_, _>>()?;
    Ok((header, receipts))
}

fn parse_line<'a, T: Deserialize<'a>>(line: u64, text: &'a [u8]) -> Result<T, ReceiptsFileError> {
    serde_json::from_slice(text).map_err(|error| {
        // The parser sees one line and calls it the first; the position is said once, with the line of the file.
        let message = error.to_string();
        let message = message.strip_suffix(&format!(" at line 1 column {}", error.column())).unwrap_or(&message);
        ReceiptsFileError { line, message: format!("column {}: {message}", error.column()) }
    })
}

/// A line of receipts.ndjson that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptsFileError {
    line: u64,
    message: String,
}

impl fmt::Display for ReceiptsFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, {}", self.line, self.message)
    }
}

impl std::error::Error for ReceiptsFileError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        destination::{DestinationError, PendingObject},
        name::{BucketName, ConfigurationId, ReportKey},
        partition::Partition,
        receipt::CommittableShard,
        shard_writer::ShardWriter,
    };
    use std::io::{self, Write};

    struct Discarded;

    impl Write for Discarded {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl PendingObject for Discarded {
        fn publish(self: Box<Self>) -> Result<(), DestinationError> {
            Ok(())
        }
    }

    fn report() -> (ReceiptsHeader, Vec<Receipt>) {
        let bucket = BucketName::try_new("b").unwrap();
        let id = ConfigurationId::try_new("id").unwrap();
        let spec = ReportSpec::builder(bucket.clone(), id, bucket).build().unwrap();
        let plan = Plan::whole("a test");
        let receipt = Receipt {
            report_id: spec.report_id(),
            spec_digest: spec.digest(),
            plan_digest: plan.digest(),
            lane: 0,
            shard: 0,
            last_of_lane: true,
            attempt: 0,
            file: None,
            rows: 7,
            first_key: Some("line\nbreak".into()),
            last_key: Some("z".into()),
            skipped_entries: 2,
            row_digest: None,
            partitions: vec![Partition::new(None, Some("k".into())), Partition::new(Some("k".into()), None)],
        };
        let key = ReportKey::try_new("b/id/data/x.csv.gz").unwrap();
        let shard = CommittableShard::publish(receipt, key, ShardWriter::new(Box::new(Discarded))).unwrap();
        let receipt = shard.receipt().clone();
        let complete = CompleteReport::check(&spec, &plan, vec![shard]).unwrap();
        (ReceiptsHeader::new(&spec, &plan, &complete, "stocktake 0.1.0"), vec![receipt])
    }

    #[test]
    fn the_text_goes_both_ways() {
        let (header, receipts) = report();
        let text = receipts_text(&header, &receipts);
        assert!(text.starts_with("{\"kind\":\"report\",\"report_id\":\""), "{text}");
        assert!(text.contains("\"rows\":7,\"skipped_entries\":2,\"sorted\":true,\"generator\":\"stocktake 0.1.0\"}\n"));
        assert_eq!(text.lines().count(), 2);
        assert!(text.ends_with("}\n"));
        assert_eq!(parse_receipts(text.as_bytes()).unwrap(), (header, receipts));
    }

    #[test]
    fn a_spec_of_another_revision_is_read_as_it_stands() {
        let (header, receipts) = report();
        let text = receipts_text(&header, &receipts);
        let foreign = text.replace("\"encoder_revision\":5", "\"encoder_revision\":9");
        assert_ne!(foreign, text);
        let (read, _) = parse_receipts(foreign.as_bytes()).unwrap();
        assert!(read.spec.known().is_none());
        let RecordedSpec::Foreign(spec) = read.spec else { panic!() };
        assert_eq!(spec["encoder_revision"], 9);
        assert!(header.spec.known().is_some());
    }

    #[test]
    fn faults_have_a_line_and_a_column() {
        let (header, receipts) = report();
        let text = receipts_text(&header, &receipts);
        let fault = |text: &str| parse_receipts(text.as_bytes()).unwrap_err().to_string();
        assert_eq!(fault(""), "line 1, the file has no header");
        assert!(fault(&text.replace("\"kind\":\"report\"", "\"kind\":\"x\"")).starts_with("line 1, column "));
        assert!(fault(&text.replace("\"lane\":0", "\"lane\":-1")).starts_with("line 2, column "), "{}", fault(&text));
        assert!(fault(&format!("{text}\n{{")).starts_with("line 4, column 1: EOF"));
    }
}
